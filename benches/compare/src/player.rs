//! Plays all sessions in one thread, and hears what each is sent.
//!
//! It shares the machine with the daemon under test, so it does little for each octet: what is sent was encoded before, and
//! what is heard becomes a bit in a [`Holding`](crate::holding::Holding). No session has more than one read and one bounded
//! write in a turn, so that none waits long for the others.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use crate::bits::Bits;
use crate::encode::{self, Chunk};
use crate::hear::{self, Ear, Listener, Message};
use crate::holding::Off;
use crate::load::Load;
use crate::oracle::{Expectation, Oracle};
use crate::prefix::{Prefix, PrefixIndex};
use crate::problem::Problem;
use crate::service::{Service, Waits};
use crate::session::{Counts, Session, State};
use crate::table::Table;

/// Octets that one session reads in one turn.
const READ_AT_ONCE: usize = 128 * 1024;
/// Sessions that are served before the kernel is asked again.
const SERVED_AT_ONCE: usize = 64;
/// How long the kernel is waited for at most.
const TURN: Duration = Duration::from_millis(20);
/// How often it is seen who reads slowly or waits to connect.
const GLANCE: Duration = Duration::from_millis(5);
/// How often sessions are looked over for KEEPALIVEs.
const LOOK_OVER: Duration = Duration::from_secs(1);
/// How long the probe's last announcements are waited for.
const LAST_PROBES: Duration = Duration::from_secs(1);

/// Set when somebody pressed Ctrl-C.
pub(crate) static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// How long a phase may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// In all.
    pub(crate) total: Duration,
    /// Without any news.
    pub(crate) silence: Duration,
}

/// All sessions.
pub(crate) struct Player<'a> {
    poll: Poll,
    events: Events,
    /// By number.
    pub(crate) sessions: Vec<Session>,
    table: &'a Table,
    oracle: &'a Oracle,
    index: PrefixIndex,
    set_of: Vec<u32>,
    ear: Ear,
    scratch: Vec<u8>,
    ready: VecDeque<usize>,
    is_ready: Bits,
    service: Service,
    probe: usize,
    /// By sender, by family: what it sends when it is asked to send all again.
    again: Vec<[Vec<Chunk>; 2]>,
    glanced: Instant,
    looked_over: Instant,
    last_news: Instant,
    began: Instant,
    last_wrong: Option<(usize, Prefix)>,
    last_wrong_body: Vec<u8>,
    guard: Box<dyn Fn() -> Result<(), Problem> + 'a>,
}

impl<'a> Player<'a> {
    /// Of a load's sessions, all away.
    pub(crate) fn new(table: &'a Table, oracle: &'a Oracle, load: &Load) -> Result<Self, Problem> {
        let now = Instant::now();
        let session = |number| Session::new(number, table.prefixes.len(), load.terms());
        Ok(Player {
            poll: Poll::new().map_err(Problem::system("making an epoll"))?,
            events: Events::with_capacity(256),
            sessions: (0..load.sessions()).map(session).collect(),
            table,
            oracle,
            index: PrefixIndex::new(table.prefixes.clone()),
            set_of: vec![u32::MAX; table.prefixes.len()],
            ear: Ear::new(oracle.looks_at_next_hop()),
            scratch: vec![0; READ_AT_ONCE],
            ready: VecDeque::new(),
            is_ready: Bits::none(load.sessions()),
            service: Service::new(),
            probe: load.probe(),
            again: Vec::new(),
            glanced: now,
            looked_over: now,
            last_news: now,
            began: now,
            last_wrong: None,
            last_wrong_body: Vec::new(),
            guard: Box::new(|| Ok(())),
        })
    }

    /// Has something looked at once a second; where it fails, so does what is going on.
    pub(crate) fn guard(&mut self, guard: impl Fn() -> Result<(), Problem> + 'a) {
        self.guard = Box::new(guard);
    }

