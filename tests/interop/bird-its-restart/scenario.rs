//! BIRD is killed and started again: not for a moment does its route leave our kernel, or ours the kernel that it writes to. In
//! our table it is stale, until it is said again.

use crate::lab::Lab;
use crate::restart;

pub(crate) fn tell(lab: &mut Lab) {
    restart::of_theirs(lab, true, |_| {});
}
