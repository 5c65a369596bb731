//! One cache, as long as the router runs: connected to while it is wanted, asked for news, come back to after a failure.
//!
//! ```text
//!            not wanted                    a fault: wait, longer each time
//!   standby <----------- any      .------------------------------------.
//!      |                          v                                    |
//!      '--- wanted ---> connecting ---> in conversation: ask, apply, wait for a Serial Notify or for `refresh`
//! ```
//!
//! It tells what it hears to whoever decides which cache counts, and decides nothing itself. What it has heard outlives
//! the connection: it is asked for what changed since, where the cache still knows. How long data is good is what the
//! cache says (RFC 8210 s6), within the bounds that are given there.

use std::time::Duration;

use rpki::rtr::Timing;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, info, warn};

use super::dialogue::{Answer, Dialogue, Fault, Patience, parts};
use super::link::{self, Stream};
use super::replica::{Replica, Unapplied};
use super::transfer::{Content, Transfer};
use crate::config::Cache;
use crate::feeds::backoff::Backoff;
use crate::feeds::rpki::RpkiSet;

/// Changes that are applied where they are: more than these take longer than others on this thread should wait.
const FEW: usize = 1024;
/// The highest version that is spoken where ASPAs are asked for.
pub(super) const WITH_ASPA: u8 = 2;
/// The highest version that is spoken elsewhere.
const WITHOUT_ASPA: u8 = 1;
/// How long a version that a cache does not speak well is left alone: caches are upgraded.
const LEFT_ALONE: Duration = Duration::from_secs(86_400);
/// How long it is left alone after another fault, which may have been a moment's.
const SHORTLY_LEFT_ALONE: Duration = Duration::from_secs(3600);
/// How often a cache may close the connection without a word before a lower version is tried.
const SPEECHLESS: u32 = 2;

/// A cache's task.
pub(crate) struct CacheTask {
    cache: Cache,
    index: usize,
    heard: mpsc::Sender<(usize, Heard)>,
    wanted: watch::Receiver<bool>,
    replica: Replica,
    versions: Versions,
    /// What was wrong the last time, until it works again.
    last_fault: Option<String>,
    timing: Timing,
    backoff: Backoff,
}

/// What is heard of a cache.
#[derive(Debug)]
pub(crate) enum Heard {
    /// It is in another phase.
    Phase(Phase),
    /// It has told its data, or that there is nothing new.
    Set(RpkiSet, Facts),
}

/// How it stands with a cache that tells nothing just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nobody wants it.
    Standby,
    /// It is being connected to.
    Connecting,
    /// It has failed.
    Failing {
        /// Why.
        fault: String,
        /// When it is tried again, from now on.
        retry: Duration,
    },
}

/// What goes with the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The protocol's version.
    pub(crate) version: u8,
    /// The cache's session.
    pub(crate) session: u16,
    /// The serial that the data stands at.
    pub(crate) serial: u32,
    /// When it is asked again, at the latest.
    pub(crate) refresh: Duration,
    /// How long the data is good, from now on.
    pub(crate) expire: Duration,
    /// What is to be known besides: why nothing is told of ASPAs.
    pub(crate) note: Option<&'static str>,
}

/// Whoever listened is gone: the router stops.
struct Unheard;

impl CacheTask {
    /// A task that tells what it hears as that of cache `index`, and connects while it is `wanted`.
    pub(crate) fn new(
        cache: Cache,
        index: usize,
        heard: mpsc::Sender<(usize, Heard)>,
        wanted: watch::Receiver<bool>,
    ) -> Self {
        let timing = Timing::default();
        CacheTask {
            versions: Versions::new(&cache),
            last_fault: None,
            backoff: Backoff::new(Duration::from_secs(timing.retry.into())),
            replica: Replica::default(),
            cache,
            index,
            heard,
            wanted,
            timing,
        }
    }

    /// Runs until nobody listens any more.
    pub(crate) async fn run(mut self) {
        while let Ok(()) = self.turn().await {}
    }

    /// From being wanted to the end of a conversation.
    async fn turn(&mut self) -> Result<(), Unheard> {
        if !*self.wanted.borrow_and_update() {
            // What may be asked for again need not be held twice.
            self.replica = Replica::default();
            self.tell(Heard::Phase(Phase::Standby)).await?;
            self.wanted.wait_for(|wanted| *wanted).await.map_err(|_| Unheard)?;
        }
        self.tell(Heard::Phase(Phase::Connecting)).await?;
        let mut wanted = self.wanted.clone();
        let fault = tokio::select! {
            unwanted = wanted.wait_for(|wanted| !*wanted) => return unwanted.map(|_| ()).map_err(|_| Unheard),
            fault = self.converse() => fault?,
        };
        let retry = self.after(&fault);
        let (cache, retry_s, fault) = (self.cache.address(), retry.as_secs_f32(), fault.to_string());
        // It may be tried every second, for days.
        if self.last_fault.as_ref() == Some(&fault) {
            debug!(cache, fault, retry_s, "RTR: the cache still can't be used");
        } else {
            info!(cache, fault, retry_s, "RTR: the cache can't be used");
            self.last_fault = Some(fault.clone());
        }
        self.tell(Heard::Phase(Phase::Failing { fault, retry })).await?;
        tokio::select! {
            () = sleep(retry) => Ok(()),
            unwanted = wanted.wait_for(|wanted| !*wanted) => unwanted.map(|_| ()).map_err(|_| Unheard),
        }
    }

