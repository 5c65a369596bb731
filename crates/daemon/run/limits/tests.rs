//! What follows from a peer's counts, step by step.

use std::sync::Arc;

use palisade_policy::PerReason;
use palisade_rib::{Bounds, Tally};

use super::*;

const LIMITS: PrefixLimits = PrefixLimits {
    received: Bounds { total: Some(100), family: [None, Some(40)] },
    accepted: Bounds { total: None, family: [Some(50), None] },
    warning_percent: 80,
};

/// A session, its counters, and a clock.
struct World {
    counters: Arc<PeerCounters>,
    watch: LimitWatch,
    excess: Excess,
    now: Instant,
}

impl World {
    fn new(excess: Excess) -> Self {
        let (counters, now) = (Arc::<PeerCounters>::default(), Instant::now());
        World { watch: LimitWatch::new(&counters, now), counters, excess, now }
    }

    /// Paths come or go: of IPv4, those of them that are accepted and that are held back, of IPv6, and those that are dropped.
    fn count(&mut self, [v4, accepted, held_back, v6, dropped]: [i64; 5]) -> Option<Step> {
        let mut rejected = PerReason::default();
        rejected[Reason::MaxAccepted] = held_back;
        let (received, accepted) = ([v4, v6], [accepted, 0]);
        self.counters.add(&Tally { received, accepted, rejected, dropped, ..Tally::default() });
        self.look()
    }

    fn look(&mut self) -> Option<Step> {
        self.watch.look(&LIMITS, self.excess, &self.counters, self.now)
    }
}

fn received(family: Option<Family>, most: u32, held: i64) -> Limit {
    Limit { of: Limited::Received, family, most, held }
}

#[test]
fn a_warning_comes_once_until_the_peer_is_well_below() {
    let mut world = World::new(Excess::Down);
    assert_eq!(world.count([79, 0, 0, 0, 0]), None);
    assert_eq!(world.count([1, 0, 0, 0, 0]), Some(Step::Warn(received(None, 100, 80))));
    assert_eq!(world.count([19, 0, 0, 0, 0]), None, "still near");
    assert_eq!(world.count([-23, 0, 0, 0, 0]), None, "76 of 100");
    assert_eq!(world.count([-2, 0, 0, 0, 0]), Some(Step::AllClear));
    assert_eq!(world.count([6, 0, 0, 0, 0]), Some(Step::Warn(received(None, 100, 80))));
}

#[test]
fn a_peer_that_comes_and_goes_is_told_of_once_a_minute() {
    let mut world = World::new(Excess::Down);
    let told = (0..1000).filter(|_| world.watch.may_tell(world.now)).count();
    assert_eq!(told, 1);
    assert!(world.watch.may_tell(world.now + TOLD_AGAIN));
}

#[test]
fn as_many_as_the_limit_is_not_too_many() {
    let mut world = World::new(Excess::Down);
    assert!(matches!(world.count([60, 0, 0, 40, 0]), Some(Step::Warn(_))));
    assert_eq!(world.look(), None);
    let six = received(Some(Family::Ipv6), 40, 40);
    assert_eq!(world.count([0, 0, 0, 0, 1]), Some(Step::End(six)), "the family's is what can be told");
}

#[test]
fn a_limit_that_was_lowered_is_exceeded() {
    let mut world = World::new(Excess::Restart(Duration::from_secs(9)));
    assert_eq!(world.count([101, 0, 0, 0, 0]), Some(Step::End(received(None, 100, 101))));
    let mut world = World::new(Excess::DropNew);
    assert!(matches!(world.count([101, 0, 0, 0, 0]), Some(Step::Warn(_))), "nothing is new");
}

/// What a peer with ADD-PATH says past the paths that it may have to one prefix is beyond no limit of its prefixes.
#[test]
fn too_many_paths_to_one_prefix_are_not_too_many_prefixes() {
    for excess in [Excess::Down, Excess::DropNew] {
        let mut world = World::new(excess);
        world.counters.add(&Tally { received: [16, 0], accepted: [16, 0], surplus: 9, ..Tally::default() });
        assert_eq!((world.look(), world.watch.standing()), (None, Standing::Within));
    }
}

#[test]
fn what_was_dropped_is_asked_for_when_there_is_room_and_not_all_the_time() {
    let mut world = World::new(Excess::DropNew);
    assert!(matches!(world.count([100, 0, 0, 0, 7]), Some(Step::GoesOnWithout(_))));
    assert_eq!(world.count([-4, 0, 0, 0, 9]), None, "room for four is too little");
    let recover = Step::Recover { refresh: true, let_in: false };
    assert_eq!(world.count([-1, 0, 0, 0, 0]), Some(recover));
    world.watch.asked_again(&world.counters);
    assert_eq!(world.look(), None);
    assert_eq!(world.watch.standing(), Standing::Near);
    // It comes with as many again, and makes room again.
    assert!(matches!(world.count([5, 0, 0, 0, 1]), Some(Step::GoesOnWithout(_))));
    assert_eq!(world.count([-10, 0, 0, 0, 0]), None);
    world.now = world.watch.looks_again_at(world.now).unwrap();
    assert_eq!(world.look(), Some(recover));
}

#[test]
fn what_is_held_back_is_let_in_when_others_have_gone() {
    let mut world = World::new(Excess::DropNew);
    assert!(matches!(world.count([60, 50, 10, 0, 0]), Some(Step::GoesOnWithout(_))));
    let recover = Step::Recover { refresh: false, let_in: true };
    assert_eq!(world.count([-5, -5, 0, 0, 0]), Some(recover));
    assert_eq!(world.count([0, 5, -5, 0, 0]), None, "five have been let in, five wait");
    world.count([-50, -50, -5, 0, 0]);
    assert_eq!(world.watch.standing(), Standing::Within);
}

#[test]
fn the_peer_is_told_the_family_and_its_limit_where_the_limit_is_a_familys() {
    let data = |limit: Limit| palisade_bgp::notification::Notification::from(&cease(&limit)).data;
    assert_eq!(data(received(Some(Family::Ipv6), 40, 41)), [0, 2, 1, 0, 0, 0, 40]);
    assert!(data(received(None, 100, 101)).is_empty());
}
