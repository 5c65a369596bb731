//! The operator's own rules, as the judge asks them: after all checks, in the order in which they are written.
//!
//! A rule has conditions, all of which must hold, and says what follows: the route is refused, or accepted without asking
//! the rules after it, or the rules after it are asked. On the way it may change the route's attributes. It never saves a
//! route that a check refuses.
//!
//! ```text
//!   those of the peer --conditions on the path--> RuleSet --conditions on the prefix--> refused | accepted, Amendment
//!                       once an attribute set              once a prefix
//! ```
//!
//! Conditions look at what was received, also where an earlier rule changes it: so what a rule does depends on no other,
//! but for whether it is asked at all.

pub mod as_path_pattern;
pub mod community_pattern;
pub mod condition;
pub mod edits;
pub mod prefix_list;
pub mod prefix_range_set;

use std::borrow::Cow;

use palisade_bgp::{Address, Attributes, Net};

use crate::amendment::{Amendment, Changes};
use crate::check::Mode;
use crate::evidence::{Evidence, Finding, Recorder, RuleEvidence, RuleReach};
use crate::judge::PathVerdict;
use crate::peer::Peer;
use crate::reason::Reason;
use crate::rov::RovState;
use crate::snapshot::Snapshot;

pub use as_path_pattern::{AsPathPattern, AsPathPatternError};
pub use community_pattern::{AnyCommunity, CommunityPattern, CommunityPatternError};
pub use condition::{IrrState, PathCondition, PrefixCondition};
pub use edits::{Edits, MAX_PREPENDS};
pub use prefix_list::{PrefixListError, read_prefix_list};
pub use prefix_range_set::PrefixRangeSet;

use condition::{PathView, PrefixView};

/// The most rules that there may be: a set of them, and one thing more, is one word.
pub const MAX_RULES: usize = 63;

/// A rule, by its place in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleNumber(u8);

impl RuleNumber {
    /// The rule at a place, which is less than [`MAX_RULES`].
    pub const fn new(index: u8) -> Option<Self> {
        if (index as usize) < MAX_RULES { Some(RuleNumber(index)) } else { None }
    }

    /// Its place.
    pub const fn index(self) -> u8 {
        self.0
    }
}

/// A set of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RuleSet(u64);

impl RuleSet {
    /// None of them.
    pub const NONE: RuleSet = RuleSet(0);

    /// The set whose rules are the bits of a word; a bit that is no rule's is left out.
    pub const fn from_bits(bits: u64) -> Self {
        RuleSet(bits & ((1 << MAX_RULES) - 1))
    }

    /// Its rules as the bits of a word.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether there are none.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds one.
    pub const fn insert(&mut self, rule: RuleNumber) {
        self.0 |= 1 << rule.0;
    }

    /// Whether one is in it.
    pub const fn contains(self, rule: RuleNumber) -> bool {
        self.0 & 1 << rule.0 != 0
    }

    /// Those that are in both.
    #[must_use]
    pub const fn and(self, other: RuleSet) -> RuleSet {
        RuleSet(self.0 & other.0)
    }

    /// Its rules in the order of the configuration.
    pub fn iter(self) -> impl Iterator<Item = RuleNumber> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let next = (left != 0).then(|| RuleNumber(left.trailing_zeros() as u8))?;
            left &= left - 1;
            Some(next)
        })
    }
}

impl FromIterator<RuleNumber> for RuleSet {
    fn from_iter<I: IntoIterator<Item = RuleNumber>>(rules: I) -> Self {
        let mut set = RuleSet::NONE;
        rules.into_iter().for_each(|rule| set.insert(rule));
        set
    }
}

/// What follows where a rule's conditions hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Action {
    /// The route is accepted, and the rules after this one are not asked.
    Accept,
    /// It is refused.
    Reject,
    /// The rules after this one are asked.
    #[default]
    Continue,
}

impl Action {
    /// All of them.
    pub const ALL: [Action; 3] = [Action::Accept, Action::Reject, Action::Continue];

    /// Its name in configuration and output.
    pub const fn slug(self) -> &'static str {
        match self {
            Action::Accept => "accept",
            Action::Reject => "reject",
            Action::Continue => "continue",
        }
    }
}

/// A rule. Whom it is about is not here: each peer knows its rules ([`Peer::rules`]).
#[derive(Debug)]
pub struct Rule {
    /// What the operator calls it.
    pub name: String,
    /// What must hold of the path.
    pub path: Vec<PathCondition>,
    /// What must hold of the prefix.
    pub prefix: Vec<PrefixCondition>,
    /// What follows.
    pub action: Action,
    /// What it changes, on the way, of a route that is not refused.
    pub edits: Edits,
    /// Whether it is obeyed, or counted and shown only; one that is off is not asked.
    pub mode: Mode,
}

/// There are more rules than [`MAX_RULES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are {0} rules: no more than {MAX_RULES} are taken")]
pub struct TooManyRules(pub usize);

