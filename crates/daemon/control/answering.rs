//! From a request to its answer.

use std::collections::BTreeMap;
use std::io;

use palisade_bgp::Asn;
use palisade_bgp::session::State;
use palisade_policy::{Reason, RejectScheme, RovState};
use palisade_rib::Tally;

use super::answer::{EndLine, KernelLine, Line, PeerLine, Refusal, SummaryLine};
use super::request::{Request, RoutesRequest};
use super::routes::{self, Walk};
use crate::config::Config;
use crate::run::{RouterView, RunningPeer};

/// What answers are made of.
#[derive(Debug)]
pub(crate) struct Answering {
    view: RouterView,
    asn: Asn,
    id: String,
    mode: &'static str,
    scheme: RejectScheme,
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
    pub(crate) fn new(config: &Config, view: RouterView) -> Self {
        Answering {
            view,
            asn: config.router.asn,
            id: config.router.id.to_string(),
            mode: config.router.mode.slug(),
            scheme: config.looking_glass.reject_communities,
        }
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
                let peer = self.view.index_of(name).and_then(|index| self.view.peer(index));
                let peer = peer.ok_or_else(|| Refusal::no_such_peer(name, &self.view))?;
                lines.say(&Line::Peer(Box::new(peer_line(peer)))).await?;
                Ok(EndLine { lines: 1, limited: false })
            }
            Request::Peers { name: None } => {
                for peer in self.view.peers() {
                    lines.say(&Line::Peer(Box::new(peer_line(peer)))).await?;
                }
                Ok(EndLine { lines: self.view.peers().len() as u64, limited: false })
            }
            Request::Routes(request) => self.routes(request, lines).await,
        }
    }

    async fn routes(&self, request: &RoutesRequest, lines: &mut impl Lines) -> Result<EndLine, Unanswered> {
        let selection = request.selection(&self.view)?;
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
                let route = routes::line(&held, &self.view, self.asn, self.scheme);
                lines.say(&Line::Route(Box::new(route))).await?;
                end.lines += 1;
            }
        }
        Ok(end)
    }

    async fn summary(&self) -> Result<SummaryLine, Refusal> {
        let totals = self.view.totals().await.ok_or_else(Refusal::stopping)?;
        let mut paths = Tally::default();
        self.view.peers().iter().for_each(|peer| paths.add(&peer.status.counters.read()));
        let tables = self.view.tables();
        let up = self.view.peers().iter().filter(|peer| peer.status.state() == State::Established);
        Ok(SummaryLine {
            version: env!("CARGO_PKG_VERSION").into(),
            asn: self.asn.0,
            id: self.id.clone(),
            mode: self.mode.into(),
            uptime_s: self.view.uptime().as_secs(),
            peers_configured: self.view.peers().len(),
            peers_up: up.count(),
            prefixes_ipv4: totals.prefixes[0],
            prefixes_ipv6: totals.prefixes[1],
            paths_received: paths.received,
            paths_accepted: paths.accepted,
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

fn peer_line(peer: &RunningPeer) -> PeerLine {
    let tally = peer.status.counters.read();
    PeerLine {
        name: peer.name.clone(),
        address: peer.address.to_string(),
        asn: peer.asn.0,
        role: peer.role.map(|role| role.slug().into()),
        state: format!("{:?}", peer.status.state()),
        lasts_s: peer.status.lasts().as_secs(),
        updates_received: peer.status.updates(),
        received: tally.received,
        accepted: tally.accepted,
        rejected: tally.rejected_total(),
        max_prefixes: peer.max_prefixes,
        rejected_by: by_reason(&tally.rejected),
        observed: by_reason(&tally.observed),
        rpki: by_state(&tally.rov),
        last_fault: peer.status.last_fault(),
    }
}

/// The counts that are not 0, by the reasons whose numbers are their places.
fn by_reason(counts: &[i64]) -> BTreeMap<String, i64> {
    let count = |reason: &Reason| counts.get(usize::from(reason.number())).copied().unwrap_or(0);
    let counted = Reason::ALL.iter().map(|reason| (reason.slug().to_owned(), count(reason)));
    counted.filter(|(_, count)| *count != 0).collect()
}

fn by_state(counts: &[i64]) -> BTreeMap<String, i64> {
    RovState::ALL.iter().zip(counts).map(|(state, count)| (state.slug().to_owned(), *count)).collect()
}
