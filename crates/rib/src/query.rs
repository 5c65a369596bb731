//! Reading the table while it is in use: one short visit to a shard at a time.
//!
//! Whoever wants to see many paths asks for a [`Page`] of them, and then for the page after the last prefix it was told
//! of. A visit ends when it has found 512 paths or looked at 2,048, whichever comes first, so it
//! takes a shard about a millisecond, however large the table is and however little of it is wanted; nothing is
//! locked or copied in between. The price: what is asked for in pages is not of one moment. A path that changes between
//! two visits is seen as it was or as it is, one that stays is always seen, and none is seen twice.
//!
//! A path is found with its attributes by reference, so a page costs a few words a path. All paths to a prefix come in
//! the same page, because they have no order of their own to go on from.

use std::net::IpAddr;

use palisade_bgp::Family;
use palisade_bgp::prefix::{Address, Net, Prefix};

use crate::path::{Path, PeerIndex};
use crate::shard::Shard;
use crate::table::Table;

/// Paths that a page has before it ends: at the end of a prefix, so it may have more.
const MOST_FOUND: usize = 512;
/// Paths that are looked at for a page, wanted or not: half a microsecond each, where none of them is in a cache.
const MOST_VISITED: usize = 2_048;

/// What is asked of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which prefixes.
    pub scope: Scope,
    /// Which of the paths to them.
    pub selection: Selection,
    /// The prefix that the last page ended with.
    pub after: Option<Prefix>,
}

/// Prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of a family.
    Family(Family),
    /// This one.
    Exact(Prefix),
    /// This one and what it covers.
    Longer(Prefix),
    /// The longest that holds the address, of those with a path that is selected.
    Longest(IpAddr),
}

/// Paths to a prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Whose; `None` for everybody's.
    pub peer: Option<PeerIndex>,
    /// What became of them.
    pub standing: Standing,
}

/// What became of a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Whatever.
    #[default]
    Any,
    /// Accepted by the judge.
    Accepted,
    /// Rejected by it.
    Rejected,
    /// Chosen by the decision process.
    Best,
}

/// A path that was found.
#[derive(Clone, Debug)]
pub struct Held {
    /// What it leads to.
    pub prefix: Prefix,
    /// The path; its attributes are shared with the table.
    pub path: Path,
    /// Whether it is the best one.
    pub best: bool,
    /// Whether its peer is yet to say it again.
    pub stale: bool,
}

/// What one visit found, in the order of prefixes.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The paths.
    pub paths: Vec<Held>,
    /// Where the next page goes on; `None` where there is none.
    pub after: Option<Prefix>,
}

/// How much a shard holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Prefixes with a path, accepted or not, by family.
    pub prefixes: [usize; 2],
    /// Update groups, by family.
    pub groups: [usize; 2],
}

impl Shard {
    /// The page of an answer that follows [`Query::after`].
    pub fn page(&self, query: &Query) -> Page {
        let mut page = self.find(query);
        page.paths.iter_mut().for_each(|held| held.stale = self.is_stale(held.prefix.family(), &held.path));
        page
    }

    fn find(&self, query: &Query) -> Page {
        match query.scope {
            Scope::Family(Family::Ipv4) => range(self.ipv4(), Net::DEFAULT, query),
            Scope::Family(Family::Ipv6) => range(self.ipv6(), Net::DEFAULT, query),
            Scope::Longer(Prefix::V4(net)) => range(self.ipv4(), net, query),
            Scope::Longer(Prefix::V6(net)) => range(self.ipv6(), net, query),
            Scope::Exact(Prefix::V4(net)) => exact(self.ipv4(), net, query.selection),
            Scope::Exact(Prefix::V6(net)) => exact(self.ipv6(), net, query.selection),
            Scope::Longest(IpAddr::V4(address)) => longest(self.ipv4(), address.to_bits(), query.selection),
            Scope::Longest(IpAddr::V6(address)) => longest(self.ipv6(), address.to_bits(), query.selection),
        }
    }

    /// How much there is.
    pub fn totals(&self) -> Totals {
        Totals { prefixes: [self.ipv4().len(), self.ipv6().len()], groups: self.groups() }
    }
}

impl Selection {
    fn holds(self, path: &Path, best: bool) -> bool {
        self.peer.is_none_or(|peer| peer == path.peer())
            && match self.standing {
                Standing::Any => true,
                Standing::Accepted => path.verdict().reason.is_none(),
                Standing::Rejected => path.verdict().reason.is_some(),
                Standing::Best => best,
            }
    }

    fn add<A: Address>(self, net: Net<A>, paths: &[Path], found: &mut Vec<Held>) {
        for (at, path) in paths.iter().enumerate() {
            // The first path of an entry is the best one wherever any is eligible.
            let best = at == 0 && path.is_eligible();
            if self.holds(path, best) {
                found.push(Held { prefix: A::prefix(net), path: path.clone(), best, stale: false });
            }
        }
    }
}

fn range<A: Address>(table: &Table<A>, within: Net<A>, query: &Query) -> Page {
    match query.after.and_then(A::of_prefix) {
        None => walk(table.under(within), query.selection),
        after => walk(table.iter_after(after).take_while(|(net, _)| within.covers(*net)), query.selection),
    }
}

fn walk<'a, A: Address>(entries: impl Iterator<Item = (Net<A>, &'a [Path])>, selection: Selection) -> Page {
    let mut page = Page::default();
    let mut visited = 0;
    for (net, paths) in entries {
        selection.add(net, paths, &mut page.paths);
        visited += paths.len().max(1);
        if page.paths.len() >= MOST_FOUND || visited >= MOST_VISITED {
            page.after = Some(A::prefix(net));
            break;
        }
    }
    page
}

fn exact<A: Address>(table: &Table<A>, net: Net<A>, selection: Selection) -> Page {
    let mut page = Page::default();
    selection.add(net, table.paths(net), &mut page.paths);
    page
}

fn longest<A: Address>(table: &Table<A>, address: A, selection: Selection) -> Page {
    let holding = (0..=A::BITS).rev().map(|len| exact(table, Net::new(address, len), selection));
    holding.into_iter().find(|page| !page.paths.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
