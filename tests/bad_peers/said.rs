//! What players say and hear besides what is common to all that are played: /24s, one community, and messages out of a buffer.

use std::net::Ipv4Addr;

use crate::wire::{
    AS_PATH, COMMUNITIES, KEEPALIVE, NEXT_HOP, ORIGIN, UPDATE, attribute, message, octets, path,
};

/// The capability for routes of IPv4 unicast (RFC 4760 s8).
pub(crate) const IPV4_UNICAST: [u8; 6] = [1, 4, 0, 1, 0, 1];

pub(crate) fn keepalive() -> Vec<u8> {
    message(KEEPALIVE, &[])
}

/// Announces /24s, over a path of the AS itself, with a community that tells one announcement from the next.
pub(crate) fn announce(asn: u32, next_hop: Ipv4Addr, community: u32, prefixes: &[[u8; 3]]) -> Vec<u8> {
    let attributes = [
        attribute(0x40, ORIGIN, &[0]),
        attribute(0x40, AS_PATH, &path(&[asn])),
        attribute(0x40, NEXT_HOP, &next_hop.octets()),
        attribute(0xc0, COMMUNITIES, &octets(&[community])),
    ]
    .concat();
    let mut body = vec![0, 0];
    body.extend((attributes.len() as u16).to_be_bytes());
    body.extend(attributes);
    prefixes.iter().for_each(|prefix| body.extend([&[24][..], prefix].concat()));
    message(UPDATE, &body)
}

/// Takes the first whole message off what was read: its type and body.
pub(crate) fn take(input: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let length = usize::from(u16::from_be_bytes([*input.get(16)?, *input.get(17)?]));
    let message: Vec<u8> = input.get(..length)?.to_vec();
    input.drain(..length);
    Some((message[18], message[19..].to_vec()))
}

/// The /24s that an UPDATE announces in its own fields.
pub(crate) fn announced(body: &[u8]) -> Vec<[u8; 3]> {
    let two = |at: usize| usize::from(u16::from_be_bytes([body[at], body[at + 1]]));
    let attributes = 2 + two(0);
    let mut rest = &body[attributes + 2 + two(attributes)..];
    let mut prefixes = Vec::new();
    while let [length, tail @ ..] = rest {
        let (prefix, next) = tail.split_at(usize::from(length.div_ceil(8)));
        prefixes.extend(<[u8; 3]>::try_from(prefix));
        rest = next;
    }
    prefixes
}
