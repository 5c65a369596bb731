//! UPDATE, decoded (RFC 4271 s4.3, s6.3; RFC 4760; RFC 7606).
//!
//! A [`Decoder`] takes a message's body apart and checks all of it at once; an [`Update`] is then a view over the message and the
//! decoder's buffers that has nothing left to fail at. What RFC 7606 calls treat-as-withdraw is done here: the prefixes that
//! such a message announces come out of [`Update::withdrawn`], and [`Update::announced`] has none, so that no caller can forget.
//!
//! A decoder is good for one session, or for one pass over a dump. What it costs is a walk over the octets and a copy of the
//! attributes into their canonical form; nothing is allocated once its buffers have grown.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::attribute_codes::AttributeCodes;
use crate::attribute_table::code;
use crate::attributes::{Attributes, NextHop, Span};
use crate::fault::{Fault, Outcome, Wrong};
use crate::nlri::{self, Nlri};
use crate::notification::{Notification, Violation};
use crate::prefix::{Address, Family};
use crate::reading::{Reading, Source};

/// What decoding an UPDATE depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// Whether AS numbers have four octets (RFC 6793).
    pub four_octet_as: bool,
    /// Whether the peer is of our own AS.
    pub internal: bool,
    /// Whether prefixes carry path identifiers (RFC 7911), by [`Family::index`].
    pub add_path: [bool; 2],
    /// Whether the family was negotiated, by [`Family::index`]; others are passed over.
    pub families: [bool; 2],
    /// Whether IPv4 routes may have IPv6 next hops (RFC 8950).
    pub extended_next_hop: bool,
    /// Attributes that are taken for absent, unread, whatever is wrong with them.
    pub stripped: AttributeCodes,
}

impl Default for Context {
    /// An external peer with AS numbers of four octets, both families, and no path identifiers.
    fn default() -> Self {
        Context {
            four_octet_as: true,
            internal: false,
            add_path: [false; 2],
            families: [true; 2],
            extended_next_hop: false,
            stripped: AttributeCodes::default(),
        }
    }
}

/// The form of the attributes in an MRT RIB entry (RFC 6396).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RibEntryForm {
    /// TABLE_DUMP: two-octet AS numbers (s4.2).
    TableDump,
    /// TABLE_DUMP_V2: four-octet AS numbers, MP_REACH_NLRI cut to its next hop (s4.3.4).
    TableDumpV2,
}

/// What an MRT RIB entry holds.
#[derive(Clone, Copy, Debug)]
pub struct RibEntry<'a> {
    /// The attributes; `None` where a fault makes them unusable.
    pub attributes: Option<Attributes<'a>>,
    /// What was wrong, at most [`crate::MAX_FAULTS`].
    pub faults: &'a [Fault],
}

/// Where everything is in a message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Layout {
    /// Withdrawn prefixes by family: the classic field, MP_UNREACH_NLRI.
    withdrawn: [[Span; 2]; 2],
    /// Announced prefixes by family: the classic field, MP_REACH_NLRI.
    announced: [[Span; 2]; 2],
    /// The next hop by family.
    next_hops: [Span; 2],
    add_path: [bool; 2],
    treat_as_withdraw: bool,
    end_of_rib: Option<Family>,
}

/// Decodes UPDATEs, one after the other, into buffers that it keeps.
#[derive(Debug, Default)]
pub struct Decoder {
    reading: Reading,
}

impl Decoder {
    /// A decoder with empty buffers.
    pub fn new() -> Self {
        Decoder::default()
    }

    /// Decodes the body of an UPDATE: what follows the header. An error is a session reset; anything milder is among
    /// [`Update::faults`].
    pub fn update<'a>(&'a mut self, body: &'a [u8], context: &Context) -> Result<Update<'a>, Notification> {
        let layout = self.check(body, context)?;
        Ok(self.view(body, layout))
    }

