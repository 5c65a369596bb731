//! What waits to be written to one session's socket.
//!
//! Shards put chunks in, the peer's task takes them out. The channel between them has no bound of its own, because a
//! shard must never wait for a peer: instead a shard asks [`SessionQueue::has_room`] before it encodes anything, and
//! what it can't send yet stays in its update group as prefixes, where the newest state wins. So a queue holds at most
//! [`LIMIT_BYTES`] and one chunk a shard, and chunks are shared by all sessions of a group.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use palisade_bgp::Family;
use palisade_rib::Chunk;
use tokio::sync::{Notify, mpsc};

/// Octets queued for a session from which on shards encode nothing more for it.
const LIMIT_BYTES: usize = 1 << 20;

/// What a shard tells a session.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Messages to write.
    Chunk(Arc<Chunk>),
    /// The shard has sent all that it holds of a family.
    Walked(Family),
}

/// The shards' end.
#[derive(Debug)]
pub(crate) struct SessionQueue {
    sender: mpsc::UnboundedSender<Outgoing>,
    queued: Arc<AtomicUsize>,
    near_limit: Arc<Notify>,
}

/// The peer task's end.
#[derive(Debug)]
pub(crate) struct SessionReader {
    receiver: mpsc::UnboundedReceiver<Outgoing>,
    queued: Arc<AtomicUsize>,
    near_limit: Arc<Notify>,
}

/// A queue for a session that has just come up.
pub(crate) fn session_queue() -> (Arc<SessionQueue>, SessionReader) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let queued = Arc::new(AtomicUsize::new(0));
    let near_limit = Arc::new(Notify::new());
    let shards_end =
        SessionQueue { sender, queued: Arc::clone(&queued), near_limit: Arc::clone(&near_limit) };
    (Arc::new(shards_end), SessionReader { receiver, queued, near_limit })
}

impl SessionQueue {
    pub(crate) fn has_room(&self) -> bool {
        self.queued.load(Ordering::Acquire) < LIMIT_BYTES
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.queued.load(Ordering::Acquire) == 0
    }

    /// Says that the peer is near a limit of prefixes. It is no message: a peer that does not read has its limits, too.
    pub(crate) fn near_limit(&self) {
        self.near_limit.notify_one();
    }

    pub(crate) fn send(&self, outgoing: Outgoing) {
        if let Outgoing::Chunk(chunk) = &outgoing {
            self.queued.fetch_add(chunk.len(), Ordering::AcqRel);
        }
        // A session that has ended takes nothing more; its end of the queue is gone, and the shard hears of it next.
        let _ = self.sender.send(outgoing);
    }
}

impl SessionReader {
    pub(crate) async fn next(&mut self) -> Option<Outgoing> {
        self.receiver.recv().await
    }

    pub(crate) fn try_next(&mut self) -> Option<Outgoing> {
        self.receiver.try_recv().ok()
    }

    /// Where shards say that the peer is near a limit of prefixes.
    pub(crate) fn near_limit(&self) -> Arc<Notify> {
        Arc::clone(&self.near_limit)
    }

    /// Says that a chunk of `octets` has left; true where that makes room that shards may be waiting for.
    pub(crate) fn written(&self, octets: usize) -> bool {
        let before = self.queued.fetch_sub(octets, Ordering::AcqRel);
        before >= LIMIT_BYTES && before - octets < LIMIT_BYTES
    }
}
