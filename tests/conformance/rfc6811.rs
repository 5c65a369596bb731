//! The truth table of `rfc6811.txt`, line by line.

use palisade_bgp::{Asn, Prefix};
use palisade_policy::{RovIndex, RovState, Vrp};

use crate::support::prefix;

fn validate(index: &RovIndex, route: Prefix, origin: Option<Asn>) -> RovState {
    match route {
        Prefix::V4(net) => index.validate(net, origin),
        Prefix::V6(net) => index.validate(net, origin),
    }
}

#[test]
fn every_case_of_the_truth_table_comes_out_as_the_rfc_says() {
    let mut vrps = Vec::new();
    let mut cases = 0;
    for (at, line) in include_str!("rfc6811.txt").lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            [first, ..] if first.starts_with('#') => {}
            ["vrps", ..] => vrps.clear(),
            ["vrp", net, max_length, asn] => {
                let asn = Asn(asn.parse().unwrap());
                vrps.push(Vrp::new(prefix(net), max_length.parse().unwrap(), asn).unwrap());
            }
            [route, origin, expected, _rfc, ..] => {
                let origin = (*origin != "NONE").then(|| origin.parse().unwrap());
                let found = validate(&RovIndex::build(vrps.iter().copied()), prefix(route), origin);
                assert_eq!(found.slug(), *expected, "line {}: {line}", at + 1);
                cases += 1;
            }
            _ => panic!("line {}: {line}", at + 1),
        }
    }
    assert!(cases > 60, "only {cases} cases read");
}
