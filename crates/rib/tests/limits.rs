//! What a peer may have, and what becomes of what is more: nothing that is beyond a limit takes memory, nothing that is within is
//! lost, and how many shards there are makes no difference but for what one batch brings.

mod support;

use std::sync::Arc;
use std::time::Instant;

use palisade_bgp::prefix::Net;
use palisade_bgp::{Asn, Family};
use palisade_policy::{Mode, Reason, Role, RovIndex, Snapshot, Vrp};
use palisade_rib::{
    Batch, Bounds, Counts, PeerCounters, PeerIndex, PrefixLimits, RibPeer, Shard, Touched, shard_of,
};

use support::{Said, Wires, settle};

const FROM: PeerIndex = PeerIndex(1);

/// One peer's paths in some shards.
struct World {
    shards: Vec<Shard>,
    peer: RibPeer,
    counters: Arc<PeerCounters>,
    wires: Wires,
    now: Instant,
}

fn limits(received: [Option<u32>; 3], accepted: Option<u32>) -> PrefixLimits {
    let [total, v4, v6] = received;
    PrefixLimits {
        received: Bounds { total, family: [v4, v6] },
        accepted: Bounds { total: None, family: [accepted, None] },
        warning_percent: 80,
    }
}

fn net(at: u32) -> Net<u32> {
    Net::new(0x0a00_0000 + (at << 8), 24)
}

fn net6(at: u32) -> Net<u128> {
    Net::new(0x2001 << 112 | u128::from(at) << 80, 48)
}

impl World {
    fn new(shards: usize, limits: PrefixLimits) -> Self {
        let mut policy = support::policy(FROM, Role::Customer);
        policy.checks = policy.checks.with(Reason::RpkiInvalidOrigin, Mode::Enforce);
        let peer = RibPeer { export: [None, None], limits, ..support::rib_peer(FROM, policy) };
        let counters = Arc::clone(&peer.counters);
        let shard = |_| {
            let mut shard = Shard::new(Arc::default());
            shard.peer_up(FROM, peer.clone());
            shard
        };
        let shards = (0..shards).map(shard).collect();
        World { shards, peer, counters, wires: Wires::default(), now: Instant::now() }
    }

    /// The session ends and is there again, and what the peer said is kept meanwhile.
    fn restart(&mut self) {
        for shard in &mut self.shards {
            shard.peer_lost(FROM, [true; 2]);
            shard.peer_up(FROM, self.peer.clone());
        }
    }

    /// Announces (or withdraws) prefixes of both families, all in one batch a shard, shard after shard.
    fn say(&mut self, announced: bool, v4: impl IntoIterator<Item = u32>, v6: impl IntoIterator<Item = u32>) {
        let set = announced.then(|| Said::path([65001, 65010]).attributes(FROM));
        let count = self.shards.len();
        let mut batches: Vec<Batch> = (0..count).map(|_| Batch::new(FROM)).collect();
        v4.into_iter().map(net).for_each(|net| batches[shard_of(net, count)].v4.push(set.as_ref(), net, 0));
        v6.into_iter().map(net6).for_each(|net| batches[shard_of(net, count)].v6.push(set.as_ref(), net, 0));
        for (shard, batch) in self.shards.iter_mut().zip(&batches) {
            shard.apply(batch, &mut self.wires);
        }
        self.settle();
    }

    fn settle(&mut self) {
        for shard in &mut self.shards {
            settle(shard, &mut self.wires, &mut self.now);
        }
    }

    /// Received by family, accepted, held back, and dropped.
    fn numbers(&self) -> ([i64; 2], i64, i64, i64) {
        let tally = self.counters.read();
        let held: usize = self.shards.iter().map(|shard| shard.ipv4().len() + shard.ipv6().len()).sum();
        assert_eq!(held as i64, tally.received_total(), "what is counted is what there is");
        (tally.received, tally.accepted_total(), tally.rejected[Reason::MaxAccepted], tally.dropped)
    }
}

