//! The index against two oracles that are too slow to be wrong: a walk over all VRPs, and a tree bitmap.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use palisade_bgp::{Asn, Net, Prefix};
use palisade_policy::rov::MOST_AMENDMENTS;
use palisade_policy::{IrrBuilder, RovIndex, RovState, Vrp};
use proptest::prelude::*;
use treebitmap::IpLookupTable;

/// RFC 6811 s2, word by word, over VRPs already known to cover the route.
fn of_covering(covering: impl IntoIterator<Item = Vrp>, len: u8, origin: Option<Asn>) -> RovState {
    let origin = origin.filter(|origin| origin.0 != 0);
    let mut state = RovState::NotFound;
    for vrp in covering {
        let of_origin = Some(vrp.asn()) == origin;
        match state {
            _ if of_origin && len <= vrp.max_length() => return RovState::Valid,
            _ if of_origin => state = RovState::InvalidLength,
            RovState::InvalidLength => {}
            _ => state = RovState::InvalidOrigin,
        }
    }
    state
}

fn linear(vrps: &[Vrp], route: Prefix, origin: Option<Asn>) -> RovState {
    let covering = vrps.iter().copied().filter(|vrp| vrp.prefix().covers(route));
    of_covering(covering, route.len(), origin)
}

/// VRPs in tree bitmaps. Their longest match is of an address, so what covers a *prefix* is what matches its first
/// address and is no longer than it.
struct Trees {
    v4: IpLookupTable<Ipv4Addr, Vec<Vrp>>,
    v6: IpLookupTable<Ipv6Addr, Vec<Vrp>>,
}

impl Trees {
    fn build(vrps: &[Vrp]) -> Self {
        let mut trees = Trees { v4: IpLookupTable::new(), v6: IpLookupTable::new() };
        for vrp in vrps {
            let len = u32::from(vrp.prefix().len());
            match vrp.prefix() {
                Prefix::V4(net) => {
                    let address = Ipv4Addr::from(net.address());
                    match trees.v4.exact_match_mut(address, len) {
                        Some(known) => known.push(*vrp),
                        None => drop(trees.v4.insert(address, len, vec![*vrp])),
                    }
                }
                Prefix::V6(net) => {
                    let address = Ipv6Addr::from(net.address());
                    match trees.v6.exact_match_mut(address, len) {
                        Some(known) => known.push(*vrp),
                        None => drop(trees.v6.insert(address, len, vec![*vrp])),
                    }
                }
            }
        }
        trees
    }

    fn validate(&self, route: Prefix, origin: Option<Asn>) -> RovState {
        let len = route.len();
        match route {
            Prefix::V4(net) => {
                let matches =
                    self.v4.matches(Ipv4Addr::from(net.address())).filter(|(_, at, _)| *at <= u32::from(len));
                of_covering(matches.flat_map(|(_, _, vrps)| vrps.iter().copied()), len, origin)
            }
            Prefix::V6(net) => {
                let matches =
                    self.v6.matches(Ipv6Addr::from(net.address())).filter(|(_, at, _)| *at <= u32::from(len));
                of_covering(matches.flat_map(|(_, _, vrps)| vrps.iter().copied()), len, origin)
            }
        }
    }
}

fn validate(index: &RovIndex, route: Prefix, origin: Option<Asn>) -> RovState {
    match route {
        Prefix::V4(net) => index.validate(net, origin),
        Prefix::V6(net) => index.validate(net, origin),
    }
}

/// Prefixes that meet often: few bits differ, at the head, in the middle and at the tail of an address.
fn any_prefix() -> impl Strategy<Value = Prefix> {
    let bits = (0u8..4, 0u8..4, 0u8..4);
    (any::<bool>(), bits, 0u8..=128).prop_map(|(v6, (head, middle, tail), len)| {
        if v6 {
            let address = u128::from(head) << 126 | u128::from(middle) << 95 | u128::from(tail);
            Prefix::V6(Net::new(address, len))
        } else {
            let address = u32::from(head) << 30 | u32::from(middle) << 15 | u32::from(tail);
            Prefix::V4(Net::new(address, len % 33))
        }
    })
}

fn any_asn() -> impl Strategy<Value = Asn> {
    prop_oneof![0u32..4, Just(u32::MAX)].prop_map(Asn)
}

fn any_vrp() -> impl Strategy<Value = Vrp> {
    (any_prefix(), 0u8..=128, any_asn()).prop_map(|(prefix, longer, asn)| {
        let width = if matches!(prefix, Prefix::V4(_)) { 32 } else { 128 };
        let max_length = prefix.len() + longer % (width - prefix.len() + 1);
        Vrp::new(prefix, max_length, asn).unwrap()
    })
}

fn any_vrps() -> impl Strategy<Value = Vec<Vrp>> {
    proptest::collection::vec(any_vrp(), 0..60)
}

