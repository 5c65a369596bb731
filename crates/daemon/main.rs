//! The `palisade` program: what is asked for on the command line, and how it ends.
//!
//! Exit codes: 0, done; 1, an error, which is told on standard error; 2, the command line makes no sense.

mod check;
mod config;
mod control;
mod input;
mod judging;
mod lab;
mod logs;
mod members;
mod mrt;
mod replay;
mod run;
mod sample;
mod show;
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
    /// Put MRT archives through the judge
    Replay(replay::Arguments),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Lab(arguments) => lab::run(&arguments),
        Command::Run(arguments) => run::command::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
    }
}
