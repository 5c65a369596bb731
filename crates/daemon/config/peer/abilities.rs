//! What a session may do besides carrying routes, where the peer can do it, too.
//!
//! | key | what | default |
//! |---|---|---|
//! | `extended_messages` | messages of up to 65,535 octets (RFC 8654) | `true` |
//! | `extended_next_hop` | IPv4 routes behind IPv6 next hops (RFC 8950) | `true` with an IPv6 address |
//! | `strict_role` | the peer has to say what it is to us (RFC 9234) | `false` |
//!
//! What both ends have to say of a thing is said in their OPENs, so that a key here changes nothing with a peer that knows
//! nothing of it, but for `strict_role`, which refuses just that.

use std::net::IpAddr;

use palisade_policy::Role;
use toml::Spanned;

use super::setting::{Origin, Setting};
use crate::config::problem::Fault;
use crate::config::section::Section;

/// What a session may do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Abilities {
    /// Messages of up to 65,535 octets.
    pub(crate) extended_messages: Setting<bool>,
    /// IPv4 routes behind IPv6 next hops.
    pub(crate) extended_next_hop: Setting<bool>,
    /// Whether a peer that does not say what it is to us is refused.
    pub(crate) strict_role: bool,
}

/// Reads the keys. A session over IPv6 may lead to a link without IPv4, which is what IPv6 next hops are for; one over IPv4 has a
/// next hop of its own.
pub(super) fn abilities(section: &mut Section<'_>, role: Option<Role>, address: Option<IpAddr>) -> Abilities {
    let over_ipv6 = address.is_some_and(|address| address.is_ipv6());
    Abilities {
        extended_messages: boolean(section, "extended_messages", true),
        extended_next_hop: boolean(section, "extended_next_hop", over_ipv6),
        strict_role: strict_role(section, role),
    }
}

fn boolean(section: &mut Section<'_>, key: &'static str, default: bool) -> Setting<bool> {
    let written = section.optional(key, |field| field.boolean());
    Setting::new(section, key, written, default, Origin::Default)
}

/// Roles are said between ASes (RFC 9234 s4), and without one of the peer's there is nothing to compare.
fn strict_role(section: &mut Section<'_>, role: Option<Role>) -> bool {
    const KEY: &str = "strict_role";
    let written = section.optional(KEY, |field| field.boolean());
    let Some(written) = written.filter(|written| *written.get_ref()) else { return false };
    if role == Some(Role::Internal) {
        let fault = Fault::new(format!("an internal peer has no `{KEY}`"), "roles are between ASes");
        section.problems().push(written.span(), fault.help("remove it (RFC 9234 s4)"));
    }
    Spanned::into_inner(written)
}
