//! The path attributes that Palisade knows, one row each: the only place that says what an attribute looks like, whom it
//! is for, what a fault in it leads to, how it is read and what becomes of it on the way out.
//!
//! An attribute without a row is unknown: it ends the session where it claims to be well-known, it is carried unread where
//! it is transitive, and it is dropped otherwise (RFC 4271 s5, s6.3). To add an attribute is to add a row.
//!
//! Wrong flags are no column: they always mean treat-as-withdraw (RFC 7606 s3.c), whomever the attribute is for, except where
//! prefixes are listed in it: then it is not to be read, and nobody knows what to withdraw (s5.3).

use crate::as_path::AsPath;
use crate::attribute_block::{self as block, Block};
use crate::attributes::{Attribute, Facts, Origin, Span};
use crate::community;
use crate::fault::{Outcome, Wrong};
use crate::prefix::Family;
use crate::reading::{Reach, Reading, Unreach};
use crate::two_octet;

/// The flag of an attribute that need not be known.
pub(crate) const OPTIONAL: u8 = 0x80;
/// The flag of an attribute that goes on to other speakers.
pub(crate) const TRANSITIVE: u8 = 0x40;
/// The flag of an optional transitive attribute that someone passed on without knowing it, or added on the way.
pub(crate) const PARTIAL: u8 = 0x20;
/// The flag of a length of two octets.
pub(crate) const EXTENDED_LENGTH: u8 = 0x10;

/// The type codes that code names.
pub(crate) mod code {
    pub(crate) const ORIGIN: u8 = 1;
    pub(crate) const AS_PATH: u8 = 2;
    pub(crate) const NEXT_HOP: u8 = 3;
    pub(crate) const MULTI_EXIT_DISC: u8 = 4;
    pub(crate) const LOCAL_PREF: u8 = 5;
    pub(crate) const ATOMIC_AGGREGATE: u8 = 6;
    pub(crate) const AGGREGATOR: u8 = 7;
    pub(crate) const COMMUNITIES: u8 = 8;
    pub(crate) const ORIGINATOR_ID: u8 = 9;
    pub(crate) const CLUSTER_LIST: u8 = 10;
    pub(crate) const MP_REACH_NLRI: u8 = 14;
    pub(crate) const MP_UNREACH_NLRI: u8 = 15;
    pub(crate) const EXTENDED_COMMUNITIES: u8 = 16;
    pub(crate) const AS4_PATH: u8 = 17;
    pub(crate) const AS4_AGGREGATOR: u8 = 18;
    pub(crate) const IPV6_EXTENDED_COMMUNITIES: u8 = 25;
    pub(crate) const LARGE_COMMUNITY: u8 = 32;
    pub(crate) const ONLY_TO_CUSTOMER: u8 = 35;
}

/// The lengths that an attribute's value may have.
#[derive(Clone, Copy)]
pub(crate) enum Length {
    /// Just this many octets.
    Exactly(u16),
    /// A multiple of this many octets, and not none.
    Items(u16),
    /// At least this many octets.
    AtLeast(u16),
    /// An AS number of two or four octets and an IPv4 address (RFC 7606 s7.7).
    AsAndAddress,
    /// Any: the value has its own shape.
    Any,
}

impl Length {
    /// Whether a value of `len` octets is one.
    #[inline]
    pub(crate) fn allows(self, len: u16, four_octet_as: bool) -> bool {
        match self {
            Length::Exactly(wanted) => len == wanted,
            Length::Items(size) => len > 0 && len.is_multiple_of(size),
            Length::AtLeast(least) => len >= least,
            Length::AsAndAddress => len == if four_octet_as { 8 } else { 6 },
            Length::Any => true,
        }
    }
}

/// The peers an attribute is exchanged with. From others it is discarded, unread.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum With {
    /// All.
    Everyone,
    /// Those of our own AS.
    Internal,
    /// Those without four-octet AS numbers.
    TwoOctet,
}

/// What becomes of an attribute on its way out.
#[derive(Clone, Copy)]
pub(crate) enum Egress {
    /// It goes on as it is.
    Carry,
    /// It is no part of a path's attributes: the message's encoding writes it.
    Message,
    /// It is written by this function, which is told what the path has of it.
    Write(fn(&mut Block<'_>, Option<Attribute<'_>>)),
}

