//! The outgoing attributes of a path: its canonical wire form, with what changes between one speaker and the next.
//!
//! A block is written once for an attribute set and a [`Rewrite`], and then copied into every message. What becomes of each
//! attribute is the `egress` column of the attribute table: the table's rows and the path's attributes both ascend, so
//! one pass over the two side by side finds what to carry, what to write anew and what to add, in order. Attributes without a
//! row are carried unread, with the flag that says so (RFC 4271 s5).

use std::net::Ipv4Addr;

use crate::as_path::{AsPath, Asn, SegmentKind};
use crate::attribute_table::{EXTENDED_LENGTH, Egress, OPTIONAL, PARTIAL, ROWS, Row, TRANSITIVE, code, row};
use crate::attributes::{self, Attribute, Attributes, Facts, NextHop, Span};
use crate::community::{Community, ExtendedCommunity, LargeCommunity};
use crate::two_octet::{self, SEGMENT_MAX};

/// LOCAL_PREF of a path that has none, when it is told to an internal peer (RFC 4271 s5.1.5 leaves the value to us).
pub const DEFAULT_LOCAL_PREF: u32 = 100;

/// What changes in a path's attributes on their way out. Equal values give equal octets: it is what peers must share to
/// share an encoding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rewrite {
    /// An AS to put in front of AS_PATH, and how many times.
    pub prepend: Option<(Asn, u8)>,
    /// The next hop: what [`crate::encode::announcements`] is to be called with.
    pub next_hop: NextHop,
    /// MULTI_EXIT_DISC; none is sent where there is none.
    pub med: Option<u32>,
    /// LOCAL_PREF towards internal peers; where there is none, the path's own or [`DEFAULT_LOCAL_PREF`].
    pub local_pref: Option<u32>,
    /// ONLY_TO_CUSTOMER, where the path has none yet (RFC 9234 s5).
    pub only_to_customer: Option<Asn>,
    /// What a route reflector adds to a path that it passes on within our AS.
    pub reflected: Option<Reflected>,
    /// Communities to take from those that are there, before any are added. What has none left is left out.
    pub remove_communities: Vec<Community>,
    /// Extended communities to take from those that are there.
    pub remove_extended_communities: Vec<ExtendedCommunity>,
    /// Large communities to take from those that are there.
    pub remove_large_communities: Vec<LargeCommunity>,
    /// Communities to add to those that are left.
    pub add_communities: Vec<Community>,
    /// Extended communities to add to those that are left.
    pub add_extended_communities: Vec<ExtendedCommunity>,
    /// Large communities to add to those that are left.
    pub add_large_communities: Vec<LargeCommunity>,
    /// Whether the peer's AS numbers have four octets.
    pub four_octet_as: bool,
    /// Whether it is for a peer of our own AS.
    pub internal: bool,
}

/// Where a path has been within our AS (RFC 4456 s8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reflected {
    /// ORIGINATOR_ID, where the path has none yet.
    pub originator_id: Ipv4Addr,
    /// What comes first in CLUSTER_LIST.
    pub cluster_id: Ipv4Addr,
}

impl Rewrite {
    /// Nothing but the next hop and what every external peer with four-octet AS numbers asks for.
    pub fn external(next_hop: NextHop) -> Self {
        Rewrite {
            prepend: None,
            next_hop,
            med: None,
            local_pref: None,
            only_to_customer: None,
            reflected: None,
            remove_communities: Vec::new(),
            remove_extended_communities: Vec::new(),
            remove_large_communities: Vec::new(),
            add_communities: Vec::new(),
            add_extended_communities: Vec::new(),
            add_large_communities: Vec::new(),
            four_octet_as: true,
            internal: false,
        }
    }
}

/// Appends the outgoing attributes in ascending order, without NEXT_HOP and MP_REACH_NLRI: those are the message's.
pub fn attribute_block(attributes: &Attributes<'_>, rewrite: &Rewrite, out: &mut Vec<u8>) {
    write(attributes, rewrite, false, out);
}

/// The attributes with what a rewrite changes in them, in the canonical wire form, and the facts in that: not on their way
/// out, but as if they had come so. Whom they are for plays no part: nothing is left out, added or marked as unread on that
/// account, and LOCAL_PREF stays what it is. `None` where they would be longer than any that can come.
pub fn amended(attributes: &Attributes<'_>, rewrite: &Rewrite) -> Option<(Vec<u8>, Facts)> {
    let kept = Rewrite {
        four_octet_as: true,
        internal: true,
        only_to_customer: None,
        reflected: None,
        ..rewrite.clone()
    };
    let mut wire = Vec::new();
    write(attributes, &kept, true, &mut wire);
    u16::try_from(wire.len()).ok()?;
    let facts = facts_in(&wire, attributes.facts, rewrite.med);
    Some((wire, facts))
}

