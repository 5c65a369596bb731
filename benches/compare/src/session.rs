//! One session as it is played: its connection, what is queued for it, what it holds and has counted.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::bits::Bits;
use crate::encode::{self, Chunk, Terms};
use crate::holding::Holding;
use crate::member;
use crate::table::PROBES;

/// Octets that are written in one turn, so that no session keeps the others waiting.
const WRITE_AT_ONCE: usize = 256 * 1024;
/// Time until a connection that was refused is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(100);
/// Time after which a connection that leads to nothing is given up and tried again: a daemon whose backlog is full drops it,
/// though this end takes it for made.
const NO_ANSWER: Duration = Duration::from_secs(5);
/// The receive buffer of a session that reads slowly.
const SLOW_BUFFER: usize = 16 * 1024;

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Not there, and not wanted.
    Away,
    /// To be connected at that time.
    Waiting(Instant),
    /// Connecting.
    Connecting,
    /// OPEN is sent.
    Opening,
    /// OPEN has come and was answered.
    Confirming,
    /// Up.
    Up,
}

/// What a session has heard in a phase.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Prefixes announced.
    pub(crate) announced: u64,
    /// Prefixes withdrawn.
    pub(crate) withdrawn: u64,
    /// UPDATEs.
    pub(crate) updates: u64,
    /// Prefixes that are none of the table's.
    pub(crate) foreign: u64,
    /// Prefixes that came back to who announced them.
    pub(crate) echoed: u64,
    /// ROUTE-REFRESH messages.
    pub(crate) refreshes: u64,
}

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    number: usize,
    terms: Terms,
    /// How far it is.
    pub(crate) state: State,
    /// Its connection.
    pub(crate) stream: Option<TcpStream>,
    queue: VecDeque<Chunk>,
    written: usize,
    at_first: Vec<Chunk>,
    /// The start of a message that is not whole yet.
    pub(crate) begun: Vec<u8>,
    /// What it holds.
    pub(crate) holding: Holding,
    /// The place of the prefix that came last.
    pub(crate) last_place: u32,
    /// Whether what it holds was right when it was last looked at, and since when.
    pub(crate) right_since: Option<Instant>,
    /// Which of the probe's announcements have come.
    pub(crate) probes: Bits,
    /// Whether what it holds counts in this phase.
    pub(crate) counts_in: bool,
    /// Whether its waits for the probe's news do.
    pub(crate) is_probed: bool,
    /// What it has heard in this phase.
    pub(crate) counts: Counts,
    /// When anything was last heard.
    pub(crate) last_heard: Instant,
    /// The longest time in this phase in which nothing was heard though something was due.
    pub(crate) silence: Duration,
    /// The longest time in this phase in which nothing at all was heard, not even a KEEPALIVE.
    pub(crate) longest_gap: Duration,
    last_sent: Instant,
    /// Octets a second that it reads, from when, and how many it has read since.
    pub(crate) pace: Option<(usize, Instant, usize)>,
    /// Why it was lost.
    pub(crate) fault: Option<String>,
}

impl Session {
    /// A session that is away.
    pub(crate) fn new(number: usize, table_size: usize, terms: Terms) -> Self {
        let now = Instant::now();
        Session {
            number,
            terms,
            state: State::Away,
            stream: None,
            queue: VecDeque::new(),
            written: 0,
            at_first: Vec::new(),
            begun: Vec::new(),
            holding: Holding::new(table_size),
            last_place: 0,
            right_since: None,
            probes: Bits::none(PROBES),
            counts_in: true,
            is_probed: true,
            counts: Counts::default(),
            last_heard: now,
            silence: Duration::ZERO,
            longest_gap: Duration::ZERO,
            last_sent: now,
            pace: None,
            fault: None,
        }
    }

