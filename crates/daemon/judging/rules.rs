//! The operator's rules and peerlocks, from what is written to what the judge asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_policy::rules::{PathCondition, PrefixCondition};
use palisade_policy::{OriginSet, Peerlock, Peerlocks, PrefixRange, Rule, RuleNumber, RuleSet, Rules};

use crate::config::{Conditions, Config, Peer, PrefixEntry, PrefixSource};

/// The prefixes of those sets that are in files, by the set's name.
pub(crate) type PrefixFiles = BTreeMap<String, Vec<PrefixRange>>;

/// The rules of a configuration. Of a set whose file was not read no prefix is known.
pub(crate) fn rules(config: &Config, files: &PrefixFiles) -> Arc<Rules> {
    let rule = |rule: &crate::config::Rule| Rule {
        name: rule.name.clone(),
        path: path_conditions(&rule.conditions),
        prefix: prefix_conditions(&rule.conditions, config, files),
        action: rule.action,
        edits: rule.edits.clone(),
        mode: rule.mode,
    };
    // There are no more than there may be: that was told when they were read.
    Arc::new(Rules::new(config.rules.iter().map(rule).collect()).unwrap_or_default())
}

/// The rules that are about a peer.
pub(crate) fn about(config: &Config, peer: &Peer) -> RuleSet {
    let numbers = (0..).map_while(RuleNumber::new).zip(&config.rules);
    numbers.filter(|(_, rule)| rule.scope.has(peer)).map(|(number, _)| number).collect()
}

/// The protected networks of a configuration.
pub(crate) fn peerlocks(config: &Config) -> Arc<Peerlocks> {
    let lock = |lock: &crate::config::Peerlock| Peerlock {
        asn: lock.asn,
        upstreams: lock.upstreams.iter().copied().collect(),
    };
    Arc::new(config.peerlocks.iter().map(lock).collect())
}

/// The protected networks that a peer's paths may hold anywhere.
pub(crate) fn may_carry(config: &Config, peer: &Peer) -> Arc<OriginSet> {
    let allowed = config
        .peerlocks
        .iter()
        .filter(|lock| lock.allowed_from.iter().any(|name| *name.get_ref() == peer.name));
    Arc::new(allowed.map(|lock| lock.asn).collect())
}

fn path_conditions(written: &Conditions) -> Vec<PathCondition> {
    let Conditions { as_path, as_path_length, contains_asn, origin, communities, .. } = written;
    let Conditions { aspa, next_hop, blackhole, med, local_pref, .. } = written;
    let set = |asns: &Vec<_>| asns.iter().copied().collect::<OriginSet>();
    let conditions = [
        as_path_length.clone().map(PathCondition::AsPathLength),
        blackhole.map(PathCondition::Blackhole),
        aspa.clone().map(PathCondition::Aspa),
        med.clone().map(PathCondition::Med),
        local_pref.clone().map(PathCondition::LocalPref),
        origin.as_ref().map(set).map(PathCondition::Origin),
        next_hop.as_ref().map(|prefixes| PathCondition::NextHop(prefixes.iter().copied().collect())),
        contains_asn.as_ref().map(set).map(PathCondition::ContainsAsn),
        communities.clone().map(PathCondition::Communities),
        as_path.clone().map(PathCondition::AsPath),
    ];
    conditions.into_iter().flatten().collect()
}

fn prefix_conditions(written: &Conditions, config: &Config, files: &PrefixFiles) -> Vec<PrefixCondition> {
    let Conditions { prefixes, family, length, rov, irr, .. } = written;
    let ranges = |entries: &Vec<PrefixEntry>| {
        entries.iter().flat_map(|entry| ranges(entry, config, files)).copied().collect()
    };
    let conditions = [
        family.map(PrefixCondition::Family),
        length.clone().map(PrefixCondition::Length),
        rov.clone().map(PrefixCondition::Rov),
        prefixes.as_ref().map(ranges).map(PrefixCondition::Prefixes),
        irr.clone().map(PrefixCondition::Irr),
    ];
    conditions.into_iter().flatten().collect()
}

fn ranges<'a>(entry: &'a PrefixEntry, config: &'a Config, files: &'a PrefixFiles) -> &'a [PrefixRange] {
    match entry {
        PrefixEntry::Range(range) => std::slice::from_ref(range),
        PrefixEntry::Set(name) => match config.prefix_sets.get(name) {
            Some(PrefixSource::Written(ranges)) => ranges,
            Some(PrefixSource::File(_)) => files.get(name).map(Vec::as_slice).unwrap_or_default(),
            None => &[],
        },
    }
}
