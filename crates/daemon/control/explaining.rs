//! Explaining a path that is held, or one that is supposed: what the judge says of it now, and what the table and the kernel
//! have made of it.
//!
//! Held is what a shard says of the prefix in one short visit. The judge is asked here, on the thread that answers, with the
//! attributes as they were received, by the tables and the peer's policy of now; nobody else waits for it.

use std::cmp::Reverse;

use palisade_bgp::{Asn, Net, Prefix};
use palisade_fib::RouteState;
use palisade_policy::{Peer, Snapshot};
use palisade_rib::query::Standing;
use palisade_rib::{Account, Outcome, Scope, Selection, Step, Told};

use super::answer::Refusal;
use super::request::{self, ExplainRequest};
use super::routes::Walk;
use crate::explain::explanation::{Explanation, KernelFacts, TableFacts};
use crate::explain::judged::{self, Sender};
use crate::explain::standing::standing;
use crate::judging::PeerPolicy;
use crate::run::{Roster, RouterView, RunningPeer};

/// The paths that are asked for, explained; the best one first. `asn` is ours.
pub(super) async fn explain(
    view: &RouterView,
    asn: Asn,
    request: &ExplainRequest,
) -> Result<Vec<Explanation>, Refusal> {
    match &request.suppose {
        Some(_) => suppose(view, request),
        None => held(view, asn, request).await,
    }
}

/// What would become of an announcement that nobody made.
fn suppose(view: &RouterView, request: &ExplainRequest) -> Result<Vec<Explanation>, Refusal> {
    let prefix = request.prefix.parse::<Prefix>().map_err(|fault| {
        Refusal::new("bad-request", fault.to_string()).help("an announcement is of a prefix: write one")
    })?;
    let roster = view.roster();
    let names: Vec<&str> = roster.peers().iter().map(|peer| peer.name.as_str()).collect();
    let asns: Vec<_> = roster.peers().iter().map(|peer| peer.asn).collect();
    let tables = view.tables();
    let announcement = request.suppose.clone().unwrap_or_default();
    let peers = request.senders(&names, &asns)?.into_iter().filter_map(|at| roster.peers().get(at));
    peers
        .map(|peer| {
            let policy = peer.policy();
            let received = announcement.received(prefix, &policy.judged)?;
            let explanation = judged::explain(prefix, &received.attributes(), sender(peer, &policy), &tables);
            Ok(Explanation { supposed: true, ..explanation })
        })
        .collect()
}

fn sender<'a>(peer: &'a RunningPeer, policy: &'a PeerPolicy) -> Sender<'a> {
    Sender { name: Some(&peer.name), policy: &policy.judged, as_set: policy.as_set.as_deref() }
}

/// The paths to a prefix that are held, or those of one peer.
async fn held(view: &RouterView, asn: Asn, request: &ExplainRequest) -> Result<Vec<Explanation>, Refusal> {
    let roster = view.roster();
    let peer = match &request.peer {
        None => None,
        Some(name) => Some(roster.named(name).ok_or_else(|| Refusal::no_such_peer(name, &roster))?.index),
    };
    let selection = Selection { peer, standing: Standing::Any };
    let scope = request::around(&request.prefix)?;
    let prefix = match scope {
        Scope::Exact(prefix) => prefix,
        _ => match Walk::new(view, scope, selection).next().await? {
            Some(held) => held.prefix,
            None => return Err(nothing_held(view, scope, request, selection).await),
        },
    };
    let account = view.account(prefix).await.ok_or_else(Refusal::stopping)?;
    let mut told: Vec<&Told> = account.paths.iter().collect();
    told.retain(|told| peer.is_none_or(|peer| told.path.peer() == peer));
    if told.is_empty() {
        return Err(nothing_held(view, scope, request, selection).await);
    }
    told.sort_by_key(|told| rank(told.outcome));
    let kernel = view.kernel_route(prefix).await.map(kernel);
    let tables = view.tables();
    let explained = told.into_iter().filter_map(|told| explain_one(told, &account, (&roster, asn), &tables));
    Ok(explained.map(|one| Explanation { kernel: kernel.clone(), ..one }).collect())
}

