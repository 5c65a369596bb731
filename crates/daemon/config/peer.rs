//! `[[peer]]`: a neighbour, what it is to us, and what is to be different for it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use palisade_bgp::{Asn, Family};
use palisade_policy::{Reason, Region, Role};
use toml::Spanned;

use super::actions::{self, Actions};
use super::checks::{self, ChosenMode};
use super::problem::{Fault, Problems};
use super::router::{BGP_PORT, DEFAULT_HOLD_TIME_S, Mode, Router};
use super::section::{Field, Section, listed};
use super::value;
use crate::members::Session;

/// Peers that one router may have.
pub(crate) const MAX_PEERS: usize = 8_000;

/// The most that `max_prefixes` may be: many times all prefixes that there are.
pub(crate) const MOST_PREFIXES: u32 = 10_000_000;

/// Where a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is written for the peer.
    Peer,
    /// It is written for the router.
    Router,
    /// The export of the exchange's members says so.
    Export,
    /// It is written for all members.
    Members,
    /// The peer's role says so.
    Role,
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Origin::Peer => "this peer's own",
            Origin::Router => "from [router]",
            Origin::Export => "from the member export",
            Origin::Members => "from [members]",
            Origin::Role => "the role's default",
            Origin::Default => "default",
        })
    }
}

/// Which paths to a prefix a peer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paths {
    /// The best that it can have.
    Best,
    /// All that it can have, where its session has ADD-PATH (RFC 7911).
    All,
}

impl fmt::Display for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Paths::Best => "the best one",
            Paths::All => "all, if it takes them (ADD-PATH), or else the best one",
        })
    }
}

/// A setting that need not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting<T> {
    /// What holds.
    pub(crate) value: T,
    /// Where it comes from.
    pub(crate) origin: Origin,
}

impl<T> Setting<T> {
    fn new(written: Option<Spanned<T>>, value: T, origin: Origin) -> Self {
        match written {
            Some(written) => Setting { value: written.into_inner(), origin: Origin::Peer },
            None => Setting { value, origin },
        }
    }
}

/// A neighbour.
#[derive(Debug)]
pub(crate) struct Peer {
    /// What we call it: unique.
    pub(crate) name: String,
    /// Where its header is.
    pub(crate) span: Range<usize>,
    /// Its address: unique.
    pub(crate) address: IpAddr,
    /// Its port, when we connect.
    pub(crate) port: u16,
    /// Its AS.
    pub(crate) asn: Asn,
    /// What it is to us; with `None` nothing is exchanged (RFC 8212).
    pub(crate) role: Option<Role>,
    /// The as-set of what it may originate, as it is written: `AS-EXAMPLE` or `RIPE::AS-EXAMPLE`; or several, with a
    /// space between them.
    pub(crate) as_set: Option<String>,
    /// Prefixes that it may announce in the session, of both families together.
    pub(crate) max_prefixes: Setting<u32>,
    /// Whether we wait for it to connect.
    pub(crate) passive: bool,
    /// The address of ours that the session is from.
    pub(crate) local_address: Option<IpAddr>,
    /// Seconds without a message after which the session is dead; 0 for never.
    pub(crate) hold_time_s: Setting<u16>,
    /// Whether an internal peer is told that we are the next hop.
    pub(crate) next_hop_self: bool,
    /// Which paths it is sent, where there are several to a prefix.
    pub(crate) add_path: Setting<Paths>,
    /// LOCAL_PREF of what it announces.
    pub(crate) local_preference: Setting<u32>,
    /// Whether it may announce the default route.
    pub(crate) allow_default: bool,
    /// The regions of the exchange that it is in.
    pub(crate) regions: Vec<Region>,
    /// The modes of checks that are different for it.
    pub(crate) checks: Vec<ChosenMode>,
    /// The member that it is, where an export says so.
    pub(crate) member: Option<Member>,
}

/// A peer as a member of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// What the export calls it.
    pub(crate) name: String,
    /// The keys that hold what the export says, and not what is written.
    pub(crate) exported: Vec<&'static str>,
}

/// What holds where nothing is written for a peer.
pub(super) struct Given<'e> {
    /// What the export of the exchange's members says.
    pub(super) session: &'e Session,
    /// The limit of a member that the export gives none.
    pub(super) max_prefixes: Option<u32>,
}

impl Given<'_> {
    fn member(&self, section: &Section<'_>) -> Member {
        let said = [
            ("name", true),
            ("address", true),
            ("asn", true),
            ("as_set", self.session.as_set.is_some()),
            ("max_prefixes", self.session.max_prefixes.is_some()),
        ];
        let held = said.into_iter().filter(|(key, said)| *said && !section.has(key));
        Member { name: self.session.member.clone(), exported: held.map(|(key, _)| key).collect() }
    }
}

