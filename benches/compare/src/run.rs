//! One run: a daemon is started, all phases of a load are played to it, and it is ended.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde::Serialize;

use crate::daemon::{Daemon, Reload, Setting};
use crate::encode::{self, Chunk};
use crate::ground::Ground;
use crate::irr::Irr;
use crate::living::Living;
use crate::load::{Load, News};
use crate::member;
use crate::oracle::{Expectation, Oracle, Rigor};
use crate::phase::{Outcome, Step};
use crate::player::{Patience, Player};
use crate::problem::Problem;
use crate::running::{Running, Usage};
use crate::session::State;
use crate::table::Table;
use crate::vrps::Vrps;
use crate::watch::Changing;

/// How fast a slow member reads, in octets a second.
const SLOW: usize = 10_000;
/// How long sessions may take to come up.
const TO_COME_UP: Patience = Patience { total: Duration::from_secs(120), silence: Duration::from_secs(60) };
/// How long what is sent is left alone before the next phase.
pub(crate) const BETWEEN: Duration = Duration::from_millis(500);
/// How long a cache takes to read its VRPs, and a daemon to get them.
const CACHE_STARTS: Duration = Duration::from_secs(6);
const CACHE_SERVES: Duration = Duration::from_secs(12);
/// Memory is looked at so long after all is withdrawn.
const TO_SETTLE: Duration = Duration::from_secs(5);

/// What is played, ready to be played.
pub(crate) struct Play<'a> {
    /// The load.
    pub(crate) load: &'a Load,
    /// Its table.
    pub(crate) table: &'a Table,
    /// Each sender's messages.
    pub(crate) announcements: Vec<Vec<Chunk>>,
    /// And those that take all back.
    pub(crate) withdrawals: Vec<Vec<Chunk>>,
    /// A file of VRPs to validate by.
    pub(crate) vrps: Option<&'a Path>,
    /// The VRPs that change, and how often a single one does.
    pub(crate) living: Option<(&'a Vrps, usize)>,
    /// What to play.
    pub(crate) steps: &'a [Step],
    /// How long each phase may take.
    pub(crate) patience: Patience,
    /// The most memory that a daemon may use, in MiB.
    pub(crate) most_mib: f64,
}

/// What a run came to.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// The load.
    pub(crate) load: String,
    /// The daemon.
    pub(crate) daemon: &'static str,
    /// Whether routes were validated.
    pub(crate) rov: bool,
    /// Its phases.
    pub(crate) phases: Vec<Outcome>,
    /// Memory when all sessions were up and nothing was sent, in MiB.
    pub(crate) memory_before_mib: f64,
    /// After all was withdrawn.
    pub(crate) memory_after_mib: Option<f64>,
    /// What it used from first to last.
    pub(crate) usage: Usage,
}

