//! A route with 400 large communities, which no message of 4,096 octets holds, comes from a neighbour of the other end through
//! both, and one of ours to the other end, with every one of them.

use crate::claims;
use crate::lab::Lab;
use crate::support::wire::LARGE_COMMUNITY;
use crate::witness::{PEER, Witness};

pub(crate) fn tell(lab: &mut Lab) {
    claims::long_routes(lab, |_| {
        let mut theirs = Witness::join_at(PEER, 10);
        theirs.announce("193.0.2.0/24", &[], &[(0xc0, LARGE_COMMUNITY, claims::many())]);
        theirs
    });
}
