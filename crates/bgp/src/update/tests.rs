use super::*;
use crate::as_path::Asn;
use crate::attributes::{Community, LargeCommunity, Origin};
use crate::fault::Outcome::{AttributeDiscard, SessionReset, TreatAsWithdraw};
use crate::sample::*;

/// What came of a message, in words that a table can hold.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    withdrawn: Vec<String>,
    announced: Vec<String>,
    faults: Vec<(u8, Wrong, Outcome)>,
}

fn decode(body: &[u8], context: &Context) -> Result<Seen, Notification> {
    let mut decoder = Decoder::new();
    let update = decoder.update(body, context)?;
    let mut seen = Seen::default();
    seen.withdrawn.extend(update.withdrawn::<u32>().map(|path| path.net.to_string()));
    seen.withdrawn.extend(update.withdrawn::<u128>().map(|path| path.net.to_string()));
    if let Some((attributes, nlri)) = update.announced::<u32>() {
        let hop = attributes.next_hop.address();
        seen.announced.extend(nlri.map(|path| format!("{} {hop}", path.net)));
    }
    if let Some((attributes, nlri)) = update.announced::<u128>() {
        let hop = attributes.next_hop.address();
        seen.announced.extend(nlri.map(|path| format!("{} {hop}", path.net)));
    }
    seen.faults.extend(update.faults().iter().map(|fault| (fault.attribute, fault.wrong, fault.outcome)));
    Ok(seen)
}

fn external(body: &[u8]) -> Result<Seen, Notification> {
    decode(body, &Context::default())
}

fn internal() -> Context {
    Context { internal: true, ..Context::default() }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| text.to_string()).collect()
}

/// What an announcement of 10.0.0.0/8 becomes with an attribute added to it.
fn with(extra: &[u8], context: &Context) -> Result<Seen, Notification> {
    decode(&body(&[], &[mandatory(), extra.to_vec()].concat(), TEN), context)
}

fn believed(faults: &[(u8, Wrong, Outcome)]) -> Seen {
    Seen { announced: strings(&["10.0.0.0/8 192.0.2.1"]), faults: faults.to_vec(), ..Seen::default() }
}

fn withdrawn(faults: &[(u8, Wrong, Outcome)]) -> Seen {
    Seen { withdrawn: strings(&["10.0.0.0/8"]), faults: faults.to_vec(), ..Seen::default() }
}

#[test]
fn an_ordinary_announcement_is_read_whole() {
    let attributes = [
        mandatory(),
        attribute(0x80, 4, &[0, 0, 0, 50]),
        attribute(0xc0, 8, &[0xfb, 0xf4, 0, 1, 0xff, 0xff, 2, 0x9a]),
        attribute(0xc0, 16, &[0, 2, 0xfb, 0xf4, 0, 0, 0, 1]),
        attribute(0xc0, 32, &[0, 0, 0xfb, 0xf4, 0, 0, 0, 1, 0, 0, 0, 2]),
        attribute(0xc0, 35, &[0, 0, 0xfb, 0xf4]),
    ]
    .concat();
    let body = body(&[16, 10, 9], &attributes, &[8, 10, 24, 192, 0, 2]);
    let mut decoder = Decoder::new();
    let update = decoder.update(&body, &Context::default()).unwrap();
    assert_eq!(update.withdrawn::<u32>().map(|p| p.net.to_string()).collect::<Vec<_>>(), ["10.9.0.0/16"]);
    let (attributes, nlri) = update.announced::<u32>().unwrap();
    assert_eq!(nlri.map(|p| p.net.to_string()).collect::<Vec<_>>(), ["10.0.0.0/8", "192.0.2.0/24"]);
    assert_eq!(attributes.as_path().to_string(), "64500 64501");
    assert_eq!(attributes.facts.origin, Origin::Igp);
    assert_eq!(attributes.facts.med, Some(50));
    assert_eq!(attributes.facts.path_length, 2);
    assert_eq!(attributes.facts.neighbor_as, Some(Asn(64500)));
    assert_eq!(attributes.facts.origin_as, Some(Asn(64501)));
    assert_eq!(attributes.facts.only_to_customer, Some(Asn(64500)));
    assert_eq!(attributes.communities().collect::<Vec<_>>(), [Community(0xfbf4_0001), Community::BLACKHOLE]);
    assert_eq!(attributes.extended_communities().len(), 1);
    assert_eq!(attributes.large_communities().collect::<Vec<_>>(), [LargeCommunity(64500, 1, 2)]);
    assert!(update.announced::<u128>().is_none() && update.faults().is_empty());
}

