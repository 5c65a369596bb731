//! A path: what one peer says of one prefix, and what the judge said to that.
//!
//! A rejected path is kept like any other, with its reason (RFC 9324 s3): a change of tables can then bring it back
//! without asking the peer, and explain can always answer. Sixteen octets each, because there are millions.

use std::sync::Arc;

use palisade_bgp::Asn;
use palisade_policy::{Amendment, Reason, RovState, Verdict};

use crate::attribute_set::AttributeSet;

/// A peer's number in this process. 0 is the router itself, the source of what it originates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerIndex(pub u16);

impl PeerIndex {
    /// The router itself.
    pub const LOCAL: PeerIndex = PeerIndex(0);

    /// For arrays with a place a peer.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Paths of one peer to one prefix that are held (RFC 7911 sets no bound): what a peer with ADD-PATH says past that is refused, so
/// that no peer can make a prefix slow for the others.
pub const MOST_PATHS: usize = 16;
/// Peers that can be told apart: a path keeps the rest of their sixteen bits for other things.
pub const MOST_PEERS: u16 = 1 << 13;
/// Set where the next hop can't be reached.
const UNREACHABLE: u16 = 1 << 13;
/// Above this is the [`RovState`].
const ROV_SHIFT: u16 = 14;
/// Set where its attributes are not those that were received: who need not know looks no further. No reason's code has it.
const AMENDED: u8 = 1 << 7;
/// The turn of its peer in which it was announced (`stale.rs`), beside the reason. No reason's code has it either.
const TURN: u8 = 1 << 7;

const _: () = assert!(Reason::CODES <= AMENDED as usize && Reason::CODES <= TURN as usize);

/// One peer's path to a prefix.
#[derive(Clone, Debug)]
pub struct Path {
    attributes: Arc<AttributeSet>,
    path_id: u32,
    /// The peer's number, [`UNREACHABLE`], and the [`RovState`].
    packed: u16,
    /// [`Reason::code`], 0 where there is none, and [`TURN`].
    reason: u8,
    /// The same, and [`AMENDED`].
    observed: u8,
}

const _: () = assert!(size_of::<Path>() == 16);

impl Path {
    /// The path of a peer whose number is below [`MOST_PEERS`], with the verdict on it.
    pub fn new(attributes: Arc<AttributeSet>, peer: PeerIndex, path_id: u32, verdict: Verdict) -> Self {
        debug_assert!(peer.0 < MOST_PEERS);
        let amended = if attributes.is_derived() { AMENDED } else { 0 };
        let mut path = Path { attributes, path_id, packed: peer.0, reason: 0, observed: amended };
        path.set_verdict(verdict);
        path
    }

    /// Its attributes as they were received, which is what is judged.
    #[inline]
    pub fn received(&self) -> &Arc<AttributeSet> {
        if self.is_amended() { self.attributes.received() } else { &self.attributes }
    }

    /// Whether import has changed its attributes.
    #[inline]
    pub fn is_amended(&self) -> bool {
        self.observed & AMENDED != 0
    }

    /// Gives it other attributes that are made of the same received ones.
    pub(crate) fn set_attributes(&mut self, attributes: Arc<AttributeSet>) {
        let amended = if attributes.is_derived() { AMENDED } else { 0 };
        self.observed = self.observed & !AMENDED | amended;
        self.attributes = attributes;
    }

    /// Takes the attributes of the path in whose place it comes, where they say the same: what a peer says again after its session was lost is
    /// no news to anybody.
    pub(crate) fn keep_what_is_the_same(&mut self, held: &Path) {
        let same = |one: &Arc<AttributeSet>, other: &Arc<AttributeSet>| one.says_the_same(other);
        if !Arc::ptr_eq(&self.attributes, &held.attributes)
            && same(&self.attributes, &held.attributes)
            && same(self.received(), held.received())
            && self.attributes.amendment() == held.attributes.amendment()
        {
            self.set_attributes(Arc::clone(&held.attributes));
        }
    }

    /// Its attributes, as import left them: what is ranked, shown and sent on.
    pub fn attributes(&self) -> &Arc<AttributeSet> {
        &self.attributes
    }

