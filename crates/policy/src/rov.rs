//! Route origin validation: what the RPKI says of a prefix and its origin (RFC 6811, RFC 6483).
//!
//! A VRP (validated ROA payload) says that an AS may originate a prefix, and more-specifics of it up to a length. A
//! route is judged by **all** VRPs whose prefix covers its own, whatever their maxLength:
//!
//! - none covers it: [`RovState::NotFound`];
//! - one of them names its origin AS and reaches its length: [`RovState::Valid`];
//! - otherwise invalid, told apart by whether the origin AS is authorized at all.
//!
//! A route whose origin is NONE (its path is empty or ends in a set) matches nothing, nor does AS 0, which a VRP names to
//! say that nobody may originate (RFC 6483 s4).
//!
//! [`RovIndex`] is immutable: a new set of VRPs makes a new index, and [`RovIndex::changed_ranges`] tells which routes
//! to judge again.

use std::fmt;

use palisade_bgp::{Address, Asn, Net, Prefix};

use crate::covering::CoverIndex;

/// A validated ROA payload (RFC 6811 s2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vrp {
    prefix: Prefix,
    max_length: u8,
    asn: Asn,
}

/// A VRP that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VrpError {
    /// RFC 6482 s3.3: maxLength is at least the prefix's length.
    #[error("maxLength {max_length} is shorter than its prefix {prefix}")]
    MaxLengthTooShort {
        /// The VRP's prefix.
        prefix: Prefix,
        /// What was given.
        max_length: u8,
    },
    /// RFC 6482 s3.3: maxLength is at most the width of the family's addresses.
    #[error("maxLength {max_length} is longer than an address of {prefix} has bits")]
    MaxLengthTooLong {
        /// The VRP's prefix.
        prefix: Prefix,
        /// What was given.
        max_length: u8,
    },
}

impl Vrp {
    /// The VRP of these three, where they make sense together.
    pub fn new(prefix: Prefix, max_length: u8, asn: Asn) -> Result<Self, VrpError> {
        let width = match prefix {
            Prefix::V4(_) => 32,
            Prefix::V6(_) => 128,
        };
        if max_length < prefix.len() {
            Err(VrpError::MaxLengthTooShort { prefix, max_length })
        } else if max_length > width {
            Err(VrpError::MaxLengthTooLong { prefix, max_length })
        } else {
            Ok(Vrp { prefix, max_length, asn })
        }
    }

    /// The prefix that is authorized.
    pub fn prefix(self) -> Prefix {
        self.prefix
    }

    /// The greatest length of a route under the prefix that is authorized too.
    pub fn max_length(self) -> u8 {
        self.max_length
    }

    /// The AS that is authorized; AS 0 for none.
    pub fn asn(self) -> Asn {
        self.asn
    }
}

impl fmt::Display for Vrp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} up to /{} {}", self.prefix, self.max_length, self.asn)
    }
}

/// What the RPKI says of a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RovState {
    /// No VRP covers it.
    #[default]
    NotFound,
    /// A VRP authorizes it.
    Valid,
    /// VRPs cover it, and none names its origin AS.
    InvalidOrigin,
    /// VRPs cover it, and those that name its origin AS don't reach its length.
    InvalidLength,
}

impl RovState {
    /// All states, in the order they are listed everywhere.
    pub const ALL: [RovState; 4] =
        [RovState::NotFound, RovState::Valid, RovState::InvalidOrigin, RovState::InvalidLength];

    /// Its name in output and metrics.
    pub const fn slug(self) -> &'static str {
        match self {
            RovState::NotFound => "not-found",
            RovState::Valid => "valid",
            RovState::InvalidOrigin => "invalid-origin",
            RovState::InvalidLength => "invalid-length",
        }
    }

    /// Whether it is either kind of invalid.
    pub const fn is_invalid(self) -> bool {
        matches!(self, RovState::InvalidOrigin | RovState::InvalidLength)
    }
}

impl fmt::Display for RovState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.slug())
    }
}

/// All VRPs, ready to be asked about any route.
#[derive(Debug)]
pub struct RovIndex {
    v4: CoverIndex<u32, Authorization>,
    v6: CoverIndex<u128, Authorization>,
}

/// A VRP under its prefix. Ordered by AS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Authorization {
    asn: u32,
    max_length: u8,
}

