//! Requests to the kernel, written straight into the buffer that is sent.
//!
//! A full table is more than a million of these, so nothing is allocated for one. A message is a header of 16 bytes,
//! the family header (`rtmsg`, 12 bytes; `nhmsg`, 8) and attributes, all in the machine's byte order except addresses.
//! Routes and nexthop objects are written here, the latter because the message crate has none; rarer requests come
//! from the crate.

use super::numbers::{NHA_GATEWAY, NHA_ID, NHA_OIF, RTA_NH_ID, RTM_DELNEXTHOP, RTM_NEWNEXTHOP};
use crate::config::FibConfig;
use crate::kernel::{Operation, Via};
use ipnet::IpNet;
use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST};
use std::net::IpAddr;

/// `rtm_table` holds no larger number; larger ones are in an attribute.
const LARGEST_SHORT_TABLE: u32 = 255;

/// Appends the request for `operation`.
pub(super) fn operation(
    out: &mut Vec<u8>,
    config: &FibConfig,
    operation: Operation,
    sequence: u32,
    acknowledge: bool,
) {
    const ADD: u16 = NLM_F_CREATE | NLM_F_EXCL;
    const REPLACE: u16 = NLM_F_CREATE | NLM_F_REPLACE;
    let (kind, flags) = match operation {
        Operation::AddRoute { .. } => (libc::RTM_NEWROUTE, ADD),
        Operation::ReplaceRoute { .. } => (libc::RTM_NEWROUTE, REPLACE),
        Operation::RemoveRoute { .. } => (libc::RTM_DELROUTE, 0),
        Operation::AddNextHop { .. } => (RTM_NEWNEXTHOP, ADD),
        Operation::ReplaceNextHop { .. } => (RTM_NEWNEXTHOP, REPLACE),
        Operation::RemoveNextHop { .. } => (RTM_DELNEXTHOP, 0),
    };
    let acknowledge = if acknowledge { NLM_F_ACK } else { 0 };
    let start = begin(out, kind, NLM_F_REQUEST | flags | acknowledge, sequence);
    match operation {
        Operation::AddRoute { prefix, via } | Operation::ReplaceRoute { prefix, via } => {
            route(out, config, prefix, config.metric, Some(via));
        }
        Operation::RemoveRoute { prefix, metric } => route(out, config, prefix, metric, None),
        Operation::AddNextHop { id, gateway, link } | Operation::ReplaceNextHop { id, gateway, link } => {
            out.extend_from_slice(&[family(gateway), 0, config.protocol, 0, 0, 0, 0, 0]);
            attribute(out, NHA_ID, &id.to_ne_bytes());
            attribute(out, NHA_OIF, &link.to_ne_bytes());
            address(out, NHA_GATEWAY, gateway);
        }
        Operation::RemoveNextHop { id } => {
            out.extend_from_slice(&[0; 8]);
            attribute(out, NHA_ID, &id.to_ne_bytes());
        }
    }
    finish(out, start);
}

/// Appends the request for a dump whose family header is `header`.
pub(super) fn dump(out: &mut Vec<u8>, kind: u16, header: &[u8], sequence: u32) {
    let start = begin(out, kind, NLM_F_REQUEST | netlink_packet_core::NLM_F_DUMP, sequence);
    out.extend_from_slice(header);
    finish(out, start);
}

/// A route to install, or to remove when there is no `via`. Removal names our protocol, so a stranger's route is safe.
fn route(out: &mut Vec<u8>, config: &FibConfig, prefix: IpNet, metric: u32, via: Option<Via>) {
    let (scope, kind) = match via {
        Some(Via::Discard) => (libc::RT_SCOPE_UNIVERSE, libc::RTN_BLACKHOLE),
        Some(_) => (libc::RT_SCOPE_UNIVERSE, libc::RTN_UNICAST),
        None => (libc::RT_SCOPE_NOWHERE, libc::RTN_UNSPEC),
    };
    let table = if config.table <= LARGEST_SHORT_TABLE { config.table.to_le_bytes()[0] } else { 0 };
    let protocol = config.protocol;
    out.extend_from_slice(&[family(prefix.addr()), prefix.prefix_len(), 0, 0, table, protocol, scope, kind]);
    out.extend_from_slice(&[0; 4]);
    address(out, libc::RTA_DST, prefix.addr());
    attribute(out, libc::RTA_PRIORITY, &metric.to_ne_bytes());
    if config.table > LARGEST_SHORT_TABLE {
        attribute(out, libc::RTA_TABLE, &config.table.to_ne_bytes());
    }
    match via {
        None | Some(Via::Discard) => return,
        Some(Via::Object(id)) => attribute(out, RTA_NH_ID, &id.to_ne_bytes()),
        Some(Via::Gateway { address: gateway, link }) => {
            attribute(out, libc::RTA_OIF, &link.to_ne_bytes());
            direct_gateway(out, prefix, gateway);
        }
    }
    match (prefix, config.preferred_source_v4, config.preferred_source_v6) {
        (IpNet::V4(_), Some(source), _) => attribute(out, libc::RTA_PREFSRC, &source.octets()),
        (IpNet::V6(_), _, Some(source)) => attribute(out, libc::RTA_PREFSRC, &source.octets()),
        _ => {}
    }
}

