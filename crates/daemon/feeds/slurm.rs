//! SLURM: an operator's own exceptions to what the RPKI says (RFC 8416; version 2 adds ASPAs,
//! draft-ietf-sidrops-aspa-slurm).
//!
//! ```text
//!   VRPs of all sources -- filters drop what they match --> + assertions --> what announcements are judged by
//! ```
//!
//! Filters and assertions of all files hold together. Files that speak of the same addresses or the same customer may
//! contradict each other, and then the whole set is refused (RFC 8416 s4.2), as is a file with anything in it that the
//! format does not have (s3.1): in a filter it might have meant less than what is read. An assertion says what it says,
//! so members beside it are passed over; exports of whole registries carry such. What is said of BGPsec keys is not used.
//!
//! The `rpki` crate's types would refuse the exports and know only one name of the ASPA members of the several that are
//! in use, so the format is read here.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use palisade_bgp::{Asn, Prefix};
use palisade_policy::{Aspa, AspaIndex, RovIndex, Vrp, VrpError};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::rpki::RpkiSet;
use crate::input::{Input, InputError};

/// The most octets that a file may have, decompressed.
pub(crate) const MAX_OCTETS: u64 = 256 << 20;
/// The most filters and assertions that a file may have.
pub(crate) const MAX_ENTRIES: usize = 1_000_000;
/// The most providers of one asserted ASPA.
const MAX_PROVIDERS: usize = 16_380;

/// Why a file is refused, or several together. What held before holds on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SlurmError {
    /// It can't be opened.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It can't be read on.
    #[error("can't be read: {0}")]
    Io(io::Error),
    /// It is no SLURM, or has something in it that SLURM does not have.
    #[error("not SLURM (RFC 8416): {0}")]
    Json(serde_json::Error),
    /// Its version is not known.
    #[error("slurmVersion is {0}: only 1 and 2 are known")]
    Version(u64),
    /// ASPAs, in a version that has none.
    #[error("slurmVersion is 1, which has no {0}: write 2")]
    AspaInVersion1(&'static str),
    /// It has more than [`MAX_ENTRIES`].
    #[error("more than {MAX_ENTRIES} filters and assertions")]
    TooMany,
    /// A prefix is none.
    #[error("{list}, entry {entry}: {fault}")]
    Entry {
        /// The list it is in.
        list: &'static str,
        /// Which of them, from 1.
        entry: usize,
        /// What is wrong with it.
        fault: EntryFault,
    },
    /// Two files speak of the same.
    #[error(
        "{} and {} both speak of {what}: neither is used (RFC 8416 s4.2)", first.display(), second.display()
    )]
    Conflict {
        /// What both speak of.
        what: Subject,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
}

/// What is wrong with an entry.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EntryFault {
    /// It has no prefix that could be read.
    #[error("{} is no prefix", crate::config::quoted(.0))]
    Prefix(String),
    /// A filter names nothing.
    #[error("neither prefix nor asn: it would match nothing or everything")]
    MatchesNothing,
    /// Its maxPrefixLength is none.
    #[error(transparent)]
    MaxLength(#[from] VrpError),
    /// An ASPA without providers, or with too many.
    #[error("{0} providers: at least 1 (0 for none), at most {MAX_PROVIDERS}")]
    Providers(usize),
}

/// What two files may both speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Addresses, of which one prefix is named.
    Prefix(Prefix),
    /// A customer's ASPA.
    Customer(Asn),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Prefix(prefix) => write!(f, "{prefix}"),
            Subject::Customer(customer) => write!(f, "the ASPA of {customer}"),
        }
    }
}

/// The filters and assertions of one file.
#[derive(Debug, Default)]
pub(crate) struct SlurmFile {
    prefix_filters: Vec<PrefixFilter>,
    aspa_filters: Vec<Asn>,
    vrps: Vec<Vrp>,
    aspas: Vec<Aspa>,
}

