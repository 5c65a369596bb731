//! What two OPENs agree on.

use std::net::Ipv4Addr;

use crate::as_path::Asn;
use crate::capability::Capability;
use crate::session::ConnectionId;
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
    /// The families both ends route, by [`crate::Family::index`].
    pub families: [bool; 2],
    /// Whether the peer answers ROUTE-REFRESH.
    pub route_refresh: bool,
    /// The hold time: the smaller of the two; 0 for none.
    pub hold_time_s: u16,
    /// The longest message either end may send.
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
}