#[test]
fn equal_attributes_are_equal_octets_whatever_their_order_and_form() {
    let communities = attribute(0xc0, 8, &[0, 1, 0, 2]);
    let canonical = [origin(), path(), communities.clone()].concat();
    let hop = attribute(0x40, 3, &[192, 0, 2, 1]);
    let long_path = attribute(0x50, 2, &sequence(&[64500, 64501]));
    let odd_flags = attribute(0xcf & !0x10, 8, &[0, 1, 0, 2]);
    let partial_origin = attribute(0x60, 1, &[0]);
    for attributes in [
        [origin(), path(), hop.clone(), communities.clone()].concat(),
        [communities.clone(), hop.clone(), path(), origin()].concat(),
        [origin(), long_path, hop.clone(), odd_flags].concat(),
        [partial_origin, path(), hop.clone(), communities.clone()].concat(),
        [hop, communities, origin(), path()].concat(),
    ] {
        let body = body(&[], &attributes, TEN);
        let mut decoder = Decoder::new();
        let update = decoder.update(&body, &Context::default()).unwrap();
        let (attributes, _) = update.announced::<u32>().unwrap();
        assert_eq!(attributes.wire, canonical);
        assert_eq!(attributes.as_path().to_string(), "64500 64501");
        assert_eq!(attributes.communities().collect::<Vec<_>>(), [Community(0x0001_0002)]);
    }
}

/// RFC 8092 s3. Sixteen are compared each with each, and more are sorted.
#[test]
fn a_large_community_that_is_there_twice_is_kept_once_in_the_order_sent() {
    for count in [2, 16, 17, 5000] {
        let list: Vec<u32> = (0..count).map(|n| 7 * n % count.max(8) / 2).collect();
        let mut distinct = list.clone();
        let mut seen = std::collections::HashSet::new();
        distinct.retain(|n| seen.insert(*n));
        let octets = |list: &[u32]| {
            list.iter().flat_map(|n| LargeCommunity(64500, *n, 1).octets()).collect::<Vec<_>>()
        };
        let attributes = [mandatory(), attribute(0xd0, 32, &octets(&list))].concat();
        let body = body(&[], &attributes, TEN);
        let mut decoder = Decoder::new();
        let update = decoder.update(&body, &Context::default()).unwrap();
        let (attributes, _) = update.announced::<u32>().unwrap();
        let expected: Vec<_> = distinct.iter().map(|n| LargeCommunity(64500, *n, 1)).collect();
        assert_eq!(attributes.large_communities().collect::<Vec<_>>(), expected, "{count}");
        let flags = if distinct.len() * 12 > 255 { 0xd0 } else { 0xc0 };
        assert_eq!(attributes.wire, [origin(), path(), attribute(flags, 32, &octets(&distinct))].concat());
        assert!(update.faults().is_empty());
    }
}

#[test]
fn a_long_value_has_a_length_of_two_octets() {
    let asns: Vec<u32> = (1..=100).collect();
    let path = attribute(0x50, 2, &sequence(&asns));
    let attributes = [origin(), path.clone(), attribute(0x40, 3, &[192, 0, 2, 1])].concat();
    let body = body(&[], &attributes, TEN);
    let mut decoder = Decoder::new();
    let update = decoder.update(&body, &Context::default()).unwrap();
    let (attributes, _) = update.announced::<u32>().unwrap();
    assert_eq!(attributes.wire, [origin(), path].concat());
    assert_eq!(attributes.facts.path_length, 100);
}

