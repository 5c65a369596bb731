//! The AS numbers that a peer may originate for: its expanded as-set.

use palisade_bgp::Asn;

/// An immutable set of AS numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OriginSet {
    /// Sorted, without repetition.
    asns: Vec<u32>,
}

impl OriginSet {
    /// Whether an AS is in it.
    #[inline]
    pub fn contains(&self, asn: Asn) -> bool {
        self.asns.binary_search(&asn.0).is_ok()
    }

    /// How many it holds.
    pub fn len(&self) -> usize {
        self.asns.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.asns.is_empty()
    }

    /// Its members in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Asn> {
        self.asns.iter().copied().map(Asn)
    }

    /// The members of one of the two sets alone: the origins whose routes may be judged differently by `new`.
    pub fn changed(&self, new: &OriginSet) -> OriginSet {
        let gone = self.iter().filter(|asn| !new.contains(*asn));
        gone.chain(new.iter().filter(|asn| !self.contains(*asn))).collect()
    }

    /// Octets held.
    pub fn memory_bytes(&self) -> usize {
        size_of_val(self.asns.as_slice())
    }
}

impl FromIterator<Asn> for OriginSet {
    fn from_iter<I: IntoIterator<Item = Asn>>(asns: I) -> Self {
        let mut asns: Vec<u32> = asns.into_iter().map(|asn| asn.0).collect();
        asns.sort_unstable();
        asns.dedup();
        asns.shrink_to_fit();
        OriginSet { asns }
    }
}
