//! Sets: who is in them by reference, what route-sets come to, where names are looked for, what rests on what, and what
//! hostile registries come to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use flate2::read::GzDecoder;
use palisade_bgp::Asn;
use palisade_policy::dependencies::MAX_DEPENDENCIES;
use palisade_policy::expansion::Truncation;
use palisade_policy::irr::MAX_SOURCES;
use palisade_policy::{
    Expansion, ExpansionLimits, IrrBuilder, IrrChange, IrrIndex, IrrObject, IrrReport, RouteSetExpansion,
    RouteSetExpansionError,
};
use support::{net, prefix, real_data};

fn read(dump: &str) -> IrrIndex {
    read_with_report(dump).0
}

fn read_with_report(dump: &str) -> (IrrIndex, IrrReport) {
    let mut builder = IrrBuilder::default();
    let report = builder.read(dump.as_bytes(), "RIPE").unwrap();
    (builder.build(), report)
}

fn expand(index: &IrrIndex, name: &str) -> Expansion {
    index.expand(name, &ExpansionLimits::default()).unwrap()
}

fn origins(index: &IrrIndex, name: &str) -> Vec<u32> {
    expand(index, name).origins.iter().map(|asn| asn.0).collect()
}

fn route_set(index: &IrrIndex, name: &str) -> RouteSetExpansion {
    index.expand_route_set(name, &ExpansionLimits::default()).unwrap()
}

fn ranges(index: &IrrIndex, name: &str) -> Vec<String> {
    route_set(index, name).ranges.iter().map(ToString::to_string).collect()
}

fn added(text: &str) -> IrrChange {
    IrrChange::parse(text.as_bytes(), true, "RIPE").unwrap().unwrap()
}

fn removed(text: &str) -> IrrChange {
    IrrChange::parse(text.as_bytes(), false, "RIPE").unwrap().unwrap()
}

const BY_REFERENCE: &str = "as-set: AS-ANY\nmembers: AS1\nmbrs-by-ref: any\n\n\
    as-set: AS-SOME\nmbrs-by-ref: mnt-a, MNT-B\n\n\
    as-set: AS-NONE\nmembers: AS1\n\n\
    as-set: AS-ANY\nmbrs-by-ref: ANY\nsource: RADB\n\n\
    aut-num: AS10\nmember-of: as-any, AS-SOME, AS-NONE\nmnt-by: MNT-A\n\n\
    aut-num: AS11\nmember-of: AS-ANY\nmember-of: AS-SOME\nmnt-by: MNT-C\n\n\
    aut-num: AS12\nmember-of: AS-SOME\nmnt-by: MNT-C, MNT-B\n\n\
    aut-num: AS13\nmnt-by: MNT-A\n\n\
    aut-num: AS14\nmember-of: AS-ANY\nmnt-by: MNT-A\nsource: RADB\n";

/// RFC 2622 s5.1: the aut-num asks, and the set says whose requests it grants; both are of one registry.
#[test]
fn an_aut_num_is_in_the_sets_that_it_asks_for_and_that_take_it() {
    let index = read(BY_REFERENCE);
    assert_eq!(origins(&index, "AS-ANY"), [1, 10, 11]);
    assert_eq!(origins(&index, "AS-SOME"), [10, 12]);
    assert_eq!(origins(&index, "AS-NONE"), [1], "a set that takes nobody in");
    assert_eq!(origins(&index, "RADB::AS-ANY"), [14]);
    let kept: BTreeSet<u32> = index.aut_num_objects().map(|aut_num| aut_num.asn.0).collect();
    assert_eq!(kept, BTreeSet::from([10, 11, 12, 14]), "one that asks for nothing is not kept");
    let chain = index.chain("AS-SOME", Asn(12), &ExpansionLimits::default()).unwrap();
    assert_eq!(chain.to_string(), "AS-SOME -> AS12");
}

