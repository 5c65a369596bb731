//! Prefixes that a single VRP decides about, and the VRPs that do.
//!
//! A prefix is fit for it if no VRP covers it and the table holds none of its more specifics: then a VRP for it touches the
//! routes of this one prefix, and what has to come of it is one withdrawal or one announcement. The four ways a verdict can
//! turn by one VRP follow each other:
//!
//! ```text
//!   not found --(one of another AS comes)--> invalid --(the right one comes)--> valid
//!   not found <----(the other goes too)----- invalid <----(it goes again)------
//! ```

use hashbrown::HashMap;

use crate::prefix::Prefix;
use crate::random::Random;
use crate::table::Table;
use crate::vrps::{Vrp, Vrps};

/// An AS that originates nothing (RFC 5398).
const NOBODY: u32 = 65_551;
const SEED: u64 = 6_811;

/// One VRP comes or goes, and a prefix's routes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// The prefix's place in the table.
    pub(crate) place: usize,
    /// The VRP.
    pub(crate) vrp: Vrp,
    /// Whether it comes.
    pub(crate) comes: bool,
}

/// The prefixes, in an order of chance, each used once.
#[derive(Debug)]
pub(crate) struct Lone<'a> {
    table: &'a Table,
    /// By sender, by place: its set of attributes, `u32::MAX` where it announces none.
    sets: Vec<Vec<u32>>,
    fit: Vec<u32>,
}

impl<'a> Lone<'a> {
    /// Those of a table that these VRPs leave alone.
    pub(crate) fn new(table: &'a Table, vrps: &Vrps) -> Self {
        let mut fit = without_more_specifics(&table.prefixes[..table.first_probe()]);
        fit.retain(|place| !vrps.covers(table.prefixes[*place as usize]));
        Random::new(SEED).shuffle(&mut fit);
        Lone { table, sets: sets_by_place(table), fit }
    }

    /// So many turns, each prefix's one after the other.
    pub(crate) fn turns(&mut self, count: usize) -> Vec<Turn> {
        let mut turns = Vec::with_capacity(count + 3);
        while turns.len() < count {
            let Some(place) = self.fit.pop() else { break };
            turns.extend(self.four_turns(place as usize));
        }
        turns.truncate(count);
        turns
    }

    /// So many turns of as many prefixes and in any order: most become invalid, and some are not found again.
    pub(crate) fn mixed_turns(&mut self, count: usize) -> Vec<Turn> {
        let mut random = Random::new(SEED + 1);
        let mut turns: Vec<Turn> = Vec::with_capacity(count);
        let mut open: Vec<Turn> = Vec::new();
        while turns.len() < count {
            // The last one always is a new prefix's, so that nothing is as it should be before it is told of.
            let may_go = turns.len() + 1 < count && !open.is_empty();
            if may_go && random.percent(30) {
                let turn = open.swap_remove(random.below(open.len()));
                turns.push(Turn { comes: false, ..turn });
                continue;
            }
            let Some(place) = self.fit.pop() else { break };
            let turn = self.turn(place as usize, NOBODY, true);
            open.push(turn);
            turns.push(turn);
        }
        turns
    }

    /// So many of the prefixes, with their origins, that all senders announce with one and the same.
    pub(crate) fn of_one_origin(&mut self, count: usize) -> Vec<(u32, u32)> {
        self.with_origins(count, |_| true)
    }

    /// So many of them that are all that their origins announce.
    pub(crate) fn of_origins_with_one(&mut self, count: usize) -> Vec<(u32, u32)> {
        let mut places: HashMap<u32, (u32, bool)> = HashMap::new();
        for run in self.table.feeds.iter().flat_map(|feed| &feed.sets) {
            for place in &run.places {
                let only = places.entry(self.origin(run.set)).or_insert((*place, true));
                only.1 &= only.0 == *place;
            }
        }
        self.with_origins(count, |origin| places.get(&origin).is_some_and(|(_, is_only)| *is_only))
    }

    fn with_origins(&mut self, count: usize, is_meant: impl Fn(u32) -> bool) -> Vec<(u32, u32)> {
        let mut found = Vec::with_capacity(count);
        while let Some(place) = self.fit.pop().filter(|_| found.len() < count) {
            let sets = self.sets.iter().map(|sets| sets[place as usize]).filter(|set| *set != u32::MAX);
            let mut origins: Vec<u32> = sets.map(|set| self.origin(set)).collect();
            origins.dedup();
            if let [origin] = origins[..]
                && is_meant(origin)
            {
                found.push((place, origin));
            }
        }
        found
    }

