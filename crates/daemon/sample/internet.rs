//! A little Internet: networks, who buys transit from whom, and the prefixes that each holds.
//!
//! ```text
//!   transit-free      0 .. 5      AS174 and others whose numbers the judge knows
//!   transits          5 .. 21     buy from one to three above them
//!   edges            21 .. 260    buy from one or two transits
//! ```
//!
//! The numbers of all but the transit-free are of ranges that nobody has been given (AS 500000 to 599999, and IPv6 under
//! 2e00::/16), because the judge rightly refuses those kept for documentation. No range of IPv4 is left that is both: the
//! prefixes are made up in 22.0.0.0/8 to 30.0.0.0/8, of which little is announced. They never leave the machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use palisade_bgp::{Asn, Prefix};

use super::random::Random;

/// Transit-free networks.
const TRANSIT_FREE: [u32; 5] = [174, 1299, 2914, 3257, 3356];
/// Networks that sell transit and buy it.
const TRANSITS: usize = 16;
/// Networks that buy transit.
const EDGES: usize = 240;
/// The AS number before that of the first transit.
const BEFORE_TRANSITS: u32 = 500_000;

/// A prefix that a network holds and announces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holding {
    pub(super) prefix: Prefix,
    /// The maxLength of its ROA, where there is one.
    pub(super) roa: Option<u8>,
    /// Whether it has a route object.
    pub(super) registered: bool,
    /// Whether nobody else's prefix or ROA covers it or lies within it.
    pub(super) alone: bool,
}

/// An AS.
#[derive(Clone, Debug)]
pub(super) struct Network {
    pub(super) asn: Asn,
    /// Whom it buys transit from.
    pub(super) providers: Vec<usize>,
    pub(super) holdings: Vec<Holding>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Internet {
    pub(super) networks: Vec<Network>,
}

impl Internet {
    pub(super) fn generate(random: &mut Random) -> Self {
        let mut space = Space::new();
        let mut networks = Vec::new();
        let first_edge = TRANSIT_FREE.len() + TRANSITS;
        for at in 0..first_edge + EDGES {
            let (above, most, size) = match at {
                _ if at < TRANSIT_FREE.len() => (0..0, 0, 3),
                _ if at < first_edge => (0..(at - 1).min(TRANSIT_FREE.len() + 3), 3, 6),
                _ => (TRANSIT_FREE.len()..first_edge, 2, 0),
            };
            let asn = TRANSIT_FREE.get(at).copied().unwrap_or(BEFORE_TRANSITS + at as u32 * 37);
            let providers = choose(above, most, random);
            networks.push(Network { asn: Asn(asn), providers, holdings: space.holdings(size, random) });
        }
        let mut internet = Internet { networks };
        internet.share_some_prefixes(random);
        internet
    }

    /// The place of the first transit and of the first edge.
    pub(super) const fn transits() -> std::ops::Range<usize> {
        TRANSIT_FREE.len()..TRANSIT_FREE.len() + TRANSITS
    }

    /// The places of the edges.
    pub(super) fn edges(&self) -> std::ops::Range<usize> {
        Internet::transits().end..self.networks.len()
    }

    /// Who buys transit from a network, directly.
    pub(super) fn customers(&self, provider: usize) -> impl Iterator<Item = usize> {
        let buys = move |(_, network): &(usize, &Network)| network.providers.contains(&provider);
        self.networks.iter().enumerate().filter(buys).map(|(at, _)| at)
    }

    /// A network and all that are reached through it going down: its customer cone.
    pub(super) fn cone(&self, top: usize) -> Vec<usize> {
        let mut cone = vec![top];
        let mut next = 0;
        while let Some(at) = cone.get(next).copied() {
            let more: Vec<usize> = self.customers(at).filter(|customer| !cone.contains(customer)).collect();
            cone.extend(more);
            next += 1;
        }
        cone.sort_unstable();
        cone
    }

    /// The path from a network to an origin: up from both to where they meet, or across between two that buy no transit.
    pub(super) fn path(&self, from: usize, origin: usize, random: &mut Random) -> Vec<Asn> {
        let (up, down) = (self.ascent(from, random), self.ascent(origin, random));
        let meeting = up.iter().enumerate().find_map(|(at, network)| {
            down.iter().position(|other| other == network).map(|other| (at, other))
        });
        let (climbed, descended) = match meeting {
            Some((climbed, descended)) => (climbed + 1, descended),
            None => (up.len(), down.len()),
        };
        let networks = up[..climbed].iter().chain(down[..descended].iter().rev());
        networks.map(|at| self.networks[*at].asn).collect()
    }

