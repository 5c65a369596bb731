//! Gathers registries' objects for an index.

use std::io::{self, BufRead};
use std::sync::Arc;

use palisade_bgp::{Asn, Prefix};

use super::object::{ByReference, IrrObject, Memberships};
use super::route_table::{Route, RouteKeys, Routes};
use super::set_table::{SetTable, Subject};
use super::sources::{Sources, Spellings};
use super::{IrrIndex, Table, reading};
use crate::as_set::{AsSet, AsSetName, Member};
use crate::malformed::Malformed;
use crate::route_set::RouteSet;
use crate::rpsl::Objects;

/// The most route objects that an index may hold: five times those of all registries of 2025.
pub const MAX_ROUTE_OBJECTS: usize = 20_000_000;
/// The most sets.
pub const MAX_SETS: usize = 1_000_000;
/// The most members of all sets together.
pub const MAX_MEMBERS: usize = 20_000_000;
/// The most registries.
pub const MAX_SOURCES: usize = 256;

/// Why objects are refused. What was built before stays good; this builder is to be dropped.
#[derive(Debug, thiserror::Error)]
pub enum IrrError {
    /// A dump can't be read.
    #[error("can't read the IRR dump")]
    Io(#[from] io::Error),
    /// A dump has no object of a class that is of use.
    #[error("no route, route6, as-set or route-set object in the dump ({others} other objects, {malformed})")]
    NoObjects {
        /// Objects of other classes.
        others: u64,
        /// Those that were meant to be of use.
        malformed: Malformed,
    },
    /// More route objects than [`MAX_ROUTE_OBJECTS`].
    #[error("more than {MAX_ROUTE_OBJECTS} route objects")]
    TooManyRoutes,
    /// More sets than [`MAX_SETS`], or more members than [`MAX_MEMBERS`].
    #[error("more than {MAX_SETS} sets, or more than {MAX_MEMBERS} members in them")]
    TooManySets,
    /// More registries than [`MAX_SOURCES`].
    #[error("more than {MAX_SOURCES} registries")]
    TooManySources,
}

/// What a dump held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IrrReport {
    /// Route and route6 objects.
    pub routes: u64,
    /// As-set objects.
    pub as_sets: u64,
    /// Route-set objects.
    pub route_sets: u64,
    /// Aut-num objects.
    pub aut_nums: u64,
    /// Objects of other classes, which are passed over.
    pub others: u64,
    /// Objects left out, by the line they begin on; members of sets left out, likewise.
    pub malformed: Malformed,
}

/// Gathers objects for an index.
#[derive(Debug, Default)]
pub struct IrrBuilder {
    routes: RouteKeys,
    sets: SetTable,
    sources: Sources,
}

impl IrrBuilder {
    /// A builder whose index looks for names in these registries first, in this order; others come after them, in the
    /// order in which they are met.
    pub fn with_order<S: AsRef<str>>(order: impl IntoIterator<Item = S>) -> Self {
        IrrBuilder { sources: Sources::with_order(order), ..IrrBuilder::default() }
    }

    /// Adds the objects of an RPSL dump. One that does not say which registry it is from is taken to be from `source`.
    pub fn read(&mut self, dump: impl BufRead, source: &str) -> Result<IrrReport, IrrError> {
        let mut objects = Objects::new(dump);
        let (mut report, mut spellings) = (IrrReport::default(), Spellings::default());
        while let Some(object) = objects.next()? {
            match reading::read(&object, source, &mut spellings, &mut report.malformed) {
                Ok(Some(object)) => {
                    report.count(&object);
                    self.add(object)?;
                }
                Ok(None) => report.others += 1,
                Err(error) => report.malformed.note(object.line, error),
            }
        }
        if report.routes + report.as_sets + report.route_sets + report.aut_nums == 0 {
            let IrrReport { others, malformed, .. } = report;
            return Err(IrrError::NoObjects { others, malformed });
        }
        Ok(report)
    }

    /// Adds an object, instead of one with the same class, name and registry where there is one.
    pub fn add(&mut self, object: IrrObject) -> Result<(), IrrError> {
        let number = self.sources.number(object.source()).ok_or(IrrError::TooManySources)?;
        let source = self.sources.name(number);
        match object {
            IrrObject::Route(route, asked) => {
                if self.routes.len() == MAX_ROUTE_OBJECTS {
                    return Err(IrrError::TooManyRoutes);
                }
                self.routes.push(Route::new(route.prefix, route.origin, number));
                self.sets.ask(&source, Subject::Route(route.prefix, route.origin), asked);
            }
            IrrObject::AsSet(set) => self.sets.as_sets.put(AsSet { source, ..set }),
            IrrObject::RouteSet(set) => self.sets.route_sets.put(RouteSet { source, ..set }),
            IrrObject::AutNum(aut_num) => {
                self.sets.ask(&source, Subject::AutNum(aut_num.asn), aut_num.memberships);
            }
        }
        if self.sets.is_full() { Err(IrrError::TooManySets) } else { Ok(()) }
    }

    /// Adds a route object.
    pub fn add_route(&mut self, prefix: Prefix, origin: Asn, source: &str) -> Result<(), IrrError> {
        let route = super::RouteObject { prefix, origin, source: source.into() };
        self.add(IrrObject::Route(route, Memberships::default()))
    }

    /// Adds an as-set; the registry is `source`, whatever the name says.
    pub fn add_as_set(
        &mut self,
        name: &AsSetName,
        members: Vec<Member>,
        source: &str,
    ) -> Result<(), IrrError> {
        self.add(IrrObject::AsSet(AsSet::new(name, source, members, ByReference::Nobody)))
    }

    /// The index of all that was added.
    pub fn build(self) -> IrrIndex {
        let IrrBuilder { routes, sets, sources } = self;
        let sources = Arc::new(sources);
        let table = Table { routes: Routes::new(routes.build()), sets, sources: sources.clone() };
        IrrIndex { tables: Box::new([table]), sources }
    }
}

impl IrrReport {
    fn count(&mut self, object: &IrrObject) {
        let count = match object {
            IrrObject::Route(..) => &mut self.routes,
            IrrObject::AsSet(_) => &mut self.as_sets,
            IrrObject::RouteSet(_) => &mut self.route_sets,
            IrrObject::AutNum(_) => &mut self.aut_nums,
        };
        *count += 1;
    }
}
