//! A route server whose members are an exchange's export, as `palisade check` tells it.
//!
//! Each `tests/members/NAME.toml` stands beside `NAME.txt`, which is what `palisade check` says of it, and, where that
//! succeeds, what `palisade check --no-files` says. Where that is meant to change, `PALISADE_BLESS=1 cargo test --test
//! members` writes the new words, for `git diff` to show.

#![expect(clippy::expect_used, reason = "where a test's own plumbing breaks, it fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Runs the program in the project's root, with nothing of this environment: no colours, 80 columns.
fn check(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.arg("check").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.env_clear().env("NO_COLOR", "1").output().expect("the program runs")
}

/// All that was said, and the exit code.
fn said(output: &Output) -> String {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).expect("what is printed is UTF-8");
    let code = output.status.code().expect("no signal ended it");
    format!("{}{}exit {code}\n", text(&output.stderr), text(&output.stdout))
}

#[test]
fn every_configuration_is_told_in_the_words_beside_it() {
    for name in ["alone", "choose", "groups", "join", "missing", "router", "wrong"] {
        let file = format!("tests/members/{name}.toml");
        let output = check(&["--config", &file]);
        let mut told = said(&output);
        if output.status.success() {
            told += "\n--no-files\n\n";
            told += &said(&check(&["--no-files", "--config", &file]));
        }
        let words = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file).with_extension("txt");
        if std::env::var_os("PALISADE_BLESS").is_some() {
            fs::write(&words, &told).expect("the words can be written");
        }
        let expected = fs::read_to_string(&words).unwrap_or_default();
        assert!(told == expected, "{file} is told otherwise than {}:\n{told}", words.display());
    }
}

