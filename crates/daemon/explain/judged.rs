//! From what the judge says of a route, with the trace of why, to an [`Explanation`].
//!
//! Nothing is decided here: every answer is one of the judge's, put into words that go over a socket.

use std::net::IpAddr;

use palisade_bgp::attributes::ExtendedCommunity;
use palisade_bgp::{Asn, Attributes, Prefix};
use palisade_policy::{
    Changes, Evidence, ExpansionLimits, Finding, Peer, RouteObject, Snapshot, Trace, Verdict, Vrp, judge,
};

use super::explanation::{
    AnnouncementFacts, AspaFacts, ChainLink, CheckFacts, ConditionFacts, Explanation, HopFacts, ImportFacts,
    IrrFacts, PeerFacts, RouteObjectFacts, RpkiFacts, RuleFacts, TablesFacts, VrpFacts,
};
use palisade_policy::aspa::verification::Authorization;
use palisade_policy::evidence::{AspaEvidence, RouteObjectEvidence, RuleEvidence, RuleReach, VrpEvidence};

/// Who sends the route that is explained.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender<'a> {
    /// What it is called; the router itself has no name.
    pub(crate) name: Option<&'a str>,
    /// What the judge knows of it.
    pub(crate) policy: &'a Peer,
    /// Its as-sets, as they are configured.
    pub(crate) as_set: Option<&'a str>,
}

/// Judges a route that a peer sends, and says why it is judged so.
pub(crate) fn explain(
    prefix: Prefix,
    attributes: &Attributes<'_>,
    sender: Sender<'_>,
    tables: &Snapshot,
) -> Explanation {
    let mut trace = Trace::default();
    let verdict = match prefix {
        Prefix::V4(net) => judge(net, attributes, sender.policy, tables, &mut trace),
        Prefix::V6(net) => judge(net, attributes, sender.policy, tables, &mut trace),
    };
    let evidence = EvidenceOf::trace(&trace);
    Explanation {
        prefix: prefix.to_string(),
        peer: sender.name.map(|name| peer(name, sender.policy)),
        supposed: false,
        announcement: announcement(attributes),
        accepted: verdict.accepted(),
        reason: verdict.reason.map(|reason| tables.rules.slug(reason).into()),
        observed: verdict.observed.map(|reason| tables.rules.slug(reason).into()),
        checks: trace.findings.iter().map(|finding| check(finding, verdict, tables)).collect(),
        rpki: rpki(evidence.vrps, verdict),
        irr: irr(evidence.route_objects, sender, attributes.facts.origin_as, tables),
        aspa: evidence.aspa.map(aspa).unwrap_or_default(),
        rules: trace.findings.iter().filter_map(rule).collect(),
        import: import(tables.changes(verdict.amendment, attributes, sender.policy)),
        table: None,
        kernel: None,
        tables: TablesFacts {
            generation: tables.generation,
            vrps: tables.rov.len(),
            aspas: tables.aspa.len(),
            route_objects: tables.irr.len(),
            sources: Vec::new(),
        },
    }
}

/// The evidence that is shown entry by entry.
#[derive(Default)]
struct EvidenceOf<'a> {
    vrps: Option<&'a VrpEvidence>,
    route_objects: Option<&'a RouteObjectEvidence>,
    aspa: Option<&'a AspaEvidence>,
}

impl<'a> EvidenceOf<'a> {
    fn trace(trace: &'a Trace) -> Self {
        let mut found = EvidenceOf::default();
        for finding in &trace.findings {
            match &finding.evidence {
                Evidence::Vrps(vrps) => found.vrps = Some(vrps),
                Evidence::RouteObjects(objects) => found.route_objects = Some(objects),
                Evidence::Aspa(aspa) => found.aspa = Some(aspa),
                _ => {}
            }
        }
        found
    }
}

fn peer(name: &str, policy: &Peer) -> PeerFacts {
    PeerFacts {
        name: name.into(),
        address: policy.address.to_string(),
        asn: policy.asn.0,
        role: policy.role.map(|role| role.slug().into()),
    }
}

/// Attributes as they are shown.
pub(crate) fn announcement(attributes: &Attributes<'_>) -> AnnouncementFacts {
    let facts = attributes.facts;
    let next_hop: IpAddr = attributes.next_hop.address();
    AnnouncementFacts {
        as_path: attributes.as_path().to_string(),
        origin_as: facts.origin_as.map(|asn| asn.0),
        origin: facts.origin.to_string(),
        next_hop: (!next_hop.is_unspecified()).then(|| next_hop.to_string()),
        med: facts.med,
        local_pref: facts.local_pref,
        only_to_customer: facts.only_to_customer.map(|asn| asn.0),
        communities: texts(attributes.communities()),
        large_communities: texts(attributes.large_communities()),
        extended_communities: attributes.extended_communities().map(hexadecimal).collect(),
    }
}

fn texts(all: impl IntoIterator<Item = impl ToString>) -> Vec<String> {
    all.into_iter().map(|one| one.to_string()).collect()
}

fn hexadecimal(community: ExtendedCommunity) -> String {
    format!("{:016x}", u64::from_be_bytes(community.0))
}

