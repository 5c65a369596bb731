//! A route server's table beside a model of it that computes every member's paths by itself, the long way.
//!
//! Members announce paths with communities that ask for this and that, change their minds, come, go and stop reading; two of
//! them take all paths (RFC 7911). After every settling each must hold exactly what the model says: the best of the paths
//! that it may have (RFC 7947 s2.3), treated as their senders asked, without the communities that asked for it.

mod support;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade_bgp::Asn;
use palisade_bgp::encode::Format;
use palisade_bgp::prefix::Net;
use palisade_bgp::update::Context;
use palisade_policy::actions::euro_ix;
use palisade_policy::{ActionScheme, Mode, Reason, Region, Role, Snapshot};
use palisade_rib::{Batch, ExportView, PeerIndex, RibPeer, Shard};

use support::{Held, OURS as RS, Random, Said, Wires, settle, tell, view};

const MEMBERS: u16 = 7;
/// Members that take all paths.
const TAKES_ALL: [u16; 2] = [6, 7];
const NO_EXPORT: u32 = 0xffff_ff01;
const GRACEFUL_SHUTDOWN: u32 = 0xffff_0000;
/// What members tell each other, which is none of our business.
const INFORMATION: u32 = community(64999, 7);

const fn community(high: u32, low: u32) -> u32 {
    high << 16 | low
}

/// The first and the fifth are two routers of one network.
fn asn(member: PeerIndex) -> u32 {
    65000 + u32::from(if member.0 == 5 { 1 } else { member.0 })
}

fn regions(member: PeerIndex) -> Vec<u32> {
    match member.0 {
        2 | 3 => vec![1],
        4 | 6 => vec![2],
        7 => vec![1, 2],
        _ => vec![],
    }
}

fn takes_all(member: PeerIndex) -> bool {
    TAKES_ALL.contains(&member.0)
}

fn rib_peer(member: PeerIndex) -> RibPeer {
    let mut policy = support::policy(member, Role::RsClient);
    policy.asn = Asn(asn(member));
    assert!(policy.checks.set(Reason::AsLoop, Mode::Enforce).is_ok());
    policy.regions = regions(member).into_iter().map(Region).collect();
    let format = Format { add_path: takes_all(member), ..Format::PLAIN };
    let export = ExportView { own_next_hop: None, format, ..view(Role::RsClient) };
    RibPeer { export: [Some(export), None], ..support::rib_peer(member, policy) }
}

/// The communities that the model knows, and what they ask for.
fn wishes() -> Vec<u32> {
    let named = (1..=MEMBERS).map(PeerIndex).flat_map(|member| {
        [0, RS, 65501, 65503, 65281].map(|action| community(action, asn(member) & 0xffff))
    });
    let regional =
        [65410, 65411, 65422].into_iter().flat_map(|action| [1, 2].map(|to| community(action, to)));
    let to_all = [0, RS, 65502, 65281].map(|action| community(action, RS));
    named.chain(regional).chain(to_all).collect()
}

/// How a path with these communities goes to a member: how often prepended, and whether with NO_EXPORT; `None` withholds it.
fn treatment(asked: &BTreeSet<u32>, member: PeerIndex) -> Option<(usize, bool)> {
    let by_name = |action: u32| asked.contains(&community(action, asn(member) & 0xffff));
    let by_region = |action| regions(member).iter().any(|region| asked.contains(&community(action, *region)));
    let to_all = |action| asked.contains(&community(action, RS));
    let announced = match () {
        () if by_name(0) => false,
        () if by_name(RS) => true,
        () if by_region(65410) => false,
        () if by_region(65411) => true,
        () => !to_all(0),
    };
    let prepended = match () {
        () if by_name(65503) => 3,
        () if by_name(65501) => 1,
        () if by_region(65422) => 2,
        () => 2 * usize::from(to_all(65502)),
    };
    announced.then_some((prepended, by_name(65281) || to_all(65281)))
}

/// Not where it came through us before, nor where it may not leave the neighbour's AS (RFC 1997).
fn goes_out(said: &Said) -> bool {
    !said.as_path.contains(&RS) && !said.communities.contains(&NO_EXPORT)
}

#[derive(Default)]
struct Model {
    up: BTreeSet<PeerIndex>,
    paths: BTreeMap<Net<u32>, BTreeMap<PeerIndex, Said>>,
}

impl Model {
    fn held_by(&self, member: PeerIndex) -> Held {
        let mut held = Held::new();
        for (net, paths) in &self.paths {
            let mut paths: Vec<_> = paths.iter().filter(|(_, said)| goes_out(said)).collect();
            paths.sort_by_key(|(source, said)| {
                let preferred = !said.communities.contains(&GRACEFUL_SHUTDOWN);
                (Reverse(preferred), said.as_path.len(), **source)
            });
            let may_have = paths.into_iter().filter(|(source, _)| **source != member);
            let mut treated = may_have.filter_map(|(source, said)| {
                Some((u32::from(source.0) + 1, self.sent(said, treatment(&said.communities, member)?)))
            });
            if takes_all(member) {
                held.extend(treated.map(|(id, said)| ((*net, id), said)));
            } else if let Some((_, said)) = treated.next() {
                held.insert((*net, 0), said);
            }
        }
        held
    }

