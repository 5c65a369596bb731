//! A peer as it is configured, and what becomes of that when its session comes up: how its paths are ranked, and what
//! it is sent.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use palisade_bgp::Family;
use palisade_bgp::attributes::NextHop;
use palisade_bgp::capability::Capability;
use palisade_bgp::negotiated::Negotiated;
use palisade_bgp::session::ConnectionId;
use palisade_policy::Role;
use palisade_rib::{ExportView, Intake, PeerIndex, Ranking, RibPeer, Terms};
use tokio::sync::watch;
use tracing::{info, warn};

use super::addresses;
use super::agreed::Agreed;
use super::limits::LimitWatch;
use super::peer::Surroundings;
use super::queue::{Outgoing, SessionQueue, SessionReader, session_queue};
use super::session_settings::SessionSettings;
use super::shard::ToShard;
use super::status::PeerStatus;
use super::telling::Telling;
use super::turns::Turns;
use crate::judging::PeerPolicy;

/// What a peer's task is started with.
#[derive(Debug)]
pub(crate) struct PeerSetup {
    pub(crate) name: String,
    pub(crate) index: PeerIndex,
    pub(crate) settings: SessionSettings,
    /// What the peer may do, now and from now on.
    pub(crate) policy: watch::Receiver<Arc<PeerPolicy>>,
    pub(crate) status: Arc<PeerStatus>,
    /// Whether the FIB waits for its first table.
    pub(crate) awaited: bool,
    /// The words with which an operator disabled it, where one did.
    pub(crate) disabled: Option<String>,
}

/// What there is only while the session is Established.
pub(crate) struct Up {
    pub(crate) connection: ConnectionId,
    pub(crate) intake: Intake,
    pub(crate) told: Told,
    pub(crate) queue: SessionReader,
    /// How it stands to its limits of prefixes.
    pub(crate) limits: LimitWatch,
    /// Families that the peer can be asked for again, by [`Family::index`].
    pub(crate) refreshes: [bool; 2],
    /// Families that shards send the peer routes of, by [`Family::index`]. Of the others, nothing is all there is.
    pub(crate) exports: [bool; 2],
    /// How far it is in telling the peer all of a family.
    pub(crate) telling: [Telling; 2],
    /// Whether a refresh has a beginning and an end for the peer (RFC 7313).
    pub(crate) marks_refreshes: bool,
    /// Families that the peer has not said End-of-RIB for.
    pub(crate) awaited: [bool; 2],
    /// When attributes that no path uses any more are to be let go.
    pub(crate) sweep_at: Option<Instant>,
}

/// What the shards were last told of how a peer is judged and dealt with.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) judged: Arc<palisade_policy::Peer>,
    pub(crate) terms: Terms,
}

impl Up {
    /// Gives what the peer has said so far to the shards.
    pub(crate) fn hand_in(&mut self, to_shards: &mut VecDeque<(usize, ToShard)>, turns: &Turns) {
        let batches = self.intake.take();
        to_shards.extend(batches.map(|(shard, batch)| (shard, ToShard::Batch(batch, turns.take(shard)))));
    }
}

