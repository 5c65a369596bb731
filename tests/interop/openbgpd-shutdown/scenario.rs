//! What our operator says at a shutdown comes to OpenBGPD, and what its operator says comes to us.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::shutdown_of_ours(lab, "show neighbor 192.0.2.1");
    claims::shutdown_of_theirs(lab, "neighbor 192.0.2.1 down back_in_20_minutes", "back_in_20_minutes");
}
