//! Peers: a table of all, or all that holds for one.

use std::fmt::Display;

use super::limits;
use super::page::{line, table};
use crate::check::peer::{
    CheckOutline, Chosen, LimitsOutline, MemberOutline, PeerOutline, RestartOutline, TransportOutline,
};
use crate::config::quoted;

/// A table of all peers.
pub(super) fn list(out: &mut String, peers: &[PeerOutline]) {
    let head = ["name", "address", "AS", "role", "as-set", "max prefixes"].map(String::from);
    let rows = peers.iter().map(|peer| {
        let none = || "-".to_owned();
        [
            peer.name.clone(),
            peer.address.clone(),
            peer.asn.to_string(),
            peer.role.map_or_else(none, str::to_owned),
            peer.as_set.clone().unwrap_or_else(none),
            peer.max_prefixes.value.to_string(),
        ]
    });
    table(out, &std::iter::once(head).chain(rows).collect::<Vec<_>>());
}

/// All that holds for a peer, written or implied.
pub(super) fn explain(out: &mut String, peer: &PeerOutline) {
    line(out, format_args!("\n{}: {}", peer.name, standing(peer)));
    let mut item = |name: &str, value: &dyn Display| line(out, format_args!("  {name:<18}{value}"));
    let from = peer.local_address.as_ref().map(|local| format!(" from {local}")).unwrap_or_default();
    let who = if peer.passive { "it connects to us" } else { "whoever connects first" };
    item("session", &format_args!("{} port {}{from}, {who}", peer.address, peer.port));
    transport(&peer.transport, &mut item);
    if let Some(MemberOutline { name, exported }) = &peer.member {
        item("member", &format_args!("{}, whose export says {}", quoted(name), exported.join(", ")));
    }
    item("hold time", &format_args!("{} s ({})", peer.hold_time_s.value, peer.hold_time_s.from));
    item("long messages", &switch(&peer.extended_messages));
    item("IPv6 next hops", &format_args!("for IPv4, too: {}", switch(&peer.extended_next_hop)));
    if peer.strict_role {
        item("its role", &"it has to say it, or is refused (RFC 9234 s4.2)");
    }
    if peer.graceful_shutdown {
        item("shutting down", &"other paths are preferred, and it is told to do so, too (RFC 8326)");
    }
    if !peer.strip_attributes.is_empty() {
        let codes: Vec<String> = peer.strip_attributes.iter().map(u8::to_string).collect();
        item("stripped", &format_args!("attributes {}", codes.join(", ")));
    }
    match &peer.restart {
        Some(restart) => item("over a restart", &kept(restart)),
        None => item("over a restart", &"routes are not kept"),
    }
    if let Some(group) = &peer.group {
        item("group", group);
    }
    let awaited = if peer.max_prefixes_awaited { ", until PeeringDB says one" } else { "" };
    item("max prefixes", &format_args!("{} ({}{awaited})", peer.max_prefixes.value, peer.max_prefixes.from));
    for (key, limit) in &peer.other_prefix_limits {
        item("", &format_args!("{key} {} ({})", limit.value, limit.from));
    }
    let (warning, action) = (&peer.max_prefixes_warning_percent, &peer.max_prefixes_action);
    item("a warning is due", &format_args!("at {} % of a limit ({})", warning.value, warning.from));
    item("beyond a limit", &format_args!("{} ({})", limits::beyond(peer), action.from));
    if peer.role.is_none() {
        return item("routes", &"none are accepted and none are sent: it has no role (RFC 8212)");
    }
    match &peer.local_preference {
        Some(preference) => {
            item("local preference", &format_args!("{} ({})", preference.value, preference.from))
        }
        None => item("local preference", &"as its routes bring it"),
    }
    item("its routes go to", &roles(&peer.goes_to));
    item("it gets routes of", &roles(&peer.is_sent));
    if !peer.regions.is_empty() {
        item("regions", &peer.regions.join(", "));
    }
    if !peer.tags.is_empty() {
        item("is tagged with", &peer.tags.join(", "));
    }
    item("next hop it gets", &peer.next_hop);
    item("paths it gets", &format_args!("{} ({})", peer.paths_it_gets.value, peer.paths_it_gets.from));
    item("may originate", &peer.may_originate);
    let LimitsOutline { ipv4_length: [v4, v4_most], ipv6_length: [v6, v6_most], .. } = peer.limits;
    item("prefix lengths", &format_args!("/{v4} to /{v4_most}, IPv6 /{v6} to /{v6_most}"));
    item(
        "path",
        &format_args!(
            "{} ASNs, {} communities and {} octets of attributes at most",
            peer.limits.as_path_length, peer.limits.communities, peer.limits.attribute_octets
        ),
    );
    item("registered is", &limits::registered(&peer.limits));
    if !peer.limits.chosen.is_empty() {
        item("of these,", &limits::chosen(&peer.limits));
    }
    if peer.limits.scrubbed {
        item("is taken off", &"what communities of ours it sends");
    }
    out.push('\n');
    checks(out, peer.checks.as_deref().unwrap_or_default());
}

/// How its TCP connections are guarded and how far they reach.
fn transport(transport: &TransportOutline, item: &mut impl FnMut(&str, &dyn Display)) {
    let distance = match transport.hops {
        Some(1) => "on a link of ours".into(),
        Some(hops) => format!("{hops} hops at most"),
        None => "any".into(),
    };
    let security =
        if transport.ttl_security { ", and packets from farther away are dropped (RFC 5082)" } else { "" };
    item("distance", &format_args!("{distance}{security}"));
    if let Some(password) = &transport.md5 {
        item("signatures", &format_args!("TCP-MD5 (RFC 2385), with the password {password}"));
    }
    if let Some(seconds) = transport.user_timeout_s {
        item("unacknowledged", &format_args!("for {seconds} s at most, then the connection is given up"));
    }
}

fn switch(on: &Chosen<bool>) -> String {
    format!("{} ({})", if on.value { "yes, if it takes them" } else { "no" }, on.from)
}

/// For how long routes are kept over a restart.
fn kept(restart: &RestartOutline) -> String {
    let RestartOutline { restart_time_s: time, long_lived_stale_time_s: longer } = restart;
    let longer = match longer.value {
        0 => String::new(),
        seconds => format!(", and as the last resort for {seconds} s more ({})", longer.from),
    };
    format!("routes are kept for {} s ({}){longer}", time.value, time.from)
}

fn standing(peer: &PeerOutline) -> String {
    match peer.role {
        Some(role) => format!("{role}, AS{}", peer.asn),
        None => format!("AS{}, no role", peer.asn),
    }
}

fn roles(roles: &[&str]) -> String {
    if roles.is_empty() { "nobody".into() } else { roles.join(", ") }
}

fn checks(out: &mut String, checks: &[CheckOutline]) {
    let head = ["check", "mode", "says who"].map(String::from);
    let rows = checks.iter().map(|check| [check.check.into(), check.mode.into(), check.from.clone()]);
    table(out, &std::iter::once(head).chain(rows).collect::<Vec<_>>());
}
