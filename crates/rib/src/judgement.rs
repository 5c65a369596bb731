//! What the path stage said of a set of attributes, and by what: a verdict that can be replaced while others read it.
//!
//! ```text
//!   peer's task: interns, judges by the tables it has --.
//!   shard 1: reads, judges again where that is stale ----+--> one cell a set
//!   shard 2: the same, perhaps with other tables --------'
//! ```
//!
//! Tables and policies reach tasks and shards at different moments, so that a set may come to a shard judged by older tables
//! than the shard's, or by newer ones. A [`Stamp`] says by which, and a verdict counts for a shard only where that is what
//! the shard judges by; otherwise the shard judges for itself, and keeps what it found here unless something newer is here.
//! So what a shard obeys never depends on who was first: the cell only saves asking twice.
//!
//! It is a sequence lock without waiting: who finds it being written judges for itself, or leaves it as it is.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64, fence};

use palisade_policy::{AspaState, PathVerdict, Reason, RuleSet, Snapshot};

/// By what a path verdict was made. Both numbers only go up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// [`Snapshot::path_generation`] of the tables.
    pub path_generation: u64,
    /// How many times all of the peer's policy has changed in its session.
    pub policy: u32,
}

impl Stamp {
    /// What is judged by these tables, after as many changes of the peer's policy.
    pub(crate) fn of(tables: &Snapshot, policy: u32) -> Self {
        Stamp { path_generation: tables.path_generation, policy }
    }

    fn is_older_than(self, other: Stamp) -> bool {
        self.path_generation < other.path_generation || self.policy < other.policy
    }
}

/// A path verdict with its stamp.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// Odd while the rest is written.
    turn: AtomicU32,
    /// [`packed`].
    verdict: AtomicU32,
    rules: AtomicU64,
    path_generation: AtomicU64,
    policy: AtomicU32,
}

impl Judgement {
    pub(crate) fn new(verdict: PathVerdict, stamp: Stamp) -> Self {
        Judgement {
            turn: AtomicU32::new(0),
            verdict: AtomicU32::new(packed(verdict)),
            rules: AtomicU64::new(verdict.rules.bits()),
            path_generation: AtomicU64::new(stamp.path_generation),
            policy: AtomicU32::new(stamp.policy),
        }
    }

    /// None yet.
    pub(crate) fn none() -> Self {
        let judgement = Judgement::new(PathVerdict::default(), Stamp::default());
        judgement.verdict.store(UNJUDGED, Relaxed);
        judgement
    }

    /// The verdict, where it was made by just that.
    #[inline]
    pub(crate) fn made_by(&self, stamp: Stamp) -> Option<PathVerdict> {
        let turn = self.turn.load(Acquire);
        let found = self.stamp();
        let (verdict, rules) = (self.verdict.load(Relaxed), self.rules.load(Relaxed));
        fence(Acquire);
        let whole = turn.is_multiple_of(2) && self.turn.load(Relaxed) == turn;
        (whole && found == stamp && verdict & UNJUDGED == 0).then(|| unpacked(verdict, rules))
    }

    /// Keeps a verdict, unless a newer one is here or somebody else is writing.
    pub(crate) fn replace(&self, verdict: PathVerdict, stamp: Stamp) {
        let turn = self.turn.load(Relaxed) & !1;
        if self.turn.compare_exchange(turn, turn.wrapping_add(1), Acquire, Relaxed).is_err() {
            return;
        }
        fence(Release);
        if self.verdict.load(Relaxed) & UNJUDGED != 0 || !stamp.is_older_than(self.stamp()) {
            self.verdict.store(packed(verdict), Relaxed);
            self.rules.store(verdict.rules.bits(), Relaxed);
            self.path_generation.store(stamp.path_generation, Relaxed);
            self.policy.store(stamp.policy, Relaxed);
        }
        self.turn.store(turn.wrapping_add(2), Release);
    }

    #[inline]
    fn stamp(&self) -> Stamp {
        Stamp { path_generation: self.path_generation.load(Relaxed), policy: self.policy.load(Relaxed) }
    }
}

const BLACKHOLE: u32 = 1 << 16;
const SCRUB: u32 = 1 << 17;
const ASPA_SHIFT: u32 = 18;
const ASPA_STATES: [AspaState; 4] =
    [AspaState::Unverified, AspaState::Unknown, AspaState::Valid, AspaState::Invalid];

/// Set until there is a verdict.
const UNJUDGED: u32 = 1 << 31;

