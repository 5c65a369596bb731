//! `[[peer]]`: a neighbour, what it is to us, and what is to be different for it.
//!
//! Here is what a peer comes to and in which order its keys are read; each key by itself is read in the files beside.

mod abilities;
mod bounds;
mod given;
mod keys;
mod paths;
mod prefix_limits;
mod restart;
mod role;
mod setting;
mod stripped;
mod transport;
mod unique;

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::path::Path;

use palisade_bgp::{Asn, AttributeCodes};
use palisade_policy::{Region, Role};
use toml::Spanned;

use super::actions::Actions;
use super::checks::ChosenMode;
use super::communities::{self, Tags};
use super::group::Groups;
use super::limits::{self, Limits};
use super::peeringdb::PeeringDb;
use super::problem::{Fault, Problems};
use super::router::{BGP_PORT, Router};
use super::section::Section;
use super::value::{self, Place};
use bounds::FromPeeringDb;
use given::{Member, written_or};

pub(crate) use abilities::Abilities;
pub(crate) use bounds::MOST_PREFIXES;
pub(crate) use paths::Paths;
pub(crate) use prefix_limits::{Action, PrefixLimits};
pub(crate) use setting::{Origin, Setting};
pub(crate) use transport::{Password, Transport, secret};

pub(super) use bounds::prefix_limit;
pub(super) use given::{Given, nobody};
pub(super) use role::mode_forbids;
pub(super) use transport::one_password_an_address;
pub(super) use unique::Unique;

/// Peers that one router may have.
pub(crate) const MAX_PEERS: usize = 8_000;

/// A neighbour.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// What we call it: unique.
    pub(crate) name: String,
    /// Where its header is.
    pub(crate) span: Range<usize>,
    /// Its address: unique, with the interface.
    pub(crate) address: IpAddr,
    /// The interface that leads to it, where its address is link-local.
    pub(crate) interface: Option<String>,
    /// Its port, when we connect.
    pub(crate) port: u16,
    /// Its AS.
    pub(crate) asn: Asn,
    /// What it is to us; with `None` nothing is exchanged (RFC 8212).
    pub(crate) role: Option<Role>,
    /// The group that it is of.
    pub(crate) group: Option<String>,
    /// The as-set of what it may originate, as it is written: `AS-EXAMPLE` or `RIPE::AS-EXAMPLE`; or several, with a
    /// space between them.
    pub(crate) as_set: Option<String>,
    /// Where that comes from; without one, who would have to write it.
    pub(crate) as_set_origin: Origin,
    /// Prefixes that it may announce in the session, of both families together.
    pub(crate) max_prefixes: Setting<u32>,
    /// Other limits of prefixes, and what becomes of a session that has too many.
    pub(crate) prefix_limits: PrefixLimits,
    /// What of this is to be as PeeringDB says.
    pub(crate) peeringdb: FromPeeringDb,
    /// How much and how long its announcements may be.
    pub(crate) limits: Limits,
    /// Whether we wait for it to connect.
    pub(crate) passive: bool,
    /// The address of ours that the session is from.
    pub(crate) local_address: Option<IpAddr>,
    /// How its TCP connections are guarded, and how far they reach.
    pub(crate) transport: Transport,
    /// Seconds without a message after which the session is dead; 0 for never.
    pub(crate) hold_time_s: Setting<u16>,
    /// Whether and how long routes are kept over a restart, the peer's or ours; `None` where they go with the session.
    pub(crate) restart: Option<restart::Restart>,
    /// Whether an internal peer is told that we are the next hop.
    pub(crate) next_hop_self: bool,
    /// Whether its session is about to be shut down, so that other paths are to be used meanwhile (RFC 8326).
    pub(crate) graceful_shutdown: bool,
    /// Whether an internal peer is our client in route reflection (RFC 4456).
    pub(crate) route_reflector_client: bool,
    /// What its session may do besides.
    pub(crate) abilities: Abilities,
    /// Which paths it is sent, where there are several to a prefix, and whether it may send several.
    pub(crate) add_path: Setting<Paths>,
    /// Attributes that are taken off what it announces, unread.
    pub(crate) stripped: Setting<AttributeCodes>,
    /// LOCAL_PREF of what it announces.
    pub(crate) local_preference: Setting<u32>,
    /// Whether it may announce the default route.
    pub(crate) allow_default: bool,
    /// The regions that it is in.
    pub(crate) regions: Vec<Region>,
    /// Communities that are added to its routes on their way out; `None` where its role's are.
    pub(crate) tags: Option<Tags>,
    /// The modes of checks that are different for it.
    pub(crate) checks: Vec<ChosenMode>,
    /// The modes of checks that are different for its group.
    pub(crate) group_checks: Vec<ChosenMode>,
    /// The member that it is, where an export says so.
    pub(crate) member: Option<Member>,
    /// The range that it is a guest of.
    pub(crate) range: Option<String>,
}

