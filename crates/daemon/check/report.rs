//! What a configuration comes to, in the shape that both the text and the JSON of `palisade check` show.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use palisade_bgp::Family;
use palisade_policy::{Reason, Role, Snapshot, Source, exports};
use serde::Serialize;
use toml::Spanned;

use super::actions::{self, ActionsOutline};
use crate::config::{Config, Fib, Members, Mode, Peer, Problem, Setting};
use crate::judging::{self, Because, CheckMode};
use crate::members::Export;

/// A whole configuration, or what is wrong with it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) file: String,
    pub(super) valid: bool,
    pub(super) errors: Vec<Told>,
    pub(super) warnings: Vec<Told>,
    #[serde(flatten)]
    pub(super) outline: Option<Outline>,
}

/// A problem.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    labels: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

/// What would run.
#[derive(Debug, Serialize)]
pub(super) struct Outline {
    pub(super) router: RouterOutline,
    pub(super) rpki: RpkiOutline,
    pub(super) irr: IrrOutline,
    pub(super) fib: Option<FibOutline>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actions: Option<ActionsOutline>,
    pub(super) members: Option<MembersOutline>,
    pub(super) control: ControlOutline,
    pub(super) looking_glass: LookingGlassOutline,
    pub(super) peers: Vec<PeerOutline>,
}

/// `[router]`.
#[derive(Debug, Serialize)]
pub(super) struct RouterOutline {
    pub(super) asn: u32,
    pub(super) id: String,
    pub(super) mode: &'static str,
    pub(super) listen: Vec<String>,
    pub(super) networks: Vec<String>,
    pub(super) own_prefixes: Vec<String>,
    pub(super) peering_lans: Vec<String>,
    pub(super) hold_time_s: u16,
}

/// `[rpki]`.
#[derive(Debug, Serialize)]
pub(super) struct RpkiOutline {
    pub(super) files: Vec<String>,
    /// Where the files were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vrps: Option<usize>,
}

/// `[irr]`.
#[derive(Debug, Serialize)]
pub(super) struct IrrOutline {
    pub(super) dumps: Vec<String>,
    pub(super) allow_longer: bool,
    /// Where the dumps were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) route_objects: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) as_sets: Option<usize>,
}

/// `[fib]`.
#[derive(Debug, Serialize)]
pub(super) struct FibOutline {
    pub(super) table: u32,
    pub(super) metric: u32,
    pub(super) preferred_source: Vec<String>,
}

/// `[members]`.
#[derive(Debug, Serialize)]
pub(super) struct MembersOutline {
    pub(super) file: String,
    /// Blocks that are of use only together with the file.
    pub(super) amending: usize,
    /// Where the file was read.
    #[serde(flatten)]
    pub(super) export: Option<ExportOutline>,
}

/// What an export of members comes to.
#[derive(Debug, Serialize)]
pub(super) struct ExportOutline {
    pub(super) exchange: Option<String>,
    pub(super) members: usize,
    pub(super) sessions: usize,
    pub(super) skipped: Vec<SkippedOutline>,
}

/// Addresses of an export that make no session, and why.
#[derive(Debug, Serialize)]
pub(super) struct SkippedOutline {
    pub(super) count: usize,
    pub(super) why: String,
}

/// What of a peer an export says.
#[derive(Debug, Serialize)]
pub(super) struct MemberOutline {
    pub(super) name: String,
    /// The keys that hold what the export says.
    pub(super) exported: Vec<&'static str>,
}

/// `[control]`.
#[derive(Debug, Serialize)]
pub(super) struct ControlOutline {
    pub(super) socket: Option<String>,
}

/// `[looking_glass]`.
#[derive(Debug, Serialize)]
pub(super) struct LookingGlassOutline {
    pub(super) reject_communities: &'static str,
}

/// A setting and where it comes from.
#[derive(Debug, Serialize)]
pub(super) struct Chosen<T> {
    pub(super) value: T,
    pub(super) from: String,
}

/// A `[[peer]]`.
#[derive(Debug, Serialize)]
pub(super) struct PeerOutline {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) port: u16,
    pub(super) local_address: Option<String>,
    pub(super) asn: u32,
    pub(super) role: Option<&'static str>,
    pub(super) as_set: Option<String>,
    pub(super) passive: bool,
    pub(super) hold_time_s: Chosen<u16>,
    pub(super) max_prefixes: Chosen<u32>,
    /// `None` where routes bring their own, or there are none.
    pub(super) local_preference: Option<Chosen<u32>>,
    /// The regions that it is in, by name.
    pub(super) regions: Vec<String>,
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

