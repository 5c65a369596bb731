//! The metrics of a running router, as whoever watches it reads them: over HTTP and at the control socket.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/asked.rs"]
mod asked;
#[path = "support/exchange.rs"]
mod exchange;
#[path = "support/pair.rs"]
mod pair;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use asked::{Member, PATIENCE, Router, connect};

const VRPS: &str = r#"{"roas": [{"asn": 196701, "prefix": "193.0.0.0/16", "maxLength": 24}]}"#;

/// A route server with two members that serves metrics, and where.
fn watched() -> (Router, [Member; 2], u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let router = exchange::start(&format!("[metrics]\nlisten = \"127.0.0.1:{port}\""), VRPS);
    let members = exchange::join(&router);
    (router, members, port)
}

/// The whole answer to what was sent.
fn ask(port: u16, octets: &[u8]) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // It may end the connection before all was read that was sent.
    let _ = stream.write_all(octets);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn scrape(port: u16) -> BTreeMap<String, f64> {
    let answer = ask(port, b"GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("text/plain; version=0.0.4"), "{head}");
    read(body)
}

/// Reads the exposition format, and holds it to its rules: HELP and TYPE before the samples of a metric, all of a metric's samples
/// together, no sample twice, nothing after the last newline.
fn read(text: &str) -> BTreeMap<String, f64> {
    let (mut samples, mut metrics) = (BTreeMap::new(), Vec::<&str>::new());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let name = line.strip_prefix("# HELP ").unwrap().split_once(' ').unwrap().0;
        assert!(!metrics.contains(&name), "{name} comes twice");
        metrics.push(name);
        let kind = lines.next().unwrap().strip_prefix(&format!("# TYPE {name} ")).unwrap();
        assert!(["gauge", "counter"].contains(&kind), "{kind}");
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let rest = sample.strip_prefix(name).unwrap();
            assert!(rest.is_empty() || rest.starts_with('{') && rest.ends_with("\"}"), "{line}");
            assert!(samples.insert(sample.to_owned(), value.parse().unwrap()).is_none(), "{line}");
        }
    }
    assert!(text.ends_with('\n'));
    samples
}

