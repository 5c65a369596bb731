//! A kernel in memory: what Linux does with routes, objects and links as far as this crate depends on it, and the
//! faults that a test wants to see survived.
//!
//! It is a model for tests, ours and the daemon's, and not a simulation of forwarding. It copies the behaviour that
//! bites: an object that goes flushes its routes without a word, a link that goes down takes objects along, replace
//! goes by prefix and metric whoever's the route is, and the queue of notifications is finite.

use crate::config::{FibConfig, MAIN_TABLE};
use crate::error::{Errno, KernelError};
use crate::kernel::{
    Event, Kernel, KernelNextHop, KernelRoute, Link, Operation, Refusal, RouteChange, RouteTarget, Via,
};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

/// Notifications that fit the queue before it overruns.
const QUEUE: usize = 100_000;

/// The metric and protocol of networks made by [`MemoryKernel::connect`] (`RTPROT_KERNEL`).
const CONNECTED: (u32, u8) = (0, 2);

/// Table, prefix and metric: what the kernel tells routes apart by.
type RouteKey = (u32, IpNet, u32);

/// The in-memory kernel, an outsider's hands on it, and fault injection.
#[derive(Debug, Default)]
pub struct MemoryKernel {
    links: BTreeMap<u32, Link>,
    objects: BTreeMap<u32, KernelNextHop>,
    routes: BTreeMap<RouteKey, KernelRoute>,
    events: VecDeque<Event>,
    without_objects: bool,
    overrun: bool,
    drop_events: usize,
    refuse: BTreeMap<u64, Errno>,
    refuse_prefix: BTreeMap<IpNet, Errno>,
    break_batch: Option<(bool, KernelError)>,
    operations: u64,
    largest_batch: usize,
}

impl MemoryKernel {
    /// A kernel with nothing in it.
    pub fn new() -> Self {
        MemoryKernel::default()
    }

    /// A kernel older than nexthop objects.
    pub fn without_next_hop_objects() -> Self {
        MemoryKernel { without_objects: true, ..MemoryKernel::default() }
    }

    /// Operations received so far.
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// The largest batch received so far.
    pub fn largest_batch(&self) -> usize {
        self.largest_batch
    }

    /// All routes that `protocol` made.
    pub fn routes_of(&self, protocol: u8) -> impl Iterator<Item = &KernelRoute> {
        self.routes.values().filter(move |route| route.protocol == protocol)
    }

    /// All objects that `protocol` made.
    pub fn objects_of(&self, protocol: u8) -> impl Iterator<Item = &KernelNextHop> {
        self.objects.values().filter(move |object| object.protocol == protocol)
    }

    /// The gateway and link that a route leads to.
    pub fn gateway_of(&self, route: &KernelRoute) -> Option<(IpAddr, u32)> {
        match route.target {
            RouteTarget::Via(Via::Object(id)) => self.objects.get(&id)?.gateway,
            RouteTarget::Via(Via::Gateway { address, link }) => Some((address, link)),
            _ => None,
        }
    }
}

/// An outsider's hands.
impl MemoryKernel {
    /// Adds a link or changes its state. Without a carrier objects over it go, with the routes that use them; a link
    /// that is taken down loses its networks too.
    pub fn set_link(&mut self, index: u32, up: bool, carrier: bool) {
        let link = Link { index, up, carrier: up && carrier, loopback: false };
        self.links.insert(index, link);
        if !up {
            self.routes.retain(|_, route| route.target != RouteTarget::OnLink(index));
            self.flush_gateways(index);
        }
        if !link.carrier {
            self.flush_objects(index);
        }
        self.report(Event::Link(link));
    }

    /// Removes a link with all that depends on it.
    pub fn remove_link(&mut self, index: u32) {
        self.links.remove(&index);
        self.routes.retain(|_, route| route.target != RouteTarget::OnLink(index));
        self.flush_gateways(index);
        self.flush_objects(index);
        self.report(Event::LinkGone(index));
    }

    /// Puts a network on a link, as an address does.
    pub fn connect(&mut self, prefix: IpNet, link: u32) {
        let (metric, protocol) = CONNECTED;
        let target = RouteTarget::OnLink(link);
        self.insert(KernelRoute { prefix, table: MAIN_TABLE, protocol, metric, target });
    }

