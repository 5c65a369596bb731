//! Communities: what speakers write on a route for each other to read, of three kinds.
//!
//! - The **standard** one, four octets, in COMMUNITIES (RFC 1997): by custom an AS of two octets and a number of its own.
//! - The **extended** one, eight octets, in EXTENDED COMMUNITIES (RFC 4360): a type says what the rest of it is. Those that name an AS
//!   and a number of that AS are read and made here (RFC 4360 s3.1; RFC 5668 s2); the others are octets.
//! - The **large** one, three numbers of four octets, in LARGE_COMMUNITY (RFC 8092): an AS and two numbers of its own.
//!
//! What they look like is here. What one means, other than to everybody, is policy and not here.

use std::collections::HashSet;
use std::fmt;
use std::ops::Not;

use crate::as_path::Asn;

/// A community (RFC 1997), shown as `65535:666`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Community(pub u32);

impl Community {
    /// Not outside the AS (RFC 1997).
    pub const NO_EXPORT: Community = Community(0xffff_ff01);
    /// To no peer at all (RFC 1997).
    pub const NO_ADVERTISE: Community = Community(0xffff_ff02);
    /// Not outside the confederation's member AS (RFC 1997).
    pub const NO_EXPORT_SUBCONFED: Community = Community(0xffff_ff03);
    /// Not from one network to another that it peers with (RFC 3765).
    pub const NOPEER: Community = Community(0xffff_ff04);
    /// Drop traffic to this prefix (RFC 7999).
    pub const BLACKHOLE: Community = Community(0xffff_029a);
    /// Kept though its sender's session has been down for longer than a restart takes: prefer any other path (RFC 9494).
    pub const LLGR_STALE: Community = Community(0xffff_0006);
    /// Not to be kept for so long (RFC 9494).
    pub const NO_LLGR: Community = Community(0xffff_0007);
    /// About to go away: prefer any other path (RFC 8326).
    pub const GRACEFUL_SHUTDOWN: Community = Community(0xffff_0000);
}

impl fmt::Display for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0 >> 16, self.0 & 0xffff)
    }
}

/// An extended community (RFC 4360), eight octets: a type, a sub-type, and a value of six. (A type without sub-types has a value of seven;
/// its first octet is then where the sub-type is.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtendedCommunity(pub [u8; 8]);

impl ExtendedCommunity {
    /// The sub-type of a route target (RFC 4360 s4).
    pub const ROUTE_TARGET: u8 = 2;
    /// The sub-type of a route origin (RFC 4360 s5).
    pub const ROUTE_ORIGIN: u8 = 3;

    /// The bit of the type that keeps it within an AS (RFC 4360 s2).
    pub(crate) const NON_TRANSITIVE: u8 = 0x40;
    const TWO_OCTET_AS: u8 = 0;
    const FOUR_OCTET_AS: u8 = 2;

    /// The transitive one of an AS of two octets, with a number of four that the AS assigns (RFC 4360 s3.1).
    pub const fn two_octet_as(sub_type: u8, asn: u16, local: u32) -> Self {
        let ([a, b], [c, d, e, f]) = (asn.to_be_bytes(), local.to_be_bytes());
        ExtendedCommunity([Self::TWO_OCTET_AS, sub_type, a, b, c, d, e, f])
    }

    /// The transitive one of an AS of four octets, with a number of two that the AS assigns (RFC 5668 s2).
    pub const fn four_octet_as(sub_type: u8, Asn(asn): Asn, local: u16) -> Self {
        let ([a, b, c, d], [e, f]) = (asn.to_be_bytes(), local.to_be_bytes());
        ExtendedCommunity([Self::FOUR_OCTET_AS, sub_type, a, b, c, d, e, f])
    }

    /// Its type: the high octet, with the bits that say who assigned it and whether it is transitive.
    pub const fn kind(self) -> u8 {
        self.0[0]
    }

    /// Its sub-type.
    pub const fn sub_type(self) -> u8 {
        self.0[1]
    }

    /// What follows type and sub-type.
    pub const fn value(self) -> [u8; 6] {
        let [_, _, value @ ..] = self.0;
        value
    }

    /// Whether it goes on to other ASes (RFC 4360 s6).
    pub const fn is_transitive(self) -> bool {
        self.kind() & Self::NON_TRANSITIVE == 0
    }

