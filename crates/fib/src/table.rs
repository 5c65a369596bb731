//! The routes of one family: for each prefix what is wanted and what the kernel holds, in one row.
//!
//! A row is 16 bytes for IPv4 and 28 for IPv6, and there is one for each prefix that is wanted or installed; the
//! difference between its two columns is the work to do. A row with work is in the queue, once, by its key: however
//! often a prefix flaps before its turn comes, one operation is sent, for the newest state.
//!
//! ```text
//!   queue --plan--> (installed := target) --> batch --> kernel
//!     ^                                                   |
//!     '--- retry <--- waiting <--- refused: put back <----'
//! ```
//!
//! The row is brought up to date when its operation is written and put back if the kernel refuses, because refusals
//! are rare and a second lookup for each route is not.

use crate::error::{Errno, Verdict};
use crate::kernel::Operation;
use crate::next_hops::{NONE, NextHops, UNSURE};
use crate::report::{Agreement, RouteState};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::net::IpAddr;

/// The bytes of an address: `[u8; 4]` or `[u8; 16]`.
pub(crate) trait Octets: Copy + Eq {
    fn address(self) -> IpAddr;

    /// The address as a number, for hashing.
    fn number(self) -> u128;
}

impl Octets for [u8; 4] {
    fn address(self) -> IpAddr {
        self.into()
    }

    fn number(self) -> u128 {
        u128::from(u32::from_ne_bytes(self))
    }
}

impl Octets for [u8; 16] {
    fn address(self) -> IpAddr {
        self.into()
    }

    fn number(self) -> u128 {
        u128::from_ne_bytes(self)
    }
}

/// A prefix, packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key<A> {
    pub(crate) octets: A,
    pub(crate) length: u8,
}

impl From<Ipv4Net> for Key<[u8; 4]> {
    fn from(net: Ipv4Net) -> Self {
        Key { octets: net.network().octets(), length: net.prefix_len() }
    }
}

impl From<Ipv6Net> for Key<[u8; 16]> {
    fn from(net: Ipv6Net) -> Self {
        Key { octets: net.network().octets(), length: net.prefix_len() }
    }
}

impl<A: Octets> Key<A> {
    fn hash(self, hasher: &RandomState) -> u64 {
        // Seeded per table: the prefixes are the Internet's choice.
        hasher.hash_one(
            self.octets.number().rotate_left(u32::from(self.length)) ^ u128::from(self.length) << 64,
        )
    }

    pub(crate) fn prefix(self) -> IpNet {
        // A key is made from a prefix, so the length fits and the address stands in for the impossible.
        IpNet::new(self.octets.address(), self.length).unwrap_or(IpNet::from(self.octets.address()))
    }
}

/// In the queue.
const QUEUED: u8 = 1;
/// In the waiting list.
const WAITING: u8 = 2;
/// Refused for good: not wanted in the kernel until something about it changes.
const REFUSED: u8 = 4;
/// Found by the dump in progress.
const SEEN: u8 = 8;
/// Queued again after a refusal.
const RETRIED: u8 = 16;
/// Refused last time because a route was in the way.
const BLOCKED: u8 = 32;

struct Row<A> {
    key: Key<A>,
    flags: u8,
    /// The index of the wanted next hop, or `NONE`.
    wanted: u32,
    /// The index of the next hop in the kernel, `NONE` or `UNSURE`.
    installed: u32,
}

impl<A> Row<A> {
    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// What `installed` should be.
    fn target(&self, next_hops: &NextHops) -> u32 {
        if self.has(REFUSED) { NONE } else { next_hops.target(self.wanted) }
    }

    fn is_empty(&self) -> bool {
        self.wanted == NONE && self.installed == NONE && !self.has(QUEUED | WAITING)
    }

    /// Whether an operation is called for. What an earlier run left is let be until the start is complete.
    fn needs_work(&self, next_hops: &NextHops, started: bool) -> bool {
        self.installed != self.target(next_hops) && (started || self.wanted != NONE)
    }
}