    /// Takes a network off.
    pub fn disconnect(&mut self, prefix: IpNet) {
        self.remove(MAIN_TABLE, prefix, CONNECTED.0);
    }

    /// Installs any route, in place of the one with the same table, prefix and metric.
    pub fn insert(&mut self, route: KernelRoute) {
        let old = self.routes.insert((route.table, route.prefix, route.metric), route);
        let change = if old.is_some() { RouteChange::Replaced } else { RouteChange::Added };
        self.report(Event::Route(change, route));
    }

    /// Removes any route.
    pub fn remove(&mut self, table: u32, prefix: IpNet, metric: u32) {
        if let Some(route) = self.routes.remove(&(table, prefix, metric)) {
            self.report(Event::Route(RouteChange::Removed, route));
        }
    }

    /// Makes or changes any object.
    pub fn insert_object(&mut self, object: KernelNextHop) {
        self.objects.insert(object.id, object);
        self.report(Event::NextHop);
    }

    /// Removes any object, with its routes.
    pub fn remove_object(&mut self, id: u32) {
        if self.objects.remove(&id).is_some() {
            self.flush_routes_of(id);
            self.report(Event::NextHop);
        }
    }

    fn flush_objects(&mut self, link: u32) {
        let over: Vec<u32> = self
            .objects
            .values()
            .filter(|object| object.gateway.is_some_and(|(_, over)| over == link))
            .map(|object| object.id)
            .collect();
        for id in over {
            self.objects.remove(&id);
            self.flush_routes_of(id);
        }
    }

    fn flush_gateways(&mut self, index: u32) {
        self.routes.retain(
            |_, route| !matches!(route.target, RouteTarget::Via(Via::Gateway { link, .. }) if link == index),
        );
    }

    fn flush_routes_of(&mut self, id: u32) {
        self.routes.retain(|_, route| route.target != RouteTarget::Via(Via::Object(id)));
    }

    fn report(&mut self, event: Event) {
        if self.drop_events > 0 {
            self.drop_events -= 1;
        } else if self.events.len() == QUEUE {
            self.overrun = true;
        } else {
            self.events.push_back(event);
        }
    }
}

/// Faults.
impl MemoryKernel {
    /// The `nth` operation from now (0 is the next) is refused.
    pub fn refuse_operation(&mut self, nth: u64, errno: Errno) {
        self.refuse.insert(self.operations + nth, errno);
    }

    /// Every installation of `prefix` is refused until [`MemoryKernel::accept_prefix`].
    pub fn refuse_prefix(&mut self, prefix: IpNet, errno: Errno) {
        self.refuse_prefix.insert(prefix, errno);
    }

    /// Ends [`MemoryKernel::refuse_prefix`].
    pub fn accept_prefix(&mut self, prefix: IpNet) {
        self.refuse_prefix.remove(&prefix);
    }

    /// Ends all faults that have not struck yet.
    pub fn clear_faults(&mut self) {
        self.refuse.clear();
        self.refuse_prefix.clear();
        self.break_batch = None;
        self.drop_events = 0;
    }

    /// The answer to the next batch is lost, whether it took effect (`applied`) or not.
    pub fn break_next_batch(&mut self, applied: bool, error: KernelError) {
        self.break_batch = Some((applied, error));
    }

    /// The next `count` notifications vanish, without a sign.
    pub fn drop_events(&mut self, count: usize) {
        self.drop_events = count;
    }

    /// Everything in the queue is lost, and the next reader is told so.
    pub fn overrun(&mut self) {
        self.events.clear();
        self.overrun = true;
    }
}

impl Kernel for MemoryKernel {
    fn apply(
        &mut self,
        config: &FibConfig,
        operations: &[Operation],
        refusals: &mut Vec<Refusal>,
    ) -> Result<(), KernelError> {
        let broken = self.break_batch.take();
        if let Some((false, error)) = broken {
            return Err(error);
        }
        self.largest_batch = self.largest_batch.max(operations.len());
        for (index, &operation) in operations.iter().enumerate() {
            if let Err(errno) = self.carry_out(config, operation) {
                refusals.push(Refusal { operation: index, errno, text: None });
            }
        }
        broken.map_or(Ok(()), |(_, error)| Err(error))
    }

    fn links(&mut self, each: &mut dyn FnMut(Link)) -> Result<(), KernelError> {
        self.links.values().copied().for_each(each);
        Ok(())
    }

