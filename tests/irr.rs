//! `palisade irr` as a user meets it, and held against bgpq4: both ask the same little IRRd, and must print the same.

#![expect(clippy::expect_used, reason = "where a test's own plumbing breaks, it fails")]

#[allow(dead_code, reason = "the feed's own tests use the rest")]
#[path = "support/irrd.rs"]
mod irrd;

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Output};

use ipnet::IpNet;
use irrd::{Irrd, Registry};

/// Two registries, with all that is wrong in real ones: cycles, sets that nobody has, sets of the same name, AS numbers
/// without routes, one in one family only. bgpq4 refuses AS numbers and prefixes for documentation.
const FIRST: &str = "as-set: AS-TOP\nmembers: AS-LEFT, AS-RIGHT, AS2001, AS-NOBODY\n\n\
    as-set: AS-LEFT\nmembers: AS2002, AS-TOP\nmembers: AS2003\n\n\
    as-set: AS-RIGHT\nmembers: AS-LEFT, AS-SHARED, AS2009\n\n\
    as-set: AS-SHARED\nmembers: AS2004\n\n\
    as-set: AS2001:AS-CUSTOMERS\nmembers: AS2001, AS2001:AS-CUSTOMERS\n\n\
    as-set: AS-ALONE\nmembers: AS-ALONE\n\n\
    as-set: AS-SIX\nmembers: AS2006\n\n\
    route-set: RS-MIXED\nmembers: 11.0.0.0/16, 11.1.0.0/16^17-20, 11.2.0.0/28^+, RS-INNER, AS2002\n\
    mp-members: 2a00:1000::/32, 2a00:2000::/44^46-47\n\n\
    route-set: RS-INNER\nmembers: 11.9.0.0/24, RS-MIXED\n\n\
    route: 12.0.0.0/16\norigin: AS2001\n\nroute: 12.1.0.0/16\norigin: AS2001\n\n\
    route: 12.2.0.0/24\norigin: AS2002\n\nroute: 12.2.1.0/24\norigin: AS2002\n\n\
    route: 12.2.0.0/24\norigin: AS2003\n\nroute6: 2a00:3000::/32\norigin: AS2003\n\n\
    route6: 2a00:3000:1::/48\norigin: AS2006\n\nroute: 12.4.0.0/22\norigin: AS2004";
const SECOND: &str = "as-set: AS-SHARED\nmembers: AS2005\n\n\
    as-set: AS-ONLY-HERE\nmembers: AS2005, AS-LEFT\n\n\
    route: 12.5.0.0/16\norigin: AS2005\n\nroute: 12.1.0.0/16\norigin: AS2001\n\n\
    route6: 2a00:5000::/32\norigin: AS2005\n\nroute: 12.2.7.0/24\norigin: AS2002";

fn server(expands: bool) -> Irrd {
    Irrd::start(vec![Registry::new("FIRST", FIRST), Registry::new("SECOND", SECOND)], expands)
}

fn palisade(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_palisade")).arg("irr").args(arguments).output().expect("palisade runs")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).expect("it is text")
}

/// What it prints, line by line.
fn lines(arguments: &[&str]) -> Vec<String> {
    let output = palisade(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "", "nobody looks on, so nothing is told");
    text(&output.stdout).lines().map(str::to_owned).collect()
}

/// What it says instead of printing anything.
fn complaint(arguments: &[&str]) -> String {
    let output = palisade(arguments);
    assert!(!output.status.success(), "{arguments:?} is fine: {}", text(&output.stdout));
    assert_eq!(text(&output.stdout), "", "{arguments:?}");
    text(&output.stderr)
}

fn has_bgpq4(test: &str) -> bool {
    let found = Command::new("bgpq4").arg("-v").output().is_ok();
    if !found {
        println!("skipped: {test}: there is no bgpq4 here");
    }
    found
}

