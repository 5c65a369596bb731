//! From a request to its answer.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade_bgp::Family;
use palisade_bgp::attribute_table::name;
use palisade_bgp::message::MessageKind;
use palisade_bgp::notification::MAX_COMMUNICATION;
use palisade_bgp::session::State;
use palisade_policy::{PerReason, RovState, Rules};
use palisade_rib::{Phase, Scope, Selection, Tally};

use tokio::sync::{mpsc, oneshot, watch};

use super::answer::{
    DoneLine, EndLine, HeldDownLine, KernelLine, LimitLine, Line, MessagesLine, MetricsLine, NOT_DONE,
    OneWayLine, PeerLine, Refusal, StaleLine, SummaryLine, TransportLine,
};
use super::command::Command;
use super::explaining;
use super::request::{Request, RoutesRequest};
use super::routes::{self, Walk};
use crate::config::Config;
use crate::explain::explanation::SourceFacts;
use crate::feeds::FeedStatus;
use crate::metrics;
use crate::run::limits::{Standing, key};
use crate::run::{OneWay, PeerStatus, RouterView, RunningPeer};

/// Octets of metrics in a line of an answer, or one sample more.
const METRICS_IN_LINE: usize = 1 << 16;

/// How long an explanation waits to hear where the tables are from.
const SOURCES_PATIENCE: Duration = Duration::from_millis(100);

/// What answers are made of.
#[derive(Debug)]
pub(crate) struct Answering {
    config: watch::Receiver<Arc<Config>>,
    view: RouterView,
    /// The way to whoever can change anything; a lab has none.
    commands: Option<mpsc::Sender<Command>>,
}

/// Where the lines of an answer go.
pub(super) trait Lines {
    /// Takes a line; it may be written later.
    async fn say(&mut self, line: &Line) -> io::Result<()>;
    /// Writes what it has taken.
    async fn flush(&mut self) -> io::Result<()>;
}

/// Why an answer ends early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the client has gone, or does not read")]
    Gone(#[from] io::Error),
}

