//! In both families ExaBGP is sent every path to a prefix, holds all of them, and lets go of the one that is withdrawn. It has two paths to another
//! itself, and we hold both.

use crate::claims::{self, SESSIONS};
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::all_paths_sent(lab, &SESSIONS);
    claims::all_paths_received(lab);
}
