//! What a configuration comes to, for people.

mod actions;
mod bogons;
mod limits;
mod members;
pub(super) mod page;
mod peer;
mod peeringdb;
mod rpki;
mod rules;

use super::report::{Outline, RangeOutline, Report, RouterOutline};
use page::{count, item, line, some};

/// The number of the table that has a name.
const MAIN: u32 = 254;

/// What would run. Empty for a report of errors, which are told elsewhere.
pub(super) fn summary(report: &Report) -> String {
    let mut out = String::new();
    let Some(outline) = &report.outline else { return out };
    let explained = outline.peers.iter().any(|peer| peer.checks.is_some());
    head(&mut out, outline);
    if let Some(actions) = &outline.actions {
        actions::explain(&mut out, actions);
    }
    if explained {
        rules::explain(&mut out, &outline.rules);
        outline.peers.iter().for_each(|peer| peer::explain(&mut out, peer));
    } else if !outline.peers.is_empty() {
        out += "\n";
        peer::list(&mut out, &outline.peers);
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
    rpki::print(out, &outline.rpki);
    for (at, line) in outline.irr.lines().iter().enumerate() {
        item(out, if at == 0 { "IRR" } else { "" }, line);
    }
    if let Some(kept) = outline.irr.kept() {
        item(out, "IRR data is", kept);
    }
    if !outline.bogons.prefix_files.is_empty() || outline.bogons.asn_file.is_some() {
        item(out, "bogons", bogons::in_words(&outline.bogons));
    }
    if let Some(peeringdb) = &outline.peeringdb {
        let sources = peeringdb.sources.iter().map(peeringdb::in_words).collect::<Vec<_>>();
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
        item(out, "actions", actions::in_words(actions));
    }
    if let Some(members) = &outline.members {
        members::print(out, members);
    }
    if !outline.peerlocks.is_empty() {
        let locks: Vec<String> = outline.peerlocks.iter().map(rules::peerlock).collect();
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
