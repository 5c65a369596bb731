//! An explanation for a person: the verdict in one line, then what decides it, then the rest, in as few lines as will do.
//!
//! ```text
//!   REJECTED  194.0.0.0/24 from member-a: rpki-invalid-origin
//!             RPKI: the prefix is covered by VRPs, and none authorizes this origin AS. (RFC 6811 s2)
//!
//!     announced  AS path 196701, next hop 192.0.2.11
//!     VRPs       194.0.0.0/16 up to /24 AS196799    another AS
//! ```
//!
//! A table that says nothing of the route has no line, and a check that passes has one with `--all` alone.

use std::fmt::Write;

use super::explanation::{
    AnnouncementFacts, AspaFacts, CheckFacts, Explanation, ExportFacts, KernelFacts, RuleFacts, TableFacts,
    TablesFacts,
};
use crate::show::text::duration;
use crate::terminal::{counted, grouped};

/// Columns of a screen.
const WIDTH: usize = 100;
/// Columns of what stands in front of everything: the verdict, and the names of what follows.
const VERDICT: usize = 10;
const LABEL: usize = 14;
/// Columns of a check's name, and of how it is taken.
const CHECK: usize = 25;
const MODE: usize = 13;
/// Entries of a table, and peers, that are listed unless all are asked for.
const LISTED: usize = 5;

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// What matters.
    Matters,
    /// That, and the checks that passed.
    All,
}

/// An explanation as it is shown.
pub(crate) fn text(explanation: &Explanation, detail: Detail) -> String {
    let mut page = Page { text: String::new(), detail };
    page.verdict(explanation);
    page.text.push('\n');
    page.announced(explanation);
    page.evidence(explanation);
    page.aspa(&explanation.aspa);
    page.also(explanation);
    page.rules(&explanation.rules);
    page.import(explanation);
    if let Some(table) = &explanation.table {
        page.table(explanation, table);
        page.exports(&table.exports);
    }
    if let Some(kernel) = &explanation.kernel {
        page.kernel(kernel);
    }
    page.passed(explanation);
    page.tables(&explanation.tables);
    page.text
}

struct Page {
    text: String,
    detail: Detail,
}

impl Page {
    fn verdict(&mut self, explanation: &Explanation) {
        let word = if explanation.accepted { "ACCEPTED" } else { "REJECTED" };
        let from = match &explanation.peer {
            Some(peer) => format!("from {}", peer.name),
            None => "originated here".into(),
        };
        let rest = match (&explanation.reason, &explanation.table) {
            (Some(reason), _) => format!(": {reason}"),
            (None, Some(table)) if !explanation.supposed => format!(", {}", standing(table)),
            (None, _) => String::new(),
        };
        let supposed = if explanation.supposed { " (supposed)" } else { "" };
        let line = format!("{word:<VERDICT$}{} {from}{supposed}{rest}", explanation.prefix);
        self.wrapped(&line, "", VERDICT);
        if let Some(check) = explanation.deciding() {
            let why = format!("{} ({})", check.sentence, check.reference);
            self.wrapped(&why, &" ".repeat(VERDICT), VERDICT);
        }
    }

    fn announced(&mut self, explanation: &Explanation) {
        if explanation.peer.is_none() {
            return;
        }
        self.item("announced", &route(&explanation.announcement));
        self.communities("communities", &explanation.announcement);
    }

    fn communities(&mut self, label: &str, facts: &AnnouncementFacts) {
        let all = [&facts.communities, &facts.large_communities, &facts.extended_communities];
        let all: Vec<&str> = all.into_iter().flatten().map(String::as_str).collect();
        if !all.is_empty() {
            self.item(label, &all.join(" "));
        }
    }

