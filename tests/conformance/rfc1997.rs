//! How far well-known communities let a route go: RFC 1997 (NO_EXPORT, NO_ADVERTISE, NO_EXPORT_SUBCONFED), RFC 3765
//! (NOPEER), RFC 7999 s3.2 (BLACKHOLE).
//!
//! Rows: who announced the route; columns: to whom it then goes, in the order of [`Role::ALL`]: customer, peer, provider,
//! rs-client, rs, internal. An `x` hears it.

use palisade_bgp::Net;
use palisade_bgp::attributes::Community;
use palisade_policy::{Role, Snapshot};
use palisade_rib::attribute_set::Scope;
use palisade_rib::{PeerIndex, Silence, Withheld};

use crate::table::{Route, Router, of, peer};

const NONE: Community = Community(65100 << 16 | 1);

/// What is said, the communities, and for each source whom the route goes to.
type Case = (&'static str, &'static [Community], &'static [(Role, &'static str)]);

/// What goes where; another peer of each role stands for its column.
const TABLE: [Case; 8] = [
    // The valley-free rule alone, to compare with.
    (
        "no scope",
        &[NONE],
        &[
            (Role::Customer, "x x x x x x"),
            (Role::Peer, "x . . . . x"),
            (Role::Provider, "x . . . . x"),
            (Role::RsClient, "x . . x . x"),
            (Role::Rs, "x . . . . x"),
            (Role::Internal, "x . . . . ."),
        ],
    ),
    (
        "NO_EXPORT: not outside the AS",
        &[Community::NO_EXPORT],
        &[
            (Role::Customer, ". . . . . x"),
            (Role::Peer, ". . . . . x"),
            (Role::Provider, ". . . . . x"),
            (Role::RsClient, ". . . . . x"),
            (Role::Rs, ". . . . . x"),
            (Role::Internal, ". . . . . ."),
        ],
    ),
    (
        "NO_EXPORT_SUBCONFED: in no confederation, the same",
        &[Community::NO_EXPORT_SUBCONFED],
        &[
            (Role::Customer, ". . . . . x"),
            (Role::Peer, ". . . . . x"),
            (Role::RsClient, ". . . . . x"),
            (Role::Internal, ". . . . . ."),
        ],
    ),
    (
        "NO_ADVERTISE: to no peer",
        &[Community::NO_ADVERTISE],
        &[
            (Role::Customer, ". . . . . ."),
            (Role::Provider, ". . . . . ."),
            (Role::RsClient, ". . . . . ."),
            (Role::Internal, ". . . . . ."),
        ],
    ),
    (
        "NOPEER: not to those we peer with, be it through a route server; members of ours read it for themselves",
        &[Community::NOPEER],
        &[
            (Role::Customer, "x . x x . x"),
            (Role::Peer, "x . . . . x"),
            (Role::RsClient, "x . . x . x"),
            (Role::Internal, "x . . . . ."),
        ],
    ),
    (
        "the narrowest holds",
        &[Community::NOPEER, Community::NO_ADVERTISE, NONE, Community::NO_EXPORT],
        &[(Role::Customer, ". . . . . ."), (Role::RsClient, ". . . . . .")],
    ),
    (
        "BLACKHOLE: not outside the AS, but where a member of an exchange asks, to the members",
        &[Community::BLACKHOLE],
        &[
            (Role::Customer, ". . . . . x"),
            (Role::Provider, ". . . . . x"),
            (Role::RsClient, ". . . x . x"),
            (Role::Internal, ". . . . . ."),
        ],
    ),
    (
        "BLACKHOLE with NO_EXPORT, as RFC 7999 s3.2 has it sent: the route server is told what its members are to do",
        &[Community::BLACKHOLE, Community::NO_EXPORT],
        &[(Role::Customer, ". . . . . x"), (Role::RsClient, ". . . x . x")],
    ),
];

/// A second one of each role, so that one can hear the other.
fn second(role: Role) -> PeerIndex {
    PeerIndex(of(role).0 + Role::ALL.len() as u16)
}

fn router() -> Router {
    let mut router = Router::with_all_roles(Snapshot::default());
    Role::ALL.into_iter().for_each(|role| router.join(second(role), peer(second(role), role)));
    router
}

#[test]
fn every_route_goes_as_far_as_its_communities_say() {
    let net = Net::new(0xc633_6400, 24);
    for (what, communities, rows) in TABLE {
        for (from, expected) in rows {
            let mut router = router();
            router.say(of(*from), net, &Route::from(of(*from), *from, communities));
            let heard = Role::ALL.map(|to| if router.heard(second(to), net).is_some() { "x" } else { "." });
            assert_eq!(heard.join(" "), *expected, "{what}: from {from}");
        }
    }
}

/// RFC 7999 s3.2: who passes a blackhole on adds NO_EXPORT, and only that.
#[test]
fn a_members_blackhole_is_passed_on_with_no_export() {
    let net = Net::new(0xc633_6401, 32);
    for sent in [&[Community::BLACKHOLE][..], &[Community::BLACKHOLE, Community::NO_EXPORT]] {
        let mut router = router();
        router.say(of(Role::RsClient), net, &Route::from(of(Role::RsClient), Role::RsClient, sent));
        let heard = router.heard(second(Role::RsClient), net).unwrap();
        assert_eq!(heard.communities, [Community::BLACKHOLE, Community::NO_EXPORT]);
    }
}

#[test]
fn what_keeps_a_route_back_is_told() {
    let net = Net::new(0xc633_6400, 24);
    for (community, to, expected) in [
        (Community::NO_EXPORT, Role::Customer, Withheld::Scope(Scope::Internal)),
        (Community::NO_EXPORT_SUBCONFED, Role::Peer, Withheld::Scope(Scope::Internal)),
        (Community::NO_ADVERTISE, Role::Internal, Withheld::Scope(Scope::Nobody)),
        (Community::NOPEER, Role::Peer, Withheld::Scope(Scope::NotPeers)),
        (Community::NOPEER, Role::Rs, Withheld::Scope(Scope::NotPeers)),
        (Community::BLACKHOLE, Role::Provider, Withheld::Blackhole),
    ] {
        let mut router = router();
        router.say(of(Role::Customer), net, &Route::from(of(Role::Customer), Role::Customer, &[community]));
        let exports = router.account(net).exports;
        let export = exports.iter().find(|export| export.peer == second(to)).unwrap();
        assert_eq!(export.silence, Some(Silence::Withheld(expected)), "{community} to {to}");
    }
}
