//! `palisade irr`: what an as-set, a route-set or an AS comes to, by the registry.
//!
//! ```text
//!   --server, or [irr] whois  --online--.
//!                                        >--> Found --aggregate--> Listing --print--> text
//!   --dump, or [irr] dumps    --offline-'
//! ```
//!
//! It is for building filters of other routers, and for looking what Palisade would make of a peer's as-set; the router
//! itself has no use for lists of prefixes. What it prints is whole or nothing: an object that nobody has, a server that
//! breaks off and a set that comes to nothing are errors, because an empty filter has been taken for "everything" often
//! enough.

mod aggregate;
mod object;
mod offline;
mod online;
mod print;

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use miette::Diagnostic;
use palisade_bgp::{Asn, Family};
use palisade_policy::PrefixRange;
use palisade_policy::expansion::Truncation;

use crate::config::{Config, ConfigError};
use crate::feeds::irr::whois::client::{Server, WhoisError};
use crate::feeds::irr::whois::question::Sources;
use crate::judging::tables::TableError;
use crate::{CONFIG, terminal};

use object::Object;
use online::LookupError;
use print::{Content, Format, Listing};

/// Who is asked where there is no configuration that says it.
const DEFAULT_SERVER: &str = "whois.radb.net";

/// How often progress is drawn, at most.
const DRAWN_EVERY: Duration = Duration::from_millis(100);

/// Missing sets that are named.
const NAMED: usize = 5;

/// What `irr` is asked on the command line.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  palisade irr AS-EXAMPLE\n  palisade irr --format bird -4 --aggregate RIPE::AS-EXAMPLE\n  \
    palisade irr --asns --server whois.example.net AS-EXAMPLE\n  palisade irr --dump ripe.db.route.gz --dump ripe.db.as-set.gz AS-EXAMPLE"
)]
pub(crate) struct Arguments {
    /// As-sets, route-sets and AS numbers: AS-EXAMPLE, RIPE::AS-EXAMPLE, RS-EXAMPLE, AS64500
    #[arg(required = true, value_name = "OBJECT")]
    objects: Vec<Object>,
    /// IPv4 prefixes only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    ipv4: bool,
    /// IPv6 prefixes only
    #[arg(short = '6', long)]
    ipv6: bool,
    /// The AS numbers that they come to, instead of prefixes
    #[arg(long, conflicts_with_all = ["ipv4", "ipv6", "aggregate", "max_length"])]
    asns: bool,
    /// How it is written
    #[arg(long, value_enum, default_value = "plain")]
    format: Format,
    /// Print JSON: the same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// The name of the set, instead of the first object's
    #[arg(long, value_name = "NAME", value_parser = set_name)]
    name: Option<String>,
    /// Write fewer ranges of more-specifics for the same prefixes
    #[arg(long)]
    aggregate: bool,
    /// Leave longer prefixes out: IPv4's longest, and behind a comma IPv6's, as in 24,48
    #[arg(long, value_name = "LENGTH[,LENGTH]", value_parser = max_length)]
    max_length: Option<MaxLength>,
    /// Ask this server, which speaks IRRd's protocol
    #[arg(short = 's', long, value_name = "HOST[:PORT]", conflicts_with = "dumps")]
    server: Option<Server>,
    /// The registries, in the order in which a set is looked for: RIPE,RADB
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    sources: Vec<String>,
    /// Read this registry's dump, and others so named, instead of asking a server
    #[arg(long = "dump", value_name = "FILE")]
    dumps: Vec<PathBuf>,
    /// A configuration: its dumps are read, or its server is asked
    #[arg(long, value_name = "FILE", conflicts_with_all = ["server", "dumps"])]
    config: Option<PathBuf>,
}

/// The longest prefixes that are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MaxLength {
    first: u8,
    second: Option<u8>,
}

fn max_length(text: &str) -> Result<MaxLength, String> {
    let length =
        |text: &str| text.parse().map_err(|_| "write one length, or two with a comma: 24,48".to_owned());
    Ok(match text.split_once(',') {
        None => MaxLength { first: length(text)?, second: None },
        Some((first, second)) => MaxLength { first: length(first)?, second: Some(length(second)?) },
    })
}

fn set_name(text: &str) -> Result<String, String> {
    match print::symbol(text) == text && !text.is_empty() {
        true => Ok(text.into()),
        false => Err("a name is made of letters, digits and underscores, and begins with no digit".into()),
    }
}

/// What is wanted of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    /// AS numbers, and no prefixes.
    asns: bool,
    /// Prefixes of these families.
    families: Vec<Family>,
}

