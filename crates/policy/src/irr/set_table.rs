//! The sets of registries, and who asks to be a member of them, by name.
//!
//! Copies share what they have in common, so that an index with one set changed costs what that set costs.

use std::sync::Arc;

use palisade_bgp::{Asn, Prefix};

use super::builder::{MAX_MEMBERS, MAX_SETS};
use super::layered::{Entry, Layered};
use super::object::{ByReference, Memberships};
use crate::as_set::AsSet;
use crate::route_set::RouteSet;

/// A set of either class.
pub(crate) trait NamedSet: PartialEq + Sized + 'static {
    /// Those of its class.
    fn of(table: &SetTable) -> &Sets<Self>;
    fn name(&self) -> &Arc<str>;
    fn source(&self) -> &Arc<str>;
    fn by_reference(&self) -> &ByReference;
    /// How many members it names.
    fn size(&self) -> usize;
}

impl NamedSet for AsSet {
    fn of(table: &SetTable) -> &Sets<Self> {
        &table.as_sets
    }

    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn source(&self) -> &Arc<str> {
        &self.source
    }

    fn by_reference(&self) -> &ByReference {
        &self.by_reference
    }

    fn size(&self) -> usize {
        self.asns.len() + self.sets.len()
    }
}

impl NamedSet for RouteSet {
    fn of(table: &SetTable) -> &Sets<Self> {
        &table.route_sets
    }

    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn source(&self) -> &Arc<str> {
        &self.source
    }

    fn by_reference(&self) -> &ByReference {
        &self.by_reference
    }

    fn size(&self) -> usize {
        self.members.len()
    }
}

/// What asks to be a member of sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Subject {
    AutNum(Asn),
    Route(Prefix, Asn),
}

/// An object that asks to be a member of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Referrer {
    pub(crate) source: Arc<str>,
    pub(crate) subject: Subject,
    pub(crate) mnt_by: Box<[Arc<str>]>,
}

/// What all registries say of one name.
#[derive(Debug)]
pub(crate) struct Homonyms<S> {
    /// At most one of each registry, in the order of these.
    pub(crate) sets: Vec<Arc<S>>,
    /// Who asks to be a member, by registry and subject.
    pub(crate) referrers: Vec<Referrer>,
}

impl<S> Default for Homonyms<S> {
    fn default() -> Self {
        Homonyms { sets: Vec::new(), referrers: Vec::new() }
    }
}

impl<S> Clone for Homonyms<S> {
    fn clone(&self) -> Self {
        Homonyms { sets: self.sets.clone(), referrers: self.referrers.clone() }
    }
}

impl<S> Entry for Homonyms<S> {
    fn is_vacant(&self) -> bool {
        self.sets.is_empty() && self.referrers.is_empty()
    }
}

impl<S: NamedSet> Homonyms<S> {
    fn put(&mut self, set: Arc<S>) -> Option<Arc<S>> {
        match self.sets.binary_search_by(|known| known.source().cmp(set.source())) {
            Ok(at) => Some(std::mem::replace(&mut self.sets[at], set)),
            Err(at) => {
                self.sets.insert(at, set);
                None
            }
        }
    }

    fn take(&mut self, source: &str) -> Option<Arc<S>> {
        let at = self.sets.binary_search_by(|known| (**known.source()).cmp(source)).ok()?;
        Some(self.sets.remove(at))
    }

    fn refer(&mut self, source: &Arc<str>, subject: Subject, mnt_by: Option<&[Arc<str>]>) {
        let place =
            self.referrers.binary_search_by(|known| (&known.source, known.subject).cmp(&(source, subject)));
        match (place, mnt_by) {
            (Ok(at), None) => drop(self.referrers.remove(at)),
            (Ok(at), Some(mnt_by)) => self.referrers[at].mnt_by = mnt_by.into(),
            (Err(at), Some(mnt_by)) => {
                self.referrers
                    .insert(at, Referrer { source: source.clone(), subject, mnt_by: mnt_by.into() });
            }
            (Err(_), None) => {}
        }
    }
}

