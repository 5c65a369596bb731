//! An RPKI cache of the test's own, which answers, lies, breaks off and dies as it is told (RFC 8210, 8210bis for ASPAs).
//!
//! It is written from the protocol alone: the client that it tests shares nothing with it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// How often a cache looks whether it is to end, or may answer.
const LOOK: Duration = Duration::from_millis(10);

const ANNOUNCE: u8 = 1;
const WITHDRAW: u8 = 0;

/// A network, its length, the longest that is authorized, and the origin AS.
pub(crate) type Vrp = (Ipv4Addr, u8, u8, u32);

/// What a cache has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Data {
    pub(crate) vrps: BTreeSet<Vrp>,
    /// Customers with their providers.
    pub(crate) aspas: BTreeMap<u32, Vec<u32>>,
}

/// How it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It takes questions, and does not answer them yet.
    #[default]
    Silent,
    /// As it should.
    Honest,
    /// It begins as it should, with something that is not in its data, and goes on with nonsense.
    Garbage,
}

#[derive(Debug, Default)]
struct State {
    manner: Manner,
    session: u16,
    /// The newest last.
    history: Vec<Data>,
    connections: Vec<TcpStream>,
    is_dead: bool,
    /// How often all was asked for.
    resets: usize,
}

/// A running cache; it runs until it is killed.
pub(crate) struct Cache {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
}

impl Cache {
    /// Starts one that knows this, and is silent.
    pub(crate) fn start(data: Data) -> Self {
        let mut cache = Cache { port: 0, state: Arc::default() };
        let history = vec![data];
        *cache.state() = State { session: 4711, history, ..State::default() };
        cache.run();
        cache
    }

    /// Starts it again where it was, with other data and as another session.
    pub(crate) fn start_again(&mut self, data: Data) {
        let old = std::mem::take(&mut self.state);
        let State { session, manner, .. } = *old.lock().expect("nobody fails with it");
        *self.state() = State { session: session + 1, manner, history: vec![data], ..State::default() };
        self.run();
    }

    /// Ends it, and every conversation that it has.
    pub(crate) fn kill(&self) {
        let mut state = self.state();
        state.is_dead = true;
        for connection in state.connections.drain(..) {
            // The other end may have closed it.
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
    }

    /// Answers in this manner from now on; what is not answered yet, too.
    pub(crate) fn be(&self, manner: Manner) {
        self.state().manner = manner;
    }

    /// Changes the data, and tells whoever is connected that there is something new.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Data)) {
        let mut state = self.state();
        let mut data = state.history.last().cloned().unwrap_or_default();
        change(&mut data);
        state.history.push(data);
        let serial = state.history.len() as u32;
        let session = state.session;
        state.connections.retain_mut(|connection| {
            connection.write_all(&pdu(2, 0, session, &serial.to_be_bytes())).is_ok()
        });
    }

    /// Adds a VRP.
    pub(crate) fn add(&self, vrp: Vrp) {
        self.change(|data| data.vrps.extend([vrp]));
    }

    /// Takes a VRP away.
    pub(crate) fn remove(&self, vrp: Vrp) {
        self.change(|data| data.vrps.retain(|kept| *kept != vrp));
    }

    /// Says whose customer an AS is; of nobody's it says nothing.
    pub(crate) fn attest(&self, customer: u32, providers: &[u32]) {
        self.change(|data| match providers {
            [] => data.aspas.retain(|known, _| *known != customer),
            _ => data.aspas.extend([(customer, providers.to_vec())]),
        });
    }

    /// What it has now.
    pub(crate) fn data(&self) -> Data {
        self.state().history.last().cloned().unwrap_or_default()
    }

    /// How often all of the data was asked for.
    pub(crate) fn resets(&self) -> usize {
        self.state().resets
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody fails with it")
    }

