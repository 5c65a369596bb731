//! Some of the peers: those that are named, or all but those.
//!
//! Almost every path of a route server goes to everybody but its source, and its communities name a few more at most.
//! So a set of peers is written down by its exceptions, and costs what differs, never a place a peer.

use smallvec::SmallVec;

use crate::path::PeerIndex;

/// A set of peers.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Audience {
    /// Whether those who are named are meant, or all others.
    only: bool,
    /// In ascending order.
    named: Named,
}

type Named = SmallVec<[PeerIndex; 8]>;

impl Clone for Audience {
    /// By copying octets, which the derived one does not know that it may.
    fn clone(&self) -> Self {
        Audience { only: self.only, named: Named::from_slice(&self.named) }
    }
}

impl Audience {
    /// All peers.
    pub fn everybody() -> Self {
        Audience { only: false, named: Named::new() }
    }

    /// No peer.
    pub fn nobody() -> Self {
        Audience { only: true, named: Named::new() }
    }

    /// All peers but those who are named.
    pub fn all_but(named: impl IntoIterator<Item = PeerIndex>) -> Self {
        Audience { only: false, named: in_order(named) }
    }

    /// Those who are named.
    pub fn only(named: impl IntoIterator<Item = PeerIndex>) -> Self {
        Audience { only: true, named: in_order(named) }
    }

    /// Whether a peer is in it.
    #[inline]
    pub fn includes(&self, peer: PeerIndex) -> bool {
        self.as_named().includes(peer)
    }

    /// Whether any of `members` is in it, who are in ascending order.
    pub fn includes_any_of(&self, members: &[PeerIndex]) -> bool {
        let are_members = self.named.iter().filter(|named| members.binary_search(named).is_ok()).count();
        if self.only { are_members > 0 } else { are_members < members.len() }
    }

    /// Whether nobody is in it, whoever there is.
    pub fn is_nobody(&self) -> bool {
        self.only && self.named.is_empty()
    }

    /// Those who are in it and in `other`.
    pub fn and(&self, other: &Audience) -> Audience {
        self.as_named().and(other.as_named())
    }

    /// Those who are in it and not in `other`.
    pub fn without(&self, other: &Audience) -> Audience {
        self.as_named().and(other.as_named().others())
    }

    /// Those who are in it or in `other`.
    pub fn or(&self, other: &Audience) -> Audience {
        let neither = self.as_named().others().and(other.as_named().others());
        Audience { only: !neither.only, ..neither }
    }

    fn as_named(&self) -> NamedPeers<'_> {
        NamedPeers { only: self.only, named: &self.named }
    }
}

/// An audience that somebody else holds, or all others.
#[derive(Clone, Copy)]
struct NamedPeers<'a> {
    only: bool,
    named: &'a [PeerIndex],
}

impl NamedPeers<'_> {
    fn others(self) -> Self {
        NamedPeers { only: !self.only, ..self }
    }

    #[inline]
    fn includes(self, peer: PeerIndex) -> bool {
        let named = match *self.named {
            [] => false,
            [one] => one == peer,
            _ => self.named.binary_search(&peer).is_ok(),
        };
        named == self.only
    }

    fn and(self, other: NamedPeers<'_>) -> Audience {
        let named = match (self.only, other.only) {
            (false, false) => merged(self.named, other.named),
            (true, _) => self.named.iter().copied().filter(|peer| other.includes(*peer)).collect(),
            (false, true) => other.named.iter().copied().filter(|peer| self.includes(*peer)).collect(),
        };
        Audience { only: self.only || other.only, named }
    }
}

fn in_order(named: impl IntoIterator<Item = PeerIndex>) -> Named {
    let mut named: Named = named.into_iter().collect();
    named.sort_unstable();
    named.dedup();
    named
}

fn merged(one: &[PeerIndex], other: &[PeerIndex]) -> Named {
    match (one, other) {
        ([], named) | (named, []) => Named::from_slice(named),
        _ => in_order(one.iter().chain(other).copied()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const PEERS: u16 = 5;

    /// Every audience of five peers, written both ways, with its members.
    fn all() -> Vec<(Audience, BTreeSet<u16>)> {
        let subsets = (0u16..1 << PEERS).map(|bits| (0..PEERS).filter(move |peer| bits & 1 << peer != 0));
        subsets
            .flat_map(|subset| {
                let named: BTreeSet<u16> = subset.collect();
                let rest: BTreeSet<u16> = (0..PEERS).filter(|peer| !named.contains(peer)).collect();
                let only = Audience::only(named.iter().rev().copied().map(PeerIndex));
                let all_but = Audience::all_but(rest.iter().rev().copied().map(PeerIndex));
                [(only, named.clone()), (all_but, named)]
            })
            .collect()
    }

    fn members(audience: &Audience) -> BTreeSet<u16> {
        (0..PEERS).filter(|peer| audience.includes(PeerIndex(*peer))).collect()
    }

    #[test]
    fn sets_of_peers_are_combined_as_sets_are() {
        let everybody: Vec<PeerIndex> = (0..PEERS).map(PeerIndex).collect();
        for (one, ones) in all() {
            assert_eq!(members(&one), ones);
            assert_eq!(one.includes_any_of(&everybody), !ones.is_empty());
            for (other, others) in all() {
                assert_eq!(members(&one.and(&other)), &ones & &others);
                assert_eq!(members(&one.or(&other)), &ones | &others);
                assert_eq!(members(&one.without(&other)), &ones - &others);
            }
        }
    }

    #[test]
    fn nobody_is_nobody_whoever_comes_and_all_but_all_is_not() {
        assert!(Audience::nobody().is_nobody());
        assert!(Audience::only([PeerIndex(1)]).without(&Audience::only([PeerIndex(1)])).is_nobody());
        let all_but_all = Audience::all_but([PeerIndex(1)]);
        assert!(!all_but_all.is_nobody() && !all_but_all.includes_any_of(&[PeerIndex(1)]));
        assert!(Audience::everybody().includes(PeerIndex(7)));
    }
}
