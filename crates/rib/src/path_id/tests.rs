//! Whatever names peers give their paths, each path has an identifier of its own, which stays.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use palisade_policy::{Role, Source};

use super::*;
use crate::attribute_set::AttributeSet;
use crate::path::PeerIndex;

fn best(peer: u16, path_id: u32) -> Best {
    Best {
        attributes: Arc::new(AttributeSet::originated(IpAddr::from([0, 0, 0, 0]).into())),
        blackhole: false,
        local_preference: 100,
        peer: PeerIndex(peer),
        path_id,
        source: Source::Peer(Role::Peer),
        from_client: false,
        router_id: 1,
        tags: None,
    }
}

fn ids(named: &[(u16, u32)]) -> Vec<u32> {
    let offered: Vec<Best> = named.iter().map(|(peer, name)| best(*peer, *name)).collect();
    path_ids(offered.iter()).to_vec()
}

#[test]
fn peers_without_names_have_their_number_and_small_names_stand_beside_it() {
    assert_eq!(ids(&[(7, 0), (0, 0), (8191, 0)]), [8, 1, 8192]);
    assert_eq!(
        ids(&[(1, 1), (1, 2), (2, 1), (8191, NAMES - 1)]),
        [1 << 19 | 1, 1 << 19 | 2, 2 << 19 | 1, u32::MAX]
    );
}

#[test]
fn names_that_fold_to_the_same_are_moved_apart_and_move_no_small_one() {
    // Of two peers, each with a small name, and large ones that fold to it.
    let alike: Vec<u32> = (NAMES..NAMES << 5).filter(|name| folded(*name) == 9).take(6).collect();
    assert_eq!(alike.len(), 6);
    let mut named: Vec<(u16, u32)> = alike.iter().flat_map(|name| [(3, *name), (4, *name)]).collect();
    named.extend([(4, 9), (3, 9), (3, 10), (3, NAMES - 1), (4, 0), (3, u32::MAX)]);
    let found = ids(&named);
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), named.len());
    for ((peer, name), id) in named.iter().zip(&found) {
        assert!(*name == 0 || id >> NAME_BITS == u32::from(*peer), "{peer} {name}");
        assert!(*name == 0 || *name >= NAMES || *id % NAMES == *name, "{peer} {name}");
    }
    // They do not depend on the order of the offers.
    let mut backwards = named.clone();
    backwards.reverse();
    assert!(ids(&backwards).iter().rev().eq(&found));
}

#[test]
fn the_last_place_is_followed_by_the_first() {
    let last: Vec<u32> = (NAMES..NAMES << 5).filter(|name| folded(*name) == NAMES - 1).take(3).collect();
    assert_eq!(ids(&[(5, last[0]), (5, last[1]), (5, last[2])]), [6 * NAMES - 1, 5 * NAMES, 5 * NAMES + 1]);
}

#[test]
fn a_path_that_is_treated_in_several_ways_has_one_identifier() {
    let large = NAMES + 5;
    let found = ids(&[(1, large), (1, large), (1, large + 1), (1, large)]);
    assert_eq!((found[0], found[0]), (found[1], found[3]));
    assert_ne!(found[0], found[2]);
}
