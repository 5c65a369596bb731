//! One end announces a prefix too many, and reads in a NOTIFICATION (6/1) that it has; over a second session the other one
//! does, and reads the same.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    lab.start();
    claims::limit_of_ours(lab, "maximum number of prefixes reached", "show peers ipv4");
    claims::limit_of_theirs(lab);
}
