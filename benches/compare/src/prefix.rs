//! A prefix as it stands in an UPDATE, packed into sixteen octets, and the index that names each prefix of a table by
//! its place in it.
//!
//! Only the first 64 bits of an IPv6 prefix are kept, so that longer ones can't be told; no table of the Internet
//! holds any, and one that a daemon sends is counted as foreign.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use hashbrown::HashMap;

/// A prefix of one of the two families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Prefix {
    /// IPv6 and not IPv4.
    pub(crate) six: bool,
    /// The address from the left, without host bits.
    pub(crate) bits: u64,
    /// How many bits count.
    pub(crate) len: u8,
}

impl Prefix {
    /// A prefix of an address whose bits stand at the left; host bits are dropped.
    #[inline]
    pub(crate) fn new(six: bool, bits: u64, len: u8) -> Self {
        let bits = if len == 0 { 0 } else { bits & (u64::MAX << (64 - u32::from(len.min(64)))) };
        Prefix { six, bits, len }
    }

    /// An IPv4 prefix.
    pub(crate) fn v4(address: u32, len: u8) -> Self {
        Prefix::new(false, u64::from(address) << 32, len)
    }

    /// From `192.0.2.0/24`; `None` also where it is an IPv6 prefix longer than 64 bits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, len) = text.split_once('/')?;
        let len: u8 = len.parse().ok()?;
        if let Ok(address) = address.parse::<Ipv4Addr>() {
            return (len <= 32).then(|| Prefix::v4(address.to_bits(), len));
        }
        let bits = (address.parse::<Ipv6Addr>().ok()?.to_bits() >> 64) as u64;
        (len <= 64).then(|| Prefix::new(true, bits, len))
    }

    /// As NLRI: the length, then as many octets as it needs (RFC 4271 s4.3).
    pub(crate) fn push_nlri(self, out: &mut Vec<u8>) {
        out.push(self.len);
        out.extend_from_slice(&self.bits.to_be_bytes()[..usize::from(self.len).div_ceil(8)]);
    }

    /// The octets that [`Self::push_nlri`] takes.
    pub(crate) fn nlri_len(self) -> usize {
        1 + usize::from(self.len).div_ceil(8)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.six {
            true => write!(f, "{}/{}", Ipv6Addr::from_bits(u128::from(self.bits) << 64), self.len),
            false => write!(f, "{}/{}", Ipv4Addr::from_bits((self.bits >> 32) as u32), self.len),
        }
    }
}

/// Where each prefix of a table stands in it.
///
/// Daemons send what follows in their table, so that after a prefix mostly comes the one that came after it before:
/// a guess that costs a compare, where the map costs a hash and a line of memory.
#[derive(Debug)]
pub(crate) struct PrefixIndex {
    prefixes: Vec<Prefix>,
    places: HashMap<Prefix, u32, foldhash::fast::FixedState>,
    after: Vec<u32>,
}

impl PrefixIndex {
    /// The index of a table's prefixes, which are distinct.
    pub(crate) fn new(prefixes: Vec<Prefix>) -> Self {
        let places = prefixes.iter().zip(0..).map(|(prefix, place)| (*prefix, place)).collect();
        let after = (1..=prefixes.len() as u32).map(|next| next % prefixes.len() as u32).collect();
        PrefixIndex { prefixes, places, after }
    }

    /// Where a prefix stands, given where the one before it in the message did.
    #[inline]
    pub(crate) fn place(&mut self, prefix: Prefix, before: u32) -> Option<u32> {
        let guess = self.after[before as usize];
        if self.prefixes[guess as usize] == prefix {
            return Some(guess);
        }
        let place = *self.places.get(&prefix)?;
        self.after[before as usize] = place;
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_both_families() {
        for text in ["192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32", "10.98.1.2/32"] {
            assert_eq!(Prefix::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Prefix::parse("2001:db8::/65"), None);
        let mut octets = Vec::new();
        Prefix::parse("192.0.2.255/23").unwrap().push_nlri(&mut octets);
        assert_eq!(octets, [23, 192, 0, 2]);
    }

    #[test]
    fn finds_in_and_out_of_order() {
        let all: Vec<Prefix> = (0..9).map(|n| Prefix::v4(n << 8, 24)).collect();
        let mut index = PrefixIndex::new(all.clone());
        for (before, at) in [(0, 1), (1, 2), (2, 8), (2, 8), (8, 0), (0, 1)] {
            assert_eq!(index.place(all[at], before), Some(at as u32));
        }
        assert_eq!(index.place(Prefix::v4(0, 23), 3), None);
    }
}
