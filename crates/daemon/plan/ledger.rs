//! The routes that are not what they were, as they stand after the last thing that was said of each.
//!
//! A route is a prefix, a peer and a path identifier. Those that both policies take alike are not kept, so that a plan costs
//! what it changes and not what it looks at.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use palisade_bgp::Prefix;
use serde::Serialize;

/// Routes that are kept; what comes after is counted as one that could not be.
pub(super) const MOST_CHANGES: usize = 4 << 20;

/// How a route changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// It was accepted and is rejected.
    Rejected,
    /// It was rejected and is accepted.
    Accepted,
    /// It is accepted as before, with other attributes or another preference.
    Attributes,
    /// It is rejected as before, for another reason: nothing that anybody could notice.
    Reason,
}

/// What one policy makes of a route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ruling {
    /// Why it is rejected; `None` where it is accepted.
    pub(super) rejected: Option<String>,
    /// LOCAL_PREF that it is given.
    pub(super) local_preference: u32,
    /// What import changes, in clauses.
    pub(super) import: Vec<String>,
}

impl Ruling {
    /// How another policy's ruling differs, and in what; `None` where it doesn't.
    pub(super) fn difference(&self, new: &Ruling) -> Option<(Kind, String)> {
        match (&self.rejected, &new.rejected) {
            (None, Some(reason)) => Some((Kind::Rejected, reason.clone())),
            (Some(reason), None) => Some((Kind::Accepted, reason.clone())),
            (Some(old), Some(new)) if old != new => Some((Kind::Reason, format!("{old} -> {new}"))),
            (Some(_), Some(_)) => None,
            (None, None) => self.attributes(new).map(|what| (Kind::Attributes, what)),
        }
    }

    fn attributes(&self, new: &Ruling) -> Option<String> {
        let (old, had) = (self.local_preference, &self.import);
        let mut parts = Vec::new();
        if old != new.local_preference {
            parts.push(format!("local preference {old} -> {}", new.local_preference));
        }
        // The preference has been told.
        let told = |clause: &&String| !clause.starts_with("local preference ");
        parts.extend(new.import.iter().filter(told).filter(|clause| !had.contains(clause)).cloned());
        let gone = had.iter().filter(told).filter(|clause| !new.import.contains(clause));
        parts.extend(gone.map(|clause| format!("no longer {clause}")));
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// Which route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RouteKey {
    pub(super) prefix: Prefix,
    /// The peer's place in [`Ledger::peers`].
    pub(super) peer: usize,
    pub(super) path_id: u32,
}

/// A route that changes.
#[derive(Clone, Debug)]
pub(super) struct Changed {
    pub(super) kind: Kind,
    /// The place of its why in the ledger's.
    why: u32,
    /// Where routes are listed.
    pub(super) as_path: Option<Box<str>>,
}

/// All routes that change.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// What peers are called.
    pub(super) peers: Vec<String>,
    /// Announcements that were judged by both.
    pub(super) judged: u64,
    changed: HashMap<RouteKey, Changed, foldhash::fast::RandomState>,
    whys: Vec<String>,
    places: HashMap<String, u32, foldhash::fast::RandomState>,
    /// Whether there were more than are kept.
    pub(super) is_full: bool,
}

impl Ledger {
    /// The last word on a route is that both take it alike, or that it is gone.
    #[inline]
    pub(super) fn same(&mut self, key: RouteKey) {
        if !self.changed.is_empty() {
            self.changed.remove(&key);
        }
    }

    /// The last word on a route is that it changes.
    pub(super) fn change(&mut self, key: RouteKey, (kind, why): (Kind, String), as_path: Option<String>) {
        if self.changed.len() >= MOST_CHANGES && !self.changed.contains_key(&key) {
            self.is_full = true;
            return;
        }
        let next = u32::try_from(self.whys.len()).unwrap_or(u32::MAX);
        let why = *self.places.entry(why).or_insert_with_key(|why| {
            self.whys.push(why.clone());
            next
        });
        self.changed.insert(key, Changed { kind, why, as_path: as_path.map(Into::into) });
    }

    /// Why a route changes.
    pub(super) fn why(&self, changed: &Changed) -> &str {
        self.whys.get(changed.why as usize).map_or("", String::as_str)
    }

    /// What a peer is called.
    pub(super) fn peer(&self, key: &RouteKey) -> &str {
        self.peers.get(key.peer).map_or("", String::as_str)
    }

    /// How many change so, by why and by peer.
    pub(super) fn counts(&self, kind: Kind) -> BTreeMap<String, BTreeMap<String, u64>> {
        let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for (key, changed) in self.changed.iter().filter(|(_, changed)| changed.kind == kind) {
            let by_peer = counts.entry(self.why(changed).to_owned()).or_default();
            *by_peer.entry(self.peer(key).to_owned()).or_default() += 1;
        }
        counts
    }

    /// All of them, in the order of prefixes.
    pub(super) fn routes(&self) -> Vec<(&RouteKey, &Changed)> {
        let mut routes: Vec<_> = self.changed.iter().collect();
        routes.sort_by_key(|(key, changed)| (changed.kind, **key));
        routes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ruling(rejected: Option<&str>, local_preference: u32, import: &[&str]) -> Ruling {
        Ruling {
            rejected: rejected.map(String::from),
            local_preference,
            import: import.iter().map(|clause| (*clause).to_owned()).collect(),
        }
    }

    #[test]
    fn a_difference_is_of_one_kind_and_says_in_what() {
        let accepted = ruling(None, 100, &["local preference 100", "MED 7"]);
        for (old, new, expected) in [
            (&accepted, accepted.clone(), None),
            (&accepted, ruling(Some("own-prefix"), 0, &[]), Some((Kind::Rejected, "own-prefix"))),
            (&ruling(Some("own-prefix"), 0, &[]), accepted.clone(), Some((Kind::Accepted, "own-prefix"))),
            (&ruling(Some("a"), 1, &[]), ruling(Some("a"), 2, &["MED 1"]), None),
            (&ruling(Some("a"), 1, &[]), ruling(Some("b"), 1, &[]), Some((Kind::Reason, "a -> b"))),
            (
                &accepted,
                ruling(None, 200, &["local preference 200", "MED 8"]),
                Some((Kind::Attributes, "local preference 100 -> 200; MED 8; no longer MED 7")),
            ),
        ] {
            let expected = expected.map(|(kind, why)| (kind, why.to_owned()));
            assert_eq!(old.difference(&new), expected);
        }
    }

    #[test]
    fn the_last_word_on_a_route_counts() {
        let mut ledger = Ledger { peers: vec!["a".into()], ..Ledger::default() };
        let key = |path_id| RouteKey { prefix: "192.0.2.0/24".parse().unwrap(), peer: 0, path_id };
        for path_id in [0, 1] {
            ledger.change(key(path_id), (Kind::Rejected, "own-prefix".into()), None);
        }
        ledger.change(key(0), (Kind::Accepted, "bogon-asn".into()), None);
        ledger.same(key(1));
        assert!(ledger.counts(Kind::Rejected).is_empty());
        assert_eq!(ledger.counts(Kind::Accepted)["bogon-asn"]["a"], 1);
        assert_eq!(ledger.routes().len(), 1);
    }
}
