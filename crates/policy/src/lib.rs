//! The judge: origin validation, IRR, roles, bogons and the reasons they give.
//!
//! Everything turns on one pure function, [`fn@judge`]: an announcement, the peer that sent it and the tables go in, a
//! [`Verdict`] comes out. The router obeys it, replay counts it, explain prints it; nobody else decides. It reads no
//! clock and does no I/O: whoever holds the files and the sockets reads them and builds a [`Snapshot`].
//!
//! ```text
//!   VRPs (files, RTR) --> RovIndex \
//!   ASPAs ------------> AspaIndex  \
//!   RPSL dumps, whois --> IrrIndex  >-- Snapshot --\
//!   built in, operator -> Bogons   /                >-- judge --> Verdict { reason, observed, rov, amendment }
//!   configuration ------> Peer { role, checks, .. } /       \--> Trace (explain only)
//!   an UPDATE ----------> Attributes, Net<A> ------/
//! ```

pub mod actions;
pub mod amendment;
pub mod any_json;
pub mod as_set;
pub mod aspa;
pub mod bogon_list;
pub mod bogons;
pub mod check;
mod covering;
pub mod dependencies;
pub mod evidence;
pub mod expansion;
pub mod irr;
pub mod judge;
mod lines;
pub mod malformed;
pub mod origin_set;
mod path_stage;
pub mod peer;
pub mod peerlock;
pub mod prefix_range;
pub mod prefix_set;
mod prefix_stage;
pub mod reason;
pub mod reject_community;
pub mod role;
pub mod route_set;
pub mod route_set_expansion;
pub mod rov;
mod rpsl;
pub mod rules;
mod set_name;
pub mod snapshot;
pub mod vrp;
mod vrp_table;
pub mod vrps;

pub use actions::{ActionScheme, Region, Scrubbed, Treatment, Wishes};
pub use amendment::{Amendment, Changes};
pub use as_set::{AsSet, AsSetName};
pub use aspa::{Aspa, AspaIndex, AspaState};
pub use bogon_list::{BogonList, BogonListError};
pub use bogons::Bogons;
pub use check::{Checks, Mode};
pub use dependencies::Dependencies;
pub use evidence::{AspaEvidence, Evidence, Finding, Recorder, RuleEvidence, RuleReach, Trace};
pub use expansion::{Chain, Expansion, ExpansionError, ExpansionLimits};
pub use irr::{
    ChangedSets, IrrBuilder, IrrChange, IrrError, IrrIndex, IrrObject, IrrObjectError, IrrReport, RouteObject,
};
pub use judge::{PathVerdict, Verdict, judge, judge_path, judge_prefix, own_blackhole_words};
pub use malformed::Malformed;
pub use origin_set::OriginSet;
pub use peer::{Limits, Peer, Reflector};
pub use peerlock::{Peerlock, Peerlocks};
pub use prefix_range::{PrefixRange, PrefixRangeError, RangeOperator};
pub use prefix_set::PrefixSet;
pub use reason::{PerReason, Reason, Stage};
pub use reject_community::{RejectCommunities, RejectScheme};
pub use role::{Role, Source, exports};
pub use route_set::{RouteSet, RouteSetName};
pub use route_set_expansion::{RouteSetExpansion, RouteSetExpansionError};
pub use rov::{RovIndex, RovState};
pub use rules::{Rule, RuleNumber, RuleSet, Rules};
pub use snapshot::Snapshot;
pub use vrp::{Vrp, VrpError};
pub use vrps::{EmptySet, VrpFile, VrpFileError};