/// What a filter drops: what matches all that it names.
#[derive(Clone, Copy, Debug)]
struct PrefixFilter {
    /// VRPs of this prefix and what is more specific.
    prefix: Option<Prefix>,
    /// VRPs of this AS.
    asn: Option<Asn>,
}

impl SlurmFile {
    /// Opens and reads a file, however it is compressed.
    pub(crate) fn open(path: &Path) -> Result<Self, SlurmError> {
        Self::read(Input::open(path)?)
    }

    /// Reads a file.
    pub(crate) fn read(input: impl Read) -> Result<Self, SlurmError> {
        let mut octets = Vec::new();
        input.take(MAX_OCTETS + 1).read_to_end(&mut octets).map_err(SlurmError::Io)?;
        if octets.len() as u64 > MAX_OCTETS {
            let fault = format!("longer than {MAX_OCTETS} octets");
            return Err(SlurmError::Io(io::Error::new(io::ErrorKind::FileTooLarge, fault)));
        }
        let written: Written = serde_json::from_slice(&octets).map_err(SlurmError::Json)?;
        written.checked()
    }

    /// How many filters and assertions it has.
    pub(crate) fn len(&self) -> usize {
        self.prefix_filters.len() + self.aspa_filters.len() + self.vrps.len() + self.aspas.len()
    }

    /// Every prefix that it speaks of.
    fn prefixes(&self) -> impl Iterator<Item = Prefix> {
        let filters = self.prefix_filters.iter().filter_map(|filter| filter.prefix);
        filters.chain(self.vrps.iter().map(|vrp| vrp.prefix()))
    }

    /// Every customer that it speaks of.
    fn customers(&self) -> impl Iterator<Item = Asn> {
        self.aspa_filters.iter().copied().chain(self.aspas.iter().map(|aspa| aspa.customer))
    }
}

/// The exceptions of all files together.
#[derive(Debug, Default)]
pub(crate) struct Slurm {
    /// Filters by AS alone.
    by_asn: HashSet<Asn>,
    /// Filters by prefix alone: a VRP under one of these is dropped.
    by_prefix: RovIndex,
    /// Filters by both.
    by_both: RovIndex,
    customers: HashSet<Asn>,
    vrps: HashSet<Vrp>,
    aspas: Vec<Aspa>,
}

