//! Where the tables come from that announcements are judged by, while the router runs.
//!
//! ```text
//!   RTR, files, SLURM --> rpki      \
//!   dumps, whois, NRTM --> irr       >-- Feeds --News--> keeper
//!   PeeringDB --> peeringdb, lists --> bogons /
//! ```
//!
//! Every feed keeps what its sources last said, holds back what is empty, broken or too different, and tells its tables whole
//! through a channel that keeps the newest: whoever is slow misses states in between, and no change.

pub(crate) mod backoff;
pub(crate) mod bogons;
pub(crate) mod guard;
pub(crate) mod irr;
pub(crate) mod keeper;
pub(crate) mod peeringdb;
pub(crate) mod rpki;
pub(crate) mod rtr;
pub(crate) mod slurm;
pub(crate) mod source_state;
mod status;
pub(crate) mod watch;

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::sync::watch as channel;
use tokio::time::{Instant, sleep_until};
use tracing::warn;

use crate::config::{Config, Peer};
use crate::judging;
use bogons::{BogonLists, BogonsFeed, BogonsState};
use irr::{IrrFeed, IrrTables};
use keeper::News;
use peeringdb::{Known, PeeringDbFeed, PeeringDbState};
use rpki::{RpkiFeed, RpkiTables};

pub(crate) use status::{FeedStatus, Held};

/// How long, after a reload, registries may take to say something before those that have take the place of what held.
const SETTLING: Duration = Duration::from_secs(60);
/// How long before routes may be accepted it is put together what registries have said.
const BEFORE_THE_GATE: Duration = Duration::from_secs(1);

/// A feed, and what of its tables was not seen yet.
#[derive(Debug)]
struct Source<F, T> {
    feed: F,
    tables: channel::Receiver<T>,
}

/// All feeds of a running router. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Feeds {
    rpki: Option<Source<RpkiFeed, RpkiTables>>,
    irr: Option<Source<IrrFeed, IrrTables>>,
    bogons: Source<BogonsFeed, BogonsState>,
    peeringdb: Option<Source<PeeringDbFeed, PeeringDbState>>,
    /// When nobody waits for registries any more that have said nothing.
    patience_ends: Instant,
}

/// What was read of files before any feed runs.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) bogons: BogonLists,
    pub(crate) networks: Known,
}

impl Feeds {
    /// Starts the feeds of a configuration. Needs a runtime.
    pub(crate) fn start(config: &Config, peers: &[Peer], read: Read) -> io::Result<Self> {
        Ok(Feeds {
            rpki: start_rpki(config)?,
            // What they have said counts when routes may be accepted, whoever is still silent then.
            irr: start_irr(config, peers, config.rpki.wait.saturating_sub(BEFORE_THE_GATE)),
            bogons: start_bogons(read.bogons),
            peeringdb: start_peeringdb(config, read.networks),
            patience_ends: Instant::now() + config.rpki.wait,
        })
    }

    /// The next news of any of them.
    pub(crate) async fn next(&mut self) -> News {
        let Feeds { rpki, irr, bogons, peeringdb, .. } = self;
        tokio::select! {
            RpkiTables { rov, aspa, .. } = whole(rpki.as_mut()) => {
                News::Rpki { rov, aspa }
            }
            IrrTables { index, .. } = changed(irr.as_mut().map(|irr| &mut irr.tables)) => News::Irr(index),
            BogonsState { bogons, .. } = changed(Some(&mut bogons.tables)) => News::Bogons(bogons),
            PeeringDbState { facts, .. } = changed(peeringdb.as_mut().map(|feed| &mut feed.tables)) => {
                News::Networks(facts)
            }
        }
    }

    /// Waits until every source has had its first set, or the time to wait for that is over: then routes may be accepted.
    pub(crate) fn ready(&self) -> impl Future<Output = ()> + use<> {
        let rpki = self.rpki.as_ref().map(|rpki| rpki.feed.ready());
        let irr = self.irr.as_ref().map(|irr| irr.feed.tables());
        let patience_ends = self.patience_ends;
        async move {
            if let Some(mut rpki) = rpki {
                // A feed that has ended has nothing to wait for.
                drop(rpki.wait_for(|ready| *ready).await);
            }
            let Some(mut irr) = irr else { return };
            tokio::select! {
                _ = irr.wait_for(|tables| tables.is_ready) => {}
                () = sleep_until(patience_ends) => {
                    warn!("not all registries have answered: what only they know of is refused");
                }
            }
        }
    }

