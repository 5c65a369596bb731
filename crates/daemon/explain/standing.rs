//! What a shard says of a prefix, put into the words of an [`Explanation`]: where a path
//! stands among the others, and to whom it goes.

use palisade_policy::{Source, Treatment};
use palisade_rib::attribute_set::Scope;
use palisade_rib::decision::Step;
use palisade_rib::{Account, Export, Outcome, Path, PeerIndex, Sent, Silence, Told, Withheld};

use super::explanation::{Explanation, ExportFacts, TableFacts};
use super::judged;

impl Explanation {
    /// Adds where a path stands, and what import has made of it.
    pub(crate) fn stands(&mut self, table: TableFacts, told: &Told) {
        if let Some(import) = &mut self.import {
            import.becomes = Some(judged::announcement(&told.path.attributes().attributes()));
        }
        self.table = Some(table);
    }
}

/// Where one of an account's paths stands. `name` is what a peer is called; the router itself has no name.
pub(crate) fn standing(
    told: &Told,
    account: &Account,
    name: &impl Fn(PeerIndex) -> Option<String>,
) -> TableFacts {
    let best = account.paths.iter().find(|other| other.outcome == Outcome::Best);
    let is_best = told.outcome == Outcome::Best;
    let decided_at = match told.outcome {
        Outcome::Lost(step) => Some(step),
        // The last rival lost where the best one won.
        Outcome::Best => account.paths.iter().filter_map(|other| lost(other.outcome)).max(),
        Outcome::Unreachable | Outcome::Refused => None,
    };
    TableFacts {
        best: is_best,
        best_peer: best.map(|best| name(best.path.peer()).unwrap_or_else(|| OURS.into())),
        decided_at: decided_at.map(|step| step.slug().into()),
        local_preference: Some(told.local_preference),
        paths: account.paths.len(),
        unreachable: told.outcome == Outcome::Unreachable,
        stale: told.stale,
        outdated: None,
        exports: exports(told, account, name),
    }
}

/// What the router itself is called where peers are named.
pub(crate) const OURS: &str = "(ours)";

fn lost(outcome: Outcome) -> Option<Step> {
    match outcome {
        Outcome::Lost(step) => Some(step),
        _ => None,
    }
}

/// To whom a path goes. Of one that goes to nobody because others are better, that is all there is to say.
fn exports(told: &Told, account: &Account, name: &impl Fn(PeerIndex) -> Option<String>) -> Vec<ExportFacts> {
    let sender = told.path.peer();
    let is_sent = account.exports.iter().any(|export| sent(export, &told.path).is_some());
    if told.outcome != Outcome::Best && !is_sent {
        return Vec::new();
    }
    let others = account.exports.iter().filter(|export| export.peer != sender);
    let facts = |export: &Export| {
        let treatment = sent(export, &told.path);
        Some(ExportFacts {
            peer: name(export.peer)?,
            sent: treatment.is_some(),
            because: match treatment {
                Some(treatment) => treated(treatment),
                None => Some(why_not(export, name)),
            },
        })
    };
    others.filter_map(facts).collect()
}

fn sent(export: &Export, path: &Path) -> Option<Treatment> {
    let is_it = |sent: &&Sent| (sent.from, sent.path_id) == (path.peer(), path.path_id());
    export.sent.iter().find(is_it).map(|sent| sent.treatment)
}

/// What is done to a path on its way, where anything is.
fn treated(treatment: Treatment) -> Option<String> {
    match (treatment.prepend, treatment.no_export) {
        (0, false) => None,
        (0, true) => Some("with NO_EXPORT".into()),
        (times, false) => Some(format!("prepended {times} times")),
        (times, true) => Some(format!("prepended {times} times, with NO_EXPORT")),
    }
}

fn why_not(export: &Export, name: &impl Fn(PeerIndex) -> Option<String>) -> String {
    if let Some(other) = export.sent.first() {
        return format!("it has {}'s path", name(other.from).unwrap_or_else(|| OURS.into()));
    }
    match export.silence {
        None | Some(Silence::NoPath) => "no path is accepted and reachable".into(),
        Some(Silence::NotExchanged) => "nothing of this family is exchanged with it".into(),
        Some(Silence::Its) => "the best path is its own".into(),
        Some(Silence::Asked) => "communities ask for it".into(),
        Some(Silence::Withheld(withheld)) => withholding(withheld),
    }
}

fn withholding(withheld: Withheld) -> String {
    match withheld {
        Withheld::Scope(Scope::Nobody) => "NO_ADVERTISE: to no peer (RFC 1997)".into(),
        Withheld::Scope(Scope::NotPeers) => "NOPEER: not to those we peer with (RFC 3765)".into(),
        Withheld::Scope(_) => "NO_EXPORT: not outside our AS (RFC 1997)".into(),
        Withheld::Blackhole => "BLACKHOLE: not outside our AS (RFC 7999 s3.2)".into(),
        Withheld::Role { from: Source::Local, to } => format!("nothing of ours goes to this {to}"),
        Withheld::Role { from: Source::Peer(from), to } => {
            format!("what comes from a {from} does not go to a {to} (RFC 7908)")
        }
        Withheld::LongLivedStale => {
            "long-lived stale: to peers that know what that is alone (RFC 9494 s4.3)".into()
        }
        Withheld::OnlyToCustomer => "ONLY_TO_CUSTOMER: to customers alone (RFC 9234 s5)".into(),
        Withheld::Ipv6NextHop => {
            "its next hop is of IPv6, and the peer takes none for IPv4 (RFC 8950)".into()
        }
        Withheld::NoNextHop => "no address of ours on its link to be the next hop".into(),
    }
}
