//! `palisade plan`: what a new configuration would change, before it does.
//!
//! ```text
//!   MRT archives ---- announcements --.                 .--> counts by reason and by peer, a list
//!                                      >-- OLD, NEW ---<
//!   running router -- its paths ------'   both judge    '--> exit code
//! ```
//!
//! Every route is judged by both, each with its own tables, by the same function as the router's. Exit codes: 0, nothing
//! changes; 3, something does; 1, an error. What is rejected as before for another reason is shown and is no change.

mod archives;
mod ledger;
mod live;
mod report;
mod side;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::{CONTROL_SOCKET, ConfigError};
use crate::control::client::AskError;
use crate::input::InputError;
use crate::terminal::{self, grouped};

use archives::Damages;
use ledger::Ledger;
use report::Report;
use side::Side;

/// That something changes.
const CHANGES: u8 = 3;

/// What can be asked of `palisade plan`.
#[derive(clap::Args)]
#[command(after_help = "Exit codes: 0, nothing changes; 3, something does; 1, an error")]
pub(crate) struct Arguments {
    /// The configuration as it is; with --live, what the router decided holds without it
    #[arg(long, value_name = "FILE", required_unless_present = "live")]
    from: Option<PathBuf>,
    /// The configuration as it is to be
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Look at the routes that the running router holds
    #[arg(long, conflicts_with = "mrt")]
    live: bool,
    /// The control socket of the router
    #[arg(long, value_name = "FILE", default_value = CONTROL_SOCKET)]
    socket: PathBuf,
    /// List the routes that change, too: - newly rejected, + newly accepted, ~ other attributes, = another reason
    #[arg(long)]
    list: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Look at the routes in these archives: of each the last announcement counts
    #[arg(value_name = "MRT", required_unless_present = "live")]
    mrt: Vec<PathBuf>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum PlanError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Ask(#[from] AskError),
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("{0} holds no MRT record")]
    #[diagnostic(help(
        "MRT is what RIS, RouteViews and the daemons' `dump` commands write; is it another kind of file?"
    ))]
    NotMrt(String),
    #[error("there is nothing to compare with")]
    #[diagnostic(help("name the configuration as it is with --from"))]
    NoOld,
}

/// Plans, and prints what it comes to.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match plan(arguments) {
        Ok(report) => {
            terminal::print(&if arguments.json { report.json() } else { report.to_string() });
            if report.changes { ExitCode::from(CHANGES) } else { ExitCode::SUCCESS }
        }
        Err(error) => {
            terminal::tell(&error);
            ExitCode::FAILURE
        }
    }
}

fn plan(arguments: &Arguments) -> Result<Report, PlanError> {
    let mut new = Side::read(&arguments.to)?;
    let mut old = arguments.from.as_deref().map(Side::read).transpose()?;
    let ledger: Ledger = if arguments.live {
        live::read(&arguments.socket, old.as_ref(), &new, arguments.list)?
    } else {
        let old = old.as_mut().ok_or(PlanError::NoOld)?;
        let (ledger, damages) = archives::read(&arguments.mrt, old, &mut new, arguments.list)?;
        tell(&damages);
        ledger
    };
    let from = old.as_ref().map_or("the running router", Side::name);
    Ok(Report::new(from, new.name(), &ledger, arguments.list))
}

fn tell(damages: &Damages) {
    if damages.count > 0 {
        terminal::remark(&format!("warning: {} damaged parts were left out", grouped(damages.count)));
        damages.told.iter().for_each(|told| terminal::remark(&format!("  {told}")));
    }
}
