//! What a `[[peer]]` comes to, as `palisade check` shows it: what it may announce and is sent, its limits and its checks.

use std::collections::BTreeMap;

use palisade_bgp::Family;
use palisade_policy::{Reason, Role, Snapshot, Source, exports};
use palisade_rib::Tags;
use serde::Serialize;

use super::actions;
use crate::config::{Action, Config, Limits, Mode, Origin, Password, Peer, Setting, Transport};
use crate::judging::{self, Because, CheckMode};

/// A `[[peer]]`.
#[derive(Debug, Serialize)]
pub(super) struct PeerOutline {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) port: u16,
    pub(super) local_address: Option<String>,
    pub(super) transport: TransportOutline,
    pub(super) asn: u32,
    pub(super) role: Option<&'static str>,
    pub(super) group: Option<String>,
    pub(super) as_set: Option<String>,
    /// Who says that, or is to say it.
    pub(super) as_set_from: Option<String>,
    pub(super) passive: bool,
    pub(super) hold_time_s: Chosen<u16>,
    /// Messages of more than 4,096 octets, where the peer takes them.
    pub(super) extended_messages: Chosen<bool>,
    /// IPv6 next hops for IPv4, where the peer takes them.
    pub(super) extended_next_hop: Chosen<bool>,
    pub(super) strict_role: bool,
    /// Whether its session is about to be shut down.
    pub(super) graceful_shutdown: bool,
    /// Attributes that are taken off what it announces, by their codes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) strip_attributes: Vec<u8>,
    /// How long routes are kept over a restart; nothing where they go with the session.
    pub(super) restart: Option<RestartOutline>,
    pub(super) max_prefixes: Chosen<u32>,
    /// Whether that only holds until PeeringDB's is known.
    pub(super) max_prefixes_awaited: bool,
    /// Other limits of prefixes that are written, by their keys.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) other_prefix_limits: BTreeMap<&'static str, Chosen<u32>>,
    pub(super) max_prefixes_warning_percent: Chosen<u8>,
    pub(super) max_prefixes_action: Chosen<&'static str>,
    /// Where the action is to restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_prefixes_restart_s: Option<Chosen<u64>>,
    /// `None` where routes bring their own, or there are none.
    pub(super) local_preference: Option<Chosen<u32>>,
    /// The regions that it is in, by name.
    pub(super) regions: Vec<String>,
    /// What is added to its routes on their way out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<String>,
    pub(super) next_hop: &'static str,
    pub(super) paths_it_gets: Chosen<String>,
    pub(super) may_originate: String,
    /// Whose routes it is sent.
    pub(super) is_sent: Vec<&'static str>,
    /// To whom its routes are sent.
    pub(super) goes_to: Vec<&'static str>,
    pub(super) limits: LimitsOutline,
    /// The member that it is, where an export says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) member: Option<MemberOutline>,
    /// With `--explain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) checks: Option<Vec<CheckOutline>>,
}

/// A setting and where it comes from.
#[derive(Debug, Serialize)]
pub(super) struct Chosen<T> {
    pub(super) value: T,
    pub(super) from: String,
}

/// How much and how long a peer's announcements may be.
#[derive(Debug, Serialize)]
pub(super) struct LimitsOutline {
    pub(super) ipv4_length: [u8; 2],
    pub(super) ipv6_length: [u8; 2],
    pub(super) as_path_length: u16,
    pub(super) communities: u16,
    pub(super) attribute_octets: u16,
    /// Whether a route that is RPKI-valid needs no route object.
    pub(super) rpki_valid_is_registered: bool,
    /// Whether a route object registers what is more specific than it.
    pub(super) longer_is_registered: bool,
    /// Whether communities in our own namespace are taken off.
    pub(super) scrubbed: bool,
    /// The keys of those that somebody chose, and who.
    pub(super) chosen: Vec<ChosenLimit>,
}

/// A limit that is not what holds for everybody.
#[derive(Debug, Serialize)]
pub(super) struct ChosenLimit {
    pub(super) key: &'static str,
    pub(super) from: String,
}

/// How a peer's TCP connections are guarded and how far they reach.
#[derive(Debug, Serialize)]
pub(super) struct TransportOutline {
    /// How many hops away the peer may be; `null` for any number.
    pub(super) hops: Option<u8>,
    /// Whether packets from farther away are dropped (RFC 5082).
    pub(super) ttl_security: bool,
    /// Where the password is that segments are signed with (RFC 2385); `null` where they are not.
    pub(super) md5: Option<String>,
    /// `null` where it is left to the kernel.
    pub(super) user_timeout_s: Option<u64>,
}

