//! The attributes of table entries, decoded once while they keep coming back.
//!
//! A table dump goes through prefixes in order, neighbouring prefixes often have one holder, and then each peer repeats the
//! attributes that it had a moment ago: two of three entries do. So the last few thousand are kept, found by their octets
//! and their peer, and whoever judges them can keep what it found under the same number ([`Recall`]).
//!
//! What is kept is compared octet by octet before it is used: the hash only says where to look.

use std::hash::BuildHasher;
use std::net::Ipv4Addr;

use palisade_bgp::attributes::{Facts, NextHop};
use palisade_bgp::update::{RibEntry, RibEntryForm};
use palisade_bgp::{Attributes, Decoder};

use super::peers::PeerId;

/// How many sets of attributes are kept: as many as a processor's second cache holds.
pub(crate) const SLOTS: usize = 4096;

/// Longer ones are decoded each time, so that no file can make us keep much.
const MAX_KEPT: usize = 1024;

/// Whether a peer's attributes were there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recall {
    /// They are not kept.
    Not,
    /// They are new, and kept under this number, below [`SLOTS`]. What had it before is gone.
    New(usize),
    /// They are those that were new when this number was given last, from the same peer.
    Again(usize),
}

/// The attributes kept.
pub(super) struct Recent {
    slots: Vec<Slot>,
    hasher: foldhash::fast::RandomState,
}

#[derive(Clone)]
struct Slot {
    /// `None` while it is empty.
    peer: Option<PeerId>,
    form: RibEntryForm,
    raw: Vec<u8>,
    wire: Vec<u8>,
    facts: Facts,
    next_hop: NextHop,
}

impl Recent {
    /// Attributes as they are kept, or as they are decoded now.
    #[inline]
    pub(super) fn entry<'a>(
        &'a mut self,
        decoder: &'a mut Decoder,
        peer: PeerId,
        raw: &'a [u8],
        form: RibEntryForm,
    ) -> (RibEntry<'a>, Recall) {
        let at = self.hasher.hash_one((peer, raw)) as usize % SLOTS;
        let slot = &mut self.slots[at];
        if slot.peer == Some(peer) && slot.form == form && slot.raw == raw {
            return (slot.entry(), Recall::Again(at));
        }
        let entry = decoder.rib_entry(raw, form);
        match entry.attributes {
            Some(attributes) if raw.len() <= MAX_KEPT && entry.faults.is_empty() => {
                slot.keep(peer, raw, form, &attributes);
                (entry, Recall::New(at))
            }
            _ => (entry, Recall::Not),
        }
    }
}

impl Slot {
    fn entry(&self) -> RibEntry<'_> {
        let attributes = Attributes { wire: &self.wire, facts: &self.facts, next_hop: self.next_hop };
        RibEntry { attributes: Some(attributes), faults: &[] }
    }

    fn keep(&mut self, peer: PeerId, raw: &[u8], form: RibEntryForm, attributes: &Attributes<'_>) {
        (self.peer, self.form) = (Some(peer), form);
        self.raw.clear();
        self.raw.extend_from_slice(raw);
        self.wire.clear();
        self.wire.extend_from_slice(attributes.wire);
        (self.facts, self.next_hop) = (*attributes.facts, attributes.next_hop);
    }
}

impl Default for Recent {
    fn default() -> Self {
        let empty = Slot {
            peer: None,
            form: RibEntryForm::TableDumpV2,
            raw: Vec::new(),
            wire: Vec::new(),
            facts: Facts::default(),
            next_hop: NextHop::V4(Ipv4Addr::UNSPECIFIED),
        };
        Recent { slots: vec![empty; SLOTS], hasher: foldhash::fast::RandomState::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mrt::PeerKey;
    use crate::mrt::peers::Peers;
    use palisade_bgp::Asn;

    const RAW: [u8; 20] = [0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, 0, 0, 0, 7, 0x40, 3, 4, 192, 0, 2, 1];

    #[test]
    fn the_same_octets_from_the_same_peer_are_known_again_and_no_others() {
        let mut peers = Peers::default();
        let mut peer = |n: u8| peers.id(PeerKey { address: [192, 0, 2, n].into(), asn: Asn(7) }).unwrap();
        let (one, other) = (peer(1), peer(2));
        let (mut recent, mut decoder) = (Recent::default(), Decoder::new());
        let mut ask = |peer, raw: &[u8]| {
            let (entry, recall) = recent.entry(&mut decoder, peer, raw, RibEntryForm::TableDumpV2);
            (entry.attributes.map(|attributes| attributes.as_path().to_string()), recall)
        };
        let (path, first) = ask(one, &RAW);
        let Recall::New(slot) = first else { panic!("{first:?}") };
        assert_eq!(ask(one, &RAW), (path.clone(), Recall::Again(slot)));
        assert!(matches!(ask(other, &RAW).1, Recall::New(_)));
        assert_eq!(path.as_deref(), Some("7"));
        assert_eq!(ask(one, &RAW[..10]), (None, Recall::Not), "what is damaged is not kept");
        let mut long = RAW.to_vec();
        long.extend([0xd0, 99, 4, 0]);
        long.resize(RAW.len() + 4 + 1024, 0);
        assert_eq!(ask(one, &long), (path, Recall::Not), "nor what is long");
    }
}
