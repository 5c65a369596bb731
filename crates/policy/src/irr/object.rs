//! The objects of registries that are of use here, and changes of them.
//!
//! Of each class only what answers a question is kept. Which maintainers an object has (`mnt-by:`) matters only
//! where it asks to be a member of a set (`member-of:`, RFC 2622 s5.1): the set says whose requests it grants.

use std::fmt;
use std::sync::Arc;

use palisade_bgp::{Asn, Prefix};

use crate::as_set::AsSet;
use crate::route_set::RouteSet;

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

/// The sets that an object asks to be a member of, and who vouches for it. All names are in capitals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memberships {
    /// The sets: as-sets of an aut-num, route-sets of a route object. In order, without repetition.
    pub member_of: Box<[Arc<str>]>,
    /// The object's maintainers, likewise; none where it asks for nothing.
    pub mnt_by: Box<[Arc<str>]>,
}

impl Memberships {
    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.member_of.is_empty()
    }
}

/// Whose objects a set takes in when they ask for it (`mbrs-by-ref:`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ByReference {
    /// Nobody's.
    #[default]
    Nobody,
    /// Anybody's.
    Any,
    /// Those of these maintainers, in capitals, in order.
    Maintainers(Box<[Arc<str>]>),
}

impl ByReference {
    /// Whether an object of these maintainers is taken in.
    pub fn takes(&self, mnt_by: &[Arc<str>]) -> bool {
        match self {
            ByReference::Nobody => false,
            ByReference::Any => true,
            ByReference::Maintainers(maintainers) => {
                mnt_by.iter().any(|maintainer| maintainers.binary_search(maintainer).is_ok())
            }
        }
    }
}

/// An aut-num, so far as it asks to be a member of as-sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutNum {
    /// The AS.
    pub asn: Asn,
    /// The registry that it is from.
    pub source: Arc<str>,
    /// What it asks for.
    pub memberships: Memberships,
}

/// An object of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IrrObject {
    /// A route or route6 object, and the route-sets that it asks to be in.
    Route(RouteObject, Memberships),
    /// An as-set.
    AsSet(AsSet),
    /// A route-set.
    RouteSet(RouteSet),
    /// An aut-num.
    AutNum(AutNum),
}

impl IrrObject {
    /// The registry that it is from.
    pub fn source(&self) -> &Arc<str> {
        match self {
            IrrObject::Route(route, _) => &route.source,
            IrrObject::AsSet(set) => &set.source,
            IrrObject::RouteSet(set) => &set.source,
            IrrObject::AutNum(aut_num) => &aut_num.source,
        }
    }
}

/// What happens to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IrrChange {
    /// It is there now, instead of the one with the same class, name and registry where there was one.
    Add(IrrObject),
    /// The one with its class, name and registry is gone; what else it says does not matter.
    Remove(IrrObject),
}