/// The prefixes that bgpq4 prints, one by one.
fn bgpq4(address: SocketAddr, family: &str, sources: Option<&str>, set: &str) -> BTreeSet<IpNet> {
    let mut command = Command::new("bgpq4");
    command.args(["-h", &address.to_string(), family, "-F", "%n/%l\\n"]);
    command.args(sources.map(|sources| ["-S", sources]).into_iter().flatten()).arg(set);
    let output = command.output().expect("bgpq4 runs");
    text(&output.stdout).lines().map(|line| line.parse().expect("bgpq4 prints prefixes")).collect()
}

/// The prefixes that Palisade's ranges stand for; none where it says that there are none.
fn ours(address: SocketAddr, arguments: &[&str], set: &str) -> BTreeSet<IpNet> {
    let address = address.to_string();
    let output = palisade(&[&["--server", &address, "--json", set], arguments].concat());
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(&output.stdout) else {
        let told = text(&output.stderr);
        assert!(told.contains("to nothing") || told.contains("no registry has"), "{set}: {told}");
        return BTreeSet::new();
    };
    let ranges = value["ipv4"].as_array().or(value["ipv6"].as_array()).expect("a list of prefixes").iter();
    let prefixes = |one: &serde_json::Value| {
        let length =
            |key: &str| one[key].as_u64().and_then(|length| u8::try_from(length).ok()).expect("a length");
        let prefix: IpNet = one["prefix"].as_str().expect("a prefix").parse().expect("a prefix");
        (length("min_length")..=length("max_length")).flat_map(move |length| prefix.subnets_of(length))
    };
    ranges.flat_map(prefixes).collect()
}

/// All of a length that lie within.
trait Subnets {
    fn subnets_of(&self, length: u8) -> Vec<IpNet>;
}

impl Subnets for IpNet {
    fn subnets_of(&self, length: u8) -> Vec<IpNet> {
        self.subnets(length).expect("no shorter than the prefix").collect()
    }
}

const OBJECTS: [&str; 14] = [
    "AS-TOP",
    "AS-LEFT",
    "AS-RIGHT",
    "AS-SHARED",
    "AS2001:AS-CUSTOMERS",
    "AS-ALONE",
    "AS-SIX",
    "AS-ONLY-HERE",
    "AS-NOBODY",
    "AS2001",
    "AS2009",
    "RS-MIXED",
    "RS-INNER",
    "SECOND::AS-SHARED",
];

#[test]
fn it_prints_what_bgpq4_prints() {
    if !has_bgpq4("it_prints_what_bgpq4_prints") {
        return;
    }
    let mut found = 0;
    for expands in [false, true] {
        let server = server(expands);
        for family in ["-4", "-6"] {
            for sources in [None, Some("FIRST"), Some("SECOND"), Some("SECOND,FIRST")] {
                for set in OBJECTS {
                    let theirs = bgpq4(server.address, family, sources, set);
                    let mut arguments = vec![family];
                    arguments.extend(sources.into_iter().flat_map(|sources| ["--sources", sources]));
                    for more in [&[][..], &["--aggregate"]] {
                        let ours = ours(server.address, &[&arguments, more].concat(), set);
                        let context = format!("{set} {arguments:?} {more:?}, expands: {expands}");
                        assert_eq!(
                            ours.difference(&theirs).collect::<Vec<_>>(),
                            [] as [&IpNet; 0],
                            "{context}"
                        );
                        assert_eq!(
                            theirs.difference(&ours).collect::<Vec<_>>(),
                            [] as [&IpNet; 0],
                            "{context}"
                        );
                    }
                    found += theirs.len();
                }
            }
        }
    }
    assert!(found > 200, "the comparison is of something: {found}");
}

