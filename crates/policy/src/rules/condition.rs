//! What a rule asks of a route before it applies.
//!
//! Conditions are of two kinds, as the judge's checks are: those on the path are looked at once for each attribute set, and
//! those on the prefix for each prefix. All conditions of a rule must hold; each is a list of which any entry will do.

use std::ops::RangeInclusive;

use palisade_bgp::{Address, Asn, Attributes, Family, Net};

use super::{AnyCommunity, AsPathPattern, CommunityPattern, PrefixRangeSet};
use crate::aspa::AspaState;
use crate::origin_set::OriginSet;
use crate::peer::Peer;
use crate::prefix_set::PrefixSet;
use crate::rov::RovState;
use crate::snapshot::Snapshot;

/// What the routing registries say of a route, whatever the peer's checks ask, and whatever the RPKI says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IrrState {
    /// A route object registers it for its origin.
    Registered,
    /// None does.
    NotRegistered,
    /// Its origin is no member of the peer's as-set; without an as-set, is not the peer.
    NotInAsSet,
}

impl IrrState {
    /// All of them.
    pub const ALL: [IrrState; 3] = [IrrState::Registered, IrrState::NotRegistered, IrrState::NotInAsSet];

    /// Its name in configuration and output.
    pub const fn slug(self) -> &'static str {
        match self {
            IrrState::Registered => "registered",
            IrrState::NotRegistered => "not-registered",
            IrrState::NotInAsSet => "not-in-as-set",
        }
    }
}

/// A condition on the path.
#[derive(Debug)]
pub enum PathCondition {
    /// AS_PATH matches one of these.
    AsPath(Vec<AsPathPattern>),
    /// It is of a length, as the decision process counts it.
    AsPathLength(RangeInclusive<u16>),
    /// It holds one of these.
    ContainsAsn(OriginSet),
    /// The route's origin is one of these.
    Origin(OriginSet),
    /// One of its communities, of any kind, matches one of these.
    Communities(Vec<CommunityPattern>),
    /// ASPA says one of these.
    Aspa(Vec<AspaState>),
    /// The next hop lies within one of these.
    NextHop(PrefixSet),
    /// Whether it asks for traffic to be dropped (RFC 7999).
    Blackhole(bool),
    /// MULTI_EXIT_DISC is there, and within these.
    Med(RangeInclusive<u32>),
    /// LOCAL_PREF, which internal peers alone send, is there, and within these.
    LocalPref(RangeInclusive<u32>),
}

/// A condition on the prefix.
#[derive(Debug)]
pub enum PrefixCondition {
    /// It is one of these.
    Prefixes(PrefixRangeSet),
    /// It is of this family.
    Family(Family),
    /// It is of a length.
    Length(RangeInclusive<u8>),
    /// The RPKI says one of these.
    Rov(Vec<RovState>),
    /// The routing registries say one of these.
    Irr(Vec<IrrState>),
}

/// A path as conditions see it.
#[derive(Clone, Copy)]
pub(crate) struct PathView<'a> {
    pub(crate) attributes: &'a Attributes<'a>,
    pub(crate) aspa: AspaState,
    pub(crate) blackhole: bool,
}

/// A prefix as conditions see it.
#[derive(Clone, Copy)]
pub(crate) struct PrefixView<'a, A> {
    pub(crate) net: Net<A>,
    pub(crate) origin: Option<Asn>,
    pub(crate) rov: RovState,
    pub(crate) peer: &'a Peer,
    pub(crate) tables: &'a Snapshot,
}

impl PathCondition {
    /// Its key in the configuration.
    pub const fn name(&self) -> &'static str {
        match self {
            PathCondition::AsPath(_) => "as_path",
            PathCondition::AsPathLength(_) => "as_path_length",
            PathCondition::ContainsAsn(_) => "contains_asn",
            PathCondition::Origin(_) => "origin",
            PathCondition::Communities(_) => "communities",
            PathCondition::Aspa(_) => "aspa",
            PathCondition::NextHop(_) => "next_hop",
            PathCondition::Blackhole(_) => "blackhole",
            PathCondition::Med(_) => "med",
            PathCondition::LocalPref(_) => "local_pref",
        }
    }

    pub(super) fn holds(&self, PathView { attributes, aspa, blackhole }: PathView<'_>) -> bool {
        let facts = attributes.facts;
        match self {
            PathCondition::AsPath(patterns) => {
                patterns.iter().any(|pattern| pattern.matches(attributes.as_path()))
            }
            PathCondition::AsPathLength(lengths) => lengths.contains(&facts.path_length),
            PathCondition::ContainsAsn(asns) => attributes.as_path().asns().any(|asn| asns.contains(asn)),
            PathCondition::Origin(asns) => facts.origin_as.is_some_and(|origin| asns.contains(origin)),
            PathCondition::Communities(patterns) => communities(attributes)
                .any(|community| patterns.iter().any(|pattern| pattern.matches(community))),
            PathCondition::Aspa(states) => states.contains(&aspa),
            PathCondition::NextHop(prefixes) => prefixes.contains(attributes.next_hop.address()),
            PathCondition::Blackhole(asked) => *asked == blackhole,
            PathCondition::Med(range) => facts.med.is_some_and(|med| range.contains(&med)),
            PathCondition::LocalPref(range) => facts.local_pref.is_some_and(|one| range.contains(&one)),
        }
    }
}

impl PrefixCondition {
    /// Its key in the configuration.
    pub const fn name(&self) -> &'static str {
        match self {
            PrefixCondition::Prefixes(_) => "prefixes",
            PrefixCondition::Family(_) => "family",
            PrefixCondition::Length(_) => "length",
            PrefixCondition::Rov(_) => "rov",
            PrefixCondition::Irr(_) => "irr",
        }
    }

    pub(super) fn holds<A: Address>(&self, view: PrefixView<'_, A>) -> bool {
        match self {
            PrefixCondition::Prefixes(ranges) => ranges.contains(view.net),
            PrefixCondition::Family(family) => *family == A::FAMILY,
            PrefixCondition::Length(lengths) => lengths.contains(&view.net.len()),
            PrefixCondition::Rov(states) => states.contains(&view.rov),
            PrefixCondition::Irr(states) => states.iter().any(|state| view.irr(*state)),
        }
    }
}

impl<A: Address> PrefixView<'_, A> {
    fn irr(&self, state: IrrState) -> bool {
        let longest = self.peer.limits.longest_registered[A::FAMILY.index()];
        let registered =
            || self.origin.is_some_and(|origin| self.tables.irr.registered(self.net, origin, longest));
        match state {
            IrrState::Registered => registered(),
            IrrState::NotRegistered => !registered(),
            IrrState::NotInAsSet => !self.origin.is_some_and(|origin| self.peer.may_originate(origin)),
        }
    }
}

fn communities<'a>(attributes: &Attributes<'a>) -> impl Iterator<Item = AnyCommunity> + use<'a> {
    let standard = attributes.communities().map(AnyCommunity::Standard);
    let large = attributes.large_communities().map(AnyCommunity::Large);
    standard.chain(large).chain(attributes.extended_communities().map(AnyCommunity::Extended))
}
