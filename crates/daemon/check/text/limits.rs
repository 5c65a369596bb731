//! What holds of limits, and who chose them.

use std::time::Duration;

use crate::check::peer::{LimitsOutline, PeerOutline};
use crate::config::shown;

/// What follows from one prefix too many.
pub(super) fn beyond(peer: &PeerOutline) -> String {
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
pub(super) fn chosen(limits: &LimitsOutline) -> String {
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
pub(super) fn registered(limits: &LimitsOutline) -> String {
    let longer = if limits.longer_is_registered { ", or one for a shorter prefix" } else { "" };
    let valid = if limits.rpki_valid_is_registered { ", or what is RPKI-valid" } else { "" };
    format!("what a route object names{longer}{valid}")
}
