//! The fuzz targets as an ordinary test: seeds from real life and from the crashers others met, mutated a few thousand times
//! each, the same way on every run. `fuzz/` runs the same functions for as long as one likes.

mod random;
mod targets;

use random::{Rng, mutate};

/// What a target's corpus has: `fuzz/corpus/<name>`, one input a file, which the fuzzer begins with too.
#[expect(clippy::unwrap_used, reason = "a test stops where its own input is missing")]
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/");
    let mut files: Vec<_> =
        std::fs::read_dir(format!("{folder}{name}")).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Every input of the corpus, and a few changed ones of each.
fn replay(name: &str, target: fn(&[u8])) {
    let corpus = corpus(name);
    assert!(corpus.len() >= 15, "{name} has {} inputs", corpus.len());
    run(target, &corpus, 200);
}

fn run(target: fn(&[u8]), seeds: &[Vec<u8>], each: usize) {
    let mut rng = Rng(0x5eed_5eed);
    for seed in seeds {
        target(seed);
        for _ in 0..each {
            target(&mutate(seed, &mut rng));
        }
    }
}

/// The value of an attribute behind its head.
fn attribute(flags: u8, code: u8, value: &[u8]) -> Vec<u8> {
    [&[flags, code, value.len() as u8], value].concat()
}

fn body(withdrawn: &[u8], attributes: &[u8], nlri: &[u8]) -> Vec<u8> {
    let length = |field: &[u8]| (field.len() as u16).to_be_bytes();
    [&length(withdrawn)[..], withdrawn, &length(attributes), attributes, nlri].concat()
}

fn update_seeds() -> Vec<Vec<u8>> {
    let four = [2, 2, 0, 0, 0xfb, 0xf4, 0, 1, 0x86, 0xa0, 1, 1, 0, 0, 0, 9];
    let two = [2, 2, 0xfb, 0xf4, 0x5b, 0xa0];
    let rest = [
        attribute(0x40, 3, &[192, 0, 2, 1]),
        attribute(0x80, 4, &[0, 0, 0, 9]),
        attribute(0x40, 5, &[0, 0, 0, 100]),
        attribute(0x40, 6, &[]),
    ]
    .concat();
    let lists = [
        attribute(0xc0, 8, &[0, 1, 0, 2, 0xff, 0xff, 2, 0x9a]),
        attribute(0x80, 9, &[1, 1, 1, 1]),
        attribute(0x80, 10, &[1, 1, 1, 1, 2, 2, 2, 2]),
        attribute(0xc0, 16, &[0x40, 2, 0, 0, 0, 0, 0, 1]),
        attribute(0xc0, 32, &[0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]),
        attribute(0xc0, 35, &[0, 0, 0xfb, 0xf4]),
        attribute(0xe0, 99, &[1, 2, 3]),
    ]
    .concat();
    let origin = attribute(0x40, 1, &[0]);
    let wide = [origin.clone(), attribute(0x40, 2, &four), rest.clone(), lists.clone()].concat();
    let narrow = [origin.clone(), attribute(0x40, 2, &two), rest].concat();
    let as4 = [attribute(0xc0, 7, &[0x5b, 0xa0, 1, 2, 3, 4]), attribute(0xc0, 17, &four[..10])].concat();
    let reach = [&[0, 2, 1, 16][..], &[0x20; 16], &[0, 32, 0x20, 1, 0xd, 0xb8, 0]].concat();
    let unreach = attribute(0x80, 15, &[0, 2, 1, 48, 0x20, 1, 0xd, 0xb8, 0, 1]);
    let rest6 = [origin, attribute(0x40, 2, &four), lists].concat();
    let six = [attribute(0x80, 14, &reach), unreach, rest6.clone()].concat();
    let reach = [&reach[..21], &[0, 0, 0, 1, 32, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 2, 0]].concat();
    let unreach = attribute(0x80, 15, &[0, 2, 1, 0, 0, 0, 3, 48, 0x20, 1, 0xd, 0xb8, 0, 1]);
    let six_identified = [attribute(0x80, 14, &reach), unreach, rest6].concat();
    let prefixes = [8, 10, 24, 192, 0, 2, 0, 32, 1, 2, 3, 4];
    let in_context = |flags: u8, body: Vec<u8>| [&[flags][..], &body].concat();
    vec![
        in_context(0, body(&prefixes, &wide, &prefixes)),
        in_context(2, body(&[], &wide, &prefixes)),
        in_context(1, body(&[], &[narrow, as4].concat(), &prefixes)),
        in_context(0, body(&[], &six, &[])),
        in_context(2, body(&[], &six, &[])),
        in_context(4, body(&[0, 0, 0, 1, 8, 10], &wide, &[0, 0, 0, 2, 8, 11])),
        in_context(8, body(&[], &six_identified, &[])),
        in_context(0, body(&[], &[], &[])),
    ]
}

#[test]
fn framing_holds() {
    let message = [&[0xff; 16][..], &[0, 23, 2, 0, 0, 0, 0]].concat();
    run(targets::framing, &[message.clone(), message.repeat(3), targets::peer_open()], 3000);
}

#[test]
fn open_holds() {
    let extended = [4, 0xfb, 0xf4, 0, 90, 192, 0, 2, 1, 255, 255, 0, 9, 2, 0, 6, 1, 4, 0, 1, 0, 1].to_vec();
    run(targets::open, &[targets::peer_open()[19..].to_vec(), extended], 10_000);
}

#[test]
fn update_holds() {
    run(targets::update, &update_seeds(), 4000);
}

#[test]
fn session_holds() {
    // Start, connect, OPEN, KEEPALIVE, an UPDATE, time; and both connections at once.
    let update = update_seeds()[0][1..].to_vec();
    let alone =
        [&[0, 0, 2, 7, 8, 13, update.len() as u8][..], &update, &[0x35, 8, 6, 6, 10, 9, 0x75, 6, 6]].concat();
    let both =
        vec![4, 0, 2, 0x82, 7, 0x87, 8, 0x88, 0x25, 8, 0x88, 1, 0, 6, 2, 7, 8, 4, 6, 6, 0x82, 0x87, 0x88];
    let short = [&both[..], &alone[1..]].concat();
    // The same with path identifiers in both directions.
    let identified = [&[24], &alone[1..]].concat();
    run(
        targets::session,
        &[alone, both, short, identified, vec![1, 0, 0x82, 0x87, 0x88, 12, 3, 1, 2, 3]],
        4000,
    );
}

#[test]
fn every_corpus_holds() {
    replay("framing", targets::framing);
    replay("open", targets::open);
    replay("update", targets::update);
    replay("session", targets::session);
}