/// One attribute.
pub(crate) struct Row {
    /// Its type code.
    pub(crate) code: u8,
    /// Its name in the registry.
    pub(crate) name: &'static str,
    /// The Optional and Transitive flags it must have.
    pub(crate) flags: u8,
    /// The length rule of its value.
    pub(crate) length: Length,
    /// The peers it is exchanged with.
    pub(crate) with: With,
    /// What a wrong length or value leads to.
    pub(crate) fault: Outcome,
    /// Reads the value and notes what it says; what it can't know yet, it notes where to find.
    pub(crate) read: fn(&mut Reading, &[u8], Span) -> Result<(), Wrong>,
    /// Notes where the value is in the canonical wire form.
    pub(crate) place: fn(&mut Facts, Span),
    /// What becomes of it on the way out.
    pub(crate) egress: Egress,
}

impl Row {
    /// What wrong flags lead to.
    pub(crate) fn flags_fault(&self) -> Outcome {
        if self.carries_prefixes() { Outcome::SessionReset } else { Outcome::TreatAsWithdraw }
    }

    /// Whether prefixes are listed in it.
    pub(crate) fn carries_prefixes(&self) -> bool {
        matches!(self.code, code::MP_REACH_NLRI | code::MP_UNREACH_NLRI)
    }

    /// Whether the canonical wire form has it.
    pub(crate) fn is_kept(&self) -> bool {
        !matches!(self.egress, Egress::Message) && self.with != With::TwoOctet
    }
}

const OPTIONAL_TRANSITIVE: u8 = OPTIONAL | TRANSITIVE;

use Egress::*;
use Length::*;
use Outcome::{AttributeDiscard as Discard, SessionReset as Reset, TreatAsWithdraw as Withdraw};
use With::*;

macro_rules! rows {
    ($($code:ident $name:literal $flags:ident, $length:expr, $with:ident, $fault:ident, $read:ident, $place:ident, $egress:expr;)*) => {
        [$(Row {
            code: code::$code, name: $name, flags: $flags, length: $length, with: $with, fault: $fault,
            read: $read, place: $place, egress: $egress,
        },)*]
    };
}

