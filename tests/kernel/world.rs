//! All that there is outside the router: three neighbours with what they announce, and the registries.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;

use crate::announcement::{Announcement, Table};
use crate::neighbor::{Group, Neighbor};
use crate::oracle::{Rank, Registries, Role, Routes};
use crate::support::random::Random;
use crate::support::vrp::{self, Vrp};

/// Of so many origin ASes one is the customer's customer.
const ORIGINS_A_MEMBER: u32 = 12;
/// Of a table this long or longer everything takes its time.
const LONG: usize = 200_000;
/// VRPs that come and that go at a reload.
const VRPS_CHANGED: usize = 120;

/// Our addresses on the networks that neighbours are on. The last two are on one link: BIRD keeps no two sessions with one
/// address.
pub(crate) const TRANSIT: (Ipv4Addr, Ipv6Addr) = (Ipv4Addr::new(192, 0, 2, 1), v6(1, 1));
pub(crate) const CUSTOMER: (Ipv4Addr, Ipv6Addr) = (Ipv4Addr::new(198, 51, 100, 1), v6(2, 1));
pub(crate) const SECOND: (Ipv4Addr, Ipv6Addr) = (Ipv4Addr::new(198, 51, 100, 17), v6(3, 1));

pub(crate) const fn v6(net: u16, host: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, net, 0, 0, 0, 0, host)
}

pub(crate) struct World {
    /// The first provider, the customer, the second provider.
    pub(crate) neighbors: Vec<Neighbor>,
    vrps: Vec<Vrp>,
    registries: Registries,
    random: Random,
    /// How long the router may take for any one thing.
    pub(crate) patience: Duration,
}

impl World {
    /// The first provider announces the whole table; the others a part of it, in their own way.
    pub(crate) fn of(table: Table) -> Self {
        let mut random = Random(table.announcements.len() as u64);
        let mut registries = Registries::new(&table.vrps);
        let announced = table.announcements.iter();
        registries.members =
            announced.map(Announcement::origin).filter(|asn| asn % ORIGINS_A_MEMBER == 0).collect();
        let patience = Duration::from_secs(if table.announcements.len() < LONG { 60 } else { 300 });
        let neighbors = vec![
            transit(&table, &mut random),
            customer(&table, &mut registries, &mut random),
            second_transit(&table, &mut random),
        ];
        let mut world = World { neighbors, vrps: table.vrps, registries, random, patience };
        world.judge();
        world
    }

    pub(crate) fn neighbor(&mut self, name: &str) -> &mut Neighbor {
        self.neighbors.iter_mut().find(|neighbor| neighbor.name == name).expect("a neighbor of this name")
    }

    /// What the kernel must hold now.
    pub(crate) fn expected(&self) -> Routes {
        let mut best: HashMap<IpNet, (Rank, std::net::IpAddr)> = HashMap::new();
        for neighbor in self.neighbors.iter().filter(|neighbor| neighbor.up) {
            for (prefix, announcement) in announced(neighbor) {
                if announcement.refusal.is_some() {
                    continue;
                }
                let candidate = (neighbor.rank(announcement), neighbor.gateway(announcement));
                let held = best.entry(prefix).or_insert(candidate);
                *held = candidate.min(*held);
            }
        }
        best.into_iter().map(|(prefix, (_, gateway))| (prefix, gateway)).collect()
    }

