//! `role`: what a peer is to us, and which roles go with our mode and with its AS.

use palisade_bgp::Asn;
use palisade_policy::Role;
use toml::Spanned;

use super::given::NOBODY;
use crate::config::problem::Fault;
use crate::config::router::{Mode, Router};
use crate::config::section::{Section, listed};
use crate::config::value;

/// The role that is written; a route server's peers are its clients without that.
pub(super) fn role(
    section: &mut Section<'_>,
    router: Option<&Router>,
    asn: Option<&Spanned<Asn>>,
) -> Option<Role> {
    let words = Role::ALL.map(|role| (role.slug(), role));
    let written = section.optional("role", |field| value::word(field, &words));
    let Some(router) = router else { return written.map(Spanned::into_inner) };
    let role = match &written {
        Some(written) => Some(*written.get_ref()),
        None => (router.mode == Mode::RouteServer).then_some(Role::RsClient),
    };
    if let Some(written) = &written
        && let Some(fault) = mode_forbids(router.mode, *written.get_ref())
    {
        section.problems().push(written.span(), fault);
    }
    if let Some(asn) = asn.filter(|asn| *asn.get_ref() != NOBODY)
        && let Some(fault) = asn_forbids(router.asn, *asn.get_ref(), role)
    {
        let place = written.as_ref().map_or(asn.span(), Spanned::span);
        section.problems().push(place, fault);
    }
    role
}

/// Why a speaker of that mode can't have a peer of that role, where it can't.
pub(in crate::config) fn mode_forbids(mode: Mode, role: Role) -> Option<Fault> {
    match (mode, role) {
        (Mode::RouteServer, Role::RsClient) => None,
        (Mode::RouteServer, _) => Some(
            Fault::new(format!("a route server has no `{role}`"), "its peers are its clients (RFC 7947)")
                .help("remove the role: `rs-client` goes without saying. Or write `mode = \"router\"`"),
        ),
        (Mode::Router, Role::RsClient) => Some(
            Fault::new("only a route server has an `rs-client`", "this is a router")
                .help("write `mode = \"route-server\"` under [router], or `role = \"peer\"`"),
        ),
        (Mode::Router, _) => None,
    }
}

/// Internal peers are those of our own AS (RFC 4271 s1.1).
fn asn_forbids(ours: Asn, theirs: Asn, role: Option<Role>) -> Option<Fault> {
    match role {
        Some(Role::Internal) if theirs != ours => Some(
            Fault::new(format!("an internal peer can't be in {theirs}"), format!("our AS is {ours}"))
                .help(format!("write `asn = {}`, or what the peer is to us: {}", ours.0, listed(&EXTERNAL))),
        ),
        Some(Role::Internal) => None,
        _ if theirs == ours => Some(
            Fault::new(format!("{theirs} is our own AS"), "so the peer is internal")
                .help("write `role = \"internal\"`, or the peer's own AS number"),
        ),
        _ => None,
    }
}

const EXTERNAL: [&str; 4] =
    [Role::Customer.slug(), Role::Peer.slug(), Role::Provider.slug(), Role::Rs.slug()];
