//! The FIB on a thread of its own: shards say what is best, the thread makes the kernel agree.
//!
//! Shards never wait for the kernel. They leave changes in a [`FibQueue`], where a newer one takes the place of an older
//! one for the same prefix, so it can't outgrow the table; the thread takes all of it, and between two batches of
//! netlink messages looks again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use foldhash::fast::FixedState;
use palisade_bgp::prefix::{Address, Prefix};
use palisade_fib::{Agreement, Fib, FibError, FibStats, Kernel, NextHop, RouteState};
use palisade_rib::{Change, Forwarding, Gateway, forwarding};
use tokio::sync::oneshot;
use tracing::{error, info, warn};

use super::recovery;
use super::shard::Shards;

/// How often the kernel's notifications are read when nothing else happens.
const KERNEL_POLL: Duration = Duration::from_millis(100);
/// Next hops whose reachability is watched; paths through any more are taken to lead somewhere, and wait in the FIB.
const MOST_NEXT_HOPS: usize = 65_536;
/// How long to rest after the kernel could not be talked to.
const RETRY: Duration = Duration::from_secs(1);

/// Changes on their way to the FIB.
#[derive(Debug, Default)]
pub(crate) struct FibQueue {
    changes: Mutex<HashMap<Prefix, Option<NextHop>, FixedState>>,
    news: Condvar,
    stopping: AtomicBool,
    /// Whether our routes stay in the kernel when the thread ends.
    leaving: AtomicBool,
    /// Shards that do not know yet what is best (RFC 4724 s4.1): until all do, nothing changes in the kernel.
    deferred: AtomicUsize,
    /// Whether peers are being spoken to.
    begun: AtomicBool,
    stats: Mutex<FibStats>,
    asked: Mutex<Vec<Answer>>,
    asked_states: Mutex<Vec<(Prefix, oneshot::Sender<RouteState>)>>,
    /// First tables that are not in yet: one a peer and shard.
    awaited: AtomicUsize,
}

/// As the kernel's table knows it.
fn next_hop(forwarding: Forwarding) -> NextHop {
    match forwarding {
        Forwarding::To((address, link)) => NextHop::gateway(address, link),
        Forwarding::Discard => NextHop::Discard,
    }
}

/// Where the answer to whether the kernel agrees goes.
type Answer = oneshot::Sender<Result<Agreement, FibError>>;

impl FibQueue {
    /// For a router that waits for so many first tables, of which so many shards do not know yet what is best.
    pub(crate) fn new(awaited: usize, deferred: usize) -> Self {
        let [awaited, deferred] = [awaited, deferred].map(AtomicUsize::new);
        FibQueue { awaited, deferred, ..FibQueue::default() }
    }

    /// Peers are spoken to from now on, and have as long as it takes to confirm what an earlier run left.
    pub(crate) fn sessions_begin(&self) {
        self.begun.store(true, Ordering::Release);
        self.news.notify_one();
    }

    /// A shard knows what is best, and has left all of that.
    pub(crate) fn shard_has_selected(&self) {
        self.deferred.fetch_sub(1, Ordering::AcqRel);
        self.news.notify_one();
    }

    fn is_deferred(&self) -> bool {
        self.deferred.load(Ordering::Acquire) > 0
    }

    /// A shard has left all changes that come of a peer's first table. Once all have, of all peers, nobody is going to
    /// confirm what an earlier run left in the kernel.
    pub(crate) fn first_table_is_in(&self) {
        self.awaited.fetch_sub(1, Ordering::AcqRel);
        self.news.notify_one();
    }

    /// Leaves what has changed.
    pub(crate) fn push<A: Address>(&self, changes: &[Change<A>]) {
        let mut waiting = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let moved = changes.iter().filter(|change| change.moves_best_path());
        waiting.extend(moved.map(|change| (A::prefix(change.net), forwarding(change).map(next_hop))));
        drop(waiting);
        self.news.notify_one();
    }