    /// The path from a network down to an origin in its customer cone.
    pub(super) fn path_down(&self, from: usize, origin: usize, random: &mut Random) -> Vec<Asn> {
        let cone = self.cone(from);
        let mut chain = vec![origin];
        let mut at = origin;
        while at != from {
            let within = self.networks[at].providers.iter().copied().filter(|above| cone.contains(above));
            at = random.pick(&within.collect::<Vec<_>>());
            chain.push(at);
        }
        chain.iter().rev().map(|at| self.networks[*at].asn).collect()
    }

    /// From a network up, to one that buys no transit.
    fn ascent(&self, from: usize, random: &mut Random) -> Vec<usize> {
        let mut chain = vec![from];
        let mut at = from;
        while !self.networks[at].providers.is_empty() {
            at = random.pick(&self.networks[at].providers);
            chain.push(at);
        }
        chain
    }

    /// A few prefixes have two origins, both of them right (MOAS).
    fn share_some_prefixes(&mut self, random: &mut Random) {
        for _ in 0..6 {
            let (one, other) = (random.pick(&self.some_edges()), random.pick(&self.some_edges()));
            if one != other
                && let Some(holding) = self.networks[one].holdings.iter_mut().find(|holding| holding.alone)
            {
                holding.alone = false;
                let shared = *holding;
                self.networks[other].holdings.push(shared);
            }
        }
    }

    fn some_edges(&self) -> Vec<usize> {
        self.edges().collect()
    }
}

/// Up to `most` of a range, at least one, without repetition.
fn choose(from: std::ops::Range<usize>, most: usize, random: &mut Random) -> Vec<usize> {
    let all: Vec<usize> = from.collect();
    let mut chosen = Vec::new();
    for _ in 0..if all.is_empty() { 0 } else { 1 + random.below(most) } {
        let one = random.pick(&all);
        if !chosen.contains(&one) {
            chosen.push(one);
        }
    }
    chosen
}

/// What is left to give out.
struct Space {
    /// The next IPv4 address.
    v4: u32,
    /// The next second word of an IPv6 address.
    v6: u16,
}

impl Space {
    fn new() -> Self {
        Space { v4: u32::from(Ipv4Addr::new(22, 0, 0, 0)), v6: 1 }
    }

    /// What one network holds. Lengths are distributed as in today's table.
    fn holdings(&mut self, size: usize, random: &mut Random) -> Vec<Holding> {
        let mut holdings = Vec::new();
        for _ in 0..1 + size + random.weighted(&[(40, 0), (25, 1), (15, 3), (10, 5), (7, 8), (3, 12)]) {
            let len = random.weighted(&[
                (60, 24),
                (10, 23),
                (12, 22),
                (5, 21),
                (6, 20),
                (3, 19),
                (2, 18),
                (1, 17),
                (1, 16),
            ]);
            self.ipv4(len, random, &mut holdings);
        }
        for _ in 0..random.weighted(&[(45, 0), (35, 1), (20, 3)]) {
            let len =
                random.weighted(&[(48, 48), (22, 32), (8, 44), (8, 40), (6, 36), (5, 29), (2, 46), (1, 33)]);
            holdings.push(Holding { prefix: self.ipv6(len), ..holding(random, len, 48) });
        }
        holdings
    }

    /// One allocation of IPv4: the prefix itself, and of the larger ones sometimes some /24 besides.
    fn ipv4(&mut self, len: u8, random: &mut Random, holdings: &mut Vec<Holding>) {
        let size = 1u32 << (32 - len);
        let address = self.v4.next_multiple_of(size);
        self.v4 = address + size;
        let at = |address: u32, len| Prefix::new(IpAddr::V4(address.into()), len);
        let whole = Holding { prefix: at(address, len), ..holding(random, len, 24) };
        let parts = if (19..=22).contains(&len) && random.percent(30) { 1 + random.below(3) } else { 0 };
        if parts == 0 {
            holdings.push(whole);
            return;
        }
        // Who announces parts of an allocation has ROAs that allow them.
        let roa = whole.roa.map(|_| 24);
        holdings.push(Holding { roa, alone: false, ..whole });
        for part in 0..parts as u32 {
            holdings.push(Holding { prefix: at(address + part * 256, 24), roa, alone: false, ..whole });
        }
    }

    fn ipv6(&mut self, len: u8) -> Prefix {
        // A /29 takes eight /32s.
        let blocks: u16 = if len < 32 { 1 << (32 - len) } else { 1 };
        let block = self.v6.next_multiple_of(blocks);
        self.v6 = block + blocks;
        Prefix::new(IpAddr::V6(Ipv6Addr::new(0x2e00, block, 0, 0, 0, 0, 0, 0)), len)
    }
}

/// Whether a holding has a ROA and a route object. Two of three have a ROA, most of them for the very prefix.
fn holding(random: &mut Random, len: u8, longest: u8) -> Holding {
    let roa = random.percent(64).then(|| if random.percent(82) { len } else { longest });
    Holding {
        prefix: Prefix::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        roa,
        registered: random.percent(86),
        alone: true,
    }
}
