//! Which link a next hop is on: the kernel's links and connected routes, kept current by notifications.
//!
//! A gateway must be a neighbour, so only routes that lead straight onto a link count, and only those of the table
//! `main`. Routes through another gateway are not followed: a next hop that is itself learned through BGP (RFC 4271
//! s5.1.3, recursive resolution) stays unresolved.
//!
//! The lookup is a tree bitmap, which answers longest-prefix match and can be changed in place. Nothing here grows
//! beyond what the kernel holds.

use crate::kernel::Link;
use crate::next_hop::NextHop;
use crate::next_hops::NO_LINK;
use hashbrown::HashMap;
use ipnet::IpNet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use treebitmap::IpLookupTable;
use treebitmap::address::Address;

/// The links that share a connected prefix, best metric first.
type Links = Vec<Attachment>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Attachment {
    metric: u32,
    link: u32,
}

/// Why a next hop can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// A link-local address says nothing about the link it belongs to.
    LinkLocal,
    /// No connected prefix covers it.
    NotConnected,
    /// The link that its prefix is on is down or has no carrier.
    LinkDown(u32),
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unresolved::LinkLocal => f.write_str("a link-local address doesn't name its link"),
            Unresolved::NotConnected => f.write_str("on no connected network"),
            Unresolved::LinkDown(link) => write!(f, "its link (ifindex {link}) is down"),
        }
    }
}

/// The connected networks of this machine.
#[derive(Default)]
pub(crate) struct Connected {
    links: HashMap<u32, Link>,
    v4: Networks<Ipv4Addr>,
    v6: Networks<Ipv6Addr>,
}

impl Connected {
    /// The link that packets for a next hop leave over.
    pub(crate) fn resolve(&self, next_hop: NextHop) -> Result<u32, Unresolved> {
        let NextHop::Gateway { address, link } = next_hop else { return Ok(NO_LINK) };
        let works = |link: u32| self.links.get(&link).is_some_and(Link::carries_gateways);
        let attached = match address {
            IpAddr::V4(address) => self.v4.longest_match(address),
            IpAddr::V6(address) if address.is_unicast_link_local() => {
                return match link {
                    0 => Err(Unresolved::LinkLocal),
                    link if works(link) => Ok(link),
                    link => Err(Unresolved::LinkDown(link)),
                };
            }
            IpAddr::V6(address) => self.v6.longest_match(address),
        };
        let first = attached.first().ok_or(Unresolved::NotConnected)?;
        attached
            .iter()
            .map(|attachment| attachment.link)
            .find(|link| works(*link))
            .ok_or(Unresolved::LinkDown(first.link))
    }

    /// Takes note of a link; true when it can't carry gateways (any more).
    ///
    /// The kernel drops the connected routes of a link that is taken down, for IPv4 without a word, and announces them
    /// again when it comes up.
    pub(crate) fn update_link(&mut self, link: Link) -> bool {
        self.links.insert(link.index, link);
        if !link.up {
            self.detach(link.index);
        }
        !link.carries_gateways()
    }

    /// Forgets a link and its networks.
    pub(crate) fn remove_link(&mut self, index: u32) {
        self.links.remove(&index);
        self.detach(index);
    }

    /// Adds a connected route.
    pub(crate) fn add(&mut self, prefix: IpNet, metric: u32, link: u32) {
        self.change(prefix, |links| {
            links.push(Attachment { metric, link });
            links.sort_unstable();
            links.dedup();
        });
    }

    /// Removes a connected route.
    pub(crate) fn remove(&mut self, prefix: IpNet, metric: u32, link: u32) {
        self.change(prefix, |links| links.retain(|attachment| *attachment != Attachment { metric, link }));
    }

    /// Removes the connected route that another route with the same prefix and metric has replaced.
    pub(crate) fn remove_metric(&mut self, prefix: IpNet, metric: u32) {
        self.change(prefix, |links| links.retain(|attachment| attachment.metric != metric));
    }

    fn detach(&mut self, link: u32) {
        self.v4.detach(link);
        self.v6.detach(link);
    }

    fn change(&mut self, prefix: IpNet, edit: impl FnOnce(&mut Links)) {
        match prefix {
            IpNet::V4(net) => self.v4.change(net.network(), u32::from(net.prefix_len()), edit),
            IpNet::V6(net) => self.v6.change(net.network(), u32::from(net.prefix_len()), edit),
        }
    }
}

/// The connected prefixes of one family.
struct Networks<A> {
    by_prefix: IpLookupTable<A, Links>,
}

