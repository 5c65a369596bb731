//! `palisade run`: the router.
//!
//! ```text
//!   peer task (tokio, one a session)     shard threads (one a core)                    fib thread
//!   Session machine    --batches-->      Adj-RIB-In, judge, best path,    --changes--> plan -> netlink
//!     frame, decode, intern <--chunks--  update groups, encode once
//! ```
//!
//! | queue | bound | when it is full |
//! |---|---|---|
//! | connections to a peer's task | 4 | the connection is closed; the peer tries again |
//! | newcomers that say who they are | 64 a range, 1 an address, 10 s | the connection is closed |
//! | a shard's inbox | 32 messages | tasks stop reading their sockets, and TCP slows the peers |
//! | a session's queue | 1 MiB | its update group waits a moment, then goes on without it; prefixes pend, newest wins |
//! | changes to the FIB | the table | a newer change takes an older one's place |
//! | questions to shards | 2 | whoever asks waits |

mod addresses;
pub(crate) mod agreed;
mod coming_up;
pub(crate) mod command;
mod complaints;
pub(crate) mod connecting;
pub(crate) mod connection;
mod connections;
pub(crate) mod expected;
mod fib;
mod held_down;
mod introductions;
pub(crate) mod limits;
mod listener;
mod orders;
pub(crate) mod passwords;
mod peer;
mod queue;
mod recovery;
pub(crate) mod refusal;
mod restarting;
mod roster;
mod serving;
mod session_settings;
mod sessions;
mod shard;
mod signals;
mod status;
mod stop;
mod tcp_options;
mod telling;
mod traffic;
mod transport;
mod turns;
mod view;
pub(crate) mod waiting;

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::thread;

use ipnet::IpNet;
use palisade_bgp::Prefix;
use palisade_fib::{Agreement, Fib, FibError, FibStats, Kernel};
use palisade_policy::Snapshot;
use palisade_rib::{AttributeSet, PeerIndex, PolicyTouched, Shard, Touched};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::info;

use crate::config::Config;
use crate::judging;

use fib::FibQueue;
pub(crate) use introductions::Newcomer;
use listener::{Guarded, Listeners};
pub(crate) use orders::Order;
use passwords::Passwords;
use peer::Surroundings;
use recovery::Recovery;
pub(crate) use roster::{Roster, RunningPeer};
use sessions::Sessions;
pub(crate) use sessions::{Reconfigured, Wanted};
use shard::{Shards, ToShard};
use stop::Stop;
use transport::Transport;

pub(crate) use status::PeerStatus;
pub(crate) use traffic::OneWay;
pub(crate) use view::RouterView;

/// A running router.
#[derive(Debug)]
pub(crate) struct Router {
    /// Which they are is for [`Router::configure`] to say: the listeners have to know.
    sessions: Sessions,
    tables: watch::Sender<Arc<Snapshot>>,
    gate: watch::Sender<bool>,
    /// Nothing is accepted before it is known who may come.
    listeners: Listeners,
    /// Whether peers that are back are waited for.
    waits: watch::Sender<bool>,
    patience: Option<JoinHandle<()>>,
    shards: Option<Shards>,
    shard_threads: Vec<thread::JoinHandle<()>>,
    fib: Option<(Arc<FibQueue>, thread::JoinHandle<()>)>,
}

/// Why a router could not start.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(crate) enum StartError {
    #[error("can't listen on {address}")]
    #[diagnostic(help("{}", listen_help(source)))]
    Listen { address: SocketAddr, source: io::Error },
    #[error("can't start a thread")]
    Thread(#[source] io::Error),
}

fn listen_help(fault: &io::Error) -> &'static str {
    match fault.kind() {
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need CAP_NET_BIND_SERVICE: run as root, or set `listen` under [router] to a higher port"
        }
        io::ErrorKind::AddrInUse => {
            "another BGP daemon listens there: stop it, or set `listen` under [router] to another address"
        }
        io::ErrorKind::AddrNotAvailable => {
            "the machine has no such address: set `listen` under [router] to one it has"
        }
        _ => "set `listen` under [router] to an address and port of this machine",
    }
}

