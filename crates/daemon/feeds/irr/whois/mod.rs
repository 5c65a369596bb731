//! IRRd's whois protocol, from our side.
//!
//! ```text
//!   refresh    again and again, as a source               (the daemon)
//!     |
//!   crawl      what peers may originate, as questions      (the daemon)
//!     |
//!   client     a socket, time-outs, coming again           tokio
//!     |
//!   dialogue   pipelining, selection of sources            sans-IO
//!     |
//!   framing    octets to answers                           sans-IO, fuzzed
//! ```
//!
//! `palisade irr` asks over the same client, and other questions: it wants what a set comes to, not the sets.

pub(crate) mod client;
pub(crate) mod crawl;
pub(crate) mod dialogue;
pub(crate) mod framing;
pub(crate) mod question;
pub(super) mod refresh;
