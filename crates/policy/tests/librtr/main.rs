//! Origin validation against librtr, the client library that FRR validates with: every answer to hundreds of thousands
//! of questions, and to millions over the real VRPs.
//!
//! ```text
//!   VRPs --> cache.rs --RTR--> rpki-rov (librtr)   --> valid, invalid or not found, and the VRPs that say so
//!       \--> RovIndex          questions.rs --> both           \--> must be what the index says, and the same VRPs
//! ```
//!
//! Where librtr is other, or can't be asked:
//!
//! - It can't be asked about a route whose origin is NONE, and is asked about AS 0 instead. By RFC 6811 s2 neither can be
//!   valid: "a Route whose Origin ASN is "NONE" cannot be Matched by any VRP", and "no Route can be Matched by a VRP whose
//!   ASN is zero".
//! - It has one word for both kinds of invalid. Which it is follows from the VRPs that it names, all that cover the route.
//! - It aborts where it is asked with a VRP for the default route among its own ("Prefix Length: [..] between 0 and 32",
//!   RFC 8210 s5.6), so there is none here; `rov_oracle` has them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

mod cache;
mod questions;
#[allow(dead_code, reason = "each test uses its own part")]
#[path = "../../../../tests/support/random.rs"]
mod random;
mod rpki_rov;
#[path = "../support/mod.rs"]
mod support;

use palisade_bgp::Prefix;
use palisade_policy::{RovIndex, RovState, Vrp};

use questions::{around, beside, made_up_vrps};
use random::Random;
use rpki_rov::{Answer, Question, Validity, ask};
use support::{real_routes, real_vrps};

#[test]
fn librtr_says_the_same_of_routes_around_made_up_vrps() {
    if !is_installed("librtr_says_the_same_of_routes_around_made_up_vrps") {
        return;
    }
    let mut random = Random(6811);
    let vrps = made_up_vrps(&mut random, 5_000);
    let questions: Vec<Question> = (0..300_000).map(|_| around(&mut random, &vrps)).collect();
    let counts = compare(&vrps, &questions);
    assert!(counts.iter().flatten().all(|count| *count > 1_000), "every state is met often: {counts:?}");
}

/// The real table, as many routes beside its own, and as many around VRPs.
#[test]
#[ignore = "millions of questions: run as tests/run.sh says"]
fn librtr_says_the_same_of_millions_of_routes_around_the_real_vrps() {
    if !is_installed("librtr_says_the_same_of_millions_of_routes_around_the_real_vrps") {
        return;
    }
    let (Some(vrps), Some(routes)) = (real_vrps(), real_routes()) else { return };
    let mut random = Random(6483);
    let mut questions: Vec<Question> =
        routes.iter().map(|(prefix, origin)| (*prefix, Some(*origin))).collect();
    let table = questions.len();
    questions.extend_from_within(..);
    questions[table..].iter_mut().for_each(|route| *route = beside(&mut random, *route));
    questions.extend((0..2_000_000).map(|_| around(&mut random, &vrps)));
    let counts = compare(&vrps, &questions);
    assert!(counts.iter().flatten().all(|count| *count > 10_000), "every state is met often: {counts:?}");
}

fn is_installed(test: &str) -> bool {
    if !rpki_rov::is_installed() {
        println!("skipped: {test}: there is no rpki-rov here (rtr-tools)");
        return false;
    }
    true
}

/// Asks both; how many answers there were, by family and state.
fn compare(vrps: &[Vrp], questions: &[Question]) -> [[usize; RovState::ALL.len()]; 2] {
    let index = RovIndex::build(vrps.iter().copied());
    let mut counts = [[0; RovState::ALL.len()]; 2];
    ask(cache::serve(vrps), questions, |(prefix, origin), answer| {
        let ours = match prefix {
            Prefix::V4(net) => index.validate(net, origin),
            Prefix::V6(net) => index.validate(net, origin),
        };
        let (theirs, named) = (state((prefix, origin), &answer), answer.vrps);
        assert_eq!(ours, theirs, "{prefix} of {origin:?}, of which librtr says {named:?}");
        assert!(is_founded(&index, prefix, ours, named), "{prefix} of {origin:?}: librtr names other VRPs");
        counts[prefix.family().index()][ours as usize] += 1;
    });
    println!("{} VRPs, {} routes, each judged alike by librtr:", index.len(), questions.len());
    for (family, counts) in ["IPv4", "IPv6"].into_iter().zip(counts) {
        println!("{family}: {:?}", RovState::ALL.map(|state| (state.slug(), counts[state as usize])));
    }
    counts
}

/// librtr's answer in our words.
fn state((_, origin): Question, answer: &Answer) -> RovState {
    let of_origin = |vrp: &Vrp| Some(vrp.asn()) == origin && vrp.asn().0 != 0;
    match answer.validity {
        Validity::Valid => RovState::Valid,
        Validity::NotFound => RovState::NotFound,
        Validity::Invalid if answer.vrps.iter().any(of_origin) => RovState::InvalidLength,
        Validity::Invalid => RovState::InvalidOrigin,
    }
}

/// Whether librtr names the VRPs that we do: all that cover the route, or as many of them as make it valid.
fn is_founded(index: &RovIndex, prefix: Prefix, state: RovState, mut named: Vec<Vrp>) -> bool {
    match state {
        RovState::NotFound => named.is_empty(),
        RovState::Valid => named.iter().all(|vrp| vrp.prefix().covers(prefix) && index.contains(*vrp)),
        RovState::InvalidOrigin | RovState::InvalidLength => {
            let mut covering: Vec<Vrp> = index.covering(prefix).collect();
            covering.sort_unstable();
            named.sort_unstable();
            covering == named
        }
    }
}