/// What objects come to.
#[derive(Debug, Default)]
struct Found {
    asns: BTreeSet<Asn>,
    ranges: BTreeSet<PrefixRange>,
    /// Objects that were asked for and that nobody has.
    absent: BTreeSet<String>,
    /// Sets that are members and that nobody has.
    missing: BTreeSet<String>,
    /// The bound that left something out.
    truncated: Option<Truncation>,
}

/// Why nothing is printed.
#[derive(Debug, thiserror::Error)]
enum IrrCommandError {
    #[error(transparent)]
    Lookup(#[from] LookupError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("{0}")]
    Config(ConfigError),
    #[error("{} has no [irr] that could be asked", path.display())]
    NoIrr { path: PathBuf },
    #[error("no registry has {}", names.join(", "))]
    Absent { names: Vec<String> },
    #[error("{} to nothing", come(names))]
    Empty { names: Vec<String> },
    #[error("not everything can be printed: {0}")]
    Truncated(Truncation),
    #[error("{0:?} can't be a registry's name")]
    Sources(String),
    #[error("`--max-length` with one length is of one family, and both are asked for")]
    OneLength,
    #[error("the system gives no thread to ask with: {0}")]
    Runtime(io::Error),
}

fn come(names: &[String]) -> String {
    format!("{} come{}", names.join(", "), if names.len() == 1 { "s" } else { "" })
}

impl Diagnostic for IrrCommandError {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        let help = match self {
            IrrCommandError::Lookup(LookupError::Whois(WhoisError::Unreachable { .. })) => {
                "name another server with `--server HOST[:PORT]`, or a dump with `--dump FILE`"
            }
            IrrCommandError::Lookup(LookupError::Whois(_)) => "try again, or another `--server`",
            IrrCommandError::Lookup(LookupError::Refused { .. }) => {
                "are the `--sources` names that the server has?"
            }
            IrrCommandError::Absent { .. } => {
                "is the name right, and is its registry among the sources? `SOURCE::NAME` asks one registry"
            }
            IrrCommandError::Empty { .. } => {
                "nothing is printed: an empty filter may be taken for one that lets everything pass"
            }
            IrrCommandError::OneLength => "write both, as in `--max-length 24,48`, or `-4` or `-6`",
            IrrCommandError::NoIrr { .. } => "write\n[irr]\nwhois = [\"whois.example.net\"]",
            _ => return None,
        };
        Some(Box::new(help))
    }
}

/// Prints what objects come to.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let progress = progress();
    let found = listing(arguments, &progress);
    progress.finish_and_clear();
    match found {
        Ok(listing) => {
            if !listing.missing.is_empty() && io::stderr().is_terminal() {
                terminal::remark(&missing(&listing.missing));
            }
            terminal::print(&listing.text(if arguments.json { Format::Json } else { arguments.format }));
            ExitCode::SUCCESS
        }
        Err(IrrCommandError::Config(error)) => fail(&error),
        Err(error) => fail(&error),
    }
}

fn fail(error: &dyn Diagnostic) -> ExitCode {
    terminal::tell(error);
    ExitCode::FAILURE
}

fn missing(names: &[String]) -> String {
    let first = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => format!("note: no registry has the member {first}"),
        more => format!("note: no registry has the members {first} and {more} more"),
    }
}

/// On a terminal and nowhere else.
fn progress() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
    bar
}

/// Begins to show how far something is.
fn show(progress: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        progress.set_style(style);
    }
    progress.enable_steady_tick(DRAWN_EVERY);
}

fn listing<'a>(arguments: &'a Arguments, progress: &ProgressBar) -> Result<Listing<'a>, IrrCommandError> {
    let families: Vec<Family> = match (arguments.ipv4, arguments.ipv6) {
        (true, _) => vec![Family::Ipv4],
        (_, true) => vec![Family::Ipv6],
        _ => Family::ALL.to_vec(),
    };
    let longest = longest(arguments.max_length, &families)?;
    let wanted = Wanted { asns: arguments.asns, families };
    let found = find(arguments, &wanted, progress)?;
    if !found.absent.is_empty() {
        return Err(IrrCommandError::Absent { names: found.absent.into_iter().collect() });
    }
    if let Some(truncation) = found.truncated {
        return Err(IrrCommandError::Truncated(truncation));
    }
    let content = content(arguments, &wanted, longest, &found);
    if content.is_empty() {
        let names = arguments.objects.iter().map(Object::to_string).collect();
        return Err(IrrCommandError::Empty { names });
    }
    let first = arguments.objects.first().map(Object::to_string).unwrap_or_default();
    let name = arguments.name.clone().unwrap_or_else(|| print::symbol(&first));
    Ok(Listing { objects: &arguments.objects, name, content, missing: found.missing.into_iter().collect() })
}

