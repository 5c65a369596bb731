//! The table beside a model of it that is too simple to be wrong: maps of everything, judged and ranked afresh.
//!
//! Random announcements, withdrawals, sessions that come and go, peers that stop reading and refreshes are played to
//! both; after every settling, what each peer was sent must add up to what the model says it should hold.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade_bgp::Family;
use palisade_bgp::prefix::{Net, Prefix};
use palisade_bgp::update::Context;
use palisade_policy::{Mode, Reason, Role, Snapshot, Source, exports};
use palisade_rib::{
    AttributeSet, Batch, ExportView, Forwarding, Gateway, Path, PeerCounters, PeerIndex, RibPeer, Shard,
};

use support::{Held, OURS, Random, Said, Wires, address, settle, tell, view};

const PEERS: u16 = 6;
const ROLES: [Role; 6] =
    [Role::Customer, Role::Customer, Role::Peer, Role::Provider, Role::Provider, Role::Internal];
const LLGR_STALE: u32 = 0xffff_0006;
const NO_LLGR: u32 = 0xffff_0007;
/// The last of them.
const INTERNAL: PeerIndex = PeerIndex(PEERS);

fn role(peer: PeerIndex) -> Role {
    ROLES[peer.index() - 1]
}

/// Whether it may be told of paths that are kept for long (RFC 9494 s4.3).
fn knows_long_lived(peer: PeerIndex) -> bool {
    !peer.0.is_multiple_of(3)
}

fn asn(peer: PeerIndex) -> u32 {
    support::asn(peer, role(peer))
}

fn gateway(peer: PeerIndex) -> Gateway {
    (address(peer).into(), 0)
}

fn rib_peer(peer: PeerIndex, counters: &Arc<PeerCounters>) -> RibPeer {
    let mut policy = support::policy(peer, role(peer));
    assert!(policy.checks.set(Reason::AsLoop, Mode::Enforce).is_ok());
    let export = ExportView { long_lived: knows_long_lived(peer), ..view(role(peer)) };
    let counters = Arc::clone(counters);
    RibPeer { export: [Some(export), None], counters, ..support::rib_peer(peer, policy) }
}

/// A path of a peer: its AS, then what `tail` says. A tail with our AS is a loop, to be rejected.
fn attributes(peer: PeerIndex, tail: &[u32]) -> Arc<AttributeSet> {
    let mut path = if role(peer) == Role::Internal { vec![] } else { vec![asn(peer)] };
    path.extend(tail);
    Said { communities: communities(tail), ..Said::path(path) }.attributes(peer)
}

/// A tail also says whether its path is long-lived stale when it comes, and whether it is not to become so here.
fn communities(tail: &[u32]) -> BTreeSet<u32> {
    const SAID: [(u32, u32); 2] = [(60_002, LLGR_STALE), (60_003, NO_LLGR)];
    SAID.into_iter().filter(|(last, _)| tail.len() == 3 && tail[2] == *last).map(|(_, said)| said).collect()
}

/// What the model holds: every peer's announcements, judged when asked.
#[derive(Default)]
struct Model {
    up: BTreeSet<PeerIndex>,
    /// Peers whose next hop can't be reached.
    unreachable: BTreeSet<PeerIndex>,
    paths: BTreeMap<Net<u32>, BTreeMap<PeerIndex, Vec<u32>>>,
    /// Those that their peers have not said again.
    stale: BTreeSet<(PeerIndex, Net<u32>)>,
    /// Of those, the ones that are kept for long.
    long_lived: BTreeSet<(PeerIndex, Net<u32>)>,
}

impl Model {
    fn say(&mut self, peer: PeerIndex, net: Net<u32>, tail: Option<Vec<u32>>) {
        self.stale.remove(&(peer, net));
        self.long_lived.remove(&(peer, net));
        let paths = self.paths.entry(net).or_default();
        match tail {
            Some(tail) => drop(paths.insert(peer, tail)),
            None => drop(paths.remove(&peer)),
        }
    }

