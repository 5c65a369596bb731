//! One peer's task: the session machine, its sockets and its way into the table.
//!
//! ```text
//!   socket --octets--> Session --UPDATE--> Intake --batches--> shards
//!   socket <--octets-- Session (OPEN, KEEPALIVE, ..)
//!   socket <--chunks-- SessionQueue <------------------------- shards
//! ```
//!
//! The task never waits for one thing alone. While a shard's inbox is full, or has enough of this peer's batches in it
//! ([`Turns`]), it stops reading, which TCP passes on to the peer, and goes on sending KEEPALIVEs.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use palisade_bgp::session::{Action, ConnectionId, Event, Session};
use palisade_policy::{Reason, Snapshot};
use palisade_rib::{Order, PolicyTouched};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tracing::{debug, info, warn};

use super::coming_up::{PeerSetup, Up, come_up, on_session};
use super::complaints::Complaints;
use super::connecting::{Connecting, connected};
use super::connection::Connection;
use super::connections::Connections;
use super::held_down::HeldDown;
use super::orders::Ordered;
use super::queue::Outgoing;
use super::recovery::Recovery;
use super::restarting::{Restarting, messages};
use super::shard::{Shards, ToShard};
use super::status::Attempts;
use super::stop::Stop;
use super::telling;
use super::turns::Turns;
use super::waiting::{next_outgoing, notified, readable, sleep_until, writable};

mod accepted;
mod limited;
mod ordered;
mod refreshing;

/// Octets of input room that a silent session may keep.
const INPUT_KEPT: usize = 4096;

