//! What a peer may do, as it stands by the tables of one moment: all that can change while its session stays up.

use std::sync::Arc;
use std::time::Duration;

use palisade_bgp::AttributeCodes;
use palisade_policy::{ChangedSets, Dependencies, ExpansionLimits, Snapshot};
use palisade_rib::{Bounds, PrefixLimits, Tags, Terms};

use crate::config::{self, Action, Config, Peer, Setting};

/// What a peer may do, beside what its session is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PeerPolicy {
    /// The judge's view of it.
    pub(crate) judged: Arc<palisade_policy::Peer>,
    /// The degree of preference of its paths (RFC 4271 s9.1.1).
    pub(crate) local_preference: u32,
    /// How many paths it may have.
    pub(crate) limits: PrefixLimits,
    /// What follows from one more.
    pub(crate) excess: Excess,
    /// Whether its session is about to be shut down (RFC 8326).
    pub(crate) shutting_down: bool,
    /// Attributes that are taken off what it announces, unread.
    pub(crate) stripped: AttributeCodes,
    /// What is added to its paths on their way out.
    pub(crate) tags: Option<Arc<Tags>>,
    /// Its as-sets, as they are configured.
    pub(crate) as_set: Option<String>,
    /// The sets of the IRR that it would be different with.
    rests_on: Dependencies,
}

impl PeerPolicy {
    fn new(config: &Config, peer: &Peer, tables: &Snapshot) -> Self {
        PeerPolicy {
            judged: Arc::new(super::peer(config, peer, tables)),
            local_preference: peer.local_preference.value,
            limits: limits(peer),
            excess: Excess::of(&peer.prefix_limits),
            shutting_down: peer.graceful_shutdown,
            stripped: peer.stripped.value,
            tags: super::tags(config, peer),
            as_set: peer.as_set.clone(),
            rests_on: rests_on(peer, tables),
        }
    }

    /// How the table deals with it, beside what the judge says.
    pub(crate) fn terms(&self) -> Terms {
        Terms {
            local_preference: self.local_preference,
            limits: self.limits,
            tags: self.tags.clone(),
            shutting_down: self.shutting_down,
        }
    }
}

/// What follows from one path more than a peer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    /// The session ends, and begins anew after that time.
    Restart(Duration),
    /// The session ends, until somebody frees it.
    Down,
    /// The session goes on without what is more.
    DropNew,
}

impl Excess {
    fn of(limits: &config::PrefixLimits) -> Self {
        match limits.action.value {
            Action::Restart => Excess::Restart(limits.restart.value),
            Action::Down => Excess::Down,
            Action::DropNew => Excess::DropNew,
        }
    }
}

fn limits(peer: &Peer) -> PrefixLimits {
    let value = |limit: Option<Setting<u32>>| limit.map(|limit| limit.value);
    let limits = &peer.prefix_limits;
    PrefixLimits {
        received: Bounds { total: Some(peer.max_prefixes.value), family: limits.received.map(value) },
        accepted: Bounds { total: value(limits.accepted), family: limits.accepted_of.map(value) },
        warning_percent: limits.warning_percent.value,
    }
}

fn rests_on(peer: &Peer, tables: &Snapshot) -> Dependencies {
    let mut all = Dependencies::default();
    for name in peer.as_set.as_deref().unwrap_or_default().split_whitespace() {
        all.merge(&tables.irr.dependencies(name, &ExpansionLimits::default()));
    }
    all
}

/// What each of the peers may do by these tables, in their order. What is as it was `before` is the same `Arc`.
pub(crate) fn policies(
    config: &Config,
    peers: &[Peer],
    tables: &Snapshot,
    before: &[Arc<PeerPolicy>],
) -> Vec<Arc<PeerPolicy>> {
    let policy = |peer| known(PeerPolicy::new(config, peer, tables), before);
    peers.iter().map(policy).collect()
}

/// The same after these sets of the IRR have changed, and nothing else: only peers that rest on them are looked at.
pub(crate) fn policies_after(
    config: &Config,
    peers: &[Peer],
    tables: &Snapshot,
    changed: &ChangedSets,
    before: &[Arc<PeerPolicy>],
) -> Vec<Arc<PeerPolicy>> {
    let policy = |(peer, before): (&Peer, &Arc<PeerPolicy>)| match before.rests_on.are_touched_by(changed) {
        true => known(PeerPolicy::new(config, peer, tables), std::slice::from_ref(before)),
        false => Arc::clone(before),
    };
    peers.iter().zip(before).map(policy).collect()
}

/// The address tells peers apart.
fn known(policy: PeerPolicy, before: &[Arc<PeerPolicy>]) -> Arc<PeerPolicy> {
    let same = before.iter().find(|known| known.judged.address == policy.judged.address);
    same.filter(|known| ***known == policy).map_or_else(|| Arc::new(policy), Arc::clone)
}
