//! What `[irr]` comes to.

use palisade_policy::Snapshot;
use serde::Serialize;

use super::text::page::{count, some};
use crate::config::{Config, IRR_CACHE, Irr, IrrCache, Mirror, SizeGuard, Whois, shown};

/// `[irr]`.
#[derive(Debug, Serialize)]
pub(super) struct IrrOutline {
    dumps: Vec<String>,
    mirrors: Vec<MirrorOutline>,
    whois: Vec<WhoisOutline>,
    sources: Vec<String>,
    allow_longer: bool,
    accept_rpki_valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    feed: Option<FeedOutline>,
    /// Where files were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    route_objects: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_sets: Option<usize>,
}

#[derive(Debug, Serialize)]
struct MirrorOutline {
    source: String,
    server: String,
    dumps: Vec<String>,
    serial: String,
    poll: String,
}

#[derive(Debug, Serialize)]
struct WhoisOutline {
    server: String,
    sources: Vec<String>,
    refresh: String,
}

/// How data is kept and guarded while the router runs.
#[derive(Debug, Serialize)]
struct FeedOutline {
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guard: Option<GuardOutline>,
    max_age: String,
}

#[derive(Debug, Serialize)]
struct GuardOutline {
    shrink_percent: u32,
    grow_percent: u32,
    floor: u32,
    hold: String,
}

impl IrrOutline {
    pub(super) fn new(config: &Config, tables: Option<&Snapshot>) -> Self {
        let irr = &config.irr;
        IrrOutline {
            dumps: irr.dumps.iter().map(|dump| dump.get_ref().display().to_string()).collect(),
            mirrors: irr.mirrors.iter().map(|mirror| MirrorOutline::new(mirror.get_ref())).collect(),
            whois: irr.whois.iter().map(|whois| WhoisOutline::new(whois.get_ref())).collect(),
            sources: irr.sources.clone(),
            allow_longer: irr.allow_longer,
            accept_rpki_valid: irr.accept_rpki_valid,
            feed: irr.has_sources().then(|| FeedOutline::new(irr)),
            route_objects: tables.map(|tables| tables.irr.len()),
            as_sets: tables.map(|tables| tables.irr.as_sets()),
        }
    }

    /// As text: where data comes from, a line each; what is registered by it; how it is kept.
    pub(super) fn lines(&self) -> Vec<String> {
        let longer = if self.allow_longer { "; more-specifics are registered too" } else { "" };
        let counted = self.route_objects.zip(self.as_sets).map(|(routes, sets)| {
            format!("{} and {} from ", count(routes, "route object"), count(sets, "as-set"))
        });
        let mut places = Vec::new();
        if !self.dumps.is_empty() {
            places.push(some(&self.dumps, ""));
        }
        places.extend(self.mirrors.iter().map(|mirror| {
            format!("a mirror of {}, which {} updates every {}", mirror.source, mirror.server, mirror.poll)
        }));
        places.extend(self.whois.iter().map(WhoisOutline::text));
        let Some(first) = places.first_mut() else { return vec!["none: nothing is registered".into()] };
        *first = match counted {
            Some(counted) => format!("{counted}{first}{longer}"),
            None => format!("from {first}{longer}"),
        };
        if !self.sources.is_empty() {
            places.push(format!("sets are looked for in {} first", some(&self.sources, "")));
        }
        places
    }

    /// How data is kept and guarded.
    pub(super) fn kept(&self) -> Option<String> {
        let FeedOutline { cache, guard, max_age } = self.feed.as_ref()?;
        let cache = match cache {
            None => "not kept on disk".into(),
            Some(cache) => format!("kept in {cache}"),
        };
        let guard = match guard {
            None => "whatever changes counts at once".into(),
            Some(GuardOutline { shrink_percent, grow_percent, floor, hold }) => format!(
                "held for {hold} where it shrinks by {shrink_percent} % or grows by {grow_percent} % (and {floor} objects)"
            ),
        };
        Some(format!("{cache}; {guard}; alarming at an age of {max_age}"))
    }
}

impl MirrorOutline {
    fn new(mirror: &Mirror) -> Self {
        MirrorOutline {
            source: mirror.source.clone(),
            server: mirror.server.to_string(),
            dumps: mirror.dumps.iter().map(|dump| dump.display().to_string()).collect(),
            serial: mirror.serial.display().to_string(),
            poll: shown(mirror.poll),
        }
    }
}

impl WhoisOutline {
    fn new(whois: &Whois) -> Self {
        let Whois { server, refresh, sources } = whois;
        WhoisOutline { server: server.to_string(), sources: sources.clone(), refresh: shown(*refresh) }
    }

    fn text(&self) -> String {
        let WhoisOutline { server, sources, refresh } = self;
        let of = some(sources, "");
        let of = if of.is_empty() { of } else { format!(" for {of}") };
        format!("{server}, which is asked{of} every {refresh}")
    }
}

impl FeedOutline {
    fn new(irr: &Irr) -> Self {
        let guard = irr.guard.map(|SizeGuard { shrink_percent, grow_percent, floor, hold }| GuardOutline {
            shrink_percent,
            grow_percent,
            floor,
            hold: shown(hold),
        });
        let cache = match &irr.cache {
            IrrCache::Off => None,
            IrrCache::Usual => Some(format!("{IRR_CACHE}, if it is there")),
            IrrCache::Folder(folder) => Some(folder.display().to_string()),
        };
        FeedOutline { cache, guard, max_age: shown(irr.max_age) }
    }
}
