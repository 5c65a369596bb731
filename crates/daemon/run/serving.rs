//! A running router and what may happen to it: news of its sources, a new configuration, questions, its end.
//!
//! ```text
//!   feeds --News--------------> Keeper --Ruling--> Router
//!   SIGHUP, palisade reload --> Config ---^          |
//!   SIGTERM, SIGINT ---------------------------------'
//! ```
//!
//! One thing is done at a time, so that what is judged by has one order. SIGHUP reads the configuration again: what
//! peers may do changes while sessions stay up, and only what it touches is judged again; a file that is wrong, or that would need
//! a restart, changes nothing. SIGUSR1 lists the kernel's routes and says whether they are those that they should be. SIGTERM
//! and SIGINT end the sessions with a Cease and take our routes out of the kernel. SIGUSR2 ends it for another process to go on:
//! the kernel's routes stay, and peers are told nothing, so that they keep what they have (RFC 4724).

use std::net::TcpListener;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};

use super::passwords::{self, Passwords};
use super::refusal::Refusal;
use super::signals::{Asked, Signals};
use super::{Newcomer, Reconfigured, Router, Wanted};
use crate::config::{Config, ConfigError, MAX_PEERS};
use crate::control::command::{Command, Reloaded};
use crate::control::socket::Claim;
use crate::control::{self, Answering};
use crate::feeds::keeper::{Keeper, News, Ruling};
use crate::feeds::{Feeds, Read};
use crate::judging::{self, Tables};
use crate::metrics;
use crate::service::Service;
use crate::terminal;

/// Commands that wait.
const COMMANDS: usize = 16;

/// How often it is looked whether guests have gone.
const GUESTS_LOOKED_AT: Duration = Duration::from_secs(10);

/// Sections that a running router can't change.
const FIXED: [&str; 3] = ["fib", "control", "metrics"];

/// A running router.
pub(super) struct Serving {
    path: PathBuf,
    config: watch::Sender<Arc<Config>>,
    keeper: Keeper,
    router: Router,
    feeds: Feeds,
    /// Those of the configuration.
    passwords: Passwords,
}

/// Why a new configuration is not taken. What ran before goes on.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(crate) enum ReloadError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Config(#[from] ConfigError),
    #[error("{0} can't change while the router runs")]
    #[diagnostic(help("restart the router, or put back what it was: nothing has been changed"))]
    NeedsRestart(String),
}

impl Serving {
    pub(super) fn new(
        path: PathBuf,
        config: Arc<Config>,
        keeper: Keeper,
        router: Router,
        feeds: Feeds,
        passwords: Passwords,
    ) -> Self {
        Serving { path, config: watch::Sender::new(config), keeper, router, feeds, passwords }
    }

    /// Serves until it is told to stop.
    pub(super) async fn serve(
        mut self,
        mut signals: Signals,
        claim: Option<Claim>,
        metrics: Option<TcpListener>,
    ) {
        let (commands, mut commanded) = mpsc::channel(COMMANDS);
        let control = claim.and_then(|claim| self.answer_at(claim, commands.clone()));
        let metrics = metrics.and_then(|listener| self.serve_metrics(listener, commands.clone()));
        let mut ready = pin!(self.feeds.ready());
        let mut is_open = false;
        let mut guests_looked_at = tokio::time::interval(GUESTS_LOOKED_AT);
        let leaves = loop {
            tokio::select! {
                // What sources told before they were said to be ready is judged by before anybody is spoken to.
                biased;
                asked = signals.next() => match asked {
                    Asked::Reload => drop(self.reload().await),
                    Asked::Verify => self.verify().await,
                    Asked::Stop => break false,
                    Asked::Leave => break true,
                },
                news = self.feeds.next() => self.take(news).await,
                () = &mut ready, if !is_open => {
                    is_open = true;
                    self.router.open_gate();
                }
                Some(newcomer) = self.router.sessions.newcomer() => self.welcome(newcomer),
                _ = guests_looked_at.tick(), if !self.keeper.guests().is_empty() => self.see_off().await,
                // There is one that is never dropped.
                Some(command) = commanded.recv() => self.obey(command).await,
            }
        };
        info!(leaves, "stopping");
        if let Some(mut control) = control {
            if leaves {
                control.bequeath();
            }
            control.stop().await;
        }
        if let Some(metrics) = metrics {
            metrics.stop().await;
        }
        match leaves {
            true => self.router.hand_over().await,
            false => self.router.stop().await,
        }
        self.feeds.stop().await;
    }

    fn answer_at(&self, claim: Claim, commands: mpsc::Sender<Command>) -> Option<control::Server> {
        let answering = Answering::new(self.config.subscribe(), self.router.view()?, Some(commands));
        match control::Server::start(claim, answering, control::Limits::default()) {
            Ok(server) => Some(server),
            Err(fault) => {
                error!(%fault, "the control socket can't be listened at");
                None
            }
        }
    }

    fn serve_metrics(&self, listener: TcpListener, commands: mpsc::Sender<Command>) -> Option<Service> {
        let answering = Answering::new(self.config.subscribe(), self.router.view()?, Some(commands));
        match metrics::serve(listener, Arc::new(answering), metrics::Limits::default()) {
            Ok(server) => Some(server),
            Err(fault) => {
                error!(%fault, "metrics can't be served");
                None
            }
        }
    }

