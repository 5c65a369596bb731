//! What a neighbour hears of the marks between routes: End-of-RIB (RFC 4724 s2), and those of a refresh (RFC 7313 s4), also where there is
//! nothing between them.

#[path = "support/asked.rs"]
mod asked;
#[path = "support/pair.rs"]
mod pair;
#[path = "support/wire.rs"]
mod wire;

use std::io::Write;
use std::net::Ipv4Addr;

use asked::{PATIENCE, Router, connect};
use pair::NEAR;
use wire::{KEEPALIVE, OPEN, ROUTE_REFRESH, UPDATE};

/// IPv4, and refreshes with marks.
const CAPABILITIES: [u8; 10] = [1, 4, 0, 1, 0, 1, 2, 0, 70, 0];
const END_OF_RIB: [u8; 4] = [0; 4];

/// RFC 8212 has nothing sent to a peer without a role; RFC 4724 s2 has even that end.
#[test]
fn who_is_sent_nothing_hears_that_this_was_all() {
    let router = Router::start(&NEAR.replace("role = \"peer\"\n", ""), &[]);
    let mut neighbour = connect(&router, 2);
    neighbour.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reader = neighbour.try_clone().unwrap();
    let open = wire::open(64501, 0, Ipv4Addr::new(192, 0, 2, 2), &CAPABILITIES);
    neighbour.write_all(&[open, wire::message(KEEPALIVE, &[])].concat()).unwrap();
    let mut next = |passed_over: [u8; 2]| loop {
        let (kind, body) = wire::next(&mut reader).unwrap();
        if !passed_over.contains(&kind) {
            return (kind, body);
        }
    };
    assert_eq!(next([OPEN, KEEPALIVE]), (UPDATE, END_OF_RIB.to_vec()));
    for _ in 0..2 {
        neighbour.write_all(&wire::message(ROUTE_REFRESH, &[0, 1, 0, 1])).unwrap();
        for subtype in [1, 2] {
            assert_eq!(next([KEEPALIVE; 2]), (ROUTE_REFRESH, vec![0, 1, subtype, 1]));
        }
    }
}
