//! What differs between two indexes: the ranges of prefixes, and the sets.
//!
//! Between an index and one amended from it only what was amended is looked at.

use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_bgp::{Address, Net, Prefix};

use super::route_table::{Route, Routes};
use super::set_table::{NamedSet, SetTable, Sets, Subject};
use super::{IrrIndex, Table};
use crate::as_set::AsSet;
use crate::covering::{CoverIndex, Record};
use crate::route_set::RouteSet;
use crate::set_name;

/// Names of sets whose contents differ between two indexes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedSets {
    names: BTreeSet<Arc<str>>,
    /// Of the names, in order.
    hashes: Vec<u32>,
}

impl ChangedSets {
    /// The names, in capitals, without a registry, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &Arc<str>> {
        self.names.iter()
    }

    /// Whether none differs.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether a set of this name, in capitals, differs.
    pub fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    pub(crate) fn hashes(&self) -> &[u32] {
        &self.hashes
    }
}

impl FromIterator<Arc<str>> for ChangedSets {
    fn from_iter<I: IntoIterator<Item = Arc<str>>>(names: I) -> Self {
        let names: BTreeSet<Arc<str>> = names.into_iter().collect();
        let mut hashes: Vec<u32> = names.iter().map(|name| set_name::hash(name)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        ChangedSets { names, hashes }
    }
}

impl IrrIndex {
    /// The prefixes under which routes may be judged differently by `new`: those that other origins are registered
    /// for. Disjoint, in order. Between an index and one amended from it the work is that of the amendments; else
    /// both are walked through.
    pub fn changed_ranges(&self, new: &IrrIndex) -> Vec<Prefix> {
        let mut changed = Vec::new();
        for pair in pairs(self, new) {
            match pair {
                (Some(old_table), Some(new_table)) => {
                    self.changed_between(new, &old_table.routes, &new_table.routes, &mut changed);
                }
                (Some(only), None) | (None, Some(only)) => {
                    changed.extend(
                        only.routes.iter().filter(|route| self.differs_at(new, *route)).map(prefix_of),
                    );
                }
                (None, None) => {}
            }
        }
        disjoint(changed)
    }

    /// The sets whose contents `new` has otherwise, or that only one of the two has. Between an index and one amended
    /// from it the work is that of the amendments.
    pub fn changed_sets(&self, new: &IrrIndex) -> ChangedSets {
        let reordered = self.is_reordered(new);
        let mut names = BTreeSet::new();
        for (old, new_table) in pairs(self, new) {
            let (old, new_table) = (old.map(|table| &table.sets), new_table.map(|table| &table.sets));
            candidates::<AsSet>(old, new_table, reordered, &mut names);
            candidates::<RouteSet>(old, new_table, reordered, &mut names);
        }
        let differs = |name: &Arc<str>| {
            contents::<AsSet>(self, name) != contents(new, name)
                || contents::<RouteSet>(self, name) != contents(new, name)
        };
        names.into_iter().filter(differs).collect()
    }

    fn changed_between(
        &self,
        new: &IrrIndex,
        old_routes: &Routes,
        new_routes: &Routes,
        changed: &mut Vec<Prefix>,
    ) {
        let (old_whole, new_whole) = (old_routes.whole(), new_routes.whole());
        if Arc::ptr_eq(old_whole, new_whole) {
            let amended = different(old_routes.amendments(), new_routes.amendments());
            changed.extend(amended.filter(|route| self.differs_at(new, *route)).map(prefix_of));
            return;
        }
        changed.extend(self.changed_whole(new, &old_whole.v4, &new_whole.v4));
        changed.extend(self.changed_whole(new, &old_whole.v6, &new_whole.v6));
        let amendments = old_routes.amendments().chain(new_routes.amendments());
        changed.extend(amendments.filter(|route| self.differs_at(new, *route)).map(prefix_of));
    }

