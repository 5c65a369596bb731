//! Route objects: a whole table that never changes, and what an amended one has otherwise.
//!
//! Like [`crate::RovIndex`]: small tables of what was added and what was removed stand beside the whole one, which
//! all that were amended from it share.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_bgp::{Address, Asn, Net, Prefix};

use crate::covering::{CoverIndex, Entry, Key, Record};

/// How many route objects an amended table differs by from the whole one it shares before it gets a new one.
pub const MOST_AMENDMENTS: usize = 2048;

/// A route object, with its registry as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route {
    pub(crate) prefix: Prefix,
    pub(crate) entry: Entry,
}

impl Route {
    pub(crate) fn new(prefix: Prefix, origin: Asn, source: u16) -> Self {
        Route { prefix, entry: Entry { asn: origin.0, tag: source } }
    }
}

/// Route objects on their way into a table.
#[derive(Debug, Default)]
pub(crate) struct RouteKeys {
    v4: Vec<Key<u32>>,
    v6: Vec<Key<u128>>,
}

impl RouteKeys {
    pub(crate) fn push(&mut self, route: Route) {
        match route.prefix {
            Prefix::V4(net) => self.v4.push(Key::new(net, route.entry)),
            Prefix::V6(net) => self.v6.push(Key::new(net, route.entry)),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    pub(crate) fn build(self) -> RouteTable {
        RouteTable { v4: CoverIndex::build(self.v4), v6: CoverIndex::build(self.v6) }
    }
}

/// Route objects that never change.
#[derive(Debug)]
pub(crate) struct RouteTable {
    pub(crate) v4: CoverIndex<u32>,
    pub(crate) v6: CoverIndex<u128>,
}

impl RouteTable {
    fn build(routes: impl IntoIterator<Item = Route>) -> Self {
        let mut keys = RouteKeys::default();
        routes.into_iter().for_each(|route| keys.push(route));
        keys.build()
    }

    // Inlined for the same reason as in `vrp_table`: the misses of one lookup are to overlap with the next one's.
    #[inline(always)]
    fn registered<A: Address>(&self, net: Net<A>, origin: u32, longest: u8) -> bool {
        match A::prefix(net) {
            Prefix::V4(net) => registered(&self.v4, net, origin, longest),
            Prefix::V6(net) => registered(&self.v6, net, origin, longest),
        }
    }

    /// Those that cover a prefix, the most specific first.
    fn covering(&self, prefix: Prefix) -> impl Iterator<Item = Route> {
        let (v4, v6) = match prefix {
            Prefix::V4(net) => (Some(covering(&self.v4, net)), None),
            Prefix::V6(net) => (None, Some(covering(&self.v6, net))),
        };
        v4.into_iter().flatten().chain(v6.into_iter().flatten())
    }

    /// The records of the very prefix that name an AS.
    fn of(&self, prefix: Prefix, origin: u32) -> &[Record] {
        match prefix {
            Prefix::V4(net) => of(&self.v4, net, origin),
            Prefix::V6(net) => of(&self.v6, net, origin),
        }
    }

    fn contains(&self, route: Route) -> bool {
        self.of(route.prefix, route.entry.asn).iter().any(|record| record.entry() == route.entry)
    }

    /// All of them, IPv4 first, in order.
    fn iter(&self) -> impl Iterator<Item = Route> {
        fn routes<A: Address>(index: &CoverIndex<A>) -> impl Iterator<Item = Route> {
            let route = |net, record: &Record| Route { prefix: A::prefix(net), entry: record.entry() };
            index.iter().flat_map(move |(net, records)| records.iter().map(move |record| route(net, record)))
        }
        routes(&self.v4).chain(routes(&self.v6))
    }

    fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    fn memory_bytes(&self) -> usize {
        self.v4.memory_bytes() + self.v6.memory_bytes()
    }
}

/// Route objects that can be amended.
#[derive(Clone, Debug)]
pub(crate) struct Routes {
    whole: Arc<RouteTable>,
    amendments: Option<Arc<Amendments>>,
}

#[derive(Debug)]
struct Amendments {
    /// In force, and not in the whole table.
    added: RouteTable,
    /// In the whole table, and no longer in force.
    removed: RouteTable,
}

impl Routes {
    pub(crate) fn new(whole: RouteTable) -> Self {
        Routes { whole: Arc::new(whole), amendments: None }
    }

    /// These with changes made one after the other: each adds a route or removes it.
    pub(crate) fn amended(&self, changes: &[(bool, Route)]) -> Routes {
        if changes.is_empty() {
            return self.clone();
        }
        let (mut added, mut removed) = (BTreeSet::new(), BTreeSet::new());
        if let Some(amendments) = &self.amendments {
            added.extend(amendments.added.iter());
            removed.extend(amendments.removed.iter());
        }
        for (add, route) in changes {
            let (undone, done) = if *add { (&mut removed, &mut added) } else { (&mut added, &mut removed) };
            if !undone.remove(route) && self.whole.contains(*route) != *add {
                done.insert(*route);
            }
        }
        if added.len() + removed.len() > MOST_AMENDMENTS {
            let kept = self.whole.iter().filter(|route| !removed.contains(route));
            return Routes::new(RouteTable::build(kept.chain(added.iter().copied())));
        }
        let amendments = Amendments { added: RouteTable::build(added), removed: RouteTable::build(removed) };
        let amended = amendments.added.len() + amendments.removed.len() > 0;
        Routes { whole: self.whole.clone(), amendments: amended.then(|| Arc::new(amendments)) }
    }

    /// Whether one registers `net` for `origin`: one for the prefix itself, or, where `net` is no longer than
    /// `longest`, one that covers it.
    #[inline(always)]
    pub(crate) fn registered<A: Address>(&self, net: Net<A>, origin: u32, longest: u8) -> bool {
        match &self.amendments {
            None => self.whole.registered(net, origin, longest),
            Some(amendments) => self.registered_amended(amendments, net, origin, longest),
        }
    }

    #[inline(never)]
    fn registered_amended<A: Address>(
        &self,
        amendments: &Amendments,
        net: Net<A>,
        origin: u32,
        longest: u8,
    ) -> bool {
        if amendments.added.registered(net, origin, longest) {
            return true;
        }
        // Only where one that was removed says so must others be asked.
        if !amendments.removed.registered(net, origin, longest) {
            return self.whole.registered(net, origin, longest);
        }
        let prefix = A::prefix(net);
        let lengths = (0..=net.len()).filter(|len| net.len() <= longest || *len == net.len());
        lengths.map(|len| truncated(prefix, len)).any(|prefix| self.names(prefix, origin))
    }

    /// Whether one for the very prefix names an AS.
    pub(crate) fn names(&self, prefix: Prefix, origin: u32) -> bool {
        let Some(amendments) = &self.amendments else {
            return !self.whole.of(prefix, origin).is_empty();
        };
        let removed = |record: &Record| amendments.removed.contains(Route { prefix, entry: record.entry() });
        !amendments.added.of(prefix, origin).is_empty()
            || self.whole.of(prefix, origin).iter().any(|record| !removed(record))
    }

    /// Those that cover a prefix, the most specific first.
    pub(crate) fn covering(&self, prefix: Prefix) -> impl Iterator<Item = Route> {
        let added: Vec<Route> =
            self.added().map(|table| table.covering(prefix).collect()).unwrap_or_default();
        let kept = self.whole.covering(prefix).filter(|route| !self.is_removed(*route));
        merged(kept, added.into_iter(), |route| (Reverse(route.prefix.len()), route.entry))
    }

    /// All of them, IPv4 first, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Route> {
        let kept = self.whole.iter().filter(|route| !self.is_removed(*route));
        merged(kept, self.added().into_iter().flat_map(RouteTable::iter), |route| *route)
    }

    pub(crate) fn contains(&self, route: Route) -> bool {
        self.added().is_some_and(|added| added.contains(route))
            || self.whole.contains(route) && !self.is_removed(route)
    }

    pub(crate) fn len(&self) -> usize {
        match &self.amendments {
            None => self.whole.len(),
            Some(amendments) => self.whole.len() + amendments.added.len() - amendments.removed.len(),
        }
    }

    pub(crate) fn whole(&self) -> &Arc<RouteTable> {
        &self.whole
    }

    /// What was added to the whole table and removed from it.
    pub(crate) fn amendments(&self) -> impl Iterator<Item = Route> {
        self.amendments.iter().flat_map(|amendments| amendments.added.iter().chain(amendments.removed.iter()))
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let amendments = self.amendments.as_ref();
        let of_amendments = amendments.map(|both| both.added.memory_bytes() + both.removed.memory_bytes());
        self.whole.memory_bytes() + of_amendments.unwrap_or(0)
    }

    fn added(&self) -> Option<&RouteTable> {
        self.amendments.as_ref().map(|amendments| &amendments.added)
    }

    fn is_removed(&self, route: Route) -> bool {
        self.amendments.as_ref().is_some_and(|amendments| amendments.removed.contains(route))
    }
}

/// Two sequences that are in order by a key, as one that is.
pub(crate) fn merged<T, K: Ord>(
    one: impl Iterator<Item = T>,
    other: impl Iterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> impl Iterator<Item = T> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    std::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some(first), Some(second)) if key(second) < key(first) => other.next(),
        (None, Some(_)) => other.next(),
        _ => one.next(),
    })
}

