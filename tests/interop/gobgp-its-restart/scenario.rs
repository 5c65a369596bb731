//! GoBGP is killed and started again: not for a moment does its route leave our kernel. In our table it is stale, until it is
//! said again.

use crate::gobgp::originate;
use crate::lab::Lab;
use crate::restart;

pub(crate) fn tell(lab: &mut Lab) {
    restart::of_theirs(lab, false, |lab| originate(lab.peer(), "193.0.2.0/24", ""));
}
