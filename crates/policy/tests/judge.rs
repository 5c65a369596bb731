//! Every reason, from the role that should find it and from the roles that should not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

mod support;

use std::sync::Arc;

use palisade_bgp::attributes::Community;
use palisade_bgp::{Address, Asn, Net};
use palisade_policy::{
    Aspa, AspaIndex, Evidence, IrrBuilder, Mode, OriginSet, Peer, PrefixSet, Reason, Role, RovIndex,
    RovState, Snapshot, Trace, Verdict, Vrp, judge,
};
use support::{Announcement, address, net, net6, prefix};

const PEER: Asn = Asn(3333);
const LOCAL: Asn = Asn(5555);

/// VRPs and route objects for 193.0.0.0/16 of AS 3333 and AS 4444, and for 193.1.0.0/16 VRPs alone.
fn tables() -> Snapshot {
    let vrps = [
        ("193.0.0.0/16", 20, 3333),
        ("193.1.0.0/16", 24, 3333),
        ("193.2.0.0/16", 16, 4444),
        ("2a00::/16", 32, 3333),
    ];
    let vrps = vrps.map(|(net, max, asn)| Vrp::new(prefix(net), max, Asn(asn)).unwrap());
    let mut irr = IrrBuilder::default();
    for (net, origin) in
        [("193.0.0.0/16", 3333), ("193.3.0.0/16", 3333), ("193.4.0.0/16", 4444), ("2a01::/16", 3333)]
    {
        irr.add_route(prefix(net), Asn(origin), "RIPE").unwrap();
    }
    Snapshot {
        rov: Arc::new(RovIndex::build(vrps)),
        irr: Arc::new(irr.build()),
        own_prefixes: Arc::new(PrefixSet::from_iter([prefix("198.100.0.0/16")])),
        peering_lans: Arc::new(PrefixSet::from_iter([prefix("195.69.144.0/21")])),
        own_asns: Arc::from([Asn(5556)]),
        ..Snapshot::default()
    }
}

fn peer(role: Role) -> Peer {
    let mut peer = Peer::new(PEER, LOCAL, Some(role), address("195.69.144.1"));
    peer.local_address = Some(address("195.69.144.2"));
    match role {
        Role::Customer | Role::Peer | Role::RsClient => {
            peer.with_origins(Arc::new(OriginSet::from_iter([PEER, Asn(6666)])))
        }
        _ => peer,
    }
}

fn good() -> Announcement {
    Announcement::new("3333", "195.69.144.1")
}

/// Judges with and without a trace: both must come to the same verdict.
fn judged<A: Address>(
    net: Net<A>,
    announcement: &Announcement,
    peer: &Peer,
    tables: &Snapshot,
) -> (Verdict, Trace) {
    let mut trace = Trace::default();
    let traced = judge(net, &announcement.attributes(), peer, tables, &mut trace);
    let verdict = judge(net, &announcement.attributes(), peer, tables, &mut ());
    assert_eq!(verdict, traced, "{net} by {trace:?}");
    (verdict, trace)
}

fn reason(text: &str, announcement: &Announcement, peer: &Peer) -> Option<Reason> {
    judged(net(text), announcement, peer, &tables()).0.reason
}

const ROUTE: &str = "193.0.0.0/20";

#[test]
fn a_good_route_is_accepted_from_every_role() {
    for role in Role::ALL {
        let (verdict, trace) = judged(net(ROUTE), &good(), &peer(role), &tables());
        assert_eq!((verdict.reason, verdict.observed, verdict.rov), (None, None, RovState::Valid), "{role}");
        assert!(verdict.accepted());
        let asked: Vec<Reason> = trace.findings.iter().map(|finding| finding.reason).collect();
        assert_eq!(asked, Reason::ALL, "a trace asks everything, in order");
    }
}

#[test]
fn a_verdict_is_two_words_at_most() {
    assert!(size_of::<Verdict>() <= 16);
    assert!(size_of::<palisade_policy::PathVerdict>() <= 16);
}

