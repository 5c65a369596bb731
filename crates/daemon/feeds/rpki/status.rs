//! How it stands with each source, for an operator who asks.

use serde::Serialize;

use crate::feeds::source_state::SourceState;

/// A source of RPKI data as it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SourceStatus {
    /// `file`, `slurm` or `rtr`.
    pub(crate) kind: &'static str,
    /// The file's name or the cache's address: what `confirm` takes.
    pub(crate) name: String,
    /// How it stands.
    pub(crate) state: SourceState,
    /// Since how many seconds.
    pub(crate) state_for_s: u64,
    /// Whether its data counts just now. Of several caches that of one does.
    pub(crate) counts: bool,
    /// What is wrong, or was the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// What is to be known besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    /// VRPs that it last told; filters and assertions of prefixes and ASPAs in SLURM.
    pub(crate) vrps: usize,
    /// ASPAs that it last told.
    pub(crate) aspas: usize,
    /// Seconds since the data was known to be good: since the cache was last heard of, or the file was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) age_s: Option<u64>,
    /// Seconds until it is asked or tried again, where that is at a given time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_try_s: Option<u64>,
    /// What RTR is spoken with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rtr: Option<RtrStatus>,
    /// A change that is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) held: Option<HeldStatus>,
}

/// What RTR is spoken with a cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RtrStatus {
    /// Whether over TLS.
    pub(crate) tls: bool,
    /// The protocol's version, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<u8>,
    /// The cache's session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<u16>,
    /// The serial that its data stands at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) serial: Option<u32>,
    /// The lower, the better.
    pub(crate) preference: u32,
}

/// A change that is held, and what it would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct HeldStatus {
    /// VRPs: how many count, how many would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vrps: Option<(usize, usize)>,
    /// ASPAs: how many count, how many would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) aspas: Option<(usize, usize)>,
    /// Since how many seconds.
    pub(crate) for_s: u64,
    /// In how many seconds it counts by itself; `None` where only an operator's word makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until_s: Option<u64>,
}
