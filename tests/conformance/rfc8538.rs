//! Graceful restart with NOTIFICATIONs: which of them leave routes in place (RFC 8538 s3, s4).

use crate::restarts::Route::{Fresh, Gone, Stale};
use crate::restarts::Step::*;
use crate::restarts::{Says, Story, USUAL, tell};

const NOTIFYING: Says = Says { notification: true, ..USUAL };

const STORIES: [Story; 5] = [
    (
        "s4: with the N bit of both, a Cease leaves routes in place",
        &[
            (Up(NOTIFYING), Gone),
            (Announces, Fresh),
            (Notified(6, 4), Stale),
            (Up(NOTIFYING), Stale),
            (EndOfRib, Gone),
        ],
    ),
    (
        "s4: and so does an error",
        &[(Up(NOTIFYING), Gone), (Announces, Fresh), (Notified(3, 1), Stale), (Wait(120), Gone)],
    ),
    ("s3: but a Hard Reset does not", &[(Up(NOTIFYING), Gone), (Announces, Fresh), (Notified(6, 9), Gone)]),
    (
        "s4: without the bit of the peer none does",
        &[(Up(USUAL), Gone), (Announces, Fresh), (Notified(6, 4), Gone)],
    ),
    (
        "s4: a connection that is lost is no NOTIFICATION",
        &[(Up(NOTIFYING), Gone), (Announces, Fresh), (Lost, Stale)],
    ),
];

#[test]
fn routes_of_a_peer_that_notifies() {
    tell(&STORIES);
}
