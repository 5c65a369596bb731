//! Peers whose AS numbers have two octets (RFC 6793): what they send is held as if they had four.

use super::*;

fn two_octets(extra: &[Vec<u8>]) -> (String, Vec<u8>, Vec<Fault>) {
    let context = Context { four_octet_as: false, ..Context::default() };
    let path = attribute(0x40, 2, &short_segments(&[(2, &[64500, 23456, 23456])]));
    let attributes = [origin(), path, attribute(0x40, 3, &[192, 0, 2, 1]), extra.concat()].concat();
    let body = body(&[], &attributes, TEN);
    let mut decoder = Decoder::new();
    let update = decoder.update(&body, &context).unwrap();
    let (attributes, _) = update.announced::<u32>().unwrap();
    assert_eq!(usize::from(attributes.facts.path_length), attributes.as_path().length());
    assert_eq!(attributes.facts.origin_as, attributes.as_path().origin());
    (attributes.as_path().to_string(), attributes.wire.to_vec(), update.faults().to_vec())
}

#[test]
fn what_a_two_octet_peer_sends_is_kept_as_if_it_had_four() {
    let four = attribute(0xc0, 17, &sequence(&[100_000, 100_001]));
    let (text, wire, faults) = two_octets(std::slice::from_ref(&four));
    assert_eq!(text, "64500 100000 100001");
    let path = attribute(0x40, 2, &sequence(&[64500, 100_000, 100_001]));
    assert_eq!((wire, faults), ([origin(), path].concat(), vec![]));
    assert_eq!(two_octets(&[]).0, "64500 23456 23456");
    // Longer than AS_PATH: ignored.
    assert_eq!(two_octets(&[attribute(0xc0, 17, &sequence(&[1, 2, 3, 4]))]).0, "64500 23456 23456");
}

#[test]
fn an_aggregator_that_fits_two_octets_makes_as4_path_and_as4_aggregator_stale() {
    let four = attribute(0xc0, 17, &sequence(&[100_000, 100_001]));
    let as4_aggregator = attribute(0xc0, 18, &[0, 1, 0x86, 0xa0, 1, 2, 3, 4]);
    let trans = attribute(0xc0, 7, &[0x5b, 0xa0, 1, 2, 3, 4]);
    let small = attribute(0xc0, 7, &[0, 9, 1, 2, 3, 4]);
    let (text, wire, _) = two_octets(&[trans.clone(), four.clone(), as4_aggregator.clone()]);
    assert_eq!(text, "64500 100000 100001");
    assert!(wire.ends_with(&attribute(0xc0, 7, &[0, 1, 0x86, 0xa0, 1, 2, 3, 4])));
    let (text, wire, _) = two_octets(&[small, four.clone(), as4_aggregator]);
    assert_eq!(text, "64500 23456 23456");
    assert!(wire.ends_with(&attribute(0xc0, 7, &[0, 0, 0, 9, 1, 2, 3, 4])));
    let (text, wire, _) = two_octets(&[trans, four]);
    assert_eq!(text, "64500 100000 100001");
    assert!(wire.ends_with(&attribute(0xc0, 7, &[0, 0, 0x5b, 0xa0, 1, 2, 3, 4])));
}

#[test]
fn a_malformed_as4_path_is_discarded_and_one_from_a_four_octet_peer_too() {
    for value in [&[][..], &[2, 0], &[2, 1, 0, 0], &[7, 1, 0, 0, 0, 1], &[2, 1, 0, 0, 0, 0]] {
        let (text, _, faults) = two_octets(&[attribute(0xc0, 17, value)]);
        assert_eq!((text.as_str(), faults[0].outcome), ("64500 23456 23456", AttributeDiscard), "{value:?}");
    }
    for extra in [attribute(0xc0, 17, &sequence(&[1])), attribute(0xc0, 18, &[0; 8])] {
        let seen = with(&extra, &Context::default());
        assert_eq!(seen, Ok(believed(&[(extra[1], Wrong::FourOctetPeer, AttributeDiscard)])));
    }
}

#[test]
fn a_path_that_widens_past_64_kib_is_treat_as_withdraw() {
    let context = Context { four_octet_as: false, ..Context::default() };
    let segment: Vec<u16> = vec![64500; 255];
    let segments: Vec<(u8, &[u16])> = vec![(2, &segment[..]); 100];
    let path = attribute(0x50, 2, &short_segments(&segments));
    let attributes = [origin(), path, attribute(0x40, 3, &[192, 0, 2, 1])].concat();
    let seen = decode(&body(&[], &attributes, TEN), &context);
    assert_eq!(seen, Ok(withdrawn(&[(2, Wrong::TooLong, TreatAsWithdraw)])));
}
