//! Which providers an AS has authorized: ASPA (draft-ietf-sidrops-aspa-profile, -verification).

pub mod verification;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use palisade_bgp::Asn;

use crate::origin_set::OriginSet;

/// An AS's validated list of all its providers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aspa {
    /// The AS.
    pub customer: Asn,
    /// Its providers; AS 0 alone says that it has none.
    pub providers: OriginSet,
}

/// What ASPA says of a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum AspaState {
    /// Nothing: it is not asked of this path.
    #[default]
    Unverified,
    /// Too few of its networks have an ASPA to say.
    Unknown,
    /// Every hop is authorized.
    Valid,
    /// A hop is not authorized.
    Invalid,
}

impl AspaState {
    /// All states.
    pub const ALL: [AspaState; 4] =
        [AspaState::Unverified, AspaState::Unknown, AspaState::Valid, AspaState::Invalid];

    /// Its name in configuration and output.
    pub const fn slug(self) -> &'static str {
        match self {
            AspaState::Unverified => "unverified",
            AspaState::Unknown => "unknown",
            AspaState::Valid => "valid",
            AspaState::Invalid => "invalid",
        }
    }
}

/// Customers come from validated objects: nobody chooses AS numbers that he doesn't hold, to have them collide.
type ByCustomer = HashMap<Asn, OriginSet, FixedState>;

/// All ASPAs, by customer. Immutable.
#[derive(Debug, Default)]
pub struct AspaIndex {
    by_customer: ByCustomer,
}

impl AspaIndex {
    /// The index of these; an AS that comes twice has the providers of both.
    pub fn build(aspas: impl IntoIterator<Item = Aspa>) -> Self {
        let mut by_customer = ByCustomer::default();
        for Aspa { customer, providers } in aspas {
            let known = by_customer.entry(customer).or_default();
            *known = known.iter().chain(providers.iter()).collect();
        }
        AspaIndex { by_customer }
    }

    /// This index with other providers of some customers; `None` for a customer that has no ASPA any more.
    pub fn amended(&self, changes: impl IntoIterator<Item = (Asn, Option<OriginSet>)>) -> AspaIndex {
        let mut by_customer = self.by_customer.clone();
        for (customer, providers) in changes {
            match providers {
                Some(providers) => by_customer.insert(customer, providers),
                None => by_customer.remove(&customer),
            };
        }
        AspaIndex { by_customer }
    }

    /// The providers of an AS; `None` where it has no ASPA.
    pub fn providers(&self, customer: Asn) -> Option<&OriginSet> {
        self.by_customer.get(&customer)
    }

    /// Every ASPA, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (Asn, &OriginSet)> {
        self.by_customer.iter().map(|(customer, providers)| (*customer, providers))
    }

    /// The customers whose providers differ: a path without any of them is judged alike by both.
    pub fn changed(&self, new: &AspaIndex) -> OriginSet {
        let gone_or_other = self.iter().filter(|(customer, had)| new.providers(*customer) != Some(had));
        let come = new.iter().filter(|(customer, _)| self.providers(*customer).is_none());
        gone_or_other.chain(come).map(|(customer, _)| customer).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_customer.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_customer.is_empty()
    }
}
