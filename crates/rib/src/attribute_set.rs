//! One set of path attributes, held once for all the paths that share it.
//!
//! A full table's paths share their attributes five to one and more, so a path holds a counted reference and the
//! [`Interner`] finds the set by the octets of its canonical wire form: what is seen again costs a hash and a
//! comparison. What depends on the path alone (its shape, bogon ASNs, loops, roles, the next hop) is judged once per set
//! and kept here, and so is what the decision process reads.
//!
//! Where import changes attributes, a path is held with a second set that is made of the one received
//! (`derived.rs`): it is what is ranked, shown and sent on. What is judged is always what was received.
//!
//! An interner belongs to one session: the verdict of the path stage depends on the peer, and two peers hardly ever
//! send equal attributes, because each puts its own AS and next hop first.

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use palisade_bgp::Asn;
use palisade_bgp::attributes::{Attributes, Community, Facts, NextHop};
use palisade_policy::{Amendment, PathVerdict, Peer, Snapshot, judge_path};

use crate::forwarding::Gateway;
use crate::judgement::{Judgement, Stamp};

/// A set of path attributes and what was found out about it once.
#[derive(Debug)]
pub struct AttributeSet {
    wire: Box<[u8]>,
    facts: Facts,
    next_hop: NextHop,
    /// The link that a link-local next hop is on; 0 where that isn't known.
    link: u32,
    judgement: Judgement,
    scope: Scope,
    blackhole: bool,
    shutting_down: bool,
    long_lived_stale: bool,
    only_to_customer: Option<Asn>,
    /// Where it is made of another set.
    derivation: Option<Box<Derivation>>,
}

/// How a set was made of another one.
#[derive(Debug)]
pub(crate) struct Derivation {
    /// The attributes as they were received.
    pub(crate) received: Arc<AttributeSet>,
    /// What was changed in them.
    pub(crate) amendment: Amendment,
    /// The degree of preference that import gives the path instead of the peer's.
    pub(crate) local_preference: Option<u32>,
    /// Whether it says that the path is kept though its peer has been away for long (RFC 9494 s4.2).
    pub(crate) long_lived: bool,
}

/// How far well-known communities let a path go (RFC 1997, RFC 3765); of several the narrowest holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// To whom the roles allow.
    Anyone,
    /// To whom the roles allow, but for those whom we peer with (NOPEER).
    NotPeers,
    /// Inside our AS (NO_EXPORT, NO_EXPORT_SUBCONFED).
    Internal,
    /// To no peer (NO_ADVERTISE).
    Nobody,
}

impl AttributeSet {
    /// Copies the attributes of an announcement, of which the path stage said `path_verdict`. `marked` is the ONLY_TO_CUSTOMER they
    /// are given on receipt where they bring none (RFC 9234 s5, ingress rule 3).
    pub fn new(
        attributes: &Attributes<'_>,
        path_verdict: PathVerdict,
        stamp: Stamp,
        marked: Option<Asn>,
    ) -> Self {
        AttributeSet::with(attributes, Judgement::new(path_verdict, stamp), marked)
    }

    /// The same set, of a session over the link with that index.
    pub fn on_link(self, link: u32) -> Self {
        AttributeSet { link, ..self }
    }

    fn with(attributes: &Attributes<'_>, judgement: Judgement, marked: Option<Asn>) -> Self {
        AttributeSet {
            wire: attributes.wire.into(),
            facts: *attributes.facts,
            next_hop: attributes.next_hop,
            link: 0,
            judgement,
            scope: scope(attributes),
            blackhole: attributes.communities().any(|one| one == Community::BLACKHOLE),
            shutting_down: attributes.communities().any(|one| one == Community::GRACEFUL_SHUTDOWN),
            long_lived_stale: attributes.communities().any(|one| one == Community::LLGR_STALE),
            only_to_customer: attributes.facts.only_to_customer.or(marked),
            derivation: None,
        }
    }

    /// What we originate ourselves: ORIGIN IGP and an empty AS_PATH.
    pub fn originated(next_hop: NextHop) -> Self {
        const WIRE: [u8; 7] = [0x40, 1, 1, 0, 0x40, 2, 0];
        let facts = Facts::default();
        let attributes = Attributes { wire: &WIRE, facts: &facts, next_hop };
        AttributeSet::with(&attributes, Judgement::none(), None)
    }

