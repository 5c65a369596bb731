//! RFC 2918 and RFC 7313: what a ROUTE-REFRESH leads to, by its family, its subtype, its length, and what was agreed on.

use palisade_bgp::message::MessageKind;
use palisade_bgp::notification::Notification;
use palisade_bgp::session::{DownReason, Event, State};

use crate::speaker::{OUT, Speaker, config, message, open};

/// IPv4 and route refresh; and enhanced refresh besides.
const PLAIN: [u8; 8] = [1, 4, 0, 1, 0, 1, 2, 0];
const ENHANCED: [u8; 10] = [1, 4, 0, 1, 0, 1, 2, 0, 70, 0];

/// Passed over, and told so that it can be logged.
const IGNORED: &str = "RefreshIgnored";

/// The body of a message, what it is told as without enhanced refresh, and with it; `7/1` is the end of the session.
const CASES: [(&[u8], &str, &str); 16] = [
    (&[0, 1, 0, 1], "RouteRefresh IPv4", "RouteRefresh IPv4"),
    (&[0, 1, 1, 1], IGNORED, "RefreshBegins IPv4"),
    (&[0, 1, 2, 1], IGNORED, "RefreshEnds IPv4"),
    // s5: subtypes that nobody has defined are ignored, whatever their length.
    (&[0, 1, 3, 1], IGNORED, IGNORED),
    (&[0, 1, 255, 1], IGNORED, IGNORED),
    (&[0, 1, 3, 1, 0], IGNORED, IGNORED),
    // Families that were not agreed on, that we do not route, and that nobody knows.
    (&[0, 2, 0, 1], IGNORED, IGNORED),
    (&[0, 2, 1, 1], IGNORED, IGNORED),
    (&[0, 2, 2, 1], IGNORED, IGNORED),
    (&[0, 1, 0, 2], IGNORED, IGNORED),
    (&[0, 25, 0, 70], IGNORED, IGNORED),
    // RFC 5291: a request may have filters behind it, which we never said that we take; the request stands.
    (&[0, 1, 0, 1, 1, 128, 0, 0], "RouteRefresh IPv4", "RouteRefresh IPv4"),
    // s5: a mark of another length, whatever its family.
    (&[0, 1, 1, 1, 0], IGNORED, "7/1"),
    (&[0, 1, 2, 1, 0], IGNORED, "7/1"),
    (&[0, 25, 1, 70, 0], IGNORED, "7/1"),
    (&[0, 1, 2, 1, 0, 0, 0, 0], IGNORED, "7/1"),
];

#[test]
fn a_refresh_is_what_its_subtype_says_where_both_ends_know_that() {
    for (body, plain, enhanced) in CASES {
        for (capabilities, expected) in [(&PLAIN[..], plain), (&ENHANCED, enhanced)] {
            let mut speaker = Speaker::established(config(), capabilities);
            let refresh = message(MessageKind::RouteRefresh, body);
            if expected == "7/1" {
                // The data is the whole message.
                refused(&mut speaker, &refresh, &Notification::new(7, 1, &refresh));
            } else {
                assert_eq!(speaker.hear(OUT, &refresh).concat(), expected, "{body:?}");
                assert_eq!(speaker.session.state(), State::Established, "{body:?}");
            }
        }
    }
}

/// RFC 4271 s6.1: three octets are not even that.
#[test]
fn a_message_too_short_for_a_family_is_no_refresh() {
    for len in 0..4 {
        let mut speaker = Speaker::established(config(), &ENHANCED);
        let short = message(MessageKind::RouteRefresh, &vec![1; len]);
        refused(&mut speaker, &short, &Notification::new(1, 2, &[0, 19 + len as u8]));
    }
}

fn refused(speaker: &mut Speaker, octets: &[u8], expected: &Notification) {
    speaker.session.input(OUT).extend_from_slice(octets);
    let Some(Event::Down { reason, .. }) = speaker.session.next_event(speaker.now) else { panic!() };
    let DownReason::Sent { notification, cause } = reason else { panic!("{reason}") };
    assert_eq!(&notification, expected);
    assert!(cause.total() > 0 && octets.windows(cause.octets().len()).any(|part| part == cause.octets()));
}

/// s3: a speaker that says so has both, and takes marks at any time: another beginning while a refresh is under way begins it
/// anew, and an end of nothing is said like any other.
#[test]
fn marks_come_as_they_come() {
    let mut speaker = Speaker::established(config(), &ENHANCED);
    let mark = |subtype| message(MessageKind::RouteRefresh, &[0, 1, subtype, 1]);
    let all: Vec<u8> = [2, 1, 1, 2, 0].into_iter().flat_map(mark).collect();
    let told = speaker.hear(OUT, &all);
    let [ends, begins, asks] = ["RefreshEnds IPv4", "RefreshBegins IPv4", "RouteRefresh IPv4"];
    assert_eq!(told, [ends, begins, begins, ends, asks]);
}

#[test]
fn we_say_that_we_know_both() {
    let mut speaker = Speaker::connecting(config());
    speaker.session.connected(OUT, speaker.now);
    let ours = speaker.session.poll_transmit(OUT).unwrap();
    for capability in [[2, 0], [70, 0]] {
        assert!(ours.windows(2).any(|two| two == capability));
    }
    assert_ne!(ours, open(&ENHANCED));
}
