//! How long to wait before something that failed is tried again: longer each time, and never all at once.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_secs(1);

/// The waits of something that may fail again and again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    most: Duration,
    failures: u32,
}

impl Backoff {
    /// Waits from one second on, doubled each time, up to `most`.
    pub(crate) fn new(most: Duration) -> Self {
        Backoff { most, failures: 0 }
    }

    /// It has worked: the next wait is a short one again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// It has failed: how long to wait. A quarter more or less than the doubled time, so that many who lost the same
    /// server don't come back in the same moment.
    pub(crate) fn next(&mut self) -> Duration {
        let doubled = FIRST.saturating_mul(1 << self.failures.min(20)).min(self.most);
        self.failures = self.failures.saturating_add(1);
        jittered(doubled)
    }
}

/// A quarter more or less than a time, by chance.
pub(crate) fn jittered(time: Duration) -> Duration {
    // Every `RandomState` has other keys.
    let chance = u32::from(RandomState::new().hash_one(0u8) as u16);
    let jitter = time / 2 * chance / u32::from(u16::MAX);
    time - time / 4 + jitter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_their_limit_and_vary() {
        let mut backoff = Backoff::new(Duration::from_secs(60));
        for expected in [1, 2, 4, 8, 16, 32, 60, 60] {
            let wait = backoff.next().as_secs_f64();
            let expected = f64::from(expected);
            assert!((expected * 0.75..=expected * 1.25).contains(&wait), "{wait} for {expected}");
        }
        assert!((0..100).all(|_| backoff.next() <= Duration::from_secs(75)));
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(1250));
        let waits: Vec<_> = (0..8).map(|_| Backoff::new(FIRST).next()).collect();
        assert!(waits.windows(2).any(|pair| pair[0] != pair[1]), "they vary: {waits:?}");
    }
}
