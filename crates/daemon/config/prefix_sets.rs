//! `[prefix_sets]`: lists of prefixes that rules name, written here or in files of their own.
//!
//! A file has one prefix a line, with RPSL's range operators or without; what follows a `#` is a remark. Files are read with
//! the tables, not with the configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use palisade_bgp::prefix::PrefixError;
use palisade_policy::{PrefixRange, PrefixRangeError};
use toml::Spanned;

use super::problem::Fault;
use super::section::{Field, MAX_LIST, Section};
use super::value;

/// Sets that there may be.
const MAX_SETS: usize = 1_000;

/// Sets of prefixes, by name.
pub(crate) type PrefixSets = BTreeMap<String, PrefixSource>;

/// Where a set's prefixes are.
#[derive(Debug)]
pub(crate) enum PrefixSource {
    /// In the configuration.
    Written(Vec<PrefixRange>),
    /// In a file.
    File(Spanned<PathBuf>),
}

pub(super) fn read(section: Section<'_>, folder: &Path) -> PrefixSets {
    let entries = section.entries();
    if let Some((name, _)) = entries.get(MAX_SETS) {
        let fault = Fault::new(format!("there are {} sets of prefixes", entries.len()), "one too many");
        section.problems().push(name.span(), fault.help(format!("no more than {MAX_SETS} are taken")));
        return PrefixSets::new();
    }
    let mut sets = PrefixSets::new();
    for (name, field) in entries {
        if let Err(fault) = value::name_in(name.get_ref(), "the name of a set") {
            section.problems().push(name.span(), fault);
        }
        // One that is wrong is there all the same: that rules name it is not another error.
        let source = source(field, folder, &section).unwrap_or(PrefixSource::Written(Vec::new()));
        sets.insert((*name.get_ref()).to_owned(), source);
    }
    sets
}

fn source(field: Field<'_>, folder: &Path, section: &Section<'_>) -> Option<PrefixSource> {
    let told = |field: Field<'_>, fault: Fault| section.problems().push(field.span(), fault);
    let Some(fields) = field.values() else {
        let file = value::path(field, folder).map_err(|fault| {
            told(field, fault.help("write a list of prefixes, or the name of a file"));
        });
        return file.ok().map(|file| PrefixSource::File(Spanned::new(field.span(), file)));
    };
    if fields.is_empty() {
        told(field, Fault::new("a set of no prefixes", "it is empty").help("write prefixes, or remove it"));
    } else if fields.len() > MAX_LIST {
        let fault = Fault::new(format!("`{}` has {} prefixes", field.key, fields.len()), "too many");
        told(field, fault.help(format!("no more than {MAX_LIST} are taken here: write them into a file")));
        return None;
    }
    let read = |field| range(field).map_err(|fault| told(field, fault)).ok();
    Some(PrefixSource::Written(fields.into_iter().filter_map(read).collect()))
}

/// A prefix, with longer ones or without.
pub(super) fn range(field: Field<'_>) -> Result<PrefixRange, Fault> {
    let text = field.text()?;
    text.parse().map_err(|error: PrefixRangeError| {
        let fault = field.not(&error.to_string());
        match error {
            PrefixRangeError::Prefix(PrefixError::HostBits(_, prefix)) => {
                fault.help(format!("did you mean `{prefix}`?"))
            }
            PrefixRangeError::Prefix(_) => fault.help("write it like `192.0.2.0/24` or `2001:db8::/32^48`"),
            PrefixRangeError::Operator(_) | PrefixRangeError::Lengths { .. } => fault.help(
                "`^+` means with all longer ones, `^-` these alone, `^24` and `^20-24` those of a length",
            ),
        }
    })
}
