//! `palisade show`, asked of a running `palisade run` that peers of the test's own announce to.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/asked.rs"]
mod asked;
#[path = "support/exchange.rs"]
mod exchange;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use asked::{Member, PATIENCE, PROGRAM, Router, run};

/// What is in the VRPs is accepted, as there is no IRR.
const MORE: &str = "too-many-communities = \"observe\"\n[looking_glass]\nreject_communities = \"euro-ix\"";

const VRPS: &str = r#"{"roas": [
{"asn": 196701, "prefix": "193.0.0.0/16", "maxLength": 24},
{"asn": 196702, "prefix": "193.0.0.0/16", "maxLength": 24},
{"asn": 196799, "prefix": "194.0.0.0/16", "maxLength": 24}
]}"#;

fn net(a: u8, b: u8, c: u8, length: u8) -> (Ipv4Addr, u8) {
    (Ipv4Addr::new(a, b, c, 0), length)
}

/// LARGE_COMMUNITY 196608:1101:13 and COMMUNITIES 65535:65281: a member that says of its route that it is filtered.
const TAGS: [u8; 22] = [0xc0, 8, 4, 255, 255, 255, 1, 0xc0, 32, 12, 0, 3, 0, 0, 0, 0, 4, 77, 0, 0, 0, 13];

/// A router and its two members, whose routes are partly rejected.
fn exchange() -> (Router, [Member; 2]) {
    let router = exchange::start(MORE, VRPS);
    let [mut a, mut b] = exchange::join(&router);
    a.announce(&[], &TAGS, &[net(193, 0, 0, 24), net(193, 0, 1, 24)]);
    a.announce(&[], &[], &[net(193, 0, 2, 25), net(10, 1, 0, 24), net(194, 0, 0, 24), net(195, 0, 0, 24)]);
    a.announce(&[196_799], &[], &[net(194, 0, 1, 24)]);
    b.announce(&[], &[], &[net(193, 0, 0, 24), net(193, 0, 0, 23), net(10, 2, 0, 24)]);
    router.wait_for_routes(10);
    (router, [a, b])
}

fn field<'a>(routes: &'a Value, key: &str) -> Vec<&'a Value> {
    routes.as_array().unwrap().iter().map(|route| &route[key]).collect()
}

#[test]
fn a_peer_s_filtered_routes_are_listed_with_their_reasons_and_no_others() {
    let (router, _members) = exchange();
    let filtered = router.json(&["routes", "--peer", "member-a", "--filtered"]);
    let told: Vec<_> = filtered
        .as_array()
        .unwrap()
        .iter()
        .map(|route| {
            json!([
                route["prefix"],
                route["reason"],
                route["reject_communities"][0],
                route["rpki"],
                route["accepted"]
            ])
        })
        .collect();
    assert_eq!(
        Value::from(told),
        json!([
            ["10.1.0.0/24", "bogon-prefix", "196608:1101:3", "not-found", false],
            ["193.0.2.0/25", "prefix-too-long", "196608:1101:1", "invalid-length", false],
            ["194.0.0.0/24", "rpki-invalid-origin", "196608:1101:13", "invalid-origin", false],
            ["194.0.1.0/24", "irr-origin-not-in-as-set", "196608:1101:10", "valid", false],
            ["195.0.0.0/24", "irr-prefix-not-registered", "196608:1101:9", "not-found", false],
        ])
    );
    assert!(field(&filtered, "peer").iter().all(|peer| *peer == "member-a"));
    let accepted = router.json(&["routes", "--peer", "member-a", "--accepted"]);
    assert_eq!(field(&accepted, "prefix"), ["193.0.0.0/24", "193.0.1.0/24"]);
    assert_eq!(accepted[0]["communities"], json!(["65535:65281"]));
    assert_eq!(accepted[0]["large_communities"], json!(["196608:1101:13"]), "as it was sent");
    assert_eq!(accepted[0]["reject_communities"], json!([]), "whatever the member says of it");
    assert_eq!((&accepted[0]["next_hop"], &accepted[0]["as_path"]), (&json!("127.0.0.2"), &json!("196701")));
    let counted = router.json(&["peers", "member-a"]);
    assert_eq!((&counted["rejected"], &counted["rejected_by"]["bogon-prefix"]), (&json!(5), &json!(1)));
    assert_eq!((&counted["state"], &counted["received"]), (&json!("Established"), &json!(7)));
}

