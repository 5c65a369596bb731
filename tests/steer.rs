//! `palisade peer`: what an operator has a session do, seen from both of its ends.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/asked.rs"]
mod asked;
#[path = "support/pair.rs"]
mod pair;

use std::fs;

use serde_json::{Value, json};

use asked::Router;
use pair::{NEAR, pair, wait};

/// What an order prints, and whether it was obeyed.
fn order(router: &Router, arguments: &[&str]) -> (bool, String) {
    let output = router.ask("peer", arguments);
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn a_disabled_peer_hears_why_and_stays_down_until_it_is_enabled() {
    let (near, far) = pair("", "");
    let words = "fibre works until 06:00 UTC";
    let (done, said) = order(&near, &["disable", "far", "--message", words]);
    assert!(done, "{said}");
    let held = wait(&near, "far", |peer| peer["state"] == "Idle");
    assert_eq!(held["held_down"]["why"], format!("disabled: {words}"));
    assert!(near.text(&["peers", "far"]).contains(words));
    let told =
        wait(&far, "near", |peer| peer["last_end"].as_str().is_some_and(|fault| fault.contains(words)));
    let fault = told["last_end"].as_str().unwrap();
    // Nothing is to be kept of a peer that is disabled, which takes a Hard Reset to say (RFC 8538 s3).
    assert!(fault.starts_with("received cease: hard reset (6/9)"), "{fault}");
    assert!(fault.contains("administrative shutdown (6/2)"), "{fault}");
    assert_eq!(told["messages"]["received"]["notifications_by_code"], json!({"6": 1}));
    assert_eq!(held["messages"]["sent"]["notifications_by_code"], json!({"6": 1}));

    // A configuration with which the session would begin anew does not let it.
    let file = near.folder.path().join("palisade.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("passive = true", "passive = true\nhold_time = 30")).unwrap();
    let reloaded = near.ask("reload", &[]);
    assert!(reloaded.status.success(), "{}", String::from_utf8_lossy(&reloaded.stderr));
    let held = wait(&near, "far", |peer| peer["held_down"].is_object());
    assert_eq!((&held["state"], &held["held_down"]["begins_in_s"]), (&"Idle".into(), &Value::Null));
    let (done, said) = order(&near, &["reset", "far"]);
    assert!(!done && said.contains("enable the peer"), "{said}");

    assert!(order(&near, &["enable", "far"]).0);
    wait(&near, "far", |peer| peer["state"] == "Established" && peer["held_down"].is_null());
}

#[test]
fn a_reset_session_hears_why_and_begins_anew() {
    let (near, far) = pair("", "");
    let (done, said) = order(&near, &["reset", "far", "--message", "new line card"]);
    assert!(done, "{said}");
    let heard = |peer: &Value| peer["last_end"].as_str().is_some_and(|fault| fault.contains("new line card"));
    let told = wait(&far, "near", heard);
    let fault = told["last_end"].as_str().unwrap();
    assert!(fault.starts_with("received cease: administrative reset (6/4)"), "{fault}");
    wait(&near, "far", |peer| peer["state"] == "Established");
    wait(&far, "near", |peer| peer["state"] == "Established");
}

#[test]
fn routes_are_asked_for_and_sent_again_while_the_session_stays_up() {
    let (near, far) = pair("", "");
    let updates = |peer: &Value| peer["messages"]["received"]["by_type"]["update"].as_u64().unwrap();
    let before = wait(&near, "far", |peer| peer["received"] == 1);
    assert!(order(&near, &["refresh", "far"]).0);
    wait(&near, "far", |peer| updates(peer) > updates(&before));
    let asked = wait(&far, "near", |peer| peer["messages"]["received"]["by_type"]["route-refresh"] != 0);
    let agreed = json!({"hold_time_s": 90, "families": ["ipv4", "ipv6"], "four_octet_as": true, "router_id": "192.0.2.1"});
    for (key, value) in agreed.as_object().unwrap() {
        assert_eq!(asked["agreed"][key], *value, "{key}");
    }
    let before = wait(&far, "near", |peer| peer["received"] == 1);
    assert!(order(&near, &["refresh", "far", "--out"]).0);
    wait(&far, "near", |peer| updates(peer) > updates(&before) && peer["last_end"].is_null());
}

/// What was done is an object; what was not is told in words, and leaves nothing that parses.
#[test]
fn programs_are_told_in_json_what_was_done() {
    let (near, _far) = pair("", "");
    let told = |command: &str, arguments: &[&str]| {
        let output = near.ask(command, &[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    for (arguments, expected) in [
        (&["refresh", "far"][..], json!({"peer": "far", "order": "refresh-in"})),
        (&["refresh", "far", "--out"], json!({"peer": "far", "order": "refresh-out"})),
        (&["reset", "far"], json!({"peer": "far", "order": "reset"})),
        (
            &["disable", "far", "--message", "works"],
            json!({"peer": "far", "order": "disable", "message": "works"}),
        ),
        (&["enable", "far"], json!({"peer": "far", "order": "enable"})),
    ] {
        assert_eq!(told("peer", arguments), expected);
    }
    let reloaded = told("reload", &[]);
    assert_eq!((&reloaded["started"], &reloaded["restarted"]), (&json!(0), &json!(0)), "{reloaded}");
    let output = near.ask("peer", &["disable", "fra", "--json"]);
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(String::from_utf8(output.stderr).unwrap().contains("did you mean `far`?"));
}

#[test]
fn an_order_that_makes_no_sense_says_what_would() {
    let near = Router::start(NEAR, &[]);
    let wrong: [(&[&str], &str); 4] = [
        (&["disable", "fra"], "did you mean `far`?"),
        (&["refresh", "far"], "the session is not up"),
        (&["refresh", "far", "--out"], "the session is not up"),
        (&["disable", "far", "--message", &"x".repeat(256)], "a peer can be told 255 octets (RFC 9003)"),
    ];
    for (arguments, words) in wrong {
        let (done, said) = order(&near, arguments);
        assert!(!done && said.contains(words), "{arguments:?}: {said}");
    }
    assert!(order(&near, &["disable", "far", "--message", &"é".repeat(127)]).0);
}
