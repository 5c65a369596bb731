//! The decision process: which of a prefix's paths is best (RFC 4271 s9.1.2).
//!
//! It is done the way the RFC words it, by removing from consideration, so the outcome never depends on the order in
//! which paths came: first all that are short of the best LOCAL_PREF, AS_PATH length and ORIGIN go; then, among those
//! that a same neighbouring AS sent, all but the lowest MULTI_EXIT_DISC (this is "deterministic MED"); then the
//! remaining ties are broken. A path whose next hop can't be reached takes no part. The interior cost of a next hop (s9.1.2.2
//! e) is the same for all: Palisade runs no interior protocol, and every next hop it uses is on a connected link.

use std::cmp::Reverse;
use std::net::IpAddr;

use smallvec::SmallVec;

use crate::path::{Path, PeerIndex};

/// What the decision process must know of the peer that sent a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranking {
    /// The degree of preference of its paths (s9.1.1): from policy for an external peer; an internal peer's
    /// paths bring their own, and this stands in where they don't.
    pub local_preference: u32,
    /// Whether its session is about to be shut down, so that any other path is better (RFC 8326 s4.1).
    pub shutting_down: bool,
    /// Whether it is an internal peer.
    pub internal: bool,
    /// Its BGP identifier, as a number.
    pub router_id: u32,
    /// The address of the session.
    pub address: IpAddr,
}

/// The place of the best eligible path, where there is one. `ranking` tells of the peer that sent a path.
pub fn best_path<'a>(paths: &'a [Path], ranking: impl Fn(PeerIndex) -> &'a Ranking) -> Option<usize> {
    let mut accepted = paths.iter().enumerate().filter(|(_, path)| path.is_eligible());
    let (first, _) = accepted.next()?;
    if accepted.next().is_none() {
        return Some(first);
    }
    Some(decide(candidates(paths, ranking)))
}

/// The eligible paths in the order in which each would be best if those before it were not there. Each that is taken
/// costs a pass over those that are left.
pub fn ranked<'a>(
    paths: &'a [Path],
    ranking: impl Fn(PeerIndex) -> &'a Ranking,
) -> impl Iterator<Item = &'a Path> {
    let mut left = candidates(paths, ranking);
    std::iter::from_fn(move || {
        let best = match left.as_slice() {
            [] => return None,
            [only] => only.at,
            _ => decide(left.clone()),
        };
        left.retain(|candidate| candidate.at != best);
        paths.get(best)
    })
}

/// A step of the decision process, in the order in which they are taken (RFC 4271 s9.1.2, RFC 4456 s9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Not kept beyond the time in which its peer was to be back (RFC 9494 s4.3).
    LongLivedStale,
    /// A higher degree of preference (s9.1.1).
    LocalPreference,
    /// A shorter AS_PATH (s9.1.2.2 a).
    PathLength,
    /// A lower ORIGIN (b).
    Origin,
    /// A lower MULTI_EXIT_DISC of the same neighbouring AS (c).
    MultiExitDisc,
    /// From an external peer rather than an internal one (d).
    External,
    /// A lower BGP identifier, or ORIGINATOR_ID (f).
    RouterId,
    /// A shorter CLUSTER_LIST (RFC 4456 s9).
    ClusterList,
    /// A lower address of the peer (g).
    Address,
    /// A lower path identifier of the same peer (RFC 7911).
    PathId,
}

impl Step {
    /// Its name in output.
    pub const fn slug(self) -> &'static str {
        match self {
            Step::LongLivedStale => "long-lived-stale",
            Step::LocalPreference => "local-preference",
            Step::PathLength => "as-path-length",
            Step::Origin => "origin",
            Step::MultiExitDisc => "med",
            Step::External => "external-over-internal",
            Step::RouterId => "router-id",
            Step::ClusterList => "cluster-list-length",
            Step::Address => "peer-address",
            Step::PathId => "path-id",
        }
    }
}

/// The places of the eligible paths that are not best, each with the step at which it went out of consideration.
pub fn lost_at<'a>(paths: &'a [Path], ranking: impl Fn(PeerIndex) -> &'a Ranking) -> Vec<(usize, Step)> {
    type Reduce = for<'a, 'b> fn(&'b mut Candidates<'a>);
    const STEPS: [(Step, Reduce); 10] = [
        (Step::LongLivedStale, |left| keep_least(left, |candidate| candidate.merit().0)),
        (Step::LocalPreference, |left| keep_least(left, |candidate| candidate.merit().1)),
        (Step::PathLength, |left| keep_least(left, |candidate| candidate.merit().2)),
        (Step::Origin, |left| keep_least(left, |candidate| candidate.merit().3)),
        (Step::MultiExitDisc, |left| drop_worse_discriminators(left)),
        (Step::External, |left| keep_least(left, |candidate| candidate.tie_breakers().0)),
        (Step::RouterId, |left| keep_least(left, |candidate| candidate.tie_breakers().1)),
        (Step::ClusterList, |left| keep_least(left, |candidate| candidate.tie_breakers().2)),
        (Step::Address, |left| keep_least(left, |candidate| candidate.tie_breakers().3)),
        (Step::PathId, |left| keep_least(left, |candidate| candidate.tie_breakers().4)),
    ];
    let mut left = candidates(paths, ranking);
    let mut lost = Vec::new();
    for (step, reduce) in STEPS {
        let before = left.clone();
        reduce(&mut left);
        let gone = before.iter().filter(|one| !left.iter().any(|other| other.at == one.at));
        lost.extend(gone.map(|one| (one.at, step)));
    }
    lost
}