impl Router {
    /// Starts shards, the FIB where there is one, and listeners. Peers have their tasks from
    /// [`configure`](Self::configure) on, with the same passwords.
    /// `unfinished` says that an earlier run ended without a goodbye, so that its peers may still have what it told them.
    pub(crate) fn start<K: Kernel + Send + 'static>(
        config: &Config,
        tables: Arc<Snapshot>,
        kernel: Option<Fib<K>>,
        passwords: &Passwords,
        unfinished: bool,
    ) -> Result<Router, StartError> {
        let seed = seed();
        let listeners = Listeners::open(&config.router.listen, &guarded(config, passwords));
        let listeners = listeners.map_err(|(address, source)| StartError::Listen { address, source })?;
        let forwards = kernel.as_ref().is_none_or(|fib| fib.stats().installed > 0);
        let waited_for = if forwards && (unfinished || kernel.is_some()) { restarting(config) } else { 0 };
        let awaited = config.peers.iter().filter(|peer| peer.role.is_some()).count() * shard_count();
        let deferred = if waited_for > 0 { shard_count() } else { 0 };
        let kernel = kernel.map(|kernel| (kernel, Arc::new(FibQueue::new(awaited, deferred))));
        let queue = kernel.as_ref().map(|(_, queue)| Arc::clone(queue));
        let shards = originating_shards(config, &tables);
        let (shards, shard_threads) = Shards::start(shards, queue, waited_for).map_err(StartError::Thread)?;
        let fib = match kernel {
            Some((kernel, queue)) => {
                let thread = fib::start(kernel, Arc::clone(&queue), shards.clone());
                Some((queue, thread.map_err(StartError::Thread)?))
            }
            None => None,
        };
        let (tables, reading_tables) = watch::channel(tables);
        let (gate, gate_opens) = watch::channel(false);
        let (waits, waiting) = watch::channel(waited_for > 0);
        let recovery = Recovery { forwards, waits: waiting };
        let shards_of_tasks = shards.clone();
        let around = Surroundings {
            shards: shards_of_tasks,
            tables: reading_tables,
            gate: gate_opens,
            recovery,
            seed,
        };
        let sessions = Sessions::new(around);
        let (shards, patience) = (Some(shards), None);
        Ok(Router { sessions, tables, gate, waits, patience, listeners, shards, shard_threads, fib })
    }

    /// Has the sessions be those that are wanted, and the listeners take connections for these and no others.
    pub(crate) async fn configure(&mut self, wanted: Wanted<'_>) -> Reconfigured {
        self.listeners.guard(&guarded(wanted.config, wanted.passwords));
        let done = self.sessions.configure(wanted).await;
        self.listeners.accept(&self.sessions.expected());
        done
    }

    /// Lets sessions begin. Until then no peer is spoken to.
    pub(crate) fn open_gate(&mut self) {
        self.gate.send_replace(true);
        if let Some((queue, _)) = &self.fib {
            queue.sessions_begin();
        }
        let Some(shards) = self.shards.clone().filter(|_| *self.waits.borrow()) else { return };
        let waits = self.waits.clone();
        info!(patience = ?recovery::PATIENCE, "after a restart: waiting for what peers have to say before telling any");
        self.patience = Some(tokio::spawn(async move {
            tokio::time::sleep(recovery::PATIENCE).await;
            waits.send_replace(false);
            shards.send_all(|| ToShard::StopWaiting).await;
        }));
    }

    /// The peers there are, now and from now on.
    pub(crate) fn roster(&self) -> watch::Receiver<Arc<Roster>> {
        self.sessions.roster()
    }

    /// What can be asked of it from now on; `None` once it stops. A router that stops waits for whoever has a view.
    pub(crate) fn view(&self) -> Option<RouterView> {
        let fib = self.fib.as_ref().map(|(queue, _)| Arc::clone(queue));
        Some(RouterView::new(
            self.roster(),
            self.sessions.expected(),
            self.shards.clone()?,
            fib,
            self.tables.subscribe(),
        ))
    }

    /// What the FIB last said of itself.
    pub(crate) fn fib_stats(&self) -> Option<FibStats> {
        self.fib.as_ref().map(|(queue, _)| queue.stats())
    }

    /// Whether the kernel holds what it should, as the FIB finds by listing it; `None` where there is no FIB.
    pub(crate) async fn verify_fib(&self) -> Option<Result<Agreement, FibError>> {
        let (queue, _) = self.fib.as_ref()?;
        queue.verify().await.ok()
    }

    /// Has the networks that it originates be others.
    pub(crate) async fn originate(&self, before: &[Prefix], now: &[Prefix]) {
        let Some(shards) = &self.shards else { return };
        for (prefix, originated) in differences(before, now) {
            let shard = shard_of_prefix(prefix, shards.count());
            if let Some(place) = shards.place(shard).await {
                place.send(ToShard::Originate(prefix, originated));
            }
        }
    }

    /// Has all shards judge by new tables what these touch.
    pub(crate) async fn replace_tables(&self, tables: Arc<Snapshot>, touched: Arc<Touched>) {
        self.tables.send_replace(Arc::clone(&tables));
        if let Some(shards) = &self.shards {
            shards.send_all(|| ToShard::Tables(Arc::clone(&tables), Arc::clone(&touched))).await;
        }
    }

    /// Ends the sessions, then the table, then removes our routes from the kernel.
    pub(crate) async fn stop(self) {
        self.end(Stop::Shutdown).await;
    }

    /// Ends everything without a word to anybody, and leaves our routes in the kernel: another process goes on with them.
    pub(crate) async fn hand_over(self) {
        self.end(Stop::Leave).await;
    }

    async fn end(mut self, why: Stop) {
        self.listeners.stop();
        self.patience.iter().for_each(JoinHandle::abort);
        self.sessions.stop(why).await;
        drop(self.shards.take());
        let (threads, fib) = (std::mem::take(&mut self.shard_threads), self.fib.take());
        let rest = tokio::task::spawn_blocking(move || {
            // The FIB's thread has a way to the shards, which end when nobody has.
            if let Some((queue, thread)) = fib {
                queue.stop(why == Stop::Leave);
                drop(thread.join());
            }
            threads.into_iter().for_each(|thread| drop(thread.join()));
        });
        drop(rest.await);
    }
}

