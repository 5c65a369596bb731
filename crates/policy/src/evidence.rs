//! What a finding rests on, and who writes findings down.
//!
//! The judge is generic over a [`Recorder`]. On the hot path that is `()`: no evidence is gathered, and the first
//! enforced reason ends the questions. For explain it is a [`Trace`]: every check is asked, also those that are
//! off, and each answer is kept with what led to it. Both come to the same verdict.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use palisade_bgp::{Asn, Prefix};

use crate::aspa::AspaState;
use crate::aspa::verification::{Authorization, Direction, Hop, PathFault, Ramps};
use crate::check::Mode;
use crate::irr::RouteObject;
use crate::reason::Reason;
use crate::role::Role;
use crate::rov::RovState;
use crate::rules::Action;
use crate::vrp::Vrp;

/// Writes findings down, or does not.
pub trait Recorder {
    /// Whether it wants them. Where not, the judge gathers no evidence and stops at the first enforced reason.
    const ACTIVE: bool;

    /// Takes the answer to one check.
    fn finding(&mut self, finding: Finding);
}

impl Recorder for () {
    const ACTIVE: bool = false;

    #[inline]
    fn finding(&mut self, _: Finding) {}
}

/// Keeps every finding, in the order of the checks.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The answers.
    pub findings: Vec<Finding>,
}

impl Trace {
    /// The findings that speak against the route, whatever their mode.
    pub fn violations(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.violated)
    }
}

impl Recorder for Trace {
    const ACTIVE: bool = true;

    fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

/// The answer to one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was asked.
    pub reason: Reason,
    /// How the peer's policy takes the answer.
    pub mode: Mode,
    /// Whether the route fails the check.
    pub violated: bool,
    /// What the answer rests on.
    pub evidence: Evidence,
}

/// What the answer to a check rests on. Shown as a clause for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The peer's role, or that it has none.
    Role(Option<Role>),
    /// The AS that a path begins with.
    FirstAs {
        /// The path's; `None` where it begins with no AS_SEQUENCE.
        found: Option<Asn>,
        /// The peer's.
        expected: Asn,
    },
    /// The AS numbers in the path that were looked for; none where the check passes.
    InPath(Vec<Asn>),
    /// A number and the bounds it must keep within.
    Measure {
        /// What was counted.
        found: usize,
        /// The least it may be.
        least: usize,
        /// The most it may be.
        most: usize,
    },
    /// ONLY_TO_CUSTOMER's value, where it is there.
    OnlyToCustomer(Option<Asn>),
    /// Where the route has been within our AS.
    Reflection {
        /// ORIGINATOR_ID, where it is there.
        originator_id: Option<Ipv4Addr>,
        /// CLUSTER_LIST, the last cluster first.
        cluster_list: Vec<Ipv4Addr>,
    },
    /// The next hop.
    NextHop {
        /// The path's.
        found: IpAddr,
        /// What it must be, where one address is asked for.
        expected: Option<IpAddr>,
    },
    /// The prefix of a list that covers the route's; `None` where none does.
    CoveredBy(Option<Prefix>),
    /// The VRPs that cover the route.
    Vrps(VrpEvidence),
    /// The route objects that cover the route.
    RouteObjects(RouteObjectEvidence),
    /// The origin AS against the peer's as-set.
    Origin {
        /// The route's origin; `None` where it has none (RFC 6811 s2).
        origin: Option<Asn>,
        /// How many AS numbers the peer may originate for: `None` where it has no as-set and only its own AS will do.
        as_set: Option<usize>,
    },
    /// The path against the ASPAs of the networks on it.
    Aspa(AspaEvidence),
    /// A rule's conditions.
    Rule(RuleEvidence),
    /// A BLACKHOLE route's claim to its prefix.
    Ownership {
        /// Whether the route carries BLACKHOLE at all.
        blackhole: bool,
        /// Whether the peer may originate for the origin AS.
        speaks_for_origin: bool,
        /// Whether a covering VRP names the origin AS, whatever its maxLength.
        by_vrp: bool,
        /// Whether a covering route object names the origin AS.
        by_route_object: bool,
    },
}

/// The VRPs that cover a route, sorted by what each says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VrpEvidence {
    /// What they come to.
    pub state: RovState,
    /// Those that authorize it.
    pub matched: Vec<Vrp>,
    /// Those that name its origin AS and don't reach its length.
    pub wrong_length: Vec<Vrp>,
    /// Those that name another AS.
    pub wrong_asn: Vec<Vrp>,
}

