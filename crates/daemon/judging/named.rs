//! The configuration and the tables that a command is to judge by: the configuration's own, but for those that are named on
//! the command line.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use palisade_policy::{AspaIndex, IrrBuilder, RovIndex, Snapshot};

use super::tables::{self, TableError};
use super::{Tables, tables_of_now};
use crate::config::{Config, ConfigError, Problem};
use crate::terminal;

/// Why there is nothing to judge by.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(crate) enum NamedError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Table(Box<TableError>),
}

impl From<TableError> for NamedError {
    fn from(error: TableError) -> Self {
        NamedError::Table(Box::new(error))
    }
}

/// Tables that take the place of the configuration's.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Named {
    /// VRPs to judge by, instead of the configuration's: rpki-client's or Routinator's JSON, or CSV
    #[arg(long, value_name = "FILE")]
    vrps: Vec<PathBuf>,
    /// An IRR database in RPSL to judge by, instead of the configuration's
    #[arg(long, value_name = "FILE")]
    irr: Vec<PathBuf>,
}

impl Named {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.vrps.is_empty() && self.irr.is_empty()
    }

    /// Reads all of it; what was left out of any file is told.
    pub(crate) fn read(&self, config: Option<&Path>) -> Result<(Option<Config>, Snapshot), NamedError> {
        let mut config = config.map(Config::load).transpose()?;
        let mut snapshot = match &mut config {
            None => Snapshot::default(),
            Some(config) => self.instead_of(config)?,
        };
        if !self.vrps.is_empty() {
            let mut read = Vec::new();
            for path in &self.vrps {
                read.push(tables::read_vrps(path)?);
            }
            let (vrps, aspas): (Vec<_>, Vec<_>) =
                read.into_iter().map(|file| (file.vrps, file.aspas)).unzip();
            snapshot.rov = Arc::new(RovIndex::build(vrps.into_iter().flatten()));
            snapshot.aspa = Arc::new(AspaIndex::build(aspas.into_iter().flatten()));
        }
        if !self.irr.is_empty() {
            let mut irr = IrrBuilder::default();
            for path in &self.irr {
                tables::read_dump(&mut irr, path)?;
            }
            snapshot.irr = Arc::new(irr.build());
        }
        Ok((config, snapshot))
    }

    /// The tables of a configuration, without those that others take the place of.
    fn instead_of(&self, config: &mut Config) -> Result<Snapshot, ConfigError> {
        if !self.vrps.is_empty() {
            config.rpki.files.clear();
            config.rpki.slurm.clear();
            config.rpki.rtr.clear();
        }
        if !self.irr.is_empty() {
            config.irr.dumps.clear();
        }
        let Tables { snapshot, warnings, networks, .. } = tables_of_now(config)?;
        config.peers = super::resolved_peers(config, &networks.state().facts);
        warnings.iter().for_each(|warning: &Problem| terminal::tell(warning));
        Ok(snapshot)
    }
}
