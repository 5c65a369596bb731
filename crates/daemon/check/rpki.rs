//! What `[rpki]` comes to, as `palisade check` shows it.

use palisade_policy::Snapshot;
use serde::Serialize;

use super::report::paths;
use crate::config::{Cache, Rpki, SizeGuard, shown};

/// `[rpki]`.
#[derive(Debug, Serialize)]
pub(super) struct RpkiOutline {
    pub(super) files: Vec<String>,
    pub(super) rtr: Vec<CacheOutline>,
    pub(super) slurm: Vec<String>,
    /// How long no route is accepted, at most, while sources have not had their first set.
    pub(super) wait: String,
    pub(super) guard: Option<GuardOutline>,
    pub(super) max_age: String,
    pub(super) on_expire: &'static str,
    /// Where the files were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vrps: Option<usize>,
    /// Where the files were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) aspas: Option<usize>,
    /// Whether it is to be shown whole.
    #[serde(skip)]
    pub(super) explained: bool,
}

/// A cache of `rtr`.
#[derive(Debug, Serialize)]
pub(super) struct CacheOutline {
    pub(super) address: String,
    pub(super) preference: u32,
    pub(super) tls: bool,
    pub(super) aspa: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh: Option<String>,
}

/// The guard of `[rpki]`.
#[derive(Debug, Serialize)]
pub(super) struct GuardOutline {
    pub(super) shrink_percent: u32,
    pub(super) grow_percent: u32,
    pub(super) floor: u32,
    pub(super) hold: String,
}

impl RpkiOutline {
    pub(super) fn new(rpki: &Rpki, tables: Option<&Snapshot>, explained: bool) -> Self {
        let cache = |cache: &Cache| CacheOutline {
            address: cache.address(),
            preference: cache.preference,
            tls: cache.tls.is_some(),
            aspa: cache.aspa,
            refresh: cache.refresh.map(shown),
        };
        let guard = |guard: SizeGuard| GuardOutline {
            shrink_percent: guard.shrink_percent,
            grow_percent: guard.grow_percent,
            floor: guard.floor,
            hold: shown(guard.hold),
        };
        RpkiOutline {
            files: paths(&rpki.files),
            rtr: rpki.rtr.iter().map(cache).collect(),
            slurm: paths(&rpki.slurm),
            wait: shown(rpki.wait),
            guard: rpki.guard.map(guard),
            max_age: shown(rpki.max_age),
            on_expire: rpki.on_expire.slug(),
            vrps: tables.map(|tables| tables.rov.len()),
            aspas: tables.map(|tables| tables.aspa.len()),
            explained,
        }
    }
}
