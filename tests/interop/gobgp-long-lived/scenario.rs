//! GoBGP is killed and stays away for longer than a restart takes, and then we do: not for a moment does its route leave our kernel,
//! and it holds ours. What is kept is marked as the last resort, until it is said again, and who does not know of that mark
//! is not told of it.

use crate::gobgp::originate;
use crate::lab::Lab;
use crate::restart;

pub(crate) fn tell(lab: &mut Lab) {
    restart::long_lived_of_theirs(lab, false, |lab| originate(lab.peer(), "193.0.2.0/24", ""));
    restart::long_lived_of_ours(lab, false);
}
