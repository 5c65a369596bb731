//! The patterns of one kind of community, arranged so that a community which is in none is told at a glance.
//!
//! Most communities are no action. So the first field of every pattern that fixes it sets one bit of 1,024, and where
//! the first field names somebody, the second field does: a community whose bits are not set is done. The others are looked
//! for by binary search, exact ones first, then with each field in turn taken for the one that names somebody.

use super::Action;
use super::pattern::Pattern;

/// Patterns by their fields, the one that names somebody as 0. Sorted.
type Table = Box<[([u32; 3], Action)]>;

/// The patterns of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    /// Bits of the first fields, and of the second fields where the first one names somebody.
    fixed: [Bits; 2],
    exact: Table,
    /// Those that name somebody, by the field that does.
    naming: [Table; 3],
}

/// What one community asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// What it means.
    pub(super) action: Action,
    /// Whom it names; 0 for nobody.
    pub(super) named: u32,
}

impl Index {
    /// Of equal patterns the first holds.
    pub(super) fn build<'a>(patterns: impl Iterator<Item = &'a (Action, Pattern)>) -> Self {
        let mut fixed = [Bits::default(); 2];
        let mut exact = Vec::new();
        let mut naming = [const { Vec::new() }; 3];
        for (action, pattern) in patterns {
            let (fields, names) = (pattern.fields(), pattern.naming_field());
            let anchor = usize::from(names == Some(0));
            fixed[anchor].insert(fields[anchor]);
            match names {
                None => exact.push((fields, *action)),
                Some(field) => naming[field].push((fields, *action)),
            }
        }
        Index { fixed, exact: table(exact), naming: naming.map(table) }
    }

    /// What a community of these fields asks for; `None` where it is no action.
    #[inline]
    pub(super) fn find(&self, fields: [u32; 3]) -> Option<Request> {
        let may_be = self.fixed[0].may_have(fields[0]) || self.fixed[1].may_have(fields[1]);
        may_be.then(|| self.search(fields)).flatten()
    }

    fn search(&self, fields: [u32; 3]) -> Option<Request> {
        if let Some(action) = look_up(&self.exact, fields) {
            return Some(Request { action, named: 0 });
        }
        (0..fields.len()).find_map(|field| {
            let mut others = fields;
            let named = std::mem::take(&mut others[field]);
            look_up(&self.naming[field], others).map(|action| Request { action, named })
        })
    }
}

#[inline]
fn look_up(table: &Table, fields: [u32; 3]) -> Option<Action> {
    let at = table.binary_search_by_key(&fields, |(fields, _)| *fields).ok()?;
    table.get(at).map(|(_, action)| *action)
}

fn table(mut patterns: Vec<([u32; 3], Action)>) -> Table {
    // Stable, so that the first of equals is the one that stays.
    patterns.sort_by_key(|(fields, _)| *fields);
    patterns.dedup_by_key(|(fields, _)| *fields);
    patterns.into()
}

/// A set of numbers that may say of one that is not in it that it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bits([u64; 16]);

impl Bits {
    fn insert(&mut self, number: u32) {
        let (word, bit) = Self::place(number);
        self.0[word] |= 1 << bit;
    }

    #[inline]
    fn may_have(&self, number: u32) -> bool {
        let (word, bit) = Self::place(number);
        self.0[word] >> bit & 1 == 1
    }

    /// The word and the bit in it: the upper ten bits of a product that all bits of the number reach.
    #[inline]
    fn place(number: u32) -> (usize, u32) {
        let hash = number.wrapping_mul(0x9e37_79b1) >> 22;
        (hash as usize >> 6, hash & 63)
    }
}

#[cfg(test)]
mod tests {
    use palisade_bgp::Asn;

    use super::super::{Whom, Wish};
    use super::*;

    fn index(patterns: &[(&str, Action)]) -> Index {
        let parsed: Vec<_> = patterns
            .iter()
            .map(|(text, action)| (*action, Pattern::parse(text, Asn(64500)).unwrap()))
            .collect();
        Index::build(parsed.iter())
    }

    #[test]
    fn an_exact_pattern_comes_before_one_that_names_somebody() {
        let (some, all) =
            (Action::Wish(Wish::Announce, Whom::Peer), Action::Wish(Wish::DoNotAnnounce, Whom::All));
        let index = index(&[("0:peer", some), ("0:rs", all)]);
        assert_eq!(index.find([0, 64500, 0]), Some(Request { action: all, named: 0 }));
        assert_eq!(index.find([0, 64501, 0]), Some(Request { action: some, named: 64501 }));
        assert_eq!(index.find([1, 64501, 0]), None);
    }

    #[test]
    fn any_field_can_name_somebody() {
        let action = Action::Wish(Wish::Announce, Whom::Peer);
        for (text, fields) in [("peer:1:2", [7, 1, 2]), ("1:peer:2", [1, 7, 2]), ("1:2:peer", [1, 2, 7])] {
            let index = index(&[(text, action)]);
            assert_eq!(index.find(fields), Some(Request { action, named: 7 }), "{text}");
            assert_eq!(index.find([3, 3, 3]), None, "{text}");
        }
    }
}
