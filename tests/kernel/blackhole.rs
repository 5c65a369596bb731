//! A customer under attack has the traffic to one of its addresses dropped (RFC 7999), and to no address of anybody else.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::bird::Bird;
use crate::support::namespace::{self, run};
use crate::support::router::Router;

const PATIENCE: Duration = Duration::from_secs(20);

const ROUTER: &str = r#"
[router]
asn = 196608
id = "192.0.2.1"

[control]
socket = "control.sock"

[rpki]
files = ["vrps.json"]

[fib]
table = "main"

[[peer]]
name = "customer"
address = "192.0.2.2"
asn = 196700
role = "customer"
"#;

const VRPS: &str = r#"{"roas": [
    {"prefix": "193.0.24.0/24", "maxLength": 24, "asn": "AS196700"},
    {"prefix": "2a00:1::/32", "maxLength": 48, "asn": "AS196700"}
]}"#;

const CUSTOMER: &str = r#"
router id 192.0.2.2;
protocol device {}
ipv4 table master4;
protocol static network4 { ipv4; route 193.0.24.0/24 blackhole; }
protocol static network6 { ipv6; route 2a00:1::/32 blackhole; }
protocol static attacked4 { disabled; ipv4; route 193.0.24.7/32 blackhole; route 193.0.25.7/32 blackhole; }
protocol static attacked6 { disabled; ipv6; route 2a00:1::7/128 blackhole; }
filter says { if proto ~ "attacked*" then bgp_community.add((65535, 666)); accept; }
protocol bgp upstream {
    local 192.0.2.2 as 196700;
    neighbor 192.0.2.1 as 196608;
    connect delay time 1;
    ipv4 { import none; export filter says; };
    ipv6 { import none; export filter says; next hop address 2001:db8::2; };
}
"#;

pub(crate) fn tell() {
    namespace::prepare();
    run("ip netns add customer && ip link add left type veth peer name uplink netns customer");
    for (place, device, last) in [("", "left", 1), ("-n customer", "uplink", 2)] {
        run(&format!("ip {place} link set lo up && ip {place} link set {device} up"));
        run(&format!("ip {place} addr add 192.0.2.{last}/24 dev {device}"));
        run(&format!("ip {place} addr add 2001:db8::{last}/64 dev {device} nodad"));
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::write(folder.path().join("vrps.json"), VRPS).expect("a file can be written");
    let place = folder.path().join("bird");
    fs::create_dir(&place).expect("a folder can be made");
    let bird = Bird::start("customer", &place, CUSTOMER);
    let mut router = Router::new(folder.path(), ROUTER);
    router.start();

    let networks = ["193.0.24.0/24 via 192.0.2.2", "2a00:1::/32 via 2001:db8::2"];
    wait_for(&router, &networks);
    for attacked in ["attacked4", "attacked6"] {
        bird.ask(&format!("enable {attacked}"));
    }
    // 193.0.25.7 is somebody else's.
    wait_for(&router, &[networks[0], "193.0.24.7 blackhole", networks[1], "2a00:1::7 blackhole"]);
    let told = explained(&router);
    assert!(told.contains("installed, drops what it matches"), "{told}");
    for attacked in ["attacked4", "attacked6"] {
        bird.ask(&format!("disable {attacked}"));
    }
    wait_for(&router, &networks);
    assert!(router.stop(PATIENCE).success(), "{}", router.last_words());
    assert_eq!(ours(), Vec::<String>::new(), "it takes its routes along");
}

fn explained(router: &Router) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(["explain", "193.0.24.7/32", "--socket"]).arg(router.folder.join("control.sock"));
    let output = command.env("NO_COLOR", "1").output().expect("palisade runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Waits until these are our routes in the kernel.
fn wait_for(router: &Router, expected: &[&str]) {
    let until = Instant::now() + PATIENCE;
    loop {
        let ours = ours();
        if ours == expected {
            return;
        }
        assert!(Instant::now() < until, "{ours:#?}\nexpected {expected:#?}\n{}", router.last_words());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// `PREFIX via GATEWAY` or `PREFIX blackhole` of each of our routes, in order.
fn ours() -> Vec<String> {
    let mut all = Vec::new();
    for family in ["-4", "-6"] {
        for line in run(&format!("ip {family} route show proto 213")).lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            all.push(match words.iter().position(|word| *word == "via") {
                Some(at) => format!("{} via {}", words[0], words[at + 1]),
                None => words[..2].iter().rev().copied().collect::<Vec<_>>().join(" "),
            });
        }
    }
    all.sort();
    all
}
