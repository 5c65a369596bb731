//! In both families, over one session, the other end is sent every path to a prefix, holds all of them, and lets go of the one
//! that is withdrawn.

use crate::claims::{self, SESSIONS};
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::all_paths_sent(lab, &SESSIONS[..1]);
}
