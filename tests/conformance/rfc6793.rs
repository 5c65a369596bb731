//! Peers whose AS numbers have two octets (RFC 6793): what their paths come to (s4.2.3), what they are sent (s4.2.2), and what is not
//! to be believed of them (s6).

use palisade_bgp::attributes::NextHop;
use palisade_bgp::encode::{Rewrite, attribute_block};
use palisade_bgp::fault::Outcome;
use palisade_bgp::{Asn, Attributes, Context, Decoder};

use crate::messages::{attribute, body};

const TRANS: u32 = 23456;
const BIG: u32 = 65_536;

type Segments<'a> = &'a [(u8, &'a [u32])];

/// A path's value with AS numbers of two or four octets.
fn path(segments: Segments<'_>, width: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for (kind, asns) in segments {
        out.extend([*kind, asns.len() as u8]);
        asns.iter().for_each(|asn| out.extend(&asn.to_be_bytes()[4 - width..]));
    }
    out
}

fn aggregator(asn: u32, width: usize) -> Vec<u8> {
    [&asn.to_be_bytes()[4 - width..], &[192, 0, 2, 9]].concat()
}

/// AS_PATH, AS_PATH and AGGREGATOR of the old kind; AS4_PATH and AS4_AGGREGATOR beside them; the path and the aggregator that they are.
struct Case {
    path: Segments<'static>,
    path4: Option<Segments<'static>>,
    aggregators: (Option<u32>, Option<u32>),
    comes_to: (&'static str, Option<u32>),
    why: &'static str,
}

const CASES: &[Case] = &[
    Case {
        path: &[(2, &[64500, TRANS])],
        path4: None,
        aggregators: (None, None),
        comes_to: ("64500 23456", None),
        why: "s4.2.3: without AS4_PATH there is only AS_PATH",
    },
    Case {
        path: &[(2, &[64500, 64501, TRANS])],
        path4: Some(&[(2, &[BIG])]),
        aggregators: (None, None),
        comes_to: ("64500 64501 65536", None),
        why: "s4.2.3: as many leading AS numbers as AS_PATH has more",
    },
    Case {
        path: &[(2, &[64500, TRANS])],
        path4: Some(&[(2, &[64500, BIG])]),
        aggregators: (None, None),
        comes_to: ("64500 65536", None),
        why: "s4.2.3: of one length, AS4_PATH is all of it",
    },
    Case {
        path: &[(2, &[TRANS])],
        path4: Some(&[(2, &[64500, BIG])]),
        aggregators: (None, None),
        comes_to: ("23456", None),
        why: "s4.2.3: AS4_PATH is longer, and ignored",
    },
    Case {
        path: &[(2, &[64500]), (1, &[64501, TRANS])],
        path4: Some(&[(1, &[64501, BIG])]),
        aggregators: (None, None),
        comes_to: ("64500 {64501,65536}", None),
        why: "s4.2.3, RFC 4271 s9.1.2.2: a set counts as one",
    },
    Case {
        path: &[(2, &[64500, TRANS])],
        path4: Some(&[(3, &[65001]), (2, &[BIG]), (4, &[65002])]),
        aggregators: (None, None),
        comes_to: ("64500 65536", None),
        why: "s6: segments of confederations in AS4_PATH are discarded",
    },
    Case {
        path: &[(2, &[64500, TRANS])],
        path4: Some(&[(2, &[BIG])]),
        aggregators: (Some(TRANS), Some(BIG)),
        comes_to: ("64500 65536", Some(BIG)),
        why: "s4.2.3: AGGREGATOR is of AS_TRANS, and AS4_AGGREGATOR in its place",
    },
    Case {
        path: &[(2, &[64500, TRANS])],
        path4: Some(&[(2, &[BIG])]),
        aggregators: (Some(64501), Some(BIG)),
        comes_to: ("64500 23456", Some(64501)),
        why: "s4.2.3: AGGREGATOR is not of AS_TRANS: both of the new kind are ignored",
    },
    Case {
        path: &[(2, &[64500, TRANS])],
        path4: Some(&[(2, &[BIG])]),
        aggregators: (Some(64501), None),
        comes_to: ("64500 65536", Some(64501)),
        why: "s4.2.3: without AS4_AGGREGATOR there is nothing to compare",
    },
    Case {
        path: &[(2, &[64500, TRANS])],
        path4: None,
        aggregators: (None, Some(BIG)),
        comes_to: ("64500 23456", None),
        why: "s4.2.3: AS4_AGGREGATOR is for a place that is not there",
    },
];

/// A path as it is kept: AS_PATH as text, AGGREGATOR's AS, the types there are.
fn kept(attributes: &Attributes<'_>) -> (String, Option<u32>, Vec<u8>) {
    let aggregator = attributes.iter().find(|one| one.code == 7).map(|one| {
        let asn: [u8; 4] = one.value[..4].try_into().unwrap();
        u32::from_be_bytes(asn)
    });
    (attributes.as_path().to_string(), aggregator, attributes.iter().map(|one| one.code).collect())
}

#[test]
fn what_an_old_speaker_sends_comes_to_what_the_new_ones_behind_it_meant() {
    let context = Context { four_octet_as: false, ..Context::default() };
    for case in CASES {
        let (old, new) = case.aggregators;
        let optional = [
            old.map(|asn| attribute(0xc0, 7, &aggregator(asn, 2))),
            case.path4.map(|segments| attribute(0xc0, 17, &path(segments, 4))),
            new.map(|asn| attribute(0xc0, 18, &aggregator(asn, 4))),
        ];
        let own = [
            attribute(0x40, 1, &[0]),
            attribute(0x40, 2, &path(case.path, 2)),
            attribute(0x40, 3, &[192, 0, 2, 1]),
        ];
        let attributes = own.into_iter().chain(optional.into_iter().flatten()).flatten().collect::<Vec<u8>>();
        let body = body(&[], &attributes, &[8, 10]);
        let mut decoder = Decoder::new();
        let update = decoder.update(&body, &context).unwrap();
        assert!(update.faults().is_empty(), "{}: {:?}", case.why, update.faults());
        let (text, aggregator, codes) = kept(&update.announced::<u32>().unwrap().0);
        assert_eq!((text.as_str(), aggregator), case.comes_to, "{}", case.why);
        assert!(codes.iter().all(|code| !matches!(code, 17 | 18)), "{}", case.why);
    }
}

/// s6: AS4_PATH and AS4_AGGREGATOR of the wrong shape, from an old speaker; and any of them from a new one.
#[test]
fn what_is_malformed_or_has_no_place_is_discarded_and_the_rest_believed() {
    let shapes: [(u8, &[u8]); 9] = [
        (17, &[]),
        (17, &[2, 1, 0, 1, 0]),
        (17, &[2, 0, 0, 0, 0, 0]),
        (17, &[2, 2, 0, 1, 0, 0]),
        (17, &[9, 1, 0, 1, 0, 0]),
        (17, &[2, 1, 0, 0, 0, 0]), // AS 0 (RFC 7607 s2)
        (18, &[0, 1, 0, 0, 192, 0, 2]),
        (18, &[0, 1, 0, 0, 192, 0, 2, 9, 0]),
        (18, &[0, 0, 0, 0, 192, 0, 2, 9]), // AS 0
    ];
    let good: [(u8, &[u8]); 2] = [(17, &[2, 1, 0, 1, 0, 0]), (18, &[0, 1, 0, 0, 192, 0, 2, 9])];
    let old = shapes.iter().map(|shape| (2, shape));
    for (width, (code, value)) in old.chain(good.iter().map(|shape| (4, shape))) {
        let context = Context { four_octet_as: width == 4, ..Context::default() };
        let own = [
            attribute(0x40, 1, &[0]),
            attribute(0x40, 2, &path(&[(2, &[64500, TRANS])], width)),
            attribute(0x40, 3, &[192, 0, 2, 1]),
            attribute(0xc0, *code, value),
        ];
        let body = body(&[], &own.concat(), &[8, 10]);
        let mut decoder = Decoder::new();
        let update = decoder.update(&body, &context).unwrap();
        let faults: Vec<_> = update.faults().iter().map(|fault| (fault.attribute, fault.outcome)).collect();
        assert_eq!(faults, [(*code, Outcome::AttributeDiscard)], "{code} {value:?}");
        let (text, _, codes) = kept(&update.announced::<u32>().unwrap().0);
        assert_eq!((text.as_str(), codes), ("64500 23456", vec![1, 2]), "{code} {value:?}");
    }
}

/// What is sent of a path: the types, and AS_PATH, AS4_PATH and AGGREGATOR in octets.
fn sent(segments: Segments<'_>, asn: u32, four_octet_as: bool) -> Vec<(u8, Vec<u8>)> {
    let own = [
        attribute(0x40, 1, &[0]),
        attribute(0x40, 2, &path(segments, 4)),
        attribute(0x40, 3, &[192, 0, 2, 1]),
        attribute(0xc0, 7, &aggregator(asn, 4)),
    ];
    let body = body(&[], &own.concat(), &[8, 10]);
    let context = Context { internal: true, ..Context::default() };
    let mut decoder = Decoder::new();
    let update = decoder.update(&body, &context).unwrap();
    let (attributes, _) = update.announced::<u32>().unwrap();
    let next_hop = NextHop::V4([192, 0, 2, 2].into());
    let rewrite = Rewrite { prepend: Some((Asn(64499), 1)), four_octet_as, ..Rewrite::external(next_hop) };
    let mut block = Vec::new();
    attribute_block(&attributes, &rewrite, &mut block);
    let mut out = Vec::new();
    let mut rest = &block[..];
    while let [_, code, length, after @ ..] = rest {
        let (value, next) = after.split_at(usize::from(*length));
        out.push((*code, value.to_vec()));
        rest = next;
    }
    out
}

#[test]
fn an_old_speaker_is_sent_as_trans_and_what_it_stands_for_where_it_stands_for_something() {
    // s4.2.2: numbers that fit need nothing of the new kind.
    let small = sent(&[(2, &[64500])], 64501, false);
    assert_eq!(small, [(1, vec![0]), (2, path(&[(2, &[64499, 64500])], 2)), (7, aggregator(64501, 2))]);
    // One that does not is AS_TRANS, and all of the path is in AS4_PATH.
    let big = sent(&[(2, &[BIG, 64500])], BIG, false);
    let expected = [
        (1, vec![0]),
        (2, path(&[(2, &[64499, TRANS, 64500])], 2)),
        (7, aggregator(TRANS, 2)),
        (17, path(&[(2, &[64499, BIG, 64500])], 4)),
        (18, aggregator(BIG, 4)),
    ];
    assert_eq!(big, expected);
    // s3: no segment of a confederation goes into AS4_PATH (nor out of the AS, RFC 5065 s4).
    let confederation = sent(&[(3, &[65001]), (2, &[BIG])], 64501, false);
    assert_eq!(confederation[1], (2, path(&[(2, &[64499, TRANS])], 2)));
    assert_eq!(confederation[3], (17, path(&[(2, &[64499, BIG])], 4)));
}

#[test]
fn a_new_speaker_is_sent_nothing_of_the_kind() {
    let all = sent(&[(2, &[BIG, 64500])], BIG, true);
    assert_eq!(all, [(1, vec![0]), (2, path(&[(2, &[64499, BIG, 64500])], 4)), (7, aggregator(BIG, 4))]);
}
