//! How a session's connections come and go: connecting, closing, resting after failures, and what is due in between.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::messages::KEEPALIVE;
use super::{Cause, ConnectionId, DownReason, Event, Session};
use crate::connection::Phase;
use crate::message::MAX_LEN;
use crate::notification::{Cease, Notification, Violation};
use crate::timers::Timer;

/// How long a peer may take to answer our OPEN (RFC 4271 s8.2.2 suggests four minutes).
const OPEN_HOLD: Duration = Duration::from_secs(240);
/// The rest after a first failure. It doubles with each one that follows.
const IDLE_HOLD_MIN: Duration = Duration::from_secs(1);
/// The longest rest after failures; also how long a session must have been up for those before it to be forgotten.
const IDLE_HOLD_MAX: Duration = Duration::from_secs(120);
/// Connections in a row that may close without a word before there is a rest after each: a peer that is being restarted
/// closes some, and is welcome at once when it is back.
const LOSSES_FORGIVEN: u32 = 3;
/// The least time for which a peer may leave unread what it was sent; twice the hold time where that is longer (RFC 9687 s3).
const SEND_HOLD_MIN: Duration = Duration::from_secs(480);

impl Session {
    /// Begins to connect, or to wait for the peer to do so. Where the last connection is not closed yet, that is for when it is.
    pub(super) fn leave_idle(&mut self, now: Instant) {
        let outgoing = &mut self.connections[ConnectionId::Outgoing.index()];
        if !self.config.passive && outgoing.phase == Phase::Vacant {
            outgoing.phase = Phase::Connecting;
            self.connect = true;
            self.restart_connect_retry(now);
        }
    }

    /// An attempt has been going on for too long, or it is time for another. There is no need while the peer's own
    /// connection gets somewhere.
    pub(super) fn retry(&mut self, now: Instant) {
        let [outgoing, incoming] = &self.connections;
        match outgoing.phase {
            Phase::Connecting => self.shut(ConnectionId::Outgoing),
            Phase::Vacant if !incoming.is_open() => self.leave_idle(now),
            _ => self.restart_connect_retry(now),
        }
    }

    /// A connection that was to be closed is. Goes on connecting where nothing else is under way.
    pub(super) fn resume(&mut self, now: Instant) {
        let waits = self.timers.is_running(Timer::IdleHold) || self.timers.is_running(Timer::ConnectRetry);
        let busy = self.connections.iter().any(|connection| connection.phase != Phase::Vacant);
        if self.started && !waits && !busy {
            self.leave_idle(now);
        }
    }

    /// A connection closed without a word. That happens; where it goes on happening, it is a failure like others.
    pub(super) fn lost(&mut self, now: Instant) {
        self.losses = self.losses.saturating_add(1);
        if self.losses > LOSSES_FORGIVEN {
            self.rest(now);
        }
        self.retry_later(now);
    }

    /// Connects again after a while.
    pub(super) fn retry_later(&mut self, now: Instant) {
        let waits = self.timers.is_running(Timer::IdleHold) || self.timers.is_running(Timer::ConnectRetry);
        if self.started && !self.config.passive && !waits {
            self.restart_connect_retry(now);
        }
    }

    /// Rests after a failure, longer after each one in a row, unless another connection may still do. This is what keeps two
    /// speakers that will never agree from asking each other all day (RFC 4271 s8.1.1, DampPeerOscillations).
    fn rest(&mut self, now: Instant) {
        if !self.started || self.connections.iter().any(|connection| connection.is_open()) {
            return;
        }
        let whole = IDLE_HOLD_MIN * (1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        self.timers.stop(Timer::ConnectRetry);
        self.timers.set(Timer::IdleHold, now + self.jitter.of(whole.min(IDLE_HOLD_MAX)));
        if self.connections[ConnectionId::Outgoing.index()].phase == Phase::Connecting {
            self.shut(ConnectionId::Outgoing);
        }
    }

    /// Notes an end for [`Session::next_event`]. A session that was up for long has its earlier failures forgotten.
    pub(super) fn end(&mut self, end: Event<'static>, now: Instant) {
        if let (Event::Down { .. }, Some(since)) = (&end, self.up_since.take())
            && now.saturating_duration_since(since) >= IDLE_HOLD_MAX
        {
            self.failures = 0;
            self.losses = 0;
        }
        self.ends.push_back(end);
    }

    /// The end of a connection that is still there, for a reason.
    pub(super) fn ended(&self, id: ConnectionId, reason: DownReason) -> Event<'static> {
        match &self.connections[id.index()].phase {
            Phase::Established(negotiated) => Event::Down { retained: negotiated.retained(&reason), reason },
            _ => Event::Failed(reason),
        }
    }

    /// The peer did wrong: it is told, and the connection ends.
    pub(super) fn fail(&mut self, id: ConnectionId, notification: Notification, cause: Cause, now: Instant) {
        if !self.connections[id.index()].is_open() {
            return;
        }
        let message = notification.encode_within(self.longest_sent(id)).into();
        let ended = self.ended(id, DownReason::Sent { notification, cause });
        self.send(id, message, now);
        self.shut(id);
        self.end(ended, now);
        self.rest(now);
    }

