//! Whether a new set is believed at once, or held until somebody has looked at it.
//!
//! A trust anchor that fails takes 200,000 VRPs with it, a mirror that breaks off half of a registry; what was invalid
//! passes then, or what was good is refused. Nothing in such a set is malformed: only its size tells. So the size of
//! what is offered is compared with the size of what was accepted:
//!
//! ```text
//!                 within the shares, or a change of no more than `floor`
//!   offered set ----------------------------------------------------------> accepted
//!        |                                                                    ^
//!        '--> held: what was accepted counts on -- confirmed, or `hold_for` --'
//!                   '-- offered again, within the shares ---------------------'
//! ```
//!
//! What it is compared with is the size at the beginning of a window as long as `hold_for`, not the last one: a set
//! that crumbles by a few percent every minute is held as one that breaks. A set that has become empty is held until
//! somebody confirms it, however long that takes.
//!
//! It is a machine without a clock, and knows nothing of what the sets are of.

use std::time::{Duration, Instant};

/// How far a set may change by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GuardSettings {
    /// By how much it may shrink, in percent of what it was.
    pub(crate) shrink_percent: u32,
    /// By how much it may grow, in percent of what it was.
    pub(crate) grow_percent: u32,
    /// A change of no more entries than this is small, whatever share it is.
    pub(crate) floor: usize,
    /// How long it is held.
    pub(crate) hold_for: Duration,
}

/// What becomes of a set that is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// It counts from now on.
    Accept,
    /// What counted before counts on.
    Hold,
}

/// A set that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// How many entries the accepted set has.
    pub(crate) from: usize,
    /// How many the held one has.
    pub(crate) to: usize,
    /// Since when sets have been held.
    pub(crate) since: Instant,
    /// When it is accepted without anybody's word; `None` where it never is.
    pub(crate) until: Option<Instant>,
}

/// The guard of one set; `None` for settings lets everything pass.
#[derive(Debug)]
pub(crate) struct Guard {
    settings: Option<GuardSettings>,
    /// How many entries were accepted last; `None` before the first set.
    accepted: Option<usize>,
    /// What sets are compared with, and since when.
    window: Option<(usize, Instant)>,
    held: Option<Held>,
}

impl Guard {
    /// A guard that has seen nothing: the first set is accepted, whatever its size.
    pub(crate) fn new(settings: Option<GuardSettings>) -> Self {
        Guard { settings, accepted: None, window: None, held: None }
    }

    /// Rules on a set of `len` entries, which takes the place of the one that may be held. It is to be counted exactly
    /// where it is accepted.
    pub(crate) fn offer(&mut self, now: Instant, len: usize) -> Ruling {
        let (Some(settings), Some(accepted)) = (self.settings, self.accepted) else {
            return self.accept(now, len);
        };
        let before = self.compared_with(now, accepted, settings.hold_for);
        if settings.allow(before, len) {
            return self.accept(now, len);
        }
        let since = self.held.map_or(now, |held| held.since);
        let until = (len > 0).then(|| since + settings.hold_for);
        if until.is_some_and(|until| until <= now) {
            return self.confirmed(now, len);
        }
        self.held = Some(Held { from: accepted, to: len, since, until });
        Ruling::Hold
    }

    /// What is held, if anything.
    pub(crate) fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// Somebody has looked at what is held: whether there was something, which counts from now on.
    pub(crate) fn confirm(&mut self, now: Instant) -> bool {
        let held = self.held;
        held.map(|held| self.confirmed(now, held.to)).is_some()
    }

    /// Whether what is held has been held for long enough, and counts from now on.
    pub(crate) fn release(&mut self, now: Instant) -> bool {
        self.due().is_some_and(|due| due <= now) && self.confirm(now)
    }

    /// When [`Guard::release`] will have something to do.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.held.and_then(|held| held.until)
    }

    /// Nothing is accepted any more: the next set is a first one.
    pub(crate) fn forget(&mut self) {
        *self = Guard::new(self.settings);
    }

    fn accept(&mut self, now: Instant, len: usize) -> Ruling {
        self.accepted = Some(len);
        self.window.get_or_insert((len, now));
        self.held = None;
        Ruling::Accept
    }

    /// The change is as it should be, so what follows is compared with it.
    fn confirmed(&mut self, now: Instant, len: usize) -> Ruling {
        self.window = Some((len, now));
        self.accept(now, len)
    }

    fn compared_with(&mut self, now: Instant, accepted: usize, window: Duration) -> usize {
        match self.window {
            Some((before, since)) if now < since + window || self.held.is_some() => before,
            _ => {
                self.window = Some((accepted, now));
                accepted
            }
        }
    }
}

