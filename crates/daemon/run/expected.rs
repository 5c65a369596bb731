//! Who may connect: peers by their address and link, and ranges of addresses that anybody may come from who says the right AS.
//!
//! ```text
//!   accepted --> a peer's address? --> guards up --> the peer's task
//!          `---> in a range? --> guards up --> introduction --> a newcomer, of whom the router makes a peer
//! ```

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tracing::debug;

use super::introductions::{ExpectedRange, Newcomer};
use super::passwords::Passwords;
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
        Expected { peers: RwLock::default(), ranges: RwLock::default(), newcomers }
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
        // One that stays as it was goes on counting.
        let kept =
            |new: ExpectedRange| known.iter().find(|old| old.is_like(&new)).cloned().unwrap_or(Arc::new(new));
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
                None => debug!(%from, "a connection was closed: no peer has this address"),
            }
            return;
        };
        match peer.transport.take(&stream) {
            Ok(()) => self.hand(&place, stream),
            Err(fault) => {
                debug!(%from, %fault, "a connection was closed: it is not as the peer's have to be");
                peer.status.set_fault(format!("closed a connection: {fault}"));
            }
        }
    }

    /// Hands a guarded connection to the task of the peer that has this address.
    pub(super) fn hand(&self, from: &Place, stream: TcpStream) {
        let handed = self.peer(from).is_some_and(|peer| peer.task.try_send(stream).is_ok());
        if !handed {
            debug!(%from, "a connection was closed: the peer's task has others to deal with");
        }
    }

    fn peer(&self, place: &Place) -> Option<Arc<ExpectedPeer>> {
        self.peers.read().unwrap_or_else(PoisonError::into_inner).get(place).cloned()
    }

    fn range(&self, address: IpAddr) -> Option<Arc<ExpectedRange>> {
        let ranges = self.ranges.read().unwrap_or_else(PoisonError::into_inner);
        ranges.iter().find(|range| range.prefix().contains(address)).cloned()
    }
}
