//! All sources of RPKI data, what counts of each, and the tables that this comes to.
//!
//! A machine without I/O or a clock: news and the time go in, tables, states and wishes come out.
//!
//! ```text
//!   a file was read ------> Files  --\
//!   a cache has told -----> Caches ---+--> Union --> RpkiTables
//!   exceptions were read -> SLURM  --/
//! ```

use std::path::PathBuf;
use std::time::Instant;

use toml::Spanned;
use tracing::{info, warn};

use super::caches::Caches;
use super::files::{FileNews, Files};
use super::status::SourceStatus;
use super::union::{RpkiTables, Union};
use crate::config::{Rpki, SizeGuard};
use crate::feeds::guard::GuardSettings;
use crate::feeds::rtr::Heard;
use crate::feeds::slurm::Slurm;
use crate::feeds::source_state::SourceState;

/// The sources and what they come to.
#[derive(Debug)]
pub(super) struct Ledger {
    files: Files,
    caches: Caches,
    exceptions: Exceptions,
    union: Union,
    /// When nobody waits any longer for what has not come.
    deadline: Instant,
    is_ready: bool,
    /// How each source stood last, in the order of `status`.
    states: Vec<(SourceState, Instant)>,
}

/// The files of SLURM, which hold together or not at all.
#[derive(Debug)]
struct Exceptions {
    paths: Vec<PathBuf>,
    /// Whether what they said once holds.
    is_read: bool,
    /// How many filters and assertions each has.
    entries: Vec<usize>,
    fault: Option<String>,
}

/// What came of reading the files of SLURM: how many entries each has, and what they say together.
pub(super) type SlurmNews = Result<(Vec<usize>, Slurm), String>;

impl Ledger {
    /// Nothing is known yet.
    pub(super) fn new(config: &Rpki, now: Instant) -> Self {
        let paths = |list: &[Spanned<PathBuf>]| list.iter().map(|path| path.get_ref().clone()).collect();
        let guard = config.guard.map(guard_settings);
        let mut ledger = Ledger {
            files: Files::new(paths(&config.files), guard, config.max_age, config.on_expire),
            caches: Caches::new(&config.rtr, guard, config.on_expire),
            exceptions: Exceptions {
                paths: paths(&config.slurm),
                is_read: false,
                entries: Vec::new(),
                fault: None,
            },
            union: Union::default(),
            deadline: now + config.wait,
            is_ready: false,
            states: Vec::new(),
        };
        ledger.settle(now);
        ledger
    }

    /// A file was read, or could not be.
    pub(super) fn file(&mut self, now: Instant, index: usize, news: FileNews) {
        self.files.read(now, index, news);
        self.settle(now);
    }

    /// A cache's task has heard something.
    pub(super) fn cache(&mut self, now: Instant, index: usize, heard: Heard) {
        self.caches.heard(now, index, heard);
        self.settle(now);
    }

    /// The exceptions were read, or could not be.
    pub(super) fn slurm(&mut self, now: Instant, news: SlurmNews) {
        match news {
            Ok((entries, slurm)) => {
                (self.exceptions.is_read, self.exceptions.entries, self.exceptions.fault) =
                    (true, entries, None);
                self.union.except(slurm);
            }
            Err(fault) => self.exceptions.fault = Some(fault),
        }
        self.settle(now);
    }

    /// An operator has looked at what is held of the source called so: whether anything was.
    pub(super) fn confirm(&mut self, now: Instant, name: &str) -> bool {
        let of_cache = self.caches.has(name) && self.caches.confirm(now);
        let confirmed = self.files.confirm(now, name) || of_cache;
        self.settle(now);
        confirmed
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: Instant) {
        self.files.tick(now);
        self.caches.tick(now);
        self.settle(now);
    }

    /// When [`Ledger::tick`] is wanted.
    pub(super) fn next_timeout(&self, now: Instant) -> Option<Instant> {
        let deadline = (!self.is_ready).then_some(self.deadline);
        let sources = self.files.next_timeout(now).into_iter().chain(self.caches.next_timeout(now));
        sources.chain(deadline).min()
    }

    /// What announcements are judged by.
    pub(super) fn tables(&self) -> &RpkiTables {
        self.union.tables()
    }

    /// Whether every source has had its first set, or there was no more time to wait for it.
    pub(super) fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// Which caches are to be connected to.
    pub(super) fn wanted(&self) -> Vec<bool> {
        self.caches.wanted()
    }

    /// How it stands with each source.
    pub(super) fn status(&self, now: Instant) -> Vec<SourceStatus> {
        let mut status = self.current(now);
        for (source, (_, since)) in status.iter_mut().zip(&self.states) {
            source.state_for_s = now.saturating_duration_since(*since).as_secs();
        }
        status
    }

    fn current(&self, now: Instant) -> Vec<SourceStatus> {
        self.caches
            .status(now)
            .into_iter()
            .chain(self.files.status(now))
            .chain(self.exceptions.status())
            .collect()
    }

    fn settle(&mut self, now: Instant) {
        let sources = self.files.accepted().chain([self.caches.accepted()]).collect();
        self.union.update(sources);
        self.ready(now);
        self.note_states(now);
    }

    fn ready(&mut self, now: Instant) {
        let caches = self.caches.is_empty() || self.caches.accepted().is_some();
        let slurm = self.exceptions.paths.is_empty() || self.exceptions.is_read;
        let complete = caches && slurm && self.files.accepted().all(|set| set.is_some());
        if !self.is_ready && !complete && self.deadline <= now {
            warn!("RPKI: not all sources have told their data in time; routes are judged without it");
        }
        self.is_ready |= complete || self.deadline <= now;
    }

    /// Says in the log what stands otherwise than before.
    fn note_states(&mut self, now: Instant) {
        let status = self.current(now);
        self.states.resize(status.len(), (SourceState::Connecting, now));
        for (source, (state, since)) in status.iter().zip(&mut self.states) {
            if source.state != *state {
                (*state, *since) = (source.state, now);
                tell(source);
            }
        }
    }
}

fn tell(source: &SourceStatus) {
    let SourceStatus { kind, name, state, vrps, aspas, .. } = source;
    let (state, error) = (state.slug(), source.error.as_deref().unwrap_or_default());
    if let Some(held) = &source.held {
        let (held_vrps, held_aspas) = (held.vrps, held.aspas);
        warn!(
            kind,
            name,
            ?held_vrps,
            ?held_aspas,
            "RPKI: a change of this size is held until it is confirmed"
        );
    } else if source.state.is_alarming() {
        warn!(kind, name, state, error, "RPKI: a source needs attention");
    } else {
        info!(kind, name, state, vrps, aspas, "RPKI: a source");
    }
}

impl Exceptions {
    fn status(&self) -> impl Iterator<Item = SourceStatus> {
        let state = match &self.fault {
            Some(_) => SourceState::Failing,
            None if self.is_read => SourceState::Fresh,
            None => SourceState::Connecting,
        };
        self.paths.iter().enumerate().map(move |(index, path)| SourceStatus {
            kind: "slurm",
            name: path.display().to_string(),
            state,
            state_for_s: 0,
            counts: self.is_read,
            error: self.fault.clone(),
            note: None,
            vrps: self.entries.get(index).copied().unwrap_or_default(),
            aspas: 0,
            age_s: None,
            next_try_s: None,
            rtr: None,
            held: None,
        })
    }
}

fn guard_settings(guard: SizeGuard) -> GuardSettings {
    GuardSettings {
        shrink_percent: guard.shrink_percent,
        grow_percent: guard.grow_percent,
        floor: guard.floor as usize,
        hold_for: guard.hold,
    }
}
