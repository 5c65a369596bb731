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
//!
//! [`Fib`](crate::Fib) has what is wanted set, [batches](batch) planned and a dump of the kernel [compared](audit), and tells of what
//! others did to routes; which next hops can be used it is told by [`NextHops`].

mod audit;
mod batch;
mod row;

use crate::key::{Key, Octets};
use crate::next_hops::{NONE, NextHops, UNSURE};
use crate::report::RouteState;
use batch::Planned;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use row::{QUEUED, REFUSED, Row};
use std::collections::VecDeque;

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
            entry => entry.or_insert(Row::new(key)).into_mut(),
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
            row.enqueue(queue, next_hops, started);
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

    fn row_or_new(&mut self, key: Key<A>) -> &mut Row<A> {
        self.entry(key).or_insert(Row::new(key)).into_mut()
    }

    fn row_mut(&mut self, key: Key<A>) -> Option<&mut Row<A>> {
        self.rows.find_mut(key.hash(&self.hasher), |row| row.key == key)
    }

    fn queue_if_needed(&mut self, key: Key<A>, next_hops: &NextHops, started: bool) {
        let Table { rows, hasher, queue, .. } = self;
        if let Some(row) = rows.find_mut(key.hash(hasher), |row| row.key == key) {
            row.enqueue(queue, next_hops, started);
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

/// What others do to routes.
impl<A: Octets> Table<A> {
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
        let row = self.row_or_new(key);
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

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
