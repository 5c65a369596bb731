//! How fast a daemon reacted to changes of policy data.

use std::time::Duration;

/// What the changes of a phase came to.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub(crate) struct Reaction {
    /// Changes that were made.
    pub(crate) changes: usize,
    /// Those that did not come to be seen.
    pub(crate) missed: usize,
    /// Those whose data the daemon did not even ask for.
    pub(crate) unasked: usize,
    /// From the last octets of the new data to the UPDATE that makes the listener's table right.
    pub(crate) from_data: Spread,
    /// To the same, from when the daemon was told that there is news.
    pub(crate) from_news: Spread,
    /// CPU time that the daemon used in the phase, in seconds.
    pub(crate) cpu_s: f64,
    /// ROUTE-REFRESH messages (RFC 2918) that it sent.
    pub(crate) refreshes: u64,
    /// By how much the latest KEEPALIVE came later than a third of the hold time after what came before it.
    pub(crate) keepalive_late_ms: f64,
}

/// Of several times, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub(crate) struct Spread {
    /// Half were shorter.
    pub(crate) median_ms: f64,
    /// One in ten was longer.
    pub(crate) p90_ms: f64,
    /// The longest.
    pub(crate) most_ms: f64,
}

impl Spread {
    /// That of some times; zeros where there are none.
    pub(crate) fn of(times: &[Duration]) -> Self {
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
            sorted.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
        };
        Spread { median_ms: at(50), p90_ms: at(90), most_ms: at(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_ten_is_longer() {
        let times: Vec<Duration> = (1..=10).rev().map(Duration::from_millis).collect();
        assert_eq!(Spread::of(&times), Spread { median_ms: 6.0, p90_ms: 10.0, most_ms: 10.0 });
        assert_eq!(Spread::of(&times[9..]), Spread { median_ms: 1.0, p90_ms: 1.0, most_ms: 1.0 });
        assert_eq!(Spread::of(&[]), Spread::default());
    }
}
