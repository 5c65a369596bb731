//! How much a peer may have in the table.
//!
//! Two things are limited, each in total and for a family: the paths that are *received*, which is what the Adj-RIB-In
//! holds whatever the judge says of it (RFC 4271 s6.7), and those that are *accepted*. Shards hold to both by
//! themselves, so that a flood costs no memory while somebody makes up his mind about the session:
//!
//! ```text
//!   a path that is new, beyond a limit of received --> not held, counted
//!   a path that is accepted, beyond such a limit   --> held as refused for `max-accepted`, with its attributes
//!   anything else                                  --> as if there were no limits
//! ```
//!
//! What is kept of a peer that restarts or refreshes is held to the same limits, and takes none of the room of what it says anew: it may
//! have other paths by then, or call them otherwise (RFC 7911 s3). So a peer has twice its limits at the most, for as long as a
//! restart takes.
//!
//! All shards count into the same numbers and none waits for another. A shard looks what room there is as it begins with a
//! batch, so that a peer may come to have as many paths too many as one batch brings to each of the other shards, and no
//! more: a batch is what one read of a socket held.
//!
//! Not here: what becomes of the session. That is its own task's business, which is told when a peer is near.

use palisade_bgp::Family;
use palisade_policy::{Amendment, Reason, Verdict};

use crate::counters::Counts;

/// The limits of one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixLimits {
    /// Paths in the Adj-RIB-In.
    pub received: Bounds,
    /// Paths that are accepted.
    pub accepted: Bounds,
    /// The share of a limit, in percent, from which on a warning is due.
    pub warning_percent: u8,
}

/// By how much less than the share for a warning a peer is no longer near a limit, in percent of it.
const RELIEF_PERCENT: u8 = 5;

impl PrefixLimits {
    /// No limits.
    pub const NONE: PrefixLimits =
        PrefixLimits { received: Bounds::NONE, accepted: Bounds::NONE, warning_percent: 100 };
}

/// The most of something, in total and a family; `None` where there is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Of both families together.
    pub total: Option<u32>,
    /// By [`Family::index`].
    pub family: [Option<u32>; 2],
}

impl Bounds {
    /// No limits.
    pub const NONE: Bounds = Bounds { total: None, family: [None; 2] };

    /// How many more of a family there may be, where there are `held` by family.
    pub(crate) fn room(&self, family: Family, held: [i64; 2]) -> i64 {
        let left = |most: Option<u32>, held: i64| most.map_or(i64::MAX, |most| i64::from(most) - held);
        let total = left(self.total, held.iter().sum());
        total.min(left(self.family[family.index()], held[family.index()]))
    }

    /// Each limit that there is, those of families first, and how many count towards it.
    fn limits(self, held: [i64; 2]) -> impl Iterator<Item = (Option<Family>, u32, i64)> {
        let families = Family::ALL.into_iter().map(move |family| {
            let at = family.index();
            (Some(family), self.family[at], held[at])
        });
        let all = families.chain([(None, self.total, held.iter().sum())]);
        all.filter_map(|(family, most, held)| Some((family, most?, held)))
    }
}

/// What a limit is a limit of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limited {
    /// [`PrefixLimits::received`].
    Received,
    /// [`PrefixLimits::accepted`].
    Accepted,
}

/// One limit, and how a peer stands to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is limited.
    pub of: Limited,
    /// The family whose it is; `None` for both together.
    pub family: Option<Family>,
    /// How many there may be.
    pub most: u32,
    /// How many there are.
    pub held: i64,
}

impl Limit {
    /// Whether this share of the limit, in percent, is reached.
    pub fn is_reached(&self, percent: u8) -> bool {
        self.held.saturating_mul(100) >= i64::from(self.most) * i64::from(percent)
    }

    /// How many more there may be.
    pub fn left(&self) -> i64 {
        i64::from(self.most) - self.held
    }