    /// Connects, and follows what the cache tells until something is wrong.
    async fn converse(&mut self) -> Result<Fault, Unheard> {
        let stream = match link::connect(&self.cache).await {
            Ok(stream) => stream,
            Err(fault) => return Ok(fault.into()),
        };
        let offered = self.versions.offered();
        let mut dialogue = Dialogue::new(stream, offered, Patience::default());
        let fault = self.follow(&mut dialogue).await?;
        self.versions.learn(offered, dialogue.version(), &fault, &self.cache);
        Ok(fault)
    }

    async fn follow(&mut self, dialogue: &mut Dialogue<Box<dyn Stream>>) -> Result<Fault, Unheard> {
        loop {
            let answer = match dialogue.ask(self.replica.state()).await {
                Ok(answer) => answer,
                Err(fault) => return Ok(fault),
            };
            let next = match answer {
                Answer::Data(transfer) => match self.apply(transfer).await {
                    Ok(()) => {
                        self.tell_set(dialogue.version()).await?;
                        self.refresh()
                    }
                    Err(Unapplied::Diverged) => {
                        warn!(
                            cache = self.cache.address(),
                            "RTR: changes that don't fit: all is asked for again"
                        );
                        continue;
                    }
                    Err(Unapplied::Empty) => self.has_none(Unapplied::Empty.to_string()).await?,
                },
                Answer::Reset => {
                    self.replica.forget_state();
                    continue;
                }
                Answer::NoData => self.has_none("the cache has no data yet".into()).await?,
            };
            let ask_again = Instant::now() + next;
            let higher_at = self.versions.higher_at.unwrap_or(ask_again);
            if let Err(fault) = dialogue.told(ask_again.min(higher_at)).await {
                return Ok(fault);
            }
            if self.versions.may_be_higher() {
                return Ok(Fault::Outdated);
            }
        }
    }

    async fn apply(&mut self, transfer: Transfer) -> Result<(), Unapplied> {
        if let Some(timing) = transfer.timing {
            self.timing = bounded(timing);
        }
        match &transfer.content {
            Content::Delta(changes) if changes.len() <= FEW => self.replica.apply(transfer)?,
            _ => {
                let mut replica = self.replica.clone();
                let applied = spawn_blocking(move || {
                    let outcome = replica.apply(transfer);
                    (replica, outcome)
                });
                // It is not aborted; only a panic could end it, and then nothing was applied.
                let Ok((replica, outcome)) = applied.await else { return Err(Unapplied::Diverged) };
                self.replica = replica;
                outcome?;
            }
        }
        self.backoff = Backoff::new(Duration::from_secs(self.timing.retry.into()));
        self.versions.worked();
        self.last_fault = None;
        Ok(())
    }

    /// It is there and has nothing to tell: asked again after the time that it gave for failures.
    async fn has_none(&mut self, fault: String) -> Result<Duration, Unheard> {
        self.replica.forget_state();
        let retry = self.backoff.next();
        self.tell(Heard::Phase(Phase::Failing { fault, retry })).await?;
        Ok(retry)
    }

    fn refresh(&self) -> Duration {
        let asked = Duration::from_secs(self.timing.refresh.into());
        self.cache.refresh.map_or(asked, |refresh| refresh.min(asked))
    }

    async fn tell_set(&mut self, version: u8) -> Result<(), Unheard> {
        let Some((session, serial)) = self.replica.state().map(parts) else { return Ok(()) };
        let facts = Facts {
            version,
            session,
            serial,
            refresh: self.refresh(),
            expire: Duration::from_secs(self.timing.expire.into()),
            note: (self.cache.aspa && version < WITH_ASPA).then_some(match self.versions.why {
                Some(why) => why,
                None => "no ASPAs: the cache does not speak version 2",
            }),
        };
        self.tell(Heard::Set(self.replica.set().clone(), facts)).await
    }

    /// What is remembered of a fault, and how long to wait.
    fn after(&mut self, fault: &Fault) -> Duration {
        let resumed = self.replica.state().is_some();
        match fault {
            // stayrtr answers so after it was started again; other caches may have other codes for it.
            Fault::Reported { .. } | Fault::SessionChanged if resumed => {
                self.replica.forget_state();
                self.backoff.next().min(Duration::from_secs(2))
            }
            Fault::Io(_) | Fault::Closed | Fault::Speechless(_) | Fault::NoAnswer => self.backoff.next(),
            _ => {
                self.replica.forget_state();
                self.backoff.next()
            }
        }
    }

    async fn tell(&self, heard: Heard) -> Result<(), Unheard> {
        self.heard.send((self.index, heard)).await.map_err(|_| Unheard)
    }
}

