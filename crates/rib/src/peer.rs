//! The peers whose sessions are up, as the table knows them.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use foldhash::fast::FixedState;
use palisade_bgp::attributes::{Community, LargeCommunity};
use palisade_bgp::{Asn, Family};
use palisade_policy::{ActionScheme, Mode, Peer, Reason, Region, Role, Wishes};

use crate::counters::{Counts, PeerCounters};
use crate::decision::Ranking;
use crate::export::ExportView;
use crate::offer::Depth;
use crate::path::PeerIndex;
use crate::prefix_limits::{PrefixLimits, Room};

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
    /// How many paths it may have.
    pub limits: PrefixLimits,
    /// What is added to its paths on their way out; `None` adds nothing.
    pub tags: Option<Arc<Tags>>,
}

/// Communities that tell others where we have a path from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// Those of RFC 1997.
    pub communities: Vec<Community>,
    /// Those of RFC 8092.
    pub large: Vec<LargeCommunity>,
}

/// What may change for a peer while its session stays up, beside how its paths are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// [`Ranking::local_preference`].
    pub local_preference: u32,
    /// [`RibPeer::limits`].
    pub limits: PrefixLimits,
    /// [`RibPeer::tags`].
    pub tags: Option<Arc<Tags>>,
    /// [`Ranking::shutting_down`] and [`ExportView::shutting_down`].
    pub shutting_down: bool,
}

impl RibPeer {
    /// Whether its paths are ranked and told of in the same way as another's.
    pub(crate) fn is_told_of_like(&self, other: &RibPeer) -> bool {
        self.ranking == other.ranking
            && self.tags == other.tags
            && (self.policy.asn, self.policy.role) == (other.policy.asn, other.policy.role)
            && self.policy.regions == other.policy.regions
            && self.policy.reflector == other.policy.reflector
    }

    /// What it is sent of a family.
    pub fn export(&self, family: Family) -> Option<ExportView> {
        self.export[family.index()]
    }
}

/// All peers, by their number, and what can be asked for about them.
#[derive(Clone, Debug)]
pub(crate) struct Peers {
    peers: Vec<Option<Known>>,
    /// Whom communities can name: external peers by their AS, and by the regions they are in.
    members: HashMap<Asn, Vec<PeerIndex>, FixedState>,
    regions: HashMap<Region, Vec<PeerIndex>, FixedState>,
    /// Those inside our AS, whom no community speaks of.
    internal: Vec<PeerIndex>,
    depth: Depth,
    actions: Option<Arc<ActionScheme>>,
    /// How what we originate is judged; it isn't where there is none.
    ours: Option<Arc<Peer>>,
    ours_version: u32,
    /// Stands for the router itself, and for a peer that has gone.
    local: Ranking,
}

#[derive(Clone, Debug)]
struct Known {
    peer: RibPeer,
    /// How many times all of its policy has changed: a part of [`Stamp`](crate::judgement::Stamp).
    policy_version: u32,
}

impl Peers {
    pub(crate) fn new(actions: Option<Arc<ActionScheme>>) -> Self {
        let address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        // Our own announcements win over any that is heard.
        let local = Ranking {
            local_preference: u32::MAX,
            shutting_down: false,
            internal: true,
            router_id: 0,
            address,
        };
        Peers {
            peers: Vec::new(),
            members: HashMap::default(),
            regions: HashMap::default(),
            internal: Vec::new(),
            depth: Depth::default(),
            actions,
            ours: None,
            ours_version: 0,
            local,
        }
    }

    pub(crate) fn insert(&mut self, index: PeerIndex, peer: RibPeer) {
        if self.peers.len() <= index.index() {
            self.peers.resize(index.index() + 1, None);
        }
        let before = self.peers[index.index()].take();
        if let Some(before) = &before {
            self.unname(index, &before.peer.policy);
        }
        let policy_version = before.map_or(0, |before| {
            // What was kept of its last session was judged by that one's policy.
            before.policy_version.wrapping_add(u32::from(before.peer.policy != peer.policy))
        });
        self.name(index, &peer.policy);
        self.peers[index.index()] = Some(Known { peer, policy_version });
        self.note_depth();
    }

    /// Sends a peer nothing any more, whose paths are kept.
    pub(crate) fn silence(&mut self, index: PeerIndex) {
        if let Some(known) = self.peers.get_mut(index.index()).and_then(Option::as_mut) {
            known.peer.export = [None; 2];
        }
        self.note_depth();
    }

    pub(crate) fn remove(&mut self, index: PeerIndex) {
        let Some(Known { peer, .. }) = self.peers.get_mut(index.index()).and_then(Option::take) else {
            return;
        };
        self.unname(index, &peer.policy);
        self.note_depth();
    }

