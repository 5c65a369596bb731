//! What two OPENs agree on (RFC 4271 s6.2; RFC 4760 s8; RFC 5492 s3; RFC 6793 s4.1).
//!
//! A [`Negotiated`] exists only where both ends agree, so that whoever has one needs to check nothing any more.

use std::net::Ipv4Addr;

use crate::as_path::Asn;
use crate::capability::Capability;
use crate::message::MAX_LEN;
use crate::notification::{Notification, Violation};
use crate::open::Open;
use crate::prefix::Family;
use crate::session::{ConnectionId, SessionConfig};
use crate::update::Context;

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
    /// Whether the peer answers ROUTE-REFRESH.
    pub route_refresh: bool,
    /// The hold time: the smaller of the two, in seconds; 0 for none.
    pub hold_time_s: u16,
    /// The longest message either end may send, in octets.
    pub max_message: usize,
    /// All that the peer said it can do.
    pub peer_capabilities: Vec<Capability>,
}

impl Negotiated {
    /// What decoding the peer's UPDATEs depends on.
    pub fn context(&self) -> Context {
        Context {
            four_octet_as: self.four_octet_as,
            internal: self.internal,
            add_path: [false; 2],
            families: self.families,
        }
    }

    /// What our configuration and the peer's OPEN agree on, or what to tell the peer.
    pub(crate) fn new(
        config: &SessionConfig,
        connection: ConnectionId,
        open: Open,
    ) -> Result<Self, Notification> {
        let internal = config.peer_asn == config.local_asn;
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
        Ok(Negotiated {
            connection,
            peer_asn: open.asn,
            peer_router_id: open.router_id,
            internal,
            four_octet_as: open.has_four_octet_as(),
            families,
            route_refresh: open.capabilities.contains(&Capability::RouteRefresh),
            hold_time_s: open.hold_time_s.min(config.hold_time_s),
            max_message: MAX_LEN,
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

/// The capabilities that we can't do without, as Unsupported Capability quotes them (RFC 5492 s5).
fn wanted(config: &SessionConfig) -> Vec<u8> {
    let mut out = Vec::new();
    config.families.iter().for_each(|family| Capability::family(*family).encode(&mut out));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> SessionConfig {
        SessionConfig::new(Asn(64500), Ipv4Addr::new(192, 0, 2, 1), Asn(64501))
    }

    fn open(capabilities: &[Capability]) -> Open {
        Open {
            asn: Asn(64501),
            hold_time_s: 30,
            router_id: Ipv4Addr::new(192, 0, 2, 2),
            capabilities: capabilities.to_vec(),
        }
    }

    fn negotiate(config: &SessionConfig, open: Open) -> Result<Negotiated, Notification> {
        Negotiated::new(config, ConnectionId::Outgoing, open)
    }

    #[test]
    fn only_what_both_ends_say_is_agreed() {
        let all = [
            Capability::family(Family::Ipv4),
            Capability::family(Family::Ipv6),
            Capability::Multiprotocol { afi: 25, safi: 70 },
            Capability::RouteRefresh,
            Capability::FourOctetAs(Asn(64501)),
        ];
        let both = negotiate(&config(), open(&all)).unwrap();
        assert_eq!((both.families, both.route_refresh, both.four_octet_as), ([true, true], true, true));
        assert_eq!((both.hold_time_s, both.internal), (30, false));
        let six = negotiate(&config(), open(&all[1..2])).unwrap();
        assert_eq!((six.families, six.route_refresh, six.four_octet_as), ([false, true], false, false));
        // A peer of the last century.
        assert_eq!(negotiate(&config(), open(&[])).unwrap().families, [true, false]);
    }

    #[test]
    fn what_does_not_agree_is_told_the_peer() {
        let stranger = Open { asn: Asn(64502), ..open(&[]) };
        assert_eq!(negotiate(&config(), stranger), Err(Violation::PeerAs.into()));
        let only_six = SessionConfig { families: vec![Family::Ipv6], ..config() };
        let wanted = [1, 4, 0, 2, 0, 1];
        assert_eq!(negotiate(&only_six, open(&[])), Err(Violation::Capability(&wanted).into()));
        let internal = SessionConfig { peer_asn: Asn(64500), ..config() };
        let twin = Open { asn: Asn(64500), router_id: config().router_id, ..open(&[]) };
        assert_eq!(negotiate(&internal, twin.clone()), Err(Violation::RouterId.into()));
        // Two ASes may well have routers of one identifier (RFC 6286).
        let namesake = Open { asn: Asn(64501), ..twin };
        assert!(negotiate(&config(), namesake).is_ok());
    }
}
