//! A session over IPv4 and one over IPv6 come up, opened by one end and then by the other, and each carries a route of its
//! family each way, with path and next hop as they must be.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::sessions(lab, |_| {});
}
