//! What a change costs while a full table is held: from the moment a shard is told of it to the last chunk for a peer.
//!
//! Two shards hold the whole table of two providers and what a customer of theirs announces; another customer is sent what is best. The
//! prefixes, origins and VRPs are real ones where those are (`PALISADE_REAL_DATA`), and made up where not. Printed as a table,
//! to be kept current in `docs/performance.md`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

#[path = "world/shard.rs"]
mod shard;
#[path = "../crates/policy/tests/support/mod.rs"]
mod support;
mod world;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use palisade_bgp::Asn;
use palisade_bgp::attributes::{Attributes, Facts, Span};
use palisade_bgp::prefix::Prefix;
use palisade_policy::{
    Aspa, AspaIndex, IrrBuilder, OriginSet, Peer, Role, RovIndex, Snapshot, Vrp, judge_path,
};
use palisade_rib::{AttributeSet, Batch, PeerIndex, PolicyTouched, Shard, Stamp, Touched, shard_of};
use shard::{Sink, rib_peer};
use support::{real_routes, real_vrps};
use world::Random;

const SHARDS: usize = 2;
const PROVIDERS: [u16; 2] = [1, 2];
const CUSTOMER: u16 = 3;
const LISTENER: u16 = 4;
/// Origins whose prefixes the customer announces, and its as-set holds.
const CONE: usize = 400;
/// How often each change is made.
const TIMES: usize = 200;

fn main() {
    let (vrps, routes) = match (real_vrps(), real_routes()) {
        (Some(vrps), Some(routes)) => (vrps, routes),
        _ => made_up(),
    };
    let mut held = Held::new(&vrps, &routes);
    println!("{} prefixes, {} paths, {} VRPs, {SHARDS} shards", routes.len(), held.paths, vrps.len());
    println!("{:40}  {:>9}  {:>9}  {:>12}", "change", "median", "worst", "judged again");
    held.one_vrp(&routes);
    held.one_route_object(&routes);
    held.one_member();
    held.all_vrps("all VRPs replaced by the same", &vrps);
    held.all_vrps("all VRPs replaced by every other", &vrps.iter().copied().step_by(2).collect::<Vec<_>>());
    held.all_vrps("all VRPs replaced by all", &vrps);
    held.one_aspa();
}

/// As many as there are in reality.
fn made_up() -> (Vec<Vrp>, Vec<(Prefix, Asn)>) {
    let table = world::table(1_280_000);
    let routes: Vec<(Prefix, Asn)> =
        table.iter().map(|entry| (entry.net.into(), Asn(1_000 + entry.set as u32 % 60_000))).collect();
    let vrps = routes.iter().step_by(2).map(|(net, asn)| Vrp::new(*net, net.len(), *asn).unwrap());
    (vrps.collect(), routes)
}

struct Held {
    tables: Arc<Snapshot>,
    shards: Vec<(Shard, Sink)>,
    policy: Arc<Peer>,
    cone: Vec<Asn>,
    random: Random,
    paths: usize,
}

impl Held {
    fn new(vrps: &[Vrp], routes: &[(Prefix, Asn)]) -> Self {
        let by_origin = by_origin(routes);
        let cone: Vec<Asn> = by_origin.keys().copied().step_by(by_origin.len() / CONE).collect();
        let in_cone = by_origin.iter().filter(|(origin, _)| cone.contains(origin));
        let customers: BTreeMap<Asn, Vec<Prefix>> =
            in_cone.map(|(origin, nets)| (*origin, nets.clone())).collect();
        let mut irr = IrrBuilder::default();
        for (origin, nets) in &customers {
            nets.iter().for_each(|net| irr.add_route(*net, *origin, "RIPE").unwrap());
        }
        let tables = Arc::new(Snapshot {
            rov: Arc::new(RovIndex::build(vrps.iter().copied())),
            irr: Arc::new(irr.build()),
            ..Snapshot::default()
        });
        let origins: OriginSet = cone.iter().copied().collect();
        let customer = Peer::clone(&shard::policy(CUSTOMER, Role::Customer)).with_origins(Arc::new(origins));
        let policy = Arc::new(customer);
        let empty = || (Shard::new(Arc::clone(&tables)), Sink::default());
        let mut held = Held {
            shards: (0..SHARDS).map(|_| empty()).collect(),
            policy,
            cone,
            random: Random(7),
            paths: 0,
            tables,
        };
        held.peers_up();
        PROVIDERS.iter().for_each(|peer| held.say(*peer, &by_origin));
        held.say(CUSTOMER, &customers);
        held
    }

