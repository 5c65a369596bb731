//! One peer's task: the session machine, its sockets and its way into the table.
//!
//! ```text
//!   socket --octets--> Session --UPDATE--> Intake --batches--> shards
//!   socket <--octets-- Session (OPEN, KEEPALIVE, ..)
//!   socket <--chunks-- SessionQueue <------------------------- shards
//! ```
//!
//! Here is what it waits for, and where that leads; each of these has a file beside.
//!
//! The task never waits for one thing alone. While a shard's inbox is full, or has enough of this peer's batches in it
//! ([`Turns`]), it stops reading, which TCP passes on to the peer, and goes on sending KEEPALIVEs.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use palisade_bgp::session::{Action, ConnectionId, Session};
use palisade_policy::Snapshot;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use super::coming_up::{PeerSetup, Told, Up};
use super::complaints::Complaints;
use super::connecting::{Connecting, connected};
use super::connection::Connection;
use super::connections::Connections;
use super::held_down::HeldDown;
use super::orders::Ordered;
use super::queue::Outgoing;
use super::recovery::Recovery;
use super::restarting::Restarting;
use super::shard::{Shards, ToShard};
use super::status::Attempts;
use super::stop::Stop;
use super::turns::Turns;
use super::waiting::{next_outgoing, notified, readable, sleep_until, writable};

mod accepted;
mod events;
mod limited;
mod octets;
mod ordered;
mod policy;
mod refreshing;

/// What all peers' tasks share.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) shards: Shards,
    pub(crate) tables: watch::Receiver<Arc<Snapshot>>,
    /// Whether sessions may begin.
    pub(crate) gate: watch::Receiver<bool>,
    pub(crate) recovery: Recovery,
    /// Differs between processes, for hashes and jitter.
    pub(crate) seed: u64,
}

/// A peer's task.
pub(crate) struct PeerTask {
    setup: PeerSetup,
    around: Surroundings,
    stop: watch::Receiver<Stop>,
    session: Session,
    connections: Connections,
    accepted: mpsc::Receiver<TcpStream>,
    orders: mpsc::Receiver<Ordered>,
    connecting: Option<Connecting>,
    /// Messages that wait for a place in a shard's inbox, in order.
    to_shards: VecDeque<(usize, ToShard)>,
    turns: Turns,
    up: Option<Up>,
    /// Set while the session is down and the shards keep what the peer said.
    kept: Option<Told>,
    complaints: Complaints,
    /// Whether the FIB still waits to hear that this peer's table is in.
    first_table_awaited: bool,
    /// Set while the session is kept down, and not by its own rest after a failure.
    held_down: Option<HeldDown>,
    restarting: Restarting,
}

/// What woke the task.
enum Wake {
    Accepted(TcpStream),
    Connected(io::Result<TcpStream>),
    Readable(ConnectionId),
    Writable(ConnectionId),
    Outgoing(Outgoing),
    Place(mpsc::OwnedPermit<ToShard>),
    Turn,
    Policy,
    NearLimit,
    Ordered(Ordered),
    Timeout,
    Stop,
}

impl PeerTask {
    pub(crate) fn new(
        setup: PeerSetup,
        around: Surroundings,
        stop: watch::Receiver<Stop>,
        session: Session,
        accepted: mpsc::Receiver<TcpStream>,
        orders: mpsc::Receiver<Ordered>,
    ) -> Self {
        let held_down = setup.disabled.as_deref().map(HeldDown::disabled);
        setup.status.set_held_down(held_down.clone());
        let turns = Turns::new(around.shards.count());
        PeerTask {
            restarting: Restarting::new(&setup, &around.recovery),
            first_table_awaited: setup.awaited,
            setup,
            around,
            stop,
            session,
            connections: Connections::default(),
            accepted,
            orders,
            connecting: None,
            to_shards: VecDeque::new(),
            turns,
            up: None,
            kept: None,
            complaints: Complaints::default(),
            held_down,
        }
    }

    /// Runs until the router stops.
    pub(crate) async fn run(mut self) {
        tokio::select! {
            // Where nobody is there to open it, the router stops.
            _ = self.around.gate.wait_for(|open| *open) => {}
            _ = self.stop.wait_for(|stop| *stop != Stop::No) => {}
        }
        self.restarting.tell(&mut self.session);
        self.session.set_stripped(self.setup.policy.borrow().stripped);
        if self.held_down.is_none() {
            self.session.start(Instant::now());
        }
        while *self.stop.borrow() == Stop::No {
            self.act();
            self.transmit();
            self.hand_over();
            let attempts = Attempts { failures: self.session.failures(), next: self.session.next_attempt() };
            self.setup.status.set_state(self.session.state(), attempts);
            let wake = self.wait().await;
            self.handle(wake);
            self.take_events();
        }
        let why = *self.stop.borrow();
        match why {
            Stop::Leave => self.session.leave(Instant::now(), why.cease()),
            _ => self.session.stop(Instant::now(), why.cease()),
        }
        if !why.is_of_router() {
            self.leave_table().await;
        }
        for id in [ConnectionId::Outgoing, ConnectionId::Incoming] {
            self.transmit_all(id);
            if let Some(connection) = self.connections.of(id).take() {
                connection.close().await;
            }
        }
    }