fn content(arguments: &Arguments, wanted: &Wanted, longest: [u8; 2], found: &Found) -> Content {
    if wanted.asns {
        return Content::Asns(found.asns.iter().copied().collect());
    }
    let of_family = |family: &Family| {
        let most = longest[family.index()];
        let ranges =
            found.ranges.iter().filter(|range| range.prefix.family() == *family && range.low <= most);
        let ranges = ranges.map(|range| PrefixRange { high: range.high.min(most), ..*range });
        let ranges = if arguments.aggregate { aggregate::aggregate(ranges) } else { ranges.collect() };
        (*family, ranges)
    };
    Content::Prefixes(wanted.families.iter().map(of_family).collect())
}

impl Content {
    fn is_empty(&self) -> bool {
        match self {
            Content::Asns(asns) => asns.is_empty(),
            Content::Prefixes(families) => families.iter().all(|(_, ranges)| ranges.is_empty()),
        }
    }
}

/// The longest prefixes of each family.
fn longest(given: Option<MaxLength>, families: &[Family]) -> Result<[u8; 2], IrrCommandError> {
    Ok(match (given, families) {
        (None, _) => [32, 128],
        (Some(MaxLength { first, second: Some(second) }), _) => [first, second],
        (Some(MaxLength { first, second: None }), [_]) => [first, first],
        (Some(MaxLength { second: None, .. }), _) => return Err(IrrCommandError::OneLength),
    })
}

/// Where what objects come to is found.
enum Origin {
    Server(Server, Vec<String>),
    Dumps(Vec<PathBuf>, Vec<String>),
}

fn find(arguments: &Arguments, wanted: &Wanted, progress: &ProgressBar) -> Result<Found, IrrCommandError> {
    match origin(arguments)? {
        Origin::Server(server, names) => {
            progress.set_message(server.to_string());
            show(progress, "{spinner} asking {msg}: {human_pos} of {human_len} answers, {elapsed}");
            let sources = sources(&names)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(IrrCommandError::Runtime)?;
            let expanding = online::expand(&server, sources, &arguments.objects, wanted, progress);
            Ok(runtime.block_on(expanding)?)
        }
        Origin::Dumps(dumps, names) => {
            sources(&names)?;
            show(progress, "{spinner} reading {msg}, {elapsed}");
            let reading = |path: &Path| progress.set_message(path.display().to_string());
            Ok(offline::expand(&dumps, &names, &arguments.objects, wanted, reading)?)
        }
    }
}

fn sources(names: &[String]) -> Result<Sources, IrrCommandError> {
    Sources::new(names.iter().map(String::as_str)).ok_or_else(|| IrrCommandError::Sources(names.join(",")))
}

fn origin(arguments: &Arguments) -> Result<Origin, IrrCommandError> {
    let names = arguments.sources.clone();
    if let Some(server) = &arguments.server {
        return Ok(Origin::Server(server.clone(), names));
    }
    if !arguments.dumps.is_empty() {
        return Ok(Origin::Dumps(arguments.dumps.clone(), names));
    }
    let usual = Path::new(CONFIG);
    match &arguments.config {
        Some(path) => of_config(path, names),
        None if usual.exists() => of_config(usual, names),
        None => default_server(names),
    }
}

/// The registries' data that a configuration names, on disk where there is some.
fn of_config(path: &Path, names: Vec<String>) -> Result<Origin, IrrCommandError> {
    let irr = Config::load_text(path).map_err(IrrCommandError::Config)?.irr;
    let names = if names.is_empty() { irr.sources.clone() } else { names };
    let mut dumps: Vec<PathBuf> = irr.dumps.iter().map(|dump| dump.get_ref().clone()).collect();
    dumps.extend(irr.mirrors.iter().flat_map(|mirror| mirror.get_ref().dumps.clone()));
    match irr.whois.first() {
        _ if !dumps.is_empty() => Ok(Origin::Dumps(dumps, names)),
        Some(whois) => {
            let whois = whois.get_ref();
            let names = if whois.sources.is_empty() { names } else { whois.sources.clone() };
            Ok(Origin::Server(whois.server.clone(), names))
        }
        None => Err(IrrCommandError::NoIrr { path: path.into() }),
    }
}

fn default_server(names: Vec<String>) -> Result<Origin, IrrCommandError> {
    match DEFAULT_SERVER.parse() {
        Ok(server) => Ok(Origin::Server(server, names)),
        Err(_) => Err(IrrCommandError::NoIrr { path: CONFIG.into() }),
    }
}
