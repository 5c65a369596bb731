//! A made-up database of the IRR, in which all routes of a table are registered, and as many objects besides as a large
//! registry has.
//!
//! ```text
//!   AS-BENCH --- AS-BENCH-0 --- 200 origins --- a route object for each of their prefixes
//!            +-- AS-BENCH-1 --- ..
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use crate::mirror::{FIRST_SERIAL, SOURCE};
use crate::prefix::Prefix;
use crate::problem::Problem;
use crate::table::Table;

/// The as-set that every peer has.
pub(crate) const AS_SET: &str = "AS-BENCH";
/// Where the database and its serial are written in a folder.
pub(crate) const DUMP: &str = "bench.db";
pub(crate) const SERIAL: &str = "bench.serial";
/// Objects in all, where the table doesn't need more.
const OBJECTS: usize = 2_000_000;
/// Origins of one as-set.
const GROUP: usize = 200;
/// Origins of the objects besides: none is in the table.
const NOBODYS: u32 = 4_100_000_000;

/// The database.
#[derive(Debug)]
pub(crate) struct Registry<'a> {
    table: &'a Table,
    groups: Vec<Vec<u32>>,
    group_of: BTreeMap<u32, usize>,
}

impl<'a> Registry<'a> {
    /// Of a table.
    pub(crate) fn new(table: &'a Table) -> Self {
        let origins: BTreeSet<u32> = table.sets.iter().filter_map(|set| set.path.last().copied()).collect();
        let origins: Vec<u32> = origins.into_iter().collect();
        let groups: Vec<Vec<u32>> = origins.chunks(GROUP).map(<[u32]>::to_vec).collect();
        let numbered = groups.iter().enumerate();
        let group_of = numbered.flat_map(|(n, group)| group.iter().map(move |asn| (*asn, n))).collect();
        Registry { table, groups, group_of }
    }

    /// Writes the database and its serial into a folder; the number of route objects.
    pub(crate) fn write(&self, dir: &Path) -> Result<usize, Problem> {
        let path = dir.join(DUMP);
        let mut out = BufWriter::new(File::create(&path).map_err(Problem::file(&path))?);
        let mut put = |object: String| writeln!(out, "{object}").map_err(Problem::file(&path));
        put(self.top())?;
        (0..self.groups.len()).try_for_each(|group| put(self.as_set(group, None)))?;
        let registered = self.registered();
        registered.iter().try_for_each(|(place, origin)| put(self.route(*place, *origin)))?;
        let besides = OBJECTS.saturating_sub(registered.len());
        let real = self.table.first_probe();
        (0..besides).try_for_each(|n| put(self.route((n % real) as u32, NOBODYS + (n / real) as u32)))?;
        out.flush().map_err(Problem::file(&path))?;
        let path = dir.join(SERIAL);
        std::fs::write(&path, format!("{FIRST_SERIAL}\n")).map_err(Problem::file(&path))?;
        Ok(registered.len() + besides)
    }

    /// The route object of a place in the table.
    pub(crate) fn route(&self, place: u32, origin: u32) -> String {
        let prefix: Prefix = self.table.prefixes[place as usize];
        let class = if prefix.six { "route6" } else { "route" };
        format!("{class}: {prefix}\norigin: AS{origin}\nmnt-by: MNT-BENCH\nsource: {SOURCE}\n")
    }

    /// The as-set that an origin is in, with it or without.
    pub(crate) fn as_set_of(&self, origin: u32, with: bool) -> String {
        let group = self.group_of.get(&origin).copied().unwrap_or_default();
        self.as_set(group, (!with).then_some(origin))
    }

    fn as_set(&self, group: usize, without: Option<u32>) -> String {
        let mut text = format!("as-set: {AS_SET}-{group}\n");
        for asn in self.groups[group].iter().filter(|asn| Some(**asn) != without) {
            let _ = writeln!(text, "members: AS{asn}");
        }
        text + &format!("source: {SOURCE}\n")
    }

    fn top(&self) -> String {
        let mut text = format!("as-set: {AS_SET}\n");
        for group in 0..self.groups.len() {
            let _ = writeln!(text, "members: {AS_SET}-{group}");
        }
        text + &format!("source: {SOURCE}\n")
    }

    /// Each prefix with each origin that anybody announces it with.
    fn registered(&self) -> BTreeSet<(u32, u32)> {
        let mut all = BTreeSet::new();
        for run in self.table.feeds.iter().flat_map(|feed| &feed.sets) {
            let origin = self.table.sets[run.set as usize].path.last().copied().unwrap_or_default();
            all.extend(run.places.iter().map(|place| (*place, origin)));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_registered_by_somebody_in_the_as_set() {
        let table = crate::made_up::table(&"irr2x300".parse().unwrap()).unwrap();
        let registry = Registry::new(&table);
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(registry.write(dir.path()).unwrap(), OBJECTS);
        let text = std::fs::read_to_string(dir.path().join(DUMP)).unwrap();
        let objects: BTreeSet<&str> = text.split("\n\n").take(1_000).collect();
        for run in table.feeds.iter().flat_map(|feed| &feed.sets) {
            let origin = *table.sets[run.set as usize].path.last().unwrap();
            assert!(registry.as_set_of(origin, true).contains(&format!("members: AS{origin}\n")));
            assert!(!registry.as_set_of(origin, false).contains(&format!("members: AS{origin}\n")));
            assert!(objects.contains(registry.as_set_of(origin, true).trim_end()));
            assert!(
                run.places.iter().all(|place| objects.contains(registry.route(*place, origin).trim_end()))
            );
        }
    }
}
