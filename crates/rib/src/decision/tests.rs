//! The decision process, step by step: each case differs in the one thing that its step looks at.

use std::net::Ipv4Addr;
use std::sync::Arc;

use palisade_bgp::Asn;
use palisade_bgp::attributes::{Attributes, Facts, NextHop, Origin, Span};
use palisade_policy::{Amendment, PathVerdict, Reason, RovState, Verdict};

use super::*;
use crate::attribute_set::AttributeSet;
use crate::judgement::Stamp;

/// A path, and the peer it comes from: the peer's number is its place.
#[derive(Clone)]
struct Case {
    facts: Facts,
    accepted: bool,
    path_id: u32,
    ranking: Ranking,
}

fn case() -> Case {
    let facts = Facts { path_length: 3, neighbor_as: Some(Asn(65001)), ..Facts::default() };
    let address = Ipv4Addr::new(198, 18, 0, 9).into();
    let ranking =
        Ranking { local_preference: 100, shutting_down: false, internal: false, router_id: 9, address };
    Case { facts, accepted: true, path_id: 0, ranking }
}

fn with(change: impl FnOnce(&mut Case)) -> Case {
    let mut case = case();
    change(&mut case);
    case
}

fn decide_among(cases: &[Case]) -> Option<usize> {
    let path = |(at, case): (usize, &Case)| {
        let next_hop = NextHop::V4(Ipv4Addr::new(198, 18, 0, 9));
        let wire = [0; 16];
        let attributes = Attributes { wire: &wire, facts: &case.facts, next_hop };
        let set = Arc::new(AttributeSet::new(&attributes, PathVerdict::default(), Stamp::default(), None));
        let reason = (!case.accepted).then_some(Reason::AsLoop);
        let verdict = Verdict { reason, observed: None, rov: RovState::NotFound, amendment: Amendment::NONE };
        Path::new(set, PeerIndex(at as u16 + 1), case.path_id, verdict)
    };
    let paths: Vec<Path> = cases.iter().enumerate().map(path).collect();
    best_path(&paths, |peer| &cases[peer.index() - 1].ranking)
}

/// The winner must be the same whatever the order in which paths came.
fn assert_beats(winner: Case, loser: Case, step: &str) {
    assert_eq!(decide_among(&[winner.clone(), loser.clone()]), Some(0), "{step}");
    assert_eq!(decide_among(&[loser, winner]), Some(1), "{step}, the other way round");
}

#[test]
fn each_step_decides_where_all_before_it_are_equal() {
    let long = |case: &mut Case| case.facts.path_length = 4;
    let egp = |case: &mut Case| case.facts.origin = Origin::Egp;
    let med = |med| move |case: &mut Case| case.facts.med = med;
    let internal = |case: &mut Case| case.ranking.internal = true;
    let router_id = |id| move |case: &mut Case| case.ranking.router_id = id;
    let both = |one: &dyn Fn(&mut Case), other: &dyn Fn(&mut Case)| {
        with(|case| {
            one(case);
            other(case);
        })
    };
    let preferred = |case: &mut Case| case.ranking.local_preference = 200;
    assert_beats(both(&preferred, &long), case(), "s9.1.1: the higher degree of preference");
    assert_beats(with(egp), with(long), "s9.1.2.2 a: the shorter path");
    assert_beats(with(med(Some(9))), both(&egp, &med(Some(1))), "b: the lower origin");
    assert_beats(both(&internal, &med(Some(1))), with(med(Some(2))), "c: the lower discriminator");
    assert_beats(with(med(None)), both(&router_id(1), &med(Some(1))), "c: a missing one counts as 0");
    assert_beats(case(), both(&internal, &router_id(1)), "d: external over internal");
    let far = |case: &mut Case| case.ranking.address = Ipv4Addr::new(198, 18, 0, 200).into();
    assert_beats(both(&router_id(1), &far), with(router_id(2)), "f: the lower identifier");
    let clusters = |case: &mut Case| case.facts.cluster_list = Span { start: 0, len: 8 };
    assert_beats(with(far), with(clusters), "RFC 4456 s9: the shorter CLUSTER_LIST");
    assert_beats(case(), with(far), "g: the lower address");
    assert_beats(
        case(),
        with(|case| case.path_id = 1),
        "the lower path identifier, for one peer's several paths",
    );
}

#[test]
fn originator_id_stands_for_the_identifier() {
    let reflected = |case: &mut Case| {
        case.ranking.internal = true;
        case.ranking.router_id = 100;
        case.facts.originator_id = Some(Ipv4Addr::from_bits(1));
    };
    let plain = |case: &mut Case| {
        case.ranking.internal = true;
        case.ranking.router_id = 50;
    };
    assert_beats(with(reflected), with(plain), "RFC 4456 s9");
}

#[test]
fn an_internal_path_brings_its_own_preference_and_an_external_one_does_not() {
    let internal = |preference| {
        with(|case| {
            case.ranking.internal = true;
            case.facts.local_pref = preference;
        })
    };
    assert_beats(internal(Some(101)), case(), "LOCAL_PREF of an internal peer counts");
    assert_beats(case(), internal(None), "where it sends none, the default stands in and external wins");
    let forged = with(|case| {
        case.facts.local_pref = Some(1000);
        case.ranking.router_id = 10;
    });
    assert_beats(case(), forged, "LOCAL_PREF of an external peer is ignored (RFC 4271 s5.1.5)");
}

/// The classic case in which comparing in pairs depends on the order: A beats B by discriminator, B beats C by
/// identifier, C beats A by identifier.
#[test]
fn discriminators_compare_within_one_neighbour_whatever_the_order() {
    let path = |neighbor, med, router_id| {
        with(|case| {
            case.facts.neighbor_as = Some(Asn(neighbor));
            case.facts.med = Some(med);
            case.ranking.router_id = router_id;
        })
    };
    let (a, b, c) = (path(65001, 10, 3), path(65001, 20, 1), path(65002, 0, 2));
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        let cases = order.map(|at| [&a, &b, &c][at].clone());
        // B is out by its discriminator; of A and C, C has the lower identifier.
        assert_eq!(decide_among(&cases).map(|at| order[at]), Some(2), "{order:?}");
    }
}

#[test]
fn rejected_paths_take_no_part() {
    let rejected = with(|case| {
        case.accepted = false;
        case.ranking.local_preference = 1000;
    });
    assert_beats(case(), rejected.clone(), "an accepted path");
    assert_eq!(decide_among(&[rejected]), None);
    assert_eq!(decide_among(&[]), None);
}