    /// What the tables hold that speaks for the route or against it.
    fn evidence(&mut self, explanation: &Explanation) {
        if let Some(check) = explanation.deciding().filter(|check| !has_table(check)) {
            self.item("because", &check.evidence);
        }
        let rpki = &explanation.rpki;
        let vrps = [
            (&rpki.matched, "authorizes it"),
            (&rpki.wrong_length, "too short for it"),
            (&rpki.wrong_asn, "another AS"),
        ];
        let vrps = vrps.into_iter().flat_map(|(vrps, says)| vrps.iter().map(move |vrp| (vrp, says)));
        let vrps = vrps.map(|(vrp, says)| {
            [format!("{} up to /{}", vrp.prefix, vrp.max_length), format!("AS{}", vrp.asn), says.into()]
        });
        self.rows("VRPs", &vrps.collect::<Vec<_>>(), "none covers it");
        let irr = &explanation.irr;
        let objects = [
            (&irr.matched, "registers it"),
            (&irr.wrong_length, "too short for it"),
            (&irr.wrong_asn, "another AS"),
        ];
        let objects =
            objects.into_iter().flat_map(|(objects, says)| objects.iter().map(move |one| (one, says)));
        let objects = objects
            .map(|(one, says)| [one.prefix.clone(), format!("AS{} {}", one.origin, one.source), says.into()]);
        if explanation.tables.route_objects > 0 {
            self.rows("route objects", &objects.collect::<Vec<_>>(), "none covers it");
        }
        // An AS that stands for itself needs no way to it.
        if irr.chain.len() > 1 {
            let chain: Vec<&str> = irr.chain.iter().map(|link| link.name.as_str()).collect();
            self.item("as-set", &chain.join(" -> "));
        }
    }

    /// The checks that fail and don't decide. Those that are off say nothing that anybody asked for.
    fn also(&mut self, explanation: &Explanation) {
        let all = self.detail == Detail::All;
        let failed = explanation.others_failed().filter(|check| all || check.mode != "off");
        let mut label = "also";
        for check in failed {
            let mode = match check.mode.as_str() {
                "enforce" => "rejects it",
                "observe" => "only observed",
                _ => "is off",
            };
            // What stands in a table above is not said twice.
            let evidence = if has_table(check) { first_clause(&check.evidence) } else { &check.evidence };
            self.check(label, &check.reason, mode, evidence);
            label = "";
        }
    }

    fn check(&mut self, label: &str, reason: &str, mode: &str, evidence: &str) {
        let head = format!("  {label:<LABEL$} {reason:<CHECK$} {mode:<MODE$} ");
        self.wrapped(evidence, &head, head.len());
    }

    /// The operator's rules that hold; all of them where all is told.
    fn rules(&mut self, rules: &[RuleFacts]) {
        let all = self.detail == Detail::All;
        let told =
            rules.iter().filter(|rule| all || rule.holds && rule.reach == "asked" && rule.mode != "off");
        let mut label = "rules";
        for rule in told {
            let says = match (rule.holds, rule.reach.as_str()) {
                (_, "not-this-peer") => "not about this peer".into(),
                (false, _) => {
                    let failed = rule.conditions.iter().filter(|condition| !condition.holds);
                    let keys: Vec<&str> = failed.map(|condition| condition.key.as_str()).collect();
                    format!("does not hold: {}", keys.join(", "))
                }
                (true, "decided") => format!("{}, had it been asked", rule.action),
                (true, _) => rule.action.clone(),
            };
            self.check(label, &rule.name, if rule.mode == "enforce" { "" } else { &rule.mode }, &says);
            label = "";
        }
    }

    /// Of a path that ASPAs say something of, what; hop by hop where one of them speaks against it.
    fn aspa(&mut self, aspa: &AspaFacts) {
        let speaks = matches!(aspa.state.as_str(), "valid" | "invalid");
        let Some(direction) = aspa.direction.as_ref().filter(|_| speaks || self.detail == Detail::All) else {
            return;
        };
        self.item("ASPA", &format!("{} {direction}", aspa.state));
        let all = self.detail == Detail::All || aspa.state == "invalid";
        for hop in aspa.hops.iter().filter(|_| all) {
            let mut said = vec![authorized(hop.far, hop.near, &hop.up)];
            if direction == "downstream" {
                said.push(authorized(hop.near, hop.far, &hop.down));
            }
            self.item("", &said.join("; "));
        }
    }