/// How long after a withdrawal attributes that no path uses any more are looked for.
const SWEEP_PAUSE: Duration = Duration::from_secs(3);

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

    /// Tells the shards that the peer has gone, and those who wait for its first table that there will be none.
    async fn leave_table(&mut self) {
        self.take_events();
        let forgotten = self.restarting.retention().forget();
        self.tell_shards(forgotten);
        let shards = 0..self.around.shards.count();
        if std::mem::take(&mut self.first_table_awaited) {
            self.to_shards.extend(shards.clone().map(|shard| (shard, ToShard::FirstTable)));
        }
        if self.restarting.is_given_up() {
            self.to_shards.extend(shards.map(|shard| (shard, ToShard::Heard)));
        }
        while let Some((shard, message)) = self.to_shards.pop_front() {
            let Some(place) = self.around.shards.place(shard).await else { return };
            place.send(message);
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

    /// Queues what the session itself has to say, on connections that have nothing else to write. Where a peer does not
    /// read, it stays in the session, which counts that as silence (RFC 9687).
    fn transmit(&mut self) {
        for id in [ConnectionId::Outgoing, ConnectionId::Incoming] {
            if self.connections.get(id).is_some_and(|connection| !connection.has_waiting()) {
                self.transmit_all(id);
            }
        }
    }

    fn transmit_all(&mut self, id: ConnectionId) {
        while let Some(octets) = self.session.poll_transmit(id) {
            if let Some(connection) = self.connections.of(id) {
                connection.queue(octets);
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

    fn connected(&mut self, result: io::Result<TcpStream>, now: Instant) {
        self.connecting = None;
        match result {
            Ok(stream) => {
                self.connections.outgoing =
                    Some(Connection::new(stream, Arc::clone(&self.setup.status.traffic)));
                self.session.connected(ConnectionId::Outgoing, now);
            }
            Err(fault) => {
                debug!(peer = self.setup.name, remote = %self.setup.settings.transport.remote, %fault, "could not connect");
                self.setup.status.set_fault(format!("could not connect: {fault}"));
                self.session.connection_closed(ConnectionId::Outgoing, now);
            }
        }
    }

    fn read(&mut self, id: ConnectionId, now: Instant) {
        let Some(connection) = self.connections.of(id) else { return };
        match connection.read(self.session.input(id)) {
            Ok(0) => self.lost(id, None, now),
            Ok(_) => {}
            Err(fault) if fault.kind() == io::ErrorKind::WouldBlock => {}
            Err(fault) => self.lost(id, Some(fault), now),
        }
    }

    fn write(&mut self, id: ConnectionId, now: Instant) {
        let Some(connection) = self.connections.of(id) else { return };
        match connection.write() {
            Err(fault) if fault.kind() != io::ErrorKind::WouldBlock => self.lost(id, Some(fault), now),
            _ => self.count_written(id, now),
        }
    }

    fn lost(&mut self, id: ConnectionId, fault: Option<io::Error>, now: Instant) {
        debug!(peer = self.setup.name, ?id, ?fault, "connection closed");
        *self.connections.of(id) = None;
        self.session.connection_closed(id, now);
    }

    fn count_written(&mut self, id: ConnectionId, now: Instant) {
        let octets = self.connections.of(id).as_mut().map_or(0, Connection::take_written_chunks);
        let Some(up) = self.up.as_ref().filter(|up| up.connection == id && octets > 0) else { return };
        self.session.sent(now);
        if up.queue.written(octets) {
            self.around.shards.wake();
        }
    }

    /// Takes chunks to the connection, as many as it wants.
    fn outgoing(&mut self, first: Outgoing, now: Instant) {
        let mut next = Some(first);
        while let Some(outgoing) = next.take() {
            let Some(up) = &mut self.up else { return };
            let Some(connection) = self.connections.of(up.connection) else { return };
            match outgoing {
                Outgoing::Chunk(chunk) => connection.queue_chunk(&chunk, self.setup.index),
                Outgoing::Walked(family) => {
                    if let Some(end) = up.walked(family) {
                        connection.queue(telling::end(end, family).into());
                    }
                }
            }
            if connection.wants_more() {
                next = up.queue.try_next();
            }
        }
        self.begin_refreshes();
        if let Some(up) = &self.up {
            self.write(up.connection, now);
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

    /// Deals with all that the session has to say.
    fn take_events(&mut self) {
        let now = Instant::now();
        let tables = Arc::clone(&self.around.tables.borrow());
        let index = self.setup.index;
        let count = self.around.shards.count();
        let shards = 0..count;
        while let Some(event) = self.session.next_event(now) {
            match event {
                Event::Update(update) => {
                    self.setup.status.traffic.note_faults(&update);
                    self.complaints.note(&self.setup.name, &update, now);
                    if let Some(up) = &mut self.up {
                        up.intake.push(&update, &tables);
                        if let Some(family) = update.end_of_rib() {
                            up.awaited[family.index()] = false;
                            up.hand_in(&mut self.to_shards, &self.turns);
                            let orders = self.restarting.retention().end_of_rib(family);
                            self.to_shards.extend(messages(index, orders, count));
                        }
                    }
                }
                Event::Established(negotiated) => {
                    let local =
                        self.connections.get(negotiated.connection).and_then(Connection::local_address);
                    let (up, peer, queue) = come_up(&mut self.setup, &self.around, &negotiated, local);
                    self.up = Some(up);
                    let told =
                        |shard| (shard, ToShard::PeerUp(index, Box::new(peer.clone()), Arc::clone(&queue)));
                    self.to_shards.extend(shards.clone().map(told));
                    let orders = self.restarting.established(&negotiated, now);
                    self.to_shards.extend(messages(index, orders, count));
                }
                // What was said before them is not what they are about.
                Event::RefreshBegins(family) => {
                    self.up.iter_mut().for_each(|up| up.hand_in(&mut self.to_shards, &self.turns));
                    let orders = self.restarting.retention().refresh_begins(now, family);
                    self.to_shards.extend(messages(index, orders, count));
                }
                Event::RefreshEnds(family) => {
                    self.up.iter_mut().for_each(|up| up.hand_in(&mut self.to_shards, &self.turns));
                    let orders = self.restarting.retention().refresh_ends(family);
                    self.to_shards.extend(messages(index, orders, count));
                }
                Event::RouteRefresh(family) => {
                    if let Some(up) = &mut self.up {
                        up.telling[family.index()].ask();
                    }
                }
                Event::RefreshIgnored(what) => {
                    debug!(peer = self.setup.name, %what, "a ROUTE-REFRESH was passed over");
                }
                Event::Down { reason, retained } => {
                    self.complaints.tell_rest(&self.setup.name);
                    warn!(peer = self.setup.name, %reason, kept = retained != [false; 2], "session down");
                    self.setup.status.note_down(&reason);
                    if let Some(mut up) = self.up.take() {
                        up.hand_in(&mut self.to_shards, &self.turns);
                    }
                    let orders = self.restarting.retention().lost(now, retained);
                    self.to_shards.extend(messages(index, orders, count));
                }
                Event::Failed(reason) => {
                    info!(peer = self.setup.name, %reason, "session did not come up");
                    self.setup.status.note_failed(&reason);
                }
            }
        }
        self.setup.status.traffic.received.set_messages(self.session.received());
        self.release_input();
        self.begin_refreshes();
        if let Some(up) = &mut self.up {
            if up.sweep_at.is_none() && up.intake.has_withdrawn() {
                up.sweep_at = Some(now + SWEEP_PAUSE);
            }
            up.hand_in(&mut self.to_shards, &self.turns);
            if up.awaited == [false; 2] && std::mem::take(&mut self.first_table_awaited) {
                self.to_shards.extend(shards.clone().map(|shard| (shard, ToShard::FirstTable)));
            }
        }
        if self.restarting.is_heard() {
            self.to_shards.extend(shards.map(|shard| (shard, ToShard::Heard)));
        }
        self.setup.status.set_phases(self.restarting.phases());
    }

    /// Tells the shards what is to become of the peer's paths.
    fn tell_shards(&mut self, orders: impl IntoIterator<Item = Order>) {
        self.to_shards.extend(messages(self.setup.index, orders, self.around.shards.count()));
        self.setup.status.set_phases(self.restarting.phases());
    }
}

impl PeerTask {
    /// Has the peer judged and ranked by its new policy, also for what it has said already.
    fn take_policy(&mut self, now: Instant) {
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
        let (index, shards) = (self.setup.index, 0..self.around.shards.count());
        if let Some(touched) = touched(&up.judged, &judged) {
            up.intake.set_policy(Arc::clone(&judged), &touched);
            let told = |shard| (shard, ToShard::Policy(index, Arc::clone(&judged), touched.clone()));
            self.to_shards.extend(shards.clone().map(told));
            up.judged = judged;
        }
        let terms = policy.terms();
        if terms != up.terms {
            self.to_shards.extend(shards.clone().map(|shard| (shard, ToShard::Terms(index, terms.clone()))));
            up.terms = terms;
            if self.setup.status.counters.read().rejected[Reason::MaxAccepted] > 0 {
                self.to_shards.extend(shards.map(|shard| (shard, ToShard::LetIn(index))));
            }
        }
        self.look_at_limits(now);
    }

    /// Lets go of the room that was made to read into: most sessions are silent most of the time.
    fn release_input(&mut self) {
        for id in [ConnectionId::Outgoing, ConnectionId::Incoming] {
            let input = self.session.input(id);
            if input.capacity() > INPUT_KEPT && input.len() <= INPUT_KEPT {
                *input = BytesMut::from(&input[..]);
            }
        }
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
