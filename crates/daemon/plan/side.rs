//! One of the two policies: a configuration and its tables, and what it makes of a route.

use std::path::Path;

use palisade_bgp::{Address, Attributes, Net};
use palisade_policy::{PathVerdict, Snapshot, Verdict, judge_path, judge_prefix};

use super::ledger::Ruling;
use crate::config::{Config, ConfigError};
use crate::explain::judged::clauses;
use crate::judging::{self, Tables};
use crate::mrt::{Recall, SLOTS, Source};
use crate::replay::roster::{Judged, Roster};
use crate::terminal;

/// Why a route is rejected whose peer the configuration does not have, though the other has it.
const NOT_A_PEER: &str = "not-a-peer";

/// A policy.
pub(super) struct Side {
    pub(super) config: Config,
    pub(super) tables: Snapshot,
    roster: Roster,
    /// What was said of the attributes that the reader keeps.
    paths: Vec<PathVerdict>,
}

/// What is said of the routes of one set of attributes.
#[derive(Clone, Copy)]
pub(super) struct Heard {
    path: PathVerdict,
    /// The peer's place in the roster.
    place: usize,
}

impl Side {
    /// Reads a configuration, and the tables that it names.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let mut config = Config::load(path)?;
        let Tables { snapshot: tables, warnings, networks, .. } = judging::tables_of_now(&config)?;
        config.peers = judging::resolved_peers(&config, &networks.state().facts);
        warnings.iter().for_each(|warning| terminal::tell(warning));
        let roster = Roster::new(Some(&config), &tables);
        Ok(Side { config, tables, roster, paths: vec![PathVerdict::default(); SLOTS] })
    }

    /// What the configuration is called.
    pub(super) fn name(&self) -> &str {
        self.config.source.name()
    }

    /// The path stage, for a peer of an archive.
    pub(super) fn hear(&mut self, from: Source, attributes: &Attributes<'_>) -> Heard {
        let place = self.roster.place(from);
        let policy = &self.roster.judged(place).policy;
        let path = match from.recall {
            Recall::Again(slot) => self.paths[slot],
            Recall::New(slot) => {
                self.paths[slot] = judge_path(attributes, policy, &self.tables, &mut ());
                self.paths[slot]
            }
            Recall::Not => judge_path(attributes, policy, &self.tables, &mut ()),
        };
        Heard { path, place }
    }

    /// The prefix stage.
    pub(super) fn judge<A: Address>(
        &self,
        net: Net<A>,
        attributes: &Attributes<'_>,
        heard: Heard,
    ) -> Verdict {
        let policy = &self.judged(heard).policy;
        judge_prefix(net, attributes, heard.path, policy, &self.tables, &mut ())
    }

    /// The peer of an archive.
    pub(super) fn judged(&self, heard: Heard) -> &Judged {
        self.roster.judged(heard.place)
    }

    /// LOCAL_PREF that a peer's routes have unless import says otherwise.
    pub(super) fn preference(&self, judged: &Judged) -> u32 {
        let configured = judged.at.and_then(|at| self.config.peers.get(at));
        configured.map_or(0, |peer| peer.local_preference.value)
    }

    /// What a verdict comes to. A peer that only the other side has is none of this one's.
    pub(super) fn ruling(
        &self,
        verdict: Verdict,
        attributes: &Attributes<'_>,
        judged: &Judged,
        other: &Judged,
    ) -> Ruling {
        if judged.at.is_none() && other.at.is_some() {
            return Ruling { rejected: Some(NOT_A_PEER.into()), ..Ruling::default() };
        }
        self.ruling_of(verdict, attributes, &judged.policy, self.preference(judged))
    }

    fn ruling_of(
        &self,
        verdict: Verdict,
        attributes: &Attributes<'_>,
        policy: &palisade_policy::Peer,
        preference: u32,
    ) -> Ruling {
        let changes = self.tables.changes(verdict.amendment, attributes, policy);
        Ruling {
            rejected: verdict.reason.map(|reason| self.tables.rules.slug(reason).into_owned()),
            local_preference: changes.local_preference.unwrap_or(preference),
            import: clauses(changes),
        }
    }

    /// What becomes of a route that a router holds of the peer of that name.
    pub(super) fn rule<A: Address>(&self, net: Net<A>, attributes: &Attributes<'_>, peer: &str) -> Ruling {
        let Some(at) = self.config.peers.iter().position(|configured| configured.name == peer) else {
            return Ruling { rejected: Some(NOT_A_PEER.into()), ..Ruling::default() };
        };
        let (policy, preference) = (self.roster.policy(at), self.config.peers[at].local_preference.value);
        let path = judge_path(attributes, policy, &self.tables, &mut ());
        let verdict = judge_prefix(net, attributes, path, policy, &self.tables, &mut ());
        self.ruling_of(verdict, attributes, policy, preference)
    }
}
