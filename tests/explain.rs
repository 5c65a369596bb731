//! `palisade explain`, as it is run: by a configuration, and of a running router that members announce to.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/asked.rs"]
mod asked;
#[path = "support/exchange.rs"]
mod exchange;

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use asked::{Member, PROGRAM, Router};

const EDGE: &str = r#"
[router]
asn = 196608
id = "192.0.2.250"
networks = ["45.0.0.0/22"]
[rpki]
files = ["vrps.json"]
[irr]
dumps = ["irr.rpsl"]
[[rule]]
name = "no-more-specifics-of-49"
prefixes = ["49.0.0.0/16^-"]
action = "reject"
[[rule]]
name = "mark-and-prefer"
roles = ["customer"]
action = "continue"
set = { local_preference = 300, add_communities = ["196608:1:2"] }
[[peer]]
name = "transit"
address = "203.0.113.1"
asn = 3356
role = "provider"
[[peer]]
name = "customer"
address = "203.0.113.5"
asn = 196701
role = "customer"
as_set = "RIPE::AS-CUSTOMER"
checks = { path-too-long = "observe", prefix-too-long = "off" }
[[peer]]
name = "peer"
address = "203.0.113.9"
asn = 196710
role = "peer"
"#;

const VRPS: &str = r#"{"roas": [
{"asn": 196701, "prefix": "193.0.0.0/16", "maxLength": 24},
{"asn": 196702, "prefix": "193.0.0.0/16", "maxLength": 20},
{"asn": 196799, "prefix": "194.0.0.0/16", "maxLength": 24}
]}"#;

const IRR: &str = "\
as-set: AS-CUSTOMER\nmembers: AS-FOO, AS196701\nsource: RIPE

as-set: AS-FOO\nmembers: AS196702\nsource: RIPE

route: 195.0.0.0/16\norigin: AS196702\nsource: RIPE

route: 195.0.0.0/16\norigin: AS196703\nsource: RADB
";

fn edge() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("edge.toml", EDGE), ("vrps.json", VRPS), ("irr.rpsl", IRR)] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn explain(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).args(["explain", "--config", "edge.toml"]).args(arguments);
    command.env("NO_COLOR", "1").output().unwrap()
}

