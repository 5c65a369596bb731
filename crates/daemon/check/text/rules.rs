//! The operator's own rules, and networks that are protected.

use super::page::{line, some, table};
use crate::check::rules::{PeerlockOutline, RuleOutline};

/// What the operator's own rules ask, and of whom.
pub(super) fn explain(out: &mut String, rules: &[RuleOutline]) {
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
pub(super) fn peerlock(lock: &PeerlockOutline) -> String {
    let upstreams = lock.upstreams.iter().map(|asn| format!("AS{asn}"));
    let from: Vec<String> = lock.allowed_from.iter().cloned().chain(upstreams).collect();
    match from.len() {
        0 => format!("AS{} from itself alone", lock.asn),
        _ => format!("AS{} from itself, {}", lock.asn, from.join(", ")),
    }
}
