//! What is noted while policy data changes, whatever data it is.

use std::time::{Duration, Instant};

use crate::phase::{Outcome, Step};
use crate::player::Patience;
use crate::problem::Problem;
use crate::reaction::{Reaction, Spread};
use crate::run::{BETWEEN, Stage};

/// How long one change may take to be seen.
const TO_SEE_ONE: Duration = Duration::from_secs(60);
/// Changes that may go unseen before no more are made.
const MOST_MISSED: usize = 3;

/// Policy data that changes while a load is played.
pub(crate) trait Changing {
    /// Waits until the daemon, of that name, has its data.
    fn until_served(&self, name: &str) -> Result<(), Problem>;
    /// Plays a step; says whether to go on.
    fn play(&mut self, step: Step, stage: &mut Stage<'_>) -> Result<bool, Problem>;
}

/// A phase in which data changes.
pub(crate) struct Watch {
    phase: &'static str,
    start: Instant,
    cpu_s: f64,
    changes: usize,
    unasked: usize,
    from_data: Vec<Duration>,
    from_news: Vec<Duration>,
}

impl Watch {
    /// Begins the phase; what has to come of it is expected already.
    pub(crate) fn begin(phase: &'static str, stage: &mut Stage<'_>) -> Self {
        let cpu_s = stage.running.usage().cpu_s;
        let start = stage.player.begin_anew(false);
        Watch { phase, start, cpu_s, changes: 0, unasked: 0, from_data: Vec::new(), from_news: Vec::new() }
    }

    /// When it began.
    pub(crate) fn began(&self) -> Instant {
        self.start
    }

    /// Waits until one change is seen, which was told of at an instant; `served_at` knows when the data was handed over.
    pub(crate) fn one(
        &mut self,
        told_at: Instant,
        served_at: impl Fn() -> Option<Instant>,
        stage: &mut Stage<'_>,
    ) -> Result<(), Problem> {
        self.until_right(told_at, served_at, Patience { total: TO_SEE_ONE, silence: TO_SEE_ONE }, stage)
    }

    /// The same for many changes at once, which may take as long as any phase.
    pub(crate) fn all(
        &mut self,
        told_at: Instant,
        served_at: impl Fn() -> Option<Instant>,
        stage: &mut Stage<'_>,
    ) -> Result<(), Problem> {
        self.until_right(told_at, served_at, stage.play.patience, stage)
    }

    fn until_right(
        &mut self,
        told_at: Instant,
        served_at: impl Fn() -> Option<Instant>,
        patience: Patience,
        stage: &mut Stage<'_>,
    ) -> Result<(), Problem> {
        stage.player.until_right(patience)?;
        self.changes += 1;
        let served_at = served_at();
        self.unasked += usize::from(served_at.is_none());
        if let (Some(served), Some(right)) = (served_at, stage.player.right_at()) {
            self.from_data.push(right.saturating_duration_since(served));
            self.from_news.push(right.saturating_duration_since(told_at));
        }
        Ok(())
    }

    /// Whether there is no use in going on.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.missed() >= MOST_MISSED
    }

    fn missed(&self) -> usize {
        self.changes - self.from_data.len()
    }

    /// Ends the phase; says whether to go on with others.
    pub(crate) fn finish(self, stage: &mut Stage<'_>) -> Result<bool, Problem> {
        let right_at = stage.player.right_at();
        let seconds = right_at.map(|at| at.saturating_duration_since(self.start).as_secs_f64());
        // What comes after the end is looked at too: all has to stay right.
        stage.player.wait(BETWEEN)?;
        let keepalives_every = Duration::from_secs(u64::from(stage.play.load.terms().hold_time_s) / 3);
        let late = stage.player.longest_gap().saturating_sub(keepalives_every);
        let reaction = Reaction {
            changes: self.changes,
            missed: self.missed(),
            unasked: self.unasked,
            from_data: Spread::of(&self.from_data),
            from_news: Spread::of(&self.from_news),
            cpu_s: stage.running.usage().cpu_s - self.cpu_s,
            refreshes: stage.player.sessions.iter().map(|session| session.counts.refreshes).sum(),
            keepalive_late_ms: late.as_secs_f64() * 1e3,
        };
        let outcome = stage.outcome(self.phase, seconds, None);
        let exact = outcome.exact && reaction.missed == 0;
        Ok(stage.add(Outcome { exact, reaction: Some(reaction), ..outcome }) && !self.is_hopeless())
    }
}
