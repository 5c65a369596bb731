//! `palisade show summary`.

use std::io::{self, Write};

use super::text::{duration, item};
use super::{Arguments, ShowError, ask, print_json, unasked};
use crate::control::answer::{KernelLine, Line, SummaryLine};
use crate::control::request::Request;
use crate::terminal::{counted, grouped};

pub(super) fn show(arguments: &Arguments, out: &mut impl Write) -> Result<(), ShowError> {
    ask(arguments, &Request::Summary, |line| {
        let Line::Summary(summary) = line else { return Err(unasked()) };
        if arguments.json {
            print_json(out, &summary)?;
        } else {
            print(out, &summary)?;
        }
        Ok(())
    })?;
    Ok(())
}

fn print(out: &mut impl Write, summary: &SummaryLine) -> io::Result<()> {
    let SummaryLine { mode, asn, id, version, .. } = summary;
    item(out, mode, format_args!("AS{asn}, id {id}, palisade {version}"))?;
    item(out, "up for", duration(summary.uptime_s))?;
    item(out, "sessions up", format_args!("{} of {}", summary.peers_up, summary.peers_configured))?;
    let [v4, v6] = [summary.prefixes_ipv4, summary.prefixes_ipv6].map(count);
    item(out, "prefixes", format_args!("{v4} IPv4, {v6} IPv6"))?;
    let [received, accepted, rejected] =
        [summary.paths_received, summary.paths_accepted, summary.paths_rejected].map(signed);
    item(out, "paths", format_args!("{received} received, {accepted} accepted, {rejected} rejected"))?;
    let (v4, v6) = (summary.update_groups_ipv4, summary.update_groups_ipv6);
    item(out, "update groups", format_args!("{v4} IPv4, {v6} IPv6"))?;
    let [vrps, objects] = [(summary.vrps, "VRP"), (summary.route_objects, "route object")]
        .map(|(number, what)| counted(number as u64, what));
    item(out, "judged by", format_args!("{vrps}, {objects} (generation {})", summary.generation))?;
    match &summary.kernel {
        None => item(out, "kernel", "left alone"),
        Some(kernel) => item(out, "kernel", told(kernel)),
    }
}

fn told(kernel: &KernelLine) -> String {
    let wanted = counted(kernel.wanted as u64, "route");
    let mut text = format!("{} of {wanted} installed", count(kernel.installed));
    let rest = [
        (kernel.pending, "pending"),
        (kernel.unresolved, "without a next hop that can be reached"),
        (kernel.refused, "refused by the kernel"),
    ];
    for (number, what) in rest.into_iter().filter(|(number, _)| *number > 0) {
        text += &format!(", {} {what}", count(number));
    }
    text
}

fn count(number: usize) -> String {
    grouped(number as u64)
}

/// A count of paths; one that is read while it changes may be under 0 for a moment.
pub(super) fn signed(number: i64) -> String {
    grouped(number.max(0).unsigned_abs())
}
