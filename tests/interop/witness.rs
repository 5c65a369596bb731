//! A neighbour of our router that is this program: it says what it is told to, octet by octet, and notes every octet that it
//! hears. It is written from the RFCs, shares nothing with the router, and never ends a session by itself: it has no hold time.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use socket2::{Domain, Socket, Type};

use crate::claims::OURS;
use crate::lab::wait_until;

const OPEN: u8 = 1;
const UPDATE: u8 = 2;
const KEEPALIVE: u8 = 4;

/// Types of attributes.
pub(crate) const ORIGIN: u8 = 1;
pub(crate) const AS_PATH: u8 = 2;
pub(crate) const NEXT_HOP: u8 = 3;
pub(crate) const LOCAL_PREF: u8 = 5;
pub(crate) const ORIGINATOR_ID: u8 = 9;
pub(crate) const CLUSTER_LIST: u8 = 10;
pub(crate) const AS4_PATH: u8 = 17;
pub(crate) const LARGE_COMMUNITY: u8 = 32;
const MP_REACH_NLRI: u8 = 14;
const MP_UNREACH_NLRI: u8 = 15;

/// Where it finds our router, and the daemon.
pub(crate) const ROUTER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
pub(crate) const PEER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

/// The values of a route's attributes by type, without MP_REACH_NLRI and MP_UNREACH_NLRI.
pub(crate) type Attributes = BTreeMap<u8, Vec<u8>>;

/// What it has heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// What is announced to it now, by prefix.
    pub(crate) routes: BTreeMap<String, Attributes>,
    keepalives: usize,
    has_ended: bool,
}

pub(crate) struct Witness {
    asn: u32,
    address: Ipv4Addr,
    stream: TcpStream,
    heard: Arc<Mutex<Heard>>,
}

impl Witness {
    /// Joins our router from 198.51.100.`last`, as AS 196700 + `last`, for both families and with long messages (RFC 8654).
    pub(crate) fn join(last: u8) -> Self {
        Self::join_at(ROUTER, last)
    }

    /// Joins a router.
    pub(crate) fn join_at(router: Ipv4Addr, last: u8) -> Self {
        Self::join_as(router, last, 196_700 + u32::from(last))
    }

    /// Joins a router as one of our router's own AS.
    pub(crate) fn join_internal(router: Ipv4Addr, last: u8) -> Self {
        Self::join_as(router, last, OURS)
    }

    fn join_as(router: Ipv4Addr, last: u8, asn: u32) -> Self {
        let address = Ipv4Addr::new(198, 51, 100, last);
        let mut stream = None;
        wait_until("the router listens", || {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            socket.bind(&SocketAddr::from((address, 0)).into()).expect("the address is ours");
            let connected = socket.connect(&SocketAddr::from((router, 179)).into());
            stream = connected.ok().map(|()| TcpStream::from(socket));
            stream.is_some()
        });
        let mut stream = stream.expect("it is connected");
        let capabilities =
            [&[1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1, 6, 0, 65, 4][..], &asn.to_be_bytes()].concat();
        let length = capabilities.len() as u8;
        // Version 4, AS_TRANS, no hold time, an identifier, and one parameter of capabilities.
        let fixed = [4, 0x5b, 0xa0, 0, 0, 198, 51, 100, last, length + 2, 2, length];
        stream.write_all(&message(OPEN, &[&fixed[..], &capabilities].concat())).expect("it takes an OPEN");
        stream.write_all(&message(KEEPALIVE, &[])).expect("it takes a KEEPALIVE");
        let heard = Arc::<Mutex<Heard>>::default();
        let (input, noted) = (stream.try_clone().expect("another handle"), Arc::clone(&heard));
        thread::spawn(move || listen(input, &noted));
        let witness = Witness { asn, address, stream, heard };
        wait_until("the router takes the witness", || witness.heard().keepalives > 0);
        witness
    }

