//! `palisade check`, as it is run and as it is read: every error of configuration, in the words that the operator sees.
//!
//! Each `tests/config/NAME.toml` stands beside `NAME.txt`, which is what `palisade check --no-files` says of it. Where
//! that is meant to change, `PALISADE_BLESS=1 cargo test --test check` writes the new words, for `git diff` to show.

#![expect(clippy::expect_used, reason = "where a test's own plumbing breaks, it fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Runs the program in the project's root, with nothing of this environment: no colours, 80 columns.
fn palisade(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env_clear().env("NO_COLOR", "1");
    command.output().expect("the program runs")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).expect("what is printed is UTF-8")
}

/// All that was said, and the exit code.
fn said(output: &Output) -> String {
    let code = output.status.code().expect("no signal ended it");
    format!("{}{}exit {code}\n", text(&output.stderr), text(&output.stdout))
}

/// The configurations in a folder, in order.
fn configurations(folder: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = fs::read_dir(root.join(folder)).expect("the folder is there");
    let paths = files.map(|file| file.expect("it can be listed").path());
    let named = paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let mut names: Vec<_> = named.map(|path| file_name(&path)).collect();
    names.sort();
    assert!(!names.is_empty(), "{folder} has no configurations");
    names.into_iter().map(|name| format!("{folder}/{name}")).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().expect("it has a name").to_string_lossy().into_owned()
}

#[test]
fn every_configuration_is_told_in_the_words_beside_it() {
    for name in configurations("tests/config") {
        let mut arguments = vec!["check", "--no-files", "--config", &name];
        if name.ends_with("explain.toml") {
            arguments.push("--explain");
        }
        let told = said(&palisade(&arguments));
        let words = Path::new(env!("CARGO_MANIFEST_DIR")).join(&name).with_extension("txt");
        if std::env::var_os("PALISADE_BLESS").is_some() {
            fs::write(&words, &told).expect("the words can be written");
        }
        let expected = fs::read_to_string(&words).unwrap_or_default();
        assert!(told == expected, "{name} is told otherwise than {}:\n{told}", words.display());
    }
}

#[test]
fn the_examples_are_in_order() {
    let examples = configurations("config");
    assert_eq!(examples, ["config/edge.toml", "config/lab.toml", "config/route-server.toml"]);
    for example in examples {
        let output = palisade(&["check", "--no-files", "--config", &example]);
        assert!(output.status.success(), "{}", said(&output));
        assert!(text(&output.stdout).contains("is in order"), "{}", said(&output));
    }
}

