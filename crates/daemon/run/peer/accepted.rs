//! A connection that the peer has made, and why it is not taken.

use std::sync::Arc;
use std::time::Instant;

use palisade_bgp::session::{ConnectionId, State};
use tokio::net::TcpStream;
use tracing::debug;

use super::PeerTask;
use crate::run::connection::Connection;
use crate::run::refusal::Refusal;

impl PeerTask {
    /// Takes a connection that the peer has made, where the session does.
    pub(super) fn accept(&mut self, stream: TcpStream, now: Instant) {
        self.give_way(now);
        if self.session.accepts_incoming() && self.connections.incoming.is_none() {
            self.connections.incoming = Some(Connection::new(stream, Arc::clone(&self.setup.status.traffic)));
            self.session.connected(ConnectionId::Incoming, now);
        } else {
            let why = self.refusal();
            self.setup.status.refused.count(why);
            debug!(peer = self.setup.name, why = why.slug(), "a connection that is not expected was closed");
        }
    }

    /// Why it takes no connection of the peer's.
    fn refusal(&self) -> Refusal {
        match (&self.held_down, self.session.state()) {
            (Some(held), _) => held.refusal(),
            (None, State::Idle) => Refusal::Resting,
            _ => Refusal::Another,
        }
    }

    /// Lets go of a session whose peer has restarted, as its new connection shows (RFC 4724 s5).
    fn give_way(&mut self, now: Instant) {
        if let Some(id) = self.session.superseded() {
            debug!(peer = self.setup.name, "the peer connects anew: its session is over");
            self.take_events();
            self.lost(id, None, now);
            self.take_events();
        }
    }
}
