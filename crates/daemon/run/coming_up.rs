//! A peer as it is configured, and what becomes of that when its session comes up: how its paths are ranked, and what
//! it is sent.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use palisade_bgp::Family;
use palisade_bgp::negotiated::Negotiated;
use palisade_policy::Role;
use palisade_rib::{ExportView, Intake, PeerIndex, Ranking, RibPeer};
use tracing::{info, warn};

use super::addresses;
use super::peer::{Surroundings, Up};
use super::queue::{SessionQueue, session_queue};
use super::status::PeerStatus;

/// What a peer's task is started with.
#[derive(Debug)]
pub(crate) struct PeerSetup {
    pub(crate) name: String,
    pub(crate) index: PeerIndex,
    pub(crate) remote: SocketAddr,
    /// The address to connect from, where one is configured.
    pub(crate) bind: Option<IpAddr>,
    pub(crate) policy: Arc<palisade_policy::Peer>,
    pub(crate) local_preference: u32,
    /// Whether an internal peer is told our address instead of the next hop we heard.
    pub(crate) next_hop_self: bool,
    pub(crate) max_prefixes: Option<u32>,
    pub(crate) status: Arc<PeerStatus>,
}

impl PeerSetup {
    /// Whether a table is to be expected: a peer without a role exchanges nothing (RFC 8212).
    pub(crate) fn has_first_table(&self) -> bool {
        self.policy.role.is_some()
    }
}

/// Makes what an Established session needs: its own part, and what the shards are told of it.
pub(crate) fn come_up(
    setup: &PeerSetup,
    around: &Surroundings,
    negotiated: &Negotiated,
    local: Option<IpAddr>,
) -> (Up, RibPeer, Arc<SessionQueue>) {
    let families: Vec<Family> =
        Family::ALL.into_iter().filter(|family| negotiated.families[family.index()]).collect();
    info!(
        peer = setup.name,
        asn = negotiated.peer_asn.0,
        router_id = %negotiated.peer_router_id,
        hold_time_s = negotiated.hold_time_s,
        ?families,
        "session up"
    );
    let mut export = [None, None];
    for family in families {
        export[family.index()] =
            setup.policy.role.and_then(|role| export_view(setup, role, negotiated, local, family));
    }
    let policy = Arc::new(palisade_policy::Peer {
        local_address: local,
        ..palisade_policy::Peer::clone(&setup.policy)
    });
    let peer = RibPeer {
        policy: Arc::clone(&policy),
        ranking: Ranking {
            local_preference: setup.local_preference,
            internal: negotiated.internal,
            router_id: negotiated.peer_router_id.to_bits(),
            address: setup.remote.ip(),
        },
        export,
        counters: Arc::clone(&setup.status.counters),
        max_prefixes: setup.max_prefixes,
    };
    let (queue, reader) = session_queue();
    let intake = Intake::new(setup.index, policy, around.shards.count(), around.seed);
    (
        Up {
            connection: negotiated.connection,
            intake,
            queue: reader,
            walked: [0; 2],
            awaited: negotiated.families,
            sweep_at: None,
        },
        peer,
        queue,
    )
}

/// What the peer is sent of a family; nothing where we have no address to put in as the next hop.
fn export_view(
    setup: &PeerSetup,
    role: Role,
    negotiated: &Negotiated,
    local: Option<IpAddr>,
    family: Family,
) -> Option<ExportView> {
    let own_next_hop = local.and_then(|local| addresses::on_the_link_of(local, family)).map(Into::into);
    let keeps_next_hop = role == Role::RsClient || (role == Role::Internal && !setup.next_hop_self);
    if own_next_hop.is_none() && !keeps_next_hop {
        warn!(peer = setup.name, %family, "no address of ours on the peer's link: nothing of this family is announced");
        return None;
    }
    Some(ExportView {
        role,
        local_asn: setup.policy.local_asn,
        own_next_hop,
        keeps_next_hop,
        four_octet_as: negotiated.four_octet_as,
        format: negotiated.format(family),
    })
}