impl<A: Address> Default for Networks<A> {
    fn default() -> Self {
        Networks { by_prefix: IpLookupTable::new() }
    }
}

impl<A: Address + Copy> Networks<A> {
    fn longest_match(&self, address: A) -> &[Attachment] {
        self.by_prefix.longest_match(address).map_or(&[], |(_, _, links)| links.as_slice())
    }

    /// Edits the links of one prefix; a prefix without links leaves the table.
    fn change(&mut self, network: A, length: u32, edit: impl FnOnce(&mut Links)) {
        let mut links = self.by_prefix.remove(network, length).unwrap_or_default();
        edit(&mut links);
        if !links.is_empty() {
            self.by_prefix.insert(network, length, links);
        }
    }

    fn detach(&mut self, link: u32) {
        let attached: Vec<(A, u32)> = self
            .by_prefix
            .iter()
            .filter(|(_, _, links)| links.iter().any(|attachment| attachment.link == link))
            .map(|(network, length, _)| (network, length))
            .collect();
        for (network, length) in attached {
            self.change(network, length, |links| links.retain(|attachment| attachment.link != link));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(index: u32, carrier: bool) -> Link {
        Link { index, up: true, carrier, loopback: false }
    }

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn address(text: &str) -> NextHop {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn the_most_specific_network_with_a_working_link_wins() {
        let mut connected = Connected::default();
        connected.update_link(link(1, true));
        connected.update_link(link(2, true));
        connected.add(net("192.0.2.0/24"), 0, 1);
        connected.add(net("192.0.2.128/25"), 0, 2);
        assert_eq!(connected.resolve(address("192.0.2.1")), Ok(1));
        assert_eq!(connected.resolve(address("192.0.2.129")), Ok(2));
        connected.update_link(link(2, false));
        assert_eq!(connected.resolve(address("192.0.2.129")), Err(Unresolved::LinkDown(2)));
        connected.remove(net("192.0.2.128/25"), 0, 2);
        assert_eq!(connected.resolve(address("192.0.2.129")), Ok(1));
    }

    #[test]
    fn of_two_links_on_one_network_the_better_metric_is_used_while_it_works() {
        let mut connected = Connected::default();
        connected.update_link(link(1, true));
        connected.update_link(link(2, true));
        connected.add(net("2001:db8::/64"), 256, 2);
        connected.add(net("2001:db8::/64"), 1024, 1);
        assert_eq!(connected.resolve(address("2001:db8::1")), Ok(2));
        connected.update_link(link(2, false));
        assert_eq!(connected.resolve(address("2001:db8::1")), Ok(1));
        connected.remove_metric(net("2001:db8::/64"), 1024);
        assert_eq!(connected.resolve(address("2001:db8::1")), Err(Unresolved::LinkDown(2)));
    }

    #[test]
    fn a_link_taken_down_or_away_takes_its_networks_along() {
        let mut connected = Connected::default();
        connected.update_link(link(1, true));
        connected.add(net("192.0.2.0/24"), 0, 1);
        connected.update_link(Link { up: false, ..link(1, false) });
        connected.update_link(link(1, true));
        assert_eq!(connected.resolve(address("192.0.2.1")), Err(Unresolved::NotConnected));
        connected.add(net("192.0.2.0/24"), 0, 1);
        connected.remove_link(1);
        assert_eq!(connected.resolve(address("192.0.2.1")), Err(Unresolved::NotConnected));
    }

    #[test]
    fn neither_loopback_nor_a_link_local_address_without_a_link_resolves() {
        let mut connected = Connected::default();
        connected.update_link(Link { loopback: true, ..link(1, true) });
        connected.add(net("198.51.100.1/32"), 0, 1);
        connected.add(net("fe80::/64"), 256, 1);
        assert_eq!(connected.resolve(address("198.51.100.1")), Err(Unresolved::LinkDown(1)));
        assert_eq!(connected.resolve(address("fe80::1")), Err(Unresolved::LinkLocal));
    }

    #[test]
    fn a_link_local_address_is_on_its_own_link_alone() {
        let mut connected = Connected::default();
        connected.update_link(link(1, true));
        connected.update_link(link(2, true));
        let on = |link| NextHop::gateway("fe80::1".parse().unwrap(), link);
        assert_eq!((connected.resolve(on(1)), connected.resolve(on(2))), (Ok(1), Ok(2)));
        connected.update_link(link(2, false));
        assert_eq!(connected.resolve(on(2)), Err(Unresolved::LinkDown(2)));
        assert_eq!(connected.resolve(on(3)), Err(Unresolved::LinkDown(3)));
    }
}
