//! `palisade test`, as it is run: our own examples hold, and what does not hold is told.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn test(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.current_dir(folder).arg("test").args(arguments).env("NO_COLOR", "1").output().unwrap()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

const CONFIGURATION: &str = r#"
[router]
asn = 196608
id = "192.0.2.250"
[rpki]
files = ["vrps.json"]
[[peer]]
name = "transit"
address = "203.0.113.1"
asn = 196700
role = "provider"
[[peer]]
name = "customer"
address = "203.0.113.5"
asn = 196701
role = "customer"
as_set = "AS-CUSTOMER"
"#;

const TABLES: &str = r#"
[tables]
vrps = ["193.0.0.0/16-24 AS196702"]
as_sets = ["AS-CUSTOMER: AS-ITS", "AS-ITS: AS196702"]
"#;

/// A folder with the configuration and one file of tests.
fn folder(tests: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("palisade.toml"), CONFIGURATION).unwrap();
    fs::create_dir(folder.path().join("tests")).unwrap();
    fs::write(folder.path().join("tests/one.toml"), tests).unwrap();
    folder
}

fn case(announce: &str, expect: &str) -> String {
    format!(
        "[[case]]\nname = \"it\"\npeer = \"customer\"\nannounce = {{ {announce} }}\nexpect = {{ {expect} }}\n"
    )
}

#[test]
fn our_examples_hold() {
    let output = test(Path::new(env!("CARGO_MANIFEST_DIR")), &["--json", "config/tests"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let failed: Vec<&Value> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|file| file["cases"].as_array().unwrap())
        .filter(|case| case["ok"] != true)
        .collect();
    assert!(output.status.success() && failed.is_empty(), "{failed:#?} {}", text(&output.stderr));
    assert!(report["passed"].as_u64().unwrap() >= 24);
}

#[test]
fn what_does_not_hold_is_told_with_what_differs_and_why() {
    let tests = format!(
        "config = \"../palisade.toml\"\n{TABLES}{}{}{}",
        case("prefix = \"193.0.0.0/24\", origin = 196702", "accept = true, local_preference = 200"),
        case("prefix = \"193.0.0.0/24\", origin = 196702", "reason = \"own-prefix\""),
        case(
            "prefix = \"193.0.0.0/24\", origin = 196702, communities = [\"no-export\"]",
            "exported_to = [\"transit\"], communities = [], local_preference = 1"
        ),
    );
    let folder = folder(&tests);
    let output = test(folder.path(), &["tests"]);
    let expected = "\
tests/one.toml
  ok      it
  FAILED  it
  FAILED  it

FAILED tests/one.toml: it
  accept
    - expected  rejected
    + found     accepted
  reason
    - expected  own-prefix
    + found     none

  ACCEPTED  193.0.0.0/24 from customer (supposed)

    announced      AS path 196701 196702, origin IGP, next hop 203.0.113.5
    VRPs           193.0.0.0/16 up to /24  AS196702  authorizes it
    as-set         AS-CUSTOMER -> AS-ITS -> AS196702
    preference     200
    goes to        transit
    judged by      1 VRP, 0 ASPAs, 0 route objects; generation 0

FAILED tests/one.toml: it
  local_preference
    - expected  1
    + found     200
  communities
    - expected  none
    + found     65535:65281
  exported_to
    - expected  transit
    + found     NO_EXPORT: not outside our AS (RFC 1997)

  ACCEPTED  193.0.0.0/24 from customer (supposed)

    announced      AS path 196701 196702, origin IGP, next hop 203.0.113.5
    communities    65535:65281
    VRPs           193.0.0.0/16 up to /24  AS196702  authorizes it
    as-set         AS-CUSTOMER -> AS-ITS -> AS196702
    preference     200
    not to         transit: NO_EXPORT: not outside our AS (RFC 1997)
    judged by      1 VRP, 0 ASPAs, 0 route objects; generation 0

3 tests: 1 ok, 2 failed
";
    assert_eq!(text(&output.stdout), expected);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_configuration_and_its_tables_are_those_that_are_named() {
    let accepted = case("prefix = \"193.0.0.0/24\", origin = 196702", "rpki = \"valid\"");
    let folder = folder(&accepted);
    let told = text(&test(folder.path(), &["tests/one.toml"]).stderr);
    assert!(told.contains("does not say which configuration it is about"), "{told}");
    // Without [tables] the configuration's own files are read.
    let told = text(&test(folder.path(), &["--config", "palisade.toml", "tests"]).stderr);
    assert!(told.contains("vrps.json: there is no such file"), "{told}");
    let vrps = r#"{"roas": [{"asn": 196702, "prefix": "193.0.0.0/16", "maxLength": 24}]}"#;
    fs::write(folder.path().join("vrps.json"), vrps).unwrap();
    let output = test(folder.path(), &["--config", "palisade.toml", "tests"]);
    assert!(output.status.success(), "{}", text(&output.stdout));
    assert!(text(&output.stdout).ends_with("1 tests: 1 ok, 0 failed\n"));
}

#[test]
fn a_test_that_could_not_fail_or_makes_no_sense_is_an_error_where_it_stands() {
    let good = "prefix = \"193.0.0.0/24\"";
    for (tests, told) in [
        (String::new(), "there is no test"),
        (case(good, ""), "nothing is expected"),
        (case(good, "acept = true"), "did you mean `accept`?"),
        (case(good, "reason = \"own-prefixx\""), "did you mean `own-prefix`?"),
        (case(good, "reason = \"rule:nobody\""), "there is no reason"),
        (case(good, "accept = true, reason = \"own-prefix\""), "what is accepted has no `reason`"),
        (case(good, "exported_to = [\"transitt\"]"), "did you mean `transit`?"),
        (case("prefix = \"193.0.0.1/24\"", "accept = true"), "has host bits set"),
        (case(&format!("{good}, as_path = \"1 x\""), "accept = true"), "is no part of an AS path"),
        (case(&format!("{good}, as_path = \"1\", origin = 1"), "accept = true"), "are one thing"),
        (case(&format!("{good}, communities = [\"1\"]"), "accept = true"), "no community"),
        (case(good, "accept = true").replace("\"customer\"", "\"custmer\""), "did you mean `customer`?"),
        (
            "[tables]\nvrps = [\"193.0.0.0/16\"]\n".to_owned() + &case(good, "accept = true"),
            "it can't be read",
        ),
    ] {
        let folder = folder(
            &format!("config = \"../palisade.toml\"\n{TABLES}{tests}")
                .replace(&format!("{TABLES}[tables]"), "[tables]"),
        );
        let output = test(folder.path(), &["tests"]);
        let errors = text(&output.stderr);
        assert!(errors.contains(told), "{told}: {errors}");
        assert_eq!(output.status.code(), Some(1));
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(text(&test(empty.path(), &["."]).stderr).contains("there are no tests"));
}
