//! Route origin validation: what the RPKI says of a prefix and its origin (RFC 6811, RFC 6483).
//!
//! A VRP (validated ROA payload) says that an AS may originate a prefix, and more-specifics of it up to a length. A
//! route is judged by **all** VRPs whose prefix covers its own, whatever their maxLength:
//!
//! - none covers it: [`RovState::NotFound`];
//! - one of them names its origin AS and reaches its length: [`RovState::Valid`];
//! - otherwise invalid, told apart by whether the origin AS is authorized at all.
//!
//! A route whose origin is NONE (its path is empty or ends in a set) matches nothing, nor does AS 0, which a VRP
//! names to say that nobody may originate (RFC 6483 s4).
//!
//! [`RovIndex`] is immutable: a new set of VRPs makes a new index, and [`RovIndex::changed_ranges`] tells which
//! routes to judge again. A new index of all VRPs takes tens of milliseconds. A handful of changes, which is what
//! comes over RTR every few minutes, makes one in microseconds ([`RovIndex::amended`]): it shares the whole table
//! with the old one and keeps beside it, in small tables of their own, what was added to it and what was removed.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use palisade_bgp::{Address, Asn, Net, Prefix};

use crate::vrp::Vrp;
use crate::vrp_table::VrpTable;

/// How many VRPs an amended index differs by from the whole table it shares before it gets a new one.
pub const MOST_AMENDMENTS: usize = 2048;

/// What the RPKI says of a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RovState {
    /// No VRP covers it.
    #[default]
    NotFound,
    /// A VRP authorizes it.
    Valid,
    /// VRPs cover it, and none names its origin AS.
    InvalidOrigin,
    /// VRPs cover it, and those that name its origin AS don't reach its length.
    InvalidLength,
}

impl RovState {
    /// All states, in the order they are listed everywhere.
    pub const ALL: [RovState; 4] =
        [RovState::NotFound, RovState::Valid, RovState::InvalidOrigin, RovState::InvalidLength];

    /// Its name in output and metrics.
    pub const fn slug(self) -> &'static str {
        match self {
            RovState::NotFound => "not-found",
            RovState::Valid => "valid",
            RovState::InvalidOrigin => "invalid-origin",
            RovState::InvalidLength => "invalid-length",
        }
    }

    /// The state that two sets of VRPs come to together.
    const fn together(self, other: RovState) -> RovState {
        use RovState::{InvalidLength, InvalidOrigin, NotFound, Valid};
        match (self, other) {
            (Valid, _) | (_, Valid) => Valid,
            (InvalidLength, _) | (_, InvalidLength) => InvalidLength,
            (InvalidOrigin, _) | (_, InvalidOrigin) => InvalidOrigin,
            (NotFound, NotFound) => NotFound,
        }
    }

    /// Whether it is either kind of invalid.
    pub const fn is_invalid(self) -> bool {
        matches!(self, RovState::InvalidOrigin | RovState::InvalidLength)
    }
}

impl fmt::Display for RovState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.slug())
    }
}

/// All VRPs, ready to be asked about any route.
#[derive(Debug)]
pub struct RovIndex {
    whole: Arc<VrpTable>,
    /// In force, and not in `whole`.
    added: VrpTable,
    /// In `whole`, and no longer in force.
    removed: VrpTable,
}

impl RovIndex {
    /// The index of these VRPs, in any order; equal ones count once.
    pub fn build(vrps: impl IntoIterator<Item = Vrp>) -> Self {
        let whole = Arc::new(VrpTable::build(vrps));
        RovIndex { whole, added: VrpTable::build([]), removed: VrpTable::build([]) }
    }

    /// This index without `removed` and with `added`; a VRP in both is in it.
    pub fn amended(
        &self,
        added: impl IntoIterator<Item = Vrp>,
        removed: impl IntoIterator<Item = Vrp>,
    ) -> RovIndex {
        let mut all_added: BTreeSet<Vrp> = self.added.iter().collect();
        let mut all_removed: BTreeSet<Vrp> = self.removed.iter().collect();
        for vrp in removed {
            if !all_added.remove(&vrp) && self.whole.contains(vrp) {
                all_removed.insert(vrp);
            }
        }
        for vrp in added {
            if !all_removed.remove(&vrp) && !self.whole.contains(vrp) {
                all_added.insert(vrp);
            }
        }
        if all_added.len() + all_removed.len() > MOST_AMENDMENTS {
            let kept = self.whole.iter().filter(|vrp| !all_removed.contains(vrp));
            return RovIndex::build(kept.chain(all_added.iter().copied()));
        }
        let (added, removed) = (VrpTable::build(all_added), VrpTable::build(all_removed));
        RovIndex { whole: self.whole.clone(), added, removed }
    }

    /// The index of these VRPs, in any order, made from this one where few of them are other ones: a validator's new
    /// file is mostly its old file. Equal ones count once.
    pub fn replaced(&self, mut vrps: Vec<Vrp>) -> RovIndex {
        vrps.sort_unstable_by_key(VrpTable::place);
        vrps.dedup();
        let Some((added, removed)) = differing(self.whole.iter(), vrps.iter().copied()) else {
            return RovIndex::build(vrps);
        };
        let (added, removed) = (VrpTable::build(added), VrpTable::build(removed));
        RovIndex { whole: self.whole.clone(), added, removed }
    }

