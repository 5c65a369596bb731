//! From what an operator wrote to what the judge works with: peers and tables.
//!
//! `palisade run`, `replay` and `lab` judge by the same tables because they come from here, and `palisade check` shows
//! the modes of checks that are computed here, not its own idea of them.

pub(crate) mod named;
mod policy;
mod rules;
pub(crate) mod tables;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use palisade_bgp::Asn;
use palisade_bgp::attributes::NextHop;
use palisade_policy::{
    ActionScheme, Checks, Expansion, ExpansionError, ExpansionLimits, Mode, OriginSet, Reason, Reflector,
    Role, Snapshot, Stage,
};

use palisade_rib::Tags;

use crate::config::{ChosenMode, Config, Limits, Peer, PeerRange};
use crate::feeds::peeringdb::{self, NetworkFacts};

pub(crate) use policy::{Excess, PeerPolicy, policies, policies_after};
pub(crate) use tables::{Tables, standing, tables, tables_of_now};

/// Why a check is taken as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Because {
    /// The peer's role says so.
    Role,
    /// The role leaves the check off, and what `[checks]` says at this place is for roles that ask it.
    RoleDespite(Range<usize>),
    /// `[checks]` says so, at this place.
    Everywhere(Range<usize>),
    /// `[checks.ROLE]` says so of the peer's role, at this place.
    ItsRole(Role, Range<usize>),
    /// The `checks` of the peer's group say so, at this place.
    Group(Range<usize>),
    /// The peer's own `checks` say so, at this place.
    Peer(Range<usize>),
    /// The peer's `allow_default` says so.
    AllowDefault,
}

/// How a check is taken for a peer, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckMode {
    /// The check, named by its reason.
    pub(crate) reason: Reason,
    /// How it is taken.
    pub(crate) mode: Mode,
    /// Why.
    pub(crate) because: Because,
}

/// A peer for the judge, made of one that [`resolved_peers`] gave. Its as-sets are expanded from the tables' IRR; where all of that fails, and [`tables()`] says so, the peer
/// may originate for its own AS alone.
pub(crate) fn peer(config: &Config, peer: &Peer, tables: &Snapshot) -> palisade_policy::Peer {
    let mut judged = palisade_policy::Peer::new(peer.asn, config.router.asn, peer.role, peer.address);
    judged.local_address = peer.local_address;
    judged.reflector = reflector(config, peer);
    judged.regions = peer.regions.as_slice().into();
    judged.origins = origins(peer, tables).map(Arc::new);
    if let Some(role) = peer.role {
        judged.checks = checks(config, peer, role);
    }
    judged.limits = limits(config, &peer.limits);
    let accept_rpki_valid = peer.limits.accept_rpki_valid.map(|accept| accept.value);
    judged.rpki_valid_is_registered = accept_rpki_valid.unwrap_or(config.irr.accept_rpki_valid);
    judged.rules = rules::about(config, peer);
    judged.may_carry = rules::may_carry(config, peer);
    judged.scrub &= config.communities.scrub;
    judged
}

/// What we are to a peer in route reflection.
fn reflector(config: &Config, peer: &Peer) -> Option<Reflector> {
    let reflector = Reflector {
        router_id: config.router.id,
        cluster_id: config.router.cluster_id,
        is_client: peer.route_reflector_client,
    };
    (peer.role == Some(Role::Internal)).then_some(reflector)
}

fn limits(config: &Config, limits: &Limits) -> palisade_policy::Limits {
    let longest = limits.longest.map(|longest| longest.value);
    let allow_longer = limits.allow_longer.map_or(config.irr.allow_longer, |allow| allow.value);
    palisade_policy::Limits {
        shortest: limits.shortest.map(|shortest| shortest.value),
        longest,
        longest_registered: if allow_longer { longest } else { [0; 2] },
        path_length: limits.path_length.value,
        communities: limits.communities.value,
        attribute_octets: limits.attribute_octets.value,
    }
}

/// The router itself, as the source of what it originates. A route object speaks for it as it does for peers.
pub(crate) fn ourselves(config: &Config) -> palisade_policy::Peer {
    let mut ours = palisade_policy::Peer::ours(config.router.asn);
    if !config.irr.allow_longer {
        ours.limits.longest_registered = [0; 2];
    }
    ours
}

/// The peers of the configuration with what PeeringDB says of their networks, where it is asked. Whatever judges, shows or limits
/// a peer takes it from here.
pub(crate) fn resolved_peers(config: &Config, facts: &NetworkFacts) -> Vec<Peer> {
    resolved(config, &config.peers, facts)
}

/// The same of some peers, as they are written.
pub(crate) fn resolved(config: &Config, peers: &[Peer], facts: &NetworkFacts) -> Vec<Peer> {
    match &config.peeringdb {
        Some(settings) => {
            peers.iter().map(|peer| peeringdb::resolved(peer, settings, facts).into_owned()).collect()
        }
        None => peers.to_vec(),
    }
}