/// An operation in the batch, with what its row said before.
struct Planned<A> {
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

/// The rows of one family.
pub(crate) struct Table<A> {
    rows: HashTable<Row<A>>,
    hasher: RandomState,
    queue: VecDeque<Key<A>>,
    waiting: Vec<Key<A>>,
    planned: Vec<Planned<A>>,
    refused: usize,
}

impl<A: Octets> Default for Table<A> {
    fn default() -> Self {
        Table {
            rows: HashTable::new(),
            hasher: RandomState::default(),
            queue: VecDeque::new(),
            waiting: Vec::new(),
            planned: Vec::new(),
            refused: 0,
        }
    }
}

impl<A: Octets> Table<A> {
    /// Changes waiting for a batch.
    pub(crate) fn pending(&self) -> usize {
        self.queue.len()
    }

    /// Refused changes that will be tried again.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Routes refused for good.
    pub(crate) fn refused(&self) -> usize {
        self.refused
    }

    /// The bytes that the rows take.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.rows.allocation_size()
    }

    /// What has become of the route to a prefix.
    pub(crate) fn state(&self, key: Key<A>, next_hops: &NextHops) -> RouteState {
        let row = self.rows.find(key.hash(&self.hasher), |row| row.key == key);
        let Some((row, next_hop)) = row.and_then(|row| Some((row, next_hops.get(row.wanted)?))) else {
            return RouteState::NotWanted;
        };
        if row.has(REFUSED) {
            RouteState::Refused(next_hop)
        } else if next_hops.target(row.wanted) == NONE {
            RouteState::Unresolved(next_hop)
        } else if row.installed == row.wanted {
            RouteState::Installed(next_hop)
        } else {
            RouteState::Pending(next_hop)
        }
    }

    /// Sets the wanted next hop of a prefix; `NONE` withdraws it, and what an earlier run left of it.
    pub(crate) fn want(&mut self, key: Key<A>, wanted: u32, next_hops: &mut NextHops) {
        let row = match self.entry(key) {
            Entry::Vacant(_) if wanted == NONE => return,
            entry => entry.or_insert(Row { key, flags: 0, wanted: NONE, installed: NONE }).into_mut(),
        };
        if row.wanted == wanted && (wanted != NONE || row.installed == NONE) {
            return;
        }
        next_hops.move_wanted(row.wanted, wanted);
        row.wanted = wanted;
        let forgiven = row.has(REFUSED);
        row.flags &= !REFUSED;
        let queued = row.has(QUEUED);
        row.flags |= QUEUED;
        self.refused -= usize::from(forgiven);
        if !queued {
            self.queue.push_back(key);
        }
    }

    /// Notes that someone else changed our route: what is left of it is `left` (`NONE` or `UNSURE`). True if the row
    /// had a route.
    pub(crate) fn meddled(
        &mut self,
        key: Key<A>,
        left: u32,
        next_hops: &mut NextHops,
        started: bool,
    ) -> bool {
        let Some(row) = self.row_mut(key) else { return false };
        if row.installed == NONE || next_hops.is_lost(row.installed) {
            return false;
        }
        next_hops.move_installed(row.installed, left);
        row.installed = left;
        self.queue_if_needed(key, next_hops, started);
        true
    }

    /// Notes that someone else made a route of our protocol that leads to `held`. True if it has to be put right.
    pub(crate) fn imitated(
        &mut self,
        key: Key<A>,
        held: u32,
        next_hops: &mut NextHops,
        started: bool,
    ) -> bool {
        let row = self.entry(key).or_insert(Row { key, flags: 0, wanted: NONE, installed: NONE }).into_mut();
        if row.installed == held && held != UNSURE {
            return false;
        }
        next_hops.move_installed(row.installed, UNSURE);
        row.installed = UNSURE;
        self.queue_if_needed(key, next_hops, started);
        true
    }

    /// Notes a stranger's route at our metric: if ours was reported removed before, this one is in its place.
    pub(crate) fn displaced(&mut self, key: Key<A>, next_hops: &mut NextHops, started: bool) -> bool {
        let unsure = self.row_mut(key).is_some_and(|row| row.installed == UNSURE);
        unsure && self.meddled(key, NONE, next_hops, started)
    }

