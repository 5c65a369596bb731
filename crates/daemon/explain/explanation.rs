//! Why a route is as it is: one value, which text and JSON both print.
//!
//! Its keys are public API, as reasons are: a key may come, none changes its meaning. Reasons, modes and states are slugs;
//! what a check rests on is said in a clause for people, and where it rests on tables, by the entries themselves.

use serde::{Deserialize, Serialize};

/// Why a route is as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Explanation {
    pub(crate) prefix: String,
    /// Who sends it; `null` for what the router originates.
    pub(crate) peer: Option<PeerFacts>,
    /// Whether nobody sent it: it was only supposed.
    pub(crate) supposed: bool,
    pub(crate) announcement: AnnouncementFacts,
    pub(crate) accepted: bool,
    /// The reason that decides, where it is rejected.
    pub(crate) reason: Option<String>,
    /// The first check that fails and is only observed, of those asked before the one that decides.
    pub(crate) observed: Option<String>,
    /// Every check, in the order in which they are asked.
    pub(crate) checks: Vec<CheckFacts>,
    pub(crate) rpki: RpkiFacts,
    pub(crate) irr: IrrFacts,
    pub(crate) aspa: AspaFacts,
    /// The operator's own rules, in their order.
    pub(crate) rules: Vec<RuleFacts>,
    /// What import makes of it, where it changes anything.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) import: Option<ImportFacts>,
    /// What the table holds; `null` where no router was asked and none was played.
    pub(crate) table: Option<TableFacts>,
    /// What the kernel holds; `null` where it is left alone.
    pub(crate) kernel: Option<KernelFacts>,
    pub(crate) tables: TablesFacts,
}

/// Who sends a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PeerFacts {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) asn: u32,
    pub(crate) role: Option<String>,
}

/// What is said of a route, as it was received.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AnnouncementFacts {
    pub(crate) as_path: String,
    /// The origin AS of RFC 6811 s2; `null` for its NONE.
    pub(crate) origin_as: Option<u32>,
    pub(crate) origin: String,
    pub(crate) next_hop: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) med: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) local_pref: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) only_to_customer: Option<u32>,
    pub(crate) communities: Vec<String>,
    pub(crate) large_communities: Vec<String>,
    /// Sixteen hexadecimal digits each.
    pub(crate) extended_communities: Vec<String>,
}

/// The answer to one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CheckFacts {
    /// The reason it gives.
    pub(crate) reason: String,
    /// `enforce`, `observe` or `off`: what is off is asked here all the same.
    pub(crate) mode: String,
    /// Whether the route fails it.
    pub(crate) failed: bool,
    /// Whether it is the one that decides.
    pub(crate) decides: bool,
    /// What failing it means, and where that is written.
    pub(crate) sentence: String,
    pub(crate) reference: String,
    /// What the answer rests on.
    pub(crate) evidence: String,
}

/// What the RPKI says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RpkiFacts {
    pub(crate) state: String,
    /// The VRPs that cover the prefix: those that authorize it, ..
    pub(crate) matched: Vec<VrpFacts>,
    /// .. those that name its origin AS and don't reach its length, ..
    pub(crate) wrong_length: Vec<VrpFacts>,
    /// .. and those that name another AS.
    pub(crate) wrong_asn: Vec<VrpFacts>,
}

/// A VRP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VrpFacts {
    pub(crate) prefix: String,
    pub(crate) max_length: u8,
    pub(crate) asn: u32,
}

/// What the routing registries say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IrrFacts {
    /// The route objects that cover the prefix: those that register it, ..
    pub(crate) matched: Vec<RouteObjectFacts>,
    /// .. those that name its origin AS, of a prefix too short to register one so long, ..
    pub(crate) wrong_length: Vec<RouteObjectFacts>,
    /// .. and those that name another AS.
    pub(crate) wrong_asn: Vec<RouteObjectFacts>,
    /// The peer's as-sets, as they are configured.
    pub(crate) as_set: Option<String>,
    /// How the origin AS comes to be in them, from the configured one down: `AS-CUSTOMER`, `AS-ITS-CUSTOMER`, `AS64502`.
    pub(crate) chain: Vec<ChainLink>,
}

