//! A policy that changes while the session is up.

use std::sync::Arc;
use std::time::Instant;

use palisade_policy::Reason;
use palisade_rib::PolicyTouched;

use super::PeerTask;
use crate::run::coming_up::on_session;
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
        let Some(up) = &mut self.up else { return };
        let judged = on_session(&policy.judged, up.judged.local_address, up.judged.link);
        let index = self.setup.index;
        let touched = touched(&up.judged, &judged);
        if let Some(touched) = &touched {
            up.intake.set_policy(Arc::clone(&judged), touched);
            up.judged = Arc::clone(&judged);
        }
        let terms = policy.terms();
        let on_other_terms = std::mem::replace(&mut up.terms, terms.clone()) != terms;
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
