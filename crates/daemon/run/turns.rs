//! How far ahead of a shard a peer may be.
//!
//! A shard takes what is in its inbox in the order in which it came. By the inbox's bound alone, a peer that sends without end would
//! have it full of its own batches, and what the others say would wait behind all of them. So each peer has a few turns at
//! each shard: a batch takes one along, and gives it back when the shard has dealt with it. Without one left at any shard a
//! peer's socket is not read, which TCP passes on to the peer. However fast one is, others wait for [`TURNS`] batches of its.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Batches of one peer that one shard may have before it: one that it deals with, and one that is there when it has.
const TURNS: usize = 2;

/// One peer's turns.
#[derive(Debug)]
pub(super) struct Turns {
    /// By shard.
    left: Vec<Arc<Semaphore>>,
}

/// What a batch takes along.
pub(super) type Turn = OwnedSemaphorePermit;

impl Turns {
    /// All of them, at so many shards.
    pub(super) fn new(shards: usize) -> Self {
        Turns { left: (0..shards).map(|_| Arc::new(Semaphore::new(TURNS))).collect() }
    }

    /// One at a shard; `None` where there is none left.
    pub(super) fn take(&self, shard: usize) -> Option<Turn> {
        Arc::clone(self.left.get(shard)?).try_acquire_owned().ok()
    }

    /// Waits until there is one at each shard.
    pub(super) async fn one_at_each(&self) {
        for left in &self.left {
            drop(left.acquire().await);
        }
    }

    /// Whether there is one at each shard.
    pub(super) fn has_one_at_each(&self) -> bool {
        self.left.iter().all(|left| left.available_permits() > 0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_peer_waits_for_the_slowest_shard_and_no_longer() {
        let turns = Turns::new(2);
        let mut taken: Vec<Turn> = std::iter::from_fn(|| turns.take(1)).collect();
        assert_eq!((taken.len(), turns.has_one_at_each(), turns.take(0).is_some()), (TURNS, false, true));
        assert!(timeout(Duration::from_millis(20), turns.one_at_each()).await.is_err());
        taken.pop();
        assert!(timeout(Duration::from_secs(20), turns.one_at_each()).await.is_ok());
        assert!(turns.has_one_at_each());
    }
}
