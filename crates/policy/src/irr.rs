//! Which prefixes are registered for which origin: the Internet Routing Registry's route objects (RFC 2622 s4, RFC
//! 4012).
//!
//! One index serves all peers. A route passes when its origin AS is in the peer's expanded as-set
//! ([`crate::OriginSet`]) and the pair of prefix and origin is registered here, so a thousand peers need a thousand
//! sets of AS numbers and no prefix list.
//!
//! An [`IrrBuilder`] takes dumps ([`IrrBuilder::read`]) and single objects, as a whois server answers them, and
//! keeps which registry each is from. The registries' order is the order in which the builder first meets them.

use std::fmt;
use std::io::{self, BufRead};
use std::sync::Arc;

use palisade_bgp::{Address, Asn, Family, Net, Prefix};

use crate::as_set::{AsSet, AsSetName, AsSets, Member};
use crate::covering::{CoverIndex, Entry, Key, Record};
use crate::expansion::{self, Expansion, ExpansionError, ExpansionLimits};
use crate::malformed::{Malformed, quoted};
use crate::rpsl::{Object, Objects};

/// A route object: an AS registers that it originates a prefix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteObject {
    /// The prefix.
    pub prefix: Prefix,
    /// The AS.
    pub origin: Asn,
    /// The registry that it is from.
    pub source: Arc<str>,
}

impl fmt::Display for RouteObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} in {}", self.prefix, self.origin, self.source)
    }
}

/// The most route objects that an index may hold: five times those of all registries of 2025.
pub const MAX_ROUTE_OBJECTS: usize = 20_000_000;
/// The most as-sets.
pub const MAX_AS_SETS: usize = 1_000_000;
/// The most members of all as-sets together.
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
    #[error("no route, route6 or as-set object in the dump ({others} other objects, {malformed})")]
    NoObjects {
        /// Objects of other classes.
        others: u64,
        /// Those that were meant to be of use.
        malformed: Malformed,
    },
    /// More route objects than [`MAX_ROUTE_OBJECTS`].
    #[error("more than {MAX_ROUTE_OBJECTS} route objects")]
    TooManyRoutes,
    /// More as-sets than [`MAX_AS_SETS`], or more members than [`MAX_MEMBERS`].
    #[error("more than {MAX_AS_SETS} as-sets, or more than {MAX_MEMBERS} members in them")]
    TooManyAsSets,
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
    /// Objects of other classes, which are passed over.
    pub others: u64,
    /// Objects left out, by the line they begin on; members of as-sets left out, likewise.
    pub malformed: Malformed,
}

/// Gathers route objects and as-sets for an index.
#[derive(Debug, Default)]
pub struct IrrBuilder {
    /// Route objects; the tag says which of `sources`.
    v4: Vec<Key<u32>>,
    v6: Vec<Key<u128>>,
    as_sets: AsSets,
    members: usize,
    sources: Vec<Arc<str>>,
}

/// All route objects and as-sets. Immutable.
#[derive(Debug)]
pub struct IrrIndex {
    /// Route objects; the tag says which of `sources`.
    v4: CoverIndex<u32>,
    v6: CoverIndex<u128>,
    as_sets: AsSets,
    sources: Vec<Arc<str>>,
}

impl IrrBuilder {
    /// Adds the route, route6 and as-set objects of an RPSL dump. An object that does not say which registry it is
    /// from is taken to be from `source`.
    pub fn read(&mut self, dump: impl BufRead, source: &str) -> Result<IrrReport, IrrError> {
        let mut objects = Objects::new(dump);
        let mut report = IrrReport::default();
        while let Some(object) = objects.next()? {
            self.take(&object, source, &mut report)?;
        }
        if report.routes + report.as_sets == 0 {
            let IrrReport { others, malformed, .. } = report;
            return Err(IrrError::NoObjects { others, malformed });
        }
        Ok(report)
    }