    /// The peer did nothing for too long.
    pub(super) fn expired(&mut self, id: ConnectionId, timer: Violation<'_>, now: Instant) {
        self.fail(id, timer.into(), Cause::default(), now);
    }

    /// The peer says that we did wrong, or that it has had enough. That it kept the other connection is no failure.
    pub(super) fn told(&mut self, id: ConnectionId, notification: Notification, now: Instant) {
        let collision = notification.is_collision_resolution();
        let ended = self.ended(id, DownReason::Received(notification));
        self.shut(id);
        if !collision || !self.connections[id.other().index()].is_open() {
            self.end(ended, now);
        }
        if collision {
            self.retry_later(now);
        } else {
            self.rest(now);
        }
    }

    /// Ends a connection for a reason of our own, or gives up connecting.
    pub(super) fn dismiss(&mut self, id: ConnectionId, reason: &Cease, now: Instant) {
        match self.connections[id.index()].phase {
            Phase::Vacant | Phase::Closing => {}
            Phase::Connecting => self.shut(id),
            Phase::OpenSent | Phase::OpenConfirm(_) | Phase::Established(_) => {
                let message = self.farewell(id, reason).encode_within(self.longest_sent(id));
                self.send(id, message.into(), now);
                self.shut(id);
            }
        }
    }

    /// What a connection that we end for a reason of our own is ended with: a Hard Reset where the peer would keep our routes
    /// otherwise, and is not to (RFC 8538 s3, s5.1).
    pub(super) fn farewell(&self, id: ConnectionId, reason: &Cease) -> Notification {
        let negotiated = self.connections[id.index()].negotiated();
        let restart = negotiated.and_then(|negotiated| negotiated.peer_restart.as_ref());
        let plain = Notification::from(reason);
        match restart.is_some_and(|restart| restart.notification) && reason.is_final() {
            true => plain.hard_reset(),
            false => plain,
        }
    }

    /// The longest message for a connection; before anything is agreed on, what any peer takes.
    fn longest_sent(&self, id: ConnectionId) -> usize {
        self.connections[id.index()].negotiated().map_or(MAX_LEN, |negotiated| negotiated.max_sent)
    }

    /// Has the caller close a connection.
    pub(super) fn shut(&mut self, id: ConnectionId) {
        self.timers.stop_connection(id);
        self.connections[id.index()].phase = Phase::Closing;
        self.close[id.index()] = true;
        if id == ConnectionId::Outgoing {
            self.connect = false;
        }
    }

    pub(super) fn send(&mut self, id: ConnectionId, message: Bytes, now: Instant) {
        if self.connections[id.index()].send(message) {
            self.restart_send_hold(id, now);
        }
    }

    pub(super) fn keepalive_due(&mut self, id: ConnectionId, now: Instant) {
        // One that still waits to be written says as much as two.
        if self.connections[id.index()].is_flushed() {
            self.send(id, Bytes::from_static(&KEEPALIVE), now);
        }
        self.restart_keepalive(id, now);
    }

    /// Silence, unless what the peer said waits to be looked at.
    pub(super) fn hold_expired(&mut self, id: ConnectionId, now: Instant) {
        if self.connections[id.index()].has_message() {
            self.restart_hold(id, now);
        } else {
            self.expired(id, Violation::HoldTimerExpired, now);
        }
    }

    fn restart_connect_retry(&mut self, now: Instant) {
        let whole = Duration::from_secs(self.config.connect_retry_s.max(1).into());
        self.timers.set(Timer::ConnectRetry, now + self.jitter.of(whole));
    }

    /// Without a hold time there is no silence that is too long, but a peer still has to answer our OPEN.
    pub(super) fn restart_hold(&mut self, id: ConnectionId, now: Instant) {
        let established = self.connections[id.index()].is_established();
        match self.hold_time(id) {
            Some(Duration::ZERO) if established => self.timers.stop(Timer::Hold(id)),
            None | Some(Duration::ZERO) => self.timers.set(Timer::Hold(id), now + OPEN_HOLD),
            Some(hold) => self.timers.set(Timer::Hold(id), now + hold),
        }
    }

    /// KEEPALIVEs go out three to four times a hold time (RFC 4271 s4.4, s10).
    pub(super) fn restart_keepalive(&mut self, id: ConnectionId, now: Instant) {
        if let Some(hold) = self.hold_time(id).filter(|hold| !hold.is_zero()) {
            self.timers.set(Timer::Keepalive(id), now + self.jitter.of(hold / 3));
        }
    }

    pub(super) fn restart_send_hold(&mut self, id: ConnectionId, now: Instant) {
        let hold = self.hold_time(id).unwrap_or_default();
        self.timers.set(Timer::SendHold(id), now + SEND_HOLD_MIN.max(hold * 2));
    }

    /// The hold time that was agreed on; `None` before one was.
    fn hold_time(&self, id: ConnectionId) -> Option<Duration> {
        let negotiated = self.connections[id.index()].negotiated()?;
        Some(Duration::from_secs(negotiated.hold_time_s.into()))
    }
}
