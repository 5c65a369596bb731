//! A neighbour of the router: announces what it is told to, and notes every message that it gets.
//!
//! It speaks IPv4 unicast with four-octet AS numbers and without a hold time (RFC 4271, RFC 6793), and is written from
//! those: it shares nothing with the router.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::asked::PATIENCE;

const OPEN: u8 = 1;
const UPDATE: u8 = 2;
const NOTIFICATION: u8 = 3;
const KEEPALIVE: u8 = 4;
const ROUTE_REFRESH: u8 = 5;

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
        let capabilities = [&[1, 4, 0, 1, 0, 1, 2, 0, 65, 4][..], &asn.to_be_bytes()].concat();
        let length = capabilities.len() as u8;
        // Version 4, AS_TRANS, no hold time, an identifier, and one parameter of capabilities.
        let fixed = [4, 0x5b, 0xa0, 0, 0, 192, 0, 2, last, length + 2, 2, length];
        stream.write_all(&message(OPEN, &[&fixed[..], &capabilities].concat())).expect("it takes an OPEN");
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
        let asns: Vec<u8> = [self.asn].iter().chain(path).flat_map(|asn| asn.to_be_bytes()).collect();
        let attributes = [
            &[0x40, 1, 1, 0, 0x40, 2, asns.len() as u8 + 2, 2, asns.len() as u8 / 4][..],
            &asns,
            &[0x40, 3, 4],
            &self.address.octets(),
            attributes,
        ]
        .concat();
        for some in prefixes.chunks(500) {
            let mut body = vec![0, 0];
            body.extend((attributes.len() as u16).to_be_bytes());
            body.extend(&attributes);
            some.iter().for_each(|prefix| body.extend(wire(prefix)));
            self.stream.write_all(&message(UPDATE, &body)).expect("it takes an UPDATE");
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
    let octets = communities.iter().flat_map(|(a, b)| [a.to_be_bytes(), b.to_be_bytes()]).flatten();
    attribute(8, octets.collect())
}

/// An attribute of large communities.
pub(crate) fn large(communities: &[(u32, u32, u32)]) -> Vec<u8> {
    let octets = communities
        .iter()
        .flat_map(|(a, b, c)| [a.to_be_bytes(), b.to_be_bytes(), c.to_be_bytes()])
        .flatten();
    attribute(32, octets.collect())
}

/// An optional transitive one.
fn attribute(kind: u8, value: Vec<u8>) -> Vec<u8> {
    [&[0xc0, kind, value.len() as u8][..], &value].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = 19 + body.len() as u16;
    [&[0xff; 16][..], &length.to_be_bytes(), &[kind], body].concat()
}

fn wire(prefix: &str) -> Vec<u8> {
    let (address, length) = prefix.split_once('/').expect("a prefix");
    let (address, length): (Ipv4Addr, u8) =
        (address.parse().expect("an address"), length.parse().expect("a length"));
    [&[length][..], &address.octets()[..usize::from(length.div_ceil(8))]].concat()
}

fn listen(mut input: TcpStream, noted: &Mutex<Heard>) {
    let mut next = || -> std::io::Result<(u8, Vec<u8>)> {
        let mut header = [0; 19];
        input.read_exact(&mut header)?;
        let mut body = vec![0; usize::from(u16::from_be_bytes([header[16], header[17]])) - header.len()];
        input.read_exact(&mut body)?;
        Ok((header[18], body))
    };
    while let Ok((kind, body)) = next() {
        let mut heard = noted.lock().expect("nobody fails with it");
        *heard.messages.entry(kind).or_default() += 1;
        match kind {
            UPDATE => update(&mut heard, &body),
            NOTIFICATION => heard.notification = body,
            _ => {}
        }
    }
    noted.lock().expect("nobody fails with it").has_ended = true;
}

fn update(heard: &mut Heard, body: &[u8]) {
    let (withdrawn, rest) = field(body);
    let (attributes, announced) = field(rest);
    for prefix in prefixes(withdrawn) {
        heard.told.entry(prefix.clone()).or_default().1 += 1;
        heard.routes.remove(&prefix);
    }
    let route = route(attributes);
    for prefix in prefixes(announced) {
        heard.told.entry(prefix.clone()).or_default().0 += 1;
        heard.routes.insert(prefix, route.clone());
    }
}

/// What a length of two octets says, and what comes behind it.
fn field(octets: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = octets.split_at(2);
    rest.split_at(usize::from(u16::from_be_bytes([length[0], length[1]])))
}

fn prefixes(mut octets: &[u8]) -> Vec<String> {
    let mut prefixes = Vec::new();
    while let Some((length, rest)) = octets.split_first() {
        let (some, rest) = rest.split_at(usize::from(length.div_ceil(8)));
        let mut address = [0; 4];
        address[..some.len()].copy_from_slice(some);
        prefixes.push(format!("{}/{length}", Ipv4Addr::from(address)));
        octets = rest;
    }
    prefixes
}

fn route(mut attributes: &[u8]) -> Route {
    let mut route = Route::default();
    while let [flags, kind, rest @ ..] = attributes {
        let (length, rest) = match flags & 0x10 {
            0 => (usize::from(rest[0]), &rest[1..]),
            _ => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
        };
        let (value, rest) = rest.split_at(length);
        match kind {
            // One segment of a sequence is all that is announced here.
            2 => route.path = numbers(value.get(2..).unwrap_or_default()),
            8 => {
                route.communities =
                    numbers(value).iter().map(|of| format!("{}:{}", of >> 16, of & 0xffff)).collect()
            }
            32 => {
                let parts = numbers(value);
                let written = parts.chunks(3).map(|of| format!("{}:{}:{}", of[0], of[1], of[2]));
                route.large_communities = written.collect();
            }
            _ => {}
        }
        attributes = rest;
    }
    route
}

fn numbers(octets: &[u8]) -> Vec<u32> {
    octets.as_chunks::<4>().0.iter().map(|number| u32::from_be_bytes(*number)).collect()
}