    /// Adds a route object.
    pub fn add_route(&mut self, prefix: Prefix, origin: Asn, source: &str) -> Result<(), IrrError> {
        if self.v4.len() + self.v6.len() == MAX_ROUTE_OBJECTS {
            return Err(IrrError::TooManyRoutes);
        }
        let entry = Entry { asn: origin.0, tag: self.source(source)? };
        match prefix {
            Prefix::V4(net) => self.v4.push(Key::new(net, entry)),
            Prefix::V6(net) => self.v6.push(Key::new(net, entry)),
        }
        Ok(())
    }

    /// Adds an as-set; the registry is `source`, whatever the name says.
    pub fn add_as_set(
        &mut self,
        name: &AsSetName,
        members: Vec<Member>,
        source: &str,
    ) -> Result<(), IrrError> {
        self.members += members.len();
        if self.as_sets.len() == MAX_AS_SETS || self.members > MAX_MEMBERS {
            return Err(IrrError::TooManyAsSets);
        }
        let set = AsSet { source: self.source(source)?, members: members.into() };
        self.as_sets.insert(name.name.clone(), set);
        Ok(())
    }

    /// The index of all that was added.
    pub fn build(self) -> IrrIndex {
        let IrrBuilder { v4, v6, as_sets, sources, .. } = self;
        let (v4, v6) = (CoverIndex::build(v4), CoverIndex::build(v6));
        IrrIndex { v4, v6, as_sets, sources }
    }

    fn take(&mut self, object: &Object<'_>, source: &str, report: &mut IrrReport) -> Result<(), IrrError> {
        let class = object.class();
        let is = |name: &str| class.eq_ignore_ascii_case(name.as_bytes());
        let stated = object.values("source").next();
        let source = stated.as_deref().map(str::trim).filter(|stated| !stated.is_empty()).unwrap_or(source);
        if object.cut && (is("route") || is("route6") || is("as-set")) {
            report.malformed.note(object.line, "the object is too large");
        } else if is("route") || is("route6") {
            match route(object) {
                Ok((prefix, origin)) => {
                    report.routes += 1;
                    self.add_route(prefix, origin, source)?;
                }
                Err(fault) => report.malformed.note(object.line, fault),
            }
        } else if is("as-set") {
            match object.key().parse::<AsSetName>() {
                Ok(name) => {
                    report.as_sets += 1;
                    self.add_as_set(&name, members(object, &mut report.malformed), source)?;
                }
                Err(error) => report.malformed.note(object.line, error),
            }
        } else {
            report.others += 1;
        }
        Ok(())
    }

    fn source(&mut self, name: &str) -> Result<u16, IrrError> {
        let is_it = |known: &Arc<str>| known.eq_ignore_ascii_case(name);
        if let Some(at) = self.sources.iter().position(is_it) {
            return u16::try_from(at).map_err(|_| IrrError::TooManySources);
        }
        if self.sources.len() == MAX_SOURCES {
            return Err(IrrError::TooManySources);
        }
        self.sources.push(name.to_ascii_uppercase().into());
        self.source(name)
    }
}

/// What a route or route6 object says.
fn route(object: &Object<'_>) -> Result<(Prefix, Asn), String> {
    let key = object.key();
    let prefix: Prefix = key.parse().map_err(|_| format!("no prefix: {}", quoted(&key)))?;
    let of_class = if object.class().eq_ignore_ascii_case(b"route") { Family::Ipv4 } else { Family::Ipv6 };
    if prefix.family() != of_class {
        return Err(format!("{prefix} in an object for {of_class}"));
    }
    let origin = object.values("origin").next().ok_or_else(|| format!("{prefix} has no origin"))?;
    let origin = origin.parse().map_err(|_| format!("origin of {prefix}: {}", quoted(&origin)))?;
    Ok((prefix, origin))
}

/// The members of an as-set: between commas, and where those were forgotten between spaces.
fn members(object: &Object<'_>, malformed: &mut Malformed) -> Vec<Member> {
    let mut members = Vec::new();
    for value in object.values("members") {
        let names = value.split(|c: char| c == ',' || c.is_whitespace()).filter(|name| !name.is_empty());
        for name in names {
            match name.parse::<Member>() {
                Ok(member) => members.push(member),
                Err(error) => malformed.note(object.line, format!("member {error}")),
            }
        }
    }
    members
}

