//! One shard of the routing table, as a machine without I/O or threads.
//!
//! A shard owns its prefixes wholly: every peer's paths to them, which is best, and what every peer is to be sent of
//! them. What happens goes in by method; what follows comes out at an [`Outbox`].
//!
//! ```text
//!   Batch, peer up/down, tables -->  judge, best path  --changes-->  update groups --> chunks for the peers
//!                                                          `------>  best_changed   --> FIB
//! ```

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use palisade_bgp::Family;
use palisade_bgp::prefix::{Address, Net, Prefix};
use palisade_policy::Snapshot;

use crate::attribute_set::AttributeSet;
use crate::chunk::Chunk;
use crate::counters::Tally;
use crate::group::Change;
use crate::intake::{Batch, Section};
use crate::path::{Path, PeerIndex};
use crate::peer::{Peers, RibPeer};
use crate::routes::{Routes, best};
use crate::table::Table;

/// Where a shard's results go.
pub trait Outbox {
    /// Whether a peer's queue takes another chunk.
    fn has_room(&self, peer: PeerIndex) -> bool;
    /// Queues a chunk for members of a group; each writes what it is [meant to](Chunk::slices_for).
    fn send(&mut self, members: &[PeerIndex], chunk: Arc<Chunk>);
    /// A peer has been sent all that the shard holds of a family: the time for End-of-RIB (RFC 4724 s2).
    fn walked(&mut self, peer: PeerIndex, family: Family);
    /// Best paths have changed: next hops for the FIB.
    fn best_changed<A: Address>(&mut self, changes: &[Change<A>]);
    /// A peer has more paths in the Adj-RIBs-In than it may.
    fn too_many_prefixes(&mut self, peer: PeerIndex, received: i64);
}

/// A part of the prefixes of both families.
#[derive(Debug)]
pub struct Shard {
    peers: Peers,
    tables: Arc<Snapshot>,
    v4: Routes<u32>,
    v6: Routes<u128>,
}

impl Shard {
    /// An empty shard that judges by `tables`.
    pub fn new(tables: Arc<Snapshot>) -> Self {
        Shard { peers: Peers::new(), tables, v4: Routes::default(), v6: Routes::default() }
    }

    /// A session has come up: its paths are expected, and it is sent the table.
    pub fn peer_up(&mut self, index: PeerIndex, peer: RibPeer) {
        if let Some(view) = peer.export(Family::Ipv4) {
            self.v4.groups.join(index, view);
        }
        if let Some(view) = peer.export(Family::Ipv6) {
            self.v6.groups.join(index, view);
        }
        self.peers.insert(index, peer);
    }

    /// A session has ended: its paths go.
    pub fn peer_down(&mut self, index: PeerIndex) {
        self.v4.groups.leave(index);
        self.v6.groups.leave(index);
        let mut gone = self.v4.withdraw_all(index, &self.peers);
        gone.add(&self.v6.withdraw_all(index, &self.peers));
        if let Some(peer) = self.peers.remove(index) {
            peer.counters.add(&gone);
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
        let mut tally = self.v4.apply(batch.peer, &batch.v4, &self.peers, &self.tables);
        tally.add(&self.v6.apply(batch.peer, &batch.v6, &self.peers, &self.tables));
        let received = peer.counters.add(&tally);
        if peer.max_prefixes.is_some_and(|most| received > i64::from(most)) {
            outbox.too_many_prefixes(batch.peer, received);
        }
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

    /// Notes whether a next hop can be reached. All can until it is said that they can't (RFC 4271 s9.1.2).
    pub fn set_reachable(&mut self, next_hop: IpAddr, reachable: bool) {
        self.v4.set_reachable(next_hop, reachable, &self.peers);
        self.v6.set_reachable(next_hop, reachable, &self.peers);
    }

    /// Takes new tables and judges again what lies under the prefixes that they changed.
    pub fn replace_tables(&mut self, tables: Arc<Snapshot>, changed: &[Prefix]) {
        self.tables = tables;
        let peers = &self.peers;
        let mut tallies: Vec<(PeerIndex, Tally)> = Vec::new();
        let mut count = |path: &Path, by: i64| {
            let peer = path.peer();
            let at = tallies.iter().position(|(of, _)| *of == peer).unwrap_or(tallies.len());
            if at == tallies.len() {
                tallies.push((peer, Tally::default()));
            }
            tallies[at].1.count(path, by);
        };
        for prefix in changed {
            match *prefix {
                Prefix::V4(net) => self.v4.judge_again(net, peers, &self.tables, &mut count),
                Prefix::V6(net) => self.v6.judge_again(net, peers, &self.tables, &mut count),
            }
        }
        for (peer, tally) in &tallies {
            self.peers.peer(*peer).map(|peer| peer.counters.add(tally));
        }
    }

    /// Tells the groups and the FIB what has changed, and does one step of what groups have left to do. Says when to
    /// call again though nothing happens in between: at once where the answer is not after `now`.
    pub fn publish(&mut self, now: Instant, outbox: &mut impl Outbox) -> Option<Instant> {
        let v4 = publish_family(&mut self.v4, &self.peers, now, outbox);
        let v6 = publish_family(&mut self.v6, &self.peers, now, outbox);
        [v4, v6].into_iter().flatten().min()
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
        routes.groups.publish(&changes, outbox);
    }
    let Routes { table, groups, .. } = routes;
    groups.service(now, table, &|net: Net<A>| best(table.paths(net), peers), outbox)
}

/// The address that a change's prefix is to be reached through, for a FIB: `None` removes it. What the router
/// originates itself is not forwarded by its FIB.
pub fn fib_next_hop<A: Address>(change: &Change<A>) -> Option<IpAddr> {
    let best = change.new.as_ref().filter(|best| best.peer != PeerIndex::LOCAL)?;
    Some(best.attributes.next_hop().address())
}
