//! `palisade show peers NAME`: all there is to say of one peer.

use std::collections::BTreeMap;
use std::io::{self, Write};

use palisade_bgp::message::{MAX_LEN, MessageKind};

use super::super::summary::signed;
use super::super::text::{duration, harmless, item};
use crate::control::answer::{LimitLine, MessagesLine, PeerLine, StaleLine, TransportLine};
use crate::run::agreed::{Agreed, AgreedRestart};
use crate::terminal::counted;

pub(super) fn print(out: &mut impl Write, peer: &PeerLine) -> io::Result<()> {
    item(out, "peer", format_args!("{}, AS{}, {}", peer.name, peer.asn, peer.address))?;
    item(out, "role", peer.role.as_deref().unwrap_or("none: nothing is exchanged (RFC 8212)"))?;
    item(out, "session", format_args!("{} for {}", peer.state, duration(peer.lasts_s)))?;
    item(out, "connection", connection(&peer.transport))?;
    if let Some(held) = &peer.held_down {
        let until = match held.begins_in_s {
            Some(seconds) => format!("begins anew in {}", duration(seconds)),
            None => format!("until `palisade peer enable {}`", peer.name),
        };
        item(out, "kept down", format_args!("{}; {until}", harmless(&held.why)))?;
    }
    if peer.shutting_down {
        item(
            out,
            "shutting down",
            "other paths are preferred, here and where it heeds GRACEFUL_SHUTDOWN (RFC 8326)",
        )?;
    }
    let attempts = attempts(peer);
    if !attempts.is_empty() {
        item(out, "next attempt", attempts)?;
    }
    for (family, StaleLine { phase, left_s }) in &peer.stale_by_family {
        item(out, "", format_args!("{family} {phase}, {left_s} s left"))?;
    }
    if let Some(end) = &peer.last_end {
        item(out, "went down", harmless(end))?;
    }
    if let Some(fault) = peer.last_fault.as_ref().filter(|fault| peer.last_end.as_ref() != Some(fault)) {
        item(out, "last fault", harmless(fault))?;
    }
    if let Some(agreed) = &peer.agreed {
        agreement(out, agreed)?;
    }
    item(out, "came up", times(peer.times_up))?;
    traffic(out, &peer.messages)?;
    for (at, (fault, count)) in peer.update_faults.iter().enumerate() {
        item(out, if at == 0 { "faults" } else { "" }, format_args!("{count} {fault}"))?;
    }
    item(out, "routes", format_args!("{} received", signed(peer.received)))?;
    if peer.stale != 0 {
        item(out, "", format_args!("{} stale: it is yet to say them again", signed(peer.stale)))?;
    }
    item(out, "", format_args!("{} accepted", signed(peer.accepted)))?;
    item(out, "", format_args!("{} rejected", signed(peer.rejected)))?;
    limits(out, peer)?;
    let rpki = peer.rpki.iter().filter(|(_, count)| **count != 0);
    let rpki: Vec<_> = rpki.map(|(state, count)| format!("{} {state}", signed(*count))).collect();
    if !rpki.is_empty() {
        item(out, "RPKI", rpki.join(", "))?;
    }
    reasons(out, "rejected for", &peer.rejected_by)?;
    reasons(out, "observed only", &peer.observed)
}