#[test]
fn explain_says_where_each_value_comes_from() {
    let told = said(&check(&["--explain", "--config", "tests/members/join.toml"]));
    for words in [
        "example-networks-as64501-v4: rs-client, AS64501\n",
        "member            `Example Networks`, whose export says name, address, asn, as_set, max_prefixes\n",
        "max prefixes      100 (from the member export)\n",
        "member            `Two Ports, Inc.`, whose export says as_set\n",
        "session           192.0.2.12 port 179, whoever connects first\n",
        "max prefixes      3000 (this peer's own)\n",
        "session           192.0.2.13 port 179, it connects to us\n",
        "may originate     the 3 members of RIPE::AS-TWO AS-TWO-MORE (from the member export)\n",
    ] {
        assert!(told.contains(words), "expected {words:?} in {told}");
    }
    let json = check(&["--json", "--config", "tests/members/join.toml"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("it is JSON");
    let members = &json["members"];
    assert_eq!((&members["members"], &members["sessions"]), (&2.into(), &5.into()), "{members}");
    assert_eq!(members["skipped"][0]["why"], "of our own AS");
}

#[test]
fn members_have_what_their_group_says_before_the_export_and_what_is_written_before_that() {
    let told = said(&check(&["--json", "--explain", "--config", "tests/members/groups.toml"]));
    let json: serde_json::Value =
        serde_json::from_str(told.trim_end_matches("exit 0\n")).expect("it is JSON");
    let peers = json["peers"].as_array().expect("a list");
    let peer = |address: &str| peers.iter().find(|peer| peer["address"] == address).expect("it is there");
    let chosen = |peer: &serde_json::Value, key: &str| {
        let chosen = &peer[key];
        (chosen["value"].as_u64().unwrap_or_default(), chosen["from"].as_str().unwrap_or_default().to_owned())
    };
    let of_export = peer("192.0.2.11");
    assert_eq!(of_export["group"], "members");
    assert_eq!(chosen(of_export, "hold_time_s"), (30, "its group's".into()));
    assert_eq!(chosen(of_export, "max_prefixes"), (100, "from the member export".into()));
    assert_eq!(of_export["limits"]["communities"], 40);

    let of_member = peer("192.0.2.13");
    assert_eq!(of_member["group"], "large");
    assert_eq!(chosen(of_member, "max_prefixes"), (50_000, "its group's".into()));
    assert_eq!(chosen(of_member, "hold_time_s"), (90, "default".into()));
    assert_eq!(
        (&of_member["limits"]["communities"], &of_member["limits"]["as_path_length"]),
        (&60.into(), &32.into())
    );

    let written = peer("192.0.2.12");
    assert_eq!(written["group"], "members", "the session's own word counts before its member's");
    assert_eq!(chosen(written, "max_prefixes"), (3000, "this peer's own".into()));
    assert_eq!(written["limits"]["communities"], 60);
}

#[test]
fn an_export_that_changed_for_the_worse_is_told_and_loses_nobody_else() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("palisade.toml");
    let text = "[router]\nmode = \"route-server\"\nasn = 64500\nid = \"192.0.2.1\"\n[members]\nfile = \"m.json.gz\"\n";
    fs::write(&path, text).expect("the file can be written");
    let export = fs::read_to_string("tests/members/1.0.json").expect("it is there");
    let path = path.to_str().expect("a plain name");
    let told = |export: &str| {
        fs::write(folder.path().join("m.json.gz"), export).expect("the file can be written");
        said(&check(&["--config", path]))
    };

    let told_of_damage = told(
        &export
            .replace("\"192.0.2.11\"", "\"\\u001b[31m\"")
            .replace("\"max_prefix\": 50", "\"max_prefix\": \"fifty\"")
            .replace("\"version\": \"1.0\"", "\"version\": \"2.0\"")
            .replace(
                "\"address\": \"192.0.2.13\",\n                \"routeserver\": true",
                "\"address\": \"192.0.2.13\"",
            ),
    );
    let plain = told_of_damage.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    for words in [
        "1 wrong and left out: `Example Networks` (AS64501): its IPv4 address `\\u{1b}[31m` is none",
        "1 wrong and not used: `Example Networks` (AS64501): max_prefix is `fifty`, not a number",
        "1 not said to use the route servers or not: 192.0.2.13 of `Two Ports, Inc.` (AS64502)",
        "schema version `2.0` is not known",
        "2 members at 42 (`EXAMPLE-IX`) with 4 sessions",
    ] {
        assert!(plain.contains(words), "expected {words:?} in {told_of_damage}");
    }
    assert!(told_of_damage.ends_with("exit 0\n") && !told_of_damage.contains('\u{1b}'), "{told_of_damage}");

    for (export, words) in [
        ("", "this is no member export"),
        ("<html>", "this is no member export"),
        (&export.replace("\"routeserver\": true", "\"routeserver\": false"), "not a single session"),
    ] {
        let told = told(export);
        assert!(told.contains(words) && told.ends_with("exit 1\n"), "expected {words:?} in {told}");
    }
}

#[test]
fn members_are_no_more_than_peers_may_be() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("palisade.toml");
    let text = "[router]\nmode = \"route-server\"\nasn = 64500\nid = \"192.0.2.1\"\n[members]\nfile = \"m.json\"\n\
        [[peer]]\nname = \"a\"\naddress = \"192.0.2.9\"\nasn = 1\n";
    fs::write(&path, text).expect("the file can be written");
    for (count, code) in [(7_999, 0), (8_000, 1), (100_000, 1)] {
        let member = |at: u32| {
            let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + at);
            format!(
                r#"{{"asnum": {}, "connection_list": [{{"vlan_list": [{{"ipv4": {{"address": "{address}", "routeserver": true}}}}]}}]}}"#,
                200_000 + at
            )
        };
        let members: Vec<String> = (1..=count).map(member).collect();
        let export = format!(r#"{{"version": "1.0", "member_list": [{}]}}"#, members.join(","));
        fs::write(folder.path().join("m.json"), export).expect("the file can be written");
        let output = check(&["--config", path.to_str().expect("a plain name")]);
        assert_eq!(output.status.code(), Some(code), "{count}");
        assert_eq!(said(&output).contains("with those of the export"), code == 1, "{count}");
    }
}
