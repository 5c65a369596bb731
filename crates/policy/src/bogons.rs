//! What can't be in an announcement from anyone: prefixes that nobody can hold, AS numbers that nobody can be.
//!
//! Built in: the special-purpose registries of RFC 6890 as they stand today, what lies outside the global unicast
//! space of IPv6 (RFC 4291 s2.4), and the reserved AS numbers. Space that is allocated to nobody *yet* is left out:
//! such a list is wrong the day after it is made (RFC 6441 s3), so who wants full bogons gives them in: see
//! [`crate::bogon_list`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use palisade_bgp::{Address, Asn, Net, Prefix};

use crate::prefix_set::PrefixSet;

/// Prefixes and AS numbers that no announcement may hold.
#[derive(Debug)]
pub struct Bogons {
    prefixes: PrefixSet,
    /// In order, with a number between any two.
    asns: Vec<RangeInclusive<u32>>,
}

impl Bogons {
    /// These prefixes with all they cover, and these AS numbers.
    pub fn new(
        prefixes: impl IntoIterator<Item = Prefix>,
        asns: impl IntoIterator<Item = RangeInclusive<Asn>>,
    ) -> Self {
        let asns = asns.into_iter().map(|range| range.start().0..=range.end().0);
        Bogons { prefixes: prefixes.into_iter().collect(), asns: joined(asns) }
    }

    /// The prefixes.
    pub fn prefixes(&self) -> &PrefixSet {
        &self.prefixes
    }

    /// The AS numbers, in order, with those that stand side by side as one.
    pub fn asns(&self) -> impl ExactSizeIterator<Item = RangeInclusive<Asn>> {
        self.asns.iter().map(|range| Asn(*range.start())..=Asn(*range.end()))
    }

    /// The prefixes that are built in.
    pub fn builtin_prefixes() -> impl Iterator<Item = Prefix> {
        let v4 =
            PREFIXES_V4.iter().map(|(octets, len)| Prefix::new(IpAddr::from(Ipv4Addr::from(*octets)), *len));
        let v6 = PREFIXES_V6.iter().map(|(address, len)| Prefix::new(IpAddr::from(*address), *len));
        v4.chain(v6)
    }

    /// The AS numbers that are built in.
    pub fn builtin_asns() -> impl Iterator<Item = RangeInclusive<Asn>> {
        ASNS.iter().map(|(first, last)| Asn(*first)..=Asn(*last))
    }

    /// The bogon that covers a prefix, or is equal to it.
    #[inline]
    pub fn covering<A: Address>(&self, net: Net<A>) -> Option<Prefix> {
        self.prefixes.covering(net)
    }

    /// Whether a bogon covers a prefix, or is equal to it.
    #[inline]
    pub fn covers<A: Address>(&self, net: Net<A>) -> bool {
        self.prefixes.covers(net)
    }

    /// Whether an AS number is one that nobody can be.
    #[inline]
    pub fn has_asn(&self, asn: Asn) -> bool {
        let at = self.asns.partition_point(|range| *range.end() < asn.0);
        self.asns.get(at).is_some_and(|range| range.contains(&asn.0))
    }
}

/// The same numbers in as few ranges as hold them, in order. Ranges that hold nothing are left out.
fn joined(ranges: impl Iterator<Item = RangeInclusive<u32>>) -> Vec<RangeInclusive<u32>> {
    let mut sorted: Vec<_> = ranges.filter(|range| !range.is_empty()).collect();
    sorted.sort_unstable_by_key(|range| *range.start());
    let mut joined: Vec<RangeInclusive<u32>> = Vec::new();
    for range in sorted {
        match joined.last_mut() {
            Some(last) if *range.start() <= last.end().saturating_add(1) => {
                *last = *last.start()..=*last.end().max(range.end());
            }
            _ => joined.push(range),
        }
    }
    joined
}

