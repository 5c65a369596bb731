//! Reading one message's attributes: from whatever a peer sent to the canonical wire form, or to the faults that
//! forbid it.
//!
//!   TLVs --walk--> checked against the table, noted --complete--> mandatory ones, path --compose--> canonical wire form
//!
//! The walk looks at each attribute once, in the order sent. It ends early only where it can't find the next attribute.
//! Whatever is wrong becomes a [`Fault`] with the outcome that RFC 7606 gives it; the strongest decides at the end (s3.h),
//! so that a message is never half believed. Next to nothing is allocated once the buffers have grown to the peer's ways, and they
//! are bounded: by the 64 KiB of a message, and by the 256 types an attribute can have, since repeated ones are dropped.

use crate::attribute_codes::AttributeCodes;
use crate::attribute_table::{EXTENDED_LENGTH, OPTIONAL, Row, TRANSITIVE, With, code, row};
use crate::attributes::{Facts, Span};
use crate::fault::{Fault, Outcome, Wrong};
use crate::nlri;
use crate::prefix::Family;
use crate::update::Context;

mod canonical;

use canonical::Kept;

/// The most faults of one message that are listed. All of them count.
pub const MAX_FAULTS: usize = 16;

/// Where the attributes come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Source {
    /// A peer's UPDATE.
    #[default]
    Message,
    /// An entry of a table in MRT form, which may hold what is for within an AS, and MP_REACH_NLRI in its short form.
    Table,
}

/// MP_REACH_NLRI.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// Its family, where we route it.
    pub(crate) family: Option<Family>,
    /// Its next hop, an address of a length right for the family where that was negotiated.
    pub(crate) next_hop: Span,
    /// Its prefixes.
    pub(crate) prefixes: Span,
}

/// MP_UNREACH_NLRI.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unreach {
    /// Its family, where we route it.
    pub(crate) family: Option<Family>,
    /// Its prefixes.
    pub(crate) prefixes: Span,
}

/// What was seen of one message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    pub(crate) as_path: Option<Span>,
    pub(crate) next_hop: Option<Span>,
    pub(crate) aggregator: Option<Span>,
    pub(crate) as4_path: Option<Span>,
    pub(crate) as4_aggregator: Option<Span>,
    pub(crate) reach: Option<Reach>,
    pub(crate) unreach: Option<Unreach>,
    /// Whether LARGE_COMMUNITY lists one more than once.
    pub(crate) repeats_large_communities: bool,
    /// The types seen.
    seen: AttributeCodes,
    /// Whether a type came that is less than the one before it.
    unordered: bool,
    last_code: u8,
    /// The strongest fault, and the attribute it was found in.
    worst: Option<(Fault, Span)>,
}

impl Notes {
    pub(crate) fn has(&self, code: u8) -> bool {
        self.seen.contains(code)
    }

    /// How many types were seen.
    pub(crate) fn count(&self) -> u32 {
        self.seen.count()
    }

    /// The strongest fault, and the attribute it was found in.
    pub(crate) fn worst(&self) -> Option<(Fault, Span)> {
        self.worst
    }
}

/// The attributes of one message after the other, in buffers that stay.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) context: Context,
    source: Source,
    pub(crate) facts: Facts,
    pub(crate) notes: Notes,
    pub(crate) wire: Vec<u8>,
    pub(crate) faults: Vec<Fault>,
    kept: Vec<Kept>,
    /// AS_PATH with four-octet AS numbers, where the peer's have two; and room to widen it in.
    path: Vec<u8>,
    widened: Vec<u8>,
}

impl Reading {
    /// Reads the attributes in a part of `octets`, which are at most 65,535.
    pub(crate) fn walk(&mut self, octets: &[u8], field: Span, context: &Context, source: Source) {
        self.begin(context, source);
        let (mut at, end) = (usize::from(field.start), usize::from(field.start) + usize::from(field.len));
        while at < end {
            match header(octets, at, end) {
                Ok(found) => {
                    self.attribute(octets, found);
                    at = usize::from(found.value.start) + usize::from(found.value.len);
                }
                Err(code) => return self.overrun(code, Span { start: clamp(at), len: clamp(end - at) }),
            }
        }
    }

