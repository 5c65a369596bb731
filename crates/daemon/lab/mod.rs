//! `palisade lab`: a whole router, with peers that play recorded routing to it.
//!
//! ```text
//!   sample or MRT --> script --> players --BGP over TCP--> router --> kernel (a network of its own, or in memory)
//!                                   listener <---------------'  `--> scene --> view, summary
//!                                                 setting: configuration, VRPs, IRR
//! ```
//!
//! Nothing in the router knows that it is played to: its sessions, judge, table and FIB are those of `palisade run`. The
//! players use the same session machine from the other end. What came of the sample is held against what its author meant;
//! with archives of one's own the numbers have to speak for themselves.

mod cast;
mod expected;
mod ground;
mod play;
mod player;
mod scene;
mod script;
mod setting;
mod stage;
mod summary;
mod survey;
mod view;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use palisade_fib::namespace::{Entered, NamespaceError};
use palisade_fib::{FibError, KernelError};
use tracing::Level;

use crate::config::ConfigError;
use crate::input::InputError;
use crate::judging::tables::TableError;
use crate::run::StartError;
use crate::{logs, terminal};

use cast::{Cast, Material};
use ground::Ground;
use play::Ending;
use setting::Setting;
use summary::{Summary, some, wrapped};

/// The seed of the sample, unless another is given.
const SEED: u64 = 1;

/// What can be asked of `palisade lab`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Play the peers of these MRT archives instead of the sample's: the 16 that announce most, as providers
    #[arg(long, value_name = "FILE")]
    mrt: Vec<PathBuf>,
    /// VRPs to judge by instead of the sample's: rpki-client's or Routinator's JSON, or CSV
    #[arg(long, value_name = "FILE")]
    vrps: Vec<PathBuf>,
    /// An IRR database in RPSL to judge by instead of the sample's
    #[arg(long, value_name = "FILE")]
    irr: Vec<PathBuf>,
    /// Make another sample: each seed makes its own
    #[arg(long, default_value_t = SEED, conflicts_with = "mrt")]
    seed: u64,
    /// Keep the router up until Ctrl-C, to look around
    #[arg(long)]
    hold: bool,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
    /// Write the sample's files to a folder, too: MRT, VRPs, RPSL and a configuration
    #[arg(long, value_name = "DIR", conflicts_with = "mrt")]
    sample_dir: Option<PathBuf>,
    /// Print the configuration that the router would run with, and stop
    #[arg(long)]
    show_config: bool,
    /// Say whether the system gives namespaces
    #[arg(long, hide = true)]
    try_namespaces: bool,
}

/// What keeps the lab from being played.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum LabError {
    #[error("the lab reads an archive twice, which standard input can't be")]
    #[diagnostic(help("write it to a file first, and name that"))]
    ReadTwice,
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("{0}")]
    Unreadable(String),
    #[error("{0} holds no MRT record")]
    #[diagnostic(help(
        "MRT is what RIS, RouteViews and the daemons' `dump` commands write; is it another kind of file?"
    ))]
    NotMrt(String),
    #[error("nobody announces anything in these archives")]
    #[diagnostic(help("name a RIB dump, or a file of updates"))]
    NobodySpeaks,
    #[error(transparent)]
    #[diagnostic(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("the sample can't be read: {0}")]
    Sample(io::Error),
    #[error("the sample can't be written to {}: {fault}", folder.display())]
    SampleDir { folder: PathBuf, fault: io::Error },
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    #[error("nothing can be listened on at 127.0.0.1: {0}")]
    #[diagnostic(help("the lab needs the loopback: is `lo` up?"))]
    Loopback(io::Error),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Start(#[from] StartError),
    #[error("the routes can't be kept: {0}")]
    Fib(FibError),
    #[error("the kernel can't be asked what is left: {0}")]
    Kernel(KernelError),
    #[error("a thread can't be started: {0}")]
    Thread(io::Error),
    #[error("after {seconds} s these sessions are not up: {sessions}\n{faults}")]
    #[diagnostic(help("PALISADE_LOG=debug tells what they try"))]
    NotUp { seconds: u64, sessions: String, faults: String },
    #[error("{0} routes are still in the kernel after the router has stopped")]
    LeftBehind(usize),
}

/// Plays, and prints what came of it. Fails where it could not be played, or did not go as it should.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    if arguments.try_namespaces {
        return ground::attempt();
    }
    logs::start(Level::ERROR);
    match lab(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            terminal::tell(&error);
            ExitCode::FAILURE
        }
    }
}

