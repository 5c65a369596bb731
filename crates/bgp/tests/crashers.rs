//! Octets that brought other speakers down, or their sessions: each by name, and what they come to here.

use palisade_bgp::fault::{Outcome, Wrong};
use palisade_bgp::message::{MAX_EXTENDED_LEN, MAX_LEN, Refresh, frame};
use palisade_bgp::notification::{Notification, Violation};
use palisade_bgp::open::Open;
use palisade_bgp::{Context, Decoder};

/// How many prefixes are announced, how many withdrawn, and the faults.
type Outcomes = Result<(usize, usize, Vec<(u8, Wrong, Outcome)>), Notification>;

const TEN: &[u8] = &[8, 10];

fn body(withdrawn: &[u8], attributes: &[u8], nlri: &[u8]) -> Vec<u8> {
    let length = |field: &[u8]| (field.len() as u16).to_be_bytes();
    [&length(withdrawn)[..], withdrawn, &length(attributes), attributes, nlri].concat()
}

/// ORIGIN, AS_PATH and NEXT_HOP, without those of a type.
fn mandatory_but(code: u8) -> Vec<u8> {
    let path = [0x40, 2, 6, 2, 1, 0, 0, 0xfb, 0xf4];
    let all: [&[u8]; 3] = [&[0x40, 1, 1, 0], &path, &[0x40, 3, 4, 192, 0, 2, 1]];
    all.into_iter().filter(|attribute| attribute[1] != code).flatten().copied().collect()
}

/// What 10.0.0.0/8 comes to with an attribute in the place of what it has of that type.
fn with(attribute: &[u8]) -> Outcomes {
    let code = attribute.get(1).copied().unwrap_or(0);
    decode(&body(&[], &[&mandatory_but(code), attribute].concat(), TEN))
}

fn decode(body: &[u8]) -> Outcomes {
    let mut decoder = Decoder::new();
    let update = decoder.update(body, &Context::default())?;
    let announced = update.announced::<u32>().map_or(0, |(_, nlri)| nlri.count());
    let faults = update.faults().iter().map(|fault| (fault.attribute, fault.wrong, fault.outcome)).collect();
    Ok((announced, update.withdrawn::<u32>().count(), faults))
}

fn withdrawn(code: u8, wrong: Wrong) -> Outcomes {
    Ok((0, 1, vec![(code, wrong, Outcome::TreatAsWithdraw)]))
}

fn discarded(code: u8, wrong: Wrong) -> Outcomes {
    Ok((1, 0, vec![(code, wrong, Outcome::AttributeDiscard)]))
}

#[test]
fn attribute_28_of_2023_all_zero_is_carried_unread() {
    for flags in [0xc0, 0xe0] {
        let entropy = [&[flags, 28, 20][..], &[0; 20]].concat();
        assert_eq!(with(&entropy), Ok((1, 0, vec![])));
    }
}

#[test]
fn attribute_40_of_2025_all_zero_is_carried_unread() {
    let prefix_sid = [&[0xe0, 40, 10][..], &[0; 10]].concat();
    assert_eq!(with(&prefix_sid), Ok((1, 0, vec![])));
    assert_eq!(with(&[0xc0, 40, 0]), Ok((1, 0, vec![])));
}

/// `0e 60 11223344`, read as flags and type, as type and flags, and with the four octets as a length.
#[test]
fn odd_flags_with_mp_reach_nlri() {
    let error = with(&[0x60, 14, 4, 0x11, 0x22, 0x33, 0x44]).unwrap_err();
    assert_eq!(error, Violation::OptionalAttribute(&[0x60, 14, 4, 0x11, 0x22, 0x33, 0x44]).into());
    let cut = [0x60, 14, 0x11, 0x22, 0x33, 0x44];
    assert_eq!(with(&cut), Err(Violation::OptionalAttribute(&cut).into()));
    assert_eq!(with(&[0x0e, 0x60, 0x11, 0x22, 0x33, 0x44]), withdrawn(0x60, Wrong::Overrun));
    let unknown = [0x0e, 0x60, 2, 0x33, 0x44];
    assert_eq!(with(&unknown), Err(Violation::UnrecognizedWellKnown(&unknown).into()));
}