impl IrrIndex {
    /// Whether a route object registers `net` for `origin`: one for the prefix itself, or, where `net` is no longer
    /// than `longest`, one for a prefix that covers it.
    #[inline]
    pub fn registered<A: Address>(&self, net: Net<A>, origin: Asn, longest: u8) -> bool {
        match A::prefix(net) {
            Prefix::V4(net) => registered(&self.v4, net, origin, longest),
            Prefix::V6(net) => registered(&self.v6, net, origin, longest),
        }
    }

    /// The route objects that cover a prefix, the most specific first.
    pub fn covering(&self, prefix: Prefix) -> impl Iterator<Item = RouteObject> {
        let (v4, v6) = match prefix {
            Prefix::V4(net) => (Some(self.covering_of(&self.v4, net)), None),
            Prefix::V6(net) => (None, Some(self.covering_of(&self.v6, net))),
        };
        v4.into_iter().flatten().chain(v6.into_iter().flatten())
    }

    /// Expands an as-set into AS numbers; an AS number stands for itself.
    pub fn expand(&self, name: &str, limits: &ExpansionLimits) -> Result<Expansion, ExpansionError> {
        expansion::expand(self, name, limits)
    }

    /// The prefixes under which routes may be judged differently by `new`: those that other origins are registered
    /// for. Disjoint, in order.
    pub fn changed_ranges(&self, new: &IrrIndex) -> Vec<Prefix> {
        let v4 = self.v4.changed(&new.v4, same_origins).into_iter().map(Prefix::V4);
        v4.chain(self.v6.changed(&new.v6, same_origins).into_iter().map(Prefix::V6)).collect()
    }

    /// How many route objects it holds.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many as-sets it holds.
    pub fn as_sets(&self) -> usize {
        self.as_sets.len()
    }

    /// The registries, in their order.
    pub fn sources(&self) -> &[Arc<str>] {
        &self.sources
    }

    /// Octets held, the as-sets' not counted.
    pub fn memory_bytes(&self) -> usize {
        self.v4.memory_bytes() + self.v6.memory_bytes()
    }

    pub(crate) fn as_set(&self, name: &AsSetName) -> Option<&AsSet> {
        match &name.source {
            None => self.as_sets.find(&name.name, None),
            Some(source) => {
                let at = self.sources.iter().position(|known| **known == **source)?;
                self.as_sets.find(&name.name, Some(u16::try_from(at).ok()?))
            }
        }
    }

    pub(crate) fn source(&self, at: u16) -> Arc<str> {
        self.sources.get(usize::from(at)).cloned().unwrap_or_else(|| Arc::from(""))
    }

    fn covering_of<'a, A: Address>(
        &'a self,
        index: &'a CoverIndex<A>,
        net: Net<A>,
    ) -> impl Iterator<Item = RouteObject> + use<'a, A> {
        index.covering(net).flatten().map(move |record| RouteObject {
            prefix: A::prefix(net.truncate(record.len())),
            origin: Asn(record.entry().asn),
            source: self.source(record.entry().tag),
        })
    }
}

impl Default for IrrIndex {
    fn default() -> Self {
        IrrBuilder::default().build()
    }
}

#[inline]
fn registered<A: Address>(index: &CoverIndex<A>, net: Net<A>, Asn(origin): Asn, longest: u8) -> bool {
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

/// Which registry an object is from does not change a verdict.
fn same_origins(old: &[Record], new: &[Record]) -> bool {
    fn origins(records: &[Record]) -> impl Iterator<Item = u32> {
        let of_one = |one: &Record, next: &Record| one.entry().asn == next.entry().asn;
        records.chunk_by(of_one).map(|chunk| chunk[0].entry().asn)
    }
    origins(old).eq(origins(new))
}
