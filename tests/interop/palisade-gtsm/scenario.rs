//! With an end whose packets could have come from farther away there is no connection, as the kernel counts; with one that
//! sends with a TTL of 255, and takes nothing less, there is.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::gtsm(lab, "peer.toml", "ttl_security = true\n");
}
