//! How long a member waits for news while the daemon is busy.
//!
//! The last sender is the probe. While a phase lasts it announces, every 50 ms, one /32 of 198.18.0.0/16 that it did not
//! announce before, with no communities, ahead of what it has yet to send. The service of another session is how long it
//! takes from the moment that announcement is given to the kernel until that session has read it. So a wait holds all that
//! a real member would feel: the daemon's input queues, its work, what it had already put into the session's socket,
//! and what this process adds as it reads, which is the same for all and is to be seen in the floor's line.
//!
//! The longest wait in a phase is its gap. An announcement that did not come within a second after the end of the phase counts
//! as lost, and as a wait of so long as it was missed. Sessions that the phase itself takes down or slows don't count.

use std::time::{Duration, Instant};

use crate::table::PROBES;

/// Time between announcements.
const EVERY: Duration = Duration::from_millis(50);

/// The announcements of a run, and who got them.
#[derive(Debug)]
pub(crate) struct Service {
    is_on: bool,
    next_at: Instant,
    first_of_phase: usize,
    sent: Vec<Sent>,
    waits_us: Vec<u32>,
}

#[derive(Debug)]
struct Sent {
    at: Instant,
    receivers: usize,
    received: usize,
}

/// The waits of a phase.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub(crate) struct Waits {
    /// How many announcements were made.
    pub(crate) announced: usize,
    /// Half of the waits were shorter, in milliseconds.
    pub(crate) median_ms: f64,
    /// One in a hundred was longer.
    pub p99_ms: f64,
    /// The longest.
    pub(crate) gap_ms: f64,
    /// How often one did not come at all.
    pub(crate) lost: usize,
}

impl Service {
    /// Before any phase.
    pub(crate) fn new() -> Self {
        Service {
            is_on: false,
            next_at: Instant::now(),
            first_of_phase: 0,
            sent: Vec::new(),
            waits_us: Vec::new(),
        }
    }

    /// A phase begins: announcements from now on, if it `is_on`.
    pub(crate) fn begin(&mut self, now: Instant, is_on: bool) {
        (self.is_on, self.next_at) = (is_on, now + EVERY);
        self.first_of_phase = self.sent.len();
        self.waits_us.clear();
    }

    /// No more announcements in this phase.
    pub(crate) fn stop(&mut self) {
        self.is_on = false;
    }

    /// Whether one is to be made now: its number.
    pub(crate) fn due(&mut self, now: Instant, receivers: usize) -> Option<usize> {
        if !self.is_on || now < self.next_at || self.sent.len() == PROBES {
            return None;
        }
        self.next_at = now + EVERY;
        self.sent.push(Sent { at: now, receivers, received: 0 });
        Some(self.sent.len() - 1)
    }

    /// When the next one is.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.is_on.then_some(self.next_at)
    }

    /// One has come to a session that counts, for the first time.
    pub(crate) fn came(&mut self, number: usize, now: Instant) {
        if number < self.first_of_phase {
            return;
        }
        if let Some(sent) = self.sent.get_mut(number) {
            sent.received += 1;
            let wait = now.saturating_duration_since(sent.at).as_micros();
            self.waits_us.push(u32::try_from(wait).unwrap_or(u32::MAX));
        }
    }

    /// Whether all of this phase have come to all.
    pub(crate) fn all_came(&self) -> bool {
        self.sent[self.first_of_phase..].iter().all(|sent| sent.received >= sent.receivers)
    }

    /// The numbers of this phase's announcements.
    pub(crate) fn of_phase(&self) -> std::ops::Range<usize> {
        self.first_of_phase..self.sent.len()
    }

    /// What this phase came to; `None` where nothing was announced.
    pub(crate) fn waits(&mut self, now: Instant) -> Option<Waits> {
        let sent = &self.sent[self.first_of_phase..];
        let missed = |sent: &&Sent| sent.received < sent.receivers;
        let longest_missed = sent.iter().filter(missed).map(|sent| now - sent.at).max().unwrap_or_default();
        let lost = sent.iter().map(|sent| sent.receivers.saturating_sub(sent.received)).sum();
        self.waits_us.sort_unstable();
        let at = |share: usize| {
            let place = (self.waits_us.len() * share / 100).min(self.waits_us.len().saturating_sub(1));
            self.waits_us.get(place).map_or(0.0, |us| f64::from(*us) / 1e3)
        };
        let gap_ms = at(100).max(longest_missed.as_secs_f64() * 1e3);
        (!sent.is_empty()).then(|| Waits {
            announced: sent.len(),
            median_ms: at(50),
            p99_ms: at(99),
            gap_ms,
            lost,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_come_is_the_longest_wait() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut service = Service::new();
        service.begin(start, true);
        assert_eq!(service.due(at(10), 2), None);
        assert_eq!(service.due(at(50), 2), Some(0));
        assert_eq!(service.due(at(100), 2), Some(1));
        service.came(0, at(51));
        service.came(0, at(54));
        service.came(1, at(103));
        assert!(!service.all_came());
        let waits = service.waits(at(600)).unwrap();
        assert_eq!((waits.announced, waits.lost, waits.gap_ms), (2, 1, 500.0));
        service.begin(at(700), false);
        service.came(1, at(701));
        assert_eq!(service.waits(at(800)), None);
    }
}
