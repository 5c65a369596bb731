//! MRT, written: TABLE_DUMP_V2 (RFC 6396 s4.3, RFC 8050 s4) and BGP4MP_MESSAGE_AS4 (RFC 6396 s4.4.3).
//!
//! Records are appended to a buffer. What does not fit a field's width is cut or refused by the types: counts are `u16`
//! in the format, and a longer list is written as several records.

use std::net::{IpAddr, Ipv4Addr};

use palisade_bgp::attributes::NextHop;
use palisade_bgp::prefix::nlri_octets;
use palisade_bgp::{Address, Family, Net};

use super::kind::Kind;
use super::peers::PeerKey;
use super::table_dump_v2::{PEER_AS4, PEER_IPV6};

/// Types of the two attributes that a RIB entry has and a path's canonical form has not.
const NEXT_HOP: u8 = 3;
const MP_REACH_NLRI: u8 = 14;

/// Flags of a well-known, and of an optional non-transitive attribute (RFC 4271 s4.3).
const WELL_KNOWN: u8 = 0x40;
const OPTIONAL: u8 = 0x80;

/// The bit of an attribute's flags that says its length has two octets.
const EXTENDED_LENGTH: u8 = 0x10;

/// A peer, as a peer index table lists it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexedPeer {
    /// Its BGP identifier.
    pub(crate) router_id: Ipv4Addr,
    /// Its address and AS.
    pub(crate) key: PeerKey,
}

/// A route of a RIB record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RibRoute<'a> {
    /// The peer's place in the peer index table.
    pub(crate) peer_index: u16,
    /// Seconds since 1970.
    pub(crate) originated_s: u32,
    /// Written where the record has path identifiers.
    pub(crate) path_id: u32,
    /// The attributes' TLVs, next hop and all: see [`rib_attributes`].
    pub(crate) attributes: &'a [u8],
}

/// The ends of a session whose messages are written. Both addresses are of one family.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peering {
    /// The peer's end.
    pub(crate) peer: PeerKey,
    /// Our own.
    pub(crate) local: PeerKey,
}

/// Appends the list of peers that all RIB records after it number; at most 65,535 of them.
pub(crate) fn peer_index_table(time_s: u32, collector: Ipv4Addr, peers: &[IndexedPeer], out: &mut Vec<u8>) {
    record(time_s, Kind::TABLE_DUMP_V2, 1, out, |out| {
        out.extend(collector.octets());
        // No view name.
        out.extend([0, 0]);
        let count = u16::try_from(peers.len()).unwrap_or(u16::MAX);
        out.extend(count.to_be_bytes());
        for peer in &peers[..usize::from(count)] {
            let ipv6 = if peer.key.address.is_ipv6() { PEER_IPV6 } else { 0 };
            out.push(PEER_AS4 | ipv6);
            out.extend(peer.router_id.octets());
            address(peer.key.address, out);
            out.extend(peer.key.asn.0.to_be_bytes());
        }
    });
}

/// Appends the routes to one prefix, at most 65,535 of them, with path identifiers (RFC 8050 s4) where `add_path` says so.
pub(crate) fn rib<A: Address>(
    time_s: u32,
    sequence: u32,
    net: Net<A>,
    routes: &[RibRoute<'_>],
    add_path: bool,
    out: &mut Vec<u8>,
) {
    let subtype = match (A::FAMILY, add_path) {
        (Family::Ipv4, false) => 2,
        (Family::Ipv6, false) => 4,
        (Family::Ipv4, true) => 8,
        (Family::Ipv6, true) => 10,
    };
    record(time_s, Kind::TABLE_DUMP_V2, subtype, out, |out| {
        out.extend(sequence.to_be_bytes());
        out.push(net.len());
        net.address().with_octets(|octets| out.extend(&octets[..nlri_octets(net.len())]));
        let count = u16::try_from(routes.len()).unwrap_or(u16::MAX);
        out.extend(count.to_be_bytes());
        for route in &routes[..usize::from(count)] {
            out.extend(route.peer_index.to_be_bytes());
            out.extend(route.originated_s.to_be_bytes());
            if add_path {
                out.extend(route.path_id.to_be_bytes());
            }
            let length = u16::try_from(route.attributes.len()).unwrap_or(u16::MAX);
            out.extend(length.to_be_bytes());
            out.extend(&route.attributes[..usize::from(length)]);
        }
    });
}

/// Appends attributes in canonical form with a next hop put in its place: NEXT_HOP, or an MP_REACH_NLRI that is its next
/// hop alone (RFC 6396 s4.3.4).
pub(crate) fn rib_attributes(wire: &[u8], next_hop: NextHop, out: &mut Vec<u8>) {
    let kind = match next_hop {
        NextHop::V4(_) => NEXT_HOP,
        NextHop::V6 { .. } => MP_REACH_NLRI,
    };
    let (before, after) = wire.split_at(length_of_types_below(kind, wire));
    out.extend(before);
    match next_hop {
        NextHop::V4(address) => {
            out.extend([WELL_KNOWN, NEXT_HOP, 4]);
            out.extend(address.octets());
        }
        NextHop::V6 { global, link_local: None } => {
            out.extend([OPTIONAL, MP_REACH_NLRI, 17, 16]);
            out.extend(global.octets());
        }
        NextHop::V6 { global, link_local: Some(link_local) } => {
            out.extend([OPTIONAL, MP_REACH_NLRI, 33, 32]);
            out.extend(global.octets());
            out.extend(link_local.octets());
        }
    }
    out.extend(after);
}

/// Octets of the attributes of a lower type than `kind`, which come first.
fn length_of_types_below(kind: u8, wire: &[u8]) -> usize {
    let mut at = 0;
    while let Some([flags, found, l0, l1, ..]) =
        wire.get(at..).and_then(|rest| rest.first_chunk::<4>()).copied()
        && found < kind
    {
        let (head, length) = match flags & EXTENDED_LENGTH {
            0 => (3, usize::from(l0)),
            _ => (4, usize::from(u16::from_be_bytes([l0, l1]))),
        };
        at += head + length;
    }
    at.min(wire.len())
}

/// Appends a BGP message, whole with its header, as it was received on a session with four-octet AS numbers.
pub(crate) fn message(time_s: u32, peering: &Peering, message: &[u8], out: &mut Vec<u8>) {
    let Peering { peer, local } = peering;
    record(time_s, Kind::BGP4MP, 4, out, |out| {
        out.extend(peer.asn.0.to_be_bytes());
        out.extend(local.asn.0.to_be_bytes());
        // No interface index.
        out.extend([0, 0]);
        out.extend(Family::of(peer.address).afi().to_be_bytes());
        address(peer.address, out);
        address(local.address, out);
        out.extend(message);
    });
}

fn address(address: IpAddr, out: &mut Vec<u8>) {
    match address {
        IpAddr::V4(address) => out.extend(address.octets()),
        IpAddr::V6(address) => out.extend(address.octets()),
    }
}

/// A header, a body, and the body's length in the header.
fn record(time_s: u32, kind: u16, subtype: u16, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    out.extend(time_s.to_be_bytes());
    out.extend(kind.to_be_bytes());
    out.extend(subtype.to_be_bytes());
    let length_at = out.len();
    out.extend([0; 4]);
    body(out);
    let length = u32::try_from(out.len() - length_at - 4).unwrap_or(u32::MAX);
    out[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
}