#[test]
fn what_is_new_beyond_a_limit_is_not_held_and_counted() {
    // The limits in total and of either family, what is announced of each, what is held of it, and how much is dropped.
    let cases = [
        ([Some(10), None, None], [10, 0], [10, 0], 0),
        ([Some(10), None, None], [11, 0], [10, 0], 1),
        ([Some(10), None, None], [7, 7], [7, 3], 4),
        ([None, Some(5), None], [9, 9], [5, 9], 4),
        ([None, None, Some(5)], [9, 9], [9, 5], 4),
        ([Some(12), Some(5), Some(9)], [9, 9], [5, 7], 6),
        ([None, None, None], [99, 99], [99, 99], 0),
    ];
    for (bounds, [v4, v6], held, dropped) in cases {
        let mut world = World::new(1, limits(bounds, None));
        world.say(true, 0..v4, 0..v6);
        assert_eq!(world.numbers(), (held, held[0] + held[1], 0, dropped), "{bounds:?}");
        let is_near = world.wires.near.contains(&FROM);
        assert_eq!(is_near, dropped > 0 || (bounds[0], v4) == (Some(10), 10), "{bounds:?}");
    }
}

#[test]
fn what_is_held_can_be_announced_anew_and_what_goes_makes_room() {
    let mut world = World::new(1, limits([Some(3), None, None], None));
    world.say(true, 0..3, []);
    world.say(true, 0..3, []);
    assert_eq!(world.numbers(), ([3, 0], 3, 0, 0), "the same again is not more");
    world.say(true, 7..9, []);
    assert_eq!(world.numbers(), ([3, 0], 3, 0, 2));
    world.say(false, [7, 1], []);
    world.say(true, 7..9, []);
    assert_eq!(world.numbers(), ([3, 0], 3, 0, 3));
}

#[test]
fn several_shards_let_in_no_more_than_one_batch_each_too_many() {
    for shards in [1, 2, 4] {
        let mut world = World::new(shards, limits([Some(1000), None, None], None));
        for round in 0..50 {
            // Neighbours are in one shard, so these are spread.
            world.say(true, (0..100).map(|at| (round * 100 + at) * 257 % 65_536), []);
        }
        let ([held, _], ..) = world.numbers();
        assert!((1000..1000 + 100 * (shards as i64 - 1) + 1).contains(&held), "{held} in {shards} shards");
    }
}

#[test]
fn what_is_accepted_beyond_a_limit_is_held_back_with_its_reason() {
    let mut world = World::new(1, limits([Some(9), None, None], Some(4)));
    world.say(true, 0..6, 0..2);
    assert_eq!(world.numbers(), ([6, 2], 6, 2, 0), "four of IPv4, and IPv6 has no such limit");
    let reason = |world: &World, at| world.shards[0].ipv4().paths(net(at))[0].verdict().reason;
    assert_eq!([reason(&world, 3), reason(&world, 4)], [None, Some(Reason::MaxAccepted)]);
    // Room is made: what is held back is let in when that is asked for, in any order.
    world.say(false, 0..3, []);
    assert_eq!(world.numbers(), ([3, 2], 3, 2, 0));
    world.shards[0].let_in(FROM);
    world.settle();
    assert_eq!(world.numbers(), ([3, 2], 5, 0, 0));
    assert_eq!(reason(&world, 4), None);
}

#[test]
fn tables_that_change_let_in_no_more_than_the_limit() {
    let mut world = World::new(1, limits([None; 3], Some(4)));
    let vrps = |at: std::ops::Range<u32>| {
        let vrps = at.flat_map(|at| Vrp::new(palisade_bgp::Prefix::V4(net(at)), 24, Asn(65_551)));
        Arc::new(Snapshot { rov: Arc::new(RovIndex::build(vrps)), generation: 1, ..Snapshot::default() })
    };
    let everything = Touched::everything();
    world.shards[0].replace_tables(vrps(0..10), &everything);
    world.say(true, 0..10, []);
    assert_eq!(world.numbers(), ([10, 0], 0, 0, 0), "all are invalid");
    world.shards[0].replace_tables(vrps(0..3), &everything);
    world.settle();
    assert_eq!(world.numbers(), ([10, 0], 4, 3, 0));
    world.shards[0].replace_tables(vrps(0..0), &everything);
    world.settle();
    assert_eq!(world.numbers(), ([10, 0], 4, 6, 0));
    world.shards[0].replace_tables(vrps(0..10), &everything);
    world.settle();
    assert_eq!(world.numbers(), ([10, 0], 0, 0, 0), "what is held back is judged as ever");
}

