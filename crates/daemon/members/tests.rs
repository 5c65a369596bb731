//! Exports of every version come to the same, and whatever is surprising in one costs no more than it must.

use super::*;

const VERSIONS: [(&str, &str); 5] = [
    ("0.6", include_str!("../../../tests/members/0.6.json")),
    ("0.7", include_str!("../../../tests/members/0.7.json")),
    ("0.8", include_str!("../../../tests/members/0.8.json")),
    ("0.9", include_str!("../../../tests/members/0.9.json")),
    ("1.0", include_str!("../../../tests/members/1.0.json")),
];

fn choice() -> Choice {
    Choice {
        own_asn: Asn(64500),
        ixp_id: None,
        vlan_id: None,
        except_asns: Vec::new(),
        except_addresses: Vec::new(),
    }
}

fn read(text: &str) -> Result<Export, ExportError> {
    Export::parse(text.as_bytes(), &choice())
}

/// A session in a line.
fn line(session: &Session) -> String {
    let Session { name, asn, address, as_set, max_prefixes, .. } = session;
    format!("{name} {asn} {address} {} {max_prefixes:?}", as_set.as_deref().unwrap_or("-"))
}

fn lines(export: &Export) -> Vec<String> {
    export.sessions.iter().map(line).collect()
}

#[test]
fn every_version_comes_to_the_same_sessions() {
    for (version, text) in VERSIONS {
        let export = read(text).unwrap();
        assert_eq!(export.version, version);
        assert_eq!(export.exchange.as_deref(), Some("42 (`EXAMPLE-IX`)"));
        assert_eq!(
            lines(&export),
            [
                "example-networks-as64501-v4 AS64501 192.0.2.11 AS-EXAMPLE Some(100)",
                "example-networks-as64501-v6 AS64501 2001:db8:1::11 AS-EXAMPLE6 Some(50)",
                "two-ports-inc-as64502-v4 AS64502 192.0.2.12 RIPE::AS-TWO AS-TWO-MORE None",
                "two-ports-inc-as64502-v4-2 AS64502 192.0.2.13 RIPE::AS-TWO AS-TWO-MORE None",
                "two-ports-inc-as64502-v6 AS64502 2001:db8:1::12 RIPE::AS-TWO None",
            ],
            "{version}"
        );
        assert_eq!(export.members(), 2);
        let skipped: Vec<_> = export.skipped.into_iter().collect();
        let expected = [
            (Skipped::OwnAsn, 2),
            (Skipped::RouteServer, 1),
            (Skipped::Inactive, 1),
            (Skipped::NotClient, 1),
        ];
        assert_eq!(skipped, expected, "{version}");
        assert_eq!((export.left_out.count, export.ignored.count, export.unmarked.count), (0, 0, 0));
    }
}

/// A member that is always there, and one that is said otherwise. What the other comes to: its sessions, then what is
/// told of it.
fn beside(member: &str) -> String {
    let text = format!(
        r#"{{"version": "1.0", "member_list": [{member}, {{"asnum": 64510, "name": "Good", "connection_list": [
            {{"ixp_id": 1, "vlan_list": [{{"vlan_id": 1, "ipv4": {{"address": "192.0.2.99", "routeserver": true}}}}]}}
        ]}}]}}"#
    );
    let export = read(&text).unwrap_or_else(|error| panic!("{member}: {error}"));
    let (good, others) = lines(&export).into_iter().partition::<Vec<_>, _>(|line| line.contains("AS64510"));
    assert_eq!(good, ["good-as64510-v4 AS64510 192.0.2.99 - None"], "{member}");
    let skipped = export.skipped.iter().map(|(why, count)| format!("[{count} {why}]"));
    let skipped = skipped.filter(|skipped| skipped != "[1 wrong]");
    let notes = [&export.left_out, &export.ignored, &export.unmarked];
    let notes = notes.into_iter().filter(|notes| notes.count > 0).map(Notes::to_string);
    others.into_iter().chain(skipped).chain(notes).collect::<Vec<_>>().join(" | ")
}