    /// A stranger's route that was in the way may be gone: try again.
    pub(crate) fn nudge(&mut self, key: Key<A>, next_hops: &NextHops, started: bool) {
        self.queue_if_needed(key, next_hops, started);
    }

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
        let row = self.entry(key).or_insert(Row { key, flags: 0, wanted: NONE, installed: NONE }).into_mut();
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
            queue_row(row, &mut self.queue, next_hops, started);
        }
        self.refused = 0;
    }

    /// Tells every row which next hops came and went, and queues those that have work.
    pub(crate) fn walk(&mut self, next_hops: &mut NextHops, started: bool) {
        let Table { rows, queue, refused, .. } = self;
        rows.retain(|row| {
            if next_hops.is_lost(row.installed) {
                let left = next_hops.remains_of_lost();
                next_hops.move_installed(row.installed, left);
                row.installed = left;
            }
            if row.has(REFUSED) && next_hops.is_woken(row.wanted) {
                row.flags &= !REFUSED;
                *refused -= 1;
            }
            queue_row(row, queue, next_hops, started);
            if !row.has(REFUSED) && row.wanted != NONE && next_hops.target(row.wanted) == NONE {
                next_hops.park(row.wanted);
            }
            !row.is_empty()
        });
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Table::default();
    }

    fn entry(&mut self, key: Key<A>) -> Entry<'_, Row<A>> {
        let hasher = &self.hasher;
        self.rows.entry(key.hash(hasher), |row| row.key == key, |row| row.key.hash(hasher))
    }

    fn row_mut(&mut self, key: Key<A>) -> Option<&mut Row<A>> {
        self.rows.find_mut(key.hash(&self.hasher), |row| row.key == key)
    }

    fn queue_if_needed(&mut self, key: Key<A>, next_hops: &NextHops, started: bool) {
        let Table { rows, hasher, queue, .. } = self;
        if let Some(row) = rows.find_mut(key.hash(hasher), |row| row.key == key) {
            queue_row(row, queue, next_hops, started);
        }
    }

    fn drop_if_empty(&mut self, key: Key<A>) {
        if let Entry::Occupied(entry) = self.entry(key)
            && entry.get().is_empty()
        {
            entry.remove();
        }
    }
}

/// Comparing with a dump of the kernel.
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
        let row = self.entry(key).or_insert(Row { key, flags: 0, wanted: NONE, installed: NONE }).into_mut();
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
            queue_row(row, queue, next_hops, started);
            !row.is_empty()
        });
    }
}

/// Queues a row if it has work and is not queued.
fn queue_row<A: Octets>(row: &mut Row<A>, queue: &mut VecDeque<Key<A>>, next_hops: &NextHops, started: bool) {
    if !row.has(QUEUED) && row.needs_work(next_hops, started) {
        row.flags |= QUEUED;
        queue.push_back(row.key);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_small() {
        assert_eq!(size_of::<Row<[u8; 4]>>(), 16);
        assert_eq!(size_of::<Row<[u8; 16]>>(), 28);
    }

    #[test]
    fn a_full_table_takes_about_forty_bytes_a_route() {
        let mut next_hops = NextHops::new(true);
        let hop = next_hops.intern(IpAddr::from([192, 0, 2, 1]).into());
        let mut v4: Table<[u8; 4]> = Table::default();
        let mut v6: Table<[u8; 16]> = Table::default();
        for number in 0..1_030_000_u32 {
            v4.want(Key { octets: (number << 8).to_be_bytes(), length: 24 }, hop, &mut next_hops);
        }
        for number in 0..250_000_u128 {
            v6.want(Key { octets: (number << 80).to_be_bytes(), length: 48 }, hop, &mut next_hops);
        }
        let each = (v4.bytes() + v6.bytes()) as f64 / 1_280_000.0;
        println!("{each:.1} bytes a route: {} for IPv4, {} for IPv6", v4.bytes(), v6.bytes());
        assert!(each < 42.0, "{each}");
    }
}
