//! What members may write into their announcements, and what then happens, as `palisade check` shows it.

use std::collections::BTreeMap;

use palisade_bgp::Family;
use palisade_policy::Region;
use palisade_policy::actions::{Action, Whom, Wish};
use serde::Serialize;

use crate::config::{ActionPattern, Actions, Config, Mode};

/// `[actions]`.
#[derive(Debug, Serialize)]
pub(super) struct ActionsOutline {
    /// Who may ask.
    #[serde(skip)]
    pub(super) asked_by: &'static str,
    /// Which patterns hold where none are written.
    pub(super) set: &'static str,
    /// How many patterns there are.
    pub(super) patterns: usize,
    /// The numbers of the regions.
    pub(super) regions: BTreeMap<String, u32>,
    /// What members are told for blackhole routes; of a family that is not there, their own next hop.
    pub(super) blackhole_next_hops: Vec<String>,
    /// With `--explain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) table: Option<Vec<ActionOutline>>,
    /// With `--explain`: what the set has no room for here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) left_out: Option<Vec<String>>,
}

/// What a member may ask for.
#[derive(Debug, Serialize)]
pub(super) struct ActionOutline {
    pub(super) action: &'static str,
    /// What it writes.
    pub(super) communities: Vec<String>,
    /// What then happens to its route.
    pub(super) effect: String,
    /// Who says so.
    pub(super) from: String,
}

impl ActionsOutline {
    pub(super) fn new(config: &Config, actions: &Actions, explain: bool) -> Self {
        let addresses = actions.blackhole_next_hops.iter().flatten();
        ActionsOutline {
            asked_by: match config.router.mode {
                Mode::RouteServer => "member",
                Mode::Router => "customer",
            },
            set: actions.set.slug(),
            patterns: actions.patterns.len(),
            regions: actions.regions.iter().map(|(name, region)| (name.clone(), region.0)).collect(),
            blackhole_next_hops: addresses.map(ToString::to_string).collect(),
            table: explain.then(|| table(config, actions)),
            left_out: explain.then(|| left_out(actions)),
        }
    }
}

/// The names of regions.
pub(super) fn region_names(config: &Config, regions: &[Region]) -> Vec<String> {
    let named = config.actions.iter().flat_map(|actions| &actions.regions);
    named.filter(|(_, region)| regions.contains(region)).map(|(name, _)| name.clone()).collect()
}

fn table(config: &Config, actions: &Actions) -> Vec<ActionOutline> {
    let of = |action: Action| actions.patterns.iter().filter(move |one| one.action == action);
    let asked = Action::ALL.into_iter().filter(|action| of(*action).next().is_some());
    let row = |action: Action| ActionOutline {
        action: action.slug(),
        communities: of(action).map(|one| one.pattern.to_string()).collect(),
        effect: effect(action, actions, config.router.mode),
        from: from(config, of(action)),
    };
    asked.map(row).collect()
}

/// The set, the line of the first pattern that is written, or both.
fn from<'a>(config: &Config, patterns: impl Iterator<Item = &'a ActionPattern> + Clone) -> String {
    let ready_made = patterns.clone().any(|one| one.span.is_none()).then(|| "the set".to_owned());
    let written = patterns.filter_map(|one| one.span.as_ref()).next();
    let line = written.map(|span| format!("line {}", config.source.position(span.start).line));
    ready_made.into_iter().chain(line).collect::<Vec<_>>().join(", ")
}

/// A route server stays out of its members' paths; a router puts its own AS into them.
fn effect(action: Action, actions: &Actions, mode: Mode) -> String {
    let Action::Wish(wish, whom) = action else { return blackhole(actions, mode) };
    let (they, once_more) = match mode {
        Mode::RouteServer => ("members", "the sender's AS"),
        Mode::Router => ("external peers", "our AS"),
    };
    let to = match whom {
        Whom::Peer => "AS peer".into(),
        Whom::Region => format!("{they} in region"),
        Whom::All => format!("all {they}"),
    };
    match (wish, whom) {
        (Wish::Announce, Whom::All) => format!("announced to {to}, as without it"),
        (Wish::Announce, _) => format!("announced to {to} despite a wider \"not\""),
        (Wish::DoNotAnnounce, Whom::All) if mode == Mode::RouteServer => "announced to nobody".into(),
        (Wish::DoNotAnnounce, Whom::All) => "announced to nobody outside".into(),
        (Wish::DoNotAnnounce, _) => format!("not announced to {to}"),
        (Wish::PrependOnce, _) => format!("announced to {to} with {once_more} once more"),
        (Wish::PrependTwice, _) => format!("announced to {to} with {once_more} twice more"),
        (Wish::PrependThrice, _) => format!("announced to {to} with {once_more} thrice more"),
        (Wish::NoExport, _) => format!("announced to {to} with NO_EXPORT"),
    }
}

fn blackhole(actions: &Actions, mode: Mode) -> String {
    if mode == Mode::Router {
        return "announced with 65535:666, by our next hop".into();
    }
    let next_hop = |family: Family| match actions.blackhole_next_hops[family.index()] {
        Some(address) => format!("{family} by {address}"),
        None => format!("{family} by its own next hop"),
    };
    format!("announced as a blackhole, {}", Family::ALL.map(next_hop).join(", "))
}

/// The patterns that are missing, by the reason.
fn left_out(actions: &Actions) -> Vec<String> {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for left_out in &actions.left_out {
        let because = left_out.because.to_string();
        match reasons.iter_mut().find(|(reason, _)| *reason == because) {
            Some((_, patterns)) => patterns.push(left_out.pattern),
            None => reasons.push((because, vec![left_out.pattern])),
        }
    }
    reasons.into_iter().map(|(reason, patterns)| format!("{} ({reason})", patterns.join(", "))).collect()
}