    fn sent(&self, said: &Said, (prepended, no_export): (usize, bool)) -> Said {
        let mut as_path = vec![said.as_path[0]; prepended];
        as_path.extend(&said.as_path);
        let wishes = wishes();
        let kept = said.communities.iter().copied().filter(|community| !wishes.contains(community));
        let communities = kept.chain(no_export.then_some(NO_EXPORT)).collect();
        Said { as_path, communities }
    }
}

struct Play {
    random: Random,
    shard: Shard,
    model: Model,
    wires: Wires,
    now: Instant,
}

impl Play {
    fn new(seed: u64) -> Self {
        let actions = Some(Arc::new(ActionScheme::new(&euro_ix(Asn(RS)).0, [None; 2])));
        let shard = Shard::new(Arc::new(Snapshot { actions, ..Snapshot::default() }));
        let context = Context { add_path: [true, false], ..Context::default() };
        let wires = Wires::read_as(TAKES_ALL.map(|member| (PeerIndex(member), context)));
        Play { random: Random(seed | 1), shard, model: Model::default(), wires, now: Instant::now() }
    }

    fn step(&mut self) {
        let member = PeerIndex(1 + self.random.below(u64::from(MEMBERS)) as u16);
        match self.random.below(100) {
            0..3 if self.model.up.remove(&member) => {
                self.shard.peer_down(member);
                self.wires.held.remove(&member);
                self.wires.stalled.remove(&member);
                self.model.paths.values_mut().for_each(|paths| drop(paths.remove(&member)));
            }
            0..8 if self.model.up.insert(member) => self.shard.peer_up(member, rib_peer(member)),
            8..12 => drop(self.wires.stalled.insert(member)),
            12..20 => drop(self.wires.stalled.remove(&member)),
            20..40 => {
                self.now += Duration::from_millis(self.random.below(30));
                self.shard.publish(self.now, &mut self.wires);
            }
            _ if self.model.up.contains(&member) => self.speak(member),
            _ => {}
        }
    }

    fn speak(&mut self, member: PeerIndex) {
        let mut batch = Batch::new(member);
        for _ in 0..1 + self.random.below(6) {
            let net = Net::new(0x0a00_0000 | (self.random.below(24) as u32) << 8, 24);
            let said = (self.random.below(4) > 0).then(|| self.path(member));
            let attributes = said.as_ref().map(|said| said.attributes(member));
            batch.v4.push(attributes.as_ref(), net, 0);
            let paths = self.model.paths.entry(net).or_default();
            match said {
                Some(said) => drop(paths.insert(member, said)),
                None => drop(paths.remove(&member)),
            }
        }
        self.shard.apply(&batch, &mut self.wires);
    }

    fn path(&mut self, member: PeerIndex) -> Said {
        let mut as_path = vec![asn(member)];
        as_path.extend((0..self.random.below(3)).map(|_| 60_000 + self.random.below(3) as u32));
        as_path.extend((self.random.below(12) == 0).then_some(RS));
        let known = wishes();
        let count = [0, 0, 1, 2, 4][self.random.below(5) as usize];
        let mut communities: BTreeSet<u32> =
            (0..count).map(|_| known[self.random.below(known.len() as u64) as usize]).collect();
        communities.extend((self.random.below(3) == 0).then_some(INFORMATION));
        communities.extend((self.random.below(6) == 0).then_some(GRACEFUL_SHUTDOWN));
        communities.extend((self.random.below(8) == 0).then_some(NO_EXPORT));
        Said { as_path, communities }
    }

    fn settle(&mut self) {
        self.wires.stalled.clear();
        settle(&mut self.shard, &mut self.wires, &mut self.now);
    }

    fn compare(&mut self, seed: u64) {
        for member in self.model.up.clone() {
            let held = self.wires.held.entry(member).or_default();
            assert_eq!(*held, self.model.held_by(member), "member {member:?} of seed {seed}");
        }
        assert_eq!(self.wires.spurious, 0, "withdrawn without having been announced, seed {seed}");
        let views: BTreeSet<bool> = self.model.up.iter().map(|member| takes_all(*member)).collect();
        assert_eq!(self.shard.groups()[0], views.len(), "equal views have merged, seed {seed}");
    }
}

#[test]
fn members_hold_the_best_of_what_they_may_have_treated_as_was_asked() {
    tell(1..=50, Play::new, Play::step, |play, seed| {
        play.settle();
        play.compare(seed);
    });
}
