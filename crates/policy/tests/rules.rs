//! The operator's rules: which are asked, what follows, and what becomes of the attributes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

mod support;

use std::sync::Arc;

use palisade_bgp::attributes::{Community, ExtendedCommunity, LargeCommunity};
use palisade_bgp::{Asn, Family};
use palisade_policy::rules::{
    Action, AnyCommunity, CommunityPattern, Edits, IrrState, MAX_PREPENDS, MAX_RULES, PathCondition,
    PrefixCondition,
};
use palisade_policy::{
    AspaState, Changes, IrrBuilder, Mode, OriginSet, Peer, Reason, Role, RovIndex, RovState, Rule,
    RuleNumber, Rules, Snapshot, Trace, Verdict, Vrp, judge, judge_path,
};
use support::{Announcement, address, net, net6, prefix};

const PEER: Asn = Asn(3333);
const LOCAL: Asn = Asn(5555);
const ROUTE: &str = "193.0.0.0/20";
const NEXT_HOP: &str = "195.69.144.1";

fn rule(name: &str, action: Action) -> Rule {
    Rule {
        name: name.into(),
        path: Vec::new(),
        prefix: Vec::new(),
        action,
        edits: Edits::default(),
        mode: Mode::Enforce,
    }
}

fn preferring(name: &str, action: Action, preference: u32) -> Rule {
    let edits = Edits { local_preference: Some(preference), ..Edits::default() };
    Rule { edits, ..rule(name, action) }
}

fn changing(edits: Edits) -> Rule {
    Rule { edits, ..rule("changes", Action::Continue) }
}

fn tables(rules: Vec<Rule>) -> Snapshot {
    let vrp = |net, max, asn| Vrp::new(prefix(net), max, Asn(asn)).unwrap();
    let vrps = [vrp("193.0.0.0/16", 20, 3333), vrp("193.2.0.0/16", 16, 4444)];
    let mut irr = IrrBuilder::default();
    irr.add_route(prefix("193.0.0.0/16"), PEER, "RIPE").unwrap();
    Snapshot {
        rov: Arc::new(RovIndex::build(vrps)),
        irr: Arc::new(irr.build()),
        rules: Arc::new(Rules::new(rules).unwrap()),
        ..Snapshot::default()
    }
}

/// A provider that all rules are about.
fn peer(tables: &Snapshot) -> Peer {
    let mut peer = Peer::new(PEER, LOCAL, Some(Role::Provider), address(NEXT_HOP));
    peer.rules = tables.rules.iter().map(|(number, _)| number).collect();
    peer
}

fn good() -> Announcement {
    Announcement::new("3333", NEXT_HOP)
}

/// Judges with and without a trace: both must come to the same.
fn judged(route: &str, announcement: &Announcement, peer: &Peer, tables: &Snapshot) -> (Verdict, Trace) {
    let mut trace = Trace::default();
    let traced = judge(net(route), &announcement.attributes(), peer, tables, &mut trace);
    let verdict = judge(net(route), &announcement.attributes(), peer, tables, &mut ());
    assert_eq!(verdict, traced, "{route} by {trace:?}");
    (verdict, trace)
}

fn number(index: u8) -> RuleNumber {
    RuleNumber::new(index).unwrap()
}

fn rejected_by(index: u8) -> Option<Reason> {
    Some(Reason::Rule(number(index)))
}

fn changed_by(verdict: Verdict) -> Vec<u8> {
    verdict.amendment.rules().iter().map(RuleNumber::index).collect()
}

/// What is left of a good route's attributes.
fn changes(announcement: &Announcement, rules: Vec<Rule>) -> Changes {
    let tables = tables(rules);
    let peer = peer(&tables);
    let (verdict, _) = judged(ROUTE, announcement, &peer, &tables);
    assert_eq!(verdict.reason, None);
    tables.changes(verdict.amendment, &announcement.attributes(), &peer)
}

#[test]
fn rules_are_asked_in_order_until_one_decides() {
    use Action::{Accept, Continue, Reject};
    for (rules, reason, changed) in [
        (vec![rule("a", Reject), rule("b", Accept)], rejected_by(0), vec![]),
        (vec![rule("a", Accept), rule("b", Reject)], None, vec![]),
        (vec![preferring("a", Continue, 1), rule("b", Reject)], rejected_by(1), vec![]),
        (vec![preferring("a", Continue, 1), preferring("b", Continue, 2)], None, vec![0, 1]),
        (vec![preferring("a", Accept, 1), preferring("b", Continue, 2)], None, vec![0]),
        (vec![rule("a", Continue), preferring("b", Continue, 2)], None, vec![1]),
    ] {
        let tables = tables(rules);
        let (verdict, _) = judged(ROUTE, &good(), &peer(&tables), &tables);
        assert_eq!((verdict.reason, changed_by(verdict)), (reason, changed), "{:?}", tables.rules);
    }
}

