//! What one session holds, beside what it should.

use crate::bits::Bits;

/// By place in the table: what is held, what of it came with the wrong attributes, and what should be held.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    held: Bits,
    wrong: Bits,
    expected: Bits,
    wanted: usize,
    count: usize,
    right: usize,
}

/// By how much a holding is not what it should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Off {
    /// Prefixes that should be held and aren't.
    pub(crate) missing: usize,
    /// Prefixes that are held and shouldn't be.
    pub(crate) surplus: usize,
    /// Prefixes that are held with other attributes than they should be.
    pub(crate) wrong: usize,
}

impl Off {
    /// Whether all is right.
    pub(crate) fn is_none(self) -> bool {
        self == Off::default()
    }
}

impl std::ops::AddAssign for Off {
    fn add_assign(&mut self, other: Off) {
        self.missing += other.missing;
        self.surplus += other.surplus;
        self.wrong += other.wrong;
    }
}

impl Holding {
    /// Nothing held, nothing expected, of a table of that size.
    pub(crate) fn new(size: usize) -> Self {
        let none = Bits::none(size);
        Holding { held: none.clone(), wrong: none.clone(), expected: none, wanted: 0, count: 0, right: 0 }
    }

    /// A prefix is announced, with the attributes that it should have or others.
    #[inline]
    pub(crate) fn announced(&mut self, place: usize, is_right: bool) {
        let was_held = self.held.set(place, true);
        let was_wrong = self.wrong.set(place, !is_right);
        self.count += usize::from(!was_held);
        if self.expected.holds(place) {
            self.right += usize::from(is_right);
            self.right -= usize::from(was_held && !was_wrong);
        }
    }

    /// A prefix is withdrawn.
    #[inline]
    pub(crate) fn withdrawn(&mut self, place: usize) {
        let was_held = self.held.set(place, false);
        let was_wrong = self.wrong.set(place, false);
        self.count -= usize::from(was_held);
        if was_held && !was_wrong && self.expected.holds(place) {
            self.right -= 1;
        }
    }

    /// The session is over: nothing is held.
    pub(crate) fn lose_all(&mut self) {
        self.held.clear();
        self.wrong.clear();
        (self.count, self.right) = (0, 0);
    }

    /// What should be held from now on. What is held where `otherwise` says so should come with other attributes than
    /// before.
    pub(crate) fn expect(&mut self, expected: Bits, otherwise: &Bits) {
        self.wrong.add_common(&self.held, otherwise);
        self.wanted = expected.len();
        self.expected = expected;
        self.right = self.held.len_common(&self.expected) - self.wrong.len_common(&self.expected);
    }

    /// Whether it holds exactly what it should.
    #[inline]
    pub(crate) fn is_right(&self) -> bool {
        self.right == self.wanted && self.count == self.wanted
    }

    /// By how much it does not.
    pub(crate) fn off(&self) -> Off {
        Off {
            missing: self.expected.len_without(&self.held),
            surplus: self.held.len_without(&self.expected),
            wrong: self.wrong.len_common(&self.expected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(places: &[usize]) -> Bits {
        let mut bits = Bits::none(8);
        places.iter().for_each(|place| _ = bits.set(*place, true));
        bits
    }

    #[test]
    fn is_right_only_while_it_is_exactly_so() {
        let mut holding = Holding::new(8);
        assert!(holding.is_right());
        holding.expect(bits(&[1, 2]), &bits(&[]));
        holding.announced(1, true);
        holding.announced(2, false);
        assert!(!holding.is_right());
        assert_eq!(holding.off(), Off { missing: 0, surplus: 0, wrong: 1 });
        holding.announced(2, true);
        holding.announced(2, true);
        assert!(holding.is_right() && holding.off().is_none());
        holding.announced(3, true);
        assert_eq!((holding.is_right(), holding.off().surplus), (false, 1));
        holding.withdrawn(3);
        holding.withdrawn(3);
        assert!(holding.is_right());
        holding.withdrawn(1);
        assert_eq!((holding.is_right(), holding.off().missing), (false, 1));
    }

    #[test]
    fn what_should_come_otherwise_has_to_come_again() {
        let mut holding = Holding::new(8);
        holding.announced(1, true);
        holding.announced(4, true);
        holding.expect(bits(&[1, 4]), &bits(&[4, 5]));
        assert_eq!((holding.is_right(), holding.off().wrong), (false, 1));
        holding.announced(4, true);
        assert!(holding.is_right());
        holding.lose_all();
        assert_eq!((holding.is_right(), holding.off().missing), (false, 2));
    }
}
