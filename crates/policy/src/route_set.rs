//! Route-sets: names for groups of prefixes (RFC 2622 s5.2, RFC 4012 s4.2).
//!
//! Members are prefixes, further route-sets, and as-sets and AS numbers, which stand for the prefixes that are
//! registered for them; each may carry a range operator. Where the set says so (`mbrs-by-ref:`), the route objects
//! that name it in their own `member-of:` are members too.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use palisade_bgp::{Asn, Prefix};

use crate::as_set::AsSetName;
use crate::irr::ByReference;
use crate::malformed::quoted;
use crate::prefix_range::{PrefixRange, RangeOperator};
use crate::set_name;

/// The name of a route-set, in capitals, and the registry where one is said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteSetName {
    /// The registry; `None` for the first that has it.
    pub source: Option<Box<str>>,
    /// The name, hierarchical or plain.
    pub name: Box<str>,
}

/// A text that names no route-set, or is no member of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteSetError {
    /// No name.
    #[error("{0} is no route-set: expected RS-NAME, AS64500:RS-NAME or SOURCE::RS-NAME")]
    Name(String),
    /// No member.
    #[error(
        "{0} is no member of a route-set: expected a prefix, RS-NAME, AS-NAME or AS64500, with or without a range"
    )]
    Member(String),
}

impl FromStr for RouteSetName {
    type Err = RouteSetError;

    fn from_str(text: &str) -> Result<Self, RouteSetError> {
        let (source, name) = set_name::parse(text, "rs-").ok_or_else(|| RouteSetError::Name(quoted(text)))?;
        Ok(RouteSetName { source, name })
    }
}

impl fmt::Display for RouteSetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{source}::{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// What a route-set holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteSetMember {
    /// A prefix and what of it.
    Range(PrefixRange),
    /// A further route-set.
    Set(RouteSetName, RangeOperator),
    /// What is registered for the members of an as-set.
    AsSet(AsSetName, RangeOperator),
    /// What is registered for an AS.
    Asn(Asn, RangeOperator),
}

impl FromStr for RouteSetMember {
    type Err = RouteSetError;

    fn from_str(text: &str) -> Result<Self, RouteSetError> {
        let (base, operator) = match text.split_once('^') {
            None => (text, Some(RangeOperator::Itself)),
            Some((base, operator)) => (base, RangeOperator::parse(operator)),
        };
        let member = operator.and_then(|operator| {
            if let Ok(prefix) = base.parse::<Prefix>() {
                return PrefixRange::from(prefix).apply(operator).map(RouteSetMember::Range);
            }
            let asn = base.parse::<Asn>().ok().filter(|_| !base.starts_with(|c: char| c.is_ascii_digit()));
            let asn = asn.map(|asn| RouteSetMember::Asn(asn, operator));
            let as_set = || base.parse().ok().map(|name| RouteSetMember::AsSet(name, operator));
            let route_set = || base.parse().ok().map(|name| RouteSetMember::Set(name, operator));
            asn.or_else(as_set).or_else(route_set)
        });
        member.ok_or_else(|| RouteSetError::Member(quoted(text)))
    }
}

impl fmt::Display for RouteSetMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RouteSetMember::Range(range) => range.fmt(f),
            RouteSetMember::Set(name, operator) => write!(f, "{name}{operator}"),
            RouteSetMember::AsSet(name, operator) => write!(f, "{name}{operator}"),
            RouteSetMember::Asn(asn, operator) => write!(f, "{asn}{operator}"),
        }
    }
}

/// A route-set of one registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSet {
    /// Its name, in capitals.
    pub name: Arc<str>,
    /// The registry that it is from, in capitals.
    pub source: Arc<str>,
    /// Its members, of both families.
    pub members: Box<[RouteSetMember]>,
    /// Which route objects may be members by saying so.
    pub by_reference: ByReference,
}
