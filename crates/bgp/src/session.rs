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
use std::net::Ipv4Addr;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use crate::as_path::Asn;
use crate::capability::{AddPath, AddPathFamily, Capability};
use crate::connection::{Connection, Phase};
use crate::negotiated::Negotiated;
use crate::notification::{Cease, Notification, Violation};
use crate::open::Open;
use crate::prefix::Family;
use crate::timers::{Jitter, Timer, Timers};
use crate::update::{Decoder, Update};

/// The hold time proposed where nothing else is configured (RFC 4271 s10).
pub const DEFAULT_HOLD_TIME_S: u16 = 90;
/// The time between attempts to connect where nothing else is configured.
pub const DEFAULT_CONNECT_RETRY_S: u16 = 30;

mod connections;
mod messages;

/// What a session is configured with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionConfig {
    /// Our AS.
    pub local_asn: Asn,
    /// Our BGP identifier.
    pub router_id: Ipv4Addr,
    /// The AS the peer must be of.
    pub peer_asn: Asn,
    /// The hold time we propose, in seconds: 0 for none, or at least 3.
    pub hold_time_s: u16,
    /// How long to wait between attempts to connect, in seconds; at least 1.
    pub connect_retry_s: u16,
    /// Whether to wait for the peer to connect.
    pub passive: bool,
    /// The families to exchange.
    pub families: Vec<Family>,
    /// What we are willing to do with several paths to a prefix (RFC 7911), by [`Family::index`]; nothing for a family that is not
    /// exchanged.
    pub add_path: [AddPath; 2],
}

impl SessionConfig {
    /// Both families with one path to a prefix, and what RFC 4271 s10 suggests.
    pub fn new(local_asn: Asn, router_id: Ipv4Addr, peer_asn: Asn) -> Self {
        SessionConfig {
            local_asn,
            router_id,
            peer_asn,
            hold_time_s: DEFAULT_HOLD_TIME_S,
            connect_retry_s: DEFAULT_CONNECT_RETRY_S,
            passive: false,
            families: Family::ALL.to_vec(),
            add_path: [AddPath::OFF; 2],
        }
    }

    fn open(&self) -> Open {
        let families = Family::ALL.into_iter().filter(|family| self.families.contains(family));
        let mut capabilities: Vec<Capability> = families.clone().map(Capability::family).collect();
        capabilities.extend([Capability::RouteRefresh, Capability::FourOctetAs(self.local_asn)]);
        let add_path: Vec<_> = families.filter_map(|family| self.add_path_family(family)).collect();
        if !add_path.is_empty() {
            capabilities.push(Capability::AddPath(add_path));
        }
        Open { asn: self.local_asn, hold_time_s: self.hold_time_s, router_id: self.router_id, capabilities }
    }

    fn add_path_family(&self, family: Family) -> Option<AddPathFamily> {
        let can = self.add_path[family.index()];
        (can != AddPath::OFF).then_some(AddPathFamily { afi: family.afi(), safi: 1, can })
    }
}

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

/// Why a session, or an attempt at one, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DownReason {
    /// We sent a NOTIFICATION: of the peer's fault, or a Cease of our own.
    Sent(Notification),
    /// The peer sent one.
    Received(Notification),
    /// The connection closed without a word.
    ConnectionLost,
}

impl std::fmt::Display for DownReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DownReason::Sent(notification) => write!(f, "sent {notification}"),
            DownReason::Received(notification) => write!(f, "received {notification}"),
            DownReason::ConnectionLost => f.write_str("connection lost"),
        }
    }
}

/// What happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// The session is up.
    Established(Negotiated),
    /// Routes.
    Update(Update<'a>),
    /// The peer asks for all routes of a family again.
    RouteRefresh(Family),
    /// The session that was up is down.
    Down(DownReason),
    /// An attempt ended before the session was up: there are no routes to take back.
    Failed(DownReason),
}

/// A session with one peer.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
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
    up_since: Option<Instant>,
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
            // A handful of capabilities, which fit any message.
            open: config.open().encode().unwrap_or_default().into(),
            config,
            started: false,
            connections: Default::default(),
            timers: Timers::default(),
            jitter: Jitter::new(seed),
            decoder: Decoder::new(),
            ends: VecDeque::new(),
            connect: false,
            close: [false; 2],
            failures: 0,
            up_since: None,
        }
    }

    /// Starts it. Nothing happens where it is started already.
    pub fn start(&mut self, now: Instant) {
        if !self.started {
            self.started = true;
            self.failures = 0;
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
                self.end(Event::Down(DownReason::Sent(Notification::from(&reason))), now);
            }
            self.dismiss(id, &reason, now);
        }
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

    /// What the session runs with, while it is Established.
    pub fn negotiated(&self) -> Option<&Negotiated> {
        self.connections.iter().find(|connection| connection.is_established())?.negotiated()
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
            Phase::Connecting => {}
            Phase::Closing => return self.resume(now),
            Phase::OpenSent | Phase::OpenConfirm(_) => {
                self.end(Event::Failed(DownReason::ConnectionLost), now)
            }
            Phase::Established(_) => self.end(Event::Down(DownReason::ConnectionLost), now),
        }
        self.retry_later(now);
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
                    Err(notification) => self.fail(id, notification, now),
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
                Timer::SendHold(id) => self.fail(id, Violation::SendHoldTimerExpired.into(), now),
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

#[cfg(test)]
mod tests;
