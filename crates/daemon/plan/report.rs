//! What a plan comes to, for a person and for a program.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::ledger::{Kind, Ledger};
use crate::terminal::grouped;

/// Peers that are named under a reason.
const PEERS_NAMED: usize = 10;
/// Columns that names take, and numbers.
const NAMES: usize = 44;
const NUMBERS: usize = 13;

/// What a plan comes to.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    from: String,
    to: String,
    /// Announcements that were judged by both.
    judged: u64,
    /// Whether anything changes that somebody could notice.
    pub(super) changes: bool,
    newly_rejected: Counts,
    newly_accepted: Counts,
    changed_attributes: Counts,
    /// Rejected as before, for another reason.
    other_reason: Counts,
    /// Whether there are more changes than are told apart.
    at_least: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    routes: Option<Vec<Route>>,
}

/// How many routes, and by what and by whom.
#[derive(Debug, Serialize)]
struct Counts {
    total: u64,
    by_reason: BTreeMap<String, BTreeMap<String, u64>>,
    by_peer: BTreeMap<String, u64>,
}

/// A route that changes.
#[derive(Debug, Serialize)]
struct Route {
    change: Kind,
    prefix: String,
    peer: String,
    #[serde(skip_serializing_if = "is_zero")]
    path_id: u32,
    as_path: String,
    /// The reason it is or was rejected for, or what is different.
    why: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}

impl Report {
    pub(super) fn new(from: &str, to: &str, ledger: &Ledger, lists: bool) -> Self {
        let [newly_rejected, newly_accepted, changed_attributes, other_reason] =
            [Kind::Rejected, Kind::Accepted, Kind::Attributes, Kind::Reason]
                .map(|kind| Counts::new(ledger.counts(kind)));
        Report {
            from: from.into(),
            to: to.into(),
            judged: ledger.judged,
            changes: newly_rejected.total + newly_accepted.total + changed_attributes.total > 0,
            newly_rejected,
            newly_accepted,
            changed_attributes,
            other_reason,
            at_least: ledger.is_full,
            routes: lists.then(|| routes(ledger)),
        }
    }

    pub(super) fn json(&self) -> String {
        // A report has nothing in it that JSON can't say.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

fn routes(ledger: &Ledger) -> Vec<Route> {
    let route = |(key, changed): (&super::ledger::RouteKey, &super::ledger::Changed)| Route {
        change: changed.kind,
        prefix: key.prefix.to_string(),
        peer: ledger.peer(key).into(),
        path_id: key.path_id,
        as_path: changed.as_path.as_deref().unwrap_or_default().into(),
        why: ledger.why(changed).into(),
    };
    ledger.routes().into_iter().map(route).collect()
}

impl Counts {
    fn new(by_reason: BTreeMap<String, BTreeMap<String, u64>>) -> Self {
        let mut by_peer = BTreeMap::new();
        for (peer, count) in by_reason.values().flatten() {
            *by_peer.entry(peer.clone()).or_default() += count;
        }
        Counts { total: by_peer.values().sum(), by_reason, by_peer }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        row(f, 0, name, self.total)?;
        for (reason, peers) in most_first(&self.by_reason, |peers| peers.values().sum()) {
            row(f, 1, reason, peers.values().sum())?;
            let peers: Vec<_> = most_first(peers, |count| *count);
            for (peer, count) in peers.iter().take(PEERS_NAMED) {
                row(f, 2, peer, **count)?;
            }
            if peers.len() > PEERS_NAMED {
                let rest = peers[PEERS_NAMED..].iter().map(|(_, count)| **count).sum();
                row(f, 2, &format!("{} other peers", peers.len() - PEERS_NAMED), rest)?;
            }
        }
        Ok(())
    }
}

fn most_first<V>(counts: &BTreeMap<String, V>, count: impl Fn(&V) -> u64) -> Vec<(&String, &V)> {
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(_, value)| std::cmp::Reverse(count(value)));
    counts
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { from, to, judged, .. } = self;
        writeln!(f, "{} announcements, judged by {from} and by {to}\n", grouped(*judged))?;
        self.newly_rejected.write(f, "newly rejected")?;
        self.newly_accepted.write(f, "newly accepted, which were rejected for")?;
        self.changed_attributes.write(f, "accepted with other attributes")?;
        if self.other_reason.total > 0 {
            self.other_reason.write(f, "rejected as before, for another reason")?;
        }
        if self.at_least {
            writeln!(f, "\nThere are more changes than can be told apart: these are the least.")?;
        }
        if !self.changes {
            writeln!(f, "\nNothing changes.")?;
        }
        for (at, route) in self.routes.iter().flatten().enumerate() {
            let Route { prefix, peer, as_path, why, .. } = route;
            let sign = match route.change {
                Kind::Rejected => "-",
                Kind::Accepted => "+",
                Kind::Attributes => "~",
                Kind::Reason => "=",
            };
            let gap = if at == 0 { "\n" } else { "" };
            writeln!(f, "{gap}{sign} {prefix}|{peer}|{as_path}|{why}")?;
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, depth: usize, name: &str, count: u64) -> fmt::Result {
    let indent = 2 + depth * 2;
    writeln!(f, "{:indent$}{name:<width$}{:>NUMBERS$}", "", grouped(count), width = NAMES - indent)
}