#[test]
fn an_aut_num_that_changes_changes_the_sets_that_it_is_in() {
    let index = read(BY_REFERENCE);
    let change = |change| {
        let new = index.amended([change]);
        let changed = index.changed_sets(&new);
        (changed.names().map(ToString::to_string).collect::<Vec<_>>(), new)
    };
    let (changed, new) = change(added("aut-num: AS10\nmember-of: AS-SOME\nmnt-by: MNT-A"));
    assert_eq!((changed, origins(&new, "AS-ANY")), (vec!["AS-ANY".into()], vec![1, 11]));
    let (changed, new) = change(added("aut-num: AS10\nmember-of: AS-ANY, AS-SOME, AS-NONE\nmnt-by: MNT-X"));
    assert_eq!((changed, origins(&new, "AS-SOME")), (vec!["AS-SOME".into()], vec![12]));
    let (changed, new) = change(removed("aut-num: AS11"));
    assert_eq!((changed, origins(&new, "AS-ANY")), (vec!["AS-ANY".into()], vec![1, 10]));
    let (changed, _) =
        change(added("aut-num: AS11\nmember-of: AS-ANY\nmember-of: AS-SOME\nmnt-by: MNT-C, X"));
    assert!(
        changed.is_empty(),
        "it may ask as who it likes where that does not change who is in: {changed:?}"
    );
    let (changed, new) = change(added("as-set: AS-NONE\nmembers: AS1\nmbrs-by-ref: MNT-A"));
    assert_eq!((changed, origins(&new, "AS-NONE")), (vec!["AS-NONE".into()], vec![1, 10]));
}

const ROUTE_SETS: &str = "route-set: RS-TOP\nmembers: 10.0.0.0/8^16-24, RS-INNER^+\nmp-members: 2001:db8::/32^-, 2001:db8::/48\n\n\
    route-set: RS-INNER\nmembers: 192.0.2.0/24, 198.51.100.0/24^26, RS-TOP\n\n\
    route-set: RS-REGISTERED\nmembers: AS1^+, AS-X, RS-NOBODY, AS-NOBODY^-\n\n\
    route-set: RS-ASKED\nmbrs-by-ref: MNT-A\n\n\
    route-set: RS-SHORT\nmembers: RS-NET^8, RS-NET^-^-\n\n\
    route-set: RS-NARROW\nmembers: RS-WIDE^24\n\n\
    route-set: RS-WIDE\nmembers: 203.0.0.0/16^25-32, 203.0.0.0/16^8-16, 203.1.0.0/16, 203.2.2.0/24^+\n\n\
    route-set: RS-DEEPER\nmembers: RS-NET^-\n\n\
    route-set: RS-NET\nmembers: 172.16.0.0/12\n\n\
    as-set: AS-X\nmembers: AS2, AS3\n\n\
    route: 203.0.113.0/24\norigin: AS1\nmember-of: RS-ASKED\nmnt-by: MNT-A\n\n\
    route6: 2001:db8:1::/48\norigin: AS2\n\n\
    route: 203.0.112.0/24\norigin: AS2\nmember-of: RS-ASKED\nmnt-by: MNT-B\n";

#[test]
fn a_route_set_expands_into_ranges() {
    let (index, report) = read_with_report(ROUTE_SETS);
    assert_eq!((report.route_sets, report.malformed.count), (9, 1), "two operators in a row: {report:?}");
    let top =
        ["10.0.0.0/8^16-24", "192.0.2.0/24^+", "198.51.100.0/24^26-32", "2001:db8::/32^-", "2001:db8::/48"];
    for range in top {
        assert!(
            ranges(&index, "RS-TOP").contains(&range.to_owned()),
            "{range}: {:?}",
            ranges(&index, "RS-TOP")
        );
    }
    assert_eq!(ranges(&index, "RS-REGISTERED"), ["203.0.112.0/24", "203.0.113.0/24^+", "2001:db8:1::/48"]);
    assert_eq!(ranges(&index, "RS-ASKED"), ["203.0.113.0/24"]);
    assert_eq!(ranges(&index, "RS-DEEPER"), ["172.16.0.0/12^-"]);
    let narrow = ["203.0.0.0/16^24", "203.1.0.0/16^24", "203.2.2.0/24"];
    assert_eq!(ranges(&index, "RS-NARROW"), narrow, "what is longer than asked for is left out");
    let missing: Vec<String> =
        route_set(&index, "RS-REGISTERED").missing.iter().map(ToString::to_string).collect();
    assert_eq!(missing, ["RS-NOBODY", "AS-NOBODY"]);
}

