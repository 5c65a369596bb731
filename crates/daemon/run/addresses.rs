//! The addresses of the machine that BGP needs to know: the IPv6 next hop of an IPv4 session, and the other way round.
//!
//! A next hop that we put into UPDATEs must be an address of ours on the link that the peer is on (RFC 4271 s5.1.3, RFC
//! 2545 s3). For the session's own family that is the session's local address; for the other family it is looked up
//! on the interface that has that address.

use std::net::{IpAddr, Ipv6Addr};

use nix::ifaddrs::getifaddrs;
use palisade_bgp::Family;

/// Our address of `family` on the interface that has `local`, where there is one.
pub(crate) fn on_the_link_of(local: IpAddr, family: Family) -> Option<IpAddr> {
    let local = local.to_canonical();
    if Family::of(local) == family {
        return Some(local);
    }
    let all: Vec<(String, IpAddr)> = getifaddrs()
        .ok()?
        .filter_map(|interface| Some((interface.interface_name.clone(), address(&interface)?)))
        .collect();
    let (interface, _) = all.iter().find(|(_, address)| *address == local)?;
    all.iter()
        .filter(|(name, _)| name == interface)
        .map(|(_, address)| *address)
        .find(|address| usable(*address, family))
}

fn address(interface: &nix::ifaddrs::InterfaceAddress) -> Option<IpAddr> {
    let storage = interface.address.as_ref()?;
    let v4 = storage.as_sockaddr_in().map(|socket| IpAddr::V4(socket.ip()));
    v4.or_else(|| storage.as_sockaddr_in6().map(|socket| IpAddr::V6(socket.ip())))
}

fn usable(address: IpAddr, family: Family) -> bool {
    match address {
        IpAddr::V4(_) => family == Family::Ipv4,
        IpAddr::V6(address) => {
            family == Family::Ipv6 && !address.is_unicast_link_local() && address != Ipv6Addr::LOCALHOST
        }
    }
}
