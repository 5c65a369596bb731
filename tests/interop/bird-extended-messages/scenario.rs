//! A route with 400 large communities, which no message of 4,096 octets holds, comes from BIRD through us, and one comes to
//! it, with every one of them.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::extended_messages(lab, "bird.conf", |number| {
        format!("bgp_large_community.add((1, 0, {number}));")
    });
}
