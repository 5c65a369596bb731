//! The feed's task: takes the sources' news, and tells what they come to together.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade_policy::IrrIndex;
use palisade_policy::as_set::Member;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep_until;
use tracing::{info, warn};

use super::cache::{self, Cache, Cached};
use super::guarded::{Guarded, Label};
use super::source::{News, Outbox};
use super::status::SourceStatus;
use super::whois::question::Sources;
use super::{dumps, nrtm, whois};
use crate::config::{Irr, Mirror, SizeGuard, Whois};
use crate::feeds::guard::GuardSettings;
use crate::feeds::source_state::SourceState;

/// News that wait to be taken.
const INBOX: usize = 16;
/// How often ages are looked at.
const LOOK: Duration = Duration::from_secs(60);
/// How often changed data is written to disk, at most.
const SAVE: Duration = Duration::from_secs(900);

/// What announcements are judged by. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct IrrTables {
    /// Counts up with every change; 0 while no source has said anything.
    pub(crate) serial: u64,
    /// All that counts. Where little has changed, it shares its tables with the one before, and `changed_ranges` and
    /// `changed_sets` of the two are quick.
    pub(crate) index: Arc<IrrIndex>,
    /// Whether every source has had its first set, from the disk or from where it comes.
    pub(crate) is_ready: bool,
}

/// The IRR's sources at work. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct IrrFeed {
    tables: watch::Receiver<IrrTables>,
    wanted: watch::Sender<Arc<[Member]>>,
    requests: mpsc::Sender<Request>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
enum Request {
    Status(oneshot::Sender<Vec<SourceStatus>>),
    Confirm(Option<String>, oneshot::Sender<Vec<String>>),
    Stop(oneshot::Sender<()>),
}

impl IrrFeed {
    /// Starts all sources that are configured. Whois servers are asked for what is `wanted` by peers: as-sets, and AS
    /// numbers of those that have none. No tables are told before every source has said something, or `settling` is over.
    pub(crate) fn start(config: &Irr, wanted: Arc<[Member]>, settling: Duration) -> Self {
        let (wanted, wants) = watch::channel(wanted);
        let (tables_out, tables) = watch::channel(IrrTables::default());
        let (requests, requests_in) = mpsc::channel(INBOX);
        let cache = Cache::open(&config.cache);
        let (sender, news) = mpsc::channel(INBOX);
        let starting = Starting { config, cache: cache.clone(), wants, sender };
        let (sources, tasks) = starting.all();
        let hub = Hub {
            sources,
            max_age: config.max_age,
            cache,
            settled_by: Instant::now() + settling,
            is_pending: false,
            saving: None,
            next_save: Instant::now(),
            tables: tables_out,
            _tasks: tasks,
        };
        let task = tokio::spawn(hub.run(news, requests_in));
        IrrFeed { tables, wanted, requests, task }
    }

    /// Where the tables are told. The newest is there; what was missed in between is in it.
    pub(crate) fn tables(&self) -> watch::Receiver<IrrTables> {
        self.tables.clone()
    }

    /// Peers need something else now.
    pub(crate) fn want(&self, wanted: Arc<[Member]>) {
        self.wanted.send_if_modified(|old| {
            let differs = *old != wanted;
            *old = wanted;
            differs
        });
    }

    /// How it stands with each source.
    pub(crate) async fn status(&self) -> Vec<SourceStatus> {
        self.ask(Request::Status).await.unwrap_or_default()
    }

    /// An operator has looked at what is held of the source of this name, or of all: it counts from now on. The names of
    /// those that held something.
    pub(crate) async fn confirm(&self, name: Option<&str>) -> Vec<String> {
        let name = name.map(str::to_owned);
        self.ask(|reply| Request::Confirm(name, reply)).await.unwrap_or_default()
    }

    /// Ends all sources, when what is not on the disk is there.
    pub(crate) async fn stop(self) {
        self.ask(Request::Stop).await.unwrap_or_default();
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.ok()?;
        answer.await.ok()
    }
}

impl Drop for IrrFeed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Sources on their way up.
struct Starting<'a> {
    config: &'a Irr,
    cache: Option<Cache>,
    wants: watch::Receiver<Arc<[Member]>>,
    sender: mpsc::Sender<(usize, News)>,
}