#[test]
fn without_a_role_nothing_is_accepted_whatever_the_checks_say() {
    let mut nobody = Peer::new(PEER, LOCAL, None, address("195.69.144.1"));
    nobody.checks = palisade_policy::Checks::all(Mode::Off);
    let (verdict, _) = judged(net(ROUTE), &good(), &nobody, &tables());
    assert_eq!(verdict.reason, Some(Reason::NoPolicy));
    assert_eq!(verdict.rov, RovState::Valid, "the RPKI's state is found all the same");
}

#[test]
fn each_reason_of_the_path_stage_is_found() {
    use Reason::*;
    let next_hop = "195.69.144.1";
    let long = format!("3333 {}", "6666 ".repeat(64));
    let cases: [(Reason, &str, &str); 9] = [
        (EmptyPath, "", next_hop),
        (FirstAsMismatch, "6666 3333", next_hop),
        (AsLoop, "3333 5555 6666", next_hop),
        (AsLoop, "3333 5556 6666", next_hop),
        (AsSetInPath, "3333 {6666,7777}", next_hop),
        (BogonAsn, "3333 64512 6666", next_hop),
        (PathTooLong, &long, next_hop),
        (NextHopForeign, "3333", "195.69.144.7"),
        (TransitAsn, "3333 174 6666", next_hop),
    ];
    for (expected, path, next_hop) in cases {
        let announcement = Announcement::new(path, next_hop);
        assert_eq!(
            reason(ROUTE, &announcement, &peer(Role::Customer)),
            Some(expected),
            "{path} via {next_hop}"
        );
    }
}

#[test]
fn communities_of_all_kinds_count_together() {
    let with = |plain: usize, large| {
        good().communities(&vec![Community(0x0d05_0001); plain]).large_communities(large)
    };
    assert_eq!(reason(ROUTE, &with(60, 40), &peer(Role::Peer)), None);
    assert_eq!(reason(ROUTE, &with(60, 41), &peer(Role::Peer)), Some(Reason::TooManyCommunities));
}

#[test]
fn a_path_may_be_as_long_as_its_limit() {
    let of = |count: usize| Announcement::new(&"3333 ".repeat(count), "195.69.144.1");
    assert_eq!(reason(ROUTE, &of(64), &peer(Role::Customer)), None);
    assert_eq!(reason(ROUTE, &of(65), &peer(Role::Customer)), Some(Reason::PathTooLong));
}

#[test]
fn attributes_may_be_as_many_octets_as_their_limit() {
    let mut peer = peer(Role::Peer);
    peer.limits.communities = u16::MAX;
    let of = |count: usize| good().large_communities(count);
    let default = usize::from(peer.limits.attribute_octets);
    let at_limit = default.div_ceil(12) + 1;
    assert_eq!(reason(ROUTE, &of(at_limit), &peer), Some(Reason::AttributesTooLarge));
    peer.limits.attribute_octets = of(at_limit).attributes().wire.len() as u16;
    assert_eq!(reason(ROUTE, &of(at_limit), &peer), None);
    peer.limits.attribute_octets -= 1;
    assert_eq!(reason(ROUTE, &of(at_limit), &peer), Some(Reason::AttributesTooLarge));
}

#[test]
fn transit_free_networks_are_out_of_place_behind_all_but_providers() {
    let behind = Announcement::new("3333 1299 3333", "195.69.144.1");
    for (role, expected) in [
        (Role::Customer, Some(Reason::TransitAsn)),
        (Role::Peer, Some(Reason::TransitAsn)),
        (Role::RsClient, Some(Reason::TransitAsn)),
        (Role::Rs, Some(Reason::TransitAsn)),
        (Role::Provider, None),
    ] {
        assert_eq!(reason(ROUTE, &behind, &peer(role)), expected, "{role}");
    }
    // A transit-free network that is the peer itself, or the member that a route server passes on.
    let mut lumen = peer(Role::Peer);
    lumen.asn = Asn(3356);
    let own = Announcement::new("3356 3333", "195.69.144.1");
    assert_eq!(reason(ROUTE, &own, &lumen), None);
    assert_eq!(reason(ROUTE, &own, &peer(Role::Rs)), None);
}

