//! A set of prefixes that routes are held against: bogons, our own, peering LANs.

use std::net::IpAddr;

use palisade_bgp::{Address, Family, Net, Prefix};

use crate::covering::{CoverIndex, Entry, Key};

/// A prefix is all there is to it.
const NOTHING: Entry = Entry { asn: 0, tag: 0 };

/// A set of prefixes of both families, asked what in it covers a route. Immutable.
#[derive(Debug)]
pub struct PrefixSet {
    v4: CoverIndex<u32>,
    v6: CoverIndex<u128>,
}

impl PrefixSet {
    /// The prefix of the set that covers `net`, or is equal to it; the most specific where several do.
    #[inline]
    pub fn covering<A: Address>(&self, net: Net<A>) -> Option<Prefix> {
        match A::prefix(net) {
            Prefix::V4(net) => {
                self.v4.covering(net).next().map(|records| net.truncate(records[0].len()).into())
            }
            Prefix::V6(net) => {
                self.v6.covering(net).next().map(|records| net.truncate(records[0].len()).into())
            }
        }
    }

    /// Whether a prefix of the set covers `net`, or is equal to it.
    #[inline]
    pub fn covers<A: Address>(&self, net: Net<A>) -> bool {
        match A::prefix(net) {
            Prefix::V4(net) => self.v4.covering(net).next().is_some(),
            Prefix::V6(net) => self.v6.covering(net).next().is_some(),
        }
    }

    /// Whether an address lies within a prefix of the set.
    #[inline]
    pub fn contains(&self, address: IpAddr) -> bool {
        match Prefix::new(address, 128) {
            Prefix::V4(net) => self.covers(net),
            Prefix::V6(net) => self.covers(net),
        }
    }

    /// Whether it holds a prefix of this family.
    pub fn has_family(&self, family: Family) -> bool {
        match family {
            Family::Ipv4 => self.v4.len() > 0,
            Family::Ipv6 => self.v6.len() > 0,
        }
    }

    /// Its prefixes, IPv4 first, in order.
    pub fn iter(&self) -> impl Iterator<Item = Prefix> {
        let v4 = self.v4.iter().map(|(net, _)| Prefix::V4(net));
        v4.chain(self.v6.iter().map(|(net, _)| Prefix::V6(net)))
    }

    /// Whether it holds no prefix.
    pub fn is_empty(&self) -> bool {
        self.v4.len() + self.v6.len() == 0
    }
}

impl FromIterator<Prefix> for PrefixSet {
    fn from_iter<I: IntoIterator<Item = Prefix>>(prefixes: I) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for prefix in prefixes {
            match prefix {
                Prefix::V4(net) => v4.push(Key::new(net, NOTHING)),
                Prefix::V6(net) => v6.push(Key::new(net, NOTHING)),
            }
        }
        PrefixSet { v4: CoverIndex::build(v4), v6: CoverIndex::build(v6) }
    }
}

impl Default for PrefixSet {
    fn default() -> Self {
        PrefixSet::from_iter([])
    }
}
