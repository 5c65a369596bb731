//! The registries of an index, in the order in which a name is looked for in them.

use std::collections::HashMap;
use std::sync::Arc;

use super::MAX_SOURCES;

/// Registries by number: those of the configured order first, then others as they are met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u16>,
    /// How many of them are of the configured order.
    ordered: usize,
}

impl Sources {
    pub(crate) fn with_order<S: AsRef<str>>(order: impl IntoIterator<Item = S>) -> Self {
        let mut sources = Sources::default();
        for name in order {
            sources.number(name.as_ref());
        }
        sources.ordered = sources.names.len();
        sources
    }

    /// Those of several indexes: what any was told of the order comes first.
    pub(crate) fn union<'a>(parts: impl Iterator<Item = &'a Sources> + Clone) -> Self {
        let ordered = parts.clone().flat_map(|part| part.names.iter().take(part.ordered));
        let mut union = Sources::with_order(ordered);
        for name in parts.flat_map(|part| &part.names) {
            union.number(name);
        }
        union
    }

    /// The number of a registry, which is a new one where it has none yet; `None` where there are too many.
    pub(crate) fn number(&mut self, name: &str) -> Option<u16> {
        if let Some(known) = self.find(name) {
            return Some(known);
        }
        if self.names.len() == MAX_SOURCES {
            return None;
        }
        let number = u16::try_from(self.names.len()).ok()?;
        let name: Arc<str> = name.to_ascii_uppercase().into();
        self.names.push(name.clone());
        self.numbers.insert(name, number);
        Some(number)
    }

    pub(crate) fn find(&self, name: &str) -> Option<u16> {
        let known = self.numbers.get(name).copied();
        let is_folded = || !name.bytes().any(|octet| octet.is_ascii_lowercase());
        if known.is_some() || is_folded() {
            return known;
        }
        self.numbers.get(name.to_ascii_uppercase().as_str()).copied()
    }

    pub(crate) fn name(&self, number: u16) -> Arc<str> {
        self.names.get(usize::from(number)).cloned().unwrap_or_else(|| Arc::from(""))
    }

    pub(crate) fn names(&self) -> &[Arc<str>] {
        &self.names
    }
}

/// The names of registries as objects write them, each kept once.
#[derive(Debug, Default)]
pub(crate) struct Spellings(HashMap<Box<str>, Arc<str>>);

impl Spellings {
    /// More spellings than this are forgotten: it is a hostile dump that has them.
    const MOST: usize = 4 * MAX_SOURCES;

    /// The name in capitals.
    pub(crate) fn capitals(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        if self.0.len() == Self::MOST {
            self.0.clear();
        }
        let capitals: Arc<str> = name.to_ascii_uppercase().into();
        self.0.insert(name.into(), capitals.clone());
        capitals
    }
}