/// The member of AS64501 with that said of its one IPv4 address.
fn said(more: &str) -> String {
    beside(&format!(
        r#"{{"asnum": 64501, "name": "A", "connection_list": [{{"ixp_id": 1, "state": "active", "vlan_list":
            [{{"vlan_id": 1, "ipv4": {{"address": "192.0.2.11" {more}}}}}]}}]}}"#
    ))
}

#[test]
fn what_is_said_of_an_address_is_taken_as_it_can_be() {
    let (rs, good) = (r#", "routeserver": true"#, "a-as64501-v4 AS64501 192.0.2.11");
    for (more, comes_to) in [
        // The route server.
        (r#", "routeserver": true"#, format!("{good} - None")),
        (r#", "routeserver": 1"#, format!("{good} - None")),
        (r#", "routeserver": "true""#, format!("{good} - None")),
        (r#", "routeserver": false"#, "[1 not using the route servers]".into()),
        (r#", "routeserver": 0"#, "[1 not using the route servers]".into()),
        ("", format!("{good} - None | 192.0.2.11 of `A` (AS64501)")),
        (r#", "routeserver": null"#, format!("{good} - None | 192.0.2.11 of `A` (AS64501)")),
        (r#", "routeserver": "perhaps""#, "`A` (AS64501): routeserver is `perhaps` at 192.0.2.11".into()),
        (r#", "routeserver": [true]"#, "`A` (AS64501): routeserver is a list at 192.0.2.11".into()),
        (r#", "routeserver": true, "service_type": "ixrouteserver""#, "[1 a route server]".into()),
        (r#", "routeserver": true, "service_type": [4, "ixroutecollector"]"#, format!("{good} - None")),
        (r#", "routeserver": true, "services": {"type": "ixrouteserver"}"#, "[1 a route server]".into()),
    ] {
        assert_eq!(said(more), comes_to, "{more}");
    }
    for (max_prefix, comes_to) in [
        ("null", "None"),
        ("0", "None"),
        ("\"\"", "None"),
        ("7", "Some(7)"),
        ("\" 7 \"", "Some(7)"),
        ("10000000", "Some(10000000)"),
        ("10000001", "None | `A` (AS64501): max_prefix is 10000001, more than 10000000"),
        ("-1", "None | `A` (AS64501): max_prefix is a negative number, not a number"),
        (
            "18446744073709551615",
            "None | `A` (AS64501): max_prefix is 18446744073709551615, more than 10000000",
        ),
        ("\"many\"", "None | `A` (AS64501): max_prefix is `many`, not a number"),
        ("{\"ipv4\": 7}", "None | `A` (AS64501): max_prefix is an object, not a number"),
    ] {
        let comes_to = format!("{good} - {comes_to}");
        assert_eq!(said(&format!("{rs}, \"max_prefix\": {max_prefix}")), comes_to, "{max_prefix}");
    }
    for (as_macro, comes_to) in [
        ("null", "- None"),
        ("\"\"", "- None"),
        ("\"AS-A\"", "AS-A None"),
        ("\"as64501\"", "as64501 None"),
        ("\"AS-A RIPE::AS-B\"", "AS-A RIPE::AS-B None"),
        ("\" AS-A, AS-B;AS-A\"", "AS-A AS-B None"),
        ("\"AS-A@RIPE\"", "RIPE::AS-A None"),
        ("\"AS64501:AS-A\"", "AS64501:AS-A None"),
        (
            "\"AS-A or FOO\"",
            "AS-A None | `A` (AS64501): as_macro `or` names no as-set; `A` (AS64501): as_macro `FOO` names no as-set",
        ),
        ("\"N/A\"", "- None | `A` (AS64501): as_macro `N/A` names no as-set"),
        ("\"64501\"", "- None | `A` (AS64501): as_macro `64501` names no as-set"),
        ("[\"AS-A\"]", "- None | `A` (AS64501): as_macro is a list"),
    ] {
        let comes_to = format!("{good} {comes_to}");
        assert_eq!(said(&format!("{rs}, \"as_macro\": {as_macro}")), comes_to, "{as_macro}");
    }
    let many: String = (0..100).map(|at| format!("AS-{at} ")).collect();
    let told = said(&format!("{rs}, \"as_macro\": \"{many}\""));
    assert!(told.contains(" AS-15 None | ") && told.ends_with("as_macro has more than 16 names"), "{told}");
}

/// The member of AS64501 with that in its only connection.
fn connected(connection: &str) -> String {
    beside(&format!(r#"{{"asnum": "AS64501", "name": "A", "connection_list": [{{{connection}}}]}}"#))
}

#[test]
fn a_connection_counts_where_it_is_active_and_ours() {
    let vlans = r#""vlan_list": [{"vlan_id": 1, "ipv4": {"address": "192.0.2.11", "routeserver": true}}]"#;
    let good = "a-as64501-v4 AS64501 192.0.2.11 - None";
    for (state, comes_to) in [
        ("\"active\"", good),
        ("\"Active \"", good),
        ("\"connected\"", good),
        ("\"operational\"", good),
        ("\"\"", good),
        ("null", good),
        ("\"inactive\"", "[1 not active]"),
        ("\"quarantine\"", "[1 not active]"),
        ("1", "`A` (AS64501): the state of a connection is 1"),
    ] {
        assert_eq!(connected(&format!(r#""ixp_id": 1, "state": {state}, {vlans}"#)), comes_to, "{state}");
    }
    assert_eq!(connected(vlans), good, "of one exchange, its number goes without saying");
    assert_eq!(connected(&format!(r#""ixp_id": "1", {vlans}"#)), good);
    let told = "`A` (AS64501): ixp_id is `one`, not a number";
    assert_eq!(connected(&format!(r#""ixp_id": "one", {vlans}"#)), told);
    for (vlans, comes_to) in [
        ("null", ""),
        ("[]", ""),
        ("[{}]", ""),
        ("[{\"vlan_id\": 1}]", ""),
        ("7", "`A` (AS64501): vlan_list is a number, not a list"),
        ("[7]", "`A` (AS64501): a number in vlan_list"),
        ("[[{\"vlan_id\": 1}]]", "`A` (AS64501): a list in vlan_list"),
        (r#"{"ipv4": {"address": "192.0.2.11", "routeserver": true}}"#, good),
        (r#"[{"ipv4": {"address": "192.0.2.11", "routeserver": true}, "ipv6": []}]"#, good),
        (r#"[{"ipv4": {"address": "", "routeserver": true}, "ipv6": null}]"#, ""),
        (r#"[{"ipv4": "192.0.2.11"}]"#, "`A` (AS64501): a text where IPv4 should be"),
        (
            r#"[{"vlan_id": 1, "ipv4": {"address": "192.0.2.11", "routeserver": true}},
                {"vlan_id": 1, "ipv6": {"address": "2001:DB8:1:0::11", "routeserver": true}}]"#,
            "a-as64501-v4 AS64501 192.0.2.11 - None | a-as64501-v6 AS64501 2001:db8:1::11 - None",
        ),
    ] {
        assert_eq!(connected(&format!(r#""ixp_id": 1, "vlan_list": {vlans}"#)), comes_to, "{vlans}");
    }
}

#[test]
fn an_address_that_nobody_can_have_is_left_out_and_named() {
    for (key, address, why) in [
        ("ipv4", "192.0.2.11/24", "its IPv4 address `192.0.2.11/24` is none"),
        ("ipv4", "2001:db8:1::11", "its IPv4 address is 2001:db8:1::11"),
        ("ipv6", "192.0.2.11", "its IPv6 address is 192.0.2.11"),
        ("ipv6", "fe80::1", "its IPv6 address can't be fe80::1: a link-local address: of which link?"),
        (
            "ipv6",
            "::ffff:192.0.2.11",
            "its IPv6 address can't be ::ffff:192.0.2.11: an IPv4 address in an IPv6 one: write the former alone",
        ),
        ("ipv4", "0.0.0.0", "its IPv4 address can't be 0.0.0.0: it is nobody's address"),
        ("ipv4", "\\u001b[31m", "its IPv4 address `\\u{1b}[31m` is none"),
        ("ipv4", "192.0.2.99", "192.0.2.99 is AS64501's already"),
    ] {
        let entry = format!(r#"{{"vlan_id": 1, "{key}": {{"address": "{address}", "routeserver": true}}}}"#);
        let told = if address == "192.0.2.99" {
            // The other member comes later, and is the one who is told.
            let text = format!(
                r#"{{"member_list": [{{"asnum": 64501, "connection_list": [{{"vlan_list": [{entry}, {entry}]}}]}},
                    {{"asnum": 64502, "connection_list": [{{"vlan_list": [{entry}]}}]}}]}}"#
            );
            let export = read(&text).unwrap();
            assert_eq!(lines(&export), ["as64501-v4 AS64501 192.0.2.99 - None"]);
            assert_eq!(export.skipped[&Skipped::Twice], 1);
            export.left_out.to_string().replace("member 2 (AS64502)", "`A` (AS64501)")
        } else {
            connected(&format!(r#""vlan_list": [{entry}]"#))
        };
        assert_eq!(told, format!("`A` (AS64501): {why}"));
    }
}

#[test]
fn a_member_that_is_broken_costs_nobody_else_anything() {
    for (member, told) in [
        ("null", "member 1 is nothing"),
        ("7", "member 1 is a number, not an object"),
        ("[[[[7]]]]", "member 1 is a list, not an object"),
        ("{}", "member 1: it has no asnum"),
        (r#"{"name": "B", "asnum": "B"}"#, "`B`: asnum `B` is no AS number"),
        (r#"{"name": 7, "asnum": -1}"#, "member 1: asnum a negative number is no AS number"),
        (r#"{"asnum": 4294967296}"#, "member 1: asnum 4294967296 is no AS number"),
        (r#"{"asnum": 0}"#, "member 1: asnum can't be 0: it stands for no AS (RFC 7607)"),
        (r#"{"asnum": 64502}"#, ""),
        (r#"{"asnum": 64502, "connection_list": {}}"#, ""),
        (
            r#"{"asnum": 64502, "connection_list": "x"}"#,
            "member 1 (AS64502): connection_list is a text, not a list",
        ),
        (
            r#"{"asnum": 64502, "type": "routeserver", "connection_list": [{"vlan_list": [{"ipv4": {"address": "192.0.2.1"}}]}]}"#,
            "[1 a route server]",
        ),
    ] {
        assert_eq!(beside(member), told, "{member}");
    }
    let connections = vec!["{}"; json::KEPT + 3].join(",");
    let told = beside(&format!(r#"{{"asnum": 64502, "connection_list": [{connections}]}}"#));
    assert_eq!(told, "member 1 (AS64502): connection_list has 3 entries more than 256");
    let broken = vec!["7"; 1000].join(",");
    let told = beside(&broken);
    assert!(told.contains("[1000 wrong]") && told.ends_with("; and 992 more"), "{told}");
}

/// An export of two exchanges, the first of which has two VLANs.
const SEVERAL: &str = r#"{"member_list": [
    {"asnum": 64501, "connection_list": [{"ixp_id": 42, "vlan_list": [
        {"vlan_id": 1, "ipv4": {"address": "192.0.2.11", "routeserver": true}},
        {"vlan_id": 2, "ipv4": {"address": "198.51.100.11", "routeserver": true}}]}]},
    {"asnum": 64502, "connection_list": [{"ixp_id": 43, "state": 7, "vlan_list": [
        {"vlan_id": 1, "ipv4": {"address": "203.0.113.12", "routeserver": true}, "ipv6": 7}]}]},
    {"asnum": 64503, "connection_list": [{"vlan_list": [{"ipv4": {"address": "192.0.2.13"}}]}]}],
    "ixp_list": [{"ixp_id": 42, "shortname": "ONE-IX", "vlan": [{"id": 1, "name": "Peering"}]}, {"ixp_id": 43}]}"#;

#[test]
fn of_several_exchanges_or_vlans_one_is_chosen_and_never_guessed() {
    let read = |ixp_id, vlan_id| Export::parse(SEVERAL.as_bytes(), &Choice { ixp_id, vlan_id, ..choice() });
    let refused = |ixp_id, vlan_id| read(ixp_id, vlan_id).unwrap_err().to_string();
    assert_eq!(refused(None, Some(1)), "it has several exchanges: 42 (`ONE-IX`), 43");
    assert_eq!(refused(Some(7), None), "it has no exchange 7, but 42 (`ONE-IX`), 43");
    assert_eq!(refused(Some(42), None), "its members are in several VLANs: 1 (`Peering`), 2");
    assert_eq!(refused(Some(42), Some(3)), "none of its members is in VLAN 3, but in 1 (`Peering`), 2");

    let export = read(Some(42), Some(1)).unwrap();
    assert_eq!(lines(&export), ["as64501-v4 AS64501 192.0.2.11 - None"]);
    assert_eq!(export.skipped, BTreeMap::from([(Skipped::Elsewhere, 3)]));
    assert_eq!(export.left_out, Notes::default(), "what is wrong elsewhere is not our business");
}

#[test]
fn what_leaves_nobody_is_refused() {
    for (text, words) in [
        ("", "this is no member export: EOF"),
        ("<html>", "this is no member export: expected value"),
        ("[]", "expected an object with a list `member_list`"),
        ("{}", "it has no `member_list`"),
        (r#"{"member_list": {"asnum": 64501}}"#, "expected a list of members"),
        (r#"{"member_list": []}"#, "not a single session: no member has an address"),
        (
            r#"{"member_list": [7]}"#,
            "not a single session: 1 wrong (the first: member 1 is a number, not an object)",
        ),
        (r#"{"member_list": []} x"#, "trailing characters"),
        (r#"{"member_list": ["#, "EOF"),
    ] {
        let told = read(text).unwrap_err().to_string();
        assert!(told.contains(words), "{text}: {told}");
    }
    let all = Choice { except_asns: vec![Asn(64501), Asn(64502)], ..choice() };
    let told = Export::parse(VERSIONS[0].1.as_bytes(), &all).unwrap_err().to_string();
    assert!(told.contains("5 left out by `except`"), "{told}");

    for deep in ["[", r#"{"x": "#, r#"{"connection_list": {"vlan_list": "#] {
        read(&format!(r#"{{"member_list": [{}"#, deep.repeat(1 << 16))).unwrap_err();
    }
    let services = format!(r#"{{"vlan_list": [{{"ipv4": {{"services": {}"#, "[".repeat(1 << 16));
    let error = read(&format!(r#"{{"member_list": [{{"connection_list": [{services}"#)).unwrap_err();
    assert!(error.to_string().contains("recursion limit"), "{error}");
}

#[test]
fn those_that_are_excepted_are_left_out() {
    let except = Choice {
        except_asns: vec![Asn(64501)],
        except_addresses: vec!["192.0.2.12".parse().unwrap()],
        ..choice()
    };
    let export = Export::parse(VERSIONS[4].1.as_bytes(), &except).unwrap();
    let names: Vec<&str> = export.sessions.iter().map(|session| session.name.as_str()).collect();
    assert_eq!(names, ["two-ports-inc-as64502-v4", "two-ports-inc-as64502-v6"]);
    assert_eq!(export.skipped[&Skipped::Excepted], 3);
}

#[test]
fn names_are_fit_for_peers_whatever_a_member_is_called() {
    for (name, slug) in [
        ("Example Networks", "example-networks"),
        ("  (A) & B/C..d_ ", "a-b-c-d"),
        ("Пример", ""),
        ("Café", "caf"),
        ("\u{202e}x\0y", "x-y"),
        ("a name that is much longer than anybody needs", "a-name-that-is-much-longer-than"),
    ] {
        assert_eq!(entry::slug(name), slug, "{name:?}");
    }
}

#[test]
fn a_byte_order_mark_is_no_damage_and_a_file_without_end_is_refused() {
    let marked = format!("\u{feff}{}", VERSIONS[4].1);
    assert_eq!(read(&marked).unwrap().sessions.len(), 5);
    assert!(matches!(Export::read(Path::new("/dev/zero"), &choice()), Err(ExportError::TooLarge)));
}

/// Every octet of an export replaced by one that means something, and the export cut there.
#[test]
fn no_damage_ends_the_reader() {
    let text = VERSIONS[4].1;
    for at in (0..text.len()).step_by(3) {
        let mut octets = text.as_bytes().to_vec();
        octets[at] = b"\"{}[],:0n-"[at % 10];
        drop(Export::parse(&octets, &choice()));
        if at % 7 == 0 {
            Export::parse(&octets[..at], &choice()).unwrap_err();
        }
    }
}
