//! Blocks of attributes: what of those that were received is said to whom, and in which words.

use super::*;
use crate::as_path::Asn;
use crate::attributes::Attributes;
use crate::community::{Community, ExtendedCommunity, LargeCommunity};

fn rewrite() -> Rewrite {
    Rewrite::external(HOP)
}

/// The block that attributes become, read from an internal peer so that none is left out.
fn block(attributes: &[u8], rewrite: &Rewrite) -> Vec<u8> {
    let body = body(&[], &[attributes, &attribute(0x40, 3, &[192, 0, 2, 1])].concat(), TEN);
    let context = Context { internal: true, ..Context::default() };
    let mut decoder = Decoder::new();
    let update = decoder.update(&body, &context).unwrap();
    let (attributes, _) = update.announced::<u32>().unwrap();
    let mut out = Vec::new();
    attribute_block(&attributes, rewrite, &mut out);
    out
}

fn path_of(asns: &[u32]) -> Vec<u8> {
    attribute(0x40, 2, &sequence(asns))
}

#[test]
fn an_external_peer_is_told_nothing_that_stays_in_the_as() {
    let inner = [
        attribute(0x80, 4, &[0, 0, 0, 9]),
        attribute(0x40, 5, &[0, 0, 0, 200]),
        attribute(0x80, 9, &[1, 1, 1, 1]),
        attribute(0x80, 10, &[2, 2, 2, 2]),
    ];
    let all = [origin(), path(), inner.concat()].concat();
    assert_eq!(block(&all, &rewrite()), [origin(), path()].concat());
    let internal = Rewrite { internal: true, med: Some(9), ..rewrite() };
    assert_eq!(block(&all, &internal), all);
}

#[test]
fn an_internal_peer_is_always_told_a_local_preference() {
    let plain = [origin(), path()].concat();
    let internal = Rewrite { internal: true, ..rewrite() };
    assert_eq!(block(&plain, &internal), [plain.clone(), attribute(0x40, 5, &[0, 0, 0, 100])].concat());
    let set = Rewrite { local_pref: Some(7), ..internal };
    assert_eq!(block(&plain, &set), [plain, attribute(0x40, 5, &[0, 0, 0, 7])].concat());
}

#[test]
fn an_as_is_put_in_front_in_a_segment_that_has_room() {
    let us = |times| Rewrite { prepend: Some((Asn(64499), times)), ..rewrite() };
    let full: Vec<u32> = vec![7; 255];
    let mut longer = full[..254].to_vec();
    longer.insert(0, 64499);
    let cases: [(Vec<u8>, u8, Vec<u8>); 6] = [
        (vec![], 1, sequence(&[64499])),
        (sequence(&[1, 2]), 3, sequence(&[64499, 64499, 64499, 1, 2])),
        (sequence(&[1]), 0, sequence(&[1])),
        (sequence(&full[..254]), 1, sequence(&longer)),
        (sequence(&full), 2, segments(&[(2, &[64499, 64499]), (2, &full)])),
        (segments(&[(1, &[5, 6])]), 1, segments(&[(2, &[64499]), (1, &[5, 6])])),
    ];
    for (before, times, after) in cases {
        let flags = |value: &[u8]| if value.len() > 255 { 0x50 } else { 0x40 };
        let got = block(&[origin(), attribute(flags(&before), 2, &before)].concat(), &us(times));
        assert_eq!(got, [origin(), attribute(flags(&after), 2, &after)].concat());
    }
}

#[test]
fn confederation_segments_stay_in_the_as() {
    let inside = attribute(0x40, 2, &segments(&[(3, &[65001]), (4, &[65002]), (2, &[1])]));
    let us = Rewrite { prepend: Some((Asn(9), 1)), ..rewrite() };
    assert_eq!(block(&[origin(), inside.clone()].concat(), &us), [origin(), path_of(&[9, 1])].concat());
    let internal = Rewrite { internal: true, ..rewrite() };
    let whole = [origin(), inside, attribute(0x40, 5, &[0, 0, 0, 100])].concat();
    assert_eq!(block(&whole, &internal), whole);
}

