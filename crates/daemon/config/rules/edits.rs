//! `set`: what a rule changes.

use std::net::IpAddr;

use palisade_bgp::Family;
use palisade_policy::rules::{AnyCommunity, CommunityPattern, CommunityPatternError, Edits, MAX_PREPENDS};
use toml::Spanned;

use crate::config::problem::Fault;
use crate::config::section::{Field, Section};
use crate::config::value;

/// Communities that one rule may add, and patterns by which it may remove them.
const MAX_COMMUNITIES: usize = 100;

pub(super) fn read(mut section: Section<'_>) -> Edits {
    let local_preference = section.optional("local_preference", |field| field.integer(0, u32::MAX, ""));
    let med = section.optional("med", med);
    let prepend = section.optional("prepend", |field| field.integer(1, MAX_PREPENDS.into(), " times"));
    let edits = Edits {
        local_preference: local_preference.map(Spanned::into_inner),
        med: med.map(Spanned::into_inner),
        next_hops: next_hops(&mut section),
        prepend: prepend.map_or(0, |count| u8::try_from(count.into_inner()).unwrap_or(MAX_PREPENDS)),
        remove_communities: communities(&mut section, "remove_communities", "\"64500:*\"", pattern),
        add_communities: communities(&mut section, "add_communities", "\"64500:70\"", community),
    };
    if edits.is_empty() && section.entries().is_empty() {
        let fault = Fault::new("nothing is changed", "`set` is empty");
        section.problems().push(section.span(), fault.help("write `set = { local_preference = 90 }`"));
    }
    section.end();
    edits
}

/// MULTI_EXIT_DISC, or that there is to be none.
fn med(field: Field<'_>) -> Result<Option<u32>, Fault> {
    match field.text() {
        Ok("none") => Ok(None),
        Ok(_) => Err(field.not("not a number").help("write a number, or \"none\" to take it off")),
        Err(_) => field.integer(0, u32::MAX, "").map(Some),
    }
}

/// One address, or one of each family.
fn next_hops(section: &mut Section<'_>) -> [Option<IpAddr>; 2] {
    const KEY: &str = "next_hop";
    let mut next_hops = [None; 2];
    let written = section.optional(KEY, |field| match field.values() {
        None => Ok(vec![value::address(field)?]),
        Some(fields) => fields.into_iter().map(value::address).collect(),
    });
    let Some(written) = written else { return next_hops };
    for address in written.get_ref() {
        let place = &mut next_hops[Family::of(*address).index()];
        if place.replace(*address).is_some() {
            let fault = Fault::new(format!("`{KEY}` has two addresses of one family"), "which of them?");
            section.problems().push(written.span(), fault.help("write one address of each family at most"));
        }
    }
    next_hops
}

fn communities<'a, T>(
    section: &mut Section<'a>,
    key: &'static str,
    example: &str,
    read: impl Fn(Field<'a>) -> Result<T, Fault>,
) -> Vec<T> {
    let Some(list) = section.list(key, example, read) else { return Vec::new() };
    if list.written > MAX_COMMUNITIES {
        let fault = Fault::new(format!("`{key}` has {} values", list.written), "too many");
        section.problems().push(list.span, fault.help(format!("no more than {MAX_COMMUNITIES} are taken")));
    }
    list.values.into_iter().map(Spanned::into_inner).collect()
}

/// Communities of any kind, where `*` stands for any number.
pub(super) fn pattern(field: Field<'_>) -> Result<CommunityPattern, Fault> {
    const HELP: &str = "write it like `64500:70`, `64500:1:*`, `rt:64500:70` or `ro:64500:*`";
    let wrong = |error: CommunityPatternError| field.not(&error.to_string()).help(HELP);
    field.text().map_err(|fault| fault.help(HELP))?.parse().map_err(wrong)
}

/// One community.
pub(in crate::config) fn community(field: Field<'_>) -> Result<AnyCommunity, Fault> {
    let pattern = pattern(field)?;
    pattern.exact().ok_or_else(|| field.not("it stands for several").help("write numbers, without `*`"))
}
