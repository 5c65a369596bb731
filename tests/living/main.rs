//! Living policy, as an operator and an attacker meet it: a whole router whose sources change under its routes.
//!
//! ```text
//!   RTR cache, VRP and SLURM files ---.
//!   dumps, a mirror, whois servers ----+--> palisade run --- provider: announces the Internet
//!   lists of bogons, PeeringDB's dump -'     ^        |  `-- customer: announces what it may, and what not
//!                                            |        `----- listener: is sent what is accepted, and notes all of it
//!            show, explain, reload, confirm -'
//! ```
//!
//! Every source is the test's own, and changes, breaks and lies as the story wants. What becomes of that is asked as an
//! operator asks (`palisade show --json`, `palisade explain --json`), and held against what the listener was sent: what is
//! invalid was never announced, not for a moment; what a broken source said changes nothing; no session ends, and nobody is
//! asked for a route refresh, whatever happens.
//!
//! All of it is on loopback addresses of this host: no privileges are needed, and stories run beside each other.

#![expect(clippy::expect_used, reason = "where a test's own plumbing breaks, it fails")]

mod cache;
mod communities;
mod files;
mod registries;
mod reload;
mod speaker;
mod validation;
mod world;

#[path = "../support/asked.rs"]
mod asked;
#[path = "../support/irrd.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod irrd;
#[path = "../support/wire.rs"]
mod wire;
