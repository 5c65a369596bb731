//! Whether a path may be, going by the ASPAs of the networks on it (draft-ietf-sidrops-aspa-verification s5, s6, as version 16 numbers them).
//!
//! A route climbs from its origin, customer to provider, crosses at most once between peers, and comes down, provider to
//! customer: what goes down and up again has been leaked. An **up-ramp** is the part from the origin on, and a
//! **down-ramp** the part up to us, in which each AS may be (*max*) or is (*min*) a provider of the one below it.
//!
//! ```text
//!   A(N) neighbor, A(N-1), .. A(2), A(1) origin          consecutive duplicates are one
//!   up-ramp:   the least I with A(I+1) no provider of A(I), or N          from A(1) upwards
//!   down-ramp: N - J + 1, J the greatest with A(J-1) no provider of A(J), or N
//! ```
//!
//! A path that came from below or beside must climb all the way (*upstream*); one that came from above may climb and come down
//! (*downstream*), and the two ramps must meet or lie side by side. Nothing is stored: one walk from the neighbor
//! to the origin finds the last fault of the climb and the first of the descent.
//!
//! The draft does not say what AS 0 in a path is; it can't be a provider, though an ASPA names it to say that there is none.

use palisade_bgp::as_path::SegmentKind;
use palisade_bgp::{AsPath, Asn};

use super::{AspaIndex, AspaState};
use crate::origin_set::OriginSet;
use crate::role::Role;

/// Whether one AS is a provider of another, going by the latter's ASPA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// The customer has no ASPA.
    NoAttestation,
    /// It lists the other as a provider.
    Provider,
    /// It does not.
    NotProvider,
}

/// From where a path came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From a customer or a peer, by way of a route server or not: it must have climbed all the way.
    Upstream,
    /// From a provider.
    Downstream,
}

impl Direction {
    /// The direction of what a peer of that role announces; `None` where ASPA is not asked, between routers of one AS.
    pub const fn of(role: Role) -> Option<Self> {
        match role {
            Role::Customer | Role::Peer | Role::RsClient | Role::Rs => Some(Direction::Upstream),
            Role::Provider => Some(Direction::Downstream),
            Role::Internal => None,
        }
    }

    /// What it is called.
    pub const fn slug(self) -> &'static str {
        match self {
            Direction::Upstream => "upstream",
            Direction::Downstream => "downstream",
        }
    }
}

/// Why a path is Invalid before any ASPA is looked at (s6.1, s6.2, the first steps of both).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathFault {
    /// It holds no AS.
    Empty,
    /// It does not begin with the neighbor's AS, though the neighbor is no route server.
    Neighbor,
    /// It holds an AS_SET, or a segment that belongs within a confederation.
    NotSequence,
}

/// How far a path climbs or comes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ramp {
    /// As far as ASPAs say that it does.
    pub min: usize,
    /// As far as no ASPA says that it does not.
    pub max: usize,
}

/// The ramps of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ramps {
    /// AS numbers, of which consecutive duplicates are one.
    pub length: usize,
    /// From the origin.
    pub up: Ramp,
    /// To the neighbor.
    pub down: Ramp,
}

/// Two neighbors on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The one nearer to us.
    pub near: Asn,
    /// The one nearer to the origin.
    pub far: Asn,
    /// Whether the far one says that the near one is its provider, as it is on the way up.
    pub up: Authorization,
    /// Whether the near one says so of the far one, as it is on the way down.
    pub down: Authorization,
}

impl AspaIndex {
    /// Whether `provider` is one of `customer`'s.
    #[inline]
    pub fn authorization(&self, customer: Asn, provider: Asn) -> Authorization {
        authorizes(self.providers(customer), provider)
    }

    /// What ASPA says of a path from a neighbor of that role; [`AspaState::Unverified`] where it is not asked, and where there
    /// are no ASPAs at all: a router without them verifies nothing, and does not call a path of one AS valid.
    #[inline]
    pub fn verify(&self, path: AsPath<'_>, neighbor: Asn, role: Role) -> AspaState {
        match Direction::of(role) {
            Some(direction) if !self.is_empty() => {
                self.verify_in(direction, path, (role != Role::Rs).then_some(neighbor))
            }
            _ => AspaState::Unverified,
        }
    }