    fn lose(&mut self, peer: PeerIndex) {
        self.paths.values_mut().for_each(|paths| drop(paths.remove(&peer)));
        self.stale.retain(|(stale, _)| *stale != peer);
        self.long_lived.retain(|(stale, _)| *stale != peer);
    }

    fn make_long_lived(&mut self, peer: PeerIndex) {
        for (_, net) in self.stale.iter().copied().filter(|(stale, _)| *stale == peer).collect::<Vec<_>>() {
            if communities(&self.paths[&net][&peer]).contains(&NO_LLGR) {
                self.say(peer, net, None);
            } else {
                self.long_lived.insert((peer, net));
            }
        }
    }

    fn communities(&self, peer: PeerIndex, net: Net<u32>, tail: &[u32]) -> BTreeSet<u32> {
        let mut said = communities(tail);
        said.extend(self.long_lived.contains(&(peer, net)).then_some(LLGR_STALE));
        said
    }

    fn sweep(&mut self, peer: PeerIndex) {
        for (_, net) in self.stale.extract_if(.., |(stale, _)| *stale == peer) {
            self.long_lived.remove(&(peer, net));
            self.paths.entry(net).or_default().remove(&peer);
        }
    }

    /// Consecutive restarts: what was stale before goes (RFC 4724 s4.2).
    fn mark_stale(&mut self, peer: PeerIndex) {
        self.sweep(peer);
        let of_peer = self.paths.iter().filter(|(_, paths)| paths.contains_key(&peer));
        self.stale.extend(of_peer.map(|(net, _)| (peer, *net)));
    }

    fn best(&self, net: Net<u32>) -> Option<(PeerIndex, &Vec<u32>)> {
        let accepted = self.paths.get(&net)?.iter().filter(|(_, tail)| !tail.contains(&OURS));
        let accepted = accepted.filter(|(peer, _)| !self.unreachable.contains(peer));
        let rank = |peer: PeerIndex, tail: &[u32]| {
            let length = tail.len() + usize::from(role(peer) != Role::Internal);
            let preference = std::cmp::Reverse(role(peer).default_local_preference());
            let last = self.communities(peer, net, tail).contains(&LLGR_STALE);
            (last, preference, length, role(peer) == Role::Internal, peer)
        };
        accepted.map(|(peer, tail)| (*peer, tail)).min_by_key(|(peer, tail)| rank(*peer, tail))
    }

    fn held_by(&self, member: PeerIndex) -> Held {
        let mut held = Held::new();
        for net in self.paths.keys() {
            let Some((peer, tail)) = self.best(*net) else { continue };
            if peer == member || !exports(Source::Peer(role(peer)), role(member)) {
                continue;
            }
            let mut path = if role(member) == Role::Internal { vec![] } else { vec![OURS] };
            path.extend((role(peer) != Role::Internal).then(|| asn(peer)));
            path.extend(tail);
            let communities = self.communities(peer, *net, tail);
            if !communities.contains(&LLGR_STALE) || knows_long_lived(member) {
                held.insert((*net, 0), Said { communities, ..Said::path(path) });
            }
        }
        held
    }

    fn fib(&self) -> BTreeMap<Prefix, Forwarding> {
        let bests = self
            .paths
            .keys()
            .filter_map(|net| Some((Prefix::V4(*net), Forwarding::To(gateway(self.best(*net)?.0)))));
        bests.collect()
    }
}

struct Play {
    random: Random,
    shard: Shard,
    model: Model,
    wires: Wires,
    counters: BTreeMap<PeerIndex, Arc<PeerCounters>>,
    now: Instant,
    /// How many prefixes there are to speak of.
    prefixes: u64,
}

