//! The few messages that the players need, written from RFC 4271: nothing here is the router's.

use std::net::Ipv4Addr;

pub(crate) const OPEN: u8 = 1;
pub(crate) const UPDATE: u8 = 2;
pub(crate) const NOTIFICATION: u8 = 3;
pub(crate) const KEEPALIVE: u8 = 4;

/// A message of that type.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(19 + body.len()).expect("a message is short");
    [&[0xff; 16][..], &length.to_be_bytes(), &[kind], body].concat()
}

/// An OPEN for IPv4 unicast with four-octet AS numbers.
pub(crate) fn open(asn: u32, hold_time_s: u16, address: Ipv4Addr) -> Vec<u8> {
    let capabilities = [&[1, 4, 0, 1, 0, 1, 65, 4][..], &asn.to_be_bytes()].concat();
    let length = capabilities.len() as u8;
    let fixed = [&[4, 0x5b, 0xa0][..], &hold_time_s.to_be_bytes(), &address.octets()].concat();
    message(OPEN, &[&fixed[..], &[length + 2, 2, length], &capabilities].concat())
}

pub(crate) fn keepalive() -> Vec<u8> {
    message(KEEPALIVE, &[])
}

/// Announces /24s, over a path of the AS itself, with a community that tells one announcement from the next.
pub(crate) fn announce(asn: u32, next_hop: Ipv4Addr, community: u32, prefixes: &[[u8; 3]]) -> Vec<u8> {
    let attributes = [
        &[0x40, 1, 1, 0, 0x40, 2, 6, 2, 1][..],
        &asn.to_be_bytes(),
        &[0x40, 3, 4],
        &next_hop.octets(),
        &[0xc0, 8, 4],
        &community.to_be_bytes(),
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
