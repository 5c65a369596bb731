//! What must come of the sample: what its author meant, and what is held of that in the end.
//!
//! The author counts announcements, and so does the judge offline; the router counts what it holds after all withdrawals.
//! So the sample is judged here, announcement by announcement: that must be what the author meant, and what is left at its
//! end must be what the router holds, reason by reason.

use std::path::Path;

use hashbrown::HashMap;
use palisade_bgp::{Address, Attributes, Path as BgpPath, Prefix};
use palisade_policy::{Peer, PerReason, Reason, RovState, Snapshot, Verdict, judge_path, judge_prefix};
use palisade_rib::Tally;

use super::LabError;
use super::scene::Scene;
use super::setting::Setting;
use crate::config::{Config, Source};
use crate::judging;
use crate::mrt::{self, Damage, Reader, Visitor};
use crate::sample::{Sample, SamplePeer, Truth};

/// What must come of the sample.
pub(super) struct Expected {
    /// Of each peer's announcements.
    peers: Vec<ExpectedOfPeer>,
    /// Prefixes that the router must have a route to.
    reached: usize,
}

/// What of a peer's archive must be held in the end, and whether its author meant that.
struct ExpectedOfPeer {
    /// What the router must hold.
    held: Held,
    /// In what the judge differs from the author.
    differences: Vec<String>,
}

/// Paths held, by what is said of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) accepted: u64,
    /// By reason.
    pub(super) rejected: PerReason<u64>,
    /// In the order of [`RovState::ALL`].
    pub(super) rov: [u64; RovState::ALL.len()],
}

impl Held {
    /// What a router counts.
    pub(super) fn of(tally: &Tally) -> Self {
        let count = |n: i64| u64::try_from(n).unwrap_or_default();
        Held {
            accepted: count(tally.accepted_total()),
            rejected: PerReason::from_fn(|code| count(tally.rejected.by_code()[code])),
            rov: tally.rov.map(count),
        }
    }

    fn count(&mut self, verdict: Verdict) {
        match verdict.reason {
            None => self.accepted += 1,
            Some(reason) => self.rejected[reason] += 1,
        }
        self.rov[verdict.rov as usize] += 1;
    }
}

/// What must come of the sample, in the router's setting.
pub(super) fn expect(sample: &Sample, setting: &Setting) -> Result<Expected, LabError> {
    // The author's peers have their own addresses, and their roles' defaults.
    let meant =
        Config::parse(Source::new("the sample's configuration".into(), sample.config()), Path::new(""))?;
    let tables = &setting.tables;
    let as_meant = meant.peers.iter().map(|peer| judging::peer(&meant, peer, tables));
    let as_played = setting.config.peers.iter().map(|peer| judging::peer(&setting.config, peer, tables));
    let peers = sample.peers.iter().zip(as_meant).zip(as_played);
    Ok(Expected {
        peers: peers.map(|((peer, meant), played)| expect_of(peer, &meant, &played, tables)).collect(),
        reached: sample.reachable().len(),
    })
}

fn expect_of(peer: &SamplePeer, meant: &Peer, played: &Peer, tables: &Snapshot) -> ExpectedOfPeer {
    let meant = Judged::of(peer, meant, tables);
    let played = Judged::of(peer, played, tables);
    ExpectedOfPeer { differences: from_author(peer.name, &meant, &peer.truth), held: played.in_the_end() }
}

impl Expected {
    /// In what a moment differs from what is expected, and what is expected from what the author meant.
    pub(super) fn differences(&self, scene: &Scene) -> Vec<String> {
        let mut differences: Vec<String> =
            self.peers.iter().flat_map(|peer| peer.differences.clone()).collect();
        for (peer, session) in self.peers.iter().zip(&scene.sessions) {
            for ((what, wanted), (_, found)) in numbers(&peer.held).zip(numbers(&Held::of(&session.tally))) {
                if found != wanted {
                    let name = &session.name;
                    differences
                        .push(format!("{name}: {what}: the router holds {found}, and must hold {wanted}"));
                }
            }
        }
        let (found, wanted) = (scene.kernel.installed, self.reached);
        if found != wanted {
            differences.push(format!("the kernel has {found} routes, and must have {wanted}"));
        }
        differences
    }
}