impl Default for Bogons {
    /// What is built in.
    fn default() -> Self {
        Bogons::new(Bogons::builtin_prefixes(), Bogons::builtin_asns())
    }
}

/// The transit-free networks: none of them buys transit, so none can be behind a customer or an exchange's peer.
pub const TRANSIT_FREE_ASNS: [Asn; 15] = [
    Asn(174),   // Cogent
    Asn(701),   // Verizon
    Asn(1299),  // Arelion
    Asn(2914),  // NTT
    Asn(3257),  // GTT
    Asn(3320),  // Deutsche Telekom
    Asn(3356),  // Lumen
    Asn(3491),  // PCCW
    Asn(5511),  // Orange
    Asn(6453),  // Tata
    Asn(6461),  // Zayo
    Asn(6762),  // Sparkle
    Asn(6830),  // Liberty Global
    Asn(7018),  // AT&T
    Asn(12956), // Telxius
];

const PREFIXES_V4: [([u8; 4], u8); 15] = [
    ([0, 0, 0, 0], 8),       // this network: RFC 791 s3.2
    ([10, 0, 0, 0], 8),      // private use: RFC 1918
    ([100, 64, 0, 0], 10),   // shared address space: RFC 6598
    ([127, 0, 0, 0], 8),     // loopback: RFC 1122 s3.2.1.3
    ([169, 254, 0, 0], 16),  // link local: RFC 3927
    ([172, 16, 0, 0], 12),   // private use: RFC 1918
    ([192, 0, 0, 0], 24),    // IETF protocol assignments: RFC 6890 s2.1
    ([192, 0, 2, 0], 24),    // documentation: RFC 5737
    ([192, 88, 99, 0], 24),  // 6to4 relays, deprecated: RFC 7526
    ([192, 168, 0, 0], 16),  // private use: RFC 1918
    ([198, 18, 0, 0], 15),   // benchmarking: RFC 2544
    ([198, 51, 100, 0], 24), // documentation: RFC 5737
    ([203, 0, 113, 0], 24),  // documentation: RFC 5737
    ([224, 0, 0, 0], 4),     // multicast: RFC 5771
    ([240, 0, 0, 0], 4),     // reserved: RFC 1112 s4
];

const PREFIXES_V6: [(Ipv6Addr, u8); 14] = [
    (v6(0x0000, 0), 3), // outside global unicast, with ::1, mapped addresses and 64:ff9b::/96: RFC 4291 s2.4
    (v6(0x0100, 0), 64), // discard only: RFC 6666
    (v6(0x2001, 0x0002), 48), // benchmarking: RFC 5180
    (v6(0x2001, 0x0010), 28), // ORCHID, returned: RFC 4843
    (v6(0x2001, 0x0db8), 32), // documentation: RFC 3849
    (v6(0x2002, 0), 16), // 6to4: RFC 3056, RFC 7526
    (v6(0x3ffe, 0), 16), // 6bone, returned: RFC 3701
    (v6(0x3fff, 0), 20), // documentation: RFC 9637
    (v6(0x4000, 0), 2), // outside global unicast: RFC 4291 s2.4
    (v6(0x5f00, 0), 16), // segment routing SIDs: RFC 9602
    (v6(0x8000, 0), 1), // outside global unicast: RFC 4291 s2.4
    (v6(0xfc00, 0), 7), // unique local: RFC 4193
    (v6(0xfe80, 0), 10), // link local: RFC 4291 s2.5.6
    (v6(0xff00, 0), 8), // multicast: RFC 4291 s2.7
];

const fn v6(first: u16, second: u16) -> Ipv6Addr {
    Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0)
}

const ASNS: [(u32, u32); 9] = [
    (0, 0),                         // RFC 7607
    (23456, 23456),                 // AS_TRANS: RFC 6793 s9
    (64496, 64511),                 // documentation: RFC 5398
    (64512, 65534),                 // private use: RFC 6996
    (65535, 65535),                 // RFC 7300
    (65536, 65551),                 // documentation: RFC 5398
    (65552, 131_071),               // reserved by IANA
    (4_200_000_000, 4_294_967_294), // private use: RFC 6996
    (u32::MAX, u32::MAX),           // RFC 7300
];