impl Play {
    fn new(seed: u64) -> Self {
        let shard = Shard::new(Arc::new(Snapshot::default()));
        let (random, model) = (Random(seed | 1), Model::default());
        let wires = Wires::read_as([(INTERNAL, Context { internal: true, ..Context::default() })]);
        let counters = (1..=PEERS).map(|peer| (PeerIndex(peer), Arc::default())).collect();
        Play { random, shard, model, wires, counters, now: Instant::now(), prefixes: 64 }
    }

    fn come_up(&mut self, peer: PeerIndex) {
        self.shard.peer_up(peer, rib_peer(peer, &self.counters[&peer]));
    }

    fn lose(&mut self, peer: PeerIndex, retained: bool) {
        self.wires.held.remove(&peer);
        self.wires.stalled.remove(&peer);
        if retained {
            self.shard.peer_lost(peer, [true; 2]);
            self.model.mark_stale(peer);
        } else {
            self.shard.peer_down(peer);
            self.model.lose(peer);
        }
    }

    /// A refresh that begins while another is under way, or while what it left is being removed, joins it.
    fn begin_refresh(&mut self, peer: PeerIndex) {
        let is_refreshing = self.counters[&peer].read().stale_total() > 0;
        self.shard.mark_stale(peer, Family::Ipv4);
        if !is_refreshing {
            self.model.mark_stale(peer);
        }
    }

    fn step(&mut self) {
        let peer = PeerIndex(1 + self.random.below(u64::from(PEERS)) as u16);
        match self.random.below(100) {
            0..4 if self.model.up.remove(&peer) => {
                let retained = self.random.below(2) == 0;
                self.lose(peer, retained);
            }
            0..1 => self.lose(peer, false),
            0..8 if self.model.up.insert(peer) => self.come_up(peer),
            8..12 => drop(self.wires.stalled.insert(peer)),
            12..20 => drop(self.wires.stalled.remove(&peer)),
            20..22 => self.shard.refresh(peer, Family::Ipv4),
            22..24 if self.model.up.contains(&peer) => self.begin_refresh(peer),
            24..28 => {
                self.shard.sweep_stale(peer, Family::Ipv4);
                self.model.sweep(peer);
            }
            97..99 if self.model.unreachable.insert(peer) => self.shard.set_reachable(gateway(peer), false),
            97..100 => {
                self.model.unreachable.remove(&peer);
                self.shard.set_reachable(gateway(peer), true);
            }
            28..30 => {
                self.shard.make_long_lived(peer, Family::Ipv4);
                self.model.make_long_lived(peer);
            }
            30..46 => {
                self.now += Duration::from_millis(self.random.below(30));
                self.shard.publish(self.now, &mut self.wires);
            }
            _ if self.model.up.contains(&peer) => self.speak(peer),
            _ => {}
        }
    }

    fn speak(&mut self, peer: PeerIndex) {
        let mut batch = Batch::new(peer);
        for _ in 0..1 + self.random.below(8) {
            let net = Net::new(0x0a00_0000 | (self.random.below(self.prefixes) as u32) << 8, 24);
            if self.random.below(3) == 0 {
                batch.v4.push(None, net, 0);
                self.model.say(peer, net, None);
                continue;
            }
            let loops = self.random.below(10) == 0;
            let tail: Vec<u32> =
                (0..1 + self.random.below(3)).map(|_| 60_000 + self.random.below(4) as u32).collect();
            let tail = if loops { [tail, vec![OURS]].concat() } else { tail };
            batch.v4.push(Some(&attributes(peer, &tail)), net, 0);
            self.model.say(peer, net, Some(tail));
        }
        self.shard.apply(&batch, &mut self.wires);
    }

    fn settle(&mut self) {
        self.wires.stalled.clear();
        settle(&mut self.shard, &mut self.wires, &mut self.now);
    }