    fn peers_up(&mut self) {
        for (shard, _) in &mut self.shards {
            for peer in PROVIDERS {
                shard.peer_up(PeerIndex(peer), rib_peer(peer, Role::Provider));
            }
            let customer = rib_peer(CUSTOMER, Role::Customer);
            let customer = palisade_rib::RibPeer { policy: Arc::clone(&self.policy), ..customer };
            shard.peer_up(PeerIndex(CUSTOMER), customer);
            let mut listener = rib_peer(LISTENER, Role::Customer);
            // Both families.
            listener.export[1] = listener.export[0].map(|view| palisade_rib::ExportView {
                own_next_hop: Some(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]).into()),
                ..view
            });
            shard.peer_up(PeerIndex(LISTENER), listener);
        }
        self.settle();
    }

    /// A peer announces the prefixes of every origin, with one to three sets of attributes each.
    fn say(&mut self, peer: u16, by_origin: &BTreeMap<Asn, Vec<Prefix>>) {
        for origins in by_origin.iter().collect::<Vec<_>>().chunks(50) {
            let mut batches: Vec<Batch> = (0..SHARDS).map(|_| Batch::new(PeerIndex(peer))).collect();
            for (origin, nets) in origins {
                let policy = if peer == CUSTOMER {
                    Arc::clone(&self.policy)
                } else {
                    shard::policy(peer, Role::Provider)
                };
                let sets: Vec<_> = (0..3).map(|way| set(&policy, **origin, way, &self.tables)).collect();
                for (at, net) in nets.iter().enumerate() {
                    match *net {
                        Prefix::V4(net) => {
                            batches[shard_of(net, SHARDS)].v4.push(Some(&sets[at % 3]), net, 0);
                        }
                        Prefix::V6(net) => {
                            batches[shard_of(net, SHARDS)].v6.push(Some(&sets[at % 3]), net, 0);
                        }
                    }
                    self.paths += 1;
                }
            }
            for ((shard, sink), batch) in self.shards.iter_mut().zip(batches) {
                shard.apply(&batch, sink);
                shard.publish(Instant::now(), sink);
            }
        }
        self.settle();
    }

    fn settle(&mut self) {
        self.shards.iter_mut().for_each(|(shard, sink)| settle(shard, sink));
    }

    fn judged_again(&self) -> u64 {
        self.shards.iter().map(|(shard, _)| shard.judged_again()).sum()
    }

    /// How long until every shard, on a thread of its own, has done all that follows from being told.
    fn told(&mut self, tell: impl Fn(&mut Shard) + Sync) -> Duration {
        let start = Instant::now();
        thread::scope(|scope| {
            for (shard, sink) in &mut self.shards {
                scope.spawn(|| {
                    tell(shard);
                    settle(shard, sink);
                });
            }
        });
        start.elapsed()
    }

    /// The same on one thread after the other: what is over in microseconds is not worth starting one.
    fn told_in_turn(&mut self, tell: impl Fn(&mut Shard)) -> Duration {
        let start = Instant::now();
        for (shard, sink) in &mut self.shards {
            tell(shard);
            settle(shard, sink);
        }
        start.elapsed()
    }

    fn replaced(&mut self, tables: Snapshot, touched: &Touched) -> Duration {
        let path_generation = tables.path_generation;
        let generation = self.tables.generation + 1;
        self.tables = Arc::new(Snapshot { generation, path_generation, ..tables });
        let tables = Arc::clone(&self.tables);
        self.told_in_turn(|shard| shard.replace_tables(Arc::clone(&tables), touched))
    }

    fn one_vrp(&mut self, routes: &[(Prefix, Asn)]) {
        let before = self.judged_again();
        let mut times = Vec::new();
        for _ in 0..TIMES / 2 {
            let (net, _) = routes[self.random.below(routes.len())];
            let vrp = Vrp::new(net, net.len(), Asn(65_551)).unwrap();
            for (added, removed) in [(Some(vrp), None), (None, Some(vrp))] {
                let rov = Arc::new(self.tables.rov.amended(added, removed));
                let tables = Snapshot { rov, ..Snapshot::clone(&self.tables) };
                times.push(self.replaced(tables, &Touched::under(vec![net])));
            }
        }
        self.print("one VRP", times, before);
    }

    fn one_route_object(&mut self, routes: &[(Prefix, Asn)]) {
        let before = self.judged_again();
        let mut times = Vec::new();
        let theirs: Vec<Prefix> =
            routes.iter().filter(|(_, origin)| self.cone.contains(origin)).map(|(net, _)| *net).collect();
        for _ in 0..TIMES {
            let net = theirs[self.random.below(theirs.len())];
            times.push(self.replaced(Snapshot::clone(&self.tables), &Touched::under(vec![net])));
        }
        self.print("one route object", times, before);
    }

    fn one_member(&mut self) {
        let before = self.judged_again();
        let mut times = Vec::new();
        for _ in 0..TIMES / 2 {
            let member = self.cone[self.random.below(self.cone.len())];
            let all = Arc::clone(&self.policy);
            let origins = all.origins.as_deref().into_iter().flat_map(OriginSet::iter);
            let without: OriginSet = origins.filter(|origin| *origin != member).collect();
            let without = Arc::new(Peer { origins: Some(Arc::new(without)), ..Peer::clone(&all) });
            for (old, new) in [(&all, &without), (&without, &all)] {
                let touched = PolicyTouched::by_origins(old, new);
                let tell =
                    |shard: &mut Shard| shard.set_policy(PeerIndex(CUSTOMER), Arc::clone(new), &touched);
                times.push(self.told_in_turn(tell));
            }
        }
        self.print("one member of a customer's as-set", times, before);
    }

    fn one_aspa(&mut self) {
        let before = self.judged_again();
        let mut times = Vec::new();
        for at in 0..10 {
            let customer = self.cone[self.random.below(self.cone.len())];
            let aspas = (at % 2 == 0).then(|| Aspa { customer, providers: OriginSet::default() });
            let aspa = Arc::new(AspaIndex::build(aspas));
            let touched = Touched::with_asns(self.tables.aspa.changed(&aspa));
            let generation = self.tables.generation + 1;
            let tables =
                Snapshot { aspa, generation, path_generation: generation, ..Snapshot::clone(&self.tables) };
            self.tables = Arc::new(tables);
            let tables = Arc::clone(&self.tables);
            times.push(self.told(|shard| shard.replace_tables(Arc::clone(&tables), &touched)));
        }
        self.print("one ASPA", times, before);
    }

    fn all_vrps(&mut self, name: &str, vrps: &[Vrp]) {
        let before = self.judged_again();
        let rov = Arc::new(RovIndex::build(vrps.iter().copied()));
        let generation = self.tables.generation + 1;
        self.tables = Arc::new(Snapshot { rov, generation, ..Snapshot::clone(&self.tables) });
        let tables = Arc::clone(&self.tables);
        let time = self.told(|shard| shard.replace_tables(Arc::clone(&tables), &Touched::everything()));
        self.print(name, vec![time], before);
    }

    fn print(&self, name: &str, mut times: Vec<Duration>, before: u64) {
        times.sort_unstable();
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        let judged = (self.judged_again() - before) / times.len() as u64;
        println!("{name:40}  {median:>9.1?}  {worst:>9.1?}  {judged:>12}");
    }
}