    /// The set that import makes of a received one.
    pub(crate) fn derived(attributes: &Attributes<'_>, derivation: Derivation) -> Self {
        let (marked, link) = (derivation.received.only_to_customer, derivation.received.link);
        AttributeSet {
            link,
            derivation: Some(Box::new(derivation)),
            ..AttributeSet::with(attributes, Judgement::none(), marked)
        }
    }

    /// The same set, kept from all peers.
    pub(crate) fn for_nobody(self) -> Self {
        AttributeSet { scope: Scope::Nobody, ..self }
    }

    /// The attributes, as everything reads them.
    pub fn attributes(&self) -> Attributes<'_> {
        Attributes { wire: &self.wire, facts: &self.facts, next_hop: self.next_hop }
    }

    /// The attributes as they were received: its own, unless import has changed them.
    pub fn received(self: &Arc<Self>) -> &Arc<AttributeSet> {
        self.derivation.as_ref().map_or(self, |derivation| &derivation.received)
    }

    /// What import has changed in the attributes that were received.
    pub fn amendment(&self) -> Amendment {
        self.derivation.as_ref().map_or(Amendment::NONE, |derivation| derivation.amendment)
    }

    /// Whether it is made of another set.
    #[inline]
    pub(crate) fn is_derived(&self) -> bool {
        self.derivation.is_some()
    }

    /// Whether it was made to say that its path is kept though the peer has been away for long.
    pub(crate) fn is_made_long_lived(&self) -> bool {
        self.derivation.as_ref().is_some_and(|derivation| derivation.long_lived)
    }

    /// The degree of preference that import gives the path instead of the peer's.
    #[inline]
    pub fn local_preference(&self) -> Option<u32> {
        self.derivation.as_ref().and_then(|derivation| derivation.local_preference)
    }

    /// Whether it is the same, whatever it was made of.
    pub(crate) fn says_the_same(&self, other: &AttributeSet) -> bool {
        self.wire == other.wire
            && self.gateway() == other.gateway()
            && self.next_hop == other.next_hop
            && self.local_preference() == other.local_preference()
            && self.scope == other.scope
            && self.only_to_customer == other.only_to_customer
    }

    /// What the path stage says of received attributes by these tables and that policy of their peer, which `stamp` tells
    /// of: it is asked again where what is kept was made by others.
    #[inline]
    pub(crate) fn judged(&self, policy: &Peer, tables: &Snapshot, stamp: Stamp) -> PathVerdict {
        self.judgement.made_by(stamp).unwrap_or_else(|| {
            let verdict = judge_path(&self.attributes(), policy, tables, &mut ());
            self.judgement.replace(verdict, stamp);
            verdict
        })
    }

    /// Whether packets go where its sender says.
    pub(crate) fn keeps_next_hop(&self) -> bool {
        self.derivation.as_ref().is_none_or(|derivation| derivation.received.next_hop == self.next_hop)
    }

    /// How far its communities let it go.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Whether it bears BLACKHOLE (RFC 7999).
    pub(crate) fn says_blackhole(&self) -> bool {
        self.blackhole
    }

    /// Whether its sender is about to take it down, and asks that others be preferred (RFC 8326).
    pub fn is_shutting_down(&self) -> bool {
        self.shutting_down
    }

    /// Whether it is kept, here or by somebody it comes from, though its sender has been away for long: any other path is better
    /// (RFC 9494 s4.3).
    pub fn is_long_lived_stale(&self) -> bool {
        self.long_lived_stale
    }

    /// ONLY_TO_CUSTOMER, received or put on by us on receipt.
    pub fn only_to_customer(&self) -> Option<Asn> {
        self.only_to_customer
    }

    /// What decisions read.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Where packets go.
    pub fn next_hop(&self) -> NextHop {
        self.next_hop
    }

    /// The link that a link-local next hop is on; 0 where that isn't known.
    pub(crate) fn link(&self) -> u32 {
        self.link
    }

    /// Where packets go from here: an address, and for a link-local one the link that it is on.
    pub fn gateway(&self) -> Gateway {
        match self.next_hop.address() {
            IpAddr::V6(address) if address.is_unicast_link_local() => (address.into(), self.link),
            address => (address, 0),
        }
    }

    /// Octets of memory it takes.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.wire.len() + self.derivation.as_ref().map_or(0, |_| size_of::<Derivation>())
    }
}

