//! For how long the paths of a peer are kept that it has not said again: what a receiving speaker does when a peer restarts (RFC 4724
//! s4.2), when it stays away (RFC 9494 s4.2), and when it sends its table anew (RFC 7313 s4).
//!
//! A machine of one peer, without a clock: its task says what happens in the session, and is told what the shards are to do.
//!
//! ```text
//!             lost, retained            restart time over, long-lived agreed on
//!   Settled -----------------> Away ----------------------------------> LongLived
//!    ^ ^                        | back, still forwarding                     | back, still forwarding
//!    | '---- End-of-RIB --- Returning <--------------------------------------'
//!    |
//!    '------ EoRR -------- Refreshing <--- BoRR --- Settled
//! ```
//!
//! Whatever else happens, a family is Settled in the end, and its stale paths gone: every other phase has a time at which it is
//! over.

use std::time::{Duration, Instant};

use palisade_bgp::Family;
use palisade_bgp::negotiated::{Negotiated, PeerRestart, Retained};

/// How long a peer that is back, or that refreshes, may take to say all that it has. RFC 4724 s4.2 asks for an end of
/// it; a peer that restarted may itself wait for others, 360 s where that is not set otherwise in common implementations.
pub const RETURN_TIME: Duration = Duration::from_secs(600);

/// What the shards are to do with the peer's paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// [`Shard::peer_lost`](crate::Shard::peer_lost): the session is down. By [`Family::index`], whose paths stay.
    Lost([bool; 2]),
    /// [`Shard::mark_stale`](crate::Shard::mark_stale).
    MarkStale(Family),
    /// [`Shard::make_long_lived`](crate::Shard::make_long_lived).
    LongLived(Family),
    /// [`Shard::sweep_stale`](crate::Shard::sweep_stale).
    Sweep(Family),
}

/// Where the paths of a family stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is stale.
    #[default]
    Settled,
    /// The session is down; the peer may be back until then.
    Away(Instant),
    /// It was not, and what it said is kept until then, as the last resort.
    LongLived(Instant),
    /// The session is up again, and the peer has until then to say what it has.
    Returning(Instant),
    /// The peer sends its table anew, and has until then.
    Refreshing(Instant),
}

impl Phase {
    /// What it is called where it is shown.
    pub const fn slug(self) -> &'static str {
        match self {
            Phase::Settled => "settled",
            Phase::Away(_) => "restarting",
            Phase::LongLived(_) => "long-lived",
            Phase::Returning(_) => "returning",
            Phase::Refreshing(_) => "refreshing",
        }
    }

    /// When it is over, whatever happens.
    pub fn until(self) -> Option<Instant> {
        match self {
            Phase::Settled => None,
            Phase::Away(until)
            | Phase::LongLived(until)
            | Phase::Returning(until)
            | Phase::Refreshing(until) => Some(until),
        }
    }
}

/// Of one peer.
#[derive(Clone, Debug, Default)]
pub struct Retention {
    phases: [Phase; 2],
    /// Whether the session is up.
    up: bool,
    /// The families that the peer has not said End-of-RIB of in this session, though it will: it knows the capability, be it that none of its
    /// own routes are to be kept.
    awaited: [bool; 2],
    /// What the peer said of restarts in the last session.
    restart: Option<PeerRestart>,
    /// Until when paths of the families may be long-lived, once they are, by [`Family::index`]: what runs is not renewed until the peer has
    /// said all that it has (RFC 9494 s4.2), however often it is lost before.
    long_lived_until: [Option<Instant>; 2],
    /// For how long at most paths are long-lived; not at all where it is nothing.
    most_long_lived: Duration,
}

impl Retention {
    /// For a peer of whom nothing is held; `long_lived_stale_time_s` is how long we keep long-lived paths at most.
    pub fn new(long_lived_stale_time_s: u32) -> Self {
        let most_long_lived = Duration::from_secs(long_lived_stale_time_s.into());
        Retention { most_long_lived, ..Retention::default() }
    }

    /// Where the paths of the families stand, by [`Family::index`].
    pub fn phases(&self) -> [Phase; 2] {
        self.phases
    }

    /// The session is up. What the peer does not say it has gone on forwarding by is not kept any longer (RFC 4724 s4.2).
    pub fn established(&mut self, now: Instant, negotiated: &Negotiated) -> Vec<Order> {
        self.up = true;
        self.restart.clone_from(&negotiated.peer_restart);
        let listed = self.restart.as_ref().map_or([None; 2], |restart| restart.families);
        self.awaited = if self.restart.is_some() { negotiated.families } else { [false; 2] };
        let mut orders = Vec::new();
        for (family, listed) in Family::ALL.into_iter().zip(listed) {
            let phase = &mut self.phases[family.index()];
            let forwards = |says: fn(Retained) -> bool| listed.is_some_and(says);
            *phase = match *phase {
                Phase::Away(_) if forwards(|said| said.forwarding) => {
                    let until = now + RETURN_TIME;
                    Phase::Returning(
                        self.long_lived_until[family.index()].map_or(until, |ends| ends.min(until)),
                    )
                }
                // For as long as it is not known what the peer has now, its time goes on (RFC 9494 s4.2).
                Phase::LongLived(until) if forwards(|said| said.long_lived_forwarding) => {
                    Phase::Returning(until.min(now + RETURN_TIME))
                }
                Phase::Settled => Phase::Settled,
                _ => {
                    orders.push(Order::Sweep(family));
                    self.long_lived_until[family.index()] = None;
                    Phase::Settled
                }
            };
        }
        orders
    }