#[test]
fn routes_are_found_by_prefix_address_and_what_became_of_them() {
    let (router, _members) = exchange();
    let prefixes = |arguments: &[&str]| {
        let routes = router.json(&[&["routes"], arguments].concat());
        field(&routes, "prefix").iter().map(|prefix| prefix.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = prefixes(&[]);
    assert_eq!(all.len(), 10);
    assert!(all.is_sorted_by_key(|prefix| prefix.split('/').next().unwrap().parse::<Ipv4Addr>().unwrap()));
    assert_eq!(prefixes(&["193.0.0.0/24"]), ["193.0.0.0/24", "193.0.0.0/24"]);
    assert_eq!(prefixes(&["193.0.0.0/24", "--best"]).len(), 1);
    assert_eq!(prefixes(&["193.0.0.0/23", "--longer"]).len(), 4);
    assert_eq!(prefixes(&["193.0.1.77"]), ["193.0.1.0/24"]);
    assert_eq!(prefixes(&["193.0.1.77", "--peer", "member-b"]), ["193.0.0.0/23"]);
    assert_eq!(prefixes(&["193.0.0.0/22"]), [""; 0]);
    assert_eq!(prefixes(&["--family", "6"]), [""; 0]);
    assert_eq!(prefixes(&["--limit", "3"]), all[..3]);
    let limited = router.show(&["routes", "--limit", "3"]);
    assert_eq!(String::from_utf8(limited.stderr).unwrap(), "There are more than these 3.\n");
    assert!(router.show(&["routes", "--limit", "10"]).stderr.is_empty());
}

/// Every core has a part of the table; an answer is made of all parts.
#[test]
fn routes_of_all_shards_come_in_order_and_the_longest_of_all_is_found() {
    let router = exchange::start(MORE, VRPS);
    let mut member = Member::join(&router, 2);
    let short: Vec<_> = (20..52).map(|at| net(at, 0, 0, 8)).collect();
    let long: Vec<_> = (20..52).map(|at| net(at, 200, 0, 24)).collect();
    member.announce(&[], &[], &short);
    member.announce(&[], &[], &long);
    router.wait_for_routes(64);
    let listed = router.json(&["routes"]);
    let expected = (20..52).flat_map(|at| [format!("{at}.0.0.0/8"), format!("{at}.200.0.0/24")]);
    assert_eq!(json!(field(&listed, "prefix")), json!(expected.collect::<Vec<_>>()));
    for at in 20..52 {
        let found = router.json(&["routes", &format!("{at}.200.0.7")]);
        assert_eq!(field(&found, "prefix"), [&json!(format!("{at}.200.0.0/24"))]);
    }
}

#[test]
fn a_person_is_told_in_lines_that_fit_and_line_up() {
    let (router, _members) = exchange();
    for arguments in
        [&["routes"][..], &["routes", "--filtered"], &["peers"], &["peers", "member-a"], &["summary"]]
    {
        let text = router.text(arguments);
        assert!(text.lines().all(|line| line.chars().count() <= 100 && line == line.trim_end()), "{text}");
    }
    let text = router.text(&["routes"]);
    let columns: Vec<_> =
        text.lines().skip(1).map(|line| line.find("member-").or(line.find("peer"))).collect();
    assert!(columns.iter().all(|column| *column == columns[0] && column.is_some()), "{text}");
    assert!(text.contains("*>V  193.0.0.0/24"), "{text}");
    let one = router.text(&["routes", "194.0.0.0/24"]);
    assert!(
        one.contains("rejected: rpki-invalid-origin")
            && one.contains("RPKI: the prefix is covered")
            && one.contains("196608:1101:13"),
        "{one}"
    );
    assert!(router.text(&["summary"]).contains("2 of 2"));
}

#[test]
fn one_thing_is_told_as_one() {
    let (router, _members) = exchange();
    for (arguments, told) in [
        (&["peers", "member-a"][..], "received            3 UPDATEs, 1 KEEPALIVE, 1 OPEN; "),
        (&["peers", "member-b"], "received            1 UPDATE, 1 KEEPALIVE, 1 OPEN; "),
        (&["summary"], "judged by           3 VRPs, 0 route objects (generation 1)"),
    ] {
        let text = router.text(arguments);
        assert!(text.contains(told), "{text}");
    }
    let limited = router.show(&["routes", "--limit", "1"]);
    assert_eq!(String::from_utf8(limited.stderr).unwrap(), "There are more than this one.\n");
}

#[test]
fn who_asks_wrongly_is_told_what_is_wrong() {
    let (router, _members) = exchange();
    for (octets, told) in [
        (&b"\n"[..], "this is no request"),
        (b"hello\n", "this is no request"),
        (b"\xff\x00\n", "this is no request"),
        (b"{\"ask\":\"everything\"}\n", "unknown variant `everything`"),
        (b"{\"ask\":\"routes\",\"prefx\":1}\n", "unknown field `prefx`"),
        (b"{\"ask\":\"routes\",\"prefix\":\"10.0.0.1/8\"}\n", "did you mean 10.0.0.0/8?"),
        (b"{\"ask\":\"routes\",\"prefix\":\"10.0.0.0/8\",\"family\":6}\n", "is of the other family"),
        (b"{\"ask\":\"routes\",\"family\":5}\n", "there is no family 5"),
        (b"{\"ask\":\"routes\",\"longer\":true}\n", "there is no prefix"),
        (b"{\"ask\":\"routes\",\"peer\":\"membr-a\"}\n", "did you mean `member-a`?"),
        (&[b'['; 5000], "4096 octets at most"),
    ] {
        let answer = router.answer(octets);
        let asked = String::from_utf8_lossy(octets);
        assert!(
            answer.starts_with("{\"error\":") && answer.ends_with("}\n") && answer.contains(told),
            "{asked}{answer}"
        );
    }
    assert!(
        router.answer(b"{\"ask\":\"summary\"}\n").ends_with("{\"end\":{\"lines\":1,\"limited\":false}}\n")
    );
    let output = router.show(&["routes", "--peer", "nobody-at-all"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("there is no peer `nobody-at-all`"));
}

/// Who says nothing keeps a place for five seconds, and then is sent away.
#[test]
fn all_places_taken_the_next_is_told_so_and_they_are_free_again() {
    let (router, _members) = exchange();
    let mut silent: Vec<UnixStream> =
        (0..128).map(|_| UnixStream::connect(router.socket()).unwrap()).collect();
    let until = Instant::now() + PATIENCE;
    while !router.answer(b"{\"ask\":\"summary\"}\n").contains("\"kind\":\"busy\"") {
        assert!(Instant::now() < until);
    }
    let mut answer = String::new();
    silent[0].read_to_string(&mut answer).unwrap();
    assert!(answer.contains("no request came in time"), "{answer}");
    while !router.show(&["summary"]).status.success() {
        assert!(Instant::now() < until);
    }
}

/// One client reads nothing, a hundred read all of 4,000 routes, and a peer announces meanwhile.
#[test]
fn clients_that_do_not_read_and_a_hundred_that_do_hurt_nobody() {
    let router = exchange::start(MORE, VRPS);
    let mut member = Member::join(&router, 2);
    let some: Vec<_> = (0..4_000).map(|at: u16| net(196, (at >> 8) as u8, at as u8, 24)).collect();
    member.announce(&[], &TAGS, &some);
    router.wait_for_routes(4_000);
    let ask = b"{\"ask\":\"routes\"}\n";
    let mut deaf = UnixStream::connect(router.socket()).unwrap();
    deaf.write_all(ask).unwrap();
    let before = memory(&router);
    let clients: Vec<_> = (0..100)
        .map(|_| {
            let mut stream = UnixStream::connect(router.socket()).unwrap();
            std::thread::spawn(move || {
                stream.write_all(ask).unwrap();
                let lines = BufReader::new(stream).lines().map(Result::unwrap);
                lines.fold((0, String::new()), |(count, _), line| (count + 1, line))
            })
        })
        .collect();
    let mut other = Member::join(&router, 3);
    other.announce(&[], &[], &[net(193, 0, 0, 24)]);
    let began = Instant::now();
    router.wait_for_routes(4_001);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    for client in clients {
        let (count, last) = client.join().unwrap();
        // One route came in the middle.
        assert!((4_001..=4_002).contains(&count), "{count}");
        assert!(last.starts_with("{\"end\":{\"lines\":400"), "{last}");
    }
    let grown = memory(&router).saturating_sub(before);
    assert!(grown < 64, "{grown} MiB");
    drop(deaf);
}

/// Resident memory in MiB.
fn memory(router: &Router) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", router.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

#[test]
fn an_answer_that_is_cut_off_fails() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    let route = "{\"peer\":{\"name\":\"a\"}}\n";
    for (said, told) in [
        ("", "cut off after 0 lines"),
        ("{\"end\":{\"lines\":1,\"limited\":false}}\n", "cut off after 0 lines"),
        ("{\"end\":{\"lines\":0,\"lim", "cut off after 0 lines"),
        (route, "can't be understood"),
    ] {
        let _ = fs::remove_file(&socket);
        let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let said = said.to_owned();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = String::new();
            BufReader::new(&stream).read_line(&mut request).unwrap();
            stream.write_all(said.as_bytes()).unwrap();
        });
        let output = Command::new(PROGRAM)
            .args(["show", "peers", "--json", "--socket"])
            .arg(&socket)
            .output()
            .unwrap();
        thread.join().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.replace("\n  │", "").contains(told), "{errors}");
        assert_eq!(output.status.code(), Some(1));
        assert!(serde_json::from_slice::<Value>(&output.stdout).is_err());
    }
}

#[test]
fn the_socket_comes_and_goes_with_the_router() {
    let mut router = exchange::start(MORE, VRPS);
    let mut second = run(&router.folder);
    assert!(!second.wait().unwrap().success());
    let log = fs::read_to_string(router.folder.path().join("log")).unwrap();
    assert!(log.contains("somebody listens at the control socket"), "{log}");
    assert!(router.show(&["summary"]).status.success(), "the first one's is left alone");
    router.child.kill().unwrap();
    router.child.wait().unwrap();
    let told = |router: &Router| {
        let output = router.show(&["peers"]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap().replace("\n  │", "")
    };
    assert!(told(&router).contains("the router that made the socket is gone"), "{}", told(&router));
    router.child = run(&router.folder);
    router.wait_for_socket();
    router.stop();
    assert!(!router.socket().exists());
    assert!(told(&router).contains("there is no such socket"), "{}", told(&router));
}
