//! Every route of the archives, judged and counted.

use palisade_bgp::fault::Fault as AttributeFault;
use palisade_bgp::{Address, Attributes, Path};
use palisade_policy::{PathVerdict, Snapshot, judge_path, judge_prefix};

use super::prefixes::Prefixes;
use super::roster::Roster;
use super::routes::Routes;
use super::tally::Tally;
use crate::mrt::{Damage, Fault, Kind, Recall, SLOTS, Source, Visitor};

/// Judges what it is shown.
pub(super) struct Judging<'a> {
    pub(super) tables: &'a Snapshot,
    pub(super) roster: Roster,
    pub(super) tally: Tally,
    pub(super) prefixes: Prefixes,
    pub(super) routes: Option<Routes>,
    /// What was said of the attributes that are kept.
    paths: Vec<PathVerdict>,
    /// The file that is read.
    pub(super) file: String,
    /// What was wrong last in it.
    pub(super) last_fault: Option<Fault>,
}

impl<'a> Judging<'a> {
    pub(super) fn new(tables: &'a Snapshot, roster: Roster, routes: Option<Routes>) -> Self {
        let (tally, prefixes) = (Tally::default(), Prefixes::new());
        let paths = vec![PathVerdict::default(); SLOTS];
        Judging { tables, roster, tally, prefixes, routes, paths, file: String::new(), last_fault: None }
    }
}

impl Visitor for Judging<'_> {
    #[inline]
    fn announced<A: Address>(
        &mut self,
        from: Source,
        attributes: Attributes<'_>,
        paths: impl Iterator<Item = Path<A>>,
    ) {
        let peer = self.roster.of(from);
        let path = match from.recall {
            Recall::Again(slot) => self.paths[slot],
            Recall::New(slot) => {
                self.paths[slot] = judge_path(&attributes, peer, self.tables, &mut ());
                self.paths[slot]
            }
            Recall::Not => judge_path(&attributes, peer, self.tables, &mut ()),
        };
        for Path { net, .. } in paths {
            let verdict = judge_prefix(net, &attributes, path, peer, self.tables, &mut ());
            self.tally.announcements += 1;
            self.tally.judge(path, verdict);
            self.prefixes.add(net);
            if let Some(routes) = &mut self.routes {
                routes.write(net, from.key.asn, attributes.as_path(), verdict, &self.tables.rules);
            }
        }
    }

    fn withdrawn<A: Address>(&mut self, from: Source, paths: impl Iterator<Item = Path<A>>) {
        self.roster.of(from);
        self.tally.withdrawals += paths.count() as u64;
    }

    fn unusable<A: Address>(&mut self, from: Source, paths: impl Iterator<Item = Path<A>>) {
        self.roster.of(from);
        let count = paths.count() as u64;
        self.tally.announcements += count;
        self.tally.unusable += count;
    }

    fn faults(&mut self, _: Source, _: &[AttributeFault]) {
        self.tally.faulty += 1;
    }

    fn state_changed(&mut self, _: Source, _: u16, _: u16) {
        self.tally.state_changes += 1;
    }

    fn damaged(&mut self, damage: Damage) {
        self.last_fault = Some(damage.fault.clone());
        self.tally.damage(&self.file, damage);
    }

    fn unread(&mut self, kind: Kind) {
        self.tally.unread(kind);
    }

    fn is_done(&self) -> bool {
        self.routes.as_ref().is_some_and(Routes::has_failed)
    }
}
