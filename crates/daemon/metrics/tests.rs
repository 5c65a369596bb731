use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use super::catalogue::{ALL, INFO, Kind, UPTIME};
use super::page::Page;

#[test]
fn samples_are_written_as_prometheus_reads_them_whatever_a_label_holds() {
    let mut page = Page::default();
    page.metric(&INFO).put(&["0.1", "64500", "a \"b\" \\ c\nd", "router"], 1);
    page.metric(&UPTIME).put(&[], 1.5);
    assert_eq!(
        page.into_text(),
        "# HELP palisade_info The router itself; always 1\n# TYPE palisade_info gauge\n\
         palisade_info{version=\"0.1\",asn=\"64500\",router_id=\"a \\\"b\\\" \\\\ c\\nd\",mode=\"router\"} 1\n\
         # HELP palisade_uptime_seconds How long the router has run\n\
         # TYPE palisade_uptime_seconds gauge\npalisade_uptime_seconds 1.5\n"
    );
}

#[test]
fn names_say_what_they_are() {
    let mut names: Vec<&str> = ALL.iter().map(|metric| metric.name).collect();
    for metric in ALL {
        assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
        assert!(metric.name.starts_with("palisade_") && !metric.help.ends_with('.'), "{}", metric.name);
    }
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}

/// `docs/metrics.md` is the catalogue; PALISADE_BLESS=1 writes it.
#[test]
fn the_documentation_lists_what_there_is() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let mut text = String::from(
        "# Metrics\n\n\
         With `[metrics]` and `listen = \"127.0.0.1:9179\"` the router serves its numbers at `/metrics`, as Prometheus reads them; \
         `palisade show\nmetrics` prints the same without it. There is no access control of its own: listen where only your \
         monitoring can ask.\n\n\
         Counters count from the start of the router, those of a peer from when it was configured. A name never changes its \
         meaning.\n\n\
         | metric | type | labels | what it says |\n|---|---|---|---|\n",
    );
    for metric in ALL {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let (name, kind) = (metric.name, metric.kind.word());
        writeln!(text, "| `{name}` | {kind} | {} | {} |", labels.join(", "), metric.help).unwrap();
    }
    if env::var_os("PALISADE_BLESS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(&file).unwrap_or_default(), text, "PALISADE_BLESS=1 writes it");
}