    fn begin(&mut self, context: &Context, source: Source) {
        self.context = *context;
        self.source = source;
        self.facts = Facts::default();
        self.notes = Notes::default();
        self.wire.clear();
        self.faults.clear();
        self.kept.clear();
    }

    /// Too few octets for another attribute, or for all of this one (RFC 7606 s4). Where it would have listed prefixes, what
    /// they are will never be known (s3.j).
    fn overrun(&mut self, code: Option<u8>, rest: Span) {
        let outcome = match code.and_then(row) {
            Some(row) if row.carries_prefixes() => Outcome::SessionReset,
            _ => Outcome::TreatAsWithdraw,
        };
        self.fault(code.unwrap_or(0), Wrong::Overrun, outcome, rest);
    }

    /// Lists a fault, and remembers the strongest.
    pub(crate) fn fault(&mut self, attribute: u8, wrong: Wrong, outcome: Outcome, quoted: Span) {
        let fault = Fault { attribute, wrong, outcome };
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault);
        }
        if self.notes.worst.is_none_or(|(worst, _)| worst.outcome < outcome) {
            self.notes.worst = Some((fault, quoted));
        }
    }

    #[inline]
    fn attribute(&mut self, octets: &[u8], found: Kept) {
        let quoted = Span { start: found.start, len: found.value.start - found.start + found.value.len };
        if self.context.stripped.contains(found.code) {
            return;
        }
        if self.notes.seen.insert(found.code) {
            return self.repeated(found.code, quoted);
        }
        let Some(row) = row(found.code) else { return self.unknown(found, quoted) };
        if (found.flags ^ row.flags) & (OPTIONAL | TRANSITIVE) != 0 {
            return self.fault(found.code, Wrong::Flags, row.flags_fault(), quoted);
        }
        if self.is_for_others(row, quoted) {
            return;
        }
        if let Err(wrong) = self.value(octets, row, found.value) {
            return self.fault(found.code, wrong, row.fault, quoted);
        }
        if row.is_kept() {
            self.keep(found);
        }
    }

    #[inline]
    fn value(&mut self, octets: &[u8], row: &Row, value: Span) -> Result<(), Wrong> {
        let short_reach = self.source == Source::Table && row.code == code::MP_REACH_NLRI;
        if short_reach {
            return self.table_reach(octets, value);
        }
        let four_octet_as = self.context.four_octet_as;
        // Some writers of tables leave AGGREGATOR as they hold it, whatever the width of AS_PATH.
        let either = self.source == Source::Table && row.length.allows(value.len, !four_octet_as);
        if !row.length.allows(value.len, four_octet_as) && !either {
            return Err(Wrong::Length);
        }
        (row.read)(self, octets, value)
    }

    #[inline]
    fn keep(&mut self, found: Kept) {
        self.notes.unordered |= found.code < self.notes.last_code;
        self.notes.last_code = found.code;
        self.kept.push(found);
    }

    /// RFC 7606 s3.g: the first one stands, except where prefixes are listed.
    fn repeated(&mut self, attribute: u8, quoted: Span) {
        let outcome = match row(attribute) {
            Some(row) if row.carries_prefixes() => Outcome::SessionReset,
            _ => Outcome::AttributeDiscard,
        };
        self.fault(attribute, Wrong::Duplicate, outcome, quoted);
    }

    /// RFC 4271 s5, s6.3: a well-known attribute that nobody knows ends the session, a transitive one is carried unread, any
    /// other is dropped.
    fn unknown(&mut self, found: Kept, quoted: Span) {
        if found.flags & OPTIONAL == 0 {
            self.fault(found.code, Wrong::Unrecognized, Outcome::SessionReset, quoted);
        } else if found.flags & TRANSITIVE != 0 {
            self.keep(found);
        }
    }

    /// Whether an attribute is not for speakers like us: then it is discarded, unread. In a table it is no fault to hold it.
    #[inline]
    fn is_for_others(&mut self, row: &Row, quoted: Span) -> bool {
        let wrong = match row.with {
            With::Internal if !self.context.internal => Wrong::External,
            With::TwoOctet if self.context.four_octet_as => Wrong::FourOctetPeer,
            _ => return false,
        };
        if self.source == Source::Message {
            self.fault(row.code, wrong, Outcome::AttributeDiscard, quoted);
        }
        true
    }

    /// Notes MP_REACH_NLRI where it is in order. A family that was not negotiated is passed over unread.
    pub(crate) fn check_reach(&mut self, octets: &[u8], reach: Reach) -> Result<(), Wrong> {
        if let Some(family) = reach.family.filter(|family| self.context.families[family.index()]) {
            let fits = match family {
                Family::Ipv4 if self.context.extended_next_hop => matches!(reach.next_hop.len, 4 | 16 | 32), // RFC 8950 s4
                Family::Ipv4 => reach.next_hop.len == 4,
                Family::Ipv6 => matches!(reach.next_hop.len, 16 | 32),
            };
            if !fits {
                return Err(Wrong::Length); // RFC 7606 s7.11
            }
            self.check_prefixes(octets, family, reach.prefixes)?;
        }
        self.notes.reach = Some(reach);
        Ok(())
    }

    /// Notes MP_UNREACH_NLRI where it is in order.
    pub(crate) fn check_unreach(&mut self, octets: &[u8], unreach: Unreach) -> Result<(), Wrong> {
        if let Some(family) = unreach.family.filter(|family| self.context.families[family.index()]) {
            self.check_prefixes(octets, family, unreach.prefixes)?;
        }
        self.notes.unreach = Some(unreach);
        Ok(())
    }

    fn check_prefixes(&self, octets: &[u8], family: Family, prefixes: Span) -> Result<(), Wrong> {
        let add_path = self.context.add_path[family.index()];
        if nlri::is_sound(prefixes.of(octets), family, add_path) { Ok(()) } else { Err(Wrong::Nlri) }
    }

    /// MP_REACH_NLRI of a table entry: a next hop behind its length, and nothing else (RFC 6396 s4.3.4). Some writers put
    /// the whole attribute; it is told by its first octet, which is then the high one of the AFI.
    fn table_reach(&mut self, octets: &[u8], value: Span) -> Result<(), Wrong> {
        let next_hop = match *value.of(octets) {
            [0, _, _, len, ref rest @ ..] if rest.len() >= usize::from(len) => value.part(4, len.into()),
            [len, ref rest @ ..] if len > 0 && rest.len() == usize::from(len) => value.part(1, len.into()),
            _ => return Err(Wrong::Length),
        };
        if !matches!(next_hop.len, 4 | 16 | 32) {
            return Err(Wrong::Length);
        }
        self.notes.reach = Some(Reach { family: None, next_hop, prefixes: Span::default() });
        Ok(())
    }

    /// Whether there is nothing that forbids to believe what is announced.
    pub(crate) fn is_usable(&self) -> bool {
        self.notes.worst.is_none_or(|(worst, _)| worst.outcome < Outcome::TreatAsWithdraw)
    }

    /// A mandatory attribute that is missing (RFC 7606 s3.d).
    pub(crate) fn require(&mut self, attribute: u8) {
        if !self.notes.has(attribute) {
            self.fault(attribute, Wrong::Missing, Outcome::TreatAsWithdraw, Span::default());
        }
    }
}

/// The attribute whose flags are at `at`, or its type where it ends past `end`.
#[inline]
fn header(octets: &[u8], at: usize, end: usize) -> Result<Kept, Option<u8>> {
    let rest = octets.get(at..end).unwrap_or_default();
    let (flags, code, header, len) = match *rest {
        [flags, code, high, low, ..] if flags & EXTENDED_LENGTH != 0 => {
            (flags, code, 4, u16::from_be_bytes([high, low]))
        }
        [flags, code, len, ..] if flags & EXTENDED_LENGTH == 0 => (flags, code, 3, u16::from(len)),
        [_, code, ..] => return Err(Some(code)),
        _ => return Err(None),
    };
    if rest.len() - header < usize::from(len) {
        return Err(Some(code));
    }
    Ok(Kept { code, flags, start: clamp(at), value: Span { start: clamp(at + header), len } })
}

/// Positions within a message, which all fit two octets.
fn clamp(position: usize) -> u16 {
    u16::try_from(position).unwrap_or(u16::MAX)
}