/// Makes what an Established session needs: its own part, and what the shards are told of it.
pub(crate) fn come_up(
    setup: &mut PeerSetup,
    around: &Surroundings,
    negotiated: &Negotiated,
    local: Option<SocketAddr>,
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
    let link = local.map_or(0, link_of);
    let local = local.map(|local| local.ip().to_canonical());
    setup.status.set_local_address(local);
    setup.status.set_agreed(Agreed::from(negotiated));
    let policy = Arc::clone(&setup.policy.borrow_and_update());
    let (queue, reader) = session_queue();
    let mut export = [None, None];
    for family in families {
        export[family.index()] = setup
            .settings
            .role
            .and_then(|role| export_view(setup, &policy, (role, family), negotiated, (local, link)));
        if export[family.index()].is_none() {
            queue.send(Outgoing::Walked(family));
        }
    }
    let exports = export.map(|view| view.is_some());
    let judged = on_session(&policy.judged, local, link);
    let peer = RibPeer {
        policy: Arc::clone(&judged),
        ranking: Ranking {
            local_preference: policy.local_preference,
            shutting_down: policy.shutting_down,
            internal: negotiated.internal,
            router_id: negotiated.peer_router_id.to_bits(),
            address: setup.settings.transport.remote.ip(),
        },
        export,
        counters: Arc::clone(&setup.status.counters),
        limits: policy.limits,
        tags: policy.tags.clone(),
    };
    let intake = Intake::new(setup.index, Arc::clone(&judged), around.shards.count(), around.seed);
    (
        Up {
            connection: negotiated.connection,
            intake,
            queue: reader,
            limits: LimitWatch::new(&setup.status.counters, Instant::now()),
            refreshes: negotiated.families.map(|exchanged| exchanged && negotiated.route_refresh),
            told: Told { judged, terms: policy.terms() },
            exports,
            telling: exports.map(|exports| Telling::new(if exports { around.shards.count() } else { 1 })),
            marks_refreshes: negotiated.enhanced_refresh,
            awaited: negotiated.families,
            sweep_at: None,
        },
        peer,
        queue,
    )
}

/// A peer as the judge sees it on a session whose end of ours is known.
pub(crate) fn on_session(
    peer: &palisade_policy::Peer,
    local_address: Option<IpAddr>,
    link: u32,
) -> Arc<palisade_policy::Peer> {
    Arc::new(palisade_policy::Peer { local_address, link, ..peer.clone() })
}

/// The link that a link-local address of ours is on; 0 for any other address.
fn link_of(local: SocketAddr) -> u32 {
    match local {
        SocketAddr::V6(local) if local.ip().is_unicast_link_local() => local.scope_id(),
        _ => 0,
    }
}

/// What the peer is sent of a family; nothing where we have no address to put in as the next hop.
fn export_view(
    setup: &PeerSetup,
    policy: &PeerPolicy,
    (role, family): (Role, Family),
    negotiated: &Negotiated,
    (local, link): (Option<IpAddr>, u32),
) -> Option<ExportView> {
    let ipv6_next_hops = family == Family::Ipv6 || negotiated.extended_next_hop;
    let interface = setup.settings.transport.interface.as_deref();
    let own_next_hop = local.and_then(|local| own_next_hop(local, interface, family, ipv6_next_hops));
    let keeps_next_hop = role == Role::RsClient || (role == Role::Internal && !setup.settings.next_hop_self);
    if own_next_hop.is_none() && !keeps_next_hop {
        warn!(peer = setup.name, %family, "no address of ours on the peer's link: nothing of this family is announced");
        return None;
    }
    Some(ExportView {
        role,
        local_asn: setup.settings.local_asn,
        own_next_hop,
        keeps_next_hop,
        link,
        ipv6_next_hops,
        reflector: policy.judged.reflector,
        long_lived: knows_long_lived(negotiated),
        shutting_down: policy.shutting_down,
        four_octet_as: negotiated.four_octet_as,
        format: negotiated.format(family),
    })
}

/// Whether the peer knows of paths that are kept for long, whether or not it keeps any itself (RFC 9494 s3).
fn knows_long_lived(negotiated: &Negotiated) -> bool {
    negotiated.peer_capabilities.iter().any(|capability| matches!(capability, Capability::LongLived(_)))
}

/// Our address to put in as the next hop of a family. Over IPv6 that is the session's own for IPv4, too, where the peer takes it: the link
/// need not have any IPv4 (RFC 8950 s3).
fn own_next_hop(
    local: IpAddr,
    interface: Option<&str>,
    family: Family,
    ipv6_next_hops: bool,
) -> Option<NextHop> {
    match (local, interface) {
        (IpAddr::V6(local), Some(interface)) if ipv6_next_hops => {
            Some(addresses::with_link_local(local, interface))
        }
        (_, Some(interface)) => addresses::on_interface(interface, family).map(NextHop::from),
        (IpAddr::V6(_), None) if ipv6_next_hops => {
            addresses::on_the_link_of(local, Family::Ipv6).map(NextHop::from)
        }
        _ => addresses::on_the_link_of(local, family).map(NextHop::from),
    }
}
