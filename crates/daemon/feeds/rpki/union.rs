//! The union of what all sources say, with the operator's exceptions: what announcements are judged by.
//!
//! A small change of one source makes a small change of the union, in a time that does not depend on how much is held.
//! Where there is one source and no exception to it, its own index is the union.

use std::sync::Arc;

use palisade_policy::{Aspa, AspaIndex, RovIndex, Vrp};

use super::set::{RpkiSet, unless_equal};
use crate::feeds::slurm::Slurm;

/// What announcements are judged by. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct RpkiTables {
    /// Counts up with every change; 0 while no source has said anything.
    pub(crate) serial: u64,
    /// The VRPs in force. Made from those before where that saves work, so `changed_ranges` is quick after small changes.
    pub(crate) rov: Arc<RovIndex>,
    /// The ASPAs in force.
    pub(crate) aspa: Arc<AspaIndex>,
}

/// The tables, and what they were made of.
#[derive(Debug, Default)]
pub(super) struct Union {
    slurm: Slurm,
    /// What each source's data was; `None` for one that does not count.
    sources: Vec<Option<RpkiSet>>,
    tables: RpkiTables,
}

impl Union {
    /// The tables as they are.
    pub(super) fn tables(&self) -> &RpkiTables {
        &self.tables
    }

    /// Other exceptions hold. Whether the tables have changed.
    pub(super) fn except(&mut self, slurm: Slurm) -> bool {
        self.slurm = slurm;
        let rov = self.whole_rov(&self.sources);
        let aspa = self.whole_aspa(&self.sources);
        self.put(rov, aspa)
    }

    /// These are the sources' data now, in the order they always come. Whether the tables have changed.
    pub(super) fn update(&mut self, sources: Vec<Option<RpkiSet>>) -> bool {
        let rov = match self.amendments(&sources) {
            Some((added, removed)) if !self.is_one(&sources) => {
                if added.is_empty() && removed.is_empty() {
                    Arc::clone(&self.tables.rov)
                } else {
                    Arc::new(self.tables.rov.amended(added, removed))
                }
            }
            _ => self.whole_rov(&sources),
        };
        let aspa = if self.has_same_aspas(&sources) {
            Arc::clone(&self.tables.aspa)
        } else {
            self.whole_aspa(&sources)
        };
        self.sources = sources;
        self.put(rov, aspa)
    }

    fn put(&mut self, rov: Arc<RovIndex>, aspa: Arc<AspaIndex>) -> bool {
        let is_same = Arc::ptr_eq(&rov, &self.tables.rov) && Arc::ptr_eq(&aspa, &self.tables.aspa);
        if !is_same {
            self.tables = RpkiTables { serial: self.tables.serial + 1, rov, aspa };
        }
        !is_same
    }

    /// Whether one source's own index is the union.
    fn is_one(&self, sources: &[Option<RpkiSet>]) -> bool {
        self.slurm.leaves_vrps() && sources.iter().flatten().count() == 1
    }

    fn whole_rov(&self, sources: &[Option<RpkiSet>]) -> Arc<RovIndex> {
        if self.is_one(sources)
            && let Some(set) = sources.iter().flatten().next()
        {
            return Arc::clone(&set.rov);
        }
        let told = sources.iter().flatten().flat_map(|set| set.rov.iter());
        let kept = told.filter(|vrp| !self.slurm.drops(*vrp));
        let rov = self.tables.rov.replaced(kept.chain(self.slurm.vrps()).collect());
        let difference = self.tables.rov.difference(&rov);
        if difference.is_some_and(|(come, gone)| come.is_empty() && gone.is_empty()) {
            Arc::clone(&self.tables.rov)
        } else {
            Arc::new(rov)
        }
    }

    /// What comes to the union and what goes from it, where all sources have changed by little.
    fn amendments(&self, sources: &[Option<RpkiSet>]) -> Option<(Vec<Vrp>, Vec<Vrp>)> {
        if sources.len() != self.sources.len() {
            return None;
        }
        let is_told = |vrp: Vrp| sources.iter().flatten().any(|set| set.rov.contains(vrp));
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for pair in self.sources.iter().zip(sources) {
            let (come, gone) = match pair {
                (None, None) => continue,
                (Some(old), Some(new)) => old.rov.difference(&new.rov)?,
                _ => return None,
            };
            added.extend(come.into_iter().filter(|vrp| !self.slurm.drops(*vrp)));
            removed.extend(gone.into_iter().filter(|vrp| !self.slurm.asserts(*vrp) && !is_told(*vrp)));
        }
        Some((added, removed))
    }

    fn has_same_aspas(&self, sources: &[Option<RpkiSet>]) -> bool {
        let is_same = |(old, new): (&Option<RpkiSet>, &Option<RpkiSet>)| match (old, new) {
            (Some(old), Some(new)) => Arc::ptr_eq(&old.aspa, &new.aspa),
            (None, None) => true,
            _ => false,
        };
        sources.len() == self.sources.len() && self.sources.iter().zip(sources).all(is_same)
    }

