//! The ids of nexthop objects, which are ours to choose: the kernel has one space of them for everybody.
//!
//! Ours are the million from [`FIRST_ID`] on, handed out in turn. That an id is free here does not say that it is in the kernel:
//! one that is taken there is given up for the next when the kernel refuses it.

use hashbrown::HashMap;

/// Our nexthop objects have ids from here on.
pub(crate) const FIRST_ID: u32 = 213_000_000;

/// How many ids we use, which limits the number of objects.
const IDS: u32 = 1_000_000;

/// Which next hop has which id.
pub(super) struct ObjectIds {
    next: u32,
    owners: HashMap<u32, u32>,
}

impl ObjectIds {
    pub(super) fn new() -> Self {
        ObjectIds { next: FIRST_ID, owners: HashMap::new() }
    }

    /// The index of the next hop that has an id.
    pub(super) fn owner(&self, id: u32) -> Option<u32> {
        self.owners.get(&id).copied()
    }

    /// Takes the next id that neither a next hop nor a stray has; `None` where all are taken.
    pub(super) fn take_next(&mut self, strays: &[u32]) -> Option<u32> {
        for _ in 0..IDS {
            let id = self.next;
            self.next = if id + 1 < FIRST_ID + IDS { id + 1 } else { FIRST_ID };
            if !self.owners.contains_key(&id) && !strays.contains(&id) {
                return Some(id);
            }
        }
        None
    }

    /// Gives a next hop an id instead of the `old` one.
    pub(super) fn pass(&mut self, old: u32, id: u32, index: u32) {
        self.owners.remove(&old);
        self.owners.insert(id, index);
    }

    /// An id is free again.
    pub(super) fn release(&mut self, id: u32) {
        self.owners.remove(&id);
    }
}
