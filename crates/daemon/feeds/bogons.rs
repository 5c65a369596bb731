//! Lists of bogons: read, put together with what is built in, and read again when they change.
//!
//! A list that can't be read, lists nothing or is something else changes nothing: the last good one holds, and its status
//! says why. So does one that has shrunk to less than half, for a day: a download that broke off is no news.

use std::io::BufReader;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use palisade_bgp::{Asn, Prefix};
use palisade_policy::{BogonList, BogonListError, Bogons, Malformed};
use tokio::sync::{mpsc, oneshot, watch};
use tracing::warn;

use super::guard::{Guard, GuardSettings, Ruling};
use super::watch::{Change, Watch};
use crate::config::BogonFiles;
use crate::input::{Input, InputError};

/// How far a list may change by itself. It may grow as it likes: that refuses, and lets nothing in.
const GUARD: GuardSettings = GuardSettings {
    shrink_percent: 50,
    grow_percent: u32::MAX,
    floor: 10,
    hold_for: Duration::from_secs(86_400),
};

/// Octets unpacked at a time.
const CHUNK: usize = 128 * 1024;

/// Why a list is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BogonFileError {
    /// It can't be opened.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It can't be read on, which says which file it is; or it is no list.
    #[error(transparent)]
    List(#[from] BogonListError),
}

impl BogonFileError {
    /// What to do about it.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            BogonFileError::Input(InputError::Missing { .. }) => {
                "a relative name is one in the configuration's folder; `check --no-files` does without files"
            }
            BogonFileError::List(BogonListError::NotBogons(_)) => {
                "it should have a prefix, or a range of AS numbers, a line"
            }
            BogonFileError::Input(_) | BogonFileError::List(_) => "fetch it again",
        }
    }
}

/// What the lists came to, and how each does.
#[derive(Clone, Debug, Default)]
pub(crate) struct BogonsState {
    /// What nobody can announce.
    pub(crate) bogons: Arc<Bogons>,
    /// Every list: those of prefixes, and then that of AS numbers.
    pub(crate) lists: Vec<BogonListStatus>,
}

/// How a list does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BogonListStatus {
    /// The file.
    pub(crate) name: String,
    /// How many entries it has.
    pub(crate) entries: usize,
    /// When it was last written to; `None` where it was never read.
    pub(crate) since: Option<SystemTime>,
    /// Why it is not what the file is now.
    pub(crate) fault: Option<String>,
}

/// The lists that a configuration names, with what was last good of each.
#[derive(Debug)]
pub(crate) struct BogonLists {
    lists: Vec<List>,
    extend: bool,
}

#[derive(Debug)]
struct List {
    path: PathBuf,
    kind: Kind,
    entries: Entries,
    status: BogonListStatus,
    guard: Guard,
    /// What the guard holds, and when it was written.
    held: Option<(Entries, Option<SystemTime>)>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Prefixes,
    Asns,
}

#[derive(Debug)]
enum Entries {
    Prefixes(Vec<Prefix>),
    Asns(Vec<RangeInclusive<Asn>>),
}

/// A file that was read: its entries, and what was left out.
type ReadList = Result<(Entries, Malformed), BogonFileError>;

impl BogonLists {
    /// Reads all files. What came of each stands beside its name, in the order of [`BogonsState::lists`].
    pub(crate) fn read(files: &BogonFiles) -> (BogonLists, Vec<Result<Malformed, BogonFileError>>) {
        let prefixes = files.prefixes.iter().map(|file| (file.get_ref(), Kind::Prefixes));
        let asns = files.asns.iter().map(|file| (file.get_ref(), Kind::Asns));
        let mut lists: Vec<List> = prefixes.chain(asns).map(|(path, kind)| List::new(path, kind)).collect();
        let outcomes = lists.iter_mut().map(|list| {
            let (entries, malformed) = read(&list.path, list.kind)?;
            list.take(entries, written(&list.path), Instant::now());
            Ok(malformed)
        });
        let outcomes = outcomes.collect();
        (BogonLists { lists, extend: files.extend }, outcomes)
    }

