//! What of a running router can be looked at from outside: its peers, its shards' paths, its FIB's figures.
//!
//! Looking changes nothing and holds nothing up. Peers' numbers are read where they are kept. Shards answer in between
//! their other work, a short visit at a time, and only [`VISITS`] visits are under way at once, whoever asks and however
//! many do: a peer's UPDATEs never stand behind more than those.

use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade_fib::FibStats;
use palisade_policy::Snapshot;
use palisade_rib::{Page, PeerIndex, Query, Totals};
use tokio::sync::{Semaphore, oneshot, watch};

use super::RunningPeer;
use super::fib::FibQueue;
use super::shard::{Shards, ToShard};

/// Questions that shards are asked at once.
const VISITS: usize = 2;

/// A running router, to look at.
#[derive(Debug)]
pub(crate) struct RouterView {
    started: Instant,
    peers: Vec<RunningPeer>,
    shards: Shards,
    fib: Option<Arc<FibQueue>>,
    tables: watch::Receiver<Arc<Snapshot>>,
    visits: Semaphore,
}

impl RouterView {
    pub(super) fn new(
        peers: Vec<RunningPeer>,
        shards: Shards,
        fib: Option<Arc<FibQueue>>,
        tables: watch::Receiver<Arc<Snapshot>>,
    ) -> Self {
        RouterView { started: Instant::now(), peers, shards, fib, tables, visits: Semaphore::new(VISITS) }
    }

    /// How long it has run.
    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Its peers, in the order of the configuration.
    pub(crate) fn peers(&self) -> &[RunningPeer] {
        &self.peers
    }

    /// The peer of that number; `None` for the router itself.
    pub(crate) fn peer(&self, index: PeerIndex) -> Option<&RunningPeer> {
        self.peers.get(index.index().checked_sub(1)?)
    }

    /// The number of the peer of that name.
    pub(crate) fn index_of(&self, name: &str) -> Option<PeerIndex> {
        let at = self.peers.iter().position(|peer| peer.name == name)?;
        u16::try_from(at + 1).ok().map(PeerIndex)
    }

    /// The tables that it judges by.
    pub(crate) fn tables(&self) -> Arc<Snapshot> {
        Arc::clone(&self.tables.borrow())
    }

    /// What the FIB last said of itself, where there is one.
    pub(crate) fn fib_stats(&self) -> Option<FibStats> {
        self.fib.as_ref().map(|queue| queue.stats())
    }

    /// How many shards the table has.
    pub(crate) fn shards(&self) -> usize {
        self.shards.count()
    }

    /// A page of what a shard holds; `None` while the router stops.
    pub(crate) async fn page(&self, shard: usize, query: Query) -> Option<Page> {
        self.ask(shard, |reply| ToShard::Query(Box::new(query), reply)).await
    }

    /// How much all shards hold together; `None` while the router stops. A prefix is one shard's, but groups span shards.
    pub(crate) async fn totals(&self) -> Option<Totals> {
        let mut sum = Totals::default();
        for shard in 0..self.shards.count() {
            let part = self.ask(shard, ToShard::Totals).await?;
            for family in 0..2 {
                sum.prefixes[family] += part.prefixes[family];
                sum.groups[family] = sum.groups[family].max(part.groups[family]);
            }
        }
        Some(sum)
    }

    async fn ask<T>(&self, shard: usize, message: impl FnOnce(oneshot::Sender<T>) -> ToShard) -> Option<T> {
        let _visit = self.visits.acquire().await.ok()?;
        let place = self.shards.place(shard).await?;
        let (reply, answer) = oneshot::channel();
        place.send(message(reply));
        answer.await.ok()
    }
}
