//! A session with one peer: the machine of RFC 4271 s8, without sockets and without a clock.
//!
//! ```text
//!     start, stop, connected, connection_closed --> +---------+ --> poll_action: Connect, Close
//!     input (octets as they were read)          --> | Session | --> next_event: Established, Update, Down, ..
//!     handle_timeout (what time it is)          --> +---------+ --> poll_transmit: OPEN, KEEPALIVE, NOTIFICATION
//!                                                                   next_timeout
//! ```
//!
//! After any call the caller asks again what there is to do, until there is nothing. UPDATEs to send are no business of
//! the machine: the caller writes them, whole messages between whole messages of [`Session::poll_transmit`], and says so
//! by [`Session::sent`].
//!
//! Both ends may connect at once, so that for a while there may be two connections; which one stays is decided when an OPEN
//! arrives (s6.8). RFC 4271 speaks of one machine a connection; here each connection has its phase, and what they
//! share, the wish to connect and the rest after a failure, is the session's.
//!
//! Not here: what routes mean, and anything about a peer's policy. RFC 4271's DelayOpen is left out: nothing needs it.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use crate::attribute_codes::AttributeCodes;
use crate::connection::{Connection, Phase};
use crate::message::MessageKind;
use crate::negotiated::Negotiated;
use crate::notification::{Cease, Violation};
use crate::timers::{Jitter, Timer, Timers};
use crate::update::Decoder;

mod config;
mod connections;
mod event;
mod messages;

pub use config::{DEFAULT_CONNECT_RETRY_S, DEFAULT_HOLD_TIME_S, GracefulRestart, SessionConfig};
pub use event::{Cause, DownReason, Event, IgnoredRefresh};

use config::OwnRestart;

/// Which of the two transport connections that a session may have for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectionId {
    /// The one that we opened.
    Outgoing,
    /// The one that the peer opened.
    Incoming,
}

impl ConnectionId {
    /// Both.
    pub const ALL: [ConnectionId; 2] = [ConnectionId::Outgoing, ConnectionId::Incoming];

    /// 0 and 1, for arrays that hold one of each.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            ConnectionId::Outgoing => ConnectionId::Incoming,
            ConnectionId::Incoming => ConnectionId::Outgoing,
        }
    }
}

/// What the caller is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Connect to the peer; then call [`Session::connected`] or [`Session::connection_closed`], with [`ConnectionId::Outgoing`].
    Connect,
    /// Write what [`Session::poll_transmit`] still has for the connection, close it (or give up connecting), and call
    /// [`Session::connection_closed`].
    Close(ConnectionId),
}

/// The states of RFC 4271 s8.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Stopped, or resting after a failure.
    Idle,
    /// Waiting for the peer to connect, or for the next attempt to do so.
    Active,
    /// Connecting.
    Connect,
    /// Our OPEN is sent.
    OpenSent,
    /// The OPENs agree.
    OpenConfirm,
    /// Routes are exchanged.
    Established,
}

/// A session with one peer.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    restart: OwnRestart,
    /// What is taken for absent in UPDATEs.
    stripped: AttributeCodes,
    /// The OPEN of the two above.
    open: Bytes,
    started: bool,
    connections: [Connection; 2],
    timers: Timers,
    jitter: Jitter,
    decoder: Decoder,
    /// Ends that nobody asked about yet.
    ends: VecDeque<Event<'static>>,
    connect: bool,
    close: [bool; 2],
    /// Failures in a row, for the rest that follows them.
    failures: u32,
    /// Connections in a row that closed without a word.
    losses: u32,
    up_since: Option<Instant>,
    /// Messages that came, by [`MessageKind::index`].
    received: [u64; MessageKind::ALL.len()],
}

/// What one look at the input amounts to.
enum Look {
    Nothing,
    Again,
    Event(Event<'static>),
    Update(ConnectionId, std::ops::Range<usize>),
}

impl Session {
    /// A stopped session. `seed` decides the jitter of its timers.
    pub fn new(config: SessionConfig, seed: u64) -> Self {
        Session {
            open: opening(&config, OwnRestart::default()),
            config,
            restart: OwnRestart::default(),
            stripped: AttributeCodes::default(),
            started: false,
            connections: Default::default(),
            timers: Timers::default(),
            jitter: Jitter::new(seed),
            decoder: Decoder::new(),
            ends: VecDeque::new(),
            connect: false,
            close: [false; 2],
            failures: 0,
            losses: 0,
            up_since: None,
            received: [0; MessageKind::ALL.len()],
        }
    }

