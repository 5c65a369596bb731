//! What can go wrong, sorted by what the caller can do about it.
//!
//! A kernel that refuses one route is not an error of this crate: it is counted, retried or given up (see
//! [`Errno::verdict`]) and shown in [`crate::FibStats`]. Errors here concern the whole FIB.

use std::fmt;
use std::io;

/// Why the FIB as a whole can't go on, or not now.
#[derive(Debug, thiserror::Error)]
pub enum FibError {
    /// The process may not change routes. Nothing was changed.
    #[error(
        "not permitted to change kernel routes: run as root, or grant CAP_NET_ADMIN \
         (systemd: AmbientCapabilities=CAP_NET_ADMIN; by hand: setcap cap_net_admin+ep)"
    )]
    NotPermitted,
    /// The configuration can't mean what it says.
    #[error("fib configuration: {0}")]
    Config(&'static str),
    /// The conversation with the kernel failed. The next `sync` lists everything again and goes on from there.
    #[error(transparent)]
    Kernel(KernelError),
}

/// A failed conversation with the kernel.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// EPERM: CAP_NET_ADMIN is missing.
    #[error("the kernel says: operation not permitted")]
    NotPermitted,
    /// The kernel doesn't know this kind of request (nexthop objects before Linux 5.3).
    #[error("the kernel doesn't support {0}")]
    Unsupported(&'static str),
    /// The kernel did not answer in time.
    #[error("the kernel did not answer within {0} s")]
    TimedOut(u64),
    /// ENOBUFS: messages from the kernel were lost, so its state must be read again.
    #[error("messages from the kernel were lost (ENOBUFS)")]
    Overrun,
    /// A dump was refused.
    #[error("the kernel refused to list its {what}: {errno}")]
    Dump {
        /// What was asked for.
        what: &'static str,
        /// The kernel's reason.
        errno: Errno,
    },
    /// A system call failed.
    #[error("netlink: {doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The operating system's reason.
        source: io::Error,
    },
}

impl From<KernelError> for FibError {
    fn from(error: KernelError) -> Self {
        match error {
            KernelError::NotPermitted => FibError::NotPermitted,
            other => FibError::Kernel(other),
        }
    }
}

/// A positive error number of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Errno(pub i32);

/// What to do about a refused operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The circumstances may change: try again later.
    Retry,
    /// The same request will be refused again.
    GiveUp,
    /// No request of ours will be accepted.
    NotPermitted,
}

impl Errno {
    /// Sorts a refusal of a route or nexthop object.
    ///
    /// EEXIST is a stranger's route at our prefix and metric: it is never taken over, but may go away. The unreachable
    /// and down errors follow links; the memory errors follow load and limits such as `net.ipv6.route.max_size`.
    pub(crate) fn verdict(self) -> Verdict {
        match self.0 {
            libc::EPERM | libc::EACCES => Verdict::NotPermitted,
            libc::EINVAL | libc::EOPNOTSUPP | libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT | libc::ERANGE => {
                Verdict::GiveUp
            }
            _ => Verdict::Retry,
        }
    }

    /// Whether a refused removal means that there was nothing left to remove.
    pub(crate) fn means_already_gone(self) -> bool {
        matches!(self.0, libc::ESRCH | libc::ENOENT)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        io::Error::from_raw_os_error(self.0).fmt(f)
    }
}