    /// The identifier that its peer gave it (RFC 7911), 0 where ADD-PATH is not used.
    pub fn path_id(&self) -> u32 {
        self.path_id
    }

    /// Whether it is the one that a peer gave this identifier: no other path to its prefix is.
    #[inline]
    pub(crate) fn is_of(&self, peer: PeerIndex, path_id: u32) -> bool {
        self.peer() == peer && self.path_id == path_id
    }

    /// The AS that originates it, as it was received.
    pub(crate) fn origin_as(&self) -> Option<Asn> {
        self.received().facts().origin_as
    }

    /// Whether it is of the same peer, with the same attributes: not only equal ones.
    pub fn is_same(&self, other: &Path) -> bool {
        self.peer() == other.peer() && Arc::ptr_eq(&self.attributes, &other.attributes)
    }

    /// Who sent it.
    pub fn peer(&self) -> PeerIndex {
        PeerIndex(self.packed % MOST_PEERS)
    }

    /// What the judge said of it, and what came of the amendment.
    pub fn verdict(&self) -> Verdict {
        let rov = RovState::ALL[usize::from(self.packed >> ROV_SHIFT)];
        let (reason, observed) =
            (Reason::from_code(self.reason & !TURN), Reason::from_code(self.observed & !AMENDED));
        let amendment = if self.is_amended() { self.attributes.amendment() } else { Amendment::NONE };
        Verdict { reason, observed, rov, amendment }
    }

    /// Whether it is accepted, be its next hop where it may.
    pub fn is_accepted(&self) -> bool {
        self.reason & !TURN == 0
    }

    /// Whether it takes part in the decision process: the judge accepts it, and its next hop can be reached (RFC 4271
    /// s9.1.2).
    pub fn is_eligible(&self) -> bool {
        self.is_accepted() && self.packed & UNREACHABLE == 0
    }

    /// In which turn of its peer it was announced.
    #[inline]
    pub(crate) fn turn(&self) -> bool {
        self.reason & TURN != 0
    }

    pub(crate) fn set_turn(&mut self, turn: bool) {
        self.reason = self.reason & !TURN | if turn { TURN } else { 0 };
    }

    /// Notes whether its next hop can be reached.
    pub fn set_reachable(&mut self, reachable: bool) {
        self.packed = self.packed & !UNREACHABLE | if reachable { 0 } else { UNREACHABLE };
    }

    /// Takes a new verdict. What it amends is not its business: that is in the attributes.
    pub fn set_verdict(&mut self, verdict: Verdict) {
        self.reason = self.reason & TURN | verdict.reason.map_or(0, Reason::code);
        self.observed = self.observed & AMENDED | verdict.observed.map_or(0, Reason::code);
        let low = self.packed % (1 << ROV_SHIFT);
        self.packed = low | (verdict.rov as u16) << ROV_SHIFT;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shares_the_bits_of_a_path_stays_apart() {
        let attributes = Arc::new(AttributeSet::originated(std::net::IpAddr::from([0, 0, 0, 0]).into()));
        for peer in [0, 1, MOST_PEERS - 1].map(PeerIndex) {
            for rov in RovState::ALL {
                let verdict = Verdict {
                    reason: Some(Reason::BogonAsn),
                    observed: None,
                    rov,
                    amendment: Amendment::NONE,
                };
                let mut path = Path::new(attributes.clone(), peer, 7, Verdict { reason: None, ..verdict });
                for reachable in [false, true] {
                    path.set_reachable(reachable);
                    assert_eq!(path.is_eligible(), reachable);
                }
                path.set_reachable(false);
                for turn in [true, false] {
                    path.set_turn(turn);
                    path.set_verdict(Verdict { reason: None, ..verdict });
                    path.set_reachable(true);
                    assert!(path.is_eligible());
                    path.set_reachable(false);
                    assert!(path.is_accepted());
                    path.set_verdict(verdict);
                    assert!(!path.is_accepted());
                    let found = (path.peer(), path.verdict(), path.is_eligible(), path.turn());
                    assert_eq!(found, (peer, verdict, false, turn));
                }
            }
        }
    }
}
