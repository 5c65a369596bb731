//! Two sessions joined by a network that exists only in a virtual clock's time.
//!
//! Octets travel in order on each connection, in pieces cut wherever the seed says, each with a delay of its own.
//! Connections can be lost with all that is under way, or fall silent. Everything that happens is written down.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use super::super::*;
use crate::nlri::Path;

/// Which of the two.
pub(super) type Side = usize;

/// A TCP connection: who opened it, and what is known of it on each side.
struct Wire {
    opener: Side,
    /// Whether the side still has it.
    open: [bool; 2],
    /// When the last of what was sent to a side arrives there.
    last_arrival: [Instant; 2],
    silent: bool,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Arrival {
    Connect,
    Answer(bool),
    Octets(Vec<u8>),
    Closed,
}

/// When something arrives, the how manieth it is, on which wire and at which side.
type UnderWay = (Instant, u64, usize, Side, Arrival);

pub(super) struct Pair {
    pub(super) now: Instant,
    began: Instant,
    pub(super) sessions: [Session; 2],
    /// What happened on each side, as `Established`, `Down sent ..`.
    pub(super) log: [Vec<String>; 2],
    /// The prefixes each side heard, with the identifiers that came along.
    pub(super) heard: [Vec<String>; 2],
    /// How often each side tried to connect.
    pub(super) attempts: [usize; 2],
    wires: Vec<Wire>,
    /// The wire of each side's connections.
    places: [[Option<usize>; 2]; 2],
    under_way: BinaryHeap<Reverse<UnderWay>>,
    count: u64,
    rng: Rng,
    /// The longest delay of a piece.
    pub(super) delay: Duration,
    /// Whether pieces are cut small.
    pub(super) shred: bool,
}

fn shown(path: Path<u32>) -> String {
    if path.path_id == 0 { path.net.to_string() } else { format!("{} #{}", path.net, path.path_id) }
}

/// A xorshift generator.
pub(super) struct Rng(pub(super) u64);

impl Rng {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

impl Pair {
    pub(super) fn new(configs: [SessionConfig; 2], seed: u64) -> Self {
        let now = Instant::now();
        let [a, b] = configs;
        Pair {
            now,
            began: now,
            sessions: [Session::new(a, seed), Session::new(b, seed ^ 0xffff)],
            log: Default::default(),
            heard: Default::default(),
            attempts: [0; 2],
            wires: Vec::new(),
            places: [[None; 2]; 2],
            under_way: BinaryHeap::new(),
            count: 0,
            rng: Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            delay: Duration::from_millis(20),
            shred: false,
        }
    }

    pub(super) fn start(&mut self) {
        let now = self.now;
        self.sessions.iter_mut().for_each(|session| session.start(now));
        self.settle();
    }

    /// How long it has been since the beginning, in seconds.
    pub(super) fn seconds(&self) -> u64 {
        self.now.duration_since(self.began).as_secs()
    }

    pub(super) fn states(&self) -> [State; 2] {
        [self.sessions[0].state(), self.sessions[1].state()]
    }

    pub(super) fn is_up(&self) -> bool {
        self.states() == [State::Established; 2]
    }

    /// How many connections have both ends.
    pub(super) fn open_wires(&self) -> usize {
        self.wires.iter().filter(|wire| wire.open == [true; 2]).count()
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        self.settle();
        while let Some(next) = self.next_time().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.deliver();
            let now = self.now;
            self.sessions.iter_mut().for_each(|session| session.handle_timeout(now));
            self.settle();
        }
        self.now = end;
    }

    /// Lets time pass until both are up; whether they are within a time.
    pub(super) fn run_until_up(&mut self, seconds: u64) -> bool {
        (0..seconds).any(|_| {
            self.run(1);
            self.is_up()
        })
    }

    /// Has one side write messages to the connection that is up.
    pub(super) fn write(&mut self, side: Side, octets: &[u8]) {
        let connection = self.sessions[side].negotiated().unwrap().connection;
        let wire = self.places[side][connection.index()].unwrap();
        self.transmit(wire, side, octets);
        let now = self.now;
        self.sessions[side].sent(now);
    }

    /// Ends every connection at once, with all that is under way.
    pub(super) fn lose_connections(&mut self) {
        self.under_way.retain(|Reverse((_, _, _, _, arrival))| *arrival == Arrival::Connect);
        for wire in 0..self.wires.len() {
            for side in [0, 1] {
                self.closed(wire, side);
            }
        }
        self.settle();
    }

    /// From now on, nothing arrives on any connection that is open, and nobody is told.
    pub(super) fn fall_silent(&mut self) {
        self.under_way.clear();
        self.wires.iter_mut().for_each(|wire| wire.silent = true);
    }

    fn next_time(&self) -> Option<Instant> {
        let arrival = self.under_way.peek().map(|Reverse((at, ..))| *at);
        let timeouts = self.sessions.iter().filter_map(Session::next_timeout);
        timeouts.chain(arrival).min()
    }

    fn deliver(&mut self) {
        while self.under_way.peek().is_some_and(|Reverse((at, ..))| *at <= self.now) {
            let Some(Reverse((_, _, wire, side, arrival))) = self.under_way.pop() else { return };
            match arrival {
                Arrival::Connect => self.connect_arrives(wire, side),
                Arrival::Answer(accepted) => self.answer_arrives(wire, side, accepted),
                Arrival::Octets(octets) => self.octets_arrive(wire, side, &octets),
                Arrival::Closed => self.closed(wire, side),
            }
            self.settle();
        }
    }