fn told(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What was said on standard error, however it was broken into lines.
fn errors(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr).replace('│', "");
    errors.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_verdict_comes_first_and_then_what_decides_it() {
    let folder = edge();
    let rejected = "\
REJECTED  193.0.1.0/24 from customer (supposed): rpki-invalid-length
          RPKI: the origin AS is authorized, but not for a prefix as long as this. (RFC 6811 s2)

  announced      AS path 196701 196702, origin IGP, next hop 203.0.113.5
  VRPs           193.0.0.0/16 up to /20  AS196702  too short for it
                 193.0.0.0/16 up to /24  AS196701  another AS
  route objects  none covers it
  as-set         AS-CUSTOMER -> AS-FOO -> AS196702
  also           irr-prefix-not-registered rejects it    not registered
  judged by      3 VRPs, 0 ASPAs, 2 route objects; generation 0
";
    assert_eq!(told(&explain(folder.path(), &["193.0.1.0/24", "--path", "196701 196702"])), rejected);
    let accepted = "\
ACCEPTED  195.0.0.0/16 from customer (supposed)

  announced      AS path 196701 196702, origin IGP, next hop 203.0.113.5
  communities    64500:7
  VRPs           none covers it
  route objects  195.0.0.0/16  AS196702 RIPE  registers it
                 195.0.0.0/16  AS196703 RADB  another AS
  as-set         AS-CUSTOMER -> AS-FOO -> AS196702
  rules          mark-and-prefer                         continue
  import         local preference 300
                 communities added: 196608:1:2
  becomes        AS path 196701 196702, origin IGP, next hop 203.0.113.5
                 64500:7 196608:1:2
  preference     300
  goes to        transit, peer
  judged by      3 VRPs, 0 ASPAs, 2 route objects; generation 0
";
    let arguments =
        ["195.0.0.0/16", "--peer", "customer", "--origin", "AS196702", "--communities", "64500:7"];
    assert_eq!(told(&explain(folder.path(), &arguments)), accepted);
}

#[test]
fn text_and_json_say_the_same_of_every_check_and_rule() {
    let folder = edge();
    let arguments = ["49.0.3.0/24", "--path", "3356 196799"];
    let json: Value =
        serde_json::from_str(&told(&explain(folder.path(), &[&arguments[..], &["--json"]].concat())))
            .unwrap();
    assert_eq!(json.as_array().unwrap().len(), 1, "{json}");
    let one = &json[0];
    assert_eq!((&one["accepted"], &one["reason"]), (&json!(false), &json!("rule:no-more-specifics-of-49")));
    assert_eq!(
        one["rules"][0],
        json!({
            "name": "no-more-specifics-of-49", "mode": "enforce", "reach": "asked", "holds": true, "action": "reject",
            "conditions": [{"key": "prefixes", "holds": true}],
        })
    );
    assert_eq!(one["rules"][1]["reach"], "not-this-peer");
    let text = told(&explain(folder.path(), &[&arguments[..], &["--all"]].concat()));
    assert!(
        text.starts_with("REJECTED  49.0.3.0/24 from transit (supposed): rule:no-more-specifics-of-49\n"),
        "{text}"
    );
    for check in one["checks"].as_array().unwrap() {
        let name = check["reason"].as_str().unwrap().trim_start_matches("rule:");
        assert!(text.contains(name), "{name}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100 && line == line.trim_end()), "{text}");
}

#[test]
fn who_asks_wrongly_is_told_what_to_write() {
    let folder = edge();
    for (arguments, wrong) in [
        (&["195.0.0.0/16"][..], "name it with --peer: transit, customer, peer"),
        (&["195.0.0.0/16", "--peer", "custmer"], "did you mean `customer`?"),
        (&["195.0.0.1/16", "--peer", "customer"], "did you mean 195.0.0.0/16?"),
        (&["195.0.0.1", "--peer", "customer"], "without a router an address has no longest prefix"),
        (&["195.0.0.0/16", "--peer", "customer", "--path", "1 x"], "`x` is no part of an AS path"),
        (&["195.0.0.0/16", "--peer", "customer", "--communities", "1"], "`1` is no community"),
    ] {
        let output = explain(folder.path(), arguments);
        let errors = errors(&output);
        assert!(errors.contains(wrong), "{wrong}: {errors}");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    }
}

/// Without a registry.
const CHECKS: &str = "irr-origin-not-in-as-set = \"off\"\nirr-prefix-not-registered = \"off\"";

/// Two members, of whom one has the better path, and one of the other's is rejected.
fn exchange() -> (Router, [Member; 2]) {
    let router = exchange::start(CHECKS, VRPS);
    let [mut a, mut b] = exchange::join(&router);
    let net = |a: u8| (Ipv4Addr::new(a, 0, 0, 0), 24);
    a.announce(&[], &[], &[net(195), net(194)]);
    b.announce(&[196_799], &[], &[net(195), net(194)]);
    router.wait_for_routes(4);
    (router, [a, b])
}

fn live(router: &Router, arguments: &[&str]) -> String {
    told(&router.ask("explain", arguments))
}

#[test]
fn a_running_router_says_why_of_every_path_that_it_holds() {
    let (router, _members) = exchange();
    let text = live(&router, &["195.0.0.0/24"]);
    let expected = "\
ACCEPTED  195.0.0.0/24 from member-a, best of 2 paths, by as-path-length

  announced      AS path 196701, origin IGP, next hop 127.0.0.2
  VRPs           none covers it
  preference     100
  goes to        member-b
  judged by      3 VRPs, 0 ASPAs, 0 route objects; generation 1

ACCEPTED  195.0.0.0/24 from member-b, not best, by as-path-length

  announced      AS path 196702 196799, origin IGP, next hop 127.0.0.3
  VRPs           none covers it
  preference     100
  best path      member-a's, by as-path-length
  goes to        member-a
  judged by      3 VRPs, 0 ASPAs, 0 route objects; generation 1
";
    let generation = &router.json(&["summary"])["generation"];
    assert_eq!(text, expected.replace("generation 0", &format!("generation {generation}")));
    let json: Value = serde_json::from_str(&live(&router, &["194.0.0.77", "--json"])).unwrap();
    let told: Vec<Value> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!([one["peer"]["name"], one["accepted"], one["reason"], one["table"]["best_peer"]]))
        .collect();
    assert_eq!(
        json!(told),
        json!([["member-b", true, null, "member-b"], ["member-a", false, "rpki-invalid-origin", "member-b"]])
    );
    let one = live(&router, &["194.0.0.0/24", "--peer", "member-a"]);
    assert!(one.starts_with("REJECTED  194.0.0.0/24 from member-a: rpki-invalid-origin\n"), "{one}");
    assert!(
        one.contains("table          kept with its reason") && one.contains("best path      member-b's"),
        "{one}"
    );
}

#[test]
fn a_running_router_says_what_would_become_of_an_announcement() {
    let (router, _members) = exchange();
    let supposed = live(&router, &["194.0.3.0/24", "--peer", "member-b", "--origin", "196799"]);
    assert!(supposed.starts_with("ACCEPTED  194.0.3.0/24 from member-b (supposed)\n"), "{supposed}");
    let by_path = live(&router, &["194.0.3.0/24", "--path", "196701 196702"]);
    assert!(
        by_path.starts_with("REJECTED  194.0.3.0/24 from member-a (supposed): rpki-invalid-origin\n"),
        "{by_path}"
    );
    for (arguments, wrong) in [
        (&["195.0.0.0/25"][..], "what covers it is 195.0.0.0/24"),
        (&["196.0.0.0/24"], "nor is there anything that covers it"),
        (&["196.0.0.1"], "nobody announces anything that holds 196.0.0.1"),
        (&["195.0.0.0/24", "--peer", "membr-a"], "did you mean `member-a`?"),
        (&["195.0.0.0/23"], "nor is there anything"),
        (&["195.0.0.0/24", "--vrps", "x"], "name the configuration to judge by"),
    ] {
        let output = router.ask("explain", arguments);
        let errors = errors(&output);
        assert!(errors.contains(wrong), "{wrong}: {errors}");
        assert_eq!(output.status.code(), Some(1));
    }
}

/// A program that is not optimized, on a machine that does other things, is given ten times what it may take.
#[test]
fn an_answer_takes_no_time() {
    let (router, _members) = exchange();
    let fastest = |ask: &dyn Fn()| {
        let times = (0..10).map(|_| {
            let began = Instant::now();
            ask();
            began.elapsed()
        });
        times.min().unwrap()
    };
    let asked = fastest(&|| drop(live(&router, &["195.0.0.0/24"])));
    let started = fastest(&|| drop(Command::new(PROGRAM).arg("--version").output().unwrap()));
    assert!(
        asked.saturating_sub(started) < Duration::from_millis(100),
        "{asked:?}, of which {started:?} to start"
    );
}