fn scope(attributes: &Attributes<'_>) -> Scope {
    attributes
        .communities()
        .map(|community| match community {
            Community::NO_ADVERTISE => Scope::Nobody,
            // We are in no confederation: outside our member AS is outside our AS.
            Community::NO_EXPORT | Community::NO_EXPORT_SUBCONFED => Scope::Internal,
            Community::NOPEER => Scope::NotPeers,
            _ => Scope::Anyone,
        })
        .max()
        .unwrap_or(Scope::Anyone)
}

/// Sets below which a sweep is not worth the walk.
const SWEEP_FLOOR: usize = 1024;

/// The sets that one session's paths use, found by their octets.
///
/// Sets that no path uses any more are let go when they are asked for, and when the count has doubled since they last
/// were, so an interner never holds more than twice what is in use and 1,024 more.
#[derive(Debug)]
pub struct Interner {
    sets: HashTable<Arc<AttributeSet>>,
    hasher: FixedState,
    sweep_at: usize,
    marked: Option<Asn>,
    link: u32,
}

impl Interner {
    /// An empty one for the paths of a peer, who may have us mark them with ONLY_TO_CUSTOMER, and who may be on a [link](Peer::link)
    /// where it has a link-local address; `seed` should differ between processes, so that a peer can't choose colliding attributes.
    pub fn new(marked: Option<Asn>, link: u32, seed: u64) -> Self {
        Interner {
            sets: HashTable::new(),
            hasher: FixedState::with_seed(seed),
            sweep_at: SWEEP_FLOOR,
            marked,
            link,
        }
    }

    /// The set equal to `attributes`; `judge` is asked for its verdict where there is none yet, and by what that is made.
    pub fn intern(
        &mut self,
        attributes: &Attributes<'_>,
        judge: impl FnOnce() -> (PathVerdict, Stamp),
    ) -> Arc<AttributeSet> {
        let hash = self.hasher.hash_one((attributes.wire, attributes.next_hop));
        let same =
            |set: &Arc<AttributeSet>| *set.wire == *attributes.wire && set.next_hop == attributes.next_hop;
        if let Some(set) = self.sets.find(hash, same) {
            return Arc::clone(set);
        }
        self.sweep_if_due();
        let (verdict, stamp) = judge();
        let set = Arc::new(AttributeSet::new(attributes, verdict, stamp, self.marked).on_link(self.link));
        let hasher = &self.hasher;
        self.sets.insert_unique(hash, Arc::clone(&set), |set| hasher.hash_one((&*set.wire, set.next_hop)));
        set
    }

    /// How many sets it holds, in use or not yet swept.
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// Lets go of the sets that no path uses any more.
    pub fn sweep(&mut self) {
        self.sets.retain(|set| Arc::strong_count(set) > 1);
        self.sweep_at = (self.sets.len() * 2).max(SWEEP_FLOOR);
        let hasher = &self.hasher;
        self.sets.shrink_to(self.sets.len(), |set| hasher.hash_one((&*set.wire, set.next_hop)));
    }

    fn sweep_if_due(&mut self) {
        if self.sets.len() >= self.sweep_at {
            self.sweep();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intern(interner: &mut Interner, asn: u32) -> Arc<AttributeSet> {
        let wire = asn.to_be_bytes();
        let next_hop = NextHop::V4(std::net::Ipv4Addr::UNSPECIFIED);
        let attributes = Attributes { wire: &wire, facts: &Facts::default(), next_hop };
        interner.intern(&attributes, Default::default)
    }

    #[test]
    fn equal_attributes_are_held_once_and_those_that_nothing_uses_are_let_go() {
        let mut interner = Interner::new(None, 0, 1);
        let (one, again, other) =
            (intern(&mut interner, 1), intern(&mut interner, 1), intern(&mut interner, 2));
        assert!(Arc::ptr_eq(&one, &again) && !Arc::ptr_eq(&one, &other));
        drop(other);
        assert_eq!(interner.len(), 2, "until somebody looks");
        interner.sweep();
        assert_eq!((interner.len(), Arc::strong_count(&one)), (1, 3));
        drop((one, again));
        interner.sweep();
        assert!(interner.is_empty());
    }

    #[test]
    fn an_interner_never_holds_more_than_twice_what_is_in_use_and_a_floor() {
        let mut interner = Interner::new(None, 0, 1);
        let kept: Vec<_> = (0..100).map(|asn| intern(&mut interner, asn)).collect();
        for asn in 100..20_000 {
            drop(intern(&mut interner, asn));
            assert!(interner.len() <= SWEEP_FLOOR + 2 * kept.len());
        }
    }
}
