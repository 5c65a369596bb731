//! FRRouting is killed and stays away for longer than a restart takes, and then we do: not for a moment does a route leave either
//! kernel. It is marked as the last resort, until it is said again, and who does not know of that mark is not told of it.

use crate::lab::Lab;
use crate::restart;

pub(crate) fn tell(lab: &mut Lab) {
    restart::long_lived_of_theirs(lab, true, |_| {});
    restart::long_lived_of_ours(lab, true);
}
