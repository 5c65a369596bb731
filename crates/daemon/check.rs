//! `palisade check`: reads a configuration as `palisade run` would, and says what it would do.
//!
//! Errors are what keeps `run` from starting; warnings are what it would start with, though it is probably not meant.
//! The files that the configuration names are read as `run` reads them; with `--no-files`
//! nothing but the text is looked at, which takes no time.

mod actions;
mod bogons;
mod irr;
mod members;
mod peer;
mod peeringdb;
mod report;
mod rpki;
mod rules;
mod text;
mod warning;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::{Config, ConfigError};
use crate::judging::{self, Tables};
use crate::run::passwords;
use crate::terminal;

use report::{Report, Told};

/// What can be asked of `palisade check`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The configuration
    #[arg(short, long, value_name = "FILE", default_value = crate::CONFIG)]
    config: PathBuf,
    /// Show every check of every peer, how it is taken, and what says so
    #[arg(short, long)]
    explain: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Look at the text alone, not at the files that it names
    #[arg(long)]
    no_files: bool,
}

/// Checks, and prints what was found. Fails where there are errors.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match read(arguments) {
        Ok((config, tables)) => {
            show(&config, tables, arguments);
            ExitCode::SUCCESS
        }
        Err(error) => {
            if arguments.json {
                print_json(&Report::invalid(&arguments.config, told(&error)));
            } else {
                terminal::tell(&error);
            }
            ExitCode::FAILURE
        }
    }
}

/// The configuration, and its tables where they are asked for.
fn read(arguments: &Arguments) -> Result<(Config, Option<Tables>), ConfigError> {
    if arguments.no_files {
        return Ok((Config::load_text(&arguments.config)?, None));
    }
    let mut config = Config::load(&arguments.config)?;
    passwords::read(&config)?;
    let tables = judging::tables(&config)?;
    config.peers = judging::resolved_peers(&config, &tables.networks.state().facts);
    Ok((config, Some(tables)))
}

fn show(config: &Config, tables: Option<Tables>, arguments: &Arguments) {
    let mut warnings = warning::warnings(config, tables.as_ref().map(|tables| &tables.snapshot));
    warnings.extend(tables.iter().flat_map(|tables| tables.warnings.iter().cloned()));
    let report = Report::valid(config, tables.as_ref(), &warnings, arguments.explain);
    if arguments.json {
        return print_json(&report);
    }
    for warning in &warnings {
        terminal::tell(warning);
    }
    terminal::print(&text::summary(&report));
}

fn told(error: &ConfigError) -> Vec<Told> {
    match error {
        ConfigError::Source(_) => vec![Told::diagnostic(error)],
        ConfigError::Invalid { problems, .. } => problems.iter().map(Told::problem).collect(),
    }
}

fn print_json(report: &Report) {
    let text =
        serde_json::to_string_pretty(report).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    terminal::print(&(text + "\n"));
}