    /// How many of a neighbour's routes are refused, for each reason, most first.
    pub(crate) fn refusals(&self, name: &str) -> Vec<(&'static str, usize)> {
        let mut counts: HashMap<&'static str, usize> = HashMap::new();
        for neighbor in self.neighbors.iter().filter(|neighbor| neighbor.name == name) {
            for announcement in announced(neighbor).into_values() {
                if let Some(why) = announcement.refusal {
                    *counts.entry(why).or_default() += 1;
                }
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(why, count)| (std::cmp::Reverse(*count), *why));
        counts
    }

    /// Takes VRPs away, and adds some that make routes invalid which were not.
    pub(crate) fn change_vrps(&mut self) {
        let held: Vec<IpNet> = self.expected().into_keys().filter(|prefix| prefix.prefix_len() > 0).collect();
        let mut held: Vec<IpNet> = BTreeSet::from_iter(held).into_iter().collect();
        for _ in 0..VRPS_CHANGED.min(self.vrps.len()) {
            let gone = self.random.below(self.vrps.len() as u64) as usize;
            self.vrps.swap_remove(gone);
            let prefix = held.swap_remove(self.random.below(held.len() as u64) as usize);
            let asn = self.random.asn();
            self.vrps.push(Vrp { prefix, max_length: prefix.prefix_len(), asn });
        }
        self.registries.replace_vrps(&self.vrps);
        self.judge();
    }

    /// Has the oracle judge everything that is ever announced.
    fn judge(&mut self) {
        for neighbor in &mut self.neighbors {
            for announcement in neighbor.groups.iter_mut().flat_map(|group| &mut group.announcements) {
                announcement.refusal = self.registries.refusal(announcement, neighbor.role);
            }
        }
    }

    pub(crate) fn write_vrps(&self, folder: &Path) {
        vrp::write(&self.vrps, folder);
    }

    /// The route objects and the customer's as-set, as a registry's dump.
    pub(crate) fn write_irr(&self, folder: &Path) {
        let mut text = String::from("as-set: AS-CUSTOMER\n");
        for asn in &self.registries.members {
            let _ = writeln!(text, "members: AS{asn}");
        }
        text.push_str("source: TEST\n\n");
        for (prefix, origin) in &self.registries.route_objects {
            let class = if prefix.addr().is_ipv4() { "route" } else { "route6" };
            let _ = writeln!(text, "{class}: {prefix}\norigin: AS{origin}\nsource: TEST\n");
        }
        fs::write(folder.join("irr.db"), text).expect("a file can be written");
    }
}

/// What a neighbour announces of each prefix now.
fn announced(neighbor: &Neighbor) -> HashMap<IpNet, &Announcement> {
    let groups = neighbor.groups.iter().filter(|group| group.on);
    groups
        .flat_map(|group| &group.announcements)
        .map(|announcement| (announcement.prefix, announcement))
        .collect()
}

/// The whole table: most of it stays, some of it will leave, some will change its path or its origin.
fn transit(table: &Table, random: &mut Random) -> Neighbor {
    let (mut stay, mut leave, mut change) = (Vec::new(), Vec::new(), Vec::new());
    for announcement in &table.announcements {
        if !announcement.aggregated && random.per_mille(60) {
            leave.push(announcement.clone());
            continue;
        }
        stay.push(announcement.clone());
        if !announcement.aggregated && random.per_mille(20) {
            let mut path = vec![random.asn(), random.asn(), announcement.origin()];
            if random.per_mille(500) {
                path.push(random.asn());
            }
            change.push(Announcement::new(announcement.prefix, path));
        }
    }
    Neighbor {
        name: "transit",
        asn: 201_000,
        role: Role::Provider,
        router_id: Ipv4Addr::new(192, 0, 2, 2),
        v4: Ipv4Addr::new(192, 0, 2, 2),
        v6: v6(1, 2),
        ours: TRANSIT,
        two_sessions: true,
        hold_time_s: 90,
        up: true,
        groups: vec![group("stay", true, stay), group("leave", true, leave), group("change", false, change)],
    }
}

/// What its customers originate, half of it registered, and what it should not announce.
fn customer(table: &Table, registries: &mut Registries, random: &mut Random) -> Neighbor {
    let mut announcements = Vec::new();
    for Announcement { prefix, path, .. } in &table.announcements {
        let origin = path.last().copied().unwrap_or(0);
        let member = registries.members.contains(&origin);
        if !random.per_mille(if member { 700 } else { 3 }) {
            continue;
        }
        let between = match random.below(20) {
            0 => vec![3356],
            1..8 => vec![random.asn()],
            _ => vec![],
        };
        announcements.push(Announcement::new(*prefix, [between, vec![origin]].concat()));
        if random.per_mille(500) {
            registries.route_objects.insert((*prefix, origin));
        }
    }
    Neighbor {
        name: "customer",
        asn: 203_000,
        role: Role::Customer,
        router_id: Ipv4Addr::new(198, 51, 100, 2),
        v4: Ipv4Addr::new(198, 51, 100, 2),
        v6: v6(2, 2),
        ours: CUSTOMER,
        two_sessions: false,
        hold_time_s: 6,
        up: false,
        groups: vec![group("all", true, announcements)],
    }
}

/// A part of the table, over paths that are longer, shorter or as long.
fn second_transit(table: &Table, random: &mut Random) -> Neighbor {
    let mut announcements = Vec::new();
    for Announcement { prefix, path, .. } in &table.announcements {
        if random.per_mille(120) {
            let mut path: Vec<u32> = path.last().copied().into_iter().collect();
            (0..random.below(4)).for_each(|_| path.insert(0, random.asn()));
            announcements.push(Announcement::new(*prefix, path));
        }
    }
    Neighbor {
        name: "second",
        asn: 202_000,
        role: Role::Provider,
        router_id: Ipv4Addr::new(198, 51, 100, 2),
        v4: Ipv4Addr::new(198, 51, 100, 18),
        v6: v6(3, 2),
        ours: SECOND,
        two_sessions: false,
        hold_time_s: 6,
        up: false,
        groups: vec![group("all", true, announcements)],
    }
}

fn group(name: &'static str, on: bool, announcements: Vec<Announcement>) -> Group {
    Group { name, on, announcements }
}
