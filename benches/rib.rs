//! The table: paths decoded, judged, inserted, ranked, and what changed encoded for a peer. Counts are paths.

#[path = "world/shard.rs"]
mod shard;
mod world;

use std::net::IpAddr;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use palisade_policy::{Amendment, RovState, Snapshot, Verdict};
use palisade_rib::{AttributeSet, Path, PeerIndex, Ranking};
use shard::{Rig, peer_asn};

/// Prefixes in the table.
const PREFIXES: usize = 200_000;

const ACCEPTED: Verdict =
    Verdict { reason: None, observed: None, rov: RovState::NotFound, amendment: Amendment::NONE };

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

/// The decision process among paths of as many peers, who differ in the last step only. Counts are decisions.
#[divan::bench(args = [2, 8, 32])]
fn best_path(bencher: Bencher<'_, '_>, peers: u16) {
    let set = Arc::new(AttributeSet::originated(IpAddr::from([198, 18, 0, 1]).into()));
    let path = |peer| Path::new(Arc::clone(&set), PeerIndex(peer), 0, ACCEPTED);
    let paths: Vec<Path> = (0..peers).map(path).collect();
    let ranking = |peer| {
        let address = IpAddr::from([198, 18, 0, peer as u8]);
        Ranking {
            local_preference: 100,
            shutting_down: false,
            internal: false,
            router_id: u32::from(peer),
            address,
        }
    };
    let rankings: Vec<Ranking> = (0..peers).map(ranking).collect();
    bencher
        .counter(ItemsCount::new(1usize))
        .bench(|| palisade_rib::best_path(divan::black_box(&paths), |peer| &rankings[peer.index()]));
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
