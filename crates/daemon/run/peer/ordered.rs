//! What a peer's task does when an operator says so.

use std::time::Instant;

use palisade_bgp::Family;
use palisade_bgp::message::{Refresh, route_refresh};
use palisade_bgp::notification::Cease;
use tracing::info;

use super::PeerTask;
use crate::run::held_down::HeldDown;
use crate::run::orders::{Order, Ordered};
use crate::run::telling::Telling;

impl PeerTask {
    /// Obeys, and says how that went.
    pub(super) fn obey(&mut self, Ordered { order, reply }: Ordered, now: Instant) {
        info!(peer = self.setup.name, ?order, "an operator's order");
        let done = match order {
            Order::Disable(words) => {
                self.disable(words, now);
                Ok(())
            }
            Order::Enable => {
                self.free(now);
                Ok(())
            }
            Order::Reset(words) => self.reset(words, now),
            Order::RefreshIn => self.refresh_in(),
            Order::RefreshOut => self.refresh_out(),
        };
        // Who asked may have gone.
        let _ = reply.send(done);
    }

    fn disable(&mut self, words: String, now: Instant) {
        let held_down = HeldDown::disabled(&words);
        self.setup.status.set_held_down(Some(held_down.clone()));
        self.held_down = Some(held_down);
        self.session.stop(now, Cease::AdministrativeShutdown(words));
        self.give_up();
    }

    fn reset(&mut self, words: String, now: Instant) -> Result<(), String> {
        if let Some(held) = &self.held_down {
            return Err(format!("the session is kept down ({}): enable the peer", held.why));
        }
        self.session.stop(now, Cease::AdministrativeReset(words));
        self.session.start(now);
        Ok(())
    }

    fn refresh_in(&mut self) -> Result<(), String> {
        let up = self.up.as_ref().ok_or(NOT_UP)?;
        if up.refreshes == [false; 2] {
            return Err(
                "the peer can't be asked for its routes again: it does not know ROUTE-REFRESH (RFC 2918)"
                    .into(),
            );
        }
        self.ask_again();
        Ok(())
    }

    fn refresh_out(&mut self) -> Result<(), String> {
        let up = self.up.as_mut().ok_or(NOT_UP)?;
        up.telling.iter_mut().for_each(Telling::ask);
        self.begin_refreshes();
        Ok(())
    }

    /// Asks the peer for all routes of the families that it can be asked for (RFC 2918 s3).
    pub(super) fn ask_again(&mut self) {
        let Some(up) = &self.up else { return };
        let Some(connection) = self.connections.of(up.connection) else { return };
        let asked = Family::ALL.into_iter().filter(|family| up.refreshes[family.index()]);
        asked.for_each(|family| connection.queue(route_refresh(Refresh::Request, family).to_vec().into()));
    }
}

const NOT_UP: &str = "the session is not up";
