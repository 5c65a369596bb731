//! What BIRD can't make up by itself: routes whose AS path ends in an AS_SET. They are said to BIRD over a session of a few
//! written-out messages, and BIRD passes them on.

use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};

use ipnet::IpNet;

use crate::announcement::Announcement;
use crate::support::wire::{self, AS_PATH, KEEPALIVE, NEXT_HOP, ORIGIN, attribute, message};

/// The AS of the session.
pub(crate) const ASN: u32 = 204_000;

/// Opens a session without a hold time and announces all aggregated IPv4 routes. It lasts as long as what is returned.
pub(crate) fn announce(bird: Ipv4Addr, next_hop: Ipv4Addr, announcements: &[Announcement]) -> TcpStream {
    let mut stream = TcpStream::connect((bird, 179)).expect("BIRD listens");
    let mut octets = wire::open(ASN, 0, Ipv4Addr::new(192, 0, 2, 17), &[1, 4, 0, 1, 0, 1]);
    octets.extend(message(KEEPALIVE, &[]));
    for announcement in announcements.iter().filter(|announcement| announcement.aggregated) {
        octets.extend(update(announcement, next_hop));
    }
    stream.write_all(&octets).expect("BIRD reads");
    stream
}

/// UPDATE with ORIGIN, an AS_PATH of our AS and an AS_SET of two, and NEXT_HOP.
fn update(announcement: &Announcement, next_hop: Ipv4Addr) -> Vec<u8> {
    let origin = announcement.origin();
    let path = [&[2, 1][..], &ASN.to_be_bytes(), &[1, 2], &origin.to_be_bytes(), &(origin + 1).to_be_bytes()]
        .concat();
    let attributes = [
        attribute(0x40, ORIGIN, &[0]),
        attribute(0x40, AS_PATH, &path),
        attribute(0x40, NEXT_HOP, &next_hop.octets()),
    ]
    .concat();
    match announcement.prefix {
        IpNet::V4(prefix) => wire::update(&[], &attributes, &[&prefix.to_string()]),
        IpNet::V6(_) => Vec::new(),
    }
}
