//! What the registries' data costs: octets held for a thousand peers, the time to read it from the cache on disk, and
//! what one changed object costs until it is known which routes and which peers it touches.
//!
//! The data is made up, in the shape of all registries together: most prefixes have one or two route objects, most
//! as-sets are small, a few peers' come to tens of thousands of origins.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench fails by panicking")]

use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use palisade_bgp::{Asn, Net, Prefix};
use palisade_policy::as_set::Member;
use palisade_policy::irr::{ByReference, Memberships};
use palisade_policy::{
    AsSet, AsSetName, Dependencies, ExpansionLimits, IrrBuilder, IrrChange, IrrIndex, IrrObject, OriginSet,
    RouteObject,
};

const IPV4: usize = 1_400_000;
const IPV6: usize = 600_000;
const REGISTRIES: usize = 30;
const AS_SETS: usize = 40_000;
const ASNS: u64 = 80_000;
const PEERS: usize = 1000;
/// Of as many changes the median and the worst are shown.
const CHANGES: usize = 200;

fn main() {
    let cache = made_up();
    println!("cache: {:.0} MB of RPSL", cache.len() as f64 / 1e6);
    let before = resident_octets();
    let began = Instant::now();
    let mut builder = IrrBuilder::default();
    let report = builder.read(cache.as_slice(), "NONE").unwrap();
    let read = began.elapsed();
    let index = builder.build();
    println!("read: {:?}, index: {:?}, together {:?}", read, began.elapsed() - read, began.elapsed());
    assert_eq!(report.malformed.count, 0);
    println!("{} route objects, {} as-sets", index.len(), index.as_sets());
    let held = resident_octets() - before;

    let began = Instant::now();
    let peers = peers(&index);
    let origins: usize = peers.iter().map(|peer| peer.origins.len()).sum();
    let rests: usize = peers.iter().map(|peer| peer.dependencies.memory_bytes()).sum();
    let most = peers.iter().map(|peer| peer.origins.len()).max().unwrap();
    println!("{PEERS} peers expanded: {:?}, {origins} origins, at most {most}", began.elapsed());
    let octets: usize = peers.iter().map(|peer| peer.origins.memory_bytes()).sum();
    println!(
        "octets: {} MiB route objects, {} MiB origin sets, {} MiB dependencies; resident {} MiB index, {} MiB with peers",
        index.memory_bytes() >> 20,
        octets >> 20,
        rests >> 20,
        held >> 20,
        (resident_octets() - before) >> 20,
    );
    let began = Instant::now();
    let mut written = Vec::with_capacity(cache.len());
    index.write_rpsl(&mut written).unwrap();
    println!("written: {:?}", began.elapsed());
    assert!(written == cache, "what was read is what was written");

    println!(
        "peak of the process, the making up and two copies of the cache included: {} MiB",
        peak_octets() >> 20
    );

    one_route(&index);
    one_member(&index, &peers);
}

/// One route object added to what is amended already, and the ranges that it touches.
fn one_route(index: &IrrIndex) {
    let mut random = Random(5);
    let mut times = Vec::new();
    let mut current = index.amended([]);
    for _ in 0..CHANGES {
        let change = IrrChange::Add(IrrObject::Route(route_object(&mut random), Memberships::default()));
        let began = Instant::now();
        let amended = current.amended([change]);
        let ranges = current.changed_ranges(&amended);
        times.push(began.elapsed());
        black_box(ranges);
        current = amended;
    }
    show("one route object: amended, changed ranges", &mut times);
    let many = (0..2000).map(|_| IrrObject::Route(route_object(&mut random), Memberships::default()));
    current = index.amended(many.map(IrrChange::Add));
    let mut times = Vec::new();
    for _ in 0..CHANGES {
        let change = IrrChange::Add(IrrObject::Route(route_object(&mut random), Memberships::default()));
        let began = Instant::now();
        let amended = current.amended([change]);
        black_box(current.changed_ranges(&amended));
        times.push(began.elapsed());
    }
    show("the same with 2000 amendments before it", &mut times);
    let many = (0..3000).map(|_| IrrObject::Route(route_object(&mut random), Memberships::default()));
    let changes: Vec<IrrChange> = many.map(IrrChange::Add).collect();
    let began = Instant::now();
    let rebuilt = current.amended(changes);
    let amended = began.elapsed();
    black_box(current.changed_ranges(&rebuilt));
    println!("a new whole table: {amended:?}, its changed ranges: {:?}", began.elapsed() - amended);
}

