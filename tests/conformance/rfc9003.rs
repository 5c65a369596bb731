//! RFC 8203 and RFC 9003: the words that go with a shutdown or a reset, and RFC 9687: a peer that does not read.

use std::time::Duration;

use palisade_bgp::SessionConfig;
use palisade_bgp::message::keepalive;
use palisade_bgp::notification::{Cease, Notification};

use crate::speaker::{OUT, PLAIN, Speaker, config};

/// What an operator says, and the data that says it.
#[test]
fn words_are_sent_up_to_255_octets_and_in_whole_characters() {
    let [a255, a256] = [255, 256].map(|count| "a".repeat(count));
    let long = "é".repeat(200);
    for (words, sent) in
        [("", ""), ("maintenance", "maintenance"), (&a255, &a255), (&a256, &a255), (&long, &long[..254])]
    {
        for cease in [Cease::AdministrativeShutdown(words.into()), Cease::AdministrativeReset(words.into())] {
            let notification = Notification::from(&cease);
            let counted = [&[sent.len() as u8], sent.as_bytes()].concat();
            // Where there is nothing to say, there is no length either (RFC 4486 had no data).
            let data = if sent.is_empty() { vec![] } else { counted };
            assert_eq!(notification.data, data, "{words}");
            assert_eq!(notification.communication(), (!sent.is_empty()).then(|| sent.to_string()));
        }
    }
}

/// The code, subcode and data that come, and how they are shown.
#[rustfmt::skip]
const SHOWN: [(u8, u8, &[u8], &str); 14] = [
    (6, 2, &[], "cease: administrative shutdown (6/2)"),
    (6, 2, &[0], "cease: administrative shutdown (6/2)"),
    (6, 2, b"\x04disk", "cease: administrative shutdown (6/2) \"disk\""),
    (6, 4, b"\x04disk", "cease: administrative reset (6/4) \"disk\""),
    // Octets behind it are not shown; a length that is not there shows nothing (s3).
    (6, 2, b"\x02disk", "cease: administrative shutdown (6/2) \"di\""),
    (6, 2, b"\x05disk", "cease: administrative shutdown (6/2)"),
    // s4: what is no UTF-8, and what a terminal would obey.
    (6, 2, b"\x03a\xffb", "cease: administrative shutdown (6/2) \"a\u{fffd}b\""),
    (6, 2, b"\x06\x1b[2J\n\"", "cease: administrative shutdown (6/2) \"\\u{1b}[2J\\n\\\"\""),
    (6, 2, "\u{6}ü\u{202e}x".as_bytes(), "cease: administrative shutdown (6/2) \"ü\\u{202e}x\""),
    // Others have no words.
    (6, 3, b"\x04disk", "cease: peer de-configured (6/3)"),
    (6, 10, &[], "cease: BFD down (6/10)"),
    (2, 2, b"\x04disk", "OPEN message error: bad peer AS (2/2)"),
    (6, 9, b"\x06\x02\x04disk", "cease: hard reset (6/9), cease: administrative shutdown (6/2) \"disk\""),
    (99, 3, &[], "unknown error (99/3)"),
];

#[test]
fn what_a_peer_says_is_shown_in_words_that_can_forge_nothing() {
    for (code, subcode, data, shown) in SHOWN {
        let mut speaker = Speaker::established(config(), &PLAIN);
        let told = speaker.hear(OUT, &Notification::new(code, subcode, data).encode());
        assert_eq!(told, [format!("Down received {shown}")]);
    }
}

/// RFC 9687 s3: eight minutes, or twice the hold time where that is longer. Our hold time in seconds, the peer's, and after how many
/// seconds it is given up; a peer that does not read speaks all the while.
#[test]
fn a_peer_that_does_not_read_is_given_up_after_the_send_hold_time() {
    for (hold_time_s, given_up_s) in [(9, 480), (3, 480)] {
        let config = SessionConfig { hold_time_s, ..config() };
        let mut speaker = Speaker::established(config, &PLAIN);
        let began = speaker.now;
        let mut told = Vec::new();
        while told.is_empty() {
            told = speaker.hear(OUT, &keepalive());
            told.extend(speaker.pass(Duration::from_secs(1)));
        }
        assert_eq!(told, ["Down sent send hold timer expired (8/0)"]);
        // It begins with the first KEEPALIVE that stays where it is.
        let waited = speaker.now.duration_since(began).as_secs();
        assert!((given_up_s..given_up_s + 10).contains(&waited), "{waited}");
    }
}

/// s3: while the peer reads, however slowly, nothing is given up.
#[test]
fn a_peer_that_reads_is_not_given_up() {
    let mut speaker = Speaker::established(config(), &PLAIN);
    for _ in 0..2000 {
        assert!(speaker.hear(OUT, &keepalive()).is_empty());
        assert!(speaker.pass(Duration::from_secs(1)).is_empty());
        speaker.said(OUT);
    }
}
