//! All real VRPs against the whole real table, route by route.
//!
//! Unpacking and reading the data takes most of a minute where it is not optimized, so these run with `--release`
//! alone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

mod support;

use std::collections::HashMap;

use palisade_bgp::{Asn, Prefix};
use palisade_policy::{RovIndex, RovState, Vrp};
use support::{real_routes, real_vrps, truncate};

/// RFC 6811 s2, word by word.
fn of_covering<'a>(covering: impl Iterator<Item = &'a Vrp>, len: u8, origin: Asn) -> RovState {
    let covering: Vec<&Vrp> = covering.collect();
    let of_origin = |vrp: &&&Vrp| vrp.asn() == origin && origin != Asn(0);
    match (covering.as_slice(), covering.iter().filter(of_origin).map(|vrp| vrp.max_length()).max()) {
        ([], _) => RovState::NotFound,
        (_, Some(max_length)) if len <= max_length => RovState::Valid,
        (_, Some(_)) => RovState::InvalidLength,
        (_, None) => RovState::InvalidOrigin,
    }
}

fn validate(index: &RovIndex, route: Prefix, origin: Asn) -> RovState {
    match route {
        Prefix::V4(net) => index.validate(net, Some(origin)),
        Prefix::V6(net) => index.validate(net, Some(origin)),
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes long unless optimized: run with --release")]
fn every_route_of_the_real_table_is_judged_as_the_oracles_judge_it() {
    let (Some(vrps), Some(routes)) = (real_vrps(), real_routes()) else { return };
    let index = RovIndex::build(vrps.iter().copied());
    assert_eq!(index.len(), vrps.len());
    let mut by_prefix: HashMap<Prefix, Vec<Vrp>> = HashMap::new();
    for vrp in &vrps {
        by_prefix.entry(vrp.prefix()).or_default().push(*vrp);
    }
    let mut counts = [[0; RovState::ALL.len()]; 2];
    for (at, (route, origin)) in routes.iter().copied().enumerate() {
        let found = validate(&index, route, origin);
        counts[route.family().index()][found as usize] += 1;
        let by_length = (0..=route.len()).filter_map(|len| by_prefix.get(&truncate(route, len)));
        assert_eq!(found, of_covering(by_length.flatten(), route.len(), origin), "{route} {origin}");
        if at % 2000 == 0 {
            let linear = vrps.iter().filter(|vrp| vrp.prefix().covers(route));
            assert_eq!(found, of_covering(linear, route.len(), origin), "{route} {origin}, all VRPs walked");
            assert!(index.covering(route).all(|vrp| vrp.prefix().covers(route)));
        }
    }
    println!("{} routes, {} VRPs, {} octets held", routes.len(), index.len(), index.memory_bytes());
    for (family, counts) in ["IPv4", "IPv6"].into_iter().zip(counts) {
        println!("{family}: {:?}", RovState::ALL.map(|state| (state.slug(), counts[state as usize])));
        assert!(counts.iter().all(|count| *count > 0), "every state is met in {family}");
    }
}

/// Of the real VRPs every hundredth is gone: nothing outside the changed ranges comes out differently.
#[test]
#[cfg_attr(debug_assertions, ignore = "takes long unless optimized: run with --release")]
fn a_smaller_real_set_changes_only_what_its_changed_ranges_cover() {
    let (Some(vrps), Some(routes)) = (real_vrps(), real_routes()) else { return };
    let old = RovIndex::build(vrps.iter().copied());
    let kept = vrps.iter().enumerate().filter(|(at, _)| at % 100 != 0).map(|(_, vrp)| *vrp);
    let new = RovIndex::build(kept);
    let changed = old.changed_ranges(&new);
    let mut differ = 0;
    for (route, origin) in routes {
        if validate(&old, route, origin) != validate(&new, route, origin) {
            let before = changed.partition_point(|range| *range <= route);
            assert!(before > 0 && changed[before - 1].covers(route), "{route} {origin}");
            differ += 1;
        }
    }
    println!("{} ranges changed, {differ} routes come out differently", changed.len());
    assert!(differ > 1000);
}
