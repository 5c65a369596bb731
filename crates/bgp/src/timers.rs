//! The timers of a session, as a table of deadlines (RFC 4271 s8.1.3, s10; RFC 9687).
//!
//! Nothing here looks at a clock: a timer is the instant at which it is due, and time is whatever the caller says it is.

use std::time::{Duration, Instant};

use crate::session::ConnectionId;

/// What can be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Another attempt to connect.
    ConnectRetry,
    /// The end of a rest after a failure (RFC 4271's IdleHoldTimer).
    IdleHold,
    /// The peer has been silent for the hold time.
    Hold(ConnectionId),
    /// The peer needs to hear of us.
    Keepalive(ConnectionId),
    /// The peer has not read what it was sent for too long (RFC 9687).
    SendHold(ConnectionId),
}

impl Timer {
    const ALL: [Timer; 8] = [
        Timer::ConnectRetry,
        Timer::IdleHold,
        Timer::Hold(ConnectionId::Outgoing),
        Timer::Hold(ConnectionId::Incoming),
        Timer::Keepalive(ConnectionId::Outgoing),
        Timer::Keepalive(ConnectionId::Incoming),
        Timer::SendHold(ConnectionId::Outgoing),
        Timer::SendHold(ConnectionId::Incoming),
    ];

    fn index(self) -> usize {
        match self {
            Timer::ConnectRetry => 0,
            Timer::IdleHold => 1,
            Timer::Hold(connection) => 2 + connection.index(),
            Timer::Keepalive(connection) => 4 + connection.index(),
            Timer::SendHold(connection) => 6 + connection.index(),
        }
    }
}

/// When each timer is due; none where it is not running.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    due: [Option<Instant>; Timer::ALL.len()],
}

impl Timers {
    /// Starts a timer, or starts it anew.
    pub(crate) fn set(&mut self, timer: Timer, due: Instant) {
        self.due[timer.index()] = Some(due);
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.due[timer.index()] = None;
    }

    /// Stops all that belong to a connection.
    pub(crate) fn stop_connection(&mut self, connection: ConnectionId) {
        [Timer::Hold, Timer::Keepalive, Timer::SendHold]
            .into_iter()
            .for_each(|timer| self.stop(timer(connection)));
    }

    pub(crate) fn stop_all(&mut self) {
        self.due = Default::default();
    }

    /// When one is due that is running.
    pub(crate) fn due(&self, timer: Timer) -> Option<Instant> {
        self.due[timer.index()]
    }

    pub(crate) fn is_running(&self, timer: Timer) -> bool {
        self.due[timer.index()].is_some()
    }

    /// When the first one is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.iter().flatten().min().copied()
    }

    /// Stops the first one that is due, and says which it was.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<Timer> {
        let due = |timer: &Timer| self.due[timer.index()].filter(|due| *due <= now);
        let first = Timer::ALL.into_iter().filter(|timer| due(timer).is_some()).min_by_key(due)?;
        self.stop(first);
        Some(first)
    }
}

/// Where the jitter of timers comes from: a sequence that its seed decides, so that a test can repeat it. It keeps sessions that
/// began together from beating together; it is no secret.
#[derive(Clone, Debug)]
pub(crate) struct Jitter {
    state: u64,
}

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Jitter { state: seed }
    }

    /// Between three quarters of a time and all of it (RFC 4271 s10).
    pub(crate) fn of(&mut self, whole: Duration) -> Duration {
        let quarters = (self.next() >> 40) as f64 / (1u64 << 24) as f64;
        whole.mul_f64(0.75 + 0.25 * quarters)
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_expire_in_the_order_they_are_due() {
        let now = Instant::now();
        let at = |seconds| now + Duration::from_secs(seconds);
        let mut timers = Timers::default();
        for (timer, seconds) in Timer::ALL.into_iter().zip([8, 7, 6, 5, 4, 3, 2, 1]) {
            timers.set(timer, at(seconds));
        }
        timers.stop(Timer::IdleHold);
        assert_eq!(timers.next(), Some(at(1)));
        assert_eq!(timers.expire(now), None);
        let order: Vec<Timer> = std::iter::from_fn(|| timers.expire(at(8))).collect();
        assert_eq!(order.len(), 7);
        assert_eq!(order[0], Timer::SendHold(ConnectionId::Incoming));
        assert_eq!(order[6], Timer::ConnectRetry);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn jitter_stays_within_the_last_quarter_and_repeats_with_its_seed() {
        let whole = Duration::from_secs(100);
        let draw =
            |seed| (0..1000).scan(Jitter::new(seed), |jitter, _| Some(jitter.of(whole))).collect::<Vec<_>>();
        let times = draw(7);
        assert!(times.iter().all(|time| (75..=100).contains(&time.as_secs())));
        assert!(
            times.iter().max() > Some(&Duration::from_secs(99))
                && times.iter().min() < Some(&Duration::from_secs(76))
        );
        assert_eq!(times, draw(7));
        assert_ne!(times, draw(8));
    }
}
