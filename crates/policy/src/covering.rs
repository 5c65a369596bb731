//! Which stored prefixes cover a route: the one structure behind origin validation, route objects and prefix sets.
//!
//! Built once from entries, never changed, swapped whole. An entry is a prefix, an AS number and a tag of the
//! caller's (a maxLength, a registry). Three steps, and in a cold cache as many misses, answer a lookup:
//!
//! ```text
//!   high bits of the address --> directory --> a few ranges --> the most specific stored prefix over that address
//!                                                                 |
//!   records, sorted by address, then length                       v
//!     10.0.0.0/8 <--parent-- 10.1.0.0/16 <--parent-- 10.1.2.0/24      a prefix: one record for each of its entries
//! ```
//!
//! The prefixes, sorted, are a tree in preorder, and one sweep finds each one's **parent**: the longest stored
//! prefix that covers it. The same sweep cuts the address space into **ranges**, each with the most specific prefix
//! over it. A route's covering prefixes are then the parents of the one over its first address, less those that are
//! longer than the route itself. In table order consecutive routes meet the same few cache lines.
//!
//! It is not a routing table: nothing is inserted or removed, and it finds what covers, never what is covered.

use palisade_bgp::{Address, Net, Prefix};

/// The parent of a prefix that has none, and the record of a range that nothing covers.
const NONE: u32 = u32::MAX;

/// What is stored under a prefix. Ordered by AS number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) asn: u32,
    pub(crate) tag: u16,
}

/// An entry under its prefix, as it is gathered and sorted: by address, length, AS number and tag, in two
/// comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key<A> {
    address: A,
    /// From the high end: the length, the AS number, the tag.
    rest: u64,
}

impl<A: Address> Key<A> {
    pub(crate) fn new(net: Net<A>, Entry { asn, tag }: Entry) -> Self {
        let rest = u64::from(net.len()) << 56 | u64::from(asn) << 16 | u64::from(tag);
        Key { address: net.address(), rest }
    }

    fn net(self) -> Net<A> {
        Net::new(self.address, (self.rest >> 56) as u8)
    }

    fn entry(self) -> Entry {
        Entry { asn: (self.rest >> 16) as u32, tag: self.rest as u16 }
    }
}

/// What is stored under prefixes of one family.
#[derive(Debug)]
pub(crate) struct CoverIndex<A> {
    directory: Directory,
    ranges: Vec<Range<A>>,
    /// Sorted by address, then length, then entry.
    records: Vec<Record>,
    /// The records' addresses, apart because a lookup does not read them.
    addresses: Vec<A>,
}

/// A stretch of the address space, up to the next one's start.
#[derive(Clone, Copy, Debug)]
struct Range<A> {
    start: A,
    /// The first record of the most specific prefix over it, or [`NONE`].
    record: u32,
}

/// One entry under one prefix, with what leads on from it. Sixteen octets, so that a cache line holds four.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    /// The first record of the longest stored prefix that covers this one, or [`NONE`].
    parent: u32,
    /// In a prefix's first record: how many it has.
    count: u32,
    asn: u32,
    tag: u16,
    /// The prefix's length.
    len: u8,
}

impl Record {
    #[inline]
    pub(crate) fn entry(&self) -> Entry {
        Entry { asn: self.asn, tag: self.tag }
    }

    #[inline]
    pub(crate) fn len(&self) -> u8 {
        self.len
    }
}

impl<A: Address> CoverIndex<A> {
    /// The index of these entries, in any order; equal ones count once. At most `u32::MAX - 1` of them, which the
    /// loaders' own limits keep far away.
    pub(crate) fn build(mut keys: Vec<Key<A>>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        let mut sweep = Sweep::new(keys.len());
        for key in keys {
            sweep.visit(key.net(), key.entry());
        }
        let Sweep { ranges, records, addresses, .. } = sweep.finish();
        CoverIndex { directory: Directory::build(&ranges), ranges, records, addresses }
    }

