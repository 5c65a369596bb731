//! PeeringDB while the router runs: dumps are read again when they change, the API is asked when it is time.
//!
//! Whoever wants the facts holds a [`PeeringDbFeed`] and is told of newer ones by its channel, in which only the newest
//! counts. Facts that can't be had leave those that are there: a source that fails says so in its status, with the age of
//! what still holds. Dropping the handle ends it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use palisade_bgp::Asn;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{info, warn};

use super::api::{Api, ApiError, Question};
use super::cache;
use super::facts::{NetworkFacts, Vanished};
use super::networks::{DumpError, read_dump};
use super::round::Rounds;
use crate::config::{PeeringDb, PeeringDbApi};
use crate::feeds::watch::{Change, Watch};

/// Orders that may wait.
const WAITING: usize = 4;

/// What is known, and from where.
#[derive(Clone, Debug, Default)]
pub(crate) struct PeeringDbState {
    /// What all sources say together: the API's word before that of a dump, an earlier dump's before a later one's.
    pub(crate) facts: Arc<NetworkFacts>,
    /// Every source: the API first, where it is asked.
    pub(crate) sources: Vec<SourceStatus>,
}

/// How a source does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SourceStatus {
    /// The URL of the API, or the file.
    pub(crate) name: String,
    /// How many networks it says something of.
    pub(crate) networks: usize,
    /// When it said so; `None` where it has said nothing yet.
    pub(crate) since: Option<SystemTime>,
    /// Why there is nothing newer, where there should be.
    pub(crate) fault: Option<String>,
    /// What it said before and says no more. It holds nevertheless.
    pub(crate) vanished: Vec<Vanished>,
}

/// What was found before anything is asked or watched: the dumps, and what the API answered when it was asked last.
#[derive(Debug, Default)]
pub(crate) struct Known {
    sources: Vec<Source>,
}

/// A source with its last good facts.
#[derive(Debug, Default)]
struct Source {
    facts: NetworkFacts,
    /// What it said last, without what it said before; `None` where that is all there is.
    said: Option<NetworkFacts>,
    status: SourceStatus,
}

/// What a feed is told to do.
#[derive(Debug)]
enum Order {
    /// Ask for these networks.
    Want(BTreeSet<Asn>),
    /// Take what the source of that name says, without what it said before; and say whether there was such.
    Confirm(String, oneshot::Sender<bool>),
}

impl Known {
    /// Reads the dumps and what is kept of the API. A dump that can't be read is an error, by its number in the
    /// configuration; what was kept is then as good as nothing, and its source's status says so.
    pub(crate) fn read(settings: &PeeringDb) -> (Known, Vec<(usize, DumpError)>) {
        let mut sources = Vec::new();
        let mut errors = Vec::new();
        sources.extend(settings.api.as_ref().map(Source::kept));
        for (number, file) in settings.files.iter().enumerate() {
            let mut source = Source::named(file.get_ref().display().to_string());
            match read_dump(file.get_ref()) {
                Ok(facts) => source.take(facts, written(file.get_ref())),
                Err(error) => errors.push((number, error)),
            }
            sources.push(source);
        }
        (Known { sources }, errors)
    }

    /// What is known.
    pub(crate) fn state(&self) -> PeeringDbState {
        let all = self.sources.iter().map(|source| &source.facts);
        let facts = all.fold(NetworkFacts::default(), NetworkFacts::over);
        let sources = self.sources.iter().map(|source| source.status.clone()).collect();
        PeeringDbState { facts: Arc::new(facts), sources }
    }
}

impl Source {
    fn named(name: String) -> Self {
        Source { status: SourceStatus { name, ..SourceStatus::default() }, ..Source::default() }
    }

    /// An API, with what it answered last.
    fn kept(api: &PeeringDbApi) -> Self {
        let mut source = Source::named(api.url.clone());
        let Some(path) = &api.cache else { return source };
        match cache::read(path) {
            Ok(Some(kept)) => source.take(kept.facts, SystemTime::now().checked_sub(kept.age)),
            Ok(None) => {}
            Err(error) => source.status.fault = Some(format!("what was kept in {}: {error}", path.display())),
        }
        source
    }

