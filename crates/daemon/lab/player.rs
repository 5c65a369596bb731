//! A player: one end of a session with the router, over TCP, with our own session machine.
//!
//! It says its lines as fast as the router takes them and listens to all that the router says. It plays its session once:
//! whatever ends it is kept for whoever asks.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use hashbrown::HashSet;
use palisade_bgp::notification::Cease;
use palisade_bgp::session::{Action, ConnectionId, Event, Session, SessionConfig, State};
use palisade_bgp::{Address, Asn, Prefix, Update};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;

use super::cast::Part;
use super::ground::Seat;
use super::script::{Block, Counts, Lines};
use crate::run::connecting::{Connecting, connected};
use crate::run::connection::Connection;
use crate::run::waiting::{readable, sleep_until, writable};

/// How long to wait before trying to connect again, in seconds.
const CONNECT_RETRY_S: u16 = 1;

/// What can be seen of a player from outside its task.
#[derive(Debug, Default)]
pub(super) struct Performance {
    updates: AtomicU64,
    announced: AtomicU64,
    withdrawn: AtomicU64,
    done: AtomicBool,
    end: Mutex<Option<String>>,
    trouble: Mutex<Option<String>>,
    pub(super) heard: Heard,
}

/// What a player was told.
#[derive(Debug, Default)]
pub(super) struct Heard {
    announced: AtomicU64,
    withdrawn: AtomicU64,
    held: AtomicU64,
}

impl Performance {
    /// What it has said.
    pub(super) fn said(&self) -> Counts {
        Counts {
            updates: self.updates.load(Ordering::Relaxed),
            announced: self.announced.load(Ordering::Relaxed),
            withdrawn: self.withdrawn.load(Ordering::Relaxed),
        }
    }

    /// Whether it has said everything, or won't say any more.
    pub(super) fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// Why its session has ended, where it has.
    pub(super) fn end(&self) -> Option<String> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why its last attempt at a session failed, where one did.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn failed(&self, why: String) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    fn ended(&self, why: String) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        self.done.store(true, Ordering::Release);
    }

    fn count(&self, counts: Counts) {
        self.updates.fetch_add(counts.updates, Ordering::Relaxed);
        self.announced.fetch_add(counts.announced, Ordering::Relaxed);
        self.withdrawn.fetch_add(counts.withdrawn, Ordering::Relaxed);
    }
}

impl Heard {
    /// Announcements and withdrawals, and how many prefixes are announced now.
    pub(super) fn all(&self) -> [u64; 3] {
        [&self.announced, &self.withdrawn, &self.held].map(|count| count.load(Ordering::Relaxed))
    }
}

/// A player's task.
pub(super) struct Player {
    session: Session,
    seat: Seat,
    connecting: Option<Connecting>,
    connection: Option<Connection>,
    /// `None` where there is nothing more to say.
    lines: Option<Lines>,
    /// What the router announces now.
    held: HashSet<Prefix, foldhash::fast::RandomState>,
    performance: Arc<Performance>,
    stop: watch::Receiver<bool>,
}

/// Connects from a player's seat.
async fn connect(seat: Seat) -> io::Result<TcpStream> {
    let socket = if seat.router.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind(SocketAddr::new(seat.player, 0))?;
    socket.connect(seat.router).await
}

/// What woke the task.
enum Wake {
    Connected(std::io::Result<tokio::net::TcpStream>),
    Readable,
    Writable,
    Line(Option<Block>),
    Timeout,
    Stop,
}

impl Player {
    /// The player of a part in its seat. Without lines it only listens.
    pub(super) fn new(
        part: &Part,
        router_asn: Asn,
        seat: Seat,
        lines: Option<Lines>,
        performance: Arc<Performance>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let router_id: Ipv4Addr = part.address;
        let config = SessionConfig {
            connect_retry_s: CONNECT_RETRY_S,
            ..SessionConfig::new(part.asn, router_id, router_asn)
        };
        Player {
            session: Session::new(config, u64::from(part.address.to_bits())),
            seat,
            connecting: None,
            connection: None,
            lines,
            held: HashSet::default(),
            performance,
            stop,
        }
    }

    /// Plays until told to stop, or until the session ends.
    pub(super) async fn play(mut self) {
        self.session.start(Instant::now());
        if self.lines.is_none() {
            self.performance.done.store(true, Ordering::Release);
        }
        while !*self.stop.borrow() && self.performance.end().is_none() {
            self.act();
            self.transmit();
            let wake = self.wait().await;
            self.handle(wake);
            self.take_events();
        }
        self.session.stop(Instant::now(), Cease::AdministrativeShutdown("the play is over".into()));
        self.transmit();
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
    }