    /// Judges a peer's paths by another policy from now on. `anew` says that the path stage may say otherwise.
    pub(crate) fn set_policy(&mut self, index: PeerIndex, policy: Arc<Peer>, anew: bool) {
        if index == PeerIndex::LOCAL {
            self.ours = Some(policy);
            self.ours_version = self.ours_version.wrapping_add(1);
            return;
        }
        let Some(known) = self.peers.get_mut(index.index()).and_then(Option::as_mut) else { return };
        known.policy_version = known.policy_version.wrapping_add(u32::from(anew));
        let before = std::mem::replace(&mut known.peer.policy, Arc::clone(&policy));
        self.unname(index, &before);
        self.name(index, &policy);
    }

    /// Deals with a peer on other terms from now on.
    pub(crate) fn set_terms(&mut self, index: PeerIndex, terms: &Terms) {
        let Some(known) = self.peers.get_mut(index.index()).and_then(Option::as_mut) else { return };
        known.peer.ranking.local_preference = terms.local_preference;
        known.peer.ranking.shutting_down = terms.shutting_down;
        known.peer.export.iter_mut().flatten().for_each(|view| view.shutting_down = terms.shutting_down);
        known.peer.limits = terms.limits;
        known.peer.tags = terms.tags.clone();
    }

    pub(crate) fn set_actions(&mut self, actions: Option<Arc<ActionScheme>>) {
        self.actions = actions;
    }

    fn name(&mut self, index: PeerIndex, policy: &Peer) {
        match policy.role {
            None => {}
            Some(Role::Internal) => self.internal.push(index),
            Some(_) => {
                self.members.entry(policy.asn).or_default().push(index);
                let regions = policy.regions.iter();
                regions.for_each(|region| self.regions.entry(*region).or_default().push(index));
            }
        }
    }

    fn unname(&mut self, index: PeerIndex, policy: &Peer) {
        self.internal.retain(|peer| *peer != index);
        leave(&mut self.members, &policy.asn, index);
        policy.regions.iter().for_each(|region| leave(&mut self.regions, region, index));
    }

    fn note_depth(&mut self) {
        let views = self.peers.iter().flatten().flat_map(|known| known.peer.export.iter().flatten());
        self.depth = views.map(ExportView::depth).max().unwrap_or_default();
    }

    pub(crate) fn peer(&self, index: PeerIndex) -> Option<&RibPeer> {
        self.peers.get(index.index()).and_then(Option::as_ref).map(|known| &known.peer)
    }

    /// What room a peer has for more paths of a family that it says.
    pub(crate) fn room(&self, index: PeerIndex, family: Family) -> Room {
        self.peer(index)
            .map_or(Room::UNLIMITED, |peer| Room::of(&peer.limits, family, peer.counters.counts()))
    }

    /// What room it has among those that are stale or among the others, with those that its counters don't know of yet.
    pub(crate) fn room_among(
        &self,
        index: PeerIndex,
        family: Family,
        stale: bool,
        uncounted: Counts,
    ) -> Room {
        let Some(peer) = self.peer(index) else { return Room::UNLIMITED };
        let counted = if stale { peer.counters.stale() } else { peer.counters.counts() };
        Room::of(&peer.limits, family, counted.plus(uncounted))
    }

    /// The numbers of those that are up.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = PeerIndex> {
        let numbered = (0..=u16::MAX).map(PeerIndex).zip(&self.peers);
        numbered.filter(|(_, peer)| peer.is_some()).map(|(number, _)| number)
    }

    pub(crate) fn policy(&self, index: PeerIndex) -> Option<&Peer> {
        self.judged_by(index).map(|(policy, _)| policy)
    }

    /// How a peer's paths are judged, and how many times that has changed.
    #[inline]
    pub(crate) fn judged_by(&self, index: PeerIndex) -> Option<(&Peer, u32)> {
        match self.peers.get(index.index()).and_then(Option::as_ref) {
            Some(known) => Some((&*known.peer.policy, known.policy_version)),
            None if index == PeerIndex::LOCAL => self.ours.as_deref().map(|ours| (ours, self.ours_version)),
            None => None,
        }
    }

    /// Whether what a peer may originate depends on a set of AS numbers that changes: of those who announce the whole table it
    /// does not.
    pub(crate) fn is_held_to_origins(&self, index: PeerIndex) -> bool {
        self.peer(index).is_some_and(|peer| match peer.policy.role {
            Some(Role::Customer | Role::RsClient) => true,
            Some(Role::Peer) => {
                let mode = peer.policy.checks.mode(Reason::IrrOriginNotInAsSet);
                peer.policy.origins.is_some() || mode != Mode::Off
            }
            _ => false,
        })
    }

    /// Those inside our AS.
    pub(crate) fn internal(&self) -> &[PeerIndex] {
        &self.internal
    }

    pub(crate) fn ranking(&self, index: PeerIndex) -> &Ranking {
        self.peer(index).map_or(&self.local, |peer| &peer.ranking)
    }

    /// How many of a prefix's paths somebody wants to hear of.
    pub(crate) fn depth(&self) -> Depth {
        self.depth
    }

    /// What customers and members of an exchange may ask for.
    pub(crate) fn actions(&self) -> Option<&ActionScheme> {
        self.actions.as_deref()
    }

    /// The peers that a path's wishes name, by their AS or a region; one that is named twice comes twice.
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
