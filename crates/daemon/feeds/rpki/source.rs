//! One source's data behind its guards: what it offers, and what of that counts.
//!
//! VRPs and ASPAs are guarded apart: a fault in what a cache says of ASPAs keeps no VRP from counting.

use std::sync::Arc;
use std::time::Instant;

use palisade_policy::{AspaIndex, RovIndex};

use super::set::RpkiSet;
use super::status::HeldStatus;
use crate::feeds::guard::{Guard, GuardSettings, Held, Ruling};

/// Entries of ASPAs that may come or go whatever share that is: there are a hundredth as many as VRPs.
const ASPA_FLOOR_SHARE: usize = 20;

/// A source's data.
#[derive(Debug)]
pub(super) struct Source {
    vrps: Guarded<RovIndex>,
    aspas: Guarded<AspaIndex>,
}

/// What is offered, what of it counts, and who decides that.
#[derive(Debug)]
struct Guarded<T> {
    guard: Guard,
    accepted: Option<Arc<T>>,
    offered: Option<Arc<T>>,
}

impl Source {
    /// A source that has said nothing yet.
    pub(super) fn new(guard: Option<GuardSettings>) -> Self {
        let of_aspas = guard.map(|guard| GuardSettings { floor: guard.floor / ASPA_FLOOR_SHARE, ..guard });
        Source { vrps: Guarded::new(guard), aspas: Guarded::new(of_aspas) }
    }

    /// What counts; `None` while nothing does.
    pub(super) fn accepted(&self) -> Option<RpkiSet> {
        let rov = self.vrps.accepted.clone()?;
        Some(RpkiSet { rov, aspa: self.aspas.accepted.clone().unwrap_or_default() })
    }

    /// What the source says now.
    pub(super) fn offer(&mut self, now: Instant, set: &RpkiSet) {
        self.vrps.offer(now, &set.rov, set.rov.len());
        self.aspas.offer(now, &set.aspa, set.aspa.len());
    }

    /// An operator has looked at what is held: whether anything was.
    pub(super) fn confirm(&mut self, now: Instant) -> bool {
        let vrps = self.vrps.settle(|guard| guard.confirm(now));
        self.aspas.settle(|guard| guard.confirm(now)) || vrps
    }

    /// What has been held for long enough counts from now on.
    pub(super) fn release(&mut self, now: Instant) {
        self.vrps.settle(|guard| guard.release(now));
        self.aspas.settle(|guard| guard.release(now));
    }

    /// When [`Source::release`] will have something to do.
    pub(super) fn due(&self) -> Option<Instant> {
        self.vrps.guard.due().into_iter().chain(self.aspas.guard.due()).min()
    }

    /// Nothing of it counts any more, and what comes next is taken as it is.
    pub(super) fn forget(&mut self) {
        self.vrps.forget();
        self.aspas.forget();
    }

    /// What is held, and what it would change.
    pub(super) fn held_status(&self, now: Instant) -> Option<HeldStatus> {
        let (vrps, aspas) = (self.vrps.guard.held(), self.aspas.guard.held());
        let held: Vec<&Held> = vrps.into_iter().chain(aspas).collect();
        let since = held.iter().map(|held| held.since).min()?;
        let until = held.iter().filter_map(|held| held.until).min();
        let sizes = |held: &Held| (held.from, held.to);
        Some(HeldStatus {
            vrps: vrps.map(sizes),
            aspas: aspas.map(sizes),
            for_s: now.saturating_duration_since(since).as_secs(),
            until_s: until.map(|until| until.saturating_duration_since(now).as_secs()),
        })
    }
}

impl<T> Guarded<T> {
    fn new(guard: Option<GuardSettings>) -> Self {
        Guarded { guard: Guard::new(guard), accepted: None, offered: None }
    }

    fn offer(&mut self, now: Instant, new: &Arc<T>, len: usize) {
        self.offered = Some(Arc::clone(new));
        if self.guard.offer(now, len) == Ruling::Accept {
            self.accepted = self.offered.clone();
        }
    }

    fn settle(&mut self, settled: impl FnOnce(&mut Guard) -> bool) -> bool {
        let settled = settled(&mut self.guard);
        if settled {
            self.accepted = self.offered.clone();
        }
        settled
    }

    fn forget(&mut self) {
        self.guard.forget();
        (self.accepted, self.offered) = (None, None);
    }
}
