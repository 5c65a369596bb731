//! What a verdict costs: origin validation alone, and the whole judge, over the real VRPs and the real table where
//! they are and over made-up ones where not.
//!
//! Every sample is a thousand routes, so microseconds shown are nanoseconds a route.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

#[path = "../crates/policy/tests/support/mod.rs"]
mod support;

use std::sync::{Arc, LazyLock};

use divan::{AllocProfiler, Bencher, black_box};
use palisade_bgp::attributes::Community;
use palisade_bgp::{Address, Asn, Net, Prefix};
use palisade_policy::actions::euro_ix;
use palisade_policy::rov::MOST_AMENDMENTS;
use palisade_policy::{
    ActionScheme, Aspa, AspaIndex, IrrBuilder, OriginSet, Peer, Role, RovIndex, Snapshot, Vrp, judge,
    judge_path, judge_prefix,
};
use support::{Announcement, address, real_routes, real_vrps};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const SAMPLE: usize = 1000;

fn main() {
    let data = &*DATA;
    let (v4, v6) = (data.v4.in_order.len(), data.v6.in_order.len());
    println!("{} VRPs in {} octets; routes: {v4} IPv4, {v6} IPv6", data.rov.len(), data.rov.memory_bytes());
    divan::main();
}

struct Data {
    vrps: Vec<Vrp>,
    rov: Arc<RovIndex>,
    v4: Table<u32>,
    v6: Table<u128>,
    tables: Snapshot,
}

/// The routes of a family, as the table orders them and shuffled.
struct Table<A> {
    in_order: Vec<(Net<A>, Asn)>,
    shuffled: Vec<(Net<A>, Asn)>,
}

impl<A: Address> Table<A> {
    fn of(routes: &[(Prefix, Asn)]) -> Self {
        let family = routes.iter().filter_map(|(prefix, asn)| Some((A::of_prefix(*prefix)?, *asn)));
        let mut in_order: Vec<(Net<A>, Asn)> = family.collect();
        in_order.sort();
        let mut shuffled = in_order.clone();
        let mut random = Random(1);
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, random.below(at + 1));
        }
        Table { in_order, shuffled }
    }
}

static DATA: LazyLock<Data> = LazyLock::new(|| {
    let (vrps, routes) = match (real_vrps(), real_routes()) {
        (Some(vrps), Some(routes)) => (vrps, routes),
        _ => synthetic(),
    };
    let rov = Arc::new(RovIndex::build(vrps.iter().copied()));
    let mut irr = IrrBuilder::default();
    for (prefix, origin) in &routes {
        irr.add_route(*prefix, *origin, "RIPE").unwrap();
    }
    let tables = Snapshot { rov: rov.clone(), irr: Arc::new(irr.build()), ..Snapshot::default() };
    Data { vrps, rov, v4: Table::of(&routes), v6: Table::of(&routes), tables }
});