    /// The longest time in this phase in which a session that counts heard nothing, though it did not yet hold what it should.
    pub(crate) fn silence(&mut self) -> Duration {
        let now = Instant::now();
        let mut longest = Duration::ZERO;
        for (number, session) in self.sessions.iter_mut().enumerate() {
            if session.is_probed && self.oracle.receives(number) {
                session.end_silence(self.began, now);
                longest = longest.max(session.silence);
            }
        }
        longest
    }

    /// Begins a phase: what every session should come to hold, and whether the service is probed meanwhile.
    pub(crate) fn begin(&mut self, expectation: Expectation, is_probed: bool) -> Instant {
        let size = self.table.prefixes.len();
        let mut otherwise = Bits::none(size);
        for (place, (old, new)) in self.set_of.iter().zip(&expectation.set_of).enumerate() {
            let differs = old != new && self.oracle.digest_of(*old) != self.oracle.digest_of(*new);
            otherwise.set(place, differs);
        }
        self.set_of = expectation.set_of;
        for (session, expected) in self.sessions.iter_mut().zip(expectation.holds) {
            session.holding.expect(&expected, &otherwise);
            session.right_since = None;
        }
        self.begin_anew(is_probed)
    }

    /// Begins a phase that expects what the last one did, as far as is known so far.
    pub(crate) fn begin_anew(&mut self, is_probed: bool) -> Instant {
        for session in &mut self.sessions {
            session.counts = Counts::default();
            session.silence = Duration::ZERO;
            session.longest_gap = Duration::ZERO;
        }
        let now = Instant::now();
        self.began = now;
        self.last_wrong = None;
        self.last_news = now;
        self.service.begin(now, is_probed);
        now
    }

    /// What a session should come to hold at one place: the attributes of a set, or nothing.
    pub(crate) fn expect_at(&mut self, session: usize, place: usize, set: Option<u32>) {
        let old = self.set_of[place];
        // What is withdrawn may come back as it was.
        let new = set.unwrap_or(old);
        let otherwise = old != new && self.oracle.digest_of(old) != self.oracle.digest_of(new);
        self.set_of[place] = new;
        let session = &mut self.sessions[session];
        session.holding.expect_at(place, set.is_some(), otherwise);
        session.right_since = None;
    }

    /// Has senders send all of a family again where they are asked for it.
    pub(crate) fn answer_refreshes(&mut self, again: Vec<[Vec<Chunk>; 2]>) {
        self.again = again;
    }

    /// The longest time in this phase in which a session that is up heard nothing at all.
    pub(crate) fn longest_gap(&mut self) -> Duration {
        let (now, began) = (Instant::now(), self.began);
        self.sessions.iter_mut().for_each(|session| session.end_silence(began, now));
        self.sessions.iter().map(|session| session.longest_gap).max().unwrap_or_default()
    }

    /// Wants a session to be up.
    pub(crate) fn open(&mut self, session: usize) {
        self.sessions[session].state = State::Waiting(Instant::now());
        self.wake(session);
    }

    /// Ends a session.
    pub(crate) fn close(&mut self, session: usize) {
        self.sessions[session].close();
    }

    /// Queues messages for a session.
    pub(crate) fn send(&mut self, session: usize, chunks: &[Chunk]) {
        chunks.iter().for_each(|chunk| self.sessions[session].push(chunk.clone()));
        self.wake(session);
    }

    /// Goes on until every session that is wanted is up.
    pub(crate) fn until_up(&mut self, patience: Patience) -> Result<bool, Problem> {
        self.last_news = Instant::now();
        self.run(patience, |player| {
            player.sessions.iter().all(|session| matches!(session.state, State::Up | State::Away))
        })
    }

    /// Goes on until every session that counts holds what it should, and all of the probe's news has come; or until
    /// patience ends.
    pub(crate) fn until_right(&mut self, patience: Patience) -> Result<bool, Problem> {
        let is_done = self.run(patience, |player| {
            let waits = |session: &Session| session.counts_in && !session.holding.is_right();
            !player.sessions.iter().enumerate().any(|(n, session)| player.oracle.watches(n) && waits(session))
        })?;
        self.service.stop();
        let patience = Patience { total: LAST_PROBES, silence: LAST_PROBES };
        self.run(patience, |player| player.service.all_came())?;
        Ok(is_done)
    }

