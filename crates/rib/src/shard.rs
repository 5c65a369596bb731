//! One shard of the routing table, as a machine without I/O or threads.
//!
//! A shard owns its prefixes wholly: every peer's paths to them, which is best, and what every peer is to be sent of
//! them. What happens goes in by method; what follows comes out at an [`Outbox`].
//!
//! ```text
//!   Batch, peer up/down, tables -->  judge, best path  --changes-->  update groups --> chunks for the peers
//!                                                          `------>  best_changed   --> FIB
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use palisade_bgp::Family;
use palisade_bgp::prefix::{Address, Net, Prefix};
use palisade_policy::{Peer, Snapshot};

use crate::attribute_set::AttributeSet;
use crate::chunk::Chunk;
use crate::counters::{Tallies, Tally};
use crate::forwarding::Gateway;
use crate::group::{Change, Source};
use crate::intake::{Batch, Section};
use crate::offer::offers;
use crate::path::{Path, PeerIndex};
use crate::peer::{Peers, RibPeer, Terms};
use crate::routes::Routes;
use crate::table::Table;
use crate::touched::{PolicyTouched, Touched};

/// Where a shard's results go.
pub trait Outbox {
    /// Whether a peer's queue takes another chunk.
    fn has_room(&self, peer: PeerIndex) -> bool;
    /// Whether a peer has nothing left to be written.
    fn is_drained(&self, peer: PeerIndex) -> bool;
    /// Queues a chunk for members of a group; each writes what it is [meant to](Chunk::slices_for).
    fn send(&mut self, members: &[PeerIndex], chunk: Arc<Chunk>);
    /// A peer has been sent all that the shard holds of a family, since it joined or since it asked for a refresh: the time for
    /// End-of-RIB (RFC 4724 s2), or for the end of the refresh (RFC 7313 s4).
    fn walked(&mut self, peer: PeerIndex, family: Family);
    /// What is on offer has changed: next hops for the FIB.
    fn best_changed<A: Address>(&mut self, changes: &[Change<A>]);
    /// A peer is near one of its limits, or was until now: its [`PeerCounters`](crate::PeerCounters) are worth a look.
    fn near_limit(&mut self, peer: PeerIndex);
}

/// A part of the prefixes of both families.
#[derive(Debug)]
pub struct Shard {
    peers: Peers,
    tables: Arc<Snapshot>,
    v4: Routes<u32>,
    v6: Routes<u128>,
    /// Peers whose sessions have ended and whose paths are not all gone.
    leaving: Vec<PeerIndex>,
    /// Peers that came near a limit as their paths were judged again, and whom nobody was told of.
    near: BTreeSet<PeerIndex>,
}

impl Shard {
    /// An empty shard that judges by `tables`.
    pub fn new(tables: Arc<Snapshot>) -> Self {
        let peers = Peers::new(tables.actions.clone());
        Shard {
            peers,
            tables,
            v4: Routes::default(),
            v6: Routes::default(),
            leaving: Vec::new(),
            near: BTreeSet::new(),
        }
    }

    /// Whether those who join are told nothing yet: a router that has just been restarted lets others keep what it told them before, until
    /// it has heard everybody and can tell them all that it has (RFC 4724 s4.1).
    pub fn set_deferred(&mut self, deferred: bool) {
        self.v4.groups.set_deferred(deferred);
        self.v6.groups.set_deferred(deferred);
    }

    /// A session has come up: its paths are expected, and it is sent the table. What is still held of its last session stays.
    pub fn peer_up(&mut self, index: PeerIndex, peer: RibPeer) {
        // A peer seldom returns so soon; then what of its paths is to go must be gone first.
        while self.is_removing(index) {
            self.work();
        }
        // All shards count changes of its policy from the same on, whether or not they have come to forget it.
        if let Some(at) = self.leaving.iter().position(|leaving| *leaving == index) {
            self.leaving.swap_remove(at);
            self.peers.remove(index);
        }
        if let Some(view) = peer.export(Family::Ipv4) {
            self.v4.groups.join(index, view);
        }
        if let Some(view) = peer.export(Family::Ipv6) {
            self.v6.groups.join(index, view);
        }
        if self.v4.turns.held(index) + self.v6.turns.held(index) == 0 {
            self.peers.insert(index, peer);
        } else {
            self.peer_back(index, peer);
        }
        if self.peers.is_held_to_origins(index) {
            self.v4.list_origins(index);
            self.v6.list_origins(index);
        }
    }

