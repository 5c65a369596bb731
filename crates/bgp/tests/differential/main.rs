//! Our decoder against `rustbgpd-wire` and `bgpkit-parser`, on messages made by chance, on the same with faults in them, and on real
//! ones.
//!
//!   sound message --body--> [spoilt] --> ours     \
//!   real message  -------->  [octets] -> rustbgpd  --> differences, by signature --> explained.txt
//!                            [mutated]-> bgpkit   /
//!
//! Every difference must stand in `explained.txt`, with who is right and by which words of which RFC. A difference that does not is a
//! failure: it is a fault of ours, or of theirs to be written down. The short run is part of every `cargo test`; the long one, of
//! millions, is asked for: `cargo test --release -p palisade-bgp --test differential -- --ignored --show-output`.
#![expect(clippy::unwrap_used, reason = "a test stops where its own input is wrong")]

mod bgpkit;
mod explained;
mod message;
#[expect(dead_code, reason = "who sent a message is of interest to other tests")]
#[path = "../mrt/mod.rs"]
mod mrt;
#[path = "../random/mod.rs"]
mod random;
mod rustbgpd;
mod view;

use explained::Tally;
use message::Message;
use palisade_bgp::message::{HEADER_LEN, MAX_EXTENDED_LEN, MessageKind, frame};
use palisade_bgp::{Context, Decoder};
use random::{Rng, mutate};
use view::{Verdict, View};

/// Compares what each decoder makes of one body.
fn compare(body: &[u8], context: &Context, decoder: &mut Decoder, tally: &mut Tally) {
    let ours = View::ours(decoder, body, context);
    let shown =
        || format!("{context:?} {}", body.iter().map(|octet| format!("{octet:02x}")).collect::<String>());
    tally.count("rustbgpd", ours.difference(&rustbgpd::view(body, context), rustbgpd::says), shown);
    tally.count("bgpkit", against_bgpkit(&ours, body, context), shown);
}

/// What is no fault for us must be none for it, and the same in every word; of what is one, it must at least warn.
fn against_bgpkit(ours: &View, body: &[u8], context: &Context) -> Option<String> {
    let clean = ours.verdict == Verdict::Believed && ours.reason.is_empty();
    let found = match &ours.verdict {
        Verdict::Reset(code, subcode) => format!("reset {code}/{subcode} {}", ours.reason).trim_end().into(),
        _ => ours.reason.clone(),
    };
    match bgpkit::view(body, context) {
        Err(_) if clean => Some("believed | refused".into()),
        Ok((_, Some(warning))) if clean => Some(format!("believed | {warning}")),
        Ok((theirs, None)) if clean => ours.difference(&theirs, bgpkit::says),
        Ok((_, None)) => Some(format!("{found} | no warning")),
        _ => None,
    }
}

/// `count` messages that are in order, each followed by three that may not be.
fn run(seed: u64, count: usize, tally: &mut Tally) {
    let (mut rng, mut decoder) = (Rng(seed), Decoder::new());
    for _ in 0..count {
        let mut message = Message::sound(&mut rng);
        let sound = message.body();
        let ours = View::ours(&mut decoder, &sound, &message.context);
        assert_eq!((ours.verdict, ours.reason.as_str()), (Verdict::Believed, ""), "{sound:02x?}");
        compare(&sound, &message.context, &mut decoder, tally);
        compare(&mutate(&sound, &mut rng), &message.context, &mut decoder, tally);
        for _ in 0..2 {
            message.spoil(&mut rng);
            compare(&message.body(), &message.context, &mut decoder, tally);
        }
    }
}

/// Archives of different writers, peers and times.
const REAL: [&str; 4] = [
    "sydney.updates.20220601.0230.bz2",
    "rrc15.updates.20100227.1600.gz",
    "ripe-bgpdump.updates.20160811.1600.gz",
    "rrc01.updates.20241001.0055.gz",
];

/// Messages of each archive, at most `most`, each followed by a changed one.
fn run_real(most: usize, tally: &mut Tally) {
    let Some(folder) = mrt::archives() else { return };
    let (mut rng, mut decoder) = (Rng(0x5eed_0002), Decoder::new());
    for name in REAL {
        let archive = mrt::read(&folder.join(name));
        for archived in mrt::messages(&archive).into_iter().take(most) {
            let Ok(Some((MessageKind::Update, end))) = frame(archived.message, MAX_EXTENDED_LEN) else {
                continue;
            };
            let body = &archived.message[HEADER_LEN..end];
            let context = Context { four_octet_as: archived.four_octet_as, ..Context::default() };
            compare(body, &context, &mut decoder, tally);
            compare(&mutate(body, &mut rng), &context, &mut decoder, tally);
        }
    }
}

#[test]
fn every_difference_to_other_decoders_is_explained() {
    let mut tally = Tally::new();
    run(0x5eed_0001, 12_000, &mut tally);
    run_real(1500, &mut tally);
    tally.conclude(false);
}

#[test]
#[ignore = "millions of messages: for optimized builds, a minute"]
fn every_difference_in_millions_of_messages_is_explained() {
    let mut tally = Tally::new();
    (1..=8).for_each(|seed| run(0x5eed_0000 + seed * 7919, 150_000, &mut tally));
    run_real(usize::MAX, &mut tally);
    tally.conclude(true);
}
