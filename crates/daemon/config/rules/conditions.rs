//! The conditions of a rule: each key is one, and all that are written must hold.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use palisade_bgp::{Asn, Family, Prefix};
use palisade_policy::rules::{AsPathPattern, CommunityPattern, IrrState};
use palisade_policy::{AspaState, PrefixRange, RovState};
use toml::Spanned;

use super::{edits, words};
use crate::config::nearest::nearest;
use crate::config::prefix_sets::{self, PrefixSets};
use crate::config::problem::Fault;
use crate::config::section::{Field, Section};
use crate::config::source::quoted;
use crate::config::value;

/// What must hold. `None` where nothing is asked.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) prefixes: Option<Vec<PrefixEntry>>,
    pub(crate) family: Option<Family>,
    pub(crate) length: Option<RangeInclusive<u8>>,
    pub(crate) as_path: Option<Vec<AsPathPattern>>,
    pub(crate) as_path_length: Option<RangeInclusive<u16>>,
    pub(crate) contains_asn: Option<Vec<Asn>>,
    pub(crate) origin: Option<Vec<Asn>>,
    pub(crate) communities: Option<Vec<CommunityPattern>>,
    pub(crate) rov: Option<Vec<RovState>>,
    pub(crate) aspa: Option<Vec<AspaState>>,
    pub(crate) irr: Option<Vec<IrrState>>,
    pub(crate) next_hop: Option<Vec<Prefix>>,
    pub(crate) blackhole: Option<bool>,
    pub(crate) med: Option<RangeInclusive<u32>>,
    pub(crate) local_pref: Option<RangeInclusive<u32>>,
}

/// One of a rule's prefixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PrefixEntry {
    /// A prefix, with longer ones or without.
    Range(PrefixRange),
    /// Those of `[prefix_sets]` under this name.
    Set(String),
}

/// Reads the keys that are conditions.
pub(super) fn read(section: &mut Section<'_>, sets: &PrefixSets) -> Conditions {
    const FAMILIES: [(&str, Family); 2] = [("ipv4", Family::Ipv4), ("ipv6", Family::Ipv6)];
    // A route whose origin is not authorized, and one that is too long, are both what everybody calls invalid.
    const ROV: [(&str, &[RovState]); 3] = [
        ("valid", &[RovState::Valid]),
        ("not-found", &[RovState::NotFound]),
        ("invalid", &[RovState::InvalidOrigin, RovState::InvalidLength]),
    ];
    let rov = values(section, "rov", "\"invalid\"", |field| value::word(field, &ROV));
    Conditions {
        prefixes: values(section, "prefixes", "\"192.0.2.0/24^+\"", |field| prefix_entry(field, sets)),
        family: one(section, "family", |field| value::word(field, &FAMILIES)),
        length: one(section, "length", |field| range(field, 128, |length| length as u8)),
        as_path: values(section, "as_path", "\"^ 64501 .* 64502 $\"", as_path),
        as_path_length: one(section, "as_path_length", |field| {
            range(field, u16::MAX.into(), |length| length as u16)
        }),
        contains_asn: values(section, "contains_asn", "64501", value::asn),
        origin: values(section, "origin", "64501", value::asn),
        communities: values(section, "communities", "\"64500:70\"", edits::pattern),
        rov: rov.map(|states| states.concat()),
        aspa: values(section, "aspa", "\"invalid\"", |field| {
            value::word(field, &words(AspaState::ALL, AspaState::slug))
        }),
        irr: values(section, "irr", "\"not-registered\"", |field| {
            value::word(field, &words(IrrState::ALL, IrrState::slug))
        }),
        next_hop: values(section, "next_hop", "\"192.0.2.1\"", address_or_prefix),
        blackhole: one(section, "blackhole", |field| field.boolean()),
        med: one(section, "med", |field| range(field, u32::MAX, |med| med)),
        local_pref: one(section, "local_pref", |field| range(field, u32::MAX, |preference| preference)),
    }
}

fn one<'a, T>(
    section: &mut Section<'a>,
    key: &'static str,
    read: impl FnOnce(Field<'a>) -> Result<T, Fault>,
) -> Option<T> {
    section.optional(key, read).map(Spanned::into_inner)
}

pub(super) fn values<'a, T>(
    section: &mut Section<'a>,
    key: &'static str,
    example: &str,
    read: impl Fn(Field<'a>) -> Result<T, Fault>,
) -> Option<Vec<T>> {
    list(section, key, example, read).map(|list| list.into_iter().map(Spanned::into_inner).collect())
}

/// A list of which any value will do, so that an empty one never holds.
pub(super) fn list<'a, T>(
    section: &mut Section<'a>,
    key: &'static str,
    example: &str,
    read: impl Fn(Field<'a>) -> Result<T, Fault>,
) -> Option<Vec<Spanned<T>>> {
    let list = section.list(key, example, read)?;
    if list.written == 0 {
        let fault = Fault::new(format!("`{key}` is empty"), "none of nothing ever holds");
        section.problems().push(list.span, fault.help(format!("remove it, or write `{key} = [{example}]`")));
    }
    Some(list.values)
}

/// A number, or a list of the least and the greatest.
fn range<T>(field: Field<'_>, most: u32, fit: fn(u32) -> T) -> Result<RangeInclusive<T>, Fault> {
    let Some(ends) = field.values() else {
        let number = field.integer(0, most, "")?;
        return Ok(fit(number)..=fit(number));
    };
    let wrong =
        |label: &str| field.not(label).help(format!("write `{0} = 24` or `{0} = [24, 32]`", field.key));
    let [first, last] = ends[..] else { return Err(wrong("a range is two numbers")) };
    let (first, last) = (first.integer(0, most, "")?, last.integer(0, most, "")?);
    if first <= last { Ok(fit(first)..=fit(last)) } else { Err(wrong("the greater number is first")) }
}

fn as_path(field: Field<'_>) -> Result<AsPathPattern, Fault> {
    const HELP: &str =
        "write AS numbers with spaces between them, like `^ 64501 .* [64502 64510-64520]+ $`; `.` is any AS";
    let text = field.text()?;
    text.parse()
        .map_err(|error: palisade_policy::rules::AsPathPatternError| field.not(&error.to_string()).help(HELP))
}

/// A prefix has a slash, and a set's name can't have one.
fn prefix_entry(field: Field<'_>, sets: &PrefixSets) -> Result<PrefixEntry, Fault> {
    let text = field.text()?;
    if text.contains('/') {
        return prefix_sets::range(field).map(PrefixEntry::Range);
    }
    if sets.contains_key(text) {
        return Ok(PrefixEntry::Set(text.into()));
    }
    let names: Vec<&str> = sets.keys().map(String::as_str).collect();
    let fault = Fault::new(format!("{} is no prefix, and no set of [prefix_sets]", quoted(text)), "unknown");
    Err(match nearest(text, &names) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help("write a prefix, like `192.0.2.0/24^+`, or the name of a set"),
    })
}

/// A prefix, or an address alone.
fn address_or_prefix(field: Field<'_>) -> Result<Prefix, Fault> {
    match field.text()?.parse::<IpAddr>() {
        Ok(address) => Ok(Prefix::new(address, 128)),
        Err(_) => value::prefix(field),
    }
}
