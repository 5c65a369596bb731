//! Which sets an expansion rests on.
//!
//! A thousand peers rest on ten thousand sets each, so what is kept of a name is a hash of four octets. Two names
//! with the same hash cost an expansion that was not needed, and nothing else.

use crate::irr::ChangedSets;
use crate::set_name;

/// The most names that are kept; an expansion with more depends on whatever changes.
pub const MAX_DEPENDENCIES: usize = 100_000;

/// The sets, there or missing, that an expansion would be different with if they were different.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependencies {
    /// Of names, in order, without repetition.
    hashes: Vec<u32>,
    /// Whether there are too many to keep.
    on_all: bool,
}

impl Dependencies {
    /// Whether one of these sets is among them.
    pub fn are_touched_by(&self, changed: &ChangedSets) -> bool {
        if self.on_all {
            return !changed.is_empty();
        }
        let (mut few, mut many) = (self.hashes.as_slice(), changed.hashes());
        if few.len() > many.len() {
            (few, many) = (many, few);
        }
        few.iter().any(|hash| many.binary_search(hash).is_ok())
    }

    /// Those of both.
    pub fn merge(&mut self, other: &Dependencies) {
        self.hashes.extend_from_slice(&other.hashes);
        self.on_all |= other.on_all;
        self.settle();
    }

    /// Octets held.
    pub fn memory_bytes(&self) -> usize {
        size_of_val(self.hashes.as_slice())
    }

    /// Notes a name, in capitals; repetitions are weeded out when there are many.
    pub(crate) fn note(&mut self, name: &str) {
        if self.on_all {
            return;
        }
        self.hashes.push(set_name::hash(name));
        if self.hashes.len() > 2 * MAX_DEPENDENCIES {
            self.settle();
        }
    }

    pub(crate) fn settle(&mut self) {
        self.hashes.sort_unstable();
        self.hashes.dedup();
        if self.on_all || self.hashes.len() > MAX_DEPENDENCIES {
            (self.hashes, self.on_all) = (Vec::new(), true);
        }
        self.hashes.shrink_to_fit();
    }
}
