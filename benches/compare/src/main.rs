//! Plays the same routes to BGP daemons, one after the other, and says how long each took, what it used, and whether what came
//! out was exactly right. `README.md` beside this says what the loads are and how to read the figures.
//!
//! ```text
//!   network namespace                       another
//!   the daemon under test  --- veth ---  player: all sessions in one thread
//!   (started and configured by `daemon`)   | what each holds (`holding`) beside what it should (`oracle`)
//! ```
//!
//! It shares no code with Palisade but the names of its checks: messages are encoded (`encode`) and read (`hear`), routes
//! validated (`vrps`) and action communities taken (`actions`) by the harness's own.

#![expect(clippy::print_stdout, reason = "the table is printed")]

mod actions;
mod arguments;
mod attributes;
mod bits;
mod cache;
mod daemon;
mod encode;
mod floor;
mod ground;
mod hear;
mod holding;
mod irr;
mod living;
mod load;
mod lone;
mod made_up;
mod member;
mod mirror;
mod oracle;
mod phase;
mod player;
mod prefix;
mod problem;
mod random;
mod reaction;
mod registry;
mod report;
mod rtr;
mod run;
mod running;
mod service;
mod session;
mod table;
mod text;
mod vrps;
mod watch;

use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Instant;

use arguments::{Arguments, Command};
use clap::Parser;
use daemon::{Daemon, Programs};
use ground::Ground;
use load::{Load, News};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use oracle::Oracle;
use player::{INTERRUPTED, Patience};
use problem::Problem;
use run::{Play, Report};
use vrps::Vrps;

/// VRPs that are made up where no file has any: as many as there were in the world in July 2025.
const MADE_UP_VRPS: usize = 723_521;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.command {
        Some(Command::Floor { listen, only_to }) => {
            floor::serve(*listen, *only_to).map_err(Problem::system("serving the floor"))
        }
        None => on_a_thread_of_its_own(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("palisade-compare: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// The thread that plays moves into a network namespace, and so isn't the one that takes signals and cleans up.
fn on_a_thread_of_its_own(arguments: &Arguments) -> Result<(), Problem> {
    std::thread::spawn(note_interrupts);
    std::thread::scope(|scope| match scope.spawn(|| compare(arguments)).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

fn note_interrupts() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return };
    runtime.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        let mut waiting = tokio::task::JoinSet::new();
        for mut signal in signals.into_iter().flatten() {
            waiting.spawn(async move { signal.recv().await });
        }
        waiting.join_next().await;
        INTERRUPTED.store(true, Ordering::Relaxed);
    });
}

fn compare(arguments: &Arguments) -> Result<(), Problem> {
    if !nix::unistd::geteuid().is_root() {
        return Err(Problem::Load("it makes network namespaces, so it needs root".into()));
    }
    // A thousand sessions take a file each, here and in the daemon. Where the limit can't be raised it may well do.
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
    let harness = std::env::current_exe().map_err(Problem::system("finding this program"))?;
    let programs = Programs { palisade: arguments.palisade.clone(), harness };
    let daemons = present(arguments, &programs)?;
    let mut reports = Vec::new();
    for load in &arguments.loads {
        one_load(arguments, load, &daemons, &mut reports)?;
    }
    if !arguments.json {
        println!("{}", report::markdown(&reports));
    }
    Ok(())
}

fn present(arguments: &Arguments, programs: &Programs) -> Result<Vec<Box<dyn Daemon>>, Problem> {
    let mut daemons = Vec::new();
    for name in &arguments.daemons {
        let Some(daemon) = daemon::named(name, programs) else {
            return Err(Problem::Load(format!("no daemon is called `{name}`: {}", daemon::NAMES.join(", "))));
        };
        match daemon.program().is_file() {
            true => daemons.push(daemon),
            false => eprintln!("{name} is left out: there is no {}", daemon.program().display()),
        }
    }
    Ok(daemons)
}

fn one_load(
    arguments: &Arguments,
    load: &Load,
    daemons: &[Box<dyn Daemon>],
    reports: &mut Vec<Report>,
) -> Result<(), Problem> {
    let table = match &arguments.tables {
        None => made_up::table(load)?,
        Some(dir) => {
            let (table, left_out) = text::table(load, dir)?;
            eprintln!("{load}: {left_out} lines of the tables can't be played");
            table
        }
    };
    eprintln!(
        "{load}: {} sessions, {} routes, {} prefixes",
        load.sessions(),
        table.routes(),
        table.first_probe()
    );
    let vrps = match (arguments.vrps.as_deref(), load.news) {
        (_, News::Irr) => None,
        (Some(file), _) => Some(Vrps::read(file)?),
        (None, News::Vrps) => Some(Vrps::made_up(&table, MADE_UP_VRPS.min(load.routes))),
        (None, _) => None,
    };
    if let Some(vrps) = &vrps {
        eprintln!("{load}: {} VRPs", vrps.iter().count());
    }
    let steps = arguments.steps();
    let patience = Patience { total: arguments.patience(), silence: arguments.patience() / 4 };
    let play = Play {
        load,
        table: &table,
        announcements: (0..load.senders).map(|sender| encode::announcements(&table, sender)).collect(),
        withdrawals: table.feeds.iter().map(|feed| encode::withdrawals(&table, feed)).collect(),
        vrps: arguments.vrps.as_deref(),
        living: vrps.as_ref().filter(|_| load.news == News::Vrps).map(|vrps| (vrps, arguments.changes)),
        steps: &steps,
        patience,
        most_mib: f64::from(arguments.most_memory),
    };
    for run in 1..=arguments.runs {
        for daemon in daemons {
            eprintln!("{} {load}, run {run} of {}", daemon.name(), arguments.runs);
            if let Some(why) = daemon.declines(load) {
                eprintln!("  left out: {why}");
                continue;
            }
            let oracle = Oracle::new(load, &table, vrps.as_ref(), daemon.rigor());
            if oracle.refused() > 0 {
                eprintln!("  {} routes are invalid", oracle.refused());
            }
            match one_run(&play, daemon.as_ref(), &oracle) {
                Ok(report) => {
                    if arguments.json {
                        println!("{}", serde_json::to_string(&report).unwrap_or_default());
                    }
                    reports.push(report);
                }
                Err(Problem::Interrupted) => return Err(Problem::Interrupted),
                Err(problem) => eprintln!("  {problem}"),
            }
        }
    }
    Ok(())
}

/// Every run has a ground of its own, so that no daemon finds the last one's connections.
fn one_run(play: &Play<'_>, daemon: &dyn Daemon, oracle: &Oracle) -> Result<Report, Problem> {
    let start = Instant::now();
    let ground = Ground::new(play.load.sessions())?;
    ground.enter()?;
    let report =
        play.run(daemon, &ground, oracle, &|outcome| eprintln!("  {}", report::progress(outcome)))?;
    eprintln!(
        "  {:.0} MiB at most, {:.1} s of CPU, {:.1} s in all",
        report.usage.peak_mib,
        report.usage.cpu_s,
        start.elapsed().as_secs_f64()
    );
    Ok(report)
}
