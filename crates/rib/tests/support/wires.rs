//! What the peers' sockets see, read as the peers would and added up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use palisade_bgp::Family;
use palisade_bgp::attributes::Attributes;
use palisade_bgp::message::HEADER_LEN;
use palisade_bgp::prefix::{Address, Net, Prefix};
use palisade_bgp::update::{Context, Decoder};
use palisade_rib::{Change, Chunk, Forwarding, Outbox, PeerIndex, Shard, forwarding};

use super::said::Said;

/// What a test looks at of the paths that peers hear.
pub(crate) trait Heard: Clone + PartialEq {
    fn of(attributes: &Attributes<'_>) -> Self;
}

/// What a peer holds, by prefix and path identifier.
pub(crate) type Held<H = Said> = BTreeMap<(Net<u32>, u32), H>;

/// All peers' sockets, and the FIB.
#[derive(Default)]
pub(crate) struct Wires<H = Said> {
    /// Those who don't read.
    pub(crate) stalled: BTreeSet<PeerIndex>,
    pub(crate) held: BTreeMap<PeerIndex, Held<H>>,
    /// How peers read what they are sent, where that is not the usual way.
    pub(crate) contexts: BTreeMap<PeerIndex, Context>,
    /// Withdrawals of what was not held.
    pub(crate) spurious: usize,
    /// Announcements of what was held already.
    pub(crate) repeated: usize,
    /// What becomes of packets.
    pub(crate) fib: BTreeMap<Prefix, Forwarding>,
    /// Who was sent all there is of IPv4.
    pub(crate) walked: BTreeSet<PeerIndex>,
    /// Peers that came near a limit.
    pub(crate) near: BTreeSet<PeerIndex>,
    decoder: Decoder,
}

impl<H: Heard> Outbox for Wires<H> {
    fn has_room(&self, peer: PeerIndex) -> bool {
        !self.stalled.contains(&peer)
    }

    fn is_drained(&self, peer: PeerIndex) -> bool {
        self.has_room(peer)
    }

    fn send(&mut self, members: &[PeerIndex], chunk: Arc<Chunk>) {
        for member in members {
            chunk.slices_for(*member).for_each(|slice| self.read(*member, &slice));
        }
    }

    fn walked(&mut self, peer: PeerIndex, family: Family) {
        if family == Family::Ipv4 {
            self.walked.insert(peer);
        }
    }

    fn best_changed<A: Address>(&mut self, changes: &[Change<A>]) {
        for change in changes {
            match forwarding(change) {
                Some(forwarding) => drop(self.fib.insert(A::prefix(change.net), forwarding)),
                None => drop(self.fib.remove(&A::prefix(change.net))),
            }
        }
    }

    fn near_limit(&mut self, peer: PeerIndex) {
        self.near.insert(peer);
    }
}

impl<H: Heard + Default> Wires<H> {
    /// Those of peers some of which read what they are sent in a way of their own.
    pub(crate) fn read_as(contexts: impl IntoIterator<Item = (PeerIndex, Context)>) -> Self {
        Wires { contexts: contexts.into_iter().collect(), ..Wires::default() }
    }
}

impl<H: Heard> Wires<H> {
    fn read(&mut self, member: PeerIndex, mut messages: &[u8]) {
        let held = self.held.entry(member).or_default();
        let context = self.contexts.get(&member).copied().unwrap_or_default();
        while messages.len() >= HEADER_LEN {
            let length = usize::from(u16::from_be_bytes([messages[16], messages[17]]));
            let update = self.decoder.update(&messages[HEADER_LEN..length], &context).unwrap();
            assert!(update.faults().is_empty(), "{:?}", update.faults());
            for path in update.withdrawn::<u32>() {
                self.spurious += usize::from(held.remove(&(path.net, path.path_id)).is_none());
            }
            if let Some((attributes, paths)) = update.announced::<u32>() {
                let heard = H::of(&attributes);
                for path in paths {
                    let before = held.insert((path.net, path.path_id), heard.clone());
                    self.repeated += usize::from(before.as_ref() == Some(&heard));
                }
            }
            messages = &messages[length..];
        }
    }
}

/// Lets time pass until everybody has been told what there is to tell.
pub(crate) fn settle<H: Heard>(shard: &mut Shard, wires: &mut Wires<H>, now: &mut Instant) {
    while let Some(due) = shard.publish(*now, wires) {
        *now = due.max(*now);
    }
}
