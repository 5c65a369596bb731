//! UPDATEs, encoded: as many prefixes to a message as fit (RFC 4271 s4.3; RFC 4760; RFC 7606 s5.1; RFC 7911).
//!
//! Attributes come as a block that [`attribute_block`] wrote once; here it is only copied. IPv4 goes in the classic fields,
//! with NEXT_HOP in its place among the attributes; IPv6, and IPv4 behind an IPv6 next hop (RFC 8950), goes in
//! MP_REACH_NLRI, which comes first so that a receiver knows early what a message is about. No message both announces and
//! withdraws. All functions append whole messages, and write into no buffer but the one they are given.

use std::net::Ipv6Addr;

use crate::attribute_block::octets_before;
use crate::attribute_table::{EXTENDED_LENGTH, OPTIONAL, TRANSITIVE, code};
use crate::attributes::NextHop;
use crate::message::{HEADER_LEN, MAX_EXTENDED_LEN, MAX_LEN, MessageKind, finish, start};
use crate::nlri::Path;
use crate::prefix::{Address, Family, nlri_octets};

pub use crate::attribute_block::{DEFAULT_LOCAL_PREF, Reflected, Rewrite, amended, attribute_block};

/// Unicast.
const SAFI: u8 = 1;

/// What encoding UPDATEs of one family for a peer depends on; [`crate::negotiated::Negotiated::format`] knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Format {
    /// The longest message, in octets; it counts as at least 4,096.
    pub max_message: usize,
    /// Whether prefixes carry path identifiers (RFC 7911). Where they don't, those of the paths are not sent.
    pub add_path: bool,
}

impl Format {
    /// What every peer takes: messages of 4,096 octets, and no path identifiers.
    pub const PLAIN: Format = Format { max_message: MAX_LEN, add_path: false };

    /// Every peer takes 4,096 octets, and no message has more than its length field can say.
    #[inline]
    fn longest(self) -> usize {
        self.max_message.clamp(MAX_LEN, MAX_EXTENDED_LEN)
    }

    /// Octets of the longest NLRI of a family.
    #[inline]
    fn widest<A: Address>(self) -> usize {
        let path_id = if self.add_path { 4 } else { 0 };
        path_id + 1 + nlri_octets(A::BITS)
    }
}

/// Attributes that leave no room for a prefix in a message. The paths can't be announced; whoever had them before must
/// have them withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{octets} octets of attributes leave no room for a prefix in a message of {max_message}")]
pub struct TooLong {
    /// Octets in the block.
    pub octets: usize,
    /// The longest message.
    pub max_message: usize,
}

/// Appends UPDATEs that announce paths with one block of attributes. Nothing is appended where there are no paths, or where
/// the block is too long.
pub fn announcements<A: Address>(
    block: &[u8],
    next_hop: NextHop,
    paths: impl Iterator<Item = Path<A>>,
    format: Format,
    out: &mut Vec<u8>,
) -> Result<(), TooLong> {
    match next_hop {
        NextHop::V4(address) if A::FAMILY == Family::Ipv4 => {
            let hop = address.octets();
            classic_announcements(block, hop, paths, format, out)
        }
        _ => multiprotocol_announcements(block, &Hop::new(next_hop), paths, format, out),
    }
    .ok_or_else(|| TooLong { octets: block.len(), max_message: format.longest() })
}

/// Appends UPDATEs that withdraw paths.
pub fn withdrawals<A: Address>(mut paths: impl Iterator<Item = Path<A>>, format: Format, out: &mut Vec<u8>) {
    let max = format.longest();
    let mut next = paths.next();
    while let Some(path) = next {
        let message = start(MessageKind::Update, out);
        match A::FAMILY {
            Family::Ipv4 => {
                out.extend_from_slice(&[0, 0]);
                next = fill(path, &mut paths, format, message + max - 2, out);
                write_len(message + HEADER_LEN, out.len(), out);
                out.extend_from_slice(&[0, 0]);
            }
            Family::Ipv6 => {
                let value = open_multiprotocol(code::MP_UNREACH_NLRI, A::FAMILY, out);
                next = fill(path, &mut paths, format, message + max, out);
                write_len(value - 2, out.len(), out);
                write_len(message + HEADER_LEN + 2, out.len(), out);
            }
        }
        finish(message, out);
    }
}

/// Appends the End-of-RIB of a family (RFC 4724 s2).
pub fn end_of_rib(family: Family, out: &mut Vec<u8>) {
    let message = start(MessageKind::Update, out);
    match family {
        Family::Ipv4 => out.extend_from_slice(&[0, 0, 0, 0]),
        Family::Ipv6 => {
            let value = open_multiprotocol(code::MP_UNREACH_NLRI, family, out);
            write_len(value - 2, out.len(), out);
            write_len(message + HEADER_LEN + 2, out.len(), out);
        }
    }
    finish(message, out);
}

