//! The tables in the end: for each load the times, and how the members were served meanwhile. Each figure is the median of
//! a daemon's runs; times are also given as multiples of the floor's.

use std::fmt::Write as _;

use crate::phase::Outcome;
use crate::reaction::Reaction;
use crate::run::Report;

/// The phases that have a column, where any daemon has them.
const COLUMNS: [&str; 17] = [
    "up",
    "load",
    "policy",
    "policy-back",
    "drop",
    "return",
    "flap",
    "flap-back",
    "single",
    "burst",
    "replace",
    "replace-back",
    "route-object",
    "as-set",
    "withdraw",
    "again",
    "slow",
];

/// All runs as Markdown.
pub(crate) fn markdown(reports: &[Report]) -> String {
    let mut text = String::new();
    let mut loads: Vec<(&str, bool)> = Vec::new();
    for report in reports {
        if !loads.contains(&(&report.load, report.rov)) {
            loads.push((&report.load, report.rov));
        }
    }
    for (load, rov) in loads {
        let with = if rov { " with origin validation" } else { "" };
        let _ = write!(text, "\n### `{load}`{with}\n");
        let of_load: Vec<&Report> = reports.iter().filter(|it| it.load == load && it.rov == rov).collect();
        times(&mut text, &of_load);
        service(&mut text, &of_load);
        reactions(&mut text, &of_load);
    }
    text
}

fn times(text: &mut String, reports: &[&Report]) {
    let columns = columns(reports, |_| true);
    head(text, &columns, &["peak", "before, after", "CPU", "exact"]);
    let floor: Vec<&Report> = reports.iter().copied().filter(|report| report.daemon == "floor").collect();
    for (daemon, runs) in by_daemon(reports) {
        let _ = write!(text, "| {daemon} |");
        for column in &columns {
            let _ = write!(text, " {} |", time_cell(daemon, &runs, column, &floor));
        }
        let before = median(runs.iter().map(|run| run.memory_before_mib));
        let after = median(runs.iter().filter_map(|run| run.memory_after_mib));
        let peak = median(runs.iter().map(|run| run.usage.peak_mib));
        let cpu = median(runs.iter().map(|run| run.usage.cpu_s)).unwrap_or_default();
        let exact =
            if runs.iter().all(|run| run.phases.iter().all(|phase| phase.exact)) { "yes" } else { "**no**" };
        let _ = writeln!(text, " {} | {}, {} | {cpu:.1} s | {exact} |", mib(peak), mib(before), mib(after));
    }
}

/// Of each phase the longest wait for news and the longest silence.
fn service(text: &mut String, reports: &[&Report]) {
    let columns = columns(reports, |phase| phase.waits.is_some());
    if columns.is_empty() {
        return;
    }
    text.push_str("\nLongest wait for news / longest silence, in ms:\n");
    head(text, &columns, &["sessions lost"]);
    for (daemon, runs) in by_daemon(reports) {
        let _ = write!(text, "| {daemon} |");
        for column in &columns {
            let of = |value: fn(&Outcome) -> Option<f64>| {
                let value = median(runs.iter().filter_map(|run| value(phase(run, column)?)));
                value.map_or("-".into(), |ms| format!("{ms:.0}"))
            };
            let _ = write!(
                text,
                " {} / {} |",
                of(|it| Some(it.waits.as_ref()?.gap_ms)),
                of(|it| Some(it.silence_ms))
            );
        }
        let lost: usize = runs.iter().flat_map(|run| &run.phases).map(|phase| phase.lost).sum();
        let _ = writeln!(text, " {lost} |");
    }
}

