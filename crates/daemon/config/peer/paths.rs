//! `add_path`: which paths to a prefix a peer is sent, and whether it may send several (RFC 7911); one word for both families, or a
//! word for each.

use std::fmt;

use palisade_bgp::{AddPath, Family};
use palisade_policy::Role;
use toml::Spanned;

use super::setting::{Origin, Setting, writer};
use crate::config::problem::Fault;
use crate::config::section::{Either, Field, Section};
use crate::config::value;

const KEY: &str = "add_path";

/// What is done with several paths to a prefix, by [`Family::index`], where the peer does its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paths(pub(crate) [AddPath; 2]);

impl fmt::Display for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Paths([ipv4, ipv6]) = *self;
        if ipv4 == ipv6 {
            return f.write_str(in_words(ipv4));
        }
        let [first, second] = Family::ALL.map(|family| family.to_string());
        write!(f, "{first}: {}; {second}: {}", in_words(ipv4), in_words(ipv6))
    }
}

fn in_words(AddPath { send, receive }: AddPath) -> &'static str {
    match (send, receive) {
        (false, false) => "the best one",
        (true, false) => "all, if it takes them (ADD-PATH), or else the best one",
        (false, true) => "the best one, and it may send several",
        (true, true) => "all, if it takes them (ADD-PATH), or else the best one, and it may send several",
    }
}

/// Members of an exchange choose for themselves what is best (RFC 7947 s2.3), so that those who can take all paths get them.
pub(super) fn add_path(section: &mut Section<'_>, role: Option<Role>) -> Setting<Paths> {
    let (send, origin) = match role {
        Some(Role::RsClient) => (true, Origin::Role),
        Some(_) => (false, Origin::Role),
        None => (false, Origin::Default),
    };
    let unsaid = AddPath { send, receive: false };
    let written = match section.either(KEY, "add_path") {
        None => return Setting { value: Paths([unsaid; 2]), origin },
        Some(Either::Value(field)) => match word(field) {
            Ok(both) => [both; 2],
            Err(fault) => {
                section.problems().push(field.span(), fault);
                [unsaid; 2]
            }
        },
        Some(Either::Table(mut of_families)) => {
            let said = ["ipv4", "ipv6"].map(|family| of_families.optional(family, word));
            of_families.end();
            said.map(|said| said.map_or(unsaid, Spanned::into_inner))
        }
    };
    Setting { value: Paths(written), origin: writer(section, KEY) }
}

fn word(field: Field<'_>) -> Result<AddPath, Fault> {
    const WORDS: [(&str, AddPath); 4] = [
        ("off", AddPath::OFF),
        ("send", AddPath { send: true, receive: false }),
        ("receive", AddPath { send: false, receive: true }),
        ("both", AddPath { send: true, receive: true }),
    ];
    value::word(field, &WORDS)
}