#[test]
fn a_route_set_of_nothing_is_an_error() {
    let index = read(ROUTE_SETS);
    let error = |name| index.expand_route_set(name, &ExpansionLimits::default()).unwrap_err();
    assert!(matches!(error("RS-SHORT"), RouteSetExpansionError::Empty(_)), "a /12 has no /8 in it");
    assert!(matches!(error("RS-NONE"), RouteSetExpansionError::NotFound(_)));
    assert!(matches!(error("AS-X"), RouteSetExpansionError::Name(_)));
}

#[test]
fn the_expansion_of_a_route_set_ends_at_each_limit_and_says_so() {
    let chain: String = (0..50)
        .map(|at| format!("route-set: RS-C{at}\nmembers: 10.0.{at}.0/24, AS{at}, RS-C{}\n\n", at + 1))
        .chain((0..50).map(|at| format!("route: 11.0.{at}.0/24\norigin: AS{at}\n\n")))
        .collect();
    let index = read(&chain);
    let within = |limits: ExpansionLimits| {
        let expansion = index.expand_route_set("RS-C0", &limits).unwrap();
        (expansion.ranges.len(), expansion.truncated)
    };
    let all = ExpansionLimits { depth: 49, sets: 50, origins: 50, ranges: 100 };
    assert_eq!(within(all), (100, None));
    assert_eq!(within(ExpansionLimits { depth: 48, ..all }), (98, Some(Truncation::Depth)));
    assert_eq!(within(ExpansionLimits { sets: 49, ..all }), (98, Some(Truncation::Sets)));
    assert_eq!(within(ExpansionLimits { origins: 49, ..all }), (99, Some(Truncation::Origins)));
    assert_eq!(within(ExpansionLimits { ranges: 99, ..all }), (99, Some(Truncation::Ranges)));
}

/// Each set holds itself and the other under every operator: the chains of operators are without end.
#[test]
fn operators_in_circles_end_at_the_limit() {
    let all = "RS-A^-, RS-A^+, RS-B^-, RS-B^24-32, RS-B^-";
    let index =
        read(&format!("route-set: RS-A\nmembers: 10.0.0.0/8, {all}\n\nroute-set: RS-B\nmembers: {all}\n"));
    let expansion = route_set(&index, "RS-A");
    assert!(expansion.truncated.is_some() && expansion.sets.len() <= ExpansionLimits::default().sets);
    assert!(expansion.ranges.iter().all(|range| range.prefix == prefix("10.0.0.0/8")));
    let index = read("route-set: RS-A\nmembers: 10.0.0.0/8, RS-A^+\n");
    assert_eq!((ranges(&index, "RS-A").len(), route_set(&index, "RS-A").truncated), (2, None));
}

#[test]
fn names_are_looked_for_in_the_configured_order() {
    let dump = "as-set: AS-X\nmembers: AS1\nsource: ARIN\n\nas-set: AS-X\nmembers: AS2\nsource: RADB\n\n\
        as-set: AS-X\nmembers: AS3\nsource: RIPE\n\nas-set: AS-Y\nmembers: AS4\nsource: ARIN\n\n\
        as-set: AS-Y\nmembers: AS5\nsource: LEVEL3\n";
    let with = |order: &[&str]| {
        let mut builder = IrrBuilder::with_order(order);
        builder.read(dump.as_bytes(), "NONE").unwrap();
        builder.build()
    };
    assert_eq!(origins(&with(&[]), "AS-X"), [1]);
    assert_eq!(origins(&with(&["RIPE", "RADB"]), "AS-X"), [3]);
    assert_eq!(origins(&with(&["nowhere", "radb", "RIPE"]), "AS-X"), [2]);
    assert_eq!(origins(&with(&["RIPE"]), "AS-Y"), [4], "others come in the order in which they are met");
    let (old, new) = (with(&["RIPE"]), with(&["RADB"]));
    let changed: Vec<String> = old.changed_sets(&new).names().map(ToString::to_string).collect();
    assert_eq!(changed, ["AS-X"], "another order is another set");
}

#[test]
fn a_union_of_one_is_that_one() {
    let one = Arc::new(read(BY_REFERENCE));
    assert!(Arc::ptr_eq(&IrrIndex::union(std::slice::from_ref(&one)), &one));
    assert!(IrrIndex::union(&[]).is_empty());
}