/// A dump that holds what both registries of [`server`] do.
fn dump(folder: &tempfile::TempDir) -> String {
    let with_source = |rpsl: &str, source: &str| rpsl.replace("\n\n", &format!("\nsource: {source}\n\n"));
    let all = format!(
        "{}\nsource: FIRST\n\n{}\nsource: SECOND\n",
        with_source(FIRST, "FIRST"),
        with_source(SECOND, "SECOND")
    );
    let path = folder.path().join("all.db");
    fs::write(&path, all).expect("a file can be written");
    path.to_str().expect("a plain name").into()
}

#[test]
fn dumps_say_what_a_server_says() {
    let (folder, server) = (tempfile::tempdir().expect("a folder can be made"), server(false));
    let (dump, address) = (dump(&folder), server.address.to_string());
    for set in ["AS-TOP", "AS-SHARED", "SECOND::AS-SHARED", "AS-ONLY-HERE", "AS2001", "RS-INNER", "RS-MIXED"]
    {
        for options in [&["-4"][..], &["-4", "--sources", "SECOND,FIRST"]] {
            let of_dump = lines(&[&["--dump", &dump, set], options].concat());
            assert_eq!(
                of_dump,
                lines(&[&["--server", &address, set], options].concat()),
                "{set} {options:?}"
            );
        }
    }
    assert_eq!(
        lines(&["--dump", &dump, "--asns", "AS-TOP"]),
        lines(&["--server", &address, "--asns", "AS-TOP"])
    );
}

#[test]
fn every_format_says_the_same() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let dump = dump(&folder);
    let ask = |more: &[&str]| lines(&[&["--dump", &dump], more].concat()).join("\n");
    assert_eq!(
        ask(&["AS-LEFT"]),
        "12.0.0.0/16\n12.1.0.0/16\n12.2.0.0/24\n12.2.1.0/24\n12.2.7.0/24\n12.4.0.0/22\n\
        12.5.0.0/16\n2a00:3000::/32\n2a00:5000::/32"
            .replace("12.5.0.0/16\n", "")
            .replace("\n2a00:5000::/32", "")
    );
    assert_eq!(
        ask(&["AS-LEFT", "-4", "--aggregate"]),
        "12.0.0.0/15^16\n12.2.0.0/23^24\n12.2.7.0/24\n12.4.0.0/22"
    );
    assert_eq!(ask(&["AS-LEFT", "--max-length", "22,31"]), "12.0.0.0/16\n12.1.0.0/16\n12.4.0.0/22");
    assert_eq!(ask(&["AS-SIX", "AS2004", "--asns"]), "AS2004\nAS2006");
    let bird = "define CUSTOMER_v4 = [\n    12.4.0.0/22\n];\ndefine CUSTOMER_v6 = [];";
    assert_eq!(ask(&["AS2004", "--format", "bird", "--name", "CUSTOMER"]), bird);
    let bird = "define AS_LEFT = [\n    12.0.0.0/15{16,16},\n    12.2.0.0/23{24,24},\n    12.2.7.0/24,\n    12.4.0.0/22\n];";
    assert_eq!(ask(&["AS-LEFT", "-4", "--format", "bird", "--aggregate"]), bird);
    assert_eq!(ask(&["AS-SIX", "--asns", "--format", "bird"]), "define AS_SIX = [\n    2006\n];");
    let json: serde_json::Value =
        serde_json::from_str(&ask(&["AS-TOP", "AS2004", "--json"])).expect("it is JSON");
    assert_eq!(json["objects"], serde_json::json!(["AS-TOP", "AS2004"]));
    assert_eq!(
        json["ipv4"][0],
        serde_json::json!({ "prefix": "12.0.0.0/16", "min_length": 16, "max_length": 16 })
    );
    assert_eq!(json["missing_sets"], serde_json::json!(["AS-NOBODY"]));
}

