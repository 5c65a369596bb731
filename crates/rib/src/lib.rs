//! The routing table, one shard of it as a machine: where an announcement meets its verdict.
//!
//! Without I/O, threads or a clock of its own: the daemon brings batches and time, and takes chunks to the sockets and
//! changes to the FIB.

pub mod account;
pub mod attribute_set;
pub mod audience;
mod backlog;
mod changes;
pub mod chunk;
pub mod counters;
pub mod decision;
mod departures;
mod derived;
pub mod export;
pub mod forwarding;
pub mod group;
pub mod intake;
mod judgement;
pub mod offer;
mod origin_index;
mod outgoing;
pub mod path;
mod path_id;
pub mod peer;
pub mod prefix_limits;
pub mod query;
pub mod retention;
mod routes;
pub mod shard;
mod stale;
pub mod table;
pub mod touched;

pub use account::{Account, Export, Outcome, Sent, Silence, Told};
pub use attribute_set::{AttributeSet, Interner};
pub use audience::Audience;
pub use chunk::Chunk;
pub use counters::{Counts, PeerCounters, Tally};
pub use decision::{Ranking, Step, best_path};
pub use export::{ExportView, Withheld};
pub use forwarding::{Forwarding, Gateway, forwarding};
pub use group::Change;
pub use intake::{Batch, Intake, Section, shard_of};
pub use judgement::Stamp;
pub use offer::{Best, Offer, Offers};
pub use path::{MOST_PATHS, MOST_PEERS, Path, PeerIndex};
pub use peer::{RibPeer, Tags, Terms};
pub use prefix_limits::{Bounds, Limit, Limited, PrefixLimits};
pub use query::{Held, Page, Query, Scope, Selection, Totals};
pub use retention::{Order, Phase, RETURN_TIME, Retention};
pub use shard::{Outbox, Shard};
pub use table::Table;
pub use touched::{PolicyTouched, Touched};