/// How long routes are kept over a restart.
#[derive(Debug, Serialize)]
pub(super) struct RestartOutline {
    pub(super) restart_time_s: Chosen<u16>,
    pub(super) long_lived_stale_time_s: Chosen<u32>,
}

/// What of a peer an export says.
#[derive(Debug, Serialize)]
pub(super) struct MemberOutline {
    pub(super) name: String,
    /// The keys that hold what the export says.
    pub(super) exported: Vec<&'static str>,
}

/// A check of a peer.
#[derive(Debug, Serialize)]
pub(super) struct CheckOutline {
    pub(super) check: &'static str,
    pub(super) mode: &'static str,
    pub(super) from: String,
    pub(super) reference: &'static str,
    pub(super) sentence: &'static str,
}

impl PeerOutline {
    pub(super) fn new(config: &Config, tables: Option<&Snapshot>, peer: &Peer, explain: bool) -> Self {
        let role = peer.role;
        let mode = config.router.mode;
        let judged = judging::peer(config, peer, tables.unwrap_or(&Snapshot::default()));
        let modes = role.map(|role| judging::check_modes(config, peer, role));
        let checks = modes.map(|modes| modes.iter().map(|check| check_outline(config, check)).collect());
        let prefix_limits = &peer.prefix_limits;
        let written = prefix_limits.written();
        let ranked = role.filter(|role| *role != Role::Internal);
        PeerOutline {
            name: peer.name.clone(),
            address: peer.place().to_string(),
            port: peer.port,
            local_address: peer.local_address.map(|address| address.to_string()),
            transport: TransportOutline::new(&peer.transport),
            asn: peer.asn.0,
            role: role.map(Role::slug),
            group: peer.group.clone(),
            as_set: peer.as_set.clone(),
            as_set_from: peer.is_bound_by_as_set().then(|| peer.as_set_origin.to_string()),
            passive: peer.passive,
            hold_time_s: Chosen::new(peer.hold_time_s),
            extended_messages: Chosen::new(peer.abilities.extended_messages),
            extended_next_hop: Chosen::new(peer.abilities.extended_next_hop),
            strict_role: peer.abilities.strict_role,
            graceful_shutdown: peer.graceful_shutdown,
            strip_attributes: peer.stripped.value.iter().collect(),
            restart: peer.restart.map(|restart| RestartOutline {
                restart_time_s: Chosen::new(restart.restart_time_s),
                long_lived_stale_time_s: Chosen::new(restart.long_lived_stale_time_s),
            }),
            max_prefixes: Chosen::new(peer.max_prefixes),
            max_prefixes_awaited: peer.peeringdb.max_prefixes
                && peer.max_prefixes.origin != Origin::PeeringDb,
            other_prefix_limits: written.map(|(key, limit)| (key, Chosen::new(limit))).collect(),
            max_prefixes_warning_percent: Chosen::new(prefix_limits.warning_percent),
            max_prefixes_action: Chosen {
                value: prefix_limits.action.value.name(),
                from: prefix_limits.action.origin.to_string(),
            },
            max_prefixes_restart_s: (prefix_limits.action.value == Action::Restart).then(|| Chosen {
                value: prefix_limits.restart.value.as_secs(),
                from: prefix_limits.restart.origin.to_string(),
            }),
            local_preference: ranked.map(|_| Chosen::new(peer.local_preference)),
            regions: actions::region_names(config, &peer.regions),
            tags: judging::tags(config, peer).map(|tags| tag_names(&tags)).unwrap_or_default(),
            next_hop: next_hop(mode, peer),
            paths_it_gets: Chosen {
                value: peer.add_path.value.to_string(),
                from: peer.add_path.origin.to_string(),
            },
            may_originate: may_originate(peer, &judged, tables.is_some()),
            is_sent: role.map(|to| is_sent(mode, to, peer.route_reflector_client)).unwrap_or_default(),
            goes_to: role.map(|from| goes_to(mode, from, peer.route_reflector_client)).unwrap_or_default(),
            limits: LimitsOutline::new(&judged, &peer.limits),
            member: peer
                .member
                .as_ref()
                .map(|member| MemberOutline { name: member.name.clone(), exported: member.exported.clone() }),
            checks: checks.filter(|_| explain),
        }
    }
}

impl TransportOutline {
    fn new(transport: &Transport) -> Self {
        TransportOutline {
            hops: transport.hops,
            ttl_security: transport.ttl_security,
            md5: transport.md5.as_ref().map(|password| match password {
                Password::Written(_) => "as it is written".into(),
                Password::InFile(file) => file.get_ref().display().to_string(),
            }),
            user_timeout_s: transport.user_timeout.map(|time| time.as_secs()),
        }
    }
}

