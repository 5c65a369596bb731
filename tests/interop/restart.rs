//! What is claimed of restarts: that a router can end at once and come back, and no kernel loses a route meanwhile.
//!
//! Where the daemon has a kernel of its own (`forwards`), that is claimed of it, too.

use crate::claims::{OURS, SESSIONS, THEIRS, accepted};
use crate::lab::{Lab, wait_for, wait_until};
use crate::monitor::{Monitor, they_forward, we_forward};
use crate::route::Route;
use crate::witness::Witness;

/// The route of each.
const OUR_ROUTE: &str = "193.0.1.0/24";
const THEIR_ROUTE: &str = "193.0.2.0/24";

/// LLGR_STALE (RFC 9494 s5).
const LLGR_STALE: &str = "65535:6";

/// The daemon is killed and comes back: its route stays in our kernel, is stale in our table and then not any more.
pub(crate) fn of_theirs(lab: &mut Lab, forwards: bool, originate: impl Fn(&mut Lab)) {
    begin(lab, forwards, &originate);
    let monitors = Monitors::new(lab);

    lab.peer().kill();
    let mut stale = Route::plain(THEIR_ROUTE, &[THEIRS], "192.0.2.2");
    stale.is_stale = true;
    wait_for(&vec![stale], || accepted(lab, "ipv4"));
    assert!(we_forward(THEIR_ROUTE) && they_forward(OUR_ROUTE) == forwards);
    assert_ne!(lab.show_peer("ipv4")["state"], "Established");

    lab.peer().start();
    originate(lab);
    come_up(lab);
    monitors.saw_nothing_go();
}

/// We are killed and come back: what our kernel has by the daemon's word stays, and what the daemon holds of ours.
pub(crate) fn of_ours(lab: &mut Lab, forwards: bool, originate: impl Fn(&mut Lab)) {
    begin(lab, forwards, originate);
    let monitors = Monitors::new(lab);

    lab.ours.process = None;
    let neighbor = SESSIONS[0].1;
    wait_until("they have lost us", || lab.peer().awaits(neighbor));
    let paths: Vec<_> = lab.peer().held(4).into_iter().map(|route| route.prefix).collect();
    assert_eq!(paths, [OUR_ROUTE], "they keep our route");
    assert!(we_forward(THEIR_ROUTE) && they_forward(OUR_ROUTE) == forwards);

    lab.start_ours();
    come_up(lab);
    monitors.saw_nothing_go();
}

/// The daemon is killed and stays away for longer than it said: its route stays as the last resort, which a witness that knows
/// nothing of such is not told of, until it is back. Begins the scenario.
pub(crate) fn long_lived_of_theirs(lab: &mut Lab, forwards: bool, originate: impl Fn(&mut Lab)) {
    begin(lab, forwards, &originate);
    let witness = Witness::join(9);
    witness.told_of(THEIR_ROUTE);
    let monitors = Monitors::new(lab);

    lab.peer().kill();
    let mut stale = Route::plain(THEIR_ROUTE, &[THEIRS], "192.0.2.2");
    stale.is_stale = true;
    stale.communities = vec![LLGR_STALE.into()];
    wait_for(&vec![stale], || accepted(lab, "ipv4"));
    assert!(we_forward(THEIR_ROUTE) && they_forward(OUR_ROUTE) == forwards);
    wait_until("the witness is told no more of it", || !witness.heard().routes.contains_key(THEIR_ROUTE));

    lab.peer().start();
    originate(lab);
    come_up(lab);
    witness.told_of(THEIR_ROUTE);
    monitors.saw_nothing_go();
}

/// We are killed and stay away for longer than we said: the daemon holds our route, marked, until we are back.
pub(crate) fn long_lived_of_ours(lab: &mut Lab, forwards: bool) {
    let monitors = Monitors::new(lab);
    lab.ours.process = None;
    wait_for(&vec![vec![LLGR_STALE.to_owned()]], || {
        lab.peer().held(4).into_iter().map(|route| route.communities).collect()
    });
    assert!(we_forward(THEIR_ROUTE) && they_forward(OUR_ROUTE) == forwards);
    wait_until("they wait for us", || lab.peer().awaits(SESSIONS[0].1));

    lab.start_ours();
    // We wait for all who may have kept our routes, before we say what we have (RFC 4724 s4.1).
    let _witness = Witness::join(9);
    come_up(lab);
    monitors.saw_nothing_go();
}

fn begin(lab: &mut Lab, forwards: bool, originate: impl Fn(&mut Lab)) {
    lab.start();
    originate(lab);
    come_up(lab);
    wait_until("their kernel has our route", || they_forward(OUR_ROUTE) == forwards);
}

/// Waits until both hold the other's route, and not as something that may go.
fn come_up(lab: &mut Lab) {
    lab.wait_for_sessions(&SESSIONS[..1]);
    wait_for(&vec![Route::plain(OUR_ROUTE, &[OURS], "192.0.2.1")], || lab.peer().held(4));
    wait_for(&vec![Route::plain(THEIR_ROUTE, &[THEIRS], "192.0.2.2")], || accepted(lab, "ipv4"));
    wait_until("our kernel has their route", || we_forward(THEIR_ROUTE));
}

/// What both kernels are seen to do over all of a restart.
struct Monitors {
    ours: Monitor,
    theirs: Monitor,
}

impl Monitors {
    fn new(lab: &Lab) -> Self {
        Monitors { ours: Monitor::ours(lab.folder()), theirs: Monitor::theirs(lab.folder()) }
    }

    fn saw_nothing_go(&self) {
        assert_eq!(self.ours.deletions(THEIR_ROUTE), Vec::<String>::new(), "in our kernel");
        assert_eq!(self.theirs.deletions(OUR_ROUTE), Vec::<String>::new(), "in theirs");
    }
}
