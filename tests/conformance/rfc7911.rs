//! Several paths to a prefix, in the table (RFC 7911 s3): a path is its prefix and the name that its sender gives it, and what names the
//! paths of a peer have is none of the next one's business.
//!
//! One customer says what a step says; after each, another customer, which takes all paths, and a third, which takes one, must have
//! heard what the step says too. Paths are told apart by the AS that they begin with behind the customer's own.

use palisade_bgp::encode::Format;
use palisade_bgp::{Family, Net};
use palisade_policy::{Role, Snapshot};
use palisade_rib::{MOST_PATHS, PeerIndex, RibPeer};

use crate::table::{Route, Router, asn, peer};

const SAYS: PeerIndex = PeerIndex(1);
const TAKES_ALL: PeerIndex = PeerIndex(2);
const TAKES_ONE: PeerIndex = PeerIndex(3);

/// A name, and the AS path behind the customer's own AS; none withdraws. What all and what one then come to.
type Step = (&'static str, u32, &'static [u32], &'static [u32], Option<u32>);

const STEPS: [Step; 9] = [
    ("a path", 1, &[101, 9], &[101], Some(101)),
    ("another name is another path", 2, &[102, 8, 9], &[101, 102], Some(101)),
    ("equal attributes are two paths, if the names differ", 3, &[102, 8, 9], &[101, 102, 102], Some(101)),
    ("the same name takes the path's place", 2, &[103, 8, 9], &[101, 102, 103], Some(101)),
    ("no name is a name, too", 0, &[104], &[101, 102, 103, 104], Some(104)),
    ("what is not there is not withdrawn", 77, &[], &[101, 102, 103, 104], Some(104)),
    ("one is withdrawn, the others stay", 0, &[], &[101, 102, 103], Some(101)),
    ("the best is withdrawn, and the next one is the best", 1, &[], &[102, 103], Some(103)),
    ("a name may have any value", u32::MAX, &[105], &[102, 103, 105], Some(105)),
];

fn customer(index: PeerIndex) -> RibPeer {
    let mut customer = peer(index, Role::Customer);
    let view = &mut customer.export[Family::Ipv4.index()];
    view.iter_mut().for_each(|view| view.format = Format { add_path: index == TAKES_ALL, ..Format::PLAIN });
    customer
}

fn router() -> Router {
    let mut router = Router::new(Snapshot::default());
    [SAYS, TAKES_ALL, TAKES_ONE].into_iter().for_each(|index| router.join(index, customer(index)));
    router
}

fn route(behind: &[u32]) -> Route {
    let as_path = [&[asn(SAYS, Role::Customer)][..], behind].concat();
    Route { as_path, ..Route::default() }
}

#[test]
fn a_path_is_its_prefix_and_its_name() {
    let (mut router, net) = (router(), Net::new(0xc633_6400, 24));
    for (what, name, behind, all, one) in STEPS {
        let announced = (!behind.is_empty()).then(|| route(behind));
        router.say_named(SAYS, net, name, announced.as_ref());
        let heard = router.heard_named(TAKES_ALL, net);
        let mut told: Vec<u32> = heard.values().map(|route| route.as_path[2]).collect();
        told.sort_unstable();
        assert_eq!(told, all, "{what}: who takes all");
        assert!(!heard.contains_key(&0), "{what}: 0 is a name that some do not take");
        assert_eq!(router.heard(TAKES_ONE, net).map(|route| route.as_path[2]), one, "{what}: who takes one");
        assert_eq!(router.heard(SAYS, net), None, "{what}: nobody hears their own");
    }
}

/// s3: the name that we give is ours to choose, unique for the prefix, and stays with the path.
#[test]
fn two_peers_may_use_the_same_names() {
    let (mut router, net) = (router(), Net::new(0xc633_6400, 24));
    let other = PeerIndex(4);
    router.join(other, customer(other));
    router.say_named(SAYS, net, 1, Some(&route(&[101])));
    let before: Vec<u32> = router.heard_named(TAKES_ALL, net).into_keys().collect();
    router.say_named(other, net, 1, Some(&route(&[102])));
    assert_eq!(router.heard_named(TAKES_ALL, net).len(), 2);
    router.say_named(other, net, 1, None);
    assert!(router.heard_named(TAKES_ALL, net).into_keys().eq(before));
}

#[test]
fn a_peer_that_says_more_paths_than_it_may_hurts_nobody() {
    let (mut router, net) = (router(), Net::new(0xc633_6400, 24));
    for name in 0..200 {
        router.say_named(SAYS, net, name * 0x0101_0101, Some(&route(&[1000 + name])));
    }
    assert_eq!(router.heard_named(TAKES_ALL, net).len(), MOST_PATHS);
    assert_eq!(router.account(net).paths.len(), MOST_PATHS);
}
