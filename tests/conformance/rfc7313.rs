//! Enhanced route refresh: what a refresh leaves (RFC 7313 s4).

use crate::restarts::Route::{Fresh, Gone, Stale};
use crate::restarts::Step::*;
use crate::restarts::{Says, Story, USUAL, tell};

const PLAIN: Says = Says { restart_time_s: None, ..USUAL };

const STORIES: [Story; 9] = [
    (
        "s4: what is said again between BoRR and EoRR stays",
        &[(Up(PLAIN), Gone), (Announces, Fresh), (Borr, Stale), (Announces, Fresh), (Eorr, Fresh)],
    ),
    ("s4: what is not goes", &[(Up(PLAIN), Gone), (Announces, Fresh), (Borr, Stale), (Eorr, Gone)]),
    (
        "s4: what is new meanwhile stays",
        &[(Up(PLAIN), Gone), (Borr, Gone), (Announces, Fresh), (Eorr, Fresh)],
    ),
    ("s4: an EoRR without a BoRR means nothing", &[(Up(PLAIN), Gone), (Announces, Fresh), (Eorr, Fresh)]),
    (
        "s4: a BoRR before the End-of-RIB of a peer that says one means nothing",
        &[
            (Up(USUAL), Gone),
            (Announces, Fresh),
            (Borr, Fresh),
            (Eorr, Fresh),
            (EndOfRib, Fresh),
            (Borr, Stale),
            (Eorr, Gone),
        ],
    ),
    (
        "s4: that EoRR is none of the restart's",
        &[
            (Up(USUAL), Gone),
            (Announces, Fresh),
            (Lost, Stale),
            (Up(USUAL), Stale),
            (Borr, Stale),
            (Eorr, Stale),
            (EndOfRib, Gone),
        ],
    ),
    (
        "s4: a refresh without an end has one all the same",
        &[(Up(PLAIN), Gone), (Announces, Fresh), (Borr, Stale), (Wait(599), Stale), (Wait(1), Gone)],
    ),
    (
        "a refresh in a refresh is a part of it",
        &[
            (Up(PLAIN), Gone),
            (Announces, Fresh),
            (Borr, Stale),
            (Announces, Fresh),
            (Borr, Fresh),
            (Eorr, Fresh),
        ],
    ),
    (
        "a session that is lost in a refresh: what was stale goes, as RFC 4724 s4.2 has it",
        &[(Up(USUAL), Gone), (Announces, Fresh), (EndOfRib, Fresh), (Borr, Stale), (Lost, Gone)],
    ),
];

#[test]
fn routes_of_a_peer_that_refreshes() {
    tell(&STORIES);
}
