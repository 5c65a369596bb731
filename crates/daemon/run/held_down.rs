//! A session that is kept down: not by its own rest after a failure, but by somebody's decision. An operator disabled the
//! peer, or it had more prefixes than its limits allow.

use std::time::Instant;

use palisade_rib::{Limit, PrefixLimits};

use super::limits::key;
use super::refusal::Refusal;
use crate::judging::{Excess, PeerPolicy};

/// Why a session is kept down, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct HeldDown {
    /// In words.
    pub(crate) why: String,
    /// Until when; `None` for until somebody frees it.
    pub(crate) until: Option<Instant>,
    /// The limits that held when it had too much; `None` where an operator wants it down.
    terms: Option<(PrefixLimits, Excess)>,
}

impl HeldDown {
    /// One that went beyond a limit.
    pub(super) fn beyond(limit: &Limit, policy: &PeerPolicy, now: Instant) -> Self {
        let until = match policy.excess {
            Excess::Restart(pause) => Some(now + pause),
            Excess::Down | Excess::DropNew => None,
        };
        let why = format!("more prefixes than `{} = {}` allows", key(limit), limit.most);
        HeldDown { why, until, terms: Some((policy.limits, policy.excess)) }
    }

    /// One that an operator disabled, with the words that the peer was told, if any.
    pub(super) fn disabled(words: &str) -> Self {
        let why = if words.is_empty() { "disabled".into() } else { format!("disabled: {words}") };
        HeldDown { why, until: None, terms: None }
    }

    /// Why its connections are closed meanwhile.
    pub(super) const fn refusal(&self) -> Refusal {
        match self.terms {
            Some(_) => Refusal::Limit,
            None => Refusal::Disabled,
        }
    }

    /// Whether the peer's limits are others now, so that it may try.
    pub(super) fn is_ended_by(&self, policy: &PeerPolicy) -> bool {
        self.terms.is_some_and(|terms| terms != (policy.limits, policy.excess))
    }
}
