//! The router with the daemons that the Internet runs: BIRD, FRRouting, GoBGP, OpenBGPD and ExaBGP, each as Debian has it; and with
//! another of its own kind.
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
//! What scenarios with several daemons have in common is in [`claims`], and of restarts in [`restart`], where all that happens
//! to both kernels' routes is heard by a [`monitor`].
//!
//! `docs/interop.md` is written by the run ([`matrix`]): `PALISADE_BLESS=1 cargo test --test interop`. Without that, a
//! scenario which has passed and is not told there as it is fails.
//!
//! Everything lives in namespaces (network, mounts, processes) that each test enters by running itself again under
//! `unshare`, and goes when that process goes, however it ends. `PALISADE_BIN` names another program to test.

#![expect(clippy::expect_used, reason = "where a test's own plumbing breaks, it fails")]

mod bird;
mod claims;
mod daemon;
mod exabgp;
mod frr;
mod gobgp;
mod lab;
mod matrix;
mod monitor;
mod openbgpd;
mod palisade;
mod restart;
mod route;
mod unnumbered;
mod witness;

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod support;

use std::process::ExitCode;

use lab::Lab;
use libtest_mimic::{Arguments, Trial};

/// How many scenarios play at once: daemons wait for timers of theirs more than they work.
const AT_ONCE: usize = 8;

/// Declares the list of all scenarios.
macro_rules! scenarios {
    ($($scenario:ident)*) => {
        /// Their folders, with underscores, and what happens in them.
        const SCENARIOS: &[(&str, fn(&mut Lab))] = &[$((stringify!($scenario), $scenario::tell)),*];
    };
}

scenarios! {
    bird_add_path
    bird_extended_messages
    bird_extended_next_hop
    bird_four_octet_as
    bird_gtsm
    bird_its_restart
    bird_large_communities
    bird_link_local
    bird_long_lived
    bird_max_prefix
    bird_md5
    bird_our_restart
    bird_ranges
    bird_roles
    bird_route_reflection
    bird_route_refresh
    bird_sessions
    bird_shutdown
    exabgp_add_path
    exabgp_extended_messages
    exabgp_extended_next_hop
    exabgp_four_octet_as
    exabgp_gtsm
    exabgp_its_restart
    exabgp_large_communities
    exabgp_max_prefix
    exabgp_md5
    exabgp_route_reflection
    exabgp_route_refresh
    exabgp_sessions
    frr_add_path
    frr_extended_messages
    frr_extended_next_hop
    frr_gtsm
    frr_its_restart
    frr_large_communities
    frr_link_local
    frr_long_lived
    frr_max_prefix
    frr_md5
    frr_our_restart
    frr_roles
    frr_route_reflection
    frr_route_refresh
    frr_sessions
    frr_shutdown
    gobgp_add_path
    gobgp_extended_next_hop
    gobgp_gtsm
    gobgp_its_restart
    gobgp_large_communities
    gobgp_link_local
    gobgp_long_lived
    gobgp_max_prefix
    gobgp_md5
    gobgp_our_restart
    gobgp_route_reflection
    gobgp_route_refresh
    gobgp_sessions
    gobgp_shutdown
    openbgpd_add_path
    openbgpd_four_octet_as
    openbgpd_gtsm
    openbgpd_large_communities
    openbgpd_max_prefix
    openbgpd_md5
    openbgpd_our_restart
    openbgpd_roles
    openbgpd_route_reflection
    openbgpd_route_refresh
    openbgpd_sessions
    openbgpd_shutdown
    palisade_add_path
    palisade_extended_messages
    palisade_extended_next_hop
    palisade_gtsm
    palisade_its_restart
    palisade_large_communities
    palisade_link_local
    palisade_long_lived
    palisade_max_prefix
    palisade_md5
    palisade_our_restart
    palisade_ranges
    palisade_roles
    palisade_route_reflection
    palisade_route_refresh
    palisade_sessions
    palisade_shutdown
}