#[test]
fn bird_takes_what_is_written_for_it() {
    let Ok(output) = Command::new("bird").arg("--version").output() else {
        println!("skipped: bird_takes_what_is_written_for_it: there is no BIRD here");
        return;
    };
    assert!(output.status.success());
    let folder = tempfile::tempdir().expect("a folder can be made");
    let dump = dump(&folder);
    let mut configuration = "router id 192.0.2.1;\nprotocol device {}\n".to_owned();
    for more in [
        &["AS-TOP"][..],
        &["RS-MIXED", "--aggregate"],
        &["AS2004", "--name", "x"],
        &["AS-TOP", "--asns", "--name", "y"],
    ] {
        configuration += &(lines(&[&["--dump", &dump, "--format", "bird"], more].concat()).join("\n") + "\n");
    }
    let path = folder.path().join("bird.conf");
    fs::write(&path, configuration).expect("a file can be written");
    let output = Command::new("bird").arg("-p").arg("-c").arg(&path).output().expect("bird runs");
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn what_can_not_be_answered_is_an_error_that_says_what_to_do() {
    let (folder, server) = (tempfile::tempdir().expect("a folder can be made"), server(true));
    let (dump, address) = (dump(&folder), server.address.to_string());
    for (arguments, words) in [
        (&["--dump", &dump, "AS-NOBODY"][..], "no registry has AS-NOBODY"),
        (&["--server", &address, "AS-NOBODY"], "`SOURCE::NAME` asks one registry"),
        (&["--server", &address, "AS-TOP", "AS-NOBODY"], "no registry has AS-NOBODY"),
        (&["--server", &address, "AS-ALONE"], "AS-ALONE comes to nothing"),
        (&["--dump", &dump, "-6", "AS2001"], "may be taken for one that lets everything pass"),
        (
            &["--server", &address, "--sources", "NONE", "AS-TOP"],
            "One or more selected sources are unavailable",
        ),
        (&["--server", "127.0.0.1:1", "AS-TOP"], "127.0.0.1:1 can't be reached"),
        (&["--dump", "/nowhere/x.db", "AS-TOP"], "/nowhere/x.db: there is no such file"),
        (&["--dump", &dump, "--max-length", "24", "AS-TOP"], "write both, as in `--max-length 24,48`"),
        (&["--dump", &dump, "--sources", "A B", "AS-TOP"], "can't be a registry's name"),
        (&["--config", "tests/config/router.toml", "AS-TOP"], "errors"),
        (&["--config", "config/lab.toml", "AS-TOP"], "config/lab.toml has no [irr] that could be asked"),
        (&["64500"], "did you mean AS64500?"),
        (&["EXAMPLE"], "write AS-EXAMPLE"),
        (&["--name", "a-b", "AS-TOP"], "letters, digits and underscores"),
    ] {
        let told = complaint(arguments);
        let flat = told.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(flat.contains(words), "{arguments:?}: {told}");
    }
    server.break_down("HTTP/1.1 400 Bad Request\r\n\r\n");
    assert!(complaint(&["--server", &address, "AS-TOP"]).contains("no answer of IRRd's protocol"));
}

#[test]
fn a_configuration_s_dumps_are_read_and_its_server_is_asked() {
    let (folder, server) = (tempfile::tempdir().expect("a folder can be made"), server(false));
    let (dump, address) = (dump(&folder), server.address.to_string());
    let ask = |irr: &str| {
        let text = format!("[router]\nasn = 196608\nid = \"192.0.2.1\"\n[irr]\ncache = \"off\"\n{irr}\n");
        let path = folder.path().join("palisade.toml");
        fs::write(&path, text).expect("a file can be written");
        lines(&["--config", path.to_str().expect("a plain name"), "-4", "AS-SHARED"])
    };
    assert_eq!(ask("dumps = [\"all.db\"]"), ["12.4.0.0/22"]);
    assert_eq!(ask("dumps = [\"all.db\"]\nsources = [\"SECOND\"]"), ["12.5.0.0/16"]);
    assert_eq!(
        ask(&format!("whois = [{{ server = \"{address}\", sources = [\"SECOND\"] }}]")),
        ["12.5.0.0/16"]
    );
    assert!(dump.ends_with("all.db"));
}
