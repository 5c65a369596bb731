//! Accepted routes into the Linux kernel.
//!
//! The kernel's forwarding table is kept by *reconciliation*: the daemon says what it wants ([`Fib::set`]), this
//! crate remembers what the kernel holds, and [`Fib::sync`] sends the difference in bounded batches. It knows nothing
//! of BGP, of policy or of the routing table. It blocks, so it runs on a thread of its own and never holds up a
//! keepalive.
//!
//! ```text
//!   set(prefix, next hop) --> rows: wanted | installed --> sync: one batch --> kernel
//!                                          ^                                    |
//!        poll_kernel: a route deleted by hand, a link down, an overrun <--------+
//! ```
//!
//! Three things the kernel does shape the crate:
//!
//! - Routes point at kernel *nexthop objects*, one for each gateway, so that a gateway which moves to another link is
//!   one message and not one per route. Deleting an object silently flushes every route that uses it: it happens after
//!   its routes are gone, or on purpose when the gateway can't be reached any more.
//! - A link that loses its carrier takes objects and routes with it, mostly without a notification for each. The
//!   objects are therefore listed again after every link that goes down.
//! - Notifications can be lost (ENOBUFS). Then everything is dumped and compared, as [`Fib::verify`] does on request.
//!
//! ```no_run
//! use palisade_fib::{Fib, FibConfig, NetlinkKernel, NextHop};
//! use std::net::IpAddr;
//! use std::time::Instant;
//!
//! # fn main() -> Result<(), palisade_fib::FibError> {
//! let mut fib = Fib::open(NetlinkKernel::open()?, FibConfig::default())?;
//! let prefix = "198.51.100.0/24".parse().map_err(|_| palisade_fib::FibError::Config("not a prefix"))?;
//! fib.set(prefix, Some(NextHop::from(IpAddr::from([192, 0, 2, 1]))));
//! while fib.sync(Instant::now())?.pending > 0 {}
//! assert!(fib.verify()?.agrees());
//! # Ok(())
//! # }
//! ```

mod config;
mod connected;
mod error;
mod fib;
mod kernel;
mod key;
mod memory;
pub mod namespace;
mod netlink;
mod next_hop;
mod next_hops;
mod report;
mod table;

pub use config::{FibConfig, MAIN_TABLE, PALISADE_PROTOCOL};
pub use error::{Errno, FibError, KernelError};
pub use fib::{BATCH, Fib};
pub use kernel::{
    Event, Kernel, KernelNextHop, KernelRoute, Link, Operation, Refusal, RouteChange, RouteTarget, Via,
};
pub use memory::MemoryKernel;
pub use netlink::NetlinkKernel;
pub use next_hop::NextHop;
pub use report::{
    Agreement, Disagreement, FailedRoute, FibStats, KernelNews, Progress, RouteState, UnresolvedNextHop,
};
