//! How it stands with the sources of what is judged by, for an operator who asks: one shape for all of them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::bogons::BogonListStatus;
use super::irr;
use super::peeringdb;
use super::rpki;
use super::source_state::SourceState;

/// A source as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FeedStatus {
    /// `rpki`, `irr`, `peeringdb` or `bogons`.
    pub(crate) feed: String,
    /// What kind of source it is: `file`, `rtr`, `whois`, ..
    pub(crate) kind: String,
    /// The file, the address or the registry: what `confirm` takes.
    pub(crate) name: String,
    /// `fresh`, `standby`, `connecting`, `holding`, `stale`, `expired` or `failing`.
    pub(crate) state: String,
    /// Whether somebody should look at it.
    pub(crate) alarming: bool,
    /// Since how many seconds it stands so, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state_for_s: Option<u64>,
    /// What it last told, counted.
    pub(crate) holds: BTreeMap<String, usize>,
    /// Seconds since its data was known to be good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) age_s: Option<u64>,
    /// Seconds until it is asked again, where that is at a given time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next_try_s: Option<u64>,
    /// The protocol's particulars: version, session, serial.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) protocol: BTreeMap<String, String>,
    /// A change that is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) held: Option<Held>,
    /// What is wrong, or was the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// What is to be known besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

/// A change that is held until somebody confirms it, or the time has passed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// How many there are of what, and how many there would be.
    pub(crate) from_to: BTreeMap<String, (usize, usize)>,
    /// Since how many seconds.
    pub(crate) for_s: u64,
    /// In how many seconds it counts by itself; not at all without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until_s: Option<u64>,
}

impl FeedStatus {
    fn new(feed: &str, kind: &str, name: String, state: SourceState) -> Self {
        FeedStatus {
            feed: feed.into(),
            kind: kind.into(),
            name,
            state: state.slug().into(),
            alarming: state.is_alarming(),
            state_for_s: None,
            holds: BTreeMap::new(),
            age_s: None,
            next_try_s: None,
            protocol: BTreeMap::new(),
            held: None,
            error: None,
            note: None,
        }
    }
}

fn counts<const N: usize>(counted: [(&str, usize); N]) -> BTreeMap<String, usize> {
    counted.into_iter().filter(|(_, count)| *count > 0).map(|(what, count)| (what.into(), count)).collect()
}

impl From<rpki::SourceStatus> for FeedStatus {
    fn from(source: rpki::SourceStatus) -> Self {
        let protocol = source.rtr.map(|rtr| {
            let said = [
                ("version", rtr.version.map(|version| version.to_string())),
                ("session", rtr.session.map(|session| session.to_string())),
                ("serial", rtr.serial.map(|serial| serial.to_string())),
                ("preference", Some(rtr.preference.to_string())),
                ("tls", rtr.tls.then(|| "yes".into())),
            ];
            said.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
        });
        let held = source.held.map(|held| {
            let changed = [("vrps", held.vrps), ("aspas", held.aspas)];
            let from_to = changed.into_iter().filter_map(|(what, counts)| Some((what.to_owned(), counts?)));
            Held { from_to: from_to.collect(), for_s: held.for_s, until_s: held.until_s }
        });
        FeedStatus {
            state_for_s: Some(source.state_for_s),
            holds: counts([("vrps", source.vrps), ("aspas", source.aspas)]),
            age_s: source.age_s,
            next_try_s: source.next_try_s,
            protocol: protocol.unwrap_or_default(),
            held,
            error: source.error,
            note: source.note,
            ..FeedStatus::new("rpki", source.kind, source.name, source.state)
        }
    }
}

impl From<irr::SourceStatus> for FeedStatus {
    fn from(source: irr::SourceStatus) -> Self {
        let held = source.held.map(|held| Held {
            from_to: BTreeMap::from([("objects".to_owned(), held.objects)]),
            for_s: held.for_s,
            until_s: held.until_s,
        });
        let serial = source.serial.map(|serial| ("serial".to_owned(), serial.to_string()));
        let from_disk = source.cached.then(|| "as it was kept on disk".to_owned());
        FeedStatus {
            state_for_s: Some(source.state_for_s),
            holds: counts([
                ("route_objects", source.route_objects),
                ("as_sets", source.as_sets),
                ("route_sets", source.route_sets),
            ]),
            age_s: source.age_s,
            next_try_s: source.next_try_s,
            protocol: serial.into_iter().collect(),
            held,
            error: source.error,
            note: source.note.or(from_disk),
            ..FeedStatus::new("irr", source.kind, source.name, source.state)
        }
    }
}

impl From<peeringdb::SourceStatus> for FeedStatus {
    fn from(source: peeringdb::SourceStatus) -> Self {
        let kind = if source.name.contains("://") { "api" } else { "file" };
        let vanished = source.vanished.len();
        let note = match vanished {
            0 => None,
            1 => Some("one thing that it says no more holds nevertheless".into()),
            more => Some(format!("{more} things that it says no more hold nevertheless")),
        };
        let file = of_file("peeringdb", kind, source.name, source.since, source.fault);
        FeedStatus {
            alarming: file.alarming || vanished > 0,
            holds: counts([("networks", source.networks)]),
            note,
            ..file
        }
    }
}

impl From<BogonListStatus> for FeedStatus {
    fn from(list: BogonListStatus) -> Self {
        FeedStatus {
            holds: counts([("entries", list.entries)]),
            ..of_file("bogons", "file", list.name, list.since, list.fault)
        }
    }
}

fn of_file(
    feed: &str,
    kind: &str,
    name: String,
    since: Option<SystemTime>,
    error: Option<String>,
) -> FeedStatus {
    let state = match (&error, since) {
        (Some(_), _) => SourceState::Failing,
        (None, None) => SourceState::Connecting,
        (None, Some(_)) => SourceState::Fresh,
    };
    // A clock that was set back makes nothing older than now.
    let age = since.map(|since| since.elapsed().unwrap_or(Duration::ZERO).as_secs());
    FeedStatus { age_s: age, error, ..FeedStatus::new(feed, kind, name, state) }
}
