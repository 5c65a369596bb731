//! Which of several RTR caches counts, which are connected to, and what becomes of data that expires (RFC 8210 s6, s10).
//!
//! - One counts at a time: the most preferred of those that are there. Between equally preferred ones it stays with the
//!   one that it has.
//! - A cache that is lost counts on until another is there, or until its data expires.
//! - A cache is wanted while no better one is there; the better ones are tried first.
//!
//! The guards are those of the caches as one source: a cache that takes another's place with far fewer VRPs is held as
//! one that loses as many.

use std::time::Instant;

use super::set::RpkiSet;
use super::source::Source;
use super::status::{RtrStatus, SourceStatus};
use crate::config::{Cache, OnExpire};
use crate::feeds::guard::GuardSettings;
use crate::feeds::rtr::{Facts, Heard, Phase};
use crate::feeds::source_state::SourceState;

/// The caches, as one source.
#[derive(Debug)]
pub(super) struct Caches {
    entries: Vec<Entry>,
    source: Source,
    /// The one that counts.
    chosen: Option<usize>,
    on_expire: OnExpire,
}

/// A cache.
#[derive(Debug)]
struct Entry {
    name: String,
    preference: u32,
    tls: bool,
    phase: Phase,
    /// Whether there is a conversation with it, and it has told its data in that.
    is_live: bool,
    /// Whether it was tried, and has not worked since.
    has_failed: bool,
    told: Option<Told>,
    fault: Option<String>,
    /// When it is asked or tried again.
    next: Option<Instant>,
}

/// What a cache told last.
#[derive(Debug)]
struct Told {
    set: RpkiSet,
    facts: Facts,
    at: Instant,
}

impl Told {
    fn expires(&self) -> Instant {
        self.at + self.facts.expire
    }
}

impl Caches {
    pub(super) fn new(caches: &[Cache], guard: Option<GuardSettings>, on_expire: OnExpire) -> Self {
        let entry = |cache: &Cache| Entry {
            name: cache.address(),
            preference: cache.preference,
            tls: cache.tls.is_some(),
            phase: Phase::Standby,
            is_live: false,
            has_failed: false,
            told: None,
            fault: None,
            next: None,
        };
        let entries = caches.iter().map(entry).collect();
        Caches { entries, source: Source::new(guard), chosen: None, on_expire }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a cache is called so.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }

    /// What counts.
    pub(super) fn accepted(&self) -> Option<RpkiSet> {
        self.source.accepted()
    }

    /// An operator has looked at what is held: whether anything was.
    pub(super) fn confirm(&mut self, now: Instant) -> bool {
        self.source.confirm(now)
    }

    /// What a cache's task has heard.
    pub(super) fn heard(&mut self, now: Instant, index: usize, heard: Heard) {
        let Some(entry) = self.entries.get_mut(index) else { return };
        entry.heard(now, heard);
        let was = self.chosen;
        self.choose();
        // What is chosen may have told something, or be another one.
        if (self.chosen == Some(index) || self.chosen != was)
            && let Some(told) = self.chosen.and_then(|chosen| self.entries.get(chosen)?.told.as_ref())
        {
            self.source.offer(now, &told.set);
        }
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: Instant) {
        self.source.release(now);
        if self.on_expire == OnExpire::Keep {
            return;
        }
        for (index, entry) in self.entries.iter_mut().enumerate() {
            if !entry.is_live && entry.told.as_ref().is_some_and(|told| told.expires() <= now) {
                entry.told = None;
                if self.chosen == Some(index) {
                    self.chosen = None;
                    self.source.forget();
                }
            }
        }
    }

    /// When [`Caches::tick`] will have something to do, or a state will be another.
    pub(super) fn next_timeout(&self, now: Instant) -> Option<Instant> {
        let expiries =
            self.entries.iter().filter(|entry| !entry.is_live).filter_map(|entry| entry.told.as_ref());
        let expiries = expiries.map(Told::expires).filter(|expires| *expires > now);
        expiries.chain(self.source.due()).min()
    }

    /// Which of them are to be connected to.
    pub(super) fn wanted(&self) -> Vec<bool> {
        (0..self.entries.len()).map(|index| self.is_wanted(index)).collect()
    }

