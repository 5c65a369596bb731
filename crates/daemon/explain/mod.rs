//! `palisade explain`: why a route is as it is, or what would become of one.
//!
//! ```text
//!   PREFIX --> the running router: its paths, tables, peers ----\
//!                                                                >-- judge with a Trace --> Explanation --> text, JSON
//!   PREFIX --> --config: its files, and a table for a moment ---/
//! ```
//!
//! The judge is asked again, with a recorder, so that there is an answer at any time and of any route; nothing about a
//! path is kept for it. What is asked of a running router is answered by that router (`control/explaining.rs`).

pub(crate) mod explanation;
pub(crate) mod judged;
mod live;
pub(crate) mod offline;
pub(crate) mod standing;
pub(crate) mod text;

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::announcement::Announcement;
use crate::config::CONTROL_SOCKET;
use crate::terminal;

use crate::control::answer::Refusal;
use crate::control::client::AskError;
use crate::control::request::ExplainRequest;
use crate::judging::named::{Named, NamedError};
use explanation::Explanation;
use text::Detail;

/// What can be asked of `palisade explain`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A prefix; or an address, for the longest prefix that the router holds for it
    prefix: String,
    /// The path of this peer alone; or the peer that is supposed to send one
    #[arg(long, value_name = "NAME")]
    peer: Option<String>,
    #[command(flatten)]
    supposed: Supposed,
    /// Judge by this configuration and the tables that it names, without a router
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    named: Named,
    /// The control socket of the router
    #[arg(long, value_name = "FILE", default_value = CONTROL_SOCKET)]
    socket: PathBuf,
    /// Show the checks that it passes, too, and lists in full
    #[arg(long)]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// An announcement that nobody made. With any of these, what would become of it is explained.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Suppose an announcement")]
struct Supposed {
    /// Of this origin AS, through the peer
    #[arg(long, value_name = "AS", value_parser = asn, conflicts_with = "path")]
    origin: Option<u32>,
    /// With this AS path: "64501 64502 {64503,64504}"
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// With these communities: 64500:1, 64500:1:2, rt:64500:1, ro:64500:1, blackhole, no-export
    #[arg(long, value_name = "COMMUNITY", num_args = 1..)]
    communities: Vec<String>,
    /// With this next hop
    #[arg(long, value_name = "ADDRESS")]
    next_hop: Option<IpAddr>,
    /// With this MULTI_EXIT_DISC
    #[arg(long, value_name = "NUMBER")]
    med: Option<u32>,
    /// With this ONLY_TO_CUSTOMER
    #[arg(long, value_name = "AS", value_parser = asn)]
    otc: Option<u32>,
}

fn asn(text: &str) -> Result<u32, String> {
    text.parse::<palisade_bgp::Asn>().map(|asn| asn.0).map_err(|error| error.to_string())
}

impl Supposed {
    fn announcement(&self) -> Announcement {
        Announcement {
            as_path: self.path.clone(),
            origin: self.origin,
            next_hop: self.next_hop,
            communities: self
                .communities
                .iter()
                .flat_map(|words| words.split_whitespace())
                .map(String::from)
                .collect(),
            med: self.med,
            local_pref: None,
            only_to_customer: self.otc,
        }
    }
}

/// Why nothing is explained.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum ExplainError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Ask(#[from] AskError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Named(#[from] NamedError),
    #[error("{0}")]
    #[diagnostic(help("{}", .0.help.as_deref().unwrap_or("`palisade explain --help` tells what can be asked")))]
    Refused(Refusal),
    #[error("`--vrps` and `--irr` are for judging without a router")]
    #[diagnostic(help("name the configuration to judge by with --config, too"))]
    NamedWithoutConfig,
}

impl From<Refusal> for ExplainError {
    fn from(refusal: Refusal) -> Self {
        ExplainError::Refused(refusal)
    }
}

/// Explains, and prints what there is to say.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let request = ExplainRequest {
        prefix: arguments.prefix.clone(),
        peer: arguments.peer.clone(),
        suppose: Some(arguments.supposed.announcement()).filter(|announcement| !announcement.is_empty()),
    };
    let explained = match &arguments.config {
        Some(config) => offline::explain(config, &arguments.named, &request),
        None if !arguments.named.is_empty() => Err(ExplainError::NamedWithoutConfig),
        None => live::explain(&arguments.socket, request),
    };
    match explained {
        Ok(explanations) => {
            terminal::print(&printed(&explanations, arguments));
            ExitCode::SUCCESS
        }
        Err(error) => {
            terminal::tell(&error);
            ExitCode::FAILURE
        }
    }
}

fn printed(explanations: &[Explanation], arguments: &Arguments) -> String {
    if arguments.json {
        // An explanation has nothing in it that JSON can't say.
        return serde_json::to_string_pretty(explanations).unwrap_or_default() + "\n";
    }
    let detail = if arguments.all { Detail::All } else { Detail::Matters };
    explanations.iter().map(|one| text::text(one, detail)).collect::<Vec<_>>().join("\n")
}
