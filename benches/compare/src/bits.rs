//! A set of small numbers, one bit each: which prefixes of the table a session holds, or should hold.

/// A set of numbers below a size that is fixed when it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// None of the numbers below `size`.
    pub(crate) fn none(size: usize) -> Self {
        Bits(vec![0; size.div_ceil(64)])
    }

    /// Whether a number is in the set.
    #[inline]
    pub(crate) fn holds(&self, number: usize) -> bool {
        self.0[number / 64] & (1 << (number % 64)) != 0
    }

    /// Puts a number in or takes it out, and says whether it was in.
    #[inline]
    pub(crate) fn set(&mut self, number: usize, is_in: bool) -> bool {
        let word = &mut self.0[number / 64];
        let bit = 1 << (number % 64);
        let was_in = *word & bit != 0;
        *word = if is_in { *word | bit } else { *word & !bit };
        was_in
    }

    /// How many numbers there are.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_was_put_in() {
        let mut bits = Bits::none(130);
        assert!(!bits.set(0, true) && !bits.set(129, true) && bits.set(129, true));
        assert_eq!(bits.len(), 2);
        assert!(bits.set(0, false) && !bits.holds(0));
    }
}
