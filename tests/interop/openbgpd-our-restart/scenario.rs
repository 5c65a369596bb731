//! We are killed and started again: not for a moment does a route of OpenBGPD leave our kernel, and it holds ours while we are
//! away. (On Linux it writes to no kernel.)

use crate::lab::Lab;
use crate::restart;

pub(crate) fn tell(lab: &mut Lab) {
    restart::of_ours(lab, false, |_| {});
}