    /// The set of attributes that the listener should get a prefix with: the shortest path that is not refused, then the
    /// first sender's.
    pub(crate) fn best(&self, place: usize, vrps: &Vrps) -> Option<u32> {
        let prefix = self.table.prefixes[place];
        let sets = self.sets.iter().map(|sets| sets[place]).filter(|set| *set != u32::MAX);
        let accepted = sets.filter(|set| !vrps.refuses(prefix, self.origin(*set)));
        accepted.min_by_key(|set| self.table.sets[*set as usize].path.len())
    }

    fn four_turns(&self, place: usize) -> [Turn; 4] {
        let set = self.best(place, &Vrps::default());
        let origin = set.map_or(0, |set| self.origin(set));
        [(NOBODY, true), (origin, true), (origin, false), (NOBODY, false)]
            .map(|(asn, comes)| self.turn(place, asn, comes))
    }

    fn turn(&self, place: usize, asn: u32, comes: bool) -> Turn {
        let prefix = self.table.prefixes[place];
        Turn { place, vrp: Vrp { prefix, max_length: prefix.len, asn }, comes }
    }

    fn origin(&self, set: u32) -> u32 {
        self.table.sets[set as usize].path.last().copied().unwrap_or_default()
    }
}

/// By sender, by place: the set that it announces.
fn sets_by_place(table: &Table) -> Vec<Vec<u32>> {
    let of_feed = |feed: &crate::table::Feed| {
        let mut sets = vec![u32::MAX; table.prefixes.len()];
        for run in &feed.sets {
            run.places.iter().for_each(|place| sets[*place as usize] = run.set);
        }
        sets
    };
    table.feeds.iter().map(of_feed).collect()
}

/// The places of prefixes that no other is a part of.
pub(crate) fn without_more_specifics(prefixes: &[Prefix]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..prefixes.len() as u32).collect();
    order.sort_unstable_by_key(|place| {
        let prefix = prefixes[*place as usize];
        (prefix.six, prefix.bits, prefix.len)
    });
    // Behind a prefix come its more specifics, before all others.
    let is_lone = |at: usize| {
        let prefix = prefixes[order[at] as usize];
        order.get(at + 1).is_none_or(|next| {
            let next = prefixes[*next as usize];
            next.six != prefix.six || Prefix::new(next.six, next.bits, prefix.len) != prefix
        })
    };
    (0..order.len()).filter(|at| is_lone(*at)).map(|at| order[at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up;

    fn prefixes(all: &[&str]) -> Vec<Prefix> {
        all.iter().map(|prefix| Prefix::parse(prefix).unwrap()).collect()
    }

    #[test]
    fn knows_who_has_more_specifics() {
        let all =
            prefixes(&["10.0.0.0/8", "10.0.0.0/16", "10.1.0.0/16", "11.0.0.0/8", "::/0", "2001:db8::/32"]);
        let mut lone = without_more_specifics(&all);
        lone.sort_unstable();
        assert_eq!(lone, [1, 2, 3, 5]);
    }

    #[test]
    fn every_turn_changes_what_the_listener_should_get() {
        let table = made_up::table(&"full2x2000".parse().unwrap()).unwrap();
        let mut vrps = Vrps::made_up(&table, 1_500);
        let mut lone = Lone::new(&table, &vrps);
        let turns = lone.turns(10);
        assert_eq!(turns.len(), 10);
        for (n, turn) in turns.iter().enumerate() {
            let before = lone.best(turn.place, &vrps);
            vrps.set(turn.vrp, turn.comes);
            assert_ne!(before.is_some(), lone.best(turn.place, &vrps).is_some(), "{n}: {turn:?}");
        }
    }

    #[test]
    fn origins_with_one_prefix_have_no_other() {
        let table = made_up::table(&"irr2x2000".parse().unwrap()).unwrap();
        let mut lone = Lone::new(&table, &Vrps::default());
        let found = lone.of_origins_with_one(20);
        assert_eq!((found.len(), lone.of_one_origin(5).len()), (20, 5));
        for (place, origin) in found {
            let of_it = |run: &&crate::table::Run| table.sets[run.set as usize].path.last() == Some(&origin);
            for feed in &table.feeds {
                let places: Vec<u32> =
                    feed.sets.iter().filter(of_it).flat_map(|run| run.places.clone()).collect();
                assert_eq!(places, [place]);
            }
        }
    }

    #[test]
    fn mixed_turns_come_and_go_and_end_with_a_new_one() {
        let table = made_up::table(&"full2x2000".parse().unwrap()).unwrap();
        let turns = Lone::new(&table, &Vrps::default()).mixed_turns(100);
        assert_eq!(turns.len(), 100);
        let going = turns.iter().filter(|turn| !turn.comes).count();
        assert!((10..50).contains(&going), "{going}");
        let last = turns[99];
        assert!(last.comes && turns.iter().filter(|turn| turn.place == last.place).count() == 1);
    }
}