/// What the ASPAs of the networks on the path say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AspaFacts {
    pub(crate) state: String,
    /// `upstream` or `downstream`; `null` where ASPA is not asked.
    pub(crate) direction: Option<String>,
    /// The hops, from the neighbor on.
    pub(crate) hops: Vec<HopFacts>,
}

/// A hop of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HopFacts {
    pub(crate) near: u32,
    pub(crate) far: u32,
    /// Whether the far AS has the near one as a provider: `provider`, `not-provider` or `no-attestation`; ..
    pub(crate) up: String,
    /// .. and the near AS the far one.
    pub(crate) down: String,
}

/// A rule of the operator's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RuleFacts {
    pub(crate) name: String,
    pub(crate) mode: String,
    /// `asked`, `decided` where a check or a rule before it had decided, or `not-this-peer`.
    pub(crate) reach: String,
    /// Whether all its conditions hold.
    pub(crate) holds: bool,
    /// Each condition by its key in the configuration, and whether it holds.
    pub(crate) conditions: Vec<ConditionFacts>,
    /// `accept`, `reject` or `continue`.
    pub(crate) action: String,
}

/// A condition of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ConditionFacts {
    pub(crate) key: String,
    pub(crate) holds: bool,
}

/// A step from an as-set to an AS in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChainLink {
    pub(crate) name: String,
    /// The registry that the set was taken from; `null` for an AS.
    pub(crate) source: Option<String>,
}

/// A route object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RouteObjectFacts {
    pub(crate) prefix: String,
    pub(crate) origin: u32,
    pub(crate) source: String,
}

/// What import changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImportFacts {
    /// Each change, in a clause.
    pub(crate) changes: Vec<String>,
    /// What the path is from then on, where a table holds it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) becomes: Option<AnnouncementFacts>,
}

/// What the table holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableFacts {
    /// Whether it is the best path, ..
    pub(crate) best: bool,
    /// .. or whose is, ..
    pub(crate) best_peer: Option<String>,
    /// .. and at which step that was found.
    pub(crate) decided_at: Option<String>,
    /// LOCAL_PREF that it has in the decision.
    pub(crate) local_preference: Option<u32>,
    /// Paths to the prefix, accepted or not.
    pub(crate) paths: usize,
    /// Whether an accepted path takes no part in the decision, because its next hop can't be reached.
    pub(crate) unreachable: bool,
    /// Whether its peer is yet to say it again, after a restart or in a refresh.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub(crate) stale: bool,
    /// What the router decided of it, where that is older than the tables: it is about to be judged again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) outdated: Option<String>,
    /// Every other peer, and whether the path goes to it.
    pub(crate) exports: Vec<ExportFacts>,
}

/// Whether a path goes to a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExportFacts {
    pub(crate) peer: String,
    pub(crate) sent: bool,
    /// Why not; or what is done to it on the way.
    pub(crate) because: Option<String>,
}

/// What the kernel holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KernelFacts {
    /// `installed`, `pending`, `unresolved`, `refused` or `not-wanted`.
    pub(crate) state: String,
    /// An address, or `discard`.
    pub(crate) next_hop: Option<String>,
}

/// The tables that it was judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TablesFacts {
    /// How often they have been replaced since the router started.
    pub(crate) generation: u64,
    pub(crate) vrps: usize,
    pub(crate) aspas: usize,
    pub(crate) route_objects: usize,
    /// Where they are from, as the router last knew; none where no router was asked.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) sources: Vec<SourceFacts>,
}

/// A source of tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SourceFacts {
    /// `rpki`, `irr`, `peeringdb` or `bogons`.
    pub(crate) feed: String,
    pub(crate) name: String,
    pub(crate) state: String,
    /// Seconds since its data was known to be good; `null` where that is not known.
    pub(crate) age_s: Option<u64>,
    /// Whether somebody should look at it.
    pub(crate) alarming: bool,
}

impl Explanation {
    /// The check that decides.
    pub(crate) fn deciding(&self) -> Option<&CheckFacts> {
        self.checks.iter().find(|check| check.decides)
    }

    /// The other checks that fail, whatever their mode.
    pub(crate) fn others_failed(&self) -> impl Iterator<Item = &CheckFacts> {
        self.checks.iter().filter(|check| check.failed && !check.decides)
    }
}
