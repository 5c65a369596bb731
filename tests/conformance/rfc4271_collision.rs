//! RFC 4271 s6.8 and RFC 6286 s2.3: two connections with one peer, of which one is to go.

use std::net::Ipv4Addr;

use palisade_bgp::message::keepalive;
use palisade_bgp::session::{Action, ConnectionId};
use palisade_bgp::{Asn, SessionConfig};

use crate::speaker::{IN, OUT, PLAIN, Speaker, config, open, open_with, parameters};

/// How far the connection is that has not heard an OPEN yet, when the other one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Other {
    OpenSent,
    OpenConfirm,
}

/// Our identifier (the peer's is 192.0.2.2), our AS (the peer's is 64501), and the connection that is kept.
const CASES: [([u8; 4], u32, ConnectionId); 6] = [
    ([192, 0, 2, 1], 64500, IN),
    ([192, 0, 2, 3], 64500, OUT),
    // As unsigned numbers in the order of their octets.
    ([9, 255, 255, 255], 64500, IN),
    ([200, 0, 0, 0], 64500, OUT),
    // RFC 6286 s2.3: of equal identifiers, that of the higher AS.
    ([192, 0, 2, 2], 64500, IN),
    ([192, 0, 2, 2], 64502, OUT),
];

#[test]
fn the_connection_of_the_higher_identifier_is_kept_whichever_hears_an_open_last() {
    for (id, asn, kept) in CASES {
        for (first, other) in [
            (OUT, Other::OpenSent),
            (IN, Other::OpenSent),
            (OUT, Other::OpenConfirm),
            (IN, Other::OpenConfirm),
        ] {
            let what = format!("{id:?} AS{asn}, an OPEN on {first:?}, the other in {other:?}");
            let mut speaker = two(id, asn);
            let octets = open(&PLAIN);
            if other == Other::OpenConfirm {
                // The peer's OPEN on both: the other one gets there first.
                speaker.hear(first.other(), &octets);
                if first.other() != kept {
                    // It was to go at once.
                    assert_eq!(speaker.said(first.other()), [dropped()], "{what}");
                    continue;
                }
            }
            speaker.hear(first, &octets);
            let gone = kept.other();
            assert_eq!(speaker.said(gone), [dropped()], "{what}");
            assert_eq!(speaker.session.poll_action(), Some(Action::Close(gone)), "{what}");
            speaker.session.connection_closed(gone, speaker.now);
            // Nobody is told of a failure, and the one that is kept comes up.
            speaker.hear(kept, if first == kept || other == Other::OpenConfirm { &[] } else { &octets });
            assert_eq!(speaker.hear(kept, &keepalive()), ["Established"], "{what}");
        }
    }
}

fn dropped() -> String {
    "cease: connection collision resolution (6/7)".into()
}

/// Both connections are open, and our OPENs are sent.
fn two(id: [u8; 4], asn: u32) -> Speaker {
    let config = SessionConfig { router_id: Ipv4Addr::from(id), local_asn: Asn(asn), ..config() };
    let mut speaker = Speaker::open_sent(config);
    assert!(speaker.session.accepts_incoming());
    speaker.session.connected(IN, speaker.now);
    assert_eq!(speaker.said(IN), ["OPEN"]);
    speaker
}

/// s6.8: a connection that is Established stays, whoever has the higher identifier; a second one is turned away, or ends with an OPEN.
#[test]
fn an_established_connection_stays() {
    for id in [[192, 0, 2, 1], [192, 0, 2, 3]] {
        let kept = if id[3] == 1 { IN } else { OUT };
        let mut speaker = two(id, 64500);
        speaker.hear(kept, &open(&PLAIN));
        assert_eq!(speaker.hear(kept, &keepalive()), ["Established"]);
        assert!(!speaker.session.accepts_incoming() || kept == IN);
        assert_eq!(speaker.said(kept.other()), [dropped()]);
    }
}

/// An OPEN that is refused ends its own connection alone.
#[test]
fn a_bad_open_on_one_leaves_the_other() {
    let mut speaker = two([192, 0, 2, 1], 64500);
    let stranger = open_with(Asn(64999), [192, 0, 2, 9], &parameters(&PLAIN[..12]));
    assert_eq!(speaker.hear(IN, &stranger), ["Failed sent OPEN message error: bad peer AS (2/2)"]);
    assert_eq!(speaker.said(OUT), Vec::<String>::new());
    speaker.hear(OUT, &open(&PLAIN));
    assert_eq!(speaker.hear(OUT, &keepalive()), ["Established"]);
}
