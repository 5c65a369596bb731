//! The tables that a configuration names, read from their files.
//!
//! A file that can't be read is an error, not an empty table: with fewer VRPs less is invalid, with fewer route objects a
//! customer's routes vanish, and neither is what anybody asked for. What one entry of a file gets wrong is left out and
//! told as a warning, as is an as-set that no dump has.

use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use palisade_policy::rules::{PrefixListError, read_prefix_list};
use palisade_policy::{
    Aspa, BogonListError, EmptySet, ExpansionError, IrrBuilder, IrrError, IrrIndex, IrrReport, Malformed,
    PrefixRange, Snapshot, VrpFile, VrpFileError,
};
use toml::Spanned;

use crate::config::{Config, ConfigError, Fault, Peer, PrefixSource, Problem, Problems};
use crate::feeds;
use crate::feeds::bogons::{BogonFileError, BogonLists};
use crate::feeds::peeringdb::{DumpError, Known};
use crate::feeds::rpki::RpkiSet;
use crate::feeds::rtr::fetch_once;
use crate::feeds::slurm::{Slurm, SlurmError, SlurmFile};
use crate::input::{Input, InputError};
use crate::judging::expansions;
use crate::judging::rules::{self, PrefixFiles};

/// How long a cache may take to tell all that it has.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// Octets unpacked at a time.
const CHUNK: usize = 128 * 1024;

/// As-sets that could not be expanded, and entries left out, that are told of one by one.
const MAX_WARNINGS: usize = 20;

/// What a configuration's files hold.
#[derive(Debug)]
pub(crate) struct Tables {
    /// The tables, of generation 0.
    pub(crate) snapshot: Snapshot,
    /// The lists of bogons, which the snapshot has.
    pub(crate) bogons: BogonLists,
    /// What PeeringDB says, or said when it was asked last.
    pub(crate) networks: Known,
    /// What was left out of any file, that of the members too, and as-sets that come to nothing.
    pub(crate) warnings: Vec<Problem>,
}

/// Why a table's file is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    /// It can't be opened.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It can't be read on, which says which file it is.
    #[error(transparent)]
    Read(io::Error),
    /// It holds no VRPs.
    #[error("{}: {fault}", path.display())]
    Vrps {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: VrpFileError,
    },
    /// It is no list of prefixes.
    #[error("{}: {fault}", path.display())]
    Prefixes {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: Box<PrefixListError>,
    },
    /// It holds nothing of an IRR.
    #[error("{}: {fault}", path.display())]
    Irr {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: IrrError,
    },
}

/// Reads all files that the configuration names. Every one that is refused is an error at the place that names it.
pub(crate) fn tables(config: &Config) -> Result<Tables, ConfigError> {
    read(config, Caches::Leave)
}

/// The same, and asks one of the caches that the configuration names: what a router would judge by now.
pub(crate) fn tables_of_now(config: &Config) -> Result<Tables, ConfigError> {
    read(config, Caches::Ask)
}

/// Whether caches are asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caches {
    Ask,
    Leave,
}

fn read(config: &Config, caches: Caches) -> Result<Tables, ConfigError> {
    let problems = Problems::new(Arc::clone(&config.source));
    let mut tables = standing_in(config, &problems);
    let warnings = &mut tables.warnings;
    let RpkiSet { rov, aspa } = rpki(config, caches, &problems, warnings);
    let irr = irr(config, &problems, warnings);
    tables.snapshot = Snapshot { rov, aspa, irr, ..tables.snapshot };
    let peers = super::resolved_peers(config, &tables.networks.state().facts);
    tables.warnings.extend(unexpanded(config, &peers, &tables.snapshot));
    tables.warnings.truncate(MAX_WARNINGS);
    problems.none_or(Some(tables))
}

