//! What the Internet Routing Registry says: route objects, sets and who is in them (RFC 2622, RFC 4012).
//!
//! One index serves all peers. A route passes when its origin AS is in the peer's expanded as-set
//! ([`crate::OriginSet`]) and the pair of prefix and origin is registered here, so a thousand peers need a thousand
//! sets of AS numbers and no prefix list.
//!
//! ```text
//!   dump, whois --> IrrBuilder --> IrrIndex --amended--> IrrIndex --\
//!                                                                    >-- union --> IrrIndex --> judge
//!   mirror      --> IrrBuilder --> IrrIndex ------------------------/
//! ```
//!
//! An index never changes. A handful of changes makes another one ([`IrrIndex::amended`]) that shares the whole tables
//! with the old one, and so does the union of several ([`IrrIndex::union`]). What differs between two is told by
//! [`IrrIndex::changed_ranges`] and [`IrrIndex::changed_sets`].

mod amending;
mod builder;
mod changed;
mod layered;
mod object;
mod reading;
mod route_table;
mod set_table;
mod sources;
mod write;

use std::cmp::Reverse;
use std::sync::Arc;

use palisade_bgp::{Address, Asn, Net, Prefix};

pub use builder::{IrrBuilder, IrrError, IrrReport, MAX_MEMBERS, MAX_ROUTE_OBJECTS, MAX_SETS, MAX_SOURCES};
pub use changed::ChangedSets;
pub use object::{AutNum, ByReference, IrrChange, IrrObject, Memberships, RouteObject};
pub use reading::IrrObjectError;
pub use route_table::MOST_AMENDMENTS;

use crate::as_set::{AsSet, AsSetName};
use crate::route_set::{RouteSet, RouteSetName};
use route_table::{Route, Routes, merged};
use set_table::{NamedSet, SetTable, Subject};
use sources::Sources;

/// The objects of registries, ready to be asked. Immutable.
#[derive(Debug)]
pub struct IrrIndex {
    /// At least one; what an earlier one has counts before the same of a later one.
    tables: Box<[Table]>,
    /// Of all tables.
    sources: Arc<Sources>,
}

/// What one feed has.
#[derive(Clone, Debug)]
struct Table {
    routes: Routes,
    sets: SetTable,
    /// By the numbers that are the routes' tags.
    sources: Arc<Sources>,
}

impl IrrIndex {
    /// All that these indexes hold, as one. It shares their tables. Where several have an object, the first one's
    /// counts; their registries come in the order that the parts were told of, then in that of the parts.
    pub fn union(parts: &[Arc<IrrIndex>]) -> Arc<IrrIndex> {
        if let [only] = parts {
            return only.clone();
        }
        let tables: Box<[Table]> = parts.iter().flat_map(|part| part.tables.iter().cloned()).collect();
        if tables.is_empty() {
            return Arc::default();
        }
        let sources = Arc::new(Sources::union(parts.iter().map(|part| &*part.sources)));
        Arc::new(IrrIndex { tables, sources })
    }

    /// Whether a route object registers `net` for `origin`: one for the prefix itself, or, where `net` is no longer
    /// than `longest`, one for a prefix that covers it.
    #[inline]
    pub fn registered<A: Address>(&self, net: Net<A>, origin: Asn, longest: u8) -> bool {
        self.tables.iter().any(|table| table.routes.registered(net, origin.0, longest))
    }

    /// The route objects that cover a prefix, the most specific first.
    pub fn covering(&self, prefix: Prefix) -> impl Iterator<Item = RouteObject> {
        let mut covering: Vec<RouteObject> = Vec::new();
        for table in &self.tables {
            covering.extend(table.routes.covering(prefix).map(|route| table.object(route)));
        }
        if self.tables.len() > 1 {
            covering.sort_by_key(|object| (Reverse(object.prefix.len()), self.place(object)));
            covering.dedup();
        }
        covering.into_iter()
    }

    /// Whether it holds this very route object.
    pub fn contains(&self, route: &RouteObject) -> bool {
        self.tables.iter().any(|table| table.contains(route))
    }

    /// All route objects, IPv4 first, in order; one that several parts of a union hold comes once.
    pub fn routes(&self) -> impl Iterator<Item = RouteObject> {
        let mut all: Box<dyn Iterator<Item = RouteObject>> = Box::new(std::iter::empty());
        for (at, table) in self.tables.iter().enumerate() {
            let objects = table.routes.iter().map(|route| table.object(route));
            let first =
                move |route: &RouteObject| !self.tables[..at].iter().any(|before| before.contains(route));
            let objects = objects.filter(first);
            all = if at == 0 {
                Box::new(objects)
            } else {
                Box::new(merged(all, objects, |object| (object.prefix, self.place(object))))
            };
        }
        all
    }

    /// All as-sets, in no particular order; one that several parts of a union hold comes once.
    pub fn as_set_objects(&self) -> impl Iterator<Item = &Arc<AsSet>> {
        self.all_sets()
    }

    /// All route-sets, likewise.
    pub fn route_set_objects(&self) -> impl Iterator<Item = &Arc<RouteSet>> {
        self.all_sets()
    }

    /// All aut-nums that ask to be members of as-sets, likewise.
    pub fn aut_num_objects(&self) -> impl Iterator<Item = AutNum> {
        let all = self.tables.iter().enumerate().flat_map(move |(at, table)| {
            let first = move |key: &(Arc<str>, Subject)| {
                !self.tables[..at].iter().any(|before| before.sets.memberships.get(key).is_some())
            };
            table.sets.memberships.iter().filter(move |(key, _)| first(key))
        });
        all.filter_map(|((source, subject), memberships)| match subject {
            Subject::AutNum(asn) => {
                let memberships = Memberships::clone(memberships);
                Some(AutNum { asn: *asn, source: source.clone(), memberships })
            }
            Subject::Route(..) => None,
        })
    }

