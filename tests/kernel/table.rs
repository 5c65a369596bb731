//! A made-up table: looks like the Internet's from afar, and has something for every check.

use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::announcement::{Announcement, Table};
use crate::oracle::OURS;
use crate::support::random::Random;
use crate::support::vrp::Vrp;

/// So many IPv4 and IPv6 prefixes, and VRPs for more than half of them.
pub(crate) fn made_up(seed: u64, v4: usize, v6: usize) -> Table {
    let mut maker = Maker { random: Random(seed), taken: HashSet::new(), vrps: Vec::new() };
    let mut announcements: Vec<Announcement> =
        ["0.0.0.0/0", "::/0", "64.0.0.0/6", "2400::/11"].map(|text| maker.oddity(text)).into();
    for (count, is_v4) in [(v4, true), (v6, false)] {
        announcements.extend((0..count).map(|_| maker.announcement(is_v4)));
    }
    Table { announcements, vrps: maker.vrps }
}

struct Maker {
    random: Random,
    taken: HashSet<IpNet>,
    vrps: Vec<Vrp>,
}

impl Maker {
    /// A default route, or one that is too short.
    fn oddity(&mut self, text: &str) -> Announcement {
        let prefix: IpNet = text.parse().expect("a prefix");
        self.taken.insert(prefix);
        Announcement::new(prefix, self.path())
    }

    fn path(&mut self) -> Vec<u32> {
        (0..=self.random.below(3)).map(|_| self.random.asn()).collect()
    }

    fn announcement(&mut self, v4: bool) -> Announcement {
        let kind = self.random.below(1000);
        let prefix = match kind {
            0..15 => self.prefix(v4, if v4 { 25..=32 } else { 49..=128 }),
            15..25 => self.bogon(v4),
            _ => self.prefix(v4, if v4 { 15..=24 } else { 28..=48 }),
        };
        let mut announcement = Announcement::new(prefix, self.path());
        match kind {
            25..35 => announcement.path.insert(0, [64_512, 0, 23_456, 4_200_000_000][kind as usize % 4]),
            35..45 => announcement.path.insert(0, OURS),
            45..50 if v4 => announcement.aggregated = true,
            _ => {}
        }
        self.sign(&announcement, kind);
        announcement
    }

    /// What the RPKI says of it: nothing, that it is right, or wrong in each way.
    fn sign(&mut self, announcement: &Announcement, kind: u64) {
        let (prefix, origin, length) =
            (announcement.prefix, announcement.origin(), announcement.prefix.prefix_len());
        let above = prefix.supernet().and_then(|net| net.supernet()).unwrap_or(prefix);
        let stranger = self.random.asn();
        let longer = (length + self.random.below(4) as u8).min(prefix.max_prefix_len());
        match kind {
            45..450 => self.vrp(prefix, longer, origin),
            450..490 => self.vrp(prefix, longer, stranger),
            490..520 => self.vrp(above, above.prefix_len(), origin),
            520..530 => self.vrp(prefix, length, 0),
            530..550 => {
                self.vrp(prefix, length, stranger);
                self.vrp(above, longer, origin);
            }
            _ => {}
        }
    }

    fn vrp(&mut self, prefix: IpNet, max_length: u8, asn: u32) {
        self.vrps.push(Vrp { prefix, max_length, asn });
    }

    /// One that is not taken; the longer, the likelier.
    fn prefix(&mut self, v4: bool, lengths: std::ops::RangeInclusive<u8>) -> IpNet {
        loop {
            let spread = u64::from(lengths.end() - lengths.start()) + 1;
            let length = lengths.start() + self.random.below(spread).max(self.random.below(spread)) as u8;
            let prefix = self.anywhere(v4, length);
            if self.taken.insert(prefix) {
                return prefix;
            }
        }
    }

    /// In the space that registries allocate from, which some special-purpose prefixes lie in.
    fn anywhere(&mut self, v4: bool, length: u8) -> IpNet {
        if v4 {
            let bits = (1 << 24) + self.random.below((223 << 24) - (1 << 24)) as u32;
            // BIRD refuses the loopback net itself.
            let bits = if bits >> 24 == 127 { bits ^ (1 << 24) } else { bits };
            Ipv4Net::new_assert(Ipv4Addr::from(bits), length).trunc().into()
        } else {
            let bits = (0x24_u128 << 120) | (u128::from(self.random.below(1 << 60)) << 60);
            Ipv6Net::new_assert(Ipv6Addr::from(bits), length).trunc().into()
        }
    }

    fn bogon(&mut self, v4: bool) -> IpNet {
        let (bases, length) = if v4 {
            (["10.0.0.0", "100.64.0.0", "192.168.0.0", "198.18.0.0"], 24)
        } else {
            (["2001:db8::", "2002::", "3fff::", "3ffe::"], 48)
        };
        let base: IpNet = format!("{}/{}", bases[self.random.below(4) as usize], if v4 { 15 } else { 20 })
            .parse()
            .expect("a prefix");
        loop {
            let prefix = match base.trunc() {
                IpNet::V4(net) => {
                    let within = (self.random.below(256) as u32) << 8;
                    IpNet::from(Ipv4Net::new_assert(Ipv4Addr::from(net.addr().to_bits() | within), length))
                }
                IpNet::V6(net) => {
                    let within = u128::from(self.random.below(1 << 12)) << 80;
                    IpNet::from(Ipv6Net::new_assert(Ipv6Addr::from(net.addr().to_bits() | within), length))
                }
            };
            if self.taken.insert(prefix) {
                return prefix;
            }
        }
    }
}