    fn act(&mut self) {
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::Connect => {
                    self.connecting = Some(Box::pin(connect(self.seat)));
                }
                Action::Close(id) => {
                    self.transmit();
                    self.connecting = None;
                    if let Some(connection) = self.connection.take() {
                        drop(tokio::spawn(connection.close()));
                    }
                    self.session.connection_closed(id, Instant::now());
                    self.take_events();
                }
            }
        }
    }

    /// Queues what the session itself has to say, behind what it said before.
    fn transmit(&mut self) {
        while let Some(connection) = &mut self.connection
            && let Some(octets) = self.session.poll_transmit(ConnectionId::Outgoing)
        {
            connection.queue(octets);
        }
    }

    async fn wait(&mut self) -> Wake {
        let deadline = self.session.next_timeout();
        let speaks = self.session.state() == State::Established
            && self.connection.as_ref().is_some_and(Connection::wants_more);
        let lines = self.lines.as_mut().filter(|_| speaks);
        let connection = self.connection.as_ref();
        tokio::select! {
            _ = self.stop.changed() => Wake::Stop,
            Some(result) = connected(&mut self.connecting) => Wake::Connected(result),
            () = readable(connection) => Wake::Readable,
            () = writable(connection) => Wake::Writable,
            line = next(lines) => Wake::Line(line),
            () = sleep_until(deadline) => Wake::Timeout,
        }
    }

    fn handle(&mut self, wake: Wake) {
        let now = Instant::now();
        match wake {
            Wake::Connected(Ok(stream)) => {
                self.connecting = None;
                self.connection = Some(Connection::new(stream, Arc::default()));
                self.session.connected(ConnectionId::Outgoing, now);
            }
            // The session tries again.
            Wake::Connected(Err(fault)) => {
                self.performance.failed(format!("can't connect to {}: {fault}", self.seat.router));
                self.lost(now);
            }
            Wake::Readable => self.read(now),
            Wake::Writable => self.write(now),
            Wake::Line(line) => self.say(line, now),
            Wake::Timeout => {
                self.read(now);
                self.session.handle_timeout(now);
            }
            Wake::Stop => {}
        }
    }

    fn read(&mut self, now: Instant) {
        let Some(connection) = &self.connection else { return };
        match connection.read(self.session.input(ConnectionId::Outgoing)) {
            Ok(0) => self.lost(now),
            Err(fault) if fault.kind() != std::io::ErrorKind::WouldBlock => self.lost(now),
            _ => {}
        }
    }

    fn write(&mut self, now: Instant) {
        let Some(connection) = &mut self.connection else { return };
        match connection.write() {
            Err(fault) if fault.kind() != std::io::ErrorKind::WouldBlock => self.lost(now),
            _ => self.session.sent(now),
        }
        if self.lines.is_none()
            && self.connection.as_ref().is_some_and(|connection| !connection.has_waiting())
        {
            self.performance.done.store(true, Ordering::Release);
        }
    }

    fn say(&mut self, line: Option<Block>, now: Instant) {
        match line {
            Some(block) => {
                if let Some(connection) = &mut self.connection {
                    connection.queue(block.octets);
                    self.performance.count(block.counts);
                }
            }
            None => self.lines = None,
        }
        self.write(now);
    }

    /// What was read before the connection closed is still to be looked at: the router's reason may be in it.
    fn lost(&mut self, now: Instant) {
        self.take_events();
        self.connecting = None;
        self.connection = None;
        self.session.connection_closed(ConnectionId::Outgoing, now);
    }

    fn take_events(&mut self) {
        let now = Instant::now();
        while let Some(event) = self.session.next_event(now) {
            match event {
                Event::Update(update) => {
                    hear::<u32>(&mut self.held, &self.performance.heard, &update);
                    hear::<u128>(&mut self.held, &self.performance.heard, &update);
                }
                Event::Down { reason, .. } => self.performance.ended(reason.to_string()),
                // The session tries again.
                Event::Failed(reason) => self.performance.failed(reason.to_string()),
                Event::Established(_)
                | Event::RouteRefresh(_)
                | Event::RefreshBegins(_)
                | Event::RefreshEnds(_)
                | Event::RefreshIgnored(_) => {}
            }
        }
    }
}

fn hear<A: Address>(
    held: &mut HashSet<Prefix, foldhash::fast::RandomState>,
    heard: &Heard,
    update: &Update<'_>,
) {
    let (mut announced, mut withdrawn) = (0, 0);
    for path in update.withdrawn::<A>() {
        held.remove(&A::prefix(path.net));
        withdrawn += 1;
    }
    for path in update.announced::<A>().into_iter().flat_map(|(_, paths)| paths) {
        held.insert(A::prefix(path.net));
        announced += 1;
    }
    heard.announced.fetch_add(announced, Ordering::Relaxed);
    heard.withdrawn.fetch_add(withdrawn, Ordering::Relaxed);
    heard.held.store(held.len() as u64, Ordering::Relaxed);
}

async fn next(lines: Option<&mut Lines>) -> Option<Block> {
    match lines {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}
