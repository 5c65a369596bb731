//! `[tables]` of a test file: VRPs, route objects, as-sets and ASPAs that are written there, so that what the tests say does not
//! depend on what the world says today.
//!
//! They take the place of all that the configuration would read from files or be fed; a table that is not written is empty.

use std::ops::RangeInclusive;
use std::sync::Arc;

use palisade_bgp::{Asn, Prefix};
use palisade_policy::as_set::Member;
use palisade_policy::{AsSetName, Aspa, AspaIndex, Bogons, IrrBuilder, RovIndex, Snapshot, Vrp};
use toml::Spanned;

use crate::config::{Field, Section};

/// The registry of what is written without one.
const REGISTRY: &str = "TEST";

/// What is written.
#[derive(Debug, Default)]
pub(super) struct Inline {
    vrps: Vec<Vrp>,
    route_objects: Vec<(Prefix, Asn, String)>,
    as_sets: Vec<(AsSetName, Vec<Member>)>,
    aspas: Vec<Aspa>,
    bogon_prefixes: Option<Vec<Prefix>>,
    bogon_asns: Option<Vec<RangeInclusive<Asn>>>,
    /// Whether the members are those of the export that the configuration names.
    pub(super) members: bool,
}

impl Inline {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let inline = Inline {
            vrps: list(&mut section, "vrps", "\"192.0.2.0/24-28 AS64501\"", vrp).unwrap_or_default(),
            route_objects: list(&mut section, "route_objects", "\"192.0.2.0/24 AS64501 RIPE\"", route_object)
                .unwrap_or_default(),
            as_sets: list(&mut section, "as_sets", "\"RIPE::AS-EXAMPLE: AS64501 AS-OTHER\"", as_set)
                .unwrap_or_default(),
            aspas: list(&mut section, "aspas", "\"AS64501: AS64510 AS64511\"", aspa).unwrap_or_default(),
            bogon_prefixes: list(&mut section, "bogon_prefixes", "\"10.0.0.0/8\"", prefix),
            bogon_asns: list(&mut section, "bogon_asns", "\"AS64512-AS65534\"", asns),
            members: section.optional("members", |field| field.boolean()).is_none_or(Spanned::into_inner),
        };
        section.end();
        inline
    }

    /// The tables with these in the place of those from outside.
    pub(super) fn in_place(&self, mut tables: Snapshot) -> Snapshot {
        let mut irr = IrrBuilder::default();
        for (prefix, origin, source) in &self.route_objects {
            // No list is long enough to be refused.
            let _ = irr.add_route(*prefix, *origin, source);
        }
        for (name, members) in &self.as_sets {
            let _ = irr.add_as_set(name, members.clone(), name.source.as_deref().unwrap_or(REGISTRY));
        }
        tables.rov = Arc::new(RovIndex::build(self.vrps.iter().copied()));
        tables.irr = Arc::new(irr.build());
        tables.aspa = Arc::new(AspaIndex::build(self.aspas.iter().cloned()));
        if self.bogon_prefixes.is_some() || self.bogon_asns.is_some() {
            let prefixes =
                self.bogon_prefixes.clone().unwrap_or_else(|| Bogons::builtin_prefixes().collect());
            let asns = self.bogon_asns.clone().unwrap_or_else(|| Bogons::builtin_asns().collect());
            tables.bogons = Arc::new(Bogons::new(prefixes, asns));
        }
        tables
    }
}

fn list<T>(
    section: &mut Section<'_>,
    key: &'static str,
    example: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<Vec<T>> {
    let one = |field: Field<'_>| {
        read(field.text()?)
            .ok_or_else(|| field.not("it can't be read").help(format!("write it like {example}")))
    };
    let values = section.list(key, example, one)?.values;
    Some(values.into_iter().map(Spanned::into_inner).collect())
}

/// `192.0.2.0/24 AS64501`, or `192.0.2.0/24-28 AS64501` with a maxLength.
fn vrp(text: &str) -> Option<Vrp> {
    let (range, asn) = text.split_once(' ')?;
    let asn = asn.trim().parse().ok()?;
    let (prefix, max_length) = match range.split_once('-') {
        Some((prefix, max_length)) => (prefix.parse::<Prefix>().ok()?, Some(max_length.parse().ok()?)),
        None => (range.parse::<Prefix>().ok()?, None),
    };
    Vrp::new(prefix, max_length.unwrap_or(prefix.len()), asn).ok()
}

/// `192.0.2.0/24 AS64501`, and a registry where that matters.
fn route_object(text: &str) -> Option<(Prefix, Asn, String)> {
    let mut words = text.split_whitespace();
    let (prefix, asn) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let source = words.next().unwrap_or(REGISTRY).to_owned();
    words.next().is_none().then_some((prefix, asn, source))
}

/// `AS-EXAMPLE: AS64501 AS-OTHER`.
fn as_set(text: &str) -> Option<(AsSetName, Vec<Member>)> {
    let (name, members) = text.split_once(": ")?;
    let members = members.split_whitespace().map(|member| member.parse().ok());
    Some((name.parse().ok()?, members.collect::<Option<_>>()?))
}

/// `AS64501: AS64510 AS64511`; `AS64501: AS0` for one that has no provider.
fn aspa(text: &str) -> Option<Aspa> {
    let (customer, providers) = text.split_once(": ")?;
    let providers = providers.split_whitespace().map(|asn| asn.parse::<Asn>().ok());
    Some(Aspa { customer: customer.parse().ok()?, providers: providers.collect::<Option<_>>()? })
}

fn prefix(text: &str) -> Option<Prefix> {
    text.parse().ok()
}

/// `AS64512`, or `AS64512-AS65534`.
fn asns(text: &str) -> Option<RangeInclusive<Asn>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
}
