//! `[[rule]]`: the operator's own rules, asked after all checks, in the order in which they are written.
//!
//! ```toml
//! [[rule]]
//! name = "backup"
//! roles = ["customer"]                  # whom it is about
//! communities = ["64500:90"]            # what must hold: every key, and of each any value
//! set = { local_preference = 90 }       # what is changed
//! ```
//!
//! Whom a rule is about is known when the configuration is read, so it costs other peers nothing. One that names nobody is
//! about every external peer: what an internal one announces was judged where it entered our AS.

mod conditions;
pub(super) mod edits;

use std::collections::BTreeMap;
use std::ops::Range;

use palisade_policy::rules::{Action, Edits, MAX_RULES};
use palisade_policy::{Mode, Role};
use toml::Spanned;

use super::group::Groups;
use super::nearest::nearest;
use super::peer::Peer;
use super::prefix_sets::PrefixSets;
use super::problem::{Fault, Problems};
use super::section::Section;
use super::source::quoted;
use super::value;

pub(crate) use conditions::{Conditions, PrefixEntry};

/// A rule.
#[derive(Debug)]
pub(crate) struct Rule {
    /// What it is called: unique.
    pub(crate) name: String,
    /// Whom it is about.
    pub(crate) scope: Scope,
    /// What must hold.
    pub(crate) conditions: Conditions,
    /// What follows.
    pub(crate) action: Action,
    /// What is changed.
    pub(crate) edits: Edits,
    /// Whether it is obeyed.
    pub(crate) mode: Mode,
}

/// Whom a rule is about: peers that each list which is there holds for.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// Their names.
    pub(crate) peers: Option<Vec<Spanned<String>>>,
    /// Their roles.
    pub(crate) roles: Option<Vec<Role>>,
    /// Their groups.
    pub(crate) groups: Option<Vec<String>>,
}

impl Scope {
    /// Whether a peer is one of them.
    pub(crate) fn has(&self, peer: &Peer) -> bool {
        let named = |names: &Vec<Spanned<String>>| names.iter().any(|name| *name.get_ref() == peer.name);
        let of_role = |roles: &Vec<Role>| peer.role.is_some_and(|role| roles.contains(&role));
        let of_group = |groups: &Vec<String>| peer.group.as_ref().is_some_and(|group| groups.contains(group));
        let says_nothing = self.peers.is_none() && self.roles.is_none() && self.groups.is_none();
        self.peers.as_ref().is_none_or(named)
            && self.roles.as_ref().is_none_or(of_role)
            && self.groups.as_ref().is_none_or(of_group)
            && !(says_nothing && peer.role == Some(Role::Internal))
    }
}

/// Reads every rule.
pub(super) fn read_all(
    sections: Vec<Section<'_>>,
    sets: &PrefixSets,
    groups: &Groups<'_>,
    problems: &Problems,
) -> Vec<Rule> {
    if let Some(first) = sections.get(MAX_RULES) {
        let fault = Fault::new(format!("there are {} rules", sections.len()), "one too many");
        let help = format!("no more than {MAX_RULES} are taken; a rule can have lists of what it looks for");
        problems.push(first.span(), fault.help(help));
        return Vec::new();
    }
    let mut names = BTreeMap::new();
    sections.into_iter().filter_map(|section| read(section, sets, groups, &mut names)).collect()
}

fn read(
    mut section: Section<'_>,
    sets: &PrefixSets,
    groups: &Groups<'_>,
    names: &mut BTreeMap<String, Range<usize>>,
) -> Option<Rule> {
    let name = section.required("name", "\"backup\"", value::name);
    if let Some(name) = &name {
        claim(name, names, section.problems());
    }
    let scope = scope(&mut section, groups);
    let conditions = conditions::read(&mut section, sets);
    let action = section.optional("action", |field| value::word(field, &words(Action::ALL, Action::slug)));
    let mode = section.optional("mode", |field| value::word(field, &words(Mode::ALL, Mode::slug)));
    let edits = section.section("set", "[rule.set]").map(edits::read);
    does_something(&section, action.as_ref(), edits.as_ref());
    section.end();
    Some(Rule {
        name: name?.into_inner(),
        scope,
        conditions,
        action: action.map_or(Action::Continue, Spanned::into_inner),
        edits: edits.unwrap_or_default(),
        mode: mode.map_or(Mode::Enforce, Spanned::into_inner),
    })
}

fn words<T: Copy, const N: usize>(all: [T; N], slug: fn(T) -> &'static str) -> [(&'static str, T); N] {
    all.map(|one| (slug(one), one))
}

fn claim(name: &Spanned<String>, names: &mut BTreeMap<String, Range<usize>>, problems: &Problems) {
    if let Some(first) = names.get(name.get_ref()) {
        let fault = Fault::new(format!("two rules are called `{}`", name.get_ref()), "again here");
        let fault = fault.help("what a rule refuses is counted by its name: each has its own");
        problems.push_pair(name.span(), fault, first.clone(), "first here");
    } else {
        names.insert(name.get_ref().clone(), name.span());
    }
}

fn scope(section: &mut Section<'_>, groups: &Groups<'_>) -> Scope {
    let roles = words(Role::ALL, Role::slug);
    let peers = conditions::list(section, "peers", "\"transit-a\"", value::name);
    let roles = conditions::values(section, "roles", "\"customer\"", |field| value::word(field, &roles));
    let groups = conditions::values(section, "groups", "\"small-customer\"", |field| groups.name(field));
    Scope { peers, roles, groups }
}

/// A rule that neither decides nor changes anything is not what anybody means, nor is one that changes what it refuses.
fn does_something(section: &Section<'_>, action: Option<&Spanned<Action>>, edits: Option<&Edits>) {
    let changes = edits.is_some_and(|edits| !edits.is_empty());
    match action.map(|action| (action.get_ref(), action.span())) {
        None | Some((Action::Continue, _)) if edits.is_none() => {
            let fault = Fault::new("the rule does nothing", "it neither decides nor changes anything");
            let help = "write `action = \"reject\"`, or what to change: `set = { local_preference = 90 }`";
            section.problems().push(section.span(), fault.help(help));
        }
        Some((Action::Reject, place)) if changes => {
            let fault = Fault::new("a route that is refused is not changed", "refused here");
            section.problems().push(place, fault.help("remove `set`, or write another action"));
        }
        _ => {}
    }
}

/// Says which names of peers in a list are nobody's. Where `peers` are not all known, because the export of the exchange's
/// members was not read, nothing is.
pub(super) fn known_peers<'a>(
    named: impl IntoIterator<Item = &'a Spanned<String>>,
    peers: Option<&[Peer]>,
    problems: &Problems,
) {
    let Some(peers) = peers else { return };
    for name in named {
        if peers.iter().any(|peer| peer.name == *name.get_ref()) {
            continue;
        }
        let names: Vec<&str> = peers.iter().map(|peer| peer.name.as_str()).collect();
        let fault = Fault::new(format!("no peer is called {}", quoted(name.get_ref())), "unknown");
        let fault = match nearest(name.get_ref(), &names) {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault.help("write the `name` of a [[peer]]"),
        };
        problems.push(name.span(), fault);
    }
}
