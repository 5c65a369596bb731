//! Tables that are made from a seed, with the make-up of the Internet's: lengths of prefixes as in the table of 2026, one
//! IPv6 route to four of IPv4, paths of 2 to 6 ASNs, and about four routes to a set of attributes.
//!
//! They are not the Internet's in what they leave out: no AS_SETs, no MED, no AS path of thirty hops, and nothing that is
//! repeated in two places of the table.

use crate::actions;
use crate::attributes::{Attributes, community};
use crate::load::{Kind, Load};
use crate::member;
use crate::prefix::Prefix;
use crate::problem::Problem;
use crate::random::Random;
use crate::table::{Feed, Run, Table};

const SEED: u64 = 20_260_511;

/// IPv4 lengths, in thousandths.
const FOUR: &[(u8, u32)] = &[
    (24, 610),
    (23, 96),
    (22, 108),
    (21, 50),
    (20, 44),
    (19, 28),
    (18, 16),
    (17, 10),
    (16, 32),
    (15, 2),
    (14, 2),
    (13, 1),
    (12, 1),
];
/// IPv6 lengths, in thousandths.
const SIX: &[(u8, u32)] = &[
    (48, 500),
    (47, 24),
    (46, 30),
    (45, 14),
    (44, 92),
    (42, 20),
    (40, 90),
    (36, 50),
    (34, 14),
    (33, 24),
    (32, 120),
    (30, 6),
    (29, 34),
];
/// How many routes share a set of attributes.
const SHARE: &[(usize, u32)] =
    &[(1, 42), (2, 20), (3, 11), (4, 8), (6, 7), (8, 5), (12, 4), (24, 2), (60, 1)];
/// How many ASNs stand between the sender and the origin.
const BETWEEN: &[(usize, u32)] = &[(0, 12), (1, 34), (2, 32), (3, 16), (4, 6)];
/// /8s that are special in whole or in part (RFC 6890): none of their addresses are used.
const SPECIAL: &[u32] = &[0, 10, 100, 127, 169, 172, 192, 198, 203];

/// The table of a load.
pub(crate) fn table(load: &Load) -> Result<Table, Problem> {
    let mut random = Random::new(SEED);
    let prefixes = prefixes(load.routes, &mut random)?;
    let groups = groups(&prefixes, &mut random);
    let mut table = Table { prefixes, ..Table::default() };
    match load.kind {
        Kind::Full => all_send_all(load, &groups, &mut table, &mut random),
        _ => each_sends_its_own(load, groups, &mut table, &mut random),
    }
    table.finish();
    Ok(table)
}

/// Distinct prefixes, in order, the IPv4 ones first.
fn prefixes(count: usize, random: &mut Random) -> Result<Vec<Prefix>, Problem> {
    let six = count / 5;
    let mut prefixes = Vec::with_capacity(count);
    let mut at: u64 = 1 << 24;
    while prefixes.len() < count - six {
        let len = random.weighted(FOUR);
        let size = 1_u64 << (32 - len);
        at = clear_of_special(at.next_multiple_of(size));
        if at >> 24 >= 224 {
            return Err(Problem::Load(format!("IPv4 has no room for {count} made-up prefixes")));
        }
        prefixes.push(Prefix::v4(at as u32, len));
        // Some of the space of a short one is announced again in more specific ones.
        at += if len < 22 && random.percent(30) { 256 } else { size };
    }
    let mut at: u64 = 0x2400_0000 << 32;
    for _ in 0..six {
        let len = random.weighted(SIX);
        let size = 1_u64 << (64 - len);
        at = at.next_multiple_of(size);
        prefixes.push(Prefix::new(true, at, len));
        at += size;
    }
    prefixes.dedup();
    Ok(prefixes)
}

fn clear_of_special(at: u64) -> u64 {
    let mut at = at;
    while SPECIAL.contains(&((at >> 24) as u32)) {
        at = ((at >> 24) + 1) << 24;
    }
    at
}

/// Cuts the table into neighbours that one origin announces alike.
fn groups(prefixes: &[Prefix], random: &mut Random) -> Vec<Vec<u32>> {
    let mut groups = Vec::new();
    let mut at = 0;
    while at < prefixes.len() {
        let most = random.weighted(SHARE);
        let alike = prefixes[at..].iter().take(most).take_while(|next| next.six == prefixes[at].six).count();
        groups.push((at as u32..(at + alike) as u32).collect());
        at += alike;
    }
    groups
}

