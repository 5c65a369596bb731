//! Registries: RPSL in all its shapes, as-sets that go in circles, and what hostile dumps come to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

mod support;

use std::fs::File;
use std::io::{BufReader, Read};
use std::net::IpAddr;
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use palisade_bgp::Asn;
use palisade_policy::as_set::Member;
use palisade_policy::expansion::{Cycle, Truncation};
use palisade_policy::irr::MAX_SOURCES;
use palisade_policy::{
    AsSetName, Expansion, ExpansionError, ExpansionLimits, IrrBuilder, IrrError, IrrIndex, IrrReport,
};
use proptest::prelude::*;
use support::{net, net6, prefix, real_data, tar_files};

fn read(dumps: &[&str]) -> (IrrIndex, Vec<IrrReport>) {
    let mut builder = IrrBuilder::default();
    let reports = dumps.iter().map(|dump| builder.read(dump.as_bytes(), "FILE").unwrap()).collect();
    (builder.build(), reports)
}

fn expand(index: &IrrIndex, name: &str) -> Expansion {
    index.expand(name, &ExpansionLimits::default()).unwrap()
}

fn origins(expansion: &Expansion) -> Vec<u32> {
    expansion.origins.iter().map(|asn| asn.0).collect()
}

#[test]
fn route_objects_are_read_in_every_shape_that_dumps_have() {
    let dump = "% a remark of the server\n\
        \n\
        route:          193.0.0.0/16\r\n\
        descr:          caf\u{e9}\r\n\
        origin:         AS3333 # that is us\r\n\
        source:         RIPE # Filtered\r\n\
        \r\n\
        ROUTE6: 2A00::/16\n\
        Origin:\n\
        \tas4444\n\
        remarks: one\n\
        +\n\
         two: three\n\
        source: radb\n\
        \n\n\n\
        # EOF\n\
        person: Nobody\n\
        \n\
        route:193.1.0.0/16\norigin:AS1";
    let (index, reports) = read(&[dump]);
    let report = &reports[0];
    assert_eq!((report.routes, report.as_sets, report.others, report.malformed.count), (3, 0, 1, 0));
    assert!(index.registered(net("193.0.0.0/16"), Asn(3333), 0));
    assert!(index.registered(net6("2a00::/16"), Asn(4444), 0));
    assert!(index.registered(net("193.1.0.0/16"), Asn(1), 0), "the last object, which no blank line ends");
    assert!(
        !index.registered(net("193.0.0.0/24"), Asn(3333), 23),
        "too long to be registered by a covering one"
    );
    assert!(index.registered(net("193.0.0.0/24"), Asn(3333), 24));
    let sources: Vec<&str> = index.sources().iter().map(|source| &**source).collect();
    assert_eq!(sources, ["RIPE", "RADB", "FILE"]);
    let named: Vec<String> = index.covering(prefix("2a00:1::/32")).map(|object| object.to_string()).collect();
    assert_eq!(named, ["2a00::/16 AS4444 in RADB"]);
}

#[test]
fn latin_1_does_not_disturb() {
    let mut dump =
        b"route: 193.0.0.0/16\ndescr: Z\xfcrich \xff\xfe\norigin: AS3333\nsource: RIPE\n\n".to_vec();
    dump.extend(b"route: 193.1.0.0/16\norigin: AS\xff\n\n");
    let mut builder = IrrBuilder::default();
    let report = builder.read(dump.as_slice(), "RIPE").unwrap();
    assert_eq!((report.routes, report.malformed.count), (1, 1));
}

