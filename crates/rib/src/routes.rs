//! The routes of one family in one shard: the Adj-RIBs-In of all peers, and what of them is best.

use std::collections::HashSet;
use std::collections::btree_map::Entry;
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::fast::FixedState;
use palisade_bgp::prefix::{Address, Net};
use palisade_policy::{RovState, Snapshot, Source, Verdict, judge_prefix};

use crate::counters::Tally;
use crate::decision::{best_path, local_preference};
use crate::export::{Best, same};
use crate::group::{Change, Groups};
use crate::intake::Section;
use crate::path::{Path, PeerIndex};
use crate::peer::Peers;
use crate::table::{Paths, Table};

/// The LOCAL_PREF that internal peers are told of what we originate; ahead of all others here alone.
const INTERNAL_LOCAL_PREFERENCE: u32 = 100;

/// The verdict on what we originate: nobody judges it.
const OURS: Verdict = Verdict { reason: None, observed: None, rov: RovState::NotFound };

/// One family's part of a shard.
#[derive(Debug)]
pub(crate) struct Routes<A: Address> {
    pub(crate) table: Table<A>,
    pub(crate) groups: Groups<A>,
    /// Changes of best paths that nobody was told yet.
    pub(crate) changes: Vec<Change<A>>,
    /// Next hops that can't be reached, of those that were asked about.
    unreachable: HashSet<IpAddr, FixedState>,
}

impl<A: Address> Default for Routes<A> {
    fn default() -> Self {
        let unreachable = HashSet::default();
        Routes { table: Table::default(), groups: Groups::default(), changes: Vec::new(), unreachable }
    }
}

impl<A: Address> Routes<A> {
    /// Applies what one peer said, in the order it said it.
    pub(crate) fn apply(
        &mut self,
        peer: PeerIndex,
        section: &Section<A>,
        peers: &Peers,
        tables: &Snapshot,
    ) -> Tally {
        let mut tally = Tally::default();
        for (attributes, paths) in section.runs() {
            match attributes {
                None => paths.iter().for_each(|(net, path_id)| {
                    self.withdraw(peer, *net, *path_id, peers, &mut tally);
                }),
                Some(set) => {
                    let view = set.attributes();
                    for (net, path_id) in paths {
                        let verdict = peers.policy(peer).map_or(OURS, |policy| {
                            judge_prefix(*net, &view, set.path_verdict(), policy, tables, &mut ())
                        });
                        let path = Path::new(set.clone(), peer, *path_id, verdict);
                        self.announce(*net, path, peers, &mut tally);
                    }
                }
            }
        }
        tally
    }

    fn announce(&mut self, net: Net<A>, mut path: Path, peers: &Peers, tally: &mut Tally) {
        let lost = &self.unreachable;
        if !lost.is_empty() {
            path.set_reachable(!lost.contains(&path.attributes().next_hop().address()));
        }
        tally.count(&path, 1);
        let paths = match self.table.entry(net) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Paths::new()),
        };
        let old = best(paths, peers);
        match paths.iter_mut().find(|held| held.peer() == path.peer() && held.path_id() == path.path_id()) {
            Some(held) => {
                tally.count(held, -1);
                *held = path;
            }
            None => paths.push(path),
        }
        reselect(net, old, paths, peers, &mut self.changes);
    }

    fn withdraw(&mut self, peer: PeerIndex, net: Net<A>, path_id: u32, peers: &Peers, tally: &mut Tally) {
        let Entry::Occupied(mut entry) = self.table.entry(net) else { return };
        let paths = entry.get_mut();
        let Some(at) = paths.iter().position(|held| held.peer() == peer && held.path_id() == path_id) else {
            return;
        };
        let old = best(paths, peers);
        tally.count(&paths.swap_remove(at), -1);
        reselect(net, old, paths, peers, &mut self.changes);
        if paths.is_empty() {
            entry.remove();
        }
    }

    /// Takes the paths through a next hop into the decision process, or out of it.
    pub(crate) fn set_reachable(&mut self, next_hop: IpAddr, reachable: bool, peers: &Peers) {
        let news =
            if reachable { self.unreachable.remove(&next_hop) } else { self.unreachable.insert(next_hop) };
        if !news {
            return;
        }
        for (net, paths) in self.table.under_mut(Net::DEFAULT) {
            let goes_there = |path: &Path| path.attributes().next_hop().address() == next_hop;
            if paths.iter().any(goes_there) {
                let old = best(paths, peers);
                paths
                    .iter_mut()
                    .filter(|path| goes_there(path))
                    .for_each(|path| path.set_reachable(reachable));
                reselect(net, old, paths, peers, &mut self.changes);
            }
        }
    }

    /// Removes all paths of a peer whose session has ended.
    pub(crate) fn withdraw_all(&mut self, peer: PeerIndex, peers: &Peers) -> Tally {
        let mut tally = Tally::default();
        let changes = &mut self.changes;
        self.table.retain(|net, paths| {
            if paths.iter().any(|path| path.peer() == peer) {
                let old = best(paths, peers);
                paths.retain(|path| {
                    let goes = path.peer() == peer;
                    if goes {
                        tally.count(path, -1);
                    }
                    !goes
                });
                paths.shrink_to_fit();
                reselect(net, old, paths, peers, changes);
            }
            !paths.is_empty()
        });
        tally
    }

    /// Judges the prefix stage of all paths under `net` again; what changed is added to the tallies by peer.
    pub(crate) fn judge_again(
        &mut self,
        net: Net<A>,
        peers: &Peers,
        tables: &Snapshot,
        mut count: impl FnMut(&Path, i64),
    ) {
        for (net, paths) in self.table.under_mut(net) {
            let old = best(paths, peers);
            for path in paths.iter_mut() {
                let Some(policy) = peers.policy(path.peer()) else { continue };
                let set = path.attributes();
                let verdict =
                    judge_prefix(net, &set.attributes(), set.path_verdict(), policy, tables, &mut ());
                if verdict != path.verdict() {
                    count(path, -1);
                    path.set_verdict(verdict);
                    count(path, 1);
                }
            }
            reselect(net, old, paths, peers, &mut self.changes);
        }
    }

    /// The changes since the last time, one a prefix, in order; those that were undone are left out.
    pub(crate) fn take_changes(&mut self) -> Vec<Change<A>> {
        let mut changes = std::mem::take(&mut self.changes);
        changes.sort_by_key(|change| change.net);
        changes.dedup_by(|later, kept| {
            let again = later.net == kept.net;
            if again {
                kept.new = later.new.take();
            }
            again
        });
        changes.retain(|change| !same(&change.old, &change.new));
        changes
    }
}

/// The best path of an entry: its first, where that is eligible.
pub(crate) fn best(paths: &[Path], peers: &Peers) -> Option<Best> {
    let path = paths.first().filter(|path| path.is_eligible())?;
    let peer = path.peer();
    let source = peers.source(peer)?;
    let local_preference = match source {
        Source::Local => INTERNAL_LOCAL_PREFERENCE,
        Source::Peer(_) => local_preference(path, peers.ranking(peer)),
    };
    Some(Best { attributes: Arc::clone(path.attributes()), local_preference, peer, source })
}

/// Puts the best path first and notes the change, if it is one.
fn reselect<A: Address>(
    net: Net<A>,
    old: Option<Best>,
    paths: &mut Paths,
    peers: &Peers,
    changes: &mut Vec<Change<A>>,
) {
    if let Some(at) = best_path(paths, |peer| peers.ranking(peer)) {
        paths.swap(0, at);
    }
    let new = best(paths, peers);
    if !same(&old, &new) {
        changes.push(Change { net, old, new });
    }
}
