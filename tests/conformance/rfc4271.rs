//! Attributes that nobody here knows, and lists of communities, on their way through (RFC 4271 s5, s9; RFC 4360 s6; RFC 5701 s2;
//! RFC 8092 s3, s5).

use palisade_bgp::attributes::NextHop;
use palisade_bgp::encode::{Rewrite, attribute_block};
use palisade_bgp::{Asn, AttributeCodes, Context, Decoder, Notification};

use crate::messages::{attribute, body};

/// What goes on of attributes that come beside ORIGIN and AS_PATH, to an external or an internal peer, in octets.
fn passed_on(extra: &[u8], internal: bool) -> Result<Vec<u8>, Notification> {
    passed_on_without(AttributeCodes::default(), extra, internal)
}

/// The same where attributes are stripped.
fn passed_on_without(
    stripped: AttributeCodes,
    extra: &[u8],
    internal: bool,
) -> Result<Vec<u8>, Notification> {
    let own = [
        attribute(0x40, 1, &[0]),
        attribute(0x40, 2, &[2, 1, 0, 0, 0xfb, 0xf4]),
        attribute(0x40, 3, &[192, 0, 2, 1]),
    ];
    let body = body(&[], &[own.concat(), extra.to_vec()].concat(), &[8, 10]);
    let mut decoder = Decoder::new();
    let update = decoder.update(&body, &Context { stripped, ..Context::default() })?;
    assert!(update.faults().is_empty(), "{:?}", update.faults());
    let (attributes, _) = update.announced::<u32>().unwrap();
    let prepend = (!internal).then_some((Asn(64499), 1));
    let next_hop = NextHop::V4([192, 0, 2, 2].into());
    let rewrite = Rewrite { prepend, internal, ..Rewrite::external(next_hop) };
    let mut block = Vec::new();
    attribute_block(&attributes, &rewrite, &mut block);
    // What the message itself has of ORIGIN, AS_PATH and LOCAL_PREF.
    let own = if internal { 4 + 9 + 7 } else { 4 + 13 };
    Ok(block[own..].to_vec())
}

/// Every type without a row, both of the real ones that reset sessions across the Internet among them.
#[test]
fn an_unknown_transitive_attribute_goes_on_octet_for_octet_marked_as_partial() {
    for code in [11, 22, 23, 28, 36, 40, 99, 128, 254, 255] {
        for value in [&[][..], &[0; 10], &[0xff; 300]] {
            let long = if value.len() > 255 { 0x10 } else { 0 };
            for partial in [0, 0x20] {
                let came = attribute(0xc0 | partial | long, code, value);
                for internal in [false, true] {
                    assert_eq!(passed_on(&came, internal), Ok(attribute(0xe0 | long, code, value)), "{code}");
                }
            }
        }
    }
}

#[test]
fn an_unknown_attribute_that_is_not_transitive_goes_no_further() {
    for code in [24, 26, 29, 33, 99] {
        assert_eq!(passed_on(&attribute(0x80, code, &[1, 2, 3]), false), Ok(vec![]), "{code}");
    }
}

/// RFC 4271 s6.3: 3/2 with the attribute.
#[test]
fn an_unknown_attribute_that_is_marked_well_known_ends_the_session() {
    for flags in [0x40, 0x00, 0x60] {
        let came = attribute(flags, 99, &[1, 2, 3]);
        let told = passed_on(&came, false).unwrap_err();
        assert_eq!((told.code, told.subcode, told.data), (3, 2, came));
    }
}

/// Whatever is wrong with what is stripped, it is taken for absent, and the rest for what it is.
#[test]
fn a_stripped_attribute_is_as_if_it_had_not_come() {
    let stripped: AttributeCodes = [8, 28, 40, 99].into_iter().collect();
    let kept = attribute(0xe0, 41, &[1]);
    let damaged = [
        attribute(0xc0, 28, &[0; 10]),
        attribute(0xc0, 40, &[]),
        attribute(0x40, 8, &[1, 2, 3]),
        attribute(0xc0, 8, &[1, 2, 3]),
        attribute(0x00, 99, &[]),
        attribute(0xc0, 28, &[0; 10]),
    ];
    for one in &damaged {
        let both = [one.clone(), kept.clone()].concat();
        assert_eq!(passed_on_without(stripped, &both, false), Ok(kept.clone()), "{one:x?}");
    }
    let all = [damaged.concat(), kept.clone()].concat();
    assert_eq!(passed_on_without(stripped, &all, true), Ok(kept));
}

/// RFC 4360 s2, s6 and RFC 5701 s2: types that nobody knows are no error, and those that are not transitive stay in the AS.
#[test]
fn extended_communities_that_are_not_transitive_stay_in_the_as() {
    for (code, size) in [(16, 8), (25, 20)] {
        let item = |kind: u8| [&[kind][..], &vec![7; size - 1]].concat();
        let (transitive, not) = (item(0x00), item(0x40));
        for unknown in [0x3f, 0x80, 0xbf] {
            let came = attribute(0xc0, code, &item(unknown));
            assert_eq!(passed_on(&came, false), Ok(came.clone()), "{code} {unknown:#x}");
        }
        let both = attribute(0xc0, code, &[not.clone(), transitive.clone()].concat());
        assert_eq!(passed_on(&both, false), Ok(attribute(0xc0, code, &transitive)), "{code}");
        assert_eq!(passed_on(&both, true), Ok(both.clone()), "{code}");
        assert_eq!(passed_on(&attribute(0xc0, code, &not), false), Ok(vec![]), "{code}");
    }
}

/// RFC 8092 s3: what is listed twice goes on once; s5: no value is wrong, reserved ones neither.
#[test]
fn large_communities_go_on_as_they_came_but_for_what_is_there_twice() {
    let item =
        |admin: u32, one: u32| [admin, one, 2].into_iter().flat_map(u32::to_be_bytes).collect::<Vec<u8>>();
    let (a, b, reserved) = (item(64500, 1), item(64500, 0), item(0, 9));
    for (came, goes) in [
        (vec![&a], vec![&a]),
        (vec![&b, &a], vec![&b, &a]),
        (vec![&a, &b, &a, &reserved, &b], vec![&a, &b, &reserved]),
        (vec![&a; 20], vec![&a]),
        (vec![&reserved, &item(u32::MAX, 0)], vec![&reserved, &item(u32::MAX, 0)]),
    ] {
        let list = |items: Vec<&Vec<u8>>| items.into_iter().flatten().copied().collect::<Vec<u8>>();
        let goes = attribute(0xc0, 32, &list(goes));
        assert_eq!(passed_on(&attribute(0xc0, 32, &list(came)), false), Ok(goes));
    }
}

/// RFC 1997: four octets each, in the order sent; the well-known ones and the reserved ranges are communities like others to a codec.
#[test]
fn communities_go_on_as_they_came() {
    let octets = [0xffff_ff01_u32, 0xffff_ff02, 0xffff_ff03, 0, 0xffff_ffff, 0xfbf4_0001, 0xfbf4_0001];
    let came = attribute(0xc0, 8, &octets.into_iter().flat_map(u32::to_be_bytes).collect::<Vec<u8>>());
    assert_eq!(passed_on(&came, false), Ok(came.clone()));
}
