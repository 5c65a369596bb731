//! What a batch of one peer comes to.
//!
//! The peer's counters are shared by all shards, so a batch is summed up here and added to them once. Until it is, they do not
//! say what room its limits leave: that is taken from them as the batch begins, and used up here path by path.

use palisade_bgp::prefix::Address;

use crate::counters::Tally;
use crate::path::{Path, PeerIndex};
use crate::peer::Peers;
use crate::prefix_limits::Room;

pub(super) struct Ledger {
    tally: Tally,
    room: Room,
}

impl Ledger {
    /// Begins with the room that a peer has for paths of a family.
    pub(super) fn open<A: Address>(peer: PeerIndex, peers: &Peers) -> Self {
        Ledger { tally: Tally::default(), room: peers.room(peer, A::FAMILY) }
    }

    /// What it came to.
    pub(super) fn close(self) -> Tally {
        self.tally
    }

    /// Whether there is room for a path that is new, or said again.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.room.received > 0
    }

    /// Whether there is room for a path that is to be accepted and was not.
    #[inline]
    pub(super) fn has_room_for_accepted(&self) -> bool {
        self.room.accepted > 0
    }

    /// Counts an announcement that is not held, because there is no room.
    pub(super) fn count_dropped(&mut self) {
        self.tally.dropped += 1;
    }

    /// Counts one that is not held, because its peer has as many paths to the prefix as it may.
    pub(super) fn count_surplus(&mut self) {
        self.tally.surplus += 1;
    }

    /// Counts a path that has come.
    #[inline]
    pub(super) fn count<A: Address>(&mut self, path: &Path) {
        self.tally.count(A::FAMILY, path, 1);
        self.room.count(path.is_accepted(), 1);
    }

    /// Counts a path that has gone, and whether it was stale: then it took no room.
    #[inline]
    pub(super) fn count_left<A: Address>(&mut self, path: &Path, stale: bool) {
        self.tally.count_held(A::FAMILY, path, stale, -1);
        if !stale {
            self.room.count(path.is_accepted(), -1);
        }
    }
}