impl Play<'_> {
    /// Plays it to a daemon, on a ground that the calling thread has entered; `tell` hears of each phase.
    pub(crate) fn run(
        &self,
        daemon: &dyn Daemon,
        ground: &Ground,
        oracle: &Oracle,
        tell: &dyn Fn(&Outcome),
    ) -> Result<Report, Problem> {
        let dir = tempfile::Builder::new().prefix("palisade-compare-").tempdir();
        let dir = dir.map_err(Problem::system("making a temporary folder"))?;
        let file = self.vrps.filter(|_| self.load.news == News::None);
        let setting = Setting { dir: dir.path(), load: self.load, vrps: file, refuses_all: false };
        daemon.configure(&setting)?;
        let changing: Option<Box<dyn Changing>> = match (self.load.news, self.living) {
            (News::Vrps, Some((vrps, changes))) => Some(Box::new(Living::new(self.table, vrps, changes)?)),
            (News::Irr, _) => Some(Box::new(Irr::new(self.table, dir.path())?)),
            _ => None,
        };
        let _cache = match file.filter(|_| daemon.needs_cache()) {
            Some(vrps) => Some(self.start_cache(ground, vrps, dir.path())?),
            None => None,
        };
        let log = dir.path().join("log");
        let running = Running::start(ground.at_daemon(&daemon.command(&setting)), &log)?;
        if _cache.is_some() {
            std::thread::sleep(CACHE_SERVES);
        }
        if let Some(changing) = &changing {
            changing.until_served(daemon.name()).map_err(|problem| with_log(problem, &log))?;
        }
        let mut player = Player::new(self.table, oracle, self.load)?;
        if self.load.news != News::None {
            let of = |sender| [false, true].map(|six| encode::announcements_of(self.table, sender, six));
            player.answer_refreshes((0..self.load.senders).map(of).collect());
        }
        let (meter, most_mib, name) = (running.meter(), self.most_mib, daemon.name());
        player.guard(move || match meter.usage().now_mib {
            used if used > most_mib => Err(Problem::Daemon(format!(
                "{name} uses {used:.0} MiB, of {most_mib:.0} that it may: ended"
            ))),
            _ => Ok(()),
        });
        let everyone = vec![true; self.load.sessions()];
        let mut stage = Stage {
            play: self,
            daemon,
            ground,
            oracle,
            setting,
            running,
            player,
            everyone,
            tell,
            outcomes: vec![],
        };
        let memory_before_mib = stage.up().map_err(|problem| with_log(problem, &log))?;
        let memory_after_mib = stage.all_steps(changing)?;
        Ok(Report {
            load: self.load.to_string(),
            daemon: daemon.name(),
            rov: file.is_some() || self.living.is_some(),
            memory_before_mib,
            memory_after_mib,
            usage: stage.running.usage(),
            phases: stage.outcomes,
        })
    }

    fn start_cache(&self, ground: &Ground, vrps: &Path, dir: &Path) -> Result<Running, Problem> {
        let bind = format!("{}:{}", member::CACHE, member::CACHE_PORT);
        let file = std::fs::canonicalize(vrps).map_err(Problem::file(vrps))?.display().to_string();
        let command = ["stayrtr", "-bind", &bind, "-cache", &file, "-checktime=false", "-metrics.addr", ""];
        let cache = Running::start(ground.at_players(&command.map(String::from)), &dir.join("cache.log"))?;
        std::thread::sleep(CACHE_STARTS);
        Ok(cache)
    }
}

fn with_log(problem: Problem, log: &Path) -> Problem {
    let said = std::fs::read_to_string(log).unwrap_or_default();
    let last: Vec<&str> = said.lines().rev().take(5).collect();
    match (&problem, last.is_empty()) {
        (Problem::Daemon(what), false) => {
            let last: Vec<&str> = last.into_iter().rev().collect();
            Problem::Daemon(format!("{what}; it said last:\n    {}", last.join("\n    ")))
        }
        _ => problem,
    }
}

/// A daemon on its ground, with all sessions.
pub(crate) struct Stage<'a> {
    /// What is played.
    pub(crate) play: &'a Play<'a>,
    daemon: &'a dyn Daemon,
    ground: &'a Ground,
    oracle: &'a Oracle,
    setting: Setting<'a>,
    /// The daemon.
    pub(crate) running: Running,
    /// All sessions.
    pub(crate) player: Player<'a>,
    /// That every session is there.
    pub(crate) everyone: Vec<bool>,
    tell: &'a dyn Fn(&Outcome),
    outcomes: Vec<Outcome>,
}

