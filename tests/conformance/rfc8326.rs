//! GRACEFUL_SHUTDOWN: RFC 8326 s4. A route whose announcer is about to shut the session down is the last choice, from whichever
//! external peer it comes, and goes on being one while there is no other.
//!
//! Rows: who announced the route; then what LOCAL_PREF internal peers hear it with, as it is and with the community. The session that is
//! shut down is the neighbour's (s4.2) or ours (s4.1).

use std::net::Ipv4Addr;

use palisade_bgp::Net;
use palisade_bgp::attributes::Community;
use palisade_policy::{Role, Snapshot};
use palisade_rib::{PeerIndex, Terms};

use crate::table::{Route, Router, of, peer};

const TABLE: [(Role, u32); 5] =
    [(Role::Customer, 200), (Role::Peer, 150), (Role::Provider, 100), (Role::RsClient, 100), (Role::Rs, 140)];

fn net() -> Net<u32> {
    Net::new(0xc633_6400, 24)
}

/// A second peer of any role.
const OTHER: PeerIndex = PeerIndex(100);

#[test]
fn a_route_that_is_about_to_go_is_heard_with_the_lowest_preference() {
    for (from, usual) in TABLE {
        let preference = |communities: &[Community]| {
            let mut router = Router::with_all_roles(Snapshot::default());
            router.say(of(from), net(), &Route::from(of(from), from, communities));
            let heard = router.heard(of(Role::Internal), net()).unwrap();
            assert_eq!(heard.communities, communities, "from {from}: others hear why");
            heard.local_pref
        };
        assert_eq!(preference(&[Community(65100 << 16 | 1)]), Some(usual), "from {from}");
        assert_eq!(preference(&[Community::GRACEFUL_SHUTDOWN]), Some(0), "from {from}");
    }
}

#[test]
fn any_other_route_is_better_whatever_it_loses_by_otherwise() {
    for (from, _) in TABLE {
        let mut router = Router::with_all_roles(Snapshot::default());
        router.join(OTHER, peer(OTHER, Role::Provider));
        let longer = Route { as_path: vec![65100, 65101, 65102, 65103], ..Route::default() };
        router.say(OTHER, net(), &longer);
        router.say(of(from), net(), &Route::from(of(from), from, &[]));
        let next_hop = |router: &Router| router.heard(of(Role::Internal), net()).unwrap().next_hop;
        let [mine, others] = [of(from), OTHER].map(|peer| Some(Ipv4Addr::new(192, 0, 2, peer.0 as u8)));
        assert_eq!(next_hop(&router), mine, "from {from}");
        router.say(of(from), net(), &Route::from(of(from), from, &[Community::GRACEFUL_SHUTDOWN]));
        assert_eq!(next_hop(&router), others, "from {from}, about to go");
        router.say(of(from), net(), &Route::from(of(from), from, &[]));
        assert_eq!(next_hop(&router), mine, "from {from}, back");
    }
}

/// Our end of a peer's session is about to be shut down, or is not.
fn shut_down(router: &mut Router, index: PeerIndex, role: Role, shutting_down: bool) {
    let known = peer(index, role);
    let terms = Terms {
        local_preference: known.ranking.local_preference,
        limits: known.limits,
        tags: None,
        shutting_down,
    };
    router.shard.set_terms(&[(index, terms)]);
    router.settle();
}

/// s4.1: other ways are found before the session goes, in both directions, and nobody loses a route meanwhile.
#[test]
fn a_session_that_we_shut_down_is_the_last_choice_at_both_ends() {
    let ours = PeerIndex(101);
    for (role, usual) in TABLE.into_iter().filter(|(role, _)| *role != Role::RsClient) {
        let mut router = Router::with_all_roles(Snapshot::default());
        router.join(ours, peer(ours, Role::Customer));
        router.say(of(role), net(), &Route::from(of(role), role, &[]));
        let theirs = Net::new(0x2d01_0000, 24);
        router.say(ours, theirs, &Route::from(ours, Role::Customer, &[Community(65100 << 16 | 1)]));
        for shutting_down in [true, false, true] {
            shut_down(&mut router, of(role), role, shutting_down);
            let preference = router.heard(of(Role::Internal), net()).unwrap().local_pref;
            assert_eq!(preference, Some(if shutting_down { 0 } else { usual }), "{role}: what it says");
            let mut told = vec![Community(65100 << 16 | 1)];
            assert_eq!(router.heard(of(Role::Internal), theirs).unwrap().communities, told, "{role}: others");
            told.extend(shutting_down.then_some(Community::GRACEFUL_SHUTDOWN));
            assert_eq!(router.heard(of(role), theirs).unwrap().communities, told, "{role}: what it is told");
        }
        // Whoever joins meanwhile, and what changes meanwhile, is told so, too; and what bears the community already bears it once.
        router.say(ours, theirs, &Route::from(ours, Role::Customer, &[Community::GRACEFUL_SHUTDOWN]));
        assert_eq!(router.heard(of(role), theirs).unwrap().communities, [Community::GRACEFUL_SHUTDOWN]);
    }
}
