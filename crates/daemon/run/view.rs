//! What of a running router can be looked at from outside: its peers, its shards' paths, its FIB's figures.
//!
//! Looking changes nothing and holds nothing up. Peers' numbers are read where they are kept. Shards answer in between
//! their other work, a short visit at a time, and only [`VISITS`] visits are under way at once, whoever asks and however
//! many do: a peer's UPDATEs never stand behind more than those.

use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade_bgp::Prefix;
use palisade_fib::{FibStats, RouteState};
use palisade_policy::Snapshot;
use palisade_rib::{Account, Page, Query, Totals, shard_of};
use tokio::sync::{Semaphore, oneshot, watch};

use super::expected::Expected;
use super::fib::FibQueue;
use super::roster::Roster;
use super::shard::{Shards, ToShard};

/// Questions that shards are asked at once.
const VISITS: usize = 2;
/// How long the FIB may take to say what has become of a route.
const KERNEL_PATIENCE: Duration = Duration::from_millis(100);

/// A running router, to look at.
#[derive(Debug)]
pub(crate) struct RouterView {
    started: Instant,
    roster: watch::Receiver<Arc<Roster>>,
    expected: Arc<Expected>,
    shards: Shards,
    fib: Option<Arc<FibQueue>>,
    tables: watch::Receiver<Arc<Snapshot>>,
    visits: Semaphore,
}

impl RouterView {
    pub(super) fn new(
        roster: watch::Receiver<Arc<Roster>>,
        expected: Arc<Expected>,
        shards: Shards,
        fib: Option<Arc<FibQueue>>,
        tables: watch::Receiver<Arc<Snapshot>>,
    ) -> Self {
        RouterView {
            started: Instant::now(),
            roster,
            expected,
            shards,
            fib,
            tables,
            visits: Semaphore::new(VISITS),
        }
    }

    /// How long it has run.
    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Its peers, as they are now.
    pub(crate) fn roster(&self) -> Arc<Roster> {
        Arc::clone(&self.roster.borrow())
    }

    /// Who may connect, and who was turned away.
    pub(crate) fn expected(&self) -> &Expected {
        &self.expected
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

    /// All that there is to say of a prefix; `None` while the router stops.
    pub(crate) async fn account(&self, prefix: Prefix) -> Option<Account> {
        let shard = match prefix {
            Prefix::V4(net) => shard_of(net, self.shards()),
            Prefix::V6(net) => shard_of(net, self.shards()),
        };
        self.ask(shard, |reply| ToShard::Account(prefix, reply)).await
    }

    /// What has become of the kernel's route to a prefix; `None` where there is no FIB. It answers between two batches; where
    /// that takes it too long, `Some(None)`.
    pub(crate) async fn kernel_route(&self, prefix: Prefix) -> Option<Option<RouteState>> {
        let answer = self.fib.as_ref()?.state(prefix);
        Some(tokio::time::timeout(KERNEL_PATIENCE, answer).await.ok().and_then(Result::ok))
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
