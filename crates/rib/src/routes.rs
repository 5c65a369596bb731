//! The routes of one family in one shard: the Adj-RIBs-In of all peers, and what of them is best.

use std::collections::HashSet;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use foldhash::fast::FixedState;
use palisade_bgp::Asn;
use palisade_bgp::prefix::{Address, Net};
use palisade_policy::{Amendment, OriginSet, Reason, RovState, Snapshot, Verdict, judge_prefix};
use smallvec::SmallVec;

use crate::attribute_set::AttributeSet;
use crate::backlog::{Ranges, Round, Stretch};
use crate::counters::{Counts, Tallies, Tally};
use crate::decision::best_path;
use crate::departures::{Departures, Going};
use crate::derived::DerivedSets;
use crate::forwarding::Gateway;
use crate::group::{Change, Groups};
use crate::intake::{NetList, Section};
use crate::judgement::Stamp;
use crate::offer::{Depth, Offers, offers, same};
use crate::origin_index::OriginIndex;
use crate::path::{MOST_PATHS, Path, PeerIndex};
use crate::peer::Peers;
use crate::prefix_limits::Room;
use crate::stale::Turns;
use crate::table::{Paths, SLICE, Table};

/// The verdict on what we originate, where nobody judges it.
const OURS: Verdict =
    Verdict { reason: None, observed: None, rov: RovState::NotFound, amendment: Amendment::NONE };

/// One family's part of a shard.
#[derive(Debug)]
pub(crate) struct Routes<A: Address> {
    pub(crate) table: Table<A>,
    pub(crate) groups: Groups<A>,
    /// Changes of what is on offer that nobody was told yet.
    changes: Vec<Change<A>>,
    departures: Departures<A>,
    pub(crate) turns: Turns,
    /// What waits to be judged again, with `round` and in `origins`.
    ranges: Ranges<A>,
    round: Round<A>,
    origins: OriginIndex<A>,
    derived: DerivedSets,
    /// How many paths were judged again.
    judged_again: u64,
    /// Next hops that can't be reached, of those that were asked about.
    unreachable: HashSet<Gateway, FixedState>,
}

impl<A: Address> Default for Routes<A> {
    fn default() -> Self {
        Routes {
            table: Table::default(),
            groups: Groups::default(),
            changes: Vec::new(),
            departures: Departures::default(),
            turns: Turns::default(),
            ranges: Ranges::default(),
            round: Round::default(),
            origins: OriginIndex::default(),
            derived: DerivedSets::default(),
            judged_again: 0,
            unreachable: HashSet::default(),
        }
    }
}

impl<A: Address> Routes<A> {
    /// Applies what one peer said, in the order it said it, as far as its limits have room for it.
    pub(crate) fn apply(
        &mut self,
        peer: PeerIndex,
        section: &Section<A>,
        peers: &Peers,
        tables: &Snapshot,
    ) -> Tally {
        let room = peers.room(peer, A::FAMILY, Counts::default());
        let mut ledger = Ledger { tally: Tally::default(), room };
        for (attributes, paths) in section.runs() {
            match attributes {
                None => paths.iter().for_each(|(net, path_id)| {
                    self.withdraw(peer, *net, *path_id, peers, &mut ledger);
                }),
                Some(received) => self.announce_run(peer, received, paths, (peers, tables), &mut ledger),
            }
        }
        ledger.tally
    }