    fn compare(&mut self, seed: u64) {
        for member in self.model.up.clone() {
            let held = self.wires.held.entry(member).or_default();
            assert_eq!(*held, self.model.held_by(member), "peer {member:?} of seed {seed}");
        }
        assert_eq!(self.wires.fib, self.model.fib(), "the FIB of seed {seed}");
        for (peer, counters) in &self.counters {
            let stale = |path: &&Path| path.peer() == *peer && self.shard.is_stale(Family::Ipv4, path);
            let entries = self.shard.ipv4().iter_after(None);
            let found: Vec<Net<u32>> = entries
                .filter(|(_, paths)| paths.iter().any(|path| stale(&path)))
                .map(|(net, _)| net)
                .collect();
            let expected = self.model.stale.iter().filter(|(stale, _)| stale == peer);
            assert_eq!(found, expected.map(|(_, net)| *net).collect::<Vec<_>>(), "{peer:?}, seed {seed}");
            let held = self.model.paths.values().filter(|paths| paths.contains_key(peer)).count();
            let accepted = |stale: bool| {
                let paths = self.shard.ipv4().iter_after(None).flat_map(|(_, paths)| paths);
                let theirs = paths.filter(|path| path.peer() == *peer && path.is_accepted());
                theirs.filter(|path| self.shard.is_stale(Family::Ipv4, path) == stale).count() as i64
            };
            let counted = (counters.counts().accepted[0], counters.read().stale.accepted[0]);
            assert_eq!(counted, (accepted(false), accepted(true)), "{peer:?}, seed {seed}");
            let (tally, stale) = (counters.read(), found.len());
            assert_eq!(
                (tally.received_total(), tally.stale_total()),
                (held as i64, stale as i64),
                "{peer:?}, seed {seed}"
            );
        }
        let views: BTreeSet<_> =
            self.model.up.iter().map(|peer| (role(*peer).slug(), knows_long_lived(*peer))).collect();
        assert_eq!(self.shard.groups()[0], views.len(), "equal views have merged, seed {seed}");
    }
}

#[test]
fn peers_and_fib_end_up_with_what_a_simple_model_says() {
    tell(1..=100, Play::new, Play::step, |play, seed| {
        play.settle();
        play.compare(seed);
    });
}

/// Walks take some slices of a larger table: peers go, come back and refresh while one is under way.
#[test]
fn what_happens_in_the_middle_of_a_walk_comes_out_right_too() {
    for seed in 1..=6 {
        let mut play = Play::new(seed * 0x51ed_270b);
        play.prefixes = 6_000;
        for peer in (1..=PEERS).map(PeerIndex) {
            play.model.up.insert(peer);
            play.come_up(peer);
            (0..500).for_each(|_| play.speak(peer));
        }
        for _ in 0..6 {
            (0..150).for_each(|_| play.step());
            play.settle();
            play.compare(seed);
        }
    }
}

#[test]
fn a_sweep_that_has_become_needless_takes_nothing_of_the_next_refresh() {
    let mut play = Play::new(1);
    let (from, to) = (PeerIndex(1), PeerIndex(2));
    [from, to].into_iter().for_each(|peer| play.come_up(peer));
    let set = attributes(from, &[60_000]);
    let mut table = Batch::new(from);
    (0..3).for_each(|at| table.v4.push(Some(&set), Net::new(0x0a00_0000 | at << 8, 24), 0));
    play.shard.apply(&table, &mut play.wires);
    play.settle();
    play.shard.mark_stale(from, Family::Ipv4);
    play.shard.sweep_stale(from, Family::Ipv4);
    // The last of it comes before the sweep has begun.
    play.shard.apply(&table, &mut play.wires);
    play.shard.mark_stale(from, Family::Ipv4);
    play.settle();
    let tally = play.counters[&from].read();
    assert_eq!((tally.received_total(), tally.stale_total(), play.wires.held[&to].len()), (3, 3, 3));
    play.shard.sweep_stale(from, Family::Ipv4);
    play.settle();
    assert_eq!((play.counters[&from].read().received_total(), play.wires.held[&to].len()), (0, 0));
}

