//! What can be asked of an IRRd server, a line a question.
//!
//! A question is of the sources that it names: the server keeps one selection of sources for all questions that
//! follow, which is [`super::dialogue`]'s business. What may be asked for is checked before it becomes a question
//! (names are parsed, AS numbers are numbers), so that no line can carry a second one.

use std::fmt;

use palisade_bgp::{Asn, Family};

/// Which sources a question is of: in their order, with commas between; the server's own choice where it is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Sources(Box<str>);

impl Sources {
    /// Most sources that a server may be asked for.
    pub(crate) const MOST: usize = 64;

    /// Those, in that order; the server's own choice for none. `None` where a name can't be one, or there are too many.
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let names: Vec<&str> = names.into_iter().collect();
        let fit = names.len() <= Self::MOST && names.iter().all(|name| is_source(name));
        fit.then(|| Sources(names.join(",").to_ascii_uppercase().into()))
    }

    /// As the server is told.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is left to the server.
    pub(crate) fn is_default(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether a text can be a registry's name (RFC 2622 s2: letters, digits, hyphen and underscore, from a letter on).
pub(crate) fn is_source(name: &str) -> bool {
    let within = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(within)
}

/// What is asked, apart from the sources.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Query {
    /// Whether the server expands sets to prefixes itself. It refuses either way, in different words.
    Abilities,
    /// The members of a set, as they are written in it.
    Members(Box<str>),
    /// What a set's members and the members of its sets come to, without the sets.
    AllMembers(Box<str>),
    /// The prefixes of a family that an AS is registered to originate.
    Routes(Asn, Family),
    /// The prefixes of a family that a set comes to.
    Prefixes(Box<str>, Family),
}

/// What is asked, and of which sources.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    /// What.
    pub(crate) query: Query,
    /// Of whom.
    pub(crate) sources: Sources,
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Query::Abilities => f.write_str("!a"),
            Query::Members(set) => write!(f, "!i{set}"),
            Query::AllMembers(set) => write!(f, "!i{set},1"),
            Query::Routes(Asn(asn), Family::Ipv4) => write!(f, "!gAS{asn}"),
            Query::Routes(Asn(asn), Family::Ipv6) => write!(f, "!6AS{asn}"),
            Query::Prefixes(set, Family::Ipv4) => write!(f, "!a4{set}"),
            Query::Prefixes(set, Family::Ipv6) => write!(f, "!a6{set}"),
        }
    }
}

/// What a server that expands sets to prefixes refuses [`Query::Abilities`] with.
pub(crate) fn has_prefixes(refusal: &str) -> bool {
    refusal.to_ascii_lowercase().contains("missing required set name")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

    use super::*;

    #[test]
    fn questions_are_lines_of_irrds() {
        let set: Box<str> = "AS-EXAMPLE".into();
        for (query, line) in [
            (Query::Abilities, "!a"),
            (Query::Members(set.clone()), "!iAS-EXAMPLE"),
            (Query::AllMembers(set.clone()), "!iAS-EXAMPLE,1"),
            (Query::Routes(Asn(196_608), Family::Ipv4), "!gAS196608"),
            (Query::Routes(Asn(1), Family::Ipv6), "!6AS1"),
            (Query::Prefixes(set.clone(), Family::Ipv4), "!a4AS-EXAMPLE"),
            (Query::Prefixes(set, Family::Ipv6), "!a6AS-EXAMPLE"),
        ] {
            assert_eq!(query.to_string(), line);
        }
    }

    #[test]
    fn sources_are_names_and_nothing_else() {
        assert_eq!(Sources::new(["ripe", "RADB"]).unwrap().as_str(), "RIPE,RADB");
        assert!(Sources::new([]).unwrap().is_default());
        for wrong in ["", "RIPE,RADB", "RIPE\n!q", "1A", "-RIPE", "RI PE", "é", &"A".repeat(65)] {
            assert!(Sources::new([wrong]).is_none(), "{wrong:?}");
        }
        assert!(Sources::new(vec!["A"; Sources::MOST]).is_some());
        assert!(Sources::new(vec!["A"; Sources::MOST + 1]).is_none());
    }
}
