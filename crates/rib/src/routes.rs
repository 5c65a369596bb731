//! The routes of one family in one shard: the Adj-RIBs-In of all peers, and what of them is best.
//!
//! ```text
//!   Section of a batch --> apply ----.                                            .--> FIB
//!   tables, policies ----> review ----+--> entries of the table --> Changes --take-+
//!   sessions lost -------> removal --'     best path first                        '--> update groups
//! ```
//!
//! The [shard](crate::shard) calls it: `apply` with each batch, `work` for a slice of what waits, `take_changes` before it
//! publishes. What a peer says is dealt with here, on the path that a full table takes; it is judged, put in its place, counted
//! and ranked. What happens to paths without their peer saying anything is in files of its own: [`review`] judges them again,
//! [`removal`] lets them go. Each changes an entry in the same steps, which [`Before`] begins and
//! [`Changes::reselect`] ends.
//!
//! Every path stays, with the verdict on it, whatever that is (RFC 9324); only those that are accepted and whose next hop can be
//! reached are ranked (RFC 4271 s9.1.2).

mod ledger;
mod removal;
mod review;

use std::collections::HashSet;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use foldhash::fast::FixedState;
use palisade_bgp::prefix::{Address, Net};
use palisade_policy::{Amendment, RovState, Snapshot, Verdict, judge_prefix};

use crate::attribute_set::AttributeSet;
use crate::backlog::{Ranges, Round};
use crate::changes::{Before, Changes};
use crate::counters::{Tallies, Tally};
use crate::departures::Departures;
use crate::derived::DerivedSets;
use crate::forwarding::Gateway;
use crate::group::{Change, Groups};
use crate::intake::{NetList, Section};
use crate::judgement::Stamp;
use crate::offer::offers;
use crate::origin_index::OriginIndex;
use crate::path::{MOST_PATHS, Path, PeerIndex};
use crate::peer::Peers;
use crate::prefix_limits::held_back;
use crate::stale::Turns;
use crate::table::{Paths, Table};
use ledger::Ledger;

/// The verdict on what we originate, where nobody judges it.
const OURS: Verdict =
    Verdict { reason: None, observed: None, rov: RovState::NotFound, amendment: Amendment::NONE };

/// One family's part of a shard.
#[derive(Debug)]
pub(crate) struct Routes<A: Address> {
    pub(crate) table: Table<A>,
    pub(crate) groups: Groups<A>,
    changes: Changes<A>,
    departures: Departures<A>,
    pub(crate) turns: Turns,
    /// What waits to be judged again, with `round` and in `origins` (`review`).
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
            changes: Changes::default(),
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

/// What a peer says.
impl<A: Address> Routes<A> {
    /// Applies what one peer said, in the order it said it, as far as its limits have room for it.
    pub(crate) fn apply(
        &mut self,
        peer: PeerIndex,
        section: &Section<A>,
        peers: &Peers,
        tables: &Snapshot,
    ) -> Tally {
        let mut ledger = Ledger::open::<A>(peer, peers);
        for (attributes, paths) in section.runs() {
            match attributes {
                None => paths.iter().for_each(|(net, path_id)| {
                    self.withdraw(peer, *net, *path_id, peers, &mut ledger);
                }),
                Some(received) => self.announce_run(peer, received, paths, (peers, tables), &mut ledger),
            }
        }
        ledger.close()
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
            if !ledger.has_room() && self.said(peer, *net, *path_id).is_none() {
                ledger.count_dropped();
                continue;
            }
            let (mut verdict, mut set) = (OURS, Arc::clone(received));
            if let Some((policy, stamp, path_verdict)) = judged_by {
                verdict = judge_prefix(*net, &view, path_verdict, policy, tables, &mut ());
                if !ledger.has_room_for_accepted()
                    && !self.said(peer, *net, *path_id).is_some_and(Path::is_accepted)
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

    /// A path that a peer has said, where the table has that; not one that it has yet to say again, which takes none of its room.
    fn said(&self, peer: PeerIndex, net: Net<A>, path_id: u32) -> Option<&Path> {
        let mut paths = self.table.paths(net).iter();
        paths.find(|held| held.is_of(peer, path_id)).filter(|held| !self.turns.is_stale(held))
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
        if is_surplus(&path, paths) {
            ledger.count_surplus();
            return;
        }
        self.turns.came(&path);
        ledger.count::<A>(&path);
        let listed = self.origins.lists(path.peer()).then(|| (path.peer(), path.origin_as()));
        let before = Before::of(paths, peers);
        let mut left = None;
        match paths.iter_mut().find(|held| held.is_of(path.peer(), path.path_id())) {
            Some(held) => {
                ledger.count_left::<A>(held, self.turns.left(held));
                left = listed.and_then(|_| held.origin_as());
                path.keep_what_is_the_same(held);
                *held = path;
            }
            None => paths.push(path),
        }
        if let Some((peer, comes)) = listed {
            self.origins.moved(net, peer, (left, comes), paths);
        }
        self.changes.reselect(net, before, paths, peers);
    }

    fn withdraw(&mut self, peer: PeerIndex, net: Net<A>, path_id: u32, peers: &Peers, ledger: &mut Ledger) {
        let Entry::Occupied(mut entry) = self.table.entry(net) else { return };
        let paths = entry.get_mut();
        let Some(at) = paths.iter().position(|held| held.is_of(peer, path_id)) else {
            return;
        };
        let before = Before::of(paths, peers);
        let gone = paths.swap_remove(at);
        ledger.count_left::<A>(&gone, self.turns.left(&gone));
        if self.origins.lists(peer) {
            self.origins.moved(net, peer, (gone.origin_as(), None), paths);
        }
        self.changes.reselect(net, before, paths, peers);
        if paths.is_empty() {
            entry.remove();
        }
    }
}

/// What changes without a peer saying anything.
impl<A: Address> Routes<A> {
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
                self.changes.reselect(net, before, paths, peers);
            }
        }
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
                self.changes.reselect(net, before, paths, after);
            }
        }
    }

    /// Does a slice of what there is to do on the table; whether there is more.
    pub(crate) fn work(&mut self, peers: &Peers, tables: &Snapshot, tallies: &mut Tallies) -> bool {
        if !self.departures.is_empty() {
            self.remove_slice(peers, tallies);
        }
        self.review_slice(peers, tables, tallies);
        !self.departures.is_empty() || !self.is_reviewed()
    }

    /// The changes since the last time, one a prefix; those that were undone are left out.
    pub(crate) fn take_changes(&mut self) -> Vec<Change<A>> {
        self.changes.take()
    }
}

/// Whether a path is new and its peer has as many to the prefix as it may. Stale ones, which a peer that has restarted may call
/// otherwise from now on, do not count.
#[inline]
fn is_surplus(path: &Path, held: &[Path]) -> bool {
    held.len() >= MOST_PATHS && {
        let theirs = held.iter().filter(|held| held.peer() == path.peer());
        theirs.clone().filter(|held| held.turn() == path.turn()).count() >= MOST_PATHS
            && theirs.into_iter().all(|held| held.path_id() != path.path_id())
    }
}
