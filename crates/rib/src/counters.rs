//! What a peer's paths amount to, kept as they come and go.
//!
//! All shards count into one set of numbers a peer, which the session's prefix limit, the metrics and the looking
//! glass read without asking anybody. A shard sums up a batch first and adds once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};

use foldhash::fast::FixedState;
use palisade_policy::{PerReason, RovState};

use crate::path::{Path, PeerIndex};

/// Numbers of paths, by what became of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally<N = i64> {
    /// In the Adj-RIB-In.
    pub received: N,
    /// Of those, kept though the peer has not said them again since its session went down, or since it began to send its table
    /// anew.
    pub stale: N,
    /// Let into the decision process.
    pub accepted: N,
    /// Rejected, by reason.
    pub rejected: PerReason<N>,
    /// Those for which a check that is only observed failed, by its reason.
    pub observed: PerReason<N>,
    /// By [`RovState`] in the order of [`RovState::ALL`].
    pub rov: [N; RovState::ALL.len()],
}

impl Default for Tally {
    fn default() -> Self {
        Tally {
            received: 0,
            stale: 0,
            accepted: 0,
            rejected: PerReason::default(),
            observed: PerReason::default(),
            rov: [0; RovState::ALL.len()],
        }
    }
}

impl Tally {
    /// Counts a path `by` times: 1 as it comes, -1 as it goes.
    pub fn count(&mut self, path: &Path, by: i64) {
        self.received += by;
        let verdict = path.verdict();
        self.rov[verdict.rov as usize] += by;
        if let Some(reason) = verdict.observed {
            self.observed[reason] += by;
        }
        match verdict.reason {
            None => self.accepted += by,
            Some(reason) => self.rejected[reason] += by,
        }
    }

    /// Counts a path that has gone, and whether it was stale.
    pub(crate) fn count_left(&mut self, path: &Path, stale: bool) {
        self.count(path, -1);
        self.stale -= i64::from(stale);
    }

    /// Adds another's numbers.
    pub fn add(&mut self, other: &Tally) {
        self.received += other.received;
        self.stale += other.stale;
        self.accepted += other.accepted;
        add_each(&mut self.rejected, &other.rejected);
        add_each(&mut self.observed, &other.observed);
        self.rov.iter_mut().zip(other.rov).for_each(|(sum, more)| *sum += more);
    }

    /// How many the judge rejected.
    pub fn rejected_total(&self) -> i64 {
        self.rejected.by_code().iter().sum()
    }
}

fn add_each(sums: &mut PerReason<i64>, more: &PerReason<i64>) {
    more.iter().for_each(|(reason, more)| sums[reason] += more);
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
                received: AtomicI64::new(0),
                stale: AtomicI64::new(0),
                accepted: AtomicI64::new(0),
                rejected: PerReason::default(),
                observed: PerReason::default(),
                rov: std::array::from_fn(|_| AtomicI64::new(0)),
            },
        }
    }
}

impl PeerCounters {
    /// Adds a batch's differences and says how many paths are held then.
    pub fn add(&self, difference: &Tally) -> i64 {
        let add = |sum: &AtomicI64, more: i64| {
            if more != 0 {
                sum.fetch_add(more, Ordering::Relaxed);
            }
        };
        add(&self.tally.stale, difference.stale);
        add(&self.tally.accepted, difference.accepted);
        self.tally.rejected.iter().for_each(|(reason, sum)| add(sum, difference.rejected[reason]));
        self.tally.observed.iter().for_each(|(reason, sum)| add(sum, difference.observed[reason]));
        self.tally.rov.iter().zip(difference.rov).for_each(|(sum, more)| add(sum, more));
        self.tally.received.fetch_add(difference.received, Ordering::Relaxed) + difference.received
    }

    /// The numbers now. Each is exact; they may be of moments a batch apart.
    pub fn read(&self) -> Tally {
        let load = |n: &AtomicI64| n.load(Ordering::Relaxed);
        Tally {
            received: load(&self.tally.received),
            stale: load(&self.tally.stale),
            accepted: load(&self.tally.accepted),
            rejected: PerReason::from_fn(|code| load(&self.tally.rejected.by_code()[code])),
            observed: PerReason::from_fn(|code| load(&self.tally.observed.by_code()[code])),
            rov: std::array::from_fn(|at| load(&self.tally.rov[at])),
        }
    }
}