#[test]
fn a_two_octet_peer_gets_as_trans_and_the_truth_beside_it() {
    let aggregator = attribute(0xc0, 7, &[0, 1, 0x86, 0xa0, 1, 2, 3, 4]);
    let all = [origin(), path_of(&[64500, 100_000]), aggregator].concat();
    let two = Rewrite { four_octet_as: false, prepend: Some((Asn(9), 1)), ..rewrite() };
    let wanted = [
        origin(),
        attribute(0x40, 2, &[2, 3, 0, 9, 0xfb, 0xf4, 0x5b, 0xa0]),
        attribute(0xc0, 7, &[0x5b, 0xa0, 1, 2, 3, 4]),
        attribute(0xc0, 17, &sequence(&[9, 64500, 100_000])),
        attribute(0xc0, 18, &[0, 1, 0x86, 0xa0, 1, 2, 3, 4]),
    ];
    assert_eq!(block(&all, &two), wanted.concat());
    let small = [origin(), path_of(&[64500]), attribute(0xc0, 7, &[0, 0, 0, 7, 1, 2, 3, 4])].concat();
    let wanted =
        [origin(), attribute(0x40, 2, &[2, 2, 0, 9, 0xfb, 0xf4]), attribute(0xc0, 7, &[0, 7, 1, 2, 3, 4])];
    assert_eq!(block(&small, &two), wanted.concat());
}

