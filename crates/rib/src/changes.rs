//! What is on offer otherwise than before, and nobody was told of yet.
//!
//! Whatever changes the paths of an entry looks at it before it does, and has them ranked after:
//!
//! ```text
//!   Before::of --> paths come, go, are judged again --> Changes::reselect      any number of times, then
//!                                                            '--> Changes::take --> FIB, update groups
//! ```
//!
//! So no path but the best is marked as anything in the table, and nothing is remembered of what peers were told: both follow
//! from an entry as it was and as it is. What is put back before anybody was told has not changed.

use palisade_bgp::prefix::{Address, Net};

use crate::decision::best_path;
use crate::group::Change;
use crate::offer::{Depth, Offers, offers, same};
use crate::path::Path;
use crate::peer::Peers;
use crate::table::Paths;

/// The changes of one family in a shard, as they came about.
#[derive(Debug)]
pub(crate) struct Changes<A: Address> {
    list: Vec<Change<A>>,
}

impl<A: Address> Default for Changes<A> {
    fn default() -> Self {
        Changes { list: Vec::new() }
    }
}

impl<A: Address> Changes<A> {
    /// Puts the best path of an entry first (RFC 4271 s9.1.2) and notes what is on offer now, if that has changed.
    pub(crate) fn reselect(&mut self, net: Net<A>, before: Before, paths: &mut Paths, peers: &Peers) {
        if let Some(at) = best_path(paths, |peer| peers.ranking(peer)) {
            paths.swap(0, at);
        }
        if let Some((old, new)) = before.changed(paths, peers) {
            self.list.push(Change { net, old, new });
        }
    }

    /// The changes since the last time, one a prefix; those that were undone are left out.
    pub(crate) fn take(&mut self) -> Vec<Change<A>> {
        let mut changes = std::mem::take(&mut self.list);
        // Changes are large and seldom of the same prefix: their places are sorted, and they stay where they are.
        let places = changes.iter().zip(0..).map(|(change, place): (_, u32)| (change.net, place));
        let mut places: Vec<(Net<A>, u32)> = places.collect();
        places.sort_unstable();
        for again in places.chunk_by(|one, next| one.0 == next.0).filter(|again| again.len() > 1) {
            let (first, last) = (again[0].1 as usize, again[again.len() - 1].1 as usize);
            changes[first].new = std::mem::take(&mut changes[last].new);
            for (_, later) in &again[1..] {
                let later = &mut changes[*later as usize];
                (later.old, later.new) = (Offers::new(), Offers::new());
            }
        }
        changes.retain(|change| !same(&change.old, &change.new));
        changes
    }
}

/// What was on offer before an entry was changed, in no more words than the peers that are up can ask for. Most paths of a
/// full table change nothing: then the best one was all there was to compare.
pub(crate) enum Before {
    Best(Option<Path>),
    Offers(Offers),
}

impl Before {
    /// What is on offer of an entry that is about to be changed.
    pub(crate) fn of(paths: &[Path], peers: &Peers) -> Self {
        match peers.depth() {
            Depth::Best => Before::Best(eligible(paths).cloned()),
            Depth::OneEach | Depth::All => Before::Offers(offers(paths, peers)),
        }
    }

    /// What was on offer and what is, where that is not the same.
    fn changed(self, paths: &[Path], peers: &Peers) -> Option<(Offers, Offers)> {
        match self {
            Before::Best(old) => {
                let is_same = match (&old, eligible(paths)) {
                    (Some(old), Some(new)) => old.is_same(new),
                    (None, None) => true,
                    _ => false,
                };
                (!is_same).then(|| (offers(old.as_slice(), peers), offers(paths, peers)))
            }
            Before::Offers(old) => {
                let new = offers(paths, peers);
                (!same(&old, &new)).then_some((old, new))
            }
        }
    }
}

/// The best path of an entry: its first, where that is eligible.
fn eligible(paths: &[Path]) -> Option<&Path> {
    paths.first().filter(|path| path.is_eligible())
}