/// How much and how long a peer's announcements may be.
#[derive(Debug, Serialize)]
pub(super) struct LimitsOutline {
    pub(super) ipv4_length: [u8; 2],
    pub(super) ipv6_length: [u8; 2],
    pub(super) as_path_length: u16,
    pub(super) communities: u16,
    /// Whether a route that is RPKI-valid needs no route object.
    pub(super) rpki_valid_is_registered: bool,
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

impl Report {
    /// A configuration that is in order, but for `warnings`.
    pub(super) fn valid(
        config: &Config,
        tables: Option<&Snapshot>,
        warnings: &[Problem],
        explain: bool,
    ) -> Self {
        Report {
            file: config.source.name().into(),
            valid: true,
            errors: Vec::new(),
            warnings: warnings.iter().map(Told::problem).collect(),
            outline: Some(Outline::new(config, tables, explain)),
        }
    }

    /// What is wrong.
    pub(super) fn invalid(file: &Path, errors: Vec<Told>) -> Self {
        Report { file: file.display().to_string(), valid: false, errors, warnings: Vec::new(), outline: None }
    }
}

impl Told {
    /// A problem that has a place.
    pub(super) fn problem(problem: &Problem) -> Self {
        let (line, column) = problem.position().map(|at| (at.line, at.column)).unzip();
        Told { line, column, ..Told::diagnostic(problem) }
    }

