//! What every kind of source tells the feed, and from what it starts.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use palisade_policy::IrrIndex;
use tokio::sync::mpsc;

use super::cache::Cached;

/// Something that a source tells.
#[derive(Debug)]
pub(super) enum News {
    /// What the disk has of it from before the start.
    Kept(Cached),
    /// Its data, all of it.
    Data {
        /// The data. Amended from the last where little has changed.
        index: Arc<IrrIndex>,
        /// The serial that it is of, where the source counts.
        serial: Option<u64>,
        /// When it was good.
        as_of: SystemTime,
        /// What is to be known besides.
        note: Option<String>,
        /// When it is asked again, where that is at a given time.
        next_try: Option<Duration>,
    },
    /// Its data is as it was, and good.
    Unchanged {
        /// The serial that it is of now.
        serial: Option<u64>,
        /// When it is asked again.
        next_try: Option<Duration>,
    },
    /// It can't be had. What it told before stays.
    Failed {
        /// Why.
        error: String,
        /// When it is tried again, where that is at a given time.
        next_try: Option<Duration>,
    },
}

/// Where a source tells its news.
#[derive(Clone, Debug)]
pub(super) struct Outbox {
    /// Which of the feed's sources it is.
    pub(super) at: usize,
    /// To the feed.
    pub(super) sender: mpsc::Sender<(usize, News)>,
}

impl Outbox {
    /// Tells something. Whether anybody listens.
    pub(super) async fn tell(&self, news: News) -> bool {
        self.sender.send((self.at, news)).await.is_ok()
    }

    /// Tells that the data can't be had.
    pub(super) async fn fail(&self, error: impl ToString, next_try: Option<Duration>) -> bool {
        self.tell(News::Failed { error: error.to_string(), next_try }).await
    }
}
