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

use crate::connected::{Connected, Unresolved};
use crate::error::{Errno, Verdict};
use crate::kernel::{KernelNextHop, Operation, Refusal, Via};
use crate::next_hop::NextHop;
use crate::report::{EXAMPLES, UnresolvedNextHop};
use hashbrown::HashMap;
use std::collections::VecDeque;

/// In place of an index: no next hop, so no route.
pub(crate) const NONE: u32 = u32::MAX;

/// In place of an index: the kernel may hold a route of ours, through something that is no next hop here.
pub(crate) const UNSURE: u32 = u32::MAX - 1;

/// In place of a link: the object leads somewhere else than to its gateway. No link has index 0.
const ELSEWHERE: u32 = 0;

/// In place of a link: packets leave over none, being dropped.
pub(crate) const NO_LINK: u32 = u32::MAX;

/// Our nexthop objects have ids from here on.
pub(crate) const FIRST_ID: u32 = 213_000_000;

/// How many ids we use, which limits the number of objects.
const IDS: u32 = 1_000_000;

/// How many taken ids in a row are tried before waiting for the next retry.
const ID_TRIES: u8 = 16;

/// The state of a next hop in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Object {
    Absent,
    Present { link: u32 },
}

struct Slot {
    next_hop: NextHop,
    /// The object's id, 0 on a kernel without objects.
    id: u32,
    object: Object,
    /// Rows that want this next hop.
    wanted: u32,
    /// Rows that the kernel holds through it.
    installed: u32,
    /// In `todo`.
    queued: bool,
    /// Refused, and tried again with the next retry.
    waiting: bool,
    /// The object went and its rows don't know yet.
    lost: bool,
    /// The object came and rows that waited for it don't know yet.
    woken: bool,
    /// Rows were passed over because the object was absent.
    parked: bool,
    /// Found by the listing in progress.
    seen: bool,
    id_tries: u8,
    refusal: Option<(Errno, Option<Box<str>>)>,
}

/// What has to be done for a next hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Nothing,
    Add { link: u32 },
    Move { link: u32 },
    Remove,
    Forget,
}

/// A step that was sent and awaits its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    index: u32,
    step: Step,
}

/// All next hops in use.
pub(crate) struct NextHops {
    /// Whether the kernel has nexthop objects.
    pub(crate) objects: bool,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    by_next_hop: HashMap<NextHop, u32>,
    by_id: HashMap<u32, u32>,
    /// Next hops whose state may have to change.
    todo: VecDeque<u32>,
    next_id: u32,
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
            by_id: HashMap::new(),
            todo: VecDeque::new(),
            next_id: FIRST_ID,
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
        let slot = Slot {
            next_hop,
            id,
            object,
            wanted: 0,
            installed: 0,
            queued: false,
            waiting: false,
            lost: false,
            woken: false,
            parked: false,
            seen: true,
            id_tries: 0,
            refusal: None,
        };
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
        if !self.has_object(index) {
            return;
        }
        for _ in 0..IDS {
            let id = self.next_id;
            self.next_id = if id + 1 < FIRST_ID + IDS { id + 1 } else { FIRST_ID };
            if self.by_id.contains_key(&id) || self.strays.contains(&id) {
                continue;
            }
            let Some(slot) = self.slot_mut(index) else { return };
            let old = std::mem::replace(&mut slot.id, id);
            self.by_id.remove(&old);
            self.by_id.insert(id, index);
            return;
        }
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

/// Bringing objects to the state that routes need.
impl NextHops {
    /// Takes at most `limit` next hops whose state has to change and writes what to send for them. What needs no
    /// sending is done on the spot. Empty `sent` means that all is settled.
    pub(crate) fn plan(
        &mut self,
        connected: &Connected,
        started: bool,
        limit: usize,
        operations: &mut Vec<Operation>,
        sent: &mut Vec<Sent>,
    ) {
        while sent.len() < limit {
            let Some(index) = self.todo.pop_front() else { break };
            let Some(slot) = self.slot_mut(index) else { continue };
            slot.queued = false;
            let step = slot.step(connected.resolve(slot.next_hop), started);
            let (id, address) = (slot.id, slot.next_hop.address());
            let sends = self.objects && !matches!(step, Step::Nothing | Step::Forget);
            let Some(gateway) = address.filter(|_| sends) else {
                self.done(index, step);
                continue;
            };
            operations.push(match step {
                Step::Add { link } => Operation::AddNextHop { id, gateway, link },
                Step::Move { link } => Operation::ReplaceNextHop { id, gateway, link },
                _ => Operation::RemoveNextHop { id },
            });
            sent.push(Sent { index, step });
        }
    }