    /// Starts it. Nothing happens where it is started already.
    pub fn start(&mut self, now: Instant) {
        if !self.started {
            self.started = true;
            self.failures = 0;
            self.losses = 0;
            self.leave_idle(now);
        }
    }

    /// Stops it: the peer is told why, and nothing happens until it is started again.
    pub fn stop(&mut self, now: Instant, reason: Cease) {
        self.started = false;
        self.timers.stop_all();
        for id in ConnectionId::ALL {
            let connection = &self.connections[id.index()];
            if connection.is_established() {
                self.end(self.ended(id, DownReason::sent(self.farewell(id, &reason))), now);
            }
            self.dismiss(id, &reason, now);
        }
    }

    /// Stops it because we are about to be restarted. A peer that keeps our routes meanwhile is left without a word, which is
    /// what it keeps them for (RFC 4724 s4.2); any other is told the reason, as by [`Session::stop`].
    pub fn leave(&mut self, now: Instant, reason: Cease) {
        for id in ConnectionId::ALL {
            if let Phase::Established(negotiated) = &self.connections[id.index()].phase
                && negotiated.peer_restart.is_some()
            {
                self.shut(id);
                self.end(Event::Down { reason: DownReason::Left, retained: [false; 2] }, now);
            }
        }
        self.stop(now, reason);
    }

    /// What the OPENs from now on say of a restart of ours (RFC 4724 s3): whether we have just been restarted, and whether the
    /// routes that we forwarded by before are still in force, by [`crate::Family::index`].
    pub fn set_restart(&mut self, restarting: bool, forwarding: [bool; 2]) {
        self.restart = OwnRestart { restarting, forwarding };
        self.open = opening(&self.config, self.restart);
    }

    /// Has these attributes taken for absent in the UPDATEs from now on; whether that is something else than before.
    pub fn set_stripped(&mut self, stripped: AttributeCodes) -> bool {
        std::mem::replace(&mut self.stripped, stripped) != stripped
    }

    /// Where it stands: the state of the connection that got furthest.
    pub fn state(&self) -> State {
        let furthest = self.connections.iter().filter_map(|connection| match connection.phase {
            Phase::Vacant | Phase::Closing => None,
            Phase::Connecting => Some(State::Connect),
            Phase::OpenSent => Some(State::OpenSent),
            Phase::OpenConfirm(_) => Some(State::OpenConfirm),
            Phase::Established(_) => Some(State::Established),
        });
        let resting = !self.started || self.timers.is_running(Timer::IdleHold);
        furthest.max().unwrap_or(if resting { State::Idle } else { State::Active })
    }

    /// How many times in a row it has failed, which is how long it rests after the next time.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// When it is to try again: the end of a rest after a failure, until when it takes no connection either, or the next time that
    /// it connects. `None` while it need not, or waits for the peer.
    pub fn next_attempt(&self) -> Option<Instant> {
        self.timers.due(Timer::IdleHold).or(self.timers.due(Timer::ConnectRetry))
    }

    /// What the session runs with, while it is Established.
    pub fn negotiated(&self) -> Option<&Negotiated> {
        self.connections.iter().find(|connection| connection.is_established())?.negotiated()
    }

    /// How many messages have come since there is this session, by [`MessageKind::index`].
    pub fn received(&self) -> &[u64; MessageKind::ALL.len()] {
        &self.received
    }

