//! Where a route leads.

use std::fmt;
use std::net::IpAddr;

/// What becomes of packets that a route matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NextHop {
    /// They go to a router. Made by [`NextHop::gateway`].
    Gateway {
        /// Its address.
        address: IpAddr,
        /// For a link-local address the index of the link that it is on, or 0 where nobody knows: the same address may be in
        /// use on every link (RFC 4007 s6). 0 for every other address, which says itself where it is.
        link: u32,
    },
    /// They are dropped, without an answer (RFC 7999).
    Discard,
}

impl NextHop {
    /// A router; `link` counts for a link-local address alone.
    pub fn gateway(address: IpAddr, link: u32) -> Self {
        let link_local = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
        NextHop::Gateway { address, link: if link_local { link } else { 0 } }
    }

    /// The address of a router.
    pub fn address(self) -> Option<IpAddr> {
        match self {
            NextHop::Gateway { address, .. } => Some(address),
            NextHop::Discard => None,
        }
    }
}

impl From<IpAddr> for NextHop {
    fn from(address: IpAddr) -> Self {
        NextHop::gateway(address, 0)
    }
}

impl fmt::Display for NextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NextHop::Gateway { address, link: 0 } => address.fmt(f),
            NextHop::Gateway { address, link } => write!(f, "{address} on link {link}"),
            NextHop::Discard => f.write_str("discard"),
        }
    }
}
