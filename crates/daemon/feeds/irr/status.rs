//! How it stands with each source, for an operator who asks.

use serde::Serialize;

use crate::feeds::source_state::SourceState;

/// A source of IRR data as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SourceStatus {
    /// `dumps`, `whois` or `mirror`.
    pub(crate) kind: &'static str,
    /// The dumps' name, the server or the registry: what `confirm` takes.
    pub(crate) name: String,
    /// How it stands.
    pub(crate) state: SourceState,
    /// Since how many seconds.
    pub(crate) state_for_s: u64,
    /// What is wrong, or was the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// What is to be known besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    /// Route objects that count.
    pub(crate) route_objects: usize,
    /// As-sets that count.
    pub(crate) as_sets: usize,
    /// Route-sets that count.
    pub(crate) route_sets: usize,
    /// Seconds since the data was known to be good; `None` where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) age_s: Option<u64>,
    /// Whether that data is from the disk, and nobody has vouched for it since the start.
    pub(crate) cached: bool,
    /// The serial that a mirror stands at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) serial: Option<u64>,
    /// Seconds until it is asked or tried again, where that is at a given time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_try_s: Option<u64>,
    /// A change that is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) held: Option<HeldStatus>,
}

/// A change that is held, and what it would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct HeldStatus {
    /// Objects: how many count, how many would.
    pub(crate) objects: (usize, usize),
    /// Since how many seconds.
    pub(crate) for_s: u64,
    /// In how many seconds it counts by itself; `None` where only an operator's word makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until_s: Option<u64>,
}