/// One member added to an as-set, and every peer that rests on it expanded again.
fn one_member(index: &IrrIndex, peers: &[Peer]) {
    let mut random = Random(9);
    let sets: Vec<_> = index.as_set_objects().collect();
    let (mut found, mut all, mut touched_peers) = (Vec::new(), Vec::new(), 0);
    for _ in 0..CHANGES {
        let set = sets[random.below(sets.len())];
        let mut changed = AsSet::clone(set);
        changed.asns = changed.asns.iter().copied().chain([Asn(4_200_000_000)]).collect();
        let began = Instant::now();
        let amended = index.amended([IrrChange::Add(IrrObject::AsSet(changed))]);
        let sets = index.changed_sets(&amended);
        let touched: Vec<&Peer> =
            peers.iter().filter(|peer| peer.dependencies.are_touched_by(&sets)).collect();
        found.push(began.elapsed());
        for peer in &touched {
            black_box(amended.expand(&peer.as_set, &ExpansionLimits::default()).unwrap());
        }
        all.push(began.elapsed());
        touched_peers += touched.len();
    }
    show("one member: amended, changed sets, peers found", &mut found);
    show("one member: and the peers expanded again", &mut all);
    println!("    peers touched, on average: {:.1}", touched_peers as f64 / CHANGES as f64);
}

fn show(what: &str, times: &mut [Duration]) {
    times.sort();
    let share = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!("{what}: {:?} median, {:?} of 95 %, {:?} worst", share(50), share(95), share(100));
}

struct Peer {
    as_set: String,
    origins: OriginSet,
    dependencies: Dependencies,
}

/// The as-sets with the lowest numbers come to the most; two peers in three have small ones.
fn peers(index: &IrrIndex) -> Vec<Peer> {
    let peers = (0..PEERS).map(|at| {
        let as_set = set_name(if at < PEERS / 3 { at } else { at * (AS_SETS / PEERS) });
        let expansion = index.expand(&as_set, &ExpansionLimits::default()).unwrap();
        Peer { as_set, origins: expansion.origins, dependencies: expansion.dependencies }
    });
    peers.collect()
}

/// All of it as RPSL, as registries write it, less what is of no use.
fn made_up() -> Vec<u8> {
    let mut random = Random(1);
    let mut builder = IrrBuilder::with_order((0..REGISTRIES).map(registry));
    for at in 0..AS_SETS {
        let name: AsSetName = set_name(at).parse().unwrap();
        builder.add(IrrObject::AsSet(as_set(&name, at, &mut random))).unwrap();
    }
    for at in 0..IPV4 + IPV6 {
        let net = if at < IPV4 { ipv4(&mut random) } else { ipv6(&mut random) };
        builder.add(IrrObject::Route(route_of(net, &mut random), Memberships::default())).unwrap();
    }
    let mut text = Vec::new();
    builder.build().write_rpsl(&mut text).unwrap();
    text.flush().unwrap();
    text
}

/// Sets hold sets of a higher number, the first ones large ones, so that the depth is that of the real ones.
fn as_set(name: &AsSetName, at: usize, random: &mut Random) -> AsSet {
    let left = AS_SETS - at - 1;
    let (sets, asns) = match at {
        0..20 => (300, 3000),
        20..400 => (random.below(60), random.below(600)),
        _ => (if random.below(5) == 0 { random.below(4) } else { 0 }, 1 + random.below(10)),
    };
    let span = if at < 20 { left.min(1500) } else { left };
    let sets = (0..sets.min(left)).map(|_| set_name(at + 1 + random.below(span)));
    let sets: Vec<Member> = sets.map(|name| Member::Set(name.parse().unwrap())).collect();
    let asns = (0..asns).map(|_| Member::Asn(Asn(1 + (random.next() % ASNS) as u32)));
    let source = registry(at % REGISTRIES);
    AsSet::new(name, &source, sets.into_iter().chain(asns), ByReference::Nobody)
}

fn set_name(at: usize) -> String {
    if at.is_multiple_of(3) { format!("AS{}:AS-CUSTOMERS", 1 + at) } else { format!("AS-MADE-UP-{at}") }
}

fn registry(at: usize) -> String {
    format!("REGISTRY{at}")
}

fn asn(random: &mut Random) -> Asn {
    // Few have a great many routes.
    let narrow = 1 + random.next() % ASNS;
    Asn((random.next() % narrow) as u32 + 1)
}

fn route_object(random: &mut Random) -> RouteObject {
    let net = if random.below(10) < 7 { ipv4(random) } else { ipv6(random) };
    route_of(net, random)
}

fn route_of(prefix: Prefix, random: &mut Random) -> RouteObject {
    let source = registry(random.below(REGISTRIES) * random.below(REGISTRIES) / REGISTRIES).into();
    RouteObject { prefix, origin: asn(random), source }
}

fn ipv4(random: &mut Random) -> Prefix {
    let len = match random.below(10) {
        0..6 => 24,
        6..8 => 20 + random.below(4) as u8,
        _ => 12 + random.below(8) as u8,
    };
    Prefix::V4(Net::new(0x0100_0000 + (random.next() as u32 % 0xde00_0000), len))
}

fn ipv6(random: &mut Random) -> Prefix {
    let len = if random.below(2) == 0 { 48 } else { 29 + random.below(20) as u8 };
    Prefix::V6(Net::new(0x2a << 120 | u128::from(random.next()) << 60, len))
}

/// xorshift64*: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// The process's resident memory (`/proc/self/statm`, in pages).
fn resident_octets() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}

/// The most that was ever resident (`VmHWM` of `/proc/self/status`, in kB).
fn peak_octets() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok());
    kilobytes.unwrap_or(0) << 10
}