    /// How many route objects it holds; in a union, one counts for each part that holds it.
    pub fn len(&self) -> usize {
        self.tables.iter().map(|table| table.routes.len()).sum()
    }

    /// Whether it holds no route object.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many as-sets it holds, counted likewise.
    pub fn as_sets(&self) -> usize {
        self.tables.iter().map(|table| table.sets.as_sets.count).sum()
    }

    /// How many route-sets it holds, counted likewise.
    pub fn route_sets(&self) -> usize {
        self.tables.iter().map(|table| table.sets.route_sets.count).sum()
    }

    /// The registries, in the order in which a name is looked for.
    pub fn sources(&self) -> &[Arc<str>] {
        self.sources.names()
    }

    /// Octets held, the sets' not counted; indexes amended from each other share most of them.
    pub fn memory_bytes(&self) -> usize {
        self.tables.iter().map(|table| table.routes.memory_bytes()).sum()
    }

    pub(crate) fn as_set(&self, name: &AsSetName) -> Option<&Arc<AsSet>> {
        self.set(&name.name, name.source.as_deref())
    }

    pub(crate) fn route_set(&self, name: &RouteSetName) -> Option<&Arc<RouteSet>> {
        self.set(&name.name, name.source.as_deref())
    }

    /// The AS numbers that are members of an as-set because their aut-nums ask for it.
    pub(crate) fn asns_by_reference<'a>(&'a self, set: &'a AsSet) -> impl Iterator<Item = Asn> + 'a {
        self.taken_in(set).filter_map(|subject| match subject {
            Subject::AutNum(asn) => Some(asn),
            Subject::Route(..) => None,
        })
    }

    /// The prefixes that are members of a route-set because their route objects ask for it.
    pub(crate) fn prefixes_by_reference<'a>(
        &'a self,
        set: &'a RouteSet,
    ) -> impl Iterator<Item = Prefix> + 'a {
        self.taken_in(set).filter_map(|subject| match subject {
            Subject::AutNum(_) => None,
            Subject::Route(prefix, _) => Some(prefix),
        })
    }

    /// What orders the route objects of a prefix.
    fn place(&self, object: &RouteObject) -> (Asn, Option<u16>) {
        (object.origin, self.sources.find(&object.source))
    }

    /// The set of a name: in this registry, or in the first that has it.
    fn set<'a, S: NamedSet>(&'a self, name: &str, source: Option<&str>) -> Option<&'a Arc<S>> {
        let homonyms = self.tables.iter().filter_map(|table| S::of(&table.sets).homonyms(name));
        let mut sets = homonyms.flat_map(|homonyms| &homonyms.sets);
        match source {
            Some(source) => sets.find(|set| **set.source() == *source),
            None => {
                let first = sets.next()?;
                let Some(second) = sets.next() else { return Some(first) };
                let sets = [first, second].into_iter().chain(sets);
                sets.min_by_key(|set| self.sources.find(set.source()))
            }
        }
    }

    /// The sets of a name in all registries, in the order of these.
    fn homonyms<'a, S: NamedSet>(&'a self, name: &str) -> Vec<&'a Arc<S>> {
        let homonyms = self.tables.iter().filter_map(|table| S::of(&table.sets).homonyms(name));
        let mut sets: Vec<&Arc<S>> = homonyms.flat_map(|homonyms| &homonyms.sets).collect();
        sets.sort_by_key(|set| self.sources.find(set.source()));
        sets.dedup_by(|next, last| next.source() == last.source());
        sets
    }

    /// What a set takes in of the objects of its registry that ask for it.
    fn taken_in<'a, S: NamedSet>(&'a self, set: &'a S) -> impl Iterator<Item = Subject> + 'a {
        let tables = if *set.by_reference() == ByReference::Nobody { &[][..] } else { &self.tables };
        let asking = tables.iter().filter_map(move |table| S::of(&table.sets).homonyms(set.name()));
        let asking = asking.flat_map(|homonyms| &homonyms.referrers);
        let taken = asking.filter(move |referrer| {
            referrer.source == *set.source() && set.by_reference().takes(&referrer.mnt_by)
        });
        taken.map(|referrer| referrer.subject)
    }

    fn all_sets<S: NamedSet>(&self) -> impl Iterator<Item = &Arc<S>> {
        self.tables.iter().enumerate().flat_map(move |(at, table)| {
            let first = move |set: &&Arc<S>| {
                !self.tables[..at].iter().any(|before| S::of(&before.sets).has(set.name(), set.source()))
            };
            S::of(&table.sets).iter().filter(first)
        })
    }

    fn memberships(&self, source: &Arc<str>, subject: Subject) -> Option<&Memberships> {
        let key = (source.clone(), subject);
        self.tables.iter().find_map(|table| table.sets.memberships.get(&key)).map(|found| &**found)
    }
}

impl Default for IrrIndex {
    fn default() -> Self {
        IrrBuilder::default().build()
    }
}

impl Table {
    fn object(&self, route: Route) -> RouteObject {
        let source = self.sources.name(route.entry.tag);
        RouteObject { prefix: route.prefix, origin: Asn(route.entry.asn), source }
    }

    fn contains(&self, route: &RouteObject) -> bool {
        let number = self.sources.find(&route.source);
        number.is_some_and(|number| self.routes.contains(Route::new(route.prefix, route.origin, number)))
    }
}