    async fn take(&mut self, news: News) {
        let Ruling { tables, touched, policies } = self.keeper.take(news);
        info!(
            generation = tables.generation,
            vrps = tables.rov.len(),
            aspas = tables.aspa.len(),
            route_objects = tables.irr.len(),
            ranges = touched.under.len(),
            "tables changed"
        );
        self.router.replace_tables(tables, Arc::new(touched)).await;
        self.router.sessions.tell(&policies);
        self.feeds.want(&self.config.borrow(), self.keeper.peers());
    }

    /// Makes a peer of whoever has come from a range, where it still may.
    fn welcome(&mut self, newcomer: Newcomer) {
        let (address, asn) = (newcomer.address, newcomer.asn);
        let config = Arc::clone(&self.config.borrow());
        // A reload may have come between.
        let Some(guest) = config.guest(address, asn) else { return newcomer.refuse(Refusal::Asn) };
        let range = config.ranges.iter().find(|range| Some(&range.name) == guest.range.as_ref());
        let guests = self.keeper.guests().iter().filter(|other| other.range == guest.range).count();
        let is_there = self.keeper.guests().iter().any(|other| other.address == address);
        let has_room = range.is_some_and(|range| guests < range.max_peers);
        if is_there || !has_room || self.keeper.peers().len() >= MAX_PEERS {
            warn!(peer = guest.name, "a connection was closed: there is no room for another peer");
            return newcomer.refuse(if is_there { Refusal::SameAddress } else { Refusal::MaxPeers });
        }
        let Some(policy) = self.keeper.join(guest.clone()) else {
            return newcomer.refuse(Refusal::MaxPeers);
        };
        self.router.sessions.join(&config, &guest, &policy, &self.passwords, newcomer.connection);
    }

    /// Forgets guests that have gone.
    async fn see_off(&mut self) {
        let gone = self.router.sessions.departed();
        if !gone.is_empty() {
            self.router.sessions.leave(&gone).await;
            gone.iter().for_each(|name| self.keeper.leave(name));
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Reload(reply) => {
                let told = self.reload().await.map_err(|fault| terminal::text_of(&fault));
                // Who asked may have gone.
                let _ = reply.send(told);
            }
            Command::Feeds(reply) => drop(reply.send(Ok(self.feeds.status().await))),
            Command::Peer(name, order, reply) => self.router.sessions.order(&name, order, reply),
            Command::Confirm(feed, reply) => drop(reply.send(self.feeds.confirm(&feed).await)),
        }
    }

    /// Reads the configuration again, and has the router be what it says.
    async fn reload(&mut self) -> Result<Reloaded, ReloadError> {
        match self.try_reload().await {
            Ok(reloaded) => {
                info!(?reloaded, "configuration read again");
                Ok(reloaded)
            }
            Err(fault) => {
                error!("the configuration can't be taken: what ran before goes on");
                terminal::tell(&fault);
                Err(fault)
            }
        }
    }

    async fn try_reload(&mut self) -> Result<Reloaded, ReloadError> {
        let new = Arc::new(Config::load(&self.path)?);
        let old = Arc::clone(&self.config.borrow());
        if let Some(what) = needs_restart(&old, &new) {
            return Err(ReloadError::NeedsRestart(what));
        }
        let passwords = passwords::read(&new)?;
        let Tables { snapshot, bogons, networks, .. } = judging::standing(&new)?;
        let facts = networks.state().facts;
        let Ruling { tables, touched, policies } = self.keeper.configure(Arc::clone(&new), snapshot, facts);
        let generation = tables.generation;
        self.router.replace_tables(tables, Arc::new(touched)).await;
        self.router.originate(&old.router.networks, &new.router.networks).await;
        let peers = self.keeper.peers();
        let wanted = Wanted { config: &new, peers, policies: &policies, passwords: &passwords };
        let Reconfigured { started, stopped, restarted } = self.router.configure(wanted).await;
        self.passwords = passwords;
        self.feeds.configure(&old, &new, self.keeper.peers(), Read { bogons, networks }).await;
        self.config.send_replace(new);
        Ok(Reloaded { generation, started, stopped, restarted })
    }

    /// Says in the log whether the kernel holds what it should.
    async fn verify(&self) {
        match self.router.verify_fib().await {
            None => info!("there is no [fib]: no kernel routes to compare"),
            Some(Err(fault)) => error!(%fault, "the kernel's routes could not be listed"),
            Some(Ok(found)) if found.agrees() => {
                info!(routes = found.agreed, unresolved = found.unresolved, "the kernel agrees");
            }
            Some(Ok(found)) => warn!(
                agreed = found.agreed,
                missing = found.missing.count,
                foreign = found.foreign.count,
                differing = found.differing.count,
                pending = found.pending,
                refused = found.refused,
                unresolved = found.unresolved,
                "the kernel does not agree; what differs is being put right"
            ),
        }
    }
}

/// What of a new configuration a running router can't become.
fn needs_restart(old: &Config, new: &Config) -> Option<String> {
    let (was, is) = (&old.router, &new.router);
    let keys = [
        ("asn", was.asn != is.asn),
        ("id", was.id != is.id),
        ("mode", was.mode != is.mode),
        ("listen", was.listen != is.listen),
    ];
    let key = keys.into_iter().find(|(_, changed)| *changed);
    let section = FIXED.into_iter().find(|name| !old.says_the_same(new, name));
    key.map(|(key, _)| format!("`{key}` under [router]")).or(section.map(|name| format!("[{name}]")))
}