    /// Takes the answers to what [`NextHops::plan`] wrote.
    pub(crate) fn settle(&mut self, sent: &[Sent], refusals: &[Refusal]) {
        let mut refusals = refusals.iter().peekable();
        for (position, &Sent { index, step }) in sent.iter().enumerate() {
            match refusals.next_if(|refusal| refusal.operation == position) {
                Some(refusal) if !(step == Step::Remove && refusal.errno.means_already_gone()) => {
                    self.refused(index, step, refusal);
                }
                _ => self.done(index, step),
            }
        }
    }

    /// Whether rows must be told that next hops came or went; then call [`NextHops::walked`].
    pub(crate) fn walk_due(&self) -> bool {
        self.walk_due
    }

    /// All rows know.
    pub(crate) fn walked(&mut self) {
        self.walk_due = false;
        for slot in self.slots.iter_mut().flatten() {
            slot.lost = false;
            slot.woken = false;
        }
    }

    fn done(&mut self, index: u32, step: Step) {
        let objects = self.objects;
        let Some(slot) = self.slot_mut(index) else { return };
        match step {
            Step::Nothing => {}
            Step::Add { link } => {
                slot.object = Object::Present { link };
                slot.refusal = None;
                slot.id_tries = 0;
                slot.woken = std::mem::take(&mut slot.parked);
                self.walk_due |= slot.woken;
            }
            Step::Move { link } => {
                slot.object = Object::Present { link };
                // Without an object the routes themselves name the old link and have to be written again.
                slot.lost = !objects && slot.installed > 0;
                self.walk_due |= slot.lost;
            }
            Step::Remove => {
                self.lose(index);
            }
            Step::Forget => self.forget(index),
        }
    }

    fn refused(&mut self, index: u32, step: Step, refusal: &Refusal) {
        let Some(slot) = self.slot_mut(index) else { return };
        if refusal.errno.0 == libc::EEXIST && slot.id_tries < ID_TRIES {
            slot.id_tries += 1;
            self.give_id(index);
            self.queue(index);
            return;
        }
        let news = slot.refusal.as_ref().is_none_or(|(errno, _)| *errno != refusal.errno);
        if news {
            tracing::warn!(
                next_hop = %slot.next_hop, id = slot.id, ?step, error = %refusal.errno,
                kernel = refusal.text.as_deref().unwrap_or_default(), "nexthop object refused"
            );
        }
        slot.id_tries = 0;
        slot.refusal = Some((refusal.errno, refusal.text.clone()));
        slot.waiting = refusal.errno.verdict() != Verdict::NotPermitted;
        // The object is no longer there to be moved: its routes went with it, and it has to be made again.
        if matches!(step, Step::Move { .. }) && refusal.errno.means_already_gone() {
            slot.waiting = false;
            self.lose(index);
        }
    }

    fn forget(&mut self, index: u32) {
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        let Some(gone) = slot.take() else { return };
        self.by_next_hop.remove(&gone.next_hop);
        self.by_id.remove(&gone.id);
        self.free.push(index);
    }
}

/// Finding out what objects the kernel holds.
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
        if let Some(&index) = self.by_id.get(&found.id) {
            return self.recognise(index, found);
        }
        let Some((address, link)) = found.gateway else { return self.strays.push(found.id) };
        let next_hop = NextHop::gateway(address, link);
        let index = match self.by_next_hop.get(&next_hop) {
            Some(&index) => index,
            None => self.insert(next_hop, Object::Absent, found.id),
        };
        let Some(slot) = self.slot_mut(index) else { return };
        if slot.object != Object::Absent {
            return self.strays.push(found.id);
        }
        let old = std::mem::replace(&mut slot.id, found.id);
        self.by_id.remove(&old);
        self.by_id.insert(found.id, index);
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
                return self.by_id.get(&id).copied().map_or(UNSURE, |index| self.present(index, None));
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

impl Slot {
    fn step(&self, resolved: Result<u32, Unresolved>, started: bool) -> Step {
        match (self.object, resolved) {
            _ if self.waiting => Step::Nothing,
            (Object::Absent, Ok(link)) if self.wanted > 0 => Step::Add { link },
            (Object::Present { link: now }, Ok(link)) if self.wanted > 0 && now != link => {
                Step::Move { link }
            }
            (Object::Present { .. }, Err(_)) if self.wanted > 0 => Step::Remove,
            (Object::Present { .. }, _) if self.wanted == 0 && self.installed == 0 && started => Step::Remove,
            (Object::Absent, _) if self.wanted == 0 && self.installed == 0 => Step::Forget,
            _ => Step::Nothing,
        }
    }

    fn reason(&self, unresolved: Option<Unresolved>) -> String {
        match (unresolved, &self.refusal) {
            (Some(why), _) => why.to_string(),
            (None, Some((errno, Some(text)))) => format!("refused by the kernel: {errno} ({text})"),
            (None, Some((errno, None))) => format!("refused by the kernel: {errno}"),
            (None, None) => "about to be used".to_owned(),
        }
    }
}
