//! A table that lives: tables, as-sets, rules, policies and terms change while peers come, speak and go, and nobody waits for
//! anybody. However it happened, in the end all is as if the newest had been there from the beginning.
//!
//! ```text
//!   peers' tasks: the tables they have --batches, policies--> \
//!                                                              inboxes --> two shards --> what peers hold
//!   the router:                          --new tables-------> /
//! ```
//!
//! Tasks hear of new tables before the shards do or after, batches and tables overtake each other on their way, and shards are
//! apart from each other. After each settling a second pair of shards hears everything afresh. Where only one thing has
//! changed, it is counted besides how many paths were judged again: those that it touches, and no others.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

#[path = "support/mod.rs"]
mod support;
#[path = "living/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use palisade_bgp::prefix::Net;
use palisade_bgp::update::Decoder;
use palisade_policy::{Peer, Snapshot};
use palisade_rib::{
    AttributeSet, Batch, Intake, PeerCounters, PeerIndex, PolicyTouched, RibPeer, Shard, Terms, Touched,
    shard_of,
};

use support::{Held, Random};
use world::{Announced, Delta, Sockets, Wording, World, sockets};

const SHARDS: usize = 2;
/// Messages that a task or the router has yet to hand over.
const MOST_WAITING: usize = 8;

enum Message {
    Up(PeerIndex, Box<RibPeer>),
    Down(PeerIndex),
    Batch(Batch),
    Policy(PeerIndex, Arc<Peer>, PolicyTouched),
    Tables(Arc<Snapshot>, Touched),
    Terms(Vec<(PeerIndex, Terms)>),
}

/// A peer's task while its session is up.
struct Task {
    intake: Intake,
    policy: Arc<Peer>,
    counters: Arc<PeerCounters>,
}

