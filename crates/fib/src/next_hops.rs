//! The next hops that routes lead to, and the kernel's nexthop object behind each gateway.
//!
//! A route row names its next hop by index, so a next hop that moves, vanishes or returns touches one entry here. Two
//! counts say whether it is needed: rows that want it, and rows that the kernel holds through it. An object is removed
//! only when both are 0, because removing it flushes its routes; the exception is a gateway that can't be reached any
//! more, where flushing is the purpose.
//!
//! ```text
//!            wanted, on a working link                  moved to another link: replaced in place
//!   Absent ----------------------------> Present{link} ---.
//!      ^                                       |   ^______/
//!      '---------------------------------------'
//!        unreachable, flushed by the kernel, or unused
//! ```
//!
//! On a kernel without objects the same states hold, only that nothing is sent and each route names its gateway. So it is everywhere
//! with routes that discard what they match.
//!
//! The [table](crate::table) moves the counts as its rows change, and [`Fib`](crate::Fib) has the steps that follow [planned](plan)
//! before those of the rows. What the kernel holds is [listed](listing) at the start and when it may have changed.

mod listing;
mod object_ids;
mod plan;
mod slot;

use crate::connected::Connected;
use crate::kernel::Via;
use crate::next_hop::NextHop;
use crate::report::{EXAMPLES, UnresolvedNextHop};
use hashbrown::HashMap;
use object_ids::ObjectIds;
use slot::{Object, Slot};
use std::collections::VecDeque;

#[cfg(test)]
pub(crate) use object_ids::FIRST_ID;
pub(crate) use plan::Sent;

/// In place of an index: no next hop, so no route.
pub(crate) const NONE: u32 = u32::MAX;

/// In place of an index: the kernel may hold a route of ours, through something that is no next hop here.
pub(crate) const UNSURE: u32 = u32::MAX - 1;

/// In place of a link: packets leave over none, being dropped.
pub(crate) const NO_LINK: u32 = u32::MAX;

/// All next hops in use.
pub(crate) struct NextHops {
    /// Whether the kernel has nexthop objects.
    pub(crate) objects: bool,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    by_next_hop: HashMap<NextHop, u32>,
    ids: ObjectIds,
    /// Next hops whose state may have to change.
    todo: VecDeque<u32>,
    /// Objects of an earlier run that no next hop stands for.
    pub(crate) strays: Vec<u32>,
    /// The sum of all `wanted` counts.
    pub(crate) wanted: usize,
    /// Rows with a route of ours in the kernel, those through something unknown included.
    pub(crate) installed: usize,
    walk_due: bool,
}

impl NextHops {
    pub(crate) fn new(objects: bool) -> Self {
        NextHops {
            objects,
            slots: Vec::new(),
            free: Vec::new(),
            by_next_hop: HashMap::new(),
            ids: ObjectIds::new(),
            todo: VecDeque::new(),
            strays: Vec::new(),
            wanted: 0,
            installed: 0,
            walk_due: false,
        }
    }

    /// The index of a next hop, made if need be.
    pub(crate) fn intern(&mut self, next_hop: NextHop) -> u32 {
        if let Some(&index) = self.by_next_hop.get(&next_hop) {
            return index;
        }
        let index = self.insert(next_hop, Object::Absent, 0);
        self.give_id(index);
        self.queue(index);
        index
    }

    /// The next hop with that index; `None` for `NONE`.
    pub(crate) fn get(&self, wanted: u32) -> Option<NextHop> {
        self.slot(wanted).map(|slot| slot.next_hop)
    }

    /// The next hop that a row's route should lead to now: `wanted`, or `NONE` while that can't be used.
    pub(crate) fn target(&self, wanted: u32) -> u32 {
        match self.slot(wanted) {
            Some(Slot { object: Object::Present { .. }, .. }) => wanted,
            _ => NONE,
        }
    }

    /// How a route through `index` is written; `None` when it can't be used.
    pub(crate) fn via(&self, index: u32) -> Option<Via> {
        let slot = self.slot(index)?;
        match (slot.object, slot.next_hop) {
            (Object::Absent, _) => None,
            (Object::Present { .. }, NextHop::Discard) => Some(Via::Discard),
            (Object::Present { .. }, _) if self.objects => Some(Via::Object(slot.id)),
            (Object::Present { link }, NextHop::Gateway { address, .. }) => {
                Some(Via::Gateway { address, link })
            }
        }
    }

    /// Notes that a row was passed over for lack of its next hop.
    pub(crate) fn park(&mut self, wanted: u32) {
        if let Some(slot) = self.slot_mut(wanted) {
            slot.parked = true;
        }
    }

    /// Whether the object that a row's route used is gone, and the route with it.
    pub(crate) fn is_lost(&self, installed: u32) -> bool {
        self.slot(installed).is_some_and(|slot| slot.lost)
    }

    /// Whether the object that a row waited for has come.
    pub(crate) fn is_woken(&self, wanted: u32) -> bool {
        self.slot(wanted).is_some_and(|slot| slot.woken)
    }

    /// What remains of a route whose next hop was lost. Without objects the kernel doesn't say what it dropped.
    pub(crate) fn remains_of_lost(&self) -> u32 {
        if self.objects { NONE } else { UNSURE }
    }

