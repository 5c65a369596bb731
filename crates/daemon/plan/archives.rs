//! The routes of MRT archives, judged by both policies.
//!
//! Of a route that is announced again and again the last announcement counts, and of one that is withdrawn none: what is planned
//! for is the table that the archives lead to.

use std::path::PathBuf;

use palisade_bgp::{Address, Attributes, Path};

use super::PlanError;
use super::ledger::{Ledger, RouteKey};
use super::side::Side;
use crate::input::Input;
use crate::mrt::{Damage, Fault, Reader, Source, Visitor};
use crate::replay::progress::Progress;

/// Damages that are told of one by one.
const MAX_DAMAGES: usize = 10;

/// Reads archives; what could not be read of them is told.
pub(super) fn read(
    paths: &[PathBuf],
    old: &mut Side,
    new: &mut Side,
    keeps_paths: bool,
) -> Result<(Ledger, Damages), PlanError> {
    let sizes = paths.iter().map(|path| Input::look_at(path)).collect::<Result<Vec<_>, _>>()?;
    let mut progress = Progress::new(sizes.into_iter().sum());
    let mut comparing = Comparing {
        old,
        new,
        ledger: Ledger::default(),
        damages: Damages::default(),
        file: String::new(),
        keeps_paths,
    };
    let mut reader = Reader::new();
    for path in paths {
        let input = Input::open(path)?;
        comparing.file = input.name().to_owned();
        let before = comparing.damages.count;
        let records = reader.read(progress.watch(input), &mut comparing);
        if records == 0 && comparing.damages.count > before {
            return Err(PlanError::NotMrt(comparing.file));
        }
    }
    progress.finish();
    Ok((comparing.ledger, comparing.damages))
}

/// What could not be read.
#[derive(Debug, Default)]
pub(super) struct Damages {
    pub(super) count: u64,
    /// The first of them.
    pub(super) told: Vec<String>,
}

struct Comparing<'a> {
    old: &'a mut Side,
    new: &'a mut Side,
    ledger: Ledger,
    damages: Damages,
    file: String,
    keeps_paths: bool,
}

impl Comparing<'_> {
    /// The peer's place, which is its number in the archives.
    fn meet(&mut self, from: Source, name: impl FnOnce(&Self) -> Option<String>) -> usize {
        let at = from.peer.index();
        if self.ledger.peers.len() <= at {
            self.ledger.peers.resize(at + 1, String::new());
        }
        if self.ledger.peers[at].is_empty() {
            let stranger = || format!("{} at {}", from.key.asn, from.key.address);
            self.ledger.peers[at] = name(self).unwrap_or_else(stranger);
        }
        at
    }

    fn forget<A: Address>(&mut self, from: Source, paths: impl Iterator<Item = Path<A>>) {
        let peer = from.peer.index();
        for Path { net, path_id } in paths {
            self.ledger.same(RouteKey { prefix: A::prefix(net), peer, path_id });
        }
    }
}

impl Visitor for Comparing<'_> {
    fn announced<A: Address>(
        &mut self,
        from: Source,
        attributes: Attributes<'_>,
        paths: impl Iterator<Item = Path<A>>,
    ) {
        let (was, is) = (self.old.hear(from, &attributes), self.new.hear(from, &attributes));
        let peer = self.meet(from, |comparing| {
            let places = [
                (comparing.new.judged(is).at, &comparing.new),
                (comparing.old.judged(was).at, &comparing.old),
            ];
            places.into_iter().find_map(|(at, side)| Some(side.config.peers.get(at?)?.name.clone()))
        });
        let (old, new) = (self.old.judged(was), self.new.judged(is));
        let alike =
            old.at.is_some() == new.at.is_some() && self.old.preference(old) == self.new.preference(new);
        for Path { net, path_id } in paths {
            let key = RouteKey { prefix: A::prefix(net), peer, path_id };
            let (before, after) =
                (self.old.judge(net, &attributes, was), self.new.judge(net, &attributes, is));
            self.ledger.judged += 1;
            let both = before.accepted() && after.accepted();
            if alike && both && before.amendment.is_none() && after.amendment.is_none() {
                self.ledger.same(key);
                continue;
            }
            let before = self.old.ruling(before, &attributes, old, new);
            let after = self.new.ruling(after, &attributes, new, old);
            match before.difference(&after) {
                None => self.ledger.same(key),
                Some(difference) => {
                    let as_path = self.keeps_paths.then(|| attributes.as_path().to_string());
                    self.ledger.change(key, difference, as_path);
                }
            }
        }
    }

    fn withdrawn<A: Address>(&mut self, from: Source, paths: impl Iterator<Item = Path<A>>) {
        self.forget(from, paths);
    }

    fn unusable<A: Address>(&mut self, from: Source, paths: impl Iterator<Item = Path<A>>) {
        self.forget(from, paths);
    }

    fn damaged(&mut self, damage: Damage) {
        self.damages.count += 1;
        if self.damages.told.len() < MAX_DAMAGES {
            self.damages.told.push(match &damage.fault {
                Fault::CutInput(why) | Fault::Unreadable(why) => why.clone(),
                fault => format!("{}, unpacked offset {}: {fault}", self.file, damage.offset),
            });
        }
    }
}
