//! Finding out what the kernel holds: a listing of its objects, and what a route in it leads through.
//!
//! A listing is made at the start, where objects of an earlier run are adopted for the gateways they lead to, and after every link
//! that went down, because the kernel does not say which objects went with it.

use super::slot::Object;
use super::{NO_LINK, NextHops, UNSURE};
use crate::kernel::{KernelNextHop, Via};
use crate::next_hop::NextHop;

/// In place of a link: the object leads somewhere else than to its gateway. No link has index 0.
const ELSEWHERE: u32 = 0;

impl NextHops {
    /// Begins a listing of the kernel's objects.
    pub(crate) fn begin_listing(&mut self) {
        self.strays.clear();
        for slot in self.slots.iter_mut().flatten() {
            slot.seen = slot.next_hop == NextHop::Discard;
        }
    }

    /// Takes one of our objects found in the kernel: known already, adopted for its gateway, or a stray.
    pub(crate) fn list(&mut self, found: KernelNextHop) {
        if let Some(index) = self.ids.owner(found.id) {
            return self.recognise(index, found);
        }
        let Some((address, link)) = found.gateway else { return self.strays.push(found.id) };
        let next_hop = NextHop::gateway(address, link);
        let index = match self.by_next_hop.get(&next_hop) {
            Some(&index) => index,
            None => self.insert(next_hop, Object::Absent, found.id),
        };
        let Some(slot) = self.slot(index) else { return };
        if slot.object != Object::Absent {
            return self.strays.push(found.id);
        }
        self.set_id(index, found.id);
        self.found_present(index, link);
    }

    /// Takes an object with an id of ours. If someone else changed where it leads, it is put back in place.
    fn recognise(&mut self, index: u32, found: KernelNextHop) {
        let Some(slot) = self.slot(index) else { return };
        match found.gateway {
            Some((address, link)) if slot.next_hop.address() == Some(address) => {
                self.found_present(index, link)
            }
            _ => self.found_present(index, ELSEWHERE),
        }
    }

    fn found_present(&mut self, index: u32, link: u32) {
        let Some(slot) = self.slot_mut(index) else { return };
        slot.seen = true;
        slot.object = Object::Present { link };
        slot.woken |= std::mem::take(&mut slot.parked);
        self.walk_due |= slot.woken;
        self.queue(index);
    }

    /// Ends the listing: objects not found are gone, with their routes. Returns how many routes.
    pub(crate) fn end_listing(&mut self) -> usize {
        let gone: Vec<u32> = self
            .indexes()
            .filter(|&index| self.slot(index).is_some_and(|slot| !slot.seen && slot.object != Object::Absent))
            .collect();
        gone.into_iter().map(|index| self.lose(index)).sum()
    }

    /// The next hop that a route of ours in the kernel leads to, or `UNSURE`.
    pub(crate) fn identify(&mut self, via: Via) -> u32 {
        let (next_hop, link) = match via {
            Via::Object(id) => {
                return self.ids.owner(id).map_or(UNSURE, |index| self.present(index, None));
            }
            Via::Gateway { .. } if self.objects => return UNSURE,
            Via::Gateway { address, link } => (NextHop::gateway(address, link), link),
            Via::Discard => (NextHop::Discard, NO_LINK),
        };
        let index = match self.by_next_hop.get(&next_hop) {
            Some(&index) => index,
            None => self.insert(next_hop, Object::Present { link }, 0),
        };
        self.present(index, Some(link))
    }

    fn present(&self, index: u32, over: Option<u32>) -> u32 {
        match self.slot(index).map(|slot| slot.object) {
            Some(Object::Present { link }) if link != ELSEWHERE && over.is_none_or(|over| over == link) => {
                index
            }
            _ => UNSURE,
        }
    }
}
