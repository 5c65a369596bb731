//! The judge: every check of the design, asked in its order; the first enforced one that fails decides.
//!
//! Nothing else in Palisade decides whether a route is accepted. It works in two stages, because thousands of
//! prefixes share one set of attributes: [`judge_path`] asks what depends on the attributes, once for each set;
//! [`judge_prefix`] asks what depends on the prefix, and carries the path's verdict through.
//!
//! The RPKI's state is found for every route, also for one that the path stage refused: replay, the evidence report
//! and the looking glass count all routes by it, and it costs less than a cache miss in table order.

use palisade_bgp::attributes::Community;
use palisade_bgp::{Address, Asn, Attributes, Net};

use crate::actions::ActionScheme;
use crate::amendment::Amendment;
use crate::aspa::AspaState;
use crate::check::Mode;
use crate::evidence::{Evidence, Finding, Recorder};
use crate::path_stage::{self, PathFindings};
use crate::peer::Peer;
use crate::prefix_stage;
use crate::reason::Reason;
use crate::role::Role;
use crate::rov::RovState;
use crate::rules::condition::PrefixView;
use crate::rules::{self, RuleOutcome, RuleSet};
use crate::snapshot::Snapshot;

/// What the path stage says of a set of attributes from one peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathVerdict {
    /// Why it is refused; `None` where it is not.
    pub reason: Option<Reason>,
    /// The first check that failed and is only observed, of those asked before the one that decided.
    pub observed: Option<Reason>,
    /// Whether it carries BLACKHOLE (RFC 7999), or is a member's and carries a community that means the same here.
    pub blackhole: bool,
    /// What ASPA says, whatever decided.
    pub aspa: AspaState,
    /// The operator's rules whose conditions on the path hold: the prefix stage asks no others.
    pub rules: RuleSet,
    /// Whether it carries communities in our own namespace that this peer may not set.
    pub scrub: bool,
}

/// What the judge says of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Why it is refused; `None` where it is accepted.
    pub reason: Option<Reason>,
    /// The first check that failed and is only observed, of those asked before the one that decided.
    pub observed: Option<Reason>,
    /// What the RPKI says, whatever decided.
    pub rov: RovState,
    /// What import makes of its attributes.
    pub amendment: Amendment,
}

impl Verdict {
    /// Whether the route is accepted.
    #[inline]
    pub const fn accepted(self) -> bool {
        self.reason.is_none()
    }
}

/// Judges a route: both stages.
pub fn judge<A: Address, R: Recorder>(
    net: Net<A>,
    attributes: &Attributes<'_>,
    peer: &Peer,
    tables: &Snapshot,
    recorder: &mut R,
) -> Verdict {
    let path = judge_path(attributes, peer, tables, recorder);
    judge_prefix(net, attributes, path, peer, tables, recorder)
}

/// The path stage: what can be said of the attributes alone.
pub fn judge_path<R: Recorder>(
    attributes: &Attributes<'_>,
    peer: &Peer,
    tables: &Snapshot,
    recorder: &mut R,
) -> PathVerdict {
    let blackhole = is_blackhole(attributes, peer, tables);
    let mut hearing = Hearing { peer, recorder, reason: None, observed: None };
    hearing.ask(Reason::NoPolicy, || peer.role.is_none(), || Evidence::Role(peer.role));
    let mut verdict = PathVerdict { blackhole, ..PathVerdict::default() };
    if let Some(role) = peer.role {
        let PathFindings { aspa, scrub } = PathFindings::of(attributes, peer, role, tables);
        path_stage::hear(&mut hearing, attributes, aspa, role, tables);
        (verdict.aspa, verdict.scrub) = (aspa, scrub);
    }
    (verdict.reason, verdict.observed) = (hearing.reason, hearing.observed);
    if !peer.rules.is_empty() && verdict.reason.is_none() {
        verdict.rules = tables.rules.of_path(peer.rules, rules::path_view(attributes, verdict));
    }
    verdict
}

/// Whether attributes ask for traffic to be dropped (RFC 7999).
fn is_blackhole(attributes: &Attributes<'_>, peer: &Peer, tables: &Snapshot) -> bool {
    match own_blackhole_words(peer.role, tables.actions.as_deref()) {
        Some(actions) => actions.is_blackhole(attributes),
        None => attributes.communities().any(|community| community == Community::BLACKHOLE),
    }
}

