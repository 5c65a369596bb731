//! A route server among members that are real BIRDs, at an exchange of the test's own.
//!
//! ```text
//!   the route server's namespace               a namespace each: alpha, bravo, charlie, delta-1, delta-2, echo
//!   palisade run, mode = "route-server"  --- bridge --- BIRD: routes with communities out, what it is told in
//! ```
//!
//! What every member must hold, with every attribute, is computed by [`oracle`], which shares nothing with the product and is
//! slow and plain, and compared whole with what the members' BIRDs show: that paths pass as they are (RFC 7947 s2.2), that
//! none is hidden (s2.3), that what members ask for with communities happens and is told to nobody. [`cases`] have names; as
//! many again and more come of numbers, so that what is asked for is combined in all ways.
//!
//! Everything lives in namespaces (network, mounts, processes) that the test enters by running itself again under
//! `unshare`, and goes when that process goes, however it ends. `PALISADE_BIN` names another program to test.

#![expect(clippy::expect_used, clippy::panic, reason = "where a test's own plumbing breaks, it fails")]

mod announcement;
mod ask;
mod bird;
mod cases;
mod community;
mod held;
mod lan;
mod member;
mod oracle;
mod router;
mod story;
mod world;

#[path = "../support/mod.rs"]
mod support;

use support::namespace::in_namespace;

#[test]
fn every_member_holds_exactly_what_it_may_have() {
    in_namespace("every_member_holds_exactly_what_it_may_have", lan::TRIED, || story::tell(2026));
}
