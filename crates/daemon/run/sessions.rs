//! The sessions of a running router: one task a peer, started and stopped as the configuration says.
//!
//! What a peer may do is told its task while the session stays up; what was negotiated or agreed with TCP needs a new
//! session ([`SessionSettings`]). A peer whose settings change, or that is no longer configured, is told so (RFC 4486), and no
//! other peer notices. A guest of a range is a peer from when it has connected until it has been gone for a while.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use palisade_bgp::session::{Session, State};
use palisade_rib::{MOST_PEERS, PeerIndex};
use tokio::net::TcpStream;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::coming_up::PeerSetup;
use super::expected::{Expected, ExpectedPeer};
use super::introductions::Newcomer;
use super::orders::{Disabled, ORDERS, Order, Ordered};
use super::passwords::Passwords;
use super::peer::{PeerTask, Surroundings};
use super::roster::{Roster, RunningPeer};
use super::session_settings::SessionSettings;
use super::shard::ToShard;
use super::status::PeerStatus;
use super::stop::Stop;
use crate::config::{Config, Peer};
use crate::judging::PeerPolicy;

/// Connections from one peer that wait for its task.
const ACCEPTED: usize = 4;
/// How long a guest is kept whose session is down: it may come back at once.
const GUEST_KEPT: Duration = Duration::from_secs(30);
/// Newcomers that wait to become guests.
const NEWCOMERS: usize = 64;
/// How long sessions may take to say goodbye.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// A peer's task, and the ways to it.
#[derive(Debug)]
struct Running {
    peer: RunningPeer,
    settings: SessionSettings,
    policy: watch::Sender<Arc<PeerPolicy>>,
    orders: mpsc::Sender<Ordered>,
    stop: watch::Sender<Stop>,
    task: JoinHandle<()>,
}

/// Whom a router is to speak to, and how.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) config: &'a Config,
    /// The peers of the configuration, and then guests.
    pub(crate) peers: &'a [Peer],
    /// What each may do, in the same order.
    pub(crate) policies: &'a [Arc<PeerPolicy>],
    pub(crate) passwords: &'a Passwords,
}

/// What a new configuration came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reconfigured {
    /// Peers that are new.
    pub(crate) started: usize,
    /// Peers that are gone.
    pub(crate) stopped: usize,
    /// Peers whose session had to begin anew.
    pub(crate) restarted: usize,
}

/// All sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    around: Surroundings,
    running: Vec<Running>,
    expected: Arc<Expected>,
    coming: mpsc::Receiver<Newcomer>,
    roster: watch::Sender<Arc<Roster>>,
    last_index: u16,
    disabled: Disabled,
    /// Whether they were those of a configuration before.
    is_configured: bool,
}

impl Sessions {
    pub(crate) fn new(around: Surroundings) -> Self {
        let roster = watch::Sender::default();
        let (newcomers, coming) = mpsc::channel(NEWCOMERS);
        Sessions {
            around,
            running: Vec::new(),
            expected: Arc::new(Expected::new(newcomers)),
            coming,
            roster,
            last_index: 0,
            disabled: Disabled::default(),
            is_configured: false,
        }
    }

    /// Where listeners hand connections.
    pub(crate) fn expected(&self) -> Arc<Expected> {
        Arc::clone(&self.expected)
    }

    /// The next that would be a guest.
    pub(crate) async fn newcomer(&mut self) -> Option<Newcomer> {
        self.coming.recv().await
    }

    /// The peers there are, now and from now on.
    pub(crate) fn roster(&self) -> watch::Receiver<Arc<Roster>> {
        self.roster.subscribe()
    }