/// What a router starts with, or begins anew with: all but what its feeds are going to tell, whose files have to be there all
/// the same.
pub(crate) fn standing(config: &Config) -> Result<Tables, ConfigError> {
    let problems = Problems::new(Arc::clone(&config.source));
    let mut tables = standing_in(config, &problems);
    for file in config.rpki.files.iter().chain(&config.rpki.slurm).chain(&config.irr.dumps) {
        if let Err(error) = Input::look_at(file.get_ref()) {
            problems.push(file.span(), refused(&error.into()));
        }
    }
    tables.warnings.truncate(MAX_WARNINGS);
    problems.none_or(Some(tables))
}

fn standing_in(config: &Config, problems: &Problems) -> Tables {
    let mut warnings = config.members.as_ref().map(|members| members.warnings.clone()).unwrap_or_default();
    let prefix_files = prefix_files(config, problems);
    let (bogons, left_out_bogons) = bogons(config, problems);
    warnings.extend(left_out_bogons);
    let networks = networks(config, problems);
    let snapshot = Snapshot {
        rules: rules::rules(config, &prefix_files),
        bogons: bogons.state().bogons,
        never_via_rs: Arc::new(networks.state().facts.never_via_rs()),
        ..own(config)
    };
    Tables { snapshot, bogons, networks, warnings }
}

/// The lists of bogons, and what was left out of them.
fn bogons(config: &Config, problems: &Problems) -> (BogonLists, Vec<Problem>) {
    let (lists, outcomes) = BogonLists::read(&config.bogons);
    let files = config.bogons.prefixes.iter().chain(&config.bogons.asns);
    let mut warnings = Vec::new();
    for (file, outcome) in files.zip(outcomes) {
        match outcome {
            Ok(malformed) => warnings.extend(left_out(config, file, &malformed)),
            Err(error) => {
                let message = match &error {
                    // These name the file themselves.
                    BogonFileError::Input(_) | BogonFileError::List(BogonListError::Io(_)) => {
                        error.to_string()
                    }
                    BogonFileError::List(_) => format!("{}: {error}", file.get_ref().display()),
                };
                problems.push(file.span(), Fault::new(message, "named here").help(error.help()));
            }
        }
    }
    (lists, warnings)
}

/// What the dumps say, and what the API answered last. Nobody is asked anything here.
fn networks(config: &Config, problems: &Problems) -> Known {
    let Some(settings) = &config.peeringdb else { return Known::default() };
    let (known, errors) = Known::read(settings);
    for (number, error) in errors {
        let Some(file) = settings.files.get(number) else { continue };
        let message = match &error {
            // These name the file themselves.
            DumpError::Input(_) | DumpError::Read(_) => error.to_string(),
            _ => format!("{}: {error}", file.get_ref().display()),
        };
        problems.push(file.span(), Fault::new(message, "named here").help(error.help()));
    }
    known
}

/// What the registries say, so far as that lies on disk: dumps, those of mirrors too, and what was kept of servers that are
/// asked.
fn irr(config: &Config, problems: &Problems, warnings: &mut Vec<Problem>) -> Arc<IrrIndex> {
    let mut irr = IrrBuilder::with_order(&config.irr.sources);
    let of_mirrors = config.irr.mirrors.iter().flat_map(|mirror| {
        mirror.get_ref().dumps.iter().map(|dump| Spanned::new(mirror.span(), dump.clone()))
    });
    for dump in config.irr.dumps.iter().cloned().chain(of_mirrors) {
        match read_dump(&mut irr, dump.get_ref()) {
            Ok(report) => warnings.extend(left_out(config, &dump, &report.malformed)),
            Err(error) => problems.push(dump.span(), refused(&error)),
        }
    }
    let mut parts = vec![Arc::new(irr.build())];
    parts.extend(feeds::irr::kept_of_servers(&config.irr));
    IrrIndex::union(&parts)
}

