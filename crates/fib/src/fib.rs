//! The reconciler: desired minus installed, a batch at a time.
//!
//! What is desired comes through [`Fib::set`]; what is installed is known from the answers to our own operations,
//! from notifications about other people's, and from dumps. [`Fib::sync`] works on the difference in this order:
//!
//! 1. a full comparison, if the conversation with the kernel was lost
//! 2. nexthop objects, since routes need them
//! 3. one batch of routes, the families taking turns
//! 4. once those are through: what an earlier run left behind, and objects that no route uses
//!
//! Nothing here waits longer than the kernel's answer to one batch (or one dump), and nothing that the kernel refuses
//! holds up the rest: it is put back and tried again after 1, 2, 4 and at most 60 s, or given up.

mod audit;
mod news;

use crate::config::FibConfig;
use crate::connected::Connected;
use crate::error::{FibError, KernelError, Verdict};
use crate::kernel::{Event, Kernel, Operation, Refusal};
use crate::key::Octets;
use crate::next_hop::NextHop;
use crate::next_hops::{NONE, NextHops, Sent};
use crate::report::{EXAMPLES, FailedRoute, FibStats, Progress, RouteState};
use crate::table::Table;
use ipnet::IpNet;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Operations in a batch. Larger ones are no faster, and the answers to this many refusals fit the receive buffer that
/// an unprivileged system gives out (212,992 bytes).
pub const BATCH: usize = 256;

/// The first and the longest wait before something refused is tried again.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_LONGEST: Duration = Duration::from_secs(60);

/// Between two full comparisons that `sync` makes on its own account: one lists the whole table.
const BETWEEN_AUDITS: Duration = Duration::from_secs(5);

/// Of the refusals in a batch, how many are logged one by one.
const LOGGED_REFUSALS: usize = 4;

/// The kernel's forwarding table, kept as desired.
pub struct Fib<K: Kernel> {
    kernel: K,
    config: FibConfig,
    connected: Connected,
    next_hops: NextHops,
    v4: Table<[u8; 4]>,
    v6: Table<[u8; 16]>,
    /// Routes of our protocol with another metric than ours: an earlier run's.
    stray_routes: Vec<(IpNet, u32)>,
    /// The first full table has come: what nobody wants may go.
    started: bool,
    /// IPv6 goes first in the next batch.
    v6_turn: bool,
    retry: Retry,
    audit_due: bool,
    /// A route was in the way of ours. It may be ours after all, which a comparison tells before the next retry.
    in_the_way: bool,
    last_audit: Option<Instant>,
    counters: Counters,
    failures: VecDeque<FailedRoute>,
    operations: Vec<Operation>,
    refusals: Vec<Refusal>,
    events: Vec<Event>,
    sent: Vec<Sent>,
}

/// When refused things are tried again.
struct Retry {
    at: Option<Instant>,
    delay: Duration,
}

#[derive(Default)]
struct Counters {
    operations: u64,
    meddled: u64,
    overruns: u64,
    audits: u64,
}

impl<K: Kernel> Fib<K> {
    /// Lists links, networks, nexthop objects and routes, adopting what an earlier run left under our protocol number:
    /// it stays until it is set again or [`Fib::start_complete`] is called.
    pub fn open(mut kernel: K, config: FibConfig) -> Result<Self, FibError> {
        config.check()?;
        prove_permission(&mut kernel, &config)?;
        let objects = match kernel.next_hops(&mut |_| ()) {
            Ok(()) => true,
            Err(KernelError::Unsupported(_)) => false,
            Err(error) => return Err(error.into()),
        };
        let mut fib = Fib {
            kernel,
            config,
            connected: Connected::default(),
            next_hops: NextHops::new(objects),
            v4: Table::default(),
            v6: Table::default(),
            stray_routes: Vec::new(),
            started: false,
            v6_turn: false,
            retry: Retry { at: None, delay: RETRY_FIRST },
            audit_due: false,
            in_the_way: false,
            last_audit: None,
            counters: Counters::default(),
            failures: VecDeque::new(),
            operations: Vec::new(),
            refusals: Vec::new(),
            events: Vec::new(),
            sent: Vec::new(),
        };
        let found = fib.audit()?;
        let leftovers = found.leftovers + fib.stray_routes.len();
        let table = fib.config.table;
        tracing::info!(
            table,
            protocol = fib.config.protocol,
            objects,
            leftovers,
            "kernel routing table opened"
        );
        Ok(fib)
    }

