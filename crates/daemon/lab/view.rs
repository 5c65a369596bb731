//! The lab while it is played: on a terminal a table that is drawn over and over, elsewhere a line a second.

use std::fmt;
use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use palisade_bgp::session::State;
use palisade_rib::Tally;

use super::scene::{Scene, SessionScene, by_frequency};
use crate::logs;
use crate::terminal::{self, grouped};

/// Between two lines, where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// Over which the routes a second are counted.
const RATE_OVER: Duration = Duration::from_millis(500);

/// Columns of a number.
const NUMBERS: usize = 9;

/// A name that is longer is cut.
const LONGEST_NAME: usize = 24;

/// What is shown.
pub(super) struct View {
    /// The lines of the table, where it is drawn.
    lines: Option<(MultiProgress, Vec<ProgressBar>)>,
    last_line: Duration,
    rate: Rate,
}

impl View {
    /// Nothing yet, on standard error.
    pub(super) fn new() -> Self {
        let drawn = || (MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)), Vec::new());
        // A log would be drawn over.
        let draws = io::stderr().is_terminal() && !logs::is_asked_for();
        View { lines: draws.then(drawn), last_line: Duration::ZERO, rate: Rate::default() }
    }

    /// Shows a moment.
    pub(super) fn show(&mut self, scene: &Scene) {
        self.rate.count(scene);
        match &mut self.lines {
            Some((table, bars)) => {
                let text = format!("{}\n{}", Sessions(scene), Totals { scene, rate: self.rate.a_second });
                for (at, line) in text.lines().enumerate() {
                    if bars.len() == at {
                        bars.push(table.add(bar()));
                    }
                    bars[at].set_message(line.to_owned());
                }
            }
            None if scene.elapsed >= self.last_line + LINE_EVERY => {
                self.last_line = scene.elapsed;
                terminal::remark(&Totals { scene, rate: self.rate.a_second }.line());
            }
            None => {}
        }
    }

    /// Takes the table off the terminal.
    pub(super) fn clear(self) {
        if let Some((table, bars)) = self.lines {
            bars.iter().for_each(ProgressBar::finish_and_clear);
            // A terminal that can't be written to has nothing on it.
            drop(table.clear());
        }
    }
}

/// A line that is cut where the terminal ends.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    match ProgressStyle::with_template("{wide_msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Announcements a second, of late.
#[derive(Default)]
struct Rate {
    since: Duration,
    announced: u64,
    a_second: u64,
}

impl Rate {
    fn count(&mut self, scene: &Scene) {
        let (announced, past) = (scene.said().announced, scene.elapsed.saturating_sub(self.since));
        if past >= RATE_OVER {
            self.a_second = a_second(announced - self.announced, past);
            (self.since, self.announced) = (scene.elapsed, announced);
        }
    }
}

/// So many in some time.
pub(super) fn a_second(count: u64, time: Duration) -> u64 {
    // A rate that no number holds is one of no time at all.
    if time.is_zero() { 0 } else { (count as f64 / time.as_secs_f64()) as u64 }
}

/// The table of sessions.
pub(super) struct Sessions<'a>(pub(super) &'a Scene);

impl fmt::Display for Sessions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scene = self.0;
        let width = scene.everybody().map(|session| session.name.chars().count()).max().unwrap_or_default();
        let width = width.clamp("session".len(), LONGEST_NAME);
        write!(f, "{:width$} {:8} {:8} {:7}", "session", "AS", "role", "state")?;
        for title in ["announced", "held", "accepted", "rejected"] {
            write!(f, " {title:>NUMBERS$}")?;
        }
        writeln!(f)?;
        for session in &scene.sessions {
            who(f, width, session)?;
            numbers(f, session.said.announced, &session.tally)?;
        }
        write!(f, "{:width$} {:8} {:8} {:7}", "all", "", "", "")?;
        numbers(f, scene.said().announced, &scene.tally())?;
        who(f, width, &scene.listener)?;
        let [.., told] = scene.listener.heard;
        writeln!(f, " {:>1$}", format!("is told of {} prefixes", grouped(told)), 4 * NUMBERS + 3)
    }
}

fn who(f: &mut fmt::Formatter<'_>, width: usize, session: &SessionScene) -> fmt::Result {
    let SessionScene { name, asn, role, .. } = session;
    write!(f, "{name:width$.width$} {:8} {:8} {:7}", asn.to_string(), role.slug(), state(session.state))
}

fn numbers(f: &mut fmt::Formatter<'_>, announced: u64, tally: &Tally) -> fmt::Result {
    let held = [tally.received_total(), tally.accepted_total(), tally.rejected_total()];
    write!(f, " {:>NUMBERS$}", grouped(announced))?;
    held.into_iter().try_for_each(|count| write!(f, " {:>NUMBERS$}", counted(count)))?;
    writeln!(f)
}

fn state(state: State) -> &'static str {
    match state {
        State::Idle => "idle",
        State::Active => "waiting",
        State::Connect => "connect",
        State::OpenSent | State::OpenConfirm => "opening",
        State::Established => "up",
    }
}

/// A number of paths. Counted by several threads at once, it may be below nothing for a moment.
pub(super) fn counted(number: i64) -> String {
    grouped(u64::try_from(number).unwrap_or_default())
}

/// What all sessions come to.
struct Totals<'a> {
    scene: &'a Scene,
    rate: u64,
}

/// What stands under the table, which has the other totals.
impl fmt::Display for Totals<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, rate) = (self.scene.elapsed.as_secs_f64(), grouped(self.rate));
        let installed = grouped(self.scene.kernel.installed as u64);
        writeln!(f, "{seconds:.1} s, {rate} routes a second, {installed} routes in the kernel")?;
        let rejected = by_frequency(&self.scene.tally().rejected);
        let rejected: Vec<String> =
            rejected.iter().map(|(reason, count)| format!("{reason} {}", counted(*count))).collect();
        write!(f, "rejected: {}", if rejected.is_empty() { "none".into() } else { rejected.join(", ") })
    }
}

impl Totals<'_> {
    /// All of it in a line.
    fn line(&self) -> String {
        let (scene, said, tally) = (self.scene, self.scene.said(), self.scene.tally());
        format!(
            "{:.1} s: {} of {} sessions up, {} announced ({}/s), {} accepted, {} rejected, {} in the kernel",
            scene.elapsed.as_secs_f64(),
            scene.up(),
            scene.everybody().count(),
            grouped(said.announced),
            grouped(self.rate),
            counted(tally.accepted_total()),
            counted(tally.rejected_total()),
            grouped(scene.kernel.installed as u64),
        )
    }
}
