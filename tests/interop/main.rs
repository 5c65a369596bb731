//! The router with the daemons that the Internet runs: BIRD, FRRouting, GoBGP, OpenBGPD and ExaBGP, each as Debian has it.
//!
//! ```text
//!   the router's namespace                                   a namespace of the peer's own
//!   palisade run  192.0.2.1, 2001:db8::1 --- link --- uplink 192.0.2.2, 2001:db8::2  the daemon
//!        |
//!   witness (this program, 198.51.100.9): says and hears octets
//! ```
//!
//! A scenario is a folder, `<peer>-<feature>/`: our `palisade.toml`, the daemon's own configuration, and `scenario.rs`, which
//! opens with what it proves. What is claimed is read at the daemon's command line in its own words ([`daemon`] and the
//! files named after each), at ours as JSON, and where octets count at the [`witness`], which shares nothing with the router.
//! What scenarios with several daemons have in common is in [`claims`].
//!
//! `docs/interop.md` is written by the run ([`matrix`]): `PALISADE_BLESS=1 cargo test --test interop`. Without that, a
//! scenario which has passed and is not told there as it is fails.
//!
//! Everything lives in namespaces (network, mounts, processes) that each test enters by running itself again under
//! `unshare`, and goes when that process goes, however it ends. `PALISADE_BIN` names another program to test.

#![expect(clippy::expect_used, clippy::panic, reason = "where a test's own plumbing breaks, it fails")]

mod bird;
mod claims;
mod daemon;
mod exabgp;
mod frr;
mod gobgp;
mod lab;
mod matrix;
mod openbgpd;
mod route;

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod support;

use lab::Lab;

/// Declares each scenario's test, and the list of all of them.
macro_rules! scenarios {
    ($($scenario:ident)*) => {
        /// Folders of scenarios, with underscores.
        const SCENARIOS: &[&str] = &[$(stringify!($scenario)),*];

        $(#[test]
        fn $scenario() {
            Lab::play(stringify!($scenario), || Lab::tell(stringify!($scenario), $scenario::tell));
        })*
    };
}

scenarios! {
    bird_sessions
    exabgp_sessions
    frr_sessions
    gobgp_sessions
    openbgpd_sessions
}

#[path = "bird-sessions/scenario.rs"]
mod bird_sessions;
#[path = "exabgp-sessions/scenario.rs"]
mod exabgp_sessions;
#[path = "frr-sessions/scenario.rs"]
mod frr_sessions;
#[path = "gobgp-sessions/scenario.rs"]
mod gobgp_sessions;
#[path = "openbgpd-sessions/scenario.rs"]
mod openbgpd_sessions;

#[test]
fn every_folder_is_a_scenario_that_says_what_it_proves() {
    let mut declared: Vec<_> = SCENARIOS.iter().map(|name| name.replace('_', "-")).collect();
    declared.sort();
    assert_eq!(declared, matrix::folders());
    for name in declared {
        matrix::Scenario::of(&name).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}