/// RFC 9234 s5, ingress, rules 1 and 2.
#[test]
fn only_to_customer_tells_a_leak_by_the_role() {
    for (role, by_peer, by_other) in [
        (Role::Customer, true, true),
        (Role::RsClient, true, true),
        (Role::Peer, false, true),
        (Role::Provider, false, false),
        (Role::Rs, false, false),
        (Role::Internal, false, false),
    ] {
        for (otc, leaks) in [(PEER.0, by_peer), (1299, by_other)] {
            let expected = leaks.then_some(Reason::OtcLeak);
            assert_eq!(reason(ROUTE, &good().only_to_customer(otc), &peer(role)), expected, "{role} {otc}");
        }
    }
}

#[test]
fn a_route_server_is_transparent() {
    let rs = peer(Role::Rs);
    assert_eq!(reason(ROUTE, &Announcement::new("6666 3333", "195.69.144.99"), &rs), None);
    assert_eq!(
        reason(ROUTE, &Announcement::new("6666 3333", "195.69.152.1"), &rs),
        Some(Reason::NextHopForeign),
        "outside the peering LAN"
    );
    let mut tables = tables();
    tables.peering_lans = Arc::default();
    let anywhere = Announcement::new("6666 3333", "195.69.152.1");
    assert_eq!(judged(net(ROUTE), &anywhere, &rs, &tables).0.reason, None, "no LAN is known");
}

#[test]
fn next_hops_are_compared_within_a_family_and_never_martian() {
    let customer = peer(Role::Customer);
    let route = net6("2a00::/32");
    for (next_hop, expected) in [
        ("2a00:1::1", None),
        ("::", Some(Reason::NextHopMartian)),
        ("::1", Some(Reason::NextHopMartian)),
        ("ff02::1", Some(Reason::NextHopMartian)),
        ("::ffff:195.69.144.1", Some(Reason::NextHopMartian)),
    ] {
        let announcement = Announcement::new("3333", next_hop);
        assert_eq!(judged(route, &announcement, &customer, &tables()).0.reason, expected, "{next_hop}");
    }
    for next_hop in ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "195.69.144.2"] {
        let announcement = Announcement::new("3333", next_hop);
        let internal = peer(Role::Internal);
        assert_eq!(reason(ROUTE, &announcement, &internal), Some(Reason::NextHopMartian), "{next_hop}");
    }
}

#[test]
fn a_session_over_link_local_addresses_matches_either_next_hop() {
    let mut customer = peer(Role::Customer);
    customer.address = address("fe80::1");
    let mut announcement = Announcement::new("3333", "2a00:1::1");
    assert_eq!(
        judged(net6("2a00::/32"), &announcement, &customer, &tables()).0.reason,
        Some(Reason::NextHopForeign)
    );
    announcement.next_hop = palisade_bgp::attributes::NextHop::V6 {
        global: "2a00:1::1".parse().unwrap(),
        link_local: Some("fe80::1".parse().unwrap()),
    };
    assert_eq!(judged(net6("2a00::/32"), &announcement, &customer, &tables()).0.reason, None);
}

#[test]
fn each_reason_of_the_prefix_stage_is_found() {
    use Reason::*;
    let cases = [
        (DefaultRoute, "0.0.0.0/0", "3333"),
        (BogonPrefix, "10.1.0.0/16", "3333"),
        (PrefixTooLong, "193.0.0.0/25", "3333"),
        (PrefixTooShort, "192.0.0.0/7", "3333"),
        (OwnPrefix, "198.100.0.0/16", "3333"),
        (OwnPrefix, "198.100.7.0/24", "3333"),
        (PeeringLan, "195.69.144.0/24", "3333"),
        (RpkiInvalidOrigin, "193.2.0.0/16", "3333"),
        (RpkiInvalidLength, "193.0.0.0/21", "3333"),
        (IrrOriginNotInAsSet, "193.4.0.0/16", "3333 4444"),
        (IrrPrefixNotRegistered, "193.5.0.0/16", "3333"),
        (IrrPrefixNotRegistered, "193.3.0.0/16", "3333 6666"),
    ];
    for (expected, route, path) in cases {
        let announcement = Announcement::new(path, "195.69.144.1");
        assert_eq!(reason(route, &announcement, &peer(Role::Customer)), Some(expected), "{route} {path}");
    }
    let announcement = Announcement::new("3333", "195.69.144.1");
    for (route, expected) in [("2a00::/11", PrefixTooShort), ("2a00::/49", PrefixTooLong)] {
        let (verdict, _) = judged(net6(route), &announcement, &peer(Role::Customer), &tables());
        assert_eq!(verdict.reason, Some(expected), "{route}");
    }
}