/// `0f 60 ..`.
#[test]
fn odd_flags_with_mp_unreach_nlri() {
    for attribute in [&[0x60, 15, 4, 0x11, 0x22, 0x33, 0x44][..], &[0x60, 15, 0x11, 0x22]] {
        assert_eq!(with(attribute), Err(Violation::OptionalAttribute(attribute).into()));
    }
}

/// `01 60 ..`, and the two octets the other way round, where 0x60 is a type and the flags say well-known.
#[test]
fn odd_flags_with_origin() {
    assert_eq!(with(&[0x60, 1, 4, 0x11, 0x22, 0x33, 0x44]), withdrawn(1, Wrong::Length));
    assert_eq!(with(&[0x60, 1, 1, 0]), Ok((1, 0, vec![])));
    let turned = [0x01, 0x60, 1, 0];
    assert_eq!(with(&turned), Err(Violation::UnrecognizedWellKnown(&turned).into()));
}

/// `02 60 ..`: Partial means nothing on a well-known attribute, but the value has to be a path.
#[test]
fn odd_flags_with_as_path() {
    assert_eq!(with(&[0x60, 2, 4, 0x11, 0x22, 0x33, 0x44]), withdrawn(2, Wrong::Value));
    assert_eq!(with(&[0x60, 2, 6, 2, 1, 0, 0, 0xfb, 0xf4]), Ok((1, 0, vec![])));
    assert_eq!(with(&[0xe0, 2, 6, 2, 1, 0, 0, 0xfb, 0xf4]), withdrawn(2, Wrong::Flags));
}

/// `11 60 ..`: AS4_PATH from a peer that has no use for it.
#[test]
fn odd_flags_with_as4_path() {
    assert_eq!(with(&[0x60, 17, 4, 0x11, 0x22, 0x33, 0x44]), withdrawn(17, Wrong::Flags));
    assert_eq!(with(&[0xe0, 17, 4, 0x11, 0x22, 0x33, 0x44]), discarded(17, Wrong::FourOctetPeer));
}

#[test]
fn aggregator_of_five_octets() {
    assert_eq!(with(&[0xc0, 7, 5, 1, 2, 3, 4, 5]), discarded(7, Wrong::Length));
}

#[test]
fn med_of_five_octets() {
    assert_eq!(with(&[0x80, 4, 5, 1, 2, 3, 4, 5]), withdrawn(4, Wrong::Length));
}

#[test]
fn communities_of_no_octets_and_of_five() {
    assert_eq!(with(&[0xc0, 8, 0]), withdrawn(8, Wrong::Length));
    assert_eq!(with(&[0xc0, 8, 5, 1, 2, 3, 4, 5]), withdrawn(8, Wrong::Length));
}

#[test]
fn only_to_customer_of_a_wrong_length() {
    assert_eq!(with(&[0xc0, 35, 0]), withdrawn(35, Wrong::Length));
    assert_eq!(with(&[0xc0, 35, 5, 0, 0, 0, 0, 1]), withdrawn(35, Wrong::Length));
}

#[test]
fn a_repeated_attribute() {
    let twice = [0xc0, 35, 4, 0, 0, 0xfb, 0xf4].repeat(2);
    assert_eq!(with(&twice), discarded(35, Wrong::Duplicate));
}

#[test]
fn mp_reach_nlri_twice() {
    let reach = [&[0x80, 14, 21, 0, 2, 1, 16][..], &[0x20; 16], &[0]].concat();
    assert_eq!(with(&reach.repeat(2)), Err(Violation::AttributeList.into()));
}

#[test]
fn an_as_path_segment_of_count_zero() {
    assert_eq!(with(&[0x40, 2, 2, 2, 0]), withdrawn(2, Wrong::Value));
    assert_eq!(with(&[0x40, 2, 8, 2, 1, 0, 0, 0xfb, 0xf4, 1, 0]), withdrawn(2, Wrong::Value));
}

