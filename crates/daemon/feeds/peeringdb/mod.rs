//! PeeringDB: what networks say of themselves, for peers of which nobody wrote it.
//!
//! ```text
//!   dumps  --read--> NetworkFacts \
//!                                  >-- union --> NetworkFacts --resolved--> a peer's as-set and limit
//!   API    --ask---> NetworkFacts /                      '----------------> networks never via route servers
//!            '-- kept on disk, for a start without the network
//! ```
//!
//! Three things are taken: the as-set that a network keeps (`irr_as_set`), how many prefixes of each family it announces
//! (`info_prefixes4`, `info_prefixes6`), and whether it never announces anything through a route server
//! (`info_never_via_route_servers`). Whoever can edit an entry there says so, and nobody checks it: it bounds what a peer
//! may announce, and never widens what other checks allow.
//!
//! What PeeringDB no longer says of a peer does not unbind it: see [`facts`].

mod api;
mod cache;
mod facts;
mod feed;
mod networks;
mod resolved;
mod round;

pub(crate) use facts::NetworkFacts;
pub(crate) use feed::{Known, PeeringDbFeed, PeeringDbState, SourceStatus};
pub(crate) use networks::DumpError;
pub(crate) use resolved::resolved;

#[cfg(test)]
mod tests;
