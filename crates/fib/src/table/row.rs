//! A row: what is wanted for a prefix and what the kernel holds, and where the row is on the way from one to the other.

use crate::key::{Key, Octets};
use crate::next_hops::{NONE, NextHops};
use std::collections::VecDeque;

/// In the queue.
pub(super) const QUEUED: u8 = 1;
/// In the waiting list.
pub(super) const WAITING: u8 = 2;
/// Refused for good: not wanted in the kernel until something about it changes.
pub(super) const REFUSED: u8 = 4;
/// Found by the dump in progress.
pub(super) const SEEN: u8 = 8;
/// Queued again after a refusal.
pub(super) const RETRIED: u8 = 16;
/// Refused last time because a route was in the way.
pub(super) const BLOCKED: u8 = 32;

pub(super) struct Row<A> {
    pub(super) key: Key<A>,
    pub(super) flags: u8,
    /// The index of the wanted next hop, or `NONE`.
    pub(super) wanted: u32,
    /// The index of the next hop in the kernel, `NONE` or `UNSURE`.
    pub(super) installed: u32,
}

impl<A> Row<A> {
    /// One of which nothing is wanted or known.
    pub(super) fn new(key: Key<A>) -> Self {
        Row { key, flags: 0, wanted: NONE, installed: NONE }
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// What `installed` should be.
    pub(super) fn target(&self, next_hops: &NextHops) -> u32 {
        if self.has(REFUSED) { NONE } else { next_hops.target(self.wanted) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.wanted == NONE && self.installed == NONE && !self.has(QUEUED | WAITING)
    }

    /// Whether an operation is called for. What an earlier run left is let be until the start is complete.
    pub(super) fn needs_work(&self, next_hops: &NextHops, started: bool) -> bool {
        self.installed != self.target(next_hops) && (started || self.wanted != NONE)
    }
}

impl<A: Octets> Row<A> {
    /// Queues it if it has work and is not queued.
    pub(super) fn enqueue(&mut self, queue: &mut VecDeque<Key<A>>, next_hops: &NextHops, started: bool) {
        if !self.has(QUEUED) && self.needs_work(next_hops, started) {
            self.flags |= QUEUED;
            queue.push_back(self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_small() {
        assert_eq!(size_of::<Row<[u8; 4]>>(), 16);
        assert_eq!(size_of::<Row<[u8; 16]>>(), 28);
    }
}
