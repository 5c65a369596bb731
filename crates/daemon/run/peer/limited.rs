//! What a peer's task does about the peer's limits of prefixes: what `LimitWatch` finds is said, and done.

use std::sync::Arc;
use std::time::Instant;

use palisade_rib::Limit;
use tracing::{debug, error, info, warn};

use super::PeerTask;
use crate::judging::PeerPolicy;
use crate::run::held_down::HeldDown;
use crate::run::limits::{Step, cease, key};
use crate::run::shard::ToShard;

impl PeerTask {
    /// Looks how the peer stands to its limits, and does what follows.
    pub(super) fn look_at_limits(&mut self, now: Instant) {
        let policy = Arc::clone(&self.setup.policy.borrow());
        let (Some(up), status) = (&mut self.up, &self.setup.status) else { return };
        let step = up.limits.look(&policy.limits, policy.excess, &status.counters, now);
        status.limits.set_standing(up.limits.standing());
        let peer = &self.setup.name;
        match step {
            None => {}
            Some(Step::Warn(limit)) => {
                status.limits.count_warning();
                let Limit { most, held, .. } = limit;
                match up.limits.may_tell(now) {
                    true => warn!(peer, limit = key(&limit), most, held, "near a limit of prefixes"),
                    false => debug!(peer, limit = key(&limit), most, held, "near a limit of prefixes again"),
                }
            }
            Some(Step::AllClear) => debug!(peer, "no longer near a limit of prefixes"),
            Some(Step::GoesOnWithout(limit)) => {
                status.limits.count_reached();
                let Limit { most, held, .. } = limit;
                error!(
                    peer,
                    limit = key(&limit),
                    most,
                    held,
                    "too many prefixes: those that are new are left out"
                );
            }
            Some(Step::Recover { refresh, let_in }) => self.recover(refresh, let_in),
            Some(Step::End(limit)) => self.end_for(&limit, &policy, now),
        }
    }

    /// Has the session begin anew, where it was kept down: an operator says so, or its limits are others.
    pub(super) fn free(&mut self, now: Instant) {
        if self.held_down.take().is_some() {
            self.setup.status.set_held_down(None);
            self.session.start(now);
        }
    }

    fn end_for(&mut self, limit: &Limit, policy: &PeerPolicy, now: Instant) {
        let held_down = HeldDown::beyond(limit, policy, now);
        let (peer, Limit { most, held, .. }) = (&self.setup.name, *limit);
        error!(peer, limit = key(limit), most, held, then = ?policy.excess, "too many prefixes: the session ends");
        self.setup.status.limits.count_reached();
        self.setup.status.set_held_down(Some(held_down.clone()));
        self.held_down = Some(held_down);
        self.session.stop(now, cease(limit));
    }

    /// Gets what was left out, now that there is room.
    fn recover(&mut self, refresh: bool, let_in: bool) {
        let (Some(up), peer) = (&mut self.up, &self.setup.name) else { return };
        info!(peer, refresh, let_in, "room for prefixes again: what was left out is looked for");
        if let_in {
            let (index, shards) = (self.setup.index, 0..self.around.shards.count());
            self.to_shards.extend(shards.map(|shard| (shard, ToShard::LetIn(index))));
        }
        if refresh {
            up.limits.asked_again(&self.setup.status.counters);
            // A peer that can't be asked says it again when it next has reason to.
            self.ask_again();
        }
    }
}