/// Flags that are right, and for each attribute: values that are in order, values that are not, and what these lead to.
#[test]
fn every_attribute_has_its_lengths_values_and_outcome() {
    type Values<'a> = &'a [&'a [u8]];
    let good_path = sequence(&[64500]);
    let zero_path = sequence(&[64500, 0]);
    let confederation = segments(&[(3, &[65001]), (2, &[64500])]);
    let rows: &[(u8, u8, Values<'_>, Values<'_>, Outcome)] = &[
        (0x40, 1, &[&[0], &[1], &[2]], &[&[], &[3], &[255], &[0, 0]], TreatAsWithdraw),
        (
            0x40,
            2,
            &[&[], &good_path],
            &[
                &[2],
                &[2, 0],
                &[2, 1, 0, 0, 0],
                &[9, 1, 0, 0, 0, 1],
                &zero_path,
                &confederation,
                &[2, 1, 0, 0, 0, 1, 2],
            ],
            TreatAsWithdraw,
        ),
        (0x40, 3, &[&[192, 0, 2, 1]], &[&[], &[1, 2, 3], &[0; 5], &[0; 16]], TreatAsWithdraw),
        (0x80, 4, &[&[0; 4]], &[&[], &[0; 3], &[0; 5]], TreatAsWithdraw),
        (0x40, 6, &[&[]], &[&[0], &[0; 4]], AttributeDiscard),
        (
            0xc0,
            7,
            &[&[0, 0, 0, 1, 1, 2, 3, 4]],
            &[&[], &[0; 5], &[0, 1, 1, 2, 3, 4], &[0; 8], &[0; 9]],
            AttributeDiscard,
        ),
        (0xc0, 8, &[&[0; 4], &[0; 8]], &[&[], &[0; 5], &[0; 3]], TreatAsWithdraw),
        (0xc0, 16, &[&[0; 8]], &[&[], &[0; 7], &[0; 9]], TreatAsWithdraw),
        (0xc0, 25, &[&[0; 20]], &[&[], &[0; 8]], TreatAsWithdraw),
        (0xc0, 32, &[&[0; 12], &[0; 24]], &[&[], &[0; 8], &[0; 13]], TreatAsWithdraw),
        (0xc0, 35, &[&[0; 4]], &[&[], &[0; 3], &[0; 8]], TreatAsWithdraw),
    ];
    for &(flags, code, good, bad, outcome) in rows {
        for value in good {
            assert_eq!(replaced(flags, code, value).unwrap().faults, [], "{code} {value:?}");
        }
        for value in bad {
            let seen = replaced(flags, code, value).unwrap();
            assert_eq!(
                seen.faults.iter().map(|f| (f.0, f.2)).collect::<Vec<_>>(),
                [(code, outcome)],
                "{value:?}"
            );
            assert_eq!(seen.announced.is_empty(), outcome == TreatAsWithdraw, "{code} {value:?}");
            assert_eq!(seen.withdrawn.is_empty(), outcome != TreatAsWithdraw, "{code} {value:?}");
        }
        for wrong in [flags ^ 0x80, flags ^ 0x40] {
            // A well-known attribute is never optional, and the other way round.
            let seen = replaced(wrong, code, good[0]).unwrap();
            assert_eq!(seen, withdrawn(&[(code, Wrong::Flags, TreatAsWithdraw)]), "{wrong:#x} {code}");
        }
    }
}

/// An announcement with one attribute in place of what it has, or in addition to it.
fn replaced(flags: u8, code: u8, value: &[u8]) -> Result<Seen, Notification> {
    let mandatory = [(1, origin()), (2, path()), (3, attribute(0x40, 3, &[192, 0, 2, 1]))];
    let mut attributes: Vec<u8> =
        mandatory.into_iter().filter(|(have, _)| *have != code).flat_map(|(_, octets)| octets).collect();
    attributes.extend(attribute(flags, code, value));
    external(&body(&[], &attributes, TEN))
}

#[test]
fn what_is_for_within_an_as_counts_from_internal_peers_alone() {
    for (flags, code, value) in
        [(0x40, 5, &[0, 0, 0, 200][..]), (0x80, 9, &[1, 1, 1, 1]), (0x80, 10, &[1, 1, 1, 1])]
    {
        let good = attribute(flags, code, value);
        let external = with(&good, &Context::default());
        assert_eq!(external, Ok(believed(&[(code, Wrong::External, AttributeDiscard)])), "{code}");
        assert_eq!(with(&good, &internal()), Ok(believed(&[])), "{code}");
        let bad = attribute(flags, code, &value[1..]);
        // From outside nobody looks into it.
        let external = with(&bad, &Context::default());
        assert_eq!(external, Ok(believed(&[(code, Wrong::External, AttributeDiscard)])), "{code}");
        assert_eq!(
            with(&bad, &internal()),
            Ok(withdrawn(&[(code, Wrong::Length, TreatAsWithdraw)])),
            "{code}"
        );
    }
    let confederation = attribute(0x40, 2, &segments(&[(3, &[65001]), (2, &[64500])]));
    let attributes = [origin(), confederation, attribute(0x40, 3, &[192, 0, 2, 1])].concat();
    assert_eq!(decode(&body(&[], &attributes, TEN), &internal()), Ok(believed(&[])));
}

#[test]
fn a_missing_mandatory_attribute_is_treat_as_withdraw() {
    let hop = attribute(0x40, 3, &[192, 0, 2, 1]);
    for (code, attributes) in
        [(1, [path(), hop.clone()]), (2, [origin(), hop.clone()]), (3, [origin(), path()])]
    {
        let seen = external(&body(&[], &attributes.concat(), TEN));
        assert_eq!(seen, Ok(withdrawn(&[(code, Wrong::Missing, TreatAsWithdraw)])));
    }
    // NEXT_HOP is not mandatory where MP_REACH_NLRI has its own.
    let attributes = [reach(2, &[0x20; 16], &[16, 0x20, 1]), origin(), path()].concat();
    let seen = external(&body(&[], &attributes, &[])).unwrap();
    assert_eq!(seen.announced, ["2001::/16 2020:2020:2020:2020:2020:2020:2020:2020"]);
}

#[test]
fn the_first_of_repeated_attributes_stands_but_prefixes_listed_twice_end_the_session() {
    let again = attribute(0x80, 4, &[0, 0, 0, 1]);
    let other = attribute(0x80, 4, &[0, 0, 0, 2]);
    let body_of = |extra: &[&[u8]]| body(&[], &[mandatory(), extra.concat()].concat(), TEN);
    let body = body_of(&[&again, &other, &other]);
    let mut decoder = Decoder::new();
    let update = decoder.update(&body, &Context::default()).unwrap();
    assert_eq!(update.announced::<u32>().unwrap().0.facts.med, Some(1));
    assert_eq!(update.faults().len(), 2);
    for twice in [reach(2, &[0x20; 16], &[16, 0x20, 1]), unreach(2, &[16, 0x20, 1])] {
        let error = external(&body_of(&[&twice, &twice])).unwrap_err();
        assert_eq!(error, Violation::AttributeList.into());
    }
    let unknown = attribute(0xc0, 99, &[1]);
    assert_eq!(
        external(&body_of(&[&unknown, &unknown])),
        Ok(believed(&[(99, Wrong::Duplicate, AttributeDiscard)]))
    );
}

#[test]
fn unknown_attributes_are_carried_dropped_or_the_end_by_their_flags() {
    let carried = attribute(0xe0, 99, &[1, 2, 3]);
    let dropped = attribute(0x80, 98, &[1]);
    let body_with = |extra: &[u8]| body(&[], &[mandatory(), extra.to_vec()].concat(), TEN);
    let body = body_with(&[carried.clone(), dropped].concat());
    let mut decoder = Decoder::new();
    let update = decoder.update(&body, &Context::default()).unwrap();
    let (attributes, _) = update.announced::<u32>().unwrap();
    assert_eq!(attributes.wire, [origin(), path(), carried].concat());
    for flags in [0x40, 0x00, 0x60] {
        let well_known = attribute(flags, 99, &[7]);
        let error = external(&body_with(&well_known)).unwrap_err();
        assert_eq!(error, Violation::UnrecognizedWellKnown(&well_known).into());
    }
}

#[test]
fn attributes_that_overrun_their_field_are_treat_as_withdraw_and_the_prefixes_are_still_found() {
    for tail in [&[0x40][..], &[0xc0, 8], &[0xd0, 8, 0], &[0xc0, 8, 5, 1, 2, 3, 4], &[0xd0, 99, 1, 0, 7]] {
        let code = tail.get(1).copied().unwrap_or(0);
        let seen = with(tail, &Context::default());
        assert_eq!(seen, Ok(withdrawn(&[(code, Wrong::Overrun, TreatAsWithdraw)])), "{tail:?}");
    }
    // Unless prefixes would have been in what is cut off.
    let cut = [0x80, 14, 200, 0, 2, 1];
    assert_eq!(with(&cut, &Context::default()), Err(Violation::OptionalAttribute(&cut).into()));
}

#[test]
fn lengths_of_the_fields_that_do_not_add_up_end_the_session() {
    for body in [
        &[][..],
        &[0],
        &[0, 0],
        &[0, 0, 0],
        &[0, 1, 0, 0],
        &[0, 5, 0, 0, 0, 0],
        &[0, 0, 0, 1],
        &[255, 255, 0, 0],
    ] {
        assert_eq!(external(body), Err(Violation::AttributeList.into()), "{body:?}");
    }
}

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

/// RFC 7606 s5.2: attributes without a prefix to go with them, and something wrong with them.
#[test]
fn a_fault_in_a_message_that_announces_nothing_ends_the_session_unless_it_is_a_discard() {
    let bad_origin = attribute(0x40, 1, &[9]);
    assert_eq!(external(&body(&[], &bad_origin, &[])), Err(Violation::Origin(&bad_origin).into()));
    let bad_length = attribute(0x80, 4, &[9]);
    assert_eq!(external(&body(TEN, &bad_length, &[])), Err(Violation::AttributeLength(&bad_length).into()));
    let bad_flags = attribute(0xc0, 4, &[0; 4]);
    assert_eq!(external(&body(TEN, &bad_flags, &[])), Err(Violation::AttributeFlags(&bad_flags).into()));
    let bad_path = attribute(0x40, 2, &[7]);
    assert_eq!(external(&body(TEN, &bad_path, &[])), Err(Violation::AsPath.into()));
    let discard = attribute(0x40, 6, &[1]);
    let seen = external(&body(TEN, &discard, &[])).unwrap();
    assert_eq!(seen, withdrawn(&[(6, Wrong::Length, AttributeDiscard)]));
}

#[test]
fn the_strongest_outcome_wins() {
    let discard = attribute(0x40, 6, &[1]);
    let withdraw = attribute(0xc0, 8, &[1]);
    let reset = attribute(0x40, 99, &[1]);
    let seen = with(&[discard.clone(), withdraw.clone()].concat(), &Context::default());
    assert_eq!(
        seen,
        Ok(withdrawn(&[(6, Wrong::Length, AttributeDiscard), (8, Wrong::Length, TreatAsWithdraw)]))
    );
    let error = with(&[discard, withdraw, reset.clone()].concat(), &Context::default()).unwrap_err();
    assert_eq!(error, Violation::UnrecognizedWellKnown(&reset).into());
    assert!(AttributeDiscard < TreatAsWithdraw && TreatAsWithdraw < SessionReset);
}

#[test]
fn the_list_of_faults_is_bounded_and_the_last_one_still_counts() {
    let discards = attribute(0x40, 6, &[]).repeat(200);
    let withdraw = attribute(0xc0, 8, &[1]);
    let seen = with(&[discards, withdraw].concat(), &Context::default()).unwrap();
    assert_eq!(seen.faults.len(), crate::MAX_FAULTS);
    assert_eq!(seen.withdrawn, ["10.0.0.0/8"]);
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

#[test]
fn a_rib_entry_has_its_next_hop_in_any_of_three_ways() {
    let short = attribute(0x80, 14, &[&[16][..], &[0x20; 16]].concat());
    let full = reach(2, &[0x20; 16], &[16, 0x20, 1]);
    let global = Ipv6Addr::from([0x20; 16]);
    let mut decoder = Decoder::new();
    for (extra, next_hop) in [
        (short, NextHop::V6 { global, link_local: None }),
        (full, NextHop::V6 { global, link_local: None }),
        (attribute(0x40, 3, &[192, 0, 2, 1]), NextHop::V4(Ipv4Addr::new(192, 0, 2, 1))),
    ] {
        let raw = [origin(), path(), attribute(0x40, 5, &[0, 0, 0, 100]), extra].concat();
        let entry = decoder.rib_entry(&raw, RibEntryForm::TableDumpV2);
        let attributes = entry.attributes.unwrap();
        assert_eq!((attributes.next_hop, entry.faults), (next_hop, &[][..]));
        assert_eq!(attributes.wire, [origin(), path()].concat());
    }
}

#[test]
fn a_rib_entry_may_have_an_aggregator_of_either_width() {
    let hop = attribute(0x40, 3, &[192, 0, 2, 1]);
    let wide = attribute(0xc0, 7, &[0, 0, 0, 9, 1, 2, 3, 4]);
    let narrow = attribute(0xc0, 7, &[0, 9, 1, 2, 3, 4]);
    let short_path = attribute(0x40, 2, &short_segments(&[(2, &[64500, 64501])]));
    let mut decoder = Decoder::new();
    for (path_as_sent, form) in [(short_path, RibEntryForm::TableDump), (path(), RibEntryForm::TableDumpV2)] {
        for aggregator in [&wide, &narrow] {
            let raw = [origin(), path_as_sent.clone(), hop.clone(), aggregator.clone()].concat();
            let entry = decoder.rib_entry(&raw, form);
            assert_eq!(entry.attributes.unwrap().wire, [origin(), path(), wide.clone()].concat());
            assert!(entry.faults.is_empty());
        }
    }
}

#[test]
fn a_rib_entry_with_a_fault_says_so() {
    let mut decoder = Decoder::new();
    let hop = attribute(0x40, 3, &[192, 0, 2, 1]);
    for (raw, code) in [
        ([origin(), path()].concat(), 3),
        ([path(), hop.clone()].concat(), 1),
        ([origin(), path(), attribute(0x80, 14, &[3, 1, 2, 3])].concat(), 14),
        (vec![0; 70_000], 0),
        (vec![0xff], 0),
    ] {
        let entry = decoder.rib_entry(&raw, RibEntryForm::TableDumpV2);
        assert!(entry.attributes.is_none());
        assert_eq!(entry.faults[0].attribute, code);
    }
    let short = attribute(0x40, 2, &short_segments(&[(2, &[64500])]));
    let raw = [origin(), short, hop, attribute(0xc0, 17, &sequence(&[100_000]))].concat();
    let entry = decoder.rib_entry(&raw, RibEntryForm::TableDump);
    assert_eq!(entry.attributes.unwrap().as_path().to_string(), "100000");
}
