//! What peers need of the registry, for servers that are asked and not mirrored.

use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_policy::as_set::Member;
use palisade_policy::{Mode, Reason};

use crate::config::{Config, Peer, PeerRange};
use crate::judging;

/// The as-sets that peers name, and the AS numbers of those that are held to the registry and name none. Each once.
pub(crate) fn wanted(config: &Config, peers: &[Peer]) -> Arc<[Member]> {
    let mut seen = BTreeSet::new();
    // What guests of a range will need is there when they come.
    let guests = config.ranges.iter().flat_map(PeerRange::alike);
    let all = peers.iter().chain(guests).flat_map(|peer| of_peer(config, peer));
    all.filter(|member| seen.insert(shown(member))).collect()
}

fn of_peer(config: &Config, peer: &Peer) -> Vec<Member> {
    match &peer.as_set {
        Some(names) => names.split_whitespace().filter_map(|name| name.parse().ok()).collect(),
        None if is_held_to_it(config, peer) => vec![Member::Asn(peer.asn)],
        None => Vec::new(),
    }
}

fn is_held_to_it(config: &Config, peer: &Peer) -> bool {
    peer.role.is_some_and(|role| {
        let modes = judging::check_modes(config, peer, role);
        modes.iter().any(|check| check.reason == Reason::IrrPrefixNotRegistered && check.mode != Mode::Off)
    })
}

fn shown(member: &Member) -> String {
    match member {
        Member::Asn(asn) => asn.to_string(),
        Member::Set(name) => name.to_string(),
    }
}