/// As many routes and VRPs as there are in reality, spread evenly.
fn synthetic() -> (Vec<Vrp>, Vec<(Prefix, Asn)>) {
    let mut random = Random(7);
    let routes: Vec<(Prefix, Asn)> = (0..1_280_000)
        .map(|at| {
            let bits = random.next();
            let asn = Asn(1 + (bits >> 40) as u32 % 80_000);
            if at % 5 == 0 {
                (Prefix::V6(Net::new(0x2a << 120 | u128::from(bits) << 64, 29 + (bits % 20) as u8)), asn)
            } else {
                (Prefix::V4(Net::new(0x0100_0000 + (bits as u32 % 0xde00_0000), 16 + (bits % 9) as u8)), asn)
            }
        })
        .collect();
    let vrps =
        routes.iter().step_by(2).filter_map(|(prefix, asn)| Vrp::new(*prefix, prefix.len(), *asn).ok());
    (vrps.collect(), routes)
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

/// Runs `each` over a thousand routes a sample, on and on through the table.
fn over<A: Address>(bencher: Bencher<'_, '_>, routes: &[(Net<A>, Asn)], each: impl Fn(Net<A>, Asn) -> bool) {
    let mut at = 0;
    bencher.bench_local(|| {
        let sample = &routes[at..at + SAMPLE];
        at = if at + 2 * SAMPLE > routes.len() { 0 } else { at + SAMPLE };
        sample.iter().filter(|(net, origin)| each(*net, *origin)).count()
    });
}

fn validates<A: Address>(net: Net<A>, origin: Asn) -> bool {
    DATA.rov.validate(black_box(net), Some(origin)).is_invalid()
}

#[divan::bench(sample_count = 2000)]
fn rov_ipv4_random(bencher: Bencher<'_, '_>) {
    over(bencher, &DATA.v4.shuffled, validates);
}

#[divan::bench(sample_count = 2000)]
fn rov_ipv4_table_order(bencher: Bencher<'_, '_>) {
    over(bencher, &DATA.v4.in_order, validates);
}

#[divan::bench(sample_count = 500)]
fn rov_ipv6_random(bencher: Bencher<'_, '_>) {
    over(bencher, &DATA.v6.shuffled, validates);
}

#[divan::bench(sample_count = 500)]
fn rov_ipv6_table_order(bencher: Bencher<'_, '_>) {
    over(bencher, &DATA.v6.in_order, validates);
}

const PEER: Asn = Asn(3333);

fn peer(role: Role) -> Peer {
    let peer = Peer::new(PEER, Asn(5555), Some(role), address("195.69.144.1"));
    let origins = DATA.v4.in_order.iter().step_by(4).map(|(_, origin)| *origin);
    peer.with_origins(Arc::new(OriginSet::from_iter(origins)))
}

fn announcement() -> Announcement {
    Announcement::new("3333 1103 6666 7777", "195.69.144.1")
}

/// Both stages, for a full table from a provider.
#[divan::bench(args = [Role::Provider, Role::Customer], sample_count = 2000)]
fn judge_prefix_ipv4_table_order(bencher: Bencher<'_, '_>, role: Role) {
    let (peer, announcement) = (peer(role), announcement());
    let path = judge_path(&announcement.attributes(), &peer, &DATA.tables, &mut ());
    over(bencher, &DATA.v4.in_order, |net, origin| {
        let facts = palisade_bgp::attributes::Facts { origin_as: Some(origin), ..announcement.facts };
        let attributes = palisade_bgp::Attributes { facts: &facts, ..announcement.attributes() };
        judge_prefix(black_box(net), &attributes, path, &peer, &DATA.tables, &mut ()).accepted()
    });
}

#[divan::bench(args = [Role::Provider, Role::Customer], sample_count = 2000)]
fn judge_both_stages_ipv4_random(bencher: Bencher<'_, '_>, role: Role) {
    let (peer, announcement) = (peer(role), announcement());
    over(bencher, &DATA.v4.shuffled, |net, origin| {
        let facts = palisade_bgp::attributes::Facts { origin_as: Some(origin), ..announcement.facts };
        let attributes = palisade_bgp::Attributes { facts: &facts, ..announcement.attributes() };
        judge(black_box(net), &attributes, &peer, &DATA.tables, &mut ()).accepted()
    });
}

/// Nanoseconds a path: one at a time.
#[divan::bench(args = [Role::Provider, Role::Customer])]
fn judge_path_of_four(bencher: Bencher<'_, '_>, role: Role) {
    let (peer, announcement) = (peer(role), announcement());
    bencher.bench(|| judge_path(&black_box(&announcement).attributes(), &peer, &DATA.tables, &mut ()));
}

/// The path stage over paths of five hops: without ASPAs, and where every network of the Internet has one.
#[divan::bench(args = [0, NETWORKS], sample_count = 2000)]
fn judge_path_of_five_hops_with_aspas(bencher: Bencher<'_, '_>, aspas: u32) {
    let aspa = Arc::new(AspaIndex::build((0..aspas).map(aspa_of)));
    let tables = Snapshot { aspa, ..Snapshot::default() };
    let peer = peer(Role::Customer);
    let mut random = Random(3);
    let climbs: Vec<Announcement> = (0..100 * SAMPLE).map(|_| climb(&mut random)).collect();
    let mut samples = climbs.chunks(SAMPLE).cycle();
    bencher.bench_local(|| {
        let sample = samples.next().unwrap_or_default();
        let accepted = |one: &&Announcement| {
            judge_path(&black_box(one).attributes(), &peer, &tables, &mut ()).reason.is_none()
        };
        sample.iter().filter(accepted).count()
    });
}

/// More than there are.
const NETWORKS: u32 = 100_000;

/// Made-up networks have numbers from here on, out of the way of those that are reserved.
const FIRST_ASN: u32 = 200_000;

/// A network and its three providers, of which the first has half its number.
fn aspa_of(network: u32) -> Aspa {
    let providers = [network / 2, network / 3, network / 5].map(|provider| Asn(FIRST_ASN + provider));
    Aspa { customer: Asn(FIRST_ASN + network), providers: providers.into_iter().chain([PEER]).collect() }
}

/// A path that comes up from some network, provider by provider, to the peer.
fn climb(random: &mut Random) -> Announcement {
    let origin = random.below(NETWORKS as usize) as u32;
    let path = [16, 8, 4, 2, 1].map(|part| (FIRST_ASN + origin / part).to_string()).join(" ");
    Announcement::new(&format!("{} {path}", PEER.0), "195.69.144.1")
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn build_rov_index(bencher: Bencher<'_, '_>) {
    bencher.bench(|| RovIndex::build(DATA.vrps.iter().copied()));
}

/// What one VRP changes where the sets were loaded apart: the whole of both is walked.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn changed_ranges_of_one_vrp(bencher: Bencher<'_, '_>) {
    let new = RovIndex::build(DATA.vrps.iter().copied().skip(1));
    bencher.bench(|| DATA.rov.changed_ranges(&new));
}

/// What one new VRP over RTR costs before a route is judged again: a new index, and which ranges it changes.
#[divan::bench]
fn amend_by_one_vrp(bencher: Bencher<'_, '_>) {
    let gone = DATA.vrps[DATA.vrps.len() / 2];
    bencher.bench(|| {
        let new = DATA.rov.amended([], [black_box(gone)]);
        DATA.rov.changed_ranges(&new).len()
    });
}

/// Origin validation in table order on an index with as many amendments as there may be.
#[divan::bench(sample_count = 2000)]
fn rov_ipv4_table_order_amended(bencher: Bencher<'_, '_>) {
    let gone = DATA.vrps.iter().copied().step_by(DATA.vrps.len() / (MOST_AMENDMENTS - 100));
    let amended = DATA.rov.amended([], gone);
    over(bencher, &DATA.v4.in_order, |net, origin| {
        amended.validate(black_box(net), Some(origin)).is_invalid()
    });
}

/// A path with so many communities that are no action, and with as many that are.
#[divan::bench(args = [(0, 0), (10, 0), (30, 0), (2, 8)])]
fn read_action_communities(bencher: Bencher<'_, '_>, (others, actions): (u32, u32)) {
    let scheme = ActionScheme::new(&euro_ix(Asn(64500)).0, [None; 2]);
    let other = (0..others).map(|at| Community((3333 + 77 * at) << 16 | at));
    let communities: Vec<Community> = other.chain((0..actions).map(|at| Community(3000 + at))).collect();
    let announcement = announcement().communities(&communities);
    bencher.bench(|| scheme.read(&black_box(&announcement).attributes()));
}
