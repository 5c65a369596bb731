//! The peers whose sessions are up, as the table knows them.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use palisade_bgp::Family;
use palisade_policy::{Peer, Source};

use crate::counters::PeerCounters;
use crate::decision::Ranking;
use crate::export::ExportView;
use crate::path::PeerIndex;

/// A peer with a session: how its paths are judged and ranked, and what it is sent.
#[derive(Clone, Debug)]
pub struct RibPeer {
    /// The judge's view of it.
    pub policy: Arc<Peer>,
    /// The decision process's view of it.
    pub ranking: Ranking,
    /// What it is sent, by family; `None` sends nothing of a family.
    pub export: [Option<ExportView>; 2],
    /// Its numbers, shared by all shards.
    pub counters: Arc<PeerCounters>,
    /// Paths it may have in the Adj-RIB-In before the session is ended.
    pub max_prefixes: Option<u32>,
}

impl RibPeer {
    /// What it is sent of a family.
    pub fn export(&self, family: Family) -> Option<ExportView> {
        self.export[family.index()]
    }
}

/// All peers, by their number.
#[derive(Debug)]
pub(crate) struct Peers {
    peers: Vec<Option<RibPeer>>,
    /// Stands for the router itself, and for a peer that has gone.
    local: Ranking,
}

impl Peers {
    pub(crate) fn new() -> Self {
        let address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        // Our own announcements win over any that is heard.
        let local = Ranking { local_preference: u32::MAX, internal: true, router_id: 0, address };
        Peers { peers: Vec::new(), local }
    }

    pub(crate) fn insert(&mut self, index: PeerIndex, peer: RibPeer) {
        if self.peers.len() <= index.index() {
            self.peers.resize(index.index() + 1, None);
        }
        self.peers[index.index()] = Some(peer);
    }

    pub(crate) fn remove(&mut self, index: PeerIndex) -> Option<RibPeer> {
        self.peers.get_mut(index.index()).and_then(Option::take)
    }

    pub(crate) fn peer(&self, index: PeerIndex) -> Option<&RibPeer> {
        self.peers.get(index.index()).and_then(Option::as_ref)
    }

    pub(crate) fn policy(&self, index: PeerIndex) -> Option<&Peer> {
        self.peer(index).map(|peer| &*peer.policy)
    }

    /// Where a peer's paths come from, in the words of export policy; `None` for a peer without a role.
    pub(crate) fn source(&self, index: PeerIndex) -> Option<Source> {
        match index {
            PeerIndex::LOCAL => Some(Source::Local),
            _ => self.policy(index).and_then(|peer| peer.role).map(Source::Peer),
        }
    }

    pub(crate) fn ranking(&self, index: PeerIndex) -> &Ranking {
        self.peer(index).map_or(&self.local, |peer| &peer.ranking)
    }
}
