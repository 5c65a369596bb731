//! A path: what one peer says of one prefix, and what the judge said to that.
//!
//! A rejected path is kept like any other, with its reason (RFC 9324 s3): a change of tables can then bring it back
//! without asking the peer, and explain can always answer. Sixteen octets each, because there are millions.

use std::sync::Arc;

use palisade_policy::{Reason, RovState, Verdict};

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

/// Peers that can be told apart: a path keeps the rest of the sixteen bits for the state of its origin.
pub const MOST_PEERS: u16 = 1 << PEER_BITS;
const PEER_BITS: u16 = 14;

/// One peer's path to a prefix.
#[derive(Clone, Debug)]
pub struct Path {
    attributes: Arc<AttributeSet>,
    path_id: u32,
    /// The peer in the low 14 bits, the [`RovState`] above.
    peer_and_rov: u16,
    reason: Option<Reason>,
    observed: Option<Reason>,
}

const _: () = assert!(size_of::<Path>() == 16);

impl Path {
    /// The path of a peer whose number is below [`MOST_PEERS`], with the verdict on it.
    pub fn new(attributes: Arc<AttributeSet>, peer: PeerIndex, path_id: u32, verdict: Verdict) -> Self {
        debug_assert!(peer.0 < MOST_PEERS);
        let mut path = Path { attributes, path_id, peer_and_rov: peer.0, reason: None, observed: None };
        path.set_verdict(verdict);
        path
    }

    /// Its attributes.
    pub fn attributes(&self) -> &Arc<AttributeSet> {
        &self.attributes
    }

    /// The identifier of RFC 7911, 0 where ADD-PATH is not used.
    pub fn path_id(&self) -> u32 {
        self.path_id
    }

    /// Who sent it.
    pub fn peer(&self) -> PeerIndex {
        PeerIndex(self.peer_and_rov % MOST_PEERS)
    }

    /// What the judge said of it.
    pub fn verdict(&self) -> Verdict {
        let rov = RovState::ALL[usize::from(self.peer_and_rov >> PEER_BITS)];
        Verdict { reason: self.reason, observed: self.observed, rov }
    }

    /// Whether the judge lets it take part in the decision process.
    pub fn is_accepted(&self) -> bool {
        self.reason.is_none()
    }

    /// Takes a new verdict.
    pub fn set_verdict(&mut self, verdict: Verdict) {
        self.reason = verdict.reason;
        self.observed = verdict.observed;
        self.peer_and_rov = self.peer().0 | (verdict.rov as u16) << PEER_BITS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peer_and_validation_state_share_their_sixteen_bits_and_stay_apart() {
        let attributes = Arc::new(AttributeSet::originated(std::net::IpAddr::from([0, 0, 0, 0]).into()));
        for peer in [0, 1, MOST_PEERS - 1].map(PeerIndex) {
            for rov in RovState::ALL {
                let verdict = Verdict { reason: Some(Reason::BogonAsn), observed: None, rov };
                let path = Path::new(attributes.clone(), peer, 7, verdict);
                assert_eq!((path.peer(), path.verdict()), (peer, verdict));
            }
        }
    }
}