    /// Sets the wanted next hop of a prefix (`None`: no route). The newest call wins; nothing is sent yet.
    pub fn set(&mut self, prefix: IpNet, next_hop: Option<NextHop>) {
        let wanted = next_hop.map_or(NONE, |next_hop| self.next_hops.intern(next_hop));
        match prefix {
            IpNet::V4(net) => self.v4.want(net.into(), wanted, &mut self.next_hops),
            IpNet::V6(net) => self.v6.want(net.into(), wanted, &mut self.next_hops),
        }
    }

    /// Sends one batch of at most [`BATCH`] route operations, and before it the nexthop objects they need. Call it
    /// while [`Progress::pending`] is not 0, taking new changes in between, and again at [`Progress::retry_at`].
    ///
    /// After an error other than [`FibError::NotPermitted`] the next call compares everything with the kernel.
    pub fn sync(&mut self, now: Instant) -> Result<Progress, FibError> {
        let outcome = self.reconcile(now);
        if outcome.is_err() {
            self.audit_due = true;
            self.last_audit = Some(now);
        }
        outcome
    }

    /// The first full table has come: routes of an earlier run that nobody has set since are removed by the following
    /// `sync` calls.
    pub fn start_complete(&mut self) {
        self.started = true;
        self.next_hops.reconsider_all();
        let others = self.pending();
        self.walk();
        let leftovers = self.pending() - others + self.stray_routes.len();
        tracing::info!(leftovers, "start complete: what is left of an earlier run goes");
    }

    /// Removes every route and nexthop object of ours from the kernel and forgets what is desired. Returns how many
    /// routes were removed. Goes by what the kernel lists and not by what is believed.
    pub fn sweep(&mut self) -> Result<usize, FibError> {
        self.v4.clear();
        self.v6.clear();
        self.next_hops = NextHops::new(self.next_hops.objects);
        self.started = true;
        let mut routes = Vec::new();
        let (ours, table) = (self.config.protocol, self.config.table);
        self.kernel.routes(table, &mut |route| {
            if route.protocol == ours && route.table == table {
                routes.push(Operation::RemoveRoute { prefix: route.prefix, metric: route.metric });
            }
        })?;
        let mut objects = Vec::new();
        if self.next_hops.objects {
            self.kernel.next_hops(&mut |object| {
                if object.protocol == ours {
                    objects.push(Operation::RemoveNextHop { id: object.id });
                }
            })?;
        }
        let removed = self.remove_all(&routes)?;
        self.remove_all(&objects)?;
        self.stray_routes.clear();
        tracing::debug!(routes = removed, objects = objects.len(), "swept");
        Ok(removed)
    }

    /// Whether a next hop is on a connected link that is up, as far as the kernel has said.
    pub fn reaches(&self, next_hop: NextHop) -> bool {
        self.connected.resolve(next_hop).is_ok()
    }

    /// What has become of the route to a prefix, as far as the kernel has said.
    pub fn state(&self, prefix: IpNet) -> RouteState {
        match prefix {
            IpNet::V4(net) => self.v4.state(net.into(), &self.next_hops),
            IpNet::V6(net) => self.v6.state(net.into(), &self.next_hops),
        }
    }

    /// Figures for metrics and the looking glass.
    pub fn stats(&self) -> FibStats {
        let (unresolved, unresolved_next_hops) = self.next_hops.unresolved(&self.connected);
        FibStats {
            desired: self.next_hops.wanted,
            installed: self.next_hops.installed,
            pending: self.pending(),
            unresolved,
            retrying: self.v4.waiting() + self.v6.waiting(),
            refused: self.v4.refused() + self.v6.refused(),
            next_hops: self.next_hops.len(),
            unresolved_next_hops,
            failures: self.failures.iter().cloned().collect(),
            next_hop_objects: self.next_hops.objects,
            operations: self.counters.operations,
            meddled: self.counters.meddled,
            overruns: self.counters.overruns,
            audits: self.counters.audits,
        }
    }

    /// The kernel spoken to, for its file descriptor.
    pub fn kernel(&self) -> &K {
        &self.kernel
    }

    /// The kernel spoken to; tests bring about faults through it.
    pub fn kernel_mut(&mut self) -> &mut K {
        &mut self.kernel
    }

