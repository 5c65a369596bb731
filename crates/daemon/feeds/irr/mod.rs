//! The Internet Routing Registry as it changes while the router runs.
//!
//! ```text
//!   dumps    files that are watched --.
//!   mirrors  a dump, then NRTM -------+--> guards --> union --> IrrTables
//!   whois    what peers need, asked --'      |
//!            again and again                 '--> cache on disk --> the next start
//! ```
//!
//! Each source owns its last good data, an index that never changes and is cheap to amend. What a source tells counts
//! when its guard lets it, and the union of all that counts is handed on as a whole; whoever takes it compares it with
//! the one before. An answer that is empty, broken or too different changes nothing: the last good data stays, however
//! old, and its age is shown and alarming.
//!
//! It judges nothing and knows no peer, only which as-sets peers name.

pub(crate) mod cache;
mod dumps;
mod feed;
mod guarded;
mod nrtm;
mod source;
mod status;
mod wanted;
pub(crate) mod whois;

pub(crate) use feed::{IrrFeed, IrrTables, kept_of_servers};
pub(crate) use status::SourceStatus;
pub(crate) use wanted::wanted;

#[cfg(test)]
#[allow(clippy::expect_used, reason = "test code fails by panicking")]
#[path = "../../../../tests/support/irrd.rs"]
mod irrd;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]
mod tests;