impl Answering {
    pub(crate) fn new(
        config: watch::Receiver<Arc<Config>>,
        view: RouterView,
        commands: Option<mpsc::Sender<Command>>,
    ) -> Self {
        Answering { config, view, commands }
    }

    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.borrow())
    }

    /// Answers, `end` or `error` included.
    pub(super) async fn answer(
        &self,
        request: Result<Request, Refusal>,
        lines: &mut impl Lines,
    ) -> io::Result<()> {
        let said = match request {
            Ok(request) => self.say(&request, lines).await,
            Err(refusal) => Err(refusal.into()),
        };
        match said {
            Ok(end) => lines.say(&Line::End(end)).await?,
            Err(Unanswered::Refused(refusal)) => lines.say(&Line::Error(refusal)).await?,
            Err(Unanswered::Gone(fault)) => return Err(fault),
        }
        lines.flush().await
    }

    async fn say(&self, request: &Request, lines: &mut impl Lines) -> Result<EndLine, Unanswered> {
        match request {
            Request::Summary => {
                let summary = self.summary().await?;
                lines.say(&Line::Summary(Box::new(summary))).await?;
                Ok(EndLine { lines: 1, limited: false })
            }
            Request::Peers { name: Some(name) } => {
                let roster = self.view.roster();
                let peer = roster.named(name).ok_or_else(|| Refusal::no_such_peer(name, &roster))?;
                let line = peer_line(peer, &self.view.tables().rules);
                lines.say(&Line::Peer(Box::new(line))).await?;
                Ok(EndLine { lines: 1, limited: false })
            }
            Request::Peers { name: None } => {
                let (roster, tables) = (self.view.roster(), self.view.tables());
                for peer in roster.peers() {
                    lines.say(&Line::Peer(Box::new(peer_line(peer, &tables.rules)))).await?;
                }
                Ok(EndLine { lines: roster.peers().len() as u64, limited: false })
            }
            Request::Feeds => {
                let feeds = self.command(Command::Feeds).await?;
                let end = EndLine { lines: feeds.len() as u64, limited: false };
                for feed in feeds {
                    lines.say(&Line::Feed(Box::new(feed))).await?;
                }
                Ok(end)
            }
            Request::Reload => {
                let done = self.command(Command::Reload).await?;
                self.done(DoneLine::Reloaded(done), lines).await
            }
            Request::Confirm { feed } => {
                self.command(|reply| Command::Confirm(feed.clone(), reply)).await?;
                self.done(DoneLine::Confirmed, lines).await
            }
            Request::Peer { name, order } => {
                let roster = self.view.roster();
                roster.named(name).ok_or_else(|| Refusal::no_such_peer(name, &roster))?;
                if order.words().len() > MAX_COMMUNICATION {
                    return Err(Refusal::too_many_words(order.words().len()).into());
                }
                self.command(|reply| Command::Peer(name.clone(), order.clone(), reply)).await?;
                self.done(DoneLine::Ordered, lines).await
            }
            Request::Metrics => {
                let text = self.metrics().await?;
                let mut end = EndLine::default();
                for part in parts(&text) {
                    lines.say(&Line::Metrics(MetricsLine { text: part.into() })).await?;
                    end.lines += 1;
                }
                Ok(end)
            }
            Request::Routes(request) => self.routes(request, lines).await,
            Request::Paths => self.paths(lines).await,
            Request::Explain(request) => {
                let mut explanations =
                    explaining::explain(&self.view, self.config().router.asn, request).await?;
                let sources = self.sources().await;
                explanations.iter_mut().for_each(|one| one.tables.sources.clone_from(&sources));
                let end = EndLine { lines: explanations.len() as u64, limited: false };
                for explanation in explanations {
                    lines.say(&Line::Explanation(Box::new(explanation))).await?;
                }
                Ok(end)
            }
        }
    }

    /// The router's numbers, as Prometheus reads them.
    pub(crate) async fn metrics(&self) -> Result<String, Refusal> {
        // A lab has no sources, and one that stops says so below.
        let sources = self.command(Command::Feeds).await.unwrap_or_default();
        metrics::text(&self.config(), &self.view, &sources).await.ok_or_else(Refusal::stopping)
    }

    /// Has something done, and waits until it is.
    async fn command<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, String>>) -> Command,
    ) -> Result<T, Refusal> {
        let (reply, told) = oneshot::channel();
        let commands = self.commands.as_ref().ok_or_else(|| {
            Refusal::new("lab", "a lab's router has no sources, and can't be told anything")
        })?;
        let sent = commands.send(command(reply)).await;
        sent.map_err(|_| Refusal::stopping())?;
        let done = told.await.map_err(|_| Refusal::stopping())?;
        done.map_err(|why| Refusal::new(NOT_DONE, why))
    }

    /// Where the tables are from, where that is told in time: whoever reads them may be at it for long.
    async fn sources(&self) -> Vec<SourceFacts> {
        let told = tokio::time::timeout(SOURCES_PATIENCE, self.command(Command::Feeds)).await;
        let Ok(Ok(feeds)) = told else { return Vec::new() };
        let source = |FeedStatus { feed, name, state, age_s, alarming, .. }| SourceFacts {
            feed,
            name,
            state,
            age_s,
            alarming,
        };
        feeds.into_iter().map(source).collect()
    }

    async fn done(&self, done: DoneLine, lines: &mut impl Lines) -> Result<EndLine, Unanswered> {
        lines.say(&Line::Done(done)).await?;
        Ok(EndLine { lines: 1, limited: false })
    }

    async fn routes(&self, request: &RoutesRequest, lines: &mut impl Lines) -> Result<EndLine, Unanswered> {
        let roster = self.view.roster();
        let config = self.config();
        let rules = Arc::clone(&self.view.tables().rules);
        let (asn, scheme) = (config.router.asn, config.looking_glass.reject_communities);
        let selection = request.selection(&roster)?;
        let mut end = EndLine::default();
        for scope in request.scopes()? {
            let mut walk = Walk::new(&self.view, scope, selection);
            loop {
                if !walk.is_ready() {
                    // While shards are asked the client has what there is.
                    lines.flush().await?;
                }
                let Some(held) = walk.next().await? else { break };
                if request.limit.is_some_and(|limit| end.lines >= limit) {
                    return Ok(EndLine { limited: true, ..end });
                }
                let route = routes::line(&held, &roster, &rules, asn, scheme);
                lines.say(&Line::Route(Box::new(route))).await?;
                end.lines += 1;
            }
        }
        Ok(end)
    }

    /// Every path that a peer announces. What the router originates is its configuration's.
    async fn paths(&self, lines: &mut impl Lines) -> Result<EndLine, Unanswered> {
        let roster = self.view.roster();
        let tables = self.view.tables();
        let mut end = EndLine::default();
        for family in Family::ALL {
            let mut walk = Walk::new(&self.view, Scope::Family(family), Selection::default());
            loop {
                if !walk.is_ready() {
                    // While shards are asked the client has what there is.
                    lines.flush().await?;
                }
                let Some(held) = walk.next().await? else { break };
                if let Some(line) = routes::path_line(&held, &roster, &tables) {
                    lines.say(&Line::Path(Box::new(line))).await?;
                    end.lines += 1;
                }
            }
        }
        Ok(end)
    }

    async fn summary(&self) -> Result<SummaryLine, Refusal> {
        let totals = self.view.totals().await.ok_or_else(Refusal::stopping)?;
        let mut paths = Tally::default();
        let roster = self.view.roster();
        let peers = roster.peers();
        peers.iter().for_each(|peer| paths.add(&peer.status.counters.read()));
        let (tables, config) = (self.view.tables(), self.config());
        let up = peers.iter().filter(|peer| peer.status.state() == State::Established);
        Ok(SummaryLine {
            version: env!("CARGO_PKG_VERSION").into(),
            asn: config.router.asn.0,
            id: config.router.id.to_string(),
            mode: config.router.mode.slug().into(),
            uptime_s: self.view.uptime().as_secs(),
            peers_configured: peers.len(),
            peers_up: up.count(),
            prefixes_ipv4: totals.prefixes[0],
            prefixes_ipv6: totals.prefixes[1],
            paths_received: paths.received_total(),
            paths_accepted: paths.accepted_total(),
            paths_rejected: paths.rejected_total(),
            update_groups_ipv4: totals.groups[0],
            update_groups_ipv6: totals.groups[1],
            vrps: tables.rov.len(),
            route_objects: tables.irr.len(),
            generation: tables.generation,
            kernel: self.view.fib_stats().map(|stats| KernelLine {
                wanted: stats.desired,
                installed: stats.installed,
                pending: stats.pending,
                unresolved: stats.unresolved,
                refused: stats.refused + stats.retrying,
            }),
        })
    }
}

