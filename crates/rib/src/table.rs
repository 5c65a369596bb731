//! The table of one family: every prefix with the paths to it, in order.
//!
//! Order is what makes a change of policy cheap: a prefix sorts just before all that it covers, so "every path under
//! this ROA" is one range. The first path of an entry is the best one wherever any is eligible; the rest are in no
//! order.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::ops::Bound;

use palisade_bgp::prefix::{Address, Net};
use smallvec::SmallVec;

use crate::path::Path;

/// Prefixes that are looked at in one go by what walks the table: a millisecond or two.
pub(crate) const SLICE: usize = 2048;

/// The paths to one prefix; most prefixes of a route server have one.
pub type Paths = SmallVec<[Path; 1]>;

/// The prefixes of one family.
#[derive(Debug)]
pub struct Table<A: Address> {
    entries: BTreeMap<Net<A>, Paths>,
}

impl<A: Address> Default for Table<A> {
    fn default() -> Self {
        Table { entries: BTreeMap::new() }
    }
}

impl<A: Address> Table<A> {
    /// How many prefixes have a path.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The paths to exactly this prefix.
    pub fn paths(&self, net: Net<A>) -> &[Path] {
        self.entries.get(&net).map_or(&[], |paths| paths)
    }

    /// The entry of a prefix, to change.
    pub(crate) fn entry(&mut self, net: Net<A>) -> btree_map::Entry<'_, Net<A>, Paths> {
        self.entries.entry(net)
    }

    /// All prefixes in order, from the one after `after` on.
    pub fn iter_after(&self, after: Option<Net<A>>) -> impl Iterator<Item = (Net<A>, &[Path])> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.entries.range((from, Bound::Unbounded)).map(|(net, paths)| (*net, paths.as_slice()))
    }

    /// The prefixes that `net` covers, itself included.
    pub fn under(&self, net: Net<A>) -> impl Iterator<Item = (Net<A>, &[Path])> {
        self.entries.range(net..=subtree_end(net)).map(|(net, paths)| (*net, paths.as_slice()))
    }

    /// The prefixes that `net` covers from the one after `after` on, with their paths to change; an entry must keep at
    /// least one.
    pub(crate) fn under_mut(
        &mut self,
        net: Net<A>,
        after: Option<Net<A>>,
    ) -> impl Iterator<Item = (Net<A>, &mut Paths)> {
        let from = after.map_or(Bound::Included(net), Bound::Excluded);
        let range = self.entries.range_mut((from, Bound::Included(subtree_end(net))));
        range.map(|(net, paths)| (*net, paths))
    }
}

/// The last prefix of a subtree in the table's order: the host route of its last address.
fn subtree_end<A: Address>(net: Net<A>) -> Net<A> {
    Net::new(net.last(), A::BITS)
}
