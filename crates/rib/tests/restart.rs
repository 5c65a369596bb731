//! What is kept of peers that restart, case by case: `model.rs` tries the rest.

mod support;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Instant;

use palisade_bgp::prefix::{Net, Prefix};
use palisade_bgp::update::Context;
use palisade_bgp::{Asn, Family};
use palisade_policy::{Mode, Peer, Reason, Reflector, Region, Role, Snapshot};
use palisade_rib::{
    Batch, ExportView, Forwarding, Outcome, PeerCounters, PeerIndex, PolicyTouched, RibPeer, Shard, Step,
};

use support::{Said, Wires, address, settle};

const ONE: PeerIndex = PeerIndex(1);
const OTHER: PeerIndex = PeerIndex(2);
const LISTENER: PeerIndex = PeerIndex(3);

fn net() -> Net<u32> {
    Net::new(0x0a00_0000, 24)
}

struct Play {
    shard: Shard,
    wires: Wires,
    now: Instant,
    counters: Vec<Arc<PeerCounters>>,
}

impl Play {
    fn new() -> Self {
        let shard = Shard::new(Arc::new(Snapshot::default()));
        let counters = (0..4).map(|_| Arc::default()).collect();
        Play { shard, wires: Wires::default(), now: Instant::now(), counters }
    }

    fn up(&mut self, peer: PeerIndex, change: impl FnOnce(&mut RibPeer, &mut Peer)) {
        let mut policy = support::policy(peer, Role::Customer);
        let counters = Arc::clone(&self.counters[peer.index()]);
        let mut known = RibPeer { counters, ..support::rib_peer(peer, policy.clone()) };
        change(&mut known, &mut policy);
        known.policy = Arc::new(policy);
        self.shard.peer_up(peer, known);
    }

    fn say(&mut self, peer: PeerIndex, said: bool) {
        let mut batch = Batch::new(peer);
        let set = Said::path([asn(peer), 60_000]).attributes(peer);
        batch.v4.push(said.then_some(&set), net(), 0);
        self.shard.apply(&batch, &mut self.wires);
    }

    fn settle(&mut self) {
        settle(&mut self.shard, &mut self.wires, &mut self.now);
    }

    /// Whose path the listener holds.
    fn heard(&mut self) -> Option<u32> {
        self.settle();
        let held = self.wires.held.get(&LISTENER)?.get(&(net(), 0))?;
        held.as_path.get(1).copied()
    }

    fn stale(&self, peer: PeerIndex) -> i64 {
        self.counters[peer.index()].read().stale_total()
    }
}

fn asn(peer: PeerIndex) -> u32 {
    support::asn(peer, Role::Customer)
}

/// Two peers with a path each, of which the first is the better one, and somebody who hears.
fn two_paths() -> Play {
    let mut play = Play::new();
    [ONE, OTHER, LISTENER].into_iter().for_each(|peer| play.up(peer, |_, _| ()));
    [ONE, OTHER].into_iter().for_each(|peer| play.say(peer, true));
    assert_eq!(play.heard(), Some(asn(ONE)));
    play
}

#[test]
fn a_stale_path_stands_as_before_until_it_is_said_again_or_swept() {
    let mut play = two_paths();
    play.shard.peer_lost(ONE, [true; 2]);
    assert_eq!((play.heard(), play.stale(ONE)), (Some(asn(ONE)), 1));
    play.wires.held.remove(&ONE);
    play.up(ONE, |_, _| ());
    play.say(ONE, true);
    play.shard.sweep_stale(ONE, Family::Ipv4);
    assert_eq!((play.heard(), play.stale(ONE)), (Some(asn(ONE)), 0));
    assert_eq!(play.wires.repeated, 0, "nobody is told again what has not changed");
    play.shard.peer_lost(ONE, [true; 2]);
    play.up(ONE, |_, _| ());
    play.shard.sweep_stale(ONE, Family::Ipv4);
    assert_eq!((play.heard(), play.stale(ONE)), (Some(asn(OTHER)), 0));
}

/// The session's new terms hold for what is kept of the last one, too.
#[test]
fn a_peer_that_comes_back_on_other_terms_is_ranked_and_judged_by_them() {
    let mut play = two_paths();
    play.shard.peer_lost(ONE, [true; 2]);
    play.up(ONE, |known, _| known.ranking.local_preference = 50);
    assert_eq!(play.heard(), Some(asn(OTHER)));
    play.say(ONE, true);
    play.shard.peer_lost(ONE, [true; 2]);
    play.up(ONE, |_, _| ());
    assert_eq!(play.heard(), Some(asn(ONE)));
    play.say(ONE, true);
    play.shard.peer_lost(ONE, [true; 2]);
    play.up(ONE, |_, policy| {
        policy.asn = Asn(65_999);
        assert!(policy.checks.set(Reason::FirstAsMismatch, Mode::Enforce).is_ok());
    });
    assert_eq!(play.heard(), Some(asn(OTHER)));
    let account = play.shard.account(Prefix::V4(net()));
    let refused = account.paths.iter().find(|told| told.path.peer() == ONE).map(|told| told.outcome);
    assert_eq!(refused, Some(Outcome::Refused));
}

