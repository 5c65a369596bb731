//! The table: paths decoded, judged, inserted, ranked, and what changed encoded for a peer. Counts are paths.

#[path = "world/shard.rs"]
mod shard;
mod world;

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use palisade_policy::Snapshot;
use shard::{Rig, peer_asn};

/// Prefixes in the table.
const PREFIXES: usize = 200_000;

fn main() {
    divan::main();
}

fn bodies(peer: u16) -> Vec<Vec<u8>> {
    world::updates(&world::table(PREFIXES), peer_asn(peer), [198, 18, 0, peer as u8])
}

/// The first peer's table: every path is a new prefix and a new best path.
#[divan::bench(sample_count = 5)]
fn insert_first_peer(bencher: Bencher<'_, '_>) {
    let one = bodies(1);
    bencher
        .counter(ItemsCount::new(PREFIXES))
        .with_inputs(|| Rig::new(2, Arc::new(Snapshot::default())))
        .bench_local_values(|mut rig| {
            rig.play(1, &one);
            rig
        });
}

/// The second peer's: every prefix is there, and most paths lose.
#[divan::bench(sample_count = 5)]
fn insert_second_peer(bencher: Bencher<'_, '_>) {
    play_to_a_full_table(bencher, 2, &bodies(2));
}

/// The same announcements again: nothing changes, nothing is sent.
#[divan::bench(sample_count = 5)]
fn repeat(bencher: Bencher<'_, '_>) {
    play_to_a_full_table(bencher, 1, &bodies(1));
}

/// All withdrawn.
#[divan::bench(sample_count = 5)]
fn withdraw(bencher: Bencher<'_, '_>) {
    play_to_a_full_table(bencher, 1, &world::withdrawals(&world::table(PREFIXES)));
}

/// Plays what a peer says to a table that the first peer has filled.
fn play_to_a_full_table(bencher: Bencher<'_, '_>, peer: u16, said: &[Vec<u8>]) {
    let one = bodies(1);
    let full = || {
        let mut rig = Rig::new(2, Arc::new(Snapshot::default()));
        rig.play(1, &one);
        rig
    };
    bencher.counter(ItemsCount::new(PREFIXES)).with_inputs(full).bench_local_values(|mut rig| {
        rig.play(peer, said);
        rig
    });
}