    /// A peer has come back of which paths were kept: they are judged, ranked and told of as its new session has it.
    fn peer_back(&mut self, index: PeerIndex, peer: RibPeer) {
        let (alike, judged_alike) = self
            .peers
            .peer(index)
            .map_or((false, false), |before| (before.is_told_of_like(&peer), before.policy == peer.policy));
        if alike {
            self.peers.insert(index, peer);
        } else {
            self.change_peers(|peers| peers.insert(index, peer), |peer| peer == index);
        }
        if !judged_alike {
            self.v4.judge_peer(index);
            self.v6.judge_peer(index);
        }
    }

    /// A session has ended: nothing is sent to it any more, and its paths go, as [`Shard::publish`] is called.
    pub fn peer_down(&mut self, index: PeerIndex) {
        self.peer_lost(index, [false; 2]);
    }

    /// A session has ended: nothing is sent to it any more. The paths of the families that are `retained` stay, and are stale
    /// until the peer says them again (RFC 4724 s4.2); those that were stale before go, and all of the other families.
    pub fn peer_lost(&mut self, index: PeerIndex, retained: [bool; 2]) {
        self.v4.groups.leave(index);
        self.v6.groups.leave(index);
        self.leaving.retain(|peer| *peer != index);
        if retained == [false; 2] {
            self.leaving.push(index);
        }
        let v4 = self.v4.lose_peer(index, retained[Family::Ipv4.index()]);
        let v6 = self.v6.lose_peer(index, retained[Family::Ipv6.index()]);
        self.count(index, &v4);
        self.count(index, &v6);
        self.peers.silence(index);
    }

    /// A peer is about to say all of a family again: what it has said so far is stale until then (RFC 7313 s4). Where stale paths
    /// are left, it is already saying all of it again, or has just done so: what has been said since then stands.
    pub fn mark_stale(&mut self, index: PeerIndex, family: Family) {
        let stale = match family {
            Family::Ipv4 => self.v4.mark_stale(index),
            Family::Ipv6 => self.v6.mark_stale(index),
        };
        self.count(index, &stale);
    }

    fn count(&self, index: PeerIndex, tally: &Tally) {
        if let Some(peer) = self.peers.peer(index) {
            peer.counters.add(tally);
        }
    }

    /// A peer has been away for longer than a restart takes: its stale paths of a family stay, as the last resort and marked as such, but for
    /// those that ask not to (RFC 9494 s4.2).
    pub fn make_long_lived(&mut self, index: PeerIndex, family: Family) {
        while self.is_removing(index) {
            self.work();
        }
        match family {
            Family::Ipv4 => self.v4.make_long_lived(index),
            Family::Ipv6 => self.v6.make_long_lived(index),
        }
    }

    /// A peer has said all of a family, or it need not be waited for any longer: its stale paths go, as [`Shard::publish`] is called.
    pub fn sweep_stale(&mut self, index: PeerIndex, family: Family) {
        match family {
            Family::Ipv4 => self.v4.sweep_stale(index),
            Family::Ipv6 => self.v6.sweep_stale(index),
        }
    }

    /// Whether a path is held though its peer has not said it again.
    pub fn is_stale(&self, family: Family, path: &Path) -> bool {
        match family {
            Family::Ipv4 => self.v4.turns.is_stale(path),
            Family::Ipv6 => self.v6.turns.is_stale(path),
        }
    }

    /// A peer asks for the table again (RFC 2918).
    pub fn refresh(&mut self, index: PeerIndex, family: Family) {
        match family {
            Family::Ipv4 => self.v4.groups.refresh(index),
            Family::Ipv6 => self.v6.groups.refresh(index),
        }
    }

    /// Takes what a peer said.
    pub fn apply(&mut self, batch: &Batch, outbox: &mut impl Outbox) {
        let Some(peer) = self.peers.peer(batch.peer) else { return };
        let was_near = peer.limits.is_near(peer.counters.counts());
        let tally = self.v4.apply(batch.peer, &batch.v4, &self.peers, &self.tables);
        // What room there is for one family may depend on how much there is of the other.
        peer.counters.add(&tally);
        let tally = self.v6.apply(batch.peer, &batch.v6, &self.peers, &self.tables);
        peer.counters.add(&tally);
        if was_near || peer.limits.is_near(peer.counters.counts()) {
            outbox.near_limit(batch.peer);
        }
    }