/// What a peer's section is read by.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    /// `None` where it could not be read, and then what depends on it is not checked.
    pub(super) router: Option<&'a Router>,
    /// What members may ask for; `None` where there are none.
    pub(super) actions: Option<&'a Actions>,
}

/// Reads every peer.
pub(super) fn read_all(sections: Vec<Section<'_>>, around: Around<'_>, problems: &Problems) -> Vec<Peer> {
    if let Some(first) = sections.get(MAX_PEERS) {
        let fault = Fault::new(format!("there are {} peers", sections.len()), "one too many");
        problems.push(first.span(), fault.help(format!("no more than {MAX_PEERS} are taken")));
        return Vec::new();
    }
    let mut unique = Unique::default();
    sections.into_iter().map(|section| read(section, around, &mut unique, None)).collect()
}

/// What is missing or wrong is told and stood in for: a configuration with problems is refused whole, so that what
/// stands in is never seen.
pub(super) fn read(
    mut section: Section<'_>,
    around: Around<'_>,
    unique: &mut Unique,
    given: Option<&Given<'_>>,
) -> Peer {
    let router = around.router;
    let member = given.map(|given| given.member(&section));
    let session = given.map(|given| given.session);
    let name = session.map(|session| session.name.clone());
    let name = written_or(&mut section, "name", "\"transit-a\"", value::name, name);
    let address = session.map(|session| session.address);
    let address = written_or(&mut section, "address", "\"203.0.113.1\"", value::address, address);
    let asn = session.map(|session| session.asn);
    let asn = written_or(&mut section, "asn", "64501", value::asn, asn);
    unique.claim(name.as_ref(), address.as_ref(), section.problems());
    let role = role(&mut section, router, asn.as_ref());
    let local_address = section.optional("local_address", value::address);
    same_family(local_address.as_ref(), address.as_ref(), section.problems());
    let hold_time_s = hold_time_s(&mut section, router);
    let checks = section.section("checks", "[peer.checks]").map(checks::read).unwrap_or_default();
    let peer = Peer {
        name: name.map(Spanned::into_inner).unwrap_or_default(),
        span: section.span(),
        address: address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), Spanned::into_inner),
        port: section.optional("port", value::port).map_or(BGP_PORT, Spanned::into_inner),
        asn: asn.map_or(Asn(0), Spanned::into_inner),
        role,
        as_set: section
            .optional("as_set", value::as_set)
            .map(Spanned::into_inner)
            .or_else(|| session.and_then(|session| session.as_set.clone())),
        max_prefixes: max_prefixes(&mut section, role, given),
        // Members of an exchange connect to its route server.
        passive: section
            .optional("passive", |field| field.boolean())
            .map_or(session.is_some(), Spanned::into_inner),
        local_address: local_address.map(Spanned::into_inner),
        hold_time_s,
        next_hop_self: next_hop_self(&mut section, role),
        add_path: add_path(&mut section, role),
        local_preference: local_preference(&mut section, role),
        allow_default: allow_default(&mut section, &checks),
        regions: regions(&mut section, around),
        checks,
        member,
    };
    section.end();
    peer
}

/// What is written, or else what is `given`; without either, `None` is an error that has been told.
fn written_or<'a, T>(
    section: &mut Section<'a>,
    key: &'static str,
    example: &str,
    read: impl FnOnce(Field<'a>) -> Result<T, Fault>,
    given: Option<T>,
) -> Option<Spanned<T>> {
    match given {
        Some(given) if !section.has(key) => Some(Spanned::new(section.span(), given)),
        _ => section.required(key, example, read),
    }
}

/// The role that is written; a route server's peers are its clients without that.
fn role(section: &mut Section<'_>, router: Option<&Router>, asn: Option<&Spanned<Asn>>) -> Option<Role> {
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
    if let Some(asn) = asn
        && let Some(fault) = asn_forbids(router.asn, *asn.get_ref(), role)
    {
        let place = written.as_ref().map_or(asn.span(), Spanned::span);
        section.problems().push(place, fault);
    }
    role
}

