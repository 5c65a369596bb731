//! What an operator can have a peer's session do, and what of it outlives the session's task.
//!
//! A peer that was disabled stays so until it is enabled, also where a new configuration makes its session anew. It does not
//! outlive the router, nor the peer's place in the configuration.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// Orders that wait for a peer's task.
pub(super) const ORDERS: usize = 4;

/// What to do with a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Order {
    /// To end it, and to keep it down: Cease, Administrative Shutdown, with these words (RFC 9003).
    Disable(String),
    /// To let it begin, whatever kept it down.
    Enable,
    /// To begin it anew: Cease, Administrative Reset, with these words.
    Reset(String),
    /// To ask the peer for all its routes again (RFC 2918).
    RefreshIn,
    /// To send the peer all our routes again.
    RefreshOut,
}

impl Order {
    /// What an operator calls it.
    pub(crate) const fn slug(&self) -> &'static str {
        match self {
            Order::Disable(_) => "disable",
            Order::Enable => "enable",
            Order::Reset(_) => "reset",
            Order::RefreshIn => "refresh-in",
            Order::RefreshOut => "refresh-out",
        }
    }

    /// The words for the peer.
    pub(crate) fn words(&self) -> &str {
        match self {
            Order::Disable(words) | Order::Reset(words) => words,
            Order::Enable | Order::RefreshIn | Order::RefreshOut => "",
        }
    }
}

/// An order, and where it is told how that went.
#[derive(Debug)]
pub(crate) struct Ordered {
    pub(crate) order: Order,
    pub(crate) reply: oneshot::Sender<Result<(), String>>,
}

/// The peers that are disabled, by name, with the words that they were told.
#[derive(Debug, Default)]
pub(super) struct Disabled {
    words: HashMap<String, String>,
}

impl Disabled {
    /// Notes what an order makes of a peer.
    pub(super) fn note(&mut self, name: &str, order: &Order) {
        match order {
            Order::Disable(words) => drop(self.words.insert(name.into(), words.clone())),
            Order::Enable => drop(self.words.remove(name)),
            Order::Reset(_) | Order::RefreshIn | Order::RefreshOut => {}
        }
    }

    /// The words with which that peer was disabled, where it is.
    pub(super) fn words(&self, name: &str) -> Option<&str> {
        self.words.get(name).map(String::as_str)
    }

    /// Forgets the peers that are no longer there.
    pub(super) fn retain(&mut self, is_there: impl Fn(&str) -> bool) {
        self.words.retain(|name, _| is_there(name));
    }
}