/// The facts in a canonical wire form, of which a rewrite has left these.
fn facts_in(wire: &[u8], before: &Facts, med: Option<u32>) -> Facts {
    let Facts { origin, local_pref, only_to_customer, originator_id, .. } = *before;
    let mut facts = Facts { origin, med, local_pref, only_to_customer, originator_id, ..Facts::default() };
    let (mut at, clamp) = (0, |octets: usize| u16::try_from(octets).unwrap_or(u16::MAX));
    for attribute in attributes::iter(wire) {
        let start = at + attribute.whole.len() - attribute.value.len();
        if let Some(row) = row(attribute.code) {
            (row.place)(&mut facts, Span { start: clamp(start), len: clamp(attribute.value.len()) });
        }
        at += attribute.whole.len();
    }
    let path = AsPath::parse(facts.as_path.of(wire)).unwrap_or(AsPath::EMPTY);
    facts.path_length = clamp(path.length());
    facts.neighbor_as = path.neighbor();
    facts.origin_as = path.origin();
    facts
}

fn write(attributes: &Attributes<'_>, rewrite: &Rewrite, kept: bool, out: &mut Vec<u8>) {
    out.reserve(attributes.wire.len() + 64);
    let (four_octet_path, four_octet_aggregator) = (Vec::new(), None);
    let mut block = Block { attributes, rewrite, kept, out, four_octet_path, four_octet_aggregator };
    let mut rows = ROWS.iter().peekable();
    for attribute in attributes.iter() {
        while let Some(absent) = rows.next_if(|row| row.code < attribute.code) {
            block.write(absent, None);
        }
        match rows.next_if(|row| row.code == attribute.code) {
            Some(row) => block.write(row, Some(attribute)),
            None => block.carry_unread(attribute),
        }
    }
    rows.for_each(|absent| block.write(absent, None));
}

/// How much of a block belongs in front of an attribute of a type.
pub(crate) fn octets_before(block: &[u8], code: u8) -> usize {
    attributes::iter(block)
        .take_while(|attribute| attribute.code < code)
        .map(|attribute| attribute.whole.len())
        .sum()
}

/// A block being written.
pub(crate) struct Block<'a> {
    attributes: &'a Attributes<'a>,
    rewrite: &'a Rewrite,
    /// Whether it is not to go out.
    kept: bool,
    out: &'a mut Vec<u8>,
    /// What AS4_PATH is to hold, where a two-octet AS_PATH could not.
    four_octet_path: Vec<u8>,
    /// What AS4_AGGREGATOR is to hold, where a two-octet AGGREGATOR could not.
    four_octet_aggregator: Option<[u8; 8]>,
}

impl Block<'_> {
    /// Does with an attribute, or with the lack of it, what its row says.
    fn write(&mut self, row: &Row, present: Option<Attribute<'_>>) {
        match (row.egress, present) {
            (Egress::Write(write), _) => write(self, present),
            (Egress::Carry, Some(attribute)) => self.out.extend_from_slice(attribute.whole),
            _ => {}
        }
    }

    /// An attribute that nobody here knows goes on with its octets, marked as passed on unread.
    fn carry_unread(&mut self, attribute: Attribute<'_>) {
        let at = self.out.len();
        self.out.extend_from_slice(attribute.whole);
        self.out[at] |= if self.kept { 0 } else { PARTIAL };
    }

    /// The flags of an optional transitive attribute that we add. Who is not the path's origin marks it as partial
    /// (RFC 4271 s5).
    fn added_flags(&self) -> u8 {
        let partial = if self.attributes.facts.as_path.len == 0 { 0 } else { PARTIAL };
        OPTIONAL | TRANSITIVE | partial
    }
}

// Writing: what the column `egress` names, in the order of the table.

pub(crate) fn as_path(block: &mut Block<'_>, _: Option<Attribute<'_>>) {
    let path = block.attributes.as_path();
    let Rewrite { prepend, four_octet_as, internal, .. } = *block.rewrite;
    let at = begin(TRANSITIVE, code::AS_PATH, block.out);
    if four_octet_as && (internal || !path.has_confederation()) {
        prepended(path, prepend, block.out);
        return end(at, block.out);
    }
    // What belongs within a confederation stays in the AS (RFC 5065 s4).
    let stripped = without_confederation(path);
    let inner = if internal { path } else { AsPath::parse(&stripped).unwrap_or(AsPath::EMPTY) };
    let mut whole = Vec::with_capacity(inner.octets().len() + 8);
    prepended(inner, prepend, &mut whole);
    let path = AsPath::parse(&whole).unwrap_or(AsPath::EMPTY);
    if four_octet_as {
        block.out.extend_from_slice(&whole);
    } else {
        two_octet::narrow(path, block.out);
        if path.asns().any(|Asn(asn)| asn > u32::from(u16::MAX)) {
            block.four_octet_path = without_confederation(path);
        }
    }
    end(at, block.out);
}