impl Slurm {
    /// All that these files say, unless two of them speak of the same.
    pub(crate) fn of<'a>(
        files: impl IntoIterator<Item = (&'a Path, &'a SlurmFile)> + Clone,
    ) -> Result<Self, SlurmError> {
        conflict(files.clone())?;
        let mut slurm = Slurm::default();
        let (mut by_prefix, mut by_both) = (Vec::new(), Vec::new());
        for (_, file) in files {
            for PrefixFilter { prefix, asn } in &file.prefix_filters {
                match (prefix, asn) {
                    (Some(prefix), Some(asn)) => by_both.extend(Vrp::new(*prefix, prefix.len(), *asn)),
                    (Some(prefix), None) => by_prefix.extend(Vrp::new(*prefix, prefix.len(), Asn(0))),
                    (None, Some(asn)) => drop(slurm.by_asn.insert(*asn)),
                    (None, None) => {}
                }
            }
            slurm.customers.extend(&file.aspa_filters);
            slurm.vrps.extend(&file.vrps);
            slurm.aspas.extend(file.aspas.iter().cloned());
        }
        slurm.by_prefix = RovIndex::build(by_prefix);
        slurm.by_both = RovIndex::build(by_both);
        Ok(slurm)
    }

    /// The set that VRPs and ASPAs come to under it.
    pub(crate) fn apply(&self, mut vrps: Vec<Vrp>, mut aspas: Vec<Aspa>) -> RpkiSet {
        vrps.retain(|vrp| !self.drops(*vrp));
        aspas.retain(|aspa| !self.drops_aspa(aspa.customer));
        vrps.extend(self.vrps());
        aspas.extend(self.aspas().cloned());
        RpkiSet { rov: Arc::new(RovIndex::build(vrps)), aspa: Arc::new(AspaIndex::build(aspas)) }
    }

    /// Whether it leaves VRPs as they are.
    pub(crate) fn leaves_vrps(&self) -> bool {
        self.by_asn.is_empty() && self.by_prefix.is_empty() && self.by_both.is_empty() && self.vrps.is_empty()
    }

    /// Whether a filter drops a VRP.
    pub(crate) fn drops(&self, vrp: Vrp) -> bool {
        self.by_asn.contains(&vrp.asn())
            || (!self.by_prefix.is_empty() && self.by_prefix.covering(vrp.prefix()).next().is_some())
            || (!self.by_both.is_empty()
                && self.by_both.covering(vrp.prefix()).any(|filter| filter.asn() == vrp.asn()))
    }

    /// Whether it asserts a VRP.
    pub(crate) fn asserts(&self, vrp: Vrp) -> bool {
        self.vrps.contains(&vrp)
    }

    /// The VRPs that it asserts.
    pub(crate) fn vrps(&self) -> impl Iterator<Item = Vrp> {
        self.vrps.iter().copied()
    }

    /// Whether it leaves ASPAs as they are.
    pub(crate) fn leaves_aspas(&self) -> bool {
        self.customers.is_empty() && self.aspas.is_empty()
    }

    /// Whether a filter drops the ASPA of a customer.
    pub(crate) fn drops_aspa(&self, customer: Asn) -> bool {
        self.customers.contains(&customer)
    }

    /// The ASPAs that it asserts. What else the customer has authorized counts too, unless that is filtered.
    pub(crate) fn aspas(&self) -> impl Iterator<Item = &Aspa> {
        self.aspas.iter()
    }
}

/// That no two files speak of the same.
fn conflict<'a>(files: impl IntoIterator<Item = (&'a Path, &'a SlurmFile)>) -> Result<(), SlurmError> {
    let (mut prefixes, mut customers) = (Vec::new(), Vec::new());
    for (at, (path, file)) in files.into_iter().enumerate() {
        prefixes.extend(file.prefixes().map(|prefix| (prefix, at, path)));
        customers.extend(file.customers().map(|customer| (customer, at, path)));
    }
    let conflict = |what, first: &Path, second: &Path| {
        Err(SlurmError::Conflict { what, first: first.into(), second: second.into() })
    };
    // In order, the prefixes that cover one come before it: those are on the stack.
    prefixes.sort_unstable();
    let mut above: Vec<(Prefix, usize, &Path)> = Vec::new();
    for (prefix, at, path) in prefixes {
        while above.pop_if(|(last, ..)| !last.covers(prefix)).is_some() {}
        match above.last() {
            Some((_, other, first)) if *other != at => return conflict(Subject::Prefix(prefix), first, path),
            _ => above.push((prefix, at, path)),
        }
    }
    customers.sort_unstable();
    let pairs = customers.windows(2).find_map(|pair| match pair {
        [(one, at, first), (other, next, second)] if one == other && at != next => {
            Some((*one, *first, *second))
        }
        _ => None,
    });
    pairs.map_or(Ok(()), |(customer, first, second)| conflict(Subject::Customer(customer), first, second))
}

