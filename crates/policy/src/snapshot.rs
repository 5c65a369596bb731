//! The tables that announcements are judged by, as they stood at one moment.
//!
//! A snapshot never changes. A feed that has news builds a new one around the tables that did not change, and hands
//! it out with the prefixes that did (`changed_ranges` of the index in question): only what lies under these is
//! judged again.

use std::sync::Arc;

use palisade_bgp::Asn;

use crate::actions::ActionScheme;
use crate::aspa::AspaIndex;
use crate::bogons::{Bogons, TRANSIT_FREE_ASNS};
use crate::irr::IrrIndex;
use crate::origin_set::OriginSet;
use crate::peerlock::Peerlocks;
use crate::prefix_set::PrefixSet;
use crate::rov::RovIndex;
use crate::rules::Rules;

/// The tables of one generation.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Counts up by one with every change of a table.
    pub generation: u64,
    /// The generation in which a table that the path stage reads last changed: what it said before is to be asked again.
    pub path_generation: u64,
    /// The RPKI's VRPs.
    pub rov: Arc<RovIndex>,
    /// The RPKI's ASPAs.
    pub aspa: Arc<AspaIndex>,
    /// The IRR's route objects and as-sets.
    pub irr: Arc<IrrIndex>,
    /// What nobody can announce.
    pub bogons: Arc<Bogons>,
    /// The AS numbers of networks that buy no transit.
    pub transit_free: Arc<[Asn]>,
    /// The AS numbers that are ours, beside each session's own.
    pub own_asns: Arc<[Asn]>,
    /// The prefixes that are ours.
    pub own_prefixes: Arc<PrefixSet>,
    /// The peering LANs of the exchanges that we are at.
    pub peering_lans: Arc<PrefixSet>,
    /// What members of a route server may ask for with communities; `None` where they may not.
    pub actions: Option<Arc<ActionScheme>>,
    /// Networks that announce nothing through route servers.
    pub never_via_rs: Arc<OriginSet>,
    /// Networks whose routes come from where they said, or not at all.
    pub peerlocks: Arc<Peerlocks>,
    /// The operator's own rules.
    pub rules: Arc<Rules>,
}

impl Default for Snapshot {
    /// What is built in, and nothing else: generation 0, no VRPs, no route objects, nothing of our own.
    fn default() -> Self {
        Snapshot {
            generation: 0,
            path_generation: 0,
            rov: Arc::default(),
            aspa: Arc::default(),
            irr: Arc::default(),
            bogons: Arc::default(),
            transit_free: Arc::from(TRANSIT_FREE_ASNS),
            own_asns: Arc::default(),
            own_prefixes: Arc::default(),
            peering_lans: Arc::default(),
            actions: None,
            never_via_rs: Arc::default(),
            peerlocks: Arc::default(),
            rules: Arc::default(),
        }
    }
}
