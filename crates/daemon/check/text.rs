//! What a configuration comes to, for people.

use std::fmt::{Display, Write};
use std::time::Duration;

use super::actions::ActionsOutline;
use super::bogons::BogonsOutline;
use super::members::MembersOutline;
use super::peer::{
    CheckOutline, Chosen, LimitsOutline, MemberOutline, PeerOutline, RestartOutline, TransportOutline,
};
use super::peeringdb::NetworksOutline;
use super::report::{Outline, RangeOutline, Report, RouterOutline};
use super::rpki::RpkiOutline;
use super::rules::{PeerlockOutline, RuleOutline};
use crate::config::{quoted, shown};

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
        rules(&mut out, &outline.rules);
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
    rpki(out, &outline.rpki);
    for (at, line) in outline.irr.lines().iter().enumerate() {
        item(out, if at == 0 { "IRR" } else { "" }, line);
    }
    if let Some(kept) = outline.irr.kept() {
        item(out, "IRR data is", kept);
    }
    if !outline.bogons.prefix_files.is_empty() || outline.bogons.asn_file.is_some() {
        item(out, "bogons", bogons(&outline.bogons));
    }
    if let Some(peeringdb) = &outline.peeringdb {
        let sources = peeringdb.sources.iter().map(networks).collect::<Vec<_>>();
        item(out, "PeeringDB", sources.join("; "));
    }
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
    if !outline.peerlocks.is_empty() {
        let locks: Vec<String> = outline.peerlocks.iter().map(peerlock).collect();
        item(out, "peerlocks", some(&locks, ""));
    }
    if !outline.rules.is_empty() {
        let names: Vec<String> = outline.rules.iter().map(|rule| rule.name.clone()).collect();
        item(out, "rules", some(&names, ""));
    }
    item(out, "is asked at", outline.control.socket.as_deref().unwrap_or("nothing: it can't be asked"));
    if let Some(address) = &outline.control.metrics {
        item(out, "metrics", format!("http://{address}/metrics"));
    }
    let scheme = outline.looking_glass.reject_communities;
    item(out, "refusals as", format_args!("communities of the {scheme} scheme, on what is shown"));
    item(out, "peers", outline.peers.len());
    for (at, range) in outline.ranges.iter().enumerate() {
        let RangeOutline { name, prefix, asns, max_peers, role } = range;
        let asns: Vec<String> = asns.iter().map(|asn| format!("AS{asn}")).collect();
        let role = role.unwrap_or("no role");
        let said = format_args!("{name}: {role}, {prefix}, {}, {max_peers} peers at most", some(&asns, ""));
        item(out, if at == 0 { "ranges" } else { "" }, said);
    }
}

fn bogons(bogons: &BogonsOutline) -> String {
    let asn_files: Vec<String> = bogons.asn_file.iter().cloned().collect();
    let prefixes = bogons_of("prefix", "prefixes", bogons.prefixes, &bogons.prefix_files, bogons.builtin[0]);
    let asns = bogons_of("range of ASNs", "ranges of ASNs", bogons.asn_ranges, &asn_files, bogons.builtin[1]);
    format!("{prefixes}; {asns}")
}

fn bogons_of(one: &str, many: &str, number: Option<usize>, files: &[String], builtin: bool) -> String {
    let number = match number {
        Some(1) => format!("1 {one}"),
        Some(number) => format!("{number} {many}"),
        None => many.to_owned(),
    };
    match (files.is_empty(), builtin) {
        (true, _) => format!("{number} built in"),
        (false, true) => format!("{number} built in and from {}", some(files, "")),
        (false, false) => format!("{number} from {}", some(files, "")),
    }
}

fn networks(NetworksOutline { name, networks, age_s, fault }: &NetworksOutline) -> String {
    let age = age_s.map(|age| format!(", {} old", span(age))).unwrap_or_default();
    let fault = fault.as_ref().map(|fault| format!(" ({fault})")).unwrap_or_default();
    match networks {
        None => format!("from {name}"),
        Some(_) if age_s.is_none() => format!("nothing yet from {name}{fault}"),
        Some(networks) => format!("{} from {name}{age}{fault}", count(*networks, "network")),
    }
}