/// The rows, in ascending order of type.
#[rustfmt::skip]
pub(crate) static ROWS: [Row; 18] = rows! {
    // type                   name                        flags                length        with      fault     read              place                    egress
    ORIGIN                    "ORIGIN"                    TRANSITIVE,          Exactly(1),   Everyone, Withdraw, origin,           nowhere,                 Carry;                                   // RFC 4271 s5.1.1, 7606 s7.1
    AS_PATH                   "AS_PATH"                   TRANSITIVE,          Any,          Everyone, Withdraw, as_path,          at_as_path,              Write(block::as_path);                   // RFC 4271 s5.1.2, 7606 s7.2
    NEXT_HOP                  "NEXT_HOP"                  TRANSITIVE,          Exactly(4),   Everyone, Withdraw, next_hop,         nowhere,                 Message;                                 // RFC 4271 s5.1.3, 7606 s7.3
    MULTI_EXIT_DISC           "MULTI_EXIT_DISC"           OPTIONAL,            Exactly(4),   Everyone, Withdraw, med,              nowhere,                 Write(block::med);                       // RFC 4271 s5.1.4, 7606 s7.4
    LOCAL_PREF                "LOCAL_PREF"                TRANSITIVE,          Exactly(4),   Internal, Withdraw, local_pref,       nowhere,                 Write(block::local_pref);                // RFC 4271 s5.1.5, 7606 s7.5
    ATOMIC_AGGREGATE          "ATOMIC_AGGREGATE"          TRANSITIVE,          Exactly(0),   Everyone, Discard,  unread,           nowhere,                 Carry;                                   // RFC 4271 s5.1.6, 7606 s7.6
    AGGREGATOR                "AGGREGATOR"                OPTIONAL_TRANSITIVE, AsAndAddress, Everyone, Discard,  aggregator,       nowhere,                 Write(block::aggregator);                // RFC 4271 s5.1.7, 7606 s7.7
    COMMUNITIES               "COMMUNITIES"               OPTIONAL_TRANSITIVE, Items(4),     Everyone, Withdraw, unread,           at_communities,          Write(block::communities);               // RFC 1997, 7606 s7.8
    ORIGINATOR_ID             "ORIGINATOR_ID"             OPTIONAL,            Exactly(4),   Internal, Withdraw, originator_id,    nowhere,                 Write(block::originator_id);             // RFC 4456 s8, 7606 s7.9
    CLUSTER_LIST              "CLUSTER_LIST"              OPTIONAL,            Items(4),     Internal, Withdraw, unread,           at_cluster_list,         Write(block::cluster_list);              // RFC 4456 s8, 7606 s7.10
    MP_REACH_NLRI             "MP_REACH_NLRI"             OPTIONAL,            AtLeast(5),   Everyone, Reset,    mp_reach,         nowhere,                 Message;                                 // RFC 4760 s3, 7606 s5.3, s7.11
    MP_UNREACH_NLRI           "MP_UNREACH_NLRI"           OPTIONAL,            AtLeast(3),   Everyone, Reset,    mp_unreach,       nowhere,                 Message;                                 // RFC 4760 s4, 7606 s5.3, s7.12
    EXTENDED_COMMUNITIES      "EXTENDED COMMUNITIES"      OPTIONAL_TRANSITIVE, Items(8),     Everyone, Withdraw, unread,           at_extended_communities, Write(block::extended_communities);      // RFC 4360 s3, s6, 7606 s7.14
    AS4_PATH                  "AS4_PATH"                  OPTIONAL_TRANSITIVE, Any,          TwoOctet, Discard,  as4_path,         nowhere,                 Write(block::as4_path);                  // RFC 6793 s3, s6
    AS4_AGGREGATOR            "AS4_AGGREGATOR"            OPTIONAL_TRANSITIVE, Exactly(8),   TwoOctet, Discard,  as4_aggregator,   nowhere,                 Write(block::as4_aggregator);            // RFC 6793 s3, s6
    IPV6_EXTENDED_COMMUNITIES "IPv6 EXTENDED COMMUNITIES" OPTIONAL_TRANSITIVE, Items(20),    Everyone, Withdraw, unread,           nowhere,                 Write(block::ipv6_extended_communities); // RFC 5701, 7606 s7.15
    LARGE_COMMUNITY           "LARGE_COMMUNITY"           OPTIONAL_TRANSITIVE, Items(12),    Everyone, Withdraw, large_communities, at_large_communities,    Write(block::large_communities);         // RFC 8092 s3, s5
    ONLY_TO_CUSTOMER          "ONLY_TO_CUSTOMER"          OPTIONAL_TRANSITIVE, Exactly(4),   Everyone, Withdraw, only_to_customer, nowhere,                 Write(block::only_to_customer);          // RFC 9234 s5
};

const NO_ROW: u8 = u8::MAX;

/// Where each type's row is in [`ROWS`].
static BY_CODE: [u8; 256] = {
    let mut by_code = [NO_ROW; 256];
    let mut row = 0;
    while row < ROWS.len() {
        by_code[ROWS[row].code as usize] = row as u8;
        row += 1;
    }
    by_code
};

/// The row of an attribute type.
#[inline]
pub(crate) fn row(code: u8) -> Option<&'static Row> {
    ROWS.get(usize::from(BY_CODE[usize::from(code)]))
}

/// The registry's name of an attribute type.
pub fn name(code: u8) -> &'static str {
    row(code).map_or("unknown attribute", |row| row.name)
}

// Reading: what each column `read` does with a value whose flags and length are right.

fn unread(_: &mut Reading, _: &[u8], _: Span) -> Result<(), Wrong> {
    Ok(())
}

fn origin(reading: &mut Reading, octets: &[u8], value: Span) -> Result<(), Wrong> {
    reading.facts.origin = match value.of(octets) {
        [0] => Origin::Igp,
        [1] => Origin::Egp,
        [2] => Origin::Incomplete,
        _ => return Err(Wrong::Value),
    };
    Ok(())
}

fn as_path(reading: &mut Reading, octets: &[u8], value: Span) -> Result<(), Wrong> {
    let path = value.of(octets);
    let sound =
        if reading.context.four_octet_as { AsPath::parse(path).is_some() } else { two_octet::is_path(path) };
    reading.notes.as_path = Some(value);
    if sound { Ok(()) } else { Err(Wrong::Value) }
}

fn next_hop(reading: &mut Reading, _: &[u8], value: Span) -> Result<(), Wrong> {
    reading.notes.next_hop = Some(value);
    Ok(())
}

fn number(octets: &[u8], value: Span) -> Option<u32> {
    value.of(octets).try_into().map(u32::from_be_bytes).ok()
}

