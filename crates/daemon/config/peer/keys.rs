//! Keys of a peer that are read by themselves, with what they need of its role and of the router.

use std::net::IpAddr;
use std::ops::Range;

use palisade_bgp::Family;
use palisade_policy::{Reason, Region, Role};
use toml::Spanned;

use super::Around;
use super::setting::{Origin, Setting};
use crate::config::actions;
use crate::config::checks::{self, ChosenMode};
use crate::config::problem::{Fault, Problems};
use crate::config::router::{DEFAULT_HOLD_TIME_S, Router};
use crate::config::section::Section;
use crate::config::value::{self, Place};

/// An address of ours and one of the peer that are of two families make no session.
pub(super) fn same_family(
    ours: Option<&Spanned<IpAddr>>,
    theirs: Option<&Spanned<Place>>,
    problems: &Problems,
) {
    let Some((ours, theirs)) = ours.zip(theirs.filter(|theirs| !theirs.get_ref().address.is_unspecified()))
    else {
        return;
    };
    let (family, other) = (Family::of(*ours.get_ref()), Family::of(theirs.get_ref().address));
    if family != other {
        let fault = Fault::new("`local_address` and `address` differ in family", format!("{family}"));
        let fault = fault.help(format!("write an {other} address of this router, or leave it to the kernel"));
        problems.push_pair(ours.span(), fault, theirs.span(), &other.to_string());
    }
}

/// The hold time; where nothing is written, the router's.
pub(super) fn hold_time_s(section: &mut Section<'_>, router: Option<&Router>) -> Setting<u16> {
    const KEY: &str = "hold_time";
    let written = section.optional(KEY, value::hold_time);
    let (seconds, origin) = match router.map(|router| router.hold_time_s) {
        Some(seconds) if seconds != DEFAULT_HOLD_TIME_S => (seconds, Origin::Router),
        _ => (DEFAULT_HOLD_TIME_S, Origin::Default),
    };
    Setting::new(section, KEY, written, seconds, origin)
}

/// LOCAL_PREF of what an external peer announces; where nothing is written, its role's.
pub(super) fn local_preference(section: &mut Section<'_>, role: Option<Role>) -> Setting<u32> {
    const KEY: &str = "local_preference";
    let written = section.optional(KEY, |field| field.integer(0, u32::MAX, ""));
    if let (Some(written), Some(Role::Internal)) = (&written, role) {
        let fault = Fault::new(
            format!("an internal peer has no `{KEY}`"),
            "its routes bring their own (RFC 4271 s5.1.5)",
        );
        section
            .problems()
            .push(written.span(), fault.help("write it on the router where the route enters our AS"));
    }
    let default = role.map_or(0, Role::default_local_preference);
    Setting::new(section, KEY, written, default, role.map_or(Origin::Default, |_| Origin::Role))
}

/// Whether an internal peer is told that we are the next hop.
pub(super) fn next_hop_self(section: &mut Section<'_>, role: Option<Role>) -> bool {
    const KEY: &str = "next_hop_self";
    let Some(place) = flag(section, KEY) else { return false };
    if role.is_some_and(|role| role != Role::Internal) {
        let fault = Fault::new(format!("only an internal peer has `{KEY}`"), "not for this role");
        let help = match role {
            Some(Role::RsClient) => {
                "remove it: a route server leaves the next hop as it is (RFC 7947 s2.2.1)"
            }
            _ => "remove it: external peers are always told that we are the next hop",
        };
        section.problems().push(place, fault.help(help));
    }
    true
}

/// Whether an external peer's session is about to be shut down.
pub(super) fn graceful_shutdown(section: &mut Section<'_>, role: Option<Role>) -> bool {
    const KEY: &str = "graceful_shutdown";
    let Some(place) = flag(section, KEY) else { return false };
    if role == Some(Role::Internal) {
        let fault = Fault::new(format!("an internal peer has no `{KEY}`"), "not for this role");
        let help = "remove it: sessions with other networks are shut down so (RFC 8326 s4)";
        section.problems().push(place, fault.help(help));
    }
    true
}

/// Whether an internal peer is our client in route reflection.
pub(super) fn route_reflector_client(section: &mut Section<'_>, role: Option<Role>) -> bool {
    const KEY: &str = "route_reflector_client";
    let Some(place) = flag(section, KEY) else { return false };
    if role.is_some_and(|role| role != Role::Internal) {
        let fault = Fault::new(format!("only an internal peer has `{KEY}`"), "not for this role");
        section.problems().push(place, fault.help("remove it: routes are reflected within an AS (RFC 4456)"));
    }
    true
}

/// Whether the peer may announce the default route, which its checks may say, too, but not both.
pub(super) fn allow_default(section: &mut Section<'_>, checks: &[ChosenMode]) -> bool {
    const KEY: &str = "allow_default";
    let Some(place) = flag(section, KEY) else { return false };
    if section.is_grouped(KEY) {
        return true;
    }
    if let Some(chosen) = checks.iter().find(|chosen| chosen.reason == Reason::DefaultRoute) {
        let fault =
            Fault::new(format!("`{KEY}` and the check `{}` are one thing", chosen.reason), "said here");
        let fault = fault.help("remove one of them");
        section.problems().push_pair(place, fault, chosen.span.clone(), "and here");
    }
    true
}

/// The regions of a peer, by which communities can name it.
pub(super) fn regions(section: &mut Section<'_>, around: Around<'_, '_>) -> Vec<Region> {
    const KEY: &str = "regions";
    let Some(actions) = around.actions else {
        if around.router.is_none() {
            // What is written can't be looked up, and that the router is missing has been told.
            section.list(KEY, "\"fra\"", |_| Ok(()));
        } else {
            section.refused(KEY, || {
                Fault::new(format!("without [actions] nobody asks for `{KEY}`"), "of no use")
                    .help("remove it, or write\n[actions]\nset = \"euro-ix\"\n[actions.regions]\nfra = 1")
            });
        }
        return Vec::new();
    };
    let list = section.list(KEY, "\"fra\"", |field| actions::region(field, &actions.regions));
    let regions = list.map(|list| list.values).unwrap_or_default();
    let name = |region: &Region| {
        let named = actions.regions.iter().find(|(_, other)| *other == region);
        named.map(|(name, _)| name.clone()).unwrap_or_default()
    };
    value::once_each(KEY, &regions, name, section.problems());
    regions.into_iter().map(Spanned::into_inner).collect()
}

/// The modes that are written for the peer itself: those of its group hold beside them, not instead.
pub(super) fn checks(section: &mut Section<'_>) -> Vec<ChosenMode> {
    let own = if section.is_grouped("checks") { None } else { section.section("checks", "[peer.checks]") };
    own.map(checks::read).unwrap_or_default()
}

/// Where a flag is set.
fn flag(section: &mut Section<'_>, key: &'static str) -> Option<Range<usize>> {
    let flag = section.optional(key, |field| field.boolean())?;
    flag.get_ref().then(|| flag.span())
}
