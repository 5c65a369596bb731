//! Which prefixes are registered for which origin: the Internet Routing Registry's route objects (RFC 2622 s4, RFC 4012).
//!
//! One index serves all peers. A route passes when its origin AS is in the peer's expanded as-set ([`crate::OriginSet`]) and the
//! pair of prefix and origin is registered here, so a thousand peers need a thousand sets of AS numbers and no prefix list.

use std::fmt;
use std::sync::Arc;

use palisade_bgp::{Address, Asn, Net, Prefix};

use crate::covering::CoverIndex;

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

/// Gathers route objects and as-sets for an index.
#[derive(Debug, Default)]
pub struct IrrBuilder {
    v4: Vec<(Net<u32>, Registration)>,
    v6: Vec<(Net<u128>, Registration)>,
    sources: Vec<Arc<str>>,
}

/// All route objects and as-sets. Immutable.
#[derive(Debug)]
pub struct IrrIndex {
    v4: CoverIndex<u32, Registration>,
    v6: CoverIndex<u128, Registration>,
    sources: Vec<Arc<str>>,
}

/// A route object under its prefix. Ordered by origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Registration {
    origin: u32,
    /// Of [`IrrIndex::sources`].
    source: u16,
}

impl IrrBuilder {
    /// Adds a route object.
    pub fn add_route(&mut self, prefix: Prefix, origin: Asn, source: &str) {
        let registration = Registration { origin: origin.0, source: self.source(source) };
        match prefix {
            Prefix::V4(net) => self.v4.push((net, registration)),
            Prefix::V6(net) => self.v6.push((net, registration)),
        }
    }

    /// The index of all that was added.
    pub fn build(self) -> IrrIndex {
        IrrIndex { v4: CoverIndex::build(self.v4), v6: CoverIndex::build(self.v6), sources: self.sources }
    }

    fn source(&mut self, name: &str) -> u16 {
        let at = self.sources.iter().position(|known| **known == *name).unwrap_or_else(|| {
            self.sources.push(name.into());
            self.sources.len() - 1
        });
        u16::try_from(at).unwrap_or(u16::MAX)
    }
}

impl IrrIndex {
    /// Whether a route object registers `net` for `origin`: one for the prefix itself, or, where `net` is no longer than
    /// `longest`, one for a prefix that covers it.
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

    /// The prefixes under which routes may be judged differently by `new`: those whose route objects differ. Disjoint, in
    /// order.
    pub fn changed_ranges(&self, new: &IrrIndex) -> Vec<Prefix> {
        let v4 = self.v4.changed(&new.v4).into_iter().map(Prefix::V4);
        v4.chain(self.v6.changed(&new.v6).into_iter().map(Prefix::V6)).collect()
    }

    /// How many route objects it holds.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Octets held.
    pub fn memory_bytes(&self) -> usize {
        self.v4.memory_bytes() + self.v6.memory_bytes()
    }

    fn covering_of<'a, A: Address>(
        &'a self,
        index: &'a CoverIndex<A, Registration>,
        net: Net<A>,
    ) -> impl Iterator<Item = RouteObject> + use<'a, A> {
        index.covering(net).flat_map(move |(len, registrations)| {
            registrations.iter().map(move |Registration { origin, source }| RouteObject {
                prefix: A::prefix(net.truncate(len)),
                origin: Asn(*origin),
                source: self.sources[usize::from(*source)].clone(),
            })
        })
    }
}

impl Default for IrrIndex {
    fn default() -> Self {
        IrrBuilder::default().build()
    }
}

#[inline]
fn registered<A: Address>(
    index: &CoverIndex<A, Registration>,
    net: Net<A>,
    Asn(origin): Asn,
    longest: u8,
) -> bool {
    index.covering(net).any(|(len, registrations)| {
        let reaches = len == net.len() || net.len() <= longest;
        reaches && has_origin(registrations, origin)
    })
}

/// Whether one prefix's route objects name an AS. Sorted by it, so that one with a great many costs no walk.
#[inline]
fn has_origin(registrations: &[Registration], origin: u32) -> bool {
    registrations.binary_search_by_key(&origin, |registration| registration.origin).is_ok()
}