#[test]
fn a_rule_that_is_observed_is_counted_and_not_obeyed() {
    let observed = |action| Rule { mode: Mode::Observe, ..preferring("observed", action, 1) };
    let off = |action| Rule { mode: Mode::Off, ..preferring("off", action, 1) };
    for (first, noted) in [
        (observed(Action::Reject), rejected_by(0)),
        (observed(Action::Accept), None),
        (observed(Action::Continue), None),
        (off(Action::Reject), None),
    ] {
        let tables = tables(vec![first, preferring("last", Action::Continue, 2)]);
        let (verdict, _) = judged(ROUTE, &good(), &peer(&tables), &tables);
        assert_eq!((verdict.reason, verdict.observed, changed_by(verdict)), (None, noted, vec![1]));
    }
}

#[test]
fn no_rule_saves_a_route_that_a_check_refuses_and_none_is_asked_of_it() {
    let tables = tables(vec![rule("accept", Action::Accept), rule("reject", Action::Reject)]);
    let bogon = Announcement::new("3333 64512 3333", NEXT_HOP);
    let (verdict, trace) = judged(ROUTE, &bogon, &peer(&tables), &tables);
    assert_eq!(verdict.reason, Some(Reason::BogonAsn));
    let (verdict, _) = judged("193.0.0.0/25", &good(), &peer(&tables), &tables);
    assert_eq!(verdict.reason, Some(Reason::PrefixTooLong));
    let shown: Vec<String> =
        trace.findings.iter().rev().take(2).map(|finding| finding.evidence.to_string()).collect();
    let before = "not asked, as it was decided before; it has no conditions";
    assert_eq!(shown, [format!("{before}: reject"), format!("{before}: accept")]);
}

#[test]
fn a_rule_is_about_its_peers_alone() {
    let tables = tables(vec![rule("first", Action::Reject), rule("second", Action::Reject)]);
    let mut peer = peer(&tables);
    peer.rules = [number(1)].into_iter().collect();
    let (verdict, trace) = judged(ROUTE, &good(), &peer, &tables);
    assert_eq!(verdict.reason, rejected_by(1));
    let [.., first, second] = &trace.findings[..] else { panic!() };
    assert_eq!((first.mode, first.violated, first.evidence.to_string().as_str()), {
        (Mode::Off, false, "not about this peer")
    });
    assert_eq!((second.mode, second.violated), (Mode::Enforce, true));
    assert_eq!(second.evidence.to_string(), "it has no conditions: reject");
    assert_eq!(tables.rules.slug(first.reason), "rule:first");
    assert_eq!(tables.rules.reason("rule:second"), Some(second.reason));
    assert_eq!(tables.rules.reason("rule:third"), None);
    assert_eq!(tables.rules.slug(rejected_by(7).unwrap()), "rule", "of a table that is gone");
}

#[test]
fn the_last_rule_that_there_can_be_has_a_number_and_a_bit() {
    let rules = (0..MAX_RULES).map(|at| preferring(&format!("rule-{at}"), Action::Continue, at as u32));
    let mut tables = tables(rules.collect());
    let peer = peer(&tables);
    let (verdict, _) = judged(ROUTE, &good(), &peer, &tables);
    assert_eq!(changed_by(verdict).len(), MAX_RULES);
    assert!(!verdict.amendment.scrub());
    let changes = tables.changes(verdict.amendment, &good().attributes(), &peer);
    assert_eq!(changes.local_preference, Some(MAX_RULES as u32 - 1));
    let mut last: Vec<Rule> = (1..MAX_RULES).map(|_| rule("none", Action::Continue)).collect();
    last.push(rule("last", Action::Reject));
    tables.rules = Arc::new(Rules::new(last).unwrap());
    assert_eq!(judged(ROUTE, &good(), &peer, &tables).0.reason, rejected_by(62));
    let more = (0..=MAX_RULES).map(|_| rule("more", Action::Reject)).collect();
    assert_eq!(Rules::new(more).unwrap_err().0, MAX_RULES + 1);
}

fn patterns(texts: &[&str]) -> Vec<CommunityPattern> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn exact(text: &str) -> AnyCommunity {
    text.parse::<CommunityPattern>().unwrap().exact().unwrap()
}