    fn import(&mut self, explanation: &Explanation) {
        let Some(import) = &explanation.import else { return };
        self.list("import", &import.changes);
        if let Some(becomes) = &import.becomes {
            self.item("becomes", &route(becomes));
            self.communities("", becomes);
        }
    }

    fn table(&mut self, explanation: &Explanation, table: &TableFacts) {
        if let Some(outdated) = &table.outdated {
            self.item("outdated", &format!("{outdated}, by older tables: it is about to be judged again"));
        }
        if let Some(preference) = table.local_preference.filter(|_| explanation.accepted) {
            self.item("preference", &preference.to_string());
        }
        if explanation.supposed {
            return;
        }
        if !explanation.accepted {
            self.item("table", "kept with its reason, and not used (RFC 9324)");
        }
        match &table.best_peer {
            Some(peer) if !table.best => self.item("best path", &format!("{peer}'s{}", at_step(table))),
            None if !table.best => self.item("best path", "none: no path is accepted and reachable"),
            _ => {}
        }
    }

    fn exports(&mut self, exports: &[ExportFacts]) {
        let sent = exports.iter().filter(|export| export.sent);
        let sent = sent.map(|export| match &export.because {
            Some(how) => format!("{} ({how})", export.peer),
            None => export.peer.clone(),
        });
        let sent = sent.collect::<Vec<_>>();
        if !sent.is_empty() {
            self.names("goes to", &sent);
        }
        let mut whys: Vec<(&str, Vec<String>)> = Vec::new();
        for export in exports.iter().filter(|export| !export.sent) {
            let why = export.because.as_deref().unwrap_or_default();
            match whys.iter_mut().find(|(known, _)| *known == why) {
                Some((_, peers)) => peers.push(export.peer.clone()),
                None => whys.push((why, vec![export.peer.clone()])),
            }
        }
        let mut label = "not to";
        for (why, peers) in whys {
            let shown = self.shown(&peers);
            self.item(label, &format!("{shown}: {why}"));
            label = "";
        }
    }

    fn kernel(&mut self, kernel: &KernelFacts) {
        let by = match kernel.next_hop.as_deref() {
            None => String::new(),
            Some("discard") => ", drops what it matches".to_owned(),
            Some(next_hop) => format!(" via {next_hop}"),
        };
        self.item("kernel", &format!("{}{by}", kernel.state));
    }

    fn passed(&mut self, explanation: &Explanation) {
        if self.detail != Detail::All {
            return;
        }
        let mut label = "passed";
        // Rules have lines of their own.
        let passed =
            explanation.checks.iter().filter(|check| !check.failed && !check.reason.starts_with("rule"));
        for check in passed {
            let mode = if check.mode == "enforce" { "" } else { check.mode.as_str() };
            self.check(label, &check.reason, mode, &check.evidence);
            label = "";
        }
    }

    fn tables(&mut self, tables: &TablesFacts) {
        let held = [(tables.vrps, "VRP"), (tables.aspas, "ASPA"), (tables.route_objects, "route object")];
        let held: Vec<String> = held.into_iter().map(|(number, one)| counted(number as u64, one)).collect();
        self.item("judged by", &format!("{}; generation {}", held.join(", "), tables.generation));
        let all = self.detail == Detail::All;
        for source in tables.sources.iter().filter(|source| all || source.alarming) {
            let age = source.age_s.map(|age| format!(", good {} ago", duration(age))).unwrap_or_default();
            self.item("", &format!("{} {}: {}{age}", source.feed, source.name, source.state));
        }
    }

    /// Rows that line up, or what their absence means.
    fn rows(&mut self, label: &str, rows: &[[String; 3]], none: &str) {
        if rows.is_empty() {
            return self.item(label, none);
        }
        let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or_default();
        let (first, second) = (width(0), width(1));
        let line = |row: &[String; 3]| format!("{:<first$}  {:<second$}  {}", row[0], row[1], row[2]);
        self.list(label, &rows.iter().map(line).collect::<Vec<_>>());
    }