#[test]
fn malformed_objects_are_named_by_their_line() {
    let (_, reports) = read(&[
        "route: 193.0.0.0/33\norigin: AS1\n\nroute: 193.0.0.0/16\n\nroute: 2a00::/16\norigin: AS1\n\n\
        route: 193.0.0.0/16\norigin: 1.2\n\nas-set: FOO\nmembers: AS1\n\nroute6: 193.0.0.0/16\norigin: AS1\n\n\
        as-set: AS-X\nmembers: AS1, wrong!, AS2,,\n",
    ]);
    let report = &reports[0];
    assert_eq!((report.routes, report.as_sets, report.malformed.count), (0, 1, 7));
    let first: Vec<(u64, &str)> =
        report.malformed.first.iter().map(|entry| (entry.position, entry.fault.as_str())).collect();
    assert_eq!(
        first,
        [
            (1, "no prefix: `193.0.0.0/33`"),
            (4, "193.0.0.0/16 has no origin"),
            (6, "2a00::/16 in an object for IPv4"),
            (9, "origin of 193.0.0.0/16: `1.2`"),
            (12, "`FOO` is no as-set: expected AS-NAME, AS64500:AS-NAME or SOURCE::AS-NAME"),
        ]
    );
}

#[test]
fn a_dump_of_something_else_is_refused() {
    for dump in
        ["", "\n\n", "<html><body>503</body></html>", "person: X\n\nrole: Y\n", "route: X\norigin: AS1\n"]
    {
        let refused = IrrBuilder::default().read(dump.as_bytes(), "X");
        assert!(matches!(refused, Err(IrrError::NoObjects { .. })), "{dump:?}: {refused:?}");
    }
}

#[test]
fn sources_are_bounded() {
    let mut builder = IrrBuilder::default();
    for at in 0..MAX_SOURCES {
        builder.add_route(prefix("193.0.0.0/16"), Asn(1), &format!("S{at}")).unwrap();
    }
    builder.add_route(prefix("193.0.0.0/16"), Asn(2), "s0").unwrap();
    let refused = builder.add_route(prefix("193.0.0.0/16"), Asn(1), "ONE-MORE");
    assert!(matches!(refused, Err(IrrError::TooManySources)));
}

#[test]
fn a_line_without_end_is_cut_and_its_object_left_out() {
    let head = "route: 193.0.0.0/16\norigin: AS1\nremarks: ";
    let tail = "\n\nroute: 193.1.0.0/16\norigin: AS1\n";
    let dump = head.as_bytes().chain(std::io::repeat(b'x').take(3 << 20)).chain(tail.as_bytes());
    let report = IrrBuilder::default().read(BufReader::new(dump), "X").unwrap();
    assert_eq!((report.routes, report.malformed.count), (1, 1));
    assert_eq!(report.malformed.first[0].fault, "the object is too large");
}

#[test]
fn an_object_without_end_is_cut_and_left_out() {
    let line = format!("members: {}\n", "AS1, ".repeat(1000));
    let dump = format!("as-set: AS-X\n{}\n\nroute: 193.1.0.0/16\norigin: AS1\n", line.repeat(4000));
    let report = IrrBuilder::default().read(dump.as_bytes(), "X").unwrap();
    assert_eq!((report.routes, report.as_sets, report.malformed.count), (1, 0, 1));
}

#[test]
fn names_are_told_from_what_is_none() {
    for (text, shown) in [
        ("AS-FOO", "AS-FOO"),
        ("as-foo", "AS-FOO"),
        ("ripe::as-foo", "RIPE::AS-FOO"),
        ("AS64500:AS-FOO", "AS64500:AS-FOO"),
        ("RADB::AS1:AS-A:AS-B", "RADB::AS1:AS-A:AS-B"),
    ] {
        assert_eq!(text.parse::<AsSetName>().unwrap().to_string(), shown);
    }
    let long = format!("AS-{}", "X".repeat(300));
    for text in [
        "",
        "FOO",
        "AS1",
        "AS1:AS2",
        "::AS-FOO",
        "RIPE::",
        "AS-FOO:",
        "AS-A B",
        "AS-\u{e9}",
        &long,
        "A::B::AS-C",
    ] {
        assert!(text.parse::<AsSetName>().is_err(), "{text}");
    }
    assert_eq!("AS64500".parse(), Ok(Member::Asn(Asn(64500))));
    assert!("64500".parse::<Member>().is_err(), "a bare number is no AS in RPSL");
}

