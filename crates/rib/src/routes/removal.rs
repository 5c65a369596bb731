//! Paths that go though their peer has not withdrawn them: because its session has ended, or because it has not said them again
//! in time.
//!
//! Which paths are stale is told by the [turns](crate::stale), and [departures](crate::departures) find those that are to go.
//! What a session does to its paths is put in terms of both here; shards call it as [`Retention`](crate::Retention) orders.
//!
//! ```text
//!   session lost ---+--> all go
//!                   '--> retained: the turn ends, all are stale (RFC 4724 s4.2)
//!   refresh begins ----> the turn ends too (RFC 7313 s4)  |
//!                                                         +--> said again: fresh
//!                                                         +--> end of table, time is up: what is stale goes
//!                                                         '--> long-lived: kept as the last resort (RFC 9494 s4.2)
//! ```

use std::collections::btree_map::Entry;

use palisade_bgp::Asn;
use palisade_bgp::prefix::{Address, Net};
use smallvec::SmallVec;

use super::Routes;
use crate::changes::Before;
use crate::counters::{Counts, Tallies, Tally};
use crate::departures::Going;
use crate::path::PeerIndex;
use crate::peer::Peers;
use crate::stale::Ended;

/// What becomes of a peer's paths.
impl<A: Address> Routes<A> {
    /// A peer's session has ended. Where its paths are not retained, they are removed, a slice of the table at a time; until one is,
    /// it counts as it did, because nobody was told of its loss. Retained ones are stale from now on: how many.
    pub(crate) fn lose_peer(&mut self, peer: PeerIndex, retained: bool) -> Tally {
        if retained {
            return self.end_turn(peer);
        }
        self.origins.close(peer);
        self.turns.cancel(peer);
        if self.turns.held(peer) > 0 {
            self.departures.add(peer, Going::All);
        }
        Tally::default()
    }

    /// Has the paths of a peer be stale until it says them again, where none is: how many there are.
    pub(crate) fn mark_stale(&mut self, peer: PeerIndex) -> Tally {
        if self.turns.stale(peer) == 0 { self.end_turn(peer) } else { Tally::default() }
    }

    /// Where paths are stale already, they are removed first.
    fn end_turn(&mut self, peer: PeerIndex) -> Tally {
        let mut stale = Counts::default();
        match self.turns.end(peer) {
            Some(Ended { held, accepted }) => {
                self.departures.keep_stale(peer);
                stale.received[A::FAMILY.index()] = held as i64;
                stale.accepted[A::FAMILY.index()] = accepted as i64;
            }
            None => self.departures.add(peer, Going::Stale),
        }
        Tally { stale, ..Tally::default() }
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
}

/// The walk that removes them.
impl<A: Address> Routes<A> {
    pub(super) fn remove_slice(&mut self, peers: &Peers, tallies: &mut Tallies) {
        match self.departures.next(&self.table, &self.turns) {
            Some(nets) => nets.into_iter().for_each(|net| self.remove_gone(net, peers, tallies)),
            None => self.departures.end_walk(),
        }
        for peer in self.departures.settle(&self.turns) {
            if self.turns.is_ending(peer) {
                tallies.of(peer).add(&self.end_turn(peer));
            }
        }
        if self.departures.is_empty() {
            self.derived.sweep();
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
                tallies.of(peer).count_held(A::FAMILY, path, turns.left(path), -1);
                unlisted.extend(origins.lists(peer).then(|| (peer, path.origin_as())));
            }
            !goes
        });
        unlisted.into_iter().for_each(|(peer, left)| origins.moved(net, peer, (left, None), paths));
        paths.shrink_to_fit();
        self.changes.reselect(net, before, paths, peers);
        if paths.is_empty() {
            entry.remove();
        }
    }
}
