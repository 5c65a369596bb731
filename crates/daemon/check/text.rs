//! What a configuration comes to, for people.

use std::fmt::{Display, Write};

use super::actions::ActionsOutline;
use super::report::{
    CheckOutline, IrrOutline, LimitsOutline, MemberOutline, MembersOutline, Outline, PeerOutline, Report,
    RouterOutline, RpkiOutline,
};

use crate::config::quoted;

/// Prefixes, and the like, that one line shows.
const SHOWN: usize = 6;

/// The number of the table that has a name.
const MAIN: u32 = 254;

/// What would run. Empty for a report of errors, which are told elsewhere.
pub(super) fn summary(report: &Report) -> String {
    let mut out = String::new();
    let Some(outline) = &report.outline else { return out };
    let explained = outline.peers.iter().any(|peer| peer.checks.is_some());
    head(&mut out, outline);
    if let Some(actions) = &outline.actions {
        communities(&mut out, actions);
    }
    if explained {
        outline.peers.iter().for_each(|peer| explain(&mut out, peer));
    } else if !outline.peers.is_empty() {
        out += "\n";
        peers(&mut out, &outline.peers);
    }
    let verdict = match report.warnings.len() {
        0 => "is in order".into(),
        warnings => format!("is in order, with {}", count(warnings, "warning")),
    };
    line(&mut out, format_args!("\n{} {verdict}", report.file));
    out
}

fn head(out: &mut String, outline: &Outline) {
    let RouterOutline { asn, id, mode, .. } = &outline.router;
    item(out, mode, format_args!("AS{asn}, id {id}"));
    item(out, "listens on", some(&outline.router.listen, "nothing: it only connects"));
    if *mode == "router" {
        item(out, "originates", some(&outline.router.networks, "nothing"));
    }
    if !outline.router.own_prefixes.is_empty() {
        item(out, "owns too", some(&outline.router.own_prefixes, "none"));
    }
    if !outline.router.peering_lans.is_empty() {
        item(out, "peering LANs", some(&outline.router.peering_lans, "none"));
    }
    item(out, "VRPs", vrps(&outline.rpki));
    item(out, "IRR", irr(&outline.irr));
    match &outline.fib {
        None => item(out, "kernel", "untouched"),
        Some(fib) => {
            let source = some(&fib.preferred_source, "");
            let source = if source.is_empty() { source } else { format!(", preferred source {source}") };
            let main = if fib.table == MAIN { " (main)" } else { "" };
            item(out, "kernel", format_args!("table {}{main}, metric {}{source}", fib.table, fib.metric));
        }
    }
    if let Some(actions) = &outline.actions {
        item(out, "actions", actions_of(actions));
    }
    if let Some(members) = &outline.members {
        self::members(out, members);
    }
    item(out, "is asked at", outline.control.socket.as_deref().unwrap_or("nothing: it can't be asked"));
    let scheme = outline.looking_glass.reject_communities;
    item(out, "refusals as", format_args!("communities of the {scheme} scheme, on what is shown"));
    item(out, "peers", outline.peers.len());
}

fn actions_of(actions: &ActionsOutline) -> String {
    let regions = match actions.regions.len() {
        0 => String::new(),
        regions => format!(", {}", count(regions, "region")),
    };
    match actions.patterns {
        0 => format!("none{regions}"),
        patterns => format!("{} of communities, set {}{regions}", count(patterns, "pattern"), actions.set),
    }
}

/// What members may write, and what then happens; nothing where that is not to be explained.
fn communities(out: &mut String, actions: &ActionsOutline) {
    let Some(rows) = actions.table.as_ref().filter(|rows| !rows.is_empty()) else { return };
    line(out, "\nactions: a member's route that carries one of these is");
    let head = ["communities", "what happens", "says who"].map(String::from);
    let rows = rows.iter().map(|row| [row.communities.join(", "), row.effect.clone(), row.from.clone()]);
    table(out, &std::iter::once(head).chain(rows).collect::<Vec<_>>());
    line(
        out,
        "  What is about a peer holds before what is about its regions, and that before what is about all;",
    );
    line(
        out,
        "  of equals, \"not\" holds and the most prepending. But for 65535:666, none of these is passed on.",
    );
    for (name, number) in &actions.regions {
        line(out, format_args!("  region {number} is {name}"));
    }
    for left_out in actions.left_out.iter().flatten() {
        line(out, format_args!("  left out of the set: {left_out}"));
    }
}

