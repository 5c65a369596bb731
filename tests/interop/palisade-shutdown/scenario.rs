//! What the operator of either end says at a shutdown comes to the other.

use crate::claims;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::shutdown_of_ours(lab, "show peers ipv4");
    claims::shutdown_of_theirs(lab, "peer disable ipv4 --message back_in_20_minutes", "back_in_20_minutes");
}
