//! What an UPDATE costs to decode and to encode, and what the session machine adds.
#![expect(clippy::unwrap_used, reason = "a bench stops where its own input is wrong")]

use std::net::Ipv4Addr;
use std::time::Instant;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use palisade_bgp::attributes::NextHop;
use palisade_bgp::capability::Capability;
use palisade_bgp::encode::{Format, Rewrite, announcements, attribute_block};
use palisade_bgp::message::{HEADER_LEN, keepalive};
use palisade_bgp::open::Open;
use palisade_bgp::session::{ConnectionId, Event};
use palisade_bgp::{Asn, Context, Decoder, Family, Net, Path, Session, SessionConfig};

fn main() {
    divan::main();
}

/// ORIGIN, an AS_PATH of five, MED, and six communities: what most of the Internet's table looks like.
fn block() -> Vec<u8> {
    let mut out = vec![0x40, 1, 1, 0, 0x40, 2, 22, 2, 5];
    [64500u32, 3356, 1299, 6939, 210_000].iter().for_each(|asn| out.extend(asn.to_be_bytes()));
    out.extend([0x80, 4, 4, 0, 0, 0, 50, 0xc0, 8, 24]);
    (0..6u32).for_each(|n| out.extend((0xfbf4_0000 + n).to_be_bytes()));
    out
}

fn hop4() -> NextHop {
    NextHop::V4(Ipv4Addr::new(192, 0, 2, 1))
}

fn hop6() -> NextHop {
    NextHop::V6 { global: "2001:db8::1".parse().unwrap(), link_local: None }
}

fn message4(count: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let paths = (0..count).map(|n| Net::<u32>::new(0x0a00_0000 + (n << 8), 24).into());
    announcements(&block(), hop4(), paths, Format::PLAIN, &mut out).unwrap();
    out
}

fn message6(count: u128) -> Vec<u8> {
    let mut out = Vec::new();
    let paths = (0..count).map(|n| Net::<u128>::new((0x2001_0db8 << 96) + (n << 80), 48).into());
    announcements(&block(), hop6(), paths, Format::PLAIN, &mut out).unwrap();
    out
}

/// Bodies of an extended message's size that are as dear as a peer can make them.
fn dear(kind: &str) -> Vec<u8> {
    const ROOM: usize = 65_535 - HEADER_LEN - 64;
    let long = |flags: u8, code: u8, value: &[u8]| {
        [&[flags | 0x10, code][..], &(value.len() as u16).to_be_bytes(), value].concat()
    };
    let extra = match kind {
        "the same attribute again and again" => [0xc0, 99, 0].repeat(ROOM / 3),
        "every type in disorder, and again" => {
            (0..ROOM / 3).flat_map(|n| [0xc0, 255 - (n % 200) as u8, 0]).collect()
        }
        "large communities, all different" => long(
            0xc0,
            32,
            &(0..5_400u32).flat_map(|n| [n, 1, 2]).flat_map(u32::to_be_bytes).collect::<Vec<u8>>(),
        ),
        "large communities, the last one twice" => {
            let items = (0..5_400u32).map(|n| 5_398 - n.min(5_398));
            long(0xc0, 32, &items.flat_map(|n| [n, 1, 2]).flat_map(u32::to_be_bytes).collect::<Vec<u8>>())
        }
        _ => Vec::new(),
    };
    let attributes =
        [&[0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, 0, 0, 0xfb, 0xf4, 0x40, 3, 4, 192, 0, 2, 1][..], &extra].concat();
    let nlri: &[u8] = if extra.is_empty() { &[0; ROOM] } else { &[8, 10] };
    [&[0, 0][..], &(attributes.len() as u16).to_be_bytes(), &attributes, nlri].concat()
}

/// The worst of an UPDATE of 65,535 octets, its prefixes read.
#[divan::bench(args = [
    "the same attribute again and again",
    "every type in disorder, and again",
    "large communities, all different",
    "large communities, the last one twice",
    "default routes and nothing else",
])]
fn decode_the_worst(bencher: Bencher<'_, '_>, kind: &str) {
    let (body, mut decoder, context) = (dear(kind), Decoder::new(), Context::default());
    bencher.counter(divan::counter::BytesCount::new(body.len())).bench_local(|| {
        let update = decoder.update(black_box(&body), &context).unwrap();
        update.announced::<u32>().map_or(0, |(_, nlri)| nlri.count())
    });
}

#[divan::bench(args = [1, 4, 200])]
fn decode_ipv4(bencher: Bencher<'_, '_>, prefixes: u32) {
    let message = message4(prefixes);
    let (mut decoder, context) = (Decoder::new(), Context::default());
    bencher.counter(ItemsCount::new(prefixes)).bench_local(|| {
        let update = decoder.update(black_box(&message[HEADER_LEN..]), &context).unwrap();
        let (attributes, nlri) = update.announced::<u32>().unwrap();
        black_box(attributes.facts.origin_as);
        nlri.fold(0, |sum, path| sum ^ path.net.address())
    });
}