    /// Has the shards know that the peer has gone.
    async fn leave_table(&mut self) {
        self.give_up();
        while let Some((shard, message)) = self.to_shards.pop_front() {
            let Some(place) = self.around.shards.place(shard).await else { return };
            place.send(message);
        }
    }

    /// Has nothing kept of a peer that is not to come back as it was, and tells those who wait for its first table that there will be
    /// none.
    fn give_up(&mut self) {
        self.take_events();
        let forgotten = self.restarting.retention().forget();
        self.tell_shards(forgotten);
        if std::mem::take(&mut self.first_table_awaited) {
            self.tell_all_shards(|| ToShard::FirstTable);
        }
        if self.restarting.is_given_up() {
            self.tell_all_shards(|| ToShard::Heard);
        }
    }

    fn act(&mut self) {
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::Connect => {
                    self.connecting = Some(Box::pin(self.setup.settings.transport.clone().connect()))
                }
                Action::Close(id) => {
                    self.transmit_all(id);
                    match self.connections.of(id).take() {
                        Some(connection) => drop(tokio::spawn(connection.close())),
                        None if id == ConnectionId::Outgoing => self.connecting = None,
                        None => {}
                    }
                    self.session.connection_closed(id, Instant::now());
                    self.take_events();
                }
            }
        }
    }

    /// Gives shards as much as their inboxes take.
    fn hand_over(&mut self) {
        while let Some((shard, message)) = self.to_shards.pop_front() {
            if let Err(message) = self.around.shards.try_send(shard, message) {
                self.to_shards.push_front((shard, message));
                return;
            }
        }
    }

    async fn wait(&mut self) -> Wake {
        let sweep_at = self.up.as_ref().and_then(|up| up.sweep_at);
        let limits_at = self.up.as_ref().and_then(|up| up.limits.looks_again_at(Instant::now()));
        let held_until = self.held_down.as_ref().and_then(|held| held.until);
        let kept_until = self.restarting.next_timeout();
        let deadlines = [self.session.next_timeout(), held_until, sweep_at, limits_at, kept_until];
        let deadline = deadlines.into_iter().flatten().min();
        let near_limit = self.up.as_ref().map(|up| up.queue.near_limit());
        let full_shard = self.to_shards.front().map(|(shard, _)| *shard);
        let has_turn = self.turns.has_one_at_each();
        let reads = full_shard.is_none() && has_turn;
        let queue = match &mut self.up {
            Some(up) if self.connections.get(up.connection).is_some_and(Connection::wants_more) => {
                Some(&mut up.queue)
            }
            _ => None,
        };
        let (outgoing, incoming) = (self.connections.outgoing.as_ref(), self.connections.incoming.as_ref());
        tokio::select! {
            _ = self.stop.changed() => Wake::Stop,
            Ok(()) = self.setup.policy.changed() => Wake::Policy,
            () = notified(near_limit.as_deref()) => Wake::NearLimit,
            Some(ordered) = self.orders.recv() => Wake::Ordered(ordered),
            Some(stream) = self.accepted.recv() => Wake::Accepted(stream),
            Some(result) = connected(&mut self.connecting) => Wake::Connected(result),
            Some(place) = self.around.shards.place(full_shard.unwrap_or(0)), if full_shard.is_some() => Wake::Place(place),
            () = self.turns.one_at_each(), if !has_turn => Wake::Turn,
            Some(outgoing) = next_outgoing(queue) => Wake::Outgoing(outgoing),
            () = writable(outgoing) => Wake::Writable(ConnectionId::Outgoing),
            () = writable(incoming) => Wake::Writable(ConnectionId::Incoming),
            () = readable(outgoing), if reads => Wake::Readable(ConnectionId::Outgoing),
            () = readable(incoming), if reads => Wake::Readable(ConnectionId::Incoming),
            () = sleep_until(deadline) => Wake::Timeout,
        }
    }

    fn handle(&mut self, wake: Wake) {
        let now = Instant::now();
        self.restarting.tell(&mut self.session);
        match wake {
            Wake::Accepted(stream) => self.accept(stream, now),
            Wake::Connected(result) => self.connected(result, now),
            Wake::Readable(id) => self.read(id, now),
            Wake::Writable(id) => self.write(id, now),
            Wake::Outgoing(outgoing) => self.outgoing(outgoing, now),
            Wake::Policy => self.take_policy(now),
            Wake::Ordered(ordered) => self.obey(ordered, now),
            Wake::NearLimit => self.look_at_limits(now),
            Wake::Timeout => self.timeout(now),
            Wake::Place(place) => {
                if let Some((_, message)) = self.to_shards.pop_front() {
                    place.send(message);
                }
            }
            Wake::Turn | Wake::Stop => {}
        }
    }

    fn timeout(&mut self, now: Instant) {
        if self.held_down.as_ref().is_some_and(|held| held.until.is_some_and(|until| until <= now)) {
            self.free(now);
        }
        self.look_at_limits(now);
        if let Some(up) = &mut self.up
            && up.sweep_at.take_if(|at| *at <= now).is_some()
        {
            up.intake.sweep();
        }
        // A peer that spoke in time is not to be taken for silent because we were busy.
        self.read(ConnectionId::Outgoing, now);
        self.read(ConnectionId::Incoming, now);
        self.take_events();
        let orders = self.restarting.retention().handle_timeout(now);
        self.tell_shards(orders);
        self.session.handle_timeout(now);
    }
}
