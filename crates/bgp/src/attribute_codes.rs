//! A set of attribute types.

use crate::attribute_table::code;

/// Types of attributes, by their codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttributeCodes([u64; 4]);

impl AttributeCodes {
    /// Adds a type; whether it was there before.
    #[inline]
    pub fn insert(&mut self, code: u8) -> bool {
        let (word, bit) = (&mut self.0[usize::from(code >> 6)], 1 << (code & 63));
        let before = *word & bit != 0;
        *word |= bit;
        before
    }

    /// Whether a type is in it.
    #[inline]
    pub fn contains(&self, code: u8) -> bool {
        self.0[usize::from(code >> 6)] & 1 << (code & 63) != 0
    }

    /// How many types are in it.
    pub fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// The types, in order.
    pub fn iter(&self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(|code| self.contains(*code))
    }
}

impl FromIterator<u8> for AttributeCodes {
    fn from_iter<T: IntoIterator<Item = u8>>(codes: T) -> Self {
        let mut set = AttributeCodes::default();
        for code in codes {
            set.insert(code);
        }
        set
    }
}

/// Whether a route means the same to us and others without an attribute of that type, but for what the attribute itself says. It does
/// not without those that every route must have, that list prefixes, or that keep it from looping or leaking.
pub fn is_dispensable(code: u8) -> bool {
    !matches!(
        code,
        code::ORIGIN
            | code::AS_PATH
            | code::NEXT_HOP
            | code::LOCAL_PREF
            | code::ATOMIC_AGGREGATE
            | code::ORIGINATOR_ID
            | code::CLUSTER_LIST
            | code::MP_REACH_NLRI
            | code::MP_UNREACH_NLRI
            | code::AS4_PATH
            | code::AS4_AGGREGATOR
            | code::ONLY_TO_CUSTOMER
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_in_it_once() {
        let mut set: AttributeCodes = (0..=u8::MAX).filter(|code| code % 3 == 0).collect();
        assert_eq!(set.count(), 86);
        assert!((0..=u8::MAX).all(|code| set.contains(code) == (code % 3 == 0)));
        assert!(set.insert(255) && !set.insert(1) && set.insert(1));
        assert_eq!(set.iter().take(3).collect::<Vec<_>>(), [0, 1, 3]);
    }
}
