//! What `[bogons]` comes to, as `palisade check` shows it.

use palisade_policy::Snapshot;
use serde::Serialize;

use super::report::paths;
use crate::config::BogonFiles;

/// `[bogons]`.
#[derive(Debug, Serialize)]
pub(super) struct BogonsOutline {
    pub(super) prefix_files: Vec<String>,
    pub(super) asn_file: Option<String>,
    /// Whether what is built in holds, of prefixes and of AS numbers.
    pub(super) builtin: [bool; 2],
    /// How many prefixes there are in all; `None` where there are files that were not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) prefixes: Option<usize>,
    /// How many ranges of AS numbers; likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) asn_ranges: Option<usize>,
}

impl BogonsOutline {
    pub(super) fn new(files: &BogonFiles, tables: Option<&Snapshot>) -> Self {
        let bogons = tables.map(|tables| &tables.bogons);
        BogonsOutline {
            prefix_files: paths(&files.prefixes),
            asn_file: files.asns.as_ref().map(|file| file.get_ref().display().to_string()),
            builtin: [files.prefixes.is_empty(), files.asns.is_none()].map(|none| none || files.extend),
            prefixes: bogons.map(|bogons| bogons.prefixes().iter().count()),
            asn_ranges: bogons.map(|bogons| bogons.asns().len()),
        }
    }
}