fn truncated(prefix: Prefix, len: u8) -> Prefix {
    match prefix {
        Prefix::V4(net) => Prefix::V4(net.truncate(len)),
        Prefix::V6(net) => Prefix::V6(net.truncate(len)),
    }
}

#[inline(always)]
fn registered<A: Address>(index: &CoverIndex<A>, net: Net<A>, origin: u32, longest: u8) -> bool {
    index.covering(net).any(|records| {
        let reaches = net.len() <= longest || records[0].len() == net.len();
        reaches && has_origin(records, origin)
    })
}

/// Whether one prefix's route objects name an AS. Sorted by it, so that one with a great many costs no walk.
#[inline]
fn has_origin(records: &[Record], origin: u32) -> bool {
    records.binary_search_by_key(&origin, |record| record.entry().asn).is_ok()
}

fn covering<A: Address>(index: &CoverIndex<A>, net: Net<A>) -> impl Iterator<Item = Route> + use<'_, A> {
    let route =
        move |record: &Record| Route { prefix: A::prefix(net.truncate(record.len())), entry: record.entry() };
    index.covering(net).flatten().map(route)
}

fn of<A: Address>(index: &CoverIndex<A>, net: Net<A>, origin: u32) -> &[Record] {
    let records = index.covering(net).next().unwrap_or_default();
    if records.first().is_none_or(|first| first.len() != net.len()) {
        return &[];
    }
    let from = records.partition_point(|record| record.entry().asn < origin);
    let behind = records.partition_point(|record| record.entry().asn <= origin);
    records.get(from..behind).unwrap_or_default()
}
