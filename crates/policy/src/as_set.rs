//! As-sets: names for groups of AS numbers and of further as-sets (RFC 2622 s5.1).
//!
//! A name is unique only within one registry, so an operator may write which one is meant: `RIPE::AS-EXAMPLE`. A
//! name without a registry stands for the first that has it, in the order in which the registries were read. A
//! hierarchical name (`AS64500:AS-CUSTOMERS`, RFC 2622 s5.1) is a name like any other; it says who may create it.
//!
//! Members come from `members:` alone. Those that `mbrs-by-ref:` would take in by their own `member-of:` are left
//! out, which refuses routes rather than let them in.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use palisade_bgp::Asn;

use crate::malformed::quoted;

/// The longest name that is taken for one.
const LONGEST_NAME: usize = 255;

/// The name of an as-set, in capitals, and the registry where one is said.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
        let (source, name) = match text.split_once("::") {
            Some((source, name)) => (Some(source), name),
            None => (None, text),
        };
        if text.len() > LONGEST_NAME || !source.is_none_or(is_word) || !is_set_name(name) {
            return Err(AsSetNameError(quoted(text)));
        }
        let source = source.map(|source| source.to_ascii_uppercase().into());
        Ok(AsSetName { source, name: name.to_ascii_uppercase().into() })
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

/// RFC 2622 s5: parts between colons, each an AS number or a word that begins with `as-`, and at least one of the
/// latter.
fn is_set_name(name: &str) -> bool {
    let is_set_part = |part: &str| part.get(..3).is_some_and(|head| head.eq_ignore_ascii_case("as-"));
    let well_formed = |part: &str| is_word(part) && (is_set_part(part) || part.parse::<Asn>().is_ok());
    name.split(':').all(well_formed) && name.split(':').any(is_set_part)
}

/// RFC 2622 s2: letters, digits, underscore and hyphen. Dots and slashes are met too, and do no harm.
fn is_word(word: &str) -> bool {
    let ordinary = |octet: u8| octet.is_ascii_alphanumeric() || b"_-./".contains(&octet);
    !word.is_empty() && word.bytes().all(ordinary)
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
#[derive(Debug)]
pub(crate) struct AsSet {
    /// Of the index's sources.
    pub(crate) source: u16,
    pub(crate) members: Box<[Member]>,
}

/// All as-sets of all registries.
#[derive(Debug, Default)]
pub(crate) struct AsSets {
    /// By name; where several registries have it, in the order in which they were read.
    by_name: HashMap<Box<str>, Vec<AsSet>>,
    count: usize,
}

impl AsSets {
    /// Adds one; a name that its registry has already given takes the later members.
    pub(crate) fn insert(&mut self, name: Box<str>, set: AsSet) {
        let homonyms = self.by_name.entry(name).or_default();
        match homonyms.iter_mut().find(|known| known.source == set.source) {
            Some(known) => *known = set,
            None => {
                homonyms.push(set);
                homonyms.sort_by_key(|set| set.source);
                self.count += 1;
            }
        }
    }

    /// The as-set of a name: in the registry of this number, or in the first that has it.
    pub(crate) fn find(&self, name: &str, source: Option<u16>) -> Option<&AsSet> {
        let homonyms = self.by_name.get(name)?;
        homonyms.iter().find(|set| source.is_none_or(|source| set.source == source))
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }
}
