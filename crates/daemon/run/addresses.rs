//! The addresses of the machine that BGP needs to know: the IPv6 next hop of an IPv4 session, and the other way round.
//!
//! A next hop that we put into UPDATEs must be an address of ours on the link that the peer is on (RFC 4271 s5.1.3, RFC
//! 2545 s3). For the session's own family that is the session's local address; for the other family it is looked up
//! on the interface that has that address.

use std::net::{IpAddr, Ipv6Addr};

use nix::ifaddrs::getifaddrs;
use palisade_bgp::Family;
use palisade_bgp::attributes::NextHop;

/// Our address of `family` on the interface that has `local`, where there is one.
pub(crate) fn on_the_link_of(local: IpAddr, family: Family) -> Option<IpAddr> {
    let local = local.to_canonical();
    if Family::of(local) == family {
        return Some(local);
    }
    let all = all();
    let (interface, _) = all.iter().find(|(_, address)| *address == local)?;
    usable_on(interface, family, &all)
}

/// Our address of `family` on an interface, where there is one.
pub(crate) fn on_interface(interface: &str, family: Family) -> Option<IpAddr> {
    usable_on(interface, family, &all())
}

/// The next hop on a link that we speak over from a link-local address of ours: that goes beside the link's global one, or, where it
/// has none, alone (RFC 2545 s3).
pub(crate) fn with_link_local(local: Ipv6Addr, interface: &str) -> NextHop {
    match on_interface(interface, Family::Ipv6) {
        Some(IpAddr::V6(global)) => NextHop::V6 { global, link_local: Some(local) },
        _ => NextHop::V6 { global: local, link_local: None },
    }
}

fn usable_on(interface: &str, family: Family, all: &[(String, IpAddr)]) -> Option<IpAddr> {
    let on_it = all.iter().filter(|(name, _)| name == interface);
    on_it.map(|(_, address)| *address).find(|address| usable(*address, family))
}

/// All addresses of this machine, each with its interface.
fn all() -> Vec<(String, IpAddr)> {
    let addresses = getifaddrs().into_iter().flatten();
    addresses.filter_map(|one| Some((one.interface_name.clone(), address(&one)?))).collect()
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
