//! What a session does with a message: the table of states and messages, and what an OPEN decides.

use std::ops::Range;
use std::time::Instant;

use bytes::Bytes;

use super::{Cause, ConnectionId, Event, IgnoredRefresh, Look, Session};
use crate::connection::Phase;
use crate::message::{HEADER_LEN, MessageKind, Refresh, keepalive};
use crate::negotiated::Negotiated;
use crate::notification::{Cease, Notification, Violation};
use crate::open::Open;
use crate::timers::Timer;
use crate::update::{Context, Layout};

/// Octets of a header that say something, before the body: the length and the type.
const LENGTH_BEFORE_BODY: usize = 3;

pub(super) static KEEPALIVE: [u8; HEADER_LEN] = keepalive();

/// What the body of a ROUTE-REFRESH comes to; nothing where it has none, which its length rules out.
fn refreshed(body: &[u8], negotiated: &Negotiated) -> Option<Event<'static>> {
    let marks = negotiated.enhanced_refresh;
    match Refresh::decode(body) {
        Some((refresh, family)) if negotiated.families[family.index()] => match refresh {
            Refresh::Request => Some(Event::RouteRefresh(family)),
            Refresh::Begins if marks => Some(Event::RefreshBegins(family)),
            Refresh::Ends if marks => Some(Event::RefreshEnds(family)),
            Refresh::Begins | Refresh::Ends => ignored(body),
        },
        _ => ignored(body),
    }
}

fn ignored(body: &[u8]) -> Option<Event<'static>> {
    let &[high, low, subtype, safi, ..] = body else { return None };
    Some(Event::RefreshIgnored(IgnoredRefresh { afi: u16::from_be_bytes([high, low]), safi, subtype }))
}

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
                Ok(Some((kind, body))) => {
                    self.received[kind.index()] += 1;
                    return self.message(id, kind, body, now);
                }
                Err(notification) => {
                    let cause = Cause::new(self.connections[id.index()].unread());
                    self.fail(id, notification, cause, now);
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
                let opened = Open::decode(connection.octets(body.clone()))
                    .and_then(|open| Negotiated::new(&self.config, id, open));
                match opened {
                    Ok(negotiated) => self.opened(id, negotiated, now),
                    Err(notification) => self.refuse(id, body, notification, now),
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
                let octets = connection.octets(body.clone());
                if negotiated.enhanced_refresh && Refresh::has_wrong_length(octets) {
                    let message = connection.octets(body.start.saturating_sub(HEADER_LEN)..body.end);
                    let notification = Violation::RefreshLength(message).into();
                    self.refuse(id, body, notification, now);
                } else if let Some(event) = refreshed(octets, negotiated) {
                    return Look::Event(event);
                }
            }
            (phase, kind) => {
                let state = match phase {
                    Phase::OpenSent => 1,
                    Phase::OpenConfirm(_) => 2,
                    _ => 3,
                };
                self.refuse(id, body, Violation::Unexpected(state, kind).into(), now);
            }
        }
        Look::Again
    }

    /// A message for which the session ends, by where its body is.
    pub(super) fn refuse(
        &mut self,
        id: ConnectionId,
        body: Range<usize>,
        notification: Notification,
        now: Instant,
    ) {
        let length = body.start.saturating_sub(LENGTH_BEFORE_BODY);
        let cause = Cause::new(self.connections[id.index()].octets(length..body.end));
        self.fail(id, notification, cause, now);
    }

    /// Whether an UPDATE is to be believed, and where everything is in it.
    pub(super) fn check_update(
        &mut self,
        id: ConnectionId,
        body: Range<usize>,
    ) -> Result<Layout, Notification> {
        let connection = &self.connections[id.index()];
        let context = connection.negotiated().map(Negotiated::context).unwrap_or_default();
        let context = Context { stripped: self.stripped, ..context };
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
