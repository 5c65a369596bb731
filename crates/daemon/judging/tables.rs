//! The tables that a configuration names, read from their files.
//!
//! A file that can't be read is an error, not an empty table: with fewer VRPs less is invalid, with fewer route objects a
//! customer's routes vanish, and neither is what anybody asked for. What one entry of a file gets wrong is left out and
//! told as a warning, as is an as-set that no dump has.

use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use palisade_policy::{
    EmptySet, ExpansionError, IrrBuilder, IrrError, IrrReport, Malformed, RovIndex, Snapshot, VrpFile,
    VrpFileError,
};
use toml::Spanned;

use crate::config::{Config, ConfigError, Fault, Peer, Problem, Problems};
use crate::input::{Input, InputError};
use crate::judging::expansions;

/// Octets unpacked at a time.
const CHUNK: usize = 128 * 1024;

/// As-sets that could not be expanded, and entries left out, that are told of one by one.
const MAX_WARNINGS: usize = 20;

/// What a configuration's files hold.
#[derive(Debug)]
pub(crate) struct Tables {
    /// The tables, of generation 0.
    pub(crate) snapshot: Snapshot,
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
    let problems = Problems::new(Arc::clone(&config.source));
    let mut warnings = config.members.as_ref().map(|members| members.warnings.clone()).unwrap_or_default();
    let mut vrps = Vec::new();
    for file in &config.rpki.files {
        match read_vrps(file.get_ref()) {
            Ok(read) => {
                vrps.extend(read.vrps);
                warnings.extend(left_out(config, file, &read.malformed));
            }
            Err(error) => problems.push(file.span(), refused(&error)),
        }
    }
    let mut irr = IrrBuilder::default();
    for dump in &config.irr.dumps {
        match read_dump(&mut irr, dump.get_ref()) {
            Ok(report) => warnings.extend(left_out(config, dump, &report.malformed)),
            Err(error) => problems.push(dump.span(), refused(&error)),
        }
    }
    let mut snapshot = own(config);
    snapshot.rov = Arc::new(RovIndex::build(vrps));
    snapshot.irr = Arc::new(irr.build());
    warnings.extend(unexpanded(config, &snapshot));
    warnings.truncate(MAX_WARNINGS);
    problems.none_or(Some(Tables { snapshot, warnings }))
}

/// The tables that the configuration spells out itself: what is ours, and nothing from files.
pub(crate) fn own(config: &Config) -> Snapshot {
    let router = &config.router;
    Snapshot {
        own_prefixes: Arc::new(router.networks.iter().chain(&router.own_prefixes).copied().collect()),
        peering_lans: Arc::new(router.peering_lans.iter().copied().collect()),
        actions: super::action_scheme(config),
        ..Snapshot::default()
    }
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
        _ => "fetch it again",
    };
    Fault::new(error.to_string(), "named here").help(help)
}

fn left_out(config: &Config, file: &Spanned<PathBuf>, malformed: &Malformed) -> Option<Problem> {
    let message = format!("{}: {malformed}", file.get_ref().display());
    let fault = Fault::new(message, "named here").help("these entries are left out; the rest is used");
    (malformed.count > 0).then(|| Problem::warning(&config.source, file.span(), fault))
}

/// The peers whose as-sets can't be expanded.
fn unexpanded(config: &Config, tables: &Snapshot) -> Vec<Problem> {
    // Without any IRR no as-set is there, which is another warning's business.
    let peers = config.peers.iter().filter(|_| !config.irr.dumps.is_empty());
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
