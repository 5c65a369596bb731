//! `[actions]`: what members of a route server, or customers of a router, may ask for with communities, and with which.
//!
//! There is a ready-made set, which holds as far as nothing else is written; on a router, whose customers may ask for nothing unless
//! that is written, only where `set` says so: under an action's name stands a list of
//! patterns that takes the place of the set's, and `"default"` in that list is the set's own. A pattern that could mean two
//! things is an error, because whichever was meant, half of the members would get the other.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;

use palisade_bgp::{Asn, Family};
use palisade_policy::Region;
use palisade_policy::actions::{Action, LeftOut, Pattern, PatternError, Whom, euro_ix};
use toml::Spanned;

use super::nearest::nearest;
use super::problem::{Fault, Problems};
use super::router::{Mode, Router};
use super::section::{Field, Section, listed};
use super::source::quoted;
use super::value;

/// Patterns that may be written: many times those of any exchange.
const MAX_PATTERNS: usize = 1_000;

/// The highest number of a region: what a community of two octets a field can say.
const HIGHEST_REGION: u32 = 65_535;

/// The word that stands for the patterns of the ready-made set.
const DEFAULT: &str = "default";

/// Which patterns hold where none are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ActionSet {
    /// Those that exchanges use most.
    #[default]
    EuroIx,
    /// None.
    Nothing,
}

impl ActionSet {
    const WORDS: [(&'static str, ActionSet); 2] =
        [("euro-ix", ActionSet::EuroIx), ("none", ActionSet::Nothing)];

    /// As it is written.
    pub(crate) fn slug(self) -> &'static str {
        match self {
            ActionSet::EuroIx => "euro-ix",
            ActionSet::Nothing => "none",
        }
    }
}

/// What members may ask for.
#[derive(Debug, Default)]
pub(crate) struct Actions {
    /// What holds where nothing is written.
    pub(crate) set: ActionSet,
    /// What each pattern means. No two actions have one that overlaps.
    pub(crate) patterns: Vec<ActionPattern>,
    /// What the set can't have here, and would otherwise.
    pub(crate) left_out: Vec<LeftOut>,
    /// The regions, by name.
    pub(crate) regions: BTreeMap<String, Region>,
    /// What members are told for a blackhole route, by [`Family::index`]; `None` where its own next hop stays.
    pub(crate) blackhole_next_hops: [Option<IpAddr>; 2],
}

/// A pattern, and what it means.
#[derive(Debug)]
pub(crate) struct ActionPattern {
    /// What it means.
    pub(crate) action: Action,
    /// The pattern.
    pub(crate) pattern: Pattern,
    /// Where it is written; `None` for one of the ready-made set.
    pub(crate) span: Option<Range<usize>>,
}

/// What stands in the list of an action.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Entry {
    Default,
    Pattern(Pattern),
}

/// Reads the section, which need not be there. `None` for a router without it, whose customers may ask for nothing, and where
/// the router could not be read.
pub(super) fn read(section: Option<Section<'_>>, router: Option<&Router>) -> Option<Actions> {
    let router = router?;
    match (router.mode, section) {
        (Mode::RouteServer, None) => Some(ready_made(router.asn)),
        (Mode::RouteServer, Some(section)) => Some(read_section(section, router.asn, ActionSet::EuroIx)),
        (Mode::Router, None) => None,
        (Mode::Router, Some(section)) => Some(read_section(section, router.asn, ActionSet::Nothing)),
    }
}

fn ready_made(rs: Asn) -> Actions {
    let (patterns, left_out) = euro_ix(rs);
    let patterns =
        patterns.into_iter().map(|(action, pattern)| ActionPattern { action, pattern, span: None });
    Actions { patterns: patterns.collect(), left_out, ..Actions::default() }
}

