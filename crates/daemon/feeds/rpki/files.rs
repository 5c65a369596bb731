//! Files of VRPs and ASPAs: what each last held that was good, and how old that is.
//!
//! [`Files`] is the machine, and [`FileReader`] reads for it. A file that can't be read, or holds nothing, changes nothing.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::set::RpkiSet;
use super::source::Source;
use super::status::SourceStatus;
use crate::config::{OnExpire, quoted};
use crate::feeds::guard::GuardSettings;
use crate::feeds::source_state::SourceState;
use crate::judging::tables::{TableError, read_vrps};

/// The files, each a source of its own.
#[derive(Debug)]
pub(super) struct Files {
    entries: Vec<Entry>,
    /// The age from which on they are stale; zero for none.
    max_age: Duration,
    on_expire: OnExpire,
}

/// A file.
#[derive(Debug)]
struct Entry {
    path: PathBuf,
    source: Source,
    /// What was last read that was good.
    last: Option<Last>,
    fault: Option<String>,
}

#[derive(Debug)]
struct Last {
    vrps: usize,
    aspas: usize,
    note: Option<String>,
    /// How old it was when it was read, and when that was.
    age: Duration,
    read: Instant,
}

impl Last {
    fn age(&self, now: Instant) -> Duration {
        self.age + now.saturating_duration_since(self.read)
    }
}

/// What came of reading a file.
pub(super) type FileNews = Result<FileRead, String>;

/// What a file holds.
#[derive(Debug)]
pub(super) struct FileRead {
    /// Its data.
    pub(super) set: RpkiSet,
    /// How long ago it was written.
    pub(super) age: Duration,
    /// What was left out of it.
    pub(super) note: Option<String>,
}

impl Files {
    pub(super) fn new(
        paths: Vec<PathBuf>,
        guard: Option<GuardSettings>,
        max_age: Duration,
        on_expire: OnExpire,
    ) -> Self {
        let entry = |path| Entry { path, source: Source::new(guard), last: None, fault: None };
        Files { entries: paths.into_iter().map(entry).collect(), max_age, on_expire }
    }

    /// What counts of each.
    pub(super) fn accepted(&self) -> impl Iterator<Item = Option<RpkiSet>> {
        self.entries.iter().map(|entry| entry.source.accepted())
    }

    /// An operator has looked at what is held of the file called so: whether anything was.
    pub(super) fn confirm(&mut self, now: Instant, name: &str) -> bool {
        // No file is named twice.
        let named = self.entries.iter_mut().find(|entry| entry.path == Path::new(name));
        named.is_some_and(|entry| entry.source.confirm(now))
    }

    /// A file was read, or could not be.
    pub(super) fn read(&mut self, now: Instant, index: usize, news: FileNews) {
        let Some(entry) = self.entries.get_mut(index) else { return };
        match news {
            Ok(FileRead { set, age, note }) => {
                entry.fault = None;
                entry.last = Some(Last { vrps: set.rov.len(), aspas: set.aspa.len(), note, age, read: now });
                entry.source.offer(now, &set);
            }
            Err(fault) => entry.fault = Some(fault),
        }
        self.expire(now);
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: Instant) {
        self.entries.iter_mut().for_each(|entry| entry.source.release(now));
        self.expire(now);
    }

    fn expire(&mut self, now: Instant) {
        if self.on_expire == OnExpire::Drop {
            let max_age = self.max_age;
            let old = self.entries.iter_mut().filter(|entry| entry.is_old(now, max_age));
            old.for_each(|entry| entry.source.forget());
        }
    }

    /// When [`Files::tick`] will have something to do, or a state will be another.
    pub(super) fn next_timeout(&self, now: Instant) -> Option<Instant> {
        let expiry = |entry: &Entry| {
            let left = self.max_age.checked_sub(entry.last.as_ref()?.age(now))?;
            (!left.is_zero()).then(|| now + left)
        };
        let held = self.entries.iter().filter_map(|entry| entry.source.due());
        self.entries.iter().filter_map(expiry).chain(held).min()
    }

    /// How it stands with each.
    pub(super) fn status(&self, now: Instant) -> impl Iterator<Item = SourceStatus> {
        self.entries.iter().map(move |entry| entry.status(now, self.max_age))
    }
}

impl Entry {
    fn is_old(&self, now: Instant, max_age: Duration) -> bool {
        !max_age.is_zero() && self.last.as_ref().is_some_and(|last| last.age(now) >= max_age)
    }

    fn status(&self, now: Instant, max_age: Duration) -> SourceStatus {
        let (last, held) = (self.last.as_ref(), self.source.held_status(now));
        let counts = self.source.accepted().is_some();
        let state = match last {
            _ if self.fault.is_some() => SourceState::Failing,
            _ if held.is_some() => SourceState::Holding,
            Some(_) if self.is_old(now, max_age) && counts => SourceState::Stale,
            Some(_) if self.is_old(now, max_age) => SourceState::Expired,
            Some(_) => SourceState::Fresh,
            None => SourceState::Connecting,
        };
        SourceStatus {
            kind: "file",
            name: self.path.display().to_string(),
            state,
            state_for_s: 0,
            counts,
            error: self.fault.clone(),
            note: last.and_then(|last| last.note.clone()),
            vrps: last.map_or(0, |last| last.vrps),
            aspas: last.map_or(0, |last| last.aspas),
            age_s: last.map(|last| last.age(now).as_secs()),
            next_try_s: None,
            rtr: None,
            held,
        }
    }
}

/// Reads a file again and again, each time from what it held before.
#[derive(Debug, Default)]
pub(super) struct FileReader {
    set: RpkiSet,
}

impl FileReader {
    /// Reads a file. It takes a second or so, and blocks.
    pub(super) fn read(&mut self, path: &Path, written: SystemTime) -> FileNews {
        let file = read_vrps(path).map_err(|fault: TableError| quoted_fault(&fault.to_string()))?;
        let note = (file.malformed.count > 0).then(|| file.malformed.to_string());
        self.set = self.set.replaced(file.vrps, file.aspas);
        let age = SystemTime::now().duration_since(written).unwrap_or_default();
        Ok(FileRead { set: self.set.clone(), age, note })
    }
}

/// A fault in one line.
fn quoted_fault(fault: &str) -> String {
    if fault.chars().any(char::is_control) { quoted(fault) } else { fault.into() }
}
