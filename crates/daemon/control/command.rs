//! What a running router can be told to do. Who may ask it anything may tell it this: owner and group of the socket.

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::feeds::FeedStatus;
use crate::run::Order;

/// Something to do, and where the outcome is awaited. What went wrong is told in words.
#[derive(Debug)]
pub(crate) enum Command {
    /// To read its configuration again.
    Reload(oneshot::Sender<Result<Reloaded, String>>),
    /// To say how it stands with the sources of what is judged by.
    Feeds(oneshot::Sender<Result<Vec<FeedStatus>, String>>),
    /// To take what the source of that name holds back.
    Confirm(String, oneshot::Sender<Result<(), String>>),
    /// To have the session of the peer of that name do something.
    Peer(String, Order, oneshot::Sender<Result<(), String>>),
}

/// What a configuration that was read again came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reloaded {
    /// Of the tables from then on.
    pub(crate) generation: u64,
    /// Peers that are new.
    pub(crate) started: usize,
    /// Peers that are gone.
    pub(crate) stopped: usize,
    /// Peers whose session had to begin anew; all others stayed up.
    pub(crate) restarted: usize,
}
