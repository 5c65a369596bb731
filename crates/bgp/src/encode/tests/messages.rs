//! Whole messages: what is sent comes back from the decoder, and each message is as full as it may be.

use super::*;
use crate::message::frame;

/// Prefixes as they are announced without path identifiers.
fn once_each<A: Address>(nets: &[Net<A>]) -> impl Iterator<Item = Path<A>> {
    nets.iter().copied().map(Path::from)
}

/// Takes the whole messages in `wire` to the decoder.
fn decoded(wire: &[u8], each: impl FnMut(&Update<'_>)) -> usize {
    decoded_in(&Context::default(), wire, each)
}

fn decoded_in(context: &Context, wire: &[u8], mut each: impl FnMut(&Update<'_>)) -> usize {
    let (mut rest, mut count, mut decoder) = (wire, 0, Decoder::new());
    while let Some((kind, total)) = frame(rest, MAX_EXTENDED_LEN).unwrap() {
        assert_eq!(kind, MessageKind::Update);
        each(&decoder.update(&rest[HEADER_LEN..total], context).unwrap());
        rest = &rest[total..];
        count += 1;
    }
    assert!(rest.is_empty());
    count
}

#[test]
fn announcements_come_back_as_they_went_in_many_to_a_message() {
    let attributes = [origin(), path(), attribute(0xc0, 8, &[0, 1, 0, 2])].concat();
    let nets: Vec<Net<u32>> = (0..5000u32).map(|n| Net::new(n << 12, 12 + (n % 13) as u8)).collect();
    let mut wire = Vec::new();
    announcements(&attributes, HOP, once_each(&nets), Format::PLAIN, &mut wire).unwrap();
    let mut back = Vec::new();
    let messages = decoded(&wire, |update| {
        let (got, nlri) = update.announced::<u32>().unwrap();
        assert_eq!((got.wire, got.next_hop), (&attributes[..], HOP));
        back.extend(nlri.map(|path| path.net));
    });
    assert!(back == nets);
    assert!((4..=5).contains(&messages), "{messages}");
}

#[test]
fn ipv6_announcements_come_back_too_with_mp_reach_nlri_first() {
    let attributes = [origin(), path()].concat();
    let nets: Vec<Net<u128>> = (0..3000u128).map(|n| Net::new(n << 80, 48)).collect();
    let link_local =
        NextHop::V6 { global: "2001:db8::1".parse().unwrap(), link_local: "fe80::1".parse().ok() };
    for (hop, max) in [(hop6(), MAX_LEN), (link_local, MAX_EXTENDED_LEN)] {
        let mut wire = Vec::new();
        let format = Format { max_message: max, ..Format::PLAIN };
        announcements(&attributes, hop, once_each(&nets), format, &mut wire).unwrap();
        assert_eq!(wire[HEADER_LEN + 5], 14);
        let mut back = Vec::new();
        decoded(&wire, |update| {
            let (got, nlri) = update.announced::<u128>().unwrap();
            assert_eq!((got.wire, got.next_hop), (&attributes[..], hop));
            back.extend(nlri.map(|path| path.net));
        });
        assert!(back == nets);
    }
}

#[test]
fn a_message_is_filled_to_its_last_octet_and_never_past_it() {
    let attributes = [origin(), path()].concat();
    for extra in 0..6 {
        let padded = [attributes.clone(), attribute(0xe0, 99, &vec![0; extra])].concat();
        for len in [24u8, 25] {
            let paths = (0..2000u32).map(|n| Net::new(n << 7, len).into());
            let mut wire = Vec::new();
            announcements(&padded, HOP, paths, Format::PLAIN, &mut wire).unwrap();
            let (_, first) = frame(&wire, MAX_LEN).unwrap().unwrap();
            assert!(MAX_LEN - first < 1 + nlri_octets(len), "{extra} {first}");
        }
    }
}

const ADD_PATH: Format = Format { max_message: MAX_LEN, add_path: true };

/// Three paths to each of many prefixes of all lengths.
fn identified<A: Address>(count: u32, address: impl Fn(u32) -> A) -> Vec<Path<A>> {
    let net = |n| Net::new(address(n), (n % (u32::from(A::BITS) + 1)) as u8);
    let ids = [0, 1, u32::MAX];
    (0..count).flat_map(|n| ids.map(|path_id| Path { path_id, net: net(n) })).collect()
}

/// Sends paths with their identifiers and takes them back, announced and withdrawn; no message is longer than it may be, and none
/// but the last of each has room for another path.
fn there_and_back<A: Address>(paths: &[Path<A>], hop: NextHop, max: usize) {
    let attributes = [origin(), path()].concat();
    let format = Format { max_message: max, ..ADD_PATH };
    let mut add_path = [false; 2];
    add_path[A::FAMILY.index()] = true;
    let context = Context { add_path, ..Context::default() };
    let (mut announced, mut withdrawn) = (Vec::new(), Vec::new());
    announcements(&attributes, hop, paths.iter().copied(), format, &mut announced).unwrap();
    withdrawals(paths.iter().copied(), format, &mut withdrawn);
    for wire in [&announced, &withdrawn] {
        let mut sizes = Vec::new();
        let mut rest = &wire[..];
        while let Some((_, size)) = frame(rest, max).unwrap() {
            sizes.push(size);
            rest = &rest[size..];
        }
        assert!(rest.is_empty() && sizes.len() > 2);
        assert!(sizes.iter().rev().skip(1).all(|size| max - size < format.widest::<A>()), "{sizes:?}");
    }
    let mut back = [Vec::new(), Vec::new()];
    decoded_in(&context, &announced, |update| {
        let (got, nlri) = update.announced::<A>().unwrap();
        assert_eq!((got.wire, got.next_hop), (&attributes[..], hop));
        back[0].extend(nlri);
    });
    decoded_in(&context, &withdrawn, |update| back[1].extend(update.withdrawn::<A>()));
    assert!(back.iter().all(|back| back == paths));
}

#[test]
fn path_identifiers_come_back_with_their_prefixes_in_both_families_and_directions() {
    let four = identified::<u32>(3000, |n| n << 19);
    let six = identified::<u128>(9000, |n| u128::from(n) << 100);
    there_and_back(&four, HOP, MAX_LEN);
    there_and_back(&six, hop6(), MAX_LEN);
    there_and_back(&six, hop6(), MAX_EXTENDED_LEN);
}

#[test]
fn a_path_with_its_identifier_is_as_long_as_the_message_still_allows() {
    let exact = |room: usize| attribute(0xf0, 99, &vec![0; room - 4]);
    let one = || std::iter::once(Path { path_id: 7, net: Net::<u32>::new(0, 32) });
    let room = MAX_LEN - HEADER_LEN - 4 - 7 - 9;
    let mut wire = Vec::new();
    announcements(&exact(room), HOP, one(), ADD_PATH, &mut wire).unwrap();
    assert_eq!(wire.len(), MAX_LEN);
    let error = announcements(&exact(room + 1), HOP, one(), ADD_PATH, &mut wire);
    assert_eq!((error, wire.len()), (Err(TooLong { octets: room + 1, max_message: MAX_LEN }), MAX_LEN));
    let one = || std::iter::once(Path { path_id: 7, net: Net::<u128>::new(0, 128) });
    let room = MAX_LEN - HEADER_LEN - 4 - 4 - 3 - 1 - 16 - 1 - 21;
    wire.clear();
    announcements(&exact(room), hop6(), one(), ADD_PATH, &mut wire).unwrap();
    assert_eq!(wire.len(), MAX_LEN);
    assert!(announcements(&exact(room + 1), hop6(), one(), ADD_PATH, &mut wire).is_err());
}

#[test]
fn identifiers_are_not_sent_where_add_path_is_not_in_use() {
    let attributes = [origin(), path()].concat();
    let net = Net::<u32>::new(10 << 24, 8);
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for (path, wire) in [(Path { path_id: 7, net }, &mut with), (net.into(), &mut without)] {
        announcements(&attributes, HOP, std::iter::once(path), Format::PLAIN, wire).unwrap();
        withdrawals(std::iter::once(path), Format::PLAIN, wire);
    }
    assert_eq!(with, without);
}

#[test]
fn attributes_that_leave_no_room_are_refused_and_nothing_is_written() {
    let exact = |room: usize| attribute(0xf0, 99, &vec![0; room - 4]);
    let room = MAX_LEN - HEADER_LEN - 4 - 7 - 5;
    let one = || std::iter::once(Net::<u32>::new(0, 32).into());
    let mut wire = Vec::new();
    announcements(&exact(room), HOP, one(), Format::PLAIN, &mut wire).unwrap();
    assert_eq!(wire.len(), MAX_LEN);
    let error = announcements(&exact(room + 1), HOP, one(), Format::PLAIN, &mut wire).unwrap_err();
    assert_eq!((error.octets, wire.len()), (room + 1, MAX_LEN));
    let tiny = Format { max_message: 0, ..Format::PLAIN };
    let six =
        announcements(&exact(room), hop6(), std::iter::once(Net::<u128>::DEFAULT.into()), tiny, &mut wire);
    assert!(six.is_err() && wire.len() == MAX_LEN);
}

#[test]
fn no_prefixes_no_message() {
    let mut wire = Vec::new();
    announcements(&[], HOP, std::iter::empty::<Path<u32>>(), Format::PLAIN, &mut wire).unwrap();
    announcements(&[], hop6(), std::iter::empty::<Path<u128>>(), Format::PLAIN, &mut wire).unwrap();
    withdrawals(std::iter::empty::<Path<u32>>(), Format::PLAIN, &mut wire);
    assert!(wire.is_empty());
}

#[test]
fn withdrawals_and_end_of_rib_come_back_as_they_went() {
    let four: Vec<Net<u32>> = (0..3000u32).map(|n| Net::new(n << 8, 24)).collect();
    let six: Vec<Net<u128>> = (0..2000u128).map(|n| Net::new(n << 80, 48)).collect();
    let mut wire = Vec::new();
    withdrawals(once_each(&four), Format::PLAIN, &mut wire);
    withdrawals(once_each(&six), Format::PLAIN, &mut wire);
    Family::ALL.into_iter().for_each(|family| end_of_rib(family, &mut wire));
    let (mut back4, mut back6, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    decoded(&wire, |update| {
        back4.extend(update.withdrawn::<u32>().map(|path| path.net));
        back6.extend(update.withdrawn::<u128>().map(|path| path.net));
        ends.extend(update.end_of_rib());
    });
    assert!((back4, back6) == (four, six));
    assert_eq!(ends, Family::ALL);
}

#[test]
fn ipv4_behind_an_ipv6_next_hop_goes_in_mp_reach_nlri() {
    let attributes = [origin(), path()].concat();
    let mut wire = Vec::new();
    let ten = std::iter::once(Net::<u32>::new(10 << 24, 8).into());
    announcements(&attributes, hop6(), ten, Format::PLAIN, &mut wire).unwrap();
    let value = &wire[HEADER_LEN + 8..];
    assert_eq!(value[..4], [0, 1, 1, 16]);
    assert_eq!(value[21..23], *TEN);
    let two = [1, 2].into_iter().map(|path_id| Path { path_id, net: Net::<u32>::new(10 << 24, 8) });
    wire.clear();
    announcements(&attributes, hop6(), two, ADD_PATH, &mut wire).unwrap();
    assert_eq!(wire[HEADER_LEN + 8 + 21..][..12], [0, 0, 0, 1, 8, 10, 0, 0, 0, 2, 8, 10]);
}