    /// Goes on for a time.
    pub(crate) fn wait(&mut self, time: Duration) -> Result<(), Problem> {
        self.run(Patience { total: time, silence: time }, |_| false).map(drop)
    }

    /// Withdraws what the probe announced in this phase, and says what the waits came to.
    pub(crate) fn end_probe(&mut self) -> Option<Waits> {
        let waits = self.service.waits(Instant::now());
        let first = self.table.first_probe();
        let numbers = self.service.of_phase();
        let gone = encode::probes_gone(&self.table.prefixes[first + numbers.start..first + numbers.end]);
        if self.sessions[self.probe].state == State::Up {
            self.send(self.probe, &gone);
        }
        waits
    }

    /// When the last session that counts came to hold what it should, if all do.
    pub(crate) fn right_at(&self) -> Option<Instant> {
        let watched = |n: &usize| self.oracle.watches(*n) && self.sessions[*n].counts_in;
        (0..self.sessions.len()).filter(watched).try_fold(None, |latest, n| {
            let session = &self.sessions[n];
            session.holding.is_right().then(|| latest.max(session.right_since))
        })?
    }

    /// What last came with wrong attributes, in words.
    pub(crate) fn last_wrong(&self) -> Option<String> {
        let (session, prefix) = self.last_wrong?;
        let words = hear::describe(&self.last_wrong_body, prefix.six).ok()?;
        Some(format!("{prefix} to session {session} with {words}"))
    }

    /// By how much all sessions that count are not right together.
    pub(crate) fn off(&self) -> Off {
        let mut off = Off::default();
        for (n, session) in self.sessions.iter().enumerate() {
            if self.oracle.watches(n) && session.counts_in {
                off += session.holding.off();
            }
        }
        off
    }

    fn run(&mut self, patience: Patience, is_done: impl Fn(&Self) -> bool) -> Result<bool, Problem> {
        let start = Instant::now();
        loop {
            if is_done(self) {
                return Ok(true);
            }
            if INTERRUPTED.load(Ordering::Relaxed) {
                return Err(Problem::Interrupted);
            }
            let now = Instant::now();
            let is_silent = now.duration_since(self.last_news.max(start)) > patience.silence;
            if is_silent || now.duration_since(start) > patience.total {
                return Ok(false);
            }
            self.turn()?;
        }
    }

