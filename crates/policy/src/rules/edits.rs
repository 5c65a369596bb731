//! What a rule changes in a route's attributes.
//!
//! Several rules can change one route. Each changes what the ones before it have left: of a value the last one's holds,
//! communities come and go in order, and prepended AS numbers add up.

use std::net::IpAddr;

use palisade_bgp::attributes::NextHop;
use palisade_bgp::{Attributes, Family};

use super::{AnyCommunity, CommunityPattern};
use crate::amendment::Changes;
use crate::peer::Peer;

/// The most times that our AS is put in front of a path, by all rules together: a path that long is preferred by nobody.
pub const MAX_PREPENDS: u8 = 20;

/// What is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// The degree of preference (RFC 4271 s9.1.1).
    pub local_preference: Option<u32>,
    /// MULTI_EXIT_DISC: `Some(None)` takes it off.
    pub med: Option<Option<u32>>,
    /// Where packets go, by [`Family::index`]: it takes the place of a next hop of its own family.
    pub next_hops: [Option<IpAddr>; 2],
    /// How many times our AS is put in front of the path.
    pub prepend: u8,
    /// Communities to take off.
    pub remove_communities: Vec<CommunityPattern>,
    /// Communities to add.
    pub add_communities: Vec<AnyCommunity>,
}

impl Edits {
    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        *self == Edits::default()
    }

    /// The keys, in the configuration, of what is changed.
    pub fn names(&self) -> Vec<&'static str> {
        let names = [
            ("local_preference", self.local_preference.is_some()),
            ("med", self.med.is_some()),
            ("next_hop", self.next_hops != [None; 2]),
            ("prepend", self.prepend > 0),
            ("remove_communities", !self.remove_communities.is_empty()),
            ("add_communities", !self.add_communities.is_empty()),
        ];
        names.into_iter().filter(|(_, is_changed)| *is_changed).map(|(name, _)| name).collect()
    }

    /// Adds these changes to those of the rules before, for a peer's attributes as they were received.
    pub(super) fn compose(&self, peer: &Peer, attributes: &Attributes<'_>, changes: &mut Changes) {
        changes.local_preference = self.local_preference.or(changes.local_preference);
        changes.med = self.med.or(changes.med);
        changes.next_hop = self.next_hop(attributes.next_hop).or(changes.next_hop);
        let before = changes.prepend.map_or(0, |(_, count)| count);
        let count = before.saturating_add(self.prepend).min(MAX_PREPENDS);
        changes.prepend = (count > 0).then_some((peer.local_asn, count));
        let Changes { remove_communities: off, add_communities: on, .. } = changes;
        self.compose_kind(|| attributes.communities(), off, on, AnyCommunity::standard);
        let Changes { remove_extended_communities: off, add_extended_communities: on, .. } = changes;
        self.compose_kind(|| attributes.extended_communities(), off, on, AnyCommunity::extended);
        let Changes { remove_large_communities: off, add_large_communities: on, .. } = changes;
        self.compose_kind(|| attributes.large_communities(), off, on, AnyCommunity::large);
    }

    fn next_hop(&self, received: NextHop) -> Option<IpAddr> {
        self.next_hops[Family::of(received.address()).index()]
    }

    /// The communities of one kind: those that were received, less `off`, and `on`.
    fn compose_kind<T, I>(
        &self,
        received: impl Fn() -> I,
        off: &mut Vec<T>,
        on: &mut Vec<T>,
        of_kind: fn(AnyCommunity) -> Option<T>,
    ) where
        T: Copy + Ord + Into<AnyCommunity>,
        I: Iterator<Item = T>,
    {
        let removes = |one: &T| self.remove_communities.iter().any(|pattern| pattern.removes((*one).into()));
        on.retain(|one| !removes(one));
        off.extend(received().filter(|one| removes(one)));
        off.sort_unstable();
        off.dedup();
        for one in self.add_communities.iter().copied().filter_map(of_kind) {
            let is_there = off.binary_search(&one).is_err() && received().any(|other| other == one);
            if !is_there && !on.contains(&one) {
                on.push(one);
            }
        }
    }
}