    /// A problem of whatever kind.
    pub(super) fn diagnostic(problem: &dyn Diagnostic) -> Self {
        let labels = problem.labels().into_iter().flatten();
        Told {
            message: problem.to_string(),
            line: None,
            column: None,
            labels: labels.filter_map(|label| label.label().map(str::to_owned)).collect(),
            help: problem.help().map(|help| help.to_string()),
        }
    }
}

impl Outline {
    fn new(config: &Config, tables: Option<&Snapshot>, explain: bool) -> Self {
        Outline {
            router: RouterOutline::new(config),
            rpki: RpkiOutline {
                files: paths(&config.rpki.files),
                vrps: tables.map(|tables| tables.rov.len()),
            },
            irr: IrrOutline {
                dumps: paths(&config.irr.dumps),
                allow_longer: config.irr.allow_longer,
                route_objects: tables.map(|tables| tables.irr.len()),
                as_sets: tables.map(|tables| tables.irr.as_sets()),
            },
            fib: config.fib.as_ref().map(FibOutline::new),
            actions: config.actions.as_ref().map(|actions| ActionsOutline::new(config, actions, explain)),
            members: config.members.as_ref().map(MembersOutline::new),
            control: ControlOutline {
                socket: config.control.socket.as_ref().map(|socket| socket.display().to_string()),
            },
            looking_glass: LookingGlassOutline {
                reject_communities: config.looking_glass.reject_communities.slug(),
            },
            peers: config.peers.iter().map(|peer| PeerOutline::new(config, tables, peer, explain)).collect(),
        }
    }
}

fn paths(list: &[Spanned<PathBuf>]) -> Vec<String> {
    list.iter().map(|path| path.get_ref().display().to_string()).collect()
}

fn strings<T: ToString>(list: &[T]) -> Vec<String> {
    list.iter().map(T::to_string).collect()
}

impl MembersOutline {
    fn new(members: &Members) -> Self {
        MembersOutline {
            file: members.file.get_ref().display().to_string(),
            amending: members.amending,
            export: members.export.as_ref().map(ExportOutline::new),
        }
    }
}

impl ExportOutline {
    fn new(export: &Export) -> Self {
        let skipped = export.skipped.iter().map(|(why, count)| (*count, why.to_string()));
        ExportOutline {
            exchange: export.exchange.clone(),
            members: export.members(),
            sessions: export.sessions.len(),
            skipped: skipped.map(|(count, why)| SkippedOutline { count, why }).collect(),
        }
    }
}

impl FibOutline {
    fn new(fib: &Fib) -> Self {
        let v4 = fib.preferred_source_ipv4.iter().map(ToString::to_string);
        let v6 = fib.preferred_source_ipv6.iter().map(ToString::to_string);
        FibOutline { table: fib.table, metric: fib.metric, preferred_source: v4.chain(v6).collect() }
    }
}

impl RouterOutline {
    fn new(config: &Config) -> Self {
        let router = &config.router;
        RouterOutline {
            asn: router.asn.0,
            id: router.id.to_string(),
            mode: router.mode.slug(),
            listen: strings(&router.listen),
            networks: strings(&router.networks),
            own_prefixes: strings(&router.own_prefixes),
            peering_lans: strings(&router.peering_lans),
            hold_time_s: router.hold_time_s,
        }
    }
}

impl<T: Copy> Chosen<T> {
    fn new(setting: Setting<T>) -> Self {
        Chosen { value: setting.value, from: setting.origin.to_string() }
    }
}

impl PeerOutline {
    fn new(config: &Config, tables: Option<&Snapshot>, peer: &Peer, explain: bool) -> Self {
        let role = peer.role;
        let mode = config.router.mode;
        let judged = judging::peer(config, peer, tables.unwrap_or(&Snapshot::default()));
        let modes = role.map(|role| judging::check_modes(config, peer, role));
        let checks = modes.map(|modes| modes.iter().map(|check| check_outline(config, check)).collect());
        let ranked = role.filter(|role| *role != Role::Internal);
        PeerOutline {
            name: peer.name.clone(),
            address: peer.address.to_string(),
            port: peer.port,
            local_address: peer.local_address.map(|address| address.to_string()),
            asn: peer.asn.0,
            role: role.map(Role::slug),
            as_set: peer.as_set.clone(),
            passive: peer.passive,
            hold_time_s: Chosen::new(peer.hold_time_s),
            max_prefixes: Chosen::new(peer.max_prefixes),
            local_preference: ranked.map(|_| Chosen::new(peer.local_preference)),
            regions: actions::region_names(config, &peer.regions),
            next_hop: next_hop(mode, peer),
            paths_it_gets: Chosen {
                value: peer.add_path.value.to_string(),
                from: peer.add_path.origin.to_string(),
            },
            may_originate: may_originate(peer, &judged, tables.is_some()),
            is_sent: role.map(|to| is_sent(mode, to)).unwrap_or_default(),
            goes_to: role.map(|from| goes_to(mode, from)).unwrap_or_default(),
            limits: LimitsOutline::new(&judged),
            member: peer
                .member
                .as_ref()
                .map(|member| MemberOutline { name: member.name.clone(), exported: member.exported.clone() }),
            checks: checks.filter(|_| explain),
        }
    }
}

impl LimitsOutline {
    fn new(judged: &palisade_policy::Peer) -> Self {
        let limits = &judged.limits;
        let [ipv4_length, ipv6_length] =
            Family::ALL.map(Family::index).map(|at| [limits.shortest[at], limits.longest[at]]);
        LimitsOutline {
            ipv4_length,
            ipv6_length,
            as_path_length: limits.path_length,
            communities: limits.communities,
            rpki_valid_is_registered: judged.rpki_valid_is_registered,
        }
    }
}

/// The AS numbers that a peer may originate for. Whether an as-set can be expanded shows only where the tables were read.
fn may_originate(peer: &Peer, judged: &palisade_policy::Peer, read: bool) -> String {
    let held = judged.checks.mode(Reason::IrrOriginNotInAsSet) != palisade_policy::Mode::Off;
    match (&peer.as_set, &judged.origins) {
        _ if peer.role.is_none() => "nothing".into(),
        _ if !held => "any AS: it is not held to an as-set".into(),
        (None, _) => format!("{} alone: it has no as-set", peer.asn),
        (Some(as_set), _) if !read => format!("members of {as_set}"),
        (Some(as_set), Some(origins)) => format!("the {} members of {as_set}", origins.len()),
        (Some(as_set), None) => format!("{} alone: {as_set} comes to nothing", peer.asn),
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

fn is_sent(mode: Mode, to: Role) -> Vec<&'static str> {
    let local = (mode == Mode::Router).then_some((Source::Local, "our own"));
    let peers = roles(mode).map(|from| (Source::Peer(from), from.slug()));
    let all = local.into_iter().chain(peers);
    all.filter(|(from, _)| exports(*from, to)).map(|(_, name)| name).collect()
}

fn goes_to(mode: Mode, from: Role) -> Vec<&'static str> {
    roles(mode).filter(|to| exports(Source::Peer(from), *to)).map(Role::slug).collect()
}

fn check_outline(config: &Config, check: &CheckMode) -> CheckOutline {
    let line = |span: &std::ops::Range<usize>| config.source.position(span.start).line;
    let from = match &check.because {
        Because::Role => "role".into(),
        Because::RoleDespite(span) => format!("role: what line {} says is for roles that ask", line(span)),
        Because::Everywhere(span) => format!("[checks], line {}", line(span)),
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
