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
//! | a shard's inbox | 32 messages | tasks stop reading their sockets, and TCP slows the peers |
//! | a session's queue | 1 MiB | its update group waits a moment, then goes on without it; prefixes pend, newest wins |
//! | changes to the FIB | the table | a newer change takes an older one's place |
//! | questions to shards | 2 | whoever asks waits |

mod addresses;
mod coming_up;
pub(crate) mod command;
mod complaints;
pub(crate) mod connection;
mod fib;
mod listener;
pub(crate) mod peer;
mod queue;
mod shard;
mod status;
mod view;

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use palisade_bgp::session::{Session, SessionConfig};
use palisade_bgp::{AddPath, Asn, Family, Prefix};
use palisade_fib::{Agreement, Fib, FibError, FibStats, Kernel};
use palisade_policy::{Role, Snapshot};
use palisade_rib::{AttributeSet, PeerIndex, Shard};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tracing::warn;

use crate::config::{Config, Paths, Peer};
use crate::judging;

use coming_up::PeerSetup;
use fib::FibQueue;
use listener::Expected;
use peer::{PeerTask, Surroundings};
use shard::{Shards, ToShard};
pub(crate) use status::PeerStatus;
pub(crate) use view::RouterView;

/// Connections from one peer that wait for its task.
const ACCEPTED: usize = 4;
/// How long to wait between attempts to connect (RFC 4271 s10).
const CONNECT_RETRY_S: u16 = 30;
/// How long the sessions may take to say goodbye when the router stops.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// A running router.
#[derive(Debug)]
pub(crate) struct Router {
    peers: Vec<RunningPeer>,
    tables: watch::Sender<Arc<Snapshot>>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    listeners: Vec<JoinHandle<()>>,
    shards: Option<Shards>,
    shard_threads: Vec<thread::JoinHandle<()>>,
    fib: Option<(Arc<FibQueue>, thread::JoinHandle<()>)>,
}

