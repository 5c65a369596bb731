//! What a session does with a message: the table of states and messages, and what an OPEN decides.

use std::ops::Range;
use std::time::Instant;

use bytes::Bytes;

use super::{ConnectionId, Event, Look, Session};
use crate::connection::Phase;
use crate::message::{HEADER_LEN, MessageKind, keepalive, refresh_request};
use crate::negotiated::Negotiated;
use crate::notification::{Cease, Notification, Violation};
use crate::open::Open;
use crate::timers::Timer;
use crate::update::Layout;

pub(super) static KEEPALIVE: [u8; HEADER_LEN] = keepalive();

impl Session {
    /// Looks for an end that nobody asked about yet, then at the next message.
    pub(super) fn look(&mut self, now: Instant) -> Look {
        if let Some(end) = self.ends.pop_front() {
            return Look::Event(end);
        }
        for id in ConnectionId::ALL {
            let connection = &mut self.connections[id.index()];
            if !connection.is_open() {
                connection.input().clear();
                continue;
            }
            match connection.next_message() {
                Ok(None) => {}
                Ok(Some((kind, body))) => return self.message(id, kind, body, now),
                Err(notification) => {
                    self.fail(id, notification, now);
                    return Look::Again;
                }
            }
        }
        Look::Nothing
    }

    /// The table of states and messages (RFC 4271 s8.2.2). What is not in it is unexpected (RFC 6608).
    fn message(&mut self, id: ConnectionId, kind: MessageKind, body: Range<usize>, now: Instant) -> Look {
        let connection = &self.connections[id.index()];
        match (&connection.phase, kind) {
            (_, MessageKind::Notification) => {
                let notification = Notification::decode(connection.octets(body));
                self.told(id, notification, now);
            }
            (Phase::OpenSent, MessageKind::Open) => {
                let opened = Open::decode(connection.octets(body))
                    .and_then(|open| Negotiated::new(&self.config, id, open));
                match opened {
                    Ok(negotiated) => self.opened(id, negotiated, now),
                    Err(notification) => self.fail(id, notification, now),
                }
            }
            (Phase::OpenConfirm(negotiated), MessageKind::Keepalive) => {
                let negotiated = negotiated.clone();
                return Look::Event(self.establish(id, negotiated, now));
            }
            (Phase::Established(_), MessageKind::Keepalive) => self.restart_hold(id, now),
            (Phase::Established(_), MessageKind::Update) => {
                self.restart_hold(id, now);
                return Look::Update(id, body);
            }
            (Phase::Established(negotiated), MessageKind::RouteRefresh) => {
                let family = refresh_request(connection.octets(body));
                match family.filter(|family| negotiated.families[family.index()]) {
                    Some(family) => return Look::Event(Event::RouteRefresh(family)),
                    None => return Look::Again,
                }
            }
            (phase, kind) => {
                let state = match phase {
                    Phase::OpenSent => 1,
                    Phase::OpenConfirm(_) => 2,
                    _ => 3,
                };
                self.fail(id, Violation::Unexpected(state, kind).into(), now);
            }
        }
        Look::Again
    }

    /// Whether an UPDATE is to be believed, and where everything is in it.
    pub(super) fn check_update(
        &mut self,
        id: ConnectionId,
        body: Range<usize>,
    ) -> Result<Layout, Notification> {
        let connection = &self.connections[id.index()];
        let context = connection.negotiated().map(Negotiated::context).unwrap_or_default();
        self.decoder.check(connection.octets(body), &context)
    }

    /// An OPEN that agrees with ours.
    fn opened(&mut self, id: ConnectionId, negotiated: Negotiated, now: Instant) {
        let other = &self.connections[id.other().index()];
        let kept = self.kept_in_collision(&negotiated);
        match other.phase {
            Phase::Established(_) => return self.dismiss(id, &Cease::CollisionResolution, now),
            Phase::OpenSent | Phase::OpenConfirm(_) if kept != id => {
                return self.dismiss(id, &Cease::CollisionResolution, now);
            }
            Phase::OpenSent | Phase::OpenConfirm(_) => {
                self.dismiss(id.other(), &Cease::CollisionResolution, now)
            }
            // It would only lose.
            Phase::Connecting if kept == id => self.shut(id.other()),
            _ => {}
        }
        self.connections[id.index()].phase = Phase::OpenConfirm(negotiated);
        self.send(id, Bytes::from_static(&KEEPALIVE), now);
        self.restart_keepalive(id, now);
        self.restart_hold(id, now);
    }

    /// Of two connections, the one that the speaker with the higher identifier opened is kept (RFC 4271 s6.8); of equal
    /// identifiers, that of the higher AS (RFC 6286 s2.3).
    fn kept_in_collision(&self, peer: &Negotiated) -> ConnectionId {
        let ours = (self.config.router_id, self.config.local_asn);
        if ours > (peer.peer_router_id, peer.peer_asn) {
            ConnectionId::Outgoing
        } else {
            ConnectionId::Incoming
        }
    }

    fn establish(&mut self, id: ConnectionId, negotiated: Negotiated, now: Instant) -> Event<'static> {
        self.dismiss(id.other(), &Cease::CollisionResolution, now);
        self.timers.stop(Timer::ConnectRetry);
        self.up_since = Some(now);
        self.connections[id.index()].phase = Phase::Established(negotiated.clone());
        self.restart_hold(id, now);
        Event::Established(negotiated)
    }
}