    /// A row wants `to` instead of `from`.
    pub(crate) fn move_wanted(&mut self, from: u32, to: u32) {
        if let Some(slot) = self.slot_mut(from) {
            slot.wanted -= 1;
            let unused = slot.wanted == 0;
            self.wanted -= 1;
            if unused {
                self.queue(from);
            }
        }
        if let Some(slot) = self.slot_mut(to) {
            slot.wanted += 1;
            let first = slot.wanted == 1;
            self.wanted += 1;
            if first {
                self.queue(to);
            }
        }
    }

    /// A row's route leads through `to` instead of `from`, either of which may be `NONE` or `UNSURE`.
    pub(crate) fn move_installed(&mut self, from: u32, to: u32) {
        self.installed -= usize::from(from != NONE);
        self.installed += usize::from(to != NONE);
        if let Some(slot) = self.slot_mut(from) {
            slot.installed -= 1;
            if slot.installed == 0 && slot.wanted == 0 {
                self.queue(from);
            }
        }
        if let Some(slot) = self.slot_mut(to) {
            slot.installed += 1;
        }
    }

    /// Every next hop is looked at again, refused ones too: links or networks have changed.
    pub(crate) fn reconsider_all(&mut self) {
        for index in self.indexes() {
            if let Some(slot) = self.slot_mut(index) {
                slot.waiting = false;
            }
            self.queue(index);
        }
    }

    /// Next hops the kernel refused are tried again.
    pub(crate) fn wake_waiting(&mut self) {
        for index in self.indexes() {
            if self.slot_mut(index).is_some_and(|slot| std::mem::take(&mut slot.waiting)) {
                self.queue(index);
            }
        }
    }

    /// Whether some next hop waits for the next retry.
    pub(crate) fn any_waiting(&self) -> bool {
        self.slots.iter().flatten().any(|slot| slot.waiting)
    }

    /// On a kernel without objects: routes over `link` are of unknown state. Returns how many.
    pub(crate) fn lose_link(&mut self, link: u32) -> usize {
        let over: Vec<u32> = self
            .indexes()
            .filter(|&index| self.slot(index).is_some_and(|slot| slot.object == Object::Present { link }))
            .collect();
        over.into_iter().map(|index| self.lose(index)).sum()
    }

    /// How many next hops there are.
    pub(crate) fn len(&self) -> usize {
        self.by_next_hop.len()
    }

    /// The next hops that routes wait for: how many routes, and examples with reasons.
    pub(crate) fn unresolved(&self, connected: &Connected) -> (usize, Vec<UnresolvedNextHop>) {
        let absent =
            || self.slots.iter().flatten().filter(|slot| slot.object == Object::Absent && slot.wanted > 0);
        let examples = absent().take(EXAMPLES).map(|slot| UnresolvedNextHop {
            next_hop: slot.next_hop,
            routes: slot.wanted,
            reason: slot.reason(connected.resolve(slot.next_hop).err()),
        });
        (absent().map(|slot| slot.wanted as usize).sum(), examples.collect())
    }

    fn lose(&mut self, index: u32) -> usize {
        let Some(slot) = self.slot_mut(index) else { return 0 };
        slot.object = Object::Absent;
        slot.lost = slot.installed > 0;
        let flushed = slot.installed as usize;
        self.walk_due |= flushed > 0;
        self.queue(index);
        flushed
    }

    fn insert(&mut self, next_hop: NextHop, object: Object, id: u32) -> u32 {
        let slot = Slot::new(next_hop, object, id);
        let index = match self.free.pop() {
            Some(index) => {
                self.slots[index as usize] = Some(slot);
                index
            }
            None => {
                self.slots.push(Some(slot));
                // Bounded by the number of rows, which is far below 2^32.
                u32::try_from(self.slots.len() - 1).unwrap_or(NONE)
            }
        };
        self.by_next_hop.insert(next_hop, index);
        index
    }

    /// Gives the next hop another id that none of ours uses.
    fn give_id(&mut self, index: u32) {
        if self.has_object(index)
            && let Some(id) = self.ids.take_next(&self.strays)
        {
            self.set_id(index, id);
        }
    }

    fn set_id(&mut self, index: u32, id: u32) {
        let Some(slot) = self.slot_mut(index) else { return };
        let old = std::mem::replace(&mut slot.id, id);
        self.ids.pass(old, id, index);
    }

    /// Whether there is an object in the kernel for a next hop that is in use: routes that discard need none.
    fn has_object(&self, index: u32) -> bool {
        self.objects && self.get(index) != Some(NextHop::Discard)
    }

    fn queue(&mut self, index: u32) {
        if let Some(slot) = self.slot_mut(index)
            && !slot.queued
        {
            slot.queued = true;
            self.todo.push_back(index);
        }
    }

    fn indexes(&self) -> impl Iterator<Item = u32> + use<> {
        0..u32::try_from(self.slots.len()).unwrap_or(NONE)
    }

    fn slot(&self, index: u32) -> Option<&Slot> {
        self.slots.get(index as usize)?.as_ref()
    }

    fn slot_mut(&mut self, index: u32) -> Option<&mut Slot> {
        self.slots.get_mut(index as usize)?.as_mut()
    }
}