fn any_routes() -> impl Strategy<Value = Vec<(Prefix, Option<Asn>)>> {
    proptest::collection::vec((any_prefix(), proptest::option::of(any_asn())), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_agrees_with_both_oracles(vrps in any_vrps(), routes in any_routes()) {
        let (index, trees) = (RovIndex::build(vrps.iter().copied()), Trees::build(&vrps));
        for (route, origin) in routes {
            let expected = linear(&vrps, route, origin);
            prop_assert_eq!(validate(&index, route, origin), expected, "{} {:?}", route, origin);
            prop_assert_eq!(trees.validate(route, origin), expected, "the oracles, {} {:?}", route, origin);
        }
    }

    #[test]
    fn covering_names_the_very_vrps_most_specific_first(vrps in any_vrps(), route in any_prefix()) {
        let found: Vec<Vrp> = RovIndex::build(vrps.iter().copied()).covering(route).collect();
        prop_assert!(found.is_sorted_by_key(|vrp| std::cmp::Reverse(vrp.prefix().len())));
        let mut expected: Vec<Vrp> = vrps.into_iter().filter(|vrp| vrp.prefix().covers(route)).collect();
        let mut found = found;
        expected.sort();
        expected.dedup();
        found.sort();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn every_vrp_is_kept_once(vrps in any_vrps()) {
        let index = RovIndex::build(vrps.iter().chain(&vrps).copied());
        let mut expected = vrps;
        expected.sort();
        expected.dedup();
        prop_assert_eq!(index.len(), expected.len());
        let mut kept: Vec<Vrp> = index.iter().collect();
        kept.sort();
        prop_assert_eq!(kept, expected);
    }

    /// What no changed range covers is judged as before.
    #[test]
    fn changed_ranges_cover_every_route_that_comes_out_differently(
        common in any_vrps(), gone in any_vrps(), come in any_vrps(), routes in any_routes()
    ) {
        let old = RovIndex::build(common.iter().chain(&gone).copied());
        let new = RovIndex::build(common.iter().chain(&come).copied());
        let changed = old.changed_ranges(&new);
        for (at, range) in changed.iter().enumerate() {
            prop_assert!(changed.iter().skip(at + 1).all(|other| !range.covers(*other) && !other.covers(*range)));
        }
        for (route, origin) in routes {
            if !changed.iter().any(|range| range.covers(route)) {
                prop_assert_eq!(validate(&old, route, origin), validate(&new, route, origin));
                prop_assert!(old.covering(route).eq(new.covering(route)));
            }
        }
        prop_assert!(old.changed_ranges(&old).is_empty());
    }

    /// Amendments on amendments, of VRPs that are there and that are not, against an index of what is left.
    #[test]
    fn an_amended_index_is_what_a_new_one_would_be(
        first in any_vrps(),
        steps in proptest::collection::vec((any_vrps(), any_vrps()), 1..4),
        routes in any_routes(),
    ) {
        let mut held: BTreeSet<Vrp> = first.into_iter().collect();
        let mut index = RovIndex::build(held.iter().copied());
        for (added, removed) in steps {
            // Half of what goes is there.
            let removed: Vec<Vrp> = removed.into_iter().chain(held.iter().copied().step_by(3)).collect();
            held.retain(|vrp| !removed.contains(vrp));
            held.extend(&added);
            let amended = index.amended(added, removed);
            let fresh = RovIndex::build(held.iter().copied());
            let changed = index.changed_ranges(&amended);
            prop_assert_eq!(amended.len(), held.len());
            prop_assert_eq!(amended.iter().collect::<BTreeSet<Vrp>>(), held.clone());
            for (route, origin) in &routes {
                let expected = validate(&fresh, *route, *origin);
                prop_assert_eq!(validate(&amended, *route, *origin), expected, "{} {:?}", route, origin);
                let mut covering: [Vec<Vrp>; 2] = [&amended, &fresh].map(|index| index.covering(*route).collect());
                covering.iter_mut().for_each(|vrps| vrps.sort());
                prop_assert_eq!(&covering[0], &covering[1]);
                if !changed.iter().any(|range| range.covers(*route)) {
                    prop_assert_eq!(validate(&index, *route, *origin), expected);
                }
            }
            let anew = index.replaced(held.iter().copied().chain(held.iter().copied()).collect());
            prop_assert_eq!(anew.iter().collect::<BTreeSet<Vrp>>(), held.clone());
            for other in [&amended, &anew] {
                let before: BTreeSet<Vrp> = index.iter().collect();
                let (come, gone) = index.difference(other).unwrap();
                let sorted = |vrps: Vec<Vrp>| vrps.into_iter().collect::<BTreeSet<Vrp>>();
                prop_assert_eq!(sorted(come), held.difference(&before).copied().collect::<BTreeSet<Vrp>>());
                prop_assert_eq!(sorted(gone), before.difference(&held).copied().collect::<BTreeSet<Vrp>>());
            }
            prop_assert!(before_and_now(&index, &held).all(|vrp| amended.contains(vrp) == held.contains(&vrp)));
            index = amended;
        }
    }

    #[test]
    fn registered_agrees_with_a_walk_over_all_route_objects(
        objects in proptest::collection::vec((any_prefix(), any_asn()), 0..60),
        routes in any_routes(),
        longest in 0u8..=128,
    ) {
        let mut builder = IrrBuilder::default();
        for (at, (prefix, origin)) in objects.iter().enumerate() {
            builder.add_route(*prefix, *origin, ["RIPE", "RADB"][at % 2]).unwrap();
        }
        let index = builder.build();
        for (route, origin) in routes {
            let origin = origin.unwrap_or(Asn(1));
            let expected = objects.iter().any(|(prefix, registered)| {
                let reaches = *prefix == route || (prefix.covers(route) && route.len() <= longest);
                *registered == origin && reaches
            });
            let found = match route {
                Prefix::V4(net) => index.registered(net, origin, longest),
                Prefix::V6(net) => index.registered(net, origin, longest),
            };
            prop_assert_eq!(found, expected, "{} {}", route, origin);
        }
    }
}

/// Many VRPs under one prefix are searched, not walked; both ways must agree.
#[test]
fn a_prefix_with_thousands_of_vrps_is_judged_right() {
    let (mut vrps, prefix) = (Vec::new(), support::prefix("10.0.0.0/8"));
    for asn in 0..3000 {
        vrps.extend([16, 8, 24].map(|max_length| Vrp::new(prefix, max_length, Asn(asn * 2)).unwrap()));
    }
    let index = RovIndex::build(vrps.iter().copied());
    for asn in [0, 1, 2, 3, 2999, 3000, 5998, 5999, 6000, u32::MAX] {
        for route in ["10.0.0.0/8", "10.1.0.0/24", "10.1.0.0/25"] {
            let route = support::prefix(route);
            assert_eq!(
                validate(&index, route, Some(Asn(asn))),
                linear(&vrps, route, Some(Asn(asn))),
                "{route} {asn}"
            );
        }
    }
}

#[test]
fn an_index_of_one_address_finds_it_and_nothing_else() {
    for text in ["0.0.0.0/32", "255.255.255.255/32", "128.0.0.0/32"] {
        let prefix = support::prefix(text);
        let index = RovIndex::build([Vrp::new(prefix, 32, Asn(7)).unwrap()]);
        assert_eq!(validate(&index, prefix, Some(Asn(7))), RovState::Valid, "{text}");
        for other in ["0.0.0.0/31", "0.0.0.1/32", "255.255.255.254/32", "127.255.255.255/32", "128.0.0.1/32"]
        {
            assert_eq!(
                validate(&index, support::prefix(other), Some(Asn(7))),
                RovState::NotFound,
                "{text} {other}"
            );
        }
    }
}

fn before_and_now<'a>(index: &'a RovIndex, held: &'a BTreeSet<Vrp>) -> impl Iterator<Item = Vrp> + 'a {
    index.iter().chain(held.iter().copied())
}

#[test]
fn an_index_replaced_by_quite_another_set_shares_nothing_with_it() {
    let vrp = |at: usize| Vrp::new(Prefix::V4(Net::new((at as u32) << 8, 24)), 24, Asn(7)).unwrap();
    let index = RovIndex::build((0..10).map(vrp));
    let few = index.replaced((0..MOST_AMENDMENTS + 10).map(vrp).collect());
    assert_eq!(
        index.difference(&few).map(|(come, gone)| (come.len(), gone.len())),
        Some((MOST_AMENDMENTS, 0))
    );
    let many = index.replaced((0..MOST_AMENDMENTS + 11).map(vrp).collect());
    assert!(index.difference(&many).is_none());
    assert_eq!(many.len(), MOST_AMENDMENTS + 11);
}

#[test]
fn past_their_limit_amendments_make_a_new_whole_table() {
    let vrp = |at: usize| Vrp::new(Prefix::V4(Net::new((at as u32) << 8, 24)), 24, Asn(7)).unwrap();
    let index = RovIndex::build([vrp(0)]);
    for count in [MOST_AMENDMENTS, MOST_AMENDMENTS + 1] {
        let amended = index.amended((1..=count).map(vrp), []);
        assert_eq!(amended.len(), count + 1);
        assert_eq!(index.changed_ranges(&amended).len(), count);
        assert_eq!(validate(&amended, vrp(count).prefix(), Some(Asn(7))), RovState::Valid);
    }
}