/// Where we reflect routes, ORIGINATOR_ID is the identifier that the peer has now (RFC 4456 s8).
#[test]
fn who_is_told_by_a_reflector_hears_that_a_peer_has_another_identifier() {
    let mut play = Play::new();
    let ours = Ipv4Addr::new(192, 0, 2, 1);
    let reflector = Some(Reflector { router_id: ours, cluster_id: ours, is_client: true });
    let internal = |router_id: u32| {
        move |known: &mut RibPeer, policy: &mut Peer| {
            (known.ranking.internal, known.ranking.router_id) = (true, router_id);
            (policy.role, policy.reflector) = (Some(Role::Internal), reflector);
            let view = |view| ExportView { role: Role::Internal, keeps_next_hop: true, reflector, ..view };
            known.export = known.export.map(|export| export.map(view));
        }
    };
    for peer in [ONE, LISTENER] {
        play.wires.contexts.insert(peer, Context { internal: true, ..Context::default() });
    }
    play.up(ONE, internal(1));
    play.up(LISTENER, internal(3));
    play.say(ONE, true);
    assert_eq!(play.heard(), Some(60_000));
    for (router_id, told) in [(1, 0), (7, 1), (7, 1)] {
        play.shard.peer_lost(ONE, [true; 2]);
        play.up(ONE, internal(router_id));
        play.say(ONE, true);
        play.shard.sweep_stale(ONE, Family::Ipv4);
        assert_eq!((play.heard(), play.wires.repeated), (Some(60_000), told));
    }
}

/// Shards share what was found of attributes, and must mean the same by how often a policy has changed: also where one has not dealt
/// with the loss of a session before there is another.
#[test]
fn a_peer_that_is_back_at_once_is_judged_by_its_policy_in_every_shard() {
    let mut shards = [Play::new(), Play::new()];
    let set = Said::path([65_999, 60_000]).attributes(ONE);
    let mut batch = Batch::new(ONE);
    batch.v4.push(Some(&set), net(), 0);
    let in_a_region = |_: &mut RibPeer, policy: &mut Peer| policy.regions = [Region(1)].into();
    for (at, play) in shards.iter_mut().enumerate() {
        play.up(ONE, |_, _| ());
        play.shard.peer_down(ONE);
        if at == 1 {
            play.settle();
        }
        play.up(ONE, in_a_region);
        play.shard.apply(&batch, &mut play.wires);
    }
    let mut policy = support::policy(ONE, Role::Customer);
    policy.regions = [Region(1)].into();
    assert!(policy.checks.set(Reason::FirstAsMismatch, Mode::Enforce).is_ok());
    let policy = Arc::new(policy);
    for play in &mut shards {
        play.shard.set_policy(ONE, Arc::clone(&policy), &PolicyTouched::Everything);
    }
    for play in shards.iter_mut().rev() {
        play.settle();
        let verdict = play.shard.ipv4().paths(net())[0].verdict();
        assert_eq!(verdict.reason, Some(Reason::FirstAsMismatch));
    }
}

#[test]
fn one_family_is_kept_and_the_other_goes() {
    let mut play = two_paths();
    play.shard.peer_lost(ONE, [false, true]);
    assert_eq!(play.heard(), Some(asn(OTHER)));
    // Nothing is left of it, though what it is to us is still known.
    play.up(ONE, |_, _| ());
    play.say(ONE, true);
    assert_eq!((play.heard(), play.counters[1].read().received_total()), (Some(asn(ONE)), 1));
}

#[test]
fn a_long_lived_path_is_the_last_resort_and_told_to_those_alone_who_know_what_it_is() {
    let mut play = two_paths();
    play.shard.peer_lost(ONE, [true; 2]);
    play.shard.make_long_lived(ONE, Family::Ipv4);
    assert_eq!(play.heard(), Some(asn(OTHER)));
    let account = play.shard.account(Prefix::V4(net()));
    let lost = account.paths.iter().find(|told| told.path.peer() == ONE).map(|told| told.outcome);
    assert_eq!(lost, Some(Outcome::Lost(Step::LongLivedStale)));
    play.say(OTHER, false);
    assert_eq!(play.heard(), None);
    assert_eq!(
        play.wires.fib.get(&Prefix::V4(net())),
        Some(&Forwarding::To((address(ONE).into(), 0))),
        "we forward by it"
    );
    play.shard.peer_down(LISTENER);
    play.up(LISTENER, |known, _| {
        known.export = known.export.map(|view| view.map(|view| ExportView { long_lived: true, ..view }));
    });
    assert_eq!(play.heard(), Some(asn(ONE)));
    assert!(play.wires.held[&LISTENER][&(net(), 0)].communities.contains(&0xffff_0006));
}

#[test]
fn who_joins_while_all_is_deferred_hears_nothing_until_then_and_all_at_once() {
    let mut play = Play::new();
    play.shard.set_deferred(true);
    [ONE, OTHER, LISTENER].into_iter().for_each(|peer| play.up(peer, |_, _| ()));
    play.say(OTHER, true);
    play.settle();
    play.say(ONE, true);
    play.shard.refresh(LISTENER, Family::Ipv4);
    assert_eq!((play.heard(), play.wires.walked.len()), (None, 0));
    play.shard.set_deferred(false);
    assert_eq!((play.heard(), play.wires.walked.len()), (Some(asn(ONE)), 3));
    assert_eq!(play.wires.repeated, 0);
}