    fn turn(&mut self) -> Result<(), Problem> {
        let timeout = if self.ready.is_empty() { self.timeout() } else { Duration::ZERO };
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                return Err(Problem::System { what: "waiting for sockets", source: error });
            }
            _ => {}
        }
        for event in &self.events {
            if !self.is_ready.set(event.token().0, true) {
                self.ready.push_back(event.token().0);
            }
        }
        for _ in 0..self.ready.len().min(SERVED_AT_ONCE) {
            let Some(session) = self.ready.pop_front() else { break };
            self.is_ready.set(session, false);
            self.serve(session)?;
        }
        self.look_after(Instant::now())
    }

    fn timeout(&self) -> Duration {
        let next = self.service.next_at().map(|at| at.saturating_duration_since(Instant::now()));
        next.map_or(TURN, |next| next.min(TURN))
    }

    fn wake(&mut self, session: usize) {
        if !self.is_ready.set(session, true) {
            self.ready.push_back(session);
        }
    }

    /// What time brings: the probe's news, slow readers, and once a second KEEPALIVEs and connections to try again.
    fn look_after(&mut self, now: Instant) -> Result<(), Problem> {
        let receivers = |player: &Self| {
            let is_one = |n: &usize| *n != player.probe && player.counts_probes(*n);
            (0..player.sessions.len()).filter(is_one).count()
        };
        if self.service.next_at().is_some_and(|at| at <= now) && self.sessions[self.probe].state == State::Up
        {
            let receivers = receivers(self);
            if let Some(number) = self.service.due(now, receivers) {
                let prefix = self.table.prefixes[self.table.first_probe() + number];
                self.sessions[self.probe].push_first(encode::probe(self.probe, prefix));
                self.wake(self.probe);
            }
        }
        if now.duration_since(self.glanced) >= GLANCE {
            self.glanced = now;
            for session in 0..self.sessions.len() {
                let it = &self.sessions[session];
                if it.pace.is_some() || matches!(it.state, State::Waiting(at) if at <= now) {
                    self.wake(session);
                }
            }
        }
        if now.duration_since(self.looked_over) >= LOOK_OVER {
            self.looked_over = now;
            (self.guard)()?;
            for session in 0..self.sessions.len() {
                if self.sessions[session].is_stuck(now) {
                    self.sessions[session].try_again(now);
                } else if self.sessions[session].keep_alive(now) {
                    self.wake(session);
                }
            }
        }
        Ok(())
    }

    fn counts_probes(&self, session: usize) -> bool {
        let it = &self.sessions[session];
        it.is_probed && it.state == State::Up && self.oracle.receives(session)
    }

    fn serve(&mut self, number: usize) -> Result<(), Problem> {
        let now = Instant::now();
        if let State::Waiting(at) = self.sessions[number].state {
            if at <= now && self.sessions[number].connect(self.poll.registry()).is_err() {
                self.sessions[number].try_again(now);
            }
            return Ok(());
        }
        if let Err(why) = self.exchange(number, now) {
            let session = &mut self.sessions[number];
            match session.state {
                State::Up => session.lost(why),
                State::Away => {}
                _ => session.try_again(now),
            }
            self.last_news = now;
        }
        Ok(())
    }

    fn exchange(&mut self, number: usize, now: Instant) -> Result<(), String> {
        let session = &mut self.sessions[number];
        if session.state == State::Connecting {
            session.connected(now).map_err(|error| error.to_string())?;
        }
        if session.state == State::Connecting || session.stream.is_none() {
            return Ok(());
        }
        let more_to_write = session.flush(now).map_err(|error| error.to_string())?;
        let more_to_read = self.read(number, now)?;
        // What was read may have called for an answer.
        let session = &mut self.sessions[number];
        let more_to_write = more_to_write || session.flush(now).map_err(|error| error.to_string())?;
        if more_to_read || more_to_write {
            self.wake(number);
        }
        Ok(())
    }

    /// Reads once; says whether there may be more.
    fn read(&mut self, number: usize, now: Instant) -> Result<bool, String> {
        let session = &mut self.sessions[number];
        let begun = session.begun.len();
        self.scratch[..begun].copy_from_slice(&session.begun);
        let most = session.may_read(READ_AT_ONCE - begun, now);
        if most == 0 {
            return Ok(false);
        }
        let Some(stream) = &mut session.stream else { return Ok(false) };
        let count = match stream.read(&mut self.scratch[begun..begun + most]) {
            Ok(0) => return Err("the daemon closed the connection".into()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
            Err(error) => return Err(error.to_string()),
        };
        if let Some((_, _, read)) = &mut session.pace {
            *read += count;
        }
        let now = Instant::now();
        session.end_silence(self.began, now);
        session.last_heard = now;
        let used = self.hear(number, begun + count, now)?;
        let session = &mut self.sessions[number];
        session.begun.clear();
        session.begun.extend_from_slice(&self.scratch[used..begun + count]);
        match (session.holding.is_right(), session.right_since) {
            (true, None) => session.right_since = Some(now),
            (false, Some(_)) => session.right_since = None,
            _ => {}
        }
        Ok(count == most && session.pace.is_none())
    }

    /// Hears all whole messages of what was read, and says how many octets they were.
    fn hear(&mut self, number: usize, len: usize, now: Instant) -> Result<usize, String> {
        let counts_probes = self.counts_probes(number) && number != self.probe;
        let mut at = 0;
        let session = &mut self.sessions[number];
        let before = (session.counts.announced, session.counts.withdrawn);
        while let Some((message, taken)) =
            hear::message(&self.scratch[at..len]).map_err(|error| error.to_string())?
        {
            match message {
                Message::Open if session.state == State::Opening => {
                    session.state = State::Confirming;
                    session.push(encode::keepalive());
                }
                Message::Keepalive if session.state == State::Confirming => {
                    session.is_up_now();
                    self.last_news = now;
                }
                Message::Update(body) if session.state == State::Up => {
                    session.counts.updates += 1;
                    let mut hearing = Hearing {
                        session,
                        number,
                        index: &mut self.index,
                        oracle: self.oracle,
                        set_of: &self.set_of,
                        first_probe: self.table.first_probe(),
                        service: counts_probes.then_some(&mut self.service),
                        now,
                        judged: (u32::MAX, 0, false),
                        wrong: None,
                    };
                    self.ear.update(body, &mut hearing).map_err(|error| error.to_string())?;
                    if let Some(prefix) = hearing.wrong {
                        self.last_wrong = Some((number, prefix));
                        self.last_wrong_body.clear();
                        self.last_wrong_body.extend_from_slice(body);
                    }
                }
                Message::Notification(code, subcode) => {
                    return Err(format!("the daemon sent NOTIFICATION {code}/{subcode}"));
                }
                Message::RouteRefresh(six) => {
                    session.counts.refreshes += 1;
                    if let Some(again) = self.again.get(number) {
                        again[usize::from(six)].iter().for_each(|chunk| session.push(chunk.clone()));
                    }
                }
                Message::Keepalive => {}
                _ => return Err(format!("a message that has no place here ({:?})", session.state)),
            }
            at += taken;
        }
        if (session.counts.announced, session.counts.withdrawn) != before {
            self.last_news = now;
        }
        Ok(at)
    }
}

