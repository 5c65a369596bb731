//! What guards the TCP connections of a whole router, against a real BIRD and a real kernel.
//!
//! ```text
//!   the router's namespace        namespace "near"           namespace "far"
//!   palisade run, and this  ---   BIRD, and a forwarder ---  BIRD, two hops from the router
//!   test, which asks it
//! ```
//!
//! One file an RFC: a table of what either end is set to, and whether the session comes up. Everything lives in namespaces
//! that go with the test, which enters them by running itself again under `unshare` (see `support/namespace.rs`).

#![expect(clippy::expect_used, reason = "where a test's own plumbing breaks, it fails")]

mod link_local;
mod ranges;
mod rfc2385;
mod rfc5082;
mod timeout;
mod world;

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod support;

use support::namespace::in_namespace;

#[test]
fn link_local_sessions() {
    in_namespace("link_local_sessions", "true", link_local::sessions);
}

#[test]
fn ranges_have_guests() {
    in_namespace("ranges_have_guests", "true", ranges::ranges);
}

#[test]
fn rfc2385_signatures() {
    in_namespace("rfc2385_signatures", "true", rfc2385::signatures);
}

#[test]
fn rfc2385_keys_change_with_the_configuration() {
    in_namespace("rfc2385_keys_change_with_the_configuration", "true", rfc2385::keys_change);
}

#[test]
fn rfc5082_ttl_security() {
    in_namespace("rfc5082_ttl_security", "true", rfc5082::ttl_security);
}

#[test]
fn rfc5482_user_timeout() {
    in_namespace("rfc5482_user_timeout", "true", timeout::user_timeout);
}
