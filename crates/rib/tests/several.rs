//! A table whose peers say several paths to a prefix (RFC 7911), beside a model of it that ranks and counts them the long way.
//!
//! Peers announce and withdraw paths by identifiers of their own, small and huge; the others take the best path, or all, and hold
//! what the octets that they are sent add up to. After every settling that must be exactly what is on offer to them, each path by an
//! identifier that is no other path's.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade_bgp::encode::Format;
use palisade_bgp::prefix::{Net, Prefix};
use palisade_bgp::update::Context;
use palisade_policy::{Role, Snapshot};
use palisade_rib::{Batch, ExportView, MOST_PATHS, Outcome, PeerCounters, PeerIndex, RibPeer, Shard};

use support::{OURS, Random, Said, Wires, policy, settle, tell, view};

/// Peers that say several paths; the last two take all as well.
const SAYING: u16 = 4;
/// Peers that say nothing: one takes all, one the best.
const TAKES_ALL: [u16; 3] = [3, 4, 5];
const TAKES_BEST: u16 = 6;
/// What peers call their paths: some as implementations do, some that fold to the same identifier of ours.
const NAMES: [u32; 8] = [0, 1, 2, 7, 0x8_0001, 0x10_0002, 0xffff_ffff, 0x7fff_ffff];

fn takes_all(peer: u16) -> bool {
    TAKES_ALL.contains(&peer)
}

/// Everybody is a customer, and told everything.
fn rib_peer(peer: PeerIndex) -> RibPeer {
    let format = Format { add_path: takes_all(peer.0), ..Format::PLAIN };
    let export = ExportView { format, ..view(Role::Customer) };
    RibPeer { export: [Some(export), None], ..support::rib_peer(peer, policy(peer, Role::Customer)) }
}

/// A path by its peer and the peer's name for it.
type Named = (u16, u32);

struct Play {
    random: Random,
    shard: Shard,
    wires: Wires,
    now: Instant,
    up: BTreeSet<u16>,
    paths: BTreeMap<Net<u32>, BTreeMap<Named, Vec<u32>>>,
    counters: BTreeMap<u16, Arc<PeerCounters>>,
}

impl Play {
    fn new(seed: u64) -> Self {
        let context = Context { add_path: [true, false], ..Context::default() };
        let wires = Wires::read_as(TAKES_ALL.map(|peer| (PeerIndex(peer), context)));
        Play {
            random: Random(seed | 1),
            shard: Shard::new(Arc::new(Snapshot::default())),
            wires,
            now: Instant::now(),
            up: BTreeSet::new(),
            paths: BTreeMap::new(),
            counters: BTreeMap::new(),
        }
    }

    fn join(&mut self, peer: u16) {
        let rib_peer = rib_peer(PeerIndex(peer));
        self.counters.insert(peer, Arc::clone(&rib_peer.counters));
        self.shard.peer_up(PeerIndex(peer), rib_peer);
        self.up.insert(peer);
    }

    fn leave(&mut self, peer: u16) {
        self.shard.peer_down(PeerIndex(peer));
        self.up.remove(&peer);
        self.wires.held.remove(&PeerIndex(peer));
        self.wires.stalled.remove(&PeerIndex(peer));
        self.paths.values_mut().for_each(|paths| paths.retain(|(from, _), _| *from != peer));
    }

    fn step(&mut self) {
        let peer = 1 + self.random.below(u64::from(TAKES_BEST)) as u16;
        match self.random.below(100) {
            0..3 if self.up.contains(&peer) => self.leave(peer),
            0..9 if !self.up.contains(&peer) => self.join(peer),
            9..12 => drop(self.wires.stalled.insert(PeerIndex(peer))),
            12..20 => drop(self.wires.stalled.remove(&PeerIndex(peer))),
            20..40 => {
                self.now += Duration::from_millis(self.random.below(30));
                self.shard.publish(self.now, &mut self.wires);
            }
            _ if peer <= SAYING && self.up.contains(&peer) => self.speak(peer),
            _ => {}
        }
    }