    /// Whether it is up, and there is no End-of-RIB to wait for: all have come, or the peer says none, or it has itself been restarted and
    /// may wait for ours (RFC 4724 s4.1).
    pub fn is_heard(&self) -> bool {
        let restarting = self.restart.as_ref().is_some_and(|restart| restart.restarting);
        self.up && (restarting || self.awaited == [false; 2])
    }

    /// The session that was up has ended. `retained` is what [`Event::Down`](palisade_bgp::session::Event::Down) says.
    pub fn lost(&mut self, now: Instant, retained: [bool; 2]) -> Vec<Order> {
        self.up = false;
        self.awaited = [false; 2];
        let restart_time_s = self.restart.as_ref().map_or(0, |restart| restart.restart_time_s);
        let back = now + Duration::from_secs(restart_time_s.into());
        for family in Family::ALL.map(Family::index) {
            let until = &mut self.long_lived_until[family];
            *until = until.filter(|_| retained[family]);
            let away = Phase::Away(until.map_or(back, |until| until.min(back)));
            self.phases[family] = if retained[family] { away } else { Phase::Settled };
        }
        vec![Order::Lost(retained)]
    }

    /// Nothing of the peer is to be kept any longer: it is not to come back as it was.
    pub fn forget(&mut self) -> Option<Order> {
        self.awaited = [false; 2];
        self.long_lived_until = [None; 2];
        let kept = std::mem::take(&mut self.phases) != [Phase::Settled; 2];
        kept.then_some(Order::Lost([false; 2]))
    }

    /// The peer has said all of a family (RFC 4724 s2).
    pub fn end_of_rib(&mut self, family: Family) -> Option<Order> {
        self.awaited[family.index()] = false;
        match self.phases[family.index()] {
            Phase::Returning(_) => self.settle(family),
            _ => None,
        }
    }

    /// The peer begins to say all of a family anew. Before its End-of-RIB that means nothing (RFC 7313 s4).
    pub fn refresh_begins(&mut self, now: Instant, family: Family) -> Option<Order> {
        let phase = &mut self.phases[family.index()];
        if self.awaited[family.index()] || *phase != Phase::Settled {
            return None;
        }
        *phase = Phase::Refreshing(now + RETURN_TIME);
        Some(Order::MarkStale(family))
    }

    /// It has. Without a beginning that means nothing.
    pub fn refresh_ends(&mut self, family: Family) -> Option<Order> {
        match self.phases[family.index()] {
            Phase::Refreshing(_) => self.settle(family),
            _ => None,
        }
    }

    /// When to call [`Self::handle_timeout`].
    pub fn next_timeout(&self) -> Option<Instant> {
        self.phases.iter().filter_map(|phase| phase.until()).min()
    }

    /// Ends the phases whose time is over.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<Order> {
        let mut orders = Vec::new();
        for family in Family::ALL {
            let phase = self.phases[family.index()];
            if phase.until().is_none_or(|until| until > now) {
                continue;
            }
            match phase {
                Phase::Away(_) if self.long_lived_from(family, now) > now => {
                    let until = self.long_lived_from(family, now);
                    self.phases[family.index()] = Phase::LongLived(until);
                    self.long_lived_until[family.index()] = Some(until);
                    orders.push(Order::LongLived(family));
                }
                _ => orders.extend(self.settle(family)),
            }
        }
        match orders.is_empty() || self.up || self.phases != [Phase::Settled; 2] {
            true => orders,
            // Nothing of the peer is kept any more.
            false => vec![Order::Lost([false; 2])],
        }
    }

    fn settle(&mut self, family: Family) -> Option<Order> {
        self.phases[family.index()] = Phase::Settled;
        self.long_lived_until[family.index()] = None;
        Some(Order::Sweep(family))
    }

    /// Until when paths of a family that become long-lived now are.
    fn long_lived_from(&self, family: Family, now: Instant) -> Instant {
        self.long_lived_until[family.index()].unwrap_or_else(|| now + self.long_lived(family))
    }

    /// How long paths of a family are long-lived: as long as the peer says, and no longer than we do (RFC 9494 s4.2).
    fn long_lived(&self, family: Family) -> Duration {
        let said = self.restart.as_ref().and_then(|restart| restart.families[family.index()]);
        let said_s = said.map_or(0, |said| said.long_lived_s);
        self.most_long_lived.min(Duration::from_secs(said_s.into()))
    }
}
