//! RFC 5492 and RFC 9072: how capabilities are written into an OPEN, and what comes of those that nobody knows, that are
//! wrong, or that are missing.

use palisade_bgp::notification::Notification;
use palisade_bgp::{Family, SessionConfig};

use crate::speaker::{THEIRS, config, negotiate, open_with, parameters};

/// What is agreed on with both families asked for: the families, or a NOTIFICATION's code, subcode and data.
type Outcome = Result<[bool; 2], (u8, u8, &'static [u8])>;

const SYNTAX: Outcome = Err((2, 0, &[]));

/// Optional parameters, from their length on.
#[rustfmt::skip]
const PARAMETERS: [(&str, &[u8], Outcome); 24] = [
    ("none at all", &[0], Ok([true, false])),
    ("RFC 4760 s8: a family is agreed on where both list it", &[8, 2, 6, 1, 4, 0, 2, 0, 1], Ok([false, true])),
    ("one parameter with two", &[14, 2, 12, 1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1], Ok([true, true])),
    ("s4: a parameter each", &[16, 2, 6, 1, 4, 0, 1, 0, 1, 2, 6, 1, 4, 0, 2, 0, 1], Ok([true, true])),
    ("s4: twice the same", &[16, 2, 6, 1, 4, 0, 1, 0, 1, 2, 6, 1, 4, 0, 1, 0, 1], Ok([true, false])),
    ("an empty parameter", &[2, 2, 0], Ok([true, false])),
    ("s3: one that nobody knows is ignored", &[5, 2, 3, 200, 1, 7], Ok([true, false])),
    ("s3: and so is route refresh of before RFC 2918", &[4, 2, 2, 128, 0], Ok([true, false])),
    ("multicast alone: what we ask for is quoted", &[8, 2, 6, 1, 4, 0, 1, 0, 2],
        Err((2, 7, &[1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1]))),
    ("a capability that overruns its parameter", &[6, 2, 4, 1, 4, 0, 1], SYNTAX),
    ("a capability without a length", &[3, 2, 1, 1], SYNTAX),
    ("a parameter that overruns the field", &[4, 2, 6, 2, 0], SYNTAX),
    ("a field that is shorter than said", &[9, 2, 6, 1, 4, 0, 2, 0, 1], SYNTAX),
    ("octets behind the field", &[4, 2, 2, 2, 0, 0], SYNTAX),
    ("RFC 4271 s6.2: a parameter that is no capabilities", &[3, 1, 1, 0], Err((2, 4, &[]))),
    ("a family of the wrong length", &[7, 2, 5, 1, 3, 0, 1, 0], SYNTAX),
    ("RFC 9072 s2: the extended form", &[255, 255, 0, 9, 2, 0, 6, 1, 4, 0, 2, 0, 1], Ok([false, true])),
    ("RFC 9072 s2: whatever the first octet, but for 0", &[1, 255, 0, 9, 2, 0, 6, 1, 4, 0, 2, 0, 1], Ok([false, true])),
    ("RFC 9072 s2: with nothing in it", &[255, 255, 0, 0], Ok([true, false])),
    ("RFC 9072 s2: two parameters", &[255, 255, 0, 12, 2, 0, 0, 2, 0, 6, 1, 4, 0, 2, 0, 1], Ok([false, true])),
    ("RFC 9072 s2: its length is too long", &[255, 255, 0, 10, 2, 0, 6, 1, 4, 0, 2, 0, 1], SYNTAX),
    ("RFC 9072 s2: a parameter of it overruns", &[255, 255, 0, 9, 2, 0, 7, 1, 4, 0, 2, 0, 1], SYNTAX),
    ("RFC 9072 s2: it ends in the middle of a length", &[255, 255, 0, 2, 2, 0], SYNTAX),
    ("RFC 9072 s3: a first length of 0 is no parameters, and then octets behind", &[0, 255, 0, 0], SYNTAX),
];

#[test]
fn capabilities_are_read_and_those_that_nobody_knows_ignored() {
    for (what, parameters, expected) in PARAMETERS {
        let came = negotiate(config(), &open_with(THEIRS, [192, 0, 2, 2], parameters));
        let expected = expected.map_err(|(code, subcode, data)| Notification::new(code, subcode, data));
        assert_eq!(came.map(|negotiated| negotiated.families), expected, "{what}");
    }
}

#[test]
fn a_family_that_only_we_list_is_asked_for_by_name() {
    let only_six = SessionConfig { families: vec![Family::Ipv6], ..config() };
    let came = negotiate(only_six, &open_with(THEIRS, [192, 0, 2, 2], &parameters(&[])));
    assert_eq!(came, Err(Notification::new(2, 7, &[1, 4, 0, 2, 0, 1])));
}

/// Capabilities that we know, of every length that they have not.
#[test]
fn a_capability_of_the_wrong_length_is_refused_rather_than_guessed() {
    type Has = fn(usize) -> bool;
    let lengths: [(u8, Has); 10] = [
        (1, |len| len == 4),
        (2, |len| len == 0),
        (5, |len| len % 6 == 0),
        (6, |len| len == 0),
        (9, |len| len == 1),
        (64, |len| len % 4 == 2),
        (65, |len| len == 4),
        (70, |len| len == 0),
        (71, |len| len % 7 == 0),
        // RFC 7911 s4: ignored.
        (69, |_| true),
    ];
    for (code, has) in lengths {
        for len in 0..40 {
            let capability = [&[code, len as u8][..], &vec![1; len]].concat();
            // Four octets of ones are AS16843009, which is not the peer: that is another table's.
            if code == 65 && len == 4 {
                continue;
            }
            let families = [1, 4, 0, 1, 0, 1];
            let all = [&families[..], &capability].concat();
            let came = negotiate(config(), &open_with(THEIRS, [192, 0, 2, 2], &parameters(&all)));
            let refused = came == Err(Notification::new(2, 0, &[]));
            assert_eq!(refused, !has(len), "{code} of {len} octets: {came:?}");
        }
    }
}