    /// The next thing to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        for id in ConnectionId::ALL {
            if std::mem::take(&mut self.close[id.index()]) {
                return Some(Action::Close(id));
            }
        }
        std::mem::take(&mut self.connect).then_some(Action::Connect)
    }

    /// A connection is open: the one that [`Action::Connect`] asked for, or one that the peer opened while
    /// [`Session::accepts_incoming`]. Any other is asked to be closed.
    pub fn connected(&mut self, id: ConnectionId, now: Instant) {
        let expected = match id {
            ConnectionId::Outgoing => self.connections[id.index()].phase == Phase::Connecting,
            ConnectionId::Incoming => self.accepts_incoming(),
        };
        if !expected {
            if self.connections[id.index()].phase == Phase::Vacant {
                self.shut(id);
            }
            return;
        }
        if id == ConnectionId::Outgoing {
            self.timers.stop(Timer::ConnectRetry);
        }
        self.connections[id.index()].phase = Phase::OpenSent;
        self.restart_hold(id, now);
        self.send(id, self.open.clone(), now);
    }

    /// A connection is closed, or could not be opened. What was read from it before is to be asked about first, by
    /// [`Session::next_event`].
    pub fn connection_closed(&mut self, id: ConnectionId, now: Instant) {
        self.timers.stop_connection(id);
        self.close[id.index()] = false;
        let phase = self.connections[id.index()].vacate();
        match phase {
            Phase::Vacant => return,
            Phase::Connecting => return self.retry_later(now),
            Phase::Closing => return self.resume(now),
            Phase::OpenSent | Phase::OpenConfirm(_) => {
                self.end(Event::Failed(DownReason::ConnectionLost), now)
            }
            Phase::Established(negotiated) => {
                let reason = DownReason::ConnectionLost;
                self.end(Event::Down { retained: negotiated.retained(&reason), reason }, now);
            }
        }
        self.lost(now);
    }

    /// The connection that one which the peer opens now takes the place of: that of a session which is up, with a peer that keeps
    /// routes over a restart. It has restarted, and we were not told (RFC 4724 s5). The caller is to close that one as it stands, say
    /// so by [`Session::connection_closed`], and then bring the new one.
    pub fn superseded(&self) -> Option<ConnectionId> {
        ConnectionId::ALL.into_iter().find(|id| match &self.connections[id.index()].phase {
            Phase::Established(negotiated) => negotiated.keeps_routes(),
            _ => false,
        })
    }

    /// Whether a connection that the peer opens now is welcome.
    pub fn accepts_incoming(&self) -> bool {
        self.started
            && !self.timers.is_running(Timer::IdleHold)
            && self.connections[ConnectionId::Incoming.index()].phase == Phase::Vacant
            && !self.connections[ConnectionId::Outgoing.index()].is_established()
    }

    /// Where the octets go that were read from a connection. It holds less than a message whenever [`Session::next_event`]
    /// has nothing more: a caller that reads once and then asks until there is nothing never holds more than
    /// a message and a read.
    pub fn input(&mut self, id: ConnectionId) -> &mut BytesMut {
        self.connections[id.index()].input()
    }

    /// What the octets read so far amount to, one event at a time.
    pub fn next_event(&mut self, now: Instant) -> Option<Event<'_>> {
        loop {
            match self.look(now) {
                Look::Nothing => return None,
                Look::Again => {}
                Look::Event(event) => return Some(event),
                Look::Update(id, body) => match self.check_update(id, body.clone()) {
                    Ok(layout) => {
                        let octets = self.connections[id.index()].octets(body);
                        return Some(Event::Update(self.decoder.view(octets, layout)));
                    }
                    Err(notification) => self.refuse(id, body, notification, now),
                },
            }
        }
    }

    /// The next message to write to a connection: OPEN, KEEPALIVE, NOTIFICATION. To be asked for when the socket takes more:
    /// what is left here for too long means that the peer does not read (RFC 9687).
    pub fn poll_transmit(&mut self, id: ConnectionId) -> Option<Bytes> {
        let connection = &mut self.connections[id.index()];
        let message = connection.transmit();
        if connection.is_flushed() {
            self.timers.stop(Timer::SendHold(id));
        }
        message
    }

    /// When [`Session::handle_timeout`] is to be called at the latest.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Does what is due. The caller reads what its sockets hold first: a peer that spoke in time is not to be taken for
    /// silent because we were busy.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.timers.expire(now) {
            match timer {
                Timer::ConnectRetry => self.retry(now),
                Timer::IdleHold => self.leave_idle(now),
                Timer::Hold(id) => self.hold_expired(id, now),
                Timer::Keepalive(id) => self.keepalive_due(id, now),
                Timer::SendHold(id) => self.expired(id, Violation::SendHoldTimerExpired, now),
            }
        }
    }

    /// The peer took UPDATEs: it needs no KEEPALIVE for a while, and it does read.
    pub fn sent(&mut self, now: Instant) {
        for id in ConnectionId::ALL {
            if self.connections[id.index()].is_established() {
                self.restart_keepalive(id, now);
                if self.timers.is_running(Timer::SendHold(id)) {
                    self.restart_send_hold(id, now);
                }
            }
        }
    }
}

/// Our OPEN: a handful of capabilities, which fit any message.
fn opening(config: &SessionConfig, restart: OwnRestart) -> Bytes {
    config.open(restart).encode().unwrap_or_default().into()
}

#[cfg(test)]
mod tests;
