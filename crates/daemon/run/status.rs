//! What can be seen of a peer from outside its task: for logs, the lab's display and whatever asks next.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use palisade_bgp::session::State;
use palisade_rib::PeerCounters;

/// A peer's task writes it, anybody reads it.
#[derive(Debug)]
pub(crate) struct PeerStatus {
    /// What its paths amount to.
    pub(crate) counters: Arc<PeerCounters>,
    updates: AtomicU64,
    state: Mutex<(State, Option<String>)>,
}

impl Default for PeerStatus {
    fn default() -> Self {
        let state = Mutex::new((State::Idle, None));
        PeerStatus { counters: Arc::default(), updates: AtomicU64::new(0), state }
    }
}

impl PeerStatus {
    pub(crate) fn set_state(&self, state: State) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0 = state;
    }

    pub(crate) fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Keeps the reason of the last failure.
    pub(crate) fn set_fault(&self, fault: String) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(fault);
    }

    pub(crate) fn last_fault(&self) -> Option<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    pub(crate) fn count_update(&self) {
        self.updates.fetch_add(1, Ordering::Relaxed);
    }

    /// UPDATEs received.
    pub(crate) fn updates(&self) -> u64 {
        self.updates.load(Ordering::Relaxed)
    }
}
