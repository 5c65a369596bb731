//! A prefix as the table's rows have it: packed, in one type for each family.

use foldhash::fast::RandomState;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::hash::BuildHasher;
use std::net::IpAddr;

/// The bytes of an address: `[u8; 4]` or `[u8; 16]`.
pub(crate) trait Octets: Copy + Eq {
    fn address(self) -> IpAddr;

    /// The address as a number, for hashing.
    fn number(self) -> u128;
}

impl Octets for [u8; 4] {
    fn address(self) -> IpAddr {
        self.into()
    }

    fn number(self) -> u128 {
        u128::from(u32::from_ne_bytes(self))
    }
}

impl Octets for [u8; 16] {
    fn address(self) -> IpAddr {
        self.into()
    }

    fn number(self) -> u128 {
        u128::from_ne_bytes(self)
    }
}

/// A prefix, packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key<A> {
    pub(crate) octets: A,
    pub(crate) length: u8,
}

impl From<Ipv4Net> for Key<[u8; 4]> {
    fn from(net: Ipv4Net) -> Self {
        Key { octets: net.network().octets(), length: net.prefix_len() }
    }
}

impl From<Ipv6Net> for Key<[u8; 16]> {
    fn from(net: Ipv6Net) -> Self {
        Key { octets: net.network().octets(), length: net.prefix_len() }
    }
}

impl<A: Octets> Key<A> {
    pub(crate) fn hash(self, hasher: &RandomState) -> u64 {
        // Seeded per table: the prefixes are the Internet's choice.
        hasher.hash_one(
            self.octets.number().rotate_left(u32::from(self.length)) ^ u128::from(self.length) << 64,
        )
    }

    pub(crate) fn prefix(self) -> IpNet {
        // A key is made from a prefix, so the length fits and the address stands in for the impossible.
        IpNet::new(self.octets.address(), self.length).unwrap_or(IpNet::from(self.octets.address()))
    }
}