/// All of a verdict but its rules: the codes of its reasons, and [`BLACKHOLE`], [`SCRUB`] and the [`AspaState`].
fn packed(verdict: PathVerdict) -> u32 {
    let PathVerdict { reason, observed, blackhole, aspa, rules: _, scrub } = verdict;
    let code = |reason: Option<Reason>| u32::from(reason.map_or(0, Reason::code));
    code(reason)
        | code(observed) << 8
        | if blackhole { BLACKHOLE } else { 0 }
        | if scrub { SCRUB } else { 0 }
        | (aspa as u32) << ASPA_SHIFT
}

#[inline]
fn unpacked(verdict: u32, rules: u64) -> PathVerdict {
    let [reason, observed, ..] = verdict.to_le_bytes();
    PathVerdict {
        reason: Reason::from_code(reason),
        observed: Reason::from_code(observed),
        blackhole: verdict & BLACKHOLE != 0,
        aspa: ASPA_STATES[(verdict >> ASPA_SHIFT) as usize % ASPA_STATES.len()],
        rules: RuleSet::from_bits(rules),
        scrub: verdict & SCRUB != 0,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use palisade_policy::RuleNumber;

    use super::*;

    fn stamp(path_generation: u64, policy: u32) -> Stamp {
        Stamp { path_generation, policy }
    }

    /// A verdict that differs in all its parts with the number.
    fn verdict(number: u64) -> PathVerdict {
        let reasons = Reason::ALL;
        let mut rules = RuleSet::NONE;
        (0..8).filter(|bit| number >> bit & 1 != 0).filter_map(RuleNumber::new).for_each(|r| rules.insert(r));
        PathVerdict {
            reason: Some(reasons[number as usize % reasons.len()]),
            observed: (!number.is_multiple_of(3)).then(|| reasons[number as usize / 2 % reasons.len()]),
            blackhole: number.is_multiple_of(2),
            aspa: ASPA_STATES[number as usize % 4],
            rules,
            scrub: number.is_multiple_of(5),
        }
    }

    #[test]
    fn a_verdict_comes_back_whole() {
        let none = Judgement::new(PathVerdict::default(), Stamp::default());
        assert_eq!(none.made_by(Stamp::default()), Some(PathVerdict::default()));
        for number in 0..200 {
            let judgement = Judgement::new(verdict(number), stamp(number, 1));
            assert_eq!(judgement.made_by(stamp(number, 1)), Some(verdict(number)));
        }
    }

    #[test]
    fn where_there_is_none_any_is_newer() {
        let judgement = Judgement::none();
        assert_eq!(judgement.made_by(Stamp::default()), None);
        judgement.replace(verdict(3), Stamp::default());
        assert_eq!(judgement.made_by(Stamp::default()), Some(verdict(3)));
    }

    #[test]
    fn it_counts_only_for_who_judges_by_the_same_and_the_newer_stays() {
        let judgement = Judgement::new(verdict(1), stamp(5, 2));
        for other in [stamp(4, 2), stamp(6, 2), stamp(5, 1), stamp(5, 3)] {
            assert_eq!(judgement.made_by(other), None, "{other:?}");
        }
        for older in [stamp(4, 2), stamp(5, 1), stamp(4, 3), stamp(6, 1)] {
            judgement.replace(verdict(2), older);
            assert_eq!(judgement.made_by(stamp(5, 2)), Some(verdict(1)), "{older:?}");
        }
        for newer in [stamp(6, 2), stamp(6, 3), stamp(9, 9)] {
            judgement.replace(verdict(newer.path_generation), newer);
            assert_eq!(judgement.made_by(newer), Some(verdict(newer.path_generation)));
        }
    }

    /// Whatever threads do at once, what is read belongs together, and in the end the newest is there or somebody would
    /// judge once more.
    #[test]
    fn nobody_reads_half_a_verdict() {
        let judgement = Arc::new(Judgement::new(verdict(0), stamp(0, 0)));
        let threads = [1u64, 2, 3].map(|first| {
            let judgement = Arc::clone(&judgement);
            thread::spawn(move || {
                for generation in (first..20_000).step_by(2) {
                    judgement.replace(verdict(generation), stamp(generation, 0));
                    for near in generation.saturating_sub(3)..generation + 3 {
                        if let Some(found) = judgement.made_by(stamp(near, 0)) {
                            assert_eq!(found, verdict(near));
                        }
                    }
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}