#[divan::bench(args = [1, 4, 150])]
fn decode_ipv6(bencher: Bencher<'_, '_>, prefixes: u32) {
    let message = message6(prefixes.into());
    let (mut decoder, context) = (Decoder::new(), Context::default());
    bencher.counter(ItemsCount::new(prefixes)).bench_local(|| {
        let update = decoder.update(black_box(&message[HEADER_LEN..]), &context).unwrap();
        let (attributes, nlri) = update.announced::<u128>().unwrap();
        black_box(attributes.facts.origin_as);
        nlri.fold(0, |sum, path| sum ^ path.net.address())
    });
}

#[divan::bench]
fn decode_ipv4_from_a_two_octet_peer(bencher: Bencher<'_, '_>) {
    let (wide, mut decoder, mut block) = (message4(1), Decoder::new(), Vec::new());
    let update = decoder.update(&wide[HEADER_LEN..], &Context::default()).unwrap();
    let (attributes, nlri) = update.announced::<u32>().unwrap();
    let rewrite = Rewrite { four_octet_as: false, ..Rewrite::external(hop4()) };
    attribute_block(&attributes, &rewrite, &mut block);
    let mut message = Vec::new();
    announcements(&block, hop4(), nlri, Format::PLAIN, &mut message).unwrap();
    let (mut decoder, context) = (Decoder::new(), Context { four_octet_as: false, ..Context::default() });
    bencher.bench_local(|| {
        let update = decoder.update(black_box(&message[HEADER_LEN..]), &context).unwrap();
        update.announced::<u32>().map(|(attributes, _)| attributes.facts.path_length)
    });
}

#[divan::bench(args = [1, 4, 200])]
fn encode_ipv4(bencher: Bencher<'_, '_>, prefixes: u32) {
    let (block, mut out) = (block(), Vec::with_capacity(1 << 16));
    bencher.bench_local(|| {
        out.clear();
        let paths = (0..prefixes).map(|n| Net::<u32>::new(0x0a00_0000 + (n << 8), black_box(24)).into());
        announcements(black_box(&block), hop4(), paths, Format::PLAIN, &mut out).unwrap();
        out.len()
    });
}

/// What path identifiers add.
#[divan::bench(args = [1, 4, 200])]
fn encode_ipv4_with_add_path(bencher: Bencher<'_, '_>, prefixes: u32) {
    let (block, mut out) = (block(), Vec::with_capacity(1 << 16));
    let format = Format { add_path: true, ..Format::PLAIN };
    bencher.bench_local(|| {
        out.clear();
        let net = |n: u32| Net::<u32>::new(0x0a00_0000 + (n << 8), black_box(24));
        let paths = (0..prefixes).map(|n| Path { path_id: n, net: net(n) });
        announcements(black_box(&block), hop4(), paths, black_box(format), &mut out).unwrap();
        out.len()
    });
}

#[divan::bench]
fn encode_ipv6(bencher: Bencher<'_, '_>) {
    let (block, hop, mut out) = (block(), hop6(), Vec::with_capacity(1 << 16));
    bencher.bench_local(|| {
        out.clear();
        let paths = std::iter::once(Net::<u128>::new(0x2001_0db8 << 96, black_box(48)).into());
        announcements(black_box(&block), hop, paths, Format::PLAIN, &mut out).unwrap();
        out.len()
    });
}

#[divan::bench]
fn rewrite_attributes(bencher: Bencher<'_, '_>) {
    let (message, mut decoder) = (message4(1), Decoder::new());
    let update = decoder.update(&message[HEADER_LEN..], &Context::default()).unwrap();
    let (attributes, _) = update.announced::<u32>().unwrap();
    let rewrite = Rewrite { prepend: Some((Asn(64499), 1)), ..Rewrite::external(hop4()) };
    let mut out = Vec::with_capacity(1 << 12);
    bencher.bench_local(|| {
        out.clear();
        attribute_block(black_box(&attributes), &rewrite, &mut out);
        out.len()
    });
}

/// A read's worth of UPDATEs of one prefix, through the session machine.
#[divan::bench]
fn session_of_500_updates(bencher: Bencher<'_, '_>) {
    let mut session = established();
    let batch = message4(1).repeat(500);
    let now = Instant::now();
    bencher.counter(ItemsCount::new(500u32)).bench_local(|| {
        session.input(ConnectionId::Outgoing).extend_from_slice(&batch);
        let mut sum = 0;
        while let Some(Event::Update(update)) = session.next_event(now) {
            if let Some((attributes, nlri)) = update.announced::<u32>() {
                sum ^= nlri.fold(attributes.wire.len() as u32, |sum, path| sum ^ path.net.address());
            }
        }
        sum
    });
}

fn established() -> Session {
    let (us, peer) = (Asn(64499), Asn(64500));
    let now = Instant::now();
    let mut session = Session::new(SessionConfig::new(us, Ipv4Addr::new(192, 0, 2, 9), peer), 1);
    session.start(now);
    session.poll_action();
    session.connected(ConnectionId::Outgoing, now);
    let mut capabilities: Vec<Capability> = Family::ALL.map(Capability::family).to_vec();
    capabilities.push(Capability::FourOctetAs(peer));
    let open = Open { asn: peer, hold_time_s: 90, router_id: Ipv4Addr::new(192, 0, 2, 1), capabilities };
    let input = session.input(ConnectionId::Outgoing);
    input.extend_from_slice(&open.encode().unwrap());
    input.extend_from_slice(&keepalive());
    assert!(matches!(session.next_event(now), Some(Event::Established(_))));
    session
}
