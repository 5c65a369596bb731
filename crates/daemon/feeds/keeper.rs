//! The keeper of the tables: what every source last said, put together into what announcements are judged by.
//!
//! ```text
//!   RTR, files, SLURM --> VRPs, ASPAs \
//!   dumps, whois, NRTM --> IRR         >-- News --> Keeper --Ruling--> router: tables, what they touch, peers' policies
//!   PeeringDB, bogons                 /
//!   a new configuration -------------'
//! ```
//!
//! A [`Ruling`] is whole: its tables and its policies belong together, and what it touches is all that it can judge unlike
//! the one before. What a source holds back, because it is empty, broken or too different, never comes here: the keeper
//! believes what it is told. It has no clock and does no I/O.

use std::sync::Arc;

use palisade_policy::{AspaIndex, Bogons, IrrIndex, RovIndex, Snapshot};
use palisade_rib::Touched;

use crate::config::{Config, Peer};
use crate::feeds::peeringdb::NetworkFacts;
use crate::judging::{self, PeerPolicy};

/// What a source has new.
#[derive(Debug)]
pub(crate) enum News {
    /// All VRPs and all ASPAs, of all sources together.
    Rpki { rov: Arc<RovIndex>, aspa: Arc<AspaIndex> },
    /// All route objects and all sets, likewise.
    Irr(Arc<IrrIndex>),
    /// What nobody can announce.
    Bogons(Arc<Bogons>),
    /// What networks say of themselves.
    Networks(Arc<NetworkFacts>),
}

/// What announcements are judged by from now on.
#[derive(Debug)]
pub(crate) struct Ruling {
    pub(crate) tables: Arc<Snapshot>,
    /// What these may judge unlike those before.
    pub(crate) touched: Touched,
    /// What each peer may do, in the order of the peers; one that is the same as before is the same `Arc`.
    pub(crate) policies: Vec<Arc<PeerPolicy>>,
}

/// What is judged by, and what the next of it is made from.
#[derive(Debug)]
pub(crate) struct Keeper {
    config: Arc<Config>,
    facts: Arc<NetworkFacts>,
    /// Peers of ranges that are there now, as their ranges have them.
    guests: Vec<Peer>,
    /// The peers of the configuration and then the guests, with what `facts` say of them.
    peers: Vec<Peer>,
    tables: Arc<Snapshot>,
    policies: Vec<Arc<PeerPolicy>>,
}

impl Keeper {
    /// The keeper of tables that were made for a configuration.
    pub(crate) fn new(config: Arc<Config>, tables: Arc<Snapshot>, facts: Arc<NetworkFacts>) -> Self {
        let peers = judging::resolved_peers(&config, &facts);
        let policies = judging::policies(&config, &peers, &tables, &[]);
        Keeper { config, facts, guests: Vec::new(), peers, tables, policies }
    }

    /// What each peer may do, in the order of the peers.
    pub(crate) fn policies(&self) -> &[Arc<PeerPolicy>] {
        &self.policies
    }

    /// The peers, with what is known of their networks: those of the configuration in its order, and then guests.
    pub(crate) fn peers(&self) -> &[Peer] {
        &self.peers
    }

    /// Those of them that are of ranges, as they came.
    pub(crate) fn guests(&self) -> &[Peer] {
        &self.guests
    }

    /// Has a peer of a range be the last of the peers, and says what it may do.
    pub(crate) fn join(&mut self, guest: Peer) -> Option<Arc<PeerPolicy>> {
        let resolved = judging::resolved(&self.config, std::slice::from_ref(&guest), &self.facts);
        let policies = judging::policies(&self.config, &resolved, &self.tables, &[]);
        self.guests.push(guest);
        self.peers.extend(resolved);
        self.policies.extend(policies);
        self.policies.last().cloned()
    }

    /// Forgets the guest of that name.
    pub(crate) fn leave(&mut self, name: &str) {
        let Some(at) = self.guests.iter().position(|guest| guest.name == name) else { return };
        self.guests.remove(at);
        let at = self.config.peers.len() + at;
        self.peers.remove(at);
        self.policies.remove(at);
    }