/// Shards on threads of their own, and what is on its way to them.
struct Play {
    random: Random,
    world: World,
    /// What tasks see.
    latest: Arc<Snapshot>,
    tasks: BTreeMap<PeerIndex, Task>,
    announced: Announced,
    /// From each sender, in order: peers, and 0 for the router.
    on_the_way: BTreeMap<PeerIndex, VecDeque<(usize, Message)>>,
    inboxes: [VecDeque<Message>; SHARDS],
    shards: [Shard; SHARDS],
    sockets: [Sockets; SHARDS],
    decoder: Decoder,
    now: Instant,
    wide: bool,
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let world = World::new(&mut random);
        let latest = world.snapshot();
        let mut play = Play {
            random,
            tasks: BTreeMap::new(),
            announced: Announced::new(),
            on_the_way: BTreeMap::new(),
            inboxes: Default::default(),
            shards: [0; SHARDS].map(|_| world.shard(&latest)),
            sockets: [(); SHARDS].map(|()| sockets()),
            decoder: Decoder::new(),
            now: Instant::now(),
            wide: false,
            latest,
            world,
        };
        for net in play.world.ours() {
            originate(&mut play.shards, net);
        }
        play
    }

    fn step(&mut self) {
        let peer = PeerIndex(1 + self.random.below(u64::from(world::PEERS)) as u16);
        match self.random.below(100) {
            0..3 if self.tasks.contains_key(&peer) => self.down(peer),
            0..8 if !self.tasks.contains_key(&peer) => self.up(peer),
            8..20 => drop(self.change()),
            20..45 => self.hand_over(),
            45..60 => self.read_inbox(),
            60..70 => self.publish(),
            _ if self.tasks.contains_key(&peer) => self.speak(peer),
            _ => {}
        }
    }

    fn send_all(&mut self, from: PeerIndex, message: impl Fn() -> Message) {
        let queue = self.on_the_way.entry(from).or_default();
        queue.extend((0..SHARDS).map(|shard| (shard, message())));
    }

    fn up(&mut self, peer: PeerIndex) {
        let rib_peer = self.world.rib_peer(peer);
        let (policy, counters) = (Arc::clone(&rib_peer.policy), Arc::clone(&rib_peer.counters));
        let intake = Intake::new(peer, Arc::clone(&policy), SHARDS, self.random.below(1 << 40));
        self.tasks.insert(peer, Task { intake, policy, counters });
        self.send_all(peer, || Message::Up(peer, Box::new(rib_peer.clone())));
    }

    fn down(&mut self, peer: PeerIndex) {
        self.tasks.remove(&peer);
        self.announced.retain(|(from, _), _| *from != peer);
        self.send_all(peer, || Message::Down(peer));
    }

    fn speak(&mut self, peer: PeerIndex) {
        for _ in 0..1 + self.random.below(3) {
            let net = world::some_net(&mut self.random, self.wide);
            let said = (self.random.below(4) > 0).then(|| self.world.said(peer, &mut self.random));
            self.say(peer, net, said.as_ref());
        }
        self.take(peer);
    }

    fn take(&mut self, peer: PeerIndex) {
        let taken: Vec<_> = self.tasks.get_mut(&peer).unwrap().intake.take().collect();
        let batches = taken.into_iter().map(|(shard, batch)| (shard, Message::Batch(batch)));
        self.on_the_way.entry(peer).or_default().extend(batches);
    }

    fn say(&mut self, peer: PeerIndex, net: Net<u32>, said: Option<&world::Words>) {
        let body = world::update(net, said);
        let update = self.decoder.update(&body, &world::context(peer)).unwrap();
        assert!(update.faults().is_empty());
        self.tasks.get_mut(&peer).unwrap().intake.push(&update, &self.latest);
        match said {
            Some(said) => drop(self.announced.insert((peer, net), said.clone())),
            None => drop(self.announced.remove(&(peer, net))),
        }
    }

    /// Something changes. Tasks see it at once; the shards are told when they are.
    fn change(&mut self) -> Delta {
        let delta = self.world.change(&mut self.random);
        match &delta {
            Delta::Tables(touched) => {
                self.latest = self.world.snapshot();
                let (tables, touched) = (Arc::clone(&self.latest), touched.clone());
                self.send_all(PeerIndex::LOCAL, || Message::Tables(Arc::clone(&tables), touched.clone()));
            }
            Delta::Policy(peer, touched) => {
                let policy = self.world.policy(*peer);
                if let Some(task) = self.tasks.get_mut(peer) {
                    task.policy = Arc::clone(&policy);
                    task.intake.set_policy(Arc::clone(&policy), touched);
                    let (peer, touched) = (*peer, touched.clone());
                    self.send_all(peer, || Message::Policy(peer, Arc::clone(&policy), touched.clone()));
                }
            }
            Delta::Terms(peer) => {
                let terms = vec![(*peer, self.world.terms(*peer))];
                self.send_all(*peer, || Message::Terms(terms.clone()));
            }
        }
        delta
    }

    /// Some sender hands some of what it has to the inboxes.
    fn hand_over(&mut self) {
        let senders = self.on_the_way.len() as u64;
        let Some(queue) = self.on_the_way.values_mut().nth(self.random.below(senders.max(1)) as usize) else {
            return;
        };
        let most = queue.len().saturating_sub(MOST_WAITING).max(self.random.below(4) as usize);
        for (shard, message) in queue.drain(..most.min(queue.len())) {
            self.inboxes[shard].push_back(message);
        }
    }

    fn read_inbox(&mut self) {
        let shard = self.random.below(SHARDS as u64) as usize;
        for _ in 0..1 + self.random.below(4) {
            self.read(shard);
        }
    }

    fn read(&mut self, at: usize) {
        let (shard, sockets) = (&mut self.shards[at], &mut self.sockets[at]);
        match self.inboxes[at].pop_front() {
            None => {}
            Some(Message::Up(peer, rib_peer)) => {
                sockets.held.remove(&peer);
                shard.peer_up(peer, *rib_peer);
            }
            Some(Message::Down(peer)) => {
                sockets.held.remove(&peer);
                shard.peer_down(peer);
            }
            Some(Message::Batch(batch)) => shard.apply(&batch, sockets),
            Some(Message::Policy(peer, policy, touched)) => shard.set_policy(peer, policy, &touched),
            Some(Message::Tables(tables, touched)) => shard.replace_tables(tables, &touched),
            Some(Message::Terms(terms)) => shard.set_terms(&terms),
        }
    }

    fn publish(&mut self) {
        let shard = self.random.below(SHARDS as u64) as usize;
        self.shards[shard].publish(self.now, &mut self.sockets[shard]);
    }

    fn settle(&mut self) {
        for (_, queue) in std::mem::take(&mut self.on_the_way) {
            queue.into_iter().for_each(|(shard, message)| self.inboxes[shard].push_back(message));
        }
        for shard in 0..SHARDS {
            while !self.inboxes[shard].is_empty() {
                self.read(shard);
            }
        }
        settle(&mut self.shards, &mut self.sockets, &mut self.now);
    }

    /// Hears everything again, with the newest of everything.
    fn afresh(&mut self) -> ([Shard; SHARDS], [Sockets; SHARDS], BTreeMap<PeerIndex, Arc<PeerCounters>>) {
        let mut shards = [0; SHARDS].map(|_| self.world.shard(&self.latest));
        let mut sockets = [(); SHARDS].map(|()| sockets());
        let mut counters = BTreeMap::new();
        for net in self.world.ours() {
            originate(&mut shards, net);
        }
        for peer in self.tasks.keys() {
            let rib_peer = self.world.rib_peer(*peer);
            counters.insert(*peer, Arc::clone(&rib_peer.counters));
            let mut intake = Intake::new(*peer, Arc::clone(&rib_peer.policy), SHARDS, 1);
            shards.iter_mut().for_each(|shard| shard.peer_up(*peer, rib_peer.clone()));
            for ((_, net), said) in self.announced.iter().filter(|((from, _), _)| from == peer) {
                let body = world::update(*net, Some(said));
                let update = self.decoder.update(&body, &world::context(*peer)).unwrap();
                intake.push(&update, &self.latest);
            }
            for (shard, batch) in intake.take() {
                shards[shard].apply(&batch, &mut sockets[shard]);
            }
        }
        settle(&mut shards, &mut sockets, &mut self.now);
        (shards, sockets, counters)
    }

    fn compare(&mut self, place: &str) {
        let (shards, sockets, counters) = self.afresh();
        for at in 0..SHARDS {
            same(&table(&self.shards[at]), &table(&shards[at]), &format!("paths of shard {at}, {place}"));
            let up: BTreeSet<PeerIndex> = self.tasks.keys().copied().collect();
            for peer in up {
                let (living, fresh) = (held(&self.sockets[at], peer), held(&sockets[at], peer));
                assert_eq!(living, fresh, "what {peer:?} holds of shard {at}, {place}");
            }
            assert_eq!(self.sockets[at].fib, sockets[at].fib, "the FIB of shard {at}, {place}");
            assert_eq!(self.sockets[at].spurious, 0, "withdrawals of what was not held, {place}");
        }
        for (peer, task) in &self.tasks {
            assert_eq!(task.counters.read(), counters[peer].read(), "numbers of {peer:?}, {place}");
        }
    }

    /// Changes one thing while all is quiet, and counts what is judged again for it.
    fn change_alone(&mut self, place: &str) {
        let before = self.judged_again();
        let delta = self.change();
        let touched = self.touched(&delta);
        self.settle();
        assert_eq!(self.judged_again() - before, touched, "{delta:?}, {place}");
    }

    fn judged_again(&self) -> u64 {
        self.shards.iter().map(Shard::judged_again).sum()
    }

    /// How many of the paths a change touches, found by looking at all of them.
    fn touched(&self, delta: &Delta) -> u64 {
        let said = self.announced.iter().map(|((peer, net), said)| (*peer, *net, said.as_path.clone()));
        let ours = self.world.ours().into_iter().map(|net| (PeerIndex::LOCAL, net, Vec::new()));
        let paths: Vec<_> = said.chain(ours).collect();
        paths.iter().filter(|(peer, net, as_path)| self.world.touches(delta, *peer, *net, as_path)).count()
            as u64
    }
}