#[derive(Clone, Copy)]
struct Candidate<'a> {
    at: usize,
    path: &'a Path,
    ranking: &'a Ranking,
}

type Candidates<'a> = SmallVec<[Candidate<'a>; 8]>;

fn candidates<'a>(paths: &'a [Path], ranking: impl Fn(PeerIndex) -> &'a Ranking) -> Candidates<'a> {
    let accepted = paths.iter().enumerate().filter(|(_, path)| path.is_eligible());
    accepted.map(|(at, path)| Candidate { at, path, ranking: ranking(path.peer()) }).collect()
}

fn decide(mut candidates: Candidates<'_>) -> usize {
    keep_least(&mut candidates, Candidate::merit);
    if candidates.len() > 1 {
        drop_worse_discriminators(&mut candidates);
    }
    keep_least(&mut candidates, Candidate::tie_breakers);
    candidates.first().map_or(0, |candidate| candidate.at)
}

fn keep_least<'a, K: Ord>(candidates: &mut Candidates<'a>, key: impl Fn(&Candidate<'a>) -> K) {
    if let Some(least) = candidates.iter().map(&key).min() {
        candidates.retain(|candidate| key(candidate) == least);
    }
}

/// RFC 4271 s9.1.2.2 c: a path goes where a path of the same neighbouring AS has a lower MULTI_EXIT_DISC; a missing one
/// counts as the lowest value, 0. Paths of no neighbour (originated inside our AS) are compared with each other.
fn drop_worse_discriminators(candidates: &mut Candidates<'_>) {
    candidates.sort_by_key(|candidate| (candidate.neighbor(), candidate.discriminator()));
    let mut group = None;
    candidates.retain(|candidate| {
        let (neighbor, lowest) = match group {
            Some((neighbor, lowest)) if neighbor == candidate.neighbor() => (neighbor, lowest),
            _ => (candidate.neighbor(), candidate.discriminator()),
        };
        group = Some((neighbor, lowest));
        candidate.discriminator() == lowest
    });
}

impl Candidate<'_> {
    /// s9.1.1 and s9.1.2.2 a, b: what comes before MULTI_EXIT_DISC; the least is best. Ahead of all that, a path that is only kept because
    /// its sender has been away for long is the least preferred there can be (RFC 9494 s4.3).
    fn merit(&self) -> (bool, Reverse<u32>, u16, u8) {
        let (set, facts) = (self.path.attributes(), self.path.attributes().facts());
        let preference = Reverse(local_preference(self.path, self.ranking));
        (set.is_long_lived_stale(), preference, facts.path_length, facts.origin as u8)
    }

    fn neighbor(&self) -> Option<u32> {
        self.path.attributes().facts().neighbor_as.map(|asn| asn.0)
    }

    fn discriminator(&self) -> u32 {
        self.path.attributes().facts().med.unwrap_or(0)
    }

    /// s9.1.2.2 d, f, g, with RFC 4456 s9: ORIGINATOR_ID stands for the identifier, then the shorter CLUSTER_LIST.
    /// The path identifier comes last, so that a peer that sends several paths has one best.
    fn tie_breakers(&self) -> (bool, u32, usize, IpAddr, u32) {
        let attributes = self.path.attributes().attributes();
        let router_id = attributes.facts.originator_id.map_or(self.ranking.router_id, |id| id.to_bits());
        let clusters = attributes.cluster_list_length();
        (self.ranking.internal, router_id, clusters, self.ranking.address, self.path.path_id())
    }
}

/// The degree of preference of a path (s9.1.1): the least of all for one that its sender, or who is at this end of the session, is about
/// to take down (RFC 8326 s4.1, s4.2),
/// then what import gives it.
pub fn local_preference(path: &Path, ranking: &Ranking) -> u32 {
    let set = path.attributes();
    match set.facts().local_pref {
        _ if !ranking.internal && (ranking.shutting_down || set.is_shutting_down()) => 0,
        _ if let Some(preference) = set.local_preference() => preference,
        Some(preference) if ranking.internal => preference,
        _ => ranking.local_preference,
    }
}

#[cfg(test)]
mod tests;
