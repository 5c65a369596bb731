//! OpenBGPD announces a prefix too many, and reads in our NOTIFICATION (6/1) that it has; over a second session we are the one
//! that announces too many, and read the same.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    lab.start();
    claims::limit_of_ours(
        lab,
        "192.0.2.1: received notification: Cease, received max-prefix exceeded",
        "show neighbor 192.0.2.1",
    );
    claims::limit_of_theirs(lab);
}
