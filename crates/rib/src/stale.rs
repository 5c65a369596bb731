//! Which paths a peer has not said again since it was to say all of them anew: after its session went down and is to come back (RFC
//! 4724 s4.2), or while it sends its table once more (RFC 7313 s4).
//!
//! Nothing is walked to mark them. A path carries one bit, the *turn* of its peer in which it was announced; when the peer's turn
//! ends, the bit that its paths are compared with is the other one, and all that are held are stale at once. What the peer
//! announces from then on is of the new turn.
//!
//! ```text
//!   turn      0 0 0 0 0 | ends: 1 1 1 1     stale: those with 0
//!   announced     a b c           b         fresh: b; stale: a, c, until they are swept
//! ```
//!
//! One bit tells two turns apart, so a turn that ends while paths of the one before are left waits until those have been
//! swept. RFC 4724 s4.2 asks for just that where a peer restarts twice: what was stale before goes. They are counted as they
//! go, so that a sweep ends with the last of them, and none is made where there are none.

use crate::path::{Path, PeerIndex};

/// The turns of all peers, of one family.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    peers: Vec<Turn>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    /// What paths of this turn carry.
    bit: bool,
    /// Whether it ends as soon as the stale paths are gone.
    ends: bool,
    /// Whether the stale paths are kept for longer than a restart takes (RFC 9494).
    long_lived: bool,
    /// Paths of the peer, stale or not.
    held: usize,
    stale: usize,
    /// Those that are accepted and not stale.
    accepted: usize,
}

/// What has become stale with the end of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// All that are held.
    pub(crate) held: usize,
    /// Those of them that are accepted.
    pub(crate) accepted: usize,
}

impl Turns {
    /// What a path that a peer announces now is to carry.
    pub(crate) fn bit(&self, peer: PeerIndex) -> bool {
        self.of(peer).bit
    }

    /// Whether its peer has not said it in this turn.
    #[inline]
    pub(crate) fn is_stale(&self, path: &Path) -> bool {
        path.turn() != self.of(path.peer()).bit
    }

    /// Whether it is kept though its peer has been away for longer than a restart takes.
    #[inline]
    pub(crate) fn is_long_lived(&self, path: &Path) -> bool {
        self.of(path.peer()).long_lived && self.is_stale(path)
    }

    /// Has the stale paths of a peer be long-lived.
    pub(crate) fn make_long_lived(&mut self, peer: PeerIndex) {
        self.of_mut(peer).long_lived = true;
    }

    /// How many paths of a peer there are.
    pub(crate) fn held(&self, peer: PeerIndex) -> usize {
        self.of(peer).held
    }

    /// How many of them are stale.
    pub(crate) fn stale(&self, peer: PeerIndex) -> usize {
        self.of(peer).stale
    }

    /// Whether a peer's turn is to end and has not yet, because stale paths are left.
    pub(crate) fn is_ending(&self, peer: PeerIndex) -> bool {
        self.of(peer).ends
    }

    /// Notes a path that has come into the table.
    pub(crate) fn came(&mut self, path: &Path) {
        debug_assert!(!self.is_stale(path), "what comes is of this turn");
        let turn = self.of_mut(path.peer());
        turn.held += 1;
        turn.accepted += usize::from(path.is_accepted());
    }

    /// Notes that a path was judged again, which may have been accepted before.
    pub(crate) fn judged(&mut self, path: &Path, was_accepted: bool) {
        if !self.is_stale(path) {
            let turn = self.of_mut(path.peer());
            debug_assert!(turn.accepted > 0 || !was_accepted, "what was accepted was counted");
            turn.accepted = turn.accepted - usize::from(was_accepted) + usize::from(path.is_accepted());
        }
    }

    /// Notes a path that has gone from the table; whether it was stale.
    pub(crate) fn left(&mut self, path: &Path) -> bool {
        let stale = self.is_stale(path);
        let turn = self.of_mut(path.peer());
        debug_assert!(turn.held > 0 && (turn.stale > 0 || !stale), "what goes was counted");
        turn.held -= 1;
        turn.stale -= usize::from(stale);
        turn.accepted -= usize::from(!stale && path.is_accepted());
        stale
    }

    /// Ends a peer's turn, where that can be now: which paths are stale then. Otherwise it [ends](Self::is_ending) when this is
    /// called again after the last stale path has gone.
    pub(crate) fn end(&mut self, peer: PeerIndex) -> Option<Ended> {
        let turn = self.of_mut(peer);
        turn.ends = turn.stale > 0;
        if turn.ends {
            return None;
        }
        turn.bit = !turn.bit;
        turn.stale = turn.held;
        turn.long_lived = false;
        Some(Ended { held: turn.held, accepted: std::mem::take(&mut turn.accepted) })
    }

    /// Has a turn that was to end not end: whether there was one.
    pub(crate) fn cancel(&mut self, peer: PeerIndex) -> bool {
        std::mem::take(&mut self.of_mut(peer).ends)
    }

    fn of(&self, peer: PeerIndex) -> Turn {
        self.peers.get(peer.index()).copied().unwrap_or_default()
    }

    fn of_mut(&mut self, peer: PeerIndex) -> &mut Turn {
        if self.peers.len() <= peer.index() {
            self.peers.resize(peer.index() + 1, Turn::default());
        }
        &mut self.peers[peer.index()]
    }
}
