//! What a finding rests on, and who writes findings down.
//!
//! The judge is generic over a [`Recorder`]. On the hot path that is `()`: no evidence is gathered, and the first enforced
//! reason ends the questions. For explain it is a [`Trace`]: every check is asked, also those that are off, and each answer is
//! kept with what led to it. Both come to the same verdict.

use std::net::IpAddr;

use palisade_bgp::{Asn, Prefix};

use crate::check::Mode;
use crate::irr::RouteObject;
use crate::reason::Reason;
use crate::role::Role;
use crate::rov::{RovState, Vrp};

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