/// A peer of a running router.
#[derive(Clone, Debug)]
pub(crate) struct RunningPeer {
    pub(crate) name: String,
    pub(crate) address: IpAddr,
    pub(crate) asn: Asn,
    pub(crate) role: Option<Role>,
    pub(crate) max_prefixes: u32,
    pub(crate) status: Arc<PeerStatus>,
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
    /// Starts everything: shards, the FIB where there is one, listeners, and a task a peer.
    pub(crate) fn start<K: Kernel + Send + 'static>(
        config: &Config,
        tables: Arc<Snapshot>,
        kernel: Option<Fib<K>>,
    ) -> Result<Router, StartError> {
        let seed = seed();
        let listening = config.router.listen.iter().map(|address| {
            listener::listen(*address).map_err(|source| StartError::Listen { address: *address, source })
        });
        let listening = listening.collect::<Result<Vec<_>, _>>()?;
        let awaited = config.peers.iter().filter(|peer| peer.role.is_some()).count() * shard_count();
        let kernel = kernel.map(|kernel| (kernel, Arc::new(FibQueue::new(awaited))));
        let queue = kernel.as_ref().map(|(_, queue)| Arc::clone(queue));
        let (shards, shard_threads) =
            Shards::start(originating_shards(config, &tables), queue).map_err(StartError::Thread)?;
        let fib = match kernel {
            Some((kernel, queue)) => {
                let thread = fib::start(kernel, Arc::clone(&queue), shards.clone());
                Some((queue, thread.map_err(StartError::Thread)?))
            }
            None => None,
        };
        let (tables, reading_tables) = watch::channel(tables);
        let (stop, stopping) = watch::channel(false);
        let around = Surroundings { shards: shards.clone(), tables: reading_tables, stop: stopping, seed };
        let mut router = Router {
            peers: Vec::new(),
            tables,
            stop,
            tasks: Vec::new(),
            listeners: Vec::new(),
            shards: Some(shards),
            shard_threads,
            fib,
        };
        let mut expected = Expected::new();
        for (at, peer) in config.peers.iter().enumerate() {
            let accepted = router.start_peer(config, peer, at, &around);
            expected.insert(peer.address, accepted);
        }
        let expected = Arc::new(expected);
        let accept = |socket| tokio::spawn(listener::accept(socket, Arc::clone(&expected)));
        router.listeners = listening.into_iter().map(accept).collect();
        Ok(router)
    }

    fn start_peer(
        &mut self,
        config: &Config,
        peer: &Peer,
        at: usize,
        around: &Surroundings,
    ) -> mpsc::Sender<tokio::net::TcpStream> {
        let status = Arc::new(PeerStatus::default());
        let setup = PeerSetup {
            name: peer.name.clone(),
            // The configuration allows fewer peers than there are numbers; 0 is the router itself.
            index: PeerIndex(u16::try_from(at + 1).unwrap_or(u16::MAX)),
            remote: SocketAddr::new(peer.address, peer.port),
            bind: peer.local_address,
            policy: Arc::new(judging::peer(config, peer, &around.tables.borrow())),
            local_preference: peer.local_preference.value,
            next_hop_self: peer.next_hop_self,
            max_prefixes: Some(peer.max_prefixes.value),
            status: Arc::clone(&status),
        };
        let session = SessionConfig {
            local_asn: config.router.asn,
            router_id: config.router.id,
            peer_asn: peer.asn,
            hold_time_s: peer.hold_time_s.value,
            connect_retry_s: CONNECT_RETRY_S,
            passive: peer.passive,
            families: Family::ALL.to_vec(),
            add_path: [AddPath { send: peer.add_path.value == Paths::All, receive: false }; 2],
        };
        let (sender, accepted) = mpsc::channel(ACCEPTED);
        let session = Session::new(session, around.seed.wrapping_add(at as u64));
        let task = PeerTask::new(setup, around.clone(), session, accepted);
        self.tasks.push(tokio::spawn(task.run()));
        self.peers.push(RunningPeer {
            name: peer.name.clone(),
            address: peer.address,
            asn: peer.asn,
            role: peer.role,
            max_prefixes: peer.max_prefixes.value,
            status,
        });
        sender
    }

    /// The peers, in the order of the configuration.
    pub(crate) fn peers(&self) -> &[RunningPeer] {
        &self.peers
    }

    /// What can be asked of it from now on; `None` once it stops. A router that stops waits for whoever has a view.
    pub(crate) fn view(&self) -> Option<RouterView> {
        let fib = self.fib.as_ref().map(|(queue, _)| Arc::clone(queue));
        Some(RouterView::new(self.peers.clone(), self.shards.clone()?, fib, self.tables.subscribe()))
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

    /// Has all shards judge by new tables what lies under the prefixes that changed.
    pub(crate) async fn replace_tables(&self, tables: Arc<Snapshot>, changed: Vec<Prefix>) {
        self.tables.send_replace(Arc::clone(&tables));
        let changed: Arc<[Prefix]> = changed.into();
        if let Some(shards) = &self.shards {
            shards.send_all(|| ToShard::Tables(Arc::clone(&tables), Arc::clone(&changed))).await;
        }
    }

    /// Ends the sessions, then the table, then removes our routes from the kernel.
    pub(crate) async fn stop(mut self) {
        self.listeners.iter().for_each(JoinHandle::abort);
        self.stop.send_replace(true);
        let deadline = tokio::time::Instant::now() + STOP_PATIENCE;
        for task in self.tasks.drain(..) {
            if tokio::time::timeout_at(deadline, task).await.is_err() {
                warn!("a session did not end in time");
            }
        }
        drop(self.shards.take());
        let (threads, fib) = (std::mem::take(&mut self.shard_threads), self.fib.take());
        let rest = tokio::task::spawn_blocking(move || {
            // The FIB's thread has a way to the shards, which end when nobody has.
            if let Some((queue, thread)) = fib {
                queue.stop();
                drop(thread.join());
            }
            threads.into_iter().for_each(|thread| drop(thread.join()));
        });
        drop(rest.await);
    }
}

/// One shard a core, each with what we originate of its prefixes.
fn originating_shards(config: &Config, tables: &Arc<Snapshot>) -> Vec<Shard> {
    let count = shard_count();
    let mut shards: Vec<Shard> = (0..count).map(|_| Shard::new(Arc::clone(tables))).collect();
    for prefix in &config.router.networks {
        let (shard, unspecified): (usize, IpAddr) = match *prefix {
            Prefix::V4(net) => (palisade_rib::shard_of(net, count), Ipv4Addr::UNSPECIFIED.into()),
            Prefix::V6(net) => (palisade_rib::shard_of(net, count), Ipv6Addr::UNSPECIFIED.into()),
        };
        shards[shard].originate(*prefix, &Arc::new(AttributeSet::originated(unspecified.into())));
    }
    shards
}

fn shard_count() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// A number that differs between processes.
fn seed() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