fn med(reading: &mut Reading, octets: &[u8], value: Span) -> Result<(), Wrong> {
    reading.facts.med = number(octets, value);
    Ok(())
}

fn local_pref(reading: &mut Reading, octets: &[u8], value: Span) -> Result<(), Wrong> {
    reading.facts.local_pref = number(octets, value);
    Ok(())
}

fn originator_id(reading: &mut Reading, octets: &[u8], value: Span) -> Result<(), Wrong> {
    reading.facts.originator_id = number(octets, value).map(Into::into);
    Ok(())
}

/// Those that are there twice are to be passed over in silence (RFC 8092 s3).
fn large_communities(reading: &mut Reading, octets: &[u8], value: Span) -> Result<(), Wrong> {
    reading.notes.repeats_large_communities = community::has_repeats(value.of(octets));
    Ok(())
}

fn only_to_customer(reading: &mut Reading, octets: &[u8], value: Span) -> Result<(), Wrong> {
    reading.facts.only_to_customer = number(octets, value).map(crate::Asn);
    Ok(())
}

/// AS 0 makes it malformed (RFC 7607 s2).
fn aggregator(reading: &mut Reading, octets: &[u8], value: Span) -> Result<(), Wrong> {
    if matches!(value.of(octets), [0, 0, _, _, _, _] | [0, 0, 0, 0, _, _, _, _]) {
        return Err(Wrong::Value);
    }
    reading.notes.aggregator = Some(value);
    Ok(())
}

fn as4_path(reading: &mut Reading, octets: &[u8], value: Span) -> Result<(), Wrong> {
    // An empty one adds nothing; RFC 6793 s6 calls it malformed.
    match AsPath::parse(value.of(octets)) {
        Some(path) if !path.is_empty() && !path.contains(crate::Asn(0)) => {
            reading.notes.as4_path = Some(value)
        }
        _ => return Err(Wrong::Value),
    }
    Ok(())
}

fn as4_aggregator(reading: &mut Reading, octets: &[u8], value: Span) -> Result<(), Wrong> {
    if number(octets, value.part(0, 4)) == Some(0) {
        return Err(Wrong::Value);
    }
    reading.notes.as4_aggregator = Some(value);
    Ok(())
}

/// AFI, SAFI, a next hop behind its length, an octet that nobody uses any more, and prefixes (RFC 4760 s3).
fn mp_reach(reading: &mut Reading, octets: &[u8], value: Span) -> Result<(), Wrong> {
    let &[high, low, safi, hop_len, ref rest @ ..] = value.of(octets) else { return Err(Wrong::Length) };
    let hop = value.part(4, u16::from(hop_len));
    // The next hop and the reserved octet must be there, or nobody knows where the prefixes begin.
    if rest.len() <= usize::from(hop_len) {
        return Err(Wrong::Length);
    }
    let prefixes = value.after(5 + u16::from(hop_len));
    let family = Family::from_afi_safi(u16::from_be_bytes([high, low]), safi);
    reading.check_reach(octets, Reach { family, next_hop: hop, prefixes })
}

/// AFI, SAFI and prefixes (RFC 4760 s4).
fn mp_unreach(reading: &mut Reading, octets: &[u8], value: Span) -> Result<(), Wrong> {
    let &[high, low, safi, ..] = value.of(octets) else { return Err(Wrong::Length) };
    let family = Family::from_afi_safi(u16::from_be_bytes([high, low]), safi);
    reading.check_unreach(octets, Unreach { family, prefixes: value.after(3) })
}

// Placing: what each column `place` does once the canonical wire form is written.

fn nowhere(_: &mut Facts, _: Span) {}

fn at_as_path(facts: &mut Facts, span: Span) {
    facts.as_path = span;
}

fn at_communities(facts: &mut Facts, span: Span) {
    facts.communities = span;
}

fn at_extended_communities(facts: &mut Facts, span: Span) {
    facts.extended_communities = span;
}

fn at_large_communities(facts: &mut Facts, span: Span) {
    facts.large_communities = span;
}

fn at_cluster_list(facts: &mut Facts, span: Span) {
    facts.cluster_list = span;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_ascend_and_are_found_by_their_code() {
        assert!(ROWS.is_sorted_by_key(|row| row.code));
        for code in 0..=255 {
            assert_eq!(
                row(code).map(|row| row.code),
                ROWS.iter().map(|row| row.code).find(|found| *found == code)
            );
        }
    }
}
