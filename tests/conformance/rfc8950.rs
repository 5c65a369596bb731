//! IPv4 routes behind IPv6 next hops (RFC 8950): what is taken, by what was agreed on, and that what is sent is taken.

use palisade_bgp::attributes::NextHop;
use palisade_bgp::encode::{Format, announcements, withdrawals};
use palisade_bgp::message::{HEADER_LEN, MAX_LEN, frame};
use palisade_bgp::{Context, Decoder, Net, Path};

use crate::messages::{attribute, body};

/// 11.0.0.0/8 in MP_REACH_NLRI behind a next hop of so many octets: who is believed, without the capability and with it.
const LENGTHS: [(u8, bool, bool); 9] = [
    (0, false, false),
    (4, true, true), // RFC 4760 s3: one of its own family is never wrong
    (8, false, false),
    (12, false, false),
    (16, false, true),  // s4: a global address
    (24, false, false), // s4: with a route distinguisher, for VPNs
    (32, false, true),  // s4: a link-local address beside it
    (33, false, false),
    (48, false, false),
];

fn announcement(length: u8) -> Vec<u8> {
    let reach = [&[0, 1, 1, length][..], &vec![0x20; length.into()], &[0, 8, 11]].concat();
    let path = [2, 1, 0, 0, 0xfb, 0xf4];
    [attribute(0x80, 14, &reach), attribute(0x40, 1, &[0]), attribute(0x40, 2, &path)].concat()
}

#[test]
fn the_length_of_a_next_hop_has_to_be_one_that_was_agreed_on() {
    for (length, without, with) in LENGTHS {
        for (extended_next_hop, expected) in [(false, without), (true, with)] {
            let context = Context { extended_next_hop, ..Context::default() };
            let body = body(&[], &announcement(length), &[]);
            let mut decoder = Decoder::new();
            let found = match decoder.update(&body, &context) {
                Ok(update) => update.faults().is_empty() && update.announced::<u32>().is_some(),
                // RFC 7606 s7.11: nobody knows where the prefixes begin.
                Err(told) => {
                    assert_eq!((told.code, told.subcode), (3, 9));
                    false
                }
            };
            assert_eq!(found, expected, "{length} octets, agreed on: {extended_next_hop}");
        }
    }
}

/// RFC 8950 s4 says nothing of IPv6, whose next hops are what they were.
#[test]
fn the_capability_changes_nothing_for_ipv6() {
    let context = Context { extended_next_hop: true, ..Context::default() };
    let reach = [&[0, 2, 1, 4, 192, 0, 2, 1][..], &[0, 16, 0x20, 1]].concat();
    let told = Decoder::new().update(&body(&[], &attribute(0x80, 14, &reach), &[]), &context).unwrap_err();
    assert_eq!((told.code, told.subcode), (3, 9));
}

#[test]
fn what_is_sent_is_taken_with_and_without_path_identifiers() {
    let block = [attribute(0x40, 1, &[0]), attribute(0x40, 2, &[2, 1, 0, 0, 0xfb, 0xf4])].concat();
    let global = "2001:db8::1".parse().unwrap();
    let paths: Vec<Path<u32>> =
        (0..3000).map(|n| Path { path_id: n % 7, net: Net::new(0x0a00_0000 + (n << 8), 24) }).collect();
    for link_local in [None, Some("fe80::1".parse().unwrap())] {
        let hop = NextHop::V6 { global, link_local };
        for add_path in [false, true] {
            let format = Format { add_path, ..Format::PLAIN };
            let context = Context { extended_next_hop: true, add_path: [add_path; 2], ..Context::default() };
            let (mut wire, mut announced, mut withdrawn) = (Vec::new(), Vec::new(), Vec::new());
            announcements(&block, hop, paths.iter().copied(), format, &mut wire).unwrap();
            // Withdrawals have no next hop, and stay in the classic field.
            withdrawals(paths.iter().copied(), format, &mut wire);
            let (mut rest, mut decoder) = (&wire[..], Decoder::new());
            while let Some((_, end)) = frame(rest, MAX_LEN).unwrap() {
                let update = decoder.update(&rest[HEADER_LEN..end], &context).unwrap();
                assert!(update.faults().is_empty());
                if let Some((attributes, nlri)) = update.announced::<u32>() {
                    assert_eq!(attributes.next_hop, hop);
                    announced.extend(nlri);
                }
                withdrawn.extend(update.withdrawn::<u32>());
                rest = &rest[end..];
            }
            let sent: Vec<Path<u32>> =
                paths.iter().map(|path| if add_path { *path } else { path.net.into() }).collect();
            assert!(announced == sent && withdrawn == sent, "{hop:?}, path identifiers: {add_path}");
        }
    }
}