    /// The stored prefixes that cover `net`, the most specific first, each as its records, of which there is at
    /// least one.
    #[inline]
    pub(crate) fn covering(&self, net: Net<A>) -> Covering<'_> {
        let mut at = self.most_specific(net.address());
        while let Some(Record { parent, len, .. }) = self.records.get(at as usize)
            && *len > net.len()
        {
            at = *parent;
        }
        Covering { records: &self.records, at }
    }

    /// Every stored prefix in order, with its records.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Net<A>, &[Record])> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let stored = self.stored(at)?;
            at += stored.1.len();
            Some(stored)
        })
    }

    /// The prefixes whose records differ between two indexes, by `same`, in order; what lies within another one is
    /// left out, so they are disjoint. A prefix that one of them lacks has no records there.
    pub(crate) fn changed(
        &self,
        new: &Self,
        same: impl Fn(Net<A>, &[Record], &[Record]) -> bool,
    ) -> Vec<Net<A>> {
        let (mut old_at, mut new_at) = (0, 0);
        let mut changed: Vec<Net<A>> = Vec::new();
        loop {
            let (old_next, new_next) = (self.stored(old_at), new.stored(new_at));
            let net = match (old_next, new_next) {
                (None, None) => return changed,
                (Some((net, _)), None) | (None, Some((net, _))) => net,
                (Some((old_net, _)), Some((new_net, _))) => old_net.min(new_net),
            };
            let of_net =
                |next: Option<(Net<A>, _)>| next.filter(|(at, _)| *at == net).map(|(_, records)| records);
            let (old_records, new_records): (Option<&[Record]>, Option<&[Record]>) =
                (of_net(old_next), of_net(new_next));
            old_at += old_records.map_or(0, <[Record]>::len);
            new_at += new_records.map_or(0, <[Record]>::len);
            let unchanged = same(net, old_records.unwrap_or_default(), new_records.unwrap_or_default());
            if !unchanged && !changed.last().is_some_and(|last| last.covers(net)) {
                changed.push(net);
            }
        }
    }

    /// How many entries are stored.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Octets held.
    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(self.directory.slots.as_slice())
            + size_of_val(self.ranges.as_slice())
            + size_of_val(self.records.as_slice())
            + size_of_val(self.addresses.as_slice())
    }

    /// The first record of the most specific stored prefix over an address.
    #[inline]
    fn most_specific(&self, address: A) -> u32 {
        let (first, last) = self.directory.bounds(address);
        let ranges = self.ranges.get(first..=last).unwrap_or_default();
        let after = ranges.partition_point(|range| range.start <= address);
        ranges.get(after.wrapping_sub(1)).map_or(NONE, |range| range.record)
    }

    /// The prefix whose first record stands at a place.
    fn stored(&self, at: usize) -> Option<(Net<A>, &[Record])> {
        let records = records_at(&self.records, at);
        let first = records.first()?;
        Some((Net::new(*self.addresses.get(at)?, first.len), records))
    }
}

/// All records of the prefix whose first one stands at a place.
#[inline]
fn records_at(records: &[Record], at: usize) -> &[Record] {
    let from = records.get(at..).unwrap_or_default();
    let count = from.first().map_or(0, |first| first.count as usize);
    from.get(..count).unwrap_or_default()
}

/// The stored prefixes that cover a route, the most specific first.
#[derive(Debug)]
pub(crate) struct Covering<'a> {
    records: &'a [Record],
    at: u32,
}

impl<'a> Iterator for Covering<'a> {
    type Item = &'a [Record];

    #[inline]
    fn next(&mut self) -> Option<&'a [Record]> {
        let records = records_at(self.records, self.at as usize);
        self.at = records.first()?.parent;
        Some(records)
    }
}

/// The walk over the sorted entries that finds parents and ranges.
struct Sweep<A> {
    ranges: Vec<Range<A>>,
    records: Vec<Record>,
    addresses: Vec<A>,
    /// The prefixes that the walk is within, the innermost last, each with its first record.
    open: Vec<(Net<A>, u32)>,
}

impl<A: Address> Sweep<A> {
    fn new(capacity: usize) -> Self {
        Sweep {
            ranges: vec![Range { start: A::ZERO, record: NONE }],
            records: Vec::with_capacity(capacity),
            addresses: Vec::with_capacity(capacity),
            open: Vec::new(),
        }
    }