/// `unwritten` is the set where none is named.
fn read_section(mut section: Section<'_>, rs: Asn, unwritten: ActionSet) -> Actions {
    let set = section.optional("set", |field| value::word(field, &ActionSet::WORDS));
    let set = set.map_or(unwritten, Spanned::into_inner);
    let defaults = match set {
        ActionSet::EuroIx => ready_made(rs),
        ActionSet::Nothing => Actions::default(),
    };
    let mut actions = Actions { set, ..Actions::default() };
    for action in Action::ALL {
        patterns(&mut section, action, rs, &defaults, &mut actions);
    }
    unambiguous(&actions.patterns, &section);
    actions.blackhole_next_hops = blackhole_next_hops(&mut section);
    actions.regions = section.section("regions", "[actions.regions]").map(regions).unwrap_or_default();
    section.end();
    actions
}

/// Adds the patterns of one action: those that are written, or else the set's.
fn patterns(section: &mut Section<'_>, action: Action, rs: Asn, defaults: &Actions, actions: &mut Actions) {
    let key = action.slug();
    let written = section.list(key, &format!("\"{}\"", action.example()), |field| entry(field, action, rs));
    let chosen = match &written {
        None => !section.has(key),
        Some(list) => list.values.iter().any(|value| *value.get_ref() == Entry::Default),
    };
    if chosen {
        let ours = defaults.patterns.iter().filter(|default| default.action == action);
        actions.patterns.extend(ours.map(|default| ActionPattern { span: None, ..*default }));
        let missing = defaults.left_out.iter().filter(|left_out| left_out.action == action);
        actions.left_out.extend(missing.cloned());
    }
    let values = written.map(|list| list.values).unwrap_or_default();
    let shown = |entry: &Entry| match entry {
        Entry::Default => DEFAULT.into(),
        Entry::Pattern(pattern) => pattern.to_string(),
    };
    value::once_each(key, &values, shown, section.problems());
    for value in values {
        let span = value.span();
        match value.into_inner() {
            Entry::Pattern(pattern) => {
                actions.patterns.push(ActionPattern { action, pattern, span: Some(span) })
            }
            Entry::Default if actions.set == ActionSet::Nothing => {
                let fault = Fault::new("there is no ready-made set to take patterns from", "nothing");
                section.problems().push(span, fault.help("write `set = \"euro-ix\"`, or the patterns"));
            }
            Entry::Default => {}
        }
    }
}

fn entry(field: Field<'_>, action: Action, rs: Asn) -> Result<Entry, Fault> {
    let text = field.text()?;
    if text == DEFAULT {
        return Ok(Entry::Default);
    }
    let example = format!("write it like `{}`", action.example());
    let pattern = Pattern::parse(text, rs).map_err(|error| no_pattern(field, &error, rs).help(&example))?;
    let label = match (action.whom(), pattern.whom()) {
        _ if pattern.is_well_known_blackhole() && action != Action::Blackhole => {
            "it is BLACKHOLE everywhere (RFC 7999)"
        }
        (wanted, named) if wanted == named => return Ok(Entry::Pattern(pattern)),
        (Whom::Peer, _) => "one field has to be `peer`, for whom this is about",
        (Whom::Region, _) => "one field has to be `region`, for whom this is about",
        (Whom::All, _) => "no field can be `peer` or `region`: this is about nobody in particular",
    };
    Err(field.not(label).help(example))
}

fn no_pattern(field: Field<'_>, error: &PatternError, rs: Asn) -> Fault {
    field.not(&match error {
        PatternError::Field(word) => {
            format!("{} is no field: write a number, `rs`, `peer` or `region`", quoted(word))
        }
        PatternError::TooLarge(number) if *number == rs.0 => {
            format!("{error}: that is our AS number, and large communities have room for it")
        }
        error => error.to_string(),
    })
}

