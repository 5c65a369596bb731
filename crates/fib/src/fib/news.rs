//! What happens in the kernel without our doing: links and networks that come and go, and people who change our
//! routes by hand.
//!
//! A report about one of our routes may be older than our latest operation on it, because the two travel on different
//! sockets. So a route reported removed becomes *unsure* and not absent: the repair is a replacement, which installs
//! it if it is gone and changes nothing if it isn't.

use super::Fib;
use crate::config::MAIN_TABLE;
use crate::error::{FibError, KernelError};
use crate::kernel::{Event, Kernel, KernelRoute, Link, RouteChange, RouteTarget};
use crate::key::{Key, Octets};
use crate::next_hops::{NONE, NextHops, UNSURE};
use crate::report::KernelNews;
use crate::table::Table;
use ipnet::IpNet;

/// The most events taken by one call.
const EVENTS: usize = 4096;

/// What a batch of events calls for once it has been read.
#[derive(Default)]
struct Consequences {
    next_hops_moved: bool,
    list_objects: bool,
}

impl<K: Kernel> Fib<K> {
    /// Takes the kernel's notifications, without blocking; call it about every 100 ms, or when the kernel's file
    /// descriptor is readable. What has to be done about them is done by the following `sync` calls.
    pub fn poll_kernel(&mut self) -> Result<KernelNews, FibError> {
        let mut news = KernelNews::default();
        let mut events = std::mem::take(&mut self.events);
        events.clear();
        let outcome = self.kernel.events(EVENTS, &mut events);
        news.events = events.len();
        news.more = events.len() >= EVENTS;
        let mut consequences = Consequences::default();
        for event in events.drain(..) {
            self.take_event(event, &mut news, &mut consequences);
        }
        self.events = events;
        self.follow_up(outcome, &mut news, &consequences)?;
        self.counters.meddled += news.meddled as u64;
        Ok(news)
    }

    /// Draws the consequences that a whole batch of events has in common.
    fn follow_up(
        &mut self,
        outcome: Result<(), KernelError>,
        news: &mut KernelNews,
        consequences: &Consequences,
    ) -> Result<(), FibError> {
        match outcome {
            Ok(()) => {}
            Err(KernelError::Overrun) => {
                news.overrun = true;
                self.audit_due = true;
                self.counters.overruns += 1;
                tracing::warn!("kernel notifications were lost: comparing everything");
            }
            Err(error) => return Err(error.into()),
        }
        if consequences.next_hops_moved {
            self.next_hops.reconsider_all();
        }
        if consequences.list_objects && self.next_hops.objects {
            let listed = self.list_next_hops();
            // Until a listing succeeds nobody knows which routes went.
            self.audit_due |= listed.is_err();
            news.flushed += listed?;
        }
        if news.flushed > 0 {
            tracing::info!(routes = news.flushed, "routes went with their nexthop objects");
        }
        Ok(())
    }

    fn take_event(&mut self, event: Event, news: &mut KernelNews, consequences: &mut Consequences) {
        match event {
            Event::Link(link) => self.take_link(link, news, consequences),
            Event::LinkGone(index) => {
                self.connected.remove_link(index);
                self.link_lost(index, news, consequences);
            }
            Event::NextHop => {
                tracing::debug!("someone else changed a nexthop object");
                consequences.list_objects = true;
            }
            Event::Route(change, route) => self.take_route(change, route, news, consequences),
            Event::AddressAdded(address) if self.config.is_preferred_source(address) => {
                self.v4.forgive(&self.next_hops, self.started);
                self.v6.forgive(&self.next_hops, self.started);
                self.wake_waiting();
            }
            // The kernel drops the routes that name a source address along with the address, without a word.
            Event::AddressRemoved(address) if self.config.is_preferred_source(address) => {
                tracing::warn!(%address, "the preferred source address is gone");
                self.audit_due = true;
            }
            Event::AddressAdded(_) | Event::AddressRemoved(_) => {}
        }
    }

    fn take_link(&mut self, link: Link, news: &mut KernelNews, consequences: &mut Consequences) {
        consequences.next_hops_moved = true;
        if self.connected.update_link(link) && !link.loopback {
            self.link_lost(link.index, news, consequences);
        }
    }

    fn link_lost(&mut self, index: u32, news: &mut KernelNews, consequences: &mut Consequences) {
        tracing::debug!(link = index, "link down");
        consequences.next_hops_moved = true;
        consequences.list_objects = true;
        if !self.next_hops.objects {
            news.flushed += self.next_hops.lose_link(index);
        }
    }

    fn take_route(
        &mut self,
        change: RouteChange,
        route: KernelRoute,
        news: &mut KernelNews,
        consequences: &mut Consequences,
    ) {
        if route.table == MAIN_TABLE && self.take_connected(change, &route) {
            consequences.next_hops_moved = true;
        }
        if route.table != self.config.table {
            return;
        }
        let ours = route.protocol == self.config.protocol;
        if route.metric != self.config.metric {
            self.audit_due |= ours && change != RouteChange::Removed;
            return;
        }
        let held = match route.target {
            RouteTarget::Via(via) if ours => self.next_hops.identify(via),
            _ => UNSURE,
        };
        let Fib { v4, v6, next_hops, started, .. } = self;
        let meddled = match route.prefix {
            IpNet::V4(net) => take_own(v4, Key::from(net), change, ours.then_some(held), next_hops, *started),
            IpNet::V6(net) => take_own(v6, Key::from(net), change, ours.then_some(held), next_hops, *started),
        };
        if meddled {
            news.meddled += 1;
            tracing::debug!(prefix = %route.prefix, ?change, ours, "someone else changed a route of ours");
        }
    }

    /// Keeps the connected networks current; true if they changed.
    fn take_connected(&mut self, change: RouteChange, route: &KernelRoute) -> bool {
        if change == RouteChange::Replaced {
            self.connected.remove_metric(route.prefix, route.metric);
        }
        match (change, route.target) {
            (RouteChange::Removed, RouteTarget::OnLink(link)) => {
                self.connected.remove(route.prefix, route.metric, link);
            }
            (_, RouteTarget::OnLink(link)) => self.connected.add(route.prefix, route.metric, link),
            (change, _) => return change == RouteChange::Replaced,
        }
        true
    }
}

/// Takes a report about the route at our metric. `held` is where it leads, for a route of our protocol. True if a route
/// of ours was meddled with.
fn take_own<A: Octets>(
    table: &mut Table<A>,
    key: Key<A>,
    change: RouteChange,
    held: Option<u32>,
    next_hops: &mut NextHops,
    started: bool,
) -> bool {
    match (change, held) {
        (RouteChange::Removed, Some(_)) => table.meddled(key, UNSURE, next_hops, started),
        (_, Some(held)) => table.imitated(key, held, next_hops, started),
        (RouteChange::Replaced, None) => table.meddled(key, NONE, next_hops, started),
        (RouteChange::Added, None) => table.displaced(key, next_hops, started),
        (RouteChange::Removed, None) => {
            table.nudge(key, next_hops, started);
            false
        }
    }
}