    fn speak(&mut self, peer: u16) {
        let mut batch = Batch::new(PeerIndex(peer));
        for _ in 0..1 + self.random.below(6) {
            let net = Net::new(0x0a00_0000 | (self.random.below(5) as u32) << 8, 24);
            let name = NAMES[self.random.below(NAMES.len() as u64) as usize];
            let tail = (self.random.below(3) != 0).then(|| {
                let length = 1 + self.random.below(3);
                (0..length).map(|_| 60_000 + self.random.below(4) as u32).collect::<Vec<u32>>()
            });
            self.put(&mut batch, net, name, tail);
        }
        self.shard.apply(&batch, &mut self.wires);
    }

    fn put(&mut self, batch: &mut Batch, net: Net<u32>, name: u32, tail: Option<Vec<u32>>) {
        let peer = batch.peer;
        let paths = self.paths.entry(net).or_default();
        let Some(tail) = tail else {
            paths.remove(&(peer.0, name));
            return batch.v4.push(None, net, name);
        };
        let said = Said::path([vec![65000 + u32::from(peer.0)], tail].concat());
        batch.v4.push(Some(&said.attributes(peer)), net, name);
        paths.insert((peer.0, name), said.as_path);
    }

    fn settle(&mut self) {
        self.wires.stalled.clear();
        settle(&mut self.shard, &mut self.wires, &mut self.now);
    }

    /// What a peer is to hold of a prefix: AS paths, best first where it takes one.
    fn due(&self, member: u16, paths: &BTreeMap<Named, Vec<u32>>) -> Vec<Vec<u32>> {
        let mut ranked: Vec<_> = paths.iter().collect();
        ranked.sort_by_key(|((peer, name), path)| (path.len(), *peer, *name));
        if !takes_all(member) {
            ranked.truncate(1);
        }
        let others = ranked.into_iter().filter(|((peer, _), _)| *peer != member);
        let mut due: Vec<_> = others.map(|(_, path)| [vec![OURS], path.clone()].concat()).collect();
        due.sort();
        due
    }

    fn compare(&mut self, seed: u64) {
        for member in self.up.clone() {
            let held = self.wires.held.entry(PeerIndex(member)).or_default();
            let mut by_net: BTreeMap<Net<u32>, Vec<Vec<u32>>> = BTreeMap::new();
            for ((net, id), said) in held.iter() {
                assert_eq!(*id != 0, takes_all(member), "an identifier, and never 0");
                by_net.entry(*net).or_default().push(said.as_path.clone());
            }
            by_net.values_mut().for_each(|paths| paths.sort());
            let due = self.paths.iter().map(|(net, paths)| (*net, self.due(member, paths)));
            let due: BTreeMap<_, _> = due.filter(|(_, due)| !due.is_empty()).collect();
            assert_eq!(by_net, due, "peer {member} of seed {seed}");
        }
        for (peer, counters) in self.counters.iter().filter(|(peer, _)| self.up.contains(peer)) {
            let theirs = self.paths.values().flat_map(BTreeMap::keys).filter(|(from, _)| from == peer);
            assert_eq!(counters.read().received_total(), theirs.count() as i64, "counts every path");
        }
        assert_eq!(self.wires.spurious, 0, "seed {seed}");
    }
}

#[test]
fn whoever_takes_all_paths_holds_each_by_an_identifier_of_its_own() {
    tell(1..=100, Play::new, Play::step, |play, seed| {
        play.settle();
        play.compare(seed);
    });
}

#[test]
fn an_identifier_stays_for_as_long_as_the_path_does() {
    let mut play = Play::new(1);
    (1..=TAKES_BEST).for_each(|peer| play.join(peer));
    let net = Net::new(0x0a00_0000, 24);
    let say = |play: &mut Play, peer: u16, name: u32, tail: Option<Vec<u32>>| {
        let mut batch = Batch::new(PeerIndex(peer));
        play.put(&mut batch, net, name, tail);
        play.shard.apply(&batch, &mut play.wires);
        play.settle();
        play.compare(0);
    };
    let id_of = |play: &Play, origin: u32| {
        let held = &play.wires.held[&PeerIndex(5)];
        held.iter().find(|(_, said)| said.as_path.last() == Some(&origin)).map(|((_, id), _)| *id)
    };
    say(&mut play, 1, 7, Some(vec![1, 2, 60_001]));
    let first = id_of(&play, 60_001);
    assert!(first.is_some());
    // Better ones come and go, of the same peer and of others, and the path itself changes.
    say(&mut play, 1, 8, Some(vec![60_002]));
    say(&mut play, 2, 7, Some(vec![60_003]));
    say(&mut play, 3, 0, Some(vec![60_004]));
    assert_eq!(id_of(&play, 60_001), first);
    say(&mut play, 1, 8, None);
    say(&mut play, 1, 7, Some(vec![1, 60_005]));
    assert_eq!(id_of(&play, 60_005), first);
    assert_eq!(play.wires.repeated, 0, "and nobody is told the same twice");
}

