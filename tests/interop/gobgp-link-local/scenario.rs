//! On a link that has no address but link-local ones a session with GoBGP carries routes of both families each way. Those behind its
//! link-local address are in our kernel. (It has no kernel of its own without another daemon.)

use crate::gobgp::originate;
use crate::lab::Lab;
use crate::unnumbered;

pub(crate) fn tell(lab: &mut Lab) {
    unnumbered::session(lab, "fe80::1%uplink", false, |lab| {
        originate(lab.peer(), "193.0.2.0/24", "nexthop fe80::2");
        originate(lab.peer(), "2a00:2::/32", "");
    });
}
