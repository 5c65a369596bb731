//! The truth table of `aspa.txt`, line by line.

use palisade_bgp::Asn;
use palisade_policy::{Aspa, AspaIndex, Role};

use crate::support::Announcement;

#[test]
fn every_case_of_the_truth_table_comes_out_as_the_draft_says() {
    let mut aspas: Vec<Aspa> = Vec::new();
    let mut cases = 0;
    let mut wrong = Vec::new();
    for (at, line) in include_str!("aspa.txt").lines().enumerate() {
        let at = at + 1;
        let line = if line.starts_with('#') { "" } else { line };
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        match parts.as_slice() {
            [""] => {}
            [one] if one.starts_with("aspas") => aspas.clear(),
            [one] => aspas.push(aspa(one).unwrap_or_else(|| panic!("line {at}: {line}"))),
            [from, path, expected, where_it_is_written] => {
                let (role, neighbor) = from.split_once(' ').unwrap();
                let role = Role::from_slug(role).unwrap_or_else(|| panic!("line {at}: {line}"));
                let announcement = Announcement::new(path, "192.0.2.1");
                let path = announcement.attributes().as_path();
                let index = AspaIndex::build(aspas.iter().cloned());
                let found = index.verify(path, neighbor.trim().parse().unwrap(), role);
                if found.slug() != *expected {
                    wrong.push(format!("line {at} is {}: {line}", found.slug()));
                }
                assert!(!where_it_is_written.is_empty(), "line {at}: {line}");
                cases += 1;
            }
            _ => panic!("line {at}: {line}"),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases > 80, "only {cases} cases read");
}

/// `aspa CUSTOMER PROVIDER ..`
fn aspa(line: &str) -> Option<Aspa> {
    let mut asns = line.strip_prefix("aspa ")?.split_whitespace().map(|word| word.parse::<Asn>().ok());
    Some(Aspa { customer: asns.next()??, providers: asns.collect::<Option<_>>()? })
}
