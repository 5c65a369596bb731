//! What bounds a peer's announcements: `as_set`, whose members it may originate for, and `max_prefixes`.
//!
//! Either is written, or comes from the export of the exchange's members, or is to be as PeeringDB says of the peer's
//! network; what PeeringDB does say is learnt while the router runs.

use palisade_policy::Role;
use toml::Spanned;

use super::Around;
use super::given::Given;
use super::setting::{Origin, Setting, writer};
use crate::config::problem::Fault;
use crate::config::section::{Field, Section};
use crate::config::value;

/// The most that `max_prefixes` may be: many times all prefixes that there are.
pub(crate) const MOST_PREFIXES: u32 = 10_000_000;

/// What of a peer is to be as PeeringDB says of its network. Until that is known, and of what PeeringDB does not say, the
/// peer's own fields hold what is there instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FromPeeringDb {
    /// Its as-set. Until there is one, it may originate for its own AS alone.
    pub(crate) as_set: bool,
    /// Its limit of prefixes.
    pub(crate) max_prefixes: bool,
}

/// The word for what is as PeeringDB says.
const PEERINGDB: &str = "peeringdb";

/// The as-set, where it comes from, and whether that is to be PeeringDB.
pub(super) fn as_set(
    section: &mut Section<'_>,
    role: Option<Role>,
    around: Around<'_, '_>,
    given: Option<&Given<'_>>,
) -> (Option<String>, Origin, bool) {
    const KEY: &str = "as_set";
    let written = section.optional(KEY, |field| or_peeringdb(field, around, value::as_set));
    let exported = given.and_then(|given| given.session.as_set.clone());
    let for_all = around.peeringdb.is_some_and(|peeringdb| peeringdb.as_set) && announces_its_own(role);
    match written.map(Spanned::into_inner) {
        Some(Written::Itself(names)) => (Some(names), writer(section, KEY), false),
        Some(Written::AsPeeringDbSays) => (None, Origin::PeeringDb, true),
        None if exported.is_some() => (exported, Origin::Export, false),
        None if for_all => (None, Origin::PeeringDb, true),
        None => (None, Origin::Default, false),
    }
}

/// The limit of prefixes, and whether it is to be as PeeringDB says; then it holds until that is known.
pub(super) fn max_prefixes(
    section: &mut Section<'_>,
    role: Option<Role>,
    around: Around<'_, '_>,
    given: Option<&Given<'_>>,
) -> (Setting<u32>, bool) {
    const KEY: &str = "max_prefixes";
    let written = section.optional(KEY, |field| or_peeringdb(field, around, prefix_limit));
    if let Some(written) = &written
        && matches!(written.get_ref(), Written::AsPeeringDbSays)
        && let Some(fault) = peeringdb_knows_no_limit(role)
    {
        section.problems().push(written.span(), fault);
    }
    let (unsaid, origin) = match (given.and_then(|given| given.max_prefixes), role) {
        (Some(for_members), _) => (for_members, Origin::Members),
        (None, Some(role)) => (default_max_prefixes(role), Origin::Role),
        (None, None) => (default_max_prefixes(Role::Customer), Origin::Default),
    };
    let unsaid = Setting { value: unsaid, origin };
    let for_all = around.peeringdb.is_some_and(|peeringdb| peeringdb.max_prefixes) && announces_its_own(role);
    match (written.map(Spanned::into_inner), given.and_then(|given| given.session.max_prefixes)) {
        (Some(Written::Itself(value)), _) => (Setting { value, origin: writer(section, KEY) }, false),
        (Some(Written::AsPeeringDbSays), _) => (unsaid, true),
        (None, Some(value)) => (Setting { value, origin: Origin::Export }, false),
        (None, None) => (unsaid, for_all),
    }
}

/// A limit of prefixes.
pub(in crate::config) fn prefix_limit(field: Field<'_>) -> Result<u32, Fault> {
    field.integer(1, MOST_PREFIXES, "")
}

/// An as-set or a limit as it may be written: itself, or that it is as PeeringDB says.
enum Written<T> {
    Itself(T),
    AsPeeringDbSays,
}

fn or_peeringdb<T>(
    field: Field<'_>,
    around: Around<'_, '_>,
    itself: impl FnOnce(Field<'_>) -> Result<T, Fault>,
) -> Result<Written<T>, Fault> {
    if !matches!(field.text(), Ok(PEERINGDB)) {
        itself(field).map(Written::Itself)
    } else if around.peeringdb.is_none() {
        Err(field.not("there is no [peeringdb]").help("write\n[peeringdb]"))
    } else {
        Ok(Written::AsPeeringDbSays)
    }
}

/// Roles whose networks announce what PeeringDB says of them, and no more: a provider announces everybody's.
fn announces_its_own(role: Option<Role>) -> bool {
    matches!(role, Some(Role::Customer | Role::Peer | Role::RsClient))
}

/// What a network says of itself in PeeringDB is what it announces to its peers.
fn peeringdb_knows_no_limit(role: Option<Role>) -> Option<Fault> {
    let role = role.filter(|role| !announces_its_own(Some(*role)))?;
    let fault = Fault::new(
        format!("PeeringDB knows no limit for `{role}`"),
        "such a peer announces others' routes, too",
    );
    Some(fault.help("write a number, or leave it to the role"))
}

/// Room for what such a peer is likely to have, not for a leaked full table, except where that is what it sends.
fn default_max_prefixes(role: Role) -> u32 {
    match role {
        Role::Customer => 10_000,
        Role::Peer | Role::RsClient => 200_000,
        Role::Provider | Role::Rs | Role::Internal => 3_000_000,
    }
}
