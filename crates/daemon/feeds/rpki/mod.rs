//! The RPKI feed: VRPs and ASPAs of all sources, as they change while the router runs.
//!
//! ```text
//!   RTR tasks, one a cache ----.
//!   file reader, watching ------+--> events --> ledger (guards, union) --> tables, readiness, status
//!   SLURM reader, watching ----'                  '--> which caches are wanted
//! ```
//!
//! All of it runs on a thread of its own, so that a burst of 700,000 VRPs keeps no session of BGP waiting. The tables
//! are told whole, through a channel that keeps the last: whoever is slow misses states in between and no change, since
//! the difference to what it last had tells all of them (`RovIndex::changed_ranges`, `AspaIndex::changed`).
//!
//! How the sources fail, and what counts then, is the ledger's business; what an operator may set of it stands in
//! `config/rpki.rs`.

mod caches;
mod files;
mod ledger;
mod set;
mod source;
mod status;
mod union;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use tokio::runtime;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep_until;

use self::files::{FileNews, FileReader};
use self::ledger::{Ledger, SlurmNews};
use crate::config::Rpki;
use crate::feeds::rtr::{CacheTask, Heard};
use crate::feeds::slurm::{Slurm, SlurmError, SlurmFile};
use crate::feeds::watch::{Change, Watch};

pub(crate) use set::RpkiSet;
pub(crate) use status::SourceStatus;
pub(crate) use union::RpkiTables;

/// News that wait for the ledger; a source that has more waits too.
const EVENTS: usize = 16;
/// Commands that wait.
const COMMANDS: usize = 4;

/// The running feed. It stops when this is dropped.
#[derive(Debug)]
pub(crate) struct RpkiFeed {
    tables: watch::Receiver<RpkiTables>,
    ready: watch::Receiver<bool>,
    ledger: Arc<Mutex<Ledger>>,
    commands: mpsc::Sender<Confirm>,
}

/// An operator's word on what is held of a source.
struct Confirm {
    name: String,
    done: oneshot::Sender<bool>,
}

/// What a source has to say.
enum Event {
    File(usize, FileNews),
    Slurm(Box<SlurmNews>),
}

impl RpkiFeed {
    /// Starts to ask and to watch the sources of a configuration. Nothing is known at first: `tables` are empty, of
    /// serial 0.
    pub(crate) fn start(config: &Rpki) -> io::Result<Self> {
        let ledger = Arc::new(Mutex::new(Ledger::new(config, Instant::now())));
        let (tables_out, tables) = watch::channel(RpkiTables::default());
        let (ready_out, ready) = watch::channel(lock(&ledger).is_ready());
        let (commands, asked) = mpsc::channel(COMMANDS);
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let desk =
            Desk { ledger: Arc::clone(&ledger), tables: tables_out, ready: ready_out, wanted: Vec::new() };
        let config = config.clone();
        thread::Builder::new().name("rpki".into()).spawn(move || {
            runtime.block_on(desk.run(&config, asked));
            // A file that is being read at this moment is nobody's concern any more.
            runtime.shutdown_background();
        })?;
        Ok(RpkiFeed { tables, ready, ledger, commands })
    }

    /// What announcements are judged by, and every change of it. What was not yet seen is marked as changed.
    pub(crate) fn tables(&self) -> watch::Receiver<RpkiTables> {
        self.tables.clone()
    }

    /// Whether every source has had its first set, or the time to wait for that is over.
    pub(crate) fn ready(&self) -> watch::Receiver<bool> {
        self.ready.clone()
    }

    /// How it stands with each source: caches first, then files, then SLURM, each in the order of the configuration.
    pub(crate) fn status(&self) -> Vec<SourceStatus> {
        lock(&self.ledger).status(Instant::now())
    }

    /// An operator has looked at what is held of the source called so, by its name in [`RpkiFeed::status`]: it counts
    /// from now on. Whether anything was held.
    pub(crate) async fn confirm(&self, name: &str) -> bool {
        let (done, confirmed) = oneshot::channel();
        let asked = self.commands.send(Confirm { name: name.into(), done }).await;
        asked.is_ok() && confirmed.await.unwrap_or_default()
    }
}

/// Nothing that holds it leaves it half changed, so a panic elsewhere is no reason to stop.
fn lock(ledger: &Mutex<Ledger>) -> std::sync::MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where news come in and tables go out.
struct Desk {
    ledger: Arc<Mutex<Ledger>>,
    tables: watch::Sender<RpkiTables>,
    ready: watch::Sender<bool>,
    wanted: Vec<watch::Sender<bool>>,
}

