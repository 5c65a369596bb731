//! ExaBGP asks for everything again, and is told it. (Asked itself, it ends the session without a word.)

use crate::claims::SESSIONS;
use crate::lab::{Lab, wait_for};

pub(crate) fn tell(lab: &mut Lab) {
    lab.start();
    lab.wait_for_sessions(&SESSIONS[..1]);
    wait_for(&1, || announcements(lab));
    lab.peer().ask("announce route-refresh ipv4 unicast");
    wait_for(&2, || announcements(lab));
}

/// How often it was told of our route.
fn announcements(lab: &mut Lab) -> usize {
    lab.peer().ask("").matches("\"nlri\": \"193.0.1.0/24\"").count()
}