    fn next_hops(&mut self, each: &mut dyn FnMut(KernelNextHop)) -> Result<(), KernelError> {
        if self.without_objects {
            return Err(KernelError::Unsupported("nexthop objects"));
        }
        self.objects.values().copied().for_each(each);
        Ok(())
    }

    fn routes(&mut self, table: u32, each: &mut dyn FnMut(KernelRoute)) -> Result<bool, KernelError> {
        self.routes.values().copied().filter(|route| route.table == table).for_each(each);
        Ok(true)
    }

    fn events(&mut self, limit: usize, events: &mut Vec<Event>) -> Result<(), KernelError> {
        if std::mem::take(&mut self.overrun) {
            return Err(KernelError::Overrun);
        }
        let count = limit.min(self.events.len());
        events.extend(self.events.drain(..count));
        Ok(())
    }
}

/// What the kernel does with a request.
impl MemoryKernel {
    fn carry_out(&mut self, config: &FibConfig, operation: Operation) -> Result<(), Errno> {
        let number = self.operations;
        self.operations += 1;
        if let Some(errno) = self.refuse.remove(&number) {
            return Err(errno);
        }
        match operation {
            Operation::AddRoute { prefix, via } => self.route(config, prefix, via, false),
            Operation::ReplaceRoute { prefix, via } => self.route(config, prefix, via, true),
            Operation::RemoveRoute { prefix, metric } => {
                let key = (config.table, prefix, metric);
                match self.routes.get(&key) {
                    Some(route) if route.protocol == config.protocol => {
                        self.routes.remove(&key);
                        Ok(())
                    }
                    _ => Err(Errno(libc::ESRCH)),
                }
            }
            Operation::AddNextHop { id, .. } if self.objects.contains_key(&id) => Err(Errno(libc::EEXIST)),
            Operation::AddNextHop { id, gateway, link } | Operation::ReplaceNextHop { id, gateway, link } => {
                self.check_gateway(gateway, link)?;
                let object = KernelNextHop { id, protocol: config.protocol, gateway: Some((gateway, link)) };
                self.objects.insert(id, object);
                Ok(())
            }
            Operation::RemoveNextHop { id: 0 } => Err(Errno(libc::EINVAL)),
            Operation::RemoveNextHop { id } => {
                self.objects.remove(&id).ok_or(Errno(libc::ENOENT))?;
                self.flush_routes_of(id);
                Ok(())
            }
        }
    }

    fn route(&mut self, config: &FibConfig, prefix: IpNet, via: Via, replace: bool) -> Result<(), Errno> {
        if let Some(&errno) = self.refuse_prefix.get(&prefix) {
            return Err(errno);
        }
        match via {
            Via::Object(id) if !self.objects.contains_key(&id) => return Err(Errno(libc::EINVAL)),
            Via::Object(_) => {}
            Via::Gateway { address, link } => self.check_gateway(address, link)?,
            Via::Discard => {}
        }
        let key = (config.table, prefix, config.metric);
        if !replace && self.routes.contains_key(&key) {
            return Err(Errno(libc::EEXIST));
        }
        let (table, protocol, metric) = (config.table, config.protocol, config.metric);
        self.routes
            .insert(key, KernelRoute { prefix, table, protocol, metric, target: RouteTarget::Via(via) });
        Ok(())
    }

    fn check_gateway(&self, gateway: IpAddr, link: u32) -> Result<(), Errno> {
        if !self.links.get(&link).is_some_and(Link::carries_gateways) {
            return Err(Errno(libc::ENETDOWN));
        }
        if matches!(gateway, IpAddr::V6(address) if address.is_unicast_link_local()) {
            return Ok(());
        }
        let reachable = self
            .routes
            .values()
            .any(|route| route.target == RouteTarget::OnLink(link) && route.prefix.contains(&gateway));
        if reachable { Ok(()) } else { Err(Errno(libc::EHOSTUNREACH)) }
    }

    /// Routes whose object is missing; the real kernel never has one.
    pub fn dangling(&self) -> BTreeSet<IpNet> {
        let dangles = |route: &&KernelRoute| matches!(route.target, RouteTarget::Via(Via::Object(id)) if !self.objects.contains_key(&id));
        self.routes.values().filter(dangles).map(|route| route.prefix).collect()
    }
}
