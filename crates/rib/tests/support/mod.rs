//! What the tests of the table share: random choices, paths, and what the peers' sockets would see.

#![allow(dead_code, reason = "each test uses a part of it")]
#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use palisade_bgp::attributes::{Attributes, Facts, Span};
use palisade_bgp::prefix::{Address, Net, Prefix};
use palisade_bgp::update::{Context, Decoder};
use palisade_bgp::{Asn, Family};
use palisade_policy::{PathVerdict, Reason};
use palisade_rib::{AttributeSet, Change, Chunk, Forwarding, Outbox, PeerIndex, Stamp, forwarding};

/// xorshift64*, so that a failure's seed is enough to see it again.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound
    }
}

/// What is said of a path, in any direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) as_path: Vec<u32>,
    pub(crate) communities: BTreeSet<u32>,
}

impl Said {
    pub(crate) fn path(as_path: impl Into<Vec<u32>>) -> Self {
        Said { as_path: as_path.into(), communities: BTreeSet::new() }
    }

    /// As a session's intake would make it of an UPDATE. A path with our AS is a loop, and rejected.
    pub(crate) fn attributes(&self, own_asn: u32, next_hop: IpAddr) -> Arc<AttributeSet> {
        let as_path = Span { start: 7, len: (2 + self.as_path.len() * 4) as u16 };
        let mut wire = vec![0x40, 1, 1, 0, 0x40, 2, as_path.len as u8, 2, self.as_path.len() as u8];
        self.as_path.iter().for_each(|asn| wire.extend(asn.to_be_bytes()));
        let mut communities = Span::default();
        if !self.communities.is_empty() {
            wire.extend([0xc0, 8, (self.communities.len() * 4) as u8]);
            communities = Span { start: wire.len() as u16, len: (self.communities.len() * 4) as u16 };
            self.communities.iter().for_each(|community| wire.extend(community.to_be_bytes()));
        }
        let facts = Facts {
            as_path,
            path_length: self.as_path.len() as u16,
            neighbor_as: self.as_path.first().copied().map(Asn),
            origin_as: self.as_path.last().copied().map(Asn),
            communities,
            ..Facts::default()
        };
        let attributes = Attributes { wire: &wire, facts: &facts, next_hop: next_hop.into() };
        let looped = self.as_path.contains(&own_asn).then_some(Reason::AsLoop);
        let verdict = PathVerdict { reason: looped, ..PathVerdict::default() };
        Arc::new(AttributeSet::new(&attributes, verdict, Stamp::default(), None))
    }
}

/// What a peer holds, by prefix and path identifier.
pub(crate) type Held = BTreeMap<(Net<u32>, u32), Said>;

/// What the peers' sockets would see.
#[derive(Default)]
pub(crate) struct Wires {
    pub(crate) stalled: BTreeSet<PeerIndex>,
    pub(crate) held: BTreeMap<PeerIndex, Held>,
    /// How peers read what they are sent, where that is not the usual way.
    pub(crate) contexts: BTreeMap<PeerIndex, Context>,
    /// Withdrawals of what was not held.
    pub(crate) spurious: usize,
    /// Announcements of what was held already.
    pub(crate) repeated: usize,
    pub(crate) fib: BTreeMap<Prefix, IpAddr>,
    /// Who was sent all there is of IPv4.
    pub(crate) walked: BTreeSet<PeerIndex>,
    /// Peers that came near a limit.
    pub(crate) near: BTreeSet<PeerIndex>,
    decoder: Decoder,
}

impl Outbox for Wires {
    fn has_room(&self, peer: PeerIndex) -> bool {
        !self.stalled.contains(&peer)
    }

    fn is_drained(&self, peer: PeerIndex) -> bool {
        self.has_room(peer)
    }

    fn send(&mut self, members: &[PeerIndex], chunk: Arc<Chunk>) {
        for member in members {
            let slices: Vec<_> = chunk.slices_for(*member).collect();
            slices.iter().for_each(|slice| self.read(*member, slice));
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
                Some(Forwarding::To((address, _))) => drop(self.fib.insert(A::prefix(change.net), address)),
                Some(Forwarding::Discard) => unreachable!("nobody says BLACKHOLE"),
                None => drop(self.fib.remove(&A::prefix(change.net))),
            }
        }
    }

    fn near_limit(&mut self, peer: PeerIndex) {
        self.near.insert(peer);
    }
}

impl Wires {
    fn read(&mut self, member: PeerIndex, mut messages: &[u8]) {
        let held = self.held.entry(member).or_default();
        let context = self.contexts.get(&member).copied().unwrap_or_default();
        while messages.len() >= 19 {
            let length = usize::from(u16::from_be_bytes([messages[16], messages[17]]));
            let update = self.decoder.update(&messages[19..length], &context).unwrap();
            assert!(update.faults().is_empty(), "{:?}", update.faults());
            for path in update.withdrawn::<u32>() {
                self.spurious += usize::from(held.remove(&(path.net, path.path_id)).is_none());
            }
            if let Some((attributes, paths)) = update.announced::<u32>() {
                let as_path = attributes.as_path().asns().map(|asn| asn.0).collect();
                let communities = attributes.communities().map(|community| community.0).collect();
                let said = Said { as_path, communities };
                for path in paths {
                    let before = held.insert((path.net, path.path_id), said.clone());
                    self.repeated += usize::from(before.as_ref() == Some(&said));
                }
            }
            messages = &messages[length..];
        }
    }
}
