//! The peers that MRT files speak of, each with a small number of its own, so that what is kept a peer is an array.

use std::net::IpAddr;

use hashbrown::HashMap;
use palisade_bgp::Asn;

use super::damage::Fault;

/// The most peers that are kept apart; collectors have some hundreds.
pub(crate) const MAX_PEERS: usize = 1 << 16;

/// Who announced a route: its address and its AS. The same router has one for each address it peers over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PeerKey {
    /// The peer's address.
    pub(crate) address: IpAddr,
    /// The peer's AS.
    pub(crate) asn: Asn,
}

/// A peer's place in [`Peers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PeerId(u32);

impl PeerId {
    /// For arrays with an entry a peer.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// All peers seen, numbered in the order of their first appearance.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    ids: HashMap<PeerKey, PeerId, foldhash::fast::RandomState>,
    /// The one asked for last: the next record is often its too.
    last: Option<(PeerKey, PeerId)>,
}

impl Peers {
    /// The number of a peer, a new one where it has none.
    pub(super) fn id(&mut self, key: PeerKey) -> Result<PeerId, Fault> {
        if let Some((last, id)) = self.last
            && last == key
        {
            return Ok(id);
        }
        let id = match self.ids.get(&key) {
            Some(id) => *id,
            None => self.add(key)?,
        };
        self.last = Some((key, id));
        Ok(id)
    }

    #[cold]
    fn add(&mut self, key: PeerKey) -> Result<PeerId, Fault> {
        let id = u32::try_from(self.ids.len()).ok().filter(|id| (*id as usize) < MAX_PEERS);
        let id = PeerId(id.ok_or(Fault::TooManyPeers(key.address))?);
        self.ids.insert(key, id);
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u32) -> PeerKey {
        PeerKey { address: std::net::Ipv4Addr::from(n).into(), asn: Asn(n) }
    }

    #[test]
    fn a_peer_keeps_its_number_and_too_many_are_refused() {
        let mut peers = Peers::default();
        for n in 0..MAX_PEERS as u32 {
            assert_eq!(peers.id(key(n)).unwrap().index(), n as usize);
        }
        assert_eq!(peers.id(key(7)).unwrap().index(), 7);
        assert!(matches!(peers.id(key(1 << 20)), Err(Fault::TooManyPeers(_))));
        assert_eq!(peers.ids.len(), MAX_PEERS);
    }
}