    /// What the FIB last said of itself.
    pub(crate) fn stats(&self) -> FibStats {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks whether the kernel agrees. The answer comes once there is nothing left to send to it, or never where the thread
    /// ends first.
    pub(crate) fn verify(&self) -> oneshot::Receiver<Result<Agreement, FibError>> {
        let (answer, answered) = oneshot::channel();
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
        self.news.notify_one();
        answered
    }

    /// Asks what has become of the route to a prefix. The answer comes after the batch that is on its way, or never where the
    /// thread ends first. Questions are as many as clients that wait for answers.
    pub(crate) fn state(&self, prefix: Prefix) -> oneshot::Receiver<RouteState> {
        let (answer, answered) = oneshot::channel();
        self.asked_states.lock().unwrap_or_else(PoisonError::into_inner).push((prefix, answer));
        // The thread looks whether it is asked before it waits, and holds this lock from then on.
        drop(self.changes.lock().unwrap_or_else(PoisonError::into_inner));
        self.news.notify_one();
        answered
    }

    fn is_asked(&self) -> bool {
        !self.asked_states.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Has the thread end, and remove our routes unless another process is to go on with them.
    pub(crate) fn stop(&self, leaves_routes: bool) {
        self.leaving.store(leaves_routes, Ordering::Release);
        self.stopping.store(true, Ordering::Release);
        self.news.notify_one();
    }

    fn take(&self, wait: Duration) -> HashMap<Prefix, Option<NextHop>, FixedState> {
        let deferred = self.is_deferred();
        let mut waiting = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if (waiting.is_empty() || deferred)
            && !wait.is_zero()
            && !self.is_asked()
            && !self.stopping.load(Ordering::Acquire)
        {
            (waiting, _) = self.news.wait_timeout(waiting, wait).unwrap_or_else(PoisonError::into_inner);
        }
        if deferred { HashMap::default() } else { std::mem::take(&mut waiting) }
    }
}

/// Starts the thread; it ends after [`FibQueue::stop`].
pub(crate) fn start<K: Kernel + Send + 'static>(
    fib: Fib<K>,
    queue: Arc<FibQueue>,
    shards: Shards,
) -> std::io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name("fib".into()).spawn(move || {
        let (reachable, leftovers) = (HashMap::default(), Leftovers::Kept);
        Worker { fib, queue, shards, reachable, leftovers, busy: false }.run();
    })
}

struct Worker<K: Kernel> {
    fib: Fib<K>,
    queue: Arc<FibQueue>,
    shards: Shards,
    /// Whether next hops can be reached, as the shards know it.
    reachable: HashMap<Gateway, bool, FixedState>,
    leftovers: Leftovers,
    busy: bool,
}

/// How it stands with what an earlier run left in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leftovers {
    /// It stays until peers are spoken to.
    Kept,
    /// It stays until their first tables are in, or until then: not every peer says when its table is complete.
    Until(Instant),
    /// It goes, unless somebody has confirmed it.
    Going,
}

impl<K: Kernel> Worker<K> {
    fn run(mut self) {
        while !self.queue.stopping.load(Ordering::Acquire) {
            if let Err(fault) = self.round() {
                warn!(%fault, "the kernel could not be talked to; trying again");
                thread::sleep(RETRY);
            }
            self.answer_states();
            if !self.busy {
                self.answer();
            }
            *self.queue.stats.lock().unwrap_or_else(PoisonError::into_inner) = self.fib.stats();
        }
        if self.queue.leaving.load(Ordering::Acquire) {
            return info!("our routes stay in the kernel");
        }
        match self.fib.sweep() {
            Ok(routes) => info!(routes, "removed our routes from the kernel"),
            Err(fault) => error!(%fault, "our routes could not be removed from the kernel"),
        }
    }

