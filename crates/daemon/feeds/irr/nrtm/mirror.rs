//! A mirror as a source: begins with a dump or with what the cache has, and follows from there.
//!
//! The serial is read before the dumps: what changed while they were fetched is applied twice, which does no harm, and
//! never missed. Where the server has forgotten what comes next, or counts from the beginning again, only a new dump
//! helps: the old data stays until whoever fetches dumps has fetched one. Where a stream breaks off, nothing of it is
//! taken, and the next one begins at the same serial.

use std::fs;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use palisade_policy::{IrrChange, IrrIndex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::stream::{ChangeStream, End, Operation, StreamFault};
use crate::feeds::backoff::{Backoff, jittered};
use crate::feeds::irr::cache::Cached;
use crate::feeds::irr::dumps;
use crate::feeds::irr::source::{News, Outbox};
use crate::feeds::irr::whois::client::Server;
use crate::feeds::watch::Watch;
use crate::judging::tables::TableError;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(15);
/// How long the server may be silent.
const SILENCE: Duration = Duration::from_secs(60);
/// How long a whole answer may take.
const WHOLE: Duration = Duration::from_secs(900);
/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// Octets read at a time.
const CHUNK: usize = 64 * 1024;
/// Octets of a file with a serial.
const LONGEST_SERIAL: u64 = 64;

/// What is mirrored, from whom.
#[derive(Clone, Debug)]
pub(in crate::feeds::irr) struct Settings {
    /// The registry, in capitals.
    pub(in crate::feeds::irr) source: String,
    /// Who tells changes.
    pub(in crate::feeds::irr) server: Server,
    /// The database.
    pub(in crate::feeds::irr) dumps: Vec<PathBuf>,
    /// The file with the dumps' serial.
    pub(in crate::feeds::irr) serial: PathBuf,
    /// How often changes are asked for.
    pub(in crate::feeds::irr) poll: Duration,
    /// The registries' order.
    pub(in crate::feeds::irr) order: Arc<[String]>,
}

/// Why there is no news.
#[derive(Debug, thiserror::Error)]
enum MirrorError {
    #[error("{server} can't be reached: {fault}")]
    Unreachable { server: Server, fault: io::Error },
    #[error("{server}: {fault}")]
    Stream { server: Server, fault: StreamFault },
    #[error(transparent)]
    Dump(#[from] TableError),
    #[error("{} can't be read: {fault}", path.display())]
    Serial { path: PathBuf, fault: io::Error },
    #[error("{} holds no serial", path.display())]
    NoSerial { path: PathBuf },
    #[error("a thread that worked on it ended: {0}")]
    Thread(#[from] tokio::task::JoinError),
}

/// Mirrors a registry, for as long as anybody listens.
pub(in crate::feeds::irr) async fn run(settings: Settings, known: Option<Cached>, outbox: Outbox) {
    let place = known.and_then(|known| Some(Place { index: known.index, serial: known.serial? }));
    let files = settings.dumps.iter().chain([&settings.serial]).cloned();
    let mut mirror =
        Mirror { watch: Watch::new(files), place, backoff: Backoff::new(LONGEST_PAUSE), settings };
    while mirror.step(&outbox).await {}
}

struct Mirror {
    settings: Settings,
    place: Option<Place>,
    watch: Watch,
    backoff: Backoff,
}

/// Data and the serial that it is of.
#[derive(Clone)]
struct Place {
    index: Arc<IrrIndex>,
    serial: u64,
}

impl Mirror {
    /// Gets a dump or changes, tells of it and waits. Whether anybody listens.
    async fn step(&mut self, outbox: &Outbox) -> bool {
        let Some(place) = self.place.clone() else {
            // The first look tells at once; later ones tell when somebody has fetched something new.
            self.watch.changed().await;
            return self.begin(outbox).await;
        };
        let wait = jittered(self.settings.poll);
        match self.follow(&place, wait).await {
            Ok(news) => {
                self.backoff.reset();
                outbox.tell(news).await && idle(wait).await
            }
            Err(MirrorError::Stream { server, fault }) if fault.needs_dump() => {
                outbox.fail(format!("{server}: {fault}"), None).await
                    && self.begin_again(outbox, &fault).await
            }
            Err(error) => {
                let wait = self.backoff.next();
                outbox.fail(error, Some(wait)).await && idle(wait).await
            }
        }
    }

    /// Reads the dumps.
    async fn begin(&mut self, outbox: &Outbox) -> bool {
        let settings = self.settings.clone();
        let read = move || {
            let serial = read_serial(&settings.serial)?;
            Ok::<_, MirrorError>((serial, dumps::read(&settings.dumps, &settings.order)?))
        };
        let read = tokio::task::spawn_blocking(read).await.map_err(MirrorError::from).flatten();
        match read {
            Ok((serial, read)) => {
                let index = Arc::new(read.index);
                self.place = Some(Place { index: Arc::clone(&index), serial });
                let (serial, note) = (Some(serial), dumps::note(read.malformed));
                outbox.tell(News::Data { index, serial, as_of: read.as_of, note, next_try: None }).await
            }
            Err(error) => outbox.fail(error, None).await,
        }
    }

    /// Waits until there is a dump that the server can lead on from, and reads it. One that is older than what we have
    /// is none.
    async fn begin_again(&mut self, outbox: &Outbox, fault: &StreamFault) -> bool {
        while !read_serial(&self.settings.serial).is_ok_and(|serial| fault.is_mended_by(serial)) {
            self.watch.changed().await;
        }
        self.begin(outbox).await && idle(self.backoff.next()).await
    }

    /// Asks for what has changed, and applies it. It will be done again in `wait`.
    async fn follow(&mut self, place: &Place, wait: Duration) -> Result<News, MirrorError> {
        let next = place.serial.saturating_add(1);
        let (operations, end) = fetch(&self.settings, next).await?;
        let serial = match end {
            End::At(serial) => serial,
            End::NothingNew => place.serial,
        };
        let (index, source) = (Arc::clone(&place.index), self.settings.source.clone());
        let apply = move || applied(&index, operations, &source);
        let (index, malformed) = tokio::task::spawn_blocking(apply).await?;
        let next_try = Some(wait);
        let Some(index) = index.map(Arc::new) else {
            self.place = Some(Place { serial, ..place.clone() });
            return Ok(News::Unchanged { serial: Some(serial), next_try });
        };
        self.place = Some(Place { index: Arc::clone(&index), serial });
        let (as_of, note) = (SystemTime::now(), dumps::note(malformed));
        Ok(News::Data { index, serial: Some(serial), as_of, note, next_try })
    }
}

async fn idle(wait: Duration) -> bool {
    sleep(wait).await;
    true
}

/// The file that lies beside dumps: a number.
fn read_serial(path: &std::path::Path) -> Result<u64, MirrorError> {
    let mut text = String::new();
    let read = fs::File::open(path).and_then(|file| file.take(LONGEST_SERIAL).read_to_string(&mut text));
    read.map_err(|fault| MirrorError::Serial { path: path.into(), fault })?;
    text.trim().parse().map_err(|_| MirrorError::NoSerial { path: path.into() })
}

/// The index with what has changed, and how many objects were left out; `None` where nothing of use has.
fn applied(index: &IrrIndex, operations: Vec<Operation>, source: &str) -> (Option<IrrIndex>, u64) {
    let (mut changes, mut malformed) = (Vec::new(), 0);
    for operation in operations {
        match IrrChange::parse(&operation.object, operation.is_addition, source) {
            // A registry speaks for itself alone.
            Ok(Some(change)) if of(&change).eq_ignore_ascii_case(source) => changes.push(change),
            Ok(None) => {}
            Ok(Some(_)) | Err(_) => malformed += 1,
        }
    }
    ((!changes.is_empty()).then(|| index.amended(changes)), malformed)
}

fn of(change: &IrrChange) -> &str {
    match change {
        IrrChange::Add(object) | IrrChange::Remove(object) => object.source(),
    }
}

async fn fetch(settings: &Settings, first: u64) -> Result<(Vec<Operation>, End), MirrorError> {
    let server = &settings.server;
    let unreachable = |fault| MirrorError::Unreachable { server: server.clone(), fault };
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no answer");
    let asking = async {
        let connecting = TcpStream::connect((server.host.as_str(), server.port));
        let mut socket = timeout(CONNECT, connecting).await.map_err(late).flatten().map_err(unreachable)?;
        let question = format!("-g {}:3:{first}-LAST\n", settings.source);
        socket.write_all(question.as_bytes()).await.map_err(unreachable)?;
        let mut stream = ChangeStream::new(&settings.source, first);
        let faulty = |fault| MirrorError::Stream { server: server.clone(), fault };
        let mut octets = vec![0; CHUNK];
        while !stream.is_over() {
            let read = timeout(SILENCE, socket.read(&mut octets)).await.map_err(late).flatten();
            match read.map_err(unreachable)? {
                0 => break,
                read => stream.push(octets.get(..read).unwrap_or_default()).map_err(faulty)?,
            }
        }
        stream.finish().map_err(faulty)
    };
    timeout(WHOLE, asking).await.map_err(|elapsed| unreachable(late(elapsed))).flatten()
}