/// What becomes of the prefixes of an UPDATE.
struct Hearing<'a, 'b> {
    session: &'a mut Session,
    number: usize,
    index: &'a mut PrefixIndex,
    oracle: &'b Oracle,
    set_of: &'a [u32],
    first_probe: usize,
    service: Option<&'a mut Service>,
    now: Instant,
    /// The set that was last compared with a digest, and whether they agreed.
    judged: (u32, u64, bool),
    /// A prefix that came with the wrong attributes.
    wrong: Option<Prefix>,
}

impl Hearing<'_, '_> {
    #[inline]
    fn place(&mut self, prefix: Prefix) -> Option<usize> {
        let place = self.index.place(prefix, self.session.last_place);
        match place {
            Some(place) => self.session.last_place = place,
            None => self.session.counts.foreign += 1,
        }
        place.map(|place| place as usize)
    }
}

impl Listener for Hearing<'_, '_> {
    #[inline]
    fn withdrawn(&mut self, prefix: Prefix) {
        if let Some(place) = self.place(prefix)
            && place < self.first_probe
        {
            self.session.counts.withdrawn += 1;
            self.session.holding.withdrawn(place);
        }
    }

    #[inline]
    fn announced(&mut self, prefix: Prefix, digest: u64) {
        let Some(place) = self.place(prefix) else { return };
        if place >= self.first_probe {
            let number = place - self.first_probe;
            if let (false, Some(service)) = (self.session.probes.set(number, true), &mut self.service) {
                service.came(number, self.now);
            }
            return;
        }
        let set = self.set_of[place];
        if self.oracle.is_echo(self.number, set) {
            self.session.counts.echoed += 1;
            return;
        }
        self.session.counts.announced += 1;
        if (self.judged.0, self.judged.1) != (set, digest) {
            let is_right = set != u32::MAX && self.oracle.is_right(self.number, set, digest);
            self.judged = (set, digest, is_right);
        }
        if !self.judged.2 {
            self.wrong = Some(prefix);
        }
        self.session.holding.announced(place, self.judged.2);
    }
}
