//! What two OPENs agree on (RFC 4271 s6.2; RFC 4760 s8; RFC 5492 s3; RFC 6793 s4.1; RFC 7313 s3; RFC 7911 s5; RFC 8654 s4;
//! RFC 8950 s4; RFC 9234 s4.2).
//!
//! A [`Negotiated`] exists only where both ends agree, so that whoever has one needs to check nothing any more.

use std::net::Ipv4Addr;

use crate::as_path::Asn;
use crate::attribute_codes::AttributeCodes;
use crate::capability::{AddPath, BgpRole, Capability, ExtendedNextHop};
use crate::encode::Format;
use crate::message::{MAX_EXTENDED_LEN, MAX_LEN};
use crate::notification::{Notification, Violation};
use crate::open::Open;
use crate::prefix::Family;
use crate::session::{ConnectionId, SessionConfig};
use crate::update::Context;

mod restart;

pub use restart::{PeerRestart, Retained};

/// What a session runs with, once both OPENs are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// The connection it runs over.
    pub connection: ConnectionId,
    /// The peer's AS.
    pub peer_asn: Asn,
    /// The peer's BGP identifier.
    pub peer_router_id: Ipv4Addr,
    /// Whether the peer is of our own AS.
    pub internal: bool,
    /// Whether AS numbers have four octets.
    pub four_octet_as: bool,
    /// The families both ends route, by [`Family::index`].
    pub families: [bool; 2],
    /// Whether the prefixes that we send, and those that we receive, carry path identifiers (RFC 7911 s5), by [`Family::index`].
    pub add_path: [AddPath; 2],
    /// Whether IPv4 routes may have IPv6 next hops, those that we send and those that we receive (RFC 8950).
    pub extended_next_hop: bool,
    /// Whether the peer answers ROUTE-REFRESH.
    pub route_refresh: bool,
    /// Whether both ends mark where a refresh begins and ends (RFC 7313).
    pub enhanced_refresh: bool,
    /// The hold time: the smaller of the two, in seconds; 0 for none.
    pub hold_time_s: u16,
    /// The longest message that we may send, in octets (RFC 8654).
    pub max_sent: usize,
    /// The longest message that the peer may send.
    pub max_received: usize,
    /// What the peer says that it is to us (RFC 9234).
    pub peer_role: Option<BgpRole>,
    /// How the peer restarts; `None` where either end does not keep the other's routes meanwhile.
    pub peer_restart: Option<PeerRestart>,
    /// All that the peer said it can do.
    pub peer_capabilities: Vec<Capability>,
}

impl Negotiated {
    /// What decoding the peer's UPDATEs depends on, beside what is stripped.
    pub fn context(&self) -> Context {
        Context {
            four_octet_as: self.four_octet_as,
            internal: self.internal,
            add_path: self.add_path.map(|add_path| add_path.receive),
            families: self.families,
            extended_next_hop: self.extended_next_hop,
            stripped: AttributeCodes::default(),
        }
    }

    /// What encoding UPDATEs of a family for the peer depends on.
    pub fn format(&self, family: Family) -> Format {
        Format { max_message: self.max_sent, add_path: self.add_path[family.index()].send }
    }

