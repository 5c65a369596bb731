//! A map that many indexes share, with what an amended one has otherwise kept beside it.
//!
//! ```text
//!   whole (shared) --+--> index
//!                    +--> index amended from it: whole + over { "AS-FOO" -> its new entry, "AS-GONE" -> none }
//! ```
//!
//! While nobody else has the whole map, as in a builder, it is edited in place.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// How many keys an amended map may have otherwise than the whole one it shares, before it gets a whole one of its
/// own.
pub(crate) const MOST_AMENDMENTS: usize = 2048;

/// An entry that may come to nothing, which is then not kept.
pub(crate) trait Entry: Clone + Default {
    fn is_vacant(&self) -> bool;
}

/// A map whose copies share what they have in common.
#[derive(Clone, Debug)]
pub(crate) struct Layered<K, V> {
    whole: Arc<HashMap<K, Arc<V>>>,
    /// What counts before `whole`.
    over: Arc<HashMap<K, Option<Arc<V>>>>,
}

impl<K, V> Default for Layered<K, V> {
    fn default() -> Self {
        Layered { whole: Arc::default(), over: Arc::default() }
    }
}

impl<K: Hash + Eq + Clone, V: Entry> Layered<K, V> {
    pub(crate) fn get<Q>(&self, key: &Q) -> Option<&Arc<V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if !self.over.is_empty()
            && let Some(amended) = self.over.get(key)
        {
            return amended.as_ref();
        }
        self.whole.get(key)
    }

    /// Changes the entry of a key; where there is none, from a vacant one.
    pub(crate) fn edit<R>(&mut self, key: &K, change: impl FnOnce(&mut V) -> R) -> R {
        if self.over.is_empty()
            && let Some(whole) = Arc::get_mut(&mut self.whole)
        {
            let entry = Arc::make_mut(whole.entry(key.clone()).or_default());
            let result = change(entry);
            if entry.is_vacant() {
                whole.remove(key);
            }
            return result;
        }
        let mut entry = self.get(key).map_or_else(V::default, |entry| V::clone(entry));
        let result = change(&mut entry);
        let entry = (!entry.is_vacant()).then(|| Arc::new(entry));
        Arc::make_mut(&mut self.over).insert(key.clone(), entry);
        if self.over.len() > MOST_AMENDMENTS {
            self.settle();
        }
        result
    }

    /// All entries, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &Arc<V>)> {
        let kept = self.whole.iter().filter(|(key, _)| self.over.is_empty() || !self.over.contains_key(*key));
        kept.chain(self.over.iter().filter_map(|(key, entry)| Some((key, entry.as_ref()?))))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.over.is_empty()
    }

    /// The keys whose entries may differ between two maps; between one and another amended from it, few are asked.
    /// A key may come twice.
    pub(crate) fn differing<'a>(&'a self, new: &'a Self) -> Vec<&'a K> {
        let differs = |key: &&K| match (self.get(*key), new.get(*key)) {
            (Some(old), Some(new)) => !Arc::ptr_eq(old, new),
            (old, new) => old.is_some() || new.is_some(),
        };
        if Arc::ptr_eq(&self.whole, &new.whole) {
            return self.over.keys().chain(new.over.keys()).filter(differs).collect();
        }
        self.iter().chain(new.iter()).map(|(key, _)| key).filter(differs).collect()
    }

    fn settle(&mut self) {
        let whole = self.iter().map(|(key, entry)| (key.clone(), entry.clone())).collect();
        *self = Layered { whole: Arc::new(whole), over: Arc::default() };
    }
}