fn members(out: &mut String, MembersOutline { file, amending, export }: &MembersOutline) {
    let Some(export) = export else {
        let amending = match amending {
            0 => String::new(),
            blocks => format!(
                "; so {} on top of it {} unused",
                count(*blocks, "block"),
                if *blocks == 1 { "is" } else { "are" }
            ),
        };
        return item(out, "members", format_args!("from {file}, which is not read{amending}"));
    };
    let (members, sessions) = (count(export.members, "member"), count(export.sessions, "session"));
    let at = export.exchange.as_ref().map(|exchange| format!(" at {exchange}")).unwrap_or_default();
    item(out, "members", format_args!("{members}{at} with {sessions} from {file}"));
    let skipped = export.skipped.iter().map(|skipped| format!("{} {}", skipped.count, skipped.why));
    if !export.skipped.is_empty() {
        item(out, "", format_args!("no sessions: {}", skipped.collect::<Vec<_>>().join(", ")));
    }
}

fn vrps(RpkiOutline { files, vrps }: &RpkiOutline) -> String {
    let from = some(files, "");
    match vrps {
        _ if files.is_empty() => "none: no origin is validated".into(),
        None => format!("from {from}"),
        Some(vrps) => format!("{vrps} from {from}"),
    }
}

fn irr(irr: &IrrOutline) -> String {
    let from = some(&irr.dumps, "");
    let longer = if irr.allow_longer { "; more-specifics are registered too" } else { "" };
    match irr.route_objects.zip(irr.as_sets) {
        _ if irr.dumps.is_empty() => "none: nothing is registered".into(),
        None => format!("from {from}{longer}"),
        Some((routes, sets)) => {
            format!("{} and {} from {from}{longer}", count(routes, "route object"), count(sets, "as-set"))
        }
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn item(out: &mut String, name: &str, value: impl Display) {
    line(out, format_args!("{name:<14}{value}"));
}

fn line(out: &mut String, text: impl Display) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "{text}");
}

/// The first few of a list, or what to say of none.
fn some(list: &[String], none: &str) -> String {
    let shown = list.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match list.len() {
        0 => none.into(),
        count if count > SHOWN => format!("{shown} and {} more", count - SHOWN),
        _ => shown,
    }
}

/// A table of all peers.
fn peers(out: &mut String, peers: &[PeerOutline]) {
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

fn table<const COLUMNS: usize>(out: &mut String, rows: &[[String; COLUMNS]]) {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        line(out, format_args!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end()));
    }
}

/// All that holds for a peer, written or implied.
fn explain(out: &mut String, peer: &PeerOutline) {
    line(out, format_args!("\n{}: {}", peer.name, standing(peer)));
    let mut item = |name: &str, value: &dyn Display| line(out, format_args!("  {name:<18}{value}"));
    let from = peer.local_address.as_ref().map(|local| format!(" from {local}")).unwrap_or_default();
    let who = if peer.passive { "it connects to us" } else { "whoever connects first" };
    item("session", &format_args!("{} port {}{from}, {who}", peer.address, peer.port));
    if let Some(MemberOutline { name, exported }) = &peer.member {
        item("member", &format_args!("{}, whose export says {}", quoted(name), exported.join(", ")));
    }
    item("hold time", &format_args!("{} s ({})", peer.hold_time_s.value, peer.hold_time_s.from));
    item("max prefixes", &format_args!("{} ({})", peer.max_prefixes.value, peer.max_prefixes.from));
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
    item("next hop it gets", &peer.next_hop);
    item("paths it gets", &format_args!("{} ({})", peer.paths_it_gets.value, peer.paths_it_gets.from));
    item("may originate", &peer.may_originate);
    let LimitsOutline { ipv4_length: [v4, v4_most], ipv6_length: [v6, v6_most], .. } = peer.limits;
    item("prefix lengths", &format_args!("/{v4} to /{v4_most}, IPv6 /{v6} to /{v6_most}"));
    item(
        "path",
        &format_args!(
            "{} ASNs and {} communities at most",
            peer.limits.as_path_length, peer.limits.communities
        ),
    );
    if peer.limits.rpki_valid_is_registered {
        item("registered is", &"what a route object names, or what is RPKI-valid");
    }
    out.push('\n');
    checks(out, peer.checks.as_deref().unwrap_or_default());
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