const SETS: &str = "as-set: AS-TOP\nmembers: AS1, AS-LEFT,\n  AS-RIGHT AS-NOBODY\nmembers: RADB::AS-SHARED\nsource: RIPE\n\n\
    as-set: AS-LEFT\nmembers: AS2, AS-TOP\nsource: RIPE\n\n\
    as-set: AS-RIGHT\nmembers: AS2, AS3, AS-LEFT, AS-RIGHT, NOBODY::AS-LEFT\nsource: RIPE\n\n\
    as-set: AS-SHARED\nmembers: AS10\nsource: RIPE\n\n\
    as-set: AS-SHARED\nmembers: AS20\nsource: RADB\n\n\
    as-set: AS-EMPTY\nsource: RIPE\n\n\
    as-set: AS5:AS-CUSTOMERS\nmembers: AS5\nsource: RIPE\n";

#[test]
fn an_as_set_expands_through_cycles_diamonds_and_gaps() {
    let (index, _) = read(&[SETS]);
    let expansion = expand(&index, "as-top");
    assert_eq!(origins(&expansion), [1, 2, 3, 20]);
    let visited: Vec<(&str, &str, usize)> =
        expansion.sets.iter().map(|set| (&*set.name, &*set.source, set.depth)).collect();
    assert_eq!(
        visited,
        [("AS-TOP", "RIPE", 0), ("AS-LEFT", "RIPE", 1), ("AS-RIGHT", "RIPE", 1), ("AS-SHARED", "RADB", 1)]
    );
    let missing: Vec<String> = expansion.missing.iter().map(ToString::to_string).collect();
    assert_eq!(missing, ["AS-NOBODY", "NOBODY::AS-LEFT"]);
    let cycle = |set: &str, back_to: &str| Cycle { set: set.into(), back_to: back_to.into() };
    assert_eq!(expansion.cycles, [cycle("AS-LEFT", "AS-TOP"), cycle("AS-RIGHT", "AS-RIGHT")]);
    assert_eq!(expansion.truncated, None);
}

#[test]
fn the_registry_that_is_said_is_asked_and_else_the_first() {
    let (index, _) = read(&[SETS]);
    assert_eq!(origins(&expand(&index, "AS-SHARED")), [10]);
    assert_eq!(origins(&expand(&index, "RIPE::AS-SHARED")), [10]);
    assert_eq!(origins(&expand(&index, "radb::as-shared")), [20]);
    let (index, _) = read(&["as-set: AS-OTHER\nmembers: AS1\nsource: RADB\n", SETS]);
    assert_eq!(origins(&expand(&index, "AS-SHARED")), [20], "RADB was read first");
    assert_eq!(origins(&expand(&index, "AS5:AS-CUSTOMERS")), [5]);
    assert_eq!(origins(&expand(&index, "AS64500")), [64500], "an AS stands for itself");
}

#[test]
fn nothing_is_never_anything() {
    let (index, _) = read(&[SETS]);
    let error = |name| index.expand(name, &ExpansionLimits::default()).unwrap_err();
    assert!(matches!(error("AS-NONE"), ExpansionError::NotFound(_)));
    assert!(matches!(error("RADB::AS-TOP"), ExpansionError::NotFound(_)));
    assert!(matches!(error("AS-EMPTY"), ExpansionError::Empty(_)));
    assert!(matches!(error("ANY"), ExpansionError::Name(_)));
    assert!(matches!(
        IrrIndex::default().expand("AS-X", &ExpansionLimits::default()),
        Err(ExpansionError::NotFound(_))
    ));
}

/// A chain of sets, each with one AS and the next set.
fn chain(length: u32) -> String {
    (0..length).map(|at| format!("as-set: AS-C{at}\nmembers: AS{}, AS-C{}\n\n", at + 1, at + 1)).collect()
}

