//! RFC 6793 s4: who the peer is, where its AS number takes four octets and where it does not. What AS_PATH and AS4_PATH make
//! of each other is the decoder's, and has its tables with it.

use std::net::Ipv4Addr;

use palisade_bgp::notification::Notification;
use palisade_bgp::{Asn, SessionConfig};

use crate::speaker::{OURS, negotiate, open_with, parameters};

type Case = (u32, u32, Option<u32>, Result<bool, u8>);

/// The AS that is configured; the one in the OPEN's own field; the one in the capability; and whether AS numbers have four octets
/// then, or the subcode of an OPEN Message Error.
const CASES: [Case; 10] = [
    (64501, 64501, None, Ok(false)),
    (64501, 64501, Some(64501), Ok(true)),
    // s4.2.1: a mappable AS number may come as AS_TRANS all the same; the capability counts.
    (64501, 23456, Some(64501), Ok(true)),
    (196_618, 23456, Some(196_618), Ok(true)),
    // s4.1: a peer without the capability can't be of such an AS.
    (196_618, 23456, None, Err(2)),
    (196_618, 23456, Some(196_619), Err(2)),
    (64501, 64501, Some(64502), Err(2)),
    // RFC 7607 s2.
    (64501, 0, None, Err(2)),
    (64501, 64501, Some(0), Err(2)),
    (23456, 23456, None, Ok(false)),
];

#[test]
fn the_capability_says_who_the_peer_is() {
    for (configured, field, capability, expected) in CASES {
        let octets = capability.map(|asn| [&[65, 4][..], &asn.to_be_bytes()].concat()).unwrap_or_default();
        let open = open_with(Asn(field), [192, 0, 2, 2], &parameters(&octets));
        let config = SessionConfig::new(OURS, Ipv4Addr::new(192, 0, 2, 1), Asn(configured));
        let came = negotiate(config, &open).map(|negotiated| negotiated.four_octet_as);
        let expected = expected.map_err(|subcode| Notification::new(2, subcode, &[]));
        assert_eq!(came, expected, "AS{configured}, {field}, {capability:?}");
    }
}

/// RFC 6286 s2: identifiers are unique within an AS, and not 0.
#[test]
fn an_identifier_is_anything_but_nothing_and_ours_within_our_own_as() {
    for (peer, id, expected) in [
        (64501, [192, 0, 2, 1], Ok(())),
        (64501, [0, 0, 0, 0], Err(3)),
        (64501, [255, 255, 255, 255], Ok(())),
        (OURS.0, [192, 0, 2, 1], Err(3)),
        (OURS.0, [192, 0, 2, 2], Ok(())),
    ] {
        let config = SessionConfig::new(OURS, Ipv4Addr::new(192, 0, 2, 1), Asn(peer));
        let came = negotiate(config, &open_with(Asn(peer), id, &[0])).map(drop);
        assert_eq!(came, expected.map_err(|subcode| Notification::new(2, subcode, &[])), "{peer} {id:?}");
    }
}