/// A file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Written {
    slurm_version: u64,
    validation_output_filters: WrittenFilters,
    locally_added_assertions: WrittenAssertions,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WrittenFilters {
    #[serde(default)]
    prefix_filters: Vec<WrittenPrefixFilter>,
    #[serde(default, rename = "bgpsecFilters")]
    _bgpsec_filters: Vec<IgnoredAny>,
    aspa_filters: Option<Vec<WrittenAspaFilter>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WrittenAssertions {
    #[serde(default)]
    prefix_assertions: Vec<WrittenPrefixAssertion>,
    #[serde(default, rename = "bgpsecAssertions")]
    _bgpsec_assertions: Vec<IgnoredAny>,
    aspa_assertions: Option<Vec<WrittenAspaAssertion>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPrefixFilter {
    prefix: Option<String>,
    asn: Option<u32>,
    #[serde(default, rename = "comment")]
    _comment: IgnoredAny,
}

/// Drafts and implementations name the customer in two ways.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAspaFilter {
    #[serde(rename = "customerAsn", alias = "customerAsid")]
    customer: u32,
    #[serde(default, rename = "comment")]
    _comment: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenPrefixAssertion {
    prefix: String,
    asn: u32,
    max_prefix_length: Option<u8>,
}

#[derive(Deserialize)]
struct WrittenAspaAssertion {
    #[serde(rename = "customerAsn", alias = "customerAsid")]
    customer: u32,
    #[serde(rename = "providerAsns", alias = "providers", alias = "providerSet")]
    providers: Vec<u32>,
}

impl Written {
    fn checked(self) -> Result<SlurmFile, SlurmError> {
        let (filters, assertions) = (self.validation_output_filters, self.locally_added_assertions);
        match self.slurm_version {
            1 if filters.aspa_filters.is_some() => return Err(SlurmError::AspaInVersion1("aspaFilters")),
            1 if assertions.aspa_assertions.is_some() => {
                return Err(SlurmError::AspaInVersion1("aspaAssertions"));
            }
            1 | 2 => {}
            version => return Err(SlurmError::Version(version)),
        }
        let aspa_filters = filters.aspa_filters.unwrap_or_default();
        let file = SlurmFile {
            prefix_filters: each("prefixFilters", filters.prefix_filters, WrittenPrefixFilter::checked)?,
            aspa_filters: aspa_filters.into_iter().map(|filter| Asn(filter.customer)).collect(),
            vrps: each("prefixAssertions", assertions.prefix_assertions, WrittenPrefixAssertion::checked)?,
            aspas: each(
                "aspaAssertions",
                assertions.aspa_assertions.unwrap_or_default(),
                WrittenAspaAssertion::checked,
            )?,
        };
        if file.len() > MAX_ENTRIES { Err(SlurmError::TooMany) } else { Ok(file) }
    }
}

fn each<W, T>(
    list: &'static str,
    written: Vec<W>,
    checked: impl Fn(W) -> Result<T, EntryFault>,
) -> Result<Vec<T>, SlurmError> {
    let entry =
        |(at, written)| checked(written).map_err(|fault| SlurmError::Entry { list, entry: at + 1, fault });
    written.into_iter().enumerate().map(entry).collect()
}

fn prefix(text: &str) -> Result<Prefix, EntryFault> {
    text.parse().map_err(|_| EntryFault::Prefix(text.into()))
}

impl WrittenPrefixFilter {
    fn checked(self) -> Result<PrefixFilter, EntryFault> {
        if self.prefix.is_none() && self.asn.is_none() {
            return Err(EntryFault::MatchesNothing);
        }
        let prefix = self.prefix.as_deref().map(prefix).transpose()?;
        Ok(PrefixFilter { prefix, asn: self.asn.map(Asn) })
    }
}

impl WrittenPrefixAssertion {
    fn checked(self) -> Result<Vrp, EntryFault> {
        let prefix = prefix(&self.prefix)?;
        Ok(Vrp::new(prefix, self.max_prefix_length.unwrap_or(prefix.len()), Asn(self.asn))?)
    }
}

impl WrittenAspaAssertion {
    fn checked(self) -> Result<Aspa, EntryFault> {
        match self.providers.len() {
            1..=MAX_PROVIDERS => {
                let providers = self.providers.into_iter().map(Asn).collect();
                Ok(Aspa { customer: Asn(self.customer), providers })
            }
            count => Err(EntryFault::Providers(count)),
        }
    }
}

#[cfg(test)]
mod tests;
