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
use super::refusal::{Refusal, Refused};
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
    refused: Arc<Refused>,
}

impl Newcomer {
    /// Counts it as one who is no guest after all.
    pub(super) fn refuse(self, why: Refusal) {
        self.refused.count(why);
    }
}

/// A range that newcomers may come from.
#[derive(Debug)]
pub(crate) struct ExpectedRange {
    name: String,
    prefix: Prefix,
    asns: BTreeSet<Asn>,
    max_peers: usize,
    transport: Transport,
    guests: AtomicUsize,
    /// The addresses of those that introduce themselves.
    introducing: Mutex<HashSet<IpAddr>>,
    closed: Mutex<Closed>,
    /// Connections that were closed before there was a peer.
    refused: Arc<Refused>,
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
            refused: Arc::default(),
        })
    }

    /// The same, which counts where an earlier one of its name has left off.
    pub(super) fn counting_on(self, earlier: &Self) -> Self {
        ExpectedRange { refused: Arc::clone(&earlier.refused), ..self }
    }

    /// Whether another takes whom this one takes.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (&self.name, self.prefix, self.max_peers) == (&other.name, other.prefix, other.max_peers)
            && (&self.asns, &self.transport) == (&other.asns, &other.transport)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn prefix(&self) -> Prefix {
        self.prefix
    }

    pub(super) fn set_guests(&self, guests: usize) {
        self.guests.store(guests, Ordering::Relaxed);
    }

    /// How many peers have come from it, and are not forgotten yet.
    pub(crate) fn guests(&self) -> usize {
        self.guests.load(Ordering::Relaxed)
    }

    /// How many there may be.
    pub(crate) fn max_peers(&self) -> usize {
        self.max_peers
    }

    /// Connections that were closed before there was a peer.
    pub(crate) fn refused(&self) -> &Refused {
        &self.refused
    }

    /// Has whoever connected introduce itself, and be a newcomer then.
    pub(super) fn introduce(
        self: &Arc<Self>,
        stream: TcpStream,
        from: SocketAddr,
        to: &mpsc::Sender<Newcomer>,
    ) {
        let address = from.ip().to_canonical();
        if let Err((refusal, why)) = self.begin(address) {
            return self.close(from, refusal, why);
        }
        let (range, to) = (Arc::clone(self), to.clone());
        tokio::spawn(async move {
            let met = tokio::time::timeout(PATIENCE, range.meet(stream, from)).await;
            let met = met.unwrap_or_else(|_| Err((Refusal::Timeout, "it does not say who it is".into())));
            let taken = met.and_then(|newcomer| {
                to.try_send(newcomer).map_err(|_| (Refusal::Busy, "others are waiting".into()))
            });
            if let Err((refusal, why)) = taken {
                range.close(from, refusal, &why);
            }
            range.introducing().remove(&address);
        });
    }

    fn begin(&self, address: IpAddr) -> Result<(), (Refusal, &'static str)> {
        let mut introducing = self.introducing();
        let guests = self.guests.load(Ordering::Relaxed);
        if introducing.contains(&address) {
            Err((Refusal::SameAddress, "it is about to introduce itself already"))
        } else if guests >= self.max_peers {
            Err((Refusal::MaxPeers, "the range has as many peers as it may have (`max_peers`)"))
        } else if introducing.len() >= MOST_INTRODUCTIONS {
            Err((Refusal::Newcomers, "too many introduce themselves"))
        } else {
            introducing.insert(address);
            Ok(())
        }
    }

    fn introducing(&self) -> std::sync::MutexGuard<'_, HashSet<IpAddr>> {
        self.introducing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn meet(&self, connection: TcpStream, from: SocketAddr) -> Result<Newcomer, (Refusal, String)> {
        let transport = Transport { remote: from, ..self.transport.clone() };
        transport.take(&connection).map_err(|fault| (fault.refusal(), fault.to_string()))?;
        let said = said(&connection).await.map_err(|fault| (Refusal::Closed, fault.to_string()))?;
        let (notification, refusal, why) = match said {
            Ok(asn) if self.asns.contains(&asn) => {
                let (address, refused) = (from.ip().to_canonical(), Arc::clone(&self.refused));
                return Ok(Newcomer { address, asn, connection, refused });
            }
            Ok(asn) => (Violation::PeerAs.into(), Refusal::Asn, format!("it says that it is {asn}")),
            Err(notification) => {
                (notification, Refusal::Open, "it does not begin with a sound OPEN".to_owned())
            }
        };
        // A socket that nothing was written to takes it.
        let _ = connection.try_write(&notification.encode());
        Err((refusal, why))
    }

    /// Counts a connection that is closed, and tells of it where none was told of lately.
    fn close(&self, from: SocketAddr, refusal: Refusal, why: &str) {
        self.refused.count(refusal);
        debug!(range = self.name, %from, why, "a connection was closed");
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.count += 1;
        if closed.told.is_none_or(|told| told.elapsed() >= MINUTE) {
            warn!(range = self.name, %from, why, closed = closed.count, "connections from a range were closed");
            *closed = Closed { count: 0, told: Some(Instant::now()) };
        }
    }
}

/// The AS of the OPEN that a connection begins with, which is left there; or what its sender is to be told instead. It is an error
/// where the connection ends.
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
            // It is not to be answered (RFC 4271 s6.4).
            Ok(Some((MessageKind::Notification, _))) => return Err(io::ErrorKind::ConnectionAborted.into()),
            // RFC 6608 s4: unexpected where an OPEN is awaited.
            Ok(Some((kind, _))) => return Ok(Err(Violation::Unexpected(1, kind).into())),
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
