//! `[group.NAME]`: what several peers have in common.
//!
//! ```text
//!   [[peer]]  >  [[member]] of its AS  >  the group  >  the member export  >  [members]  >  the role's defaults
//! ```
//!
//! A peer, or a member, says `group = "NAME"`, and every key that it does not write itself is the group's. Its `checks` are
//! read check by check: those of the group hold beside its own. `[members] group = "NAME"` is the group of every session
//! of the export that names no other.
//!
//! A group is not a peer, and not of another group: what makes a peer one peer, its name, address and AS, can't stand in it.
//! It is read once for itself, whether or not a peer is of it, so that what is wrong in it is told.

use std::collections::BTreeMap;

use toml::Spanned;

use super::checks::{self, ChosenMode};
use super::nearest::nearest;
use super::peer::{self, Around, Given, Unique};
use super::problem::{Fault, Problems};
use super::section::{Field, Section, listed};
use super::source::quoted;
use super::value;

/// Groups that a configuration may have.
const MAX_GROUPS: usize = 1_000;

/// Groups that a message names.
const NAMED: usize = 8;

/// What peers may have in common, by name.
#[derive(Default)]
pub(super) struct Groups<'a>(BTreeMap<&'a str, Group<'a>>);

/// What some peers have in common.
pub(super) struct Group<'a> {
    /// Its keys.
    pub(super) section: Section<'a>,
    /// The modes of checks that it chooses.
    pub(super) checks: Vec<ChosenMode>,
}

/// Finds the groups. What is in them is read by [`Groups::look_over`].
pub(super) fn find<'a>(all: Option<Section<'a>>, problems: &Problems) -> Groups<'a> {
    let mut groups = Groups::default();
    let Some(all) = all else { return groups };
    let entries = all.entries();
    if entries.len() > MAX_GROUPS {
        let fault = Fault::new(format!("there are {} groups", entries.len()), "too many");
        problems.push(all.span(), fault.help(format!("no more than {MAX_GROUPS} are taken")));
        return groups;
    }
    for (name, field) in entries {
        if let Err(fault) = value::name_in(name.get_ref(), "a group's name") {
            problems.push(name.span(), fault);
        } else if let Some(section) = all.table_of(field, "[group]") {
            let mut again = section.again();
            let checks = again.section("checks", "[group.checks]").map(checks::read).unwrap_or_default();
            groups.0.insert(*name.get_ref(), Group { section, checks });
        }
    }
    groups
}

impl<'a> Groups<'a> {
    /// Tells what is wrong in any group.
    pub(super) fn look_over(&self, around: Around<'a, '_>) {
        for group in self.0.values() {
            let mut section = group.section.again();
            let mut refused = false;
            for key in ["name", "address", "asn", "group"] {
                refused |= section.refused(key, || match key {
                    "group" => Fault::new("a group is of no other group", "only peers are")
                        .help("write its keys here, too"),
                    _ => Fault::new(format!("[group] has no key `{key}`"), "not the same for all its peers")
                        .help("say this of each [[peer]]"),
                });
            }
            if !refused {
                let given = Given { session: &peer::nobody(), max_prefixes: None, group: None };
                drop(peer::read(section, around, &mut Unique::default(), Some(&given)));
            }
        }
    }

    /// The group that a peer, whose section this is, says it is of, or else the one that is given; and its name.
    pub(super) fn of(&self, section: &mut Section<'a>, given: Option<&str>) -> Option<(&str, &Group<'a>)> {
        let written = section.optional("group", |field| self.name(field));
        let name = written.map(Spanned::into_inner).or_else(|| given.map(str::to_owned))?;
        self.0.get_key_value(name.as_str()).map(|(name, group)| (*name, group))
    }

    /// The name of a group that there is.
    pub(super) fn name(&self, field: Field<'_>) -> Result<String, Fault> {
        let name = field.text()?;
        if self.0.contains_key(name) {
            return Ok(name.to_owned());
        }
        let known: Vec<&str> = self.0.keys().copied().collect();
        let fault = Fault::new(format!("there is no group {}", quoted(name)), "unknown");
        Err(match nearest(name, &known) {
            Some(known) => fault.help(format!("did you mean `{known}`?")),
            None if known.is_empty() => fault.help("begin one with `[group.NAME]`"),
            None if known.len() > NAMED => {
                fault.help(format!("there are {}, none of that name", known.len()))
            }
            None => fault.help(format!("there is {}", listed(&known))),
        })
    }
}
