//! Paths, as far as most tests look at them.

use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_bgp::Asn;
use palisade_bgp::attributes::{Attributes, Facts, NextHop, Span};
use palisade_policy::{PathVerdict, Reason};
use palisade_rib::{AttributeSet, PeerIndex, Stamp};

use super::peers::{OURS, address};
use super::wires::Heard;

/// What is said of a path, in any direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) as_path: Vec<u32>,
    pub(crate) communities: BTreeSet<u32>,
}

impl Said {
    pub(crate) fn path(as_path: impl Into<Vec<u32>>) -> Self {
        Said { as_path: as_path.into(), communities: BTreeSet::new() }
    }

    /// As a session's intake would make it of a peer's UPDATE, with the peer itself as the next hop. A path with our AS is a loop, and rejected.
    pub(crate) fn attributes(&self, from: PeerIndex) -> Arc<AttributeSet> {
        let as_path = Span { start: 7, len: (2 + self.as_path.len() * 4) as u16 };
        let mut wire = vec![0x40, 1, 1, 0, 0x40, 2, as_path.len as u8, 2, self.as_path.len() as u8];
        self.as_path.iter().for_each(|asn| wire.extend(asn.to_be_bytes()));
        let mut communities = Span::default();
        if !self.communities.is_empty() {
            wire.extend([0xc0, 8, (self.communities.len() * 4) as u8]);
            communities = Span { start: wire.len() as u16, len: (self.communities.len() * 4) as u16 };
            self.communities.iter().for_each(|community| wire.extend(community.to_be_bytes()));
        }
        let facts = Facts {
            as_path,
            path_length: self.as_path.len() as u16,
            neighbor_as: self.as_path.first().copied().map(Asn),
            origin_as: self.as_path.last().copied().map(Asn),
            communities,
            ..Facts::default()
        };
        let attributes = Attributes { wire: &wire, facts: &facts, next_hop: NextHop::V4(address(from)) };
        let looped = self.as_path.contains(&OURS).then_some(Reason::AsLoop);
        let verdict = PathVerdict { reason: looped, ..PathVerdict::default() };
        Arc::new(AttributeSet::new(&attributes, verdict, Stamp::default(), None))
    }
}

impl Heard for Said {
    fn of(attributes: &Attributes<'_>) -> Self {
        Said {
            as_path: attributes.as_path().asns().map(|asn| asn.0).collect(),
            communities: attributes.communities().map(|community| community.0).collect(),
        }
    }
}
