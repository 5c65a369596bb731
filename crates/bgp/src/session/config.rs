//! What a session is configured with, and the OPEN that says so.

use std::net::Ipv4Addr;

use crate::as_path::Asn;
use crate::capability::{
    AddPath, AddPathFamily, BgpRole, Capability, ExtendedNextHop, LongLivedFamily, Restart, RestartFamily,
};
use crate::open::Open;
use crate::prefix::Family;

/// The hold time proposed where nothing else is configured (RFC 4271 s10).
pub const DEFAULT_HOLD_TIME_S: u16 = 90;
/// The time between attempts to connect where nothing else is configured.
pub const DEFAULT_CONNECT_RETRY_S: u16 = 30;

/// What a session is configured with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionConfig {
    /// Our AS.
    pub local_asn: Asn,
    /// Our BGP identifier.
    pub router_id: Ipv4Addr,
    /// The AS the peer must be of.
    pub peer_asn: Asn,
    /// The hold time we propose, in seconds: 0 for none, or at least 3.
    pub hold_time_s: u16,
    /// How long to wait between attempts to connect, in seconds; at least 1.
    pub connect_retry_s: u16,
    /// Whether to wait for the peer to connect.
    pub passive: bool,
    /// The families to exchange.
    pub families: Vec<Family>,
    /// What we are willing to do with several paths to a prefix (RFC 7911), by [`Family::index`]; nothing for a family that is not
    /// exchanged.
    pub add_path: [AddPath; 2],
    /// Whether IPv4 routes may have IPv6 next hops (RFC 8950).
    pub extended_next_hop: bool,
    /// Whether messages may have more than 4,096 octets (RFC 8654).
    pub extended_messages: bool,
    /// What we are to the peer (RFC 9234); nothing is said of it to a peer of our own AS.
    pub role: Option<BgpRole>,
    /// Whether a peer that says no role is refused (RFC 9234 s4.2). Means nothing without a role of our own.
    pub strict_role: bool,
    /// Whether routes are kept over a restart, the peer's or ours.
    pub graceful_restart: Option<GracefulRestart>,
}

/// For how long the peer is to keep our routes (RFC 4724, RFC 9494).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GracefulRestart {
    /// How long our restart may take, in seconds; at most [`crate::capability::MAX_RESTART_TIME_S`].
    pub restart_time_s: u16,
    /// For how long routes may be kept after that, in seconds, at most [`crate::capability::MAX_STALE_TIME_S`]; with 0 they are
    /// not.
    pub long_lived_stale_time_s: u32,
}

/// What is to be said of a restart of ours in the next OPEN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OwnRestart {
    pub(super) restarting: bool,
    pub(super) forwarding: [bool; 2],
}

impl SessionConfig {
    /// Both families with one path to a prefix, what RFC 4271 s10 suggests, and nothing that came after it but for what no session
    /// should be without.
    pub fn new(local_asn: Asn, router_id: Ipv4Addr, peer_asn: Asn) -> Self {
        SessionConfig {
            local_asn,
            router_id,
            peer_asn,
            hold_time_s: DEFAULT_HOLD_TIME_S,
            connect_retry_s: DEFAULT_CONNECT_RETRY_S,
            passive: false,
            families: Family::ALL.to_vec(),
            add_path: [AddPath::OFF; 2],
            extended_next_hop: false,
            extended_messages: false,
            role: None,
            strict_role: false,
            graceful_restart: None,
        }
    }

    /// Whether the peer is of our own AS.
    pub(crate) fn is_internal(&self) -> bool {
        self.peer_asn == self.local_asn
    }

    /// What we say to the peer that we are to it: roles are between ASes (RFC 9234 s4).
    pub(crate) fn role_said(&self) -> Option<BgpRole> {
        self.role.filter(|_| !self.is_internal())
    }

    pub(super) fn open(&self, restart: OwnRestart) -> Open {
        let families = || Family::ALL.into_iter().filter(|family| self.families.contains(family));
        let mut capabilities: Vec<Capability> = families().map(Capability::family).collect();
        capabilities.extend([
            Capability::RouteRefresh,
            Capability::EnhancedRouteRefresh,
            Capability::FourOctetAs(self.local_asn),
        ]);
        if self.extended_next_hop && self.families.contains(&Family::Ipv4) {
            capabilities.push(Capability::ExtendedNextHop(vec![ExtendedNextHop::IPV4_OVER_IPV6]));
        }
        capabilities.extend(self.extended_messages.then_some(Capability::ExtendedMessage));
        capabilities.extend(self.role_said().map(Capability::Role));
        let add_path: Vec<_> = families().filter_map(|family| self.add_path_family(family)).collect();
        if !add_path.is_empty() {
            capabilities.push(Capability::AddPath(add_path));
        }
        if let Some(graceful) = self.graceful_restart {
            capabilities.push(Capability::GracefulRestart(self.restart(graceful, restart)));
            let long_lived = self.long_lived(graceful, restart);
            capabilities.extend(long_lived.map(Capability::LongLived));
        }
        Open { asn: self.local_asn, hold_time_s: self.hold_time_s, router_id: self.router_id, capabilities }
    }

    fn add_path_family(&self, family: Family) -> Option<AddPathFamily> {
        let can = self.add_path[family.index()];
        (can != AddPath::OFF).then_some(AddPathFamily { afi: family.afi(), safi: 1, can })
    }

    fn restart(&self, graceful: GracefulRestart, own: OwnRestart) -> Restart {
        let family = |family: &Family| RestartFamily {
            afi: family.afi(),
            safi: 1,
            forwarding: own.forwarding[family.index()],
        };
        Restart {
            restarting: own.restarting,
            notification: true,
            restart_time_s: graceful.restart_time_s,
            families: self.families.iter().map(family).collect(),
        }
    }

    fn long_lived(&self, graceful: GracefulRestart, own: OwnRestart) -> Option<Vec<LongLivedFamily>> {
        let stale_time_s = graceful.long_lived_stale_time_s;
        let family = |family: &Family| LongLivedFamily {
            afi: family.afi(),
            safi: 1,
            forwarding: own.forwarding[family.index()],
            stale_time_s,
        };
        (stale_time_s > 0).then(|| self.families.iter().map(family).collect())
    }
}