#[cfg(test)]
mod tests {
    use super::*;

    fn covering(text: &str) -> Option<String> {
        let found = match text.parse().unwrap() {
            Prefix::V4(net) => Bogons::default().covering(net),
            Prefix::V6(net) => Bogons::default().covering(net),
        };
        found.map(|prefix| prefix.to_string())
    }

    #[test]
    fn a_bogon_is_named_by_the_closest_entry_of_the_registry() {
        for (text, bogon) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("192.168.7.0/24", "192.168.0.0/16"),
            ("255.255.255.255/32", "240.0.0.0/4"),
            ("3fff:123::/32", "3fff::/20"),
            ("5f00::/48", "5f00::/16"),
            ("100::/64", "100::/64"),
            ("64:ff9b::/96", "::/3"),
            ("fd00::/48", "fc00::/7"),
        ] {
            assert_eq!(covering(text).as_deref(), Some(bogon), "{text}");
        }
    }

    #[test]
    fn global_unicast_and_the_default_route_are_no_bogons() {
        for text in
            ["0.0.0.0/0", "::/0", "1.1.1.0/24", "192.0.1.0/24", "2001:db9::/32", "2000::/3", "192.0.0.0/16"]
        {
            assert_eq!(covering(text), None, "{text}");
        }
    }

    #[test]
    fn reserved_as_numbers_are_bogons_to_their_last() {
        let bogons = Bogons::default();
        for asn in [0, 23456, 64496, 65534, 65535, 65551, 131_071, 4_200_000_000, u32::MAX] {
            assert!(bogons.has_asn(Asn(asn)), "{asn}");
        }
        for asn in [1, 23455, 23457, 64495, 131_072, 4_199_999_999] {
            assert!(!bogons.has_asn(Asn(asn)), "{asn}");
        }
    }

    #[test]
    fn ranges_that_meet_become_one_and_no_number_is_lost() {
        let ranges = [(7, 9), (1, 2), (3, 4), (8, 20), (15, 16), (u32::MAX, u32::MAX), (30, 29)];
        let ranges = ranges.map(|(first, last)| Asn(first)..=Asn(last));
        let bogons = Bogons::new([], ranges.clone());
        let expected = [Asn(1)..=Asn(4), Asn(7)..=Asn(20), Asn(u32::MAX)..=Asn(u32::MAX)];
        assert_eq!(bogons.asns().collect::<Vec<_>>(), expected);
        for asn in (0..40).chain([u32::MAX - 1, u32::MAX]).map(Asn) {
            assert_eq!(bogons.has_asn(asn), ranges.iter().any(|range| range.contains(&asn)), "{asn}");
        }
        assert!(!Bogons::new([], []).has_asn(Asn(0)));
    }

    /// RFC 6890's registries, what lies outside global unicast, and what lists made before RFC 9602 and RFC 9637 lack.
    #[test]
    fn what_registries_keep_for_special_purposes_is_built_in() {
        for text in [
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "255.255.255.255/32",
            "::/128",
            "::1/128",
            "::ffff:0.0.0.0/96",
            "64:ff9b::/96",
            "64:ff9b:1::/48",
            "100::/64",
            "100:0:0:1::/64",
            "2001:2::/48",
            "2001:10::/28",
            "2001:db8::/32",
            "2002::/16",
            "3ffe::/16",
            "3fff::/20",
            "5f00::/16",
            "fc00::/7",
            "fe80::/10",
            "fec0::/10",
            "ff00::/8",
        ] {
            assert!(covering(text).is_some(), "{text}");
        }
    }

    #[test]
    fn transit_free_networks_stand_in_order_so_that_they_can_be_searched() {
        assert!(TRANSIT_FREE_ASNS.is_sorted());
    }
}