#[path = "bird-add-path/scenario.rs"]
mod bird_add_path;
#[path = "bird-extended-messages/scenario.rs"]
mod bird_extended_messages;
#[path = "bird-extended-next-hop/scenario.rs"]
mod bird_extended_next_hop;
#[path = "bird-four-octet-as/scenario.rs"]
mod bird_four_octet_as;
#[path = "bird-gtsm/scenario.rs"]
mod bird_gtsm;
#[path = "bird-its-restart/scenario.rs"]
mod bird_its_restart;
#[path = "bird-large-communities/scenario.rs"]
mod bird_large_communities;
#[path = "bird-link-local/scenario.rs"]
mod bird_link_local;
#[path = "bird-long-lived/scenario.rs"]
mod bird_long_lived;
#[path = "bird-max-prefix/scenario.rs"]
mod bird_max_prefix;
#[path = "bird-md5/scenario.rs"]
mod bird_md5;
#[path = "bird-our-restart/scenario.rs"]
mod bird_our_restart;
#[path = "bird-ranges/scenario.rs"]
mod bird_ranges;
#[path = "bird-roles/scenario.rs"]
mod bird_roles;
#[path = "bird-route-reflection/scenario.rs"]
mod bird_route_reflection;
#[path = "bird-route-refresh/scenario.rs"]
mod bird_route_refresh;
#[path = "bird-sessions/scenario.rs"]
mod bird_sessions;
#[path = "bird-shutdown/scenario.rs"]
mod bird_shutdown;
#[path = "exabgp-add-path/scenario.rs"]
mod exabgp_add_path;
#[path = "exabgp-extended-messages/scenario.rs"]
mod exabgp_extended_messages;
#[path = "exabgp-extended-next-hop/scenario.rs"]
mod exabgp_extended_next_hop;
#[path = "exabgp-four-octet-as/scenario.rs"]
mod exabgp_four_octet_as;
#[path = "exabgp-gtsm/scenario.rs"]
mod exabgp_gtsm;
#[path = "exabgp-its-restart/scenario.rs"]
mod exabgp_its_restart;
#[path = "exabgp-large-communities/scenario.rs"]
mod exabgp_large_communities;
#[path = "exabgp-max-prefix/scenario.rs"]
mod exabgp_max_prefix;
#[path = "exabgp-md5/scenario.rs"]
mod exabgp_md5;
#[path = "exabgp-route-reflection/scenario.rs"]
mod exabgp_route_reflection;
#[path = "exabgp-route-refresh/scenario.rs"]
mod exabgp_route_refresh;
#[path = "exabgp-sessions/scenario.rs"]
mod exabgp_sessions;
#[path = "frr-add-path/scenario.rs"]
mod frr_add_path;
#[path = "frr-extended-messages/scenario.rs"]
mod frr_extended_messages;
#[path = "frr-extended-next-hop/scenario.rs"]
mod frr_extended_next_hop;
#[path = "frr-gtsm/scenario.rs"]
mod frr_gtsm;
#[path = "frr-its-restart/scenario.rs"]
mod frr_its_restart;
#[path = "frr-large-communities/scenario.rs"]
mod frr_large_communities;
#[path = "frr-link-local/scenario.rs"]
mod frr_link_local;
#[path = "frr-long-lived/scenario.rs"]
mod frr_long_lived;
#[path = "frr-max-prefix/scenario.rs"]
mod frr_max_prefix;
#[path = "frr-md5/scenario.rs"]
mod frr_md5;
#[path = "frr-our-restart/scenario.rs"]
mod frr_our_restart;
#[path = "frr-roles/scenario.rs"]
mod frr_roles;
#[path = "frr-route-reflection/scenario.rs"]
mod frr_route_reflection;
#[path = "frr-route-refresh/scenario.rs"]
mod frr_route_refresh;
#[path = "frr-sessions/scenario.rs"]
mod frr_sessions;
#[path = "frr-shutdown/scenario.rs"]
mod frr_shutdown;
#[path = "gobgp-add-path/scenario.rs"]
mod gobgp_add_path;
#[path = "gobgp-extended-next-hop/scenario.rs"]
mod gobgp_extended_next_hop;
#[path = "gobgp-gtsm/scenario.rs"]
mod gobgp_gtsm;
#[path = "gobgp-its-restart/scenario.rs"]
mod gobgp_its_restart;
#[path = "gobgp-large-communities/scenario.rs"]
mod gobgp_large_communities;
#[path = "gobgp-link-local/scenario.rs"]
mod gobgp_link_local;
#[path = "gobgp-long-lived/scenario.rs"]
mod gobgp_long_lived;
#[path = "gobgp-max-prefix/scenario.rs"]
mod gobgp_max_prefix;
#[path = "gobgp-md5/scenario.rs"]
mod gobgp_md5;
#[path = "gobgp-our-restart/scenario.rs"]
mod gobgp_our_restart;
#[path = "gobgp-route-reflection/scenario.rs"]
mod gobgp_route_reflection;
#[path = "gobgp-route-refresh/scenario.rs"]
mod gobgp_route_refresh;
#[path = "gobgp-sessions/scenario.rs"]
mod gobgp_sessions;
#[path = "gobgp-shutdown/scenario.rs"]
mod gobgp_shutdown;
#[path = "openbgpd-add-path/scenario.rs"]
mod openbgpd_add_path;
#[path = "openbgpd-four-octet-as/scenario.rs"]
mod openbgpd_four_octet_as;
#[path = "openbgpd-gtsm/scenario.rs"]
mod openbgpd_gtsm;
#[path = "openbgpd-large-communities/scenario.rs"]
mod openbgpd_large_communities;
#[path = "openbgpd-max-prefix/scenario.rs"]
mod openbgpd_max_prefix;
#[path = "openbgpd-md5/scenario.rs"]
mod openbgpd_md5;
#[path = "openbgpd-our-restart/scenario.rs"]
mod openbgpd_our_restart;
#[path = "openbgpd-roles/scenario.rs"]
mod openbgpd_roles;
#[path = "openbgpd-route-reflection/scenario.rs"]
mod openbgpd_route_reflection;
#[path = "openbgpd-route-refresh/scenario.rs"]
mod openbgpd_route_refresh;
#[path = "openbgpd-sessions/scenario.rs"]
mod openbgpd_sessions;
#[path = "openbgpd-shutdown/scenario.rs"]
mod openbgpd_shutdown;
#[path = "palisade-add-path/scenario.rs"]
mod palisade_add_path;
#[path = "palisade-extended-messages/scenario.rs"]
mod palisade_extended_messages;
#[path = "palisade-extended-next-hop/scenario.rs"]
mod palisade_extended_next_hop;
#[path = "palisade-gtsm/scenario.rs"]
mod palisade_gtsm;
#[path = "palisade-its-restart/scenario.rs"]
mod palisade_its_restart;
#[path = "palisade-large-communities/scenario.rs"]
mod palisade_large_communities;
#[path = "palisade-link-local/scenario.rs"]
mod palisade_link_local;
#[path = "palisade-long-lived/scenario.rs"]
mod palisade_long_lived;
#[path = "palisade-max-prefix/scenario.rs"]
mod palisade_max_prefix;
#[path = "palisade-md5/scenario.rs"]
mod palisade_md5;
#[path = "palisade-our-restart/scenario.rs"]
mod palisade_our_restart;
#[path = "palisade-ranges/scenario.rs"]
mod palisade_ranges;
#[path = "palisade-roles/scenario.rs"]
mod palisade_roles;
#[path = "palisade-route-reflection/scenario.rs"]
mod palisade_route_reflection;
#[path = "palisade-route-refresh/scenario.rs"]
mod palisade_route_refresh;
#[path = "palisade-sessions/scenario.rs"]
mod palisade_sessions;
#[path = "palisade-shutdown/scenario.rs"]
mod palisade_shutdown;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let mut trials = vec![Trial::test("every-folder-is-a-scenario-that-says-what-it-proves", || {
        every_folder_is_a_scenario_that_says_what_it_proves();
        Ok(())
    })];
    trials.extend(SCENARIOS.iter().map(|(scenario, tell)| {
        let name = scenario.replace('_', "-");
        Trial::test(name.clone(), move || {
            Lab::play(&name, *tell);
            Ok(())
        })
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn every_folder_is_a_scenario_that_says_what_it_proves() {
    let mut declared: Vec<_> = SCENARIOS.iter().map(|(name, _)| name.replace('_', "-")).collect();
    declared.sort();
    assert_eq!(declared, matrix::folders());
    for name in declared {
        assert_eq!(matrix::Scenario::of(&name).err(), None, "{name}");
    }
}
