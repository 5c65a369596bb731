//! What PeeringDB says of networks, and what of it outlives its being said.
//!
//! An answer is never believed to be the whole truth by being short. A network that keeps an as-set today and none tomorrow
//! has more likely been edited by mistake, or by somebody else, than become a network that nobody can bound; and one that
//! is missing from an answer has not ceased to be our peer. So [`NetworkFacts::after`] keeps what was said before of such
//! a peer, and tells of it. A new as-set, a new limit, and a limit that is given up are taken as they come: without one
//! the role's own limit holds.

use std::collections::BTreeMap;
use std::fmt;

use palisade_bgp::{Asn, Family};
use palisade_policy::OriginSet;

/// What PeeringDB says of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Network {
    /// Its as-sets, as `as_set` of a peer has them; `None` where it says none, or nothing that names one.
    pub(crate) as_set: Option<String>,
    /// How many prefixes it announces, by [`Family::index`]; `None` where it gives no number, which 0 means too.
    pub(crate) max_prefixes: [Option<u32>; 2],
    /// Whether it announces nothing through route servers.
    pub(crate) never_via_rs: bool,
}

impl Network {
    /// How many prefixes it announces in all, of the families that it gives a number for.
    pub(crate) fn prefixes(&self) -> Option<u32> {
        let given = Family::ALL.iter().filter_map(|family| self.max_prefixes[family.index()]);
        given.fold(None, |sum: Option<u32>, one| Some(sum.unwrap_or_default().saturating_add(one)))
    }
}

/// What PeeringDB says, by AS number. It is never changed: new answers make new facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NetworkFacts {
    networks: BTreeMap<Asn, Network>,
}

/// Something that PeeringDB said of a peer before and says no more. It still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Vanished {
    /// There is no network of that AS any more.
    Network(Asn),
    /// The network names no as-set any more; this was it.
    AsSet(Asn, String),
    /// No network at all is said to stay away from route servers; so many were.
    NeverViaRs(usize),
}

impl fmt::Display for Vanished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Vanished::Network(asn) => {
                write!(f, "{asn} is not in PeeringDB any more: what it said before holds")
            }
            Vanished::AsSet(asn, as_set) => {
                write!(f, "{asn} has no as-set in PeeringDB any more: {as_set}, which was there, holds")
            }
            Vanished::NeverViaRs(count) => {
                write!(
                    f,
                    "PeeringDB names no network that stays away from route servers any more: the {count} from before hold"
                )
            }
        }
    }
}

impl NetworkFacts {
    /// What is said of a network.
    pub(crate) fn of(&self, asn: Asn) -> Option<&Network> {
        self.networks.get(&asn)
    }

    /// How many networks something is said of.
    pub(crate) fn len(&self) -> usize {
        self.networks.len()
    }

    /// Whether nothing is said of anybody.
    pub(crate) fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// All networks, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Asn, &Network)> {
        self.networks.iter().map(|(asn, network)| (*asn, network))
    }

    /// The networks that announce nothing through route servers.
    pub(crate) fn never_via_rs(&self) -> OriginSet {
        self.iter().filter(|(_, network)| network.never_via_rs).map(|(asn, _)| asn).collect()
    }

    /// The same, in which nothing is said of those of `asked` that nothing was said of: they are known to be missing.
    pub(super) fn with_missing(mut self, asked: impl IntoIterator<Item = Asn>) -> NetworkFacts {
        for asn in asked {
            self.networks.entry(asn).or_default();
        }
        self
    }

    /// Both, where what `self` says of a network comes before what `other` says of it.
    pub(crate) fn over(mut self, other: &NetworkFacts) -> NetworkFacts {
        for (asn, network) in &other.networks {
            self.networks.entry(*asn).or_insert_with(|| network.clone());
        }
        self
    }

    /// These facts, which are new, after those that held `before`: of `peers`, what is not said any more is kept, and told.
    pub(crate) fn after(
        mut self,
        before: &NetworkFacts,
        peers: impl IntoIterator<Item = Asn>,
    ) -> (NetworkFacts, Vec<Vanished>) {
        let mut vanished = Vec::new();
        for asn in peers {
            // Of a network that is known to be missing, nothing can vanish.
            let Some(old) = before.of(asn).filter(|old| **old != Network::default()) else { continue };
            match (self.networks.get_mut(&asn), &old.as_set) {
                (None, _) => {
                    self.networks.insert(asn, old.clone());
                    vanished.push(Vanished::Network(asn));
                }
                (Some(new), Some(as_set)) if new.as_set.is_none() => {
                    new.as_set = old.as_set.clone();
                    vanished.push(Vanished::AsSet(asn, as_set.clone()));
                }
                _ => {}
            }
        }
        let gone = before.never_via_rs();
        if !gone.is_empty() && self.never_via_rs().is_empty() {
            vanished.push(Vanished::NeverViaRs(gone.len()));
            for asn in gone.iter() {
                self.networks.entry(asn).or_default().never_via_rs = true;
            }
        }
        (self, vanished)
    }
}

impl FromIterator<(Asn, Network)> for NetworkFacts {
    /// Of two of one AS, the last counts.
    fn from_iter<I: IntoIterator<Item = (Asn, Network)>>(networks: I) -> Self {
        NetworkFacts { networks: networks.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(as_set: Option<&str>, max_prefixes: [Option<u32>; 2], never_via_rs: bool) -> Network {
        Network { as_set: as_set.map(str::to_owned), max_prefixes, never_via_rs }
    }

    fn facts(list: &[(u32, Network)]) -> NetworkFacts {
        list.iter().map(|(asn, network)| (Asn(*asn), network.clone())).collect()
    }

    #[test]
    fn prefixes_of_the_families_that_are_given_are_added() {
        for (given, sum) in [
            ([None, None], None),
            ([Some(5), None], Some(5)),
            ([Some(5), Some(7)], Some(12)),
            ([Some(u32::MAX), Some(7)], Some(u32::MAX)),
        ] {
            assert_eq!(network(None, given, false).prefixes(), sum);
        }
    }

    #[test]
    fn what_a_peer_does_not_say_any_more_holds_on_and_is_told() {
        let before = facts(&[
            (1, network(Some("AS-ONE"), [Some(10), None], false)),
            (2, network(Some("AS-TWO"), [None; 2], false)),
            (3, network(Some("AS-THREE"), [None; 2], true)),
            (4, network(Some("AS-FOUR"), [None; 2], false)),
            (6, network(None, [None; 2], false)),
        ]);
        let new = facts(&[
            (1, network(None, [None; 2], false)),
            (4, network(Some("AS-OTHER"), [Some(3), None], false)),
            (5, network(None, [None; 2], false)),
        ]);
        let (after, vanished) = new.after(&before, [1, 2, 4, 5, 6].map(Asn));
        let expected =
            [Vanished::AsSet(Asn(1), "AS-ONE".into()), Vanished::Network(Asn(2)), Vanished::NeverViaRs(1)];
        assert_eq!(vanished, expected);
        assert_eq!(
            after.of(Asn(1)),
            Some(&network(Some("AS-ONE"), [None; 2], false)),
            "a limit may be given up"
        );
        assert_eq!(after.of(Asn(2)), before.of(Asn(2)));
        assert_eq!(after.of(Asn(3)), Some(&network(None, [None; 2], true)), "it is nobody's peer");
        assert_eq!(after.of(Asn(4)), Some(&network(Some("AS-OTHER"), [Some(3), None], false)));
        assert!(after.of(Asn(6)).is_none());
    }
}
