//! What import makes of a path's attributes.
//!
//! A verdict names it in one small value, an [`Amendment`]; what that comes to for a set of attributes are [`Changes`].
//! Most paths have none, and keep the attributes that were received. Where there are some, the table holds the path with
//! a second set of attributes made of the first, and judges by the first.
//!
//! Communities in our own namespace say what we found out about a route, and what is to be done with it here. A
//! neighbor that could set them would speak in our name: so they are **scrubbed** from what external peers announce (RFC 7454
//! s11), before any rule sets its own. A customer's are left: it may ask for things with them. Well-known communities
//! (65535:*) are in nobody's namespace.

use std::net::IpAddr;

use palisade_bgp::attributes::{Community, ExtendedCommunity, LargeCommunity};
use palisade_bgp::{Asn, Attributes};

use crate::peer::Peer;
use crate::rules::RuleSet;
use crate::snapshot::Snapshot;

/// What is to be changed in a path's attributes, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Amendment(u64);

impl Amendment {
    /// Nothing.
    pub const NONE: Amendment = Amendment(0);

    const SCRUB: u64 = 1 << 63;

    /// What these rules change, and whether communities in our own namespace are taken off.
    #[inline]
    pub const fn new(rules: RuleSet, scrub: bool) -> Self {
        Amendment(rules.bits() | if scrub { Self::SCRUB } else { 0 })
    }

    /// The rules that hold and change something.
    #[inline]
    pub const fn rules(self) -> RuleSet {
        RuleSet::from_bits(self.0)
    }

    /// Whether communities in our own namespace, which this peer may not set, are taken off.
    #[inline]
    pub const fn scrub(self) -> bool {
        self.0 & Self::SCRUB != 0
    }

    /// Whether nothing is changed.
    #[inline]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// What an [`Amendment`] changes in one set of attributes. Removals come before additions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The degree of preference (RFC 4271 s9.1.1), instead of the peer's.
    pub local_preference: Option<u32>,
    /// MULTI_EXIT_DISC: `Some(None)` takes it off.
    pub med: Option<Option<u32>>,
    /// Where packets go instead.
    pub next_hop: Option<IpAddr>,
    /// An AS to put in front of the path, and how many times.
    pub prepend: Option<(Asn, u8)>,
    /// Communities to take off: those that are there.
    pub remove_communities: Vec<Community>,
    /// Extended communities to take off.
    pub remove_extended_communities: Vec<ExtendedCommunity>,
    /// Large communities to take off.
    pub remove_large_communities: Vec<LargeCommunity>,
    /// Communities to add: those that are not there, or no longer.
    pub add_communities: Vec<Community>,
    /// Extended communities to add.
    pub add_extended_communities: Vec<ExtendedCommunity>,
    /// Large communities to add.
    pub add_large_communities: Vec<LargeCommunity>,
}

impl Changes {
    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        *self == Changes::default()
    }
}

impl Snapshot {
    /// What an amendment of this generation comes to for a peer's attributes, as they were received.
    pub fn changes(&self, amendment: Amendment, attributes: &Attributes<'_>, peer: &Peer) -> Changes {
        let mut changes = Changes::default();
        if amendment.scrub() {
            let ours = OurNamespace { peer, own_asns: &self.own_asns };
            changes.remove_communities = once_each(attributes.communities().filter(|one| ours.has(*one)));
            changes.remove_extended_communities =
                once_each(attributes.extended_communities().filter(|one| ours.has_extended(*one)));
            changes.remove_large_communities =
                once_each(attributes.large_communities().filter(|one| ours.has_large(*one)));
        }
        self.rules.amend(amendment, peer, &mut changes, attributes);
        changes
    }
}

/// Whether a path carries communities that this peer may not set.
#[inline]
pub(crate) fn has_ours(attributes: &Attributes<'_>, peer: &Peer, tables: &Snapshot) -> bool {
    let ours = OurNamespace { peer, own_asns: &tables.own_asns };
    peer.scrub
        && (attributes.communities().any(|one| ours.has(one))
            || attributes.large_communities().any(|one| ours.has_large(one))
            || attributes.extended_communities().any(|one| ours.has_extended(one)))
}

/// The communities that say something in our name.
struct OurNamespace<'a> {
    peer: &'a Peer,
    own_asns: &'a [Asn],
}

impl OurNamespace<'_> {
    #[inline]
    fn is_ours(&self, asn: Asn) -> bool {
        asn == self.peer.local_asn || self.own_asns.contains(&asn)
    }

    /// An AS number of four octets has no standard communities (RFC 8092 s1), and AS 65535 never is ours.
    #[inline]
    fn has(&self, Community(value): Community) -> bool {
        self.is_ours(Asn(value >> 16))
    }

    #[inline]
    fn has_large(&self, LargeCommunity(asn, ..): LargeCommunity) -> bool {
        self.is_ours(Asn(asn))
    }

    #[inline]
    fn has_extended(&self, community: ExtendedCommunity) -> bool {
        use ExtendedCommunity as Extended;
        matches!(community.sub_type(), Extended::ROUTE_TARGET | Extended::ROUTE_ORIGIN)
            && community.as_specific().is_some_and(|(asn, _)| self.is_ours(asn))
    }
}

fn once_each<T: Ord>(communities: impl Iterator<Item = T>) -> Vec<T> {
    let mut once: Vec<T> = communities.collect();
    once.sort_unstable();
    once.dedup();
    once
}
