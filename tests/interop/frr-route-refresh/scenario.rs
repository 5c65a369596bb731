//! FRRouting, whose policy has changed, asks for everything again, is told it, and holds what it did not want before.
//! It is asked in turn, and says all it has again.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::refresh_after_change(lab, |lab| {
        lab.peer().ask("conf t\nno ip prefix-list WELCOME seq 10");
        lab.peer().ask("clear bgp ipv4 unicast 192.0.2.1 soft in");
    });
    claims::refresh_of_theirs(lab);
}
