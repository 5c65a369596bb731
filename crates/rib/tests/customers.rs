//! A router with customers who may ask for things: what each neighbour hears, what our own routers hear, how it is accounted for, and
//! what becomes of what we originate.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

mod support;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use palisade_bgp::Asn;
use palisade_bgp::attributes::Community;
use palisade_bgp::prefix::{Net, Prefix};
use palisade_bgp::update::Context;
use palisade_policy::actions::{Action, Pattern, euro_ix};
use palisade_policy::rules::{Edits, Rule};
use palisade_policy::{
    ActionScheme, Mode, Peer, Reason, Region, Role, RovIndex, RuleNumber, Rules, Snapshot, Source, Vrp,
};
use palisade_rib::{
    AttributeSet, Batch, Forwarding, Outcome, PeerIndex, PolicyTouched, PrefixLimits, RibPeer, Shard,
    Silence, Step, Tags, Terms, Touched, Withheld,
};

use support::{OURS, Said, Wires, address, settle};

const CUSTOMER: PeerIndex = PeerIndex(1);
const OTHER_CUSTOMER: PeerIndex = PeerIndex(2);
const PEER: PeerIndex = PeerIndex(3);
const PROVIDER: PeerIndex = PeerIndex(4);
const INTERNAL: PeerIndex = PeerIndex(5);
const ROLES: [Role; 5] = [Role::Customer, Role::Customer, Role::Peer, Role::Provider, Role::Internal];
const FRA: Region = Region(1);

fn asn(peer: PeerIndex) -> u32 {
    support::asn(peer, ROLES[peer.index() - 1])
}

fn rib_peer(peer: PeerIndex) -> RibPeer {
    let mut policy = support::policy(peer, ROLES[peer.index() - 1]);
    policy.rules = RuleNumber::new(0).into_iter().collect();
    if peer == PROVIDER {
        policy.regions = [FRA].into();
    }
    support::rib_peer(peer, policy)
}

fn net() -> Net<u32> {
    Net::new(0x2d00_0000, 20)
}

fn tables() -> Snapshot {
    let actions = ActionScheme::new(&euro_ix(Asn(OURS)).0, [None; 2]);
    Snapshot { actions: Some(Arc::new(actions)), ..Snapshot::default() }
}

type Communities = Vec<(u32, u32)>;

struct Router {
    shard: Shard,
    wires: Wires,
    now: Instant,
}

impl Router {
    fn new(tables: Snapshot) -> Self {
        let wires = Wires::read_as([(INTERNAL, Context { internal: true, ..Context::default() })]);
        let mut router = Router { shard: Shard::new(Arc::new(tables)), wires, now: Instant::now() };
        for peer in (1..=5).map(PeerIndex) {
            router.shard.peer_up(peer, rib_peer(peer));
        }
        router.settle();
        router
    }

    fn say(&mut self, peer: PeerIndex, communities: &[(u32, u32)]) {
        let communities = communities.iter().map(|(high, low)| high << 16 | low).collect();
        let said = Said { as_path: vec![asn(peer)], communities };
        let mut batch = Batch::new(peer);
        batch.v4.push(Some(&said.attributes(peer)), net(), 0);
        self.shard.apply(&batch, &mut self.wires);
        self.settle();
    }

    fn settle(&mut self) {
        settle(&mut self.shard, &mut self.wires, &mut self.now);
    }

    /// AS_PATH and communities that a peer holds.
    fn heard(&self, peer: PeerIndex) -> Option<(Vec<u32>, Communities)> {
        let said = self.wires.held.get(&peer)?.get(&(net(), 0))?;
        let communities = said.communities.iter().map(|one| (one >> 16, one & 0xffff)).collect();
        Some((said.as_path.clone(), communities))
    }

    fn who_hears(&self) -> BTreeSet<PeerIndex> {
        (1..=5).map(PeerIndex).filter(|peer| self.heard(*peer).is_some()).collect()
    }
}

