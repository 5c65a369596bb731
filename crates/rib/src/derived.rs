//! The attribute sets that import makes of received ones, where it changes something in them.
//!
//! ```text
//!   received set ---what the verdict amends---> derived set: ranked, shown, exported, its next hop in the FIB
//!        '----------- judged again <---------------'
//! ```
//!
//! They are made once for a received set and an [`Amendment`], so that paths which share the one share the other, and update groups
//! pack them into messages alike. What an amendment comes to may change with the tables and the peer's policy: a set is made
//! again when it is asked for under others, and stays the same set where it then says the same.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use palisade_bgp::attributes::{Community, NextHop};
use palisade_bgp::encode::{Rewrite, amended};
use palisade_policy::{Amendment, Changes, Peer, Snapshot};

use crate::attribute_set::{AttributeSet, Derivation};
use crate::judgement::Stamp;

/// Sets below which a sweep is not worth the walk.
const SWEEP_FLOOR: usize = 1024;

/// The sets that a family's paths in a shard use. As an [interner](crate::Interner) it holds no more than twice what is in use, and
/// 1,024 more.
#[derive(Debug)]
pub(crate) struct DerivedSets {
    sets: HashTable<Derived>,
    hasher: RandomState,
    sweep_at: usize,
}

#[derive(Debug)]
struct Derived {
    set: Arc<AttributeSet>,
    /// By what it was made.
    stamp: Stamp,
}

impl Default for DerivedSets {
    fn default() -> Self {
        DerivedSets { sets: HashTable::new(), hasher: RandomState::default(), sweep_at: SWEEP_FLOOR }
    }
}

impl DerivedSets {
    /// What an amendment makes of a received set, and what is to be said of a path that is kept though its peer has been away for long; that set
    /// itself where nothing comes of it.
    pub(crate) fn of(
        &mut self,
        received: &Arc<AttributeSet>,
        (amendment, long_lived): (Amendment, bool),
        (policy, tables, stamp): (&Peer, &Snapshot, Stamp),
    ) -> Arc<AttributeSet> {
        self.sweep_if_due();
        let key = (Arc::as_ptr(received).addr(), amendment, long_lived);
        let hash = self.hasher.hash_one(key);
        let hasher = &self.hasher;
        let hash_of = |one: &Derived| hasher.hash_one(one.key());
        let entry = self.sets.entry(hash, |one| one.key() == key, hash_of);
        if let Entry::Occupied(held) = &entry
            && held.get().stamp == stamp
        {
            return Arc::clone(&held.get().set);
        }
        let mut changes = tables.changes(amendment, &received.attributes(), policy);
        if long_lived && !received.is_long_lived_stale() {
            changes.add_communities.push(Community::LLGR_STALE);
        }
        match (entry, changes.is_empty()) {
            (Entry::Occupied(held), true) => drop(held.remove()),
            (Entry::Vacant(_), true) => {}
            (Entry::Occupied(mut held), false) => {
                let set = derive(received, (amendment, long_lived), &changes);
                let held = held.get_mut();
                held.stamp = stamp;
                if !held.set.says_the_same(&set) {
                    held.set = Arc::new(set);
                }
                return Arc::clone(&held.set);
            }
            (Entry::Vacant(place), false) => {
                let set = Arc::new(derive(received, (amendment, long_lived), &changes));
                place.insert(Derived { set: Arc::clone(&set), stamp });
                return set;
            }
        }
        Arc::clone(received)
    }

    /// Lets go of the sets that no path uses any more.
    pub(crate) fn sweep(&mut self) {
        self.sets.retain(|one| Arc::strong_count(&one.set) > 1);
        self.sweep_at = (self.sets.len() * 2).max(SWEEP_FLOOR);
        let hasher = &self.hasher;
        let hash_of = |one: &Derived| hasher.hash_one(one.key());
        self.sets.shrink_to(self.sets.len(), hash_of);
    }

    fn sweep_if_due(&mut self) {
        if self.sets.len() >= self.sweep_at {
            self.sweep();
        }
    }
}

impl Derived {
    /// A received set stays where it is for as long as a set that is made of it is held.
    fn key(&self) -> (usize, Amendment, bool) {
        (Arc::as_ptr(self.set.received()).addr(), self.set.amendment(), self.set.is_made_long_lived())
    }
}

/// Attributes that would become too long to be held are held as they were received, and kept from all peers: what was to be
/// taken off must not go out.
fn derive(
    received: &Arc<AttributeSet>,
    (amendment, long_lived): (Amendment, bool),
    changes: &Changes,
) -> AttributeSet {
    let attributes = received.attributes();
    let local_preference = changes.local_preference;
    let derivation = Derivation { received: Arc::clone(received), amendment, local_preference, long_lived };
    let rewrite = rewrite(received, changes);
    match amended(&attributes, &rewrite) {
        Some((wire, facts)) => {
            let changed = palisade_bgp::Attributes { wire: &wire, facts: &facts, next_hop: rewrite.next_hop };
            AttributeSet::derived(&changed, derivation)
        }
        None => AttributeSet::derived(&attributes, derivation).for_nobody(),
    }
}

fn rewrite(received: &AttributeSet, changes: &Changes) -> Rewrite {
    Rewrite {
        prepend: changes.prepend,
        med: changes.med.unwrap_or(received.facts().med),
        remove_communities: changes.remove_communities.clone(),
        remove_extended_communities: changes.remove_extended_communities.clone(),
        remove_large_communities: changes.remove_large_communities.clone(),
        add_communities: changes.add_communities.clone(),
        add_extended_communities: changes.add_extended_communities.clone(),
        add_large_communities: changes.add_large_communities.clone(),
        ..Rewrite::external(changes.next_hop.map_or(received.next_hop(), NextHop::from))
    }
}
