//! Which stored prefixes cover a route: the one structure behind origin validation, route objects and prefix sets.
//!
//! Built once from (prefix, entry) pairs, never changed, swapped whole. Three arrays answer a lookup:
//!
//! ```text
//!   high bits of the address --> directory --> a few ranges --> the most specific node over that address
//!                                                                 |
//!   nodes, sorted by address then length                          v
//!     10.0.0.0/8 <--parent-- 10.1.0.0/16 <--parent-- 10.1.2.0/24      each node: a slice of entries
//! ```
//!
//! The prefixes, sorted, are a tree in preorder, and one sweep finds each one's **parent**: the longest stored prefix
//! that covers it. The same sweep cuts the address space into **ranges**, each with the most specific prefix over it. A
//! route's covering prefixes are then the parents of the node over its first address, less those that are longer than
//! the route itself. In table order consecutive routes meet the same few cache lines.
//!
//! It is not a routing table: nothing is inserted or removed, and it finds what covers, never what is covered.

use palisade_bgp::{Address, Net, Prefix};

/// The parent of a node that has none, and the node of a range that nothing covers.
const NONE: u32 = u32::MAX;

/// What is stored under prefixes of one family.
#[derive(Debug)]
pub(crate) struct CoverIndex<A, E> {
    directory: Directory,
    ranges: Vec<Range<A>>,
    /// Sorted by address, then length; one more at the end, whose `first` closes the last one's entries.
    nodes: Vec<Node>,
    /// The nodes' addresses, apart because a lookup does not read them.
    addresses: Vec<A>,
    entries: Vec<E>,
}

/// A stretch of the address space, up to the next one's start.
#[derive(Clone, Copy, Debug)]
struct Range<A> {
    start: A,
    /// The most specific node over it, or [`NONE`].
    node: u32,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// The longest stored prefix that covers this one, or [`NONE`].
    parent: u32,
    /// Where its entries begin; they end where the next node's begin.
    first: u32,
    /// The prefix's length.
    len: u8,
}

impl<A: Address, E: Copy + Ord> CoverIndex<A, E> {
    /// The index of these pairs, in any order; equal pairs count once. At most `u32::MAX - 1` of them, which the
    /// loaders' own limits keep far away.
    pub(crate) fn build(mut pairs: Vec<(Net<A>, E)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut sweep = Sweep::new(pairs.len());
        let mut entries = Vec::with_capacity(pairs.len());
        for (net, entry) in pairs {
            sweep.visit(net, entries.len());
            entries.push(entry);
        }
        let Sweep { ranges, mut nodes, mut addresses, .. } = sweep.finish();
        nodes.push(Node { parent: NONE, first: index(entries.len()), len: 0 });
        nodes.shrink_to_fit();
        addresses.shrink_to_fit();
        CoverIndex { directory: Directory::build(&ranges), ranges, nodes, addresses, entries }
    }

