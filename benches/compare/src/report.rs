//! The table in the end: for each load a line a daemon, medians of its runs, each time also as a multiple of the floor's.

use std::fmt::Write as _;

use crate::phase::Outcome;
use crate::run::Report;

/// The phases that have a column, where any daemon has them.
const COLUMNS: [&str; 10] =
    ["up", "load", "policy", "policy-back", "drop", "return", "flap", "flap-back", "withdraw", "again"];

/// All runs as a Markdown table.
pub(crate) fn markdown(reports: &[Report]) -> String {
    let mut text = String::new();
    let mut loads: Vec<(&str, bool)> = Vec::new();
    for report in reports {
        if !loads.contains(&(&report.load, report.rov)) {
            loads.push((&report.load, report.rov));
        }
    }
    for (load, rov) in loads {
        let reports: Vec<&Report> = reports.iter().filter(|it| it.load == load && it.rov == rov).collect();
        one_load(&mut text, load, rov, &reports);
    }
    text
}

fn one_load(text: &mut String, load: &str, rov: bool, reports: &[&Report]) {
    let mut daemons: Vec<&str> = Vec::new();
    for report in reports {
        if !daemons.contains(&report.daemon) {
            daemons.push(report.daemon);
        }
    }
    let columns: Vec<&str> = COLUMNS
        .into_iter()
        .chain(["slow"])
        .filter(|column| reports.iter().any(|report| phase(report, column).is_some()))
        .collect();
    let with = if rov { " with origin validation" } else { "" };
    let _ = write!(text, "\n### `{load}`{with}\n\n| daemon |");
    for column in &columns {
        let _ = write!(text, " {column} |");
    }
    let _ = writeln!(text, " longest wait | peak | before, after | CPU | exact |");
    let _ = writeln!(text, "|---|{}---|---|---|---|---|", "---|".repeat(columns.len()));
    let of = |daemon: &str| reports.iter().copied().filter(|it| it.daemon == daemon).collect::<Vec<_>>();
    let floor = of("floor");
    for daemon in daemons {
        line(text, daemon, &of(daemon), &columns, &floor);
    }
}

fn line(text: &mut String, daemon: &str, runs: &[&Report], columns: &[&str], floor: &[&Report]) {
    let _ = write!(text, "| {daemon} |");
    for column in columns {
        let _ = match (seconds(runs, column), seconds(floor, column)) {
            (Some(time), Some(least)) if daemon != "floor" && least > 0.0 => {
                write!(text, " {} ({:.1}x) |", time_text(time), time / least)
            }
            (Some(time), _) => write!(text, " {} |", time_text(time)),
            (None, _) if runs.iter().any(|run| phase(run, column).is_some()) => {
                write!(text, " did not end |")
            }
            (None, _) => write!(text, " - |"),
        };
    }
    let gap = median(runs.iter().filter_map(|run| longest_wait(run)));
    let _ = write!(text, " {} |", gap.map_or("-".into(), |gap| format!("{gap:.0} ms")));
    let _ = write!(text, " {} |", mib(median(runs.iter().map(|run| run.usage.peak_mib))));
    let before = median(runs.iter().map(|run| run.memory_before_mib));
    let after = median(runs.iter().filter_map(|run| run.memory_after_mib));
    let _ = write!(text, " {}, {} |", mib(before), mib(after));
    let cpu = median(runs.iter().map(|run| run.usage.cpu_s)).unwrap_or_default();
    let exact = runs.iter().all(|run| run.phases.iter().all(|phase| phase.exact));
    let _ = writeln!(text, " {cpu:.1} s | {} |", if exact { "yes" } else { "**no**" });
}

fn time_text(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.2} s") } else { format!("{seconds:.1} s") }
}

fn mib(mib: Option<f64>) -> String {
    mib.map_or("-".into(), |mib| format!("{mib:.0} MiB"))
}

fn phase<'a>(report: &'a Report, name: &str) -> Option<&'a Outcome> {
    report.phases.iter().find(|phase| phase.phase == name)
}

fn seconds(runs: &[&Report], name: &str) -> Option<f64> {
    median(runs.iter().filter_map(|run| phase(run, name)?.seconds))
}

/// The longest of a run's waits: in any phase but a load, whose waits hold the backlog that the harness itself made.
fn longest_wait(run: &Report) -> Option<f64> {
    run.phases.iter().filter_map(|phase| phase.waits.as_ref()).map(|waits| waits.gap_ms).reduce(f64::max)
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// A phase in a line, as it ends.
pub(crate) fn progress(outcome: &Outcome) -> String {
    let time = outcome.seconds.map_or("did not end".into(), time_text);
    let mut line = format!("{:<14} {time:>11}", outcome.phase);
    if outcome.deliveries > 0 {
        let _ = write!(line, ", {} deliveries in {} updates", outcome.deliveries, outcome.updates);
    }
    if let Some(waits) = &outcome.waits {
        let _ = write!(line, ", waits {:.0} / {:.0} / {:.0} ms", waits.median_ms, waits.p99_ms, waits.gap_ms);
        if waits.lost > 0 {
            let _ = write!(line, " ({} never came)", waits.lost);
        }
    }
    if !outcome.exact {
        let off = outcome.off;
        let _ = write!(
            line,
            " - NOT EXACT: {} missing, {} too many, {} with wrong attributes, {} foreign, {} sessions lost",
            off.missing, off.surplus, off.wrong, outcome.foreign, outcome.lost
        );
    }
    if let Some(fault) = &outcome.fault {
        let _ = write!(line, " ({fault})");
    }
    line
}