#[test]
fn an_expansion_ends_at_each_limit_and_says_so() {
    let (index, _) = read(&[&chain(100)]);
    let within = |limits: ExpansionLimits| {
        let expansion = index.expand("AS-C0", &limits).unwrap();
        (expansion.origins.len(), expansion.truncated)
    };
    let all = ExpansionLimits { depth: 100, sets: 100, origins: 100, ranges: 100 };
    assert_eq!(within(all), (100, None));
    assert_eq!(within(ExpansionLimits { depth: 98, ..all }), (99, Some(Truncation::Depth)));
    assert_eq!(within(ExpansionLimits { sets: 99, ..all }), (99, Some(Truncation::Sets)));
    assert_eq!(within(ExpansionLimits { origins: 99, ..all }), (99, Some(Truncation::Origins)));
    assert_eq!(within(ExpansionLimits { depth: 99, ..all }), (100, None));
}

/// Each set holds all others: 250,000 edges over 500 sets, and every one of them cyclic.
#[test]
fn a_monstrous_cycle_takes_no_time_and_bounded_reports() {
    let all: String = (0..500).map(|at| format!("AS-M{at}, ")).collect();
    let dump: String = (0..500).map(|at| format!("as-set: AS-M{at}\nmembers: {all}AS{at}\n\n")).collect();
    let (index, _) = read(&[&dump]);
    let expansion = expand(&index, "AS-M0");
    assert_eq!(expansion.origins.len(), 500);
    assert_eq!(expansion.cycles.len(), palisade_policy::expansion::MAX_NAMED);
}

#[test]
fn repeated_members_do_not_count_towards_the_limit() {
    let dump: String =
        (0..50).map(|at| format!("as-set: AS-C{at}\nmembers: AS1, AS2, AS3, AS-C{}\n\n", at + 1)).collect();
    let (index, _) = read(&[&dump]);
    let expansion = index.expand("AS-C0", &ExpansionLimits { origins: 3, ..Default::default() }).unwrap();
    assert_eq!((expansion.origins.len(), expansion.truncated), (3, None));
}

#[test]
fn changed_ranges_see_origins_and_not_registries() {
    let build = |routes: &[(&str, u32, &str)]| {
        let mut builder = IrrBuilder::default();
        for (net, origin, source) in routes {
            builder.add_route(prefix(net), Asn(*origin), source).unwrap();
        }
        builder.build()
    };
    let old = build(&[("193.0.0.0/16", 1, "RIPE"), ("193.1.0.0/16", 1, "RIPE"), ("2a00::/16", 1, "RIPE")]);
    let new = build(&[
        ("193.2.0.0/16", 1, "RADB"),
        ("193.0.0.0/16", 1, "RADB"),
        ("193.0.0.0/16", 1, "RIPE"),
        ("193.1.0.0/16", 2, "RIPE"),
        ("193.1.7.0/24", 2, "RIPE"),
    ]);
    let changed = ["193.1.0.0/16", "193.2.0.0/16", "2a00::/16"].map(prefix);
    assert_eq!(old.changed_ranges(&new), changed);
    assert_eq!(new.changed_ranges(&old), changed);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_dump_makes_it_panic(octets: Vec<u8>, lines in "([a-z]{0,3}[:# \t+%\n]|route: |as-set: AS-A\n|members: AS-A,AS1\n|origin: AS1\n|1.0.0.0/8\n){0,40}") {
        for dump in [octets.as_slice(), lines.as_bytes()] {
            let mut builder = IrrBuilder::default();
            let _ = builder.read(dump, "X");
            let _ = builder.build().expand("AS-A", &ExpansionLimits::default());
        }
    }
}

/// dn42's registry: one file an object, as an RPSL dump; `rpsl-rs` reads it too.
fn dn42() -> Option<&'static str> {
    static DUMP: LazyLock<Option<String>> = LazyLock::new(|| {
        let path = real_data("irr/dn42-registry-20231022.tar.gz")?;
        let mut tar = Vec::new();
        GzDecoder::new(File::open(path).unwrap()).read_to_end(&mut tar).unwrap();
        let folders = ["data/route/", "data/route6/", "data/as-set/", "data/aut-num/"];
        Some(tar_files(&tar, &folders).join("\n\n"))
    });
    DUMP.as_deref()
}