    /// A line each, the first few of them.
    fn list(&mut self, label: &str, lines: &[String]) {
        let most = if self.detail == Detail::All { lines.len() } else { LISTED };
        for (at, line) in lines.iter().take(most).enumerate() {
            self.item(if at == 0 { label } else { "" }, line);
        }
        if lines.len() > most {
            self.item("", &format!("and {} more: --all shows them", grouped((lines.len() - most) as u64)));
        }
    }

    fn names(&mut self, label: &str, names: &[String]) {
        let shown = self.shown(names);
        self.item(label, &shown);
    }

    fn shown(&self, names: &[String]) -> String {
        let most = if self.detail == Detail::All { names.len() } else { LISTED };
        let some = names.iter().take(most).map(String::as_str).collect::<Vec<_>>().join(", ");
        match names.len().saturating_sub(most) {
            0 => some,
            more => format!("{some} and {} more", grouped(more as u64)),
        }
    }

    fn item(&mut self, label: &str, value: &str) {
        let head = format!("  {label:<LABEL$} ");
        let indent = head.len();
        self.wrapped(value, &head, indent);
    }

    /// Writes words after a head; what does not fit into the line goes under its first word.
    fn wrapped(&mut self, words: &str, head: &str, indent: usize) {
        let indent = " ".repeat(indent);
        let options = textwrap::Options::new(WIDTH)
            .initial_indent(head)
            .subsequent_indent(&indent)
            .break_words(false)
            .word_separator(textwrap::WordSeparator::AsciiSpace)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        for line in textwrap::wrap(words, options) {
            // A String takes all that is written.
            let _ = writeln!(self.text, "{}", line.trim_end());
        }
    }
}

/// Checks whose evidence has lines of its own.
fn has_table(check: &CheckFacts) -> bool {
    check.reason.starts_with("rpki-") || check.reason == "irr-prefix-not-registered"
}

fn first_clause(evidence: &str) -> &str {
    evidence.split(';').next().unwrap_or_default()
}

fn authorized(customer: u32, provider: u32, said: &str) -> String {
    match said {
        "provider" => format!("AS{customer} has AS{provider} as a provider"),
        "not-provider" => format!("AS{customer} does not have AS{provider} as a provider"),
        _ => format!("AS{customer} has no ASPA"),
    }
}

fn standing(table: &TableFacts) -> String {
    let stale = if table.stale { "; stale: its peer is yet to say it again" } else { "" };
    place(table) + stale
}

fn place(table: &TableFacts) -> String {
    match table {
        TableFacts { unreachable: true, .. } => "but its next hop can't be reached".into(),
        TableFacts { best: true, paths: 1, .. } => "the only path".into(),
        TableFacts { best: true, paths, .. } => {
            format!("best of {} paths{}", grouped(*paths as u64), at_step(table))
        }
        _ => format!("not best{}", at_step(table)),
    }
}

fn at_step(table: &TableFacts) -> String {
    table.decided_at.as_ref().map(|step| format!(", by {step}")).unwrap_or_default()
}

/// Path, next hop, and what else is there.
fn route(facts: &AnnouncementFacts) -> String {
    let path =
        if facts.as_path.is_empty() { "empty AS path".into() } else { format!("AS path {}", facts.as_path) };
    let mut parts = vec![path, format!("origin {}", facts.origin)];
    let numbers =
        [("MED", facts.med), ("LOCAL_PREF", facts.local_pref), ("ONLY_TO_CUSTOMER", facts.only_to_customer)];
    parts.extend(facts.next_hop.iter().map(|next_hop| format!("next hop {next_hop}")));
    parts.extend(numbers.iter().filter_map(|(name, value)| value.map(|value| format!("{name} {value}"))));
    parts.join(", ")
}
