//! What a replay came to, for a person and for a program: both print the same [`Summary`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use palisade_policy::{AspaState, PerReason, RovState, Rules};
use serde::{Serialize, Serializer};

use super::roster::Match;
use super::tally::Tally;
use super::visitor::Judging;
use crate::terminal::grouped;

/// The numbers of a replay.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    files: usize,
    records: u64,
    damaged_records: u64,
    skipped_records: BTreeMap<String, u64>,
    announcements: u64,
    withdrawals: u64,
    state_changes: u64,
    /// Announcements whose attributes make withdrawals of them (RFC 7606).
    treated_as_withdrawn: u64,
    /// Messages and table entries with faults in their attributes.
    faulty_attributes: u64,
    peers: Peers,
    prefixes: Prefixes,
    judged: u64,
    #[serde(serialize_with = "by_state")]
    rov: [u64; RovState::ALL.len()],
    #[serde(serialize_with = "by_aspa")]
    aspa: [u64; AspaState::ALL.len()],
    accepted: u64,
    /// Accepted routes whose attributes import changes.
    amended: u64,
    rejected: u64,
    #[serde(serialize_with = "by_reason")]
    rejected_by: Vec<(Cow<'static, str>, u64)>,
    #[serde(serialize_with = "by_reason")]
    observed: Vec<(Cow<'static, str>, u64)>,
    seconds: f64,
    routes_per_second: u64,
    damages: Vec<Damage>,
}

/// How many peers there are, by how they were found in the configuration.
#[derive(Debug, Serialize)]
struct Peers {
    total: usize,
    configured_by_address: usize,
    configured_by_asn: usize,
    not_configured: usize,
}

/// How many prefixes were announced.
#[derive(Debug, Serialize)]
struct Prefixes {
    ipv4: u64,
    ipv6: u64,
    /// Whether there were more than are told apart.
    at_least: bool,
}

/// A damage, as a program wants it.
#[derive(Debug, Serialize)]
struct Damage {
    file: String,
    offset: u64,
    what: String,
}

impl Summary {
    /// What was counted in so many files and so much time.
    pub(super) fn new(judging: &Judging<'_>, files: usize, took: Duration) -> Self {
        let Tally { records, damaged, announcements, withdrawals, state_changes, .. } = judging.tally;
        let tally = &judging.tally;
        let met = judging.roster.met();
        let found = |how| met.iter().filter(|judged| judged.found == how).count();
        let peers = Peers {
            total: met.len(),
            configured_by_address: found(Match::Address),
            configured_by_asn: found(Match::Asn),
            not_configured: found(Match::None),
        };
        let [ipv4, ipv6] = judging.prefixes.count();
        let damages = tally.damages.iter().map(|located| Damage {
            file: located.file.clone(),
            offset: located.damage.offset,
            what: located.damage.fault.to_string(),
        });
        let seconds = took.as_secs_f64();
        Summary {
            files,
            records,
            damaged_records: damaged,
            skipped_records: tally.unread.iter().map(|(kind, count)| (kind.to_string(), *count)).collect(),
            announcements,
            withdrawals,
            state_changes,
            treated_as_withdrawn: tally.unusable,
            faulty_attributes: tally.faulty,
            peers,
            prefixes: Prefixes { ipv4, ipv6, at_least: judging.prefixes.is_full() },
            judged: tally.judged(),
            rov: tally.rov,
            aspa: tally.aspa,
            accepted: tally.accepted,
            amended: tally.amended,
            rejected: tally.rejected.by_code().iter().sum(),
            rejected_by: named(&tally.rejected, &judging.tables.rules),
            observed: named(&tally.observed, &judging.tables.rules),
            seconds,
            routes_per_second: if seconds > 0.0 { (tally.judged() as f64 / seconds) as u64 } else { 0 },
            damages: damages.collect(),
        }
    }
}

/// The reasons that occur by what they are called, the most frequent first.
fn named(counts: &PerReason<u64>, rules: &Rules) -> Vec<(Cow<'static, str>, u64)> {
    Tally::by_frequency(counts).into_iter().map(|(reason, count)| (rules.slug(reason), count)).collect()
}

fn by_state<S: Serializer>(counts: &[u64; RovState::ALL.len()], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(RovState::ALL.into_iter().map(|state| (state.slug(), counts[state as usize])))
}

fn by_aspa<S: Serializer>(counts: &[u64; AspaState::ALL.len()], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(AspaState::ALL.into_iter().map(|state| (state.slug(), counts[state as usize])))
}

fn by_reason<S: Serializer>(counts: &[(Cow<'static, str>, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().map(|(reason, count)| (reason, count)))
}

/// Columns that the names take, and the numbers.
const NAMES: usize = 34;
const NUMBERS: usize = 15;

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        self.read(f)?;
        self.routes(f)?;
        self.verdicts(f)
    }
}

impl Summary {
    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files =
            if self.files == 1 { "1 file".into() } else { format!("{} files", grouped(self.files as u64)) };
        let (judged, rate) = (grouped(self.judged), grouped(self.routes_per_second));
        writeln!(f, "{files}, {judged} routes judged in {:.2} s, {rate} a second\n", self.seconds)
    }

    fn read(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        row(f, 0, "records", self.records)?;
        for (kind, count) in &self.skipped_records {
            row(f, 1, &format!("not read: {kind}"), *count)?;
        }
        optional(f, 1, "damaged", self.damaged_records)?;
        optional(f, 0, "state changes", self.state_changes)?;
        row(f, 0, "peers", self.peers.total as u64)?;
        let Peers { configured_by_address, configured_by_asn, not_configured, .. } = self.peers;
        if configured_by_address + configured_by_asn > 0 {
            row(f, 1, "configured", configured_by_address as u64)?;
            optional(f, 1, "configured, by AS alone", configured_by_asn as u64)?;
            row(f, 1, "not configured", not_configured as u64)?;
        }
        let Prefixes { ipv4, ipv6, at_least } = self.prefixes;
        row(f, 0, if at_least { "prefixes, at least" } else { "prefixes" }, ipv4 + ipv6)?;
        optional(f, 1, "IPv4", ipv4)?;
        optional(f, 1, "IPv6", ipv6)
    }

    fn routes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        row(f, 0, "withdrawals", self.withdrawals)?;
        row(f, 0, "announcements", self.announcements)?;
        optional(f, 1, "treated as withdrawn (RFC 7606)", self.treated_as_withdrawn)?;
        optional(f, 0, "messages and entries with faults", self.faulty_attributes)?;
        writeln!(f)?;
        for state in [RovState::Valid, RovState::NotFound, RovState::InvalidOrigin, RovState::InvalidLength] {
            share(f, 0, &format!("RPKI {state}"), self.rov[state as usize], self.judged)?;
        }
        // Without an ASPA there is nothing to say.
        if self.aspa[AspaState::Unverified as usize] < self.judged {
            for state in [AspaState::Valid, AspaState::Unknown, AspaState::Invalid] {
                share(f, 0, &format!("ASPA {}", state.slug()), self.aspa[state as usize], self.judged)?;
            }
        }
        writeln!(f)
    }

    fn verdicts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        share(f, 0, "accepted", self.accepted, self.judged)?;
        if self.amended > 0 {
            share(f, 1, "with attributes that import changes", self.amended, self.judged)?;
        }
        share(f, 0, "rejected", self.rejected, self.judged)?;
        for (reason, count) in &self.rejected_by {
            share(f, 1, reason, *count, self.judged)?;
        }
        for (reason, count) in &self.observed {
            share(f, 0, &format!("observed: {reason}"), *count, self.judged)?;
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, depth: usize, name: &str, count: u64) -> fmt::Result {
    let indent = 2 + depth * 2;
    writeln!(f, "{:indent$}{name:<width$}{:>NUMBERS$}", "", grouped(count), width = NAMES - indent)
}

/// A row that is left out where there is nothing to count.
fn optional(f: &mut fmt::Formatter<'_>, depth: usize, name: &str, count: u64) -> fmt::Result {
    if count > 0 { row(f, depth, name, count) } else { Ok(()) }
}

fn share(f: &mut fmt::Formatter<'_>, depth: usize, name: &str, count: u64, of: u64) -> fmt::Result {
    let indent = 2 + depth * 2;
    let number = grouped(count);
    write!(f, "{:indent$}{name:<width$}{number:>NUMBERS$}", "", width = NAMES - indent)?;
    match of {
        0 => writeln!(f),
        _ => writeln!(f, "{:>9.2} %", count as f64 / of as f64 * 100.0),
    }
}