/// Says which of the patterns that are written could mean two things.
fn unambiguous(patterns: &[ActionPattern], section: &Section<'_>) {
    let written = || patterns.iter().filter_map(|one| one.span.clone().map(|span| (one, span)));
    if let Some((_, first)) = written().nth(MAX_PATTERNS) {
        let fault = Fault::new(format!("there are more than {MAX_PATTERNS} patterns"), "one too many");
        section.problems().push(first, fault);
        return;
    }
    for (one, span) in written() {
        let other = patterns.iter().find(|other| {
            let first = other.span.as_ref().is_none_or(|other| other.start < span.start);
            first && other.action != one.action && other.pattern.overlaps(&one.pattern)
        });
        if let Some(other) = other {
            let message = match one.pattern.to_string() == other.pattern.to_string() {
                true => format!("`{}` would mean two things", one.pattern),
                false => format!("a community could be `{}` and `{}`", one.pattern, other.pattern),
            };
            let fault = Fault::new(message, format!("{} here", one.action.slug()));
            let slug = other.action.slug();
            match &other.span {
                Some(place) => section.problems().push_pair(
                    span,
                    fault.help("each pattern can mean one thing only"),
                    place.clone(),
                    &format!("{slug} here"),
                ),
                None => {
                    let help =
                        format!("it is {slug} in the ready-made set: write `{slug} = [..]` without it");
                    section.problems().push(span, fault.help(help));
                }
            }
        }
    }
}

/// One address of each family at most.
fn blackhole_next_hops(section: &mut Section<'_>) -> [Option<IpAddr>; 2] {
    const KEY: &str = "blackhole_next_hop";
    let list = section.list(KEY, "\"192.0.2.66\", \"2001:db8::66\"", value::address);
    let mut next_hops = [None; 2];
    for address in list.map(|list| list.values).unwrap_or_default() {
        let family = Family::of(*address.get_ref());
        if next_hops[family.index()].replace(*address.get_ref()).is_some() {
            let fault = Fault::new(format!("`{KEY}` has two {family} addresses"), "the second");
            section.problems().push(address.span(), fault.help("name one of each family at most"));
        }
    }
    next_hops
}

/// Names and numbers, each once.
fn regions(section: Section<'_>) -> BTreeMap<String, Region> {
    let problems = section.problems();
    let mut entries = section.entries();
    entries.sort_by_key(|(name, _)| name.span().start);
    let mut numbers = BTreeMap::new();
    let mut regions = BTreeMap::new();
    for (name, field) in entries {
        if let Err(fault) = value::name_in(name.get_ref(), "a region's name") {
            problems.push(name.span(), fault);
        }
        match field.integer(1, HIGHEST_REGION, "") {
            Err(fault) => problems.push(field.span(), fault),
            Ok(number) => {
                taken_once(&mut numbers, number, field.span(), problems);
                regions.insert((*name.get_ref()).to_owned(), Region(number));
            }
        }
    }
    regions
}

fn taken_once(
    numbers: &mut BTreeMap<u32, Range<usize>>,
    number: u32,
    span: Range<usize>,
    problems: &Problems,
) {
    if let Some(first) = numbers.get(&number) {
        let fault = Fault::new(format!("two regions have the number {number}"), "again here");
        let fault = fault.help("each region has a number of its own");
        problems.push_pair(span, fault, first.clone(), "first here");
    } else {
        numbers.insert(number, span);
    }
}

/// A region by its name.
pub(super) fn region(field: Field<'_>, regions: &BTreeMap<String, Region>) -> Result<Region, Fault> {
    let text = field.text()?;
    if let Some(region) = regions.get(text) {
        return Ok(*region);
    }
    let known: Vec<&str> = regions.keys().map(String::as_str).collect();
    let fault = Fault::new(format!("there is no region {}", quoted(text)), "unknown");
    Err(match nearest(text, &known) {
        Some(name) => fault.help(format!("did you mean `{name}`?")),
        None if known.is_empty() => fault.help("write\n[actions.regions]\nfra = 1"),
        None => fault.help(format!("the regions are {}", listed(&known))),
    })
}
