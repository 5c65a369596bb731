//! Good data on disk, so that a start without the network has the last of it.
//!
//! A file a source: an RPSL dump, compressed with zstd, whose first line is a remark that says what it is of. Whoever
//! wants to look uses `zstd -dc`.
//!
//! ```text
//!   % palisade {"version":1,"of":"whois.example.net:43","serial":null,"as_of":1764115200,"routes":2,"sets":1}
//!
//!   as-set:AS-EXAMPLE
//!   ..
//! ```
//!
//! A file is written beside its place and renamed into it when it is on the disk, so that there is a whole one or none
//! at any moment. What is read is believed when the compression's checksum holds, the counts agree and the data is of
//! the source that asks; else that is told, and the source begins as if there were none.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use palisade_policy::{IrrBuilder, IrrError, IrrIndex};
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::config::{IRR_CACHE, IrrCache};
use crate::input::{Input, InputError};

/// What the first line begins with.
const MARK: &str = "% palisade ";
/// The form that is written here, and the only one that is read.
const VERSION: u32 = 1;
/// Octets of the first line.
const LONGEST_HEADER: u64 = 64 * 1024;
/// How hard zstd tries. Writing is as fast as RPSL is made, at a sixth of its size.
const LEVEL: i32 = 1;
/// Octets read or written at a time.
const CHUNK: usize = 128 * 1024;

/// A folder of good data.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
}

/// What was kept of a source. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Cached {
    /// The data.
    pub(crate) index: Arc<IrrIndex>,
    /// The serial that it is of, where the source counts.
    pub(crate) serial: Option<u64>,
    /// When it was good.
    pub(crate) as_of: SystemTime,
}

/// What is written first.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    version: u32,
    of: String,
    serial: Option<u64>,
    /// Seconds since 1970.
    as_of: u64,
    routes: usize,
    sets: usize,
}

/// Why there is no data, or none could be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CacheError {
    /// The system refuses.
    #[error("{}: {fault}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says, or what is wrong with the compression.
        fault: io::Error,
    },
    /// It can't be opened.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It is no cache of ours, or of another version of Palisade.
    #[error("{} is no cache of this version of Palisade", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Its objects can't be read.
    #[error("{}: {fault}", path.display())]
    Objects {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: IrrError,
    },
    /// It does not hold what it says.
    #[error("{} is damaged: it has {found} objects instead of {expected}", path.display())]
    Count {
        /// The file.
        path: PathBuf,
        /// How many there are.
        found: usize,
        /// How many it says.
        expected: usize,
    },
}

impl Cache {
    /// The folder that is configured, as it is.
    pub(crate) fn of(config: &IrrCache) -> Option<Self> {
        match config {
            IrrCache::Off => None,
            IrrCache::Usual => Some(Cache { folder: IRR_CACHE.into() }),
            IrrCache::Folder(folder) => Some(Cache { folder: folder.clone() }),
        }
    }

    /// The folder that is configured, which is made if it isn't there; the usual one only counts if it is, and can be
    /// written to.
    pub(crate) fn open(config: &IrrCache) -> Option<Self> {
        let cache = Cache::of(config)?;
        if *config == IrrCache::Usual {
            return cache.is_writable().is_ok().then_some(cache);
        }
        if let Err(fault) = fs::create_dir_all(&cache.folder).and_then(|()| cache.is_writable()) {
            warn!(folder = %cache.folder.display(), %fault, "IRR data can't be kept on disk");
        }
        // What is there may be of use even where nothing can be written.
        Some(cache)
    }

    /// What was kept of a source; `None` where nothing was. `name` is the file's, `of` says exactly what it must be of,
    /// and `order` whose sets come first.
    pub(crate) fn load(&self, name: &str, of: &str, order: &[String]) -> Result<Option<Cached>, CacheError> {
        let path = self.path(name);
        let input = match Input::open(&path) {
            Ok(input) => input,
            Err(InputError::Missing { .. }) => return Ok(None),
            Err(fault) => return Err(fault.into()),
        };
        let mut input = BufReader::with_capacity(CHUNK, input);
        let Some(header) = read_header(&mut input, &path)? else {
            return Err(CacheError::Foreign { path });
        };
        if header.of != of {
            return Ok(None);
        }
        let mut builder = IrrBuilder::with_order(order);
        let objects = |fault| CacheError::Objects { path: path.clone(), fault };
        builder.read(input, "").map_err(objects)?;
        let index = builder.build();
        let (found, expected) = (index.len() + sets(&index), header.routes.saturating_add(header.sets));
        if found != expected {
            return Err(CacheError::Count { path, found, expected });
        }
        let as_of = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(header.as_of));
        // Nothing is from the future: a clock was wrong.
        let as_of = as_of.unwrap_or(SystemTime::UNIX_EPOCH).min(SystemTime::now());
        Ok(Some(Cached { index: Arc::new(index), serial: header.serial, as_of }))
    }

    /// Keeps a source's data instead of what was kept before.
    pub(crate) fn store(&self, name: &str, of: &str, data: &Cached) -> Result<(), CacheError> {
        let (path, unfinished) = (self.path(name), self.folder.join(format!("{name}.part")));
        let of_path = |fault| CacheError::Io { path: path.clone(), fault };
        let written = write(&unfinished, of, data).and_then(|()| {
            fs::rename(&unfinished, &path)?;
            File::open(&self.folder)?.sync_all()
        });
        if written.is_err() {
            // Whether half a file can be removed changes nothing about the error.
            drop(fs::remove_file(&unfinished));
        }
        written.map_err(of_path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.rpsl.zst"))
    }

    fn is_writable(&self) -> io::Result<()> {
        let probe = self.folder.join("palisade.probe");
        File::create(&probe)?;
        fs::remove_file(probe)
    }
}