    fn pending(&self) -> usize {
        self.v4.pending() + self.v6.pending()
    }

    fn reconcile(&mut self, now: Instant) -> Result<Progress, FibError> {
        let retry = self.retry.at.is_some_and(|at| now >= at);
        self.audit_due |= retry && std::mem::take(&mut self.in_the_way);
        if self.audit_due && self.audit_at().is_none_or(|at| now >= at) {
            self.last_audit = Some(now);
            let found = self.audit()?;
            let (contradictions, pending) = (found.contradictions(), self.pending());
            tracing::info!(agreed = found.agreed, contradictions, pending, "compared with the kernel");
        }
        if retry {
            self.retry.at = None;
            self.wake_waiting();
        }
        self.settle_next_hops()?;
        let (sent, refused) = self.send_routes()?;
        if self.started && self.pending() == 0 {
            self.remove_strays()?;
            self.settle_next_hops()?;
        }
        self.schedule_retry(now);
        let audit_at = if self.audit_due { self.audit_at() } else { None };
        let retry_at = self.retry.at.into_iter().chain(audit_at).min();
        Ok(Progress { sent, refused, pending: self.pending(), retry_at })
    }

    fn audit_at(&self) -> Option<Instant> {
        self.last_audit.map(|last| last + BETWEEN_AUDITS)
    }

    fn wake_waiting(&mut self) {
        self.next_hops.wake_waiting();
        self.v4.wake_waiting(&self.next_hops, self.started);
        self.v6.wake_waiting(&self.next_hops, self.started);
    }

    /// Sets the next retry if something waits for one; the delay doubles until nothing does.
    fn schedule_retry(&mut self, now: Instant) {
        let waiting = self.v4.waiting() + self.v6.waiting() > 0 || self.next_hops.any_waiting();
        if !waiting {
            if self.pending() == 0 {
                self.retry = Retry { at: None, delay: RETRY_FIRST };
            }
        } else if self.retry.at.is_none() {
            self.retry.at = Some(now + self.retry.delay);
            self.retry.delay = (self.retry.delay * 2).min(RETRY_LONGEST);
        }
    }

    /// Brings nexthop objects to the state that routes need, and tells the rows.
    fn settle_next_hops(&mut self) -> Result<(), FibError> {
        loop {
            self.operations.clear();
            self.sent.clear();
            let Fib { next_hops, connected, operations, sent, started, .. } = self;
            next_hops.plan(connected, *started, BATCH, operations, sent);
            if self.sent.is_empty() {
                break;
            }
            self.apply()?;
            self.next_hops.settle(&self.sent, &self.refusals);
        }
        if self.next_hops.walk_due() {
            self.walk();
        }
        Ok(())
    }

    fn walk(&mut self) {
        self.v4.walk(&mut self.next_hops, self.started);
        self.v6.walk(&mut self.next_hops, self.started);
        self.next_hops.walked();
    }

    /// Sends one batch of routes. Returns how many were sent and how many of them refused.
    fn send_routes(&mut self) -> Result<(usize, usize), FibError> {
        let v6_first = self.v6_turn;
        self.v6_turn = !v6_first;
        self.operations.clear();
        let metric = self.config.metric;
        let v6 = self.v4.pending() == 0 || (v6_first && self.v6.pending() > 0);
        if v6 {
            self.v6.plan(&mut self.next_hops, metric, BATCH, &mut self.operations);
        } else {
            self.v4.plan(&mut self.next_hops, metric, BATCH, &mut self.operations);
        }
        if self.operations.is_empty() {
            return Ok((0, 0));
        }
        self.apply()?;
        let refused = if self.refusals.is_empty() { 0 } else { self.take_refusals(v6)? };
        self.counters.operations += (self.operations.len() - refused) as u64;
        Ok((self.operations.len(), refused))
    }

    fn take_refusals(&mut self, v6: bool) -> Result<usize, FibError> {
        // An object that was flushed a moment ago makes its routes look invalid: find out before blaming them.
        if self.next_hops.objects
            && self.refusals.iter().any(|refusal| refusal.errno.verdict() == Verdict::GiveUp)
        {
            self.list_next_hops()?;
        }
        let Fib { v4, v6: table_v6, next_hops, refusals, failures, operations, in_the_way, .. } = self;
        let refusals = if v6 {
            refuse(table_v6, next_hops, operations, refusals)
        } else {
            refuse(v4, next_hops, operations, refusals)
        };
        *in_the_way |= refusals.newly_blocked;
        if refusals.news.len() > LOGGED_REFUSALS {
            tracing::warn!(
                more = refusals.news.len() - LOGGED_REFUSALS,
                "further routes refused in this batch"
            );
        }
        failures.extend(refusals.news);
        failures.drain(..failures.len().saturating_sub(EXAMPLES));
        Ok(refusals.count)
    }