    fn connect_arrives(&mut self, wire: usize, side: Side) {
        let accepts = self.sessions[side].accepts_incoming();
        if accepts {
            self.wires[wire].open[side] = true;
            self.places[side][ConnectionId::Incoming.index()] = Some(wire);
            self.sessions[side].connected(ConnectionId::Incoming, self.now);
        }
        self.schedule(wire, 1 - side, Arrival::Answer(accepts));
    }

    fn answer_arrives(&mut self, wire: usize, side: Side, accepted: bool) {
        let id = ConnectionId::Outgoing;
        if self.places[side][id.index()] != Some(wire) {
            // It gave up in the meantime.
            return self.schedule(wire, 1 - side, Arrival::Closed);
        }
        if accepted {
            self.wires[wire].open[side] = true;
            self.sessions[side].connected(id, self.now);
        } else {
            self.places[side][id.index()] = None;
            self.sessions[side].connection_closed(id, self.now);
        }
    }

    fn place_of(&self, wire: usize, side: Side) -> Option<ConnectionId> {
        ConnectionId::ALL.into_iter().find(|id| self.places[side][id.index()] == Some(wire))
    }

    fn octets_arrive(&mut self, wire: usize, side: Side, octets: &[u8]) {
        if let Some(id) = self.place_of(wire, side) {
            self.sessions[side].input(id).extend_from_slice(octets);
        }
    }

    fn closed(&mut self, wire: usize, side: Side) {
        if let Some(id) = self.place_of(wire, side).filter(|_| self.wires[wire].open[side]) {
            self.wires[wire].open[side] = false;
            self.places[side][id.index()] = None;
            self.sessions[side].connection_closed(id, self.now);
        }
    }

    /// Does all that the sessions ask for, until they ask for nothing.
    fn settle(&mut self) {
        for side in [0, 1] {
            loop {
                self.events(side);
                for id in ConnectionId::ALL {
                    self.flush(side, id);
                }
                let Some(action) = self.sessions[side].poll_action() else { break };
                match action {
                    Action::Connect => self.connect(side),
                    Action::Close(id) => self.close(side, id),
                }
            }
        }
    }

    fn connect(&mut self, side: Side) {
        self.attempts[side] += 1;
        let wire = self.wires.len();
        self.wires.push(Wire { opener: side, open: [false; 2], last_arrival: [self.now; 2], silent: false });
        assert!(self.places[side][ConnectionId::Outgoing.index()].replace(wire).is_none());
        self.schedule(wire, 1 - side, Arrival::Connect);
    }

    fn close(&mut self, side: Side, id: ConnectionId) {
        self.flush(side, id);
        if let Some(wire) = self.places[side][id.index()].take() {
            let established = self.wires[wire].open[side];
            self.wires[wire].open[side] = false;
            if established || self.wires[wire].opener != side {
                self.schedule(wire, 1 - side, Arrival::Closed);
            }
        }
        self.sessions[side].connection_closed(id, self.now);
    }

    fn flush(&mut self, side: Side, id: ConnectionId) {
        while let Some(message) = self.sessions[side].poll_transmit(id) {
            if let Some(wire) = self.places[side][id.index()] {
                self.transmit(wire, side, &message);
            }
        }
    }

    fn transmit(&mut self, wire: usize, side: Side, mut octets: &[u8]) {
        while !octets.is_empty() {
            let longest = if self.shred { 7 } else { 4096 };
            let cut = (1 + self.rng.below(longest) as usize).min(octets.len());
            self.schedule(wire, 1 - side, Arrival::Octets(octets[..cut].to_vec()));
            octets = &octets[cut..];
        }
    }

    fn schedule(&mut self, wire: usize, to: Side, arrival: Arrival) {
        if self.wires[wire].silent {
            return;
        }
        let delay = Duration::from_micros(self.rng.below(self.delay.as_micros() as u64 + 1));
        let at = (self.now + delay).max(self.wires[wire].last_arrival[to]);
        self.wires[wire].last_arrival[to] = at;
        self.count += 1;
        self.under_way.push(Reverse((at, self.count, wire, to, arrival)));
    }

    fn events(&mut self, side: Side) {
        while let Some(event) = self.sessions[side].next_event(self.now) {
            let line = match event {
                Event::Established(_) => "Established".to_string(),
                Event::RouteRefresh(family) => format!("RouteRefresh {family}"),
                Event::RefreshBegins(family) => format!("RefreshBegins {family}"),
                Event::RefreshEnds(family) => format!("RefreshEnds {family}"),
                Event::RefreshIgnored(what) => format!("RefreshIgnored {what}"),
                Event::Down { reason, .. } => format!("Down {reason}"),
                Event::Failed(reason) => format!("Failed {reason}"),
                Event::Update(update) => {
                    let heard = &mut self.heard[side];
                    if let Some((_, nlri)) = update.announced::<u32>() {
                        heard.extend(nlri.map(shown));
                    }
                    heard.extend(update.withdrawn::<u32>().map(|path| format!("-{}", shown(path))));
                    continue;
                }
            };
            self.log[side].push(line);
        }
    }
}
