//! A neighbour of the router: announces what it is told to, and notes every message that it gets.
//!
//! It speaks IPv4 unicast with four-octet AS numbers and without a hold time (RFC 4271, RFC 6793), and shares nothing with the
//! router.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::asked::PATIENCE;
use crate::wire::{self, AS_PATH, Attributes, COMMUNITIES, KEEPALIVE, LARGE_COMMUNITY, NEXT_HOP};
use crate::wire::{NOTIFICATION, ORIGIN, ROUTE_REFRESH, UPDATE, Update, attribute, message, numbers, octets};

/// A route as the speaker was sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) path: Vec<u32>,
    pub(crate) communities: Vec<String>,
    pub(crate) large_communities: Vec<String>,
}

/// What a speaker has heard since its session began.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Messages, by type.
    messages: BTreeMap<u8, usize>,
    /// What is announced to it now.
    pub(crate) routes: BTreeMap<String, Route>,
    /// How often it was told of each prefix: announced, withdrawn.
    pub(crate) told: BTreeMap<String, (usize, usize)>,
    /// Whether the connection has ended, and the last NOTIFICATION.
    pub(crate) has_ended: bool,
    pub(crate) notification: Vec<u8>,
}

impl Heard {
    fn count(&self, kind: u8) -> usize {
        self.messages.get(&kind).copied().unwrap_or(0)
    }

    /// Whether a session came up.
    pub(crate) fn is_up(&self) -> bool {
        self.count(KEEPALIVE) > 0 && !self.has_ended
    }

    /// Whether the router has said anything at all.
    pub(crate) fn is_nothing(&self) -> bool {
        self.messages.is_empty()
    }

    pub(crate) fn refreshes(&self) -> usize {
        self.count(ROUTE_REFRESH)
    }

    fn update(&mut self, update: Update) {
        for prefix in update.withdrawn {
            self.told.entry(prefix.clone()).or_default().1 += 1;
            self.routes.remove(&prefix);
        }
        let route = route(&update.attributes);
        for prefix in update.announced {
            self.told.entry(prefix.clone()).or_default().0 += 1;
            self.routes.insert(prefix, route.clone());
        }
    }
}

pub(crate) struct Speaker {
    pub(crate) asn: u32,
    address: Ipv4Addr,
    stream: TcpStream,
    heard: Arc<Mutex<Heard>>,
}

impl Speaker {
    /// Connects to a router from 127.0.0.`last`, and says all that it has to say for a session to come up.
    pub(crate) fn join(port: u16, last: u8) -> Self {
        let (asn, address) = (196_700 + u32::from(last), Ipv4Addr::new(127, 0, 0, last));
        let mut stream = connect(port, address);
        let open = wire::open(asn, 0, Ipv4Addr::new(192, 0, 2, last), &[1, 4, 0, 1, 0, 1, 2, 0]);
        stream.write_all(&open).expect("it takes an OPEN");
        stream.write_all(&message(KEEPALIVE, &[])).expect("it takes a KEEPALIVE");
        let heard = Arc::<Mutex<Heard>>::default();
        let (input, noted) = (stream.try_clone().expect("another handle"), Arc::clone(&heard));
        thread::spawn(move || listen(input, &noted));
        Speaker { asn, address, stream, heard }
    }

    /// What it has heard so far.
    pub(crate) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().expect("nobody fails with it")
    }

    /// Announces prefixes, over these ASes behind its own. `attributes` are further ones, as [`large`] makes them.
    pub(crate) fn announce(&mut self, path: &[u32], attributes: &[u8], prefixes: &[&str]) {
        let asns: Vec<u32> = [self.asn].iter().chain(path).copied().collect();
        let attributes = [
            &attribute(0x40, ORIGIN, &[0])[..],
            &attribute(0x40, AS_PATH, &wire::path(&asns)),
            &attribute(0x40, NEXT_HOP, &self.address.octets()),
            attributes,
        ]
        .concat();
        for some in prefixes.chunks(500) {
            let update = wire::update(&[], &attributes, some);
            self.stream.write_all(&update).expect("it takes an UPDATE");
        }
    }
}

/// Tries until the router listens.
fn connect(port: u16, from: Ipv4Addr) -> TcpStream {
    let started = Instant::now();
    loop {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from((from, 0)).into()).expect("loopback has all of 127/8");
        match socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()) {
            Ok(()) => return socket.into(),
            Err(fault) => assert!(started.elapsed() < PATIENCE, "the router does not listen: {fault}"),
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// An attribute of standard communities.
pub(crate) fn standard(communities: &[(u16, u16)]) -> Vec<u8> {
    let value: Vec<u8> =
        communities.iter().flat_map(|(a, b)| [a.to_be_bytes(), b.to_be_bytes()]).flatten().collect();
    attribute(0xc0, COMMUNITIES, &value)
}

/// An attribute of large communities.
pub(crate) fn large(communities: &[(u32, u32, u32)]) -> Vec<u8> {
    let value: Vec<u8> = communities.iter().flat_map(|(a, b, c)| octets(&[*a, *b, *c])).collect();
    attribute(0xc0, LARGE_COMMUNITY, &value)
}

fn listen(mut input: TcpStream, noted: &Mutex<Heard>) {
    while let Ok((kind, body)) = wire::next(&mut input) {
        let mut heard = noted.lock().expect("nobody fails with it");
        *heard.messages.entry(kind).or_default() += 1;
        match kind {
            UPDATE => heard.update(Update::read(&body)),
            NOTIFICATION => heard.notification = body,
            _ => {}
        }
    }
    noted.lock().expect("nobody fails with it").has_ended = true;
}

fn route(attributes: &Attributes) -> Route {
    let of = |kind| attributes.get(&kind).map(Vec::as_slice).unwrap_or_default();
    let standard = numbers(of(COMMUNITIES));
    let large = numbers(of(LARGE_COMMUNITY));
    Route {
        // One segment of a sequence is all that is announced here.
        path: numbers(of(AS_PATH).get(2..).unwrap_or_default()),
        communities: standard.iter().map(|of| format!("{}:{}", of >> 16, of & 0xffff)).collect(),
        large_communities: large.chunks(3).map(|of| format!("{}:{}:{}", of[0], of[1], of[2])).collect(),
    }
}