    /// Lets in what is held back for a limit on what is accepted, as far as there is room, as [`Shard::publish`] is called.
    pub fn let_in(&mut self, index: PeerIndex) {
        self.v4.judge_peer(index);
        self.v6.judge_peer(index);
    }

    /// Originates a prefix ourselves.
    pub fn originate(&mut self, prefix: Prefix, attributes: &Arc<AttributeSet>) {
        let (mut v4, mut v6) = (Section::default(), Section::default());
        match prefix {
            Prefix::V4(net) => v4.push(Some(attributes), net, 0),
            Prefix::V6(net) => v6.push(Some(attributes), net, 0),
        }
        self.v4.apply(PeerIndex::LOCAL, &v4, &self.peers, &self.tables);
        self.v6.apply(PeerIndex::LOCAL, &v6, &self.peers, &self.tables);
    }

    /// No longer originates a prefix.
    pub fn withdraw(&mut self, prefix: Prefix) {
        let (mut v4, mut v6) = (Section::default(), Section::default());
        match prefix {
            Prefix::V4(net) => v4.push(None, net, 0),
            Prefix::V6(net) => v6.push(None, net, 0),
        }
        self.v4.apply(PeerIndex::LOCAL, &v4, &self.peers, &self.tables);
        self.v6.apply(PeerIndex::LOCAL, &v6, &self.peers, &self.tables);
    }

    /// Notes whether a next hop can be reached. All can until it is said that they can't (RFC 4271 s9.1.2).
    pub fn set_reachable(&mut self, gateway: Gateway, reachable: bool) {
        self.v4.set_reachable(gateway, reachable, &self.peers);
        self.v6.set_reachable(gateway, reachable, &self.peers);
    }

    /// Takes new tables. What they touch is judged again as [`Shard::publish`] is called; it must be all that they and none of the
    /// tables since the last call judge otherwise. Tables of another [`path_generation`](Snapshot::path_generation) have every
    /// attribute set that is met judged again, once.
    pub fn replace_tables(&mut self, tables: Arc<Snapshot>, touched: &Touched) {
        let asks_otherwise = tables.actions.as_deref() != self.peers.actions();
        self.tables = tables;
        if asks_otherwise {
            let actions = self.tables.actions.clone();
            self.change_peers(|peers| peers.set_actions(actions), |_| true);
            // The same path may now go out with other communities taken off.
            self.v4.groups.refresh_all();
            self.v6.groups.refresh_all();
        }
        if touched.everything {
            self.v4.judge_everything();
            self.v6.judge_everything();
            return;
        }
        self.v4.judge_under(touched.under.iter().filter_map(|prefix| u32::of_prefix(*prefix)));
        self.v6.judge_under(touched.under.iter().filter_map(|prefix| u128::of_prefix(*prefix)));
        self.v4.judge_asns(&touched.asns);
        self.v6.judge_asns(&touched.asns);
    }

    /// Judges a peer's paths by another policy from now on. It comes from the peer's own task, in order with its batches, whose
    /// [intake](crate::Intake::set_policy) judges by it too. The peer is who it was, in the same role: what its session is
    /// depends on that. [`PeerIndex::LOCAL`] has what we originate judged.
    pub fn set_policy(&mut self, index: PeerIndex, policy: Arc<Peer>, touched: &PolicyTouched) {
        let regions = self.peers.policy(index).map(|before| Arc::clone(&before.regions));
        if regions.is_none() && index != PeerIndex::LOCAL {
            return;
        }
        let anew = *touched == PolicyTouched::Everything;
        // Others may speak of the regions that it is in.
        if regions.is_some_and(|before| before != policy.regions) {
            self.change_peers(|peers| peers.set_policy(index, policy, anew), |_| true);
        } else {
            self.peers.set_policy(index, policy, anew);
        }
        match touched {
            PolicyTouched::Origins(origins) => {
                self.v4.judge_origins(index, origins);
                self.v6.judge_origins(index, origins);
            }
            PolicyTouched::Everything => {
                self.v4.judge_peer(index);
                self.v6.judge_peer(index);
            }
        }
    }

