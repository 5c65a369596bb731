//! Route reflection (RFC 4456): who is told what (s6), what is added (s8), what has been here before (s8), what is best (s9), and what
//! is left as it is (s10).

use std::net::Ipv4Addr;

use palisade_bgp::Net;
use palisade_policy::{Checks, Mode, Reason, Reflector, Role, Snapshot};
use palisade_rib::{Outcome, PeerIndex, RibPeer};

use crate::table::{ROUTER, Route, Router, peer};

const CLUSTER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const OTHER_CLUSTER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const STRANGER: Ipv4Addr = Ipv4Addr::new(10, 9, 9, 9);

const CLIENT: PeerIndex = PeerIndex(1);
const OTHER_CLIENT: PeerIndex = PeerIndex(2);
const INTERNAL: PeerIndex = PeerIndex(3);
const OTHER_INTERNAL: PeerIndex = PeerIndex(4);
const CUSTOMER: PeerIndex = PeerIndex(5);
const OTHER_CUSTOMER: PeerIndex = PeerIndex(6);
const ALL: [PeerIndex; 6] = [CLIENT, OTHER_CLIENT, INTERNAL, OTHER_INTERNAL, CUSTOMER, OTHER_CUSTOMER];

fn net() -> Net<u32> {
    Net::new(0xc633_6400, 24)
}

/// Internal peers are told, too, that we are the next hop of what comes from outside.
fn rib_peer(index: PeerIndex) -> RibPeer {
    if index >= CUSTOMER {
        return peer(index, Role::Customer);
    }
    let mut internal = peer(index, Role::Internal);
    let reflector = Reflector { router_id: ROUTER, cluster_id: CLUSTER, is_client: index <= OTHER_CLIENT };
    let mut policy = (*internal.policy).clone();
    policy.reflector = Some(reflector);
    policy.checks = Checks::all(Mode::Off).with(Reason::ReflectionLoop, Mode::Enforce);
    internal.policy = policy.into();
    internal.export.iter_mut().flatten().for_each(|view| {
        (view.reflector, view.keeps_next_hop) = (Some(reflector), false);
    });
    internal
}

fn router() -> Router {
    let mut router = Router::new(Snapshot::default());
    ALL.into_iter().for_each(|index| router.join(index, rib_peer(index)));
    router
}

fn said_by(index: PeerIndex) -> Route {
    let as_path = if index >= CUSTOMER { vec![65000 + u32::from(index.0), 65100] } else { vec![65100] };
    let internal = index < CUSTOMER;
    let next_hop = internal.then_some(Ipv4Addr::new(198, 51, 100, 7));
    Route { as_path, local_pref: internal.then_some(177), med: Some(33), next_hop, ..Route::default() }
}

/// s6. Rows: who says it; columns: who then hears it, in the order of [`ALL`].
#[test]
fn clients_are_told_all_and_the_others_what_clients_say() {
    for (from, expected) in [
        (CLIENT, ". x x x x x"),
        (OTHER_CLIENT, "x . x x x x"),
        (INTERNAL, "x x . . x x"),
        (OTHER_INTERNAL, "x x . . x x"),
        (CUSTOMER, "x x x x . x"),
    ] {
        let mut router = router();
        router.say(from, net(), &said_by(from));
        let heard = ALL.map(|to| if router.heard(to, net()).is_some() { "x" } else { "." });
        assert_eq!(heard.join(" "), expected, "from {from:?}");
    }
}