    /// Attributes as an MRT RIB entry holds them. Those for within an AS are left out, as if an external peer had sent the rest.
    pub fn rib_entry<'a>(&'a mut self, raw: &'a [u8], form: RibEntryForm) -> RibEntry<'a> {
        let context = Context { four_octet_as: form == RibEntryForm::TableDumpV2, ..Context::default() };
        let reading = &mut self.reading;
        let next_hop = match u16::try_from(raw.len()) {
            Ok(len) => {
                reading.walk(raw, Span { start: 0, len }, &context, Source::Table);
                complete_entry(reading, raw)
            }
            Err(_) => {
                reading.walk(&[], Span::default(), &context, Source::Table);
                reading.fault(0, Wrong::TooLong, Outcome::TreatAsWithdraw, Span::default());
                None
            }
        };
        let attributes = next_hop.filter(|_| reading.is_usable());
        let (wire, facts) = (&reading.wire[..], &reading.facts);
        let attributes = attributes.map(|next_hop| Attributes { wire, facts, next_hop });
        RibEntry { attributes, faults: &reading.faults }
    }

    /// The first half of [`Decoder::update`], for callers who can't lend the body for as long as the result lives.
    pub(crate) fn check(&mut self, body: &[u8], context: &Context) -> Result<Layout, Notification> {
        let fields = Fields::split(body)?;
        let reading = &mut self.reading;
        // RFC 4271 s6.3 begins with the attributes: of two faults that end the session it is theirs that is told.
        reading.walk(body, fields.attributes, context, Source::Message);
        if !fields.are_sound(body, context) {
            return Err(match reading.notes.worst() {
                Some((worst, quoted)) if worst.outcome == Outcome::SessionReset => {
                    notification(worst, quoted.of(body))
                }
                _ => Violation::NetworkField.into(),
            });
        }
        let mut layout = fields.layout(reading);
        if fields.announces(reading) {
            require_mandatory(reading, &fields);
            reading.complete(body);
            check_next_hops(reading, body, &layout);
        }
        if let Some((worst, quoted)) = reading.notes.worst() {
            if resets(worst, fields.announces(reading)) {
                return Err(notification(worst, quoted.of(body)));
            }
            layout.treat_as_withdraw = worst.outcome == Outcome::TreatAsWithdraw;
        }
        Ok(layout)
    }

    /// The second half: the update that a layout was found in.
    pub(crate) fn view<'a>(&'a self, body: &'a [u8], layout: Layout) -> Update<'a> {
        Update { reading: &self.reading, body, layout }
    }
}

/// An UPDATE, read in place.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    reading: &'a Reading,
    body: &'a [u8],
    layout: Layout,
}

impl<'a> Update<'a> {
    /// The paths that are withdrawn, those of treat-as-withdraw among them. They are to be applied before what is announced: a
    /// prefix that is both is announced (RFC 4271 s4.3).
    pub fn withdrawn<A: Address>(&self) -> Nlri<'a, A> {
        let family = A::FAMILY.index();
        let [classic, multiprotocol] = self.layout.withdrawn[family];
        let announced = self.layout.announced[family];
        let [third, fourth] = if self.layout.treat_as_withdraw { announced } else { Default::default() };
        let fields = [classic, multiprotocol, third, fourth].map(|field| field.of(self.body));
        Nlri::new(fields, self.layout.add_path[family])
    }

    /// The paths that are announced, and their attributes. `None` where there are none, or none to believe.
    pub fn announced<A: Address>(&self) -> Option<(Attributes<'a>, Nlri<'a, A>)> {
        let family = A::FAMILY.index();
        let [classic, multiprotocol] = self.layout.announced[family];
        if self.layout.treat_as_withdraw || classic.len == 0 && multiprotocol.len == 0 {
            return None;
        }
        let next_hop = next_hop(self.layout.next_hops[family].of(self.body))?;
        let attributes = Attributes { wire: &self.reading.wire, facts: &self.reading.facts, next_hop };
        let fields = [classic.of(self.body), multiprotocol.of(self.body), &[], &[]];
        Some((attributes, Nlri::new(fields, self.layout.add_path[family])))
    }

    /// The last of [`Update::withdrawn`]: those that the message announces, with attributes that make them withdrawals
    /// (RFC 7606 s2). For who counts, not for who routes.
    pub fn treated_as_withdrawn<A: Address>(&self) -> Nlri<'a, A> {
        let family = A::FAMILY.index();
        let [classic, multiprotocol] = if self.layout.treat_as_withdraw {
            self.layout.announced[family].map(|field| field.of(self.body))
        } else {
            Default::default()
        };
        Nlri::new([classic, multiprotocol, &[], &[]], self.layout.add_path[family])
    }

    /// The family whose table is complete with this message (RFC 4724 s2).
    pub fn end_of_rib(&self) -> Option<Family> {
        self.layout.end_of_rib
    }

    /// What was wrong with the attributes, at most [`crate::MAX_FAULTS`].
    pub fn faults(&self) -> &'a [Fault] {
        &self.reading.faults
    }
}

