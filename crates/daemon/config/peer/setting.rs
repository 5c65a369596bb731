//! A setting of a peer that need not be written, and where it comes from.

use std::fmt;

use toml::Spanned;

use crate::config::section::Section;

/// A setting that need not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting<T> {
    /// What holds.
    pub(crate) value: T,
    /// Where it comes from.
    pub(crate) origin: Origin,
}

impl<T> Setting<T> {
    /// What is `written` under a key of the section, or else this value from there.
    pub(in crate::config) fn new(
        section: &Section<'_>,
        key: &str,
        written: Option<Spanned<T>>,
        value: T,
        origin: Origin,
    ) -> Self {
        match written {
            Some(written) => Setting { value: written.into_inner(), origin: writer(section, key) },
            None => Setting { value, origin },
        }
    }
}

/// Where a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is written for the peer.
    Peer,
    /// It is written for the group that the peer is of.
    Group,
    /// It is written for the router.
    Router,
    /// The export of the exchange's members says so.
    Export,
    /// PeeringDB says so of the peer's network.
    PeeringDb,
    /// It is written for all members.
    Members,
    /// It is written for all route objects.
    Irr,
    /// The peer's role says so.
    Role,
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Origin::Peer => "this peer's own",
            Origin::Group => "its group's",
            Origin::Router => "from [router]",
            Origin::Export => "from the member export",
            Origin::PeeringDb => "from PeeringDB",
            Origin::Members => "from [members]",
            Origin::Irr => "from [irr]",
            Origin::Role => "the role's default",
            Origin::Default => "default",
        })
    }
}

/// Who wrote what is under a key of a peer's section.
pub(super) fn writer(section: &Section<'_>, key: &str) -> Origin {
    if section.is_grouped(key) { Origin::Group } else { Origin::Peer }
}