fn explain_one(
    told: &Told,
    account: &Account,
    (roster, asn): (&Roster, Asn),
    tables: &Snapshot,
) -> Option<Explanation> {
    let received = told.path.attributes().received();
    let index = told.path.peer();
    let mut explanation = match roster.peer(index) {
        Some(peer) => {
            let policy = peer.policy();
            judged::explain(account.prefix, &received.attributes(), sender(peer, &policy), tables)
        }
        None => {
            let policy = Peer::ours(asn);
            let ours = Sender { name: None, policy: &policy, as_set: None };
            judged::explain(account.prefix, &received.attributes(), ours, tables)
        }
    };
    let name = |index| roster.peer(index).map(|peer| peer.name.clone());
    let held = told.path.verdict().reason.map(|reason| tables.rules.slug(reason).into_owned());
    let outdated = (held != explanation.reason).then(|| match held {
        Some(reason) => format!("rejected: {reason}"),
        None => "accepted".into(),
    });
    explanation.stands(TableFacts { outdated, ..standing(told, account, &name) }, told);
    Some(explanation)
}

/// The best first, then those that came nearest to it.
fn rank(outcome: Outcome) -> (u8, Reverse<Option<Step>>) {
    match outcome {
        Outcome::Best => (0, Reverse(None)),
        Outcome::Lost(step) => (1, Reverse(Some(step))),
        Outcome::Unreachable => (2, Reverse(None)),
        Outcome::Refused => (3, Reverse(None)),
    }
}

fn kernel(state: Option<RouteState>) -> KernelFacts {
    let (slug, next_hop) = match state {
        None => ("busy", None),
        Some(RouteState::NotWanted) => ("not-wanted", None),
        Some(RouteState::Installed(next_hop)) => ("installed", Some(next_hop)),
        Some(RouteState::Pending(next_hop)) => ("pending", Some(next_hop)),
        Some(RouteState::Unresolved(next_hop)) => ("unresolved", Some(next_hop)),
        Some(RouteState::Refused(next_hop)) => ("refused", Some(next_hop)),
    };
    KernelFacts { state: slug.into(), next_hop: next_hop.map(|address| address.to_string()) }
}

/// That there is no such path; with the less-specific prefix that there is.
async fn nothing_held(
    view: &RouterView,
    scope: Scope,
    request: &ExplainRequest,
    selection: Selection,
) -> Refusal {
    let (who, asked) = match &request.peer {
        Some(name) => (format!("{name} announces nothing"), format!("nothing of {name}'s")),
        None => ("nobody announces anything".into(), "nothing".to_owned()),
    };
    let Scope::Exact(prefix) = scope else {
        return Refusal::new("no-such-route", format!("{who} that holds {}", request.prefix));
    };
    let suppose = "suppose an announcement: --peer NAME --origin AS";
    let refusal = Refusal::new("no-such-route", format!("{asked} leads to {prefix}"));
    match less_specific(view, prefix, selection).await {
        Some(found) => refusal.help(format!("what covers it is {found}: explain that, or {suppose}")),
        None => refusal.help(format!("nor is there anything that covers it; {suppose}")),
    }
}

/// The longest prefix that covers this one and has a path that is selected.
async fn less_specific(view: &RouterView, prefix: Prefix, selection: Selection) -> Option<Prefix> {
    for len in (0..prefix.len()).rev() {
        let shorter = match prefix {
            Prefix::V4(net) => Prefix::V4(Net::new(net.address(), len)),
            Prefix::V6(net) => Prefix::V6(Net::new(net.address(), len)),
        };
        let mut walk = Walk::new(view, Scope::Exact(shorter), selection);
        if let Ok(Some(held)) = walk.next().await {
            return Some(held.prefix);
        }
    }
    None
}
