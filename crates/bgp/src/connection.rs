//! One transport connection of a session: how far it got, what was read from it and what is to be written to it.
//!
//! A session has two places for connections, one for each end that may open them, and usually one is empty. The place
//! stays; what is in it is its [`Phase`]. Each phase carries what is known by then and nothing that is not: a connection
//! without a [`Negotiated`] can't be mistaken for one that is up.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use crate::message::{MAX_LEN, MessageKind, frame};
use crate::negotiated::Negotiated;
use crate::notification::Notification;

/// How far a connection got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// There is none.
    #[default]
    Vacant,
    /// The caller is connecting.
    Connecting,
    /// Our OPEN is sent.
    OpenSent,
    /// The OPENs agree; the peer is yet to confirm ours.
    OpenConfirm(Negotiated),
    /// Routes are exchanged.
    Established(Negotiated),
    /// The caller is to close it, and to say when it has.
    Closing,
}

/// A place for a connection.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    pub(crate) phase: Phase,
    input: BytesMut,
    /// How much of the input was looked at. The last message may still be lent to the caller, so that it is dropped only by
    /// the next look.
    consumed: usize,
    /// What is to be written: never more than an OPEN, a KEEPALIVE and a NOTIFICATION.
    outbox: VecDeque<Bytes>,
}

impl Connection {
    /// Whether it has an open connection that messages may come from.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::OpenSent | Phase::OpenConfirm(_) | Phase::Established(_))
    }

    pub(crate) fn is_established(&self) -> bool {
        matches!(self.phase, Phase::Established(_))
    }

    /// What was agreed on, from OpenConfirm on.
    pub(crate) fn negotiated(&self) -> Option<&Negotiated> {
        match &self.phase {
            Phase::OpenConfirm(negotiated) | Phase::Established(negotiated) => Some(negotiated),
            _ => None,
        }
    }

    /// Empties the place, and says what was there.
    pub(crate) fn vacate(&mut self) -> Phase {
        self.input.clear();
        self.consumed = 0;
        self.outbox.clear();
        std::mem::take(&mut self.phase)
    }

    /// Where to put octets that were read.
    pub(crate) fn input(&mut self) -> &mut BytesMut {
        self.drop_consumed();
        &mut self.input
    }

    /// The kind and body of the next message, where all of it is there.
    pub(crate) fn next_message(
        &mut self,
    ) -> Result<Option<(MessageKind, std::ops::Range<usize>)>, Notification> {
        let framed = self.peek()?;
        Ok(match framed {
            Some((kind, total)) => {
                let body = self.consumed + crate::message::HEADER_LEN..self.consumed + total;
                self.consumed += total;
                Some((kind, body))
            }
            None => {
                self.drop_consumed();
                None
            }
        })
    }

    /// Whether a whole message waits to be looked at.
    pub(crate) fn has_message(&self) -> bool {
        matches!(self.peek(), Ok(Some(_)))
    }

    /// A part of the input.
    pub(crate) fn octets(&self, part: std::ops::Range<usize>) -> &[u8] {
        self.input.get(part).unwrap_or_default()
    }

    /// What was not looked at yet.
    pub(crate) fn unread(&self) -> &[u8] {
        self.input.get(self.consumed..).unwrap_or_default()
    }

    /// Adds a message to write; whether it is the only one.
    pub(crate) fn send(&mut self, message: Bytes) -> bool {
        self.outbox.push_back(message);
        self.outbox.len() == 1
    }

    /// The next message to write.
    pub(crate) fn transmit(&mut self) -> Option<Bytes> {
        self.outbox.pop_front()
    }

    /// Whether all was taken that is to be written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.outbox.is_empty()
    }

    fn peek(&self) -> Result<Option<(MessageKind, usize)>, Notification> {
        let max = self.negotiated().map_or(MAX_LEN, |negotiated| negotiated.max_received);
        frame(self.unread(), max)
    }

    fn drop_consumed(&mut self) {
        self.input.advance(self.consumed.min(self.input.len()));
        self.consumed = 0;
    }
}
