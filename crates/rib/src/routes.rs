//! The routes of one family in one shard: the Adj-RIBs-In of all peers, and what of them is best.

use std::collections::HashSet;
use std::collections::btree_map::Entry;
use std::net::IpAddr;

use foldhash::fast::FixedState;
use palisade_bgp::prefix::{Address, Net};
use palisade_policy::{RovState, Snapshot, Verdict, judge_prefix};

use crate::counters::{Tallies, Tally};
use crate::decision::best_path;
use crate::departures::Departures;
use crate::group::{Change, Groups};
use crate::intake::Section;
use crate::offer::{Depth, Offers, offers, same};
use crate::path::{Path, PeerIndex};
use crate::peer::Peers;
use crate::table::{Paths, SLICE, Table};
use crate::touched::Touched;

/// The verdict on what we originate: nobody judges it.
const OURS: Verdict = Verdict { reason: None, observed: None, rov: RovState::NotFound };

/// One family's part of a shard.
#[derive(Debug)]
pub(crate) struct Routes<A: Address> {
    pub(crate) table: Table<A>,
    pub(crate) groups: Groups<A>,
    /// Changes of what is on offer that nobody was told yet.
    changes: Vec<Change<A>>,
    departures: Departures<A>,
    touched: Touched<A>,
    /// Next hops that can't be reached, of those that were asked about.
    unreachable: HashSet<IpAddr, FixedState>,
}

impl<A: Address> Default for Routes<A> {
    fn default() -> Self {
        Routes {
            table: Table::default(),
            groups: Groups::default(),
            changes: Vec::new(),
            departures: Departures::default(),
            touched: Touched::default(),
            unreachable: HashSet::default(),
        }
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
        let before = Before::of(paths, peers);
        match paths.iter_mut().find(|held| held.peer() == path.peer() && held.path_id() == path.path_id()) {
            Some(held) => {
                tally.count(held, -1);
                *held = path;
            }
            None => paths.push(path),
        }
        reselect(net, before, paths, peers, &mut self.changes);
    }

    fn withdraw(&mut self, peer: PeerIndex, net: Net<A>, path_id: u32, peers: &Peers, tally: &mut Tally) {
        let Entry::Occupied(mut entry) = self.table.entry(net) else { return };
        let paths = entry.get_mut();
        let Some(at) = paths.iter().position(|held| held.peer() == peer && held.path_id() == path_id) else {
            return;
        };
        let before = Before::of(paths, peers);
        tally.count(&paths.swap_remove(at), -1);
        reselect(net, before, paths, peers, &mut self.changes);
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
        for (net, paths) in self.table.under_mut(Net::DEFAULT, None) {
            let goes_there = |path: &Path| path.attributes().next_hop().address() == next_hop;
            if paths.iter().any(goes_there) {
                let before = Before::of(paths, peers);
                paths
                    .iter_mut()
                    .filter(|path| goes_there(path))
                    .for_each(|path| path.set_reachable(reachable));
                reselect(net, before, paths, peers, &mut self.changes);
            }
        }
    }

    /// Has the paths of a peer whose session has ended removed, a slice of the table at a time. Until a path is, it counts
    /// as it did, because nobody was told of its loss.
    pub(crate) fn remove_peer(&mut self, peer: PeerIndex) {
        self.departures.add(peer);
    }

    /// Whether paths of a peer whose session has ended may be left.
    pub(crate) fn is_removing(&self, peer: PeerIndex) -> bool {
        self.departures.includes(peer)
    }

    /// Has the paths under some prefixes judged again, a slice of the table at a time.
    pub(crate) fn judge_again(&mut self, nets: impl Iterator<Item = Net<A>>) {
        self.touched.extend(nets, self.table.len());
    }

    /// Does a slice of what there is to do on the table; whether there is more.
    pub(crate) fn work(&mut self, peers: &Peers, tables: &Snapshot, tallies: &mut Tallies) -> bool {
        if !self.departures.is_empty() {
            self.remove_slice(peers, tallies);
        }
        self.judge_slice(peers, tables, tallies);
        !self.departures.is_empty() || !self.touched.is_empty()
    }

    fn remove_slice(&mut self, peers: &Peers, tallies: &mut Tallies) {
        match self.departures.next(&self.table) {
            Some(nets) => nets.into_iter().for_each(|net| self.remove_gone(net, peers, tallies)),
            None => self.departures.end_walk(),
        }
    }

