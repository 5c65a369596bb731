//! That the harness still works: a small load, played to the floor and to Palisade, comes out exactly right.
//!
//! It needs root and network namespaces, and without them is skipped with a word. Palisade takes part where it has been built
//! beside the harness, which a build of the whole workspace does; `PALISADE_BIN` names another.

use std::path::PathBuf;
use std::process::Command;

fn palisade() -> Option<PathBuf> {
    let named = std::env::var_os("PALISADE_BIN").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_BIN_EXE_palisade-compare")).with_file_name("palisade");
    Some(named.unwrap_or(beside)).filter(|path| path.is_file())
}

/// Whether network namespaces can be made here.
fn has_ground() -> bool {
    let name = format!("palisade-compare-{}-may", std::process::id());
    let ip =
        |what| Command::new("ip").args(["netns", what, &name]).output().is_ok_and(|it| it.status.success());
    ip("add") && ip("delete")
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
    let output = Command::new(env!("CARGO_BIN_EXE_palisade-compare"))
        .args(["rs4x50", "--runs", "1", "--steps", "load,policy", "--json", "--timeout", "20", "--palisade"])
        .arg(palisade.as_deref().unwrap_or("/nonexistent".as_ref()))
        .args(["--daemons", "floor,palisade"])
        .output()
        .expect("the harness runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let reports: Vec<serde_json::Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a report is JSON"))
        .collect();
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
