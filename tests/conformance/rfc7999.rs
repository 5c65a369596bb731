//! BLACKHOLE (RFC 7999): whose word has a router drop packets. How far such a route goes is in [`rfc1997`](crate::rfc1997), and
//! the proof that it needs is judged with every other check.

use std::sync::Arc;

use palisade_bgp::Net;
use palisade_bgp::attributes::Community;
use palisade_policy::rules::{Action, Edits, Rule, Rules};
use palisade_policy::{Mode, Peer, Role, Snapshot};
use palisade_rib::{Forwarding, RibPeer};

use crate::table::{Route, Router, address, of, peer};

/// Who says it, and whether packets are dropped (s3.3: where there is an agreement).
const TABLE: [(Role, bool); 6] = [
    (Role::Customer, true),
    // Another router of ours has found that a customer may ask for it.
    (Role::Internal, true),
    // What has come this far was not meant for us (s3.2).
    (Role::Peer, false),
    (Role::Provider, false),
    // An exchange has a next hop of its own for it (s3.1).
    (Role::Rs, false),
    (Role::RsClient, false),
];

#[test]
fn packets_are_dropped_where_a_customer_or_our_own_as_asks_for_it() {
    let net = Net::new(0xc633_6401, 32);
    for (role, dropped) in TABLE {
        let from = of(role);
        let sent_on = Some(Forwarding::To((address(from).into(), 0)));
        let mut router = Router::with_all_roles(Snapshot::default());
        router.say(from, net, &Route::from(from, role, &[]));
        assert_eq!(router.forwards(net), sent_on, "{role}: before");
        router.say(from, net, &Route::from(from, role, &[Community::BLACKHOLE]));
        let expected = if dropped { Some(Forwarding::Discard) } else { sent_on };
        assert_eq!(router.forwards(net), expected, "{role}");
        router.say(from, net, &Route::from(from, role, &[]));
        assert_eq!(router.forwards(net), sent_on, "{role}: after");
    }
}

/// Where import rules say where packets go, to be scrubbed perhaps, they go there.
#[test]
fn a_next_hop_of_ours_counts_for_more() {
    let (net, scrubber) = (Net::new(0xc633_6401, 32), "192.0.2.200".parse().unwrap());
    let rule = Rule {
        name: "to the scrubber".into(),
        path: Vec::new(),
        prefix: Vec::new(),
        action: Action::Continue,
        edits: Edits { next_hops: [Some(scrubber), None], ..Edits::default() },
        mode: Mode::Enforce,
    };
    let tables = Snapshot { rules: Arc::new(Rules::new(vec![rule]).unwrap()), ..Snapshot::default() };
    let customer = peer(of(Role::Customer), Role::Customer);
    let rules = tables.rules.iter().map(|(number, _)| number).collect();
    let policy = Arc::new(Peer { rules, ..Peer::clone(&customer.policy) });
    let mut router = Router::new(tables);
    router.join(of(Role::Customer), RibPeer { policy, ..customer });
    router.say(
        of(Role::Customer),
        net,
        &Route::from(of(Role::Customer), Role::Customer, &[Community::BLACKHOLE]),
    );
    assert_eq!(router.forwards(net), Some(Forwarding::To((scrubber, 0))));
}
