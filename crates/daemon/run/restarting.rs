//! Restarts, the peer's and ours, as a peer's task deals with them: what the shards are told of paths that the peer has not said again,
//! and what the peer is told of us (RFC 4724 s4, RFC 9494, RFC 7313 s4).

use std::time::Instant;

use palisade_bgp::negotiated::Negotiated;
use palisade_bgp::session::Session;
use palisade_rib::{Order, PeerIndex, Phase, Retention};

use super::coming_up::PeerSetup;
use super::recovery::Recovery;
use super::shard::{Stale, ToShard};

/// Of one peer.
#[derive(Debug)]
pub(crate) struct Restarting {
    retention: Retention,
    recovery: Recovery,
    /// Whether shards wait, after a restart of ours, for what the peer has to say.
    is_waited_for: bool,
    /// Whether the session has been up since the router started: then it is no restart of ours when it comes up again, and what we forward
    /// by is what it was.
    has_been_up: bool,
    /// What was last said of both in an OPEN.
    said: Option<(bool, bool)>,
}

impl Restarting {
    pub(crate) fn new(setup: &PeerSetup, recovery: &Recovery) -> Self {
        let graceful = setup.settings.graceful_restart;
        Restarting {
            retention: Retention::new(graceful.map_or(0, |graceful| graceful.long_lived_stale_time_s)),
            recovery: recovery.clone(),
            is_waited_for: setup.awaited && graceful.is_some(),
            has_been_up: false,
            said: None,
        }
    }

    /// Has the next OPEN say how it stands with us (RFC 4724 s3).
    pub(crate) fn tell(&mut self, session: &mut Session) {
        let restarting = !self.has_been_up && self.recovery.waits();
        let forwards = self.has_been_up || self.recovery.forwards;
        if self.said.replace((restarting, forwards)) != Some((restarting, forwards)) {
            session.set_restart(restarting, [forwards; 2]);
        }
    }

    pub(crate) fn established(&mut self, negotiated: &Negotiated, now: Instant) -> Vec<Order> {
        self.has_been_up = true;
        self.retention.established(now, negotiated)
    }

    /// Whether the peer has been waited for after a restart of ours, and is not to be any longer: then all shards are to know.
    pub(crate) fn is_heard(&mut self) -> bool {
        self.is_waited_for && self.retention.is_heard() && std::mem::take(&mut self.is_waited_for)
    }

    /// The same, because the peer is to be heard no more.
    pub(crate) fn is_given_up(&mut self) -> bool {
        std::mem::take(&mut self.is_waited_for)
    }

    pub(crate) fn phases(&self) -> [Phase; 2] {
        self.retention.phases()
    }

    pub(crate) fn retention(&mut self) -> &mut Retention {
        &mut self.retention
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.retention.next_timeout()
    }
}

/// What the shards are told, each of them all of it.
pub(crate) fn messages(
    index: PeerIndex,
    orders: impl IntoIterator<Item = Order>,
    shards: usize,
) -> impl Iterator<Item = (usize, ToShard)> {
    let message = move |order| match order {
        Order::Lost(retained) => ToShard::PeerLost(index, retained),
        Order::MarkStale(family) => ToShard::Stale(index, Stale::Begin(family)),
        Order::LongLived(family) => ToShard::Stale(index, Stale::LongLived(family)),
        Order::Sweep(family) => ToShard::Stale(index, Stale::Sweep(family)),
    };
    orders.into_iter().flat_map(move |order| (0..shards).map(move |shard| (shard, message(order))))
}
