//! In both families GoBGP is sent every path to a prefix, holds all of them, and lets go of the one that is withdrawn. It has two paths to another
//! itself, and we hold both.

use crate::claims::{self, SESSIONS};
use crate::gobgp::originate;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::all_paths_sent(lab, &SESSIONS);
    for prefix in ["193.0.2.0/24", "2a00:2::/32"] {
        originate(lab.peer(), prefix, "identifier 1");
        originate(lab.peer(), prefix, "identifier 2 aspath 396520");
    }
    claims::all_paths_received(lab);
}
