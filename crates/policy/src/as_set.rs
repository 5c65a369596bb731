//! As-sets: names for groups of AS numbers and of further as-sets (RFC 2622 s5.1).
//!
//! Members come from `members:`, and where the set says so (`mbrs-by-ref:`) from the aut-nums that name it in their
//! own `member-of:` ([`crate::irr::Memberships`]).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use palisade_bgp::Asn;

use crate::irr::ByReference;
use crate::malformed::quoted;
use crate::set_name;

/// The name of an as-set, in capitals, and the registry where one is said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AsSetName {
    /// The registry; `None` for the first that has it.
    pub source: Option<Box<str>>,
    /// The name, hierarchical or plain.
    pub name: Box<str>,
}

/// A text that names no as-set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no as-set: expected AS-NAME, AS64500:AS-NAME or SOURCE::AS-NAME")]
pub struct AsSetNameError(String);

impl FromStr for AsSetName {
    type Err = AsSetNameError;

    fn from_str(text: &str) -> Result<Self, AsSetNameError> {
        let (source, name) = set_name::parse(text, "as-").ok_or_else(|| AsSetNameError(quoted(text)))?;
        Ok(AsSetName { source, name })
    }
}

impl fmt::Display for AsSetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{source}::{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// What an as-set holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// An AS.
    Asn(Asn),
    /// A further as-set.
    Set(AsSetName),
}

impl FromStr for Member {
    type Err = AsSetNameError;

    fn from_str(text: &str) -> Result<Self, AsSetNameError> {
        match text.parse::<Asn>() {
            // A bare number is no AS in RPSL.
            Ok(asn) if !text.starts_with(|first: char| first.is_ascii_digit()) => Ok(Member::Asn(asn)),
            _ => text.parse().map(Member::Set),
        }
    }
}

/// An as-set of one registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsSet {
    /// Its name, in capitals.
    pub name: Arc<str>,
    /// The registry that it is from, in capitals.
    pub source: Arc<str>,
    /// The AS numbers among its members, in order.
    pub asns: Box<[Asn]>,
    /// The as-sets among its members.
    pub sets: Box<[AsSetName]>,
    /// Who else may be a member by saying so.
    pub by_reference: ByReference,
}

impl AsSet {
    /// The as-set of these members; the registry is `source`, whatever the name says.
    pub fn new(
        name: &AsSetName,
        source: &str,
        members: impl IntoIterator<Item = Member>,
        by_reference: ByReference,
    ) -> Self {
        let (mut asns, mut sets) = (Vec::new(), Vec::new());
        for member in members {
            match member {
                Member::Asn(asn) => asns.push(asn),
                Member::Set(set) => sets.push(set),
            }
        }
        asns.sort_unstable();
        asns.dedup();
        let source = source.to_ascii_uppercase().into();
        AsSet { name: Arc::from(&*name.name), source, asns: asns.into(), sets: sets.into(), by_reference }
    }
}
