//! Peers whose sessions are up. What a test is about it changes in the policy, the view or the peer; the rest is here.

use std::net::Ipv4Addr;
use std::sync::Arc;

use palisade_bgp::Asn;
use palisade_bgp::attributes::NextHop;
use palisade_bgp::encode::Format;
use palisade_policy::{Checks, Mode, Peer, Role};
use palisade_rib::{ExportView, PeerCounters, PeerIndex, PrefixLimits, Ranking, RibPeer};

/// Our AS.
pub(crate) const OURS: u32 = 64500;
/// Our BGP identifier, and our address on every link.
pub(crate) const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 250);

/// A peer's AS.
pub(crate) fn asn(peer: PeerIndex, role: Role) -> u32 {
    if role == Role::Internal { OURS } else { 65000 + u32::from(peer.0) }
}

/// A peer's address.
pub(crate) fn address(peer: PeerIndex) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, peer.0 as u8)
}

/// How a peer's paths are judged: all are accepted.
pub(crate) fn policy(peer: PeerIndex, role: Role) -> Peer {
    let policy = Peer::new(Asn(asn(peer, role)), Asn(OURS), Some(role), address(peer).into());
    Peer { checks: Checks::all(Mode::Off), ..policy }
}

/// What a peer of a role is sent of IPv4.
pub(crate) fn view(role: Role) -> ExportView {
    ExportView {
        role,
        local_asn: Asn(OURS),
        own_next_hop: Some(NextHop::V4(ROUTER)),
        keeps_next_hop: matches!(role, Role::Internal | Role::RsClient),
        link: 0,
        shutting_down: false,
        ipv6_next_hops: false,
        reflector: None,
        long_lived: false,
        four_octet_as: true,
        format: Format::PLAIN,
    }
}

/// A peer that is judged by a policy which gives it a role, and sent IPv4.
pub(crate) fn rib_peer(peer: PeerIndex, policy: Peer) -> RibPeer {
    let role = policy.role.unwrap();
    RibPeer {
        ranking: Ranking {
            shutting_down: false,
            local_preference: role.default_local_preference(),
            internal: role == Role::Internal,
            router_id: u32::from(peer.0),
            address: policy.address,
        },
        policy: Arc::new(policy),
        export: [Some(view(role)), None],
        counters: Arc::new(PeerCounters::default()),
        limits: PrefixLimits::NONE,
        tags: None,
    }
}
