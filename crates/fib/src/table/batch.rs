//! A batch of route operations: which rows are in it, and what becomes of those that the kernel refuses.
//!
//! A refused row is put back as it was. Whether it is tried again follows from the [verdict](Verdict) on the error: it waits for the
//! next retry, or it is given up until something about it changes.

use super::Table;
use super::row::{BLOCKED, QUEUED, REFUSED, RETRIED, WAITING};
use crate::error::{Errno, Verdict};
use crate::kernel::Operation;
use crate::key::{Key, Octets};
use crate::next_hops::{NONE, NextHops};
use ipnet::IpNet;

/// An operation in the batch, with what its row said before.
pub(super) struct Planned<A> {
    key: Key<A>,
    previous: u32,
    /// It was refused before.
    again: bool,
}

/// What became of a refused operation.
pub(crate) struct Refused {
    pub(crate) prefix: IpNet,
    /// Not a repetition of an earlier refusal.
    pub(crate) is_news: bool,
    pub(crate) given_up: bool,
    /// A route is in the way that was not there the last time.
    pub(crate) newly_blocked: bool,
}

impl<A: Octets> Table<A> {
    /// Writes at most `limit` operations for queued rows, taking them as carried out.
    pub(crate) fn plan(
        &mut self,
        next_hops: &mut NextHops,
        metric: u32,
        limit: usize,
        operations: &mut Vec<Operation>,
    ) {
        self.planned.clear();
        while self.planned.len() < limit {
            let Some(key) = self.queue.pop_front() else { break };
            let Some(row) = self.row_mut(key) else { continue };
            let again = row.has(WAITING | RETRIED);
            row.flags &= !(QUEUED | RETRIED);
            let (previous, target) = (row.installed, row.target(next_hops));
            row.installed = target;
            let empty = row.is_empty();
            if target == NONE {
                next_hops.park(row.wanted);
            }
            next_hops.move_installed(previous, target);
            if empty {
                self.drop_if_empty(key);
            }
            if target != previous {
                operations.push(operation(key.prefix(), metric, previous, target, next_hops));
                self.planned.push(Planned { key, previous, again });
            }
        }
        if self.queue.is_empty() {
            self.queue.shrink_to(1024);
        }
    }

    /// Puts a row back whose operation in the last plan was refused.
    pub(crate) fn refuse(
        &mut self,
        position: usize,
        errno: Errno,
        next_hops: &mut NextHops,
    ) -> Option<Refused> {
        let &Planned { key, previous, again } = self.planned.get(position)?;
        let row = self.row_or_new(key);
        let removal = row.installed == NONE;
        next_hops.move_installed(row.installed, previous);
        row.installed = previous;
        // A next hop that is gone by now explains the refusal; the row waits for its return.
        let usable = next_hops.target(row.wanted) != NONE;
        let given_up = !removal && usable && errno.verdict() == Verdict::GiveUp;
        let blocked = errno.0 == libc::EEXIST;
        let newly_blocked = blocked && !(again && row.has(BLOCKED));
        row.flags = if blocked { row.flags | BLOCKED } else { row.flags & !BLOCKED };
        if given_up {
            // The route that is to be replaced must not stay either: it leads where nobody wants it to.
            let stale = previous != NONE && !row.has(QUEUED);
            row.flags |= REFUSED | if stale { QUEUED } else { 0 };
            self.refused += 1;
            if stale {
                self.queue.push_back(key);
            }
        } else if !row.has(WAITING) {
            row.flags |= WAITING;
            self.waiting.push(key);
        }
        Some(Refused { prefix: key.prefix(), is_news: !again, given_up, newly_blocked })
    }

    /// Queues the rows that were refused earlier.
    pub(crate) fn wake_waiting(&mut self, next_hops: &NextHops, started: bool) {
        for key in std::mem::take(&mut self.waiting) {
            if let Some(row) = self.row_mut(key) {
                row.flags = row.flags & !WAITING | RETRIED;
            }
            self.queue_if_needed(key, next_hops, started);
            self.drop_if_empty(key);
        }
    }

    /// Gives rows that were refused for good another chance.
    pub(crate) fn forgive(&mut self, next_hops: &NextHops, started: bool) {
        for row in self.rows.iter_mut() {
            row.flags &= !REFUSED;
            row.enqueue(&mut self.queue, next_hops, started);
        }
        self.refused = 0;
    }
}

/// The operation that leads from one state of a route to another.
///
/// A first route is added and not replaced, so that a stranger's route with the same prefix and metric is never taken
/// over; one that is there already is replaced in one step, so that there is no hole.
fn operation(prefix: IpNet, metric: u32, previous: u32, target: u32, next_hops: &NextHops) -> Operation {
    match next_hops.via(target) {
        None => Operation::RemoveRoute { prefix, metric },
        Some(via) if previous == NONE => Operation::AddRoute { prefix, via },
        Some(via) => Operation::ReplaceRoute { prefix, via },
    }
}
