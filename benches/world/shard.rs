//! A shard with peers, and an outbox that counts.

#![allow(dead_code, reason = "each bench uses a part")]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use palisade_bgp::attributes::NextHop;
use palisade_bgp::encode::Format;
use palisade_bgp::prefix::Address;
use palisade_bgp::update::{Context, Decoder};
use palisade_bgp::{Asn, Family};
use palisade_policy::{Peer, Role, Snapshot};
use palisade_rib::{
    Change, Chunk, ExportView, Intake, Outbox, PeerCounters, PeerIndex, PrefixLimits, Ranking, RibPeer, Shard,
};

/// Takes all and keeps nothing.
#[derive(Default)]
pub(crate) struct Sink {
    pub(crate) octets: usize,
}

impl Outbox for Sink {
    fn has_room(&self, _: PeerIndex) -> bool {
        true
    }
    fn is_drained(&self, _: PeerIndex) -> bool {
        true
    }
    fn send(&mut self, members: &[PeerIndex], chunk: Arc<Chunk>) {
        for member in members {
            self.octets += chunk.slices_for(*member).map(|slice| slice.len()).sum::<usize>();
        }
    }
    fn walked(&mut self, _: PeerIndex, _: Family) {}
    fn best_changed<A: Address>(&mut self, _: &[Change<A>]) {}
    fn near_limit(&mut self, _: PeerIndex) {}
}

/// The router's own.
pub(crate) const ROUTER_ASN: Asn = Asn(65_000);

pub(crate) fn peer_asn(peer: u16) -> u32 {
    64_000 + u32::from(peer)
}

pub(crate) fn policy(peer: u16, role: Role) -> Arc<Peer> {
    let address = IpAddr::V4(Ipv4Addr::from(0xc612_0000 | u32::from(peer)));
    Arc::new(Peer::new(Asn(peer_asn(peer)), ROUTER_ASN, Some(role), address))
}

pub(crate) fn rib_peer(peer: u16, role: Role) -> RibPeer {
    let policy = policy(peer, role);
    let export = ExportView {
        role,
        local_asn: ROUTER_ASN,
        own_next_hop: Some(NextHop::V4(Ipv4Addr::new(198, 18, 0, 254))),
        keeps_next_hop: role == Role::RsClient,
        link: 0,
        shutting_down: false,
        ipv6_next_hops: true,
        reflector: None,
        long_lived: false,
        four_octet_as: true,
        format: Format::PLAIN,
    };
    let ranking = Ranking {
        local_preference: 100,
        shutting_down: false,
        internal: false,
        router_id: peer.into(),
        address: policy.address,
    };
    RibPeer {
        policy,
        ranking,
        export: [Some(export), None],
        counters: Arc::new(PeerCounters::default()),
        limits: PrefixLimits::NONE,
        tags: None,
    }
}

/// A shard with peers that send.
pub(crate) struct Rig {
    pub(crate) shard: Shard,
    pub(crate) sink: Sink,
    tables: Arc<Snapshot>,
    intakes: Vec<Intake>,
    decoder: Decoder,
}

impl Rig {
    /// `peers` providers, and a customer that is sent what is best.
    pub(crate) fn new(peers: u16, tables: Arc<Snapshot>) -> Self {
        let mut rig = Rig::of(peers, Role::Provider, tables);
        rig.shard.peer_up(PeerIndex(peers + 1), rib_peer(peers + 1, Role::Customer));
        rig.settle();
        rig
    }

    /// Members of an exchange, who are sent what the others send.
    pub(crate) fn exchange(members: u16, tables: Arc<Snapshot>) -> Self {
        let mut rig = Rig::of(members, Role::RsClient, tables);
        rig.settle();
        rig
    }

    /// Sends what there is, which is nothing yet: sessions that come up wait a moment for others.
    fn settle(&mut self) {
        let mut now = Instant::now();
        while let Some(due) = self.shard.publish(now, &mut self.sink) {
            now = now.max(due);
        }
    }

    fn of(peers: u16, role: Role, tables: Arc<Snapshot>) -> Self {
        let mut shard = Shard::new(Arc::clone(&tables));
        (1..=peers).for_each(|peer| shard.peer_up(PeerIndex(peer), rib_peer(peer, role)));
        let intake = |peer| Intake::new(PeerIndex(peer), policy(peer, role), 1, 1);
        let intakes = (1..=peers).map(intake).collect();
        Rig { shard, sink: Sink::default(), tables, intakes, decoder: Decoder::new() }
    }

    /// Plays UPDATE bodies of a peer as its session would: batches of about one read.
    pub(crate) fn play(&mut self, peer: u16, bodies: &[Vec<u8>]) {
        let intake = &mut self.intakes[usize::from(peer) - 1];
        for read in bodies.chunks(500) {
            for body in read {
                match self.decoder.update(body, &Context::default()) {
                    Ok(update) => intake.push(&update, &self.tables),
                    Err(notification) => unreachable!("{notification:?}"),
                }
            }
            for (_, batch) in intake.take() {
                self.shard.apply(&batch, &mut self.sink);
            }
            self.shard.publish(Instant::now(), &mut self.sink);
        }
    }
}
