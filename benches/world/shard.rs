//! A shard with peers, and an outbox that counts.

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
    Change, Chunk, ExportView, Intake, Outbox, PeerCounters, PeerIndex, Ranking, RibPeer, Shard,
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
    fn send(&mut self, members: &[PeerIndex], chunk: Arc<Chunk>) {
        self.octets += members.len() * chunk.len();
    }
    fn walked(&mut self, _: PeerIndex, _: Family) {}
    fn best_changed<A: Address>(&mut self, _: &[Change<A>]) {}
    fn too_many_prefixes(&mut self, _: PeerIndex, _: i64) {}
}

pub(crate) fn peer_asn(peer: u16) -> u32 {
    64_000 + u32::from(peer)
}

pub(crate) fn policy(peer: u16) -> Arc<Peer> {
    let address = IpAddr::V4(Ipv4Addr::new(198, 18, 0, peer as u8));
    Arc::new(Peer::new(Asn(peer_asn(peer)), Asn(65_000), Some(Role::Provider), address))
}

fn rib_peer(peer: u16, role: Role) -> RibPeer {
    let policy = policy(peer);
    let export = ExportView {
        role,
        local_asn: Asn(65_000),
        own_next_hop: Some(NextHop::V4(Ipv4Addr::new(198, 18, 0, 254))),
        keeps_next_hop: false,
        four_octet_as: true,
        format: Format::PLAIN,
    };
    let ranking =
        Ranking { local_preference: 100, internal: false, router_id: peer.into(), address: policy.address };
    RibPeer {
        policy,
        ranking,
        export: [Some(export), None],
        counters: Arc::new(PeerCounters::default()),
        max_prefixes: None,
    }
}

/// A shard with `peers` providers that send, and a customer that is sent what is best.
pub(crate) struct Rig {
    pub(crate) shard: Shard,
    pub(crate) sink: Sink,
    tables: Arc<Snapshot>,
    intakes: Vec<Intake>,
    decoder: Decoder,
}

impl Rig {
    pub(crate) fn new(peers: u16, tables: Arc<Snapshot>) -> Self {
        let mut shard = Shard::new(Arc::clone(&tables));
        (1..=peers).for_each(|peer| shard.peer_up(PeerIndex(peer), rib_peer(peer, Role::Provider)));
        shard.peer_up(PeerIndex(peers + 1), rib_peer(peers + 1, Role::Customer));
        let intakes = (1..=peers).map(|peer| Intake::new(PeerIndex(peer), policy(peer), 1, 1)).collect();
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