    /// Whether there is room for more than one who only comes and goes needs: a twentieth of the limit, and for one at least.
    pub fn has_room(&self) -> bool {
        self.left() >= i64::from(self.most / 20).max(1)
    }
}

impl PrefixLimits {
    /// Every limit there is: of what is received before what is accepted, and a family's before those of both.
    pub fn of(&self, counts: Counts) -> impl Iterator<Item = Limit> + use<> {
        let limit = |of| move |(family, most, held)| Limit { of, family, most, held };
        let received = self.received.limits(counts.received).map(limit(Limited::Received));
        received.chain(self.accepted.limits(counts.accepted).map(limit(Limited::Accepted)))
    }

    /// Whether a peer is near a limit: where a warning is due, or was and is not out of the way.
    pub fn is_near(&self, counts: Counts) -> bool {
        let percent = self.warning_percent.saturating_sub(RELIEF_PERCENT).max(1);
        self.of(counts).any(|limit| limit.is_reached(percent))
    }
}

/// Room that a peer has for paths of a family, while a shard deals with one of its batches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// For paths that are new.
    pub(crate) received: i64,
    /// For paths that are accepted.
    pub(crate) accepted: i64,
}

impl Room {
    /// As much as there is.
    pub(crate) const UNLIMITED: Room = Room { received: i64::MAX, accepted: i64::MAX };

    /// What a peer has that holds as much.
    pub(crate) fn of(limits: &PrefixLimits, family: Family, counts: Counts) -> Self {
        Room {
            received: limits.received.room(family, counts.received),
            accepted: limits.accepted.room(family, counts.accepted),
        }
    }

    /// Counts a path that came (1) or went (-1).
    pub(crate) fn count(&mut self, accepted: bool, by: i64) {
        self.received = self.received.saturating_sub(by);
        if accepted {
            self.accepted = self.accepted.saturating_sub(by);
        }
    }
}

/// What the judge accepts, and a limit does not. The attributes stay as they were received, as those of all that is refused.
pub(crate) fn held_back(verdict: Verdict) -> Verdict {
    match verdict.accepted() {
        true => Verdict { reason: Some(Reason::MaxAccepted), amendment: Amendment::NONE, ..verdict },
        false => verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PrefixLimits = PrefixLimits {
        received: Bounds { total: Some(100), family: [None, Some(40)] },
        accepted: Bounds { total: None, family: [Some(10), None] },
        warning_percent: 80,
    };

    #[test]
    fn room_is_what_the_tightest_limit_leaves() {
        let room = |family, received, accepted| {
            let Room { received, accepted } = Room::of(&LIMITS, family, Counts { received, accepted });
            (received, accepted)
        };
        assert_eq!(room(Family::Ipv4, [30, 0], [3, 0]), (70, 7));
        assert_eq!(room(Family::Ipv6, [30, 35], [3, 0]), (5, i64::MAX));
        assert_eq!(room(Family::Ipv6, [80, 15], [0, 0]).0, 5);
        assert_eq!(room(Family::Ipv4, [90, 20], [12, 0]), (-10, -2), "limits that were lowered");
    }

    #[test]
    fn a_peer_is_near_from_five_percent_below_the_share_for_a_warning_on() {
        let near = |received, accepted| LIMITS.is_near(Counts { received, accepted });
        assert!(!near([45, 29], [7, 0]));
        assert!(near([46, 29], [0, 0]) && near([0, 30], [0, 0]) && near([8, 0], [8, 0]));
        assert!(!PrefixLimits::NONE.is_near(Counts { received: [i64::MAX, 0], accepted: [0; 2] }));
    }

    #[test]
    fn there_is_room_again_only_for_more_than_one_that_comes_and_goes() {
        let limit = |most, held| Limit { of: Limited::Received, family: None, most, held };
        assert!(limit(100, 95).has_room() && !limit(100, 96).has_room());
        assert!(limit(1, 0).has_room() && !limit(1, 1).has_room());
    }
}
