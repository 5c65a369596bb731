//! What signals ask a router for.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
pub(super) enum Asked {
    /// SIGHUP: to read its configuration again.
    Reload,
    /// SIGUSR1: to say whether the kernel agrees.
    Verify,
    /// SIGTERM, SIGINT: to end.
    Stop,
    /// SIGUSR2: to end in such a way that another process can go on with what this one leaves.
    Leave,
}

/// The signals that mean something.
pub(super) struct Signals {
    reload: Signal,
    verify: Signal,
    leave: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Signals {
            reload: signal(SignalKind::hangup())?,
            verify: signal(SignalKind::user_defined1())?,
            leave: signal(SignalKind::user_defined2())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    pub(super) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.reload.recv() => Asked::Reload,
            _ = self.verify.recv() => Asked::Verify,
            _ = self.leave.recv() => Asked::Leave,
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
        }
    }
}