    fn answer(&mut self) {
        let asked = std::mem::take(&mut *self.queue.asked.lock().unwrap_or_else(PoisonError::into_inner));
        for answer in asked {
            // Who asked may have stopped waiting.
            let _ = answer.send(self.fib.verify());
        }
    }

    fn answer_states(&mut self) {
        let asked =
            std::mem::take(&mut *self.queue.asked_states.lock().unwrap_or_else(PoisonError::into_inner));
        for (prefix, answer) in asked {
            // Who asked may have stopped waiting.
            let _ = answer.send(self.fib.state(prefix.into()));
        }
    }

    /// Has the shards choose among paths that lead somewhere (RFC 4271 s9.1.2).
    fn tell_reachable(&mut self) {
        for (gateway, told) in &mut self.reachable {
            let (address, link) = *gateway;
            let now = self.fib.reaches(NextHop::gateway(address, link));
            if now != *told {
                *told = now;
                info!(next_hop = %address, link, reachable = now, "paths through a next hop are considered again");
                self.shards.tell_reachable(*gateway, now);
            }
        }
    }

    fn round(&mut self) -> Result<(), FibError> {
        let wait = if self.busy { Duration::ZERO } else { KERNEL_POLL };
        // Asked before the changes are taken: all that came before it are among them.
        let (all_in, deferred) = (self.queue.awaited.load(Ordering::Acquire) == 0, self.queue.is_deferred());
        for (prefix, wanted) in self.queue.take(wait) {
            self.fib.set(prefix.into(), wanted);
            if let Some(NextHop::Gateway { address, link }) = wanted
                && self.reachable.len() < MOST_NEXT_HOPS
            {
                self.reachable.entry((address, link)).or_insert(true);
            }
        }
        match self.leftovers {
            Leftovers::Kept if self.queue.begun.load(Ordering::Acquire) => {
                self.leftovers = Leftovers::Until(Instant::now() + recovery::PATIENCE);
            }
            Leftovers::Until(until) if !deferred && (all_in || Instant::now() >= until) => {
                self.leftovers = Leftovers::Going;
                self.fib.start_complete();
            }
            _ => {}
        }
        let news = self.fib.poll_kernel()?;
        self.tell_reachable();
        let progress = self.fib.sync(Instant::now())?;
        self.busy = news.more || progress.sent > 0 && progress.pending > 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use palisade_fib::{FibConfig, KernelRoute, MAIN_TABLE, MemoryKernel, PALISADE_PROTOCOL, RouteTarget};

    fn installed_becomes(queue: &FibQueue, installed: usize) -> bool {
        let until = Instant::now() + Duration::from_secs(10);
        while queue.stats().installed != installed && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
        queue.stats().installed == installed
    }

    #[test]
    fn what_an_earlier_run_left_goes_when_the_last_first_table_is_in() {
        let mut kernel = MemoryKernel::new();
        kernel.insert(KernelRoute {
            prefix: "198.18.0.0/24".parse().unwrap(),
            table: MAIN_TABLE,
            protocol: PALISADE_PROTOCOL,
            metric: FibConfig::default().metric,
            target: RouteTarget::Other,
        });
        let queue = Arc::new(FibQueue::new(2, 1));
        let fib = Fib::open(kernel, FibConfig::default()).unwrap();
        let (shards, _) = Shards::start(Vec::new(), None, 0).unwrap();
        let thread = start(fib, Arc::clone(&queue), shards).unwrap();
        assert!(installed_becomes(&queue, 1));
        queue.first_table_is_in();
        thread::sleep(KERNEL_POLL * 2);
        assert_eq!(queue.stats().installed, 1, "one table is still to come");
        queue.first_table_is_in();
        queue.sessions_begin();
        thread::sleep(KERNEL_POLL * 2);
        assert_eq!(queue.stats().installed, 1, "it is not known yet what is best");
        queue.shard_has_selected();
        assert!(installed_becomes(&queue, 0));
        queue.stop(false);
        thread.join().unwrap();
    }
}
