//! A shard of the table on a thread of its own.
//!
//! The thread takes messages from a bounded channel (when it is full, peers' tasks wait, and with them, through TCP,
//! the peers), applies some, and then publishes what they changed. It never waits for anything but messages and time.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use palisade_bgp::Family;
use palisade_bgp::prefix::{Address, Prefix};
use palisade_policy::{Peer, Snapshot};
use palisade_rib::{
    Account, Batch, Change, Chunk, Gateway, Outbox, Page, PeerIndex, PolicyTouched, Query, RibPeer, Shard,
    Terms, Totals, Touched,
};
use tokio::sync::{mpsc, oneshot};

use super::fib::FibQueue;
use super::originated;
use super::queue::{Outgoing, SessionQueue};
use super::turns::Turn;

/// Messages that wait for a shard before the tasks that send them wait too.
const INBOX: usize = 32;
/// Announcements and withdrawals that are applied before what they changed is published.
const PATHS_A_ROUND: usize = 4_096;

/// What a shard is told.
#[derive(Debug)]
pub(crate) enum ToShard {
    PeerUp(PeerIndex, Box<RibPeer>, Arc<SessionQueue>),
    /// A peer is judged by another policy while its session stays up.
    Policy(PeerIndex, Arc<Peer>, PolicyTouched),
    /// It is dealt with on other terms.
    Terms(PeerIndex, Terms),
    /// A session is down; of which families the peer's paths are kept for its return.
    PeerLost(PeerIndex, [bool; 2]),
    /// A peer says its table anew, has said it, or is away for long.
    Stale(PeerIndex, Stale),
    /// What a peer says, with the turn that it gives back.
    Batch(Batch, Option<Turn>),
    Refresh(PeerIndex, Family),
    /// There may be room for what a limit on accepted paths holds back.
    LetIn(PeerIndex),
    /// A peer's first table is in: it has said End-of-RIB for all families (RFC 4724 s2).
    FirstTable,
    /// A peer has said all that it has since a restart of ours, or need not be waited for (RFC 4724 s4.1).
    Heard,
    /// Those that have not been heard since a restart of ours are waited for no longer.
    StopWaiting,
    /// A session's queue has room again.
    Room,
    Tables(Arc<Snapshot>, Arc<Touched>),
    /// Whether a prefix is originated from now on.
    Originate(Prefix, bool),
    /// Whether a next hop can be reached.
    NextHop(Gateway, bool),
    /// Somebody wants to see some of it: a visit that is short whatever it finds.
    Query(Box<Query>, oneshot::Sender<Page>),
    Totals(oneshot::Sender<Totals>),
    /// All that there is to say of a prefix, which the shard owns.
    Account(Prefix, oneshot::Sender<Account>),
}

/// What becomes of paths that a peer has not said again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stale {
    /// All that it has said so far are such.
    Begin(Family),
    /// They stay for long, as the last resort.
    LongLived(Family),
    /// They go.
    Sweep(Family),
}

/// The way to all shards.
#[derive(Clone, Debug)]
pub(crate) struct Shards {
    senders: Arc<[mpsc::Sender<ToShard>]>,
}

impl Shards {
    /// Starts a thread a shard. They end when the last clone of the returned handle is dropped. They tell nobody anything until so
    /// many peers have been heard.
    pub(crate) fn start(
        shards: Vec<Shard>,
        fib: Option<Arc<FibQueue>>,
        waited_for: usize,
    ) -> io::Result<(Self, Vec<thread::JoinHandle<()>>)> {
        let mut senders = Vec::new();
        let mut threads = Vec::new();
        for (number, mut shard) in shards.into_iter().enumerate() {
            shard.set_deferred(waited_for > 0);
            let (sender, inbox) = mpsc::channel(INBOX);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
            let wiring = Wiring { queues: Vec::new(), fib: fib.clone(), has_selected: waited_for == 0 };
            let worker = Worker { shard, inbox, wiring, first_tables: 0, waited_for };
            let thread = thread::Builder::new().name(format!("shard-{number}"));
            threads.push(thread.spawn(move || runtime.block_on(worker.run()))?);
            senders.push(sender);
        }
        Ok((Shards { senders: senders.into() }, threads))
    }