    /// Sends `operations`; the answers are in `refusals`.
    fn apply(&mut self) -> Result<(), FibError> {
        self.refusals.clear();
        self.kernel.apply(&self.config, &self.operations, &mut self.refusals)?;
        match self.refusals.iter().any(|refusal| refusal.errno.verdict() == Verdict::NotPermitted) {
            true => Err(FibError::NotPermitted),
            false => Ok(()),
        }
    }

    /// Removes what an earlier run left that no row or next hop stands for, a batch of each at a time.
    fn remove_strays(&mut self) -> Result<(), FibError> {
        let from = self.stray_routes.len().saturating_sub(BATCH);
        let strays: Vec<Operation> = self
            .stray_routes
            .drain(from..)
            .map(|(prefix, metric)| Operation::RemoveRoute { prefix, metric })
            .collect();
        self.remove_all(&strays)?;
        if self.stray_routes.is_empty() && self.v4.waiting() + self.v6.waiting() == 0 {
            let objects: Vec<Operation> =
                self.next_hops.strays.drain(..).map(|id| Operation::RemoveNextHop { id }).collect();
            self.remove_all(&objects)?;
        }
        Ok(())
    }

    /// Carries out removals in batches; returns how many took effect. What the kernel refuses is logged and left.
    fn remove_all(&mut self, removals: &[Operation]) -> Result<usize, FibError> {
        let mut removed = 0;
        for batch in removals.chunks(BATCH) {
            self.operations.clear();
            self.operations.extend_from_slice(batch);
            self.apply()?;
            removed += batch.len() - self.refusals.len();
            for refusal in self.refusals.iter().filter(|refusal| !refusal.errno.means_already_gone()) {
                let operation = self.operations.get(refusal.operation);
                tracing::warn!(?operation, error = %refusal.errno, "removal refused");
            }
        }
        self.counters.operations += removed as u64;
        Ok(removed)
    }
}

/// A harmless request that only a permitted process gets past: there is no object 0.
fn prove_permission<K: Kernel>(kernel: &mut K, config: &FibConfig) -> Result<(), FibError> {
    let mut refusals = Vec::new();
    kernel.apply(config, &[Operation::RemoveNextHop { id: 0 }], &mut refusals)?;
    match refusals.iter().any(|refusal| refusal.errno.verdict() == Verdict::NotPermitted) {
        true => Err(FibError::NotPermitted),
        false => Ok(()),
    }
}

/// What a batch's refusals amount to.
#[derive(Default)]
struct Refusals {
    count: usize,
    /// Those not refused before.
    news: Vec<FailedRoute>,
    newly_blocked: bool,
}

/// Puts refused rows back, and logs them.
fn refuse<A: Octets>(
    table: &mut Table<A>,
    next_hops: &mut NextHops,
    operations: &[Operation],
    refusals: &[Refusal],
) -> Refusals {
    let mut outcome = Refusals::default();
    for refusal in refusals {
        let removal = matches!(operations.get(refusal.operation), Some(Operation::RemoveRoute { .. }));
        if removal && refusal.errno.means_already_gone() {
            continue;
        }
        let Some(refused) = table.refuse(refusal.operation, refusal.errno, next_hops) else { continue };
        outcome.count += 1;
        outcome.newly_blocked |= refused.newly_blocked;
        let (prefix, errno, given_up) = (refused.prefix, refusal.errno, refused.given_up);
        let kernel = refusal.text.as_deref().unwrap_or_default();
        if refused.is_news && outcome.news.len() < LOGGED_REFUSALS {
            tracing::warn!(%prefix, error = %errno, kernel, given_up, "route refused");
        } else {
            tracing::debug!(%prefix, error = %errno, kernel, given_up, "route refused");
        }
        if refused.is_news {
            outcome.news.push(FailedRoute { prefix, errno, text: refusal.text.clone() });
        }
    }
    outcome
}

#[cfg(test)]
mod tests;