/// Whether a rule of that one condition refuses an announcement.
fn holds_on_path(condition: PathCondition, announcement: &Announcement) -> bool {
    let tables = tables(vec![Rule { path: vec![condition], ..rule("one", Action::Reject) }]);
    let mut peer = peer(&tables);
    peer.role = Some(Role::Internal);
    peer.checks = palisade_policy::Checks::all(Mode::Off);
    judged(ROUTE, announcement, &peer, &tables).0.reason.is_some()
}

#[test]
fn each_condition_on_the_path_holds_where_it_says() {
    use PathCondition::*;
    let path = || Announcement::new("3333 3333 6666 7777", NEXT_HOP);
    let asns = |asns: &[u32]| asns.iter().copied().map(Asn).collect::<OriginSet>();
    let holds = |condition| holds_on_path(condition, &path());
    assert!(holds(AsPath(vec!["^ 1".parse().unwrap(), "6666 7777 $".parse().unwrap()])));
    assert!(!holds(AsPath(vec!["^ 6666".parse().unwrap()])));
    assert!(holds(AsPathLength(4..=4)) && !holds(AsPathLength(5..=9)) && !holds(AsPathLength(1..=3)));
    assert!(holds(ContainsAsn(asns(&[1, 6666]))) && !holds(ContainsAsn(asns(&[1, 8888]))));
    assert!(holds(Origin(asns(&[7777]))) && !holds(Origin(asns(&[6666]))));
    assert!(!holds_on_path(Origin(asns(&[7777])), &Announcement::new("3333 {7777}", NEXT_HOP)));
    assert!(holds(Aspa(vec![AspaState::Unverified])) && !holds(Aspa(vec![AspaState::Invalid])));
    assert!(holds(NextHop([prefix("195.69.144.0/21")].into_iter().collect())));
    assert!(!holds(NextHop([prefix("195.69.144.2/32")].into_iter().collect())));
    assert!(holds(Blackhole(false)) && !holds(Blackhole(true)));
    assert!(holds_on_path(Blackhole(true), &good().communities(&[Community::BLACKHOLE])));
    let mut valued = good();
    (valued.facts.med, valued.facts.local_pref) = (Some(10), Some(200));
    assert!(holds_on_path(Med(10..=10), &valued) && !holds_on_path(Med(0..=9), &valued));
    assert!(holds_on_path(LocalPref(0..=u32::MAX), &valued) && !holds_on_path(LocalPref(0..=9), &valued));
    assert!(!holds(Med(0..=u32::MAX)) && !holds(LocalPref(0..=u32::MAX)), "what is not there is in no range");
}

#[test]
fn communities_of_each_kind_are_found() {
    let of_all_kinds = good()
        .communities(&[Community(5555 << 16 | 70)])
        .these_large_communities(&[LargeCommunity(5555, 1, 2)])
        .extended_communities(&[ExtendedCommunity::two_octet_as(2, 5555, 70_000)]);
    for (text, holds) in [
        ("5555:70", true),
        ("5555:*", true),
        ("5555:71", false),
        ("5555:1:*", true),
        ("5555:2:*", false),
        ("rt:5555:70000", true),
        ("ro:5555:*", false),
    ] {
        let condition = PathCondition::Communities(patterns(&["1:1", text]));
        assert_eq!(holds_on_path(condition, &of_all_kinds), holds, "{text}");
    }
}

#[test]
fn each_condition_on_the_prefix_holds_where_it_says() {
    use PrefixCondition::*;
    let holds = |condition, route: &str, origin: &str| {
        let tables = tables(vec![Rule { prefix: vec![condition], ..rule("one", Action::Reject) }]);
        let mut peer = peer(&tables);
        peer.checks = palisade_policy::Checks::all(Mode::Off);
        let announcement = Announcement::new(origin, NEXT_HOP);
        judged(route, &announcement, &peer, &tables).0.reason.is_some()
    };
    let ranges = || ["193.0.0.0/16^24", "10.0.0.0/8"].map(|text| text.parse().unwrap()).into_iter().collect();
    assert!(holds(Prefixes(ranges()), "193.0.9.0/24", "3333"));
    assert!(!holds(Prefixes(ranges()), "193.0.8.0/23", "3333"));
    assert!(holds(Family(palisade_bgp::Family::Ipv4), ROUTE, "3333"));
    assert!(!holds(Family(palisade_bgp::Family::Ipv6), ROUTE, "3333"));
    assert!(holds(Length(20..=24), ROUTE, "3333") && !holds(Length(21..=24), ROUTE, "3333"));
    for (route, state) in [
        ("193.0.0.0/20", RovState::Valid),
        ("193.0.0.0/21", RovState::InvalidLength),
        ("193.2.0.0/16", RovState::InvalidOrigin),
        ("193.9.0.0/16", RovState::NotFound),
    ] {
        for asked in RovState::ALL {
            assert_eq!(holds(Rov(vec![asked]), route, "3333"), asked == state, "{route} {asked}");
        }
    }
    for (route, origin, expected) in [
        ("193.0.0.0/20", "3333", [true, false, false]),
        ("193.9.0.0/20", "3333", [false, true, false]),
        ("193.0.0.0/20", "3333 4444", [false, true, true]),
        ("193.0.0.0/20", "3333 {3333}", [false, true, true]),
    ] {
        let found = IrrState::ALL.map(|state| holds(Irr(vec![state]), route, origin));
        assert_eq!(found, expected, "{route} {origin}");
    }
}