    fn announce_run(
        &mut self,
        peer: PeerIndex,
        received: &Arc<AttributeSet>,
        paths: &NetList<A>,
        (peers, tables): (&Peers, &Snapshot),
        ledger: &mut Ledger,
    ) {
        let judged_by = peers.judged_by(peer).map(|(policy, version)| {
            let stamp = Stamp::of(tables, version);
            (policy, stamp, received.judged(policy, tables, stamp))
        });
        let view = received.attributes();
        for (net, path_id) in paths {
            if ledger.room.received <= 0 && self.held(peer, *net, *path_id).is_none() {
                ledger.tally.dropped += 1;
                continue;
            }
            let (mut verdict, mut set) = (OURS, Arc::clone(received));
            if let Some((policy, stamp, path_verdict)) = judged_by {
                verdict = judge_prefix(*net, &view, path_verdict, policy, tables, &mut ());
                if ledger.room.accepted <= 0
                    && !self.held(peer, *net, *path_id).is_some_and(Path::is_accepted)
                {
                    verdict = held_back(verdict);
                }
                if !verdict.amendment.is_none() {
                    set = self.derived.of(received, (verdict.amendment, false), (policy, tables, stamp));
                }
            }
            self.announce(*net, Path::new(set, peer, *path_id, verdict), peers, ledger);
        }
    }

    /// What the table has of a peer, where it has that.
    fn held(&self, peer: PeerIndex, net: Net<A>, path_id: u32) -> Option<&Path> {
        self.table.paths(net).iter().find(|held| held.peer() == peer && held.path_id() == path_id)
    }

