//! We are killed and started again: not for a moment does a route of GoBGP leave our kernel, and it holds ours while we are
//! away. (It has no kernel of its own without another daemon.)

use crate::gobgp::originate;
use crate::lab::Lab;
use crate::restart;

pub(crate) fn tell(lab: &mut Lab) {
    restart::of_ours(lab, false, |lab| originate(lab.peer(), "193.0.2.0/24", ""));
}