/// A table is walked some thousand prefixes at a time: what changes meanwhile, behind, ahead and exactly where the walk
/// stands, must come out right too.
#[test]
fn what_changes_while_a_new_session_is_sent_the_table_is_neither_lost_nor_sent_wrongly() {
    let mut play = Play::new(7);
    let (from, joining) = (PeerIndex(1), PeerIndex(3));
    play.model.up.extend([from, joining]);
    play.come_up(from);
    let nets: Vec<Net<u32>> = (0..20_000).map(|at| Net::new(0x0a00_0000 | at << 8, 24)).collect();
    let say = |play: &mut Play, net: Net<u32>, tail: Option<u32>| {
        let mut batch = Batch::new(from);
        batch.v4.push(tail.map(|asn| attributes(from, &[asn])).as_ref(), net, 0);
        play.shard.apply(&batch, &mut play.wires);
        play.model.say(from, net, tail.map(|asn| vec![asn]));
    };
    nets.iter().for_each(|net| say(&mut play, *net, Some(60_000)));
    play.settle();
    play.come_up(joining);
    // It waits a moment for others that join.
    play.shard.publish(play.now, &mut play.wires);
    assert!(!play.wires.held.contains_key(&joining));
    play.now += Duration::from_millis(50);
    while play.wires.held.get(&joining).map_or(0, BTreeMap::len) < 15_000 {
        play.shard.publish(play.now, &mut play.wires);
        let sent: Vec<Net<u32>> = play.wires.held[&joining].keys().map(|(net, _)| *net).collect();
        let stands = nets.partition_point(|net| net <= sent.last().unwrap());
        for (at, tail) in
            [(stands - 1, Some(60_001)), (stands - 2, None), (stands, None), (stands + 1, Some(60_002))]
        {
            say(&mut play, nets[at], tail);
        }
    }
    play.settle();
    play.compare(7);
    assert_eq!(play.wires.spurious, 0, "nothing was withdrawn that had not been announced");
}

#[test]
fn sessions_that_come_up_together_are_sent_the_table_together() {
    let mut play = Play::new(3);
    for peer in [1, 2, 3].map(PeerIndex) {
        play.come_up(peer);
        play.shard.publish(play.now, &mut play.wires);
        play.now += Duration::from_millis(20);
    }
    // The two customers are sent the same, and joined 20 ms apart.
    assert_eq!(play.shard.groups()[0], 2);
    let late = PeerIndex(2);
    play.shard.peer_down(late);
    play.settle();
    play.come_up(late);
    play.shard.publish(play.now, &mut play.wires);
    assert_eq!(play.shard.groups()[0], 3, "one that comes later has a walk of its own");
    play.settle();
    assert_eq!(play.shard.groups()[0], 2);
}

#[test]
fn a_flap_that_is_undone_before_it_was_sent_sends_nothing() {
    let mut play = Play::new(1);
    let (from, to) = (PeerIndex(1), PeerIndex(2));
    for peer in [from, to] {
        play.come_up(peer);
    }
    let net = Net::new(0x0a00_0000, 8);
    let set = attributes(from, &[60_000]);
    let speak = |play: &mut Play, set: Option<&Arc<AttributeSet>>| {
        let mut batch = Batch::new(from);
        batch.v4.push(set, net, 0);
        play.shard.apply(&batch, &mut play.wires);
    };
    speak(&mut play, Some(&set));
    play.settle();
    play.wires.held.entry(to).or_default().clear();
    speak(&mut play, None);
    speak(&mut play, Some(&set));
    play.settle();
    assert!(play.wires.held[&to].is_empty());
    // The same with a member that does not read for a while, over several rounds.
    play.wires.stalled.insert(to);
    for set in [None, Some(&set), None, Some(&set)] {
        speak(&mut play, set);
        play.shard.publish(play.now, &mut play.wires);
    }
    play.settle();
    assert!(play.wires.held[&to].is_empty());
    assert_eq!(play.wires.spurious, 0);
}