    /// Begins to connect, from the session's own address.
    pub(crate) fn connect(&mut self, registry: &Registry) -> io::Result<()> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
        socket.set_tcp_nodelay(true)?;
        socket.bind(&SocketAddr::from((member::address(self.number), 0)).into())?;
        match socket.connect(&SocketAddr::from((member::TARGET, member::BGP_PORT)).into()) {
            Err(error) if error.raw_os_error() != Some(nix::errno::Errno::EINPROGRESS as i32) => {
                return Err(error);
            }
            _ => {}
        }
        let mut stream = TcpStream::from_std(socket.into());
        registry.register(&mut stream, Token(self.number), Interest::READABLE | Interest::WRITABLE)?;
        self.queue.clear();
        self.begun.clear();
        self.written = 0;
        self.stream = Some(stream);
        self.state = State::Connecting;
        self.last_heard = Instant::now();
        Ok(())
    }

    /// The connection stands, or has failed.
    pub(crate) fn connected(&mut self, now: Instant) -> io::Result<()> {
        let Some(stream) = &self.stream else { return Ok(()) };
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        match stream.peer_addr() {
            Ok(_) => {
                self.state = State::Opening;
                self.last_heard = now;
                self.push(encode::open(self.number, self.terms));
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::NotConnected => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Ends the connection, with a word where it is up.
    pub(crate) fn close(&mut self) {
        if let (Some(mut stream), State::Up) = (self.stream.take(), self.state) {
            // Whether it is heard or not, the session is over.
            let _ = stream.write(&encode::goodbye());
        }
        self.over(State::Away);
    }

    /// The connection has gone before the session was up: it is tried again.
    pub(crate) fn try_again(&mut self, now: Instant) {
        self.over(State::Waiting(now + TRY_AGAIN));
    }

    /// The session was up, and is lost.
    pub(crate) fn lost(&mut self, why: String) {
        self.fault = Some(why);
        self.over(State::Away);
    }

    fn over(&mut self, state: State) {
        self.stream = None;
        self.state = state;
        self.queue.clear();
        self.begun.clear();
        self.holding.lose_all();
    }

    /// Queues whole messages.
    pub(crate) fn push(&mut self, chunk: Chunk) {
        self.queue.push_back(chunk);
    }

    /// Has messages sent as soon as it is up.
    pub(crate) fn push_when_up(&mut self, chunks: &[Chunk]) {
        self.at_first = chunks.to_vec();
    }

    /// It is up.
    pub(crate) fn is_up_now(&mut self) {
        self.state = State::Up;
        self.queue.extend(self.at_first.drain(..));
    }

    /// Queues whole messages ahead of all that is not half written.
    pub(crate) fn push_first(&mut self, chunk: Chunk) {
        let place = usize::from(self.written > 0).min(self.queue.len());
        self.queue.insert(place, chunk);
    }

    /// Writes what the socket takes; says whether more could be written at once.
    pub(crate) fn flush(&mut self, now: Instant) -> io::Result<bool> {
        let Some(stream) = &mut self.stream else { return Ok(false) };
        let mut budget = WRITE_AT_ONCE;
        while let Some(chunk) = self.queue.front() {
            match stream.write(&chunk[self.written..]) {
                Ok(count) => {
                    self.written += count;
                    self.last_sent = now;
                    budget = budget.saturating_sub(count);
                    if self.written == chunk.len() {
                        self.queue.pop_front();
                        self.written = 0;
                    }
                    if budget == 0 {
                        return Ok(!self.queue.is_empty());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Says that it is alive, where it has not said anything for a third of the hold time (RFC 4271 s4.4).
    pub(crate) fn keep_alive(&mut self, now: Instant) -> bool {
        let quiet = Duration::from_secs(u64::from(self.terms.hold_time_s) / 3);
        let is_due = self.state == State::Up && now.duration_since(self.last_sent) >= quiet;
        if is_due {
            self.push_first(encode::keepalive());
        }
        is_due
    }

    /// Whether it is on its way up and gets no answer.
    pub(crate) fn is_stuck(&self, now: Instant) -> bool {
        let is_on_its_way = matches!(self.state, State::Connecting | State::Opening | State::Confirming);
        is_on_its_way && now.duration_since(self.last_heard) > NO_ANSWER
    }

    /// From now on it reads so many octets a second; or, with `None`, as fast as it can.
    pub(crate) fn read_at(&mut self, octets_per_s: Option<usize>, now: Instant) {
        self.pace = octets_per_s.map(|pace| (pace, now, 0));
        if let (Some(_), Some(stream)) = (octets_per_s, &self.stream) {
            // A kernel that keeps a larger one makes the session less slow, no more.
            let _ = SockRef::from(stream).set_recv_buffer_size(SLOW_BUFFER);
        }
    }

    /// It has heard something, or the phase is over.
    pub(crate) fn end_silence(&mut self, phase_began: Instant, now: Instant) {
        if !self.holding.is_right() {
            let since = self.last_heard.max(phase_began);
            self.silence = self.silence.max(now.saturating_duration_since(since));
        }
        if self.state == State::Up {
            self.longest_gap = self.longest_gap.max(now.saturating_duration_since(self.last_heard));
        }
    }

    /// Octets that it may read now.
    pub(crate) fn may_read(&self, most: usize, now: Instant) -> usize {
        match self.pace {
            None => most,
            Some((pace, since, read)) => {
                let allowed = (now.duration_since(since).as_secs_f64() * pace as f64) as usize;
                allowed.saturating_sub(read).min(most)
            }
        }
    }
}