    /// What it has heard so far.
    pub(crate) fn heard(&self) -> MutexGuard<'_, Heard> {
        let heard = self.heard.lock().expect("nobody fails with it");
        assert!(!heard.has_ended, "the router has ended the witness' session");
        heard
    }

    /// What it was told of a prefix, once it was.
    pub(crate) fn told_of(&self, prefix: &str) -> Attributes {
        wait_until(&format!("the witness hears of {prefix}"), || self.heard().routes.contains_key(prefix));
        self.heard().routes.get(prefix).cloned().unwrap_or_default()
    }

    /// Announces a prefix of either family over these ASes, behind its own where that is not our router's, with more attributes: flags, type, value.
    pub(crate) fn announce(&mut self, prefix: &str, path: &[u32], more: &[(u8, u8, Vec<u8>)]) {
        let own = Some(self.asn).filter(|asn| *asn != OURS);
        let asns: Vec<u8> = own.iter().chain(path).flat_map(|asn| asn.to_be_bytes()).collect();
        let segment = [&[2, (asns.len() / 4) as u8][..], &asns].concat();
        let path = if asns.is_empty() { Vec::new() } else { segment };
        let mut attributes = [attribute(0x40, ORIGIN, &[0]), attribute(0x40, AS_PATH, &path)].concat();
        let mut nlri = wire(prefix);
        if prefix.contains(':') {
            let last = u16::from(self.address.octets()[3]);
            let next_hop = Ipv6Addr::new(0x2001, 0xdb8, 0xff, 0, 0, 0, 0, last).octets();
            let reach = [&[0, 2, 1, 16][..], &next_hop, &[0], &nlri].concat();
            attributes.extend(attribute(0x80, MP_REACH_NLRI, &reach));
            nlri.clear();
        } else {
            attributes.extend(attribute(0x40, NEXT_HOP, &self.address.octets()));
        }
        more.iter().for_each(|(flags, kind, value)| attributes.extend(attribute(*flags, *kind, value)));
        let length = (attributes.len() as u16).to_be_bytes();
        let body = [&[0, 0][..], &length, &attributes, &nlri].concat();
        self.stream.write_all(&message(UPDATE, &body)).expect("it takes an UPDATE");
    }

    /// Withdraws a prefix of either family.
    pub(crate) fn withdraw(&mut self, prefix: &str) {
        let nlri = wire(prefix);
        let body = if prefix.contains(':') {
            let unreach = attribute(0x80, MP_UNREACH_NLRI, &[&[0, 2, 1][..], &nlri].concat());
            [&[0, 0][..], &(unreach.len() as u16).to_be_bytes(), &unreach].concat()
        } else {
            [&(nlri.len() as u16).to_be_bytes()[..], &nlri, &[0, 0]].concat()
        };
        self.stream.write_all(&message(UPDATE, &body)).expect("it takes an UPDATE");
    }
}

/// Four octets each.
pub(crate) fn octets(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn attribute(flags: u8, kind: u8, value: &[u8]) -> Vec<u8> {
    let length = (value.len() as u16).to_be_bytes();
    [&[flags | 0x10, kind][..], &length, value].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (19 + body.len() as u16).to_be_bytes();
    [&[0xff; 16][..], &length, &[kind], body].concat()
}

fn wire(prefix: &str) -> Vec<u8> {
    let prefix: ipnet::IpNet = prefix.parse().expect("a prefix");
    let address = match prefix.addr() {
        std::net::IpAddr::V4(address) => address.octets().to_vec(),
        std::net::IpAddr::V6(address) => address.octets().to_vec(),
    };
    let length = prefix.prefix_len();
    [&[length][..], &address[..usize::from(length.div_ceil(8))]].concat()
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
        match kind {
            UPDATE => update(&mut heard, &body),
            KEEPALIVE => heard.keepalives += 1,
            _ => {}
        }
    }
    noted.lock().expect("nobody fails with it").has_ended = true;
}

fn update(heard: &mut Heard, body: &[u8]) {
    let (withdrawn, rest) = field(body);
    let (all, announced) = field(rest);
    let mut attributes = attributes(all);
    // AFI, SAFI; and for what is reachable the next hop behind its length, and an octet of nothing.
    let unreachable = attributes.remove(&MP_UNREACH_NLRI).unwrap_or_default();
    let reachable = attributes.remove(&MP_REACH_NLRI).unwrap_or_default();
    let reachable = reachable.get(3).and_then(|hop| reachable.get(5 + usize::from(*hop)..));
    for prefix in
        prefixes::<4>(withdrawn).into_iter().chain(prefixes::<16>(unreachable.get(3..).unwrap_or_default()))
    {
        heard.routes.remove(&prefix);
    }
    let announced = prefixes::<4>(announced).into_iter().chain(prefixes::<16>(reachable.unwrap_or_default()));
    heard.routes.extend(announced.map(|prefix| (prefix, attributes.clone())));
}

/// What a length of two octets says, and what comes behind it.
fn field(octets: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = octets.split_at(2);
    rest.split_at(usize::from(u16::from_be_bytes([length[0], length[1]])))
}

fn prefixes<const OCTETS: usize>(mut octets: &[u8]) -> Vec<String> {
    let mut prefixes = Vec::new();
    while let Some((length, rest)) = octets.split_first() {
        let (some, rest) = rest.split_at(usize::from(length.div_ceil(8)));
        let mut address = [0; OCTETS];
        address[..some.len()].copy_from_slice(some);
        let address = match <[u8; 4]>::try_from(&address[..]) {
            Ok(four) => Ipv4Addr::from(four).to_string(),
            Err(_) => Ipv6Addr::from(<[u8; 16]>::try_from(&address[..]).expect("sixteen")).to_string(),
        };
        prefixes.push(format!("{address}/{length}"));
        octets = rest;
    }
    prefixes
}

fn attributes(mut octets: &[u8]) -> Attributes {
    let mut attributes = Attributes::new();
    while let [flags, kind, rest @ ..] = octets {
        let (length, rest) = match flags & 0x10 {
            0 => (usize::from(rest[0]), &rest[1..]),
            _ => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
        };
        let (value, rest) = rest.split_at(length);
        attributes.insert(*kind, value.to_vec());
        octets = rest;
    }
    attributes
}
