//! `[router]`: who we are, and what of ours nobody else may announce.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;

use palisade_bgp::{Asn, Prefix};
use toml::Spanned;

use super::problem::Fault;
use super::section::Section;
use super::value;

/// Seconds without a message after which a session is dead (RFC 4271 s10).
pub(crate) const DEFAULT_HOLD_TIME_S: u16 = 90;

/// BGP's port (RFC 4271 s8.2.1).
pub(crate) const BGP_PORT: u16 = 179;

/// What kind of speaker this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Forwards packets, and exchanges routes with customers, peers and providers.
    Router,
    /// Forwards nothing, and passes its clients' routes on unchanged (RFC 7947).
    RouteServer,
}

impl Mode {
    const WORDS: [(&'static str, Mode); 2] = [("router", Mode::Router), ("route-server", Mode::RouteServer)];

    /// As it is written.
    pub(crate) fn slug(self) -> &'static str {
        match self {
            Mode::Router => "router",
            Mode::RouteServer => "route-server",
        }
    }
}

/// This router.
#[derive(Debug)]
pub(crate) struct Router {
    /// Its AS.
    pub(crate) asn: Asn,
    /// Where that is written.
    pub(crate) asn_span: Range<usize>,
    /// Its BGP identifier.
    pub(crate) id: Ipv4Addr,
    /// The cluster that it and its clients in route reflection are (RFC 4456 s7); its identifier unless written.
    pub(crate) cluster_id: Ipv4Addr,
    /// What kind of speaker it is.
    pub(crate) mode: Mode,
    /// Where it listens. May be empty: then it only connects.
    pub(crate) listen: Vec<SocketAddr>,
    /// The prefixes that it originates.
    pub(crate) networks: Vec<Prefix>,
    /// More prefixes that are ours, though originated elsewhere: nobody outside may announce them.
    pub(crate) own_prefixes: Vec<Prefix>,
    /// The LANs of the exchanges that we are at, which nobody may announce.
    pub(crate) peering_lans: Vec<Prefix>,
    /// Seconds without a message after which a session is dead; 0 for never.
    pub(crate) hold_time_s: u16,
}

/// Reads the section; `None` where what can't be done without is missing or wrong, which has been told.
pub(super) fn read(mut section: Section<'_>) -> Option<Router> {
    let problems = section.problems();
    let asn = section.required("asn", "64500", value::asn);
    let id = section.required("id", "\"192.0.2.1\"", value::router_id);
    let cluster_id = section.optional("cluster_id", value::router_id).map(Spanned::into_inner);
    let mode = section.optional("mode", |field| value::word(field, &Mode::WORDS));
    let mode = mode.map_or(Mode::Router, Spanned::into_inner);
    let listen = section.list("listen", "\"0.0.0.0:179\", \"[::]:179\"", value::socket);
    let listen = listen.map_or_else(everywhere, |list| value::distinct("listen", list.values, problems));
    let networks = prefixes(&mut section, "networks", mode);
    let own_prefixes = prefixes(&mut section, "own_prefixes", Mode::Router);
    let peering_lans = prefixes(&mut section, "peering_lans", Mode::Router);
    let hold_time = section.optional("hold_time", value::hold_time);
    let hold_time_s = hold_time.map_or(DEFAULT_HOLD_TIME_S, Spanned::into_inner);
    section.end();
    let (asn, id) = (asn?, id?.into_inner());
    let (asn_span, asn) = (asn.span(), asn.into_inner());
    let cluster_id = cluster_id.unwrap_or(id);
    Some(Router {
        asn,
        asn_span,
        id,
        cluster_id,
        mode,
        listen,
        networks,
        own_prefixes,
        peering_lans,
        hold_time_s,
    })
}

fn everywhere() -> Vec<SocketAddr> {
    let any = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    any.map(|address| SocketAddr::new(address, BGP_PORT)).to_vec()
}

/// The prefixes under a key that a route server has no use for, or, with [`Mode::Router`], under any.
fn prefixes(section: &mut Section<'_>, key: &'static str, mode: Mode) -> Vec<Prefix> {
    let list =
        section.list(key, "\"192.0.2.0/24\"", value::prefix).map(|list| list.values).unwrap_or_default();
    if let (Mode::RouteServer, Some(first)) = (mode, list.first()) {
        let fault =
            Fault::new(format!("a route server has no `{key}`"), "it originates nothing (RFC 7947 s2)");
        let help = "write `own_prefixes` for prefixes that its clients may not announce";
        section.problems().push(first.span(), fault.help(help));
    }
    value::distinct(key, list, section.problems())
}
