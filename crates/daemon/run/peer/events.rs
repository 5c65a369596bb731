//! What the session has to say, and who is to hear of it: the shards, the log, and what is shown of the peer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade_bgp::negotiated::Negotiated;
use palisade_bgp::session::{DownReason, Event};
use palisade_rib::Order;
use tracing::{debug, info, warn};

use super::PeerTask;
use crate::run::coming_up::come_up;
use crate::run::connection::Connection;
use crate::run::restarting::messages;
use crate::run::shard::ToShard;

/// How long after a withdrawal attributes that no path uses any more are looked for.
const SWEEP_PAUSE: Duration = Duration::from_secs(3);

impl PeerTask {
    /// Deals with all that the session has to say.
    pub(super) fn take_events(&mut self) {
        let now = Instant::now();
        let tables = Arc::clone(&self.around.tables.borrow());
        while let Some(event) = self.session.next_event(now) {
            match event {
                Event::Update(update) => {
                    self.setup.status.traffic.note_faults(&update);
                    self.complaints.note(&self.setup.name, &update, now);
                    let Some(up) = &mut self.up else { continue };
                    up.intake.push(&update, &tables);
                    if let Some(family) = update.end_of_rib() {
                        up.awaited[family.index()] = false;
                        let order = self.restarting.retention().end_of_rib(family);
                        self.tell_after_what_was_said(order);
                    }
                }
                Event::Established(negotiated) => self.established(&negotiated, now),
                Event::RefreshBegins(family) => {
                    let order = self.restarting.retention().refresh_begins(now, family);
                    self.tell_after_what_was_said(order);
                }
                Event::RefreshEnds(family) => {
                    let order = self.restarting.retention().refresh_ends(family);
                    self.tell_after_what_was_said(order);
                }
                Event::RouteRefresh(family) => {
                    if let Some(up) = &mut self.up {
                        up.telling[family.index()].ask();
                    }
                }
                Event::RefreshIgnored(what) => {
                    debug!(peer = self.setup.name, %what, "a ROUTE-REFRESH was passed over");
                }
                Event::Down { reason, retained } => self.down(&reason, retained, now),
                Event::Failed(reason) => {
                    info!(peer = self.setup.name, %reason, "session did not come up");
                    self.setup.status.note_failed(&reason);
                }
            }
        }
        self.setup.status.traffic.received.set_messages(self.session.received());
        self.release_input();
        self.begin_refreshes();
        self.hand_in(now);
        if self.restarting.is_heard() {
            self.tell_all_shards(|| ToShard::Heard);
        }
        self.setup.status.set_phases(self.restarting.phases());
    }

    fn established(&mut self, negotiated: &Negotiated, now: Instant) {
        let local = self.connections.get(negotiated.connection).and_then(Connection::local_address);
        let (up, peer, queue) = come_up(&mut self.setup, &self.around, negotiated, local);
        (self.up, self.kept) = (Some(up), None);
        let index = self.setup.index;
        self.tell_all_shards(|| ToShard::PeerUp(index, Box::new(peer.clone()), Arc::clone(&queue)));
        let orders = self.restarting.established(negotiated, now);
        self.tell_shards(orders);
    }

    fn down(&mut self, reason: &DownReason, retained: [bool; 2], now: Instant) {
        self.complaints.tell_rest(&self.setup.name);
        warn!(peer = self.setup.name, %reason, kept = retained != [false; 2], "session down");
        self.setup.status.note_down(reason);
        let orders = self.restarting.retention().lost(now, retained);
        self.tell_after_what_was_said(orders);
        self.kept = self.up.take().map(|up| up.told).filter(|_| retained != [false; 2]);
    }

    /// Gives shards what the peer has said, and says when its first table is among that.
    fn hand_in(&mut self, now: Instant) {
        let Some(up) = &mut self.up else { return };
        if up.sweep_at.is_none() && up.intake.has_withdrawn() {
            up.sweep_at = Some(now + SWEEP_PAUSE);
        }
        up.hand_in(&mut self.to_shards, &self.turns);
        if up.awaited == [false; 2] && std::mem::take(&mut self.first_table_awaited) {
            self.tell_all_shards(|| ToShard::FirstTable);
        }
    }

    /// What was said before an order is not what that is about.
    fn tell_after_what_was_said(&mut self, orders: impl IntoIterator<Item = Order>) {
        if let Some(up) = &mut self.up {
            up.hand_in(&mut self.to_shards, &self.turns);
        }
        self.tell_shards(orders);
    }

    /// Tells the shards what is to become of the peer's paths.
    pub(super) fn tell_shards(&mut self, orders: impl IntoIterator<Item = Order>) {
        self.to_shards.extend(messages(self.setup.index, orders, self.around.shards.count()));
        self.setup.status.set_phases(self.restarting.phases());
    }

    /// Tells every shard the same.
    pub(super) fn tell_all_shards(&mut self, message: impl Fn() -> ToShard) {
        let shards = 0..self.around.shards.count();
        self.to_shards.extend(shards.map(|shard| (shard, message())));
    }
}
