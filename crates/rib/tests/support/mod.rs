//! What the tests of the table share.
//!
//! ```text
//!   Said --attributes--> Batch --> Shard --chunks--> Wires: what each peer holds, read as the peer would
//!                                    ^
//!                     peers: who is there, everything accepted unless a test says otherwise
//! ```

#![allow(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]
#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]

mod peers;
mod random;
mod said;
mod story;
mod wires;

pub(crate) use peers::{OURS, ROUTER, address, asn, policy, rib_peer, view};
pub(crate) use random::Random;
pub(crate) use said::Said;
pub(crate) use story::tell;
pub(crate) use wires::{Heard, Held, Wires, settle};