fn all_send_all(load: &Load, groups: &[Vec<u32>], table: &mut Table, random: &mut Random) {
    let origins: Vec<u32> = groups.iter().map(|_| network(random)).collect();
    for sender in 0..load.senders {
        let mut feed = Feed::default();
        for (group, origin) in groups.iter().zip(&origins) {
            let six = table.prefixes[group[0] as usize].six;
            let attributes = attributes(sender, *origin, six, random);
            push(table, &mut feed, attributes, group.clone());
        }
        table.feeds.push(feed);
    }
}

fn each_sends_its_own(load: &Load, groups: Vec<Vec<u32>>, table: &mut Table, random: &mut Random) {
    let mut groups = groups;
    random.shuffle(&mut groups);
    for (sender, mut count) in shares(load, table.prefixes.len(), random).into_iter().enumerate() {
        let mut feed = Feed::default();
        while count > 0 {
            let Some(mut group) = groups.pop() else { break };
            if group.len() > count {
                groups.push(group.split_off(count));
            }
            count -= group.len();
            let mut attributes =
                attributes(sender, network(random), table.prefixes[group[0] as usize].six, random);
            if load.kind == Kind::Actions {
                actions::add_some(&mut attributes, load.senders, feed.sets.is_empty(), random);
            }
            push(table, &mut feed, attributes, group);
        }
        table.feeds.push(feed);
    }
}

/// How many routes each member has: the same each, or, as at an exchange, a few many and most of them few.
fn shares(load: &Load, routes: usize, random: &mut Random) -> Vec<usize> {
    if load.kind == Kind::RouteServer {
        return (0..load.senders)
            .map(|sender| routes * (sender + 1) / load.senders - routes * sender / load.senders)
            .collect();
    }
    let weights: Vec<usize> =
        (0..load.senders).map(|_| 20 + random.below(1_000).pow(4) / 500_000_000).collect();
    let total: usize = weights.iter().sum();
    let mut shares: Vec<usize> = weights.iter().map(|weight| (routes * weight / total).max(1)).collect();
    let given: usize = shares.iter().sum();
    shares[0] += routes.saturating_sub(given);
    shares
}

fn push(table: &mut Table, feed: &mut Feed, attributes: Attributes, places: Vec<u32>) {
    feed.sets.push(Run { set: table.sets.len() as u32, places });
    table.sets.push(attributes);
}

fn attributes(sender: usize, origin: u32, six: bool, random: &mut Random) -> Attributes {
    let mut path = vec![member::asn(sender)];
    for _ in 0..random.weighted(BETWEEN) {
        path.push(transit(random));
    }
    path.push(origin);
    let communities = if random.percent(60) { informational(random) } else { Vec::new() };
    let large = match random.percent(15) {
        true => (0..1 + random.below(3))
            .map(|_| [network(random), random.between(1, 9), random.between(0, 9_999)])
            .collect(),
        false => Vec::new(),
    };
    Attributes { path, communities, large, six }
}

fn informational(random: &mut Random) -> Vec<u32> {
    let by = transit(random);
    let mut communities: Vec<u32> =
        (0..1 + random.below(6)).map(|_| community(by, random.between(100, 9_999))).collect();
    communities.sort_unstable();
    communities.dedup();
    communities
}

/// One of two hundred networks that carry others' routes.
fn transit(random: &mut Random) -> u32 {
    1_000 + random.between(0, 199) * 83
}

/// Any network.
fn network(random: &mut Random) -> u32 {
    if random.percent(55) { random.between(24_600, 63_000) } else { random.between(131_072, 400_000) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn made(name: &str) -> Table {
        table(&name.parse().unwrap()).unwrap()
    }

    #[test]
    fn members_announce_distinct_prefixes() {
        for name in ["rs7x100", "actions30x50"] {
            let table = made(name);
            let places: Vec<u32> =
                table.feeds.iter().flat_map(|feed| &feed.sets).flat_map(|run| run.places.clone()).collect();
            assert_eq!(places.iter().collect::<HashSet<_>>().len(), places.len(), "{name}");
            assert_eq!(places.len(), table.first_probe());
            assert_eq!(table.prefixes.iter().collect::<HashSet<_>>().len(), table.prefixes.len());
            assert!(table.feeds.iter().all(|feed| !feed.sets.is_empty()));
        }
    }

    #[test]
    fn providers_all_announce_all() {
        let table = made("full3x2000");
        assert_eq!(table.routes(), 3 * table.first_probe());
        assert_eq!(table.first_probe(), 2_000);
        for feed in &table.feeds {
            for run in &feed.sets {
                let set = &table.sets[run.set as usize];
                assert!((2..=6).contains(&set.path.len()));
                assert!(run.places.iter().all(|place| table.prefixes[*place as usize].six == set.six));
            }
        }
    }

    #[test]
    fn is_the_same_every_time() {
        assert_eq!(made("actions5x40").sets, made("actions5x40").sets);
    }
}
