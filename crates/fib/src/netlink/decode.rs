//! What the kernel says, turned into values. Messages that don't concern forwarding, or that can't be read, become
//! `None`: one odd route must not hide the others.

use super::numbers::{
    NHA_GATEWAY, NHA_GROUP, NHA_ID, NHA_OIF, NLMSGERR_ATTR_MSG, RTM_DELNEXTHOP, RTM_NEWNEXTHOP,
};
use crate::error::Errno;
use crate::kernel::{Event, KernelNextHop, KernelRoute, Link, RouteChange, RouteTarget, Via};
use ipnet::IpNet;
use netlink_packet_core::{
    NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_REPLACE, NetlinkBuffer, NlasIterator, Parseable,
};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{LinkFlags, LinkHeader};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteType, RouteVia};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The length of `nlmsghdr`.
const NETLINK_HEADER_LEN: usize = 16;

/// One netlink message in a datagram.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    pub(super) flags: u16,
    pub(super) sequence: u32,
    pub(super) payload: &'a [u8],
}

/// The messages of a datagram, up to the first that doesn't hold together.
pub(super) fn messages(datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let message = NetlinkBuffer::new_checked(rest).ok()?;
        let length = message.length() as usize;
        let payload = rest.get(NETLINK_HEADER_LEN..length)?;
        let (kind, flags, sequence) = (message.message_type(), message.flags(), message.sequence_number());
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message { kind, flags, sequence, payload })
    })
}

/// The error number of an `NLMSG_ERROR` or `NLMSG_DONE`; `None` when it says that all is well.
pub(super) fn errno(message: Message<'_>) -> Option<Errno> {
    let code = i32::from_ne_bytes(*message.payload.first_chunk()?);
    (code != 0).then(|| Errno(code.saturating_neg()))
}

/// The kernel's own words in an error message.
pub(super) fn words(message: Message<'_>) -> Option<Box<str>> {
    if message.flags & NLM_F_ACK_TLVS == 0 {
        return None;
    }
    // The error number, then the request's header, and the whole request unless it was capped.
    let request = message.payload.get(4..)?;
    let length = match message.flags & NLM_F_CAPPED {
        0 => (u32::from_ne_bytes(*request.first_chunk()?) as usize).next_multiple_of(4),
        _ => NETLINK_HEADER_LEN,
    };
    let text = attributes(request.get(length..)?).find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG)?.1;
    Some(String::from_utf8_lossy(text).trim_end_matches('\0').into())
}

/// The state of a link. Messages about bridge ports come as links of another family and are none.
pub(super) fn link(payload: &[u8]) -> Option<Link> {
    let header = LinkHeader::parse(payload).ok()?;
    (header.interface_family == AddressFamily::Unspec).then_some(Link {
        index: header.index,
        up: header.flags.contains(LinkFlags::Up),
        carrier: header.flags.contains(LinkFlags::LowerUp),
        loopback: header.flags.contains(LinkFlags::Loopback),
    })
}

/// A nexthop object.
pub(super) fn next_hop(payload: &[u8]) -> Option<KernelNextHop> {
    let &[family, _scope, protocol, ..] = payload.first_chunk::<8>()?;
    let (mut id, mut link, mut gateway, mut group) = (None, None, None, false);
    for (kind, value) in attributes(payload.get(8..)?) {
        match kind {
            NHA_ID => id = Some(u32::from_ne_bytes(*value.first_chunk()?)),
            NHA_OIF => link = Some(u32::from_ne_bytes(*value.first_chunk()?)),
            NHA_GATEWAY => gateway = octets(family, value),
            NHA_GROUP => group = true,
            _ => {}
        }
    }
    Some(KernelNextHop { id: id?, protocol, gateway: gateway.zip(link).filter(|_| !group) })
}

/// A route of IPv4 or IPv6 that packets are chosen for by destination alone.
pub(super) fn route(payload: &[u8]) -> Option<KernelRoute> {
    let message = match RouteMessage::parse(payload) {
        Ok(message) => message,
        Err(error) => {
            tracing::debug!(%error, "a kernel route that can't be read is passed over");
            return None;
        }
    };
    let header = &message.header;
    let unspecified: IpAddr = match header.address_family {
        AddressFamily::Inet => Ipv4Addr::UNSPECIFIED.into(),
        AddressFamily::Inet6 => Ipv6Addr::UNSPECIFIED.into(),
        _ => return None,
    };
    if header.tos != 0 || header.source_prefix_length != 0 || header.flags.bits() & libc::RTM_F_CLONED != 0 {
        return None;
    }
    let mut found = Attributes { table: u32::from(header.table), ..Attributes::default() };
    message.attributes.iter().for_each(|attribute| found.take(attribute));
    let destination = found.destination.unwrap_or(unspecified);
    Some(KernelRoute {
        prefix: IpNet::new(destination, header.destination_prefix_length).ok()?,
        table: found.table,
        protocol: header.protocol.into(),
        metric: found.metric,
        target: match header.kind {
            RouteType::Unicast => found.target(),
            RouteType::BlackHole => RouteTarget::Via(Via::Discard),
            _ => RouteTarget::Other,
        },
    })
}

