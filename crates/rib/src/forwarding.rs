//! What a router does with the packets that a best path is for.

use std::net::IpAddr;

use palisade_bgp::prefix::Address;
use palisade_policy::{Role, Source};

use crate::group::Change;
use crate::offer::Best;
use crate::path::PeerIndex;

/// An address to send packets to, and the index of the link that it is on where it is link-local: the same address may be in
/// use on every link (RFC 4007 s6). 0 stands for a link that the address tells, or that nobody knows.
pub type Gateway = (IpAddr, u32);

/// What becomes of the packets to a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwarding {
    /// They are sent on.
    To(Gateway),
    /// They are dropped.
    Discard,
}

/// What a FIB has to do for a change's prefix; `None` for nothing, also where the router originates it itself.
pub fn forwarding<A: Address>(change: &Change<A>) -> Option<Forwarding> {
    let best = &change.new.first()?.best;
    if best.peer == PeerIndex::LOCAL {
        None
    } else if discards(best) {
        Some(Forwarding::Discard)
    } else {
        Some(Forwarding::To(best.attributes.gateway()))
    }
}

/// Whether a path's BLACKHOLE is for us to honour (RFC 7999 s3.3): a customer asks it for its own prefix, or another router of our
/// AS has found that one does. Whoever else says it has no agreement with us, and an exchange has a next hop for it
/// (s3.1). A next hop that import rules have given the path counts for more.
fn discards(best: &Best) -> bool {
    best.blackhole
        && matches!(best.source, Source::Peer(Role::Customer | Role::Internal))
        && best.attributes.keeps_next_hop()
}
