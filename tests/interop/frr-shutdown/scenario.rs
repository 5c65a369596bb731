//! What our operator says at a shutdown comes to FRRouting, and what its operator says comes to us.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::shutdown_of_ours(lab, "show bgp neighbors 192.0.2.1 json");
    claims::shutdown_of_theirs(
        lab,
        "conf t\nrouter bgp 196702\nneighbor 192.0.2.1 shutdown message back in 20 minutes",
        "back in 20 minutes",
    );
}
