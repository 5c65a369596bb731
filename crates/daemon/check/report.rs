//! What a configuration comes to, in the shape that both the text and the JSON of `palisade check` show. What belongs to a
//! section of more than a few keys is in a file of that name.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use palisade_policy::Role;
use serde::Serialize;
use toml::Spanned;

use super::actions::ActionsOutline;
use super::bogons::BogonsOutline;
use super::irr::IrrOutline;
use super::members::MembersOutline;
use super::peer::PeerOutline;
use super::peeringdb::PeeringDbOutline;
use super::rpki::RpkiOutline;
use super::rules::{self, PeerlockOutline, RuleOutline};
use crate::config::{Config, Fib, PeerRange, Problem};
use crate::judging::Tables;

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
    pub(super) bogons: BogonsOutline,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) peeringdb: Option<PeeringDbOutline>,
    pub(super) fib: Option<FibOutline>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actions: Option<ActionsOutline>,
    pub(super) members: Option<MembersOutline>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) peerlocks: Vec<PeerlockOutline>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) rules: Vec<RuleOutline>,
    pub(super) control: ControlOutline,
    pub(super) looking_glass: LookingGlassOutline,
    pub(super) peers: Vec<PeerOutline>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ranges: Vec<RangeOutline>,
}

/// A `[[range]]`.
#[derive(Debug, Serialize)]
pub(super) struct RangeOutline {
    pub(super) name: String,
    pub(super) prefix: String,
    pub(super) asns: Vec<u32>,
    pub(super) max_peers: usize,
    pub(super) role: Option<&'static str>,
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

/// `[fib]`.
#[derive(Debug, Serialize)]
pub(super) struct FibOutline {
    pub(super) table: u32,
    pub(super) metric: u32,
    pub(super) preferred_source: Vec<String>,
}

/// `[control]` and `[metrics]`.
#[derive(Debug, Serialize)]
pub(super) struct ControlOutline {
    /// Where metrics are served.
    pub(super) metrics: Option<String>,
    pub(super) socket: Option<String>,
}

/// `[looking_glass]`.
#[derive(Debug, Serialize)]
pub(super) struct LookingGlassOutline {
    pub(super) reject_communities: &'static str,
}

impl RangeOutline {
    fn new(range: &PeerRange) -> Self {
        RangeOutline {
            name: range.name.clone(),
            prefix: range.prefix.to_string(),
            asns: range.asns().map(|asn| asn.0).collect(),
            max_peers: range.max_peers,
            role: range.alike().find_map(|guest| guest.role).map(Role::slug),
        }
    }
}

impl Report {
    /// A configuration that is in order, but for `warnings`.
    pub(super) fn valid(
        config: &Config,
        tables: Option<&Tables>,
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
    fn new(config: &Config, tables: Option<&Tables>, explain: bool) -> Self {
        let networks = tables.map(|tables| tables.networks.state().sources);
        let tables = tables.map(|tables| &tables.snapshot);
        Outline {
            router: RouterOutline::new(config),
            rpki: RpkiOutline::new(&config.rpki, tables, explain),
            irr: IrrOutline::new(config, tables),
            bogons: BogonsOutline::new(&config.bogons, tables),
            peeringdb: config.peeringdb.as_ref().map(|settings| PeeringDbOutline::new(settings, networks)),
            fib: config.fib.as_ref().map(FibOutline::new),
            actions: config.actions.as_ref().map(|actions| ActionsOutline::new(config, actions, explain)),
            members: config.members.as_ref().map(MembersOutline::new),
            peerlocks: config.peerlocks.iter().map(PeerlockOutline::new).collect(),
            rules: rules::outlines(config),
            control: ControlOutline {
                metrics: config.metrics.map(|address| address.to_string()),
                socket: config.control.socket.as_ref().map(|socket| socket.display().to_string()),
            },
            looking_glass: LookingGlassOutline {
                reject_communities: config.looking_glass.reject_communities.slug(),
            },
            peers: config.peers.iter().map(|peer| PeerOutline::new(config, tables, peer, explain)).collect(),
            ranges: config.ranges.iter().map(RangeOutline::new).collect(),
        }
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

impl FibOutline {
    fn new(fib: &Fib) -> Self {
        let v4 = fib.preferred_source_ipv4.iter().map(ToString::to_string);
        let v6 = fib.preferred_source_ipv6.iter().map(ToString::to_string);
        FibOutline { table: fib.table, metric: fib.metric, preferred_source: v4.chain(v6).collect() }
    }
}

/// Names of files, as they are written.
pub(super) fn paths(list: &[Spanned<PathBuf>]) -> Vec<String> {
    list.iter().map(|path| path.get_ref().display().to_string()).collect()
}

fn strings<T: ToString>(list: &[T]) -> Vec<String> {
    list.iter().map(T::to_string).collect()
}
