//! Which peer of the archives is judged how.
//!
//! With a configuration, a peer is the one that has its address there; else the one that has its AS, because a collector
//! sees a network from other addresses than we do. All others are judged as a network that gives its full table: as a
//! provider would be, except for what can't be asked of an archive.

use std::net::IpAddr;

use hashbrown::HashMap;
use palisade_bgp::Asn;
use palisade_policy::{Mode, Peer, Reason, Role, Snapshot};

use crate::config::Config;
use crate::judging;
use crate::mrt::{PeerKey, Source};

/// How a peer was found in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    /// By its address.
    Address,
    /// By its AS alone.
    Asn,
    /// Not at all.
    None,
}

/// A peer of the archives.
pub(crate) struct Judged {
    /// What the judge is told of it.
    pub(crate) policy: Peer,
    /// How it was found.
    pub(crate) found: Match,
    /// Its place in the configuration, where it was.
    pub(crate) at: Option<usize>,
}

/// All peers of the archives.
pub(crate) struct Roster {
    configured: Vec<Peer>,
    by_address: HashMap<IpAddr, usize>,
    by_asn: HashMap<Asn, usize>,
    /// What we are, where a configuration says so.
    local_asn: Option<Asn>,
    /// Whether there are route objects to ask for.
    has_irr: bool,
    /// Those met so far.
    judged: Vec<Judged>,
    /// The place in `judged` of each peer number.
    places: Vec<Option<u32>>,
}

impl Roster {
    /// The peers of a configuration; none of these without one.
    pub(crate) fn new(config: Option<&Config>, tables: &Snapshot) -> Self {
        let peers = config.map(|config| config.peers.iter().map(|peer| judging::peer(config, peer, tables)));
        let configured: Vec<Peer> = peers.into_iter().flatten().collect();
        let mut by_asn = HashMap::new();
        for (at, peer) in configured.iter().enumerate() {
            by_asn.entry(peer.asn).or_insert(at);
        }
        Roster {
            by_address: configured.iter().enumerate().map(|(at, peer)| (peer.address, at)).collect(),
            by_asn,
            configured,
            local_asn: config.map(|config| config.router.asn),
            has_irr: !tables.irr.is_empty(),
            judged: Vec::new(),
            places: Vec::new(),
        }
    }

    /// The peer that a route is from.
    #[inline]
    pub(crate) fn of(&mut self, from: Source) -> &Peer {
        let place = self.place(from);
        &self.judged[place].policy
    }

    /// Where among those met the peer is that a route is from.
    #[inline]
    pub(crate) fn place(&mut self, from: Source) -> usize {
        match self.places.get(from.peer.index()).copied().flatten() {
            Some(place) => place as usize,
            None => self.meet(from),
        }
    }

    /// The peer that was met at a place.
    #[inline]
    pub(crate) fn judged(&self, place: usize) -> &Judged {
        &self.judged[place]
    }

    /// The peer at a place in the configuration.
    pub(crate) fn policy(&self, at: usize) -> &Peer {
        &self.configured[at]
    }

    /// The peers met so far.
    pub(crate) fn met(&self) -> &[Judged] {
        &self.judged
    }

    #[cold]
    fn meet(&mut self, from: Source) -> usize {
        let (at, place) = (from.peer.index(), self.judged.len());
        if self.places.len() <= at {
            self.places.resize(at + 1, None);
        }
        self.places[at] = u32::try_from(place).ok();
        self.judged.push(self.judge(from.key));
        place
    }

    fn judge(&self, key: PeerKey) -> Judged {
        let by_address = self.by_address.get(&key.address).map(|at| (*at, Match::Address));
        let found = by_address.or_else(|| self.by_asn.get(&key.asn).map(|at| (*at, Match::Asn)));
        match found {
            // The session in the archive is the one that the next hops are to be held against.
            Some((at, found)) => {
                let policy = Peer { address: key.address, ..self.configured[at].clone() };
                Judged { policy, found, at: Some(at) }
            }
            None => Judged { policy: self.stranger(key), found: Match::None, at: None },
        }
    }

    /// A network that gives its full table. A collector's sessions span many hops, so the next hop need not be the peer;
    /// whether a path holds our own AS can't be asked where we don't know it; and with route objects at hand, each
    /// route must have one, whoever its origin is.
    fn stranger(&self, key: PeerKey) -> Peer {
        let local_asn = self.local_asn.unwrap_or(Asn(0));
        let mut peer = Peer::new(key.asn, local_asn, Some(Role::Provider), key.address);
        let mut modes = vec![(Reason::NextHopForeign, Mode::Off)];
        if self.local_asn.is_none() {
            modes.push((Reason::AsLoop, Mode::Off));
        }
        if self.has_irr {
            modes.push((Reason::IrrPrefixNotRegistered, Mode::Enforce));
        }
        for (reason, mode) in modes {
            // Only `no-policy` refuses to be set.
            let _ = peer.checks.set(reason, mode);
        }
        peer
    }
}
