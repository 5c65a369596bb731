//! Attributes as archives of tables have them (RFC 6396 s4.3.4).

use super::*;

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