#[test]
fn lengths_are_allowed_up_to_and_with_their_limits() {
    let rs = peer(Role::Rs);
    for (route, expected) in [
        ("60.0.0.0/8", None),
        ("60.0.0.0/24", None),
        ("60.0.0.0/7", Some(Reason::PrefixTooShort)),
        ("60.0.0.0/25", Some(Reason::PrefixTooLong)),
    ] {
        assert_eq!(reason(route, &good(), &rs), expected, "{route}");
    }
}

#[test]
fn a_providers_default_route_is_accepted_and_seen() {
    let (verdict, _) = judged(net("0.0.0.0/0"), &good(), &peer(Role::Provider), &tables());
    assert_eq!((verdict.reason, verdict.observed), (None, Some(Reason::DefaultRoute)));
    for role in [Role::Customer, Role::Peer, Role::RsClient, Role::Rs] {
        assert_eq!(reason("0.0.0.0/0", &good(), &peer(role)), Some(Reason::DefaultRoute), "{role}");
    }
}

#[test]
fn a_route_that_ends_in_a_set_has_no_origin_and_proves_nothing() {
    let mut customer = peer(Role::Customer);
    customer.checks.set(Reason::AsSetInPath, Mode::Off).unwrap();
    let set = Announcement::new("3333 {3333}", "195.69.144.1");
    assert_eq!(reason(ROUTE, &set, &customer), Some(Reason::RpkiInvalidOrigin));
    assert_eq!(reason("193.3.0.0/16", &set, &customer), Some(Reason::IrrOriginNotInAsSet));
}

#[test]
fn a_covering_route_object_registers_what_is_not_too_long() {
    let customer = peer(Role::Customer);
    assert_eq!(reason("193.3.0.0/24", &good(), &customer), None);
    let mut exact = customer.clone();
    exact.limits.longest_registered = [0, 0];
    assert_eq!(reason("193.3.0.0/16", &good(), &exact), None);
    assert_eq!(reason("193.3.0.0/24", &good(), &exact), Some(Reason::IrrPrefixNotRegistered));
    assert_eq!(
        reason("193.2.0.0/15", &good(), &customer),
        Some(Reason::IrrPrefixNotRegistered),
        "less specific"
    );
}

#[test]
fn an_rpki_valid_route_needs_no_route_object_unless_it_shall() {
    let mut customer = peer(Role::Customer);
    assert_eq!(reason("193.1.0.0/24", &good(), &customer), None);
    customer.rpki_valid_is_registered = false;
    assert_eq!(reason("193.1.0.0/24", &good(), &customer), Some(Reason::IrrPrefixNotRegistered));
}

#[test]
fn an_empty_registry_lets_nothing_in() {
    let mut tables = tables();
    tables.irr = Arc::default();
    let (verdict, _) = judged(net("193.3.0.0/16"), &good(), &peer(Role::Customer), &tables);
    assert_eq!(verdict.reason, Some(Reason::IrrPrefixNotRegistered));
}

#[test]
fn without_an_as_set_a_customer_originates_for_itself_alone() {
    let mut customer = peer(Role::Customer);
    customer.origins = None;
    assert_eq!(reason(ROUTE, &good(), &customer), None);
    let behind = Announcement::new("3333 6666", "195.69.144.1");
    assert_eq!(reason("193.5.0.0/16", &behind, &customer), Some(Reason::IrrOriginNotInAsSet));
    customer.origins = Some(Arc::default());
    assert_eq!(
        reason(ROUTE, &good(), &customer),
        Some(Reason::IrrOriginNotInAsSet),
        "an empty as-set: nobody"
    );
}

