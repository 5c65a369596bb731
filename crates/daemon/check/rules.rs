//! The operator's own rules and peerlocks, as `palisade check` shows them.

use palisade_policy::Rule;
use serde::Serialize;

use crate::config::{Config, Peerlock};
use crate::judging::tables;

/// A `[[rule]]`.
#[derive(Debug, Serialize)]
pub(super) struct RuleOutline {
    pub(super) name: String,
    pub(super) mode: &'static str,
    /// The keys of what must hold.
    pub(super) conditions: Vec<&'static str>,
    /// The keys of what is changed.
    pub(super) changes: Vec<&'static str>,
    pub(super) action: &'static str,
    /// The peers that it is about.
    pub(super) peers: Vec<String>,
}

/// A `[[peerlock]]`.
#[derive(Debug, Serialize)]
pub(super) struct PeerlockOutline {
    pub(super) asn: u32,
    pub(super) allowed_from: Vec<String>,
    pub(super) upstreams: Vec<u32>,
}

/// Every rule, in the order in which they are asked.
pub(super) fn outlines(config: &Config) -> Vec<RuleOutline> {
    let asked = tables::own(config).rules;
    let written = asked.iter().zip(&config.rules);
    let outline = |((_, asked), written): ((_, &Rule), &crate::config::Rule)| {
        let on_path = asked.path.iter().map(|condition| condition.name());
        let on_prefix = asked.prefix.iter().map(|condition| condition.name());
        let peers = config.peers.iter().filter(|peer| written.scope.has(peer));
        RuleOutline {
            name: asked.name.clone(),
            mode: asked.mode.slug(),
            conditions: on_path.chain(on_prefix).collect(),
            changes: asked.edits.names(),
            action: asked.action.slug(),
            peers: peers.map(|peer| peer.name.clone()).collect(),
        }
    };
    written.map(outline).collect()
}

impl PeerlockOutline {
    pub(super) fn new(lock: &Peerlock) -> Self {
        PeerlockOutline {
            asn: lock.asn.0,
            allowed_from: lock.allowed_from.iter().map(|name| name.get_ref().clone()).collect(),
            upstreams: lock.upstreams.iter().map(|asn| asn.0).collect(),
        }
    }
}