impl Stage<'_> {
    /// Brings all sessions up; the memory then, in MiB.
    fn up(&mut self) -> Result<f64, Problem> {
        self.wait_for_an_answer()?;
        let start = Instant::now();
        (1..self.everyone.len()).for_each(|session| self.player.open(session));
        let is_up = self.player.until_up(TO_COME_UP)?;
        let seconds = start.elapsed().as_secs_f64();
        if !is_up {
            let up = self.player.sessions.iter().filter(|session| session.state == State::Up).count();
            return Err(Problem::Daemon(format!(
                "{}: {up} of {} sessions came up",
                self.daemon.name(),
                self.everyone.len()
            )));
        }
        self.player.wait(BETWEEN * 2)?;
        let outcome = self.outcome("up", Some(seconds), None);
        self.add(outcome);
        Ok(self.running.usage().now_mib)
    }

    /// The first session is tried until the daemon listens and takes it.
    fn wait_for_an_answer(&mut self) -> Result<(), Problem> {
        self.player.open(0);
        let start = Instant::now();
        while !self.player.until_up(Patience { total: Duration::from_millis(200), ..TO_COME_UP })? {
            if self.running.has_ended() {
                return Err(Problem::Daemon(format!("{} ended at once", self.daemon.name())));
            }
            if start.elapsed() > TO_COME_UP.total {
                return Err(Problem::Daemon(format!("{} takes no session", self.daemon.name())));
            }
        }
        Ok(())
    }

    /// Plays all steps that are asked for and that this daemon can take part in; the memory after all is withdrawn.
    fn all_steps(&mut self, mut changing: Option<Box<dyn Changing + '_>>) -> Result<Option<f64>, Problem> {
        let mut after = None;
        let reads = self.oracle_is_exact();
        let steps = self.play.steps;
        for step in Step::ALL.into_iter().filter(|step| steps.contains(step) && step.is_of(self.play.load)) {
            let went_well = match step {
                Step::Load => self.load("load")?,
                Step::Policy if reads => self.policy()?,
                Step::Drop if reads => self.away("drop", "return", |sender, _| sender == 0)?,
                Step::Flap if reads => {
                    self.away("flap", "flap-back", |sender, probe| sender % 2 != probe % 2)?
                }
                Step::Withdraw => {
                    let went_well = self.withdraw("withdraw")?;
                    self.player.wait(TO_SETTLE)?;
                    after = Some(self.running.usage().now_mib);
                    went_well
                }
                Step::Slow if steps.contains(&Step::Withdraw) => self.slow()?,
                Step::Single | Step::Burst | Step::Replace | Step::Registry => match &mut changing {
                    Some(changing) => changing.play(step, self)?,
                    None => true,
                },
                _ => true,
            };
            if !went_well {
                break;
            }
        }
        Ok(after)
    }

    /// The probe's prefixes are in no registry.
    fn is_probed(&self) -> bool {
        self.play.load.news != News::Irr
    }

    fn oracle_is_exact(&self) -> bool {
        self.daemon.rigor() == Rigor::Exact
    }

    fn load(&mut self, name: &'static str) -> Result<bool, Problem> {
        let expectation = self.oracle.expectation(self.play.table, &self.everyone);
        let start = self.player.begin(expectation, self.is_probed());
        for (sender, chunks) in self.play.announcements.iter().enumerate() {
            self.player.send(sender, chunks);
        }
        self.finish(name, start)
    }

    fn withdraw(&mut self, name: &'static str) -> Result<bool, Problem> {
        let start = self.player.begin(self.oracle.nothing(self.play.table), self.is_probed());
        for (sender, chunks) in self.play.withdrawals.iter().enumerate() {
            self.player.send(sender, chunks);
        }
        self.finish(name, start)
    }

    fn policy(&mut self) -> Result<bool, Problem> {
        let all = self.oracle.expectation(self.play.table, &self.everyone);
        let none = self.oracle.nothing(self.play.table);
        for (name, refuses_all, expectation) in [("policy", true, none), ("policy-back", false, all)] {
            self.setting.refuses_all = refuses_all;
            self.daemon.configure(&self.setting)?;
            let reload = self.daemon.reload(&self.setting);
            if reload == Reload::None {
                return Ok(true);
            }
            let start = self.player.begin(expectation, true);
            let _telling = match reload {
                Reload::Command(command) => {
                    let log = self.setting.dir.join("reload.log");
                    Some(Running::start(self.ground.at_daemon(&command), &log)?)
                }
                _ => {
                    self.running.signal(Signal::SIGHUP);
                    None
                }
            };
            if !self.finish(name, start)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Some sessions end, and come back.
    fn away(
        &mut self,
        down: &'static str,
        back: &'static str,
        goes: impl Fn(usize, usize) -> bool,
    ) -> Result<bool, Problem> {
        let probe = self.play.load.probe();
        let away: Vec<usize> = (0..self.play.load.senders).filter(|sender| goes(*sender, probe)).collect();
        let mut is_there = self.everyone.clone();
        away.iter().for_each(|session| is_there[*session] = false);
        let without = self.oracle.expectation(self.play.table, &is_there);
        let all = self.oracle.expectation(self.play.table, &self.everyone);
        self.count_out(&away);
        let start = self.player.begin(without, !away.contains(&probe));
        away.iter().for_each(|session| self.player.close(*session));
        let went_well = self.finish(down, start)?;
        if !went_well {
            return Ok(false);
        }
        self.come_back(back, &away, all)
    }

    fn come_back(&mut self, name: &'static str, away: &[usize], all: Expectation) -> Result<bool, Problem> {
        let start = self.player.begin(all, !away.contains(&self.play.load.probe()));
        away.iter().for_each(|session| self.player.open(*session));
        for sender in away {
            self.player.sessions[*sender].push_when_up(&self.play.announcements[*sender]);
        }
        self.player.until_up(TO_COME_UP)?;
        // Those that were away count again for what they hold, but not for the probe's news, part of which they missed.
        self.player.sessions.iter_mut().for_each(|session| session.counts_in = true);
        let went_well = self.finish(name, start);
        self.count_out(&[]);
        went_well
    }

    /// The load once more, then with one member that reads slowly: the first, which is not the probe.
    fn slow(&mut self) -> Result<bool, Problem> {
        if self.play.load.senders < 3 || !self.load("again")? || !self.withdraw("withdraw-again")? {
            return Ok(true);
        }
        self.player.sessions[0].read_at(Some(SLOW), Instant::now());
        self.count_out(&[0]);
        let went_well = self.load("slow")?;
        self.player.sessions[0].read_at(None, Instant::now());
        Ok(went_well)
    }

    /// Who doesn't count in a phase.
    fn count_out(&mut self, out: &[usize]) {
        for (number, session) in self.player.sessions.iter_mut().enumerate() {
            session.counts_in = !out.contains(&number);
            session.is_probed = session.counts_in;
        }
    }

    fn finish(&mut self, name: &'static str, start: Instant) -> Result<bool, Problem> {
        let is_right = self.player.until_right(self.play.patience)?;
        let seconds = is_right.then(|| self.player.right_at().map_or(0.0, |at| (at - start).as_secs_f64()));
        let waits = self.player.end_probe();
        // What comes after the end is looked at too: all has to stay right.
        self.player.wait(BETWEEN)?;
        let outcome = self.outcome(name, seconds, waits);
        Ok(self.add(outcome))
    }

    /// What a phase came to.
    pub(crate) fn outcome(
        &mut self,
        phase: &'static str,
        seconds: Option<f64>,
        waits: Option<crate::service::Waits>,
    ) -> Outcome {
        let off = self.player.off();
        let wrong = self.player.last_wrong().filter(|_| off.wrong > 0);
        let silence_ms = self.player.silence().as_secs_f64() * 1e3;
        let sessions = &mut self.player.sessions;
        let faults: Vec<String> = sessions.iter_mut().filter_map(|session| session.fault.take()).collect();
        let sum =
            |of: fn(&crate::session::Counts) -> u64| sessions.iter().map(|session| of(&session.counts)).sum();
        let foreign = sum(|counts| counts.foreign);
        Outcome {
            phase,
            seconds,
            exact: off.is_none() && foreign == 0 && faults.is_empty() && seconds.is_some(),
            off,
            wrong,
            foreign,
            echoed: sum(|counts| counts.echoed),
            silence_ms,
            lost: faults.len(),
            fault: faults.into_iter().next(),
            deliveries: sum(|counts| counts.announced + counts.withdrawn),
            updates: sum(|counts| counts.updates),
            waits,
            reaction: None,
        }
    }

    /// Puts it down; says whether to go on.
    pub(crate) fn add(&mut self, outcome: Outcome) -> bool {
        (self.tell)(&outcome);
        let went_well = outcome.seconds.is_some() && outcome.lost == 0;
        self.outcomes.push(outcome);
        went_well
    }
}