    fn changed_whole<A: Address>(
        &self,
        new: &IrrIndex,
        old_whole: &CoverIndex<A>,
        new_whole: &CoverIndex<A>,
    ) -> Vec<Prefix> {
        let same = |net: Net<A>, old_records: &[Record], new_records: &[Record]| {
            same_origins(old_records, new_records) || {
                let mut origins = old_records.iter().chain(new_records).map(|record| record.entry().asn);
                let prefix = A::prefix(net);
                origins.all(|origin| self.names(prefix, origin) == new.names(prefix, origin))
            }
        };
        old_whole.changed(new_whole, same).into_iter().map(A::prefix).collect()
    }

    fn differs_at(&self, new: &IrrIndex, route: Route) -> bool {
        let origin = route.entry.asn;
        self.names(route.prefix, origin) != new.names(route.prefix, origin)
    }

    fn names(&self, prefix: Prefix, origin: u32) -> bool {
        self.tables.iter().any(|table| table.routes.names(prefix, origin))
    }

    /// Whether two registries of both have changed places.
    fn is_reordered(&self, new: &IrrIndex) -> bool {
        let places = self.sources.names().iter().filter_map(|name| new.sources.find(name));
        !places.is_sorted()
    }
}

/// The tables of two indexes, those with each other that share most.
fn pairs<'a>(old: &'a IrrIndex, new: &'a IrrIndex) -> Vec<(Option<&'a Table>, Option<&'a Table>)> {
    let shares = |one: &&Table, other: &&Table| Arc::ptr_eq(one.routes.whole(), other.routes.whole());
    let mut new_tables: Vec<&Table> = new.tables.iter().collect();
    let (mut pairs, mut alone) = (Vec::new(), Vec::new());
    for table in &old.tables {
        match new_tables.iter().position(|other| shares(&table, other)) {
            Some(at) => pairs.push((Some(table), Some(new_tables.remove(at)))),
            None => alone.push(table),
        }
    }
    let mut new_tables = new_tables.into_iter();
    pairs.extend(alone.into_iter().map(|table| (Some(table), new_tables.next())));
    pairs.extend(new_tables.map(|table| (None, Some(table))));
    pairs
}

/// The names whose entries may differ between two tables.
fn candidates<S: NamedSet>(
    old: Option<&SetTable>,
    new: Option<&SetTable>,
    reordered: bool,
    names: &mut BTreeSet<Arc<str>>,
) {
    let none = Sets::<S>::default();
    let old = &old.map_or(&none, S::of).by_name;
    let new = &new.map_or(&none, S::of).by_name;
    names.extend(old.differing(new).into_iter().cloned());
    if reordered {
        names.extend(old.iter().chain(new.iter()).map(|(name, _)| name.clone()));
    }
}

/// What an index has under a name: each registry's set in order, with who asks to be in it and is taken in.
fn contents<'a, S: NamedSet>(index: &'a IrrIndex, name: &str) -> Vec<(&'a S, BTreeSet<Subject>)> {
    let sets = index.homonyms::<S>(name).into_iter();
    sets.map(|set| (&**set, index.taken_in(&**set).collect())).collect()
}

fn prefix_of(route: Route) -> Prefix {
    route.prefix
}

/// What only one of two collections has.
fn different(
    one: impl Iterator<Item = Route>,
    other: impl Iterator<Item = Route>,
) -> impl Iterator<Item = Route> {
    let (one, other): (BTreeSet<Route>, BTreeSet<Route>) = (one.collect(), other.collect());
    one.symmetric_difference(&other).copied().collect::<Vec<_>>().into_iter()
}

/// These prefixes in order, less those that another one covers.
fn disjoint(mut prefixes: Vec<Prefix>) -> Vec<Prefix> {
    prefixes.sort_unstable();
    prefixes.dedup_by(|next, last| last.covers(*next));
    prefixes
}

/// Which registry an object is from does not change a verdict.
fn same_origins(old: &[Record], new: &[Record]) -> bool {
    fn origins(records: &[Record]) -> impl Iterator<Item = u32> {
        let of_one = |one: &Record, next: &Record| one.entry().asn == next.entry().asn;
        records.chunk_by(of_one).map(|chunk| chunk[0].entry().asn)
    }
    origins(old).eq(origins(new))
}