    /// What our configuration and the peer's OPEN agree on, or what to tell the peer.
    pub(crate) fn new(
        config: &SessionConfig,
        connection: ConnectionId,
        open: Open,
    ) -> Result<Self, Notification> {
        let internal = config.is_internal();
        if open.asn != config.peer_asn {
            return Err(Violation::PeerAs.into());
        }
        if internal && open.router_id == config.router_id {
            return Err(Violation::RouterId.into()); // RFC 6286 s2.2
        }
        let families = Family::ALL.map(|family| config.families.contains(&family) && routes(&open, family));
        if families == [false; 2] {
            return Err(Violation::Capability(&wanted(config)).into());
        }
        let add_path = Family::ALL.map(|family| match families[family.index()] {
            true => both(config.add_path[family.index()], add_path(&open, family)),
            false => AddPath::OFF,
        });
        let peer_role = peer_role(config, &open.capabilities)?;
        let says = |capability: &Capability| open.capabilities.contains(capability);
        Ok(Negotiated {
            connection,
            peer_asn: open.asn,
            peer_router_id: open.router_id,
            internal,
            four_octet_as: open.has_four_octet_as(),
            families,
            add_path,
            extended_next_hop: config.extended_next_hop
                && families[Family::Ipv4.index()]
                && has_ipv6_next_hops(&open),
            route_refresh: says(&Capability::RouteRefresh),
            enhanced_refresh: says(&Capability::EnhancedRouteRefresh),
            hold_time_s: open.hold_time_s.min(config.hold_time_s),
            max_sent: longest(config.extended_messages && says(&Capability::ExtendedMessage)),
            max_received: longest(config.extended_messages),
            peer_role,
            peer_restart: PeerRestart::new(config, &open, families),
            peer_capabilities: open.capabilities,
        })
    }
}

/// Whether a peer routes a family. One that lists no families at all routes IPv4 (RFC 4760 s8).
fn routes(open: &Open, family: Family) -> bool {
    let lists = |capability: &Capability| matches!(capability, Capability::Multiprotocol { .. });
    match open.capabilities.iter().any(lists) {
        true => open.capabilities.contains(&Capability::family(family)),
        false => family == Family::Ipv4,
    }
}

/// What a peer can do with several paths to a prefix of a family. RFC 7911 does not say what a family means that is listed twice, in one
/// capability or, though s4 forbids that, in two: the last one holds.
fn add_path(open: &Open, family: Family) -> AddPath {
    let listed = open.capabilities.iter().filter_map(|capability| match capability {
        Capability::AddPath(families) => Some(families),
        _ => None,
    });
    let mut of_family =
        listed.flatten().filter(|one| Family::from_afi_safi(one.afi, one.safi) == Some(family));
    of_family.next_back().map_or(AddPath::OFF, |last| last.can)
}

/// What of it is done: sending where the one end can send and the other can receive (RFC 7911 s5).
fn both(ours: AddPath, theirs: AddPath) -> AddPath {
    AddPath { send: ours.send && theirs.receive, receive: ours.receive && theirs.send }
}

/// Whether a peer takes IPv4 routes with IPv6 next hops.
fn has_ipv6_next_hops(open: &Open) -> bool {
    open.capabilities.iter().any(|capability| match capability {
        Capability::ExtendedNextHop(listed) => listed.contains(&ExtendedNextHop::IPV4_OVER_IPV6),
        _ => false,
    })
}

fn longest(extended: bool) -> usize {
    if extended { MAX_EXTENDED_LEN } else { MAX_LEN }
}

/// What a peer says that it is to us, if that agrees with what we are to it. One that says several things agrees with
/// none of them, nor does one with a role that nobody has defined; one that says nothing does, unless we are strict.
/// Without a role of our own nothing is compared (RFC 9234 s4.2).
fn peer_role(
    config: &SessionConfig,
    capabilities: &[Capability],
) -> Result<Option<BgpRole>, Violation<'static>> {
    let mut said = capabilities.iter().filter(|capability| capability.code() == Capability::ROLE);
    let first = said.next();
    let role = match first {
        Some(Capability::Role(role)) if said.all(|other| Some(other) == first) => Some(*role),
        _ => None,
    };
    match (config.role_said(), first) {
        (Some(ours), Some(_)) if role != Some(ours.opposite()) => Err(Violation::RoleMismatch),
        (Some(_), None) if config.strict_role => Err(Violation::RoleMismatch),
        _ => Ok(role.filter(|_| !config.is_internal())),
    }
}

/// The capabilities that we can't do without, as Unsupported Capability quotes them (RFC 5492 s5).
fn wanted(config: &SessionConfig) -> Vec<u8> {
    let mut out = Vec::new();
    config.families.iter().for_each(|family| Capability::family(*family).encode(&mut out));
    out
}

#[cfg(test)]
mod tests;
