//! `[checks]`, `[checks.ROLE]` and the `checks` of a peer or a group: the modes of checks that an operator chose.

use std::ops::Range;

use palisade_policy::{Mode, Reason, Role, Stage};
use toml::Spanned;

use super::nearest::nearest;
use super::peer;
use super::problem::Fault;
use super::router::Router;
use super::section::{Field, Section, listed};
use super::source::quoted;
use super::value;

/// A check, and the mode that was chosen for it.
#[derive(Clone, Debug)]
pub(crate) struct ChosenMode {
    /// The check, named by the reason that it gives.
    pub(crate) reason: Reason,
    /// How it is taken.
    pub(crate) mode: Mode,
    /// Where it is written.
    pub(crate) span: Range<usize>,
}

/// What is chosen for all peers, and for those of each role.
pub(super) fn read_all(
    section: Section<'_>,
    router: Option<&Router>,
) -> (Vec<ChosenMode>, Vec<(Role, Vec<ChosenMode>)>) {
    let mut of_roles = Vec::new();
    for (slug, field) in section.entries() {
        let Some(role) = Role::from_slug(slug.get_ref()) else {
            if field.is_table() {
                section.problems().push(slug.span(), unknown_role(slug.get_ref()));
            }
            continue;
        };
        if let Some(fault) = router.and_then(|router| peer::mode_forbids(router.mode, role)) {
            section.problems().push(slug.span(), fault);
        } else if let Some(of_role) = section.table_of(field, "[checks.ROLE]") {
            of_roles.push((role, read(of_role)));
        }
    }
    let of_all = |(slug, field): &(Spanned<&str>, Field<'_>)| {
        Role::from_slug(slug.get_ref()).is_none() && !field.is_table()
    };
    (modes(&section, section.entries().into_iter().filter(of_all)), of_roles)
}

/// What is chosen in a section that holds nothing else.
pub(super) fn read(section: Section<'_>) -> Vec<ChosenMode> {
    modes(&section, section.entries())
}

fn modes<'a>(
    section: &Section<'a>,
    entries: impl IntoIterator<Item = (Spanned<&'a str>, Field<'a>)>,
) -> Vec<ChosenMode> {
    let words = Mode::ALL.map(|mode| (mode.slug(), mode));
    let mut chosen = Vec::new();
    for (slug, field) in entries {
        match check(slug.get_ref()) {
            Err(fault) => section.problems().push(slug.span(), fault),
            Ok(reason) => match value::word(field, &words) {
                Err(fault) => section.problems().push(field.span(), fault),
                Ok(mode) => chosen.push(ChosenMode { reason, mode, span: slug.span() }),
            },
        }
    }
    chosen.sort_by_key(|chosen| chosen.span.start);
    chosen
}

/// The check of a slug: every reason but those that no mode applies to.
fn check(slug: &str) -> Result<Reason, Fault> {
    let always = |help: &str| Err(Fault::new(format!("`{slug}` has no mode"), "always enforced").help(help));
    match Reason::from_slug(slug) {
        Some(reason) if reason.stage() == Stage::Peer => always("give the peer a role instead (RFC 8212)"),
        Some(reason) if reason.stage() == Stage::Table => always("the limit is the peer's `max_accepted`"),
        Some(reason) => Ok(reason),
        None if slug == "max-prefix" => always("the limit is the peer's `max_prefixes`"),
        None => Err(unknown(slug)),
    }
}

fn unknown_role(slug: &str) -> Fault {
    let known = Role::ALL.map(Role::slug);
    let fault = Fault::new(format!("there is no role {}", quoted(slug)), "unknown");
    match nearest(slug, &known) {
        Some(known) => fault.help(format!("did you mean `{known}`?")),
        None => fault.help(format!("the roles are {}", listed(&known))),
    }
}

fn unknown(slug: &str) -> Fault {
    let checks = Reason::ALL.iter().filter(|reason| reason.stage() != Stage::Peer);
    let known: Vec<&str> = checks.map(|reason| reason.slug()).collect();
    let fault = Fault::new(format!("there is no check {}", quoted(slug)), "unknown");
    match nearest(slug, &known) {
        Some(known) => fault.help(format!("did you mean `{known}`?")),
        None => fault.help(format!("the checks are {}", listed(&known))),
    }
}