#[test]
fn all_conditions_must_hold_and_evidence_names_those_that_do_not() {
    let rules = || {
        vec![Rule {
            path: vec![PathCondition::AsPathLength(1..=1), PathCondition::Blackhole(false)],
            prefix: vec![PrefixCondition::Length(20..=20), PrefixCondition::Rov(vec![RovState::Valid])],
            ..rule("all", Action::Reject)
        }]
    };
    for (route, path, clause) in [
        (ROUTE, "3333", "all conditions hold: reject"),
        ("193.0.0.0/16", "3333", "does not hold: length"),
        (ROUTE, "3333 7777", "does not hold: as_path_length, rov"),
    ] {
        let tables = tables(rules());
        let mut peer = peer(&tables);
        peer.checks = palisade_policy::Checks::all(Mode::Off);
        let (verdict, trace) = judged(route, &Announcement::new(path, NEXT_HOP), &peer, &tables);
        let finding = trace.findings.last().unwrap();
        assert_eq!(finding.evidence.to_string(), clause);
        assert_eq!(
            (verdict.reason.is_some(), finding.violated),
            (clause.starts_with("all"), !clause.starts_with("does"))
        );
    }
}

#[test]
fn of_a_value_the_last_rule_s_holds_and_prepending_adds_up() {
    let first = Edits {
        local_preference: Some(50),
        med: Some(Some(7)),
        prepend: 2,
        next_hops: [Some(address("192.0.2.1")), None],
        ..Edits::default()
    };
    let second = Edits { local_preference: Some(60), med: Some(None), prepend: 1, ..Edits::default() };
    let found = changes(&good(), vec![changing(first.clone()), changing(second)]);
    assert_eq!((found.local_preference, found.med), (Some(60), Some(None)));
    assert_eq!((found.prepend, found.next_hop), (Some((LOCAL, 3)), Some(address("192.0.2.1"))));
    let endless = Edits { prepend: u8::MAX, ..Edits::default() };
    let found = changes(&good(), vec![changing(first), changing(endless)]);
    assert_eq!(found.prepend, Some((LOCAL, MAX_PREPENDS)));
}

#[test]
fn a_next_hop_takes_the_place_of_one_of_its_family() {
    let edits = Edits { next_hops: [None, Some(address("2001:db8::9"))], ..Edits::default() };
    assert_eq!(changes(&good(), vec![changing(edits.clone())]).next_hop, None);
    let tables = tables(vec![changing(edits)]);
    let peer = peer(&tables);
    let announcement = Announcement::new("3333", "2a00::1");
    let verdict = judge(net6("2a00:1::/32"), &announcement.attributes(), &peer, &tables, &mut ());
    assert_eq!(Family::of(announcement.next_hop.address()), Family::Ipv6);
    let found = tables.changes(verdict.amendment, &announcement.attributes(), &peer);
    assert_eq!(found.next_hop, Some(address("2001:db8::9")));
}