#[test]
fn more_than_2048_as_numbers_in_an_extended_message() {
    let segment = [&[2, 255][..], &[0, 0, 0xfb, 0xf4].repeat(255)].concat();
    let path = segment.repeat(60);
    let head = [0x50, 2, (path.len() >> 8) as u8, path.len() as u8];
    let body = body(&[], &[&mandatory_but(2), &head[..], &path].concat(), TEN);
    assert!(body.len() < MAX_EXTENDED_LEN);
    let mut decoder = Decoder::new();
    let update = decoder.update(&body, &Context::default()).unwrap();
    let (attributes, _) = update.announced::<u32>().unwrap();
    assert_eq!((attributes.facts.path_length, attributes.as_path().asns().count()), (15_300, 15_300));
}

#[test]
fn prefix_lengths_past_32_and_past_128() {
    assert_eq!(
        decode(&body(&[], &mandatory_but(0), &[33, 1, 2, 3, 4, 5])),
        Err(Violation::NetworkField.into())
    );
    assert_eq!(decode(&body(&[255], &[], &[])), Err(Violation::NetworkField.into()));
    let unreach = [&[0x80, 15, 21, 0, 2, 1, 129][..], &[0x20; 17]].concat();
    assert_eq!(decode(&body(&[], &unreach, &[])), Err(Violation::OptionalAttribute(&unreach).into()));
}

#[test]
fn host_bits_in_a_prefix() {
    let body = body(&[], &mandatory_but(0), &[20, 1, 2, 255]);
    let mut decoder = Decoder::new();
    let update = decoder.update(&body, &Context::default()).unwrap();
    let (_, mut nlri) = update.announced::<u32>().unwrap();
    assert_eq!(nlri.next().unwrap().net.to_string(), "1.2.240.0/20");
}

#[test]
fn an_open_with_a_hold_time_of_one_or_two() {
    for hold_time in [1, 2] {
        let open = [4, 0xfb, 0xf4, 0, hold_time, 192, 0, 2, 1, 0];
        assert_eq!(Open::decode(&open), Err(Violation::HoldTime.into()));
    }
}

#[test]
fn optional_parameters_that_overrun_in_both_forms() {
    let open =
        |parameters: &[u8]| Open::decode(&[&[4, 0xfb, 0xf4, 0, 90, 192, 0, 2, 1], parameters].concat());
    for parameters in [
        &[4, 2, 250, 1, 4][..],
        &[2, 2, 1],
        &[200, 2, 0],
        &[6, 2, 4, 1, 9, 0, 1],
        &[255, 255, 0, 3, 2, 0, 9],
        &[255, 255, 0xff, 0xff, 2, 0, 0],
        &[255, 255, 0, 2, 2, 0],
        &[255, 255, 0, 4, 2, 0, 1, 1],
    ] {
        assert_eq!(open(parameters), Err(Violation::OpenSyntax.into()), "{parameters:?}");
    }
}

#[test]
fn a_message_of_4097_octets_without_the_capability() {
    let mut message = vec![0xff; 16];
    message.extend([0x10, 0x01, 2]);
    message.resize(4097, 0);
    assert_eq!(frame(&message, MAX_LEN), Err(Violation::Length(4097).into()));
    assert_eq!(frame(&message[..19], MAX_LEN), Err(Violation::Length(4097).into()));
}

#[test]
fn a_marker_of_zeros() {
    let message = [&[0; 16][..], &[0, 19, 4]].concat();
    assert_eq!(frame(&message, MAX_LEN), Err(Violation::Marker.into()));
}

#[test]
fn a_route_refresh_of_an_unknown_subtype_asks_for_nothing() {
    assert_eq!(Refresh::decode(&[0, 1, 99, 1]), None);
}

#[test]
fn an_attribute_that_overruns_its_section_takes_the_route_with_it() {
    assert_eq!(with(&[0xc0, 8, 8, 0, 1, 0, 2]), withdrawn(8, Wrong::Overrun));
}

/// Read with path identifiers, these would be one prefix with an odd one.
#[test]
fn a_default_route_before_others_is_no_path_identifier() {
    let nlri = [0, 16, 10, 0, 16, 10, 1];
    assert_eq!(decode(&body(&[], &mandatory_but(0), &nlri)), Ok((3, 0, vec![])));
}
