//! What holds where nothing is written for a peer: what the export of the exchange's members says of it.

use std::net::{IpAddr, Ipv4Addr};

use palisade_bgp::Asn;
use toml::Spanned;

use crate::config::problem::Fault;
use crate::config::section::{Field, Section};
use crate::members::Session;

/// What holds where nothing is written for a peer.
pub(in crate::config) struct Given<'e> {
    /// What the export of the exchange's members says.
    pub(in crate::config) session: &'e Session,
    /// The limit of a member that the export gives none.
    pub(in crate::config) max_prefixes: Option<u32>,
    /// The group of a member that names none.
    pub(in crate::config) group: Option<&'e str>,
}

impl Given<'_> {
    /// The member that a peer with this section is.
    pub(super) fn member(&self, section: &Section<'_>) -> Member {
        let said = [
            ("name", true),
            ("address", true),
            ("asn", true),
            ("as_set", self.session.as_set.is_some()),
            ("max_prefixes", self.session.max_prefixes.is_some()),
        ];
        let held = said.into_iter().filter(|(key, said)| *said && !section.has(key));
        Member { name: self.session.member.clone(), exported: held.map(|(key, _)| key).collect() }
    }
}

/// A peer as a member of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// What the export calls it.
    pub(crate) name: String,
    /// The keys that hold what the export says, and not what is written.
    pub(crate) exported: Vec<&'static str>,
}

/// A session that no export has, to look over what is written before it is anybody's: with an AS and an address that
/// nobody can write, which are therefore compared with nothing.
pub(in crate::config) fn nobody() -> Session {
    Session {
        name: "nobody".into(),
        member: String::new(),
        asn: NOBODY,
        address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        as_set: None,
        max_prefixes: None,
    }
}

/// The AS of [`nobody`].
pub(super) const NOBODY: Asn = Asn(0);

/// What is written, or else what is `given`; without either, `None` is an error that has been told.
pub(super) fn written_or<'a, T>(
    section: &mut Section<'a>,
    key: &'static str,
    example: &str,
    read: impl FnOnce(Field<'a>) -> Result<T, Fault>,
    given: Option<T>,
) -> Option<Spanned<T>> {
    match given {
        Some(given) if !section.has(key) => Some(Spanned::new(section.span(), given)),
        _ => section.required(key, example, read),
    }
}