/// s8, s10. What the route had, and what it then has.
#[test]
fn what_is_reflected_says_where_it_has_been_and_is_else_as_it_was() {
    let sender = Ipv4Addr::from_bits(CLIENT.0.into());
    for (originator_id, cluster_list, then, clusters) in [
        (None, vec![], sender, vec![CLUSTER]),
        (Some(STRANGER), vec![], STRANGER, vec![CLUSTER]),
        (Some(STRANGER), vec![OTHER_CLUSTER], STRANGER, vec![CLUSTER, OTHER_CLUSTER]),
        (None, vec![OTHER_CLUSTER, STRANGER], sender, vec![CLUSTER, OTHER_CLUSTER, STRANGER]),
    ] {
        let mut router = router();
        let said = Route { originator_id, cluster_list, ..said_by(CLIENT) };
        router.say(CLIENT, net(), &said);
        let expected = Route { originator_id: Some(then), cluster_list: clusters, ..said.clone() };
        for to in [OTHER_CLIENT, INTERNAL] {
            assert_eq!(router.heard(to, net()), Some(&expected), "to {to:?}");
        }
        let outside = router.heard(CUSTOMER, net()).unwrap();
        assert_eq!((outside.originator_id, outside.cluster_list.len()), (None, 0), "not outside our AS");
    }
}

#[test]
fn what_comes_from_outside_is_not_reflected_but_announced() {
    let mut router = router();
    router.say(CUSTOMER, net(), &said_by(CUSTOMER));
    for to in [CLIENT, INTERNAL] {
        let heard = router.heard(to, net()).unwrap();
        assert_eq!((heard.originator_id, heard.cluster_list.len(), heard.next_hop), (None, 0, Some(ROUTER)));
    }
}

/// s8: ORIGINATOR_ID, CLUSTER_LIST, and whether the route has been here.
#[test]
fn what_has_been_here_before_is_refused() {
    for (originator_id, cluster_list, loops) in [
        (None, vec![], false),
        (Some(STRANGER), vec![OTHER_CLUSTER], false),
        (Some(ROUTER), vec![], true),
        (Some(ROUTER), vec![OTHER_CLUSTER], true),
        (None, vec![CLUSTER], true),
        (Some(STRANGER), vec![OTHER_CLUSTER, CLUSTER], true),
        // Our identifier is no cluster of ours, nor our cluster an identifier.
        (Some(CLUSTER), vec![ROUTER], false),
    ] {
        for from in [CLIENT, INTERNAL] {
            let mut router = router();
            let said = Route { originator_id, cluster_list: cluster_list.clone(), ..said_by(from) };
            router.say(from, net(), &said);
            let reason = router.account(net()).paths[0].path.verdict().reason;
            assert_eq!(reason, loops.then_some(Reason::ReflectionLoop), "{said:?}");
            assert_eq!(router.heard(OTHER_CLIENT, net()).is_none(), loops);
        }
    }
}

/// s9: what two clients say, and at which step the second loses.
#[test]
fn originators_and_clusters_break_ties() {
    let id = |last| Some(Ipv4Addr::new(0, 0, 0, last));
    for (first, second, step) in [
        // The peers' identifiers are 1 and 2.
        ((None, vec![]), (None, vec![]), "router-id"),
        ((id(2), vec![]), (id(3), vec![]), "router-id"),
        ((id(7), vec![STRANGER]), (id(7), vec![STRANGER, OTHER_CLUSTER]), "cluster-list-length"),
        ((id(7), vec![STRANGER]), (id(7), vec![OTHER_CLUSTER]), "peer-address"),
    ] {
        let mut router = router();
        for (from, (originator_id, cluster_list)) in [(OTHER_CLIENT, second), (CLIENT, first)] {
            router.say(from, net(), &Route { originator_id, cluster_list, ..said_by(from) });
        }
        let paths = router.account(net()).paths;
        assert_eq!((paths[0].path.peer(), paths[0].outcome), (CLIENT, Outcome::Best));
        let Outcome::Lost(lost) = paths[1].outcome else { panic!("{:?}", paths[1]) };
        assert_eq!(lost.slug(), step);
    }
    // ORIGINATOR_ID stands in for the identifier of the peer, whichever that is.
    let mut router = router();
    router.say(CLIENT, net(), &Route { originator_id: id(9), ..said_by(CLIENT) });
    router.say(OTHER_CLIENT, net(), &said_by(OTHER_CLIENT));
    assert_eq!(router.account(net()).paths[0].path.peer(), OTHER_CLIENT);
}