/// The AS numbers of the peers of which PeeringDB is asked.
pub(crate) fn asked_of_peeringdb(config: &Config) -> BTreeSet<Asn> {
    let guests = config.ranges.iter().flat_map(PeerRange::alike);
    let asked =
        config.peers.iter().chain(guests).filter(|peer| peer.peeringdb.as_set || peer.peeringdb.max_prefixes);
    asked.map(|peer| peer.asn).collect()
}

/// What a peer's routes are tagged with on their way out: its own tags, or its role's.
pub(crate) fn tags(config: &Config, peer: &Peer) -> Option<Arc<Tags>> {
    let tags = peer.tags.as_ref().or_else(|| config.communities.tags_of(peer.role?))?;
    let (communities, large) = (tags.communities.clone(), tags.large.clone());
    let none = communities.is_empty() && large.is_empty();
    (!none).then(|| Arc::new(Tags { communities, large }))
}

/// What members may ask for with communities; `None` where they may ask for nothing.
pub(crate) fn action_scheme(config: &Config) -> Option<Arc<ActionScheme>> {
    let actions = config.actions.as_ref()?;
    let next_hops = actions.blackhole_next_hops.map(|address| address.map(NextHop::from));
    let patterns: Vec<_> = actions.patterns.iter().map(|one| (one.action, one.pattern)).collect();
    let asked = !patterns.is_empty() || next_hops.iter().any(Option::is_some);
    asked.then(|| Arc::new(ActionScheme::new(&patterns, next_hops)))
}

/// What a peer's as-sets come to together; `None` where none can be expanded.
fn origins(peer: &Peer, tables: &Snapshot) -> Option<OriginSet> {
    let mut sets = expansions(peer, tables).filter_map(Result::ok).map(|expansion| expansion.origins);
    let first = sets.next()?;
    Some(sets.fold(first, |all, one| all.iter().chain(one.iter()).collect()))
}

/// What each of a peer's as-sets comes to.
fn expansions<'a>(
    peer: &'a Peer,
    tables: &'a Snapshot,
) -> impl Iterator<Item = Result<Expansion, ExpansionError>> + use<'a> {
    let names = peer.as_set.as_deref().unwrap_or_default().split_whitespace();
    names.map(|name| tables.irr.expand(name, &ExpansionLimits::default()))
}

fn checks(config: &Config, peer: &Peer, role: Role) -> Checks {
    let mut checks = Checks::for_role(role, peer.is_bound_by_as_set());
    for check in check_modes(config, peer, role) {
        // Those that refuse to be set are none that `check_modes` lists.
        let _ = checks.set(check.reason, check.mode);
    }
    checks
}

/// Every check of a peer of that role, in the order in which the judge asks. The peer's own words come first, then its
/// group's, those for its role, those for all peers, and then the role's defaults.
pub(crate) fn check_modes(config: &Config, peer: &Peer, role: Role) -> Vec<CheckMode> {
    let defaults = Checks::for_role(role, peer.is_bound_by_as_set());
    let reasons = Reason::ALL.iter().copied().filter(|reason| reason.stage() != Stage::Peer);
    let of_role = config.role_checks.iter().find(|(of, _)| *of == role);
    let of_role = of_role.map(|(_, chosen)| chosen.as_slice()).unwrap_or_default();
    let mode = |reason| {
        let (mode, because) = nearest(peer, reason)
            .or_else(|| chosen(of_role, reason, |span| Because::ItsRole(role, span)))
            .unwrap_or_else(|| everywhere(config, reason, defaults.mode(reason)));
        CheckMode { reason, mode, because }
    };
    reasons.map(mode).collect()
}

/// What is said of a check nearest to a peer: by itself, or by its group.
fn nearest(peer: &Peer, reason: Reason) -> Option<(Mode, Because)> {
    let allowed = reason == Reason::DefaultRoute && peer.allow_default;
    chosen(&peer.checks, reason, Because::Peer)
        .or_else(|| allowed.then_some((Mode::Off, Because::AllowDefault)))
        .or_else(|| chosen(&peer.group_checks, reason, Because::Group))
}

/// What is said for all peers, or else the role's default. `[checks]` never switches on what a role leaves off: that a check
/// applies "everywhere" does not mean that a provider is held to an as-set it doesn't have. `[checks.provider]` would.
fn everywhere(config: &Config, reason: Reason, default: Mode) -> (Mode, Because) {
    match chosen(&config.checks, reason, Because::Everywhere) {
        Some((mode, Because::Everywhere(span))) if default == Mode::Off && mode != Mode::Off => {
            (default, Because::RoleDespite(span))
        }
        Some(chosen) => chosen,
        None => (default, Because::Role),
    }
}

fn chosen(
    list: &[ChosenMode],
    reason: Reason,
    because: impl FnOnce(Range<usize>) -> Because,
) -> Option<(Mode, Because)> {
    let chosen = list.iter().find(|chosen| chosen.reason == reason)?;
    Some((chosen.mode, because(chosen.span.clone())))
}

#[cfg(test)]
mod tests;
