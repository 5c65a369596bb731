//! Who comes from a range says who it is, before there is a peer for it.
//!
//! A newcomer has nothing but its connection until it has sent a sound OPEN of an AS that the range is for: no task, no number, no
//! place in the table. The OPEN is looked at and left where it is, for the session that is to be.
//!
//! What comes from addresses that nobody has written down is bounded: so many introductions of a range at a time, one of an
//! address, each for a few seconds, and so many guests. Whoever comes on top of that is closed at once, counted, and told of once a
//! minute.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use palisade_bgp::message::{HEADER_LEN, MAX_LEN, MessageKind, frame};
use palisade_bgp::notification::{Notification, Violation};
use palisade_bgp::open::Open;
use palisade_bgp::{Asn, Prefix};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::passwords::Passwords;
use super::transport::Transport;
use crate::config::PeerRange;

/// Introductions of one range at a time.
const MOST_INTRODUCTIONS: usize = 64;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait for the rest of an OPEN that has come in part.
const REST: Duration = Duration::from_millis(50);
/// How often it is told that connections are closed.
const MINUTE: Duration = Duration::from_secs(60);

/// Somebody who would be a guest.
#[derive(Debug)]
pub(crate) struct Newcomer {
    pub(crate) address: IpAddr,
    pub(crate) asn: Asn,
    /// Its connection, guarded, with its OPEN unread.
    pub(crate) connection: TcpStream,
}

/// A range that newcomers may come from.
#[derive(Debug)]
pub(super) struct ExpectedRange {
    name: String,
    prefix: Prefix,
    asns: BTreeSet<Asn>,
    max_peers: usize,
    transport: Transport,
    guests: AtomicUsize,
    /// The addresses of those that introduce themselves.
    introducing: Mutex<HashSet<IpAddr>>,
    closed: Mutex<Closed>,
}

/// Connections that were closed, and not told of.
#[derive(Debug, Default)]
struct Closed {
    count: u64,
    told: Option<Instant>,
}

impl ExpectedRange {
    pub(super) fn new(range: &PeerRange, passwords: &Passwords) -> Option<Self> {
        Some(ExpectedRange {
            name: range.name.clone(),
            prefix: range.prefix,
            asns: range.asns().collect(),
            max_peers: range.max_peers,
            transport: Transport::new(range.alike().next()?, passwords),
            guests: AtomicUsize::new(0),
            introducing: Mutex::default(),
            closed: Mutex::default(),
        })
    }

    /// Whether another takes whom this one takes.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (&self.name, self.prefix, self.max_peers) == (&other.name, other.prefix, other.max_peers)
            && (&self.asns, &self.transport) == (&other.asns, &other.transport)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn prefix(&self) -> Prefix {
        self.prefix
    }

    pub(super) fn set_guests(&self, guests: usize) {
        self.guests.store(guests, Ordering::Relaxed);
    }

    /// Has whoever connected introduce itself, and be a newcomer then.
    pub(super) fn introduce(
        self: &Arc<Self>,
        stream: TcpStream,
        from: SocketAddr,
        to: &mpsc::Sender<Newcomer>,
    ) {
        let address = from.ip().to_canonical();
        if let Err(why) = self.begin(address) {
            return self.close(from, why);
        }
        let (range, to) = (Arc::clone(self), to.clone());
        tokio::spawn(async move {
            let met = tokio::time::timeout(PATIENCE, range.meet(stream, from)).await;
            let met = met.unwrap_or_else(|_| Err("it does not say who it is".into()));
            let taken =
                met.and_then(|newcomer| to.try_send(newcomer).map_err(|_| "others are waiting".into()));
            if let Err(why) = taken {
                range.close(from, &why);
            }
            range.introducing().remove(&address);
        });
    }

