//! `palisade show peers`: a line a peer, or all there is to say of one.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::summary::signed;
use super::text::{Columns, Side, duration, harmless, item};
use super::{Array, ShowError, ask, print_json, unasked};
use crate::control::answer::{LimitLine, Line, PeerLine, StaleLine, TransportLine};
use crate::control::request::Request;

/// Letters of the last fault in the table; all of it is shown of one peer.
const FAULT_SHOWN: usize = 32;

/// What `show peers` is asked.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Show all of the peer of that name, with its rejected routes by reason
    name: Option<String>,
}

pub(super) fn show(
    arguments: &super::Arguments,
    what: &Arguments,
    out: &mut impl Write,
) -> Result<(), ShowError> {
    let request = Request::Peers { name: what.name.clone() };
    let mut peers = Vec::new();
    ask(arguments, &request, |line| {
        let Line::Peer(peer) = line else { return Err(unasked()) };
        peers.push(peer);
        Ok(())
    })?;
    match (arguments.json, what.name.is_some()) {
        (true, true) => peers.iter().try_for_each(|peer| print_json(out, peer))?,
        (true, false) => {
            let mut array = Array::new(out);
            peers.iter().try_for_each(|peer| array.push(peer))?;
            array.end()?;
        }
        (false, true) => peers.iter().try_for_each(|peer| print(out, peer))?,
        (false, false) => table(out, &peers)?,
    }
    Ok(())
}

fn table(out: &mut impl Write, peers: &[Box<PeerLine>]) -> io::Result<()> {
    use Side::{Left, Right};
    const SIDES: [Side; 9] = [Left, Right, Left, Left, Right, Right, Right, Right, Left];
    let head = ["peer", "AS", "address", "state", "for", "received", "accepted", "rejected", "last fault"];
    let rows: Vec<_> =
        std::iter::once(head.map(String::from)).chain(peers.iter().map(|peer| row(peer))).collect();
    let columns = Columns::fit(SIDES, &rows);
    rows.iter().try_for_each(|row| columns.write(out, row))
}

fn row(peer: &PeerLine) -> [String; 9] {
    let is_up = peer.state == "Established";
    // What ended an earlier session is of no interest while there is one, or while what it said is still kept.
    let fault = match kept(peer) {
        Some(kept) => kept,
        None => peer.last_fault.as_deref().filter(|_| !is_up).map(harmless).unwrap_or_default(),
    };
    let cut = if fault.chars().count() > FAULT_SHOWN { ".." } else { "" };
    [
        peer.name.clone(),
        peer.asn.to_string(),
        peer.address.clone(),
        peer.state.clone(),
        duration(peer.lasts_s),
        signed(peer.received),
        signed(peer.accepted),
        signed(peer.rejected),
        fault.chars().take(FAULT_SHOWN).collect::<String>() + cut,
    ]
}

fn print(out: &mut impl Write, peer: &PeerLine) -> io::Result<()> {
    item(out, "peer", format_args!("{}, AS{}, {}", peer.name, peer.asn, peer.address))?;
    item(out, "role", peer.role.as_deref().unwrap_or("none: nothing is exchanged (RFC 8212)"))?;
    item(out, "session", format_args!("{} for {}", peer.state, duration(peer.lasts_s)))?;
    item(out, "connection", connection(&peer.transport))?;
    if let Some(held) = &peer.held_down {
        let until = match held.begins_in_s {
            Some(seconds) => format!("begins anew in {}", duration(seconds)),
            None => "until it is freed".into(),
        };
        item(out, "kept down", format_args!("{}; {until}", harmless(&held.why)))?;
    }
    if !peer.agreed.is_empty() {
        item(out, "agreed on", peer.agreed.join(", "))?;
    }
    let attempts = attempts(peer);
    if !attempts.is_empty() {
        item(out, "next attempt", attempts)?;
    }
    for (family, StaleLine { phase, left_s }) in &peer.stale_by_family {
        item(out, "", format_args!("{family} {phase}, {left_s} s left"))?;
    }
    if let Some(fault) = &peer.last_fault {
        item(out, "last fault", harmless(fault))?;
    }
    item(out, "UPDATEs", format_args!("{} received", peer.updates_received))?;
    item(out, "routes", format_args!("{} received", signed(peer.received)))?;
    if peer.stale != 0 {
        item(out, "", format_args!("{} stale: it is yet to say them again", signed(peer.stale)))?;
    }
    item(out, "", format_args!("{} accepted", signed(peer.accepted)))?;
    item(out, "", format_args!("{} rejected", signed(peer.rejected)))?;
    limits(out, peer)?;
    let rpki = peer.rpki.iter().filter(|(_, count)| **count != 0);
    let rpki: Vec<_> = rpki.map(|(state, count)| format!("{} {state}", signed(*count))).collect();
    item(out, "RPKI", rpki.join(", "))?;
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

/// Every limit of prefixes, and how it stands to them.
fn limits(out: &mut impl Write, peer: &PeerLine) -> io::Result<()> {
    for (at, LimitLine { limit, most, held }) in peer.limits.iter().enumerate() {
        let title = if at == 0 { "limits" } else { "" };
        item(out, title, format_args!("{} of {} ({limit})", signed(*held), signed((*most).into())))?;
    }
    if peer.near_limit || peer.limit_warnings > 0 || peer.limits_reached > 0 {
        let near = if peer.near_limit { "near a limit now, " } else { "" };
        let (warnings, reached) = (peer.limit_warnings, peer.limits_reached);
        item(out, "", format_args!("{near}{warnings} times near one, {reached} times beyond"))?;
    }
    if peer.dropped > 0 {
        item(out, "", format_args!("{} announcements left out", signed(peer.dropped)))?;
    }
    Ok(())
}

/// What is kept that the peer has not said again, and for how long: `restarting, 1,234 stale, 97 s left`.
fn kept(peer: &PeerLine) -> Option<String> {
    // Both families are mostly in the same phase; the one that is over first says what is next.
    let StaleLine { phase, left_s } = peer.stale_by_family.values().min_by_key(|line| line.left_s)?;
    Some(format!("{phase}, {} stale, {left_s} s left", signed(peer.stale)))
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
