//! A policy that changes while the session is up, or while what the peer said is kept for its return.

use std::sync::Arc;
use std::time::Instant;

use palisade_policy::Reason;
use palisade_rib::PolicyTouched;

use super::PeerTask;
use crate::run::coming_up::{Told, on_session};
use crate::run::shard::ToShard;

impl PeerTask {
    /// Has the peer judged and ranked by its new policy, also for what it has said already.
    pub(super) fn take_policy(&mut self, now: Instant) {
        let policy = Arc::clone(&self.setup.policy.borrow_and_update());
        if self.held_down.as_ref().is_some_and(|held| held.is_ended_by(&policy)) {
            self.free(now);
        }
        if self.session.set_stripped(policy.stripped) {
            // What it has said was read otherwise.
            self.ask_again();
        }
        // What is kept of a session that is down is no less judged.
        let told = match (&mut self.up, &mut self.kept) {
            (Some(up), _) => &mut up.told,
            (None, Some(kept)) => kept,
            (None, None) => return,
        };
        let judged = on_session(&policy.judged, told.judged.local_address, told.judged.link);
        let index = self.setup.index;
        let (touched, terms) = (touched(&told.judged, &judged), policy.terms());
        let on_other_terms = told.terms != terms;
        *told = Told { judged: Arc::clone(&judged), terms: terms.clone() };
        if let (Some(up), Some(touched)) = (&mut self.up, &touched) {
            up.intake.set_policy(Arc::clone(&judged), touched);
        }
        if let Some(touched) = touched {
            self.tell_all_shards(|| ToShard::Policy(index, Arc::clone(&judged), touched.clone()));
        }
        if on_other_terms {
            self.tell_all_shards(|| ToShard::Terms(index, terms.clone()));
            if self.setup.status.counters.read().rejected[Reason::MaxAccepted] > 0 {
                self.tell_all_shards(|| ToShard::LetIn(index));
            }
        }
        self.look_at_limits(now);
    }
}

/// What a peer's new policy may judge unlike the old one; `None` where they are equal.
fn touched(old: &palisade_policy::Peer, new: &palisade_policy::Peer) -> Option<PolicyTouched> {
    if old == new {
        return None;
    }
    let but_for_origins = palisade_policy::Peer { origins: new.origins.clone(), ..old.clone() };
    Some(match but_for_origins == *new {
        true => PolicyTouched::by_origins(old, new),
        false => PolicyTouched::Everything,
    })
}