/// What the files of VRPs, a cache where one is asked, and the exceptions to them come to.
fn rpki(config: &Config, caches: Caches, problems: &Problems, warnings: &mut Vec<Problem>) -> RpkiSet {
    let (mut vrps, mut aspas) = (Vec::new(), Vec::new());
    if caches == Caches::Ask
        && let Some(told) = ask_cache(config, warnings)
    {
        vrps.extend(told.rov.iter());
        let told_aspas = told.aspa.iter();
        aspas.extend(told_aspas.map(|(customer, providers)| Aspa { customer, providers: providers.clone() }));
    }
    for file in &config.rpki.files {
        match read_vrps(file.get_ref()) {
            Ok(read) => {
                vrps.extend(read.vrps);
                aspas.extend(read.aspas);
                warnings.extend(left_out(config, file, &read.malformed));
            }
            Err(error) => problems.push(file.span(), refused(&error)),
        }
    }
    slurm(config, problems).apply(vrps, aspas)
}

/// All that the best cache has that answers.
fn ask_cache(config: &Config, warnings: &mut Vec<Problem>) -> Option<RpkiSet> {
    let mut caches: Vec<_> = config.rpki.rtr.iter().collect();
    caches.sort_by_key(|cache| cache.preference);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    for cache in caches {
        match runtime.block_on(fetch_once(cache, ANSWERED_WITHIN)) {
            Ok(told) => return Some(told),
            Err(fault) => {
                let fault =
                    Fault::new(format!("{}: {fault}", cache.address()), "without it fewer VRPs are known");
                let help = "routes are judged by what the other sources say";
                warnings.push(Problem::warning(&config.source, cache.span.clone(), fault.help(help)));
            }
        }
    }
    None
}

/// The exceptions of all files together; none where they are refused.
fn slurm(config: &Config, problems: &Problems) -> Slurm {
    let mut files = Vec::new();
    for path in &config.rpki.slurm {
        match SlurmFile::open(path.get_ref()) {
            Ok(file) => files.push((path.get_ref().as_path(), file)),
            Err(error) => problems.push(path.span(), refused_slurm(path.get_ref(), error)),
        }
    }
    match Slurm::of(files.iter().map(|(path, file)| (*path, file))) {
        Ok(slurm) => slurm,
        Err(error) => {
            let fault = Fault::new(error.to_string(), "named here");
            let place = config.rpki.slurm.last().map_or(0..0, Spanned::span);
            problems.push(place, fault.help("let one file say all of it"));
            Slurm::default()
        }
    }
}

/// The tables that the configuration spells out itself: what is ours, and nothing from files.
pub(crate) fn own(config: &Config) -> Snapshot {
    let router = &config.router;
    Snapshot {
        own_prefixes: Arc::new(router.networks.iter().chain(&router.own_prefixes).copied().collect()),
        peering_lans: Arc::new(router.peering_lans.iter().copied().collect()),
        actions: super::action_scheme(config),
        peerlocks: rules::peerlocks(config),
        rules: rules::rules(config, &PrefixFiles::new()),
        ..Snapshot::default()
    }
}

/// The same with the sets of prefixes that rules name, and with nothing that a feed tells.
pub(crate) fn without_feeds(config: &Config) -> Result<Snapshot, ConfigError> {
    let problems = Problems::new(Arc::clone(&config.source));
    let rules = rules::rules(config, &prefix_files(config, &problems));
    problems.none_or(Some(Snapshot { rules, ..own(config) }))
}

/// Reads the sets of prefixes that are in files of their own.
fn prefix_files(config: &Config, problems: &Problems) -> PrefixFiles {
    let mut files = PrefixFiles::new();
    for (name, source) in &config.prefix_sets {
        let PrefixSource::File(file) = source else { continue };
        match read_prefixes(file.get_ref()) {
            Ok(ranges) => drop(files.insert(name.clone(), ranges)),
            Err(error) => problems.push(file.span(), refused(&error)),
        }
    }
    files
}

fn read_prefixes(path: &Path) -> Result<Vec<PrefixRange>, TableError> {
    let input = BufReader::with_capacity(CHUNK, Input::open(path)?);
    read_prefix_list(input).map_err(|fault| match fault {
        PrefixListError::Io(error) => TableError::Read(error),
        fault => TableError::Prefixes { path: path.into(), fault: fault.into() },
    })
}

