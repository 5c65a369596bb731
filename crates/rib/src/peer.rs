//! The peers whose sessions are up, as the table knows them.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use foldhash::fast::FixedState;
use palisade_bgp::{Asn, Family};
use palisade_policy::{ActionScheme, Peer, Region, Role, Source, Wishes};

use crate::counters::PeerCounters;
use crate::decision::Ranking;
use crate::export::ExportView;
use crate::offer::Depth;
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

/// All peers, by their number, and what those of them that are members of an exchange may ask for.
#[derive(Debug)]
pub(crate) struct Peers {
    peers: Vec<Option<RibPeer>>,
    /// Members of an exchange by their AS, and by the regions they are in.
    members: HashMap<Asn, Vec<PeerIndex>, FixedState>,
    regions: HashMap<Region, Vec<PeerIndex>, FixedState>,
    depth: Depth,
    actions: Option<Arc<ActionScheme>>,
    /// Stands for the router itself, and for a peer that has gone.
    local: Ranking,
}

impl Peers {
    pub(crate) fn new(actions: Option<Arc<ActionScheme>>) -> Self {
        let address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        // Our own announcements win over any that is heard.
        let local = Ranking { local_preference: u32::MAX, internal: true, router_id: 0, address };
        Peers {
            peers: Vec::new(),
            members: HashMap::default(),
            regions: HashMap::default(),
            depth: Depth::default(),
            actions,
            local,
        }
    }

    pub(crate) fn insert(&mut self, index: PeerIndex, peer: RibPeer) {
        if self.peers.len() <= index.index() {
            self.peers.resize(index.index() + 1, None);
        }
        if peer.policy.role == Some(Role::RsClient) {
            self.members.entry(peer.policy.asn).or_default().push(index);
            let regions = peer.policy.regions.iter();
            regions.for_each(|region| self.regions.entry(*region).or_default().push(index));
        }
        self.peers[index.index()] = Some(peer);
        self.note_depth();
    }

    pub(crate) fn remove(&mut self, index: PeerIndex) {
        let Some(peer) = self.peers.get_mut(index.index()).and_then(Option::take) else { return };
        leave(&mut self.members, &peer.policy.asn, index);
        peer.policy.regions.iter().for_each(|region| leave(&mut self.regions, region, index));
        self.note_depth();
    }

    fn note_depth(&mut self) {
        let views = self.peers.iter().flatten().flat_map(|peer| peer.export.iter().flatten());
        self.depth = views.map(ExportView::depth).max().unwrap_or_default();
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

    /// How many of a prefix's paths somebody wants to hear of.
    pub(crate) fn depth(&self) -> Depth {
        self.depth
    }

    /// What members of an exchange may ask for.
    pub(crate) fn actions(&self) -> Option<&ActionScheme> {
        self.actions.as_deref()
    }

    /// The members that a path's wishes name, by their AS or a region; one that is named twice comes twice.
    pub(crate) fn named_by(&self, wishes: &Wishes) -> impl Iterator<Item = (PeerIndex, &Peer)> {
        let by_asn = wishes.named_peers().filter_map(|asn| self.members.get(&asn)).flatten();
        let by_region = wishes.named_regions().filter_map(|region| self.regions.get(&region)).flatten();
        by_asn.chain(by_region).filter_map(|index| Some((*index, self.policy(*index)?)))
    }
}

fn leave<K: Eq + Hash>(places: &mut HashMap<K, Vec<PeerIndex>, FixedState>, key: &K, index: PeerIndex) {
    if let Some(peers) = places.get_mut(key) {
        peers.retain(|peer| *peer != index);
        if peers.is_empty() {
            places.remove(key);
        }
    }
}
