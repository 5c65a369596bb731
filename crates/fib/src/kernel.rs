//! The seam between reconciliation and the kernel.
//!
//! [`crate::Fib`] speaks in operations, dumps and events; [`crate::NetlinkKernel`] turns them into netlink, and
//! [`crate::MemoryKernel`] plays the kernel in tests, faults included. The seam carries values and no bytes, so the
//! in-memory kernel is a model of what the kernel does and not of how it is spoken to.

use crate::config::FibConfig;
use crate::error::{Errno, KernelError};
use ipnet::IpNet;
use std::net::IpAddr;

/// What [`crate::Fib`] needs of a kernel.
pub trait Kernel {
    /// Carries out `operations` in order and adds one [`Refusal`] for each that the kernel did not accept; the others
    /// took effect. An error means that the outcome of the whole batch is unknown.
    fn apply(
        &mut self,
        config: &FibConfig,
        operations: &[Operation],
        refusals: &mut Vec<Refusal>,
    ) -> Result<(), KernelError>;

    /// Lists all links.
    fn links(&mut self, each: &mut dyn FnMut(Link)) -> Result<(), KernelError>;

    /// Lists all nexthop objects, some perhaps twice; [`KernelError::Unsupported`] on a kernel without them.
    fn next_hops(&mut self, each: &mut dyn FnMut(KernelNextHop)) -> Result<(), KernelError>;

    /// Lists the routes of `table`, both families. False when the table changed meanwhile, so that the list may have
    /// holes.
    fn routes(&mut self, table: u32, each: &mut dyn FnMut(KernelRoute)) -> Result<bool, KernelError>;

    /// Takes what has happened since the last call, at most about `limit` events, without blocking, leaving out what
    /// [`Kernel::apply`] did. [`KernelError::Overrun`] when some were lost.
    fn events(&mut self, limit: usize, events: &mut Vec<Event>) -> Result<(), KernelError>;
}

/// One change to the kernel's state. Routes are in the configuration's table, with its protocol and metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Install a route; refused with EEXIST when one with this prefix and metric is there, whoever's it is.
    AddRoute {
        /// Where packets go to.
        prefix: IpNet,
        /// How.
        via: Via,
    },
    /// Change the route with this prefix and metric in one step, or install it.
    ReplaceRoute {
        /// Where packets go to.
        prefix: IpNet,
        /// How.
        via: Via,
    },
    /// Remove our route with this prefix and this metric.
    RemoveRoute {
        /// Where packets went to.
        prefix: IpNet,
        /// The route's metric: ours, or an earlier run's.
        metric: u32,
    },
    /// Make a nexthop object; refused with EEXIST when the id is taken.
    AddNextHop {
        /// The object's id.
        id: u32,
        /// The gateway.
        gateway: IpAddr,
        /// The index of the link that the gateway is on.
        link: u32,
    },
    /// Point an existing object at another link; its routes follow.
    ReplaceNextHop {
        /// The object's id.
        id: u32,
        /// The gateway.
        gateway: IpAddr,
        /// The index of the link that the gateway is on.
        link: u32,
    },
    /// Remove a nexthop object *and every route that uses it*.
    RemoveNextHop {
        /// The object's id.
        id: u32,
    },
}

/// How a route of ours reaches its next hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// Through a nexthop object.
    Object(u32),
    /// Directly, on a kernel without nexthop objects.
    Gateway {
        /// The gateway; IPv6 for an IPv4 route is allowed (RFC 8950).
        address: IpAddr,
        /// The index of the link that the gateway is on.
        link: u32,
    },
    /// Nowhere: packets are dropped.
    Discard,
}

/// The kernel's answer to an operation that it did not carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The index in the batch.
    pub operation: usize,
    /// The reason.
    pub errno: Errno,
    /// The kernel's own words, where it has some.
    pub text: Option<Box<str>>,
}

/// A link as far as routes depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The interface index.
    pub index: u32,
    /// Whether the administrator has it up.
    pub up: bool,
    /// Whether it has a carrier.
    pub carrier: bool,
    /// Whether it is the loopback, over which no gateway is reached.
    pub loopback: bool,
}

impl Link {
    /// Whether a gateway can be reached over this link.
    pub(crate) fn carries_gateways(&self) -> bool {
        self.up && self.carrier && !self.loopback
    }
}

/// A nexthop object as the kernel holds it, anyone's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelNextHop {
    /// The object's id.
    pub id: u32,
    /// Who made it.
    pub protocol: u8,
    /// The gateway and its link; `None` for groups, blackholes and whatever else we never make.
    pub gateway: Option<(IpAddr, u32)>,
}

/// A route as the kernel holds it, anyone's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelRoute {
    /// Where packets go to.
    pub prefix: IpNet,
    /// The table it is in.
    pub table: u32,
    /// Who made it.
    pub protocol: u8,
    /// `RTA_PRIORITY`; 0 when the kernel names none.
    pub metric: u32,
    /// How packets get there.
    pub target: RouteTarget,
}

/// Where a kernel route leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteTarget {
    /// Through something we could have made.
    Via(Via),
    /// Straight onto a link: its addresses are neighbours there, so next hops may be among them.
    OnLink(u32),
    /// Multipath, local addresses and the rest.
    Other,
}

/// Something that happened in the kernel and was not our doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A link appeared or changed.
    Link(Link),
    /// A link is gone.
    LinkGone(u32),
    /// A route appeared, changed or went.
    Route(RouteChange, KernelRoute),
    /// A nexthop object was changed or removed.
    NextHop,
    /// An address of this machine was added.
    AddressAdded(IpAddr),
    /// An address of this machine was removed.
    AddressRemoved(IpAddr),
}

/// What happened to a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteChange {
    /// It was added beside whatever was there.
    Added,
    /// It took the place of the route that had the same prefix and metric, which is not reported separately.
    Replaced,
    /// It was removed.
    Removed,
}