    fn judge_slice(&mut self, peers: &Peers, tables: &Snapshot, tallies: &mut Tallies) {
        let mut left = SLICE;
        while left > 0
            && let Some((under, after)) = self.touched.next()
        {
            let (mut seen, mut last) = (0, None);
            for (net, paths) in self.table.under_mut(under, after).take(left) {
                (seen, last) = (seen + 1, Some(net));
                judge_entry(net, paths, peers, tables, tallies, &mut self.changes);
            }
            self.touched.judged(last.filter(|_| seen == left));
            // Finding that there is nothing under a prefix takes its time too.
            left -= seen.max(1);
        }
    }

    fn remove_gone(&mut self, net: Net<A>, peers: &Peers, tallies: &mut Tallies) {
        let Entry::Occupied(mut entry) = self.table.entry(net) else { return };
        let paths = entry.get_mut();
        let before = Before::of(paths, peers);
        let departures = &self.departures;
        paths.retain(|path| {
            let goes = departures.removes(path.peer());
            if goes {
                tallies.of(path.peer()).count(path, -1);
            }
            !goes
        });
        paths.shrink_to_fit();
        reselect(net, before, paths, peers, &mut self.changes);
        if paths.is_empty() {
            entry.remove();
        }
    }

    /// The changes since the last time, one a prefix; those that were undone are left out.
    pub(crate) fn take_changes(&mut self) -> Vec<Change<A>> {
        let mut changes = std::mem::take(&mut self.changes);
        // Changes are large and seldom of the same prefix: their places are sorted, and they stay where they are.
        let places = changes.iter().zip(0..).map(|(change, place): (_, u32)| (change.net, place));
        let mut places: Vec<(Net<A>, u32)> = places.collect();
        places.sort_unstable();
        for again in places.chunk_by(|one, next| one.0 == next.0).filter(|again| again.len() > 1) {
            let (first, last) = (again[0].1 as usize, again[again.len() - 1].1 as usize);
            changes[first].new = std::mem::take(&mut changes[last].new);
            for (_, later) in &again[1..] {
                let later = &mut changes[*later as usize];
                (later.old, later.new) = (Offers::new(), Offers::new());
            }
        }
        changes.retain(|change| !same(&change.old, &change.new));
        changes
    }
}

/// Judges the prefix stage of all paths of an entry again.
fn judge_entry<A: Address>(
    net: Net<A>,
    paths: &mut Paths,
    peers: &Peers,
    tables: &Snapshot,
    tallies: &mut Tallies,
    changes: &mut Vec<Change<A>>,
) {
    let mut before = None;
    for at in 0..paths.len() {
        let path = &paths[at];
        let Some(policy) = peers.policy(path.peer()) else { continue };
        let set = path.attributes();
        let verdict = judge_prefix(net, &set.attributes(), set.path_verdict(), policy, tables, &mut ());
        if verdict == path.verdict() {
            continue;
        }
        before.get_or_insert_with(|| Before::of(paths, peers));
        let path = &mut paths[at];
        let tally = tallies.of(path.peer());
        tally.count(path, -1);
        path.set_verdict(verdict);
        tally.count(path, 1);
    }
    if let Some(before) = before {
        reselect(net, before, paths, peers, changes);
    }
}

/// What was on offer before an entry was changed, in no more words than the peers that are up can ask for. Most paths of a
/// full table change nothing: then the best one was all there was to compare.
enum Before {
    Best(Option<Path>),
    Offers(Offers),
}

impl Before {
    fn of(paths: &[Path], peers: &Peers) -> Self {
        match peers.depth() {
            Depth::Best => Before::Best(eligible(paths).cloned()),
            Depth::OneEach | Depth::All => Before::Offers(offers(paths, peers)),
        }
    }

    /// What was on offer, where now it is not.
    fn changed(self, paths: &[Path], peers: &Peers) -> Option<(Offers, Offers)> {
        match self {
            Before::Best(old) => {
                let is_same = match (&old, eligible(paths)) {
                    (Some(old), Some(new)) => old.is_same(new),
                    (None, None) => true,
                    _ => false,
                };
                (!is_same).then(|| (offers(old.as_slice(), peers), offers(paths, peers)))
            }
            Before::Offers(old) => {
                let new = offers(paths, peers);
                (!same(&old, &new)).then_some((old, new))
            }
        }
    }
}

/// The best path of an entry: its first, where that is eligible.
fn eligible(paths: &[Path]) -> Option<&Path> {
    paths.first().filter(|path| path.is_eligible())
}

/// Puts the best path first and notes what is on offer now, if that has changed.
fn reselect<A: Address>(
    net: Net<A>,
    before: Before,
    paths: &mut Paths,
    peers: &Peers,
    changes: &mut Vec<Change<A>>,
) {
    if let Some(at) = best_path(paths, |peer| peers.ranking(peer)) {
        paths.swap(0, at);
    }
    if let Some((old, new)) = before.changed(paths, peers) {
        changes.push(Change { net, old, new });
    }
}
