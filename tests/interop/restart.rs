//! What is claimed of restarts: that a router can end at once and come back, and no kernel loses a route meanwhile.

use crate::claims::{OURS, SESSIONS, THEIRS, accepted};
use crate::lab::{Lab, wait_for, wait_until};
use crate::monitor::{Monitor, they_forward, we_forward};
use crate::route::Route;

/// The route of each.
const OUR_ROUTE: &str = "193.0.1.0/24";
const THEIR_ROUTE: &str = "193.0.2.0/24";

/// The daemon is killed and comes back: its route stays in our kernel, is stale in our table and then not any more.
pub(crate) fn of_theirs(lab: &mut Lab, originate: impl Fn(&mut Lab)) {
    lab.start();
    originate(lab);
    come_up(lab);
    let monitor = Monitor::ours(lab.folder());

    lab.peer().kill();
    let mut stale = Route::plain(THEIR_ROUTE, &[THEIRS], "192.0.2.2");
    stale.is_stale = true;
    wait_for(&vec![stale], || accepted(lab, "ipv4"));
    assert!(we_forward(THEIR_ROUTE), "it has to stay in the kernel");
    assert_ne!(lab.show_peer("ipv4")["state"], "Established");

    lab.peer().start();
    originate(lab);
    come_up(lab);
    assert_eq!(monitor.deletions(THEIR_ROUTE), Vec::<String>::new(), "over all of it");
}

/// We are killed and come back: what our kernel has by the daemon's word stays, and what the daemon holds of ours. Where the
/// daemon has a kernel of its own (`forwards`), so does that.
pub(crate) fn of_ours(lab: &mut Lab, forwards: bool, originate: impl Fn(&mut Lab)) {
    lab.start();
    originate(lab);
    come_up(lab);
    wait_until("their kernel has our route", || they_forward(OUR_ROUTE) == forwards);
    let (ours, theirs) = (Monitor::ours(lab.folder()), Monitor::theirs(lab.folder()));

    lab.ours.process = None;
    let neighbor = SESSIONS[0].1;
    wait_until("they have lost us", || !lab.peer().is_up(neighbor));
    let paths: Vec<_> = lab.peer().held(4).into_iter().map(|route| route.prefix).collect();
    assert_eq!(paths, [OUR_ROUTE], "they keep our route");
    assert!(we_forward(THEIR_ROUTE) && they_forward(OUR_ROUTE) == forwards);

    lab.start_ours();
    come_up(lab);
    assert_eq!(ours.deletions(THEIR_ROUTE), Vec::<String>::new(), "in our kernel, over all of it");
    assert_eq!(theirs.deletions(OUR_ROUTE), Vec::<String>::new(), "in theirs, over all of it");
}

/// Waits until both hold the other's route, and not as something that may go.
fn come_up(lab: &mut Lab) {
    lab.wait_for_sessions(&SESSIONS[..1]);
    wait_for(&vec![Route::plain(THEIR_ROUTE, &[THEIRS], "192.0.2.2")], || accepted(lab, "ipv4"));
    wait_for(&vec![Route::plain(OUR_ROUTE, &[OURS], "192.0.2.1")], || lab.peer().held(4));
    wait_until("our kernel has their route", || we_forward(THEIR_ROUTE));
}
