//! Fewer ranges for the same prefixes.
//!
//! `10.0.0.0/24` and `10.0.1.0/24` become `10.0.0.0/23` with lengths 24 to 24, and `10.0.0.0/23` with lengths 23 to 23
//! and 24 to 24 becomes one with 23 to 24. Not a single prefix is added or lost: a filter that accepts what nobody
//! registered, since that makes it shorter, would be no filter.

use std::collections::{BTreeMap, BTreeSet};

use palisade_bgp::{Address, Net, Prefix};
use palisade_policy::PrefixRange;

/// The lengths that are meant of what a prefix covers, by prefix.
type Lengths = BTreeMap<Prefix, BTreeSet<(u8, u8)>>;

/// The same prefixes in fewer ranges, in order.
pub(super) fn aggregate(ranges: impl IntoIterator<Item = PrefixRange>) -> Vec<PrefixRange> {
    let mut by_length: BTreeMap<u8, Lengths> = BTreeMap::new();
    for range in ranges {
        let of_length = by_length.entry(range.prefix.len()).or_default();
        of_length.entry(range.prefix).or_default().insert((range.low, range.high));
    }
    let mut done = Vec::new();
    // From the longest on: what two halves have in common moves up to the whole.
    for length in (0..=128).rev() {
        let mut of_length = by_length.remove(&length).unwrap_or_default();
        of_length.values_mut().for_each(join);
        for (whole, common) in halves(&of_length) {
            let moved = by_length.entry(length - 1).or_default().entry(whole.whole).or_default();
            moved.extend(&common);
            for half in [whole.lower, whole.upper] {
                of_length.entry(half).or_default().retain(|lengths| !common.contains(lengths));
            }
        }
        let left = of_length.into_iter().flat_map(|(prefix, lengths)| {
            lengths.into_iter().map(move |(low, high)| PrefixRange { prefix, low, high })
        });
        done.extend(left);
    }
    done.sort();
    done
}

/// Lengths that follow each other, or overlap, become one.
fn join(lengths: &mut BTreeSet<(u8, u8)>) {
    let mut joined: Vec<(u8, u8)> = Vec::new();
    for (low, high) in std::mem::take(lengths) {
        match joined.last_mut() {
            Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
            _ => joined.push((low, high)),
        }
    }
    lengths.extend(joined);
}

/// A prefix and its two halves.
#[derive(Clone, Copy)]
struct Split {
    whole: Prefix,
    lower: Prefix,
    upper: Prefix,
}

/// Where both halves of a prefix have lengths in common, and which.
fn halves(of_length: &Lengths) -> Vec<(Split, BTreeSet<(u8, u8)>)> {
    let common = |(lower, lengths): (&Prefix, &BTreeSet<(u8, u8)>)| {
        let split = split_of_lower(*lower)?;
        let common: BTreeSet<_> = lengths.intersection(of_length.get(&split.upper)?).copied().collect();
        (!common.is_empty()).then_some((split, common))
    };
    of_length.iter().filter_map(common).collect()
}

/// The split that a prefix is the lower half of, where it is one.
fn split_of_lower(lower: Prefix) -> Option<Split> {
    match lower {
        Prefix::V4(net) => split(net),
        Prefix::V6(net) => split(net),
    }
}

fn split<A: Address>(lower: Net<A>) -> Option<Split> {
    let whole = lower.truncate(lower.len().checked_sub(1)?);
    let upper = Net::new(whole.last(), lower.len());
    let split = Split { whole: A::prefix(whole), lower: A::prefix(lower), upper: A::prefix(upper) };
    (lower != upper).then_some(split)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

    use super::*;

    fn ranges(text: &str) -> Vec<PrefixRange> {
        let range = |word: &str| {
            let (prefix, lengths) = word.split_once('^').unwrap_or((word, ""));
            let prefix: Prefix = prefix.parse().unwrap();
            let own = prefix.len();
            let (low, high) = lengths
                .split_once('-')
                .map_or((own, own), |(low, high)| (low.parse().unwrap(), high.parse().unwrap()));
            PrefixRange { prefix, low, high }
        };
        text.split_whitespace().map(range).collect()
    }

    /// Every prefix that is meant.
    fn all(ranges: &[PrefixRange]) -> BTreeSet<Prefix> {
        let mut all = BTreeSet::new();
        for range in ranges {
            let mut open = vec![range.prefix];
            while let Some(prefix) = open.pop() {
                if prefix.len() >= range.low {
                    all.insert(prefix);
                }
                if prefix.len() < range.high {
                    let Prefix::V4(net) = prefix else { panic!("the test is of IPv4") };
                    let half = |address| Prefix::V4(Net::new(address, net.len() + 1));
                    open.extend([half(net.address()), half(net.last())]);
                }
            }
        }
        all
    }

    #[test]
    fn neighbours_and_neighbouring_lengths_become_one() {
        for (given, expected) in [
            ("10.0.0.0/24 10.0.1.0/24", "10.0.0.0/23^24-24"),
            ("10.0.1.0/24 10.0.2.0/24", "10.0.1.0/24 10.0.2.0/24"),
            ("10.0.0.0/24 10.0.1.0/24 10.0.0.0/23", "10.0.0.0/23^23-24"),
            ("10.0.0.0/24 10.0.1.0/24 10.0.2.0/24 10.0.3.0/24", "10.0.0.0/22^24-24"),
            ("10.0.0.0/24 10.0.0.0/24^25-26 10.0.1.0/24", "10.0.0.0/24^24-26 10.0.1.0/24"),
            ("0.0.0.0/1 128.0.0.0/1", "0.0.0.0/0^1-1"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:db8::/33 2001:db8:8000::/33 10.0.0.0/8", "10.0.0.0/8 2001:db8::/32^33-33"),
        ] {
            assert_eq!(aggregate(ranges(given)), ranges(expected), "{given}");
        }
    }

    #[test]
    fn not_a_prefix_is_added_or_lost() {
        let mut random = 1u32;
        for _ in 0..300 {
            let mut given = Vec::new();
            for _ in 0..40 {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let len = 24 + (random >> 28) as u8 % 5;
                let net = Net::new(0x0a00_0000 | random >> 20 & 0xff, len);
                let (low, more) = (len + (random >> 8) as u8 % 2, (random >> 10) as u8 % 3);
                given.push(PrefixRange { prefix: Prefix::V4(net), low, high: low + more });
            }
            let aggregated = aggregate(given.iter().copied());
            assert_eq!(all(&aggregated), all(&given), "{given:?}");
            assert!(aggregated.len() <= given.len());
        }
    }
}
