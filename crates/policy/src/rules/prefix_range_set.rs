//! Sets of prefix ranges, for rules: whether a prefix is in one is one lookup, however many there are.

use palisade_bgp::{Address, Net, Prefix};

use crate::covering::{CoverIndex, Entry, Key};
use crate::prefix_range::PrefixRange;

/// A set of prefix ranges of both families. Immutable.
#[derive(Debug)]
pub struct PrefixRangeSet {
    v4: CoverIndex<u32>,
    v6: CoverIndex<u128>,
}

impl PrefixRangeSet {
    /// Whether a prefix is one of those that are meant.
    #[inline]
    pub fn contains<A: Address>(&self, net: Net<A>) -> bool {
        match A::prefix(net) {
            Prefix::V4(net) => is_in(&self.v4, net),
            Prefix::V6(net) => is_in(&self.v6, net),
        }
    }
}

fn is_in<A: Address>(index: &CoverIndex<A>, net: Net<A>) -> bool {
    let has_length = |tag: u16| (tag >> 8..=tag & 0xff).contains(&net.len().into());
    index.covering(net).any(|records| records.iter().any(|record| has_length(record.entry().tag)))
}

impl FromIterator<PrefixRange> for PrefixRangeSet {
    fn from_iter<I: IntoIterator<Item = PrefixRange>>(ranges: I) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for PrefixRange { prefix, low, high } in ranges {
            let entry = Entry { asn: 0, tag: u16::from(low) << 8 | u16::from(high) };
            match prefix {
                Prefix::V4(net) => v4.push(Key::new(net, entry)),
                Prefix::V6(net) => v6.push(Key::new(net, entry)),
            }
        }
        PrefixRangeSet { v4: CoverIndex::build(v4), v6: CoverIndex::build(v6) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(texts: &[&str]) -> PrefixRangeSet {
        texts.iter().map(|text| text.parse::<PrefixRange>().unwrap()).collect()
    }

    fn contains(set: &PrefixRangeSet, text: &str) -> bool {
        match text.parse().unwrap() {
            Prefix::V4(net) => set.contains(net),
            Prefix::V6(net) => set.contains(net),
        }
    }

    #[test]
    fn each_operator_means_its_lengths() {
        for (text, inside, outside) in [
            ("10.0.0.0/8", &["10.0.0.0/8"][..], &["10.0.0.0/9", "10.0.0.0/7", "11.0.0.0/8"][..]),
            ("10.0.0.0/8^+", &["10.0.0.0/8", "10.255.255.255/32"], &["11.0.0.0/16", "0.0.0.0/0"]),
            ("10.0.0.0/8^-", &["10.0.0.0/9", "10.1.2.3/32"], &["10.0.0.0/8"]),
            ("10.0.0.0/8^16", &["10.3.0.0/16"], &["10.0.0.0/15", "10.0.0.0/17"]),
            ("10.0.0.0/8^16-24", &["10.3.0.0/16", "10.3.3.0/24"], &["10.0.0.0/15", "10.0.0.0/25"]),
            ("2001:db8::/32^48", &["2001:db8:1::/48"], &["2001:db8::/32", "2001:db9::/48"]),
            ("0.0.0.0/0^24", &["192.0.2.0/24"], &["192.0.0.0/16", "::/24"]),
        ] {
            let set = set(&[text]);
            inside.iter().for_each(|net| assert!(contains(&set, net), "{text} {net}"));
            outside.iter().for_each(|net| assert!(!contains(&set, net), "{text} {net}"));
        }
    }

    #[test]
    fn any_range_of_a_set_will_do_whichever_lies_closer() {
        let set = set(&["10.0.0.0/8^24", "10.1.0.0/16", "10.1.0.0/16^20-22"]);
        for (net, expected) in
            [("10.1.2.0/24", true), ("10.1.0.0/16", true), ("10.1.16.0/21", true), ("10.1.0.0/18", false)]
        {
            assert_eq!(contains(&set, net), expected, "{net}");
        }
    }
}
