//! A router that is only played: one shard of a table, to which all peers of a configuration are up, for a moment.
//!
//! ```text
//!   Config, tables --> a shard with every peer in it <-- an announcement, as a session's intake takes it in
//!                              |
//!                              `--> what the shard says of the prefix: verdict, attributes after import, who is sent it
//! ```
//!
//! It is the table of `palisade run` and decides as that does; what is made up is that every session has come up with all
//! that the configuration offers, that every next hop can be reached, and that there is an address of ours on every link.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use palisade_bgp::Family;
use palisade_bgp::encode::Format;
use palisade_bgp::prefix::Address;
use palisade_policy::{Peer, Role, Snapshot};
use palisade_rib::{
    Account, Change, Chunk, ExportView, Intake, Outbox, PeerCounters, PeerIndex, PrefixLimits, Ranking,
    RibPeer, Shard,
};

use crate::announcement::Received;
use crate::config::{self, Config};
use crate::judging::{self, PeerPolicy};

/// A router that is played.
#[derive(Debug)]
pub(crate) struct PlayedRouter<'a> {
    config: &'a Config,
    tables: Arc<Snapshot>,
    policies: Vec<Arc<PeerPolicy>>,
}

impl<'a> PlayedRouter<'a> {
    /// The router of a configuration.
    pub(crate) fn new(config: &'a Config, tables: Snapshot) -> Self {
        let policies = judging::policies(config, &config.peers, &tables, &[]);
        PlayedRouter { config, policies, tables: Arc::new(tables) }
    }

    /// What it judges by.
    pub(crate) fn tables(&self) -> &Snapshot {
        &self.tables
    }

    /// How the peer at a place in the configuration is judged.
    pub(crate) fn policy(&self, at: usize) -> Option<&Arc<Peer>> {
        self.policies.get(at).map(|policy| &policy.judged)
    }

    /// What a peer is called.
    pub(crate) fn name(&self, index: PeerIndex) -> Option<String> {
        Some(self.config.peers.get(index.index().checked_sub(1)?)?.name.clone())
    }

    /// What becomes of one peer's announcement, where nobody else has said anything.
    pub(crate) fn hear(&self, at: usize, received: &Received) -> Account {
        let mut shard = Shard::new(Arc::clone(&self.tables));
        for (place, (peer, policy)) in self.config.peers.iter().zip(&self.policies).enumerate() {
            shard.peer_up(index(place), rib_peer(peer, policy));
        }
        if let Some(policy) = self.policies.get(at) {
            let mut intake = Intake::new(index(at), Arc::clone(&policy.judged), 1, 0);
            received.hand_to(|update| intake.push(update, &self.tables));
            for (_, batch) in intake.take() {
                shard.apply(&batch, &mut Nowhere);
            }
        }
        shard.account(received.prefix)
    }
}

/// 0 is the router itself; a configuration has fewer peers than there are numbers.
fn index(at: usize) -> PeerIndex {
    PeerIndex(u16::try_from(at + 1).unwrap_or(u16::MAX))
}

fn rib_peer(peer: &config::Peer, policy: &PeerPolicy) -> RibPeer {
    let judged = &policy.judged;
    let view = |family| judged.role.map(|role| export_view(peer, judged, role, family));
    RibPeer {
        policy: Arc::clone(judged),
        ranking: Ranking {
            local_preference: policy.local_preference,
            shutting_down: policy.shutting_down,
            internal: judged.role == Some(Role::Internal),
            router_id: 0,
            address: peer.address,
        },
        export: Family::ALL.map(view),
        counters: Arc::new(PeerCounters::default()),
        limits: PrefixLimits::NONE,
        tags: policy.tags.clone(),
    }
}

fn export_view(peer: &config::Peer, policy: &Peer, role: Role, family: Family) -> ExportView {
    let some_address: IpAddr = match family {
        Family::Ipv4 => Ipv4Addr::UNSPECIFIED.into(),
        Family::Ipv6 => Ipv6Addr::UNSPECIFIED.into(),
    };
    ExportView {
        role,
        local_asn: policy.local_asn,
        own_next_hop: Some(some_address.into()),
        keeps_next_hop: role == Role::RsClient || role == Role::Internal && !peer.next_hop_self,
        link: 0,
        ipv6_next_hops: family == Family::Ipv6,
        reflector: policy.reflector,
        long_lived: false,
        shutting_down: peer.graceful_shutdown,
        four_octet_as: true,
        format: Format { add_path: peer.add_path.value.0[family.index()].send, ..Format::PLAIN },
    }
}

/// Sessions and a kernel that nobody has.
struct Nowhere;

impl Outbox for Nowhere {
    fn has_room(&self, _: PeerIndex) -> bool {
        true
    }

    fn is_drained(&self, _: PeerIndex) -> bool {
        true
    }

    fn send(&mut self, _: &[PeerIndex], _: Arc<Chunk>) {}

    fn walked(&mut self, _: PeerIndex, _: Family) {}

    fn best_changed<A: Address>(&mut self, _: &[Change<A>]) {}

    fn near_limit(&mut self, _: PeerIndex) {}
}