    /// What they come to.
    pub(crate) fn state(&self) -> BogonsState {
        let (mut prefixes, mut asns) = (Vec::new(), Vec::new());
        for list in &self.lists {
            match &list.entries {
                Entries::Prefixes(some) => prefixes.extend(some.iter().copied()),
                Entries::Asns(some) => asns.extend(some.iter().cloned()),
            }
        }
        // A list that was never read does not take the place of what is built in.
        if self.extend || prefixes.is_empty() {
            prefixes.extend(Bogons::builtin_prefixes());
        }
        if self.extend || asns.is_empty() {
            asns.extend(Bogons::builtin_asns());
        }
        let lists = self.lists.iter().map(|list| list.status.clone()).collect();
        BogonsState { bogons: Arc::new(Bogons::new(prefixes, asns)), lists }
    }

    /// Reads files that changed. Whether any of it counts.
    async fn read_again(&mut self, changes: Vec<Change>) -> bool {
        let mut news = false;
        for Change { index, path, written } in changes {
            let Some(kind) = self.lists.get(index).map(|list| list.kind) else { continue };
            let Ok(read) = tokio::task::spawn_blocking(move || read(&path, kind)).await else { continue };
            news |= self.renew(index, read, written, Instant::now());
        }
        news
    }

    /// A file was read again at `now`. Whether it counts.
    fn renew(&mut self, index: usize, read: ReadList, written: Option<SystemTime>, now: Instant) -> bool {
        let Some(list) = self.lists.get_mut(index) else { return false };
        match read {
            Ok((entries, _)) => list.take(entries, written, now),
            Err(error) => {
                list.fail(error.to_string());
                false
            }
        }
    }

    /// Somebody has looked at what is held of a list. Whether something was.
    fn confirm(&mut self, name: &str, now: Instant) -> bool {
        let named = self.lists.iter_mut().filter(|list| list.status.name == name);
        named.fold(false, |news, list| list.confirm(now) | news)
    }

    /// Whether any list that was held counts now.
    fn release(&mut self, now: Instant) -> bool {
        self.lists.iter_mut().fold(false, |news, list| list.release(now) | news)
    }
}

impl List {
    fn new(path: &Path, kind: Kind) -> Self {
        let entries = match kind {
            Kind::Prefixes => Entries::Prefixes(Vec::new()),
            Kind::Asns => Entries::Asns(Vec::new()),
        };
        let status = BogonListStatus { name: path.display().to_string(), ..BogonListStatus::default() };
        List { path: path.into(), kind, entries, status, guard: Guard::new(Some(GUARD)), held: None }
    }

    /// Entries are there. Whether they count.
    fn take(&mut self, entries: Entries, written: Option<SystemTime>, now: Instant) -> bool {
        if self.guard.offer(now, entries.len()) == Ruling::Hold {
            let (before, after) = (self.entries.len(), entries.len());
            self.fail(format!(
                "it has shrunk from {before} to {after} entries, which count in a day or when confirmed"
            ));
            self.held = Some((entries, written));
            return false;
        }
        self.count(entries, written);
        true
    }

    /// Whether entries that were held count now, because it is time.
    fn release(&mut self, now: Instant) -> bool {
        self.guard.release(now) && self.count_held()
    }

    /// The same, because somebody says so.
    fn confirm(&mut self, now: Instant) -> bool {
        self.guard.confirm(now) && self.count_held()
    }

    fn count_held(&mut self) -> bool {
        let held = self.held.take();
        held.map(|(entries, written)| self.count(entries, written)).is_some()
    }

    fn count(&mut self, entries: Entries, written: Option<SystemTime>) {
        self.held = None;
        self.status.entries = entries.len();
        self.status.since = written;
        self.status.fault = None;
        self.entries = entries;
    }

    fn fail(&mut self, fault: String) {
        if self.status.fault.as_ref() != Some(&fault) {
            warn!(list = self.status.name, "bogons stay as they were: {fault}");
        }
        self.status.fault = Some(fault);
    }
}

