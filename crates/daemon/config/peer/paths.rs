//! `add_path`: which paths to a prefix a peer is sent (RFC 7911).

use std::fmt;

use palisade_policy::Role;

use super::setting::{Origin, Setting};
use crate::config::section::Section;
use crate::config::value;

/// Which paths to a prefix a peer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paths {
    /// The best that it can have.
    Best,
    /// All that it can have, where its session has ADD-PATH (RFC 7911).
    All,
}

impl fmt::Display for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Paths::Best => "the best one",
            Paths::All => "all, if it takes them (ADD-PATH), or else the best one",
        })
    }
}

/// Members of an exchange choose for themselves what is best (RFC 7947 s2.3), so that those who can take all paths get them.
pub(super) fn add_path(section: &mut Section<'_>, role: Option<Role>) -> Setting<Paths> {
    let words = [("off", Paths::Best), ("send", Paths::All)];
    const KEY: &str = "add_path";
    let written = section.optional(KEY, |field| value::word(field, &words));
    let (paths, origin) = match role {
        Some(Role::RsClient) => (Paths::All, Origin::Role),
        Some(_) => (Paths::Best, Origin::Role),
        None => (Paths::Best, Origin::Default),
    };
    Setting::new(section, KEY, written, paths, origin)
}