#[test]
fn communities_are_added_once_and_in_their_place() {
    let tags = Rewrite {
        add_communities: vec![Community(0x0001_0002), Community(0x0003_0004)],
        add_large_communities: vec![LargeCommunity(1, 2, 3)],
        ..rewrite()
    };
    let large = [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    let unknown = attribute(0xe0, 40, &[7]);
    let before = [origin(), path(), attribute(0xc0, 8, &[0, 1, 0, 2]), unknown.clone()].concat();
    let after = [
        origin(),
        path(),
        attribute(0xc0, 8, &[0, 1, 0, 2, 0, 3, 0, 4]),
        attribute(0xe0, 32, &large),
        unknown,
    ];
    assert_eq!(block(&before, &tags), after.concat());
    // Where nothing was there before, and the path is our own, nothing is partial.
    let own = [origin(), attribute(0x40, 2, &[])].concat();
    let tagged = [own.clone(), attribute(0xc0, 8, &[0, 1, 0, 2, 0, 3, 0, 4]), attribute(0xc0, 32, &large)];
    assert_eq!(block(&own, &tags), tagged.concat());
}

/// A list of standard, extended and large communities, each a value of its own.
fn lists(standard: &[u32], extended: &[u32], large: &[u32]) -> Vec<u8> {
    let list = |code, values: &[u32], front: &[u8]| {
        let value: Vec<u8> = values.iter().flat_map(|value| [front, &value.to_be_bytes()].concat()).collect();
        if values.is_empty() { Vec::new() } else { attribute(0xc0, code, &value) }
    };
    [list(8, standard, &[]), list(16, extended, &[0, 2, 0, 9]), list(32, large, &[0, 0, 0, 7, 0, 0, 0, 8])]
        .concat()
}

#[test]
fn communities_are_removed_by_their_value_and_an_empty_list_is_left_out() {
    let extended = |value| ExtendedCommunity::two_octet_as(ExtendedCommunity::ROUTE_TARGET, 9, value);
    let edit = |remove: &[u32], add: &[u32]| Rewrite {
        remove_communities: remove.iter().copied().map(Community).collect(),
        remove_extended_communities: remove.iter().copied().map(extended).collect(),
        remove_large_communities: remove.iter().map(|value| LargeCommunity(7, 8, *value)).collect(),
        add_communities: add.iter().copied().map(Community).collect(),
        add_large_communities: add.iter().map(|value| LargeCommunity(7, 8, *value)).collect(),
        ..rewrite()
    };
    // There, removed, added; what is left of standard and large communities, and what of extended ones, which are not added.
    let cases: [[&[u32]; 5]; 12] = [
        [&[], &[], &[], &[], &[]],
        [&[], &[1], &[], &[], &[]],
        [&[1, 2, 3], &[], &[], &[1, 2, 3], &[1, 2, 3]],
        [&[1, 2, 3], &[4], &[], &[1, 2, 3], &[1, 2, 3]],
        [&[1, 2, 3], &[2], &[], &[1, 3], &[1, 3]],
        [&[1, 2, 1, 3], &[3, 1], &[], &[2], &[2]],
        [&[1, 2], &[2, 1, 5], &[], &[], &[]],
        [&[1, 2], &[1, 2], &[9], &[9], &[]],
        [&[1, 2], &[1], &[2, 9, 9], &[2, 9], &[2]],
        [&[1, 2], &[1], &[1], &[2, 1], &[2]],
        [&[], &[1], &[1], &[1], &[]],
        [&[5, 5], &[], &[5], &[5, 5], &[5, 5]],
    ];
    let own = [origin(), attribute(0x40, 2, &[])].concat();
    for [there, remove, add, left, left_extended] in cases {
        let before = [own.clone(), lists(there, there, there)].concat();
        let mut left_large = left.to_vec();
        left_large.dedup(); // on receipt (RFC 8092 s3)
        let after = [own.clone(), lists(left, left_extended, &left_large)].concat();
        assert_eq!(block(&before, &edit(remove, add)), after, "{there:?} {remove:?} {add:?}");
    }
}

#[test]
fn a_community_is_removed_only_from_the_list_of_its_kind_and_only_where_all_of_it_is_the_same() {
    let one = [origin(), path(), lists(&[1], &[1], &[1])].concat();
    let near = Rewrite {
        remove_communities: vec![Community(0x0001_0001), Community(0x0100_0000)],
        remove_extended_communities: vec![ExtendedCommunity([2, 2, 0, 9, 0, 0, 0, 1])],
        remove_large_communities: vec![LargeCommunity(7, 9, 1), LargeCommunity(6, 8, 1)],
        ..rewrite()
    };
    assert_eq!(block(&one, &near), one);
    let large = Rewrite { remove_large_communities: vec![LargeCommunity(7, 8, 1)], ..rewrite() };
    assert_eq!(block(&one, &large), [origin(), path(), lists(&[1], &[1], &[])].concat());
}

#[test]
fn only_to_customer_is_set_where_it_is_absent_and_never_changed() {
    let otc = Rewrite { only_to_customer: Some(Asn(64499)), ..rewrite() };
    let plain = [origin(), path()].concat();
    assert_eq!(block(&plain, &otc), [plain.clone(), attribute(0xe0, 35, &64499u32.to_be_bytes())].concat());
    let marked = [plain, attribute(0xc0, 35, &[0, 0, 0, 1])].concat();
    assert_eq!(block(&marked, &otc), marked);
}

#[test]
fn unknown_attributes_go_on_byte_for_byte_and_marked_as_partial() {
    let unknown = attribute(0xd0, 99, &[7; 300]);
    let got = block(&[origin(), path(), unknown].concat(), &rewrite());
    assert_eq!(got, [origin(), path(), attribute(0xf0, 99, &[7; 300])].concat());
}

#[test]
fn extended_communities_that_are_not_transitive_stay_in_the_as() {
    let (stays, goes) = ([0x40, 2, 0, 0, 0, 0, 0, 1], [0, 2, 0, 0, 0, 0, 0, 1]);
    let with = |values: &[[u8; 8]]| [origin(), path(), attribute(0xc0, 16, &values.concat())].concat();
    assert_eq!(block(&with(&[stays, goes]), &rewrite()), with(&[goes]));
    assert_eq!(block(&with(&[goes]), &rewrite()), with(&[goes]));
    assert_eq!(block(&with(&[stays]), &rewrite()), [origin(), path()].concat());
    let internal = block(&with(&[stays, goes]), &Rewrite { internal: true, ..rewrite() });
    assert!(internal.ends_with(&attribute(0xc0, 16, &[stays, goes].concat())));
    let removed = Rewrite { remove_extended_communities: vec![ExtendedCommunity(goes)], ..rewrite() };
    assert_eq!(block(&with(&[stays, goes]), &removed), [origin(), path()].concat());
    let internal = block(&with(&[stays, goes]), &Rewrite { internal: true, ..removed });
    assert!(internal.ends_with(&attribute(0xc0, 16, &stays)));
}

#[test]
fn a_block_that_was_read_back_gives_the_same_block() {
    let all = [
        origin(),
        path(),
        attribute(0x40, 6, &[]),
        attribute(0xc0, 7, &[0, 0, 0, 1, 1, 2, 3, 4]),
        attribute(0xc0, 8, &[0, 1, 0, 2]),
        attribute(0xc0, 25, &[0; 20]),
        attribute(0xe0, 99, &[1]),
    ]
    .concat();
    assert_eq!(block(&all, &rewrite()), all);
}

/// Reads attributes in an announcement of an internal peer, and hands on what was found.
fn read_back(attributes: &[u8], check: impl FnOnce(&Attributes<'_>)) {
    let next_hop = attribute(0x40, 3, &[198, 18, 0, 1]);
    let all = [attributes, &next_hop].concat();
    let body = [&[0, 0], &(all.len() as u16).to_be_bytes()[..], &all, &[8, 10]].concat();
    let context = Context { internal: true, ..Context::default() };
    let mut decoder = Decoder::new();
    let update = decoder.update(&body, &context).unwrap();
    assert!(update.faults().is_empty(), "{:?}", update.faults());
    check(&update.announced::<u32>().unwrap().0);
}

#[test]
fn amended_attributes_are_as_if_they_had_come_so() {
    let extended = |value| ExtendedCommunity::two_octet_as(ExtendedCommunity::ROUTE_TARGET, 9, value);
    let local_pref = attribute(0x40, 5, &[0, 0, 0, 7]);
    let (unknown, inside) = (attribute(0xc0, 99, &[1, 2, 3]), attribute(0x80, 9, &[1, 1, 1, 1]));
    let lists = lists(&[1, 2], &[1, 2], &[1, 2]);
    let wires = [
        [origin(), path()].concat(),
        [origin(), attribute(0x40, 2, &[])].concat(),
        [origin(), path(), attribute(0x80, 4, &[0, 0, 0, 1]), local_pref, inside, lists, unknown].concat(),
    ];
    let prepends = Rewrite { prepend: Some((Asn(9), 3)), med: Some(77), ..rewrite() };
    let edits = Rewrite {
        remove_communities: vec![Community(1)],
        remove_extended_communities: vec![extended(1), extended(2)],
        remove_large_communities: vec![LargeCommunity(7, 8, 2)],
        add_communities: vec![Community(2), Community(5)],
        add_extended_communities: vec![extended(2), extended(6)],
        add_large_communities: (0..30).map(|value| LargeCommunity(7, 9, value)).collect(),
        ..rewrite()
    };
    for wire in &wires {
        for rewrite in [&rewrite(), &prepends, &edits] {
            read_back(wire, |before| {
                let (amended, facts) = amended(before, rewrite).unwrap();
                read_back(&amended, |after| {
                    assert_eq!((after.wire, after.facts), (&amended[..], &facts));
                    assert_eq!(facts.local_pref, before.facts.local_pref);
                    assert_eq!(facts.med, rewrite.med);
                    let added = rewrite.prepend.map_or(0, |(_, count)| count.into());
                    assert_eq!(facts.path_length, before.facts.path_length + added);
                    let of_edits = rewrite.add_communities.iter();
                    assert!(of_edits.clone().all(|one| after.communities().any(|other| other == *one)));
                    assert_eq!(
                        after.iter().find(|one| one.code == 99).map(|one| one.flags),
                        before.iter().find(|one| one.code == 99).map(|one| one.flags)
                    );
                });
            });
        }
    }
}

#[test]
fn attributes_that_would_be_longer_than_any_that_come_are_not_made() {
    let most = Rewrite {
        add_large_communities: (0..6_000).map(|value| LargeCommunity(7, 9, value)).collect(),
        ..rewrite()
    };
    read_back(&[origin(), path()].concat(), |before| assert!(amended(before, &most).is_none()));
}
