//! Who may connect: peers by their address and link, and ranges of addresses that anybody may come from who says the right AS.
//!
//! ```text
//!   accepted --> a peer's address? --> guards up --> the peer's task
//!          `---> in a range? --> guards up --> introduction --> a newcomer, of whom the router makes a peer
//! ```

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tracing::debug;

use super::introductions::{ExpectedRange, Newcomer};
use super::passwords::Passwords;
use super::refusal::Refusal;
use super::status::PeerStatus;
use super::transport::{Transport, place_of};
use crate::config::{Config, Place};

/// Who connections are expected from.
#[derive(Debug)]
pub(crate) struct Expected {
    peers: RwLock<BTreeMap<Place, Arc<ExpectedPeer>>>,
    /// The longest first.
    ranges: RwLock<Vec<Arc<ExpectedRange>>>,
    newcomers: mpsc::Sender<Newcomer>,
    /// Connections from addresses of nobody.
    strangers: AtomicU64,
}

/// A peer that may connect.
#[derive(Debug)]
pub(super) struct ExpectedPeer {
    pub(super) transport: Transport,
    pub(super) status: Arc<PeerStatus>,
    /// Where its connections are handed.
    pub(super) task: mpsc::Sender<TcpStream>,
}

impl Expected {
    /// Nobody yet. Who comes from a range goes to `newcomers`.
    pub(super) fn new(newcomers: mpsc::Sender<Newcomer>) -> Self {
        Expected {
            peers: RwLock::default(),
            ranges: RwLock::default(),
            newcomers,
            strangers: AtomicU64::default(),
        }
    }

    /// Has connections from a peer's address handed to its task from now on.
    pub(super) fn insert(&self, peer: ExpectedPeer) {
        let place = peer.transport.place();
        self.peers.write().unwrap_or_else(PoisonError::into_inner).insert(place, Arc::new(peer));
    }

    /// Has those from a place closed from now on.
    pub(super) fn remove(&self, place: &Place) {
        self.peers.write().unwrap_or_else(PoisonError::into_inner).remove(place);
    }

    /// Has the ranges be those of a configuration.
    pub(super) fn set_ranges(&self, config: &Config, passwords: &Passwords) {
        let ranges = config.ranges.iter().filter_map(|range| ExpectedRange::new(range, passwords));
        let mut known = self.ranges.write().unwrap_or_else(PoisonError::into_inner);
        // One that stays as it was has those who introduce themselves; one of the same name goes on counting.
        let kept = |new: ExpectedRange| match known.iter().find(|old| old.name() == new.name()) {
            Some(old) if old.is_like(&new) => Arc::clone(old),
            Some(old) => Arc::new(new.counting_on(old)),
            None => Arc::new(new),
        };
        let mut ranges: Vec<_> = ranges.map(kept).collect();
        ranges.sort_by_key(|range| Reverse(range.prefix().len()));
        *known = ranges;
    }

    /// Notes how many guests each range has: it is named once for each.
    pub(super) fn count_guests<'n>(&self, ranges: impl Iterator<Item = &'n str> + Clone) {
        for range in self.ranges.read().unwrap_or_else(PoisonError::into_inner).iter() {
            range.set_guests(ranges.clone().filter(|name| *name == range.name()).count());
        }
    }

    /// Takes a connection that was accepted.
    pub(super) fn take(&self, stream: TcpStream, from: SocketAddr) {
        let place = place_of(from);
        let Some(peer) = self.peer(&place) else {
            match self.range(place.address) {
                Some(range) => range.introduce(stream, from, &self.newcomers),
                None => {
                    self.strangers.fetch_add(1, Ordering::Relaxed);
                    debug!(%from, "a connection was closed: no peer has this address");
                }
            }
            return;
        };
        match peer.transport.take(&stream) {
            Ok(()) => self.hand(&place, stream),
            Err(fault) => {
                debug!(%from, %fault, "a connection was closed: it is not as the peer's have to be");
                peer.status.refused.count(fault.refusal());
                peer.status.set_fault(format!("closed a connection: {fault}"));
            }
        }
    }

    /// Hands a guarded connection to the task of the peer that has this address.
    pub(super) fn hand(&self, from: &Place, stream: TcpStream) {
        let Some(peer) = self.peer(from) else { return };
        if peer.task.try_send(stream).is_err() {
            debug!(%from, "a connection was closed: the peer's task has others to deal with");
            peer.status.refused.count(Refusal::Busy);
        }
    }

    /// The ranges, the longest first.
    pub(crate) fn ranges(&self) -> Vec<Arc<ExpectedRange>> {
        self.ranges.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Connections that were closed because nobody has their address.
    pub(crate) fn strangers(&self) -> u64 {
        self.strangers.load(Ordering::Relaxed)
    }

    fn peer(&self, place: &Place) -> Option<Arc<ExpectedPeer>> {
        self.peers.read().unwrap_or_else(PoisonError::into_inner).get(place).cloned()
    }

    fn range(&self, address: IpAddr) -> Option<Arc<ExpectedRange>> {
        let ranges = self.ranges.read().unwrap_or_else(PoisonError::into_inner);
        ranges.iter().find(|range| range.prefix().contains(address)).cloned()
    }
}
