//! `docs/rfcs.md` names every table of conformance, and no test, metric or section that is not there.

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

/// The cells of a row: RFCs, sections, what, tests, keys, metrics.
fn rows(page: &str) -> Vec<[&str; 6]> {
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.contains("tests/"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        cells.try_into().unwrap()
    })
    .collect()
}

#[test]
fn what_is_named_is_there() {
    let (page, metrics) = (text("docs/rfcs.md"), text("docs/metrics.md"));
    let rows = rows(&page);
    assert!(rows.len() > 20);
    for [rfcs, _, _, tests, _, metric] in rows {
        for file in quoted(tests) {
            assert!(root().join(file).is_file(), "{file}");
        }
        assert!(quoted(metric).count() > 0, "{rfcs}");
        for name in quoted(metric) {
            assert!(metrics.contains(&format!("`palisade_{name}`")), "{name}");
        }
    }
}

/// What stands in the Rust files under a folder.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all += &fs::read_to_string(path).unwrap();
        }
    }
    all
}

/// Words, without what stands around them: `(s4.2,` is `s4.2`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.')
        .map(|word| word.trim_matches('.'))
        .filter(|word| !word.is_empty())
}

/// Whether what is cited is of a section: `s3.g` is of s3.
fn is_of(cited: &str, section: &str) -> bool {
    cited.strip_prefix(section).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether a text cites a section of an RFC: `RFC 4724 s4.1`, `RFC 4271 s8.1, s10`.
fn cites(text: &str, rfc: &str, section: &str) -> bool {
    let is_section =
        |word: &&str| word.starts_with('s') && word[1..].starts_with(|c: char| c.is_ascii_digit());
    text.split(&format!("RFC {rfc} ")).skip(1).any(|after| {
        let line = after.split('\n').next().unwrap_or_default();
        words(line).take_while(is_section).any(|word| is_of(word, section))
    })
}

/// A section is one that the sources cite, or the tests of its row, which are about one RFC and name that once.
#[test]
fn sections_are_those_that_are_cited() {
    let (page, crates) = (text("docs/rfcs.md"), sources(&root().join("crates")));
    let mut uncited = Vec::new();
    for [rfcs, sections, _, tests, ..] in rows(&page) {
        // A table that a test reads or writes stands beside it.
        let tables = quoted(tests).map(|test| test.replace(".rs", ".txt"));
        let tables = tables.filter_map(|table| fs::read_to_string(root().join(table)).ok());
        let tests: String = quoted(tests).map(text).chain(tables).collect();
        let named: Vec<_> = sections.split("; ").map(|part| words(part).collect::<Vec<_>>()).collect();
        assert_eq!(words(rfcs).collect::<Vec<_>>(), named.iter().map(|part| part[0]).collect::<Vec<_>>());
        for part in named {
            for section in &part[1..] {
                if !cites(&crates, part[0], section) && !words(&tests).any(|word| is_of(word, section)) {
                    uncited.push(format!("RFC {} {section}", part[0]));
                }
            }
        }
    }
    assert!(uncited.is_empty(), "{uncited:?}");
}
