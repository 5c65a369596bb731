//! `[checks]` and a peer's `checks`: the modes of checks that an operator chose.

use std::ops::Range;

use palisade_policy::{Mode, Reason, Stage};

use super::nearest::nearest;
use super::problem::Fault;
use super::section::{Section, listed};
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

pub(super) fn read(section: Section<'_>) -> Vec<ChosenMode> {
    let words = Mode::ALL.map(|mode| (mode.slug(), mode));
    let mut chosen = Vec::new();
    for (slug, field) in section.entries() {
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
        Some(reason) => Ok(reason),
        None if slug == "max-prefix" => always("the limit is the peer's `max_prefixes`"),
        None => Err(unknown(slug)),
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
