//! Routes for an answer: the pages of all shards, merged into the order of prefixes.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::fmt::Write;
use std::net::IpAddr;

use palisade_bgp::attributes::{ExtendedCommunity, NextHop};
use palisade_bgp::{Asn, Prefix};
use palisade_policy::{RejectScheme, Rules, Snapshot};
use palisade_rib::{Held, Page, PeerIndex, Query, Scope, Selection, shard_of};

use super::answer::{PathLine, Refusal, RouteLine};
use crate::explain::judged;
use crate::run::{Roster, RouterView};

/// What an answer has still to say, of one scope.
pub(super) struct Walk<'a> {
    view: &'a RouterView,
    query: Query,
    sources: Vec<Source>,
}

/// A shard that has some of it.
struct Source {
    shard: usize,
    waiting: VecDeque<Held>,
    after: Option<Prefix>,
    is_done: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(view: &'a RouterView, scope: Scope, selection: Selection) -> Self {
        let shards = match scope {
            Scope::Exact(Prefix::V4(net)) => one(shard_of(net, view.shards())),
            Scope::Exact(Prefix::V6(net)) => one(shard_of(net, view.shards())),
            Scope::Family(_) | Scope::Longer(_) | Scope::Longest(_) => 0..view.shards(),
        };
        let source = |shard| Source { shard, waiting: VecDeque::new(), after: None, is_done: false };
        let query = Query { scope, selection, after: None };
        Walk { view, query, sources: shards.map(source).collect() }
    }

    /// Whether the next route waits, so that no shard need be asked for it.
    pub(super) fn is_ready(&self) -> bool {
        self.sources.iter().all(|source| source.is_done || !source.waiting.is_empty())
    }

    /// The next route; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Held>, Refusal> {
        for source in &mut self.sources {
            while source.waiting.is_empty() && !source.is_done {
                let query = Query { after: source.after, ..self.query };
                source.take(self.view.page(source.shard, query).await.ok_or_else(Refusal::stopping)?);
            }
        }
        if let Scope::Longest(_) = self.query.scope {
            self.keep_longest();
        }
        let next = self.sources.iter_mut().min_by(|a, b| order(a.waiting.front(), b.waiting.front()));
        Ok(next.and_then(|source| source.waiting.pop_front()))
    }

    /// Shorter prefixes may be another shard's: each has named the longest of its own.
    fn keep_longest(&mut self) {
        let len = |source: &Source| source.waiting.front().map(|held| held.prefix.len());
        let longest = self.sources.iter().filter_map(len).max();
        self.sources.retain(|source| len(source) == longest);
    }
}

/// Those that have none come last.
fn order(a: Option<&Held>, b: Option<&Held>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.prefix.cmp(&b.prefix),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}

fn one(shard: usize) -> std::ops::Range<usize> {
    shard..shard + 1
}

impl Source {
    fn take(&mut self, page: Page) {
        self.waiting = page.paths.into();
        self.is_done = page.after.is_none();
        self.after = page.after;
    }
}

/// A path as it is shown. `asn` is ours, which the communities of a refusal begin with.
pub(super) fn line(held: &Held, roster: &Roster, rules: &Rules, asn: Asn, scheme: RejectScheme) -> RouteLine {
    let Held { prefix, path, best, stale } = held;
    let attributes = path.attributes().attributes();
    let verdict = path.verdict();
    let is_ours = path.peer() == PeerIndex::LOCAL;
    let next_hop: IpAddr = attributes.next_hop.address();
    let slug = |reason| rules.slug(reason).into_owned();
    RouteLine {
        prefix: prefix.to_string(),
        peer: roster.peer(path.peer()).map(|peer| peer.name.clone()),
        next_hop: (!is_ours).then(|| next_hop.to_string()),
        as_path: attributes.as_path().to_string(),
        origin: attributes.facts.origin.to_string(),
        med: attributes.facts.med,
        local_pref: attributes.facts.local_pref,
        only_to_customer: path.attributes().only_to_customer().map(|asn| asn.0),
        path_id: path.path_id(),
        communities: attributes.communities().map(|community| community.to_string()).collect(),
        large_communities: attributes.large_communities().map(|community| community.to_string()).collect(),
        extended_communities: attributes.extended_communities().map(hexadecimal).collect(),
        rpki: verdict.rov.slug().into(),
        accepted: verdict.accepted(),
        best: *best,
        unreachable: verdict.accepted() && !path.is_eligible(),
        stale: *stale,
        reason: verdict.reason.map(slug),
        observed: verdict.observed.map(slug),
        reject_communities: verdict.reason.map_or_else(Vec::new, |reason| {
            let communities = scheme.communities(asn, reason);
            let standard = communities.standard.iter().map(ToString::to_string);
            standard.chain(communities.large.iter().map(ToString::to_string)).collect()
        }),
    }
}

/// A path as it was received; `None` for what the router originates.
pub(super) fn path_line(held: &Held, roster: &Roster, tables: &Snapshot) -> Option<PathLine> {
    let path = &held.path;
    let peer = roster.peer(path.peer())?;
    let policy = peer.policy();
    let (set, received) = (path.attributes(), path.attributes().received());
    let attributes = received.attributes();
    let (next_hop, link_local) = match attributes.next_hop {
        NextHop::V4(address) => (address.into(), None),
        NextHop::V6 { global, link_local } => (global.into(), link_local),
    };
    let mut octets = String::with_capacity(attributes.wire.len() * 2);
    // A String takes all that is written.
    attributes.wire.iter().for_each(|octet| {
        let _ = write!(octets, "{octet:02x}");
    });
    Some(PathLine {
        prefix: held.prefix.to_string(),
        peer: peer.name.clone(),
        path_id: path.path_id(),
        attributes: octets,
        next_hop,
        link_local,
        reason: path.verdict().reason.map(|reason| tables.rules.slug(reason).into_owned()),
        local_preference: set.local_preference().unwrap_or(policy.local_preference),
        import: judged::clauses(tables.changes(set.amendment(), &attributes, &policy.judged)),
    })
}

fn hexadecimal(community: ExtendedCommunity) -> String {
    format!("{:016x}", u64::from_be_bytes(community.0))
}