/// A time in its largest whole unit.
fn span(seconds: u64) -> String {
    match seconds {
        0..120 => count(seconds as usize, "second"),
        120..7200 => count((seconds / 60) as usize, "minute"),
        7200..172_800 => count((seconds / 3600) as usize, "hour"),
        _ => count((seconds / 86_400) as usize, "day"),
    }
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
    line(out, format_args!("\nactions: a {}'s route that carries one of these is", actions.asked_by));
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

/// What the operator's own rules ask, and of whom.
fn rules(out: &mut String, rules: &[RuleOutline]) {
    if rules.is_empty() {
        return;
    }
    line(out, "\nrules, asked in this order where no check refuses a route");
    let head = ["rule", "mode", "what must hold", "what changes", "then", "of whom"].map(String::from);
    let words = |words: &[&str], none: &str| if words.is_empty() { none.into() } else { words.join(", ") };
    let rows = rules.iter().map(|rule| {
        [
            rule.name.clone(),
            rule.mode.into(),
            words(&rule.conditions, "nothing"),
            words(&rule.changes, "-"),
            rule.action.into(),
            some(&rule.peers, "nobody"),
        ]
    });
    table(out, &std::iter::once(head).chain(rows).collect::<Vec<_>>());
}

/// A protected network, and where its routes may come from.
fn peerlock(lock: &PeerlockOutline) -> String {
    let upstreams = lock.upstreams.iter().map(|asn| format!("AS{asn}"));
    let from: Vec<String> = lock.allowed_from.iter().cloned().chain(upstreams).collect();
    match from.len() {
        0 => format!("AS{} from itself alone", lock.asn),
        _ => format!("AS{} from itself, {}", lock.asn, from.join(", ")),
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

fn rpki(out: &mut String, rpki: &RpkiOutline) {
    let addresses: Vec<String> = rpki.rtr.iter().map(|cache| cache.address.clone()).collect();
    let sources: Vec<String> = [&rpki.files, &rpki.slurm]
        .into_iter()
        .filter(|list| !list.is_empty())
        .map(|list| some(list, ""))
        .collect();
    let read = sources.join("; SLURM of ");
    // What is asserted counts as well as what is told.
    let read =
        if rpki.files.is_empty() && !rpki.slurm.is_empty() { format!("SLURM of {read}") } else { read };
    let counted = match (rpki.vrps, rpki.aspas) {
        _ if read.is_empty() => String::new(),
        (Some(vrps), Some(0) | None) => format!("{vrps} from {read}"),
        (Some(vrps), Some(aspas)) => format!("{vrps}, and {}, from {read}", count(aspas, "ASPA")),
        (None, _) => format!("from {read}"),
    };
    let asked =
        if addresses.is_empty() { String::new() } else { format!("over RTR from {}", some(&addresses, "")) };
    match (counted.as_str(), asked.as_str()) {
        ("", "") => item(out, "VRPs", "none: no origin is validated"),
        (one, "") | ("", one) => item(out, "VRPs", one),
        (counted, asked) => item(out, "VRPs", format_args!("{counted}; {asked}")),
    }
    if rpki.explained && !(counted.is_empty() && asked.is_empty()) {
        explain_rpki(out, rpki);
    }
}

/// What is implied of the sources, or written and not seen at a glance.
fn explain_rpki(out: &mut String, rpki: &RpkiOutline) {
    for cache in &rpki.rtr {
        let tls = if cache.tls { ", TLS" } else { "" };
        let aspa = if cache.aspa { ", asked for ASPAs" } else { "" };
        let refresh =
            cache.refresh.as_ref().map(|refresh| format!(", asked every {refresh}")).unwrap_or_default();
        line(
            out,
            format_args!(
                "  cache             {}, preference {}{tls}{aspa}{refresh}",
                cache.address, cache.preference
            ),
        );
    }
    let wait =
        if rpki.wait == "0" { "nothing".into() } else { format!("the first data, {} at most", rpki.wait) };
    line(out, format_args!("  start waits for   {wait}"));
    match &rpki.guard {
        None => line(out, "  guard             off: any change counts at once"),
        Some(guard) => line(
            out,
            format_args!(
                "  guard             {} % fewer or {} % more, and more than {}, are held for {}",
                guard.shrink_percent, guard.grow_percent, guard.floor, guard.hold
            ),
        ),
    }
    let age = if rpki.max_age == "0" { "at no age".into() } else { format!("after {}", rpki.max_age) };
    let kept = if rpki.on_expire == "keep" { "is kept, with an alarm" } else { "is dropped" };
    line(out, format_args!("  files are old     {age}; what is too old {kept}"));
}

/// A number of things.
pub(super) fn count(number: usize, what: &str) -> String {
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
pub(super) fn some(list: &[String], none: &str) -> String {
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

/// All that holds for a peer, written or implied.
fn explain(out: &mut String, peer: &PeerOutline) {
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
    item("beyond a limit", &format_args!("{} ({})", beyond(peer), action.from));
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
    item("registered is", &registered(&peer.limits));
    if !peer.limits.chosen.is_empty() {
        item("of these,", &chosen(&peer.limits));
    }
    if peer.limits.scrubbed {
        item("is taken off", &"what communities of ours it sends");
    }
    out.push('\n');
    checks(out, peer.checks.as_deref().unwrap_or_default());
}

/// What follows from one prefix too many.
fn beyond(peer: &PeerOutline) -> String {
    match (peer.max_prefixes_action.value, &peer.max_prefixes_restart_s) {
        (_, Some(restart)) => {
            let time = shown(Duration::from_secs(restart.value));
            format!("the session ends, and begins anew after {time}, {}", restart.from)
        }
        ("down", None) => "the session ends until somebody frees it".into(),
        _ => "new prefixes are left out".into(),
    }
}

/// Who chose limits, and which: `this peer's own: longest_ipv4; its group's: max_communities`.
fn chosen(limits: &LimitsOutline) -> String {
    let mut by_whom: Vec<(&str, Vec<&str>)> = Vec::new();
    for limit in &limits.chosen {
        match by_whom.iter_mut().find(|(from, _)| *from == limit.from) {
            Some((_, keys)) => keys.push(limit.key),
            None => by_whom.push((&limit.from, vec![limit.key])),
        }
    }
    let said = by_whom.iter().map(|(from, keys)| format!("{from}: {}", keys.join(", ")));
    said.collect::<Vec<_>>().join("; ")
}

/// What a peer's route has to be, where that is asked.
fn registered(limits: &LimitsOutline) -> String {
    let longer = if limits.longer_is_registered { ", or one for a shorter prefix" } else { "" };
    let valid = if limits.rpki_valid_is_registered { ", or what is RPKI-valid" } else { "" };
    format!("what a route object names{longer}{valid}")
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