mod blackhole {
    use super::*;

    fn blackhole(path: &str) -> Announcement {
        Announcement::new(path, "195.69.144.1").communities(&[Community::BLACKHOLE])
    }

    #[test]
    fn a_host_route_is_accepted_from_its_owner() {
        for (route, by) in [("193.0.0.1/32", "VRP and route object"), ("193.3.0.1/32", "route object")] {
            for role in [Role::Customer, Role::Peer, Role::RsClient, Role::Provider, Role::Rs] {
                assert_eq!(reason(route, &blackhole("3333"), &peer(role)), None, "{role} by {by}");
            }
        }
        assert_eq!(
            reason("193.1.0.1/32", &blackhole("3333"), &peer(Role::Customer)),
            None,
            "by VRP, past maxLength"
        );
        assert_eq!(
            reason("193.0.0.1/32", &good(), &peer(Role::Customer)),
            Some(Reason::PrefixTooLong),
            "without it"
        );
    }

    #[test]
    fn a_stranger_can_not_blackhole_what_is_not_its_own() {
        let customer = peer(Role::Customer);
        assert_eq!(reason("193.2.0.1/32", &blackhole("3333"), &customer), Some(Reason::RpkiInvalidOrigin));
        assert_eq!(
            reason("193.9.0.1/32", &blackhole("3333"), &peer(Role::Provider)),
            Some(Reason::BlackholeNotOwner)
        );
        assert_eq!(
            reason("193.9.0.0/24", &blackhole("3333"), &peer(Role::Provider)),
            Some(Reason::BlackholeNotOwner)
        );
    }

    /// The origin is whatever a stranger writes into the path, so it must be one that the neighbor speaks for.
    #[test]
    fn a_forged_origin_is_no_proof() {
        let mut lateral = peer(Role::Peer);
        lateral.origins = None;
        for check in [Reason::IrrOriginNotInAsSet, Reason::IrrPrefixNotRegistered] {
            lateral.checks.set(check, Mode::Off).unwrap();
        }
        assert_eq!(
            reason("193.2.0.1/32", &blackhole("3333 4444"), &lateral),
            Some(Reason::BlackholeNotOwner)
        );
        assert_eq!(
            reason("193.2.0.0/16", &blackhole("3333 4444"), &lateral),
            Some(Reason::BlackholeNotOwner)
        );
        assert_eq!(reason("193.2.0.0/16", &Announcement::new("3333 4444", "195.69.144.1"), &lateral), None);
    }

    #[test]
    fn switching_the_check_off_does_not_let_strangers_host_routes_in() {
        let mut provider = peer(Role::Provider);
        for mode in [Mode::Off, Mode::Observe] {
            provider.checks.set(Reason::BlackholeNotOwner, mode).unwrap();
            assert_eq!(reason("193.9.0.1/32", &blackhole("3333"), &provider), Some(Reason::PrefixTooLong));
        }
        assert_eq!(reason("193.0.0.1/32", &blackhole("3333"), &provider), None, "an owner's");
    }
}

#[test]
fn the_first_enforced_reason_decides_and_the_trace_shows_all() {
    let bad = Announcement::new("6666 64512 4444", "195.69.144.9");
    let (verdict, trace) = judged(net("10.0.0.0/25"), &bad, &peer(Role::Customer), &tables());
    assert_eq!(verdict.reason, Some(Reason::FirstAsMismatch));
    let all: Vec<&str> = trace.violations().map(|finding| finding.reason.slug()).collect();
    assert_eq!(
        all,
        [
            "first-as-mismatch",
            "bogon-asn",
            "next-hop-foreign",
            "bogon-prefix",
            "prefix-too-long",
            "irr-origin-not-in-as-set",
            "irr-prefix-not-registered"
        ]
    );
}

