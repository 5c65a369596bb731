//! What a fault in a message leads to (RFC 7606): the attribute goes, the routes go, or the session does.

use super::*;

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
