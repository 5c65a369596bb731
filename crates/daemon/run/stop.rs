//! Why a peer's task ends, and what the peer is told then.

use palisade_bgp::notification::Cease;

/// What peers are told when the router stops (RFC 9003).
const STOP_WORDS: &str = "the router is being stopped";

/// Whether a peer's task is to end, and what the peer is told then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    No,
    /// The router stops. Its table goes with it.
    Shutdown,
    /// The same, but it is to be back in a moment: the peer is to keep our routes until then, so it is told nothing (RFC 4724 s4.2).
    Leave,
    /// The peer is no longer configured.
    Deconfigured,
    /// What the session was made with has changed: there will be a new one.
    Changed,
}

impl Stop {
    /// Whether all of the router stops.
    pub(super) fn is_of_router(self) -> bool {
        matches!(self, Stop::Shutdown | Stop::Leave)
    }

    /// What the NOTIFICATION says (RFC 4486, RFC 9003).
    pub(super) fn cease(self) -> Cease {
        match self {
            Stop::No | Stop::Shutdown | Stop::Leave => Cease::AdministrativeShutdown(STOP_WORDS.into()),
            Stop::Deconfigured => Cease::PeerDeconfigured,
            Stop::Changed => Cease::OtherConfigurationChange,
        }
    }
}
