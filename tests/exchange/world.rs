//! All that there is around the route server: its members with what they announce, and the RPKI.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::announcement::{Announcement, Origin};
use crate::ask::{Ask, Form, Whom, Wish};
use crate::cases::{self, Case};
use crate::community::{Community, GRACEFUL_SHUTDOWN, NO_EXPORT};
use crate::member::{AMS, FRA, Member};
use crate::oracle;
use crate::support::random::Random;
use crate::support::vrp::Vrp;

/// The AS of the route server, and the ends of its addresses on the LAN.
pub(crate) const RS: u32 = 64_500;
pub(crate) const RS_HOST: u8 = 250;

/// Where members send what is to be dropped.
pub(crate) const BLACKHOLE_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 66);
pub(crate) const BLACKHOLE_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0x66);

/// Made-up prefixes of each family, and host routes to be dropped among them.
const PREFIXES: u32 = 150;
const BLACKHOLES: u32 = 15;

/// The first field of communities that only make messages large, and how many of them a path gets.
const NOISE: u32 = 4_100_000_000;
const NOISES: u32 = 75;
pub(crate) const NOISE_OCTETS: usize = 12 * NOISES as usize;

pub(crate) struct World {
    pub(crate) members: Vec<Member>,
    pub(crate) vrps: Vec<Vrp>,
    random: Random,
}

impl World {
    /// The cases that have names, and many that come of numbers.
    pub(crate) fn of(seed: u64, cases: &[Case]) -> Self {
        let mut world = World { members: Member::all(), vrps: cases::vrps(), random: Random(seed) };
        for case in cases {
            for (name, announcement) in &case.said {
                for prefix in case.prefixes() {
                    world.member(name).announced.insert(prefix, announcement.clone());
                }
            }
        }
        for number in 0..PREFIXES {
            for v4 in [true, false] {
                if number < BLACKHOLES {
                    world.make_up_blackhole(number, v4)
                } else {
                    world.make_up(number, v4)
                }
            }
        }
        world
    }

    pub(crate) fn member(&mut self, name: &str) -> &mut Member {
        self.members.iter_mut().find(|member| member.name == name).expect("a member of this name")
    }

    /// Everything that anybody announces.
    pub(crate) fn prefixes(&self) -> BTreeSet<IpNet> {
        self.members.iter().flat_map(|member| member.announced.keys().copied()).collect()
    }

    /// Takes announcements away, of all members but some.
    pub(crate) fn withdraw_some(&mut self, but: &[&str]) {
        let random = &mut self.random;
        for member in self.members.iter_mut().filter(|member| !but.contains(&member.name)) {
            member.announced.retain(|_, _| !random.per_mille(150));
        }
    }

    /// Has the members whose paths are best, all but some, ask for something else.
    pub(crate) fn change_wishes_of_best(&mut self, but: &[&str]) {
        for prefix in self.prefixes() {
            if self.random.per_mille(500) {
                continue;
            }
            let Some(name) = oracle::best_announcer(self, prefix).filter(|name| !but.contains(name)) else {
                continue;
            };
            let asks = self.asks();
            let said = self.member(name).announced.get_mut(&prefix).expect("it announces this");
            let blackhole = said.asks.iter().copied().filter(|(ask, _)| *ask == Ask::Blackhole);
            said.asks = blackhole.chain(asks).collect();
        }
    }

    /// Has all members but some announce everything anew, with other wishes and with many communities more.
    pub(crate) fn make_noise(&mut self, round: u32, but: &[&str]) {
        let is_noise = |community: &Community| matches!(community, Community::Large(NOISE, ..));
        for member in self.members.iter_mut().filter(|member| !but.contains(&member.name)) {
            for said in member.announced.values_mut() {
                let number = self.random.below(1 << 30) as u32;
                said.others.retain(|community| !is_noise(community));
                said.others.extend((0..NOISES).map(|one| Community::Large(NOISE, round, number + one)));
            }
        }
        self.change_wishes_of_best(but);
    }

    /// Takes VRPs away, adds some for what was invalid, and some against what was not.
    pub(crate) fn change_vrps(&mut self) {
        let random = &mut self.random;
        self.vrps.retain(|_| !random.per_mille(250));
        for prefix in self.prefixes() {
            match self.random.below(8) {
                0 => self.sign(prefix),
                1 => self.sign_for(prefix, 0),
                _ => {}
            }
        }
    }

    /// A prefix that one to four members announce, over paths of their own to one of two origins.
    fn make_up(&mut self, number: u32, v4: bool) {
        let prefix = self.prefix(number, v4);
        let origins = [self.random.asn(), self.random.asn()];
        let announcers = 1 + self.random.below(4);
        for _ in 0..announcers {
            let at = self.random.below(self.members.len() as u64) as usize;
            let announcement = self.announcement(origins);
            self.members[at].announced.insert(prefix, announcement);
        }
        match self.random.below(10) {
            0..5 => self.sign(prefix),
            5 => self.sign_for(prefix, 15_000),
            _ => {}
        }
    }

