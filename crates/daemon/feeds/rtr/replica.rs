//! A cache's data as we have it, and the session and serial that it stands at.

use std::sync::Arc;

use hashbrown::HashMap;
use palisade_bgp::Asn;
use palisade_policy::rov::MOST_AMENDMENTS;
use palisade_policy::{AspaIndex, OriginSet, RovIndex, Vrp};
use rpki::rtr::State;

use super::transfer::{Change, Content, Transfer};
use crate::feeds::rpki::RpkiSet;

/// What a cache has told.
#[derive(Clone, Debug, Default)]
pub(super) struct Replica {
    set: RpkiSet,
    /// Where changes go on from; `None` where all has to be asked for.
    state: Option<State>,
}

/// Why an answer was not applied. The replica is as it was, and has to be fetched anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unapplied {
    /// The cache changes what it never announced: what it has is not what we have (RFC 8210 s12, 6 and 7).
    #[error("the cache's changes don't fit what it told before")]
    Diverged,
    /// The cache has not a single VRP. It is up before its first validation has ended.
    #[error("the cache has no VRPs")]
    Empty,
}

impl Replica {
    /// The data.
    pub(super) fn set(&self) -> &RpkiSet {
        &self.set
    }

    /// The session and the serial.
    pub(super) fn state(&self) -> Option<State> {
        self.state
    }

    /// All has to be asked for again; until then the data is what it is.
    pub(super) fn forget_state(&mut self) {
        self.state = None;
    }

    /// Applies an answer: all of it or nothing.
    pub(super) fn apply(&mut self, transfer: Transfer) -> Result<(), Unapplied> {
        self.state = None;
        self.set = match transfer.content {
            Content::Whole { vrps, .. } if vrps.is_empty() => return Err(Unapplied::Empty),
            Content::Whole { vrps, aspas } if transfer.has_aspas => self.set.replaced(vrps, aspas),
            // A fault in an answer of version 2 leads to version 1: that takes no ASPA away.
            Content::Whole { vrps, .. } => {
                let aspa = Arc::clone(&self.set.aspa);
                RpkiSet { aspa, ..self.set.replaced(vrps, Vec::new()) }
            }
            Content::Delta(changes) => self.changed(changes)?,
        };
        self.state = Some(transfer.state);
        Ok(())
    }

    fn changed(&self, changes: Vec<Change>) -> Result<RpkiSet, Unapplied> {
        let (mut vrps, mut aspas) = (HashMap::new(), HashMap::new());
        for change in changes {
            let (vrp, comes) = match change {
                Change::Announce(vrp) => (vrp, true),
                Change::Withdraw(vrp) => (vrp, false),
                Change::Aspa(customer, providers) => {
                    aspas.insert(customer, providers);
                    continue;
                }
            };
            let was = vrps.insert(vrp, comes).unwrap_or_else(|| self.set.rov.contains(vrp));
            if was == comes {
                return Err(Unapplied::Diverged);
            }
        }
        Ok(RpkiSet { rov: self.vrps(&vrps), aspa: self.aspas(aspas) })
    }

    fn vrps(&self, changes: &HashMap<Vrp, bool>) -> Arc<RovIndex> {
        let rov = &self.set.rov;
        let which = |comes: bool| changes.iter().filter(move |(_, is)| **is == comes).map(|(vrp, _)| *vrp);
        match changes.len() {
            0 => Arc::clone(rov),
            1..=MOST_AMENDMENTS => Arc::new(rov.amended(which(true), which(false))),
            _ => {
                let kept = rov.iter().filter(|vrp| !changes.contains_key(vrp));
                Arc::new(rov.replaced(kept.chain(which(true)).collect()))
            }
        }
    }

    fn aspas(&self, changes: HashMap<Asn, Option<OriginSet>>) -> Arc<AspaIndex> {
        if changes.is_empty() { Arc::clone(&self.set.aspa) } else { Arc::new(self.set.aspa.amended(changes)) }
    }
}
