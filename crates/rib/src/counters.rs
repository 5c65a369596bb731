//! What a peer's paths amount to, kept as they come and go.
//!
//! All shards count into one set of numbers a peer, which the session's prefix limit, the metrics and the looking
//! glass read without asking anybody. A shard sums up a batch first and adds once.
//!
//! Only what is within its limits ([`prefix_limits`](crate::prefix_limits)) is a path that is counted here; of what is not
//! held, there is but how often that was.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};

use foldhash::fast::FixedState;
use palisade_bgp::Family;
use palisade_policy::{PerReason, RovState};

use crate::path::{Path, PeerIndex};

/// Numbers of paths, by what became of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally<N = i64> {
    /// In the Adj-RIB-In, by [`Family::index`].
    pub received: [N; 2],
    /// Of those and of the accepted ones, kept though the peer has not said them again since its session went down, or since it
    /// began to send its table anew.
    pub stale: Counts<N>,
    /// Let into the decision process, by [`Family::index`].
    pub accepted: [N; 2],
    /// Rejected, by reason.
    pub rejected: PerReason<N>,
    /// Those for which a check that is only observed failed, by its reason.
    pub observed: PerReason<N>,
    /// By [`RovState`] in the order of [`RovState::ALL`].
    pub rov: [N; RovState::ALL.len()],
    /// Announcements that were not held, ever, because the peer's limits left no room for more paths.
    pub dropped: N,
    /// Announcements that were not held, ever, because the peer had as many paths to the prefix as it [may](crate::MOST_PATHS).
    pub surplus: N,
}

impl Default for Tally {
    fn default() -> Self {
        Tally {
            received: [0; 2],
            stale: Counts::default(),
            accepted: [0; 2],
            rejected: PerReason::default(),
            observed: PerReason::default(),
            rov: [0; RovState::ALL.len()],
            dropped: 0,
            surplus: 0,
        }
    }
}

impl Tally {
    /// Counts a path of a family `by` times: 1 as it comes, -1 as it goes.
    pub fn count(&mut self, family: Family, path: &Path, by: i64) {
        self.received[family.index()] += by;
        let verdict = path.verdict();
        self.rov[verdict.rov as usize] += by;
        if let Some(reason) = verdict.observed {
            self.observed[reason] += by;
        }
        match verdict.reason {
            None => self.accepted[family.index()] += by,
            Some(reason) => self.rejected[reason] += by,
        }
    }

    /// The same of one that may be stale.
    pub(crate) fn count_held(&mut self, family: Family, path: &Path, stale: bool, by: i64) {
        self.count(family, path, by);
        if stale {
            self.stale.received[family.index()] += by;
            self.stale.accepted[family.index()] += by * i64::from(path.is_accepted());
        }
    }

    /// Adds another's numbers.
    pub fn add(&mut self, other: &Tally) {
        let add =
            |sums: &mut [i64; 2], more: [i64; 2]| sums.iter_mut().zip(more).for_each(|(sum, n)| *sum += n);
        add(&mut self.received, other.received);
        add(&mut self.stale.received, other.stale.received);
        add(&mut self.stale.accepted, other.stale.accepted);
        add(&mut self.accepted, other.accepted);
        add_each(&mut self.rejected, &other.rejected);
        add_each(&mut self.observed, &other.observed);
        self.rov.iter_mut().zip(other.rov).for_each(|(sum, more)| *sum += more);
        self.dropped += other.dropped;
        self.surplus += other.surplus;
    }

    /// How many there are in the Adj-RIB-In.
    pub fn received_total(&self) -> i64 {
        self.received.iter().sum()
    }

    /// How many are stale.
    pub fn stale_total(&self) -> i64 {
        self.stale.received.iter().sum()
    }

    /// How many announcements were not held, ever.
    pub fn left_out(&self) -> i64 {
        self.dropped + self.surplus
    }

    /// How many are accepted.
    pub fn accepted_total(&self) -> i64 {
        self.accepted.iter().sum()
    }

    /// How many are rejected.
    pub fn rejected_total(&self) -> i64 {
        self.rejected.by_code().iter().sum()
    }
}

fn add_each(sums: &mut PerReason<i64>, more: &PerReason<i64>) {
    more.iter().for_each(|(reason, more)| sums[reason] += more);
}

/// What limits are compared with, by [`Family::index`]: paths that the peer has said, and those that it has yet to say again, each
/// by themselves. What it says when it is back may be other paths than are kept of it, and is not to be refused for these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts<N = i64> {
    /// In the Adj-RIB-In.
    pub received: [N; 2],
    /// Let into the decision process.
    pub accepted: [N; 2],
}