    /// There are few ASPAs, so they are put together anew each time.
    fn whole_aspa(&self, sources: &[Option<RpkiSet>]) -> Arc<AspaIndex> {
        let mut sets = sources.iter().flatten();
        if self.slurm.leaves_aspas()
            && let (Some(only), None) = (sets.next(), sets.next())
        {
            return Arc::clone(&only.aspa);
        }
        let told = sources.iter().flatten().flat_map(|set| set.aspa.iter());
        let kept = told.filter(|(customer, _)| !self.slurm.drops_aspa(*customer));
        let kept = kept.map(|(customer, providers)| Aspa { customer, providers: providers.clone() });
        unless_equal(&self.tables.aspa, AspaIndex::build(kept.chain(self.slurm.aspas().cloned())))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code fails by panicking")]

    use std::collections::BTreeSet;
    use std::path::Path;

    use palisade_bgp::{Asn, Net, Prefix};

    use super::*;
    use crate::feeds::slurm::SlurmFile;

    fn vrp(at: u32) -> Vrp {
        Vrp::new(Prefix::V4(Net::new(0x0a00_0000 + (at << 8), 24)), 24, Asn(64_500)).unwrap()
    }

    fn set(vrps: impl IntoIterator<Item = u32>) -> RpkiSet {
        RpkiSet::default().replaced(vrps.into_iter().map(vrp).collect(), Vec::new())
    }

    fn held(union: &Union) -> BTreeSet<Vrp> {
        union.tables().rov.iter().collect()
    }

    fn slurm(filters: &str, assertions: &str) -> Slurm {
        let text = format!(
            r#"{{"slurmVersion":2,"validationOutputFilters":{{{filters}}},"locallyAddedAssertions":{{{assertions}}}}}"#
        );
        let file = SlurmFile::read(text.as_bytes()).unwrap();
        Slurm::of([(Path::new("slurm.json"), &file)]).unwrap()
    }

    #[test]
    fn one_source_is_the_union_itself() {
        let mut union = Union::default();
        let one = set(0..10);
        assert!(union.update(vec![Some(one.clone()), None]));
        assert!(Arc::ptr_eq(&union.tables().rov, &one.rov));
        assert!(!union.update(vec![Some(one), None]), "nothing has changed");
        assert_eq!(union.tables().serial, 1);
    }

    /// Random changes of three sources under exceptions that come and go, against the union made anew.
    #[test]
    fn the_union_is_what_it_would_be_made_anew() {
        let mut state = 1u32;
        let mut random = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        let exceptions = [
            (r#""prefixFilters":[]"#, ""),
            (
                r#""prefixFilters":[{"prefix":"10.0.0.0/19"}]"#,
                r#""prefixAssertions":[{"asn":64500,"prefix":"10.0.40.0/24"}]"#,
            ),
        ];
        let mut union = Union::default();
        let mut sources = vec![Some(set(0..50)), Some(set(25..75)), None];
        let mut exception = 0;
        for _ in 0..300 {
            let at = random(3) as usize;
            sources[at] = match (random(10), &sources[at]) {
                (0, _) => None,
                (1, _) | (_, None) => Some(set((0..random(80)).collect::<Vec<_>>())),
                (_, Some(old)) => {
                    let rov = old.rov.amended([vrp(random(80))], [vrp(random(80))]);
                    Some(RpkiSet { rov: Arc::new(rov), aspa: old.aspa.clone() })
                }
            };
            let before = union.tables().clone();
            let mut changed = union.update(sources.clone());
            if random(10) == 0 {
                exception = 1 - exception;
                let (filters, assertions) = exceptions[exception];
                changed |= union.except(slurm(filters, assertions));
            }
            let (filters, assertions) = exceptions[exception];
            let slurm = slurm(filters, assertions);
            let told = sources.iter().flatten().flat_map(|set| set.rov.iter());
            let expected: BTreeSet<Vrp> = told.filter(|vrp| !slurm.drops(*vrp)).chain(slurm.vrps()).collect();
            assert_eq!(held(&union), expected);
            assert!(changed || before.rov.iter().collect::<BTreeSet<_>>() == expected);
        }
    }

    #[test]
    fn aspas_are_united_filtered_and_asserted() {
        let aspas = |aspas: &[(u32, u32)]| {
            let aspa = |(customer, provider): &(u32, u32)| Aspa {
                customer: Asn(*customer),
                providers: [Asn(*provider)].into_iter().collect(),
            };
            RpkiSet::default().replaced(vec![vrp(0)], aspas.iter().map(aspa).collect())
        };
        let mut union = Union::default();
        union.update(vec![Some(aspas(&[(1, 10), (2, 20)])), Some(aspas(&[(1, 11)]))]);
        let providers = |union: &Union, customer: u32| -> Option<Vec<u32>> {
            let set = union.tables().aspa.providers(Asn(customer))?;
            Some(set.iter().map(|asn| asn.0).collect())
        };
        assert_eq!(providers(&union, 1), Some(vec![10, 11]));
        assert!(union.except(slurm(
            r#""aspaFilters":[{"customerAsn":1}]"#,
            r#""aspaAssertions":[{"customerAsn":1,"providerAsns":[12]},{"customerAsn":2,"providerAsns":[21]}]"#
        )));
        assert_eq!(providers(&union, 1), Some(vec![12]));
        assert_eq!(providers(&union, 2), Some(vec![20, 21]));
    }
}