impl Entries {
    fn len(&self) -> usize {
        match self {
            Entries::Prefixes(list) => list.len(),
            Entries::Asns(list) => list.len(),
        }
    }
}

/// Reads a file, however it is compressed.
fn read(path: &Path, kind: Kind) -> ReadList {
    let input = BufReader::with_capacity(CHUNK, Input::open(path)?);
    Ok(match kind {
        Kind::Prefixes => {
            let list = BogonList::<Prefix>::read(input)?;
            (Entries::Prefixes(list.entries), list.malformed)
        }
        Kind::Asns => {
            let list = BogonList::<RangeInclusive<Asn>>::read(input)?;
            (Entries::Asns(list.entries), list.malformed)
        }
    })
}

fn written(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}

/// Lists that are watched until this is dropped.
#[derive(Debug)]
pub(crate) struct BogonsFeed {
    /// What they come to.
    pub(crate) state: watch::Receiver<BogonsState>,
    confirmed: mpsc::Sender<(String, oneshot::Sender<bool>)>,
}

/// Words of operators that may wait.
const WAITING: usize = 4;

impl BogonsFeed {
    /// Begins to watch. Needs a runtime.
    pub(crate) fn start(lists: BogonLists) -> Self {
        let (tell, state) = watch::channel(lists.state());
        let (confirmed, confirms) = mpsc::channel(WAITING);
        tokio::spawn(run(lists, tell, confirms));
        BogonsFeed { state, confirmed }
    }

    /// What is held of the list of that name shall count. Whether there was such a list, and something held.
    pub(crate) async fn confirm(&self, name: &str) -> bool {
        let (answer, answered) = oneshot::channel();
        let _ = self.confirmed.send((name.to_owned(), answer)).await;
        answered.await.unwrap_or(false)
    }
}