#[test]
fn a_real_registry_is_read_as_an_independent_parser_reads_it() {
    let Some(dump) = dn42() else { return };
    let mut builder = IrrBuilder::default();
    let report = builder.read(dump.as_bytes(), "DN42").unwrap();
    let index = builder.build();
    assert_eq!((report.routes, report.as_sets), (2311 + 2132, 92), "{report:?}");
    let (mut pairs, mut sets) = (0, 0);
    for text in dump.split("\n\n").filter(|text| !text.trim().is_empty()) {
        let text = format!("{}\n\n", text.trim_start_matches('\n'));
        let Ok(object) = rpsl::parse_object(&text) else { panic!("rpsl-rs can't read {text}") };
        let first = &object[0];
        let key = first.value.with_content().into_iter().next().unwrap_or_default();
        match first.name.to_string().as_str() {
            "route" | "route6" => {
                let route = prefix(key);
                let origins = object.get("origin");
                let origin: Asn = origins[0].split('#').next().unwrap().trim().parse().unwrap();
                assert!(
                    index.covering(route).any(|found| found.prefix == route && found.origin == origin),
                    "{text}"
                );
                pairs += 1;
            }
            "as-set" => {
                let _: AsSetName = key.parse().unwrap();
                sets += 1;
            }
            _ => {}
        }
    }
    assert_eq!((pairs, sets), (2311 + 2132, 92));
}

/// Every as-set of the registry, against a recursion that knows nothing of limits.
#[test]
fn real_as_sets_expand_as_a_plain_recursion_does() {
    fn collect(index: &[(String, Vec<String>)], name: &str, seen: &mut Vec<String>, asns: &mut Vec<u32>) {
        let name = name.to_uppercase();
        if seen.contains(&name) {
            return;
        }
        seen.push(name.clone());
        for (_, members) in index.iter().filter(|(known, _)| *known == name) {
            for member in members {
                match member.parse::<Asn>() {
                    Ok(asn) => asns.push(asn.0),
                    Err(_) => collect(index, member, seen, asns),
                }
            }
        }
    }
    let Some(dump) = dn42() else { return };
    let mut builder = IrrBuilder::default();
    builder.read(dump.as_bytes(), "DN42").unwrap();
    let index = builder.build();
    let mut sets = Vec::new();
    for text in dump.split("\n\n").filter(|text| text.trim_start().starts_with("as-set:")) {
        let values = |name: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| line.starts_with(name));
            let value = |line: &str| line[name.len()..].split('#').next().unwrap().to_owned();
            lines
                .map(value)
                .flat_map(|value| value.split([',', ' ']).map(str::to_owned).collect::<Vec<_>>())
                .collect()
        };
        let names: Vec<String> = values("as-set:").into_iter().filter(|name| !name.is_empty()).collect();
        sets.push((
            names[0].to_uppercase(),
            values("members:").into_iter().filter(|name| !name.is_empty()).collect(),
        ));
    }
    assert_eq!(sets.len(), 92);
    for (name, _) in &sets {
        let mut expected = Vec::new();
        collect(&sets, name, &mut Vec::new(), &mut expected);
        expected.sort_unstable();
        expected.dedup();
        match index.expand(name, &ExpansionLimits::default()) {
            Ok(expansion) => assert_eq!(origins(&expansion), expected, "{name}"),
            Err(error) => assert!(expected.is_empty(), "{name}: {error}"),
        }
    }
}

#[test]
fn a_real_route_is_registered_for_its_origin_and_no_other() {
    let Some(dump) = dn42() else { return };
    let mut builder = IrrBuilder::default();
    builder.read(dump.as_bytes(), "DN42").unwrap();
    let index = builder.build();
    assert!(index.registered(net("10.0.0.0/16"), Asn(65079), 0));
    assert!(!index.registered(net("10.0.0.0/16"), Asn(65078), 0));
    assert!(
        index
            .covering(prefix("10.0.0.0/24"))
            .any(|object| object.prefix.address() == IpAddr::from([10, 0, 0, 0]))
    );
}
