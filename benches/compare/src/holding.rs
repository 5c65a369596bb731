//! What one session holds, beside what it should.
//!
//! An octet for each prefix of the table, so that what is heard of it costs one line of memory: seven hundred sessions' holdings
//! fit no cache.

use crate::bits::Bits;

/// It is held.
const HELD: u8 = 1;
/// It came with other attributes than it should have.
const WRONG: u8 = 2;
/// It should be held.
const EXPECTED: u8 = 4;

/// By place in the table: what is held, and what should be.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    cells: Vec<u8>,
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
        Holding { cells: vec![0; size], wanted: 0, count: 0, right: 0 }
    }

    /// A prefix is announced, with the attributes that it should have or others.
    #[inline]
    pub(crate) fn announced(&mut self, place: usize, is_right: bool) {
        let cell = self.cells[place];
        self.change(place, cell & EXPECTED | HELD | if is_right { 0 } else { WRONG });
    }

    /// A prefix is withdrawn.
    #[inline]
    pub(crate) fn withdrawn(&mut self, place: usize) {
        self.change(place, self.cells[place] & EXPECTED);
    }

    #[inline]
    fn change(&mut self, place: usize, new: u8) {
        let old = std::mem::replace(&mut self.cells[place], new);
        self.count = self.count + usize::from(new & HELD) - usize::from(old & HELD);
        self.right = self.right + usize::from(new == HELD | EXPECTED) - usize::from(old == HELD | EXPECTED);
    }

    /// The session is over: nothing is held.
    pub(crate) fn lose_all(&mut self) {
        self.cells.iter_mut().for_each(|cell| *cell &= EXPECTED);
        (self.count, self.right) = (0, 0);
    }

    /// What should be held from now on. What is held where `otherwise` says so should come with other attributes than
    /// before.
    pub(crate) fn expect(&mut self, expected: &Bits, otherwise: &Bits) {
        (self.wanted, self.right) = (0, 0);
        for (place, cell) in self.cells.iter_mut().enumerate() {
            *cell &= !EXPECTED;
            if otherwise.holds(place) && *cell & HELD != 0 {
                *cell |= WRONG;
            }
            if expected.holds(place) {
                *cell |= EXPECTED;
                self.wanted += 1;
                self.right += usize::from(*cell == HELD | EXPECTED);
            }
        }
    }

    /// Of one prefix: whether it should be held from now on, and, where it is held, whether it should come with other
    /// attributes than before.
    pub(crate) fn expect_at(&mut self, place: usize, is_expected: bool, otherwise: bool) {
        let old = self.cells[place];
        let mut new = old & !EXPECTED | if is_expected { EXPECTED } else { 0 };
        if otherwise && old & HELD != 0 {
            new |= WRONG;
        }
        self.wanted = self.wanted + usize::from(new & EXPECTED != 0) - usize::from(old & EXPECTED != 0);
        self.change(place, new);
    }

    /// Whether it holds exactly what it should.
    #[inline]
    pub(crate) fn is_right(&self) -> bool {
        self.right == self.wanted && self.count == self.wanted
    }

    /// By how much it does not.
    pub(crate) fn off(&self) -> Off {
        let mut off = Off::default();
        for cell in &self.cells {
            match (cell & EXPECTED != 0, cell & HELD != 0, cell & WRONG != 0) {
                (true, false, _) => off.missing += 1,
                (false, true, _) => off.surplus += 1,
                (true, true, true) => off.wrong += 1,
                _ => {}
            }
        }
        off
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
        holding.expect(&bits(&[1, 2]), &bits(&[]));
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
    fn one_prefix_can_be_expected_or_not() {
        let mut holding = Holding::new(8);
        holding.expect(&bits(&[1, 2]), &bits(&[]));
        holding.announced(1, true);
        holding.announced(2, true);
        holding.expect_at(2, false, false);
        assert_eq!((holding.is_right(), holding.off().surplus), (false, 1));
        holding.withdrawn(2);
        assert!(holding.is_right());
        holding.expect_at(2, true, false);
        holding.expect_at(2, true, false);
        assert_eq!((holding.is_right(), holding.off().missing), (false, 1));
        holding.announced(2, true);
        assert!(holding.is_right());
        holding.expect_at(2, true, true);
        assert_eq!((holding.is_right(), holding.off().wrong), (false, 1));
        holding.announced(2, true);
        assert!(holding.is_right() && holding.off().is_none());
    }

    #[test]
    fn what_should_come_otherwise_has_to_come_again() {
        let mut holding = Holding::new(8);
        holding.announced(1, true);
        holding.announced(4, true);
        holding.expect(&bits(&[1, 4]), &bits(&[4, 5]));
        assert_eq!((holding.is_right(), holding.off().wrong), (false, 1));
        holding.announced(4, true);
        assert!(holding.is_right());
        holding.lose_all();
        assert_eq!((holding.is_right(), holding.off().missing), (false, 2));
    }
}
