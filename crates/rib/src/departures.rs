//! Paths that are being removed: all of peers whose sessions have ended, and the stale ones of peers that have said all
//! they have (RFC 4724 s4.2, RFC 7313 s4).
//!
//! A walk of the whole table finds them, a slice at a time between what other peers say, so that the loss of a full table
//! keeps nobody waiting. Peers that go together are removed in one walk; one that goes while a walk is under way waits for
//! the next. A walk ends where it has found all that it was for.

use std::collections::BTreeMap;

use palisade_bgp::attributes::Community;
use palisade_bgp::prefix::{Address, Net};

use crate::path::{Path, PeerIndex};
use crate::stale::Turns;
use crate::table::{SLICE, Table};

/// Which of a peer's paths go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Going {
    /// Of those that it has not said in this turn, the ones that ask not to be kept for long (NO_LLGR, RFC 9494 s4.2).
    ShortLived,
    /// Those that it has not said in this turn.
    Stale,
    /// All of them.
    All,
}

/// Whose go, and how far the walk has come.
#[derive(Debug)]
pub(crate) struct Departures<A: Address> {
    leaving: BTreeMap<PeerIndex, Going>,
    walked: Option<Net<A>>,
    /// Those that the next walk removes.
    waiting: BTreeMap<PeerIndex, Going>,
}

impl<A: Address> Default for Departures<A> {
    fn default() -> Self {
        Departures { leaving: BTreeMap::new(), walked: None, waiting: BTreeMap::new() }
    }
}

impl<A: Address> Departures<A> {
    /// Has paths of a peer removed. None becomes stale behind a walk that is removing those.
    pub(crate) fn add(&mut self, peer: PeerIndex, going: Going) {
        if going == Going::Stale && self.leaving.get(&peer) >= Some(&Going::Stale) {
            return;
        }
        let walk = if self.walked.is_none() { &mut self.leaving } else { &mut self.waiting };
        let goes = walk.entry(peer).or_insert(going);
        *goes = going.max(*goes);
    }

    /// Has the stale paths of a peer stay after all.
    pub(crate) fn keep_stale(&mut self, peer: PeerIndex) {
        for walk in [&mut self.leaving, &mut self.waiting] {
            if walk.get(&peer) <= Some(&Going::Stale) {
                walk.remove(&peer);
            }
        }
    }

    /// Whether all paths of a peer go.
    pub(crate) fn removes_all_of(&self, peer: PeerIndex) -> bool {
        [&self.leaving, &self.waiting].into_iter().any(|walk| walk.get(&peer) == Some(&Going::All))
    }

    /// Whether there is no peer whose paths may be left.
    pub(crate) fn is_empty(&self) -> bool {
        self.leaving.is_empty() && self.waiting.is_empty()
    }

    /// Whether the walk under way removes a path.
    #[inline]
    pub(crate) fn removes(&self, path: &Path, turns: &Turns) -> bool {
        self.leaving.get(&path.peer()).is_some_and(|going| match going {
            Going::All => true,
            Going::Stale => turns.is_stale(path),
            Going::ShortLived => turns.is_stale(path) && asks_to_go(path),
        })
    }

    /// The next prefixes of the walk that have such paths; `None` at the end of the table.
    pub(crate) fn next(&mut self, table: &Table<A>, turns: &Turns) -> Option<Vec<Net<A>>> {
        let (mut found, mut last) = (Vec::new(), None);
        for (net, paths) in table.iter_after(self.walked).take(SLICE) {
            last = Some(net);
            if paths.iter().any(|path| self.removes(path, turns)) {
                found.push(net);
            }
        }
        self.walked = last;
        last.map(|_| found)
    }

    /// Takes those out of the walk that have nothing left to remove, and ends it with the last of them.
    pub(crate) fn settle(&mut self, turns: &Turns) -> Vec<PeerIndex> {
        let is_done = |peer: PeerIndex, going: Going| match going {
            Going::All => turns.held(peer) == 0,
            Going::Stale | Going::ShortLived => turns.stale(peer) == 0,
        };
        let mut done = Vec::new();
        self.leaving.retain(|peer, going| {
            let is_done = is_done(*peer, *going);
            if is_done {
                done.push(*peer);
            }
            !is_done
        });
        if self.leaving.is_empty() {
            self.end_walk();
        }
        done
    }

    /// Ends a walk that has come to the end of the table.
    pub(crate) fn end_walk(&mut self) {
        self.leaving = std::mem::take(&mut self.waiting);
        self.walked = None;
    }
}

fn asks_to_go(path: &Path) -> bool {
    path.received().attributes().communities().any(|one| one == Community::NO_LLGR)
}
