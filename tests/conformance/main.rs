//! What the standards say must come out, case by case, in tables that others can run too.
//!
//! Each table is a text file whose head says how it is written; every case names the section it comes from. A table is read
//! by the module of the same name. What no table can show, because there are too many paths, [`valley_free`] tries: all small
//! worlds, against an oracle that follows the definition instead of the algorithm.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

mod aspa;
mod damping;
mod messages;
mod restarts;
mod rfc1997;
mod rfc2545;
mod rfc4271;
mod rfc4271_collision;
mod rfc4271_machine;
mod rfc4456;
mod rfc4486;
mod rfc4724;
mod rfc5492;
mod rfc6793;
mod rfc6793_session;
mod rfc6811;
mod rfc7313;
mod rfc7313_session;
mod rfc7606;
mod rfc7911;
mod rfc7999;
mod rfc8326;
mod rfc8538;
mod rfc8538_session;
mod rfc8654;
mod rfc8950;
mod rfc8950_session;
mod rfc9003;
mod rfc9234;
mod rfc9494;
mod rfc9774;
mod speaker;
mod table;
mod valley_free;

#[path = "../../crates/rib/tests/support/mod.rs"]
mod rib;
#[path = "../../crates/policy/tests/support/mod.rs"]
mod support;
