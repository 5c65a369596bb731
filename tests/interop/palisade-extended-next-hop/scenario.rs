//! Over a session of IPv6 IPv4 routes pass both ways behind IPv6 next hops.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::extended_next_hop(lab, |_| {});
}