pub(crate) fn med(block: &mut Block<'_>, _: Option<Attribute<'_>>) {
    if let Some(med) = block.rewrite.med {
        number(OPTIONAL, code::MULTI_EXIT_DISC, med, block.out);
    }
}

pub(crate) fn local_pref(block: &mut Block<'_>, present: Option<Attribute<'_>>) {
    if block.kept {
        block.out.extend_from_slice(present.map_or(&[], |attribute| attribute.whole));
    } else if block.rewrite.internal {
        let preference = block.rewrite.local_pref.or(block.attributes.facts.local_pref);
        number(TRANSITIVE, code::LOCAL_PREF, preference.unwrap_or(DEFAULT_LOCAL_PREF), block.out);
    }
}

pub(crate) fn aggregator(block: &mut Block<'_>, present: Option<Attribute<'_>>) {
    let Some(attribute) = present else { return };
    let &[a, b, c, d, ref address @ ..] = attribute.value else { return };
    if block.rewrite.four_octet_as {
        return block.out.extend_from_slice(attribute.whole);
    }
    let asn = Asn(u32::from_be_bytes([a, b, c, d]));
    let at = begin(attribute.flags, code::AGGREGATOR, block.out);
    block.out.extend(two_octet::narrowed(asn));
    block.out.extend_from_slice(address);
    end(at, block.out);
    if asn.0 > u32::from(u16::MAX) {
        block.four_octet_aggregator = attribute.value.try_into().ok();
    }
}

pub(crate) fn communities(block: &mut Block<'_>, present: Option<Attribute<'_>>) {
    let Rewrite { remove_communities: remove, add_communities: add, .. } = block.rewrite;
    let stays = |octets: &[u8; 4]| !remove.contains(&Community(u32::from_be_bytes(*octets)));
    let added = add.iter().map(|Community(community)| community.to_be_bytes());
    items(block, code::COMMUNITIES, present, stays, added);
}

/// A reflector leaves the identifier of who brought the path into our AS as it is (RFC 4456 s8).
pub(crate) fn originator_id(block: &mut Block<'_>, present: Option<Attribute<'_>>) {
    match (present, block.rewrite.reflected) {
        (Some(attribute), _) if block.rewrite.internal => block.out.extend_from_slice(attribute.whole),
        (None, Some(Reflected { originator_id, .. })) => {
            number(OPTIONAL, code::ORIGINATOR_ID, originator_id.to_bits(), block.out);
        }
        _ => {}
    }
}

/// A reflector puts its cluster in front (RFC 4456 s8).
pub(crate) fn cluster_list(block: &mut Block<'_>, present: Option<Attribute<'_>>) {
    match (present, block.rewrite.reflected) {
        (Some(attribute), None) if block.rewrite.internal => block.out.extend_from_slice(attribute.whole),
        (_, None) => {}
        (present, Some(Reflected { cluster_id, .. })) => {
            let at = begin(OPTIONAL, code::CLUSTER_LIST, block.out);
            block.out.extend(cluster_id.octets());
            block.out.extend_from_slice(present.map_or(&[], |attribute| attribute.value));
            end(at, block.out);
        }
    }
}

pub(crate) fn large_communities(block: &mut Block<'_>, present: Option<Attribute<'_>>) {
    let Rewrite { remove_large_communities: remove, add_large_communities: add, .. } = block.rewrite;
    let stays = |octets: &[u8; 12]| !remove.iter().any(|community| community.octets() == *octets);
    let added = add.iter().map(|community| community.octets());
    items(block, code::LARGE_COMMUNITY, present, stays, added);
}

/// Those that must not leave the AS do not (RFC 4360 s6).
pub(crate) fn extended_communities(block: &mut Block<'_>, present: Option<Attribute<'_>>) {
    let Rewrite { remove_extended_communities: remove, internal, .. } = block.rewrite;
    let added = block.rewrite.add_extended_communities.iter().map(|ExtendedCommunity(octets)| *octets);
    let stays = |octets: &[u8; 8]| {
        let community = ExtendedCommunity(*octets);
        (*internal || community.is_transitive()) && !remove.contains(&community)
    };
    items(block, code::EXTENDED_COMMUNITIES, present, stays, added);
}

