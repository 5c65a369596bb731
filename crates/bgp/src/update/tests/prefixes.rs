//! The prefixes of a message, of either family and in either field, and the next hop that they have.

use super::*;

#[test]
fn prefixes_that_are_no_prefixes_end_the_session() {
    for bad in [&[33, 1, 2, 3, 4, 5][..], &[24, 1, 2], &[255; 33]] {
        assert_eq!(external(&body(&[], &mandatory(), bad)), Err(Violation::NetworkField.into()), "{bad:?}");
        assert_eq!(external(&body(bad, &[], &[])), Err(Violation::NetworkField.into()), "{bad:?}");
    }
    for bad in [&[129; 18][..], &[64, 1]] {
        let reach = reach(2, &[0x20; 16], bad);
        let attributes = [reach.clone(), origin(), path()].concat();
        assert_eq!(external(&body(&[], &attributes, &[])), Err(Violation::OptionalAttribute(&reach).into()));
        let unreach = unreach(2, bad);
        assert_eq!(external(&body(&[], &unreach, &[])), Err(Violation::OptionalAttribute(&unreach).into()));
    }
}

#[test]
fn host_bits_are_masked() {
    let seen = external(&body(&[], &mandatory(), &[20, 1, 2, 255])).unwrap();
    assert_eq!(seen.announced, ["1.2.240.0/20 192.0.2.1"]);
}

#[test]
fn a_next_hop_of_the_wrong_length_ends_the_session_for_nobody_knows_where_the_prefixes_begin() {
    for len in [0, 4, 15, 17, 24, 48] {
        let reach = reach(2, &vec![0x20; len], &[16, 0x20, 1]);
        let error = external(&body(&[], &[reach.clone(), origin(), path()].concat(), &[])).unwrap_err();
        assert_eq!(error, Violation::OptionalAttribute(&reach).into(), "{len}");
    }
    let both = [&[0x20; 16][..], &[0xfe; 16]].concat();
    let body = body(&[], &[reach(2, &both, &[0]), origin(), path()].concat(), &[]);
    let mut decoder = Decoder::new();
    let update = decoder.update(&body, &Context::default()).unwrap();
    let NextHop::V6 { global, link_local } = update.announced::<u128>().unwrap().0.next_hop else { panic!() };
    assert_eq!((global.octets(), link_local.unwrap().octets()), ([0x20; 16], [0xfe; 16]));
}

#[test]
fn prefixes_of_both_families_and_both_fields_come_out() {
    let attributes =
        [reach(2, &[0x20; 16], &[16, 0x20, 1]), unreach(2, &[16, 0x20, 2]), mandatory()].concat();
    let seen = external(&body(&[8, 11], &attributes, TEN)).unwrap();
    assert_eq!(seen.withdrawn, ["11.0.0.0/8", "2002::/16"]);
    assert_eq!(seen.announced.len(), 2);
    // The same, and one attribute that makes all of it a withdrawal.
    let attributes = [attributes, attribute(0x80, 4, &[1])].concat();
    let seen = external(&body(&[8, 11], &attributes, TEN)).unwrap();
    assert_eq!(seen.withdrawn, ["11.0.0.0/8", "10.0.0.0/8", "2002::/16", "2001::/16"]);
    assert!(seen.announced.is_empty());
}

#[test]
fn ipv4_in_mp_reach_nlri_is_ipv4() {
    let attributes = [reach(1, &[192, 0, 2, 9], &[8, 11]), origin(), path()].concat();
    assert_eq!(external(&body(&[], &attributes, &[])).unwrap().announced, ["11.0.0.0/8 192.0.2.9"]);
    // With the classic field beside it, both must have one next hop.
    let same = [reach(1, &[192, 0, 2, 1], &[8, 11]), mandatory()].concat();
    let seen = external(&body(&[], &same, TEN)).unwrap();
    assert_eq!(seen.announced, ["10.0.0.0/8 192.0.2.1", "11.0.0.0/8 192.0.2.1"]);
    let other = [reach(1, &[192, 0, 2, 9], &[8, 11]), mandatory()].concat();
    let seen = external(&body(&[], &other, TEN)).unwrap();
    assert_eq!(seen.withdrawn, ["10.0.0.0/8", "11.0.0.0/8"]);
    assert_eq!(seen.faults, [(14, Wrong::NextHops, TreatAsWithdraw)]);
    // An MP_REACH_NLRI that lists nothing changes nothing.
    let empty = [reach(1, &[192, 0, 2, 9], &[]), mandatory()].concat();
    assert_eq!(external(&body(&[], &empty, TEN)).unwrap().announced, ["10.0.0.0/8 192.0.2.1"]);
}

#[test]
fn a_family_that_was_not_negotiated_is_passed_over() {
    let only_v6 = Context { families: [false, true], ..Context::default() };
    let attributes = [reach(2, &[0x20; 16], &[16, 0x20, 1]), mandatory()].concat();
    let seen = decode(&body(&[8, 11], &attributes, TEN), &only_v6).unwrap();
    assert_eq!((seen.withdrawn.len(), seen.announced.len()), (0, 1));
    let only_v4 = Context { families: [true, false], ..Context::default() };
    let seen = decode(&body(&[8, 11], &attributes, TEN), &only_v4).unwrap();
    assert_eq!(
        (seen.withdrawn, seen.announced),
        (strings(&["11.0.0.0/8"]), strings(&["10.0.0.0/8 192.0.2.1"]))
    );
    // Multicast, VPNs and the like: whatever is in there.
    let vpn = attribute(0x80, 14, &[0, 1, 128, 12, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0, 200, 1, 2]);
    let seen = external(&body(&[], &[vpn, mandatory()].concat(), TEN));
    assert_eq!(seen, Ok(believed(&[])));
}

#[test]
fn end_of_rib_is_told_from_other_messages_that_list_nothing() {
    let eor = |body: &[u8]| Decoder::new().update(body, &Context::default()).unwrap().end_of_rib();
    assert_eq!(eor(&body(&[], &[], &[])), Some(Family::Ipv4));
    assert_eq!(eor(&body(&[], &unreach(2, &[]), &[])), Some(Family::Ipv6));
    assert_eq!(eor(&body(&[], &unreach(1, &[]), &[])), Some(Family::Ipv4));
    assert_eq!(eor(&body(&[], &unreach(25, &[]), &[])), None);
    assert_eq!(eor(&body(&[], &unreach(2, &[0]), &[])), None);
    assert_eq!(eor(&body(TEN, &[], &[])), None);
    assert_eq!(eor(&body(&[], &origin(), &[])), None);
    assert_eq!(eor(&body(&[], &[unreach(2, &[]), origin()].concat(), &[])), None);
}

#[test]
fn path_identifiers_are_read_where_they_were_negotiated() {
    let context = Context { add_path: [true, false], ..Context::default() };
    let body = body(&[0, 0, 0, 9, 8, 11], &mandatory(), &[0, 0, 0, 7, 8, 10, 0, 0, 1, 0, 8, 10]);
    let mut decoder = Decoder::new();
    let update = decoder.update(&body, &context).unwrap();
    let ids: Vec<u32> = update.announced::<u32>().unwrap().1.map(|path| path.path_id).collect();
    assert_eq!(ids, [7, 256]);
    assert_eq!(update.withdrawn::<u32>().next().unwrap().path_id, 9);
}