#[test]
fn an_expansion_depends_on_what_it_visited_and_on_what_it_missed() {
    let index = read(
        "as-set: AS-TOP\nmembers: AS1, AS-IN, AS-GONE\n\nas-set: AS-IN\nmembers: AS2\n\n\
        as-set: AS-OTHER\nmembers: AS3\n",
    );
    let expansion = expand(&index, "AS-TOP");
    let touched = |change| expansion.depends_on(&index.changed_sets(&index.amended([change])));
    assert!(touched(added("as-set: AS-TOP\nmembers: AS1")));
    assert!(touched(added("as-set: AS-IN\nmembers: AS1")));
    assert!(touched(removed("as-set: AS-IN")));
    assert!(touched(added("as-set: AS-GONE\nmembers: AS1")));
    assert!(touched(added("as-set: AS-IN\nmembers: AS1\nsource: RADB")), "another registry's may come first");
    assert!(!touched(added("as-set: AS-OTHER\nmembers: AS1")));
    assert!(!touched(added("as-set: AS-IN\nmembers: AS2\ndescr: as it was")));
    let missing = index.dependencies("AS-NOBODY", &ExpansionLimits::default());
    let new = index.amended([added("as-set: AS-NOBODY\nmembers: AS1")]);
    assert!(missing.are_touched_by(&index.changed_sets(&new)), "one that nobody has yet");
}

#[test]
fn what_depends_on_too_much_depends_on_all() {
    let members = |count: usize| -> String { (0..count).map(|at| format!("AS-M{at},\n ")).collect() };
    let index = read(&format!("as-set: AS-TOP\nmembers: AS1, {}\n", members(MAX_DEPENDENCIES - 1)));
    let other = index.amended([added("as-set: AS-OTHER\nmembers: AS3")]);
    assert!(!expand(&index, "AS-TOP").depends_on(&index.changed_sets(&other)));
    // Two of two hundred thousand hashes may be the same.
    let index = read(&format!("as-set: AS-TOP\nmembers: AS1, {}\n", members(MAX_DEPENDENCIES + 100)));
    let other = index.amended([added("as-set: AS-OTHER\nmembers: AS3")]);
    assert!(expand(&index, "AS-TOP").depends_on(&index.changed_sets(&other)));
    assert!(!expand(&index, "AS-TOP").depends_on(&index.changed_sets(&index)));
}

#[test]
fn a_chain_is_the_shortest_way() {
    let index = read(
        "as-set: AS-TOP\nmembers: AS1, AS-LONG, AS-SHORT\n\nas-set: AS-LONG\nmembers: AS-LONGER\n\n\
        as-set: AS-LONGER\nmembers: AS2, AS3\n\nas-set: AS-SHORT\nmembers: AS2, AS-TOP\n",
    );
    let chain = |name, origin| {
        index.chain(name, Asn(origin), &ExpansionLimits::default()).map(|chain| chain.to_string())
    };
    assert_eq!(chain("AS-TOP", 1).as_deref(), Some("AS-TOP -> AS1"));
    assert_eq!(chain("AS-TOP", 2).as_deref(), Some("AS-TOP -> AS-SHORT -> AS2"));
    assert_eq!(chain("AS-TOP", 3).as_deref(), Some("AS-TOP -> AS-LONG -> AS-LONGER -> AS3"));
    assert_eq!(chain("AS-TOP", 4), None);
    assert_eq!(chain("AS-NONE", 1), None);
    assert_eq!(chain("AS7", 7).as_deref(), Some("AS7"));
    assert_eq!(chain("AS7", 8), None);
    let shallow = ExpansionLimits { depth: 1, ..ExpansionLimits::default() };
    assert_eq!(index.chain("AS-TOP", Asn(3), &shallow), None, "where the expansion does not go");
}

