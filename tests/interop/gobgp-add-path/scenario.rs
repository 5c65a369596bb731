//! GoBGP is sent every path to a prefix, holds all of them, and lets go of the one that is withdrawn. It has two paths to another
//! itself, and we hold both.

use crate::claims;
use crate::gobgp::originate;
use crate::lab::Lab;

pub(crate) fn tell(lab: &mut Lab) {
    claims::all_paths_sent(lab);
    originate(lab.peer(), "193.0.2.0/24", "identifier 1");
    originate(lab.peer(), "193.0.2.0/24", "identifier 2 aspath 396520");
    claims::all_paths_received(lab);
}
