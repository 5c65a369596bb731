//! The session machine.

use std::net::Ipv4Addr;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use crate::as_path::Asn;
use crate::negotiated::Negotiated;
use crate::notification::{Cease, Notification};
use crate::prefix::Family;
use crate::update::Update;

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
    /// How long to wait between attempts to connect, in seconds.
    pub connect_retry_s: u16,
    /// Whether to wait for the peer to connect.
    pub passive: bool,
    /// The families to exchange.
    pub families: Vec<Family>,
}

/// Which of the two transport connections that a session may have for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectionId {
    /// The one that we opened.
    Outgoing,
    /// The one that the peer opened.
    Incoming,
}

/// What the caller is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Connect to the peer; then [`Session::connected`] or [`Session::connection_closed`], with [`ConnectionId::Outgoing`].
    Connect,
    /// Write what [`Session::poll_transmit`] still has for the connection, close it, and say so by [`Session::connection_closed`].
    Close(ConnectionId),
}

/// The states of RFC 4271 s8.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Stopped, or waiting after a failure.
    Idle,
    /// Connecting.
    Connect,
    /// Waiting for the peer to connect, or for the next attempt.
    Active,
    /// Our OPEN is sent.
    OpenSent,
    /// The OPENs are exchanged and agree.
    OpenConfirm,
    /// Routes are exchanged.
    Established,
}

/// Why a session, or an attempt at one, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DownReason {
    /// We sent a NOTIFICATION: of a peer's fault, or a Cease of our own.
    Sent(Notification),
    /// The peer sent one.
    Received(Notification),
    /// The connection closed without a word.
    ConnectionLost,
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
    /// An attempt ended before the session was up. There are no routes to take back.
    Failed(DownReason),
}

/// A session with one peer.
#[derive(Debug)]
pub struct Session {
    input: BytesMut,
}

impl Session {
    /// A stopped session. `seed` is for the jitter of its timers.
    pub fn new(config: SessionConfig, seed: u64) -> Self {
        let _ = (config, seed);
        Session { input: BytesMut::new() }
    }

    /// Starts it.
    pub fn start(&mut self, now: Instant) {
        let _ = now;
    }

    /// Stops it: a Cease is sent, and nothing happens until it is started again.
    pub fn stop(&mut self, now: Instant, reason: Cease) {
        let _ = (now, reason);
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        State::Idle
    }

    /// What runs, while it is Established.
    pub fn negotiated(&self) -> Option<&Negotiated> {
        None
    }

    /// The next thing to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        None
    }

    /// A connection is open.
    pub fn connected(&mut self, connection: ConnectionId, now: Instant) {
        let _ = (connection, now);
    }

    /// A connection is closed, or could not be opened.
    pub fn connection_closed(&mut self, connection: ConnectionId, now: Instant) {
        let _ = (connection, now);
    }

    /// Whether a connection that the peer opens now is welcome.
    pub fn accepts_incoming(&self) -> bool {
        false
    }

    /// Where the octets go that were read from a connection.
    pub fn input(&mut self, connection: ConnectionId) -> &mut BytesMut {
        let _ = connection;
        &mut self.input
    }

    /// What the input read so far amounts to.
    pub fn next_event(&mut self, now: Instant) -> Option<Event<'_>> {
        let _ = now;
        None
    }

    /// What to write to a connection, ahead of any UPDATE: OPEN, KEEPALIVE, NOTIFICATION.
    pub fn poll_transmit(&mut self, connection: ConnectionId) -> Option<Bytes> {
        let _ = connection;
        None
    }

    /// When [`Session::handle_timeout`] is to be called at the latest.
    pub fn next_timeout(&self) -> Option<Instant> {
        None
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let _ = now;
    }

    /// The caller wrote UPDATEs: the peer needs no KEEPALIVE for a while.
    pub fn sent(&mut self, now: Instant) {
        let _ = now;
    }
}