    /// Has the sessions be those that are wanted.
    pub(super) async fn configure(
        &mut self,
        Wanted { config, peers, policies, passwords }: Wanted<'_>,
    ) -> Reconfigured {
        let mut known: HashMap<String, Running> =
            self.running.drain(..).map(|running| (running.peer.name.clone(), running)).collect();
        let mut done = Reconfigured::default();
        let mut wanted = Vec::new();
        for (peer, policy) in peers.iter().zip(policies) {
            let settings = SessionSettings::new(config, peer, passwords);
            let kept = known.remove(&peer.name);
            let (kept, outdated) = match kept {
                Some(running) if running.settings == settings => (Some(running), None),
                other => (None, other),
            };
            if let Some(outdated) = outdated {
                done.restarted += 1;
                self.end([outdated], Stop::Changed).await;
            } else if kept.is_none() {
                done.started += 1;
            }
            wanted.push((peer, policy, settings, kept));
        }
        done.stopped = known.len();
        self.end(known.into_values(), Stop::Deconfigured).await;
        let kept = wanted.iter().filter_map(|(_, _, _, kept)| kept.as_ref());
        let taken = kept.map(|running| running.peer.index.0).collect();
        let mut indexes = Indexes { taken, last: self.last_index };
        for (peer, policy, settings, kept) in wanted {
            let running = match kept {
                Some(running) => {
                    running.tell(policy);
                    running
                }
                None => match indexes.next() {
                    Some(index) => self.start(index, peer, settings, policy),
                    // A configuration has fewer peers than there are numbers.
                    None => break,
                },
            };
            self.running.push(running);
        }
        self.disabled.retain(|name| self.running.iter().any(|running| running.peer.name == name));
        self.last_index = indexes.last;
        self.is_configured = true;
        self.expected.set_ranges(config, passwords);
        self.list();
        done
    }

    /// Has a guest of a range be the last of the peers, and takes its connection.
    pub(crate) fn join(
        &mut self,
        config: &Config,
        guest: &Peer,
        policy: &Arc<PeerPolicy>,
        passwords: &Passwords,
        connection: TcpStream,
    ) {
        let taken = self.running.iter().map(|running| running.peer.index.0).collect();
        let mut indexes = Indexes { taken, last: self.last_index };
        // There are fewer peers than there are numbers.
        let Some(index) = indexes.next() else { return };
        self.last_index = indexes.last;
        info!(peer = guest.name, asn = guest.asn.0, "a guest has come");
        let settings = SessionSettings::new(config, guest, passwords);
        let running = self.start(index, guest, settings, policy);
        self.running.push(running);
        self.expected.hand(&guest.place(), connection);
        self.list();
    }

    /// The names of guests that have gone: their sessions are down for a while, and none of their routes are held.
    pub(crate) fn departed(&self) -> Vec<String> {
        let guests = self.running.iter().map(|running| &running.peer).filter(|peer| peer.range.is_some());
        let gone = guests.filter(|guest| {
            let status = &guest.status;
            let is_down = status.state() != State::Established && status.lasts() >= GUEST_KEPT;
            // What keeps one down, a limit or an operator, would be forgotten with it.
            is_down && status.held_down().is_none() && status.counters.read().received == [0; 2]
        });
        gone.map(|guest| guest.name.clone()).collect()
    }

    /// Forgets guests.
    pub(crate) async fn leave(&mut self, names: &[String]) {
        let (gone, stay) = self.running.drain(..).partition(|running| names.contains(&running.peer.name));
        self.running = stay;
        let gone: Vec<Running> = gone;
        self.end(gone, Stop::Deconfigured).await;
        self.list();
    }

    /// Has everybody see the peers that there are.
    fn list(&self) {
        let peers: Vec<_> = self.running.iter().map(|running| running.peer.clone()).collect();
        self.expected.count_guests(peers.iter().filter_map(|peer| peer.range.as_deref()));
        self.roster.send_replace(Arc::new(Roster::new(peers)));
    }

    /// Tells the tasks of peers whose policies have changed. `policies` are in the order of the configuration.
    pub(crate) fn tell(&self, policies: &[Arc<PeerPolicy>]) {
        self.running.iter().zip(policies).for_each(|(running, policy)| running.tell(policy));
    }

    /// Has a peer's task obey an operator, who is told how that went.
    pub(crate) fn order(&mut self, name: &str, order: Order, reply: oneshot::Sender<Result<(), String>>) {
        let running = self.running.iter().find(|running| running.peer.name == name);
        let Some(running) = running else {
            return drop(reply.send(Err(format!("there is no peer `{name}` any more"))));
        };
        let noted = order.clone();
        match running.orders.try_send(Ordered { order, reply }) {
            Ok(()) => self.disabled.note(name, &noted),
            Err(TrySendError::Full(Ordered { reply, .. })) => {
                let why = "the peer has orders enough to obey: say it again in a moment";
                drop(reply.send(Err(why.into())));
            }
            // Who asked finds that nobody answers.
            Err(TrySendError::Closed(_)) => {}
        }
    }