/// `None` where there is no room for a prefix.
fn classic_announcements<A: Address>(
    block: &[u8],
    [a, b, c, d]: [u8; 4],
    mut paths: impl Iterator<Item = Path<A>>,
    format: Format,
    out: &mut Vec<u8>,
) -> Option<()> {
    let (max, widest) = (format.longest(), format.widest::<A>());
    let next_hop = [TRANSITIVE, code::NEXT_HOP, 4, a, b, c, d];
    let attributes = block.len() + next_hop.len();
    if HEADER_LEN + 4 + attributes + widest > max {
        return None;
    }
    let [high, low] = u16::try_from(attributes).ok()?.to_be_bytes();
    let (before, after) = block.split_at(octets_before(block, code::NEXT_HOP));
    let mut next = paths.next();
    while let Some(path) = next {
        out.reserve(HEADER_LEN + 4 + attributes + widest);
        let message = start(MessageKind::Update, out);
        out.extend_from_slice(&[0, 0, high, low]);
        out.extend_from_slice(before);
        out.extend_from_slice(&next_hop);
        out.extend_from_slice(after);
        next = fill(path, &mut paths, format, message + max, out);
        finish(message, out);
    }
    Some(())
}

/// `None` where there is no room for a prefix.
fn multiprotocol_announcements<A: Address>(
    block: &[u8],
    hop: &Hop,
    mut paths: impl Iterator<Item = Path<A>>,
    format: Format,
    out: &mut Vec<u8>,
) -> Option<()> {
    let (max, widest) = (format.longest(), format.widest::<A>());
    let hop = &hop.octets[..usize::from(hop.len)];
    let fixed = HEADER_LEN + 4 + 4 + 3 + 1 + hop.len() + 1 + block.len();
    if fixed + widest > max {
        return None;
    }
    let mut next = paths.next();
    while let Some(path) = next {
        out.reserve(fixed + widest);
        let message = start(MessageKind::Update, out);
        let value = open_multiprotocol(code::MP_REACH_NLRI, A::FAMILY, out);
        out.push(u8::try_from(hop.len()).ok()?);
        out.extend_from_slice(hop);
        out.push(0); // reserved (RFC 4760 s3)
        next = fill(path, &mut paths, format, message + max - block.len(), out);
        write_len(value - 2, out.len(), out);
        out.extend_from_slice(block);
        write_len(message + HEADER_LEN + 2, out.len(), out);
        finish(message, out);
    }
    Some(())
}

/// Appends a path, for which there is room, and those after it for as long as `out` stays within `limit`. The first that is left.
#[inline]
fn fill<A: Address>(
    first: Path<A>,
    paths: &mut impl Iterator<Item = Path<A>>,
    Format { add_path, .. }: Format,
    limit: usize,
    out: &mut Vec<u8>,
) -> Option<Path<A>> {
    first.write(add_path, out);
    for path in paths {
        if out.len() + path.octets(add_path) > limit {
            return Some(path);
        }
        path.write(add_path, out);
    }
    None
}

/// Appends the empty withdrawn field, a length of all attributes and the head of MP_REACH_NLRI or MP_UNREACH_NLRI, up to the SAFI. Both
/// lengths are 0 until they are known. Where the attribute's value begins.
fn open_multiprotocol(code: u8, family: Family, out: &mut Vec<u8>) -> usize {
    let [high, low] = family.afi().to_be_bytes();
    out.extend_from_slice(&[0, 0, 0, 0, OPTIONAL | EXTENDED_LENGTH, code, 0, 0, high, low, SAFI]);
    out.len() - 3
}

/// Writes a length field at `at` that counts what follows it up to `end`.
fn write_len(at: usize, end: usize, out: &mut [u8]) {
    let len = u16::try_from(end - at - 2).unwrap_or(u16::MAX);
    out[at..at + 2].copy_from_slice(&len.to_be_bytes());
}

/// A next hop in MP_REACH_NLRI: one IPv6 address or two (RFC 2545 s3). An IPv4 one is written as it is mapped into IPv6.
struct Hop {
    octets: [u8; 32],
    len: u8,
}

impl Hop {
    fn new(next_hop: NextHop) -> Self {
        let (global, link_local) = match next_hop {
            NextHop::V4(address) => (address.to_ipv6_mapped(), None),
            NextHop::V6 { global, link_local } => (global, link_local),
        };
        let mut octets = [0; 32];
        octets[..16].copy_from_slice(&global.octets());
        octets[16..].copy_from_slice(&link_local.unwrap_or(Ipv6Addr::UNSPECIFIED).octets());
        Hop { octets, len: if link_local.is_some() { 32 } else { 16 } }
    }
}

#[cfg(test)]
mod tests;
