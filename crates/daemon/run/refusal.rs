//! Why a connection is closed that somebody has made to us, and how often that was so.
//!
//! Whoever closes one counts it; anybody reads.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a connection is closed before it is a session's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Refusal {
    /// It is to another address of ours than `local_address`.
    LocalAddress,
    /// What guards it can't be put up.
    Guard,
    /// Others wait before it.
    Busy,
    /// An operator keeps the peer's session down.
    Disabled,
    /// A limit of prefixes keeps it down.
    Limit,
    /// The peer's session rests after a failure.
    Resting,
    /// The peer has a connection already.
    Another,
    /// A range has as many guests as it may have, or the router as many peers.
    MaxPeers,
    /// So many say already who they are.
    Newcomers,
    /// Somebody from that address does, or is a peer.
    SameAddress,
    /// Nothing was said in time.
    Timeout,
    /// It was closed at the other end before anything was said.
    Closed,
    /// It did not begin with a sound OPEN.
    Open,
    /// It said that it is of an AS that the range is not for.
    Asn,
}

impl Refusal {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Refusal; 14] = [
        Refusal::LocalAddress,
        Refusal::Guard,
        Refusal::Busy,
        Refusal::Disabled,
        Refusal::Limit,
        Refusal::Resting,
        Refusal::Another,
        Refusal::MaxPeers,
        Refusal::Newcomers,
        Refusal::SameAddress,
        Refusal::Timeout,
        Refusal::Closed,
        Refusal::Open,
        Refusal::Asn,
    ];

    /// For programs.
    pub(crate) const fn slug(self) -> &'static str {
        match self {
            Refusal::LocalAddress => "local-address",
            Refusal::Guard => "guard",
            Refusal::Busy => "busy",
            Refusal::Disabled => "disabled",
            Refusal::Limit => "limit",
            Refusal::Resting => "resting",
            Refusal::Another => "another",
            Refusal::MaxPeers => "max-peers",
            Refusal::Newcomers => "newcomers",
            Refusal::SameAddress => "same-address",
            Refusal::Timeout => "timeout",
            Refusal::Closed => "closed",
            Refusal::Open => "open",
            Refusal::Asn => "asn",
        }
    }
}

/// Connections that were closed, by why.
#[derive(Debug, Default)]
pub(crate) struct Refused([AtomicU64; Refusal::ALL.len()]);

impl Refused {
    pub(super) fn count(&self, why: Refusal) {
        self.0[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many, for every reason that there was.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Refusal, u64)> {
        let counts = Refusal::ALL.into_iter().zip(&self.0);
        counts.map(|(why, count)| (why, count.load(Ordering::Relaxed))).filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_counted_by_itself() {
        let refused = Refused::default();
        assert_eq!(refused.counts().count(), 0);
        Refusal::ALL.into_iter().for_each(|why| refused.count(why));
        refused.count(Refusal::Asn);
        let told: Vec<_> = refused.counts().collect();
        assert_eq!(told.len(), Refusal::ALL.len());
        assert!(told.iter().all(|(why, count)| *count == if *why == Refusal::Asn { 2 } else { 1 }));
    }
}
