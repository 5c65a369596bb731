//! What a peer's paths amount to, kept as they come and go.
//!
//! All shards count into one set of numbers a peer, which the session's prefix limit, the metrics and the looking
//! glass read without asking anybody. A shard sums up a batch first and adds once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};

use foldhash::fast::FixedState;
use palisade_policy::{Reason, RovState};

use crate::path::{Path, PeerIndex};

/// Places for reasons, found by their number.
const REASONS: usize = 64;

const _: () = {
    let mut at = 0;
    while at < Reason::ALL.len() {
        assert!((Reason::ALL[at] as usize) < REASONS);
        at += 1;
    }
};

/// Numbers of paths, by what became of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally<N = i64> {
    /// In the Adj-RIB-In.
    pub received: N,
    /// Let into the decision process.
    pub accepted: N,
    /// Rejected, by the number of their [`Reason`].
    pub rejected: [N; REASONS],
    /// Those for which a check that is only observed failed, by the number of its [`Reason`].
    pub observed: [N; REASONS],
    /// By [`RovState`] in the order of [`RovState::ALL`].
    pub rov: [N; RovState::ALL.len()],
}

impl Default for Tally {
    fn default() -> Self {
        Tally {
            received: 0,
            accepted: 0,
            rejected: [0; REASONS],
            observed: [0; REASONS],
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
            self.observed[reason as usize] += by;
        }
        match verdict.reason {
            None => self.accepted += by,
            Some(reason) => self.rejected[reason as usize] += by,
        }
    }

    /// Adds another's numbers.
    pub fn add(&mut self, other: &Tally) {
        self.received += other.received;
        self.accepted += other.accepted;
        self.rejected.iter_mut().zip(other.rejected).for_each(|(sum, more)| *sum += more);
        self.observed.iter_mut().zip(other.observed).for_each(|(sum, more)| *sum += more);
        self.rov.iter_mut().zip(other.rov).for_each(|(sum, more)| *sum += more);
    }

    /// How many the judge rejected.
    pub fn rejected_total(&self) -> i64 {
        self.rejected.iter().sum()
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
                accepted: AtomicI64::new(0),
                rejected: std::array::from_fn(|_| AtomicI64::new(0)),
                observed: std::array::from_fn(|_| AtomicI64::new(0)),
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
        add(&self.tally.accepted, difference.accepted);
        self.tally.rejected.iter().zip(difference.rejected).for_each(|(sum, more)| add(sum, more));
        self.tally.observed.iter().zip(difference.observed).for_each(|(sum, more)| add(sum, more));
        self.tally.rov.iter().zip(difference.rov).for_each(|(sum, more)| add(sum, more));
        self.tally.received.fetch_add(difference.received, Ordering::Relaxed) + difference.received
    }

    /// The numbers now. Each is exact; they may be of moments a batch apart.
    pub fn read(&self) -> Tally {
        let load = |n: &AtomicI64| n.load(Ordering::Relaxed);
        Tally {
            received: load(&self.tally.received),
            accepted: load(&self.tally.accepted),
            rejected: std::array::from_fn(|at| load(&self.tally.rejected[at])),
            observed: std::array::from_fn(|at| load(&self.tally.observed[at])),
            rov: std::array::from_fn(|at| load(&self.tally.rov[at])),
        }
    }
}