    /// Which VRPs `new` has and this one has not, and which this one has and `new` has not, where one was made from the
    /// other by amendments; `None` where they were built apart, and only a walk through both could tell.
    pub fn difference(&self, new: &RovIndex) -> Option<(Vec<Vrp>, Vec<Vrp>)> {
        let without = |table: &VrpTable, other: &VrpTable| -> Vec<Vrp> {
            table.iter().filter(|vrp| !other.contains(*vrp)).collect()
        };
        let mut added = without(&new.added, &self.added);
        added.append(&mut without(&self.removed, &new.removed));
        let mut removed = without(&self.added, &new.added);
        removed.append(&mut without(&new.removed, &self.removed));
        Arc::ptr_eq(&self.whole, &new.whole).then_some((added, removed))
    }

    /// What the VRPs say of a route with this prefix and this origin; `None` is RFC 6811's NONE.
    #[inline]
    pub fn validate<A: Address>(&self, net: Net<A>, origin: Option<Asn>) -> RovState {
        let state = self.whole.validate(net, origin);
        if self.is_amended() { self.amend(state, net, origin) } else { state }
    }

    /// The VRPs that cover a prefix, the most specific first.
    pub fn covering(&self, prefix: Prefix) -> impl Iterator<Item = Vrp> {
        let kept = self.whole.covering(prefix).filter(|vrp| !self.removed.contains(*vrp));
        let mut covering: Vec<Vrp> = kept.chain(self.added.covering(prefix)).collect();
        covering.sort_by_key(|vrp| Reverse(vrp.prefix().len()));
        covering.into_iter()
    }

    /// Whether this very VRP is in it.
    pub fn contains(&self, vrp: Vrp) -> bool {
        self.added.contains(vrp) || (self.whole.contains(vrp) && !self.removed.contains(vrp))
    }

    /// Every VRP, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = Vrp> {
        self.whole.iter().filter(|vrp| !self.removed.contains(*vrp)).chain(self.added.iter())
    }

    /// The prefixes under which routes may be judged differently by `new`: those whose VRPs differ. Disjoint, in
    /// order. Between an index and one amended from it the work is that of the amendments; else both are walked
    /// through.
    pub fn changed_ranges(&self, new: &RovIndex) -> Vec<Prefix> {
        if Arc::ptr_eq(&self.whole, &new.whole) {
            let added = self.added.changed(&new.added);
            return disjoint(added.into_iter().chain(self.removed.changed(&new.removed)));
        }
        // What is amended on either side may differ too.
        let amendments = [&self.added, &self.removed, &new.added, &new.removed].into_iter();
        let amended = amendments.flat_map(|table| table.iter().map(Vrp::prefix));
        disjoint(self.whole.changed(&new.whole).into_iter().chain(amended))
    }

    /// How many VRPs it holds.
    pub fn len(&self) -> usize {
        self.whole.len() + self.added.len() - self.removed.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Octets held; an amended index shares most of them with the one it was amended from.
    pub fn memory_bytes(&self) -> usize {
        self.whole.memory_bytes() + self.added.memory_bytes() + self.removed.memory_bytes()
    }

    #[inline]
    fn is_amended(&self) -> bool {
        self.added.len() + self.removed.len() > 0
    }

    /// What the amendments make of the whole table's answer. Only under a VRP that was removed must it be found anew.
    #[inline(never)]
    fn amend<A: Address>(&self, state: RovState, net: Net<A>, origin: Option<Asn>) -> RovState {
        let prefix = A::prefix(net);
        let kept = if self.removed.covers(prefix) {
            let covering = self.whole.covering(prefix).filter(|vrp| !self.removed.contains(*vrp));
            covering.fold(RovState::NotFound, |state, vrp| state.together(said_by(vrp, prefix, origin)))
        } else {
            state
        };
        kept.together(self.added.validate(net, origin))
    }
}

impl Default for RovIndex {
    fn default() -> Self {
        RovIndex::build([])
    }
}

/// What one covering VRP alone says of a route.
fn said_by(vrp: Vrp, prefix: Prefix, origin: Option<Asn>) -> RovState {
    match origin {
        Some(origin) if origin == vrp.asn() && origin != Asn(0) => {
            if prefix.len() <= vrp.max_length() {
                RovState::Valid
            } else {
                RovState::InvalidLength
            }
        }
        _ => RovState::InvalidOrigin,
    }
}

/// Of two sets in a table's order: what the second alone has, and what the first alone has. `None` where that is more
/// than [`MOST_AMENDMENTS`].
fn differing(old: impl Iterator<Item = Vrp>, new: impl Iterator<Item = Vrp>) -> Option<(Vec<Vrp>, Vec<Vrp>)> {
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    let (mut old, mut new) = (old.peekable(), new.peekable());
    while added.len() + removed.len() <= MOST_AMENDMENTS {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return Some((added, removed)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => VrpTable::place(old).cmp(&VrpTable::place(new)),
        };
        match order {
            Ordering::Less => removed.extend(old.next()),
            Ordering::Greater => added.extend(new.next()),
            Ordering::Equal => {
                old.next();
                new.next();
            }
        }
    }
    None
}

/// These prefixes in order, less those that another one covers.
fn disjoint(prefixes: impl Iterator<Item = Prefix>) -> Vec<Prefix> {
    let mut prefixes: Vec<Prefix> = prefixes.collect();
    prefixes.sort_unstable();
    prefixes.dedup_by(|next, last| last.covers(*next));
    prefixes
}