#[test]
fn an_observed_reason_is_kept_and_not_obeyed() {
    let mut customer = peer(Role::Customer);
    for check in [Reason::BogonAsn, Reason::RpkiInvalidLength] {
        customer.checks.set(check, Mode::Observe).unwrap();
    }
    let announcement = Announcement::new("3333 64512 3333", "195.69.144.1");
    let (verdict, _) = judged(net("193.0.0.0/24"), &announcement, &customer, &tables());
    assert_eq!((verdict.reason, verdict.observed), (None, Some(Reason::BogonAsn)), "the first that was seen");
    let (verdict, _) = judged(net("193.0.0.0/25"), &announcement, &customer, &tables());
    assert_eq!((verdict.reason, verdict.observed), (Some(Reason::PrefixTooLong), Some(Reason::BogonAsn)));
    assert_eq!(verdict.rov, RovState::InvalidLength);
}

#[test]
fn evidence_names_what_an_answer_rests_on() {
    let (_, trace) = judged(net("193.0.0.0/21"), &good(), &peer(Role::Customer), &tables());
    let evidence = |reason| &trace.findings.iter().find(|finding| finding.reason == reason).unwrap().evidence;
    let shown = |reason| evidence(reason).to_string();
    assert!(
        matches!(evidence(Reason::RpkiInvalidLength), Evidence::Vrps(vrps) if vrps.wrong_length.len() == 1)
    );
    assert_eq!(
        shown(Reason::RpkiInvalidLength),
        "invalid-length; too long for: 193.0.0.0/16 up to /20 AS3333"
    );
    assert_eq!(shown(Reason::IrrPrefixNotRegistered), "registered; matched: 193.0.0.0/16 AS3333 in RIPE");
    assert_eq!(shown(Reason::IrrOriginNotInAsSet), "the origin is AS3333, the as-set comes to 2 AS numbers");
    assert_eq!(shown(Reason::PrefixTooLong), "21, between 8 and 24");
    assert_eq!(shown(Reason::NextHopForeign), "the next hop is 195.69.144.1, the peer is 195.69.144.1");
    assert_eq!(shown(Reason::FirstAsMismatch), "the path begins with AS3333, the peer is AS3333");
    assert_eq!(shown(Reason::BlackholeNotOwner), "no BLACKHOLE");
}

/// AS 6666 has the provider AS 3333, AS 4444 another, and AS 3333 none.
fn with_aspas() -> Snapshot {
    let aspa = |customer, provider| Aspa {
        customer: Asn(customer),
        providers: OriginSet::from_iter([Asn(provider)]),
    };
    Snapshot {
        aspa: Arc::new(AspaIndex::build([aspa(6666, 3333), aspa(4444, 1103), aspa(3333, 0)])),
        ..tables()
    }
}

mod aspa {
    use palisade_policy::AspaState;
    use palisade_policy::judge_path;

    use super::*;

    fn state(path: &str, role: Role, tables: &Snapshot) -> AspaState {
        let announcement = Announcement::new(path, "195.69.144.1");
        judge_path(&announcement.attributes(), &peer(role), tables, &mut ()).aspa
    }

    #[test]
    fn what_came_from_below_or_beside_must_have_climbed() {
        for (role, expected) in [
            (Role::Customer, Some(Reason::AspaInvalid)),
            (Role::Peer, Some(Reason::AspaInvalid)),
            (Role::RsClient, Some(Reason::AspaInvalid)),
            (Role::Rs, Some(Reason::AspaInvalid)),
            (Role::Provider, None),
            (Role::Internal, None),
        ] {
            for (path, expected) in [("3333 6666", None), ("3333 4444", expected)] {
                let announcement = Announcement::new(path, "195.69.144.1");
                // What is registered is another question.
                let mut peer = peer(role);
                for check in [Reason::IrrOriginNotInAsSet, Reason::IrrPrefixNotRegistered] {
                    peer.checks.set(check, Mode::Off).unwrap();
                }
                let (verdict, _) = judged(net("193.3.0.0/16"), &announcement, &peer, &with_aspas());
                assert_eq!(verdict.reason, expected, "{role} {path}");
            }
        }
    }