    pub(crate) fn count(&self) -> usize {
        self.senders.len()
    }

    /// Puts a message into a shard's inbox, or gives it back where that is full. A shard that is gone, as when the
    /// router stops, takes everything.
    pub(crate) fn try_send(&self, shard: usize, message: ToShard) -> Result<(), ToShard> {
        match self.senders[shard].try_send(message) {
            Err(mpsc::error::TrySendError::Full(message)) => Err(message),
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }

    /// Waits for a place in a shard's inbox and keeps it. `None` while the router stops.
    pub(crate) async fn place(&self, shard: usize) -> Option<mpsc::OwnedPermit<ToShard>> {
        self.senders[shard].clone().reserve_owned().await.ok()
    }

    /// Sends to every shard, waiting for a place.
    pub(crate) async fn send_all(&self, mut message: impl FnMut() -> ToShard) {
        for sender in self.senders.iter() {
            let _ = sender.send(message()).await;
        }
    }

    /// Tells every shard whether a next hop can be reached. Waits for their inboxes, so it is not for a task.
    pub(crate) fn tell_reachable(&self, gateway: Gateway, reachable: bool) {
        for sender in self.senders.iter() {
            let _ = sender.blocking_send(ToShard::NextHop(gateway, reachable));
        }
    }

    /// Wakes shards that may wait for a queue; one with a full inbox is awake.
    pub(crate) fn wake(&self) {
        self.senders.iter().for_each(|sender| drop(sender.try_send(ToShard::Room)));
    }
}

struct Worker {
    shard: Shard,
    inbox: mpsc::Receiver<ToShard>,
    wiring: Wiring,
    /// Peers whose first table is in and not published.
    first_tables: usize,
    /// Peers that are to be heard before anybody is told anything.
    waited_for: usize,
}

impl Worker {
    async fn run(mut self) {
        let mut due: Option<Instant> = None;
        loop {
            let Some(first) = self.next_message(due).await else { return };
            let mut paths = first.map_or(0, |message| self.handle(message));
            while paths < PATHS_A_ROUND {
                let Ok(message) = self.inbox.try_recv() else { break };
                paths += self.handle(message);
            }
            due = self.shard.publish(Instant::now(), &mut self.wiring);
            self.wiring.tell_fib_of_selection(self.waited_for == 0);
            self.wiring.first_tables_are_in(std::mem::take(&mut self.first_tables));
        }
    }

    /// The next message, or `Some(None)` when it is time to publish without one; `None` ends the thread.
    async fn next_message(&mut self, due: Option<Instant>) -> Option<Option<ToShard>> {
        match due {
            None => self.inbox.recv().await.map(Some),
            Some(due) if due <= Instant::now() => match self.inbox.try_recv() {
                Ok(message) => Some(Some(message)),
                Err(mpsc::error::TryRecvError::Empty) => Some(None),
                Err(mpsc::error::TryRecvError::Disconnected) => None,
            },
            Some(due) => match tokio::time::timeout_at(due.into(), self.inbox.recv()).await {
                Ok(message) => message.map(Some),
                Err(_) => Some(None),
            },
        }
    }