    /// Ends all sessions, because the router ends.
    pub(crate) async fn stop(mut self, why: Stop) {
        let running = std::mem::take(&mut self.running);
        self.end(running, why).await;
    }

    fn start(
        &self,
        index: PeerIndex,
        peer: &Peer,
        settings: SessionSettings,
        policy: &Arc<PeerPolicy>,
    ) -> Running {
        let (name, range) = (peer.name.clone(), peer.range.clone());
        let status = Arc::new(PeerStatus::default());
        let (policy, told) = watch::channel(Arc::clone(policy));
        let (stop, stopping) = watch::channel(Stop::No);
        let (sender, accepted) = mpsc::channel(ACCEPTED);
        let (orders, ordered) = mpsc::channel(ORDERS);
        let disabled = self.disabled.words(&name).map(str::to_owned);
        let peer = RunningPeer {
            index,
            name: name.clone(),
            range,
            address: settings.transport.place(),
            transport: settings.transport.clone(),
            asn: settings.asn,
            role: settings.role,
            status: Arc::clone(&status),
            policy: told.clone(),
        };
        self.expected.insert(ExpectedPeer {
            transport: settings.transport.clone(),
            status: Arc::clone(&status),
            task: sender,
        });
        let session = Session::new(settings.session(), self.around.seed.wrapping_add(index.index() as u64));
        // What an earlier run left in the kernel waits for the tables of those peers that there are at the start (RFC 8212: one
        // without a role has none).
        let awaited = !self.is_configured && settings.role.is_some();
        let setup =
            PeerSetup { name, index, settings: settings.clone(), policy: told, status, awaited, disabled };
        let task = PeerTask::new(setup, self.around.clone(), stopping, session, accepted, ordered);
        Running { peer, settings, policy, orders, stop, task: tokio::spawn(task.run()) }
    }

    /// Ends sessions, all at the same time, and waits until they have.
    async fn end(&self, sessions: impl IntoIterator<Item = Running>, why: Stop) {
        let ending: Vec<Running> = sessions.into_iter().collect();
        for running in &ending {
            self.expected.remove(&running.peer.address);
            running.stop.send_replace(why);
            if !why.is_of_router() {
                info!(peer = running.peer.name, ?why, "session ends");
            }
        }
        let deadline = tokio::time::Instant::now() + STOP_PATIENCE;
        for Running { peer, mut task, .. } in ending {
            if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
                warn!(peer = peer.name, "a session did not end in time");
                task.abort();
                // What it says last is to come before that it has gone.
                let _ = task.await;
                self.around.shards.send_all(|| ToShard::PeerLost(peer.index, [false; 2])).await;
            }
        }
    }
}

impl Running {
    fn tell(&self, policy: &Arc<PeerPolicy>) {
        self.policy.send_if_modified(|told| {
            let is_new = !Arc::ptr_eq(told, policy);
            if is_new {
                told.clone_from(policy);
            }
            is_new
        });
    }
}

/// Numbers for new peers, each as long unused as can be: what a shard holds of a peer that has gone goes in its own time. 0
/// is the router itself.
struct Indexes {
    taken: HashSet<u16>,
    last: u16,
}

impl Indexes {
    fn next(&mut self) -> Option<PeerIndex> {
        let after = (self.last + 1..MOST_PEERS).chain(1..=self.last);
        let free = after.into_iter().find(|index| !self.taken.contains(index))?;
        self.taken.insert(free);
        self.last = free;
        Some(PeerIndex(free))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_used_again_only_when_all_others_have_been() {
        let mut indexes = Indexes { taken: HashSet::from([2]), last: 0 };
        assert_eq!([indexes.next(), indexes.next()], [Some(PeerIndex(1)), Some(PeerIndex(3))]);
        let mut indexes = Indexes { taken: HashSet::from([1]), last: MOST_PEERS - 2 };
        assert_eq!([indexes.next(), indexes.next()], [Some(PeerIndex(MOST_PEERS - 1)), Some(PeerIndex(2))]);
        let mut none = Indexes { taken: (1..MOST_PEERS).collect(), last: 7 };
        assert_eq!(none.next(), None);
    }
}
