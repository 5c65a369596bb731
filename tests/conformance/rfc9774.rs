//! AS_SETs: RFC 9774 s3. A route whose AS_PATH holds an AS_SET is not accepted by default, from whatever external peer it comes;
//! that also holds for what an AS4_PATH brings from behind a two-octet neighbour, and is for the operator to switch off. What an
//! internal peer says has been judged where it came in.

use std::net::{IpAddr, Ipv4Addr};

use palisade_bgp::update::{Context, Decoder};
use palisade_bgp::{Asn, Net};
use palisade_policy::{Checks, Mode, Peer, Reason, Role, Snapshot, judge};

const OURS: Asn = Asn(3320);
const NEIGHBOR: Asn = Asn(3356);

/// Segments (type, ASNs) as a four-octet AS_PATH has them.
fn as_path(segments: &[(u8, &[u32])]) -> Vec<u8> {
    let mut value = Vec::new();
    for (kind, asns) in segments {
        value.extend([*kind, asns.len() as u8]);
        value.extend(asns.iter().flat_map(|asn| asn.to_be_bytes()));
    }
    [&[0x40, 2, value.len() as u8][..], &value].concat()
}

fn verdict(path: &[u8], four_octet_as: bool, role: Role, checks: Checks) -> Option<Reason> {
    let attributes = [&[0x40, 1, 1, 0][..], path, &[0x40, 3, 4, 192, 0, 2, 2]].concat();
    let length = (attributes.len() as u16).to_be_bytes();
    let body = [&[0, 0][..], &length, &attributes, &[24, 193, 0, 0]].concat();
    let mut decoder = Decoder::new();
    let update = decoder.update(&body, &Context { four_octet_as, ..Context::default() }).unwrap();
    let (attributes, _) = update.announced::<u32>().unwrap();
    let mut peer = Peer::new(NEIGHBOR, OURS, Some(role), IpAddr::from(Ipv4Addr::new(192, 0, 2, 2)));
    peer.checks = checks;
    judge(Net::<u32>::new(0xc100_0000, 24), &attributes, &peer, &Snapshot::default(), &mut ()).reason
}

#[test]
fn a_path_with_an_as_set_is_refused_from_every_external_peer_by_default() {
    let sequence = as_path(&[(2, &[NEIGHBOR.0, 1299])]);
    // At its end, as an aggregator leaves it; between; of one AS, which says no less.
    let sets = [
        as_path(&[(2, &[NEIGHBOR.0]), (1, &[1299, 2914])]),
        as_path(&[(2, &[NEIGHBOR.0]), (1, &[1299, 2914]), (2, &[174])]),
        as_path(&[(2, &[NEIGHBOR.0]), (1, &[1299])]),
    ];
    for role in Role::ALL.into_iter().filter(|role| *role != Role::Internal) {
        let checks = Checks::for_role(role, false);
        assert_ne!(verdict(&sequence, true, role, checks), Some(Reason::AsSetInPath), "{role}");
        for path in &sets {
            assert_eq!(verdict(path, true, role, checks), Some(Reason::AsSetInPath), "{role}: {path:02x?}");
        }
    }
}

#[test]
fn a_set_that_as4_path_brings_is_one() {
    // AS_PATH 3356 {AS_TRANS}, AS4_PATH {196700}.
    let two_octets = [0x40, 2, 8, 2, 1, 0x0d, 0x1c, 1, 1, 0x5b, 0xa0];
    let as4_path = [0xc0, 17, 6, 1, 1, 0, 3, 0, 0x5c];
    let path = [&two_octets[..], &as4_path].concat();
    let checks = Checks::for_role(Role::Provider, false);
    assert_eq!(verdict(&path, false, Role::Provider, checks), Some(Reason::AsSetInPath));
}

#[test]
fn an_operator_can_let_them_in() {
    let path = as_path(&[(2, &[NEIGHBOR.0]), (1, &[1299, 2914])]);
    assert_eq!(verdict(&path, true, Role::Provider, Checks::all(Mode::Off)), None);
}
