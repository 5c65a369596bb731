//! Graceful restart: what a receiving speaker keeps, and for how long (RFC 4724 s4.2).

use crate::restarts::Route::{Fresh, Gone, Stale};
use crate::restarts::Step::*;
use crate::restarts::{Says, Story, USUAL, tell};

const RESTARTED: Says = Says { restarting: true, ..USUAL };
const FORGETFUL: Says = Says { forwarding: Some(false), ..USUAL };
const UNLISTED: Says = Says { forwarding: None, ..USUAL };
const PLAIN: Says = Says { restart_time_s: None, ..USUAL };

const STORIES: [Story; 14] = [
    (
        "s4.2: routes stay stale, and the peer's new ones take their place",
        &[
            (Up(USUAL), Gone),
            (Announces, Fresh),
            (Lost, Stale),
            (Up(RESTARTED), Stale),
            (Announces, Fresh),
            (EndOfRib, Fresh),
        ],
    ),
    (
        "s4.2: once End-of-RIB is there, what is still stale goes at once",
        &[(Up(USUAL), Gone), (Announces, Fresh), (Lost, Stale), (Up(RESTARTED), Stale), (EndOfRib, Gone)],
    ),
    (
        "s4.2: a withdrawal takes a stale route",
        &[(Up(USUAL), Gone), (Announces, Fresh), (Lost, Stale), (Up(RESTARTED), Stale), (Withdraws, Gone)],
    ),
    (
        "s4.2: a peer that is not back within the Restart Time that it said",
        &[(Up(USUAL), Gone), (Announces, Fresh), (Lost, Stale), (Wait(119), Stale), (Wait(1), Gone)],
    ),
    (
        "s4.2: the time ends with the session's return, not with its End-of-RIB",
        &[
            (Up(USUAL), Gone),
            (Announces, Fresh),
            (Lost, Stale),
            (Wait(119), Stale),
            (Up(RESTARTED), Stale),
            (Wait(2), Stale),
        ],
    ),
    (
        "s4.2: the Forwarding State bit is not set",
        &[(Up(USUAL), Gone), (Announces, Fresh), (Lost, Stale), (Up(FORGETFUL), Gone)],
    ),
    (
        "s4.2: the family is not in the new capability",
        &[(Up(USUAL), Gone), (Announces, Fresh), (Lost, Stale), (Up(UNLISTED), Gone)],
    ),
    (
        "s4.2: there is no capability in the new OPEN",
        &[(Up(USUAL), Gone), (Announces, Fresh), (Lost, Stale), (Up(PLAIN), Gone)],
    ),
    (
        "s4.2: of a first OPEN the bit says nothing of what is kept later",
        &[(Up(FORGETFUL), Gone), (Announces, Fresh), (Lost, Stale)],
    ),
    (
        "s4.2: nothing is kept of a family that was not listed",
        &[(Up(UNLISTED), Gone), (Announces, Fresh), (Lost, Gone)],
    ),
    (
        "s4: nothing is kept of a peer without the capability",
        &[(Up(PLAIN), Gone), (Announces, Fresh), (Lost, Gone)],
    ),
    (
        "s4.2: consecutive restarts: what was stale before goes",
        &[(Up(USUAL), Gone), (Announces, Fresh), (Lost, Stale), (Up(RESTARTED), Stale), (Lost, Gone)],
    ),
    (
        "s4.2: what was said since then stays",
        &[
            (Up(USUAL), Gone),
            (Announces, Fresh),
            (Lost, Stale),
            (Up(RESTARTED), Stale),
            (Announces, Fresh),
            (Lost, Stale),
        ],
    ),
    (
        "s4.2: a peer that never says End-of-RIB keeps nothing for ever",
        &[
            (Up(USUAL), Gone),
            (Announces, Fresh),
            (Lost, Stale),
            (Up(RESTARTED), Stale),
            (Wait(599), Stale),
            (Wait(1), Gone),
        ],
    ),
];

#[test]
fn routes_of_a_peer_that_restarts() {
    tell(&STORIES);
}
