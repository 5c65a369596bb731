//! What is said of a peer's malformed UPDATEs: the first few of a minute one by one, the rest as a number.
//!
//! A peer decides how many it sends. It must not decide how much is logged.

use std::time::{Duration, Instant};

use palisade_bgp::Prefix;
use palisade_bgp::prefix::Address;
use palisade_bgp::update::Update;
use tracing::warn;

const MINUTE: Duration = Duration::from_secs(60);
/// Malformed UPDATEs of a minute that are told one by one.
const TOLD: u32 = 5;

/// What has been said of one peer lately.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    since: Option<Instant>,
    told: u32,
    untold: u64,
}

impl Complaints {
    /// Says what was wrong with an UPDATE, or counts it where enough has been said.
    pub(crate) fn note(&mut self, peer: &str, update: &Update<'_>, now: Instant) {
        if update.faults().is_empty() {
            return;
        }
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= MINUTE) {
            self.tell_rest(peer);
            *self = Complaints { since: Some(now), ..Complaints::default() };
        }
        if !self.may_tell() {
            return;
        }
        let prefix = first_lost::<u32>(update).or_else(|| first_lost::<u128>(update));
        for fault in update.faults() {
            match prefix {
                Some(prefix) => warn!(peer, %fault, %prefix, "malformed UPDATE"),
                None => warn!(peer, %fault, "malformed UPDATE"),
            }
        }
    }

    /// Says how many were not told of one by one.
    pub(crate) fn tell_rest(&mut self, peer: &str) {
        let count = std::mem::take(&mut self.untold);
        if count > 0 {
            warn!(peer, count, "further malformed UPDATEs, not told one by one");
        }
    }

    fn may_tell(&mut self) -> bool {
        let may = self.told < TOLD;
        if may {
            self.told += 1;
        } else {
            self.untold += 1;
        }
        may
    }
}

/// The first prefix that was announced and counts as withdrawn.
fn first_lost<A: Address>(update: &Update<'_>) -> Option<Prefix> {
    update.treated_as_withdrawn::<A>().next().map(|path| A::prefix(path.net))
}

#[cfg(test)]
mod tests {
    use super::*;

    use palisade_bgp::update::{Context, Decoder};

    #[test]
    fn however_many_come_a_few_a_minute_are_told_and_the_rest_counted() {
        // ORIGIN of two octets, and a prefix.
        let body = [0, 0, 0, 5, 0x40, 1, 2, 0, 0, 24, 192, 0, 2];
        let mut decoder = Decoder::new();
        let update = decoder.update(&body, &Context::default()).unwrap();
        let (mut complaints, start) = (Complaints::default(), Instant::now());
        (0..1000).for_each(|_| complaints.note("peer", &update, start));
        assert_eq!((complaints.told, complaints.untold), (TOLD, 995));
        complaints.note("peer", &update, start + MINUTE);
        assert_eq!((complaints.told, complaints.untold), (1, 0));
        assert_eq!(first_lost::<u32>(&update), "192.0.2.0/24".parse().ok());
    }

    #[test]
    fn a_sound_update_is_no_complaint() {
        let mut complaints = Complaints::default();
        complaints.note(
            "peer",
            &Decoder::new().update(&[0; 4], &Context::default()).unwrap(),
            Instant::now(),
        );
        assert_eq!((complaints.since, complaints.told), (None, 0));
    }
}