fn settle(shard: &mut Shard, sink: &mut Sink) {
    let mut now = Instant::now();
    while let Some(due) = shard.publish(now, sink) {
        now = now.max(due);
    }
}

fn by_origin(routes: &[(Prefix, Asn)]) -> BTreeMap<Asn, Vec<Prefix>> {
    let mut by_origin: BTreeMap<Asn, Vec<Prefix>> = BTreeMap::new();
    routes.iter().for_each(|(net, origin)| by_origin.entry(*origin).or_default().push(*net));
    by_origin
}

/// One of the ways to an origin: the peer, two networks in between, the origin.
fn set(policy: &Peer, origin: Asn, way: u32, tables: &Snapshot) -> Arc<AttributeSet> {
    let path = [policy.asn.0, 20_000 + origin.0 % 1_000, 30_000 + way, origin.0];
    let mut wire = vec![0x40, 1, 1, 0, 0x40, 2, 2 + 4 * path.len() as u8, 2, path.len() as u8];
    path.iter().for_each(|asn| wire.extend(asn.to_be_bytes()));
    let facts = Facts {
        as_path: Span { start: 7, len: 2 + 4 * path.len() as u16 },
        path_length: path.len() as u16,
        neighbor_as: Some(policy.asn),
        origin_as: Some(origin),
        ..Facts::default()
    };
    let attributes = Attributes { wire: &wire, facts: &facts, next_hop: policy.address.into() };
    let verdict = judge_path(&attributes, policy, tables, &mut ());
    Arc::new(AttributeSet::new(&attributes, verdict, Stamp::default(), None))
}
