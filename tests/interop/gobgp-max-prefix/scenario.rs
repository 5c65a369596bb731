//! GoBGP announces a prefix too many, and reads in our NOTIFICATION (6/1) that it has; over a second session we are the one
//! that announces too many, and read the same.

use crate::claims;
use crate::gobgp::originate;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    lab.start();
    originate(lab.peer(), "193.0.2.0/24", "");
    originate(lab.peer(), "193.0.12.0/24", "");
    claims::limit_of_ours(lab, "notification-received code 6(cease) subcode 1", "neighbor 192.0.2.1");
    claims::limit_of_theirs(lab);
}
