//! What the FIB tells about itself: the progress of a batch, the news from the kernel, the outcome of a comparison,
//! and the figures for metrics and the looking glass. All lists are bounded; the counts beside them are not.

use crate::error::Errno;
use crate::next_hop::NextHop;
use ipnet::IpNet;
use std::time::Instant;

/// How many examples a list of prefixes or next hops holds.
pub(crate) const EXAMPLES: usize = 16;

/// The outcome of one [`crate::Fib::sync`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Route operations sent in this batch.
    pub sent: usize,
    /// Of those, the ones the kernel refused.
    pub refused: usize,
    /// Changes still waiting for a batch: call again while this is not 0.
    pub pending: usize,
    /// When refused routes or a lost conversation are tried again; call `sync` then.
    pub retry_at: Option<Instant>,
}

/// The outcome of one [`crate::Fib::poll_kernel`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KernelNews {
    /// Events read.
    pub events: usize,
    /// There may be more: poll again at once.
    pub more: bool,
    /// Own routes that someone else removed or changed and the next `sync` puts right.
    pub meddled: usize,
    /// Routes lost along with a nexthop object (a link went down, or the object was deleted by hand).
    pub flushed: usize,
    /// Events were lost: the next `sync` lists everything and compares.
    pub overrun: bool,
}

/// What has become of one wanted route; the answer of [`crate::Fib::state`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteState {
    /// Nobody wants a route to the prefix.
    NotWanted,
    /// The kernel has it, through this next hop.
    Installed(NextHop),
    /// It waits for a batch, or for a retry.
    Pending(NextHop),
    /// Its next hop can't be reached, so it is rightly not in the kernel.
    Unresolved(NextHop),
    /// The kernel refused it for good.
    Refused(NextHop),
}

/// Whether the kernel holds what was asked for; the answer of [`crate::Fib::verify`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agreement {
    /// Routes that are as they should be.
    pub agreed: usize,
    /// Routes believed installed that the kernel doesn't have.
    pub missing: Disagreement,
    /// Routes of our protocol in the kernel that nobody asked for.
    pub foreign: Disagreement,
    /// Routes that lead to another next hop than the wanted one.
    pub differing: Disagreement,
    /// Routes known to differ because their change waits for a batch or a retry.
    pub pending: usize,
    /// Routes that the kernel refused for good.
    pub refused: usize,
    /// Wanted routes whose next hop can't be reached: rightly not in the kernel.
    pub unresolved: usize,
    /// Routes of an earlier run that wait for [`crate::Fib::start_complete`].
    pub leftovers: usize,
    /// False when the table kept changing while it was listed, so that the lists may be wrong.
    pub whole: bool,
}

impl Agreement {
    /// Whether the kernel holds every route that can be installed, nothing else of ours, and nothing is on its way.
    /// Unresolved routes and leftovers before the start is complete are no disagreement.
    pub fn agrees(&self) -> bool {
        self.whole && self.contradictions() == 0 && self.pending == 0 && self.refused == 0
    }

    /// Routes about which the kernel contradicts what was believed.
    pub fn contradictions(&self) -> usize {
        self.missing.count + self.foreign.count + self.differing.count
    }
}

/// Routes that are wrong in one way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Disagreement {
    /// How many.
    pub count: usize,
    /// The first 16 of them.
    pub examples: Vec<IpNet>,
}

impl Disagreement {
    pub(crate) fn note(&mut self, prefix: IpNet) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(prefix);
        }
    }
}

/// Figures for metrics and the looking glass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FibStats {
    /// Prefixes with a wanted next hop.
    pub desired: usize,
    /// Routes of ours in the kernel, as far as known.
    pub installed: usize,
    /// Changes waiting for a batch.
    pub pending: usize,
    /// Wanted routes that wait for their next hop to become reachable.
    pub unresolved: usize,
    /// Routes the kernel refused that will be tried again.
    pub retrying: usize,
    /// Routes the kernel refused for good.
    pub refused: usize,
    /// Distinct next hops in use.
    pub next_hops: usize,
    /// Of those, the ones that can't be used, up to 16 of them, with the reason.
    pub unresolved_next_hops: Vec<UnresolvedNextHop>,
    /// The latest refusals, newest last, up to 16.
    pub failures: Vec<FailedRoute>,
    /// Whether routes point at nexthop objects (false: the kernel has none, each route names its gateway).
    pub next_hop_objects: bool,
    /// Route operations the kernel has carried out.
    pub operations: u64,
    /// Own routes found removed or changed by someone else.
    pub meddled: u64,
    /// Times that notifications were lost.
    pub overruns: u64,
    /// Full dumps compared, `verify` included.
    pub audits: u64,
}

/// A next hop that routes wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnresolvedNextHop {
    /// The next hop.
    pub next_hop: NextHop,
    /// How many routes wait for it.
    pub routes: u32,
    /// Why it can't be used.
    pub reason: String,
}

/// A route that the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRoute {
    /// Its prefix.
    pub prefix: IpNet,
    /// The kernel's reason.
    pub errno: Errno,
    /// The kernel's own words, where it has some.
    pub text: Option<Box<str>>,
}
