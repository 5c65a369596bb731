//! A neighbour of our router that is this program: it says what it is told to, octet by octet, and notes every octet that it
//! hears. It is written from the RFCs, shares nothing with the router, and never ends a session by itself: it has no hold time.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use socket2::{Domain, Socket, Type};

use crate::claims::OURS;
use crate::lab::wait_until;
use crate::support::wire::{self, AS_PATH, Attributes, KEEPALIVE, MP_REACH_NLRI, MP_UNREACH_NLRI};
use crate::support::wire::{NEXT_HOP, ORIGIN, UPDATE, Update, attribute, message};

/// Where it finds our router, and the daemon.
pub(crate) const ROUTER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
pub(crate) const PEER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

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
        let open = wire::open(asn, 0, address, &[1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1, 6, 0]);
        stream.write_all(&open).expect("it takes an OPEN");
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
        let asns: Vec<u32> = own.iter().chain(path).copied().collect();
        let mut attributes =
            [attribute(0x40, ORIGIN, &[0]), attribute(0x40, AS_PATH, &wire::path(&asns))].concat();
        let mut announced = vec![prefix];
        if prefix.contains(':') {
            let last = u16::from(self.address.octets()[3]);
            let next_hop = Ipv6Addr::new(0x2001, 0xdb8, 0xff, 0, 0, 0, 0, last).octets();
            let reach = [&[0, 2, 1, 16][..], &next_hop, &[0], &wire::nlri(prefix)].concat();
            attributes.extend(attribute(0x80, MP_REACH_NLRI, &reach));
            announced.clear();
        } else {
            attributes.extend(attribute(0x40, NEXT_HOP, &self.address.octets()));
        }
        more.iter().for_each(|(flags, kind, value)| attributes.extend(attribute(*flags, *kind, value)));
        let update = wire::update(&[], &attributes, &announced);
        self.stream.write_all(&update).expect("it takes an UPDATE");
    }

    /// Withdraws a prefix of either family.
    pub(crate) fn withdraw(&mut self, prefix: &str) {
        let update = if prefix.contains(':') {
            let unreach = [&[0, 2, 1][..], &wire::nlri(prefix)].concat();
            wire::update(&[], &attribute(0x80, MP_UNREACH_NLRI, &unreach), &[])
        } else {
            wire::update(&[prefix], &[], &[])
        };
        self.stream.write_all(&update).expect("it takes an UPDATE");
    }
}

fn listen(mut input: TcpStream, noted: &Mutex<Heard>) {
    while let Ok((kind, body)) = wire::next(&mut input) {
        let mut heard = noted.lock().expect("nobody fails with it");
        match kind {
            UPDATE => heard.update(Update::read(&body)),
            KEEPALIVE => heard.keepalives += 1,
            _ => {}
        }
    }
    noted.lock().expect("nobody fails with it").has_ended = true;
}

impl Heard {
    fn update(&mut self, update: Update) {
        update.withdrawn.iter().for_each(|prefix| drop(self.routes.remove(prefix)));
        let announced = update.announced.into_iter();
        self.routes.extend(announced.map(|prefix| (prefix, update.attributes.clone())));
    }
}