    fn begin(&self, address: IpAddr) -> Result<(), &'static str> {
        let mut introducing = self.introducing();
        let guests = self.guests.load(Ordering::Relaxed);
        if introducing.contains(&address) {
            Err("it is about to introduce itself already")
        } else if guests >= self.max_peers {
            Err("the range has as many peers as it may have (`max_peers`)")
        } else if introducing.len() >= MOST_INTRODUCTIONS {
            Err("too many introduce themselves")
        } else {
            introducing.insert(address);
            Ok(())
        }
    }

    fn introducing(&self) -> std::sync::MutexGuard<'_, HashSet<IpAddr>> {
        self.introducing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn meet(&self, connection: TcpStream, from: SocketAddr) -> Result<Newcomer, String> {
        let transport = Transport { remote: from, ..self.transport.clone() };
        transport.take(&connection).map_err(|fault| fault.to_string())?;
        let asn = match said(&connection).await.map_err(|fault| fault.to_string())? {
            Ok(asn) if self.asns.contains(&asn) => Ok(asn),
            Ok(asn) => Err((Violation::PeerAs.into(), format!("it says that it is {asn}"))),
            Err(notification) => Err((notification, "it does not begin with a sound OPEN".to_owned())),
        };
        match asn {
            Ok(asn) => Ok(Newcomer { address: from.ip().to_canonical(), asn, connection }),
            Err((notification, why)) => {
                // A socket that nothing was written to takes it.
                let _ = connection.try_write(&notification.encode());
                Err(why)
            }
        }
    }

    /// Tells of a connection that is closed, or counts it where one was told of lately.
    fn close(&self, from: SocketAddr, why: &str) {
        debug!(range = self.name, %from, why, "a connection was closed");
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.count += 1;
        if closed.told.is_none_or(|told| told.elapsed() >= MINUTE) {
            warn!(range = self.name, %from, why, closed = closed.count, "connections from a range were closed");
            *closed = Closed { count: 0, told: Some(Instant::now()) };
        }
    }
}

/// The AS of the OPEN that a connection begins with, which is left there; or what its sender is to be told instead.
async fn said(connection: &TcpStream) -> io::Result<Result<Asn, Notification>> {
    let mut octets = vec![0; MAX_LEN];
    loop {
        let count = connection.peek(&mut octets).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let octets = octets.get(..count).unwrap_or_default();
        match frame(octets, MAX_LEN) {
            Ok(Some((MessageKind::Open, length))) => {
                let body = octets.get(HEADER_LEN..length).unwrap_or_default();
                return Ok(Open::decode(body).map(|open| open.asn));
            }
            Ok(Some(_)) => return Err(io::ErrorKind::InvalidData.into()),
            Err(notification) => return Ok(Err(notification)),
            Ok(None) => tokio::time::sleep(REST).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::path::Path;

    use super::*;
    use crate::config::{Config, Source};

    fn range() -> ExpectedRange {
        let text = "[router]\nasn = 196608\nid = \"192.0.2.1\"\n\
            [[range]]\nname = \"r\"\nprefix = \"198.18.0.0/15\"\nasns = [64501]\nmax_peers = 2\n";
        let config = Config::parse(Source::new("test".into(), text.into()), Path::new("")).unwrap();
        ExpectedRange::new(&config.ranges[0], &Passwords::default()).unwrap()
    }

    #[test]
    fn so_many_introduce_themselves_at_a_time_and_one_of_an_address() {
        let range = range();
        let address = |last: usize| IpAddr::from(Ipv4Addr::from(0xc612_0000 + u32::try_from(last).unwrap()));
        assert!((0..MOST_INTRODUCTIONS).all(|last| range.begin(address(last)).is_ok()));
        assert!(range.begin(address(MOST_INTRODUCTIONS)).is_err());
        range.introducing().remove(&address(0));
        assert!(range.begin(address(1)).is_err(), "it does so already");
        assert!(range.begin(address(0)).is_ok());
    }

    #[test]
    fn a_full_range_takes_nobody() {
        let range = range();
        let address = IpAddr::from([198, 18, 0, 1]);
        range.set_guests(2);
        assert!(range.begin(address).is_err() && range.introducing().is_empty());
        range.set_guests(1);
        assert!(range.begin(address).is_ok());
    }
}
