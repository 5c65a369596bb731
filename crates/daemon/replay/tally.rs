//! What a replay counts.

use std::collections::BTreeMap;

use palisade_policy::{AspaState, PathVerdict, PerReason, Reason, RovState, Verdict};

use crate::mrt::{Damage, Kind};

/// Damaged records that are told of one by one.
pub(super) const MAX_DAMAGES: usize = 10;

/// Kinds of record that are counted apart; a file of noise has no end of them.
const MAX_KINDS: usize = 64;

/// A damage, and the file it is in.
#[derive(Clone, Debug)]
pub(super) struct Located {
    pub(super) file: String,
    pub(super) damage: Damage,
}

/// All that is counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// MRT records.
    pub(super) records: u64,
    /// Records of kinds that hold no unicast routes, or not in a form that is read.
    pub(super) unread: BTreeMap<Kind, u64>,
    /// Records, and stretches between records, that could not be read.
    pub(super) damaged: u64,
    /// The first of these.
    pub(super) damages: Vec<Located>,
    /// Routes announced.
    pub(super) announcements: u64,
    /// Those of them whose attributes make withdrawals of them (RFC 7606), so that there is nothing to judge.
    pub(super) unusable: u64,
    /// Messages and table entries with faults in their attributes, of whatever outcome.
    pub(super) faulty: u64,
    /// Routes withdrawn.
    pub(super) withdrawals: u64,
    /// Sessions' changes of state.
    pub(super) state_changes: u64,
    /// Routes judged, by what the RPKI says of them.
    pub(super) rov: [u64; RovState::ALL.len()],
    /// Routes accepted.
    pub(super) accepted: u64,
    /// Routes rejected, by reason.
    pub(super) rejected: PerReason<u64>,
    /// Routes that fail a check that is only observed, by its reason.
    pub(super) observed: PerReason<u64>,
    /// Routes judged, by what ASPA says of their paths.
    pub(super) aspa: [u64; AspaState::ALL.len()],
    /// Routes accepted whose attributes import changes.
    pub(super) amended: u64,
}

impl Tally {
    /// Counts a verdict.
    #[inline]
    pub(super) fn judge(&mut self, path: PathVerdict, verdict: Verdict) {
        self.rov[verdict.rov as usize] += 1;
        self.aspa[path.aspa as usize] += 1;
        self.amended += u64::from(!verdict.amendment.is_none());
        match verdict.reason {
            None => self.accepted += 1,
            Some(reason) => self.rejected[reason] += 1,
        }
        if let Some(reason) = verdict.observed {
            self.observed[reason] += 1;
        }
    }

    /// Counts a damage, and keeps the first few.
    pub(super) fn damage(&mut self, file: &str, damage: Damage) {
        self.damaged += 1;
        if self.damages.len() < MAX_DAMAGES {
            self.damages.push(Located { file: file.into(), damage });
        }
    }

    /// Forgets all damages but the first so many.
    pub(super) fn forget_damages(&mut self, count: u64) {
        self.damaged = count;
        self.damages.truncate(usize::try_from(count).unwrap_or(MAX_DAMAGES));
    }

    /// Counts a record that is not read.
    pub(super) fn unread(&mut self, kind: Kind) {
        if self.unread.len() < MAX_KINDS || self.unread.contains_key(&kind) {
            *self.unread.entry(kind).or_default() += 1;
        }
    }

    /// Routes judged.
    pub(super) fn judged(&self) -> u64 {
        self.rov.iter().sum()
    }

    /// The reasons that occur in a list by number, the most frequent first.
    pub(super) fn by_frequency(list: &PerReason<u64>) -> Vec<(Reason, u64)> {
        let counts = list.iter().map(|(reason, count)| (reason, *count));
        let mut counts: Vec<_> = counts.filter(|(_, count)| *count > 0).collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }
}
