//! What holds for the routes that are kept of a peer whose session is down (RFC 4724 s4.2): what its new configuration says of them, and
//! what an operator wants of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/asked.rs"]
mod asked;
#[path = "support/pair.rs"]
mod pair;
#[path = "support/wire.rs"]
mod wire;

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};

use asked::{Router, connect};
use pair::{NEAR, wait};
use serde_json::Value;
use wire::{AS_PATH, NEXT_HOP, ORIGIN};

/// IPv4, and that its routes are to be kept for two minutes.
const CAPABILITIES: [u8; 14] = [1, 4, 0, 1, 0, 1, 64, 6, 0, 120, 0, 1, 1, 0x80];

/// A router that keeps two routes of a neighbour which has gone, of paths of two and three ASes.
fn with_routes_kept() -> Router {
    let router = Router::start(NEAR, &[]);
    let mut neighbour = connect(&router, 2);
    say(&mut neighbour, wire::open(64501, 0, Ipv4Addr::new(192, 0, 2, 2), &CAPABILITIES));
    say(&mut neighbour, wire::message(wire::KEEPALIVE, &[]));
    for (path, prefix) in
        [(&[64501, 64502][..], "198.51.100.0/24"), (&[64501, 64502, 64503], "203.0.113.0/24")]
    {
        let attributes = [
            wire::attribute(0x40, ORIGIN, &[0]),
            wire::attribute(0x40, AS_PATH, &wire::path(path)),
            wire::attribute(0x40, NEXT_HOP, &[127, 0, 0, 2]),
        ];
        say(&mut neighbour, wire::update(&[], &attributes.concat(), &[prefix]));
    }
    wait(&router, "far", |peer| numbers(peer) == [2, 2, 0]);
    drop(neighbour);
    wait(&router, "far", |peer| numbers(peer) == [2, 2, 2] && peer["state"] != "Established");
    router
}

fn say(neighbour: &mut TcpStream, message: Vec<u8>) {
    neighbour.write_all(&message).unwrap();
}

/// Routes that are held, accepted and stale.
fn numbers(peer: &Value) -> [i64; 3] {
    ["received", "accepted", "stale"].map(|key| peer[key].as_i64().unwrap())
}

#[test]
fn a_new_configuration_judges_what_is_kept() {
    let router = with_routes_kept();
    let file = router.folder.path().join("palisade.toml");
    let text = fs::read_to_string(&file).unwrap();
    for (longest, accepted) in [("2", 1), ("1", 0), ("9", 2)] {
        fs::write(&file, format!("{text}max_path_length = {longest}\n")).unwrap();
        let reloaded = router.ask("reload", &[]);
        assert!(reloaded.status.success(), "{}", String::from_utf8_lossy(&reloaded.stderr));
        wait(&router, "far", |peer| numbers(peer) == [2, accepted, 2]);
    }
}

/// As those of one that is disabled while its session is up.
#[test]
fn nothing_is_kept_of_a_peer_that_is_disabled() {
    let router = with_routes_kept();
    assert!(router.ask("peer", &["disable", "far"]).status.success());
    wait(&router, "far", |peer| numbers(peer) == [0; 3]);
}