#[test]
fn a_customer_says_who_hears_and_our_own_routers_always_do() {
    let mut router = Router::new(tables());
    let hear = |router: &mut Router, communities: &[(u32, u32)]| {
        router.say(CUSTOMER, communities);
        router.who_hears().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(hear(&mut router, &[]), [OTHER_CUSTOMER, PEER, PROVIDER, INTERNAL]);
    assert_eq!(hear(&mut router, &[(0, asn(PEER))]), [OTHER_CUSTOMER, PROVIDER, INTERNAL]);
    assert_eq!(hear(&mut router, &[(65410, FRA.0)]), [OTHER_CUSTOMER, PEER, INTERNAL]);
    assert_eq!(hear(&mut router, &[(0, OURS)]), [INTERNAL]);
    assert_eq!(hear(&mut router, &[(0, OURS), (OURS, asn(PROVIDER))]), [PROVIDER, INTERNAL]);
    // What it asks with stays inside, where other routers may need it.
    assert_eq!(router.heard(PROVIDER), Some((vec![OURS, asn(CUSTOMER)], vec![])));
    let asked = vec![(0, OURS), (OURS, asn(PROVIDER))];
    assert_eq!(router.heard(INTERNAL), Some((vec![asn(CUSTOMER)], asked)));
    assert_eq!(router.wires.spurious, 0);
}

#[test]
fn prepending_is_with_our_as_and_no_export_is_added() {
    let mut router = Router::new(tables());
    router.say(CUSTOMER, &[(65502, asn(PEER)), (65281, OURS), (7, 7)]);
    let no_export = (0xffff, 0xff01);
    let customer = asn(CUSTOMER);
    let heard = |peer| router.heard(peer).unwrap();
    assert_eq!(heard(PEER), (vec![OURS, OURS, OURS, customer], vec![(7, 7), no_export]));
    assert_eq!(heard(PROVIDER), (vec![OURS, customer], vec![(7, 7), no_export]));
    assert_eq!(heard(INTERNAL).0, [customer]);
}

#[test]
fn only_customers_are_heard() {
    let mut router = Router::new(tables());
    router.say(PROVIDER, &[(0, asn(CUSTOMER))]);
    assert!(router.heard(CUSTOMER).is_some_and(|(_, communities)| communities == [(0, asn(CUSTOMER))]));
    // A customer of a router whose operator has written nothing asks in vain.
    let mut router = Router::new(Snapshot::default());
    router.say(CUSTOMER, &[(0, asn(PEER))]);
    assert!(router.heard(PEER).is_some());
}

#[test]
fn tags_are_told_to_all_and_come_and_go_with_the_terms() {
    let mut router = Router::new(tables());
    router.say(CUSTOMER, &[(7, 7)]);
    let with = |tags: &[(u32, u32)]| {
        let communities = tags.iter().map(|(high, low)| Community(high << 16 | low)).collect();
        let tags = Arc::new(Tags { communities, large: vec![] });
        let terms = Terms {
            local_preference: 200,
            limits: PrefixLimits { warning_percent: 7, ..PrefixLimits::NONE },
            tags: Some(tags),
            shutting_down: false,
        };
        vec![
            (CUSTOMER, terms),
            (
                PeerIndex(9),
                Terms { local_preference: 1, limits: PrefixLimits::NONE, tags: None, shutting_down: false },
            ),
        ]
    };
    router.shard.set_terms(&with(&[(OURS, 3001)]));
    router.settle();
    for peer in [PEER, INTERNAL, OTHER_CUSTOMER] {
        assert_eq!(router.heard(peer).unwrap().1, [(7, 7), (OURS, 3001)]);
    }
    router.wires.repeated = 0;
    router.shard.set_terms(&with(&[(OURS, 3001)]));
    router.settle();
    assert_eq!(router.wires.repeated, 0, "equal terms change nothing");
    router.shard.set_terms(&with(&[]));
    router.settle();
    assert_eq!(router.heard(PEER).unwrap().1, [(7, 7)]);
}

#[test]
fn what_we_originate_is_judged_and_comes_back_when_it_is_valid() {
    let tables = |vrps: &[Vrp]| {
        let rov = Arc::new(RovIndex::build(vrps.iter().copied()));
        Arc::new(Snapshot { rov, ..Snapshot::default() })
    };
    let vrp = |asn| Vrp::new(net().into(), 20, Asn(asn)).unwrap();
    let mut router = Router::new(Snapshot::default());
    let set = Arc::new(AttributeSet::originated(IpAddr::from([0, 0, 0, 0]).into()));
    router.shard.originate(net().into(), &set);
    router.settle();
    let everybody = router.who_hears();
    assert_eq!(everybody.len(), 5);
    let ours = Arc::new(Peer::ours(Asn(OURS)));
    router.shard.set_policy(PeerIndex::LOCAL, ours, &PolicyTouched::Everything);
    router.settle();
    let verdict = |router: &Router| router.shard.ipv4().paths(net())[0].verdict();
    assert_eq!(verdict(&router).observed, Some(Reason::IrrPrefixNotRegistered), "undeclared, and seen");
    for (vrps, reason) in [
        (vec![vrp(65_551)], Some(Reason::RpkiInvalidOrigin)),
        (vec![vrp(65_551), vrp(OURS)], None),
        (vec![], None),
    ] {
        router.shard.replace_tables(tables(&vrps), &Touched::under(vec![net().into()]));
        router.settle();
        assert_eq!(verdict(&router).reason, reason);
        let hearing = if reason.is_none() { everybody.clone() } else { BTreeSet::new() };
        assert_eq!(router.who_hears(), hearing);
    }
}

/// Rule 0 gives paths another preference and community.
fn amending(local_preference: u32, community: (u32, u32)) -> Arc<Snapshot> {
    let added = Community(community.0 << 16 | community.1).into();
    let edits =
        Edits { local_preference: Some(local_preference), add_communities: vec![added], ..Edits::default() };
    let rule = Rule {
        name: "amend".into(),
        path: vec![],
        prefix: vec![],
        action: Default::default(),
        edits,
        mode: Mode::Enforce,
    };
    let rules = Arc::new(Rules::new(vec![rule]).unwrap());
    Arc::new(Snapshot { rules, generation: 1, path_generation: 1, ..Snapshot::default() })
}

#[test]
fn what_a_rule_amends_is_ranked_sent_and_shown_and_what_was_received_is_kept() {
    let mut router = Router::new(Snapshot::default());
    router.say(CUSTOMER, &[(7, 7)]);
    let received = Arc::clone(router.shard.ipv4().paths(net())[0].attributes());
    router.shard.replace_tables(amending(90, (7, 8)), &Touched::everything());
    router.settle();
    assert_eq!(router.heard(PEER).unwrap().1, [(7, 7), (7, 8)]);
    let path = router.shard.ipv4().paths(net())[0].clone();
    assert!(path.is_amended() && Arc::ptr_eq(path.received(), &received));
    assert_eq!(path.attributes().local_preference(), Some(90));
    assert_eq!(path.attributes().attributes().communities().count(), 2);
    // The rule makes the provider's path equal to the customer's: the lower identifier decides.
    router.say(PROVIDER, &[]);
    assert_eq!(router.shard.ipv4().paths(net())[0].peer(), CUSTOMER);
    router.shard.replace_tables(
        Arc::new(Snapshot { path_generation: 2, ..Snapshot::default() }),
        &Touched::everything(),
    );
    router.settle();
    assert_eq!(router.heard(PEER).unwrap().1, [(7, 7)]);
    assert!(Arc::ptr_eq(router.shard.ipv4().paths(net())[0].attributes(), &received));
}

#[test]
fn an_account_says_where_paths_lost_and_who_is_told_what() {
    let mut router = Router::new(tables());
    router.say(PROVIDER, &[]);
    router.say(PEER, &[]);
    let account = router.shard.account(Prefix::V4(net()));
    let outcomes: Vec<_> = account.paths.iter().map(|told| (told.path.peer(), told.outcome)).collect();
    assert_eq!(outcomes, [(PEER, Outcome::Best), (PROVIDER, Outcome::Lost(Step::LocalPreference))]);
    let silence = |peer: PeerIndex| account.exports.iter().find(|one| one.peer == peer).unwrap().silence;
    assert_eq!(silence(CUSTOMER), None);
    assert_eq!(silence(PEER), Some(Silence::Its));
    let role = Withheld::Role { from: Source::Peer(Role::Peer), to: Role::Provider };
    assert_eq!(silence(PROVIDER), Some(Silence::Withheld(role)));
    router.say(CUSTOMER, &[(0, asn(PEER))]);
    router.shard.set_reachable((address(PROVIDER).into(), 0), false);
    let account = router.shard.account(Prefix::V4(net()));
    let to_peer = account.exports.iter().find(|one| one.peer == PEER).unwrap();
    assert_eq!((to_peer.sent.len(), to_peer.silence), (0, Some(Silence::Asked)));
    let provider = account.paths.iter().find(|told| told.path.peer() == PROVIDER).unwrap();
    assert_eq!(provider.outcome, Outcome::Unreachable);
    let nothing = router.shard.account(Prefix::V4(Net::new(0x0b00_0000, 8)));
    assert!(nothing.paths.is_empty());
    assert!(nothing.exports.iter().all(|export| export.silence == Some(Silence::NoPath)));
}

/// What a community of ours means is configuration: who was told while it meant nothing has it withdrawn, and packets are dropped.
#[test]
fn a_route_becomes_a_blackhole_and_is_one_no_longer_as_communities_change_their_meaning() {
    let pattern = Pattern::parse(&format!("{OURS}:666"), Asn(OURS)).unwrap();
    let tables = |generation, patterns: &[_]| Snapshot {
        actions: Some(Arc::new(ActionScheme::new(patterns, [None; 2]))),
        path_generation: generation,
        generation,
        ..Snapshot::default()
    };
    let mut router = Router::new(tables(1, &[]));
    router.say(CUSTOMER, &[(OURS, 666)]);
    let all = BTreeSet::from([OTHER_CUSTOMER, PEER, PROVIDER, INTERNAL]);
    let sent_on = Forwarding::To((address(CUSTOMER).into(), 0));
    for generation in [1, 3] {
        let found = (router.who_hears(), router.wires.fib[&Prefix::V4(net())]);
        assert_eq!(found, (all.clone(), sent_on), "before {generation}");
        let blackhole = tables(generation + 1, &[(Action::Blackhole, pattern)]);
        router.shard.replace_tables(Arc::new(blackhole), &Touched::everything());
        router.settle();
        let found = (router.who_hears(), router.wires.fib[&Prefix::V4(net())]);
        assert_eq!(found, ([INTERNAL].into(), Forwarding::Discard), "after {generation}");
        router.shard.replace_tables(Arc::new(tables(generation + 2, &[])), &Touched::everything());
        router.settle();
    }
    assert_eq!(router.wires.spurious, 0);
}
