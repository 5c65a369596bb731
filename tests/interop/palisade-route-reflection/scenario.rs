//! Between the other end and another client of ours routes are reflected both ways: each hears who has brought the route and
//! through which cluster it came, and nothing else of it has changed. The other end is a reflector, too: its client hears
//! of both clusters.

use crate::claims;
use crate::lab::Lab;
use crate::support::wire::{CLUSTER_LIST, LOCAL_PREF, ORIGINATOR_ID, octets};
use crate::witness::{PEER, Witness};

pub(crate) fn tell(lab: &mut Lab) {
    let _witness = claims::reflection(lab, |_| {});
    let client = Witness::join_internal(PEER, 10);
    let told = client.told_of("193.0.9.0/24");
    assert_eq!(told.get(&ORIGINATOR_ID), Some(&vec![198, 51, 100, 9]));
    assert_eq!(told.get(&CLUSTER_LIST), Some(&vec![192, 0, 2, 78, 192, 0, 2, 77]));
    assert_eq!(told.get(&LOCAL_PREF), Some(&octets(&[150])));
}