    fn take(&mut self, facts: NetworkFacts, since: Option<SystemTime>) {
        self.status.networks = facts.len();
        self.status.since = since;
        self.status.fault = None;
        self.facts = facts;
    }

    /// Newer facts; what they lack of these peers is kept.
    fn renew(&mut self, facts: NetworkFacts, peers: impl Iterator<Item = Asn>, since: Option<SystemTime>) {
        let said = facts.clone();
        let (facts, vanished) = facts.after(&self.facts, peers);
        self.said = (!vanished.is_empty()).then_some(said);
        for one in vanished.iter().filter(|one| !self.status.vanished.contains(one)) {
            warn!(source = self.status.name, "{one}");
        }
        self.take(facts, since);
        self.status.vanished = vanished;
    }

    /// What vanished is gone: somebody has looked at it. Whether there was any.
    fn confirm(&mut self) -> bool {
        self.status.vanished.clear();
        let said = self.said.take();
        said.map(|facts| self.take(facts, self.status.since)).is_some()
    }

    fn fail(&mut self, fault: String) {
        if self.status.fault.as_ref() != Some(&fault) {
            warn!(source = self.status.name, "PeeringDB: {fault}");
        }
        self.status.fault = Some(fault);
    }
}

/// When a file was last written to.
fn written(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}

/// A feed that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct PeeringDbFeed {
    /// What is known.
    pub(crate) state: watch::Receiver<PeeringDbState>,
    orders: mpsc::Sender<Order>,
}

impl PeeringDbFeed {
    /// Begins to watch and to ask, from what is `known`, for networks of these AS numbers. Needs a runtime.
    pub(crate) fn start(settings: &PeeringDb, known: Known, peers: BTreeSet<Asn>) -> Self {
        let api = settings.api.as_ref().map(|api| Asked::new(api, &known, &peers));
        Self::start_with(settings, known, peers, api)
    }

    pub(super) fn start_with(
        settings: &PeeringDb,
        known: Known,
        peers: BTreeSet<Asn>,
        api: Option<Asked>,
    ) -> Self {
        let (tell, state) = watch::channel(known.state());
        let (orders, ordered) = mpsc::channel(WAITING);
        let files: Vec<PathBuf> = settings.files.iter().map(|file| file.get_ref().clone()).collect();
        let running = Running { known, api, peers, files: Watch::new(files), tell, orders: ordered };
        tokio::spawn(running.run());
        PeeringDbFeed { state, orders }
    }

    /// There are other peers now.
    pub(crate) async fn want(&self, peers: BTreeSet<Asn>) {
        // It ends only with this handle.
        let _ = self.orders.send(Order::Want(peers)).await;
    }

    /// What the source of that name says no more shall hold no more. Whether there was such a source, and such a thing.
    pub(crate) async fn confirm(&self, name: &str) -> bool {
        let (answer, answered) = oneshot::channel();
        let _ = self.orders.send(Order::Confirm(name.to_owned(), answer)).await;
        answered.await.unwrap_or(false)
    }
}

/// An API, and when it is asked what.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) api: Api,
    pub(super) rounds: Rounds,
    pub(super) cache: Option<PathBuf>,
}

impl Asked {
    fn new(settings: &PeeringDbApi, known: &Known, peers: &BTreeSet<Asn>) -> Self {
        let source = known.sources.first();
        let since = source.and_then(|source| source.status.since);
        let age = since.map(|since| SystemTime::now().duration_since(since).unwrap_or_default());
        // Answers to questions about other peers are no answers.
        let lacks_somebody =
            source.is_some_and(|source| peers.iter().any(|asn| source.facts.of(*asn).is_none()));
        let refresh = settings.refresh;
        let age = if lacks_somebody { age.map(|age| age.max(refresh)) } else { age };
        let rounds = Rounds::new(Instant::now(), peers.clone(), refresh, age);
        Asked { api: Api::new(settings), rounds, cache: settings.cache.clone() }
    }
}