    #[test]
    fn the_state_is_found_whatever_decides_and_not_where_it_is_not_asked() {
        use AspaState::{Invalid, Unknown, Unverified, Valid};
        let tables = with_aspas();
        for (path, role, expected) in [
            ("3333 6666", Role::Customer, Valid),
            ("3333 7777", Role::Customer, Unknown),
            ("3333 64512 6666", Role::Customer, Invalid),
            ("3333 {6666}", Role::Provider, Invalid),
            ("", Role::Customer, Invalid),
            ("3333 7777 6666", Role::Internal, Unverified),
        ] {
            assert_eq!(state(path, role, &tables), expected, "{path} {role}");
        }
        assert_eq!(state("3333", Role::Customer, &super::tables()), Unverified, "without ASPAs");
        let mut off = peer(Role::Customer);
        off.checks.set(Reason::AspaInvalid, Mode::Off).unwrap();
        let leak = Announcement::new("3333 7777 6666", "195.69.144.1");
        assert_eq!(judge_path(&leak.attributes(), &off, &tables, &mut ()).aspa, Invalid, "rules may ask it");
    }

    /// Once a path is longer than any that is meant, it costs its length and no more.
    #[test]
    fn a_path_of_thousands_is_verified() {
        let long = format!("3333 {}", "7777 8888 ".repeat(8_000));
        let mut tolerant = peer(Role::Customer);
        tolerant.limits.path_length = u16::MAX;
        let announcement = Announcement::new(&long, "195.69.144.1");
        let found = judge_path(&announcement.attributes(), &tolerant, &with_aspas(), &mut ());
        assert_eq!(found.aspa, AspaState::Unknown);
    }

    #[test]
    fn evidence_names_the_hops_that_nobody_authorized() {
        let shown = |path: &str, role, tables: &Snapshot| {
            let announcement = Announcement::new(path, "195.69.144.1");
            let (_, trace) = judged(net(ROUTE), &announcement, &peer(role), tables);
            let found = trace.findings.iter().find(|finding| finding.reason == Reason::AspaInvalid);
            found.unwrap().evidence.to_string()
        };
        let tables = with_aspas();
        for (path, role, expected) in [
            ("3333 6666", Role::Customer, "valid upstream; of 2 AS numbers it climbs 2"),
            ("3333 7777 8888", Role::Customer, "unknown upstream; of 3 AS numbers it climbs 1 to 3"),
            (
                "3333 7777 6666",
                Role::Customer,
                "invalid upstream; of 3 AS numbers it climbs 1; not authorized: AS7777 by AS6666",
            ),
            (
                "3333 6666 7777 6666",
                Role::Provider,
                "invalid downstream; of 4 AS numbers it climbs 1 and comes down 1; \
                 not authorized: AS7777 by AS6666, AS6666 by AS3333, AS7777 by AS6666",
            ),
            ("3333 {6666}", Role::Customer, "invalid upstream; the path is not one sequence"),
            ("6666", Role::Customer, "invalid upstream; the path does not begin with the peer's AS"),
            ("", Role::Customer, "invalid upstream; the path is empty"),
            ("3333", Role::Internal, "not asked within an AS"),
        ] {
            assert_eq!(shown(path, role, &tables), expected);
        }
        assert_eq!(shown("3333", Role::Customer, &super::tables()), "not asked, as there are no ASPAs");
    }
}

mod peerlock {
    use palisade_policy::{Peerlock, Peerlocks};

    use super::*;

    /// AS 3320 is heard from itself or AS 1103, AS 714 from itself alone.
    fn locked() -> Snapshot {
        let lock = |asn, upstreams: &[u32]| Peerlock {
            asn: Asn(asn),
            upstreams: upstreams.iter().copied().map(Asn).collect(),
        };
        let locks = Peerlocks::from_iter([lock(3320, &[1103]), lock(714, &[])]);
        Snapshot { peerlocks: Arc::new(locks), transit_free: Arc::default(), ..tables() }
    }

    fn is_refused(path: &str, of: u32, change: impl Fn(&mut Peer)) -> bool {
        let mut from = peer(Role::Provider);
        from.asn = Asn(of);
        change(&mut from);
        let announcement = Announcement::new(path, "195.69.144.1");
        judged(net("193.3.0.0/16"), &announcement, &from, &locked()).0.reason == Some(Reason::Peerlock)
    }