/// A peer that comes back says again what it was let in with, be it as often as it likes.
#[test]
fn what_is_said_again_after_a_restart_is_still_within_the_limit() {
    let mut world = World::new(1, limits([None; 3], Some(3)));
    world.say(true, 0..3, []);
    for _ in 0..3 {
        world.restart();
        for _ in 0..2 {
            world.say(true, 0..3, []);
            assert_eq!(world.numbers(), ([3, 0], 3, 0, 0));
        }
        world.say(true, 3..4, []);
        assert_eq!(world.numbers(), ([4, 0], 3, 1, 0));
        world
            .shards
            .iter_mut()
            .for_each(|shard| shard.replace_tables(Arc::default(), &Touched::everything()));
        world.settle();
        assert_eq!(world.numbers(), ([4, 0], 3, 1, 0));
        world.say(false, 3..4, []);
    }
}

/// A peer that restarts may call its paths otherwise, or have others (RFC 7911 s3): what is kept of it does not end its session.
#[test]
fn what_a_peer_is_yet_to_say_again_takes_no_room_from_what_it_says() {
    let mut world = World::new(1, limits([Some(10), None, None], Some(6)));
    world.say(true, 0..10, []);
    assert_eq!(world.numbers(), ([10, 0], 6, 4, 0));
    for round in 1..4 {
        let dropped = i64::from(round);
        world.restart();
        assert_eq!(world.counters.counts(), Counts::default(), "all of it is stale");
        world.shards[0].let_in(FROM);
        world.settle();
        assert_eq!(world.numbers(), ([10, 0], 6, 4, dropped - 1), "which lets nothing in that was held back");
        world.say(true, round * 10..round * 10 + 11, []);
        assert_eq!(world.numbers(), ([20, 0], 12, 8, dropped));
        assert_eq!(world.counters.counts(), Counts { received: [10, 0], accepted: [6, 0] });
        world.shards[0].sweep_stale(FROM, Family::Ipv4);
        world.settle();
        assert_eq!(world.numbers(), ([10, 0], 6, 4, dropped));
        assert_eq!(world.counters.counts(), Counts { received: [10, 0], accepted: [6, 0] });
    }
}

/// A limit that was lowered holds for what is said again.
#[test]
fn what_is_said_again_needs_room_like_what_is_new() {
    let mut world = World::new(1, PrefixLimits::NONE);
    world.say(true, 0..10, []);
    world.peer.limits = limits([Some(4), None, None], Some(2));
    world.restart();
    world.say(true, 0..10, []);
    assert_eq!(world.counters.counts(), Counts { received: [4, 0], accepted: [2, 0] });
    world.shards[0].sweep_stale(FROM, Family::Ipv4);
    world.settle();
    assert_eq!(world.numbers(), ([4, 0], 2, 2, 6));
}

#[test]
fn a_peer_that_ends_takes_its_numbers_with_it() {
    let mut world = World::new(2, limits([Some(100), None, None], Some(4)));
    world.say(true, (0..200).map(|at| at * 257), 0..3);
    world.shards.iter_mut().for_each(|shard| shard.peer_down(FROM));
    world.settle();
    let (received, accepted, held_back, _) = world.numbers();
    assert_eq!((received, accepted, held_back), ([0, 0], 0, 0));
    assert_eq!(world.counters.counts(), Counts::default());
}