    /// Takes news.
    pub(crate) fn take(&mut self, news: News) -> Ruling {
        let old = Arc::clone(&self.tables);
        let mut new = Snapshot::clone(&old);
        let touched = match news {
            News::Rpki { rov, aspa } => {
                let touched = Touched {
                    under: old.rov.changed_ranges(&rov),
                    asns: old.aspa.changed(&aspa),
                    everything: old.aspa.is_empty() != aspa.is_empty(),
                };
                (new.rov, new.aspa) = (rov, aspa);
                touched
            }
            News::Irr(irr) => {
                let touched = Touched::under(old.irr.changed_ranges(&irr));
                let sets = old.irr.changed_sets(&irr);
                new.irr = irr;
                self.policies =
                    judging::policies_after(&self.config, &self.peers, &new, &sets, &self.policies);
                touched
            }
            News::Bogons(bogons) => {
                new.bogons = bogons;
                Touched::everything()
            }
            News::Networks(facts) => {
                let touched = Touched::with_asns(old.never_via_rs.changed(&facts.never_via_rs()));
                new.never_via_rs = Arc::new(facts.never_via_rs());
                self.facts = facts;
                self.resolve();
                self.policies = judging::policies(&self.config, &self.peers, &new, &self.policies);
                touched
            }
        };
        self.rule(new, touched)
    }

    /// Judges by another configuration from now on, of which the `standing` tables are. What its feeds have told holds.
    pub(crate) fn configure(
        &mut self,
        config: Arc<Config>,
        standing: Snapshot,
        facts: Arc<NetworkFacts>,
    ) -> Ruling {
        let old = &self.tables;
        let mut new = standing;
        // What nobody keeps up to date any more is judged by no longer.
        if config.rpki.has_source() {
            (new.rov, new.aspa) = (Arc::clone(&old.rov), Arc::clone(&old.aspa));
        }
        if config.irr.has_sources() {
            new.irr = Arc::clone(&old.irr);
        }
        self.facts = facts;
        self.config = config;
        // Whoever has no place in its ranges any more goes.
        self.guests =
            self.guests.iter().filter_map(|guest| self.config.guest(guest.address, guest.asn)).collect();
        self.resolve();
        self.policies = judging::policies(&self.config, &self.peers, &new, &self.policies);
        // What it says of all peers may have changed in any part, and operators seldom reload.
        self.rule(new, Touched::everything())
    }

    fn resolve(&mut self) {
        self.peers = judging::resolved_peers(&self.config, &self.facts);
        self.peers.extend(judging::resolved(&self.config, &self.guests, &self.facts));
    }

    fn rule(&mut self, mut new: Snapshot, touched: Touched) -> Ruling {
        new.generation = self.tables.generation + 1;
        if !touched.asns.is_empty() || touched.everything {
            new.path_generation = new.generation;
        } else {
            new.path_generation = self.tables.path_generation;
        }
        self.tables = Arc::new(new);
        Ruling { tables: Arc::clone(&self.tables), touched, policies: self.policies.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use palisade_bgp::Asn;
    use palisade_policy::Vrp;

    use super::*;
    use crate::config::Source;

    fn config(sections: &str) -> Arc<Config> {
        let text = format!("[router]\nasn = 196608\nid = \"192.0.2.1\"\n{sections}");
        Arc::new(Config::parse(Source::new("test".into(), text), Path::new("")).unwrap())
    }

    #[test]
    fn a_reload_keeps_what_a_source_told_for_as_long_as_there_is_one() {
        let with = config("[rpki]\nfiles = [\"vrps.json\"]\n");
        let mut keeper = Keeper::new(Arc::clone(&with), Arc::default(), Arc::default());
        let vrp = Vrp::new("1.0.0.0/24".parse().unwrap(), 24, Asn(13335)).unwrap();
        let told = News::Rpki { rov: Arc::new(RovIndex::build([vrp])), aspa: Arc::default() };
        assert_eq!(keeper.take(told).touched.under.len(), 1);
        let again = keeper.configure(with, Snapshot::default(), Arc::default());
        assert_eq!((again.tables.rov.len(), again.tables.generation), (1, 2));
        let without = keeper.configure(config(""), Snapshot::default(), Arc::default());
        assert!(without.tables.rov.is_empty() && without.touched.everything);
    }
}