#[test]
fn a_command_line_that_makes_no_sense_exits_with_2() {
    for arguments in [&["check", "--confg", "x"][..], &["chek"], &[]] {
        assert_eq!(palisade(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

/// A folder with a configuration `palisade.toml` of that text in it.
fn folder_with(octets: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("palisade.toml");
    fs::write(&path, octets).expect("the file can be written");
    (folder, path)
}

/// Checks the text of a configuration without its files.
fn check(octets: &[u8]) -> Output {
    let (_folder, path) = folder_with(octets);
    palisade(&["check", "--no-files", "--config", path.to_str().expect("a plain name")])
}

const ROUTER: &str = "[router]\nasn = 196608\nid = \"192.0.2.1\"\n";

/// Refused with an error that says `words`, soon, at a bearable length, and with nothing that a terminal acts upon.
fn refused(octets: &[u8], words: &str) {
    let start = Instant::now();
    let output = check(octets);
    let told = said(&output);
    let shown: String = told.chars().take(2000).collect();
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(told.contains(words), "expected {words:?} in {shown}");
    assert!(told.len() < 64 * 1024, "{} octets of error", told.len());
    assert!(told.lines().all(|line| line.chars().count() <= 200), "an endless line: {shown}");
    assert!(!told.contains(|letter: char| letter.is_control() && letter != '\n'), "{shown:?}");
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn nesting_without_end_is_refused_and_ends_nobody() {
    refused(&[b"a = ".as_slice(), "[".repeat(200_000).as_bytes()].concat(), "not TOML");
    refused(&[b"a = ".as_slice(), "{a=".repeat(200_000).as_bytes()].concat(), "not TOML");
    refused(format!("{}a = 1", "a.".repeat(200_000)).as_bytes(), "too many parts");
    refused(format!("[{}a]", "a . ".repeat(200_000)).as_bytes(), "too many parts");
    // As deep as the parser and we allow, both at once.
    let inner = format!("{{{}a = ", "a.".repeat(31));
    let deep = format!("{ROUTER}x = {}1{}", inner.repeat(78), "}".repeat(78));
    refused(deep.as_bytes(), "has no key `x`");
}

#[test]
fn what_terminals_act_upon_is_shown_harmless() {
    refused(format!("{ROUTER}# \x1b[31m").as_bytes(), "not TOML");
    refused(format!("{ROUTER}x = \"a\0b\"").as_bytes(), "not TOML");
    refused(format!("{ROUTER}x = \"a\u{9b}31m\"").as_bytes(), "has no key `x`");
    let peer =
        |name: &str| format!("{ROUTER}[[peer]]\nname = \"{name}\"\naddress = \"192.0.2.9\"\nasn = 1\n");
    refused(peer("\\u001b[31m").as_bytes(), "`\\u{1b}` can't be in a name");
    refused(peer("abc\u{202e}def").as_bytes(), "`\\u{202e}` can't be in a name");
    refused(format!("{ROUTER}[rpki]\nfiles = [\"a\\u0000b\"]").as_bytes(), "NUL");
}

#[test]
fn what_is_too_long_is_refused_and_shown_short() {
    refused(format!("[router]\nasn = {}\n", "9".repeat(100_000)).as_bytes(), "out of range");
    refused(format!("{ROUTER}mode = \"{}\"\n", "x".repeat(1_000_000)).as_bytes(), "unknown");
    let list = "\"10.0.0.0/8\", ".repeat(3000);
    refused(format!("{ROUTER}networks = [{list}]\n").as_bytes(), "more are not shown");
    let keys: String = (0..10_000).map(|at| format!("key{at} = 1\n")).collect();
    refused(format!("{ROUTER}{keys}").as_bytes(), "9950 more are not shown");
}

#[test]
fn other_encodings_and_line_ends_are_read_or_named() {
    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain(ROUTER.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    refused(&utf16, "it looks like UTF-16");
    refused(&[ROUTER.as_bytes(), b"# caf\xe9"].concat(), "octet 0xe9 in line 4, column 6");
    refused(ROUTER.replace('\n', "\r").as_bytes(), "carriage return");
    refused(format!("{ROUTER}hold_time = 2\n").replace('\n', "\r\n").as_bytes(), "palisade.toml:4:13]");
    refused(format!("\u{feff}{ROUTER}hold_time = 2").as_bytes(), "palisade.toml:4:13]");
    for fine in
        [ROUTER.replace('\n', "\r\n"), format!("\u{feff}{ROUTER}"), ROUTER.replace("196608", "0x3_0000")]
    {
        assert!(check(fine.as_bytes()).status.success(), "{fine:?}");
    }
}

/// A configuration with so many peers.
fn peers(count: u32) -> String {
    let peer = |at: u32| {
        let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + at);
        format!(
            "[[peer]]\nname = \"p{at}\"\naddress = \"{address}\"\nasn = {}\nrole = \"customer\"\n",
            200_000 + at
        )
    };
    (1..=count).fold(ROUTER.to_owned(), |text, at| text + &peer(at))
}

#[test]
fn limits_hold_at_their_edge() {
    assert!(check(peers(8_000).as_bytes()).status.success());
    refused(peers(8_001).as_bytes(), "there are 8001 peers");

    let networks = |count: u32| {
        let prefix = |at: u32| format!("\"{}/32\",", std::net::Ipv4Addr::from_bits(0x0a00_0000 + at));
        format!("{ROUTER}networks = [{}]", (0..count).map(prefix).collect::<String>())
    };
    assert!(check(networks(100_000).as_bytes()).status.success());
    refused(networks(100_001).as_bytes(), "`networks` has 100001 values");

    let patterns = |count: u32| {
        let list: String = (0..count).map(|at| format!("\"1:{at}:peer\",")).collect();
        format!("{}mode = \"route-server\"\n[actions]\nannounce-to-peer = [{list}]", ROUTER)
    };
    assert!(check(patterns(1_000).as_bytes()).status.success());
    refused(patterns(1_001).as_bytes(), "there are more than 1000 patterns");

    let padded = |octets: usize| format!("{ROUTER}#{}", "x".repeat(octets - ROUTER.len() - 1));
    assert!(check(padded(16 << 20).as_bytes()).status.success());
    refused(padded((16 << 20) + 1).as_bytes(), "is larger than 16 MiB");
}

#[test]
fn a_configuration_that_can_not_be_read_is_named() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let name = folder.path().to_str().expect("a plain name");
    for (name, words) in [(name, "is a directory"), (&format!("{name}/none.toml"), "there is no such file")] {
        let output = palisade(&["check", "--config", name]);
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains(words), "{}", said(&output));
    }
    // As much as is taken of a file that never ends.
    let output = palisade(&["check", "--config", "/dev/zero"]);
    assert!(said(&output).contains("is larger than 16 MiB"), "{}", said(&output));
}

const FEEDS: &str = "[rpki]\nfiles = [\"vrps.json\"]\n[irr]\ndumps = [\"test.db\"]\n[[peer]]\nname = \"customer\"\n\
    address = \"192.0.2.9\"\nasn = 200001\nrole = \"customer\"\nas_set = \"AS-CUSTOMER\"\n";

/// Checks [`FEEDS`] with files of that text, named relative to the configuration's folder.
fn check_feeds(vrps: &str, dump: &str) -> Output {
    let (folder, path) = folder_with(format!("{ROUTER}{FEEDS}").as_bytes());
    for (name, text) in [("vrps.json", vrps), ("test.db", dump)] {
        fs::write(folder.path().join(name), text).expect("the file can be written");
    }
    palisade(&["check", "--explain", "--config", path.to_str().expect("a plain name")])
}

const VRPS: &str = r#"{"roas": [{"asn": "AS200001", "prefix": "10.0.0.0/16", "maxLength": 24}]}"#;
const DUMP: &str = "as-set: AS-CUSTOMER\nmembers: AS200001, AS200002\nsource: TEST\n\n\
    route: 10.0.0.0/16\norigin: AS200001\nsource: TEST\n";

#[test]
fn the_files_that_are_named_are_read() {
    let told = said(&check_feeds(VRPS, DUMP));
    assert!(told.ends_with("exit 0\n"), "{told}");
    for words in ["VRPs          1 from", "1 route object and 1 as-set from", "the 2 members of AS-CUSTOMER"]
    {
        assert!(told.contains(words), "expected {words:?} in {told}");
    }
}

#[test]
fn files_that_are_not_what_they_should_be_are_errors_where_they_are_named() {
    let told = said(&check_feeds("<html>", ""));
    for words in ["this is no list of VRPs", "no route, route6, as-set", "palisade.toml:5:10]", "2 errors"] {
        assert!(told.contains(words), "expected {words:?} in {told}");
    }
    let told = said(&check_feeds(r#"{"roas": []}"#, DUMP));
    assert!(told.contains("not a single VRP") && told.ends_with("exit 1\n"), "{told}");

    let (_folder, path) = folder_with(format!("{ROUTER}{FEEDS}").as_bytes());
    let told = said(&palisade(&["check", "--config", path.to_str().expect("a plain name")]));
    assert!(told.contains("vrps.json: there is no such file") && told.contains("2 errors"), "{told}");
}

#[test]
fn exceptions_count_where_files_are_read_and_are_refused_where_they_are_none() {
    let asserted = |prefix: &str| {
        format!(
            r#"{{"slurmVersion":1,"validationOutputFilters":{{"prefixFilters":[{{"asn":64500}}]}},
                "locallyAddedAssertions":{{"prefixAssertions":[{{"asn":1,"prefix":"{prefix}"}}]}}}}"#
        )
    };
    let told = |one: &str, other: &str| {
        let slurm = "[rpki]\nslurm = [\"one.json\", \"other.json\"]\n";
        let (folder, path) = folder_with(format!("{ROUTER}{slurm}").as_bytes());
        fs::write(folder.path().join("one.json"), one).expect("it can be written");
        fs::write(folder.path().join("other.json"), other).expect("it can be written");
        said(&palisade(&["check", "--config", path.to_str().expect("a plain name")]))
    };
    let good = told(&asserted("10.0.0.0/8"), &asserted("11.0.0.0/8"));
    assert!(good.contains("VRPs          2 from SLURM of") && good.ends_with("exit 0\n"), "{good}");
    let overlapping = told(&asserted("10.0.0.0/8"), &asserted("10.1.0.0/16"));
    assert!(overlapping.contains("10.1.0.0/16: neither is used"), "{overlapping}");
    let broken = told(&asserted("10.0.0.0/8"), "{}");
    assert!(broken.contains("`slurmVersion`") && broken.ends_with("exit 1\n"), "{broken}");
}

#[test]
fn an_as_set_that_no_dump_has_is_a_warning() {
    let told = said(&check_feeds(VRPS, &DUMP.replace("AS-CUSTOMER", "AS-OTHER")));
    assert!(told.contains("no registry that was read has the as-set AS-CUSTOMER"), "{told}");
    assert!(told.contains("AS200001 alone: AS-CUSTOMER comes to nothing"), "{told}");
    assert!(told.ends_with("exit 0\n"), "{told}");
}

/// Checks and explains a configuration with files beside it.
fn explained(config: &str, files: &[(&str, &str)]) -> String {
    let (folder, path) = folder_with(format!("{ROUTER}{config}").as_bytes());
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("the file can be written");
    }
    said(&palisade(&["check", "--explain", "--config", path.to_str().expect("a plain name")]))
}

const PEERINGDB: &str = "[irr]\ndumps = [\"test.db\"]\n[peeringdb]\nfiles = [\"net.json\"]\nmax_prefixes = true\n\
    [group.asked]\nrole = \"customer\"\nas_set = \"peeringdb\"\n\
    [[peer]]\nname = \"known\"\naddress = \"192.0.2.9\"\nasn = 200001\ngroup = \"asked\"\n\
    [[peer]]\nname = \"unknown\"\naddress = \"192.0.2.10\"\nasn = 200003\ngroup = \"asked\"\n";

#[test]
fn what_peeringdb_says_is_shown_with_where_it_comes_from() {
    let networks = r#"{"data": [{"asn": 200001, "irr_as_set": "AS-CUSTOMER", "info_prefixes4": 1000}]}"#;
    let told = explained(PEERINGDB, &[("net.json", networks), ("test.db", DUMP)]);
    assert!(told.ends_with("exit 0\n"), "{told}");
    for words in [
        "PeeringDB     1 network from",
        "max prefixes      1300 (from PeeringDB)",
        "the 2 members of AS-CUSTOMER (from PeeringDB)",
        "max prefixes      10000 (the role's default, until PeeringDB says one)",
        "AS200003 alone: PeeringDB says no as-set",
        "PeeringDB says no as-set of unknown",
    ] {
        assert!(told.contains(words), "expected {words:?} in {told}");
    }
    let told = explained(PEERINGDB, &[("net.json", "{\"roas\": []}"), ("test.db", DUMP)]);
    for words in ["net.json: this is not what PeeringDB says of networks", "palisade.toml:7:10]", "exit 1"] {
        assert!(told.contains(words), "expected {words:?} in {told}");
    }
}

const BOGONS: &str = "[bogons]\nprefixes = [\"v4.txt\"]\nasns = \"asns.txt\"\n\
    [[peer]]\nname = \"lab\"\naddress = \"192.0.2.9\"\nasn = 64512\nrole = \"provider\"\n";

#[test]
fn lists_of_bogons_take_the_place_of_what_is_built_in() {
    let told = explained(BOGONS, &[("v4.txt", "10.0.0.0/8\nnonsense\n"), ("asns.txt", "0\n65535\n")]);
    for words in ["bogons        1 prefix from", "2 ranges of ASNs from", "v4.txt: 1 malformed", "exit 0"] {
        assert!(told.contains(words), "expected {words:?} in {told}");
    }
    assert!(!told.contains("private or reserved"), "64512 is no bogon here: {told}");
    let told = explained(BOGONS, &[("v4.txt", "<html>\n"), ("asns.txt", "# none\n")]);
    for words in ["v4.txt: this is no list of bogons", "asns.txt: it lists nothing", "2 errors", "exit 1"] {
        assert!(told.contains(words), "expected {words:?} in {told}");
    }
}

fn json(arguments: &[&str]) -> (serde_json::Value, Option<i32>) {
    let output = palisade(&[&["check", "--json", "--no-files", "--config"], arguments].concat());
    assert!(output.stderr.is_empty(), "JSON says it all: {}", said(&output));
    (serde_json::from_slice(&output.stdout).expect("it is JSON"), output.status.code())
}

#[test]
fn json_says_what_the_text_says() {
    let (valid, code) = json(&["config/edge.toml", "--explain"]);
    assert_eq!((&valid["valid"], code), (&true.into(), Some(0)));
    assert_eq!(valid["router"]["asn"], 64500);
    assert_eq!(valid["peers"][0]["local_preference"]["value"], 100);
    let checks = valid["peers"][0]["checks"].as_array().expect("a list");
    let default_route = checks.iter().find(|check| check["check"] == "default-route").expect("it is listed");
    assert_eq!((&default_route["mode"], &default_route["from"]), (&"off".into(), &"allow_default".into()));

    let (invalid, code) = json(&["tests/config/key-twice.toml"]);
    assert_eq!((&invalid["valid"], code), (&false.into(), Some(1)));
    assert_eq!((&invalid["errors"][0]["line"], &invalid["errors"][0]["column"]), (&4.into(), &1.into()));

    let (missing, code) = json(&["none.toml"]);
    assert_eq!((&missing["valid"], code), (&false.into(), Some(1)));
    assert_eq!(missing["errors"][0]["message"], "none.toml: there is no such file");
}