/// `RTA_GATEWAY` is an address of the route's family; an IPv6 gateway of an IPv4 route (RFC 8950) goes into `RTA_VIA`.
fn direct_gateway(out: &mut Vec<u8>, prefix: IpNet, gateway: IpAddr) {
    match (prefix, gateway) {
        (IpNet::V4(_), IpAddr::V6(gateway)) => {
            let mut via = [0; 18];
            via[..2].copy_from_slice(&u16::from(family(gateway.into())).to_ne_bytes());
            via[2..].copy_from_slice(&gateway.octets());
            attribute(out, libc::RTA_VIA, &via);
        }
        _ => address(out, libc::RTA_GATEWAY, gateway),
    }
}

fn begin(out: &mut Vec<u8>, kind: u16, flags: u16, sequence: u32) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&kind.to_ne_bytes());
    out.extend_from_slice(&flags.to_ne_bytes());
    out.extend_from_slice(&sequence.to_ne_bytes());
    out.extend_from_slice(&[0; 4]);
    start
}

/// Fills in the length. A message is below 100 bytes and always a multiple of 4.
fn finish(out: &mut [u8], start: usize) {
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&length.to_ne_bytes());
}

fn address(out: &mut Vec<u8>, kind: u16, address: IpAddr) {
    match address {
        IpAddr::V4(address) => attribute(out, kind, &address.octets()),
        IpAddr::V6(address) => attribute(out, kind, &address.octets()),
    }
}

/// Appends an attribute, padded to 4 bytes.
fn attribute(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&length.to_ne_bytes());
    out.extend_from_slice(&kind.to_ne_bytes());
    out.extend_from_slice(value);
    out.resize(out.len().next_multiple_of(4), 0);
}

fn family(address: IpAddr) -> u8 {
    // Both numbers are below 256 in every kernel.
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    family.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_packet_core::{NetlinkBuffer, Parseable};
    use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteVia};

    fn encode(config: &FibConfig, op: Operation) -> Vec<u8> {
        let mut out = Vec::new();
        operation(&mut out, config, op, 7, true);
        out
    }

    /// The crate's parser, which we did not write, reads what we meant.
    #[test]
    fn a_route_reads_back_as_written() {
        let config = FibConfig {
            table: 10_000,
            preferred_source_v4: Some([192, 0, 2, 9].into()),
            ..FibConfig::default()
        };
        let prefix = "198.51.100.0/24".parse().unwrap();
        let out = encode(&config, Operation::AddRoute { prefix, via: Via::Object(213_000_001) });
        let message = NetlinkBuffer::new_checked(&out[..]).unwrap();
        assert_eq!((message.message_type(), message.sequence_number()), (24, 7));
        assert_eq!(message.flags(), NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
        let route = RouteMessage::parse(message.payload()).unwrap();
        assert_eq!((route.header.destination_prefix_length, u8::from(route.header.protocol)), (24, 213));
        assert_eq!(
            route.attributes,
            [
                RouteAttribute::Destination(RouteAddress::Inet([198, 51, 100, 0].into())),
                RouteAttribute::Priority(32),
                RouteAttribute::Table(10_000),
                RouteAttribute::NhId(213_000_001),
                RouteAttribute::PrefSource(RouteAddress::Inet([192, 0, 2, 9].into())),
            ]
        );
    }

    #[test]
    fn an_ipv4_route_over_an_ipv6_gateway_uses_via() {
        let gateway: IpAddr = "2001:db8::1".parse().unwrap();
        let via = Via::Gateway { address: gateway, link: 3 };
        let prefix = "198.51.100.0/24".parse().unwrap();
        let out = encode(&FibConfig::default(), Operation::ReplaceRoute { prefix, via });
        let message = NetlinkBuffer::new_checked(&out[..]).unwrap();
        assert_eq!(message.flags(), NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE);
        let route = RouteMessage::parse(message.payload()).unwrap();
        let expected = RouteVia::Inet6("2001:db8::1".parse().unwrap());
        assert!(route.attributes.contains(&RouteAttribute::Via(expected)), "{route:?}");
        assert_eq!(route.header.table, 254);
    }

    #[test]
    fn a_removal_names_prefix_metric_and_owner_and_nothing_else() {
        let prefix = "2001:db8::/32".parse().unwrap();
        let out = encode(&FibConfig::default(), Operation::RemoveRoute { prefix, metric: 99 });
        let message = NetlinkBuffer::new_checked(&out[..]).unwrap();
        let route = RouteMessage::parse(message.payload()).unwrap();
        assert_eq!(message.message_type(), 25);
        assert_eq!(u8::from(route.header.protocol), 213);
        assert_eq!(route.attributes.len(), 2);
        assert!(route.attributes.contains(&RouteAttribute::Priority(99)));
    }
}
