//! The `palisade` program: what is asked for on the command line, and how it ends.
//!
//! Exit codes: 0, done; 1, an error, which is told on standard error; 2, the command line makes no sense.

mod announcement;
mod check;
mod config;
mod control;
mod explain;
mod feeds;
mod input;
mod irr;
mod json;
mod judging;
mod lab;
mod logs;
mod members;
mod metrics;
mod mrt;
mod plan;
mod played;
mod policy_test;
mod replay;
mod run;
mod sample;
mod secret;
mod service;
mod show;
mod tell;
mod terminal;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Threads that take a table in and others that give it away would leave the C library's allocator with holes.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The configuration, unless another is named.
pub(crate) const CONFIG: &str = "/etc/palisade/palisade.toml";

/// A BGP router and route server that checks where every route comes from before it believes it
#[derive(Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Try it: a whole router with peers that play recorded routing, without privileges
    Lab(lab::Arguments),
    /// Run the router or route server that a configuration describes
    Run(run::command::Arguments),
    /// Read a configuration, and say what is wrong with it and what it would do
    Check(check::Arguments),
    /// Ask the running router: its peers, and their routes with what became of them
    Show(show::Arguments),
    /// Say why a route is accepted or rejected: one that is held, or one that somebody might send
    Explain(explain::Arguments),
    /// Test a configuration: what announcements must come to, written down in files
    Test(policy_test::Arguments),
    /// Say what a new configuration would change, before it does
    Plan(plan::Arguments),
    /// Have the running router do something about a peer's session: disable, enable, reset, refresh
    Peer(tell::PeerArguments),
    /// Have the running router read its configuration again; sessions stay up
    Reload(tell::ReloadArguments),
    /// Have the running router believe a source whose data it holds back
    Confirm(tell::ConfirmArguments),
    /// What as-sets, route-sets and AS numbers come to, by the registry
    Irr(irr::Arguments),
    /// Put MRT archives through the judge
    Replay(replay::Arguments),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Lab(arguments) => lab::run(&arguments),
        Command::Run(arguments) => run::command::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Test(arguments) => policy_test::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Peer(arguments) => tell::peer(&arguments),
        Command::Reload(arguments) => tell::reload(&arguments),
        Command::Confirm(arguments) => tell::confirm(&arguments),
        Command::Irr(arguments) => irr::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
    }
}
