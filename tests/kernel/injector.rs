//! What BIRD can't make up by itself: routes whose AS path ends in an AS_SET. They are said to BIRD over a session of a few
//! written-out messages, and BIRD passes them on.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, TcpStream};

use crate::announcement::Announcement;

/// The AS of the session.
pub(crate) const ASN: u32 = 204_000;

/// Opens a session without a hold time and announces all aggregated IPv4 routes. It lasts as long as what is returned.
pub(crate) fn announce(bird: Ipv4Addr, next_hop: Ipv4Addr, announcements: &[Announcement]) -> TcpStream {
    let mut stream = TcpStream::connect((bird, 179)).expect("BIRD listens");
    let mut octets = open();
    octets.extend(message(4, &[]));
    for announcement in announcements.iter().filter(|announcement| announcement.aggregated) {
        octets.extend(update(announcement, next_hop));
    }
    stream.write_all(&octets).expect("BIRD reads");
    stream
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(19 + body.len()).expect("a short message");
    [&[0xff; 16][..], &length.to_be_bytes(), &[kind], body].concat()
}

/// OPEN with AS_TRANS, IPv4 unicast and 4-octet AS numbers (RFC 6793 s4.1).
fn open() -> Vec<u8> {
    let capabilities = [&[1, 4, 0, 1, 0, 1, 65, 4][..], &ASN.to_be_bytes()].concat();
    let length = capabilities.len() as u8;
    let fixed = [4, 0x5b, 0xa0, 0, 0, 192, 0, 2, 17, length + 2, 2, length];
    message(1, &[&fixed[..], &capabilities].concat())
}

/// UPDATE with ORIGIN, an AS_PATH of our AS and an AS_SET of two, and NEXT_HOP.
fn update(announcement: &Announcement, next_hop: Ipv4Addr) -> Vec<u8> {
    let origin = announcement.origin();
    let path = [&[2, 1][..], &ASN.to_be_bytes(), &[1, 2], &origin.to_be_bytes(), &(origin + 1).to_be_bytes()]
        .concat();
    let attributes =
        [&[0x40, 1, 1, 0][..], &[0x40, 2, path.len() as u8], &path, &[0x40, 3, 4], &next_hop.octets()]
            .concat();
    let IpAddr::V4(address) = announcement.prefix.network() else { return Vec::new() };
    let length = announcement.prefix.prefix_len();
    let nlri = &address.octets()[..usize::from(length.div_ceil(8))];
    let sizes = [0, 0, (attributes.len() >> 8) as u8, attributes.len() as u8];
    message(2, &[&sizes[..], &attributes, &[length], nlri].concat())
}
