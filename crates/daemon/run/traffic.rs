//! What has gone over a peer's connections: messages by type, NOTIFICATIONs by code, octets, and what was wrong with UPDATEs.
//!
//! The peer's task counts, anybody reads. Everything counts from the start of the router, or from when the peer was configured.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use palisade_bgp::fault::Outcome;
use palisade_bgp::message::MessageKind;
use palisade_bgp::notification::Notification;
use palisade_bgp::session::DownReason;
use palisade_bgp::update::Update;

/// Codes of NOTIFICATIONs that are counted by themselves, from 1 on (RFC 4271 s4.5, RFC 7313 s5, RFC 9687 s6); others count as 0.
pub(crate) const NOTIFICATION_CODES: usize = 9;

/// What has gone one way.
#[derive(Debug, Default)]
pub(crate) struct OneWay {
    /// By [`MessageKind::index`].
    messages: [AtomicU64; MessageKind::ALL.len()],
    notifications: [AtomicU64; NOTIFICATION_CODES],
    octets: AtomicU64,
}

/// What has gone both ways.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) received: OneWay,
    pub(crate) sent: OneWay,
    /// Faults in UPDATEs, by what they led to and the attribute's type code.
    faults: Mutex<BTreeMap<(Outcome, u8), u64>>,
}

impl OneWay {
    /// Messages of a type.
    pub(crate) fn messages(&self, kind: MessageKind) -> u64 {
        self.messages[kind.index()].load(Ordering::Relaxed)
    }

    /// NOTIFICATIONs by code; under 0 those of codes that nobody has defined.
    pub(crate) fn notifications(&self) -> [u64; NOTIFICATION_CODES] {
        std::array::from_fn(|code| self.notifications[code].load(Ordering::Relaxed))
    }

    /// Octets on the connections.
    pub(crate) fn octets(&self) -> u64 {
        self.octets.load(Ordering::Relaxed)
    }

    pub(crate) fn count_messages(&self, kind: MessageKind, count: u64) {
        self.messages[kind.index()].fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn count_octets(&self, octets: usize) {
        self.octets.fetch_add(octets as u64, Ordering::Relaxed);
    }

    /// Takes over counts that only grow.
    pub(super) fn set_messages(&self, counts: &[u64; MessageKind::ALL.len()]) {
        self.messages.iter().zip(counts).for_each(|(mine, count)| mine.store(*count, Ordering::Relaxed));
    }

    fn count_notification(&self, notification: &Notification) {
        let code = usize::from(notification.code);
        self.notifications[if code < NOTIFICATION_CODES { code } else { 0 }].fetch_add(1, Ordering::Relaxed);
    }
}

impl Traffic {
    /// Notes what was wrong with an UPDATE.
    pub(super) fn note_faults(&self, update: &Update<'_>) {
        if update.faults().is_empty() {
            return;
        }
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        for fault in update.faults() {
            *faults.entry((fault.outcome, fault.attribute)).or_default() += 1;
        }
    }

    /// Notes with which NOTIFICATION a session ended.
    pub(super) fn note_end(&self, reason: &DownReason) {
        match reason {
            DownReason::Sent { notification, .. } => self.sent.count_notification(notification),
            DownReason::Received(notification) => self.received.count_notification(notification),
            DownReason::ConnectionLost | DownReason::Left => {}
        }
    }

    /// Faults in UPDATEs that did not end a session, by what they led to and the attribute's type code: at most one each.
    pub(crate) fn faults(&self) -> BTreeMap<(Outcome, u8), u64> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