/// RFC 7911 sets no bound to the paths of a peer: 2^32 would be a prefix that nobody can rank.
#[test]
fn paths_past_the_bound_are_counted_and_not_held() {
    let mut play = Play::new(1);
    (1..=TAKES_BEST).for_each(|peer| play.join(peer));
    let net = Net::new(0x0a00_0000, 24);
    let held = |play: &Play| play.shard.ipv4().paths(net).len();
    let say = |play: &mut Play, peer: u16, names: std::ops::Range<u32>, announces: bool| {
        let mut batch = Batch::new(PeerIndex(peer));
        let said = Said::path([65000 + u32::from(peer), 60_000]);
        let set = said.attributes(PeerIndex(peer));
        names.for_each(|name| batch.v4.push(announces.then_some(&set), net, name * 0x1_0001));
        play.shard.apply(&batch, &mut play.wires);
        play.settle();
    };
    let most = MOST_PATHS as u32;
    say(&mut play, 1, 0..most, true);
    assert_eq!(held(&play), MOST_PATHS);
    say(&mut play, 1, most..most + 10_000, true);
    assert_eq!((held(&play), play.counters[&1].read().surplus), (MOST_PATHS, 10_000));
    // Those that are held may be said again, those that are not may be withdrawn, and nobody else is held to what one says.
    say(&mut play, 1, 0..most, true);
    say(&mut play, 1, most..most + 10_000, false);
    assert_eq!((held(&play), play.counters[&1].read().surplus), (MOST_PATHS, 10_000));
    say(&mut play, 2, 0..most, true);
    assert_eq!(held(&play), 2 * MOST_PATHS);
    // A place that is free again is taken.
    say(&mut play, 1, 0..1, false);
    say(&mut play, 1, most..most + 1, true);
    assert_eq!((held(&play), play.counters[&1].read().received_total()), (2 * MOST_PATHS, most.into()));
    assert_eq!(play.wires.held[&PeerIndex(5)].len(), 2 * MOST_PATHS);
}

#[test]
fn what_became_of_each_path_of_a_peer_is_told() {
    let mut play = Play::new(1);
    (1..=TAKES_BEST).for_each(|peer| play.join(peer));
    let net = Net::new(0x0a00_0000, 24);
    let mut batch = Batch::new(PeerIndex(1));
    play.put(&mut batch, net, 2, Some(vec![60_000]));
    play.put(&mut batch, net, 1, Some(vec![60_000]));
    play.put(&mut batch, net, 3, Some(vec![60_001, 60_002]));
    play.shard.apply(&batch, &mut play.wires);
    play.settle();
    let account = play.shard.account(Prefix::V4(net));
    let told: BTreeMap<u32, Outcome> =
        account.paths.iter().map(|told| (told.path.path_id(), told.outcome)).collect();
    let slug = |id: u32| match told[&id] {
        Outcome::Lost(step) => step.slug(),
        Outcome::Best => "best",
        other => panic!("{other:?}"),
    };
    assert_eq!([slug(1), slug(2), slug(3)], ["best", "path-id", "as-path-length"]);
    let sent = |peer: u16| {
        let export = account.exports.iter().find(|export| export.peer == PeerIndex(peer)).unwrap();
        export.sent.iter().map(|sent| sent.path_id).collect::<Vec<_>>()
    };
    assert_eq!((sent(5), sent(6), sent(1)), (vec![1, 2, 3], vec![1], vec![]));
}