/// A text in parts of whole lines.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let from = rest.floor_char_boundary(METRICS_IN_LINE);
        let end = rest[from..].find('\n').map_or(rest.len(), |at| from + at + 1);
        let (part, after) = rest.split_at(end);
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

fn peer_line(peer: &RunningPeer, rules: &Rules) -> PeerLine {
    let (tally, attempts, now) = (peer.status.counters.read(), peer.status.attempts(), Instant::now());
    PeerLine {
        name: peer.name.clone(),
        address: peer.address.to_string(),
        asn: peer.asn.0,
        role: peer.role.map(|role| role.slug().into()),
        transport: transport_line(peer),
        state: format!("{:?}", peer.status.state()),
        lasts_s: peer.status.lasts().as_secs(),
        messages: messages(&peer.status),
        times_up: peer.status.times_up(),
        agreed: peer.status.agreed(),
        update_faults: faults(&peer.status),
        received: tally.received_total(),
        accepted: tally.accepted_total(),
        rejected: tally.rejected_total(),
        max_prefixes: peer.policy().limits.received.total,
        limits: limits(peer),
        near_limit: peer.status.limits.standing() != Standing::Within,
        dropped: tally.left_out(),
        limit_warnings: peer.status.limits.warnings(),
        limits_reached: peer.status.limits.reached(),
        failures: attempts.failures,
        next_attempt_in_s: attempts.next.map(|next| next.saturating_duration_since(now).as_secs()),
        held_down: peer.status.held_down().map(|held| HeldDownLine {
            why: held.why,
            begins_in_s: held.until.map(|until| until.saturating_duration_since(now).as_secs()),
        }),
        shutting_down: peer.policy().shutting_down,
        rejected_by: by_reason(&tally.rejected, rules),
        observed: by_reason(&tally.observed, rules),
        rpki: by_state(&tally.rov),
        stale: tally.stale_total(),
        stale_by_family: stale_by_family(peer.status.phases()),
        last_end: peer.status.last_end(),
        last_fault: peer.status.last_fault(),
    }
}

fn transport_line(peer: &RunningPeer) -> TransportLine {
    let transport = &peer.transport;
    TransportLine {
        range: peer.range.clone(),
        local_address: peer.status.local_address().or(transport.local).map(|address| address.to_string()),
        md5: transport.password.is_some(),
        hops: transport.hops,
        ttl_security: transport.ttl_security,
    }
}

/// Every limit of prefixes that holds for a peer, and how many count towards it.
fn limits(peer: &RunningPeer) -> Vec<LimitLine> {
    let limits = peer.policy().limits.of(peer.status.counters.counts());
    limits.map(|limit| LimitLine { limit: key(&limit).into(), most: limit.most, held: limit.held }).collect()
}

fn stale_by_family(phases: [Phase; 2]) -> BTreeMap<String, StaleLine> {
    let line = |(family, phase): (Family, Phase)| {
        let until = phase.until()?;
        let left_s = until.saturating_duration_since(Instant::now()).as_secs();
        Some((family.to_string().to_lowercase(), StaleLine { phase: phase.slug().into(), left_s }))
    };
    Family::ALL.into_iter().zip(phases).filter_map(line).collect()
}

fn messages(status: &PeerStatus) -> MessagesLine {
    let one_way = |way: &OneWay| OneWayLine {
        by_type: MessageKind::ALL.into_iter().map(|kind| (kind.slug().into(), way.messages(kind))).collect(),
        notifications_by_code: (0..).zip(way.notifications()).filter(|(_, count)| *count > 0).collect(),
        octets: way.octets(),
    };
    MessagesLine { received: one_way(&status.traffic.received), sent: one_way(&status.traffic.sent) }
}

fn faults(status: &PeerStatus) -> BTreeMap<String, u64> {
    let faults = status.traffic.faults().into_iter();
    faults.map(|((outcome, code), count)| (format!("{} ({code}): {outcome}", name(code)), count)).collect()
}

/// The counts that are not 0, by reason.
fn by_reason(counts: &PerReason<i64>, rules: &Rules) -> BTreeMap<String, i64> {
    let counted = counts.iter().filter(|(_, count)| **count != 0);
    counted.map(|(reason, count)| (rules.slug(reason).into_owned(), *count)).collect()
}

fn by_state(counts: &[i64]) -> BTreeMap<String, i64> {
    RovState::ALL.iter().zip(counts).map(|(state, count)| (state.slug().to_owned(), *count)).collect()
}
