//! Octets of memory a path takes, all told: prefix, path, verdict, attributes and indexes, as the process grows by it.
//!
//! Printed as a table, to be kept current in `docs/performance.md`.

#[path = "world/shard.rs"]
mod shard;
mod world;

use std::sync::Arc;

use palisade_policy::Snapshot;
use shard::{Rig, peer_asn};

/// Prefixes in the table, near those of a real full IPv4 table.
const PREFIXES: usize = 1_000_000;

fn main() {
    let table = world::table(PREFIXES);
    let mut rig = Rig::new(4, Arc::new(Snapshot::default()));
    let start = resident_octets();
    println!("peers  octets a path  MiB");
    for peer in 1..=4u16 {
        // Made and let go one piece at a time, so that only what the table keeps is counted.
        for piece in table.chunks(50_000) {
            rig.play(peer, &world::updates(piece, peer_asn(peer), [198, 18, 0, peer as u8]));
        }
        let grown = resident_octets().saturating_sub(start);
        let paths = PREFIXES * usize::from(peer);
        println!("{peer:>5}  {:>13}  {:>3}", grown / paths, grown >> 20);
    }
}

/// The process's resident memory (`/proc/self/statm`, in pages).
fn resident_octets() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}