    /// Meets the next entry: of the innermost prefix, or of a new one, which opens after those that end before it
    /// have been closed.
    fn visit(&mut self, net: Net<A>, Entry { asn, tag }: Entry) {
        while let Some((last, first)) = self.open.last() {
            if *last == net {
                self.records[*first as usize].count += 1;
                break;
            }
            if last.covers(net) {
                break;
            }
            self.close();
        }
        let is_new = self.open.last().is_none_or(|(last, _)| *last != net);
        let record = index(self.records.len());
        self.records.push(Record { parent: self.innermost(), count: 1, asn, tag, len: net.len() });
        self.addresses.push(net.address());
        if is_new {
            self.begin(net.address(), record);
            self.open.push((net, record));
        }
    }

    fn finish(mut self) -> Self {
        while !self.open.is_empty() {
            self.close();
        }
        self.ranges.shrink_to_fit();
        self
    }

    /// Ends the innermost prefix: behind it its parent shows again.
    fn close(&mut self) {
        if let Some((net, _)) = self.open.pop()
            && let Some(start) = after(net.last())
        {
            self.begin(start, self.innermost());
        }
    }

    /// Starts a range; one that would be empty gives way to it.
    fn begin(&mut self, start: A, record: u32) {
        if self.ranges.last().is_some_and(|last| last.start == start) {
            self.ranges.pop();
        }
        if self.ranges.last().is_none_or(|last| last.record != record) {
            self.ranges.push(Range { start, record });
        }
    }

    fn innermost(&self) -> u32 {
        self.open.last().map_or(NONE, |(_, record)| *record)
    }
}

/// The address behind this one, unless it is the last.
fn after<A: Address>(address: A) -> Option<A> {
    let next = match A::prefix(Net::new(address, A::BITS)) {
        Prefix::V4(net) => Prefix::V4(Net::new(net.address().checked_add(1)?, u32::BITS as u8)),
        Prefix::V6(net) => Prefix::V6(Net::new(net.address().checked_add(1)?, u128::BITS as u8)),
    };
    A::of_prefix(next).map(Net::address)
}

fn index(count: usize) -> u32 {
    debug_assert!(count < NONE as usize, "the loaders' limits keep indexes small");
    u32::try_from(count).unwrap_or(NONE)
}

/// Where in the ranges to search, by the high bits of an address. It spans only from the first to the last address
/// that anything is stored under, so that IPv6, whose prefixes lie close together, gets as fine a grain as IPv4.
#[derive(Debug)]
struct Directory {
    /// How many high bits are looked at.
    bits: u8,
    /// The high bits of the first slot.
    base: u32,
    /// For each slot, the last range that starts at or before the slot does; one more closes the last slot.
    slots: Vec<u32>,
}

impl Directory {
    /// Small tables get this many slots all the same.
    const LEAST_SLOTS: usize = 256;
    /// More bits than this would not be addressed by any table that fits in memory.
    const MOST_BITS: u8 = 28;

    fn build<A: Address>(ranges: &[Range<A>]) -> Self {
        let (first, last) = match ranges {
            [_, first, .., last] => (first.start, last.start),
            [_, only] => (only.start, only.start),
            _ => (A::ZERO, A::ZERO),
        };
        let budget = (2 * ranges.len()).max(Self::LEAST_SLOTS);
        let span = |bits: u8| (last.high_bits(bits) - first.high_bits(bits)) as usize + 1;
        let bits = (0..=Self::MOST_BITS).rev().find(|bits| span(*bits) <= budget).unwrap_or(0);
        let base = first.high_bits(bits);
        let mut slots = vec![0];
        for slot in 1..span(bits) {
            let from = slots.last().map_or(0, |at| *at as usize);
            let starts_before = |range: &&Range<A>| ((range.start.high_bits(bits) - base) as usize) < slot;
            let behind = ranges[from + 1..].iter().take_while(starts_before).count();
            slots.push(index(from + behind));
        }
        slots.push(index(ranges.len() - 1));
        Directory { bits, base, slots }
    }

    /// The first and the last range that may hold an address. Addresses before the first slot and behind the last
    /// belong to these.
    #[inline]
    fn bounds<A: Address>(&self, address: A) -> (usize, usize) {
        let slot = address.high_bits(self.bits).saturating_sub(self.base) as usize;
        let slot = slot.min(self.slots.len().saturating_sub(2));
        match self.slots.get(slot..slot + 2) {
            Some([first, last]) => (*first as usize, *last as usize),
            _ => (0, 0),
        }
    }
}
