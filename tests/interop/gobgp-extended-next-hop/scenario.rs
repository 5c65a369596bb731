//! Over a session of IPv6 with GoBGP, IPv4 routes pass both ways behind IPv6 next hops.

use crate::claims;
use crate::gobgp::originate;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::extended_next_hop(lab, |lab| originate(lab.peer(), "193.0.2.0/24", "nexthop 2001:db8::2"));
}