/// The times that a cache asks for, within the bounds of RFC 8210 s6.
fn bounded(Timing { refresh, retry, expire }: Timing) -> Timing {
    let (refresh, retry) = (refresh.clamp(1, 86_400), retry.clamp(1, 7200));
    Timing { refresh, retry, expire: expire.clamp(600, 172_800).max(refresh).max(retry) }
}

/// Which version of the protocol to offer.
#[derive(Debug)]
struct Versions {
    /// The highest that is of use.
    wished: u8,
    /// The one to offer.
    offered: u8,
    /// When it is tried again with the highest, where it is a lower one.
    higher_at: Option<Instant>,
    /// Why, where it is for more than the cache's being old.
    why: Option<&'static str>,
    /// How often in a row the cache said nothing at all.
    speechless: u32,
}

impl Versions {
    fn new(cache: &Cache) -> Self {
        let wished = if cache.aspa { WITH_ASPA } else { WITHOUT_ASPA };
        Versions { wished, offered: wished, higher_at: None, why: None, speechless: 0 }
    }

    fn offered(&mut self) -> u8 {
        if self.may_be_higher() {
            (self.offered, self.higher_at, self.why) = (self.wished, None, None);
        }
        self.offered
    }

    /// Whether a version that was left alone may be tried again.
    fn may_be_higher(&self) -> bool {
        self.higher_at.is_some_and(|at| at <= Instant::now())
    }

    fn worked(&mut self) {
        self.speechless = 0;
    }

    /// What a conversation in which `offered` was offered, and that came to `settled`, ended with.
    fn learn(&mut self, offered: u8, settled: u8, fault: &Fault, cache: &Cache) {
        let lower = match fault {
            Fault::Speechless(version) if *version > 0 => {
                self.speechless += 1;
                (self.speechless >= SPEECHLESS).then(|| version - 1)
            }
            // No version helps against silence: from the top again.
            Fault::Speechless(_) => Some(self.wished),
            Fault::Io(_) | Fault::Closed | Fault::Stalled | Fault::NoAnswer | Fault::TooSlow => None,
            Fault::Reported { .. } | Fault::SessionChanged => None,
            _ if settled == WITH_ASPA => {
                self.why = Some(if fault.is_of_aspa() {
                    "the cache speaks an older draft of version 2: version 1 is spoken, which tells of no ASPAs"
                } else {
                    "version 2 led to a fault: version 1 is spoken, which tells of no ASPAs"
                });
                warn!(cache = cache.address(), %fault, "RTR: version 1 is spoken from now on, which tells of no ASPAs; those that are known stay");
                Some(WITHOUT_ASPA)
            }
            _ => None,
        };
        let next = lower.or_else(|| (settled < offered).then_some(settled));
        if let Some(next) = next {
            (self.offered, self.speechless) = (next, 0);
            let another = self.why.is_some() && !fault.is_of_aspa();
            let alone = if another { SHORTLY_LEFT_ALONE } else { LEFT_ALONE };
            self.higher_at = (next < self.wished).then(|| Instant::now() + alone);
        }
    }
}

/// Asks a cache once for all that it has, for those who need it once.
pub(crate) async fn fetch_once(cache: &Cache, within: Duration) -> Result<RpkiSet, Fault> {
    let (heard, mut hear) = mpsc::channel(4);
    let (_wanted, wanted) = watch::channel(true);
    let task = tokio::spawn(CacheTask::new(cache.clone(), 0, heard, wanted).run());
    let first = async {
        let mut failures = 0;
        while let Some((_, heard)) = hear.recv().await {
            match heard {
                Heard::Set(set, _) => return Ok(set),
                // A lower version may be what it takes.
                Heard::Phase(Phase::Failing { fault, .. }) if failures == 2 => {
                    return Err(Fault::Io(std::io::Error::other(fault)));
                }
                Heard::Phase(Phase::Failing { .. }) => failures += 1,
                Heard::Phase(_) => {}
            }
        }
        Err(Fault::Closed)
    };
    let outcome = timeout(within, first).await.unwrap_or(Err(Fault::NoAnswer));
    task.abort();
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> Cache {
        let host = "192.0.2.1".into();
        Cache { span: 0..0, host, port: 323, preference: 1, tls: None, aspa: true, refresh: None }
    }

    #[test]
    fn a_version_that_led_to_a_fault_is_left_alone_and_tried_again() {
        for (fault, alone) in [(Fault::OldAspa, LEFT_ALONE), (Fault::Corrupt("a length"), SHORTLY_LEFT_ALONE)]
        {
            let mut versions = Versions::new(&cache());
            let before = Instant::now() + alone;
            versions.learn(2, 2, &fault, &cache());
            let higher_at = versions.higher_at.unwrap();
            assert!((before..=Instant::now() + alone).contains(&higher_at), "{fault}");
            assert_eq!((versions.offered(), versions.may_be_higher()), (1, false));
            versions.higher_at = Some(Instant::now());
            assert!(versions.may_be_higher());
            versions.learn(1, 1, &Fault::Outdated, &cache());
            assert_eq!((versions.offered(), versions.may_be_higher()), (2, false));
        }
    }
}