impl Entry for Memberships {
    fn is_vacant(&self) -> bool {
        self.is_empty()
    }
}

/// Sets and requests for membership.
#[derive(Clone, Debug, Default)]
pub(crate) struct SetTable {
    pub(crate) as_sets: Sets<AsSet>,
    pub(crate) route_sets: Sets<RouteSet>,
    /// What each aut-num and route object asks for, by registry.
    pub(crate) memberships: Layered<(Arc<str>, Subject), Memberships>,
    /// Names in `memberships`.
    requests: usize,
}

/// The sets of a class.
#[derive(Clone, Debug)]
pub(crate) struct Sets<S> {
    pub(crate) by_name: Layered<Arc<str>, Homonyms<S>>,
    pub(crate) count: usize,
    pub(crate) members: usize,
}

impl<S> Default for Sets<S> {
    fn default() -> Self {
        Sets { by_name: Layered::default(), count: 0, members: 0 }
    }
}

impl<S: NamedSet> Sets<S> {
    /// Takes a set instead of the one of its name and registry.
    pub(crate) fn put(&mut self, set: S) {
        let set = Arc::new(set);
        self.count += 1;
        self.members += set.size();
        let replaced = self.by_name.edit(&set.name().clone(), |homonyms| homonyms.put(set));
        self.forget(replaced);
    }

    pub(crate) fn remove(&mut self, name: &Arc<str>, source: &str) {
        if self.by_name.get(&**name).is_some() {
            let removed = self.by_name.edit(name, |homonyms| homonyms.take(source));
            self.forget(removed);
        }
    }

    pub(crate) fn homonyms(&self, name: &str) -> Option<&Homonyms<S>> {
        self.by_name.get(name).map(|homonyms| &**homonyms)
    }

    pub(crate) fn has(&self, name: &str, source: &str) -> bool {
        self.homonyms(name).is_some_and(|homonyms| homonyms.sets.iter().any(|set| **set.source() == *source))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<S>> {
        self.by_name.iter().flat_map(|(_, homonyms)| &homonyms.sets)
    }

    fn forget(&mut self, gone: Option<Arc<S>>) {
        if let Some(gone) = gone {
            self.count -= 1;
            self.members -= gone.size();
        }
    }
}

impl SetTable {
    /// What counts towards the limit of members: those that sets name, and the names that requests consist of.
    fn members(&self) -> usize {
        self.as_sets.members + self.route_sets.members + self.requests
    }

    /// Whether more is held than the builder's limits allow.
    pub(crate) fn is_full(&self) -> bool {
        self.as_sets.count + self.route_sets.count > MAX_SETS || self.members() > MAX_MEMBERS
    }

    /// Notes what an object asks for, instead of what it asked for before.
    pub(crate) fn ask(&mut self, source: &Arc<str>, subject: Subject, asked: Memberships) {
        if asked.is_empty() && self.memberships.is_empty() {
            return;
        }
        let key = (source.clone(), subject);
        let before = self.memberships.get(&key).map(|before| Memberships::clone(before)).unwrap_or_default();
        if before == asked {
            return;
        }
        for name in &before.member_of {
            self.refer(name, source, subject, None);
        }
        for name in &asked.member_of {
            self.refer(name, source, subject, Some(&asked.mnt_by));
        }
        self.requests += asked.member_of.len() + asked.mnt_by.len();
        self.requests -= before.member_of.len() + before.mnt_by.len();
        self.memberships.edit(&key, |kept| *kept = asked);
    }

    fn refer(&mut self, name: &Arc<str>, source: &Arc<str>, subject: Subject, mnt_by: Option<&[Arc<str>]>) {
        match subject {
            Subject::AutNum(_) => {
                self.as_sets.by_name.edit(name, |known| known.refer(source, subject, mnt_by))
            }
            Subject::Route(..) => {
                self.route_sets.by_name.edit(name, |known| known.refer(source, subject, mnt_by));
            }
        }
    }
}
