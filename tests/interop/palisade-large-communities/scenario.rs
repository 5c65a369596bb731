//! Large communities whose parts are as large as parts can be come from a neighbour of the other end through both octet by
//! octet, and from one of ours to the other end likewise.

use crate::claims;
use crate::lab::Lab;
use crate::support::wire::{LARGE_COMMUNITY, octets};
use crate::witness::{PEER, Witness};

pub(crate) fn tell(lab: &mut Lab) {
    claims::large_communities(lab, |_| {
        let mut theirs = Witness::join_at(PEER, 10);
        let communities = octets(claims::THEIR_COMMUNITIES.as_flattened());
        theirs.announce("193.0.2.0/24", &[], &[(0xc0, LARGE_COMMUNITY, communities)]);
        theirs
    });
}
