//! RTR: VRPs and ASPAs from a cache, kept up to date over a connection (RFC 6810, RFC 8210, draft-ietf-sidrops-8210bis).
//!
//! ```text
//!   Cache task: connect, ask, apply, wait for news, come back after a failure
//!     link      TCP, or TLS over it
//!     dialogue  queries and answers, PDU by PDU, each in a bounded time; knows no data but what is in transfer
//!     transfer  what an answer carries, checked
//!     replica   the cache's data as an index, and the session and serial it stands at
//! ```
//!
//! The PDUs are the `rpki` crate's. Its client is not used: it takes a Serial Notify that arrives in the middle of an
//! answer for an error, does not see a session that changes within an answer, waits for ever for a cache that stalls,
//! takes the ASPAs of older drafts for withdrawals, and the withdrawals of today's for errors.
//!
//! What a cache gets wrong costs its connection, never the data that is held.

mod dialogue;
mod link;
mod replica;
mod task;
mod transfer;

pub(crate) use task::{CacheTask, Facts, Heard, Phase, fetch_once};

#[cfg(test)]
pub(crate) mod tests;
