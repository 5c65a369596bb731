//! Bringing objects to the state that routes need: which steps to send, and what comes of the answers.
//!
//! ```text
//!   todo --plan--> step --sent--> kernel --settle--> done ----> rows are told where objects came or went
//!    ^                                      |
//!    '------- another id <----- refused ----'---> waits for the next retry
//! ```

use super::NextHops;
use super::slot::{Object, Step};
use crate::connected::Connected;
use crate::error::Verdict;
use crate::kernel::{Operation, Refusal};

/// How many taken ids in a row are tried before waiting for the next retry.
const ID_TRIES: u8 = 16;

/// A step that was sent and awaits its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    index: u32,
    step: Step,
}

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
        self.ids.release(gone.id);
        self.free.push(index);
    }
}
