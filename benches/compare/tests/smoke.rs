//! That the harness still works: a small load, played to the floor and to Palisade, comes out exactly right.
//!
//! It needs root and network namespaces, and without them is skipped with a word. Palisade takes part where it has been built
//! beside the harness, which a build of the whole workspace does; `PALISADE_BIN` names another.

#![allow(clippy::expect_used, reason = "test code fails by panicking")]

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

fn palisade() -> Option<PathBuf> {
    let named = std::env::var_os("PALISADE_BIN").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_BIN_EXE_palisade-compare")).with_file_name("palisade");
    Some(named.unwrap_or(beside)).filter(|path| path.is_file())
}

/// Whether network namespaces can be made here.
fn has_ground() -> bool {
    // Tests that ask at once would find each other's in the way.
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let name = format!("palisade-compare-{}-may", std::process::id());
        let ip = |what| {
            Command::new("ip").args(["netns", what, &name]).output().is_ok_and(|it| it.status.success())
        };
        ip("add") && ip("delete")
    })
}

/// Plays a load to daemons, of which palisade may not be there; what it said, and the reports.
fn play(load: &str, steps: &str, daemons: &str) -> (String, Vec<serde_json::Value>) {
    let output = Command::new(env!("CARGO_BIN_EXE_palisade-compare"))
        .args([load, "--runs", "1", "--steps", steps, "--changes", "4", "--json", "--timeout", "20"])
        .args(["--daemons", daemons, "--palisade"])
        .arg(palisade().as_deref().unwrap_or("/nonexistent".as_ref()))
        .output()
        .expect("the harness runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    (said, lines.lines().map(|line| serde_json::from_str(line).expect("a report is JSON")).collect())
}

#[test]
fn changes_of_vrps_are_seen_at_once() {
    if !has_ground() || palisade().is_none() {
        println!("skipped: changes_of_vrps_are_seen_at_once needs root, iproute2 and palisade");
        return;
    }
    let (said, reports) = play("living2x200", "load,single,burst,replace", "palisade");
    let phases = reports[0]["phases"].as_array().expect("a report has phases");
    let names: Vec<&str> = phases.iter().filter_map(|phase| phase["phase"].as_str()).collect();
    assert_eq!(names, ["up", "load", "single", "burst", "replace", "replace-back"], "{said}");
    for phase in phases {
        assert_eq!(phase["exact"], true, "{phase}\n{said}");
    }
    let single = &phases[2]["reaction"];
    assert_eq!(
        (&single["changes"], &single["missed"], &single["refreshes"]),
        (&4.into(), &0.into(), &0.into())
    );
}

#[test]
fn a_small_exchange_comes_out_exactly_right() {
    if !has_ground() {
        println!("skipped: a_small_exchange_comes_out_exactly_right needs root and iproute2");
        return;
    }
    let palisade = palisade();
    if palisade.is_none() {
        println!(
            "only the floor is measured: palisade is not built beside this, and PALISADE_BIN is not set"
        );
    }
    let (said, reports) = play("rs4x50", "load,policy", "floor,palisade");
    assert_eq!(reports.len(), 1 + usize::from(palisade.is_some()), "{said}");
    for report in &reports {
        let phases = report["phases"].as_array().expect("a report has phases");
        assert!(
            phases.iter().any(|phase| phase["phase"] == "load" && phase["deliveries"] == 600),
            "{report}"
        );
        assert!(phases.iter().all(|phase| phase["exact"] == true), "{report}\n{said}");
    }
}
