//! How it stands with a source of whatever feed, in one word.
//!
//! No feed knows all of them: a registry has no better one that makes it stand by, and a file that is read is not connected
//! to for long. What a state means for the source's data is the feed's.

use serde::Serialize;

/// How it stands with a source, the better before the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SourceState {
    /// Its data is as new as it is meant to be.
    Fresh,
    /// Nobody needs it: a better cache is there.
    Standby,
    /// It is being read, asked or connected to, and has told nothing yet.
    Connecting,
    /// What it says is not believed before somebody confirms it, or the time has passed.
    Holding,
    /// Its data is older, or it has not been heard of for longer, than it should be; the data counts.
    Stale,
    /// Its data is older than it says it is good for.
    Expired,
    /// It can't be had or used just now.
    Failing,
}

impl SourceState {
    /// Its name in output.
    pub(crate) const fn slug(self) -> &'static str {
        match self {
            SourceState::Fresh => "fresh",
            SourceState::Standby => "standby",
            SourceState::Connecting => "connecting",
            SourceState::Holding => "holding",
            SourceState::Stale => "stale",
            SourceState::Expired => "expired",
            SourceState::Failing => "failing",
        }
    }

    /// Whether somebody should look at it.
    pub(crate) const fn is_alarming(self) -> bool {
        matches!(
            self,
            SourceState::Holding | SourceState::Stale | SourceState::Expired | SourceState::Failing
        )
    }
}