/// The scheme that has words of its own for BLACKHOLE where a peer of a role uses them: a member or a customer. They get its routes
/// nothing that BLACKHOLE would not: they are held to the same proof.
#[inline]
pub fn own_blackhole_words(role: Option<Role>, actions: Option<&ActionScheme>) -> Option<&ActionScheme> {
    actions.filter(|_| matches!(role, Some(Role::RsClient | Role::Customer)))
}

/// The prefix stage, after the path stage of the same attributes and peer. Allocates nothing unless it records.
#[inline]
pub fn judge_prefix<A: Address, R: Recorder>(
    net: Net<A>,
    attributes: &Attributes<'_>,
    path: PathVerdict,
    peer: &Peer,
    tables: &Snapshot,
    recorder: &mut R,
) -> Verdict {
    let origin = attributes.facts.origin_as.or(peer.origin_of_empty_path);
    let rov = tables.rov.validate(net, origin);
    let mut hearing = Hearing { peer, recorder, reason: path.reason, observed: path.observed };
    if let Some(role) = peer.role
        && !hearing.is_over()
    {
        let claim = Claim { net, origin, blackhole: path.blackhole, rov };
        prefix_stage::hear(&mut hearing, claim, role, tables);
    }
    // Rules get copies: a hearing whose address they took would be kept in memory, for every route that meets none.
    let Hearing { reason, observed, recorder, .. } = hearing;
    if R::ACTIVE || (reason.is_none() && !path.rules.is_empty()) {
        let heard = PathVerdict { reason, observed, ..path };
        return after_rules(heard, attributes, rules::prefix_view(net, rov, origin, peer, tables), recorder);
    }
    Verdict { reason, observed, rov, amendment: amendment(reason, RuleSet::NONE, path.scrub) }
}

/// Asks the operator's rules, which come last, about a route that has been heard so far and, unless they are recorded, not
/// been refused.
#[inline(never)]
fn after_rules<A: Address, R: Recorder>(
    heard: PathVerdict,
    attributes: &Attributes<'_>,
    view: PrefixView<'_, A>,
    recorder: &mut R,
) -> Verdict {
    let RuleOutcome { rejected, observed, edits, .. } = if R::ACTIVE {
        rules::record(rules::path_view(attributes, heard), view, heard.reason.is_some(), recorder)
    } else {
        view.tables.rules.of_prefix(heard.rules, view)
    };
    let reason = heard.reason.or(rejected.map(Reason::Rule));
    let observed = heard.observed.or(observed.map(Reason::Rule));
    Verdict { reason, observed, rov: view.rov, amendment: amendment(reason, edits, heard.scrub) }
}

/// A route that is refused keeps the attributes that were received.
#[inline]
fn amendment(reason: Option<Reason>, edits: RuleSet, scrub: bool) -> Amendment {
    if reason.is_none() { Amendment::new(edits, scrub) } else { Amendment::NONE }
}

/// A route as the prefix stage sees it.
#[derive(Clone, Copy)]
pub(crate) struct Claim<A> {
    pub(crate) net: Net<A>,
    pub(crate) origin: Option<Asn>,
    pub(crate) blackhole: bool,
    pub(crate) rov: RovState,
}

/// One route's hearing: the checks asked so far and what they came to.
pub(crate) struct Hearing<'a, R> {
    pub(crate) peer: &'a Peer,
    recorder: &'a mut R,
    reason: Option<Reason>,
    observed: Option<Reason>,
}

impl<R: Recorder> Hearing<'_, R> {
    /// Whether no answer can matter any more.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        !R::ACTIVE && self.reason.is_some()
    }

    /// Asks one check. Evidence is gathered only for a recorder that wants it.
    #[inline]
    pub(crate) fn ask(
        &mut self,
        reason: Reason,
        violated: impl FnOnce() -> bool,
        evidence: impl FnOnce() -> Evidence,
    ) {
        let mode = self.peer.checks.mode(reason);
        if self.is_over() || (!R::ACTIVE && mode == Mode::Off) {
            return;
        }
        let violated = violated();
        if R::ACTIVE {
            self.recorder.finding(Finding { reason, mode, violated, evidence: evidence() });
        }
        if violated && self.reason.is_none() {
            match mode {
                Mode::Enforce => self.reason = Some(reason),
                Mode::Observe => self.observed = self.observed.or(Some(reason)),
                Mode::Off => {}
            }
        }
    }
}