    /// How it stands with every source.
    pub(crate) async fn status(&self) -> Vec<FeedStatus> {
        let mut all: Vec<FeedStatus> = Vec::new();
        if let Some(rpki) = &self.rpki {
            all.extend(rpki.feed.status().into_iter().map(FeedStatus::from));
        }
        if let Some(irr) = &self.irr {
            all.extend(irr.feed.status().await.into_iter().map(FeedStatus::from));
        }
        if let Some(peeringdb) = &self.peeringdb {
            let sources = peeringdb.feed.state.borrow().sources.clone();
            all.extend(sources.into_iter().map(FeedStatus::from));
        }
        let lists = self.bogons.feed.state.borrow().lists.clone();
        all.extend(lists.into_iter().map(FeedStatus::from));
        all
    }

    /// Takes what the source of that name holds back. What is wrong with that is told in words.
    pub(crate) async fn confirm(&self, name: &str) -> Result<(), String> {
        let by_rpki = match &self.rpki {
            Some(rpki) => rpki.feed.confirm(name).await,
            None => false,
        };
        let by_irr = match &self.irr {
            Some(irr) => !irr.feed.confirm(Some(name)).await.is_empty(),
            None => false,
        };
        let by_peeringdb = match &self.peeringdb {
            Some(peeringdb) => peeringdb.feed.confirm(name).await,
            None => false,
        };
        let by_bogons = self.bogons.feed.confirm(name).await;
        match by_rpki || by_irr || by_peeringdb || by_bogons {
            true => Ok(()),
            false => Err(format!(
                "no source called `{name}` holds anything back: `palisade show feeds` lists them"
            )),
        }
    }

    /// Has the feeds be those of another configuration. One whose section is the same goes on; one whose is not begins anew, and
    /// what it last said holds until it has said something.
    pub(crate) async fn configure(&mut self, old: &Config, new: &Config, peers: &[Peer], read: Read) {
        if !old.says_the_same(new, "rpki") {
            match start_rpki(new) {
                Ok(rpki) => self.rpki = rpki,
                Err(fault) => warn!(%fault, "the RPKI's sources could not be started: the old ones go on"),
            }
        }
        if !old.says_the_same(new, "irr") {
            self.irr = start_irr(new, peers, SETTLING);
        } else if let Some(irr) = &self.irr {
            irr.feed.want(irr::wanted(new, peers));
        }
        if !old.says_the_same(new, "bogons") {
            self.bogons = start_bogons(read.bogons);
        }
        if !old.says_the_same(new, "peeringdb") {
            self.peeringdb = start_peeringdb(new, read.networks);
        } else if let Some(peeringdb) = &self.peeringdb {
            peeringdb.feed.want(judging::asked_of_peeringdb(new)).await;
        }
    }

    /// Peers need something else of the registries now.
    pub(crate) fn want(&self, config: &Config, peers: &[Peer]) {
        if let Some(irr) = &self.irr {
            irr.feed.want(irr::wanted(config, peers));
        }
    }

    /// Ends all feeds, when what is not on the disk is there.
    pub(crate) async fn stop(self) {
        if let Some(irr) = self.irr {
            irr.feed.stop().await;
        }
    }
}

fn start_rpki(config: &Config) -> io::Result<Option<Source<RpkiFeed, RpkiTables>>> {
    if !config.rpki.has_source() {
        return Ok(None);
    }
    let feed = RpkiFeed::start(&config.rpki)?;
    Ok(Some(Source { tables: feed.tables(), feed }))
}

fn start_irr(config: &Config, peers: &[Peer], settling: Duration) -> Option<Source<IrrFeed, IrrTables>> {
    config.irr.has_sources().then(|| {
        let feed = IrrFeed::start(&config.irr, irr::wanted(config, peers), settling);
        Source { tables: feed.tables(), feed }
    })
}

fn start_bogons(lists: BogonLists) -> Source<BogonsFeed, BogonsState> {
    let feed = BogonsFeed::start(lists);
    Source { tables: feed.state.clone(), feed }
}

fn start_peeringdb(config: &Config, known: Known) -> Option<Source<PeeringDbFeed, PeeringDbState>> {
    let settings = config.peeringdb.as_ref()?;
    let feed = PeeringDbFeed::start(settings, known, judging::asked_of_peeringdb(config));
    Some(Source { tables: feed.state.clone(), feed })
}

/// The newest tables of the RPKI, once all sources have been heard: with fewer VRPs less is invalid, so that a part of them is
/// not judged by, not even after a reload.
async fn whole(rpki: Option<&mut Source<RpkiFeed, RpkiTables>>) -> RpkiTables {
    let Some(rpki) = rpki else { return std::future::pending().await };
    // A feed that has ended says nothing more, and `changed` waits for that for good.
    drop(rpki.feed.ready().wait_for(|ready| *ready).await);
    changed(Some(&mut rpki.tables)).await
}

/// The newest tables, once there are some that were not seen.
async fn changed<T: Clone>(tables: Option<&mut channel::Receiver<T>>) -> T {
    if let Some(tables) = tables
        && tables.changed().await.is_ok()
    {
        return tables.borrow_and_update().clone();
    }
    // There is no such feed, or it has ended and will say no more.
    std::future::pending().await
}