/// All rules, in order. Immutable.
#[derive(Debug, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// These rules, in this order.
    pub fn new(rules: Vec<Rule>) -> Result<Self, TooManyRules> {
        if rules.len() > MAX_RULES { Err(TooManyRules(rules.len())) } else { Ok(Rules(rules)) }
    }

    /// Each with its number.
    pub fn iter(&self) -> impl Iterator<Item = (RuleNumber, &Rule)> {
        (0..).map_while(RuleNumber::new).zip(&self.0)
    }

    /// The rule of a number.
    pub fn rule(&self, number: RuleNumber) -> Option<&Rule> {
        self.0.get(usize::from(number.0))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a reason is called in output and metrics: its slug, and of a rule `rule:` and its name.
    pub fn slug(&self, reason: Reason) -> Cow<'static, str> {
        match reason {
            Reason::Rule(number) => match self.rule(number) {
                Some(rule) => format!("{}:{}", reason.slug(), rule.name).into(),
                None => reason.slug().into(),
            },
            _ => reason.slug().into(),
        }
    }

    /// The reason of what [`Self::slug`] gives.
    pub fn reason(&self, slug: &str) -> Option<Reason> {
        match slug.strip_prefix("rule:") {
            Some(name) => self.iter().find(|(_, rule)| rule.name == name).map(|(n, _)| Reason::Rule(n)),
            None => Reason::from_slug(slug),
        }
    }

    /// Those of `asked` whose conditions on the path hold.
    pub(crate) fn of_path(&self, asked: RuleSet, view: PathView<'_>) -> RuleSet {
        let holds = |number: &RuleNumber| {
            let rule = self.rule(*number).filter(|rule| rule.mode != Mode::Off);
            rule.is_some_and(|rule| rule.path.iter().all(|condition| condition.holds(view)))
        };
        asked.iter().filter(holds).collect()
    }

    /// What those of `asked`, whose conditions on the path hold, make of a route.
    pub(crate) fn of_prefix<A: Address>(&self, asked: RuleSet, view: PrefixView<'_, A>) -> RuleOutcome {
        let mut outcome = RuleOutcome::default();
        for number in asked.iter() {
            let Some(rule) = self.rule(number) else { continue };
            if rule.prefix.iter().all(|condition| condition.holds(view)) && outcome.take(number, rule) {
                break;
            }
        }
        outcome
    }

    /// What an amendment's rules change, one after the other, in attributes that they all look at as received.
    pub(crate) fn amend(
        &self,
        amendment: Amendment,
        peer: &Peer,
        changes: &mut Changes,
        of: &Attributes<'_>,
    ) {
        for rule in amendment.rules().iter().filter_map(|number| self.rule(number)) {
            rule.edits.compose(peer, of, changes);
        }
    }
}

/// What rules make of a route.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RuleOutcome {
    /// The rule that refuses it.
    pub(crate) rejected: Option<RuleNumber>,
    /// The first that would refuse it and is only observed.
    pub(crate) observed: Option<RuleNumber>,
    /// Those that change it.
    pub(crate) edits: RuleSet,
    /// Whether no rule after this one is asked.
    decided: bool,
}

impl RuleOutcome {
    /// Takes what a rule says whose conditions hold; whether that ends it.
    fn take(&mut self, number: RuleNumber, rule: &Rule) -> bool {
        match (rule.mode, rule.action) {
            (Mode::Off, _) => {}
            (Mode::Observe, Action::Reject) => self.observed = self.observed.or(Some(number)),
            (Mode::Observe, Action::Accept | Action::Continue) => {}
            (Mode::Enforce, Action::Reject) => (self.rejected, self.decided) = (Some(number), true),
            (Mode::Enforce, action) => {
                if !rule.edits.is_empty() {
                    self.edits.insert(number);
                }
                self.decided = action == Action::Accept;
            }
        }
        self.decided
    }
}

/// The same for a recorder: every rule is asked and written down, and those count that would have been asked without.
pub(crate) fn record<A: Address, R: Recorder>(
    path: PathView<'_>,
    prefix: PrefixView<'_, A>,
    refused: bool,
    recorder: &mut R,
) -> RuleOutcome {
    let PrefixView { peer, tables, .. } = prefix;
    let mut outcome = RuleOutcome::default();
    for (number, rule) in tables.rules.iter() {
        let on_path = rule.path.iter().map(|condition| (condition.name(), condition.holds(path)));
        let on_prefix = rule.prefix.iter().map(|condition| (condition.name(), condition.holds(prefix)));
        let conditions: Vec<(&'static str, bool)> = on_path.chain(on_prefix).collect();
        let holds = conditions.iter().all(|(_, holds)| *holds);
        let reach = match peer.rules.contains(number) {
            false => RuleReach::NotThisPeer,
            true if refused || outcome.decided => RuleReach::Decided,
            true => RuleReach::Asked,
        };
        if holds && reach == RuleReach::Asked {
            outcome.take(number, rule);
        }
        let (name, action) = (rule.name.clone(), rule.action);
        recorder.finding(Finding {
            reason: Reason::Rule(number),
            mode: if reach == RuleReach::NotThisPeer { Mode::Off } else { rule.mode },
            violated: holds && reach != RuleReach::NotThisPeer && action == Action::Reject,
            evidence: Evidence::Rule(RuleEvidence { name, reach, conditions, action }),
        });
    }
    outcome
}

/// What the conditions of rules are asked of a path.
pub(crate) fn path_view<'a>(attributes: &'a Attributes<'a>, path: PathVerdict) -> PathView<'a> {
    PathView { attributes, aspa: path.aspa, blackhole: path.blackhole }
}

/// And of a prefix.
pub(crate) fn prefix_view<'a, A: Address>(
    net: Net<A>,
    rov: RovState,
    origin: Option<palisade_bgp::Asn>,
    peer: &'a Peer,
    tables: &'a Snapshot,
) -> PrefixView<'a, A> {
    PrefixView { net, rov, origin, peer, tables }
}