/// The three fields of an UPDATE.
#[derive(Clone, Copy)]
struct Fields {
    withdrawn: Span,
    attributes: Span,
    nlri: Span,
}

impl Fields {
    /// The first two say how long they are, the third is what is left (RFC 4271 s4.3, s6.3).
    fn split(body: &[u8]) -> Result<Self, Violation<'static>> {
        let whole = Span { start: 0, len: u16::try_from(body.len()).map_err(|_| Violation::AttributeList)? };
        let (withdrawn, rest) = counted(body, whole)?;
        let (attributes, nlri) = counted(body, rest)?;
        Ok(Fields { withdrawn, attributes, nlri })
    }

    /// Whether the two classic fields of prefixes are lists of prefixes (RFC 7606 s3.i, s5.3).
    fn are_sound(&self, body: &[u8], context: &Context) -> bool {
        let add_path = context.add_path[Family::Ipv4.index()];
        let sound = |field: Span| nlri::is_sound(field.of(body), Family::Ipv4, add_path);
        sound(self.withdrawn) && sound(self.nlri)
    }

    /// Whether the message announces anything, of whatever family.
    fn announces(&self, reading: &Reading) -> bool {
        self.nlri.len > 0 || reading.notes.reach.is_some_and(|reach| reach.prefixes.len > 0)
    }

    /// Where the prefixes of the negotiated families are.
    fn layout(&self, reading: &Reading) -> Layout {
        let notes = &reading.notes;
        let context = &reading.context;
        let mut layout = Layout { add_path: context.add_path, ..Layout::default() };
        if context.families[Family::Ipv4.index()] {
            layout.withdrawn[0][0] = self.withdrawn;
            layout.announced[0][0] = self.nlri;
            layout.next_hops[0] = notes.next_hop.unwrap_or_default();
        }
        let negotiated = |family: &Family| context.families[family.index()];
        if let Some((family, unreach)) = notes.unreach.and_then(|u| Some((u.family.filter(negotiated)?, u))) {
            layout.withdrawn[family.index()][1] = unreach.prefixes;
        }
        if let Some((family, reach)) = notes.reach.and_then(|r| Some((r.family.filter(negotiated)?, r))) {
            layout.announced[family.index()][1] = reach.prefixes;
            if reach.prefixes.len > 0 {
                layout.next_hops[family.index()] = reach.next_hop;
            }
        }
        layout.end_of_rib = self.end_of_rib(reading).filter(negotiated);
        layout
    }

    /// An UPDATE of nothing at all, or of an MP_UNREACH_NLRI alone that lists nothing (RFC 4724 s2).
    fn end_of_rib(&self, reading: &Reading) -> Option<Family> {
        if self.withdrawn.len > 0 || self.nlri.len > 0 {
            return None;
        }
        if self.attributes.len == 0 {
            return Some(Family::Ipv4);
        }
        let unreach = reading.notes.unreach.filter(|unreach| unreach.prefixes.len == 0)?;
        unreach.family.filter(|_| reading.notes.count() == 1 && reading.faults.is_empty())
    }
}

/// A part of `body` behind its length, and what follows.
fn counted(body: &[u8], part: Span) -> Result<(Span, Span), Violation<'static>> {
    let &[high, low, ref rest @ ..] = part.of(body) else { return Err(Violation::AttributeList) };
    let len = u16::from_be_bytes([high, low]);
    if rest.len() < usize::from(len) {
        return Err(Violation::AttributeList);
    }
    let rest = part.after(2);
    Ok((rest.part(0, len), rest.after(len)))
}

