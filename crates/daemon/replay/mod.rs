//! `palisade replay`: MRT archives through the judge.
//!
//! ```text
//!   MRT files --mrt::Reader--> Judging (a Visitor) --> Tally --> Summary --> text or JSON
//!                                   |
//!              Roster, Snapshot ----+--> Routes: one line a route
//! ```
//!
//! Every announcement is judged as its peer would be judged on a session, by the same function and the same tables; nothing
//! is decided here. What can't be read of an archive is told and left out: the rest counts. With `--strict` it is an error.

mod prefixes;
pub(crate) mod progress;
pub(crate) mod roster;
mod routes;
mod summary;
mod tally;
mod visitor;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use crate::input::{Input, InputError};
use crate::judging::named::{Named, NamedError};
use crate::mrt::{Fault, Reader};
use crate::terminal::{self, grouped};

use progress::Progress;
use roster::Roster;
use routes::Routes;
use summary::Summary;
use visitor::Judging;

/// What can be asked of `palisade replay`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Judge the peers in this configuration as it says, by the tables that it names
    ///
    /// A peer of the archive is the configuration's by its address, or else by its AS. Others, and all without this, are judged
    /// as providers are: they may announce everything, but nothing that is wrong.
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where there are route objects, a peer that is in no configuration may announce what has one, whoever its origin is.
    #[command(flatten)]
    named: Named,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
    /// Write a line for each route judged: prefix|peer AS|AS path|accept or reject|reason|valid, invalid or not-found
    ///
    /// To `-`, standard output, they go alone, and the summary goes to standard error.
    #[arg(long, value_name = "FILE")]
    routes: Option<PathBuf>,
    /// Fail where anything is damaged or cut short
    #[arg(long)]
    strict: bool,
    /// RIB dumps and updates in MRT, plain or compressed (gzip, bzip2, zstd); `-` is standard input
    #[arg(value_name = "MRT", required = true)]
    mrt: Vec<PathBuf>,
}

/// What keeps a replay from being done.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum ReplayError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Named(#[from] NamedError),
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("{} can't be written: {source}", path.display())]
    Routes { path: PathBuf, source: io::Error },
    #[error("{0} holds no MRT record")]
    #[diagnostic(help(
        "MRT is what RIS, RouteViews and the daemons' `dump` commands write; is it another kind of file?"
    ))]
    NotMrt(String),
    #[error("{0}")]
    Unreadable(String),
    #[error("{} left out, which --strict does not allow", damaged_parts(*.0))]
    Strict(u64),
}

/// Replays, and prints what it came to. Fails where a file can't be read at all, or with `--strict` not wholly.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match replay(arguments) {
        Ok(errors) if errors.is_empty() => ExitCode::SUCCESS,
        Ok(errors) => {
            errors.iter().for_each(|error| terminal::tell(error));
            ExitCode::FAILURE
        }
        Err(error) => {
            terminal::tell(&error);
            ExitCode::FAILURE
        }
    }
}

/// The errors of single files, which keep nothing else from being replayed.
fn replay(arguments: &Arguments) -> Result<Vec<ReplayError>, ReplayError> {
    let sizes = arguments.mrt.iter().map(|path| Input::look_at(path)).collect::<Result<Vec<_>, _>>()?;
    let total = sizes.into_iter().sum();
    let (config, snapshot) = arguments.named.read(arguments.config.as_deref())?;
    let routes = arguments.routes.as_deref().map(open_routes).transpose()?;

    let mut judging = Judging::new(&snapshot, Roster::new(config.as_ref(), &snapshot), routes);
    let began = Instant::now();
    let mut errors = read_all(&arguments.mrt, Progress::new(total), &mut judging);
    let summary = Summary::new(&judging, arguments.mrt.len(), began.elapsed());

    if let (Some(path), Some(routes)) = (&arguments.routes, judging.routes.take()) {
        routes.finish().map_err(|source| ReplayError::Routes { path: path.clone(), source })?;
    }
    if errors.len() < arguments.mrt.len() {
        print(&summary, arguments);
    }
    tell_damages(&judging);
    if arguments.strict && judging.tally.damaged > 0 {
        errors.push(ReplayError::Strict(judging.tally.damaged));
    }
    Ok(errors)
}

fn open_routes(path: &Path) -> Result<Routes, ReplayError> {
    Routes::open(path).map_err(|source| ReplayError::Routes { path: path.into(), source })
}

/// Reads one file after another, until nobody wants more.
fn read_all(paths: &[PathBuf], mut progress: Progress, judging: &mut Judging<'_>) -> Vec<ReplayError> {
    let mut reader = Reader::new();
    let mut errors = Vec::new();
    for path in paths {
        if judging.routes.as_ref().is_some_and(Routes::has_failed) {
            break;
        }
        match Input::open(path) {
            Ok(input) => errors.extend(read_one(input, &mut reader, &mut progress, judging)),
            Err(error) => errors.push(error.into()),
        }
    }
    progress.finish();
    errors
}

/// Reads a file. Where there is something in it and no record at all, it is the wrong file, not a damaged one.
fn read_one(
    input: Input,
    reader: &mut Reader,
    progress: &mut Progress,
    judging: &mut Judging<'_>,
) -> Option<ReplayError> {
    let name = input.name().to_owned();
    judging.file.clone_from(&name);
    judging.last_fault = None;
    let damaged_before = judging.tally.damaged;
    let records = reader.read(progress.watch(input), judging);
    judging.tally.records += records;
    let error = match judging.last_fault.take().filter(|_| records == 0)? {
        Fault::CutInput(_) => return None,
        Fault::Unreadable(why) => ReplayError::Unreadable(why),
        _ => ReplayError::NotMrt(name),
    };
    judging.tally.forget_damages(damaged_before);
    Some(error)
}

fn print(summary: &Summary, arguments: &Arguments) {
    let text = match arguments.json {
        // A summary has nothing in it that JSON can't say.
        true => serde_json::to_string_pretty(summary).unwrap_or_default() + "\n",
        false => summary.to_string(),
    };
    let is_taken = arguments.routes.as_ref().is_some_and(|path| path.as_os_str() == "-");
    if is_taken { eprint!("{text}") } else { terminal::print(&text) }
}

/// Says what was left out: the first few, and how many more.
fn tell_damages(judging: &Judging<'_>) {
    let tally = &judging.tally;
    if tally.damaged == 0 {
        return;
    }
    let mut text = format!("\nwarning: {} left out\n", damaged_parts(tally.damaged));
    for located in &tally.damages {
        text += &match &located.damage.fault {
            Fault::CutInput(why) | Fault::Unreadable(why) => format!("  {why}\n"),
            fault => format!("  {}, unpacked offset {}: {fault}\n", located.file, located.damage.offset),
        };
    }
    match tally.damaged - tally.damages.len() as u64 {
        0 => {}
        more => text += &format!("  and {} more\n", grouped(more)),
    }
    eprint!("{text}");
}

fn damaged_parts(count: u64) -> String {
    if count == 1 { "1 damaged part was".into() } else { format!("{} damaged parts were", grouped(count)) }
}

#[cfg(test)]
mod tests;