/// How fast changes of policy data took effect.
fn reactions(text: &mut String, reports: &[&Report]) {
    let columns = columns(reports, |phase| phase.reaction.is_some());
    if columns.is_empty() {
        return;
    }
    text.push_str(
        "\nFrom End of Data (RTR) or `%END` (NRTM) to the right table, in ms: median, p90, most (median from when there was news), CPU:\n",
    );
    head(text, &columns, &["ROUTE-REFRESH", "KEEPALIVEs late by", "missed"]);
    for (daemon, runs) in by_daemon(reports) {
        let _ = write!(text, "| {daemon} |");
        for column in &columns {
            let of = |value: fn(&Reaction) -> f64| {
                let value =
                    median(runs.iter().filter_map(|run| Some(value(phase(run, column)?.reaction.as_ref()?))));
                value.map_or("-".into(), |value| format!("{value:.1}"))
            };
            let _ = write!(
                text,
                " {}, {}, {} ({}), {} s |",
                of(|it| it.from_data.median_ms),
                of(|it| it.from_data.p90_ms),
                of(|it| it.from_data.most_ms),
                of(|it| it.from_news.median_ms),
                of(|it| it.cpu_s)
            );
        }
        let all = || runs.iter().flat_map(|run| &run.phases).filter_map(|phase| phase.reaction.as_ref());
        let refreshes: u64 = all().map(|it| it.refreshes).sum();
        let late = all().map(|it| it.keepalive_late_ms).fold(0.0, f64::max);
        let missed: usize = all().map(|it| it.missed).sum();
        let _ = writeln!(text, " {refreshes} | {late:.0} ms | {missed} |");
    }
}

fn columns(reports: &[&Report], has: impl Fn(&Outcome) -> bool) -> Vec<&'static str> {
    let any = |column: &&str| reports.iter().any(|report| phase(report, column).is_some_and(&has));
    COLUMNS.into_iter().filter(any).collect()
}

fn head(text: &mut String, columns: &[&str], more: &[&str]) {
    let all = [columns, more].concat();
    let _ = writeln!(text, "\n| daemon | {} |\n|---|{}", all.join(" | "), "---|".repeat(all.len()));
}

fn by_daemon<'a>(reports: &[&'a Report]) -> Vec<(&'static str, Vec<&'a Report>)> {
    let mut daemons: Vec<(&'static str, Vec<&'a Report>)> = Vec::new();
    for report in reports {
        match daemons.iter_mut().find(|(daemon, _)| *daemon == report.daemon) {
            Some((_, runs)) => runs.push(report),
            None => daemons.push((report.daemon, vec![report])),
        }
    }
    daemons
}

fn time_cell(daemon: &str, runs: &[&Report], column: &str, floor: &[&Report]) -> String {
    match (seconds(runs, column), seconds(floor, column)) {
        (Some(time), Some(least)) if daemon != "floor" && least > 0.0 && column != "up" => {
            format!("{} ({:.1}x)", time_text(time), time / least)
        }
        (Some(time), _) => time_text(time),
        (None, _) if runs.iter().any(|run| phase(run, column).is_some()) => "did not end".into(),
        (None, _) => "-".into(),
    }
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
    if outcome.echoed > 0 {
        let _ = write!(line, ", {} sent back", outcome.echoed);
    }
    if let Some(waits) = &outcome.waits {
        let _ = write!(line, ", waits {:.0} / {:.0} / {:.0} ms", waits.median_ms, waits.p99_ms, waits.gap_ms);
        let _ = write!(line, ", silence {:.0} ms", outcome.silence_ms);
        if waits.lost > 0 {
            let _ = write!(line, " ({} never came)", waits.lost);
        }
    }
    if let Some(it) = &outcome.reaction {
        let _ = write!(
            line,
            ", {} changes in {:.1} / {:.1} / {:.1} ms ({:.1} / {:.1} / {:.1} from the notice), {:.2} s of CPU, {} refreshes, \
             KEEPALIVEs late by {:.0} ms",
            it.changes,
            it.from_data.median_ms,
            it.from_data.p90_ms,
            it.from_data.most_ms,
            it.from_news.median_ms,
            it.from_news.p90_ms,
            it.from_news.most_ms,
            it.cpu_s,
            it.refreshes,
            it.keepalive_late_ms
        );
        if it.missed > 0 {
            let _ = write!(line, " ({} were never seen, {} not asked for)", it.missed, it.unasked);
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
    if let Some(wrong) = &outcome.wrong {
        let _ = write!(line, "; such as {wrong}");
    }
    if let Some(fault) = &outcome.fault {
        let _ = write!(line, " ({fault})");
    }
    line
}