#[test]
fn the_text_of_one_object_is_a_change() {
    let parse = |text: &str| IrrChange::parse(text.as_bytes(), true, "RADB");
    let Ok(Some(IrrChange::Add(IrrObject::Route(route, asked)))) =
        parse("route: 10.0.0.0/8\norigin: AS1\nholes: 10.1.0.0/16\ngeoidx: 1\n")
    else {
        panic!("no route object");
    };
    assert_eq!((route.to_string().as_str(), asked.is_empty()), ("10.0.0.0/8 AS1 in RADB", true));
    assert_eq!(parse("person: Nobody\nnic-hdl: X\n").unwrap(), None);
    for text in ["", "\n\n", "route: X\norigin: AS1", "route: 10.0.0.0/8", "route-set: FOO", "aut-num: X"] {
        assert!(parse(text).is_err(), "{text}");
    }
    let source = "x".repeat(1 << 20);
    assert!(parse(&format!("route: 10.0.0.0/8\norigin: AS1\nsource: {source}\n")).is_err());
    assert!(parse(&format!("route: 10.0.0.0/8\norigin: AS1\nsource: {}\n", "x".repeat(64))).is_ok());
    assert!(parse(&format!("route: 10.0.0.0/8\norigin: AS1\nsource: {}\n", "x".repeat(65))).is_err());
}

#[test]
fn one_registry_too_many_is_left_out() {
    let mut builder = IrrBuilder::default();
    for at in 0..MAX_SOURCES {
        builder.add_route(prefix("193.0.0.0/16"), Asn(1), &format!("S{at}")).unwrap();
    }
    let index = builder.build();
    let new = index.amended([
        added("route: 10.0.0.0/8\norigin: AS1\nsource: ONE-MORE"),
        added("as-set: AS-X\nmembers: AS1\nsource: ONE-MORE"),
        added("route: 11.0.0.0/8\norigin: AS1\nsource: s7"),
    ]);
    assert!(!new.registered(net("10.0.0.0/8"), Asn(1), 0) && new.as_sets() == 0);
    assert!(new.registered(net("11.0.0.0/8"), Asn(1), 0));
}

#[test]
fn a_prefix_with_a_million_origins_is_a_prefix() {
    let mut builder = IrrBuilder::default();
    for origin in 0..1_000_000 {
        builder.add_route(prefix("10.0.0.0/8"), Asn(origin), "RIPE").unwrap();
    }
    let index = builder.build();
    let new = index.amended([
        added("route: 10.0.0.0/8\norigin: AS1000000"),
        removed("route: 10.0.0.0/8\norigin: AS500000"),
    ]);
    assert!(new.registered(net("10.0.0.0/24"), Asn(1_000_000), 32));
    assert!(!new.registered(net("10.0.0.0/24"), Asn(500_000), 32));
    assert!(new.registered(net("10.0.0.0/24"), Asn(500_001), 32));
    assert_eq!(index.changed_ranges(&new), [prefix("10.0.0.0/8")]);
}

#[test]
fn an_as_set_with_a_million_members_is_cut_at_the_limit() {
    let members: String = (0..1_000_000).map(|at| format!("AS{at},\n ")).collect();
    let index = read(&format!("as-set: AS-X\nmembers: {members}\n\nas-set: AS-Y\nmembers: AS-X\n"));
    let expansion = expand(&index, "AS-Y");
    let most = ExpansionLimits::default().origins;
    assert_eq!((expansion.origins.len(), expansion.truncated), (most, Some(Truncation::Origins)));
    let mut text = Vec::new();
    index.write_rpsl(&mut text).unwrap();
    assert_eq!(expand(&read(std::str::from_utf8(&text).unwrap()), "AS-Y").origins, expansion.origins);
}

#[test]
fn sets_nested_fifty_thousand_deep_take_no_stack() {
    let chain: String =
        (0..50_000).map(|at| format!("as-set: AS-C{at}\nmembers: AS{at}, AS-C{}\n\n", at + 1)).collect();
    let index = read(&chain);
    let deep = ExpansionLimits { depth: usize::MAX, ..ExpansionLimits::default() };
    assert_eq!(index.expand("AS-C0", &deep).unwrap().origins.len(), 50_000);
    assert_eq!(index.chain("AS-C0", Asn(49_999), &deep).unwrap().sets.len(), 50_000);
    let expansion = expand(&index, "AS-C0");
    assert_eq!((expansion.origins.len(), expansion.truncated), (65, Some(Truncation::Depth)));
}

