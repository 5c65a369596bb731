//! A session over IPv4 and one over IPv6 come up, opened by GoBGP and then by us, and each carries a route of its family each
//! way, with path and next hop as they must be.

use crate::claims;
use crate::gobgp::originate;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::sessions(lab, |lab| {
        originate(lab.peer(), "193.0.2.0/24", "");
        originate(lab.peer(), "2a00:2::/32", "");
    });
}
