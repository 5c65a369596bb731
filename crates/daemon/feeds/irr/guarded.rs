//! One source as the feed sees it: what of its data counts, what is held, and how it stands.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use palisade_policy::IrrIndex;

use super::cache::Cached;
use super::source::News;
use super::status::{HeldStatus, SourceStatus};
use crate::feeds::guard::{Guard, GuardSettings, Held, Ruling};
use crate::feeds::source_state::SourceState;

/// What a source is called.
#[derive(Clone, Debug)]
pub(super) struct Label {
    /// `dumps`, `whois` or `mirror`.
    pub(super) kind: &'static str,
    /// What an operator calls it.
    pub(super) name: String,
    /// What its data is of, exactly: the cache of another is none for it.
    pub(super) of: String,
}

/// A source's data behind its guard.
#[derive(Debug)]
pub(super) struct Guarded {
    pub(super) label: Label,
    guard: Guard,
    accepted: Option<Cached>,
    /// What was told last: what counts, or what is held.
    offered: Option<Cached>,
    error: Option<String>,
    note: Option<String>,
    next_try: Option<Instant>,
    /// Whether what counts is from the disk.
    is_cached: bool,
    /// Whether what counts is not on the disk.
    is_unsaved: bool,
    state: SourceState,
    state_since: Instant,
}

impl Guarded {
    /// A source that has told nothing.
    pub(super) fn new(label: Label, guard: Option<GuardSettings>, now: Instant) -> Self {
        Guarded {
            label,
            guard: Guard::new(guard),
            accepted: None,
            offered: None,
            error: None,
            note: None,
            next_try: None,
            is_cached: false,
            is_unsaved: false,
            state: SourceState::Connecting,
            state_since: now,
        }
    }

    /// What counts; `None` while nothing does.
    pub(super) fn accepted(&self) -> Option<&Cached> {
        self.accepted.as_ref()
    }

    /// Whether it has data that counts, or has told why there is none.
    pub(super) fn has_spoken(&self) -> bool {
        self.accepted.is_some() || self.error.is_some()
    }

    /// Takes news. Whether other data counts from now on.
    pub(super) fn take(&mut self, now: Instant, news: News) -> bool {
        match news {
            News::Kept(kept) => {
                let accepted = self.offer(now, kept);
                (self.is_cached, self.is_unsaved) = (accepted, false);
                accepted
            }
            News::Data { index, serial, as_of, note, next_try } => {
                self.heard(now, None, next_try);
                self.note = note;
                self.offer(now, Cached { index, serial, as_of })
            }
            News::Unchanged { serial, next_try } => {
                self.heard(now, None, next_try);
                self.vouch(serial);
                false
            }
            News::Failed { error, next_try } => {
                self.heard(now, Some(error), next_try);
                false
            }
        }
    }

    fn heard(&mut self, now: Instant, error: Option<String>, next_try: Option<Duration>) {
        self.error = error;
        self.next_try = next_try.map(|wait| now + wait);
    }

    /// What was told last is still so. Where it is held, what counts is not made younger by that.
    fn vouch(&mut self, serial: Option<u64>) {
        let Some(offered) = &mut self.offered else { return };
        let moved = offered.serial != serial;
        (offered.serial, offered.as_of) = (serial, SystemTime::now());
        if self.guard.held().is_none() {
            self.accepted = self.offered.clone();
            self.is_cached = false;
            self.is_unsaved |= moved;
        }
    }

    fn offer(&mut self, now: Instant, data: Cached) -> bool {
        let ruling = self.guard.offer(now, objects(&data.index));
        self.offered = Some(data);
        ruling == Ruling::Accept && self.accept()
    }

    fn accept(&mut self) -> bool {
        let is_same = |(old, new): (&Cached, &Cached)| Arc::ptr_eq(&old.index, &new.index);
        let changed = !self.accepted.as_ref().zip(self.offered.as_ref()).is_some_and(is_same);
        self.accepted = self.offered.clone();
        (self.is_cached, self.is_unsaved) = (false, true);
        changed
    }

    /// An operator has looked at what is held: whether anything was.
    pub(super) fn confirm(&mut self, now: Instant) -> bool {
        self.guard.confirm(now) && self.accept()
    }

    /// What has been held for long enough counts from now on: whether anything was.
    pub(super) fn release(&mut self, now: Instant) -> bool {
        self.guard.release(now) && self.accept()
    }

    /// When [`Guarded::release`] will have something to do.
    pub(super) fn due(&self) -> Option<Instant> {
        self.guard.due()
    }

    /// What counts and is not on the disk, which is taken to be there from now on.
    pub(super) fn take_unsaved(&mut self) -> Option<Cached> {
        let unsaved = std::mem::take(&mut self.is_unsaved);
        self.accepted.clone().filter(|_| unsaved)
    }

    /// Looks how it stands. The new state, where it is another than before.
    pub(super) fn look(&mut self, now: Instant, max_age: Duration) -> Option<SourceState> {
        let state = self.current(max_age);
        if state == self.state {
            return None;
        }
        (self.state, self.state_since) = (state, now);
        Some(state)
    }

    fn current(&self, max_age: Duration) -> SourceState {
        match &self.accepted {
            _ if self.guard.held().is_some() => SourceState::Holding,
            None if self.error.is_some() => SourceState::Failing,
            None => SourceState::Connecting,
            Some(accepted) if age(accepted) > max_age => SourceState::Stale,
            Some(_) if self.error.is_some() => SourceState::Failing,
            Some(_) if self.is_cached => SourceState::Connecting,
            Some(_) => SourceState::Fresh,
        }
    }

    /// How it stands, for an operator.
    pub(super) fn status(&self, now: Instant) -> SourceStatus {
        let index = self.accepted.as_ref().map(|accepted| &accepted.index);
        let count = |of: fn(&IrrIndex) -> usize| index.map_or(0, |index| of(index));
        SourceStatus {
            kind: self.label.kind,
            name: self.label.name.clone(),
            state: self.state,
            state_for_s: now.saturating_duration_since(self.state_since).as_secs(),
            error: self.error.clone(),
            note: self.note.clone(),
            route_objects: count(IrrIndex::len),
            as_sets: count(IrrIndex::as_sets),
            route_sets: count(IrrIndex::route_sets),
            age_s: self.accepted.as_ref().map(|accepted| age(accepted).as_secs()),
            cached: self.is_cached,
            serial: self.accepted.as_ref().and_then(|accepted| accepted.serial),
            next_try_s: self.next_try.map(|at| at.saturating_duration_since(now).as_secs()),
            held: self.guard.held().map(|held| held_status(held, now)),
        }
    }

    /// What is wrong, for the log.
    pub(super) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }
}

/// What the guard counts.
fn objects(index: &IrrIndex) -> usize {
    index.len() + index.as_sets() + index.route_sets()
}

/// A clock that was put back makes nothing younger than new.
fn age(data: &Cached) -> Duration {
    SystemTime::now().duration_since(data.as_of).unwrap_or_default()
}

fn held_status(held: &Held, now: Instant) -> HeldStatus {
    HeldStatus {
        objects: (held.from, held.to),
        for_s: now.saturating_duration_since(held.since).as_secs(),
        until_s: held.until.map(|until| until.saturating_duration_since(now).as_secs()),
    }
}