    fn announce(&mut self, net: Net<A>, mut path: Path, peers: &Peers, ledger: &mut Ledger) {
        let lost = &self.unreachable;
        if !lost.is_empty() {
            path.set_reachable(!lost.contains(&path.attributes().gateway()));
        }
        path.set_turn(self.turns.bit(path.peer()));
        let paths = match self.table.entry(net) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Paths::new()),
        };
        if is_excess(&path, paths) {
            ledger.tally.dropped += 1;
            return;
        }
        self.turns.came(&path);
        ledger.count::<A>(&path);
        let listed = self.origins.lists(path.peer()).then(|| (path.peer(), origin(&path)));
        let before = Before::of(paths, peers);
        let mut left = None;
        match paths.iter_mut().find(|held| held.peer() == path.peer() && held.path_id() == path.path_id()) {
            Some(held) => {
                ledger.count_left::<A>(held, self.turns.left(held));
                left = listed.and_then(|_| origin(held));
                path.keep_what_is_the_same(held);
                *held = path;
            }
            None => paths.push(path),
        }
        if let Some((peer, comes)) = listed {
            self.origins.moved(net, peer, (left, comes), paths);
        }
        reselect(net, before, paths, peers, &mut self.changes);
    }

    fn withdraw(&mut self, peer: PeerIndex, net: Net<A>, path_id: u32, peers: &Peers, ledger: &mut Ledger) {
        let Entry::Occupied(mut entry) = self.table.entry(net) else { return };
        let paths = entry.get_mut();
        let Some(at) = paths.iter().position(|held| held.peer() == peer && held.path_id() == path_id) else {
            return;
        };
        let before = Before::of(paths, peers);
        let gone = paths.swap_remove(at);
        ledger.count_left::<A>(&gone, self.turns.left(&gone));
        if self.origins.lists(peer) {
            self.origins.moved(net, peer, (origin(&gone), None), paths);
        }
        reselect(net, before, paths, peers, &mut self.changes);
        if paths.is_empty() {
            entry.remove();
        }
    }

    /// Takes the paths through a next hop into the decision process, or out of it.
    pub(crate) fn set_reachable(&mut self, gateway: Gateway, reachable: bool, peers: &Peers) {
        let news =
            if reachable { self.unreachable.remove(&gateway) } else { self.unreachable.insert(gateway) };
        if !news {
            return;
        }
        for (net, paths) in self.table.under_mut(Net::DEFAULT, None) {
            let goes_there = |path: &Path| path.attributes().gateway() == gateway;
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

    /// A peer's session has ended. Where its paths are not retained, they are removed, a slice of the table at a time; until one is,
    /// it counts as it did, because nobody was told of its loss. Retained ones are stale from now on: how many.
    pub(crate) fn lose_peer(&mut self, peer: PeerIndex, retained: bool) -> usize {
        if retained {
            return self.end_turn(peer);
        }
        self.origins.close(peer);
        self.turns.cancel(peer);
        if self.turns.held(peer) > 0 {
            self.departures.add(peer, Going::All);
        }
        0
    }

    /// Has the paths of a peer be stale until it says them again, where none is: how many there are.
    pub(crate) fn mark_stale(&mut self, peer: PeerIndex) -> usize {
        if self.turns.stale(peer) == 0 { self.end_turn(peer) } else { 0 }
    }

    /// Where paths are stale already, they are removed first.
    fn end_turn(&mut self, peer: PeerIndex) -> usize {
        match self.turns.end(peer) {
            Some(stale) => {
                self.departures.keep_stale(peer);
                stale
            }
            None => {
                self.departures.add(peer, Going::Stale);
                0
            }
        }
    }

    /// Has the stale paths of a peer removed, a slice of the table at a time.
    pub(crate) fn sweep_stale(&mut self, peer: PeerIndex) {
        // All would be stale by now if what was stale before had gone already.
        if self.turns.cancel(peer) {
            self.departures.add(peer, Going::All);
        } else if self.turns.stale(peer) > 0 {
            self.departures.add(peer, Going::Stale);
        }
    }

    /// Has the stale paths of a peer be kept as the last resort, a slice of the table at a time: those that ask not to be go, and the
    /// others are judged again, which gives them attributes that say so.
    pub(crate) fn make_long_lived(&mut self, peer: PeerIndex) {
        if self.turns.stale(peer) > 0 {
            self.turns.make_long_lived(peer);
            self.departures.add(peer, Going::ShortLived);
            self.round.add_peer(peer);
        }
    }

    /// Whether something is to be done with the paths of a peer before it may say more.
    pub(crate) fn is_removing(&self, peer: PeerIndex) -> bool {
        self.departures.removes_all_of(peer) || self.turns.is_ending(peer)
    }

    /// Lists the paths of a peer by origin, from the first on.
    pub(crate) fn list_origins(&mut self, peer: PeerIndex) {
        if self.turns.held(peer) == 0 {
            self.origins.open(peer);
        }
    }

    /// Has the paths under some prefixes judged again, a slice of the table at a time.
    pub(crate) fn judge_under(&mut self, nets: impl Iterator<Item = Net<A>>) {
        if self.ranges.extend(nets, self.table.len()).is_err() {
            self.round.add_everything();
        }
    }

    /// Has the paths judged again that an AS of these is in.
    pub(crate) fn judge_asns(&mut self, asns: &OriginSet) {
        self.round.add_asns(asns);
    }

    /// Has all paths judged again.
    pub(crate) fn judge_everything(&mut self) {
        self.round.add_everything();
    }

    /// Has all paths of a peer judged again.
    pub(crate) fn judge_peer(&mut self, peer: PeerIndex) {
        self.round.add_peer(peer);
    }

    /// Has the paths of some origins of a peer judged again.
    pub(crate) fn judge_origins(&mut self, peer: PeerIndex, origins: &OriginSet) {
        match self.origins.lists(peer) {
            true => self.origins.touch(peer, origins),
            false => self.round.add_peer(peer),
        }
    }

    /// How many paths were judged again so far.
    pub(crate) fn judged_again(&self) -> u64 {
        self.judged_again
    }

    /// Deals with the peers otherwise from now on: what is on offer of the entries that this concerns is compared, in one walk.
    pub(crate) fn change_peers(
        &mut self,
        before: &Peers,
        after: &Peers,
        concerned: impl Fn(PeerIndex) -> bool,
    ) {
        for (net, paths) in self.table.under_mut(Net::DEFAULT, None) {
            if paths.iter().any(|path| concerned(path.peer())) {
                let before = Before::Offers(offers(paths, before));
                reselect(net, before, paths, after, &mut self.changes);
            }
        }
    }

    /// Does a slice of what there is to do on the table; whether there is more.
    pub(crate) fn work(&mut self, peers: &Peers, tables: &Snapshot, tallies: &mut Tallies) -> bool {
        if !self.departures.is_empty() {
            self.remove_slice(peers, tallies);
        }
        self.judge_slice(peers, tables, tallies);
        !self.departures.is_empty()
            || !self.ranges.is_empty()
            || !self.round.is_idle()
            || !self.origins.is_idle()
    }

    fn remove_slice(&mut self, peers: &Peers, tallies: &mut Tallies) {
        match self.departures.next(&self.table, &self.turns) {
            Some(nets) => nets.into_iter().for_each(|net| self.remove_gone(net, peers, tallies)),
            None => self.departures.end_walk(),
        }
        for peer in self.departures.settle(&self.turns) {
            if self.turns.is_ending(peer) {
                tallies.of(peer).stale += self.end_turn(peer) as i64;
            }
        }
        if self.departures.is_empty() {
            self.derived.sweep();
        }
    }

    /// A round has a slice of its own, so that it gets on however many prefixes are listed.
    fn judge_slice(&mut self, peers: &Peers, tables: &Snapshot, tallies: &mut Tallies) {
        let Routes {
            table, turns, changes, ranges, round, origins, derived, unreachable, judged_again, ..
        } = self;
        let mut bench = Bench { peers, tables, turns, unreachable, derived, tallies, changes, judged_again };
        let mut left = SLICE;
        while left > 0
            && let Some((peer, nets)) = origins.next(left)
        {
            left -= nets.len().clamp(1, left);
            for net in nets {
                if let Entry::Occupied(mut entry) = table.entry(net) {
                    bench.judge(net, entry.get_mut(), |path| path.peer() == peer);
                }
            }
        }
        while left > 0
            && let Some((under, after)) = ranges.next()
        {
            let (mut seen, mut last) = (0, None);
            for (net, paths) in table.under_mut(under, after).take(left) {
                (seen, last) = (seen + 1, Some(net));
                bench.judge(net, paths, |_| true);
            }
            ranges.judged(last.filter(|_| seen == left));
            // Finding that there is nothing under a prefix takes its time too.
            left -= seen.max(1);
        }
        if let Some(Stretch { after, up_to }) = round.next() {
            let (mut seen, mut last) = (0, None);
            let ahead = table.under_mut(Net::DEFAULT, after);
            for (net, paths) in ahead.take_while(|(net, _)| up_to.is_none_or(|to| *net <= to)).take(SLICE) {
                (seen, last) = (seen + 1, Some(net));
                bench.judge(net, paths, |path| round.looks_for(path));
            }
            round.walked(last.filter(|_| seen == SLICE));
            if round.is_idle() {
                bench.derived.sweep();
            }
        }
    }

    fn remove_gone(&mut self, net: Net<A>, peers: &Peers, tallies: &mut Tallies) {
        let Entry::Occupied(mut entry) = self.table.entry(net) else { return };
        let paths = entry.get_mut();
        let before = Before::of(paths, peers);
        let Routes { departures, turns, origins, .. } = self;
        let mut unlisted = SmallVec::<[(PeerIndex, Option<Asn>); 1]>::new();
        paths.retain(|path| {
            let goes = departures.removes(path, turns);
            if goes {
                let peer = path.peer();
                tallies.of(peer).count_left(A::FAMILY, path, turns.left(path));
                unlisted.extend(origins.lists(peer).then(|| (peer, origin(path))));
            }
            !goes
        });
        unlisted.into_iter().for_each(|(peer, left)| origins.moved(net, peer, (left, None), paths));
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

/// What a batch of one peer comes to, and what room that leaves.
struct Ledger {
    tally: Tally,
    room: Room,
}

impl Ledger {
    /// Counts a path that has come.
    fn count<A: Address>(&mut self, path: &Path) {
        self.tally.count(A::FAMILY, path, 1);
        self.room.count(path.is_accepted(), 1);
    }

    /// Counts a path that has gone, and whether it was stale.
    fn count_left<A: Address>(&mut self, path: &Path, stale: bool) {
        self.tally.count_left(A::FAMILY, path, stale);
        self.room.count(path.is_accepted(), -1);
    }
}

/// What the judge accepts, and a limit does not. The attributes stay as they were received, as those of all that is refused.
fn held_back(verdict: Verdict) -> Verdict {
    match verdict.accepted() {
        true => Verdict { reason: Some(Reason::MaxAccepted), amendment: Amendment::NONE, ..verdict },
        false => verdict,
    }
}

/// Whether a path is new and its peer has as many to the prefix as it may. Stale ones, which a peer that has restarted may call
/// otherwise from now on, do not count.
#[inline]
fn is_excess(path: &Path, held: &[Path]) -> bool {
    held.len() >= MOST_PATHS && {
        let theirs = held.iter().filter(|held| held.peer() == path.peer());
        theirs.clone().filter(|held| held.turn() == path.turn()).count() >= MOST_PATHS
            && theirs.into_iter().all(|held| held.path_id() != path.path_id())
    }
}

/// The AS that originates a path, as it was received.
fn origin(path: &Path) -> Option<Asn> {
    path.received().facts().origin_as
}

/// What judging paths again needs, and what it leads to.
struct Bench<'a, A: Address> {
    peers: &'a Peers,
    tables: &'a Snapshot,
    turns: &'a Turns,
    unreachable: &'a HashSet<Gateway, FixedState>,
    derived: &'a mut DerivedSets,
    tallies: &'a mut Tallies,
    changes: &'a mut Vec<Change<A>>,
    judged_again: &'a mut u64,
}

impl<A: Address> Bench<'_, A> {
    /// Judges those paths of an entry again that are `meant`.
    fn judge(&mut self, net: Net<A>, paths: &mut Paths, meant: impl Fn(&Path) -> bool) {
        let mut before = None;
        for at in 0..paths.len() {
            if !meant(&paths[at]) {
                continue;
            }
            let Some(news) = self.news(net, &paths[at]) else { continue };
            before.get_or_insert_with(|| Before::of(paths, self.peers));
            self.take(news, &mut paths[at]);
        }
        if let Some(before) = before {
            reselect(net, before, paths, self.peers, self.changes);
        }
    }

    /// The verdict on a path, where that or what comes of it is not as before.
    fn news(&mut self, net: Net<A>, path: &Path) -> Option<(Verdict, Option<Arc<AttributeSet>>)> {
        let (policy, version) = self.peers.judged_by(path.peer())?;
        *self.judged_again += 1;
        let received = path.received();
        let stamp = Stamp::of(self.tables, version);
        let path_verdict = received.judged(policy, self.tables, stamp);
        let view = received.attributes();
        let mut verdict = judge_prefix(net, &view, path_verdict, policy, self.tables, &mut ());
        if verdict.accepted() && !path.is_accepted() && !self.has_room(path.peer()) {
            verdict = held_back(verdict);
        }
        let long_lived = self.turns.is_long_lived(path);
        let set = (path.is_amended() || !verdict.amendment.is_none() || long_lived)
            .then(|| self.derived.of(received, (verdict.amendment, long_lived), (policy, self.tables, stamp)))
            .filter(|set| !Arc::ptr_eq(set, path.attributes()));
        let Verdict { reason, observed, rov, amendment: _ } = path.verdict();
        let same = (reason, observed, rov) == (verdict.reason, verdict.observed, verdict.rov);
        (!same || set.is_some()).then_some((verdict, set))
    }

    /// Whether another path of a peer may be accepted.
    fn has_room(&self, peer: PeerIndex) -> bool {
        self.peers.room(peer, A::FAMILY, self.tallies.counts(peer)).accepted > 0
    }

    fn take(&mut self, (verdict, set): (Verdict, Option<Arc<AttributeSet>>), path: &mut Path) {
        let tally = self.tallies.of(path.peer());
        tally.count(A::FAMILY, path, -1);
        path.set_verdict(verdict);
        tally.count(A::FAMILY, path, 1);
        if let Some(set) = set {
            path.set_reachable(!self.unreachable.contains(&set.gateway()));
            path.set_attributes(set);
        }
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