    fn is_wanted(&self, index: usize) -> bool {
        let Some(entry) = self.entries.get(index) else { return false };
        let others = || self.entries.iter().enumerate().filter(move |(other, _)| *other != index);
        if entry.is_live {
            return !others().any(|(other, better)| {
                let is_in_use = better.preference == entry.preference && self.chosen == Some(other);
                better.is_live && (better.preference < entry.preference || is_in_use)
            });
        }
        let rank = (entry.preference, index);
        !others().any(|(other, better)| {
            (better.is_live && better.preference <= entry.preference)
                || (!better.has_failed && (better.preference, other) < rank)
        })
    }

    fn choose(&mut self) {
        let candidates = self.entries.iter().enumerate().filter(|(_, entry)| entry.told.is_some());
        let place = |(index, entry): &(usize, &Entry)| {
            let preference = if entry.is_live { entry.preference } else { 0 };
            (!entry.is_live, preference, self.chosen != Some(*index), *index)
        };
        self.chosen = candidates.min_by_key(place).map(|(index, _)| index);
    }

    /// How it stands with each.
    pub(super) fn status(&self, now: Instant) -> Vec<SourceStatus> {
        self.entries.iter().enumerate().map(|(index, entry)| self.status_of(now, index, entry)).collect()
    }

    fn status_of(&self, now: Instant, index: usize, entry: &Entry) -> SourceStatus {
        let told = entry.told.as_ref();
        let counts = self.chosen == Some(index) && self.source.accepted().is_some();
        let held = self.source.held_status(now).filter(|_| self.chosen == Some(index));
        let seconds_to = |at: Instant| at.saturating_duration_since(now).as_secs();
        SourceStatus {
            kind: "rtr",
            name: entry.name.clone(),
            state: if entry.is_live && held.is_some() { SourceState::Holding } else { entry.state(now) },
            state_for_s: 0,
            counts,
            error: entry.fault.clone(),
            note: told.and_then(|told| told.facts.note).map(str::to_owned),
            vrps: told.map_or(0, |told| told.set.rov.len()),
            aspas: told.map_or(0, |told| told.set.aspa.len()),
            age_s: told.map(|told| now.saturating_duration_since(told.at).as_secs()),
            next_try_s: entry.next.map(seconds_to),
            rtr: Some(RtrStatus {
                tls: entry.tls,
                version: told.map(|told| told.facts.version),
                session: told.map(|told| told.facts.session),
                serial: told.map(|told| told.facts.serial),
                preference: entry.preference,
            }),
            held,
        }
    }
}

impl Entry {
    fn heard(&mut self, now: Instant, heard: Heard) {
        match heard {
            Heard::Set(set, facts) => {
                (self.is_live, self.has_failed, self.fault) = (true, false, None);
                self.next = Some(now + facts.refresh);
                self.told = Some(Told { set, facts, at: now });
            }
            Heard::Phase(phase) => {
                self.is_live = false;
                match &phase {
                    Phase::Standby => (self.told, self.next, self.fault) = (None, None, None),
                    Phase::Connecting => self.next = None,
                    Phase::Failing { fault, retry } => {
                        self.has_failed = true;
                        self.fault = Some(fault.clone());
                        self.next = Some(now + *retry);
                    }
                }
                self.phase = phase;
            }
        }
    }