    #[test]
    fn a_protected_network_is_heard_from_itself_and_those_it_named() {
        for (path, of, refused) in [
            ("3320 3333", 3320, false),
            ("3320 3320 3333", 3320, false),
            ("1103 3320 3333", 1103, false),
            ("1103 1103 3320 3320 3333", 1103, false),
            ("1103 6666 3320 3333", 1103, true),
            ("6666 1103 3320 3333", 6666, true),
            ("6666 3320 3333", 6666, true),
            ("6666 3320", 6666, true),
            ("3320 6666 3320 3333", 3320, true),
            ("1103 714 3333", 1103, true),
            ("714 3320 3333", 714, true),
            ("6666 3333", 6666, false),
        ] {
            assert_eq!(is_refused(path, of, |_| {}), refused, "{path}");
        }
    }

    #[test]
    fn a_session_that_was_named_may_carry_it_anywhere() {
        let named = |peer: &mut Peer| peer.may_carry = Arc::new(OriginSet::from_iter([Asn(3320)]));
        assert!(!is_refused("6666 7777 3320 3333", 6666, named));
        assert!(is_refused("6666 7777 714 3333", 6666, named), "another is not meant");
    }

    #[test]
    fn it_binds_every_external_role_and_names_what_is_out_of_place() {
        let leak = Announcement::new("3333 3320 6666 714 3333", "195.69.144.1");
        for role in Role::ALL {
            let (verdict, trace) = judged(net("193.3.0.0/16"), &leak, &peer(role), &locked());
            let expected = (role != Role::Internal).then_some(Reason::Peerlock);
            assert_eq!(verdict.reason, expected, "{role}");
            let found = trace.findings.iter().find(|finding| finding.reason == Reason::Peerlock).unwrap();
            assert_eq!(found.evidence.to_string(), "in the path: AS3320, AS714");
        }
        // A route server's member that is the protected network itself.
        let own = Announcement::new("3320 3333", "195.69.144.1");
        let through = judged(net("193.3.0.0/16"), &own, &peer(Role::Rs), &locked()).0;
        assert_eq!(through.reason, None);
    }
}

#[test]
fn a_network_that_shuns_route_servers_is_heard_of_none() {
    let tables = Snapshot { never_via_rs: Arc::new(OriginSet::from_iter([Asn(6666)])), ..tables() };
    for role in Role::ALL {
        let expected = matches!(role, Role::Rs | Role::RsClient).then_some(Reason::NeverViaRs);
        for path in ["3333 6666 3333", "3333 7777 6666 3333"] {
            let announcement = Announcement::new(path, "195.69.144.1");
            let (verdict, _) = judged(net("193.3.0.0/16"), &announcement, &peer(role), &tables);
            assert_eq!(verdict.reason, expected, "{role} {path}");
        }
        let mut enforced = peer(role);
        enforced.checks.set(Reason::NeverViaRs, Mode::Enforce).unwrap();
        let announcement = Announcement::new("3333 6666 3333", "195.69.144.1");
        let (verdict, _) = judged(net("193.3.0.0/16"), &announcement, &enforced, &tables);
        assert_eq!(verdict.reason, expected, "{role}: whatever is chosen, it is about route servers");
    }
}

/// RFC 8893: what we originate has an empty path, and our own AS as its origin.
#[test]
fn what_we_originate_must_not_be_invalid_and_should_be_registered() {
    let nobody = Announcement::new("", "0.0.0.0");
    for (asn, route, reason, observed) in [
        (3333, "193.0.0.0/20", None, None),
        (3333, "193.0.0.0/21", Some(Reason::RpkiInvalidLength), None),
        (5555, "193.0.0.0/20", Some(Reason::RpkiInvalidOrigin), None),
        (3333, "193.5.0.0/16", None, Some(Reason::IrrPrefixNotRegistered)),
        (3333, "10.0.0.0/25", None, Some(Reason::IrrPrefixNotRegistered)),
    ] {
        let (verdict, _) = judged(net(route), &nobody, &Peer::ours(Asn(asn)), &tables());
        assert_eq!((verdict.reason, verdict.observed), (reason, observed), "{asn} {route}");
        assert!(verdict.amendment.is_none());
    }
}