/// An address of this machine.
fn local_address(payload: &[u8]) -> Option<IpAddr> {
    let message = AddressMessage::parse(payload).ok()?;
    let local = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Local(address) => Some(*address),
        _ => None,
    });
    local.or_else(|| {
        message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Address(address) => Some(*address),
            _ => None,
        })
    })
}

/// A notification.
pub(super) fn event(message: Message<'_>) -> Option<Event> {
    match message.kind {
        libc::RTM_NEWLINK => link(message.payload).map(Event::Link),
        libc::RTM_DELLINK => link(message.payload).map(|link| Event::LinkGone(link.index)),
        libc::RTM_NEWADDR => local_address(message.payload).map(Event::AddressAdded),
        libc::RTM_DELADDR => local_address(message.payload).map(Event::AddressRemoved),
        libc::RTM_DELROUTE => Some(Event::Route(RouteChange::Removed, route(message.payload)?)),
        libc::RTM_NEWROUTE => {
            let replaced = message.flags & NLM_F_REPLACE != 0;
            let change = if replaced { RouteChange::Replaced } else { RouteChange::Added };
            Some(Event::Route(change, route(message.payload)?))
        }
        RTM_NEWNEXTHOP | RTM_DELNEXTHOP => Some(Event::NextHop),
        _ => None,
    }
}

/// The attributes of a route that matter here.
#[derive(Default)]
struct Attributes {
    destination: Option<IpAddr>,
    table: u32,
    metric: u32,
    object: Option<u32>,
    gateway: Option<IpAddr>,
    link: Option<u32>,
    /// Several next hops, or a gateway of another kind.
    other: bool,
}

impl Attributes {
    fn take(&mut self, attribute: &RouteAttribute) {
        match attribute {
            RouteAttribute::Destination(address) => self.destination = ip(address),
            RouteAttribute::Table(table) => self.table = *table,
            RouteAttribute::Priority(metric) => self.metric = *metric,
            RouteAttribute::NhId(id) => self.object = Some(*id),
            RouteAttribute::Oif(link) => self.link = Some(*link),
            RouteAttribute::Gateway(address) => self.gateway = ip(address),
            RouteAttribute::Via(RouteVia::Inet(address)) => self.gateway = Some((*address).into()),
            RouteAttribute::Via(RouteVia::Inet6(address)) => self.gateway = Some((*address).into()),
            RouteAttribute::Via(_) | RouteAttribute::MultiPath(_) => self.other = true,
            _ => {}
        }
    }

    fn target(&self) -> RouteTarget {
        match (self.object, self.gateway, self.link) {
            (Some(id), _, _) => RouteTarget::Via(Via::Object(id)),
            _ if self.other => RouteTarget::Other,
            (None, Some(address), Some(link)) => RouteTarget::Via(Via::Gateway { address, link }),
            (None, None, Some(link)) => RouteTarget::OnLink(link),
            _ => RouteTarget::Other,
        }
    }
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}

fn octets(family: u8, value: &[u8]) -> Option<IpAddr> {
    match i32::from(family) {
        libc::AF_INET => Some(value.first_chunk::<4>().copied()?.into()),
        libc::AF_INET6 => Some(value.first_chunk::<16>().copied()?.into()),
        _ => None,
    }
}

/// The attributes in `payload`, kind and value, up to the first that doesn't hold together.
fn attributes(payload: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    NlasIterator::new(payload).map_while(Result::ok).map(|attribute| {
        let length = attribute.value_length();
        (attribute.kind(), attribute.into_inner().get(4..4 + length).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_is_no_message_and_no_value() {
        for length in 0..64 {
            for fill in [0, 1, 0x55, 0xff] {
                let bytes = vec![fill; length];
                for message in messages(&bytes).take(100) {
                    let _ = (errno(message), words(message), event(message));
                }
                let _ = (link(&bytes), next_hop(&bytes), route(&bytes), local_address(&bytes));
            }
        }
    }

    #[test]
    fn a_bridge_port_is_no_link() {
        let mut payload = [0_u8; 16];
        payload[4] = 3;
        assert_eq!(link(&payload).map(|link| link.index), Some(3));
        payload[0] = 7; // AF_BRIDGE
        assert_eq!(link(&payload), None);
    }

    #[test]
    fn a_group_has_no_gateway() {
        let mut payload = vec![2, 0, 213, 0, 0, 0, 0, 0];
        payload.extend([8_u16.to_ne_bytes(), NHA_ID.to_ne_bytes()].concat());
        payload.extend(77_u32.to_ne_bytes());
        payload.extend([12_u16.to_ne_bytes(), NHA_GROUP.to_ne_bytes()].concat());
        payload.extend([0; 8]);
        assert_eq!(next_hop(&payload), Some(KernelNextHop { id: 77, protocol: 213, gateway: None }));
    }
}