    /// How many paths a message brought.
    fn handle(&mut self, message: ToShard) -> usize {
        match message {
            ToShard::Batch(batch, _turn) => {
                self.shard.apply(&batch, &mut self.wiring);
                return batch.len();
            }
            ToShard::PeerUp(index, peer, queue) => {
                self.wiring.set_queue(index, Some(queue));
                self.shard.peer_up(index, *peer);
            }
            ToShard::PeerLost(index, retained) => {
                self.wiring.set_queue(index, None);
                self.shard.peer_lost(index, retained);
            }
            ToShard::Stale(index, Stale::Begin(family)) => self.shard.mark_stale(index, family),
            ToShard::Stale(index, Stale::LongLived(family)) => self.shard.make_long_lived(index, family),
            ToShard::Stale(index, Stale::Sweep(family)) => self.shard.sweep_stale(index, family),
            ToShard::Policy(index, policy, touched) => self.shard.set_policy(index, policy, &touched),
            ToShard::Terms(index, terms) => self.shard.set_terms(&[(index, terms)]),
            ToShard::Refresh(index, family) => self.shard.refresh(index, family),
            ToShard::LetIn(index) => self.shard.let_in(index),
            ToShard::FirstTable => self.first_tables += 1,
            ToShard::Heard => self.wait_for(self.waited_for.saturating_sub(1)),
            ToShard::StopWaiting => self.wait_for(0),
            ToShard::Room => {}
            ToShard::NextHop(gateway, reachable) => self.shard.set_reachable(gateway, reachable),
            ToShard::Originate(prefix, true) => self.shard.originate(prefix, &originated(prefix)),
            ToShard::Originate(prefix, false) => self.shard.withdraw(prefix),
            ToShard::Tables(tables, touched) => self.shard.replace_tables(tables, &touched),
            // Who asked may have stopped waiting.
            ToShard::Query(query, reply) => drop(reply.send(self.shard.page(&query))),
            ToShard::Totals(reply) => drop(reply.send(self.shard.totals())),
            ToShard::Account(prefix, reply) => drop(reply.send(self.shard.account(prefix))),
        }
        0
    }
}

impl Worker {
    /// Waits for so many peers more.
    fn wait_for(&mut self, peers: usize) {
        self.waited_for = peers;
        self.shard.set_deferred(peers > 0);
    }
}

/// Where a shard's results go: the sessions' queues and the FIB's.
struct Wiring {
    queues: Vec<Option<Arc<SessionQueue>>>,
    fib: Option<Arc<FibQueue>>,
    /// Whether the FIB knows that what is best is known.
    has_selected: bool,
}

impl Wiring {
    fn set_queue(&mut self, peer: PeerIndex, queue: Option<Arc<SessionQueue>>) {
        if self.queues.len() <= peer.index() {
            self.queues.resize(peer.index() + 1, None);
        }
        self.queues[peer.index()] = queue;
    }

    /// Once all peers have been heard, what is best is for the kernel too.
    fn tell_fib_of_selection(&mut self, selected: bool) {
        if selected
            && !std::mem::replace(&mut self.has_selected, true)
            && let Some(fib) = &self.fib
        {
            fib.shard_has_selected();
        }
    }

    fn first_tables_are_in(&self, count: usize) {
        if let Some(fib) = &self.fib {
            (0..count).for_each(|_| fib.first_table_is_in());
        }
    }

    fn queue(&self, peer: PeerIndex) -> Option<&SessionQueue> {
        self.queues.get(peer.index()).and_then(Option::as_deref)
    }
}

impl Outbox for Wiring {
    fn has_room(&self, peer: PeerIndex) -> bool {
        self.queue(peer).is_none_or(SessionQueue::has_room)
    }

    fn is_drained(&self, peer: PeerIndex) -> bool {
        self.queue(peer).is_none_or(SessionQueue::is_drained)
    }

    fn send(&mut self, members: &[PeerIndex], chunk: Arc<Chunk>) {
        for queue in members.iter().filter_map(|member| self.queue(*member)) {
            queue.send(Outgoing::Chunk(Arc::clone(&chunk)));
        }
    }

    fn walked(&mut self, peer: PeerIndex, family: Family) {
        if let Some(queue) = self.queue(peer) {
            queue.send(Outgoing::Walked(family));
        }
    }

    fn best_changed<A: Address>(&mut self, changes: &[Change<A>]) {
        if let Some(fib) = &self.fib {
            fib.push(changes);
        }
    }

    fn near_limit(&mut self, peer: PeerIndex) {
        if let Some(queue) = self.queue(peer) {
            queue.near_limit();
        }
    }
}
