//! `docs/interop.md`: which features were shown to work with which daemons, and what each scenario proves.
//!
//! A scenario that has passed puts itself there: with `PALISADE_BLESS` it writes the page anew, and without it fails where
//! that would change a word. What is told of others stays as their own last run wrote it. Versions are told as they were
//! where the page was written; with other versions a scenario passes or fails, and says nothing about the page.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::PathBuf;

use crate::daemon::{KINDS, Kind};

/// What stands above the matrix.
const HEAD: &str = "\
# Interoperation

What Palisade was shown to do with the daemons of Debian 12 and with itself, each in network namespaces of its own with a kernel of its own. This page
is written by the run: `PALISADE_BLESS=1 cargo test --test interop`. A word in the table leads to the scenario that was
played, with both configurations. A dash with a number leads to why there is none; an empty field says that nobody has tried.

";

/// The rows, in order: the end of a scenario's name, and how it is told.
const FEATURES: &[(&str, &str)] = &[
    ("sessions", "sessions in both families, whoever connects (RFC 4271, 4760, 2545)"),
    ("four-octet-as", "4-octet AS numbers over a 2-octet session (RFC 6793)"),
    ("large-communities", "large communities (RFC 8092)"),
    ("shutdown", "shutdown messages (RFC 9003)"),
    ("route-refresh", "route refresh (RFC 2918)"),
    ("max-prefix", "limits of prefixes (RFC 4486)"),
    ("add-path", "ADD-PATH (RFC 7911)"),
    ("md5", "TCP-MD5 (RFC 2385)"),
    ("ranges", "ranges of neighbours, each with its password"),
    ("gtsm", "TTL security (RFC 5082)"),
    ("extended-next-hop", "IPv4 behind IPv6 next hops (RFC 8950)"),
    ("link-local", "sessions between link-local addresses alone (RFC 2545, 8950)"),
    ("extended-messages", "extended messages (RFC 8654)"),
    ("its-restart", "graceful restart of the daemon (RFC 4724 s4.2)"),
    ("our-restart", "graceful restart of ours (RFC 4724 s4.1)"),
    ("long-lived", "long-lived graceful restart of both (RFC 9494)"),
    ("route-reflection", "route reflection (RFC 4456)"),
    ("roles", "roles and ONLY_TO_CUSTOMER (RFC 9234)"),
];

/// Where a daemon, or its version in Debian, has not got what it takes: its word, the feature, and why.
const LACKS: &[(&str, &str, &str)] = &[
    ("frr", "four-octet-as", "it can't be kept from saying that it knows them"),
    ("gobgp", "four-octet-as", "it can't be kept from saying that it knows them"),
    ("palisade", "four-octet-as", "it always says that it knows them"),
    (
        "exabgp",
        "shutdown",
        "it takes every shutdown message for a malformed NOTIFICATION (an error of its own, with Python 3), and has none to say",
    ),
    ("openbgpd", "extended-next-hop", "it does not have them"),
    (
        "openbgpd",
        "link-local",
        "its route decision engine ends with signal 11 once such a session is up, whatever either end says",
    ),
    ("exabgp", "link-local", "it takes no address with an interface"),
    ("gobgp", "extended-messages", "it does not have them"),
    ("openbgpd", "extended-messages", "it does not have them"),
    ("openbgpd", "its-restart", "it helps others to restart, and can't restart so itself"),
    ("exabgp", "our-restart", "it keeps no routes over the end of a session"),
    ("openbgpd", "long-lived", "it does not have it"),
    ("exabgp", "long-lived", "it keeps no routes over the end of a session"),
    ("gobgp", "roles", "it does not have them"),
    ("exabgp", "roles", "it does not have them"),
];

/// A scenario: its name, and what the head of its `scenario.rs` says that it proves.
pub(crate) struct Scenario {
    name: String,
    proves: String,
}

impl Scenario {
    /// Reads it.
    pub(crate) fn of(name: &str) -> Result<Self, String> {
        let text = fs::read_to_string(folder(name).join("scenario.rs")).map_err(|fault| fault.to_string())?;
        let lines: Vec<&str> =
            text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
        let kind = Kind::of(name);
        match FEATURES.iter().any(|(feature, _)| *feature == feature_of(name, kind)) {
            _ if lines.is_empty() => Err("its scenario.rs does not begin with what it proves".into()),
            false => Err("it is named after no feature of the matrix".into()),
            true => Ok(Scenario { name: name.into(), proves: lines.join(" ") }),
        }
    }
}