#[test]
fn communities_come_and_go_in_the_order_of_the_rules() {
    let one = |number: u32| Community(7 << 16 | number);
    let sent = good().communities(&[one(1), one(2), one(2), Community::NO_EXPORT]);
    let edits = |remove: &[&str], add: &[&str]| {
        let add_communities = add.iter().map(|text| exact(text)).collect();
        changing(Edits { remove_communities: patterns(remove), add_communities, ..Edits::default() })
    };
    // What is there need not be added, and what is not there can't be taken off.
    let found = changes(&sent, vec![edits(&["7:3"], &["7:1"])]);
    assert!(found.is_empty(), "{found:?}");
    // An open pattern spares what is well-known, and takes each off once.
    let found = changes(&sent, vec![edits(&["*:*"], &["8:1", "8:1"])]);
    assert_eq!(found.remove_communities, [one(1), one(2)]);
    assert_eq!(found.add_communities, [Community(8 << 16 | 1)]);
    // What one rule adds a later one takes off, and what one takes off a later one puts back.
    let found = changes(&sent, vec![edits(&["7:1"], &["8:1"]), edits(&["8:*"], &["7:1"])]);
    assert_eq!((found.remove_communities, found.add_communities), (vec![one(1)], vec![one(1)]));
    // The other kinds are kept apart.
    let found = changes(&sent, vec![edits(&[], &["7:1:1", "rt:7:1", "ro:4200000000:1"])]);
    assert_eq!(found.add_large_communities, [LargeCommunity(7, 1, 1)]);
    let wide = ExtendedCommunity::four_octet_as(3, Asn(4_200_000_000), 1);
    assert_eq!(found.add_extended_communities, [ExtendedCommunity::two_octet_as(2, 7, 1), wide]);
}

/// With own communities of all kinds, and others that are nobody's or somebody else's.
fn pretending() -> Announcement {
    good()
        .communities(&[Community(5555 << 16 | 1), Community(7 << 16 | 1), Community::GRACEFUL_SHUTDOWN])
        .these_large_communities(&[
            LargeCommunity(5555, 1, 1),
            LargeCommunity(5556, 1, 1),
            LargeCommunity(7, 5555, 1),
        ])
        .extended_communities(&[
            ExtendedCommunity::two_octet_as(2, 5555, 1),
            ExtendedCommunity::four_octet_as(3, Asn(5555), 1),
            ExtendedCommunity([3, 0x0c, 0x15, 0xb3, 0, 0, 0, 1]),
        ])
}

#[test]
fn communities_of_ours_are_taken_off_what_has_no_business_with_them() {
    let tables = Snapshot { own_asns: Arc::from([Asn(5556)]), ..tables(Vec::new()) };
    for role in Role::ALL {
        let peer = Peer::new(PEER, LOCAL, Some(role), address(NEXT_HOP));
        let of = |announcement: &Announcement| {
            judge_path(&announcement.attributes(), &peer, &tables, &mut ()).scrub
        };
        let scrubbed = matches!(role, Role::Provider | Role::Peer | Role::Rs);
        assert_eq!(of(&pretending()), scrubbed, "{role}");
        assert!(!of(&good()), "{role}: there are none");
        assert!(!of(&good().communities(&[Community(7 << 16 | 5555), Community::BLACKHOLE])), "{role}");
    }
    let provider = peer(&tables);
    let (verdict, _) = judged(ROUTE, &pretending(), &provider, &tables);
    assert!(verdict.amendment.scrub() && verdict.amendment.rules().is_empty());
    let found = tables.changes(verdict.amendment, &pretending().attributes(), &provider);
    assert_eq!(found.remove_communities, [Community(5555 << 16 | 1)]);
    assert_eq!(found.remove_large_communities, [LargeCommunity(5555, 1, 1), LargeCommunity(5556, 1, 1)]);
    let [two, four] = found.remove_extended_communities[..] else { panic!("{found:?}") };
    assert_eq!([two.as_specific(), four.as_specific()], [Some((LOCAL, 1)); 2]);
    let (refused, _) = judged("10.0.0.0/8", &pretending(), &provider, &tables);
    assert!(refused.amendment.is_none(), "what is refused stays as it was heard");
}

#[test]
fn what_a_rule_adds_in_our_name_stays_where_a_neighbor_s_is_scrubbed() {
    let add_communities = vec![exact("5555:1"), exact("5555:2")];
    let tables = tables(vec![changing(Edits { add_communities, ..Edits::default() })]);
    let peer = peer(&tables);
    let sent = good().communities(&[Community(5555 << 16 | 1), Community(5555 << 16 | 3)]);
    let (verdict, _) = judged(ROUTE, &sent, &peer, &tables);
    assert!(verdict.amendment.scrub() && changed_by(verdict) == [0]);
    let found = tables.changes(verdict.amendment, &sent.attributes(), &peer);
    let one = |number: u32| Community(5555 << 16 | number);
    assert_eq!(found.remove_communities, [one(1), one(3)]);
    assert_eq!(found.add_communities, [one(1), one(2)]);
}
