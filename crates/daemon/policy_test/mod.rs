//! `palisade test`: tests of a policy, as files for an operator's own continuous integration.
//!
//! ```text
//!   edge.toml (configuration) --.
//!                                >-- a router that is played --Explanation--> compared with what must be
//!   tests/edge.toml (tests) ----'
//! ```
//!
//! A test is an announcement, a peer, and what must come of it: whether it is accepted and why not, what import makes of it, and
//! to whom it goes. What fails is explained as `palisade explain` does, for it is the same value. Exit codes: 0, all
//! hold; 1, one does not, or can't be read.

mod case;
mod file;
mod inline;
mod outcome;
mod report;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::terminal;

use file::TestFile;
use report::{Report, Tested};

/// Files that a folder may have.
const MOST_FILES: usize = 10_000;

/// What can be asked of `palisade test`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Files of tests, and folders of them
    #[arg(value_name = "FILE", required = true)]
    paths: Vec<PathBuf>,
    /// The configuration to test, instead of the one that a file names
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Why tests could not be run.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum TestError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Config(#[from] ConfigError),
    #[error("{0} does not say which configuration it is about")]
    #[diagnostic(help("write `config = \"edge.toml\"` at its head, or name one with --config"))]
    NoConfig(String),
    #[error("{0} has no peers, so nothing can be announced to it")]
    NoPeers(String),
    #[error("{0}: there are no tests")]
    #[diagnostic(help("tests are files whose names end in .toml: `palisade test --help`"))]
    NoTest(String),
    #[error("{} can't be read: {fault}", path.display())]
    Folder { path: PathBuf, fault: io::Error },
}

/// Runs tests, and prints what came of them.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let files = match files(&arguments.paths) {
        Ok(files) => files,
        Err(error) => {
            terminal::tell(&error);
            return ExitCode::FAILURE;
        }
    };
    let mut report = Report::default();
    for path in files {
        match test(&path, arguments.config.as_deref()) {
            Ok(tested) => report.add(tested),
            Err(error) => {
                terminal::tell(&error);
                report.unread += 1;
            }
        }
    }
    terminal::print(&if arguments.json { report.json() } else { report.to_string() });
    if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn test(path: &Path, config: Option<&Path>) -> Result<Tested, TestError> {
    let outcomes = TestFile::read(path)?.run(config)?;
    Ok(Tested { file: path.display().to_string(), outcomes })
}

/// The files that are named, and those of the folders that are, in the order of their names.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, TestError> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let unreadable = |fault| TestError::Folder { path: path.clone(), fault };
        let entries = fs::read_dir(path).map_err(unreadable)?.take(MOST_FILES);
        let entries = entries.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        let mut found: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
        found.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        if found.is_empty() {
            return Err(TestError::NoTest(path.display().to_string()));
        }
        found.sort();
        files.extend(found);
    }
    Ok(files)
}