/// The same of RFC 5701, whose types have the same bit.
pub(crate) fn ipv6_extended_communities(block: &mut Block<'_>, present: Option<Attribute<'_>>) {
    let internal = block.rewrite.internal;
    let stays = |octets: &[u8; 20]| internal || octets[0] & ExtendedCommunity::NON_TRANSITIVE == 0;
    items(block, code::IPV6_EXTENDED_COMMUNITIES, present, stays, std::iter::empty());
}

pub(crate) fn as4_path(block: &mut Block<'_>, _: Option<Attribute<'_>>) {
    if !block.four_octet_path.is_empty() {
        let at = begin(OPTIONAL | TRANSITIVE, code::AS4_PATH, block.out);
        block.out.extend_from_slice(&block.four_octet_path);
        end(at, block.out);
    }
}

pub(crate) fn as4_aggregator(block: &mut Block<'_>, _: Option<Attribute<'_>>) {
    if let Some(aggregator) = block.four_octet_aggregator {
        let at = begin(OPTIONAL | TRANSITIVE, code::AS4_AGGREGATOR, block.out);
        block.out.extend_from_slice(&aggregator);
        end(at, block.out);
    }
}

pub(crate) fn only_to_customer(block: &mut Block<'_>, present: Option<Attribute<'_>>) {
    match (present, block.rewrite.only_to_customer) {
        (Some(attribute), _) => block.out.extend_from_slice(attribute.whole),
        (None, Some(Asn(asn))) => number(block.added_flags(), code::ONLY_TO_CUSTOMER, asn, block.out),
        (None, None) => {}
    }
}

/// A list of items of one size: of those that are there, the ones that stay; then those to add that are not. Nothing where that is none.
fn items<const SIZE: usize>(
    block: &mut Block<'_>,
    code: u8,
    present: Option<Attribute<'_>>,
    stays: impl Fn(&[u8; SIZE]) -> bool,
    added: impl ExactSizeIterator<Item = [u8; SIZE]>,
) {
    let (there, _) = present.map_or(&[][..], |attribute| attribute.value).as_chunks::<SIZE>();
    if added.len() == 0 && there.iter().all(&stays) {
        return block.out.extend_from_slice(present.map_or(&[], |attribute| attribute.whole));
    }
    let flags = present.map_or(block.added_flags(), |attribute| attribute.flags);
    let at = begin(flags, code, block.out);
    there.iter().filter(|item| stays(item)).for_each(|item| block.out.extend_from_slice(item));
    for item in added {
        let (written, _) = block.out[at..].as_chunks::<SIZE>();
        if !written.contains(&item) {
            block.out.extend_from_slice(&item);
        }
    }
    if block.out.len() > at { end(at, block.out) } else { block.out.truncate(at - HEAD) }
}

fn number(flags: u8, code: u8, value: u32, out: &mut Vec<u8>) {
    let [a, b, c, d] = value.to_be_bytes();
    out.extend_from_slice(&[flags, code, 4, a, b, c, d]);
}

/// Octets of an attribute in front of its value, as [`begin`] writes them.
const HEAD: usize = 3;

/// Begins an attribute whose length is known once it is written; what it returns is for [`end`].
fn begin(flags: u8, code: u8, out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&[flags & !EXTENDED_LENGTH, code, 0]);
    out.len()
}

/// Writes the length of the attribute whose value begins at `at`, in two octets where one does not hold it.
fn end(at: usize, out: &mut Vec<u8>) {
    let len = out.len() - at;
    match u8::try_from(len) {
        Ok(len) => out[at - 1] = len,
        Err(_) => {
            // A value past 65,535 octets fits no message, so that nobody ever reads its length.
            let [high, low] = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
            out[at - 3] |= EXTENDED_LENGTH;
            out[at - 1] = high;
            out.insert(at, low);
        }
    }
}

/// Appends a path with an AS in front: in its first segment where that is a sequence with room for it, in a segment of its
/// own otherwise (RFC 4271 s5.1.2).
fn prepended(path: AsPath<'_>, prepend: Option<(Asn, u8)>, out: &mut Vec<u8>) {
    let (Asn(asn), times) = prepend.unwrap_or((Asn(0), 0));
    let mut rest = path.octets();
    if times > 0 {
        let mut count = times;
        if let [kind, first, after @ ..] = rest
            && *kind == SegmentKind::Sequence as u8
            && usize::from(*first) + usize::from(times) <= SEGMENT_MAX
        {
            (count, rest) = (times + first, after);
        }
        out.extend_from_slice(&[SegmentKind::Sequence as u8, count]);
        (0..times).for_each(|_| out.extend_from_slice(&asn.to_be_bytes()));
    }
    out.extend_from_slice(rest);
}

fn without_confederation(path: AsPath<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.octets().len());
    for segment in path.segments() {
        if !segment.kind.is_confederation() {
            two_octet::push(segment.kind, segment.asns(), &mut out);
        }
    }
    out
}
