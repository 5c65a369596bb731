//! Explaining without a router: by a configuration, and the tables that it names.
//!
//! There are no paths to look at, so what is explained is always supposed: it is announced to a [router that is
//! played](crate::played).

use std::path::Path;

use palisade_bgp::Prefix;
use palisade_policy::Peer;

use super::ExplainError;
use super::explanation::Explanation;
use super::judged::{self, Sender};
use super::standing::standing;
use crate::announcement::{Announcement, Received};
use crate::config::{self, Config};
use crate::control::answer::Refusal;
use crate::control::request::ExplainRequest;
use crate::judging::named::Named;
use crate::played::PlayedRouter;

/// Explains what would become of an announcement, of each peer that might send it.
pub(super) fn explain(
    config: &Path,
    named: &Named,
    request: &ExplainRequest,
) -> Result<Vec<Explanation>, ExplainError> {
    let (config, tables) = named.read(Some(config))?;
    let config = config.ok_or(ExplainError::NamedWithoutConfig)?;
    let prefix = prefix(&request.prefix)?;
    let announcement = request.suppose.clone().unwrap_or_default();
    let senders = senders(&config, request)?;
    let router = PlayedRouter::new(&config, tables);
    senders.into_iter().map(|at| explain_one(prefix, &announcement, &router, &config, at)).collect()
}

fn explain_one(
    prefix: Prefix,
    announcement: &Announcement,
    router: &PlayedRouter<'_>,
    config: &Config,
    at: usize,
) -> Result<Explanation, ExplainError> {
    let (Some(peer), Some(policy)) = (config.peers.get(at), router.policy(at)) else {
        return Err(Refusal::new("no-such-peer", "there is no such peer").into());
    };
    let received = announcement.received(prefix, policy).map_err(Refusal::from)?;
    Ok(supposed(&received, router, peer, policy, at))
}

/// What would become of a peer's announcement.
pub(crate) fn supposed(
    received: &Received,
    router: &PlayedRouter<'_>,
    peer: &config::Peer,
    policy: &Peer,
    at: usize,
) -> Explanation {
    let sender = Sender { name: Some(&peer.name), policy, as_set: peer.as_set.as_deref() };
    let mut explanation = judged::explain(received.prefix, &received.attributes(), sender, router.tables());
    let account = router.hear(at, received);
    if let Some(told) = account.paths.first() {
        explanation.stands(standing(told, &account, &|index| router.name(index)), told);
    }
    Explanation { supposed: true, ..explanation }
}

fn prefix(text: &str) -> Result<Prefix, Refusal> {
    text.parse::<Prefix>().map_err(|fault| {
        Refusal::new("bad-request", fault.to_string())
            .help("write a prefix, like 192.0.2.0/24: without a router an address has no longest prefix")
    })
}

/// The places of the peer that is named; or else of those whose path it would be.
fn senders(config: &Config, request: &ExplainRequest) -> Result<Vec<usize>, Refusal> {
    let names: Vec<&str> = config.peers.iter().map(|peer| peer.name.as_str()).collect();
    let asns: Vec<_> = config.peers.iter().map(|peer| peer.asn).collect();
    request.senders(&names, &asns)
}