async fn run(
    mut lists: BogonLists,
    tell: watch::Sender<BogonsState>,
    mut confirms: mpsc::Receiver<(String, oneshot::Sender<bool>)>,
) {
    let mut files = Watch::new(lists.lists.iter().map(|list| list.path.clone()));
    loop {
        let due = lists.lists.iter().filter_map(|list| list.guard.due()).min();
        let news = tokio::select! {
            changes = files.changed() => lists.read_again(changes).await,
            () = until(due) => lists.release(Instant::now()),
            confirm = confirms.recv() => match confirm {
                Some((name, answer)) => {
                    let news = lists.confirm(&name, Instant::now());
                    // Who asked may have gone.
                    let _ = answer.send(news);
                    news
                }
                None => return,
            },
        };
        let state = lists.state();
        tell.send_if_modified(|said| {
            let told = news || said.lists != state.lists;
            // The same bogons stay the same `Arc`, so that a look at the pointer shows that nothing is to be done.
            let bogons = if news { state.bogons } else { Arc::clone(&said.bogons) };
            *said = BogonsState { bogons, lists: state.lists };
            told
        });
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use toml::Spanned;

    use super::*;

    fn files(prefixes: &[&Path], asns: Option<&Path>, extend: bool) -> BogonFiles {
        let named = |path: &Path| Spanned::new(0..0, path.to_path_buf());
        BogonFiles {
            prefixes: prefixes.iter().map(|path| named(path)).collect(),
            asns: asns.map(named),
            extend,
        }
    }

    fn covers(state: &BogonsState, text: &str) -> bool {
        match text.parse().unwrap() {
            Prefix::V4(net) => state.bogons.covers(net),
            Prefix::V6(net) => state.bogons.covers(net),
        }
    }

    fn numbered(count: usize) -> String {
        (0..count).map(|at| format!("11.{}.{}.0/24\n", at / 256, at % 256)).collect()
    }

    #[test]
    fn a_list_takes_the_place_of_what_is_built_in_or_stands_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let (v4, v6, asns) =
            (folder.path().join("v4.txt"), folder.path().join("v6.txt"), folder.path().join("asns.txt"));
        fs::write(&v4, "# bogons\n11.0.0.0/8\n").unwrap();
        fs::write(&v6, "2a00::/12\nnonsense\n").unwrap();
        fs::write(&asns, "AS1-AS9\n").unwrap();
        let read = |prefixes: &[&Path], asns, extend| BogonLists::read(&files(prefixes, asns, extend));

        let (lists, outcomes) = read(&[&v4, &v6], None, false);
        let state = lists.state();
        assert!(
            covers(&state, "11.1.0.0/16") && covers(&state, "2a00::/16") && !covers(&state, "10.0.0.0/8")
        );
        assert!(state.bogons.has_asn(Asn(64512)), "of AS numbers nothing was said");
        assert_eq!(outcomes.iter().map(|one| one.as_ref().unwrap().count).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(state.lists.iter().map(|list| list.entries).collect::<Vec<_>>(), [1, 1]);

        let state = read(&[&v4], Some(&asns), true).0.state();
        assert!(covers(&state, "11.1.0.0/16") && covers(&state, "10.0.0.0/8"));
        assert!(state.bogons.has_asn(Asn(5)) && state.bogons.has_asn(Asn(64512)));

        let state = read(&[], Some(&asns), false).0.state();
        assert!(
            covers(&state, "10.0.0.0/8") && !state.bogons.has_asn(Asn(64512)) && state.bogons.has_asn(Asn(9))
        );
    }

    #[test]
    fn a_list_that_shrinks_to_less_than_half_counts_after_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v4.txt");
        fs::write(&path, numbered(100)).unwrap();
        let (mut lists, _) = BogonLists::read(&files(&[&path], None, false));
        let mut offer = |count: usize, now| {
            fs::write(&path, numbered(count)).unwrap();
            let news = lists.renew(0, read(&path, Kind::Prefixes), None, now);
            (news, lists.state().lists[0].clone())
        };
        let now = Instant::now();
        let (news, status) = offer(49, now);
        assert!(!news && status.entries == 100);
        assert_eq!(
            status.fault.unwrap(),
            "it has shrunk from 100 to 49 entries, which count in a day or when confirmed"
        );
        let (news, status) = offer(50, now);
        assert!(news && status.entries == 50 && status.fault.is_none());
        assert!(!offer(20, now).0);
        assert!(!lists.release(now + GUARD.hold_for / 2));
        assert!(lists.release(now + GUARD.hold_for) && lists.state().lists[0].entries == 20);
        assert!(!lists.release(now + GUARD.hold_for), "once");

        let name = path.display().to_string();
        assert!(!lists.confirm(&name, now), "nothing is held");
        fs::write(&path, numbered(1)).unwrap();
        assert!(!lists.renew(0, read(&path, Kind::Prefixes), None, now));
        assert!(!lists.confirm("another", now) && lists.confirm(&name, now));
        assert_eq!(lists.state().lists[0].entries, 1);
    }

    #[tokio::test]
    async fn lists_are_watched_and_one_that_breaks_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v4.txt");
        fs::write(&path, "11.0.0.0/8\n").unwrap();
        let (lists, _) = BogonLists::read(&files(&[&path], None, false));
        let mut feed = BogonsFeed::start(lists);
        fs::write(&path, "11.0.0.0/8\n12.0.0.0/8\n").unwrap();
        let state = feed.state.wait_for(|state| state.lists[0].entries == 2).await.unwrap().clone();
        assert!(covers(&state, "12.0.0.0/8"));
        for broken in ["", "<html>\n<body>\n"] {
            fs::write(&path, broken).unwrap();
            let failed = |state: &BogonsState| state.lists[0].fault.is_some();
            let after = feed.state.wait_for(failed).await.unwrap().clone();
            assert!(Arc::ptr_eq(&after.bogons, &state.bogons), "{broken:?}");
        }
        fs::remove_file(&path).unwrap();
        let missing = |state: &BogonsState| {
            state.lists[0].fault.as_ref().is_some_and(|fault| fault.contains("there is no such file"))
        };
        feed.state.wait_for(missing).await.unwrap();
    }
}
