//! Judging again what the table holds, in place, when what it was judged by has changed: nobody is asked for a route refresh.
//!
//! A change lists what it touches in the one of three places that finds it with the least work, and a slice of each is reviewed
//! between what peers say:
//!
//! ```text
//!   VRPs, route objects, bogons --> ranges:  all that lies under prefixes   \
//!   members of an as-set        --> origins: a peer's paths of some ASes     }--> Review --> changes, tallies
//!   ASPAs, rules, a policy      --> round:   a walk of the whole table      /
//! ```
//!
//! Everything is judged by the newest tables, whichever change had it listed. Only what comes out otherwise than before is
//! written, counted and ranked.

use std::collections::HashSet;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use foldhash::fast::FixedState;
use palisade_bgp::prefix::{Address, Net};
use palisade_policy::{OriginSet, Snapshot, Verdict, judge_prefix};

use super::Routes;
use crate::attribute_set::AttributeSet;
use crate::backlog::{Ranges, Round, Stretch};
use crate::changes::{Before, Changes};
use crate::counters::Tallies;
use crate::derived::DerivedSets;
use crate::forwarding::Gateway;
use crate::judgement::Stamp;
use crate::origin_index::OriginIndex;
use crate::path::{Path, PeerIndex};
use crate::peer::Peers;
use crate::prefix_limits::held_back;
use crate::stale::Turns;
use crate::table::{Paths, SLICE, Table};

/// What waits to be judged again.
impl<A: Address> Routes<A> {
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

    /// Whether nothing waits.
    pub(super) fn is_reviewed(&self) -> bool {
        self.ranges.is_empty() && self.round.is_idle() && self.origins.is_idle()
    }

    /// A round has a slice of its own, so that it gets on however many prefixes are listed.
    pub(super) fn review_slice(&mut self, peers: &Peers, tables: &Snapshot, tallies: &mut Tallies) {
        let Routes {
            table, turns, changes, ranges, round, origins, derived, unreachable, judged_again, ..
        } = self;
        let mut review =
            Review { peers, tables, turns, unreachable, derived, tallies, changes, judged_again };
        let left = review.origins(origins, table, SLICE);
        review.ranges(ranges, table, left);
        review.round(round, table, SLICE);
    }
}

/// What judging paths again needs, and what it leads to.
struct Review<'a, A: Address> {
    peers: &'a Peers,
    tables: &'a Snapshot,
    turns: &'a mut Turns,
    unreachable: &'a HashSet<Gateway, FixedState>,
    derived: &'a mut DerivedSets,
    tallies: &'a mut Tallies,
    changes: &'a mut Changes<A>,
    judged_again: &'a mut u64,
}

impl<A: Address> Review<'_, A> {
    /// Goes on with the listed origins, for no more than `left` prefixes: how many of those are left.
    fn origins(&mut self, origins: &mut OriginIndex<A>, table: &mut Table<A>, mut left: usize) -> usize {
        while left > 0
            && let Some((peer, nets)) = origins.next(left)
        {
            left -= nets.len().clamp(1, left);
            for net in nets {
                if let Entry::Occupied(mut entry) = table.entry(net) {
                    self.entry(net, entry.get_mut(), |path| path.peer() == peer);
                }
            }
        }
        left
    }

    /// Goes on with the listed prefixes and what lies under them.
    fn ranges(&mut self, ranges: &mut Ranges<A>, table: &mut Table<A>, mut left: usize) {
        while left > 0
            && let Some((under, after)) = ranges.next()
        {
            let (mut seen, mut last) = (0, None);
            for (net, paths) in table.under_mut(under, after).take(left) {
                (seen, last) = (seen + 1, Some(net));
                self.entry(net, paths, |_| true);
            }
            ranges.judged(last.filter(|_| seen == left));
            // Finding that there is nothing under a prefix takes its time too.
            left -= seen.max(1);
        }
    }

    /// Goes on with the walk round the table.
    fn round(&mut self, round: &mut Round<A>, table: &mut Table<A>, most: usize) {
        let Some(Stretch { after, up_to }) = round.next() else { return };
        let (mut seen, mut last) = (0, None);
        let ahead = table.under_mut(Net::DEFAULT, after);
        for (net, paths) in ahead.take_while(|(net, _)| up_to.is_none_or(|to| *net <= to)).take(most) {
            (seen, last) = (seen + 1, Some(net));
            self.entry(net, paths, |path| round.looks_for(path));
        }
        round.walked(last.filter(|_| seen == most));
        if round.is_idle() {
            self.derived.sweep();
        }
    }

    /// Judges those paths of an entry again that are `meant`.
    fn entry(&mut self, net: Net<A>, paths: &mut Paths, meant: impl Fn(&Path) -> bool) {
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
            self.changes.reselect(net, before, paths, self.peers);
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
        if verdict.accepted() && !path.is_accepted() && !self.has_room(path) {
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

    /// Whether a path may be accepted that was not, beside the others of its peer that are stale like it, or like it are not.
    fn has_room(&self, path: &Path) -> bool {
        let (peer, stale) = (path.peer(), self.turns.is_stale(path));
        self.peers.room_among(peer, A::FAMILY, stale, self.tallies.counts(peer, stale)).accepted > 0
    }

    fn take(&mut self, (verdict, set): (Verdict, Option<Arc<AttributeSet>>), path: &mut Path) {
        let tally = self.tallies.of(path.peer());
        let stale = self.turns.is_stale(path);
        tally.count_held(A::FAMILY, path, stale, -1);
        let was_accepted = path.is_accepted();
        path.set_verdict(verdict);
        tally.count_held(A::FAMILY, path, stale, 1);
        self.turns.judged(path, was_accepted);
        if let Some(set) = set {
            path.set_reachable(!self.unreachable.contains(&set.gateway()));
            path.set_attributes(set);
        }
    }
}
