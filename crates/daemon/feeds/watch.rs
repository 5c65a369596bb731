//! Files that are watched: which of them have changed, and are at rest again.
//!
//! Looks at each file's size, time and inode once in [`POLL`], and tells of a change when two looks in a row found the
//! same: a file that is being written is not read half way, and one that a validator renames into its place is taken a
//! moment later. That works on every file system, those over a network too, and costs a system call a second.
//!
//! It reads no file, and knows nothing of what is in one. Whoever is told of a change and then can't read the file is
//! told again when it changes again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often files are looked at; in tests of the feeds, which write many, more often.
pub(crate) const POLL: Duration = Duration::from_millis(if cfg!(test) { 100 } else { 1_000 });

/// Files, and how each looked when its change was last told.
#[derive(Debug)]
pub(crate) struct Watch {
    files: Vec<Watched>,
    looks: Interval,
}

/// A file that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Which of the files that are watched, in the order they were named.
    pub(crate) index: usize,
    /// Its name.
    pub(crate) path: PathBuf,
    /// When it was last written to; `None` where it can't be looked at: it may be gone.
    pub(crate) written: Option<SystemTime>,
}

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    /// What was told last; `None` before anything was.
    told: Option<Look>,
    /// What the last look found.
    last: Option<Look>,
}

/// How a file looks from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Missing,
    There { written: Option<SystemTime>, octets: u64, inode: u64 },
}

impl Watch {
    /// Watches these files. Each is told as a change at first, be it there or not.
    pub(crate) fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Watch::looking_every(POLL, paths)
    }

    fn looking_every(poll: Duration, paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let watched = |path| Watched { path, told: None, last: None };
        let mut looks = interval(poll);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Watch { files: paths.into_iter().map(watched).collect(), looks }
    }

    /// Waits until files have changed, and says which. Nothing is lost where the wait is given up.
    pub(crate) async fn changed(&mut self) -> Vec<Change> {
        loop {
            self.looks.tick().await;
            let paths: Vec<PathBuf> = self.files.iter().map(|file| file.path.clone()).collect();
            // A file system over a network may keep a look waiting, and whoever else runs on this thread with it.
            let look = move || paths.iter().map(|path| Look::at(path)).collect::<Vec<_>>();
            let Ok(looks) = tokio::task::spawn_blocking(look).await else { continue };
            let changes = self.compare(&looks);
            if !changes.is_empty() {
                return changes;
            }
        }
    }

    fn compare(&mut self, looks: &[Look]) -> Vec<Change> {
        let files = self.files.iter_mut().zip(looks).enumerate();
        files.filter_map(|(index, (file, look))| file.compare(*look).then(|| file.change(index))).collect()
    }
}

impl Watched {
    /// Whether a look has something to tell.
    fn compare(&mut self, look: Look) -> bool {
        let rests = self.last == Some(look) || self.told.is_none();
        self.last = Some(look);
        let news = rests && self.told != Some(look);
        if news {
            self.told = Some(look);
        }
        news
    }

    fn change(&self, index: usize) -> Change {
        let written = match self.told {
            Some(Look::There { written, .. }) => Some(written.unwrap_or(SystemTime::UNIX_EPOCH)),
            Some(Look::Missing) | None => None,
        };
        Change { index, path: self.path.clone(), written }
    }
}

impl Look {
    fn at(path: &Path) -> Look {
        let there = |metadata: fs::Metadata| Look::There {
            written: metadata.modified().ok(),
            octets: metadata.len(),
            inode: inode(&metadata),
        };
        fs::metadata(path).map_or_else(|_: io::Error| Look::Missing, there)
    }
}

fn inode(metadata: &fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    metadata.ino()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

    use super::*;

    fn there(octets: u64) -> Look {
        Look::There { written: Some(SystemTime::UNIX_EPOCH), octets, inode: 1 }
    }

    #[tokio::test]
    async fn each_file_is_told_at_first_and_then_when_it_rests() {
        let mut watch = Watch::new(["a".into(), "b".into()]);
        let mut told = |looks: [Look; 2]| -> Vec<(usize, bool)> {
            watch.compare(&looks).iter().map(|change| (change.index, change.written.is_some())).collect()
        };
        assert_eq!(told([there(1), Look::Missing]), [(0, true), (1, false)]);
        assert_eq!(told([there(1), Look::Missing]), []);
        assert_eq!(told([there(2), Look::Missing]), [], "it may still be written to");
        assert_eq!(told([there(3), there(9)]), []);
        assert_eq!(told([there(3), there(9)]), [(0, true), (1, true)]);
        assert_eq!(told([Look::Missing, there(9)]), [], "it may be about to be replaced");
        assert_eq!(told([there(3), there(9)]), [], "it is what it was");
        assert_eq!(told([Look::Missing, there(9)]), []);
        assert_eq!(told([Look::Missing, there(9)]), [(0, false)]);
    }

    #[tokio::test]
    async fn a_file_that_is_replaced_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vrps.json");
        fs::write(&path, "one").unwrap();
        const POLL: Duration = Duration::from_millis(20);
        let mut watch = Watch::looking_every(POLL, [path.clone()]);
        assert!(watch.changed().await[0].written.is_some());
        let next = folder.path().join("vrps.json.new");
        fs::write(&next, "two").unwrap();
        fs::rename(&next, &path).unwrap();
        assert_eq!(watch.changed().await[0].path, path);
        assert!(tokio::time::timeout(10 * POLL, watch.changed()).await.is_err(), "nothing more has changed");
    }
}