/// The route objects that cover a route, sorted by what each says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteObjectEvidence {
    /// Those that register it.
    pub matched: Vec<RouteObject>,
    /// Those that name its origin AS, of a prefix that is too short to register one so long.
    pub wrong_length: Vec<RouteObject>,
    /// Those that name another AS.
    pub wrong_asn: Vec<RouteObject>,
    /// Whether the route passes because the RPKI authorizes it.
    pub rpki_valid: bool,
}

/// A path, and what the ASPAs of the networks on it say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AspaEvidence {
    /// What they come to.
    pub state: AspaState,
    /// From where the path came; `None` where ASPA is not asked.
    pub direction: Option<Direction>,
    /// Why the path is Invalid whatever they say.
    pub fault: Option<PathFault>,
    /// How far it climbs from its origin, and comes down to us.
    pub ramps: Ramps,
    /// Its hops, from the neighbor on.
    pub hops: Vec<Hop>,
}

/// A rule, and which of its conditions hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleEvidence {
    /// What the operator calls it.
    pub name: String,
    /// Whether it was asked.
    pub reach: RuleReach,
    /// Its conditions by their keys in the configuration, and whether each holds.
    pub conditions: Vec<(&'static str, bool)>,
    /// What follows where all hold.
    pub action: Action,
}

impl RuleEvidence {
    /// Whether all of its conditions hold, whether it was asked or not.
    pub fn holds(&self) -> bool {
        self.conditions.iter().all(|(_, holds)| *holds)
    }
}

/// Whether a rule was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleReach {
    /// It was.
    Asked,
    /// A check or a rule before it had decided.
    Decided,
    /// It is not about this peer.
    NotThisPeer,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Evidence::Role(None) => f.write_str("the peer has no role"),
            Evidence::Role(Some(role)) => write!(f, "the peer's role is {role}"),
            Evidence::FirstAs { found: Some(found), expected } => {
                write!(f, "the path begins with {found}, the peer is {expected}")
            }
            Evidence::FirstAs { found: None, expected } => {
                write!(f, "the path begins with no AS, the peer is {expected}")
            }
            Evidence::InPath(asns) if asns.is_empty() => f.write_str("none in the path"),
            Evidence::InPath(asns) => write!(f, "in the path: {}", List(asns)),
            Evidence::Measure { found, least: 0, most } => write!(f, "{found}, at most {most}"),
            Evidence::Measure { found, least, most } => write!(f, "{found}, between {least} and {most}"),
            Evidence::OnlyToCustomer(None) => f.write_str("no ONLY_TO_CUSTOMER"),
            Evidence::OnlyToCustomer(Some(asn)) => write!(f, "ONLY_TO_CUSTOMER is {asn}"),
            Evidence::Reflection { originator_id, cluster_list } => {
                match originator_id {
                    Some(originator_id) => write!(f, "ORIGINATOR_ID is {originator_id}")?,
                    None => f.write_str("no ORIGINATOR_ID")?,
                }
                match cluster_list.as_slice() {
                    [] => f.write_str("; no CLUSTER_LIST"),
                    clusters => write!(f, "; CLUSTER_LIST is {}", List(clusters)),
                }
            }
            Evidence::NextHop { found, expected: None } => write!(f, "the next hop is {found}"),
            Evidence::NextHop { found, expected: Some(expected) } => {
                write!(f, "the next hop is {found}, the peer is {expected}")
            }
            Evidence::CoveredBy(None) => f.write_str("covered by none"),
            Evidence::CoveredBy(Some(prefix)) => write!(f, "covered by {prefix}"),
            Evidence::Vrps(vrps) => vrps.fmt(f),
            Evidence::RouteObjects(objects) => objects.fmt(f),
            Evidence::Origin { origin, as_set } => write!(f, "{}", OriginClause(*origin, *as_set)),
            Evidence::Aspa(aspa) => aspa.fmt(f),
            Evidence::Rule(rule) => rule.fmt(f),
            Evidence::Ownership { blackhole: false, .. } => f.write_str("no BLACKHOLE"),
            Evidence::Ownership { speaks_for_origin, by_vrp, by_route_object, .. } => write!(
                f,
                "the peer {} originate for this AS; VRP: {}; route object: {}",
                if *speaks_for_origin { "may" } else { "may not" },
                yes_or_no(*by_vrp),
                yes_or_no(*by_route_object),
            ),
        }
    }
}