#[test]
fn a_name_of_a_megabyte_is_none() {
    let name = format!("AS-{}", "X".repeat(1 << 20));
    let dump =
        format!("as-set: {name}\nmembers: AS1\n\nas-set: AS-X\nmembers: AS1,\n {}\n", &name[..1 << 19]);
    let (index, report) = read_with_report(&dump);
    assert_eq!((index.as_sets(), report.malformed.count), (1, 2));
    assert!(report.malformed.first.iter().all(|entry| entry.fault.len() < 200));
    assert!(index.expand(&name, &ExpansionLimits::default()).unwrap_err().to_string().len() < 200);
}

/// More members than can be written and read again as one object.
#[test]
fn an_as_set_of_sixteen_megabytes_keeps_its_first_members() {
    let line = format!("members: {}\n", format!("AS-{},", "X".repeat(240)).repeat(4200));
    let dump = format!("as-set: AS-X\nmembers: AS1\n{}members: AS2\n", line.repeat(16));
    let (index, report) = read_with_report(&dump);
    assert_eq!((report.as_sets, report.malformed.count), (1, 1), "{report:?}");
    assert_eq!(origins(&index, "AS-X"), [1]);
    let mut text = Vec::new();
    index.write_rpsl(&mut text).unwrap();
    assert_eq!(origins(&read(std::str::from_utf8(&text).unwrap()), "AS-X"), [1]);
}

/// dn42's registry, object by object.
fn dn42() -> Option<Vec<String>> {
    let path = real_data("irr/dn42-registry-20231022.tar.gz")?;
    let mut tar = Vec::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_end(&mut tar).unwrap();
    let folders = ["data/route/", "data/route6/", "data/as-set/", "data/aut-num/", "data/route-set/"];
    Some(support::tar_files(&tar, &folders))
}

/// `rpsl-rs` reads the objects; who is in which set by reference is worked out from what it read.
#[test]
fn a_real_registrys_references_are_those_that_an_independent_parser_sees() {
    let Some(objects) = dn42() else { return };
    let index = read(&objects.join("\n\n"));
    let mut sets = Vec::new();
    let mut asking = Vec::new();
    for text in &objects {
        let text = format!("{}\n\n", text.trim());
        let object = rpsl::parse_object(&text).unwrap();
        let values = |name: &str| -> Vec<String> {
            let values = object.get(name);
            let items =
                values.iter().flat_map(|value| value.split([',', ' '])).filter(|item| !item.is_empty());
            items.map(str::to_uppercase).collect()
        };
        match object[0].name.to_string().as_str() {
            "as-set" => sets.push((values("as-set").remove(0), values("members"), values("mbrs-by-ref"))),
            "aut-num" if !values("member-of").is_empty() => {
                asking.push((values("aut-num").remove(0), values("member-of"), values("mnt-by")));
            }
            _ => {}
        }
    }
    let mut taken = 0;
    for (name, members, takes) in &sets {
        let by_reference = asking.iter().filter(|(_, member_of, mnt_by)| {
            member_of.contains(name)
                && (takes.contains(&"ANY".into()) || takes.iter().any(|one| mnt_by.contains(one)))
        });
        for (asn, ..) in by_reference {
            taken += usize::from(!members.contains(asn));
            assert!(expand(&index, name).origins.contains(asn.parse().unwrap()), "{asn} in {name}");
        }
    }
    assert!(taken > 0, "all are there without asking");
    assert_eq!(index.aut_num_objects().count(), asking.len());
    // Its other members are written without the `^`, so they are told of and left out.
    let native = index.expand_route_set("RS-DN42-NATIVE", &ExpansionLimits::default());
    assert!(matches!(native, Err(RouteSetExpansionError::Empty(_))));
    let dn42 = route_set(&index, "RS-DN42");
    assert!(
        dn42.ranges.iter().any(|range| range.contains(prefix("195.16.84.40/29"))) && dn42.ranges.len() == 5
    );
}

#[test]
fn a_real_registry_is_written_and_read_back() {
    let Some(objects) = dn42() else { return };
    let index = read(&objects.join("\n\n"));
    let mut text = Vec::new();
    index.write_rpsl(&mut text).unwrap();
    let again = read(std::str::from_utf8(&text).unwrap());
    assert!(index.changed_ranges(&again).is_empty() && index.changed_sets(&again).is_empty());
    assert!(index.routes().eq(again.routes()));
    assert_eq!((index.as_sets(), index.route_sets()), (again.as_sets(), again.route_sets()));
}