    /// The stored prefixes that cover `net`, the most specific first, each with its entries.
    #[inline]
    pub(crate) fn covering(&self, net: Net<A>) -> Covering<'_, A, E> {
        let mut node = self.most_specific(net.address());
        while let Some(Node { parent, len, .. }) = self.node(node)
            && len > net.len()
        {
            node = parent;
        }
        Covering { index: self, node }
    }

    /// Every stored prefix in order, with its entries.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (Net<A>, &[E])> {
        (0..self.addresses.len()).map(|at| self.stored(at))
    }

    /// The prefixes whose entries differ between two indexes, by `same`, in order; what lies within another one is left
    /// out, so they are disjoint.
    pub(crate) fn changed(&self, new: &Self, same: impl Fn(&[E], &[E]) -> bool) -> Vec<Net<A>> {
        let (mut old_at, mut new_at) = (0, 0);
        let mut changed: Vec<Net<A>> = Vec::new();
        loop {
            let old_next = (old_at < self.addresses.len()).then(|| self.stored(old_at));
            let new_next = (new_at < new.addresses.len()).then(|| new.stored(new_at));
            let net = match (old_next, new_next) {
                (None, None) => return changed,
                (Some((net, _)), None) | (None, Some((net, _))) => net,
                (Some((old_net, _)), Some((new_net, _))) => old_net.min(new_net),
            };
            let old_entries = old_next.filter(|(old_net, _)| *old_net == net).map(|(_, entries)| entries);
            let new_entries = new_next.filter(|(new_net, _)| *new_net == net).map(|(_, entries)| entries);
            old_at += usize::from(old_entries.is_some());
            new_at += usize::from(new_entries.is_some());
            let unchanged = matches!((old_entries, new_entries), (Some(old), Some(new)) if same(old, new));
            let within_last = changed.last().is_some_and(|last| last.covers(net));
            if !unchanged && !within_last {
                changed.push(net);
            }
        }
    }

    /// How many entries are stored.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Octets held.
    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(self.directory.slots.as_slice())
            + size_of_val(self.ranges.as_slice())
            + size_of_val(self.nodes.as_slice())
            + size_of_val(self.addresses.as_slice())
            + size_of_val(self.entries.as_slice())
    }

    #[inline]
    fn most_specific(&self, address: A) -> u32 {
        let (first, last) = self.directory.bounds(address);
        let ranges = self.ranges.get(first..=last).unwrap_or_default();
        let after = ranges.partition_point(|range| range.start <= address);
        ranges.get(after.wrapping_sub(1)).map_or(NONE, |range| range.node)
    }

    #[inline]
    fn node(&self, at: u32) -> Option<Node> {
        if at == NONE { None } else { self.nodes.get(at as usize).copied() }
    }

    #[inline]
    fn entries_of(&self, at: usize) -> &[E] {
        match self.nodes.get(at..at + 2) {
            Some([node, next]) => {
                self.entries.get(node.first as usize..next.first as usize).unwrap_or_default()
            }
            _ => &[],
        }
    }

    fn stored(&self, at: usize) -> (Net<A>, &[E]) {
        (Net::new(self.addresses[at], self.nodes[at].len), self.entries_of(at))
    }
}

/// The stored prefixes that cover a route, the most specific first.
#[derive(Debug)]
pub(crate) struct Covering<'a, A, E> {
    index: &'a CoverIndex<A, E>,
    node: u32,
}

impl<'a, A: Address, E: Copy + Ord> Iterator for Covering<'a, A, E> {
    /// Its length, which with the route's address spells the prefix, and its entries.
    type Item = (u8, &'a [E]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let node = self.index.node(self.node)?;
        let entries = self.index.entries_of(self.node as usize);
        self.node = node.parent;
        Some((node.len, entries))
    }
}

/// The walk over the sorted prefixes that finds parents and ranges.
struct Sweep<A> {
    ranges: Vec<Range<A>>,
    nodes: Vec<Node>,
    addresses: Vec<A>,
    /// The prefixes that the walk is within, the innermost last.
    open: Vec<(Net<A>, u32)>,
}

impl<A: Address> Sweep<A> {
    fn new(capacity: usize) -> Self {
        Sweep {
            ranges: vec![Range { start: A::ZERO, node: NONE }],
            nodes: Vec::with_capacity(capacity + 1),
            addresses: Vec::with_capacity(capacity),
            open: Vec::new(),
        }
    }

    /// Meets the next pair: a new prefix opens, after those that end before it have been closed.
    fn visit(&mut self, net: Net<A>, first: usize) {
        if self.open.last().is_some_and(|(last, _)| *last == net) {
            return;
        }
        while let Some((last, _)) = self.open.last()
            && !last.covers(net)
        {
            self.close();
        }
        let node = index(self.nodes.len());
        self.nodes.push(Node { parent: self.innermost(), first: index(first), len: net.len() });
        self.addresses.push(net.address());
        self.begin(net.address(), node);
        self.open.push((net, node));
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
    fn begin(&mut self, start: A, node: u32) {
        if self.ranges.last().is_some_and(|last| last.start == start) {
            self.ranges.pop();
        }
        if self.ranges.last().is_none_or(|last| last.node != node) {
            self.ranges.push(Range { start, node });
        }
    }

    fn innermost(&self) -> u32 {
        self.open.last().map_or(NONE, |(_, node)| *node)
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
