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

use crate::covering::{CoverIndex, Entry, Key, Record};

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
    v4: CoverIndex<u32>,
    v6: CoverIndex<u128>,
}

impl RovIndex {
    /// The index of these VRPs, in any order; equal ones count once.
    pub fn build(vrps: impl IntoIterator<Item = Vrp>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for Vrp { prefix, max_length, asn } in vrps {
            let entry = Entry { asn: asn.0, tag: max_length.into() };
            match prefix {
                Prefix::V4(net) => v4.push(Key::new(net, entry)),
                Prefix::V6(net) => v6.push(Key::new(net, entry)),
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
        fn vrps<A: Address>(index: &CoverIndex<A>) -> impl Iterator<Item = Vrp> {
            index.iter().flat_map(|(net, records)| records.iter().map(move |record| vrp(net, record)))
        }
        vrps(&self.v4).chain(vrps(&self.v6))
    }

    /// The prefixes under which routes may be judged differently by `new`: those whose VRPs differ. Disjoint, in order.
    pub fn changed_ranges(&self, new: &RovIndex) -> Vec<Prefix> {
        let v4 = self.v4.changed(&new.v4, same_vrps).into_iter().map(Prefix::V4);
        v4.chain(self.v6.changed(&new.v6, same_vrps).into_iter().map(Prefix::V6)).collect()
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

/// The VRP that a record stands for.
fn vrp<A: Address>(net: Net<A>, record: &Record) -> Vrp {
    let Entry { asn, tag } = record.entry();
    Vrp { prefix: A::prefix(net), max_length: u8::try_from(tag).unwrap_or(A::BITS), asn: Asn(asn) }
}

fn same_vrps(old: &[Record], new: &[Record]) -> bool {
    old.iter().map(Record::entry).eq(new.iter().map(Record::entry))
}

#[inline]
fn validate<A: Address>(index: &CoverIndex<A>, net: Net<A>, origin: Option<Asn>) -> RovState {
    let origin = origin.filter(|origin| origin.0 != 0);
    let mut state = RovState::NotFound;
    for records in index.covering(net) {
        match origin.and_then(|origin| reach(records, origin)) {
            Some(max_length) if u16::from(net.len()) <= max_length => return RovState::Valid,
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
fn reach(records: &[Record], Asn(origin): Asn) -> Option<u16> {
    const WALKED: usize = 8;
    let of_origin = |record: &&Record| record.entry().asn == origin;
    let greatest = if records.len() <= WALKED {
        records.iter().rfind(of_origin)
    } else {
        let behind = records.partition_point(|record| record.entry().asn <= origin);
        records[..behind].last().filter(of_origin)
    };
    greatest.map(|record| record.entry().tag)
}

fn covering<A: Address>(index: &CoverIndex<A>, net: Net<A>) -> impl Iterator<Item = Vrp> + use<'_, A> {
    index.covering(net).flatten().map(move |record| vrp(net.truncate(record.len()), record))
}