/// The attributes that an announcement must have (RFC 7606 s3.d; NEXT_HOP only for the classic field, RFC 4760 s3).
fn require_mandatory(reading: &mut Reading, fields: &Fields) {
    reading.require(code::ORIGIN);
    reading.require(code::AS_PATH);
    if fields.nlri.len > 0 {
        reading.require(code::NEXT_HOP);
    }
}

/// IPv4 in the classic field and in MP_REACH_NLRI at once is odd, but clear as long as both have one next hop.
fn check_next_hops(reading: &mut Reading, body: &[u8], layout: &Layout) {
    let [classic, multiprotocol] = layout.announced[Family::Ipv4.index()];
    let (Some(one), Some(other)) = (reading.notes.next_hop, reading.notes.reach) else { return };
    if classic.len > 0 && multiprotocol.len > 0 && one.of(body) != other.next_hop.of(body) {
        reading.fault(code::MP_REACH_NLRI, Wrong::NextHops, Outcome::TreatAsWithdraw, Span::default());
    }
}

/// Whether the strongest fault ends the session: by itself, or because the message has attributes and announces nothing that we
/// could find, so that nobody can be sure its prefixes were seen (RFC 7606 s5.2).
fn resets(worst: Fault, announces: bool) -> bool {
    match worst.outcome {
        Outcome::SessionReset => true,
        Outcome::TreatAsWithdraw => !announces,
        Outcome::AttributeDiscard => false,
    }
}

/// The NOTIFICATION for a fault that ends the session; `attribute` is the attribute it was found in.
fn notification(fault: Fault, attribute: &[u8]) -> Notification {
    let lists_prefixes = matches!(fault.attribute, code::MP_REACH_NLRI | code::MP_UNREACH_NLRI);
    let violation = match fault.wrong {
        Wrong::Duplicate => Violation::AttributeList, // RFC 7606 s3.g
        _ if lists_prefixes => Violation::OptionalAttribute(attribute), // RFC 4760 s7
        Wrong::Overrun | Wrong::TooLong => Violation::AttributeList,
        Wrong::Unrecognized => Violation::UnrecognizedWellKnown(attribute),
        Wrong::Missing => Violation::MissingWellKnown(fault.attribute),
        Wrong::Confederation => Violation::AsPath,
        Wrong::Flags => Violation::AttributeFlags(attribute),
        Wrong::Length => Violation::AttributeLength(attribute),
        _ if fault.attribute == code::ORIGIN => Violation::Origin(attribute),
        _ if fault.attribute == code::AS_PATH => Violation::AsPath,
        _ => Violation::OptionalAttribute(attribute),
    };
    violation.into()
}

/// What a table entry must have; its next hop, from MP_REACH_NLRI rather than from NEXT_HOP where both are there.
fn complete_entry(reading: &mut Reading, raw: &[u8]) -> Option<NextHop> {
    reading.require(code::ORIGIN);
    reading.require(code::AS_PATH);
    if !reading.notes.has(code::MP_REACH_NLRI) {
        reading.require(code::NEXT_HOP);
    }
    reading.complete(raw);
    let hop = reading.notes.reach.map(|reach| reach.next_hop).or(reading.notes.next_hop)?;
    next_hop(hop.of(raw))
}

/// The address that octets of one of the lengths of a next hop spell.
fn next_hop(octets: &[u8]) -> Option<NextHop> {
    if let Ok(four) = <[u8; 4]>::try_from(octets) {
        return Some(NextHop::V4(Ipv4Addr::from(four)));
    }
    let (global, rest) = octets.split_first_chunk::<16>()?;
    let global = Ipv6Addr::from(*global);
    let link_local = rest.try_into().ok().map(|sixteen: [u8; 16]| Ipv6Addr::from(sixteen));
    match link_local {
        // RFC 2545 s3 has no word for a link without global addresses: some leave the first empty, or say the other twice.
        Some(only) if only.is_unicast_link_local() && (global.is_unspecified() || global == only) => {
            Some(NextHop::V6 { global: only, link_local: None })
        }
        _ => Some(NextHop::V6 { global, link_local }),
    }
}

#[cfg(test)]
mod tests;