    /// The same, for a path in one direction; `neighbor` where it must begin with that AS.
    pub fn verify_in(&self, direction: Direction, path: AsPath<'_>, neighbor: Option<Asn>) -> AspaState {
        if fault(path, neighbor).is_some() {
            return AspaState::Invalid;
        }
        let Ramps { length, up, down } = self.ramps(path);
        let (min, max) = match direction {
            Direction::Upstream => (up.min, up.max),
            Direction::Downstream => (up.min + down.min, up.max + down.max),
        };
        match (max < length, min < length) {
            (true, _) => AspaState::Invalid,
            (false, true) => AspaState::Unknown,
            (false, false) => AspaState::Valid,
        }
    }

    /// How far a path climbs and comes down.
    pub fn ramps(&self, path: AsPath<'_>) -> Ramps {
        let (mut up_max, mut up_min, mut down_max, mut down_min) = (None, None, None, None);
        let mut length = 0;
        self.walk(path, |place, hop| {
            // From the neighbor on, A(I+1) and A(I) stand at `place` and behind it.
            length = place + 1;
            if let Some(Hop { up, down, .. }) = hop {
                let unattested = |one| one != Authorization::Provider;
                let refused = |one| one == Authorization::NotProvider;
                up_max = if refused(up) { Some(place) } else { up_max };
                up_min = if unattested(up) { Some(place) } else { up_min };
                down_max = down_max.or(refused(down).then_some(place));
                down_min = down_min.or(unattested(down).then_some(place));
            }
        });
        let climb = |fault: Option<usize>| fault.map_or(length, |place| length - place - 1);
        let descent = |fault: Option<usize>| fault.map_or(length, |place| place + 1);
        Ramps {
            length,
            up: Ramp { min: climb(up_min), max: climb(up_max) },
            down: Ramp { min: descent(down_min), max: descent(down_max) },
        }
    }

    /// The hops of a path, from the neighbor on, for a person.
    pub fn hops(&self, path: AsPath<'_>) -> Vec<Hop> {
        let mut hops = Vec::new();
        self.walk(path, |_, hop| hops.extend(hop));
        hops
    }

    /// Visits each AS but for repetitions, by its place from the neighbor on, with the hop from it to the next; the last
    /// has none. Each AS is looked up once.
    fn walk(&self, path: AsPath<'_>, mut visit: impl FnMut(usize, Option<Hop>)) {
        let mut near: Option<(Asn, Option<&OriginSet>)> = None;
        let mut place = 0;
        for far in path.asns() {
            if near.is_some_and(|(near, _)| near == far) {
                continue;
            }
            let providers = self.providers(far);
            if let Some((near, near_providers)) = near {
                let (up, down) = (authorizes(providers, near), authorizes(near_providers, far));
                visit(place, Some(Hop { near, far, up, down }));
                place += 1;
            }
            near = Some((far, providers));
        }
        if near.is_some() {
            visit(place, None);
        }
    }
}

/// Why a path is Invalid whatever ASPAs say; `neighbor` where it must begin with that AS.
pub(crate) fn fault(path: AsPath<'_>, neighbor: Option<Asn>) -> Option<PathFault> {
    if path.is_empty() {
        Some(PathFault::Empty)
    } else if neighbor.is_some() && path.neighbor() != neighbor {
        Some(PathFault::Neighbor)
    } else if path.segments().any(|segment| segment.kind != SegmentKind::Sequence) {
        Some(PathFault::NotSequence)
    } else {
        None
    }
}

#[inline]
fn authorizes(providers: Option<&OriginSet>, provider: Asn) -> Authorization {
    match providers {
        None => Authorization::NoAttestation,
        Some(providers) if provider.0 != 0 && providers.contains(provider) => Authorization::Provider,
        Some(_) => Authorization::NotProvider,
    }
}