impl Starting<'_> {
    fn all(self) -> (Vec<Guarded>, JoinSet<()>) {
        let (mut sources, mut tasks) = (Vec::new(), JoinSet::new());
        let guard = self.config.guard.map(guard_settings);
        let order: Arc<[String]> = self.config.sources.as_slice().into();
        let mut add = |label: Label| {
            let outbox = Outbox { at: sources.len(), sender: self.sender.clone() };
            sources.push(Guarded::new(label.clone(), guard, Instant::now()));
            let (cache, order) = (self.cache.clone(), Arc::clone(&order));
            (outbox.clone(), async move { kept(cache, label, order, &outbox).await })
        };
        if !self.config.dumps.is_empty() {
            let files: Vec<PathBuf> = self.config.dumps.iter().map(|dump| dump.get_ref().clone()).collect();
            let (outbox, kept) = add(dumps_label(&files));
            let order = Arc::clone(&order);
            tasks.spawn(async move {
                kept.await;
                dumps::run(files, order, outbox).await;
            });
        }
        for mirror in self.config.mirrors.iter().map(|mirror| mirror.get_ref()) {
            let (outbox, kept) = add(mirror_label(mirror));
            let settings = mirror_settings(mirror, &order);
            tasks.spawn(async move { nrtm::run(settings, kept.await, outbox).await });
        }
        for whois in self.config.whois.iter().map(|whois| whois.get_ref()) {
            let (outbox, kept) = add(whois_label(whois));
            let (settings, wants) = (whois_settings(whois, &self.config.sources), self.wants.clone());
            tasks.spawn(async move { whois::refresh::run(settings, kept.await, wants, outbox).await });
        }
        (sources, tasks)
    }
}

/// What the disk has of a source, of which the feed is told.
async fn kept(cache: Option<Cache>, label: Label, order: Arc<[String]>, outbox: &Outbox) -> Option<Cached> {
    let cache = cache?;
    let of = label.of.clone();
    let load = move || cache.load(&cache::file_name(label.kind, &label.name), &of, &order);
    match tokio::task::spawn_blocking(load).await.ok()? {
        Ok(kept) => {
            let kept = kept?;
            outbox.tell(News::Kept(kept.clone())).await;
            Some(kept)
        }
        Err(fault) => {
            warn!(%fault, "IRR data on disk is of no use");
            None
        }
    }
}

/// What was kept on disk of the whois servers that are configured, for those who judge without asking anybody.
pub(crate) fn kept_of_servers(config: &Irr) -> Vec<Arc<IrrIndex>> {
    let Some(cache) = Cache::of(&config.cache) else { return Vec::new() };
    let kept = config.whois.iter().filter_map(|whois| {
        let label = whois_label(whois.get_ref());
        // That there is nothing, and why, is for the running router to tell.
        cache.load(&cache::file_name(label.kind, &label.name), &label.of, &config.sources).ok().flatten()
    });
    kept.map(|kept| kept.index).collect()
}

fn dumps_label(files: &[PathBuf]) -> Label {
    let of: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    Label { kind: "dumps", name: "dumps".into(), of: of.join("\n") }
}

fn mirror_label(mirror: &Mirror) -> Label {
    Label {
        kind: "mirror",
        name: mirror.source.clone(),
        of: format!("{} from {}", mirror.source, mirror.server),
    }
}

fn whois_label(whois: &Whois) -> Label {
    let of = format!("{} of {}", whois.server, whois.sources.join(","));
    Label { kind: "whois", name: whois.server.to_string(), of }
}

fn mirror_settings(mirror: &Mirror, order: &Arc<[String]>) -> nrtm::Settings {
    let Mirror { source, server, dumps, serial, poll } = mirror.clone();
    nrtm::Settings { source, server, dumps, serial, poll, order: Arc::clone(order) }
}

/// A server that is asked for several registries does not say which of them an answer is from: its name stands for all.
fn whois_settings(whois: &Whois, order: &[String]) -> whois::refresh::Settings {
    const LONGEST: usize = 60;
    let Whois { server, refresh, sources } = whois.clone();
    let names = if sources.is_empty() { order } else { &sources };
    let of_host = || server.host.replace(':', "-").to_ascii_uppercase().chars().take(LONGEST).collect();
    let label = if let [only] = names { only.clone() } else { of_host() };
    let sources = Sources::new(names.iter().map(String::as_str)).unwrap_or_default();
    whois::refresh::Settings { server, sources, refresh, label }
}

fn guard_settings(guard: SizeGuard) -> GuardSettings {
    let SizeGuard { shrink_percent, grow_percent, floor, hold } = guard;
    let floor = usize::try_from(floor).unwrap_or(usize::MAX);
    GuardSettings { shrink_percent, grow_percent, floor, hold_for: hold }
}

/// What the task holds.
struct Hub {
    sources: Vec<Guarded>,
    max_age: Duration,
    /// When nobody waits any more for sources that have told nothing.
    settled_by: Instant,
    /// Whether there are tables that were not told.
    is_pending: bool,
    cache: Option<Cache>,
    /// What is being written.
    saving: Option<JoinHandle<()>>,
    next_save: Instant,
    tables: watch::Sender<IrrTables>,
    /// The sources' tasks, which end with this.
    _tasks: JoinSet<()>,
}