/// A file's name for a source's.
pub(crate) fn file_name(kind: &str, source: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '-' };
    format!("irr-{kind}-{}", source.to_ascii_lowercase().chars().map(plain).collect::<String>())
}

fn sets(index: &IrrIndex) -> usize {
    index.as_sets() + index.route_sets()
}

fn write(path: &Path, of: &str, data: &Cached) -> io::Result<()> {
    let as_of = data.as_of.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let (routes, sets) = (data.index.len(), sets(&data.index));
    let header = Header { version: VERSION, of: of.into(), serial: data.serial, as_of, routes, sets };
    let mut encoder = zstd::Encoder::new(File::create(path)?, LEVEL)?;
    encoder.include_checksum(true)?;
    let mut out = BufWriter::with_capacity(CHUNK, encoder);
    writeln!(out, "{MARK}{}\n", serde_json::to_string(&header)?)?;
    data.index.write_rpsl(&mut out)?;
    let encoder = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    encoder.finish()?.sync_all()
}

/// `None` where it is none.
fn read_header(input: &mut impl BufRead, path: &Path) -> Result<Option<Header>, CacheError> {
    let mut line = Vec::new();
    let read = input.take(LONGEST_HEADER).read_until(b'\n', &mut line);
    read.map_err(|fault| CacheError::Io { path: path.into(), fault })?;
    let header: Option<Header> =
        line.strip_prefix(MARK.as_bytes()).and_then(|json| serde_json::from_slice(json).ok());
    Ok(header.filter(|header| header.version == VERSION))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

    use super::*;

    const RPSL: &str = "as-set: AS-A\nmembers: AS1, AS-B\nsource: ONE\n\nroute-set: RS-A\nmembers: 10.0.0.0/8^+\n\
        source: TWO\n\nroute: 10.0.0.0/8\norigin: AS1\nsource: TWO\n\nroute6: 2001:db8::/32\norigin: AS1\nsource: ONE";

    fn cached() -> Cached {
        let mut builder = IrrBuilder::default();
        builder.read(RPSL.as_bytes(), "X").unwrap();
        let as_of = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        Cached { index: Arc::new(builder.build()), serial: Some(77), as_of }
    }

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&IrrCache::Folder(folder.path().join("a/b"))).unwrap();
        (folder, cache)
    }

    #[test]
    fn what_is_kept_comes_back() {
        let (_folder, cache) = cache();
        assert!(cache.load("x", "of", &[]).unwrap().is_none());
        let kept = cached();
        cache.store("x", "of", &kept).unwrap();
        let back = cache.load("x", "of", &[]).unwrap().unwrap();
        assert_eq!((back.serial, back.as_of), (kept.serial, kept.as_of));
        assert!(back.index.routes().eq(kept.index.routes()));
        assert!(back.index.changed_sets(&kept.index).is_empty());
        assert!(cache.load("x", "another", &[]).unwrap().is_none(), "of another source");
        let names: Vec<_> =
            fs::read_dir(&cache.folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["x.rpsl.zst"], "nothing is left lying about");
    }

    #[test]
    fn a_damaged_cache_is_told_wherever_the_damage_is() {
        let (_folder, cache) = cache();
        cache.store("x", "of", &cached()).unwrap();
        let good = fs::read(cache.path("x")).unwrap();
        for cut in 0..good.len() {
            fs::write(cache.path("x"), &good[..cut]).unwrap();
            assert!(cache.load("x", "of", &[]).is_err(), "cut at {cut}");
        }
        let mut spared = 0;
        for at in 0..good.len() {
            let mut damaged = good.clone();
            damaged[at] ^= 0x10;
            fs::write(cache.path("x"), &damaged).unwrap();
            // Some bits of the frame's header mean nothing: then all is as it was.
            if let Ok(back) = cache.load("x", "of", &[]) {
                assert!(back.unwrap().index.routes().eq(cached().index.routes()), "damaged at {at}");
                spared += 1;
            }
        }
        assert!(spared <= 4, "{spared} octets of {} could be damaged", good.len());
    }

    #[test]
    fn another_version_and_wrong_counts_are_told() {
        let (_folder, cache) = cache();
        let load = |text: &str| {
            fs::write(cache.path("x"), text).unwrap();
            cache.load("x", "of", &[])
        };
        let header = |version, routes| {
            format!(
                "{MARK}{{\"version\":{version},\"of\":\"of\",\"serial\":null,\"as_of\":1,\"routes\":{routes},\"sets\":2}}\n\n{RPSL}"
            )
        };
        assert!(load(&header(1, 2)).unwrap().is_some());
        assert!(matches!(load(&header(2, 2)), Err(CacheError::Foreign { .. })));
        assert!(matches!(load(&header(1, 3)), Err(CacheError::Count { found: 4, expected: 5, .. })));
        assert!(matches!(load(RPSL), Err(CacheError::Foreign { .. })));
    }

    #[test]
    fn a_folder_that_can_not_be_written_to_is_an_error_and_not_the_end() {
        let (folder, _) = cache();
        fs::write(folder.path().join("file"), "").unwrap();
        let cache = Cache::open(&IrrCache::Folder(folder.path().join("file"))).unwrap();
        assert!(cache.store("x", "of", &cached()).is_err());
        assert!(Cache::open(&IrrCache::Off).is_none());
    }
}
