//! ExaBGP announces a prefix too many, and reads in our NOTIFICATION (6/1) that it has. (It has no such limit itself.)

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    lab.start();
    claims::limit_of_ours(lab, "\"code\": 6, \"subcode\": 1", "");
}