impl Desk {
    /// Runs until nobody holds the feed any more.
    async fn run(mut self, config: &Rpki, mut commands: mpsc::Receiver<Confirm>) {
        let (heard, mut hears) = mpsc::channel(EVENTS);
        let (read, mut reads) = mpsc::channel(EVENTS);
        self.start(config, &heard, &read);
        loop {
            let timeout = lock(&self.ledger).next_timeout(Instant::now());
            let due = async {
                match timeout {
                    Some(at) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some((index, heard)) = hears.recv() => self.hear(index, heard),
                Some(event) = reads.recv() => self.take(event),
                command = commands.recv() => match command {
                    Some(command) => self.confirm(command),
                    None => return,
                },
                () = due => lock(&self.ledger).tick(Instant::now()),
            }
            self.tell();
        }
    }

    fn start(&mut self, config: &Rpki, heard: &mpsc::Sender<(usize, Heard)>, read: &mpsc::Sender<Event>) {
        let wanted = lock(&self.ledger).wanted();
        for (index, (cache, wanted)) in config.rtr.iter().zip(wanted).enumerate() {
            let (tell, told) = watch::channel(wanted);
            self.wanted.push(tell);
            tokio::spawn(CacheTask::new(cache.clone(), index, heard.clone(), told).run());
        }
        let paths =
            |list: &[toml::Spanned<PathBuf>]| list.iter().map(|path| path.get_ref().clone()).collect();
        tokio::spawn(read_files(paths(&config.files), read.clone()));
        tokio::spawn(read_slurm(paths(&config.slurm), read.clone()));
    }

    fn hear(&self, index: usize, heard: Heard) {
        lock(&self.ledger).cache(Instant::now(), index, heard);
    }

    fn take(&self, event: Event) {
        let mut ledger = lock(&self.ledger);
        match event {
            Event::File(index, news) => ledger.file(Instant::now(), index, news),
            Event::Slurm(news) => ledger.slurm(Instant::now(), *news),
        }
    }

    fn confirm(&self, Confirm { name, done }: Confirm) {
        // Whoever asked may have gone.
        let _ = done.send(lock(&self.ledger).confirm(Instant::now(), &name));
    }

    /// Says what is another than before.
    fn tell(&self) {
        let ledger = lock(&self.ledger);
        let (tables, is_ready, wanted) = (ledger.tables().clone(), ledger.is_ready(), ledger.wanted());
        drop(ledger);
        self.tables.send_if_modified(|told| {
            let is_new = told.serial != tables.serial;
            if is_new {
                *told = tables;
            }
            is_new
        });
        self.ready.send_if_modified(|told| std::mem::replace(told, is_ready) != is_ready);
        for (tell, wanted) in self.wanted.iter().zip(wanted) {
            tell.send_if_modified(|told| std::mem::replace(told, wanted) != wanted);
        }
    }
}

/// Reads files at first, and again when they have changed.
async fn read_files(paths: Vec<PathBuf>, events: mpsc::Sender<Event>) {
    let mut readers: Vec<FileReader> = paths.iter().map(|_| FileReader::default()).collect();
    let mut watch = Watch::new(paths);
    while !readers.is_empty() {
        for Change { index, path, written } in watch.changed().await {
            let Some(reader) = readers.get_mut(index) else { continue };
            let mut taken = std::mem::take(reader);
            let read = spawn_blocking(move || {
                let news = match written {
                    Some(written) => taken.read(&path, written),
                    None => Err("there is no such file".into()),
                };
                (taken, news)
            });
            // It is not aborted; were there a panic, the file would be read from nothing the next time.
            let Ok((back, news)) = read.await else { continue };
            *reader = back;
            if events.send(Event::File(index, news)).await.is_err() {
                return;
            }
        }
    }
}

/// Reads all files of SLURM at first, and all again when one has changed: they hold together.
async fn read_slurm(paths: Vec<PathBuf>, events: mpsc::Sender<Event>) {
    let mut watch = Watch::new(paths.clone());
    while !paths.is_empty() {
        watch.changed().await;
        let paths = paths.clone();
        let Ok(news) = spawn_blocking(move || slurm_of(&paths)).await else { continue };
        if events.send(Event::Slurm(Box::new(news))).await.is_err() {
            return;
        }
    }
}

fn slurm_of(paths: &[PathBuf]) -> SlurmNews {
    let of = |path: &Path| {
        SlurmFile::open(path).map_err(|fault| match fault {
            SlurmError::Input(fault) => fault.to_string(),
            fault => format!("{}: {fault}", path.display()),
        })
    };
    let files = paths.iter().map(|path| of(path)).collect::<Result<Vec<_>, _>>()?;
    let named = paths.iter().map(PathBuf::as_path).zip(&files);
    let slurm = Slurm::of(named).map_err(|fault| fault.to_string())?;
    Ok((files.iter().map(SlurmFile::len).collect(), slurm))
}

#[cfg(test)]
mod tests;
