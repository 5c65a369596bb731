//! The whole router against a real BIRD and a real kernel.
//!
//! ```text
//!   transit (namespace)                 the router's namespace                edge (namespace)
//!   BIRD, a provider's full table  ---  palisade run, [fib] table = "main" --- BIRD, twice: a customer held to its
//!   over a session a family             and this test, reading the kernel      as-set, and a second provider
//! ```
//!
//! What the kernel must hold is computed by [`oracle`], which shares nothing with the product and is slow and plain, and
//! compared route by route with what `ip route` lists. One story is told twice: of a made-up table that fits every run, and
//! of the real one:
//!
//!     cargo test --release --test kernel -- --ignored --show-output
//!
//! which needs the data that `PALISADE_REAL_DATA` names and takes minutes. `PALISADE_BIN` names another program to test.
//!
//! Everything lives in namespaces (network, mounts, processes) that the test enters by running itself again under
//! `unshare`, and goes when that process goes, however it ends.

#![expect(clippy::expect_used, clippy::panic, reason = "where a test's own plumbing breaks, it fails")]

mod announcement;
mod bird;
mod blackhole;
mod injector;
mod kernel;
mod links;
mod monitor;
mod neighbor;
mod oracle;
mod real;
mod restart;
mod router;
mod story;
mod table;
mod world;

#[path = "../support/mod.rs"]
mod support;

use support::namespace::in_namespace;
use world::World;

#[test]
fn the_kernel_holds_exactly_the_best_accepted_routes() {
    in_namespace("the_kernel_holds_exactly_the_best_accepted_routes", "true", || {
        let table = table::made_up(2026, 20_000, 5_000);
        story::tell(World::of(table));
    });
}

#[test]
fn packets_go_on_over_a_restart_of_either_side() {
    in_namespace("packets_go_on_over_a_restart_of_either_side", "true", restart::tell);
}

#[test]
fn a_customer_has_packets_dropped() {
    in_namespace("a_customer_has_packets_dropped", "true", blackhole::tell);
}

#[test]
#[ignore = "takes minutes; see the head of tests/kernel/main.rs"]
fn the_kernel_holds_exactly_the_real_table() {
    in_namespace("the_kernel_holds_exactly_the_real_table", "true", || match real::table() {
        Ok(table) => story::tell(World::of(table)),
        Err(why) => println!("skipped: the_kernel_holds_exactly_the_real_table: {why}"),
    });
}
