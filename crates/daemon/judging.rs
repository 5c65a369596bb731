//! From what an operator wrote to what the judge works with: peers and tables.
//!
//! `palisade run`, `replay` and `lab` judge by the same tables because they come from here, and `palisade check` shows
//! the modes of checks that are computed here, not its own idea of them.

pub(crate) mod tables;

use std::ops::Range;
use std::sync::Arc;

use palisade_bgp::attributes::NextHop;
use palisade_policy::{
    ActionScheme, Checks, Expansion, ExpansionError, ExpansionLimits, Mode, OriginSet, Reason, Role,
    Snapshot, Stage,
};

use crate::config::{ChosenMode, Config, Peer};

pub(crate) use tables::{Tables, tables};

/// Why a check is taken as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Because {
    /// The peer's role says so.
    Role,
    /// The role leaves the check off, and what `[checks]` says at this place is for roles that ask it.
    RoleDespite(Range<usize>),
    /// `[checks]` says so, at this place.
    Everywhere(Range<usize>),
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

/// A peer for the judge. Its as-sets are expanded from the tables' IRR; where all of that fails, and [`tables()`] says so, the peer
/// may originate for its own AS alone.
pub(crate) fn peer(config: &Config, peer: &Peer, tables: &Snapshot) -> palisade_policy::Peer {
    let mut judged = palisade_policy::Peer::new(peer.asn, config.router.asn, peer.role, peer.address);
    judged.local_address = peer.local_address;
    judged.regions = peer.regions.as_slice().into();
    judged.origins = origins(peer, tables).map(Arc::new);
    if let Some(role) = peer.role {
        judged.checks = checks(config, peer, role);
    }
    if !config.irr.allow_longer {
        judged.limits.longest_registered = [0; 2];
    }
    judged
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
    let mut checks = Checks::for_role(role, peer.as_set.is_some());
    for check in check_modes(config, peer, role) {
        // Those that refuse to be set are none that `check_modes` lists.
        let _ = checks.set(check.reason, check.mode);
    }
    checks
}

/// Every check of a peer of that role, in the order in which the judge asks.
pub(crate) fn check_modes(config: &Config, peer: &Peer, role: Role) -> Vec<CheckMode> {
    let defaults = Checks::for_role(role, peer.as_set.is_some());
    let reasons = Reason::ALL.iter().copied().filter(|reason| reason.stage() != Stage::Peer);
    reasons.map(|reason| check_mode(config, peer, reason, defaults.mode(reason))).collect()
}

/// A peer's own words come first, then those for all peers, then its role's. `[checks]` never switches on what a role
/// leaves off: that a check applies "everywhere" does not mean that a provider is held to an as-set it doesn't have.
fn check_mode(config: &Config, peer: &Peer, reason: Reason, default: Mode) -> CheckMode {
    let chosen = |list: &[ChosenMode]| list.iter().find(|chosen| chosen.reason == reason).cloned();
    let (mode, because) = match (chosen(&peer.checks), chosen(&config.checks)) {
        (Some(own), _) => (own.mode, Because::Peer(own.span)),
        (None, _) if reason == Reason::DefaultRoute && peer.allow_default => {
            (Mode::Off, Because::AllowDefault)
        }
        (None, Some(all)) if default == Mode::Off && all.mode != Mode::Off => {
            (default, Because::RoleDespite(all.span))
        }
        (None, Some(all)) => (all.mode, Because::Everywhere(all.span)),
        (None, None) => (default, Because::Role),
    };
    CheckMode { reason, mode, because }
}

#[cfg(test)]
mod tests;