    fn state(&self, now: Instant) -> SourceState {
        match (&self.told, &self.phase) {
            (Some(_), _) if self.is_live => SourceState::Fresh,
            (Some(told), _) if told.expires() <= now => SourceState::Expired,
            (Some(_), _) => SourceState::Stale,
            (None, Phase::Standby) => SourceState::Standby,
            (None, _) if self.has_failed => SourceState::Failing,
            (None, _) => SourceState::Connecting,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

    use std::sync::Arc;
    use std::time::Duration;

    use palisade_bgp::{Asn, Net, Prefix};
    use palisade_policy::{RovIndex, Vrp};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn caches(preferences: &[u32], on_expire: OnExpire) -> Caches {
        let cache = |(at, preference): (usize, &u32)| Cache {
            span: 0..0,
            host: format!("192.0.2.{at}"),
            port: 323,
            preference: *preference,
            tls: None,
            aspa: false,
            refresh: None,
        };
        let caches: Vec<Cache> = preferences.iter().enumerate().map(cache).collect();
        let guard = GuardSettings { shrink_percent: 20, grow_percent: 100, floor: 10, hold_for: 6 * HOUR };
        Caches::new(&caches, Some(guard), on_expire)
    }

    fn set(vrps: u32) -> RpkiSet {
        let vrp = |at| Vrp::new(Prefix::V4(Net::new(at << 8, 24)), 24, Asn(1)).unwrap();
        RpkiSet { rov: Arc::new(RovIndex::build((0..vrps).map(vrp))), ..RpkiSet::default() }
    }

    fn told(vrps: u32) -> Heard {
        let facts = Facts { version: 1, session: 7, serial: 9, refresh: HOUR, expire: 2 * HOUR, note: None };
        Heard::Set(set(vrps), facts)
    }

    fn failing() -> Heard {
        Heard::Phase(Phase::Failing { fault: "gone".into(), retry: Duration::from_secs(1) })
    }

    fn counted(caches: &Caches) -> Option<usize> {
        caches.accepted().map(|set| set.rov.len())
    }

    #[test]
    fn the_better_are_tried_first_and_the_next_when_they_have_failed() {
        let now = Instant::now();
        let mut caches = caches(&[1, 2, 3], OnExpire::Keep);
        assert_eq!(caches.wanted(), [true, false, false]);
        caches.heard(now, 0, failing());
        assert_eq!(caches.wanted(), [true, true, false]);
        caches.heard(now, 1, told(100));
        assert_eq!(caches.wanted(), [true, true, false]);
        assert_eq!(counted(&caches), Some(100));
        caches.heard(now, 0, told(101));
        assert_eq!(caches.wanted(), [true, false, false], "the best is back");
        assert_eq!(counted(&caches), Some(101));
    }

    #[test]
    fn a_lost_cache_counts_until_another_is_there() {
        let now = Instant::now();
        let mut caches = caches(&[1, 2], OnExpire::Keep);
        caches.heard(now, 0, told(100));
        caches.heard(now, 0, failing());
        assert_eq!((counted(&caches), caches.wanted()), (Some(100), vec![true, true]));
        assert_eq!(caches.status(now)[0].state, SourceState::Stale);
        caches.heard(now, 1, told(99));
        assert_eq!(counted(&caches), Some(99));
        let status = caches.status(now);
        assert!(!status[0].counts && status[1].counts);
    }

    #[test]
    fn equal_ones_are_alternatives_and_the_one_in_use_stays() {
        let now = Instant::now();
        let mut caches = caches(&[1, 1], OnExpire::Keep);
        caches.heard(now, 0, failing());
        caches.heard(now, 1, told(100));
        assert_eq!(caches.wanted(), [false, true], "the first is not gone back to");
        caches.heard(now, 1, failing());
        assert_eq!(caches.wanted(), [true, true]);
        caches.heard(now, 0, told(90));
        caches.heard(now, 1, told(91));
        assert_eq!((counted(&caches), caches.wanted()), (Some(90), vec![true, false]));
    }

    #[test]
    fn expired_data_is_kept_with_an_alarm_or_dropped() {
        let now = Instant::now();
        for (on_expire, kept) in [(OnExpire::Keep, Some(100)), (OnExpire::Drop, None)] {
            let mut caches = caches(&[1], on_expire);
            caches.heard(now, 0, told(100));
            assert_eq!(caches.next_timeout(now), None, "a cache that is there does not expire");
            caches.heard(now, 0, failing());
            assert_eq!(caches.next_timeout(now), Some(now + 2 * HOUR));
            caches.tick(now + HOUR);
            assert_eq!(counted(&caches), Some(100));
            caches.tick(now + 2 * HOUR);
            assert_eq!(counted(&caches), kept);
            let state = caches.status(now + 2 * HOUR)[0].state;
            let expected = if kept.is_some() { SourceState::Expired } else { SourceState::Failing };
            assert_eq!(state, expected);
            caches.heard(now + 3 * HOUR, 0, told(20));
            let expected = if kept.is_some() { Some(100) } else { Some(20) };
            assert_eq!(counted(&caches), expected, "what was dropped can't shrink");
        }
    }

    #[test]
    fn a_cache_that_takes_over_with_far_less_is_held() {
        let now = Instant::now();
        let mut caches = caches(&[1, 2], OnExpire::Keep);
        caches.heard(now, 0, told(100));
        caches.heard(now, 0, failing());
        caches.heard(now, 1, told(50));
        assert_eq!(counted(&caches), Some(100));
        let status = caches.status(now + HOUR);
        assert_eq!(status[1].state, SourceState::Holding);
        let held = status[1].held.as_ref().unwrap();
        assert_eq!((held.vrps, held.until_s), (Some((100, 50)), Some(5 * 3600)));
        assert!(caches.confirm(now));
        assert_eq!(counted(&caches), Some(50));
    }
}
