//! The octets of the peer's connections: what comes goes to the session, what goes out is the session's or the queue's.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use palisade_bgp::session::ConnectionId;
use tokio::net::TcpStream;
use tracing::debug;

use super::PeerTask;
use crate::run::connection::Connection;
use crate::run::queue::Outgoing;
use crate::run::telling;

/// Octets of input room that a silent session may keep.
const INPUT_KEPT: usize = 4096;

impl PeerTask {
    /// Queues what the session itself has to say, on connections that have nothing else to write. Where a peer does not
    /// read, it stays in the session, which counts that as silence (RFC 9687).
    pub(super) fn transmit(&mut self) {
        for id in [ConnectionId::Outgoing, ConnectionId::Incoming] {
            if self.connections.get(id).is_some_and(|connection| !connection.has_waiting()) {
                self.transmit_all(id);
            }
        }
    }

    pub(super) fn transmit_all(&mut self, id: ConnectionId) {
        while let Some(octets) = self.session.poll_transmit(id) {
            if let Some(connection) = self.connections.of(id) {
                connection.queue(octets);
            }
        }
    }

    pub(super) fn connected(&mut self, result: io::Result<TcpStream>, now: Instant) {
        self.connecting = None;
        match result {
            Ok(stream) => {
                self.connections.outgoing =
                    Some(Connection::new(stream, Arc::clone(&self.setup.status.traffic)));
                self.session.connected(ConnectionId::Outgoing, now);
            }
            Err(fault) => {
                debug!(peer = self.setup.name, remote = %self.setup.settings.transport.remote, %fault, "could not connect");
                self.setup.status.set_fault(format!("could not connect: {fault}"));
                self.session.connection_closed(ConnectionId::Outgoing, now);
            }
        }
    }

    pub(super) fn read(&mut self, id: ConnectionId, now: Instant) {
        let Some(connection) = self.connections.of(id) else { return };
        match connection.read(self.session.input(id)) {
            Ok(0) => self.lost(id, None, now),
            Ok(_) => {}
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {}
            Err(fault) => self.lost(id, Some(fault), now),
        }
    }

    pub(super) fn write(&mut self, id: ConnectionId, now: Instant) {
        let Some(connection) = self.connections.of(id) else { return };
        match connection.write() {
            Err(fault) if fault.kind() != io::ErrorKind::WouldBlock => self.lost(id, Some(fault), now),
            _ => self.count_written(id, now),
        }
    }

    pub(super) fn lost(&mut self, id: ConnectionId, fault: Option<io::Error>, now: Instant) {
        debug!(peer = self.setup.name, ?id, ?fault, "connection closed");
        *self.connections.of(id) = None;
        self.session.connection_closed(id, now);
    }

    fn count_written(&mut self, id: ConnectionId, now: Instant) {
        let octets = self.connections.of(id).as_mut().map_or(0, Connection::take_written_chunks);
        let Some(up) = self.up.as_ref().filter(|up| up.connection == id && octets > 0) else { return };
        self.session.sent(now);
        if up.queue.written(octets) {
            self.around.shards.wake();
        }
    }

    /// Takes chunks to the connection, as many as it wants.
    pub(super) fn outgoing(&mut self, first: Outgoing, now: Instant) {
        let mut next = Some(first);
        while let Some(outgoing) = next.take() {
            let Some(up) = &mut self.up else { return };
            let Some(connection) = self.connections.of(up.connection) else { return };
            match outgoing {
                Outgoing::Chunk(chunk) => connection.queue_chunk(&chunk, self.setup.index),
                Outgoing::Walked(family) => {
                    if let Some(end) = up.walked(family) {
                        connection.queue(telling::end(end, family).into());
                    }
                }
            }
            if connection.wants_more() {
                next = up.queue.try_next();
            }
        }
        self.begin_refreshes();
        if let Some(up) = &self.up {
            self.write(up.connection, now);
        }
    }

    /// Lets go of the room that was made to read into: most sessions are silent most of the time.
    pub(super) fn release_input(&mut self) {
        for id in [ConnectionId::Outgoing, ConnectionId::Incoming] {
            let input = self.session.input(id);
            if input.capacity() > INPUT_KEPT && input.len() <= INPUT_KEPT {
                *input = BytesMut::from(&input[..]);
            }
        }
    }
}