impl fmt::Display for VrpEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.state.slug())?;
        let kinds =
            [("matched", &self.matched), ("too long for", &self.wrong_length), ("other AS", &self.wrong_asn)];
        for (kind, vrps) in kinds.into_iter().filter(|(_, vrps)| !vrps.is_empty()) {
            write!(f, "; {kind}: {}", List(vrps))?;
        }
        Ok(())
    }
}

impl fmt::Display for RouteObjectEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.matched.is_empty(), self.rpki_valid) {
            (false, _) => "registered",
            (true, true) => "not registered, but RPKI-valid",
            (true, false) => "not registered",
        })?;
        let kinds =
            [("matched", &self.matched), ("too long for", &self.wrong_length), ("other AS", &self.wrong_asn)];
        for (kind, objects) in kinds.into_iter().filter(|(_, objects)| !objects.is_empty()) {
            write!(f, "; {kind}: {}", List(objects))?;
        }
        Ok(())
    }
}

impl fmt::Display for AspaEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(direction) = self.direction else { return f.write_str("not asked within an AS") };
        if self.state == AspaState::Unverified {
            return f.write_str("not asked, as there are no ASPAs");
        }
        write!(f, "{} {}", self.state.slug(), direction.slug())?;
        match self.fault {
            Some(PathFault::Empty) => return f.write_str("; the path is empty"),
            Some(PathFault::Neighbor) => return f.write_str("; the path does not begin with the peer's AS"),
            Some(PathFault::NotSequence) => return f.write_str("; the path is not one sequence"),
            None => {}
        }
        let Ramps { length, up, down } = self.ramps;
        write!(f, "; of {length} AS numbers it climbs {}", Bounds(up.min, up.max))?;
        if direction == Direction::Downstream {
            write!(f, " and comes down {}", Bounds(down.min, down.max))?;
        }
        let refusals = self.refusals(direction);
        if !refusals.is_empty() {
            write!(f, "; not authorized: {}", List(&refusals))?;
        }
        Ok(())
    }
}

impl AspaEvidence {
    /// The hops that an ASPA speaks against: on the way up, and where that is no fault by itself, on the way down too.
    fn refusals(&self, direction: Direction) -> Vec<Refusal> {
        let climbs = self.hops.iter().filter(|hop| hop.up == Authorization::NotProvider);
        let climbs = climbs.map(|hop| Refusal { customer: hop.far, provider: hop.near });
        let descents = self.hops.iter().filter(|hop| hop.down == Authorization::NotProvider);
        let descents = descents.map(|hop| Refusal { customer: hop.near, provider: hop.far });
        match direction {
            Direction::Upstream => climbs.collect(),
            Direction::Downstream => climbs.chain(descents).collect(),
        }
    }
}

/// A network that an ASPA does not list.
struct Refusal {
    customer: Asn,
    provider: Asn,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.provider, self.customer)
    }
}

/// `3`, or `2 to 3`.
struct Bounds(usize, usize);

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bounds(least, most) if least == most => write!(f, "{most}"),
            Bounds(least, most) => write!(f, "{least} to {most}"),
        }
    }
}

impl fmt::Display for RuleEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reach {
            RuleReach::NotThisPeer => return f.write_str("not about this peer"),
            RuleReach::Decided => f.write_str("not asked, as it was decided before; ")?,
            RuleReach::Asked => {}
        }
        let failed: Vec<&str> =
            self.conditions.iter().filter(|(_, holds)| !holds).map(|(name, _)| *name).collect();
        match (failed.is_empty(), self.conditions.is_empty()) {
            (true, true) => f.write_str("it has no conditions")?,
            (true, false) => f.write_str("all conditions hold")?,
            (false, _) => return write!(f, "does not hold: {}", List(&failed)),
        }
        write!(f, ": {}", self.action.slug())
    }
}

struct OriginClause(Option<Asn>, Option<usize>);

impl fmt::Display for OriginClause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(origin) => write!(f, "the origin is {origin}")?,
            None => f.write_str("the route has no origin AS")?,
        }
        match self.1 {
            Some(count) => write!(f, ", the as-set comes to {count} AS numbers"),
            None => f.write_str(", and without an as-set only the peer's own AS will do"),
        }
    }
}

/// The first few of a list, and how many more there are.
struct List<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 5;
        for (at, item) in self.0.iter().take(SHOWN).enumerate() {
            write!(f, "{}{item}", if at > 0 { ", " } else { "" })?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

fn yes_or_no(answer: bool) -> &'static str {
    if answer { "yes" } else { "no" }
}