impl Counts {
    /// Both together.
    pub(crate) fn plus(self, more: Counts) -> Counts {
        let sum = |held: [i64; 2], more: [i64; 2]| [held[0] + more[0], held[1] + more[1]];
        Counts { received: sum(self.received, more.received), accepted: sum(self.accepted, more.accepted) }
    }

    /// These without some of them.
    fn without(self, some: Counts) -> Counts {
        self.plus(Counts { received: some.received.map(|n| -n), accepted: some.accepted.map(|n| -n) })
    }
}

/// Tallies of several peers, until they are added to the peers' counters.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    tallies: HashMap<PeerIndex, Tally, FixedState>,
}

impl Tallies {
    /// A peer's.
    pub(crate) fn of(&mut self, peer: PeerIndex) -> &mut Tally {
        self.tallies.entry(peer).or_default()
    }

    /// How many paths a peer has more than its counters say, of those that are stale or of the others.
    pub(crate) fn counts(&self, peer: PeerIndex, stale: bool) -> Counts {
        let Some(Tally { received, accepted, stale: of_stale, .. }) = self.tallies.get(&peer) else {
            return Counts::default();
        };
        let all = Counts { received: *received, accepted: *accepted };
        if stale { *of_stale } else { all.without(*of_stale) }
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PeerIndex, &Tally)> {
        self.tallies.iter().map(|(peer, tally)| (*peer, tally))
    }
}

/// A tally that all shards add to.
#[derive(Debug)]
pub struct PeerCounters {
    tally: Tally<AtomicI64>,
}

impl Default for PeerCounters {
    fn default() -> Self {
        PeerCounters {
            tally: Tally {
                received: Default::default(),
                stale: Counts::default(),
                accepted: Default::default(),
                rejected: PerReason::default(),
                observed: PerReason::default(),
                rov: std::array::from_fn(|_| AtomicI64::new(0)),
                dropped: AtomicI64::new(0),
                surplus: AtomicI64::new(0),
            },
        }
    }
}

impl PeerCounters {
    /// Adds a batch's differences.
    pub fn add(&self, difference: &Tally) {
        // In one order for all shards, so that whoever adds last sees what all of it comes to.
        let add = |sum: &AtomicI64, more: i64| {
            if more != 0 {
                sum.fetch_add(more, Ordering::SeqCst);
            }
        };
        self.tally.received.iter().zip(difference.received).for_each(|(sum, more)| add(sum, more));
        self.tally.accepted.iter().zip(difference.accepted).for_each(|(sum, more)| add(sum, more));
        let (stale, more) = (&self.tally.stale, difference.stale);
        stale.received.iter().zip(more.received).for_each(|(sum, more)| add(sum, more));
        stale.accepted.iter().zip(more.accepted).for_each(|(sum, more)| add(sum, more));
        self.tally.rejected.iter().for_each(|(reason, sum)| add(sum, difference.rejected[reason]));
        self.tally.observed.iter().for_each(|(reason, sum)| add(sum, difference.observed[reason]));
        self.tally.rov.iter().zip(difference.rov).for_each(|(sum, more)| add(sum, more));
        add(&self.tally.dropped, difference.dropped);
        add(&self.tally.surplus, difference.surplus);
    }

    /// How many paths there are now, as far as limits go: those that the peer has said, without the stale ones.
    pub fn counts(&self) -> Counts {
        self.all().without(self.stale())
    }

    /// How many stale ones there are.
    pub(crate) fn stale(&self) -> Counts {
        loaded(&self.tally.stale.received, &self.tally.stale.accepted)
    }

    fn all(&self) -> Counts {
        loaded(&self.tally.received, &self.tally.accepted)
    }

    /// The numbers now. Each is exact; they may be of moments a batch apart.
    pub fn read(&self) -> Tally {
        let load = |n: &AtomicI64| n.load(Ordering::Relaxed);
        Tally {
            received: self.all().received,
            stale: self.stale(),
            accepted: self.all().accepted,
            rejected: PerReason::from_fn(|code| load(&self.tally.rejected.by_code()[code])),
            observed: PerReason::from_fn(|code| load(&self.tally.observed.by_code()[code])),
            rov: std::array::from_fn(|at| load(&self.tally.rov[at])),
            dropped: load(&self.tally.dropped),
            surplus: load(&self.tally.surplus),
        }
    }
}

fn loaded(received: &[AtomicI64; 2], accepted: &[AtomicI64; 2]) -> Counts {
    let load = |numbers: &[AtomicI64; 2]| std::array::from_fn(|at| numbers[at].load(Ordering::SeqCst));
    Counts { received: load(received), accepted: load(accepted) }
}