impl Peer {
    /// Where it is.
    pub(crate) fn place(&self) -> Place {
        Place { address: self.address, interface: self.interface.clone() }
    }

    /// Whether what it may originate is bound by an as-set, be it one that is not known yet.
    pub(crate) fn is_bound_by_as_set(&self) -> bool {
        self.as_set.is_some() || self.peeringdb.as_set
    }
}

/// What a peer's section is read by.
#[derive(Clone, Copy)]
pub(super) struct Around<'e, 'a> {
    /// `None` where it could not be read, and then what depends on it is not checked.
    pub(super) router: Option<&'e Router>,
    /// What members may ask for; `None` where there are none.
    pub(super) actions: Option<&'e Actions>,
    /// What PeeringDB is asked for; `None` where it is not.
    pub(super) peeringdb: Option<&'e PeeringDb>,
    /// What several peers have in common.
    pub(super) groups: &'e Groups<'a>,
    /// Where files with relative names are.
    pub(super) folder: &'e Path,
}

/// Reads every peer.
pub(super) fn read_all<'a>(
    sections: Vec<Section<'a>>,
    around: Around<'_, 'a>,
    problems: &Problems,
) -> Vec<Peer> {
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
pub(super) fn read<'a>(
    mut section: Section<'a>,
    around: Around<'_, 'a>,
    unique: &mut Unique,
    given: Option<&Given<'_>>,
) -> Peer {
    let router = around.router;
    let group = around.groups.of(&mut section, given.and_then(|given| given.group));
    if let Some((_, group)) = group {
        section = section.of_group(&group.section);
    }
    let member = given.map(|given| given.member(&section));
    let session = given.map(|given| given.session);
    let name = session.map(|session| session.name.clone());
    let name = written_or(&mut section, "name", "\"transit-a\"", value::name, name);
    let address = session.map(|session| Place::from(session.address));
    let address = written_or(&mut section, "address", "\"203.0.113.1\"", value::place, address);
    let asn = session.map(|session| session.asn);
    let asn = written_or(&mut section, "asn", "64501", value::asn, asn);
    unique.claim(name.as_ref(), address.as_ref(), section.problems());
    let role = role::role(&mut section, router, asn.as_ref());
    let local_address = section.optional("local_address", value::address);
    keys::same_family(local_address.as_ref(), address.as_ref(), section.problems());
    let hold_time_s = keys::hold_time_s(&mut section, router);
    let abilities =
        abilities::abilities(&mut section, role, address.as_ref().map(|address| address.get_ref().address));
    let checks = keys::checks(&mut section);
    let (as_set, as_set_origin, as_set_of_peeringdb) = bounds::as_set(&mut section, role, around, given);
    let (max_prefixes, max_prefixes_of_peeringdb) = bounds::max_prefixes(&mut section, role, around, given);
    let place = address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED).into(), Spanned::into_inner);
    let peer = Peer {
        name: name.map(Spanned::into_inner).unwrap_or_default(),
        span: section.span(),
        address: place.address,
        interface: place.interface,
        port: section.optional("port", value::port).map_or(BGP_PORT, Spanned::into_inner),
        asn: asn.map_or(Asn(0), Spanned::into_inner),
        role,
        group: group.map(|(name, _)| name.to_owned()),
        as_set,
        as_set_origin,
        max_prefixes,
        prefix_limits: prefix_limits::read(&mut section, max_prefixes),
        peeringdb: FromPeeringDb { as_set: as_set_of_peeringdb, max_prefixes: max_prefixes_of_peeringdb },
        limits: limits::read(&mut section),
        // Members of an exchange connect to its route server.
        passive: section
            .optional("passive", |field| field.boolean())
            .map_or(session.is_some(), Spanned::into_inner),
        local_address: local_address.map(Spanned::into_inner),
        transport: transport::transport(&mut section, role, around.folder),
        hold_time_s,
        restart: restart::restart(&mut section),
        next_hop_self: keys::next_hop_self(&mut section, role),
        graceful_shutdown: keys::graceful_shutdown(&mut section, role),
        route_reflector_client: keys::route_reflector_client(&mut section, role),
        abilities,
        add_path: paths::add_path(&mut section, role),
        stripped: stripped::stripped(&mut section),
        local_preference: keys::local_preference(&mut section, role),
        allow_default: keys::allow_default(&mut section, &checks),
        regions: keys::regions(&mut section, around),
        tags: communities::tags(&mut section, "tags"),
        checks,
        group_checks: group.map(|(_, group)| group.checks.clone()).unwrap_or_default(),
        member,
        range: None,
    };
    section.end();
    peer
}
