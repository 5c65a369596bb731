//! Peers whose sessions have ended and whose paths are being removed.
//!
//! A walk of the whole table finds them, a slice at a time between what other peers say, so that the loss of a full table
//! keeps nobody waiting. Peers that go together are removed in one walk; one that goes while a walk is under way waits for
//! the next.

use std::collections::BTreeSet;

use palisade_bgp::prefix::{Address, Net};

use crate::path::PeerIndex;
use crate::table::{SLICE, Table};

/// Who has gone, and how far the walk has come.
#[derive(Debug)]
pub(crate) struct Departures<A: Address> {
    leaving: BTreeSet<PeerIndex>,
    walked: Option<Net<A>>,
    /// Those that the next walk removes.
    waiting: BTreeSet<PeerIndex>,
}

impl<A: Address> Default for Departures<A> {
    fn default() -> Self {
        Departures { leaving: BTreeSet::new(), walked: None, waiting: BTreeSet::new() }
    }
}

impl<A: Address> Departures<A> {
    /// Has a peer's paths removed.
    pub(crate) fn add(&mut self, peer: PeerIndex) {
        let walk = if self.walked.is_none() { &mut self.leaving } else { &mut self.waiting };
        walk.insert(peer);
    }

    /// Whether there is no peer whose paths may be left.
    pub(crate) fn is_empty(&self) -> bool {
        self.leaving.is_empty()
    }

    /// Whether paths of a peer may be left.
    pub(crate) fn includes(&self, peer: PeerIndex) -> bool {
        self.leaving.contains(&peer) || self.waiting.contains(&peer)
    }

    /// Whether the walk under way removes a peer's paths.
    pub(crate) fn removes(&self, peer: PeerIndex) -> bool {
        self.leaving.contains(&peer)
    }

    /// The next prefixes of the walk that have such paths; `None` at the end of the table.
    pub(crate) fn next(&mut self, table: &Table<A>) -> Option<Vec<Net<A>>> {
        let (mut found, mut last) = (Vec::new(), None);
        for (net, paths) in table.iter_after(self.walked).take(SLICE) {
            last = Some(net);
            if paths.iter().any(|path| self.removes(path.peer())) {
                found.push(net);
            }
        }
        self.walked = last;
        last.map(|_| found)
    }

    /// Ends a walk that has come to the end of the table.
    pub(crate) fn end_walk(&mut self) {
        self.leaving = std::mem::take(&mut self.waiting);
        self.walked = None;
    }
}