/// Reads a file of VRPs, however it is compressed. One without a single VRP is refused.
pub(crate) fn read_vrps(path: &Path) -> Result<VrpFile, TableError> {
    VrpFile::read(Input::open(path)?, EmptySet::Refuse).map_err(|fault| match fault {
        VrpFileError::Io(error) => TableError::Read(error),
        fault => TableError::Vrps { path: path.into(), fault },
    })
}

/// Reads an IRR dump, however it is compressed. Objects that don't say which registry they are from are of the one that
/// the file's name begins with: `ripe.db.route.gz` is RIPE's.
pub(crate) fn read_dump(irr: &mut IrrBuilder, path: &Path) -> Result<IrrReport, TableError> {
    let dump = BufReader::with_capacity(CHUNK, Input::open(path)?);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let registry = name.split('.').next().unwrap_or_default();
    irr.read(dump, registry).map_err(|fault| match fault {
        IrrError::Io(error) => TableError::Read(error),
        fault => TableError::Irr { path: path.into(), fault },
    })
}

fn refused(error: &TableError) -> Fault {
    let help = match error {
        TableError::Input(InputError::Missing { .. }) => {
            "a relative name is one in the configuration's folder; `check --no-files` does without files"
        }
        TableError::Vrps { fault: VrpFileError::NotVrps, .. } => {
            "let the validator write JSON or CSV: `rpki-client -j`, `routinator vrps -f json`"
        }
        TableError::Irr { fault: IrrError::NoObjects { .. }, .. } => {
            "dumps are RPSL: route, route6 and as-set objects between empty lines"
        }
        TableError::Prefixes { .. } => {
            "write one prefix a line, like `192.0.2.0/24` or `2001:db8::/32^+`; `#` begins a remark"
        }
        _ => "fetch it again",
    };
    Fault::new(error.to_string(), "named here").help(help)
}

fn refused_slurm(path: &Path, error: SlurmError) -> Fault {
    match error {
        SlurmError::Input(error) => refused(&TableError::Input(error)),
        error => Fault::new(format!("{}: {error}", path.display()), "named here")
            .help("nothing of it is used before all of it is right (RFC 8416 s3.1)"),
    }
}

fn left_out(config: &Config, file: &Spanned<PathBuf>, malformed: &Malformed) -> Option<Problem> {
    let message = format!("{}: {malformed}", file.get_ref().display());
    let fault = Fault::new(message, "named here").help("these entries are left out; the rest is used");
    (malformed.count > 0).then(|| Problem::warning(&config.source, file.span(), fault))
}

/// The peers whose as-sets can't be expanded.
fn unexpanded(config: &Config, peers: &[Peer], tables: &Snapshot) -> Vec<Problem> {
    // Without any IRR no as-set is there, which is another warning's business; what servers have is seen when they are
    // asked.
    let are_all_here = config.irr.has_sources() && config.irr.whois.is_empty();
    let peers = peers.iter().filter(|_| are_all_here);
    let failed = |peer: &Peer| -> Vec<Problem> {
        let (good, failed): (Vec<_>, Vec<_>) = expansions(peer, tables).partition(Result::is_ok);
        let errors = failed.into_iter().filter_map(Result::err);
        let fault = |error| unexpanded_one(peer, &error, good.is_empty());
        errors.map(|error| Problem::warning(&config.source, peer.span.clone(), fault(error))).collect()
    };
    peers.flat_map(failed).collect()
}

fn unexpanded_one(peer: &Peer, error: &ExpansionError, alone: bool) -> Fault {
    let label =
        if alone { format!("only {} may originate here", peer.asn) } else { "its other as-sets hold".into() };
    let fault = Fault::new(format!("{}: {error}", peer.name), label);
    match error {
        ExpansionError::NotFound(_) => fault.help("is it of a registry whose dump is not under [irr] dumps?"),
        _ => fault.help("ask the peer for the as-set that it maintains"),
    }
}
