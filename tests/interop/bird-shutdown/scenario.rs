//! What our operator says at a shutdown comes to BIRD, and what its operator says comes to us.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::shutdown_of_ours(lab, "show protocols all ours");
    claims::shutdown_of_theirs(lab, "disable ours \"back in 20 minutes\"", "back in 20 minutes");
}