    /// The AS that it names and the number that the AS assigned, where it is of one of the types that have them, transitive or not.
    pub const fn as_specific(self) -> Option<(Asn, u32)> {
        let [a, b, c, d, e, f] = self.value();
        match self.kind() & !Self::NON_TRANSITIVE {
            Self::TWO_OCTET_AS => {
                Some((Asn(u32::from_be_bytes([0, 0, a, b])), u32::from_be_bytes([c, d, e, f])))
            }
            Self::FOUR_OCTET_AS => {
                Some((Asn(u32::from_be_bytes([a, b, c, d])), u32::from_be_bytes([0, 0, e, f])))
            }
            _ => None,
        }
    }
}

/// A large community (RFC 8092), shown as `64500:1:2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LargeCommunity(pub u32, pub u32, pub u32);

impl LargeCommunity {
    /// As LARGE_COMMUNITY has it (RFC 8092 s3).
    pub(crate) fn octets(self) -> [u8; 12] {
        let mut octets = [0; 12];
        octets[..4].copy_from_slice(&self.0.to_be_bytes());
        octets[4..8].copy_from_slice(&self.1.to_be_bytes());
        octets[8..].copy_from_slice(&self.2.to_be_bytes());
        octets
    }
}

impl fmt::Display for LargeCommunity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.0, self.1, self.2)
    }
}

/// Lists up to this long are compared each with each: it costs less than to sort them, and most are shorter.
const SHORT: usize = 16;

/// Whether a value of LARGE_COMMUNITY lists one more than once.
pub(crate) fn has_repeats(value: &[u8]) -> bool {
    let (communities, _) = value.as_chunks::<12>();
    if communities.len() <= SHORT {
        return communities.iter().enumerate().any(|(at, one)| communities[..at].contains(one));
    }
    let mut sorted = communities.to_vec();
    sorted.sort_unstable();
    sorted.is_sorted_by(|one, next| one < next).not()
}

/// The large communities of a value in the order sent, each once: its first.
pub(crate) fn distinct(value: &[u8]) -> Vec<[u8; 12]> {
    let (communities, _) = value.as_chunks::<12>();
    let mut seen = HashSet::with_capacity(communities.len());
    communities.iter().copied().filter(|community| seen.insert(*community)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_communities_of_an_as_are_made_and_read_in_both_widths() {
        let two = ExtendedCommunity::two_octet_as(ExtendedCommunity::ROUTE_TARGET, 64500, 4_200_000_001);
        assert_eq!(two.0, [0, 2, 0xfb, 0xf4, 0xfa, 0x56, 0xea, 0x01]);
        assert_eq!((two.kind(), two.sub_type(), two.is_transitive()), (0, 2, true));
        assert_eq!(two.as_specific(), Some((Asn(64500), 4_200_000_001)));
        let four =
            ExtendedCommunity::four_octet_as(ExtendedCommunity::ROUTE_ORIGIN, Asn(4_200_000_001), 64500);
        assert_eq!(four.0, [2, 3, 0xfa, 0x56, 0xea, 0x01, 0xfb, 0xf4]);
        assert_eq!(
            (four.kind(), four.sub_type(), four.value()),
            (2, 3, [0xfa, 0x56, 0xea, 0x01, 0xfb, 0xf4])
        );
        assert_eq!(four.as_specific(), Some((Asn(4_200_000_001), 64500)));
    }

    #[test]
    fn types_that_name_no_as_are_octets_and_those_that_stay_in_the_as_are_told_apart() {
        for (octets, transitive, named) in [
            ([0x40, 2, 0, 9, 0, 0, 0, 1], false, Some((Asn(9), 1))),
            ([0x42, 2, 0, 0, 0, 9, 0, 1], false, Some((Asn(9), 1))),
            ([0x01, 2, 192, 0, 2, 1, 0, 1], true, None), // an IPv4 address (RFC 4360 s3.2)
            ([0x03, 0x0c, 0, 0, 0, 0, 0, 1], true, None), // opaque (RFC 4360 s3.3)
            ([0x80, 2, 0, 9, 0, 0, 0, 1], true, None),   // experimental
            ([0x43, 0, 0, 0, 0, 0, 0, 1], false, None),  // origin validation state (RFC 8097)
        ] {
            let community = ExtendedCommunity(octets);
            assert_eq!(
                (community.is_transitive(), community.as_specific()),
                (transitive, named),
                "{octets:?}"
            );
        }
    }
}
