//! Comparing the rows with a dump of the kernel.
//!
//! Each route of ours in the dump is [found](Table::found); what was not when the dump ends is missing. What is believed is put
//! right on the way, so that the rows which differ have work, and the [`Agreement`] says what was wrong.

use super::Table;
use super::row::{REFUSED, SEEN};
use crate::key::{Key, Octets};
use crate::next_hops::{NONE, NextHops, UNSURE};
use crate::report::Agreement;

impl<A: Octets> Table<A> {
    /// Begins the comparison.
    pub(crate) fn begin_audit(&mut self) {
        for row in self.rows.iter_mut() {
            row.flags &= !SEEN;
        }
    }

    /// Takes a route of ours found in the kernel, which leads to `held` (an index or `UNSURE`).
    pub(crate) fn found(
        &mut self,
        key: Key<A>,
        held: u32,
        next_hops: &mut NextHops,
        started: bool,
        agreement: &mut Agreement,
    ) {
        let row = self.row_or_new(key);
        let target = row.target(next_hops);
        let believed_right = row.installed == target;
        row.flags |= SEEN;
        next_hops.move_installed(row.installed, held);
        row.installed = held;
        if held == target {
            agreement.agreed += 1;
        } else if row.wanted == NONE && !started {
            agreement.leftovers += 1;
        } else if !believed_right {
            agreement.pending += 1;
        } else if target == NONE {
            agreement.foreign.note(key.prefix());
        } else {
            agreement.differing.note(key.prefix());
        }
    }

    /// Ends the comparison: what was not found is missing. `whole` says that the dump had no holes.
    pub(crate) fn end_audit(
        &mut self,
        next_hops: &mut NextHops,
        started: bool,
        whole: bool,
        agreement: &mut Agreement,
    ) {
        let Table { rows, queue, .. } = self;
        rows.retain(|row| {
            let target = row.target(next_hops);
            if !row.has(SEEN) {
                if target != NONE && row.installed == target {
                    agreement.missing.note(row.key.prefix());
                } else if target != NONE {
                    agreement.pending += 1;
                }
                let left = if whole || row.installed == NONE { NONE } else { UNSURE };
                next_hops.move_installed(row.installed, left);
                row.installed = left;
            }
            agreement.refused += usize::from(row.has(REFUSED));
            if row.wanted != NONE && !row.has(REFUSED) && target == NONE {
                agreement.unresolved += 1;
                next_hops.park(row.wanted);
            }
            row.enqueue(queue, next_hops, started);
            !row.is_empty()
        });
    }
}