    /// A host route that one or two members want dropped, one of whom may own it.
    fn make_up_blackhole(&mut self, number: u32, v4: bool) {
        let prefix = self.prefix(number, v4);
        let host = IpNet::new_assert(prefix.addr(), prefix.max_prefix_len());
        for _ in 0..1 + self.random.below(2) {
            let at = self.random.below(self.members.len() as u64) as usize;
            let form = self.form();
            let mut announcement = Announcement::over(&[]).blackhole(form);
            announcement.asks.extend(self.asks());
            self.members[at].announced.insert(host, announcement);
            if self.random.per_mille(700) {
                self.sign_for(prefix, self.members[at].asn);
            }
        }
    }

    /// So long that the rest of a network, which is the number's own, has room for longer ones.
    fn prefix(&mut self, number: u32, v4: bool) -> IpNet {
        if v4 {
            let length = 18 + self.random.below(8) as u8;
            Ipv4Net::new_assert(Ipv4Addr::from((20 << 24) + (number << 14)), length).into()
        } else {
            let length = 34 + self.random.below(16) as u8;
            Ipv6Net::new_assert(Ipv6Addr::from(0x2a10_u128 << 112 | u128::from(number) << 94), length).into()
        }
    }

    fn announcement(&mut self, origins: [u32; 2]) -> Announcement {
        let mut path: Vec<u32> = (0..self.random.below(3)).map(|_| self.random.asn()).collect();
        match self.random.below(40) {
            0 => path.push(RS),
            1 => path.push(65_001),
            _ => {}
        }
        path.push(origins[self.random.below(2) as usize]);
        let mut announcement = Announcement::over(&path);
        if self.random.per_mille(300) {
            announcement = announcement.of_origin(Origin::ALL[self.random.below(3) as usize]);
        }
        announcement.med = self.random.per_mille(500).then(|| self.random.below(4) as u32);
        announcement.asks = self.asks();
        announcement.others = self.others();
        announcement
    }

    /// None, or up to five things that may well contradict each other.
    fn asks(&mut self) -> Vec<(Ask, Form)> {
        let count = if self.random.per_mille(350) { 0 } else { 1 + self.random.below(5) };
        let asks = (0..count).map(|_| (Ask::To(self.wish(), self.whom()), self.form()));
        asks.collect()
    }

    fn wish(&mut self) -> Wish {
        match self.random.below(10) {
            0..3 => Wish::Announce,
            3..6 => Wish::Withhold,
            6..9 => Wish::Prepend(1 + self.random.below(3) as u32),
            _ => Wish::NoExport,
        }
    }

    fn whom(&mut self) -> Whom {
        match self.random.below(10) {
            // Somebody who is not a member may be named too.
            0..6 => {
                Whom::Peer([51_001, 51_002, 51_003, 51_004, 201_006, 51_009][self.random.below(6) as usize])
            }
            6..9 => Whom::Region([FRA, AMS, 7][self.random.below(3) as usize]),
            _ => Whom::All,
        }
    }

    fn form(&mut self) -> Form {
        Form::ALL[self.random.below(3) as usize]
    }

    /// Communities that pass, some of which look a little like those that don't.
    fn others(&mut self) -> Vec<Community> {
        let near = [
            Community::Standard(51_001, 0),
            Community::Standard(65_504, 51_001),
            Community::Standard(1, 51_002),
            Community::Large(RS, 2, 51_001),
            Community::Large(RS, 1000, 3),
            Community::Large(51_001, 0, 51_002),
            Community::Target(51_001, RS),
            Community::Target(200_001, 77),
            Community::Origin(0, 51_001),
            Community::Origin(RS, 51_001),
            Community::Generic(0x0301_0000, 2),
            Community::Standard(65_535, 65_284),
        ];
        let mut others: Vec<Community> = near.into_iter().filter(|_| self.random.per_mille(120)).collect();
        if self.random.per_mille(60) {
            others.push(GRACEFUL_SHUTDOWN);
        } else if self.random.per_mille(40) {
            others.push(NO_EXPORT);
        }
        others
    }

    /// Says that one of the origins of a prefix is the right one, if only for some lengths.
    fn sign(&mut self, prefix: IpNet) {
        let said =
            self.members.iter().filter_map(|member| Some((member.asn, member.announced.get(&prefix)?)));
        let origins: Vec<u32> =
            said.map(|(asn, announcement)| announcement.path.last().copied().unwrap_or(asn)).collect();
        if !origins.is_empty() {
            let asn = origins[self.random.below(origins.len() as u64) as usize];
            self.sign_for(prefix, asn);
        }
    }

    fn sign_for(&mut self, prefix: IpNet, asn: u32) {
        let shorter = if self.random.per_mille(300) { prefix.supernet().unwrap_or(prefix) } else { prefix };
        let max_length = if self.random.per_mille(600) { prefix } else { shorter }.prefix_len();
        self.vrps.push(Vrp { prefix: shorter, max_length, asn });
    }
}

/// The route server's end of a session with a member at `address`.
pub(crate) fn rs_address(address: IpAddr) -> IpAddr {
    if address.is_ipv4() {
        crate::member::on_lan_v4(RS_HOST).into()
    } else {
        crate::member::on_lan_v6(RS_HOST).into()
    }
}