fn mode_forbids(mode: Mode, role: Role) -> Option<Fault> {
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

fn same_family(ours: Option<&Spanned<IpAddr>>, theirs: Option<&Spanned<IpAddr>>, problems: &Problems) {
    let Some((ours, theirs)) = ours.zip(theirs) else { return };
    let (family, other) = (Family::of(*ours.get_ref()), Family::of(*theirs.get_ref()));
    if family != other {
        let fault = Fault::new("`local_address` and `address` differ in family", format!("{family}"));
        let fault = fault.help(format!("write an {other} address of this router, or leave it to the kernel"));
        problems.push_pair(ours.span(), fault, theirs.span(), &other.to_string());
    }
}

fn hold_time_s(section: &mut Section<'_>, router: Option<&Router>) -> Setting<u16> {
    let written = section.optional("hold_time", value::hold_time);
    match router.map(|router| router.hold_time_s) {
        Some(seconds) if seconds != DEFAULT_HOLD_TIME_S => Setting::new(written, seconds, Origin::Router),
        _ => Setting::new(written, DEFAULT_HOLD_TIME_S, Origin::Default),
    }
}

/// A limit of prefixes.
pub(super) fn prefix_limit(field: Field<'_>) -> Result<u32, Fault> {
    field.integer(1, MOST_PREFIXES, "")
}

fn max_prefixes(section: &mut Section<'_>, role: Option<Role>, given: Option<&Given<'_>>) -> Setting<u32> {
    let written = section.optional("max_prefixes", prefix_limit);
    let exported = given.and_then(|given| given.session.max_prefixes);
    let for_members = given.and_then(|given| given.max_prefixes);
    match role {
        _ if let Some(exported) = exported => Setting::new(written, exported, Origin::Export),
        _ if let Some(for_members) = for_members => Setting::new(written, for_members, Origin::Members),
        Some(role) => Setting::new(written, default_max_prefixes(role), Origin::Role),
        None => Setting::new(written, default_max_prefixes(Role::Customer), Origin::Default),
    }
}

/// Room for what such a peer is likely to have, not for a leaked full table, except where that is what it sends.
fn default_max_prefixes(role: Role) -> u32 {
    match role {
        Role::Customer => 10_000,
        Role::Peer | Role::RsClient => 200_000,
        Role::Provider | Role::Rs | Role::Internal => 3_000_000,
    }
}

fn local_preference(section: &mut Section<'_>, role: Option<Role>) -> Setting<u32> {
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
    Setting::new(written, default, role.map_or(Origin::Default, |_| Origin::Role))
}

fn next_hop_self(section: &mut Section<'_>, role: Option<Role>) -> bool {
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

/// Members of an exchange choose for themselves what is best (RFC 7947 s2.3), so that those who can take all paths get them.
fn add_path(section: &mut Section<'_>, role: Option<Role>) -> Setting<Paths> {
    let words = [("off", Paths::Best), ("send", Paths::All)];
    let written = section.optional("add_path", |field| value::word(field, &words));
    match role {
        Some(Role::RsClient) => Setting::new(written, Paths::All, Origin::Role),
        Some(_) => Setting::new(written, Paths::Best, Origin::Role),
        None => Setting::new(written, Paths::Best, Origin::Default),
    }
}

fn allow_default(section: &mut Section<'_>, checks: &[ChosenMode]) -> bool {
    const KEY: &str = "allow_default";
    let Some(place) = flag(section, KEY) else { return false };
    if let Some(chosen) = checks.iter().find(|chosen| chosen.reason == Reason::DefaultRoute) {
        let fault =
            Fault::new(format!("`{KEY}` and the check `{}` are one thing", chosen.reason), "said here");
        let fault = fault.help("remove one of them");
        section.problems().push_pair(place, fault, chosen.span.clone(), "and here");
    }
    true
}

/// The regions of a member, which only a route server's peers are.
fn regions(section: &mut Section<'_>, around: Around<'_>) -> Vec<Region> {
    const KEY: &str = "regions";
    let Some(actions) = around.actions else {
        if around.router.is_none() {
            // What is written can't be looked up, and that the router is missing has been told.
            section.list(KEY, "\"fra\"", |_| Ok(()));
        } else {
            section.refused(KEY, || {
                Fault::new(format!("only a member of a route server has `{KEY}`"), "this is a router")
                    .help("remove it")
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

/// Where a flag is set.
fn flag(section: &mut Section<'_>, key: &'static str) -> Option<Range<usize>> {
    let flag = section.optional(key, |field| field.boolean())?;
    flag.get_ref().then(|| flag.span())
}

/// The names and addresses that are taken, and where.
#[derive(Default)]
pub(super) struct Unique {
    names: BTreeMap<String, Range<usize>>,
    addresses: BTreeMap<IpAddr, Range<usize>>,
}

impl Unique {
    fn claim(
        &mut self,
        name: Option<&Spanned<String>>,
        address: Option<&Spanned<IpAddr>>,
        problems: &Problems,
    ) {
        if let Some(name) = name {
            claim(&mut self.names, name, "are called", problems);
        }
        if let Some(address) = address {
            claim(&mut self.addresses, address, "have the address", problems);
        }
    }
}

fn claim<T: Ord + Clone + fmt::Display>(
    taken: &mut BTreeMap<T, Range<usize>>,
    wanted: &Spanned<T>,
    verb: &str,
    problems: &Problems,
) {
    match taken.entry(wanted.get_ref().clone()) {
        Entry::Vacant(free) => {
            free.insert(wanted.span());
        }
        Entry::Occupied(first) => {
            let fault = Fault::new(format!("two peers {verb} `{}`", first.key()), "again here");
            let fault = fault.help("each peer has a name and an address of its own");
            problems.push_pair(wanted.span(), fault, first.get().clone(), "first here");
        }
    }
}
