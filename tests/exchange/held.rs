//! A path as a member holds it: what the oracle says it must be, and what BIRD shows that it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::community::Community;

/// A path with all its attributes; what has an order of its own has been sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    pub(crate) path: Vec<u32>,
    pub(crate) origin: String,
    /// For IPv6 the link-local address may come second (RFC 2545 s3).
    pub(crate) next_hop: Vec<IpAddr>,
    pub(crate) med: Option<u32>,
    /// ONLY_TO_CUSTOMER (RFC 9234).
    pub(crate) only_to_customer: Option<u32>,
    pub(crate) communities: Vec<Community>,
    /// Attributes that no member sends.
    pub(crate) strange: Vec<String>,
}

/// All that a member holds: one path a prefix, or with ADD-PATH several, in order.
pub(crate) type Holdings = BTreeMap<IpNet, Vec<Held>>;

/// Reads what `show route all` prints of one table, into `holdings`.
pub(crate) fn read(text: &str, holdings: &mut Holdings) {
    let mut prefix = None;
    for line in text.lines() {
        if line.contains(" [exchange ") {
            prefix = line.split_whitespace().next().and_then(|word| word.parse().ok()).or(prefix);
            let paths = holdings.entry(prefix.expect("a prefix comes first")).or_default();
            paths.push(Held::default());
        } else if let Some(held) = prefix.and_then(|prefix| holdings.get_mut(&prefix)?.last_mut()) {
            match line.trim().split_once(": ") {
                Some((name, value)) => held.read_attribute(name, value),
                // A list of communities goes on.
                None if line.starts_with("\t\t") => held.communities.extend(Community::list(line)),
                None => {}
            }
        }
    }
    for paths in holdings.values_mut() {
        paths.iter_mut().for_each(|held| held.communities.sort_unstable());
        paths.sort_unstable();
    }
}

impl Held {
    fn read_attribute(&mut self, name: &str, value: &str) {
        let numbers = || value.split(' ').map(|word| word.parse().expect("a number"));
        match name {
            "BGP.as_path" => self.path = numbers().collect(),
            "BGP.origin" => self.origin = value.into(),
            "BGP.next_hop" => {
                self.next_hop = value.split(' ').map(|word| word.parse().expect("an address")).collect();
            }
            "BGP.med" => self.med = numbers().next(),
            "BGP.otc" => self.only_to_customer = numbers().next(),
            "BGP.community" | "BGP.ext_community" | "BGP.large_community" => {
                self.communities.extend(Community::list(value));
            }
            // BIRD's own.
            "BGP.local_pref" | "Type" => {}
            _ => self.strange.push(format!("{name}: {value}")),
        }
    }
}

/// A prefix of which a member holds something else than it must.
pub(crate) struct Difference<'a> {
    prefix: IpNet,
    expected: &'a [Held],
    found: &'a [Held],
}

/// Where what a member holds is other than it must be.
pub(crate) fn differences<'a>(expected: &'a Holdings, found: &'a Holdings) -> Vec<Difference<'a>> {
    let prefixes: BTreeSet<IpNet> = expected.keys().chain(found.keys()).copied().collect();
    let of =
        |holdings: &'a Holdings, prefix: IpNet| holdings.get(&prefix).map(Vec::as_slice).unwrap_or_default();
    let both = prefixes.into_iter().map(|prefix| Difference {
        prefix,
        expected: of(expected, prefix),
        found: of(found, prefix),
    });
    both.filter(|one| one.expected != one.found).collect()
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { prefix, expected, found } = self;
        writeln!(f, "{prefix}\n  expected {expected:?}\n  found    {found:?}")
    }
}
