//! The other end is asked for everything again, and says it, between a beginning and an end (RFC 7313).

use crate::claims::{self, SESSIONS};
use crate::lab::{Lab, wait_for};

pub(crate) fn tell(lab: &mut Lab) {
    lab.start();
    lab.wait_for_sessions(&SESSIONS[..1]);
    claims::refresh_of_theirs(lab);
    // In each family one that says where it begins, and one that says where it ends.
    wait_for(&4, || claims::messages(lab, "route-refresh"));
}