    fn run(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).expect("a port is free");
        self.port = listener.local_addr().expect("it has an address").port();
        listener.set_nonblocking(true).expect("a listener can be told so");
        let state = Arc::clone(&self.state);
        thread::spawn(move || {
            while !state.lock().expect("nobody fails with it").is_dead {
                let Ok((stream, _)) = listener.accept() else {
                    thread::sleep(LOOK);
                    continue;
                };
                stream.set_nonblocking(false).expect("a socket can be told so");
                let state = Arc::clone(&state);
                thread::spawn(move || converse(stream, &state));
            }
        });
    }
}

fn converse(mut stream: TcpStream, state: &Mutex<State>) {
    let lock = || state.lock().expect("nobody fails with it");
    lock().connections.push(stream.try_clone().expect("another handle"));
    let mut header = [0; 8];
    while stream.read_exact(&mut header).is_ok() {
        let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let mut body = vec![0; length.saturating_sub(header.len())];
        if stream.read_exact(&mut body).is_err() {
            return;
        }
        while lock().manner == Manner::Silent && !lock().is_dead {
            thread::sleep(LOOK);
        }
        let mut state = lock();
        let answer = state.answer(&header, &body);
        if state.is_dead || stream.write_all(&answer).is_err() {
            return;
        }
    }
}

impl State {
    fn answer(&mut self, header: &[u8; 8], body: &[u8]) -> Vec<u8> {
        let (version, session) = (header[0], u16::from_be_bytes([header[2], header[3]]));
        let newest = self.history.last().cloned().unwrap_or_default();
        let mut items = Vec::new();
        match (header[1], body) {
            (1, serial) => {
                let serial = serial.try_into().map_or(0, u32::from_be_bytes) as usize;
                let known = self.history.get(serial.wrapping_sub(1)).filter(|_| session == self.session);
                let Some(known) = known else { return pdu(version, 8, 0, &[]) };
                changes(version, known, &newest, &mut items);
            }
            (2, _) => {
                self.resets += 1;
                changes(version, &Data::default(), &newest, &mut items);
            }
            // A report of an error, which nobody answers.
            _ => return Vec::new(),
        }
        let response = pdu(version, 3, self.session, &[]);
        if self.manner == Manner::Garbage {
            let lie = vrp(version, ANNOUNCE, &(Ipv4Addr::new(45, 0, 0, 0), 8, 8, 0));
            return [response, lie, vec![0xa5; 4096]].concat();
        }
        let times = [3600, 1, 7200].map(u32::to_be_bytes).concat();
        let serial = (self.history.len() as u32).to_be_bytes();
        let end = pdu(version, 7, self.session, &[&serial[..], &times].concat());
        [response, items, end].concat()
    }
}

fn changes(version: u8, old: &Data, new: &Data, out: &mut Vec<u8>) {
    old.vrps.difference(&new.vrps).for_each(|gone| out.extend(vrp(version, WITHDRAW, gone)));
    new.vrps.difference(&old.vrps).for_each(|come| out.extend(vrp(version, ANNOUNCE, come)));
    if version < 2 {
        return;
    }
    for customer in old.aspas.keys().filter(|customer| !new.aspas.contains_key(customer)) {
        out.extend(aspa(version, WITHDRAW, *customer, &[]));
    }
    for (customer, providers) in new.aspas.iter().filter(|(of, are)| old.aspas.get(of) != Some(are)) {
        out.extend(aspa(version, ANNOUNCE, *customer, providers));
    }
}

fn vrp(version: u8, flags: u8, (network, length, max_length, asn): &Vrp) -> Vec<u8> {
    let body = [&[flags, *length, *max_length, 0][..], &network.octets(), &asn.to_be_bytes()].concat();
    pdu(version, 4, 0, &body)
}

fn aspa(version: u8, flags: u8, customer: u32, providers: &[u32]) -> Vec<u8> {
    let body: Vec<u8> = [customer].iter().chain(providers).flat_map(|asn| asn.to_be_bytes()).collect();
    pdu(version, 11, u16::from(flags) << 8, &body)
}

fn pdu(version: u8, kind: u8, third: u16, body: &[u8]) -> Vec<u8> {
    let length = 8 + body.len() as u32;
    [&[version, kind][..], &third.to_be_bytes(), &length.to_be_bytes(), body].concat()
}
