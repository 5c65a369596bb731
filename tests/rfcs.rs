//! `docs/rfcs.md` names every table of conformance, and no test or metric that is not there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// What stands between backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_table_of_an_rfc_is_named() {
    let page = text("docs/rfcs.md");
    for entry in fs::read_dir(root().join("tests/conformance")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.starts_with("rfc") && name.ends_with(".rs") {
            assert!(page.contains(&format!("`tests/conformance/{name}`")), "{name}");
        }
    }
}

#[test]
fn what_is_named_is_there() {
    let (page, metrics) = (text("docs/rfcs.md"), text("docs/metrics.md"));
    let rows: Vec<_> =
        page.lines().filter(|line| line.starts_with("| ") && line.contains("tests/")).collect();
    assert!(rows.len() > 20);
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, _, _, tests, _, metric, _] = cells[..] else { panic!("{row}") };
        for file in quoted(tests) {
            assert!(root().join(file).is_file(), "{file}");
        }
        for name in quoted(metric) {
            assert!(metrics.contains(&format!("`palisade_{name}`")), "{name}");
        }
    }
}