/// How a session goes on that is not up: `in 8 s, after 4 failures in a row`.
fn attempts(peer: &PeerLine) -> String {
    if peer.state == "Established" {
        return String::new();
    }
    let next = peer.next_attempt_in_s.map(|seconds| format!("in {}", duration(seconds)));
    let failures = match peer.failures {
        0 => None,
        1 => Some("after a failure".to_owned()),
        more => Some(format!("after {more} failures in a row")),
    };
    [next, failures].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// How connections are made and guarded.
fn connection(transport: &TransportLine) -> String {
    let TransportLine { range, local_address, md5, hops, ttl_security } = transport;
    let mut said: Vec<String> = local_address.iter().map(|address| format!("from {address}")).collect();
    said.extend(range.iter().map(|range| format!("of the range {range}")));
    said.push(match hops {
        Some(1) => "on a link of ours".into(),
        Some(hops) => format!("within {hops} hops"),
        None => "over any number of hops".into(),
    });
    said.extend(ttl_security.then(|| "TTL security (RFC 5082)".into()));
    said.extend(md5.then(|| "MD5 signatures (RFC 2385)".into()));
    said.join(", ")
}

/// What the session runs with.
fn agreement(out: &mut impl Write, agreed: &Agreed) -> io::Result<()> {
    let Agreed { router_id, hold_time_s, families, .. } = agreed;
    let hold_time = if *hold_time_s == 0 { "none".into() } else { format!("{hold_time_s} s") };
    item(
        out,
        "agreed",
        format_args!("router ID {router_id}, hold time {hold_time}, {}", families.join(" and ")),
    )?;
    let mut also = Vec::new();
    also.push(if agreed.four_octet_as { "four-octet AS numbers" } else { "two-octet AS numbers" }.into());
    also.push(match agreed.route_refresh.as_str() {
        "none" => "no route refresh".into(),
        "plain" => "route refresh".into(),
        kind => format!("{kind} route refresh"),
    });
    let paths = [("IPv4", &agreed.add_path_ipv4), ("IPv6", &agreed.add_path_ipv6)];
    let paths = paths.iter().filter(|(_, what)| *what != "off");
    also.extend(paths.map(|(family, what)| format!("ADD-PATH {family}: {what}")));
    if agreed.longest_sent > MAX_LEN || agreed.longest_received > MAX_LEN {
        let (sent, received) = (agreed.longest_sent, agreed.longest_received);
        also.push(format!("messages up to {sent} octets out and {received} in"));
    }
    also.extend(agreed.extended_next_hop.then(|| "IPv4 behind IPv6 next hops".into()));
    also.extend(agreed.role.as_ref().map(|role| format!("it is our {role}")));
    also.iter().try_for_each(|one| item(out, "", one))?;
    match &agreed.restart {
        None => Ok(()),
        Some(restart) => item(out, "if it restarts", restarts(restart)),
    }
}

fn restarts(restart: &AgreedRestart) -> String {
    if restart.families.is_empty() {
        return "nothing is kept".into();
    }
    let mut said = format!("{} kept for {} s", restart.families.join(" and "), restart.restart_time_s);
    if restart.long_lived_s > 0 {
        said += &format!(", then as last resort for {}", duration(restart.long_lived_s.into()));
    }
    if restart.notification {
        said += ", after a NOTIFICATION too";
    }
    said
}

fn times(count: u64) -> String {
    match count {
        0 => "never".into(),
        1 => "once".into(),
        _ => counted(count, "time"),
    }
}

/// Messages each way: UPDATEs first, then what else there was.
fn traffic(out: &mut impl Write, messages: &MessagesLine) -> io::Result<()> {
    for (title, way) in [("received", &messages.received), ("sent", &messages.sent)] {
        let count = |kind: MessageKind| way.by_type.get(kind.slug()).copied().unwrap_or_default();
        let mut said = vec![counted(count(MessageKind::Update), "UPDATE")];
        for (kind, name) in [
            (MessageKind::Keepalive, "KEEPALIVE"),
            (MessageKind::RouteRefresh, "ROUTE-REFRESH"),
            (MessageKind::Notification, "NOTIFICATION"),
            (MessageKind::Open, "OPEN"),
        ] {
            let count = count(kind);
            said.extend((count > 0).then(|| counted(count, name)));
        }
        item(out, title, format_args!("{}; {}", said.join(", "), counted(way.octets, "octet")))?;
    }
    Ok(())
}

/// Every limit of prefixes, and how it stands to them.
fn limits(out: &mut impl Write, peer: &PeerLine) -> io::Result<()> {
    for (at, LimitLine { limit, most, held }) in peer.limits.iter().enumerate() {
        let title = if at == 0 { "limits" } else { "" };
        item(out, title, format_args!("{} of {} ({limit})", signed(*held), signed((*most).into())))?;
    }
    if peer.near_limit || peer.limit_warnings > 0 || peer.limits_reached > 0 {
        let near = if peer.near_limit { "near a limit now, " } else { "" };
        let (warnings, reached) = (times(peer.limit_warnings), times(peer.limits_reached));
        item(out, "", format_args!("{near}{warnings} near one, {reached} beyond"))?;
    }
    if peer.dropped > 0 {
        let dropped = counted(peer.dropped.unsigned_abs(), "announcement");
        item(out, "", format_args!("{dropped} left out"))?;
    }
    Ok(())
}

/// The most frequent reason first.
fn reasons(out: &mut impl Write, title: &str, counts: &BTreeMap<String, i64>) -> io::Result<()> {
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(slug, count)| (-**count, *slug));
    for (at, (slug, count)) in counts.into_iter().enumerate() {
        let title = if at == 0 { title } else { "" };
        item(out, title, format_args!("{} {slug}", signed(*count)))?;
    }
    Ok(())
}
