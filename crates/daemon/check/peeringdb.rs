//! What `[peeringdb]` comes to, as `palisade check` shows it.

use std::time::SystemTime;

use serde::Serialize;

use crate::config::PeeringDb;
use crate::feeds::peeringdb::SourceStatus;

/// `[peeringdb]`.
#[derive(Debug, Serialize)]
pub(super) struct PeeringDbOutline {
    /// The API first, where it is asked.
    pub(super) sources: Vec<NetworksOutline>,
    pub(super) as_set: bool,
    pub(super) max_prefixes: bool,
    pub(super) max_prefixes_margin: f64,
}

/// A source of what networks say of themselves.
#[derive(Debug, Serialize)]
pub(super) struct NetworksOutline {
    pub(super) name: String,
    /// Where the files were read: how many networks it says something of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) networks: Option<usize>,
    /// How long ago it said so, where it ever did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) age_s: Option<u64>,
    /// Why that can't be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<String>,
}

impl PeeringDbOutline {
    pub(super) fn new(settings: &PeeringDb, read: Option<Vec<SourceStatus>>) -> Self {
        let api = settings.api.iter().map(|api| api.url.clone());
        let files = settings.files.iter().map(|file| file.get_ref().display().to_string());
        let unread = |name| NetworksOutline { name, networks: None, age_s: None, fault: None };
        let sources = match read {
            Some(read) => read.into_iter().map(NetworksOutline::new).collect(),
            None => api.chain(files).map(unread).collect(),
        };
        let PeeringDb { as_set, max_prefixes, max_prefixes_margin, .. } = *settings;
        PeeringDbOutline { sources, as_set, max_prefixes, max_prefixes_margin }
    }
}

impl NetworksOutline {
    fn new(SourceStatus { name, networks, since, fault, .. }: SourceStatus) -> Self {
        let age = since.map(|since| SystemTime::now().duration_since(since).unwrap_or_default());
        NetworksOutline { name, networks: Some(networks), age_s: age.map(|age| age.as_secs()), fault }
    }
}
