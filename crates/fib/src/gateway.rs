//! Where a route leads.

use std::net::IpAddr;

/// An address to send packets to, and for a link-local one the link that it is on: the same address may be in use on every
/// link (RFC 4007 s6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gateway {
    address: IpAddr,
    link: u32,
}

impl Gateway {
    /// A gateway; `link` counts for a link-local address alone, and is 0 where it isn't known.
    pub fn new(address: IpAddr, link: u32) -> Self {
        let link_local = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
        Gateway { address, link: if link_local { link } else { 0 } }
    }

    /// Its address.
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// The index of the link that its address is on; 0 where the address says so, or nobody knows.
    pub fn link(self) -> u32 {
        self.link
    }
}

impl From<IpAddr> for Gateway {
    fn from(address: IpAddr) -> Self {
        Gateway::new(address, 0)
    }
}
