//! What a session is made with, of all that a peer's configuration says: where two of these differ, the session begins anew; what else
//! changes is told to the one that is there.

use std::net::Ipv4Addr;

use palisade_bgp::Asn;
use palisade_bgp::session::{GracefulRestart, SessionConfig};
use palisade_policy::Role;

use super::passwords::Passwords;
use super::transport::Transport;
use crate::config::{Abilities, Config, Paths, Peer};

/// How long to wait between attempts to connect (RFC 4271 s10).
const CONNECT_RETRY_S: u16 = 30;

/// What a session is made with: a change of any of it needs a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionSettings {
    pub(crate) transport: Transport,
    pub(crate) asn: Asn,
    pub(crate) local_asn: Asn,
    router_id: Ipv4Addr,
    /// What is exported, and in which words, follows from it.
    pub(crate) role: Option<Role>,
    /// Whether an internal peer is told our address instead of the next hop we heard.
    pub(crate) next_hop_self: bool,
    route_reflector_client: bool,
    cluster_id: Ipv4Addr,
    abilities: SessionAbilities,
    add_path: Paths,
    hold_time_s: u16,
    passive: bool,
    /// For how long routes are kept over a restart, the peer's or ours.
    pub(crate) graceful_restart: Option<GracefulRestart>,
}

/// What the session may do besides carrying routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SessionAbilities {
    extended_messages: bool,
    extended_next_hop: bool,
    strict_role: bool,
}

impl SessionAbilities {
    fn new(abilities: &Abilities) -> Self {
        SessionAbilities {
            extended_messages: abilities.extended_messages.value,
            extended_next_hop: abilities.extended_next_hop.value,
            strict_role: abilities.strict_role,
        }
    }
}

impl SessionSettings {
    pub(super) fn new(config: &Config, peer: &Peer, passwords: &Passwords) -> Self {
        SessionSettings {
            transport: Transport::new(peer, passwords),
            asn: peer.asn,
            local_asn: config.router.asn,
            router_id: config.router.id,
            role: peer.role,
            next_hop_self: peer.next_hop_self,
            route_reflector_client: peer.route_reflector_client,
            cluster_id: config.router.cluster_id,
            abilities: SessionAbilities::new(&peer.abilities),
            add_path: peer.add_path.value,
            hold_time_s: peer.hold_time_s.value,
            passive: peer.passive,
            graceful_restart: peer.restart.map(|restart| GracefulRestart {
                restart_time_s: restart.restart_time_s.value,
                long_lived_stale_time_s: restart.long_lived_stale_time_s.value,
            }),
        }
    }

    /// What its machine is configured with.
    pub(super) fn session(&self) -> SessionConfig {
        SessionConfig {
            hold_time_s: self.hold_time_s,
            connect_retry_s: CONNECT_RETRY_S,
            passive: self.passive,
            graceful_restart: self.graceful_restart,
            add_path: self.add_path.0,
            extended_messages: self.abilities.extended_messages,
            extended_next_hop: self.abilities.extended_next_hop,
            role: self.role.and_then(Role::ours),
            strict_role: self.abilities.strict_role,
            ..SessionConfig::new(self.local_asn, self.router_id, self.asn)
        }
    }
}
