//! How a peer stands to its limits of prefixes, and what its session makes of it.
//!
//! Shards hold to the limits by themselves (`rib/src/prefix_limits.rs`), so that there is time to decide here. The peer's
//! task looks whenever a shard says that the peer is near one:
//!
//! ```text
//!          a share of a limit            something was not let in
//!   Within -----------------> Near ---------------------------------> Full
//!     ^  five percent below    |                                       | restart: NOTIFICATION, down for a while
//!     '------------------------'                                       | down: NOTIFICATION, down until it is freed
//!     ^                                                                | drop-new: goes on without
//!     '------------------- room again, and nothing left out -----------'
//! ```
//!
//! A session that goes on without some of its routes asks for them when there is room again (RFC 2918), and lets those in
//! that were held back, once every [`RECOVERY_PAUSE`] at most: what a peer can have the router do is bounded, too.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use palisade_bgp::Family;
use palisade_bgp::notification::Cease;
use palisade_policy::Reason;
use palisade_rib::{Limit, Limited, PeerCounters, PrefixLimits};

use crate::judging::Excess;

/// The time between two attempts to get what was left out.
const RECOVERY_PAUSE: Duration = Duration::from_secs(30);

/// The time after which it is said again that a peer is near.
const TOLD_AGAIN: Duration = Duration::from_secs(60);

/// How near to its limits a peer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Not near any.
    #[default]
    Within,
    /// A warning is due.
    Near,
    /// Something was not let in.
    Full,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// To say that it is near a limit.
    Warn(Limit),
    /// To say that it no longer is.
    AllClear,
    /// To say that the session goes on without some of its routes.
    GoesOnWithout(Limit),
    /// To end the session.
    End(Limit),
    /// To get what was left out: by asking the peer again, and from what is held.
    Recover { refresh: bool, let_in: bool },
}

/// What a session remembers of its limits.
#[derive(Debug)]
pub(super) struct LimitWatch {
    standing: Standing,
    /// Announcements that had been dropped when the session began, or when the peer was last asked for all of them again.
    dropped: i64,
    recovers_from: Instant,
    /// When it was last said that the peer is near.
    told: Option<Instant>,
}

impl LimitWatch {
    /// That of a session that begins.
    pub(super) fn new(counters: &PeerCounters, now: Instant) -> Self {
        let dropped = counters.read().dropped;
        LimitWatch { standing: Standing::Within, dropped, recovers_from: now, told: None }
    }

    pub(super) fn standing(&self) -> Standing {
        self.standing
    }

    /// Whether it is to be said that the peer is near: a peer decides how often it comes and goes, not how much is logged.
    pub(super) fn may_tell(&mut self, now: Instant) -> bool {
        let may = self.told.is_none_or(|told| now.saturating_duration_since(told) >= TOLD_AGAIN);
        if may {
            self.told = Some(now);
        }
        may
    }

    /// When to look again though no shard says so.
    pub(super) fn looks_again_at(&self, now: Instant) -> Option<Instant> {
        (self.standing == Standing::Full && self.recovers_from > now).then_some(self.recovers_from)
    }

    /// Looks how things stand, and says what is to be done where that is not as it was.
    pub(super) fn look(
        &mut self,
        limits: &PrefixLimits,
        excess: Excess,
        counters: &PeerCounters,
        now: Instant,
    ) -> Option<Step> {
        let (counts, tally) = (counters.counts(), counters.read());
        let dropped = tally.dropped > self.dropped;
        let held_back = tally.rejected[Reason::MaxAccepted] > 0;
        let beyond = limits.of(counts).find(|limit| limit.held > i64::from(limit.most));
        let ends = excess != Excess::DropNew && beyond.is_some();
        if dropped || held_back || ends {
            let of = if dropped { Limited::Received } else { Limited::Accepted };
            let fullest = limits.of(counts).filter(|limit| limit.of == of).min_by_key(Limit::left);
            let limit = beyond.filter(|_| ends).or(fullest)?;
            let has_room = limits.of(counts).all(|limit| limit.has_room());
            return self.full(limit, excess, (dropped, held_back), has_room, now);
        }
        let near = limits.of(counts).find(|limit| limit.is_reached(limits.warning_percent));
        let stays = self.standing != Standing::Within && limits.is_near(counts);
        match (self.standing, near) {
            (Standing::Within, Some(limit)) => {
                self.standing = Standing::Near;
                Some(Step::Warn(limit))
            }
            (Standing::Full, _) if stays => {
                self.standing = Standing::Near;
                None
            }
            (Standing::Near | Standing::Full, None) if !stays => {
                self.standing = Standing::Within;
                Some(Step::AllClear)
            }
            _ => None,
        }
    }

    fn full(
        &mut self,
        limit: Limit,
        excess: Excess,
        (dropped, held_back): (bool, bool),
        has_room: bool,
        now: Instant,
    ) -> Option<Step> {
        let before = std::mem::replace(&mut self.standing, Standing::Full);
        if excess != Excess::DropNew {
            return Some(Step::End(limit));
        }
        if before != Standing::Full {
            return Some(Step::GoesOnWithout(limit));
        }
        (has_room && self.recovers_from <= now).then(|| {
            self.recovers_from = now + RECOVERY_PAUSE;
            Step::Recover { refresh: dropped, let_in: held_back }
        })
    }

    /// The peer has been asked for everything again: what was dropped is on its way.
    pub(super) fn asked_again(&mut self, counters: &PeerCounters) {
        self.dropped = counters.read().dropped;
    }
}

/// What can be seen of it from outside the peer's task.
#[derive(Debug, Default)]
pub(crate) struct LimitStatus {
    warnings: AtomicU64,
    reached: AtomicU64,
    standing: Mutex<Standing>,
}

impl LimitStatus {
    pub(crate) fn standing(&self) -> Standing {
        *self.now()
    }

    /// How many times the peer came near a limit.
    pub(crate) fn warnings(&self) -> u64 {
        self.warnings.load(Ordering::Relaxed)
    }

    /// How many times it came with more than a limit allows, after it had not.
    pub(crate) fn reached(&self) -> u64 {
        self.reached.load(Ordering::Relaxed)
    }

    pub(super) fn set_standing(&self, standing: Standing) {
        *self.now() = standing;
    }

    pub(super) fn count_warning(&self) {
        self.warnings.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_reached(&self) {
        self.reached.fetch_add(1, Ordering::Relaxed);
    }

    fn now(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the configuration calls a limit.
pub(crate) fn key(limit: &Limit) -> &'static str {
    match (limit.of, limit.family) {
        (Limited::Received, None) => "max_prefixes",
        (Limited::Received, Some(Family::Ipv4)) => "max_prefixes_ipv4",
        (Limited::Received, Some(Family::Ipv6)) => "max_prefixes_ipv6",
        (Limited::Accepted, None) => "max_accepted",
        (Limited::Accepted, Some(Family::Ipv4)) => "max_accepted_ipv4",
        (Limited::Accepted, Some(Family::Ipv6)) => "max_accepted_ipv6",
    }
}

/// What the peer is told: the family and its limit, where the limit is a family's (RFC 4486 s4). There is no way to say so of both
/// together.
pub(super) fn cease(limit: &Limit) -> Cease {
    Cease::MaximumPrefixes(limit.family.map(|family| (family, limit.most)))
}

#[cfg(test)]
mod tests;