impl GuardSettings {
    fn allow(&self, before: usize, after: usize) -> bool {
        let share = |percent: u32| (before as u128 * u128::from(percent) / 100) as usize;
        if after == 0 {
            return before == 0;
        }
        match after.checked_sub(before) {
            Some(more) => more <= self.floor.max(share(self.grow_percent)),
            None => before - after <= self.floor.max(share(self.shrink_percent)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const SETTINGS: GuardSettings =
        GuardSettings { shrink_percent: 20, grow_percent: 100, floor: 10, hold_for: HOUR };

    fn guard_of(len: usize, now: Instant) -> Guard {
        let mut guard = Guard::new(Some(SETTINGS));
        assert_eq!(guard.offer(now, len), Ruling::Accept);
        guard
    }

    #[test]
    fn changes_within_the_shares_or_the_floor_pass() {
        let now = Instant::now();
        for (before, after, ruling) in [
            (1000, 800, Ruling::Accept),
            (1000, 799, Ruling::Hold),
            (1000, 2000, Ruling::Accept),
            (1000, 2001, Ruling::Hold),
            (20, 10, Ruling::Accept),
            (20, 9, Ruling::Hold),
            (3, 13, Ruling::Accept),
            (3, 14, Ruling::Hold),
            (3, 0, Ruling::Hold),
            (0, 0, Ruling::Accept),
            (0, 10, Ruling::Accept),
            (0, 11, Ruling::Hold),
        ] {
            assert_eq!(guard_of(before, now).offer(now, after), ruling, "{before} to {after}");
        }
    }

    #[test]
    fn without_settings_everything_passes() {
        let mut guard = Guard::new(None);
        for len in [1000, 0, 1_000_000, 1] {
            assert_eq!(guard.offer(Instant::now(), len), Ruling::Accept);
        }
    }

    #[test]
    fn what_is_held_waits_for_a_word_or_for_the_time() {
        let now = Instant::now();
        let mut guard = guard_of(1000, now);
        assert_eq!(guard.offer(now, 500), Ruling::Hold);
        let held = Held { from: 1000, to: 500, since: now, until: Some(now + HOUR) };
        assert_eq!(guard.held(), Some(&held));
        assert!(!guard.release(now + HOUR / 2));
        assert!(guard.release(now + HOUR) && guard.held().is_none());
        assert_eq!(guard.offer(now + HOUR, 450), Ruling::Accept, "it is compared with what was let through");

        let mut guard = guard_of(1000, now);
        assert!(!guard.confirm(now), "nothing is held");
        assert_eq!(guard.offer(now, 500), Ruling::Hold);
        assert!(guard.confirm(now) && guard.held().is_none());
        assert_eq!(guard.offer(now, 1000), Ruling::Accept, "that is no more than double");
    }

    #[test]
    fn a_set_that_changes_while_it_is_held_does_not_wait_anew() {
        let now = Instant::now();
        let mut guard = guard_of(1000, now);
        for minutes in 0..60 {
            let at = now + Duration::from_secs(60 * minutes);
            assert_eq!(guard.offer(at, 500 + minutes as usize), Ruling::Hold);
        }
        assert_eq!(guard.offer(now + HOUR, 559), Ruling::Accept);
    }

    #[test]
    fn what_comes_back_in_time_counts_at_once() {
        let now = Instant::now();
        let mut guard = guard_of(1000, now);
        assert_eq!(guard.offer(now, 500), Ruling::Hold);
        assert_eq!(guard.offer(now, 990), Ruling::Accept);
        assert_eq!(guard.held(), None);
    }

    #[test]
    fn an_empty_set_is_held_for_ever() {
        let now = Instant::now();
        let mut guard = guard_of(1000, now);
        assert_eq!(guard.offer(now, 0), Ruling::Hold);
        assert_eq!(guard.due(), None);
        assert_eq!(guard.offer(now + 1000 * HOUR, 0), Ruling::Hold);
        assert!(guard.confirm(now));
    }

    #[test]
    fn crumbling_is_held_like_breaking() {
        let now = Instant::now();
        let mut guard = guard_of(1000, now);
        let minute = |minute: u64| now + Duration::from_secs(60 * minute);
        assert_eq!(guard.offer(minute(1), 900), Ruling::Accept);
        assert_eq!(guard.offer(minute(2), 810), Ruling::Accept);
        assert_eq!(guard.offer(minute(3), 730), Ruling::Hold);
        assert_eq!(guard.offer(minute(62), 730), Ruling::Hold, "the window does not slide while it is held");

        let mut slowly = guard_of(1000, now);
        for (hour, len) in [(1, 900), (2, 810), (3, 730), (4, 660)] {
            assert_eq!(slowly.offer(now + HOUR * hour, len), Ruling::Accept, "{len}");
        }
    }

    #[test]
    fn what_is_forgotten_begins_anew() {
        let now = Instant::now();
        let mut guard = guard_of(1000, now);
        guard.forget();
        assert_eq!(guard.offer(now, 5), Ruling::Accept);
    }
}
