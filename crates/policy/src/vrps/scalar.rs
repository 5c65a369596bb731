//! The value of a member of a VRP or an ASPA in JSON, of whatever type, and the AS number that it may be.

use std::fmt;

use palisade_bgp::Asn;
use serde::de::{Deserialize, Deserializer};

use crate::any_json::{AnyJson, any};
use crate::malformed::quoted;

/// A member's value, as far as anything is made of it.
pub(super) enum Scalar {
    Text(String),
    Number(u64),
    /// Neither, and what it is.
    Other(&'static str),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Text(text) => f.write_str(&quoted(text)),
            Scalar::Number(number) => write!(f, "{number}"),
            Scalar::Other(what) => f.write_str(what),
        }
    }
}

impl<'de> AnyJson<'de> for Scalar {
    fn other(what: &'static str) -> Self {
        Scalar::Other(what)
    }
    fn text(text: &str) -> Self {
        Scalar::Text(text.into())
    }
    fn number(number: u64) -> Self {
        Scalar::Number(number)
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        any(json)
    }
}

/// rpki-client writes a number, Routinator a text with AS before it, others a text without.
pub(super) fn asn(value: Option<Scalar>) -> Result<Asn, String> {
    match value {
        Some(Scalar::Number(number)) => {
            u32::try_from(number).map(Asn).map_err(|_| format!("{number} is no AS number"))
        }
        Some(Scalar::Text(text)) => text.parse().map_err(|_| format!("{} is no AS number", quoted(&text))),
        Some(other) => Err(format!("asn is {other}")),
        None => Err("no asn".into()),
    }
}