fn originate(shards: &mut [Shard; SHARDS], net: Net<u32>) {
    let set = AttributeSet::originated(std::net::IpAddr::from([0, 0, 0, 0]).into());
    shards[shard_of(net, SHARDS)].originate(net.into(), &Arc::new(set));
}

fn settle(shards: &mut [Shard; SHARDS], sockets: &mut [Sockets; SHARDS], now: &mut Instant) {
    shards.iter_mut().zip(sockets).for_each(|(shard, sockets)| support::settle(shard, sockets, now));
}

fn held(sockets: &Sockets, peer: PeerIndex) -> Held<Wording> {
    sockets.held.get(&peer).cloned().unwrap_or_default()
}

/// All that there is to say of the paths of a shard, in an order that does not depend on how they came.
fn table(shard: &Shard) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for (net, held) in shard.ipv4().iter_after(None) {
        for (at, path) in held.iter().enumerate() {
            let best = at == 0 && path.is_eligible();
            let (set, received) = (path.attributes(), path.received());
            paths.push(format!(
                "{net} of {:?} {:?}, best {best}, {:?} {:?}, received {:?}",
                path.peer(),
                path.verdict(),
                set.attributes(),
                set.local_preference(),
                received.attributes().wire,
            ));
        }
    }
    paths.sort();
    paths
}

/// Shows what differs alone.
fn same(living: &[String], fresh: &[String], what: &str) {
    let without = |some: &[String], others: &[String]| -> Vec<String> {
        some.iter().filter(|one| others.binary_search(one).is_err()).cloned().collect()
    };
    assert_eq!(without(living, fresh), without(fresh, living), "{what}");
    assert_eq!(living.len(), fresh.len(), "{what}");
}

#[test]
fn however_it_came_all_is_as_if_the_newest_had_been_there_from_the_beginning() {
    for seed in 1..=60 {
        let mut play = Play::new(seed);
        for round in 0..8 {
            let place = format!("round {round} of seed {seed}");
            for _ in 0..100 {
                play.step();
            }
            play.settle();
            play.compare(&place);
            for _ in 0..6 {
                play.change_alone(&place);
            }
            play.compare(&place);
        }
    }
}

/// A table of several slices: what changes while it is walked, and where the walk stands, must come out right too.
#[test]
fn what_changes_in_the_middle_of_a_walk_is_neither_lost_nor_judged_by_what_was() {
    for seed in 1..=4 {
        let mut play = Play::new(seed);
        play.wide = true;
        for (peer, every) in [(PeerIndex(1), 1), (PeerIndex(4), 5)] {
            play.up(peer);
            for at in (0..world::WIDE).step_by(every) {
                let said = play.world.said(peer, &mut play.random);
                play.say(peer, Net::new(0x2e00_0000 | at << 8, 24), Some(&said));
            }
            play.take(peer);
        }
        for round in 0..3 {
            let place = format!("round {round} of seed {seed}, wide");
            (0..120).for_each(|_| play.step());
            play.settle();
            play.compare(&place);
            play.change_alone(&place);
        }
    }
}