impl<T: Copy> Chosen<T> {
    fn new(setting: Setting<T>) -> Self {
        Chosen { value: setting.value, from: setting.origin.to_string() }
    }
}

impl LimitsOutline {
    fn new(judged: &palisade_policy::Peer, written: &Limits) -> Self {
        let limits = &judged.limits;
        let [ipv4_length, ipv6_length] =
            Family::ALL.map(Family::index).map(|at| [limits.shortest[at], limits.longest[at]]);
        LimitsOutline {
            ipv4_length,
            ipv6_length,
            as_path_length: limits.path_length,
            communities: limits.communities,
            attribute_octets: limits.attribute_octets,
            rpki_valid_is_registered: judged.rpki_valid_is_registered,
            longer_is_registered: limits.longest_registered != [0; 2],
            scrubbed: judged.scrub,
            chosen: written
                .chosen()
                .into_iter()
                .map(|(key, origin)| ChosenLimit { key, from: origin.to_string() })
                .collect(),
        }
    }
}

fn tag_names(tags: &Tags) -> Vec<String> {
    let large = tags.large.iter().map(ToString::to_string);
    tags.communities.iter().map(ToString::to_string).chain(large).collect()
}

/// The AS numbers that a peer may originate for. Whether an as-set can be expanded shows only where the tables were read.
fn may_originate(peer: &Peer, judged: &palisade_policy::Peer, read: bool) -> String {
    let held = judged.checks.mode(Reason::IrrOriginNotInAsSet) != palisade_policy::Mode::Off;
    let whose = match peer.as_set_origin {
        Origin::Peer | Origin::Default => String::new(),
        other => format!(" ({other})"),
    };
    match (&peer.as_set, &judged.origins) {
        _ if peer.role.is_none() => "nothing".into(),
        _ if !held => "any AS: it is not held to an as-set".into(),
        (None, _) if peer.peeringdb.as_set && !read => "members of the as-set that PeeringDB says".into(),
        (None, _) if peer.peeringdb.as_set => format!("{} alone: PeeringDB says no as-set", peer.asn),
        (None, _) => format!("{} alone: it has no as-set", peer.asn),
        (Some(as_set), _) if !read => format!("members of {as_set}{whose}"),
        (Some(as_set), Some(origins)) => format!("the {} members of {as_set}{whose}", origins.len()),
        (Some(as_set), None) => format!("{} alone: {as_set}{whose} comes to nothing", peer.asn),
    }
}

/// The next hop of what a peer is sent.
fn next_hop(mode: Mode, peer: &Peer) -> &'static str {
    match (mode, peer.role) {
        (_, None) => "nothing is sent",
        (Mode::RouteServer, _) => "as it was heard (RFC 7947 s2.2.1)",
        (Mode::Router, Some(Role::Internal)) if !peer.next_hop_self => "as it was heard",
        (Mode::Router, _) => "our own address",
    }
}

/// The roles that a speaker of that mode can have peers of.
fn roles(mode: Mode) -> impl Iterator<Item = Role> {
    Role::ALL.into_iter().filter(move |role| (*role == Role::RsClient) == (mode == Mode::RouteServer))
}

fn is_sent(mode: Mode, to: Role, is_client: bool) -> Vec<&'static str> {
    let local = (mode == Mode::Router).then_some((Source::Local, "our own"));
    let peers = roles(mode).map(|from| (Source::Peer(from), from.slug()));
    let all = local.into_iter().chain(peers);
    let reflected = |from| is_client && from == Source::Peer(Role::Internal);
    all.filter(|(from, _)| exports(*from, to) || reflected(*from)).map(|(_, name)| name).collect()
}

fn goes_to(mode: Mode, from: Role, is_client: bool) -> Vec<&'static str> {
    let reflected = |to| is_client && to == Role::Internal;
    roles(mode).filter(|to| exports(Source::Peer(from), *to) || reflected(*to)).map(Role::slug).collect()
}

fn check_outline(config: &Config, check: &CheckMode) -> CheckOutline {
    let line = |span: &std::ops::Range<usize>| config.source.position(span.start).line;
    let from = match &check.because {
        Because::Role => "role".into(),
        Because::RoleDespite(span) => format!("role: what line {} says is for roles that ask", line(span)),
        Because::Everywhere(span) => format!("[checks], line {}", line(span)),
        Because::ItsRole(role, span) => format!("[checks.{role}], line {}", line(span)),
        Because::Group(span) => format!("its group, line {}", line(span)),
        Because::Peer(span) => format!("this peer, line {}", line(span)),
        Because::AllowDefault => "allow_default".into(),
    };
    CheckOutline {
        check: check.reason.slug(),
        mode: check.mode.slug(),
        from,
        reference: check.reason.reference(),
        sentence: check.reason.sentence(),
    }
}
