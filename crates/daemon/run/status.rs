//! What can be seen of a peer from outside its task: for logs, the lab's display and whatever asks next.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use palisade_bgp::session::{DownReason, State};
use palisade_rib::{PeerCounters, Phase};

use super::agreed::Agreed;
use super::held_down::HeldDown;
use super::limits::LimitStatus;
use super::refusal::Refused;
use super::traffic::Traffic;

/// A peer's task writes it, anybody reads it.
#[derive(Debug)]
pub(crate) struct PeerStatus {
    /// What its paths amount to.
    pub(crate) counters: Arc<PeerCounters>,
    /// What has gone over its connections.
    pub(crate) traffic: Arc<Traffic>,
    /// Connections from its address that were closed at once.
    pub(crate) refused: Refused,
    times_up: AtomicU64,
    /// How it stands to its limits of prefixes.
    pub(crate) limits: LimitStatus,
    session: Mutex<SessionStatus>,
}

#[derive(Debug)]
struct SessionStatus {
    state: State,
    /// When the session last came up or went down, or the router started.
    since: Instant,
    /// Why the last connection, or attempt at one, ended.
    fault: Option<String>,
    /// Why the session last went down.
    ended: Option<String>,
    /// Our end of the session that is up.
    local_address: Option<IpAddr>,
    held_down: Option<HeldDown>,
    /// Of the session that is up.
    agreed: Option<Agreed>,
    attempts: Attempts,
    /// Where its paths stand that it has not said again, by family.
    phases: [Phase; 2],
}

/// How a session that is not up goes on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attempts {
    /// Failures in a row.
    pub(crate) failures: u32,
    /// When the next attempt is made, or the peer's own is taken; `None` where that is now, or nothing is to be attempted.
    pub(crate) next: Option<Instant>,
}

impl Default for PeerStatus {
    fn default() -> Self {
        let session = SessionStatus {
            state: State::Idle,
            since: Instant::now(),
            fault: None,
            ended: None,
            local_address: None,
            held_down: None,
            agreed: None,
            attempts: Attempts::default(),
            phases: [Phase::Settled; 2],
        };
        PeerStatus {
            counters: Arc::default(),
            limits: LimitStatus::default(),
            traffic: Arc::default(),
            refused: Refused::default(),
            times_up: AtomicU64::new(0),
            session: Mutex::new(session),
        }
    }
}

impl PeerStatus {
    /// Notes where the session stands, and how it goes on.
    pub(crate) fn set_state(&self, state: State, attempts: Attempts) {
        let mut session = self.session();
        if (session.state == State::Established) != (state == State::Established) {
            session.since = Instant::now();
        }
        if state != State::Established {
            session.local_address = None;
            session.agreed = None;
        }
        (session.state, session.attempts) = (state, attempts);
    }

    pub(crate) fn attempts(&self) -> Attempts {
        self.session().attempts
    }

    pub(crate) fn state(&self) -> State {
        self.session().state
    }

    /// How long the session has been up, or down.
    pub(crate) fn lasts(&self) -> Duration {
        self.session().since.elapsed()
    }

    /// Keeps the reason of the last failure.
    pub(crate) fn set_fault(&self, fault: String) {
        self.session().fault = Some(fault);
    }

    /// Notes how a session that was up ended.
    pub(super) fn note_down(&self, reason: &DownReason) {
        self.note_failed(reason);
        self.session().ended = Some(reason.to_string());
    }

    /// Notes how an attempt at a session ended.
    pub(super) fn note_failed(&self, reason: &DownReason) {
        self.traffic.note_end(reason);
        self.set_fault(reason.to_string());
    }

    /// Why the session last went down.
    pub(crate) fn last_end(&self) -> Option<String> {
        self.session().ended.clone()
    }

    pub(crate) fn last_fault(&self) -> Option<String> {
        self.session().fault.clone()
    }

    /// Notes that the session is kept down, or that it no longer is.
    pub(super) fn set_held_down(&self, held_down: Option<HeldDown>) {
        self.session().held_down = held_down;
    }

    /// Set while the session is kept down.
    pub(crate) fn held_down(&self) -> Option<HeldDown> {
        self.session().held_down.clone()
    }

    pub(crate) fn set_local_address(&self, address: Option<IpAddr>) {
        self.session().local_address = address;
    }

    /// Our address of the session that is up.
    pub(crate) fn local_address(&self) -> Option<IpAddr> {
        self.session().local_address
    }

    /// Notes that a session has come up, and with what.
    pub(super) fn set_agreed(&self, agreed: Agreed) {
        self.times_up.fetch_add(1, Ordering::Relaxed);
        self.session().agreed = Some(agreed);
    }

    /// What the session that is up runs with.
    pub(crate) fn agreed(&self) -> Option<Agreed> {
        self.session().agreed.clone()
    }

    /// Notes where its paths stand that it has not said again, by family.
    pub(crate) fn set_phases(&self, phases: [Phase; 2]) {
        self.session().phases = phases;
    }

    /// Where they stand.
    pub(crate) fn phases(&self) -> [Phase; 2] {
        self.session().phases
    }

    /// How many times a session has come up.
    pub(crate) fn times_up(&self) -> u64 {
        self.times_up.load(Ordering::Relaxed)
    }

    fn session(&self) -> MutexGuard<'_, SessionStatus> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