    /// Deals with peers on other terms from now on. It walks the table once, and not in slices: it is for an operator's changes.
    pub fn set_terms(&mut self, terms: &[(PeerIndex, Terms)]) {
        let differs = |(index, terms): &&(PeerIndex, Terms)| {
            self.peers.peer(*index).is_some_and(|peer| {
                peer.ranking.local_preference != terms.local_preference
                    || peer.ranking.shutting_down != terms.shutting_down
                    || peer.tags != terms.tags
            })
        };
        let differ: BTreeSet<PeerIndex> = terms.iter().filter(differs).map(|(index, _)| *index).collect();
        let set = |peers: &mut Peers| terms.iter().for_each(|(index, terms)| peers.set_terms(*index, terms));
        if differ.is_empty() {
            return set(&mut self.peers);
        }
        self.change_peers(set, |peer| differ.contains(&peer));
        for index in differ {
            let [v4, v6] = self.peers.peer(index).map_or([None; 2], |peer| peer.export);
            v4.into_iter().for_each(|view| self.v4.groups.reword(index, view));
            v6.into_iter().for_each(|view| self.v6.groups.reword(index, view));
        }
    }

    /// What peers were told follows from what was on offer, so that is compared by the old peers and the new ones.
    fn change_peers(&mut self, change: impl FnOnce(&mut Peers), concerned: impl Fn(PeerIndex) -> bool) {
        let before = self.peers.clone();
        change(&mut self.peers);
        self.v4.change_peers(&before, &self.peers, &concerned);
        self.v6.change_peers(&before, &self.peers, &concerned);
    }

    /// Does a slice of what there is to do on the table, tells the groups and the FIB what has changed, and does one step of
    /// what groups have left to do. Says when to call again though nothing happens in between: at once where the answer
    /// is not after `now`.
    pub fn publish(&mut self, now: Instant, outbox: &mut impl Outbox) -> Option<Instant> {
        let work = self.work().then_some(now);
        std::mem::take(&mut self.near).into_iter().for_each(|peer| outbox.near_limit(peer));
        let v4 = publish_family(&mut self.v4, &self.peers, now, outbox);
        let v6 = publish_family(&mut self.v6, &self.peers, now, outbox);
        [work, v4, v6].into_iter().flatten().min()
    }

    fn work(&mut self) -> bool {
        let mut tallies = Tallies::default();
        let v4 = self.v4.work(&self.peers, &self.tables, &mut tallies);
        let v6 = self.v6.work(&self.peers, &self.tables, &mut tallies);
        for (index, tally) in tallies.iter() {
            if let Some(peer) = self.peers.peer(index) {
                peer.counters.add(tally);
                if peer.limits.is_near(peer.counters.counts()) {
                    self.near.insert(index);
                }
            }
        }
        let (left, gone) = self.leaving.iter().partition(|peer| self.is_removing(**peer));
        self.leaving = left;
        let gone: Vec<PeerIndex> = gone;
        gone.into_iter().for_each(|peer| self.peers.remove(peer));
        v4 || v6
    }

    /// How many paths were judged again since the shard was made, because tables or policies changed.
    pub fn judged_again(&self) -> u64 {
        self.v4.judged_again() + self.v6.judged_again()
    }

    pub(crate) fn peers(&self) -> &Peers {
        &self.peers
    }

    fn is_removing(&self, peer: PeerIndex) -> bool {
        self.v4.is_removing(peer) || self.v6.is_removing(peer)
    }

    /// The IPv4 prefixes.
    pub fn ipv4(&self) -> &Table<u32> {
        &self.v4.table
    }

    /// The IPv6 prefixes.
    pub fn ipv6(&self) -> &Table<u128> {
        &self.v6.table
    }

    /// How many update groups there are, by family.
    pub fn groups(&self) -> [usize; 2] {
        [self.v4.groups.len(), self.v6.groups.len()]
    }
}

fn publish_family<A: Address>(
    routes: &mut Routes<A>,
    peers: &Peers,
    now: Instant,
    outbox: &mut impl Outbox,
) -> Option<Instant> {
    let changes = routes.take_changes();
    if !changes.is_empty() {
        outbox.best_changed(&changes);
        routes.groups.publish(&changes, peers.actions(), outbox);
    }
    let Routes { table, groups, .. } = routes;
    let offers = |net: Net<A>| offers(table.paths(net), peers);
    groups.service(now, &Source { table, offers: &offers, actions: peers.actions() }, outbox)
}