impl RovIndex {
    /// The index of these VRPs, in any order; equal ones count once.
    pub fn build(vrps: impl IntoIterator<Item = Vrp>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for Vrp { prefix, max_length, asn } in vrps {
            let authorization = Authorization { asn: asn.0, max_length };
            match prefix {
                Prefix::V4(net) => v4.push((net, authorization)),
                Prefix::V6(net) => v6.push((net, authorization)),
            }
        }
        RovIndex { v4: CoverIndex::build(v4), v6: CoverIndex::build(v6) }
    }

    /// What the VRPs say of a route with this prefix and this origin; `None` is RFC 6811's NONE.
    #[inline]
    pub fn validate<A: Address>(&self, net: Net<A>, origin: Option<Asn>) -> RovState {
        match A::prefix(net) {
            Prefix::V4(net) => validate(&self.v4, net, origin),
            Prefix::V6(net) => validate(&self.v6, net, origin),
        }
    }

    /// The VRPs that cover a prefix, the most specific first.
    pub fn covering(&self, prefix: Prefix) -> impl Iterator<Item = Vrp> {
        let (v4, v6) = match prefix {
            Prefix::V4(net) => (Some(covering(&self.v4, net)), None),
            Prefix::V6(net) => (None, Some(covering(&self.v6, net))),
        };
        v4.into_iter().flatten().chain(v6.into_iter().flatten())
    }

    /// Every VRP, IPv4 first, in order.
    pub fn iter(&self) -> impl Iterator<Item = Vrp> {
        fn vrps<A: Address>(index: &CoverIndex<A, Authorization>) -> impl Iterator<Item = Vrp> {
            index.iter().flat_map(|(net, authorizations)| authorizations.iter().map(move |a| a.vrp(net)))
        }
        vrps(&self.v4).chain(vrps(&self.v6))
    }

    /// The prefixes under which routes may be judged differently by `new`: those whose VRPs differ. Disjoint, in order.
    pub fn changed_ranges(&self, new: &RovIndex) -> Vec<Prefix> {
        let v4 = self.v4.changed(&new.v4, PartialEq::eq).into_iter().map(Prefix::V4);
        v4.chain(self.v6.changed(&new.v6, PartialEq::eq).into_iter().map(Prefix::V6)).collect()
    }

    /// How many VRPs it holds.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Octets held.
    pub fn memory_bytes(&self) -> usize {
        self.v4.memory_bytes() + self.v6.memory_bytes()
    }
}

impl Default for RovIndex {
    fn default() -> Self {
        RovIndex::build([])
    }
}

impl Authorization {
    fn vrp<A: Address>(self, net: Net<A>) -> Vrp {
        Vrp { prefix: A::prefix(net), max_length: self.max_length, asn: Asn(self.asn) }
    }
}

#[inline]
fn validate<A: Address>(index: &CoverIndex<A, Authorization>, net: Net<A>, origin: Option<Asn>) -> RovState {
    let origin = origin.filter(|origin| origin.0 != 0);
    let mut state = RovState::NotFound;
    for (_, authorizations) in index.covering(net) {
        match origin.and_then(|origin| reach(authorizations, origin)) {
            Some(max_length) if net.len() <= max_length => return RovState::Valid,
            Some(_) => state = RovState::InvalidLength,
            None if state == RovState::NotFound => state = RovState::InvalidOrigin,
            None => {}
        }
    }
    state
}

/// The greatest maxLength that one prefix's VRPs give an AS. Most prefixes have one VRP; one that has a great many must not
/// cost a walk over them all.
#[inline]
fn reach(authorizations: &[Authorization], Asn(origin): Asn) -> Option<u8> {
    const WALKED: usize = 8;
    let of_origin = if authorizations.len() <= WALKED {
        authorizations.iter().rfind(|authorization| authorization.asn == origin)
    } else {
        let behind = authorizations.partition_point(|authorization| authorization.asn <= origin);
        authorizations[..behind].last().filter(|authorization| authorization.asn == origin)
    };
    of_origin.map(|authorization| authorization.max_length)
}

fn covering<A: Address>(
    index: &CoverIndex<A, Authorization>,
    net: Net<A>,
) -> impl Iterator<Item = Vrp> + use<'_, A> {
    index.covering(net).flat_map(move |(len, authorizations)| {
        authorizations.iter().map(move |authorization| authorization.vrp(net.truncate(len)))
    })
}
