//! The names and addresses that peers have: each only one peer.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::ops::Range;

use toml::Spanned;

use crate::config::problem::{Fault, Problems};
use crate::config::value::Place;

/// The names and addresses that are taken, and where.
#[derive(Default)]
pub(in crate::config) struct Unique {
    names: BTreeMap<String, Range<usize>>,
    addresses: BTreeMap<Place, Range<usize>>,
}

impl Unique {
    /// Takes a name and an address; where another peer has either, that is told.
    pub(super) fn claim(
        &mut self,
        name: Option<&Spanned<String>>,
        address: Option<&Spanned<Place>>,
        problems: &Problems,
    ) {
        if let Some(name) = name {
            claim(&mut self.names, name, "are called", problems);
        }
        if let Some(address) = address {
            claim(&mut self.addresses, address, "have the address", problems);
        }
    }
}

fn claim<T: Ord + Clone + fmt::Display>(
    taken: &mut BTreeMap<T, Range<usize>>,
    wanted: &Spanned<T>,
    verb: &str,
    problems: &Problems,
) {
    match taken.entry(wanted.get_ref().clone()) {
        Entry::Vacant(free) => {
            free.insert(wanted.span());
        }
        Entry::Occupied(first) => {
            let fault = Fault::new(format!("two peers {verb} `{}`", first.key()), "again here");
            let fault = fault.help("each peer has a name and an address of its own");
            problems.push_pair(wanted.span(), fault, first.get().clone(), "first here");
        }
    }
}