/// A scenario's folder.
pub(crate) fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name)
}

/// All folders of scenarios, in order.
pub(crate) fn folders() -> Vec<String> {
    let all = fs::read_dir(folder("")).expect("it is there").map(|one| one.expect("it can be listed"));
    let folders = all.filter(|one| one.path().is_dir());
    let mut names: Vec<_> = folders.map(|one| one.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Notes that a scenario has passed.
pub(crate) fn note(name: &str) {
    let lock = File::create(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("interop.lock"));
    let lock = lock.expect("a file can be made");
    lock.lock().expect("it can be locked");
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/interop.md");
    let written = fs::read_to_string(&file).unwrap_or_default();
    let blesses = std::env::var_os("PALISADE_BLESS").is_some();
    let mut versions = versions(&written);
    let kind = Kind::of(name);
    if blesses {
        versions.insert(kind.word, kind.version());
    } else if let Some(told) = versions.get(kind.word).filter(|told| **told != kind.version()) {
        println!("skipped: interop: {name} in docs/interop.md: it tells of {} {told}", kind.title);
        return;
    }
    let is_told = |other: &&String| *other == name || written.contains(&format!("\n- [{other}]("));
    let folders = folders();
    let passed = folders.iter().filter(is_told).filter_map(|name| Scenario::of(name).ok());
    let page = render(&passed.collect::<Vec<_>>(), &versions);
    if blesses {
        fs::write(&file, &page).expect("the page can be written");
    }
    assert!(
        blesses || page == written,
        "docs/interop.md does not tell of {name} as it is: PALISADE_BLESS=1 cargo test --test interop"
    );
}

/// The versions that the page tells of, by word.
fn versions(page: &str) -> BTreeMap<&'static str, String> {
    let head = page.lines().find(|line| line.starts_with("| |")).unwrap_or_default();
    let told = KINDS.iter().filter_map(|kind| {
        let field = head.split('|').map(str::trim).find_map(|field| field.strip_prefix(kind.title))?;
        Some((kind.word, field.trim().to_owned()))
    });
    told.collect()
}

fn feature_of<'a>(name: &'a str, kind: &Kind) -> &'a str {
    name.strip_prefix(kind.word).unwrap_or_default().trim_start_matches('-')
}

fn render(passed: &[Scenario], versions: &BTreeMap<&str, String>) -> String {
    let mut page = String::from(HEAD);
    page.push_str("| |");
    for kind in &KINDS {
        let _ = write!(page, " {} |", heading(kind.word, versions));
    }
    page.push_str("\n|---|");
    KINDS.iter().for_each(|_| page.push_str(":-:|"));
    page.push('\n');
    for (feature, title) in FEATURES {
        let _ = write!(page, "| {title} |");
        for kind in &KINDS {
            let _ = write!(page, " {} |", field(kind, feature, passed));
        }
        page.push('\n');
    }
    page.push_str("\n## What each proves\n\n");
    for Scenario { name, proves } in passed {
        let _ = writeln!(page, "- [{name}](../tests/interop/{name}): {proves}");
    }
    page.push_str("\n## What is not shown, and why\n\n");
    for (number, (word, lacked, why)) in (1..).zip(LACKS) {
        let feature = FEATURES.iter().find(|(feature, _)| feature == lacked).map(|(_, title)| title);
        let _ =
            writeln!(page, "{number}. {}, {}: {why}.", heading(word, versions), feature.unwrap_or(lacked));
    }
    page
}

/// A daemon with its version, as far as it is known.
fn heading(word: &str, versions: &BTreeMap<&str, String>) -> String {
    let version = versions.get(word).map(String::as_str).unwrap_or_default();
    format!("{} {version}", Kind::of(word).title).trim().into()
}

/// A field of the matrix.
fn field(kind: &Kind, feature: &str, passed: &[Scenario]) -> String {
    let name = format!("{}-{feature}", kind.word);
    let lack = LACKS.iter().position(|(word, of, _)| *word == kind.word && *of == feature);
    match (passed.iter().any(|scenario| scenario.name == name), lack) {
        (true, _) => format!("[shown](../tests/interop/{name})"),
        (false, Some(at)) => format!("– ([{}](#what-is-not-shown-and-why))", at + 1),
        (false, None) => String::new(),
    }
}