/// A sample, once it is that.
fn wait_for(router: &Router, sample: &str, value: f64) {
    let until = Instant::now() + PATIENCE;
    loop {
        let samples = read(&router.text(&["metrics"]));
        if samples.get(sample) == Some(&value) {
            return;
        }
        assert!(Instant::now() < until, "{sample}\n{samples:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn numbers_are_those_of_the_router() {
    let (router, [mut a, _b], port) = watched();
    a.announce(&[], &[], &[(Ipv4Addr::new(193, 0, 0, 0), 24), (Ipv4Addr::new(10, 0, 0, 0), 24)]);
    // ORIGIN of 7 is withdrawn for (RFC 7606 s7.1); an ATOMIC_AGGREGATE of one octet is discarded (s7.6).
    a.announce(&[], &[0x40, 6, 1, 0], &[(Ipv4Addr::new(193, 0, 1, 0), 24)]);
    router.wait_for_routes(3);
    let samples = scrape(port);
    for (sample, value) in [
        (
            "palisade_info{version=\"0.1.0\",asn=\"196608\",router_id=\"192.0.2.250\",mode=\"route-server\"}",
            1.0,
        ),
        ("palisade_vrps", 1.0),
        ("palisade_prefixes{family=\"ipv4\"}", 3.0),
        ("palisade_peer_up{peer=\"member-a\"}", 1.0),
        ("palisade_peer_sessions_total{peer=\"member-a\"}", 1.0),
        ("palisade_peer_kept_down{peer=\"member-a\"}", 0.0),
        ("palisade_peer_messages_total{peer=\"member-a\",direction=\"received\",type=\"update\"}", 2.0),
        ("palisade_peer_messages_total{peer=\"member-a\",direction=\"received\",type=\"open\"}", 1.0),
        ("palisade_peer_messages_total{peer=\"member-a\",direction=\"sent\",type=\"open\"}", 1.0),
        (
            "palisade_peer_update_faults_total{peer=\"member-a\",outcome=\"attribute-discard\",attribute=\"6\"}",
            1.0,
        ),
        ("palisade_peer_paths{peer=\"member-a\",family=\"ipv4\",state=\"received\"}", 3.0),
        ("palisade_peer_paths{peer=\"member-a\",family=\"ipv6\",state=\"received\"}", 0.0),
        ("palisade_peer_rejected_paths{peer=\"member-a\",reason=\"bogon-prefix\"}", 1.0),
        ("palisade_peer_rpki_paths{peer=\"member-a\",state=\"valid\"}", 2.0),
        ("palisade_peer_limit{peer=\"member-a\",limit=\"max_prefixes\"}", 200_000.0),
        ("palisade_peer_limit_used{peer=\"member-a\",limit=\"max_prefixes\"}", 3.0),
    ] {
        assert_eq!(samples.get(sample), Some(&value), "{sample}\n{samples:#?}");
    }
    let printed = read(&router.text(&["metrics"]));
    assert!(samples.keys().all(|sample| printed.contains_key(sample)), "both tell the same");

    assert!(router.ask("peer", &["disable", "member-a"]).status.success());
    let until = Instant::now() + PATIENCE;
    let notified = "palisade_peer_notifications_total{peer=\"member-a\",direction=\"sent\",code=\"6\"}";
    while scrape(port).get(notified) != Some(&1.0) {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(20));
    }
    let samples = scrape(port);
    assert_eq!(samples["palisade_peer_kept_down{peer=\"member-a\"}"], 1.0);
    assert!(!samples.keys().any(|key| key.starts_with("palisade_peer_session_info{peer=\"member-a\"")));
}

#[test]
fn who_asks_for_anything_else_is_told_and_who_says_nothing_takes_no_place_for_long() {
    let (router, _members, port) = watched();
    for (request, status) in [
        (&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], "HTTP/1.1 404"),
        (b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 405"),
        (b"\xff\xff\xff\xff\r\n\r\n", "HTTP/1.1 400"),
        (&[&b"GET /metrics HTTP/1.1\r\nX: "[..], &[b'x'; 100_000]].concat(), "HTTP/1.1 431"),
    ] {
        let answer = ask(port, request);
        assert!(answer.starts_with(status) || answer.is_empty(), "{answer}");
    }
    // All places are taken by clients that say nothing; the router goes on, and a place is free again after a while.
    let silent: Vec<_> = (0..8).map(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(ask(port, b"GET /metrics HTTP/1.1\r\n\r\n"), "");
    assert_eq!(router.json(&["summary"])["peers_up"], 2);
    let until = Instant::now() + PATIENCE;
    while ask(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").is_empty() {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(silent);
}

/// A range with room for one, peers that are particular, and nobody else.
const DOORS: &str = r#"
[[range]]
name = "open"
prefix = "127.0.0.32/27"
asns = [196739, 196740]
max_peers = 1
[[peer]]
name = "elsewhere"
address = "127.0.0.4"
asn = 196703
local_address = "127.0.0.50"
passive = true
[[peer]]
name = "full"
address = "127.0.0.5"
asn = 196704
max_prefixes = 1
max_prefixes_action = "down"
passive = true
"#;

/// Who connects, with an OPEN as each member has it or with other octets, and what is counted then.
#[test]
fn who_is_turned_away_is_counted_by_reason() {
    let router = exchange::start(DOORS, VRPS);
    let of_range =
        |why: &str| format!("palisade_range_connections_refused_total{{range=\"open\",reason=\"{why}\"}}");
    let of_peer = |name: &str, why: &str| {
        format!("palisade_peer_connections_refused_total{{peer=\"{name}\",reason=\"{why}\"}}")
    };
    wait_for(&router, "palisade_connections_refused_total", 0.0);
    drop(connect(&router, 99));
    wait_for(&router, "palisade_connections_refused_total", 1.0);

    wait_for(&router, "palisade_range_guests{range=\"open\"}", 0.0);
    wait_for(&router, "palisade_range_max_peers{range=\"open\"}", 1.0);
    let _foreign = Member::join(&router, 42);
    wait_for(&router, &of_range("asn"), 1.0);
    let mut noise = connect(&router, 43);
    noise.write_all(&[0; 19]).unwrap();
    wait_for(&router, &of_range("open"), 1.0);
    drop(connect(&router, 44));
    wait_for(&router, &of_range("closed"), 1.0);
    let silent = connect(&router, 45);
    let _again = connect(&router, 45);
    wait_for(&router, &of_range("same-address"), 1.0);
    drop(silent);
    wait_for(&router, &of_range("closed"), 2.0);
    let _guest = Member::join(&router, 40);
    wait_for(&router, "palisade_range_guests{range=\"open\"}", 1.0);
    drop(connect(&router, 41));
    wait_for(&router, &of_range("max-peers"), 1.0);

    drop(connect(&router, 4));
    wait_for(&router, &of_peer("elsewhere", "local-address"), 1.0);
    let [_a, _b] = exchange::join(&router);
    wait_for(&router, "palisade_peer_up{peer=\"member-a\"}", 1.0);
    drop(connect(&router, 2));
    wait_for(&router, &of_peer("member-a", "another"), 1.0);
    assert!(router.ask("peer", &["disable", "member-b"]).status.success());
    drop(connect(&router, 3));
    wait_for(&router, &of_peer("member-b", "disabled"), 1.0);
    let mut full = Member::join(&router, 5);
    full.announce(&[], &[], &[(Ipv4Addr::new(193, 0, 0, 0), 24), (Ipv4Addr::new(193, 0, 1, 0), 24)]);
    wait_for(&router, "palisade_peer_kept_down{peer=\"full\"}", 1.0);
    drop(connect(&router, 5));
    wait_for(&router, &of_peer("full", "limit"), 1.0);

    // A reload with which the range takes others does not make it forget whom it did not take.
    let file = router.folder.path().join("palisade.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("max_peers = 1", "max_peers = 2")).unwrap();
    assert!(router.ask("reload", &[]).status.success());
    wait_for(&router, "palisade_range_max_peers{range=\"open\"}", 2.0);
    wait_for(&router, &of_range("closed"), 2.0);
    let _second = Member::join(&router, 41);
    wait_for(&router, "palisade_range_guests{range=\"open\"}", 2.0);
}

/// After a failure a session rests for a second, less up to a quarter (RFC 4271 s8.1.1).
#[test]
fn a_connection_to_a_session_that_rests_is_counted() {
    let router = exchange::start("", VRPS);
    let until = Instant::now() + PATIENCE;
    let rested = "palisade_peer_connections_refused_total{peer=\"member-a\",reason=\"resting\"}";
    while !read(&router.text(&["metrics"])).contains_key(rested) {
        assert!(Instant::now() < until);
        for _ in 0..2 {
            let mut noise = connect(&router, 2);
            let _ = noise.write_all(&[0; 19]);
            let _ = noise.read(&mut [0; 64]);
        }
    }
}

/// RFC 4724, RFC 9494: what a peer has said that is gone, for a second, and then as the last resort.
#[test]
fn stale_paths_are_told_with_their_phase() {
    let keys = "restart_time = 1\nlong_lived_stale_time = 60\ntcp_user_timeout = \"10s\"";
    let (near, mut far) = pair::pair(keys, keys);
    wait_for(&near, "palisade_peer_paths{peer=\"far\",family=\"ipv4\",state=\"received\"}", 1.0);
    let samples = read(&near.text(&["metrics"]));
    let session = samples.keys().find(|key| key.starts_with("palisade_peer_session_info")).unwrap();
    assert!(session.ends_with("local_address=\"127.0.0.1\",tcp_user_timeout=\"10\"}"), "{session}");
    far.child.kill().unwrap();
    let phase =
        |phase: &str| format!("palisade_peer_stale_phase{{peer=\"far\",family=\"ipv4\",phase=\"{phase}\"}}");
    wait_for(&near, &phase("long-lived"), 1.0);
    let samples = read(&near.text(&["metrics"]));
    assert_eq!(samples["palisade_peer_stale_paths{peer=\"far\"}"], 1.0);
    let left = samples["palisade_peer_stale_left_seconds{peer=\"far\",family=\"ipv4\"}"];
    assert!((1.0..=60.0).contains(&left), "{left}");
    assert!(!samples.contains_key(&phase("restarting")));
}

/// A rule that is only observed counts what no metric of its own does: routes that carry a community.
#[test]
fn an_observed_rule_counts_routes_that_carry_a_community() {
    let rule = r#"
[[rule]]
name = "going-down"
roles = ["rs-client"]
communities = ["65535:0"]
action = "reject"
mode = "observe"
"#;
    let router = exchange::start(rule, VRPS);
    let [mut a, _b] = exchange::join(&router);
    let graceful_shutdown = [0xc0, 8, 4, 255, 255, 0, 0];
    a.announce(&[], &graceful_shutdown, &[(Ipv4Addr::new(193, 0, 0, 0), 24)]);
    a.announce(&[], &[], &[(Ipv4Addr::new(193, 0, 1, 0), 24)]);
    router.wait_for_routes(2);
    wait_for(&router, "palisade_peer_observed_paths{peer=\"member-a\",reason=\"rule:going-down\"}", 1.0);
    wait_for(&router, "palisade_peer_rpki_paths{peer=\"member-a\",state=\"valid\"}", 2.0);
}
