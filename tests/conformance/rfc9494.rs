//! Long-lived graceful restart: what is kept beyond the restart time, and how (RFC 9494 s4.2).

use crate::restarts::Route::{Fresh, Gone, LongLived, Stale};
use crate::restarts::Step::*;
use crate::restarts::{LONG_LIVED_S, Says, Story, USUAL, tell};

const PATIENT: Says = Says { long_lived: Some((600, true)), ..USUAL };
const RESTARTED: Says = Says { restarting: true, ..PATIENT };
const AT_ONCE: Says = Says { restart_time_s: Some(0), ..PATIENT };
const FORGETFUL: Says = Says { long_lived: Some((600, false)), ..USUAL };
const TOO_PATIENT: Says = Says { long_lived: Some((LONG_LIVED_S * 2, true)), ..USUAL };
const NEVER: Says = Says { long_lived: Some((0, true)), ..USUAL };

const LLGR_STALE: u32 = 0xffff_0006;
const NO_LLGR: u32 = 0xffff_0007;

const STORIES: [Story; 15] = [
    (
        "s4.2: after the Restart Time comes the Long-Lived Stale Time, and then the end",
        &[
            (Up(PATIENT), Gone),
            (Announces, Fresh),
            (Lost, Stale),
            (Wait(119), Stale),
            (Wait(1), LongLived),
            (Wait(599), LongLived),
            (Wait(1), Gone),
        ],
    ),
    (
        "s4.2: without a Restart Time it begins at once",
        &[(Up(AT_ONCE), Gone), (Announces, Fresh), (Lost, Stale), (Wait(0), LongLived), (Wait(600), Gone)],
    ),
    (
        "s4.2: it is no longer than we keep routes",
        &[
            (Up(TOO_PATIENT), Gone),
            (Announces, Fresh),
            (Lost, Stale),
            (Wait(120), LongLived),
            (Wait(3_599), LongLived),
            (Wait(1), Gone),
        ],
    ),
    ("s4.2: no time is none", &[(Up(NEVER), Gone), (Announces, Fresh), (Lost, Stale), (Wait(120), Gone)]),
    (
        "s3: nor is it for a peer without the capability",
        &[(Up(USUAL), Gone), (Announces, Fresh), (Lost, Stale), (Wait(120), Gone)],
    ),
    (
        "s4.2: NO_LLGR asks not to be kept so long",
        &[(Up(PATIENT), Gone), (AnnouncesWith(NO_LLGR), Fresh), (Lost, Stale), (Wait(120), Gone)],
    ),
    (
        "s4.2: the peer is back: its routes are fresh again, and others go",
        &[
            (Up(PATIENT), Gone),
            (Announces, Fresh),
            (Lost, Stale),
            (Wait(120), LongLived),
            (Up(RESTARTED), LongLived),
            (Announces, Fresh),
            (EndOfRib, Fresh),
        ],
    ),
    (
        "s4.2: End-of-RIB without the route",
        &[
            (Up(PATIENT), Gone),
            (Announces, Fresh),
            (Lost, Stale),
            (Wait(120), LongLived),
            (Up(RESTARTED), LongLived),
            (EndOfRib, Gone),
        ],
    ),
    (
        "s4.2: the time goes on until End-of-RIB",
        &[
            (Up(PATIENT), Gone),
            (Announces, Fresh),
            (Lost, Stale),
            (Wait(120), LongLived),
            (Wait(500), LongLived),
            (Up(RESTARTED), LongLived),
            (Wait(99), LongLived),
            (Wait(1), Gone),
        ],
    ),
    (
        "s4.2: nor does a session that is lost before End-of-RIB renew it: what is left is shorter than the Restart Time",
        &[
            (Up(PATIENT), Gone),
            (Announces, Fresh),
            (Lost, Stale),
            (Wait(120), LongLived),
            (Wait(500), LongLived),
            (Up(RESTARTED), LongLived),
            (Announces, Fresh),
            (Lost, Stale),
            (Wait(99), Stale),
            (Wait(1), Gone),
        ],
    ),
    (
        "s4.2: the same where it is longer",
        &[
            (Up(PATIENT), Gone),
            (Announces, Fresh),
            (Lost, Stale),
            (Wait(120), LongLived),
            (Wait(300), LongLived),
            (Up(RESTARTED), LongLived),
            (Announces, Fresh),
            (Lost, Stale),
            (Wait(120), LongLived),
            (Wait(179), LongLived),
            (Wait(1), Gone),
        ],
    ),
    (
        "s4.2: one that is lost after it does",
        &[
            (Up(PATIENT), Gone),
            (Announces, Fresh),
            (Lost, Stale),
            (Wait(120), LongLived),
            (Wait(300), LongLived),
            (Up(RESTARTED), LongLived),
            (Announces, Fresh),
            (EndOfRib, Fresh),
            (Lost, Stale),
            (Wait(120), LongLived),
            (Wait(599), LongLived),
            (Wait(1), Gone),
        ],
    ),
    (
        "s4.2: its own F bit says whether the peer has gone on forwarding",
        &[
            (Up(PATIENT), Gone),
            (Announces, Fresh),
            (Lost, Stale),
            (Wait(120), LongLived),
            (Up(FORGETFUL), Gone),
        ],
    ),
    (
        "s4.2: within the Restart Time that of RFC 4724 says it",
        &[(Up(PATIENT), Gone), (Announces, Fresh), (Lost, Stale), (Up(FORGETFUL), Stale)],
    ),
    (
        "s4.3: a route that comes as such is marked already",
        &[
            (Up(PATIENT), Gone),
            (AnnouncesWith(LLGR_STALE), Fresh),
            (Lost, LongLived),
            (Wait(120), LongLived),
            (Wait(600), Gone),
        ],
    ),
];

#[test]
fn routes_of_a_peer_that_stays_away() {
    tell(&STORIES);
}
