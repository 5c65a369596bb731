//! What `palisade irr` is asked for.

use std::fmt;
use std::str::FromStr;

use palisade_bgp::Asn;
use palisade_policy::as_set::{AsSetName, Member};
use palisade_policy::route_set::RouteSetName;

/// An object of the registry that comes to prefixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Object {
    /// An AS: what it is registered to originate.
    Asn(Asn),
    /// What its members are registered to originate.
    AsSet(AsSetName),
    /// The prefixes that it lists.
    RouteSet(RouteSetName),
}

/// A text that names none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ObjectError {
    /// A bare number.
    #[error("did you mean AS{0}?")]
    Bare(u32),
    /// Anything else.
    #[error("write AS-EXAMPLE, AS64500, AS64500:AS-EXAMPLE, RS-EXAMPLE or RIPE::AS-EXAMPLE")]
    Unknown,
}

impl FromStr for Object {
    type Err = ObjectError;

    fn from_str(text: &str) -> Result<Self, ObjectError> {
        if let Ok(number) = text.parse() {
            return Err(ObjectError::Bare(number));
        }
        match text.parse() {
            Ok(Member::Asn(asn)) => Ok(Object::Asn(asn)),
            Ok(Member::Set(name)) => Ok(Object::AsSet(name)),
            Err(_) => text.parse().map(Object::RouteSet).map_err(|_| ObjectError::Unknown),
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Object::Asn(asn) => asn.fmt(f),
            Object::AsSet(name) => name.fmt(f),
            Object::RouteSet(name) => name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

    use super::*;

    #[test]
    fn objects_are_told_by_their_names() {
        for (text, shown) in [
            ("as64500", "AS64500"),
            ("as-example", "AS-EXAMPLE"),
            ("ripe::AS64500:AS-X", "RIPE::AS64500:AS-X"),
            ("rs-example", "RS-EXAMPLE"),
            ("AS64500:RS-X", "AS64500:RS-X"),
        ] {
            assert_eq!(text.parse::<Object>().unwrap().to_string(), shown);
        }
        assert_eq!("64500".parse::<Object>(), Err(ObjectError::Bare(64500)));
        for text in ["", "EXAMPLE", "10.0.0.0/8", "AS-X\n!q", "AS-X,1"] {
            assert_eq!(text.parse::<Object>(), Err(ObjectError::Unknown), "{text:?}");
        }
    }
}