struct Running {
    known: Known,
    api: Option<Asked>,
    peers: BTreeSet<Asn>,
    files: Watch,
    tell: watch::Sender<PeeringDbState>,
    orders: mpsc::Receiver<Order>,
}

impl Running {
    async fn run(mut self) {
        loop {
            let due = self.api.as_ref().map(|asked| asked.rounds.due());
            tokio::select! {
                changes = self.files.changed() => self.read(changes).await,
                () = until(due) => self.ask().await,
                order = self.orders.recv() => match order {
                    Some(Order::Want(peers)) => self.want(peers),
                    Some(Order::Confirm(name, answer)) => {
                        // Who asked may have gone.
                        let _ = answer.send(self.confirm(&name).await);
                    }
                    None => return,
                },
            }
        }
    }

    fn want(&mut self, peers: BTreeSet<Asn>) {
        if let Some(asked) = &mut self.api {
            asked.rounds.want(Instant::now(), peers.clone());
        }
        self.peers = peers;
    }

    async fn confirm(&mut self, name: &str) -> bool {
        let sources = self.known.sources.iter_mut().filter(|source| source.status.name == name);
        let news = sources.fold(false, |news, source| source.confirm() | news);
        if news {
            self.keep().await;
            self.tell();
        }
        news
    }

    /// Keeps what the API answered, where that is to be kept.
    async fn keep(&self) {
        let Some((asked, source)) = self.api.as_ref().zip(self.known.sources.first()) else { return };
        let Some(path) = asked.cache.clone().filter(|_| source.status.since.is_some()) else { return };
        keep(path, source.facts.clone().with_missing(asked.rounds.peers())).await;
    }

    /// Reads dumps that changed.
    async fn read(&mut self, changes: Vec<Change>) {
        for Change { index, path, written } in changes {
            let Ok(read) = tokio::task::spawn_blocking(move || read_dump(&path)).await else { continue };
            let first_file = usize::from(self.api.is_some());
            let Some(source) = self.known.sources.get_mut(first_file + index) else { continue };
            match read {
                Ok(facts) => source.renew(facts, self.peers.iter().copied(), written),
                Err(error) => source.fail(error.to_string()),
            }
        }
        self.tell();
    }

    /// Asks what is due.
    async fn ask(&mut self) {
        let Some((asked, source)) = self.api.as_mut().zip(self.known.sources.first_mut()) else { return };
        let Some(question) = asked.rounds.question(Instant::now()) else { return };
        match answer(asked.api.clone(), question).await {
            Ok(answer) => {
                let Some(all) = asked.rounds.answered(Instant::now(), &answer) else { return };
                info!(source = source.status.name, networks = all.len(), "PeeringDB has answered");
                source.renew(all, asked.rounds.peers(), Some(SystemTime::now()));
                self.keep().await;
            }
            Err(error) => {
                asked.rounds.failed(Instant::now(), error.retry_after());
                source.fail(error.to_string());
            }
        }
        self.tell();
    }

    /// Says what is known, where it is not what was said.
    fn tell(&self) {
        let state = self.known.state();
        self.tell.send_if_modified(|said| {
            let same = *said.facts == *state.facts;
            let news = !same || said.sources != state.sources;
            // The same facts stay the same `Arc`, so that a look at the pointer shows that nothing is to be done.
            let facts = if same { Arc::clone(&said.facts) } else { Arc::clone(&state.facts) };
            *said = PeeringDbState { facts, sources: state.sources.clone() };
            news
        });
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

async fn answer(api: Api, question: Question) -> Result<NetworkFacts, ApiError> {
    let asked = tokio::task::spawn_blocking(move || api.ask(&question)).await;
    asked.unwrap_or_else(|gone| Err(ApiError::Unreachable(ureq::Error::Io(gone.into()))))
}

/// Keeps what was answered. Where that fails, the next start asks again.
async fn keep(path: PathBuf, facts: NetworkFacts) {
    let file = path.clone();
    let kept = tokio::task::spawn_blocking(move || cache::write(&file, &facts)).await;
    if let Ok(Err(error)) = kept {
        warn!(file = %path.display(), "what PeeringDB answered can't be kept: {error}");
    }
}