fn numbers(held: &Held) -> impl Iterator<Item = (String, u64)> {
    let accepted = [("accepted".to_owned(), held.accepted)];
    let rejected = held.rejected;
    let rejected =
        Reason::ALL.iter().map(move |reason| (format!("rejected for {reason}"), rejected[*reason]));
    let rov = held.rov;
    let rov = RovState::ALL.into_iter().map(move |state| (format!("RPKI {state}"), rov[state as usize]));
    accepted.into_iter().chain(rejected).chain(rov)
}

fn from_author(name: &str, judged: &Judged<'_>, truth: &Truth) -> Vec<String> {
    let refused = |reason: Reason| truth.refused.get(&reason).copied().unwrap_or_default();
    let held = judged.in_the_end();
    let totals = [
        ("announcements".into(), judged.announced, truth.announcements),
        ("withdrawals".into(), judged.withdrawn, truth.withdrawals),
        ("held and accepted in the end".into(), held.accepted, truth.held_accepted.len() as u64),
        ("held in the end".into(), judged.held.len() as u64, truth.held),
    ];
    let reasons = Reason::ALL
        .iter()
        .map(|reason| (format!("refused for {reason}"), judged.all.rejected[*reason], refused(*reason)));
    let rov = RovState::ALL
        .iter()
        .map(|state| (format!("RPKI {state}"), judged.all.rov[*state as usize], truth.rov[*state as usize]));
    let all = totals.into_iter().chain(reasons).chain(rov);
    all.filter(|(_, found, meant)| found != meant)
        .map(|(what, found, meant)| {
            format!("{name}: {what}: the judge says {found}, the sample's author {meant}")
        })
        .collect()
}

/// An archive, judged.
struct Judged<'a> {
    peer: &'a Peer,
    tables: &'a Snapshot,
    announced: u64,
    withdrawn: u64,
    /// All announcements.
    all: Held,
    /// What was said last of each prefix that is not withdrawn.
    held: HashMap<Prefix, Verdict, foldhash::fast::RandomState>,
}

impl<'a> Judged<'a> {
    fn of(peer: &SamplePeer, policy: &'a Peer, tables: &'a Snapshot) -> Self {
        let mut judged = Judged {
            peer: policy,
            tables,
            announced: 0,
            withdrawn: 0,
            all: Held::default(),
            held: HashMap::default(),
        };
        Reader::new().read(peer.mrt.as_slice(), &mut judged);
        judged
    }

    fn in_the_end(&self) -> Held {
        let mut held = Held::default();
        self.held.values().for_each(|verdict| held.count(*verdict));
        held
    }
}

impl Visitor for Judged<'_> {
    fn announced<A: Address>(
        &mut self,
        _: mrt::Source,
        attributes: Attributes<'_>,
        paths: impl Iterator<Item = BgpPath<A>>,
    ) {
        let path = judge_path(&attributes, self.peer, self.tables, &mut ());
        for BgpPath { net, .. } in paths {
            let verdict = judge_prefix(net, &attributes, path, self.peer, self.tables, &mut ());
            self.announced += 1;
            self.all.count(verdict);
            self.held.insert(A::prefix(net), verdict);
        }
    }

    fn withdrawn<A: Address>(&mut self, _: mrt::Source, paths: impl Iterator<Item = BgpPath<A>>) {
        for path in paths {
            self.withdrawn += 1;
            self.held.remove(&A::prefix(path.net));
        }
    }

    fn unusable<A: Address>(&mut self, from: mrt::Source, paths: impl Iterator<Item = BgpPath<A>>) {
        self.withdrawn(from, paths);
    }

    fn damaged(&mut self, _: Damage) {}
}
