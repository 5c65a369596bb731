//! GoBGP is asked for everything again, and says it. (It keeps what it was told, and has nothing to ask for.)

use crate::claims::{self, SESSIONS};
use crate::gobgp::originate;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    lab.start();
    originate(lab.peer(), "193.0.2.0/24", "");
    lab.wait_for_sessions(&SESSIONS[..1]);
    claims::refresh_of_theirs(lab);
}
