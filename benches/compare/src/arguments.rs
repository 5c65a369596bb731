//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::daemon;
use crate::load::Load;
use crate::phase::Step;

/// Plays the same routes to BGP daemons, one after the other, and says how long each took and whether it was right.
///
/// The daemons run in a network namespace, the sessions in another; both are made, and removed in the end. Needs root and
/// iproute2. Daemons that aren't installed are left out. What each phase is doing is told on standard error, the table in the
/// end on standard output.
#[derive(Debug, clap::Parser)]
#[command(
    name = "palisade-compare",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub(crate) struct Arguments {
    /// What to play: fullK (K providers with the whole table, one listener), livingK (the same while VRPs change), irrK (while the
    /// IRR does), rsN (a route server with N members), actionsN (the same
    /// with action communities in use by all), rs700 (700 members, 400,000 routes, action communities); xM behind it gives
    /// the routes of each sender: rs50x4000
    #[arg(required = true, value_name = "LOAD")]
    pub(crate) loads: Vec<Load>,

    /// Which daemons, in this order
    #[arg(long, value_delimiter = ',', default_values = daemon::NAMES, value_name = "NAME")]
    pub(crate) daemons: Vec<String>,

    /// How often each is measured; the table has the medians
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub(crate) runs: usize,

    /// What to play of each load; all of it where nothing is said
    #[arg(long, value_delimiter = ',', value_name = "STEP")]
    pub(crate) steps: Vec<Step>,

    /// Prints each run as a line of JSON, in place of the table
    #[arg(long)]
    pub(crate) json: bool,

    /// Tables to play: a folder with a text file a sender, of lines `prefix|AS path|communities`; made up where there is none
    #[arg(long, value_name = "DIR")]
    pub(crate) tables: Option<PathBuf>,

    /// Has routes validated by these VRPs, in rpki-client's JSON. Palisade reads them from the file, the others from stayrtr;
    /// in livingK all get them by RTR from the harness's own cache
    #[arg(long, value_name = "FILE")]
    pub(crate) vrps: Option<PathBuf>,

    /// How often a single VRP changes in livingK
    #[arg(long, default_value_t = 52, value_name = "N")]
    pub(crate) changes: usize,

    /// Palisade's program
    #[arg(long, default_value = "target/release/palisade", value_name = "PATH")]
    pub(crate) palisade: PathBuf,

    /// How long a phase may take, in seconds; a quarter of it without any news ends it too
    #[arg(long, default_value_t = 240, value_name = "SECONDS")]
    pub(crate) timeout: u64,

    /// The most memory that a daemon may use, in MiB: one that uses more is ended
    #[arg(long, default_value_t = 8_192, value_name = "MIB")]
    pub(crate) most_memory: u32,

    /// Another thing to do
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What else this program is.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// The least that a BGP daemon could do: copies each UPDATE unread to all other sessions
    Floor {
        /// Where it listens
        listen: SocketAddr,
        /// Copies to this address alone
        #[arg(long)]
        only_to: Option<IpAddr>,
    },
}

impl Arguments {
    /// The steps to play.
    pub(crate) fn steps(&self) -> Vec<Step> {
        if self.steps.is_empty() { Step::ALL.to_vec() } else { self.steps.clone() }
    }

    /// How long a phase may take.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}