/// Whether all went as it should.
fn lab(arguments: &Arguments) -> Result<bool, LabError> {
    // Before there is any other thread.
    let ground = Ground::take();
    let cast = match arguments.mrt.as_slice() {
        [] => Cast::of_sample(arguments.seed),
        files => Cast::of_archives(files)?,
    };
    if let (Some(folder), Material::Sample(sample, _)) = (&arguments.sample_dir, &cast.material) {
        let write = || std::fs::create_dir_all(folder).and_then(|()| sample.write_to(folder));
        write().map_err(|fault| LabError::SampleDir { folder: folder.clone(), fault })?;
        tell_sample(folder);
    }
    let setting = Setting::new(&cast, &ground, &arguments.vrps, &arguments.irr)?;
    if arguments.show_config {
        terminal::print(setting.text());
        return Ok(true);
    }
    introduce(&cast, &ground, &setting);
    let own_tables = arguments.vrps.is_empty() && arguments.irr.is_empty();
    let expected = match &cast.material {
        Material::Sample(sample, _) if own_tables => Some(expected::expect(sample, &setting)?),
        _ => None,
    };
    let hold = |summary: &Summary, control: Option<&Path>| {
        print(summary, arguments.json);
        if arguments.hold {
            tell_hold(&ground, control);
        }
        arguments.hold
    };
    match play::play(&ground, &cast, &setting, expected.as_ref(), hold)? {
        Ending::Played(is_good) => {
            if arguments.hold {
                terminal::remark("Stopped: the sessions are closed, and the routes are out of the kernel.");
            }
            Ok(is_good)
        }
        Ending::Interrupted => {
            terminal::remark("Interrupted: the router is stopped, and nothing is left behind.");
            Ok(false)
        }
    }
}

fn print(summary: &Summary, json: bool) {
    let text = match json {
        // A summary has nothing in it that JSON can't say.
        true => serde_json::to_string_pretty(summary).unwrap_or_default() + "\n",
        false => summary.to_string(),
    };
    terminal::print(&text);
}

/// What is about to be played, on standard error.
fn introduce(cast: &Cast, ground: &Ground, setting: &Setting) {
    let material = match &cast.material {
        Material::Sample(_, seed) => format!("a made-up Internet (seed {seed})"),
        Material::Archives(files, _) if files.len() == 1 => "an archive".into(),
        Material::Archives(files, _) => format!("{} archives", files.len()),
    };
    let (peers, asn) = (some(cast.parts.len() as u64, "peer", "s"), cast.local_asn);
    let tables = &setting.tables;
    let judged_by = format!(
        "It judges by {} and {}.",
        some(tables.rov.len() as u64, "VRP", "s"),
        some(tables.irr.len() as u64, "route object", "s")
    );
    let where_it_is = match ground {
        Ground::Namespaces(_) => "It and its kernel routes are in a network namespace of their own.".into(),
        Ground::Loopback { because } => format!("Its routes go into a kernel in memory, because {because}."),
    };
    let introduction = format!(
        "A router, {asn}, and {peers} to play {material} to it; one more listens. {judged_by} {where_it_is}"
    );
    terminal::remark(&(wrapped(&introduction, "") + "\n"));
}

fn tell_sample(folder: &Path) {
    let folder = folder.display();
    terminal::remark(&format!(
        "The sample is in {folder}; `palisade replay --config {folder}/palisade.toml {folder}/*.mrt` judges it offline."
    ));
}

/// How to look around while the router stays up.
fn tell_hold(ground: &Ground, control: Option<&Path>) {
    let pid = std::process::id();
    let enter = match ground {
        Ground::Namespaces(Entered::Network) => Some("--net"),
        Ground::Namespaces(Entered::UserAndNetwork) => Some("--user --preserve-credentials --net"),
        Ground::Loopback { .. } => None,
    };
    terminal::remark("\nThe router stays up; Ctrl-C ends it. From another terminal:");
    if let Some(socket) = control.map(Path::display) {
        terminal::remark(&format!("  palisade show --socket {socket} peers"));
        terminal::remark(&format!("  palisade show --socket {socket} routes --filtered"));
    }
    if let Some(enter) = enter {
        terminal::remark(&format!("  nsenter --target {pid} {enter} ip route"));
        terminal::remark(&format!("  nsenter --target {pid} {enter} ip -6 route"));
    }
    terminal::remark("  palisade lab --show-config                    what it runs with");
    terminal::remark("  PALISADE_LOG=info palisade lab --hold         the same again, with its log");
}
