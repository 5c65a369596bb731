//! What `[members]` comes to, as `palisade check` shows it.

use serde::Serialize;

use crate::config::Members;
use crate::members::Export;

/// `[members]`.
#[derive(Debug, Serialize)]
pub(super) struct MembersOutline {
    pub(super) file: String,
    /// Blocks that are of use only together with the file.
    pub(super) amending: usize,
    /// Where the file was read.
    #[serde(flatten)]
    pub(super) export: Option<ExportOutline>,
}

/// What an export of members comes to.
#[derive(Debug, Serialize)]
pub(super) struct ExportOutline {
    pub(super) exchange: Option<String>,
    pub(super) members: usize,
    pub(super) sessions: usize,
    pub(super) skipped: Vec<SkippedOutline>,
}

/// Addresses of an export that make no session, and why.
#[derive(Debug, Serialize)]
pub(super) struct SkippedOutline {
    pub(super) count: usize,
    pub(super) why: String,
}

impl MembersOutline {
    pub(super) fn new(members: &Members) -> Self {
        MembersOutline {
            file: members.file.get_ref().display().to_string(),
            amending: members.amending,
            export: members.export.as_ref().map(ExportOutline::new),
        }
    }
}

impl ExportOutline {
    fn new(export: &Export) -> Self {
        let skipped = export.skipped.iter().map(|(why, count)| (*count, why.to_string()));
        ExportOutline {
            exchange: export.exchange.clone(),
            members: export.members(),
            sessions: export.sessions.len(),
            skipped: skipped.map(|(count, why)| SkippedOutline { count, why }).collect(),
        }
    }
}
