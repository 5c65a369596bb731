//! The two connections that a session may have until the peers agree on one (RFC 4271 s6.8).

use palisade_bgp::session::ConnectionId;

use super::connection::Connection;

/// Both connections, as far as they are there.
#[derive(Debug, Default)]
pub(super) struct Connections {
    pub(super) outgoing: Option<Connection>,
    pub(super) incoming: Option<Connection>,
}

impl Connections {
    /// The place of one, to put it there or take it away.
    pub(super) fn of(&mut self, id: ConnectionId) -> &mut Option<Connection> {
        match id {
            ConnectionId::Outgoing => &mut self.outgoing,
            ConnectionId::Incoming => &mut self.incoming,
        }
    }

    /// One, where it is there.
    pub(super) fn get(&self, id: ConnectionId) -> Option<&Connection> {
        match id {
            ConnectionId::Outgoing => self.outgoing.as_ref(),
            ConnectionId::Incoming => self.incoming.as_ref(),
        }
    }
}