fn check(finding: &Finding, verdict: Verdict, tables: &Snapshot) -> CheckFacts {
    let Finding { reason, mode, violated, evidence } = finding;
    CheckFacts {
        reason: tables.rules.slug(*reason).into(),
        mode: mode.slug().into(),
        failed: *violated,
        decides: verdict.reason == Some(*reason),
        sentence: reason.sentence().into(),
        reference: reason.reference().into(),
        evidence: evidence.to_string(),
    }
}

fn rpki(vrps: Option<&VrpEvidence>, verdict: Verdict) -> RpkiFacts {
    let state = verdict.rov.slug().into();
    let Some(vrps) = vrps else { return RpkiFacts { state, ..RpkiFacts::default() } };
    let all = |vrps: &[Vrp]| vrps.iter().map(vrp).collect();
    RpkiFacts {
        state,
        matched: all(&vrps.matched),
        wrong_length: all(&vrps.wrong_length),
        wrong_asn: all(&vrps.wrong_asn),
    }
}

fn vrp(vrp: &Vrp) -> VrpFacts {
    VrpFacts { prefix: vrp.prefix().to_string(), max_length: vrp.max_length(), asn: vrp.asn().0 }
}

fn irr(
    objects: Option<&RouteObjectEvidence>,
    sender: Sender<'_>,
    origin: Option<Asn>,
    tables: &Snapshot,
) -> IrrFacts {
    let as_set = sender.as_set.map(String::from);
    let chain = origin.zip(sender.as_set).map(|(origin, as_sets)| chain(as_sets, origin, tables));
    let chain = chain.unwrap_or_default();
    let Some(objects) = objects else { return IrrFacts { as_set, chain, ..IrrFacts::default() } };
    let all = |objects: &[RouteObject]| objects.iter().map(route_object).collect();
    IrrFacts {
        matched: all(&objects.matched),
        wrong_length: all(&objects.wrong_length),
        wrong_asn: all(&objects.wrong_asn),
        as_set,
        chain,
    }
}

/// How an origin comes to be in the first of a peer's as-sets that it is in; nothing where it is in none.
fn chain(as_sets: &str, origin: Asn, tables: &Snapshot) -> Vec<ChainLink> {
    let limits = ExpansionLimits::default();
    let found = as_sets.split_whitespace().find_map(|name| tables.irr.chain(name, origin, &limits));
    let Some(chain) = found else { return Vec::new() };
    let sets = chain.sets.iter();
    let sets = sets.map(|set| ChainLink { name: set.name.to_string(), source: Some(set.source.to_string()) });
    sets.chain([ChainLink { name: chain.origin.to_string(), source: None }]).collect()
}

fn route_object(object: &RouteObject) -> RouteObjectFacts {
    RouteObjectFacts {
        prefix: object.prefix.to_string(),
        origin: object.origin.0,
        source: object.source.to_string(),
    }
}

fn aspa(aspa: &AspaEvidence) -> AspaFacts {
    let said = |authorization| match authorization {
        Authorization::NoAttestation => "no-attestation",
        Authorization::Provider => "provider",
        Authorization::NotProvider => "not-provider",
    };
    let hops = aspa.hops.iter().map(|hop| HopFacts {
        near: hop.near.0,
        far: hop.far.0,
        up: said(hop.up).into(),
        down: said(hop.down).into(),
    });
    AspaFacts {
        state: aspa.state.slug().into(),
        direction: aspa.direction.map(|direction| direction.slug().into()),
        hops: hops.collect(),
    }
}

fn rule(finding: &Finding) -> Option<RuleFacts> {
    let Evidence::Rule(rule) = &finding.evidence else { return None };
    let RuleEvidence { name, reach, conditions, action } = rule;
    let condition =
        |(key, holds): &(&'static str, bool)| ConditionFacts { key: (*key).into(), holds: *holds };
    Some(RuleFacts {
        name: name.clone(),
        mode: finding.mode.slug().into(),
        reach: match reach {
            RuleReach::Asked => "asked",
            RuleReach::Decided => "decided",
            RuleReach::NotThisPeer => "not-this-peer",
        }
        .into(),
        holds: rule.holds(),
        conditions: conditions.iter().map(condition).collect(),
        action: action.slug().into(),
    })
}

fn import(changes: Changes) -> Option<ImportFacts> {
    let changes = clauses(changes);
    (!changes.is_empty()).then_some(ImportFacts { changes, becomes: None })
}

/// Each change in a clause, in the order in which they are made.
pub(crate) fn clauses(changes: Changes) -> Vec<String> {
    let mut clauses = Vec::new();
    clauses.extend(changes.local_preference.map(|value| format!("local preference {value}")));
    clauses.extend(changes.med.map(|med| match med {
        Some(value) => format!("MED {value}"),
        None => "MED taken off".into(),
    }));
    clauses.extend(changes.next_hop.map(|address| format!("next hop {address}")));
    clauses.extend(changes.prepend.map(|(Asn(asn), times)| format!("AS{asn} prepended {times} times")));
    let removed = [
        texts(changes.remove_communities),
        texts(changes.remove_large_communities),
        changes.remove_extended_communities.into_iter().map(hexadecimal).collect(),
    ];
    let added = [
        texts(changes.add_communities),
        texts(changes.add_large_communities),
        changes.add_extended_communities.into_iter().map(hexadecimal).collect(),
    ];
    for (what, communities) in [("taken off", removed.concat()), ("added", added.concat())] {
        if !communities.is_empty() {
            clauses.push(format!("communities {what}: {}", communities.join(" ")));
        }
    }
    clauses
}
