//! The peers that a router has now, for whoever looks at it: a list that is replaced whole when peers come or go.

use std::sync::Arc;

use palisade_bgp::Asn;
use palisade_policy::Role;
use palisade_rib::PeerIndex;
use tokio::sync::watch;

use super::status::PeerStatus;
use super::transport::Transport;
use crate::config::Place;
use crate::judging::PeerPolicy;

/// A peer of a running router.
#[derive(Clone, Debug)]
pub(crate) struct RunningPeer {
    pub(crate) index: PeerIndex,
    pub(crate) name: String,
    /// The range that it is a guest of.
    pub(crate) range: Option<String>,
    pub(crate) address: Place,
    /// How its connections are made and guarded.
    pub(crate) transport: Transport,
    pub(crate) asn: Asn,
    pub(crate) role: Option<Role>,
    pub(crate) status: Arc<PeerStatus>,
    pub(super) policy: watch::Receiver<Arc<PeerPolicy>>,
}

impl RunningPeer {
    /// What it may do now.
    pub(crate) fn policy(&self) -> Arc<PeerPolicy> {
        Arc::clone(&self.policy.borrow())
    }
}

/// All peers, in the order of the configuration, and then guests.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    peers: Vec<RunningPeer>,
    /// Where in `peers` the peer of a number is.
    places: Vec<Option<usize>>,
}

impl Roster {
    pub(super) fn new(peers: Vec<RunningPeer>) -> Self {
        let most = peers.iter().map(|peer| peer.index.index() + 1).max().unwrap_or_default();
        let mut places = vec![None; most];
        for (at, peer) in peers.iter().enumerate() {
            places[peer.index.index()] = Some(at);
        }
        Roster { peers, places }
    }

    /// The peers, in the order of the configuration.
    pub(crate) fn peers(&self) -> &[RunningPeer] {
        &self.peers
    }

    /// The peer of that number; `None` for the router itself, and for one that is no longer configured.
    pub(crate) fn peer(&self, index: PeerIndex) -> Option<&RunningPeer> {
        self.peers.get(self.places.get(index.index()).copied().flatten()?)
    }

    /// The peer of that name.
    pub(crate) fn named(&self, name: &str) -> Option<&RunningPeer> {
        self.peers.iter().find(|peer| peer.name == name)
    }
}
