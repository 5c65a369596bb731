//! What a router that was restarted waits for, before it believes that it knows what is best (RFC 4724 s4.1).
//!
//! ```text
//!   start --> peers come back --> each has said End-of-RIB, or need not be waited for --> all is told, End-of-RIB
//!    |        kernel: as it was left                                                      kernel: as it is to be
//!    '------- or it has taken too long ---------------------------------------------------^
//! ```
//!
//! Until then others go on with what they were told before the restart, and so does the kernel. A router that starts for the
//! first time waits for nobody: nothing is there that could be kept.
//!
//! Each shard counts for itself whom it waits for, since what a peer says before its End-of-RIB comes to each shard before the news
//! of it.

use std::time::Duration;

use tokio::sync::watch;

/// How long that may take (the Selection_Deferral_Timer), from when sessions may begin; and how long routes that an earlier run left in the
/// kernel are kept for peers to confirm them.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What a peer's task knows of it.
#[derive(Clone, Debug)]
pub(crate) struct Recovery {
    /// Whether packets go where they went before the restart, so that peers may go on sending them here.
    pub(crate) forwards: bool,
    /// Whether it still waits.
    pub(crate) waits: watch::Receiver<bool>,
}

impl Recovery {
    /// Whether it waits for peers that are back.
    pub(crate) fn waits(&self) -> bool {
        *self.waits.borrow()
    }
}