/// Where connections come from, and what guards them.
fn guarded(config: &Config, passwords: &Passwords) -> Vec<Guarded> {
    let peers = config.peers.iter().map(|peer| (IpNet::from(peer.address), peer));
    let ranges = config.ranges.iter().flat_map(|range| {
        let guest = range.alike().next()?;
        Some((IpNet::from(range.prefix), guest))
    });
    let guard = |(from, peer)| Guarded { from, transport: Transport::new(peer, passwords) };
    peers.chain(ranges).map(guard).collect()
}

/// How many peers are waited for after a restart: those whose routes are kept over one, since they say End-of-RIB (RFC 4724 s4.1).
fn restarting(config: &Config) -> usize {
    config.peers.iter().filter(|peer| peer.role.is_some() && peer.restart.is_some()).count()
}

/// One shard a core, each with what we originate of its prefixes.
fn originating_shards(config: &Config, tables: &Arc<Snapshot>) -> Vec<Shard> {
    let count = shard_count();
    let mut shards: Vec<Shard> = (0..count).map(|_| Shard::new(Arc::clone(tables))).collect();
    let ours = Arc::new(judging::ourselves(config));
    for shard in &mut shards {
        shard.set_policy(PeerIndex::LOCAL, Arc::clone(&ours), &PolicyTouched::Everything);
    }
    for prefix in &config.router.networks {
        shards[shard_of_prefix(*prefix, count)].originate(*prefix, &originated(*prefix));
    }
    shards
}

fn shard_of_prefix(prefix: Prefix, count: usize) -> usize {
    match prefix {
        Prefix::V4(net) => palisade_rib::shard_of(net, count),
        Prefix::V6(net) => palisade_rib::shard_of(net, count),
    }
}

/// The attributes of a prefix that is ours: no next hop, because whoever announces it puts in its own.
fn originated(prefix: Prefix) -> Arc<AttributeSet> {
    let unspecified: IpAddr = match prefix {
        Prefix::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        Prefix::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    Arc::new(AttributeSet::originated(unspecified.into()))
}

/// The prefixes of one list alone, each with whether it is the second.
fn differences<'a>(
    before: &'a [Prefix],
    now: &'a [Prefix],
) -> impl Iterator<Item = (Prefix, bool)> + use<'a> {
    let gone = before.iter().filter(|prefix| !now.contains(prefix)).map(|prefix| (*prefix, false));
    gone.chain(now.iter().filter(|prefix| !before.contains(prefix)).map(|prefix| (*prefix, true)))
}

fn shard_count() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// A number that differs between processes.
fn seed() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