impl Hub {
    async fn run(mut self, mut news: mpsc::Receiver<(usize, News)>, mut requests: mpsc::Receiver<Request>) {
        loop {
            let wake = self.wake();
            let changed = tokio::select! {
                Some((at, news)) = news.recv() => self.take(at, news),
                request = requests.recv() => match request {
                    Some(request) => self.answer(request).await,
                    None => return,
                },
                () = sleep_until(wake.into()) => self.release(),
            };
            self.is_pending |= changed;
            if self.is_pending && self.is_settled() {
                self.is_pending = false;
                self.publish();
            }
            self.look();
            self.save();
        }
    }

    /// Whether every source has told something, good or bad, or has had the time for it. Before that, what the others come
    /// to would take the place of what held before this feed was started, and lacks what one of them is about to tell.
    fn is_settled(&self) -> bool {
        self.sources.iter().all(Guarded::has_spoken) || Instant::now() >= self.settled_by
    }

    /// When something is to be done without anybody's asking.
    fn wake(&self) -> Instant {
        let soon = Instant::now() + LOOK;
        let settling = self.is_pending.then_some(self.settled_by);
        self.sources.iter().filter_map(Guarded::due).chain(settling).fold(soon, Instant::min)
    }

    fn take(&mut self, at: usize, news: News) -> bool {
        self.sources.get_mut(at).is_some_and(|source| source.take(Instant::now(), news))
    }

    fn release(&mut self) -> bool {
        let (now, mut released) = (Instant::now(), false);
        for source in &mut self.sources {
            released |= source.release(now);
        }
        released
    }

    async fn answer(&mut self, request: Request) -> bool {
        let now = Instant::now();
        match request {
            Request::Status(reply) => {
                // Whoever asked may have gone.
                let _ = reply.send(self.sources.iter().map(|source| source.status(now)).collect());
                false
            }
            Request::Confirm(name, reply) => {
                let named =
                    |source: &&mut Guarded| name.as_ref().is_none_or(|name| *name == source.label.name);
                let confirmed = self
                    .sources
                    .iter_mut()
                    .filter(named)
                    .filter_map(|source| source.confirm(now).then(|| source.label.name.clone()));
                let confirmed: Vec<String> = confirmed.collect();
                let changed = !confirmed.is_empty();
                let _ = reply.send(confirmed);
                changed
            }
            Request::Stop(reply) => {
                self.finish().await;
                // Whoever asked may have gone.
                let _ = reply.send(());
                false
            }
        }
    }

    /// Has everything that counts on the disk: what is being written, and then what has come since.
    async fn finish(&mut self) {
        for _ in 0..2 {
            self.next_save = Instant::now();
            self.save();
            if let Some(saving) = self.saving.take() {
                // A thread that ended early has said why.
                drop(saving.await);
            }
        }
    }

    /// Tells what all sources come to.
    fn publish(&self) {
        let parts: Vec<Arc<IrrIndex>> = self
            .sources
            .iter()
            .filter_map(|source| source.accepted())
            .map(|data| Arc::clone(&data.index))
            .collect();
        let is_ready = parts.len() == self.sources.len();
        let index = IrrIndex::union(&parts);
        self.tables.send_modify(|tables| {
            let serial = if parts.is_empty() { 0 } else { tables.serial + 1 };
            *tables = IrrTables { serial, index, is_ready };
        });
    }

    /// Says which sources stand otherwise than before.
    fn look(&mut self) {
        let now = Instant::now();
        for source in &mut self.sources {
            let Some(state) = source.look(now, self.max_age) else { continue };
            let status = source.status(now);
            let (kind, name, state_name) = (status.kind, status.name.as_str(), state.slug());
            let (route_objects, as_sets, age_s) = (status.route_objects, status.as_sets, status.age_s);
            if state.is_alarming() {
                let (error, held) = (source.error(), status.held);
                warn!(kind, name, state = state_name, error, ?held, route_objects, age_s, "IRR source");
            } else if state != SourceState::Connecting {
                info!(kind, name, state = state_name, route_objects, as_sets, age_s, "IRR source");
            }
        }
    }

    /// Writes what counts and is not on the disk, one writing at a time.
    fn save(&mut self) {
        let Some(cache) = &self.cache else { return };
        if Instant::now() < self.next_save || self.saving.as_ref().is_some_and(|saving| !saving.is_finished())
        {
            return;
        }
        let unsaved = self.sources.iter_mut().filter_map(|source| {
            let data = source.take_unsaved()?;
            Some((source.label.clone(), data))
        });
        let unsaved: Vec<(Label, Cached)> = unsaved.collect();
        if unsaved.is_empty() {
            return;
        }
        let cache = cache.clone();
        self.next_save = Instant::now() + SAVE;
        self.saving = Some(tokio::task::spawn_blocking(move || {
            for (label, data) in unsaved {
                let name = cache::file_name(label.kind, &label.name);
                if let Err(fault) = cache.store(&name, &label.of, &data) {
                    warn!(%fault, "IRR data could not be kept on disk");
                }
            }
        }));
    }
}
