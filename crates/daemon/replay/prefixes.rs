//! How many prefixes there are.
//!
//! Nearly all of IPv4's are /24 or shorter, and of these there can be 2^25: a bit for each takes 4 MiB, which is less than
//! a table of those that a full table has, and quicker. The others go into sets, up to a limit.

use hashbrown::HashSet;
use palisade_bgp::{Address, Net, Prefix};

/// The most prefixes of IPv6, and of IPv4 longer than a /24, that are told apart.
pub(super) const MAX_PREFIXES: usize = 4 << 20;

/// IPv4 prefixes up to this long have a bit each.
const LONGEST_OF_BITS: u8 = 24;

/// A set of prefixes, for counting.
pub(super) struct Prefixes {
    bits: Vec<u64>,
    longer: HashSet<Net<u32>, foldhash::fast::RandomState>,
    v6: HashSet<Net<u128>, foldhash::fast::RandomState>,
    /// By family.
    count: [u64; 2],
    /// The one added last: a table dump has each many times in a row.
    last: Prefix,
}

impl Prefixes {
    pub(super) fn new() -> Self {
        Prefixes {
            bits: vec![0; (2 << LONGEST_OF_BITS) / 64],
            longer: HashSet::default(),
            v6: HashSet::default(),
            count: [0; 2],
            // No route is this long.
            last: Prefix::V6(Net::new(u128::MAX, 128)),
        }
    }

    /// Adds a prefix.
    #[inline]
    pub(super) fn add<A: Address>(&mut self, net: Net<A>) {
        let prefix = A::prefix(net);
        if prefix == self.last {
            return;
        }
        self.last = prefix;
        let is_new = match prefix {
            Prefix::V4(net) if net.len() <= LONGEST_OF_BITS => self.mark(net),
            Prefix::V4(net) => insert(&mut self.longer, net),
            Prefix::V6(net) => insert(&mut self.v6, net),
        };
        self.count[A::FAMILY.index()] += u64::from(is_new);
    }

    /// How many were added, by family.
    pub(super) fn count(&self) -> [u64; 2] {
        self.count
    }

    /// Whether there were more than are told apart.
    pub(super) fn is_full(&self) -> bool {
        self.longer.len() == MAX_PREFIXES || self.v6.len() == MAX_PREFIXES
    }

    /// Lengths are kept apart by a leading one: /0 is bit 1, /1 are bits 2 and 3, and so on.
    #[inline]
    fn mark(&mut self, net: Net<u32>) -> bool {
        let bit = (1 << net.len() | net.address().high_bits(net.len())) as usize;
        let word = &mut self.bits[bit / 64];
        let before = *word;
        *word |= 1 << (bit % 64);
        *word != before
    }
}

fn insert<A: Address>(set: &mut HashSet<Net<A>, foldhash::fast::RandomState>, net: Net<A>) -> bool {
    set.len() < MAX_PREFIXES && set.insert(net)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_prefix_counts_once_whatever_its_length() {
        let mut prefixes = Prefixes::new();
        let texts =
            ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "0.0.0.0/24", "255.255.255.0/24", "10.0.0.0/25"];
        let more = ["::/0", "2001:db8::/32", "2001:db8::/33"];
        for _ in 0..2 {
            for text in texts.iter().chain(&more) {
                match text.parse().unwrap() {
                    Prefix::V4(net) => prefixes.add(net),
                    Prefix::V6(net) => prefixes.add(net),
                }
            }
        }
        assert_eq!((prefixes.count(), prefixes.is_full()), ([6, 3], false));
    }
}
