//! What an operator wrote, read into checked types.
//!
//! ```text
//!   file --Source--> text --toml--> tree --Section--> Config
//!                                          |
//!                                          `--> Problems: all that is wrong, each with its place and a way out
//! ```
//!
//! A [`Config`] has been checked as far as its own text goes: every number is in its range, every name is unique, what
//! depends on a role fits the role. It has not looked at the world: whether the files that it names are there is the
//! business of whoever reads them. There is one exception, the export of an exchange's members, which is where peers are
//! written too: [`Config::load`] reads it, and [`Config::load_text`] does not. Its types are nobody's runtime state; whoever needs another shape makes it from
//! this one.
//!
//! Defaults are filled in here and nowhere else, so that `palisade check --explain` can show all that is implied.

mod actions;
mod bogons;
mod checks;
mod communities;
mod control;
mod depth;
mod feeds;
mod fib;
mod group;
mod irr;
mod limits;
mod members;
mod nearest;
mod peer;
mod peeringdb;
mod peerlock;
mod prefix_sets;
mod problem;
mod range;
mod router;
mod rpki;
mod rules;
mod section;
mod source;
pub(crate) mod value;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use palisade_bgp::Asn;
use palisade_policy::Role;
use toml::de::DeTable;

pub(crate) use actions::{ActionPattern, Actions};
pub(crate) use bogons::BogonFiles;
pub(crate) use checks::ChosenMode;
pub(crate) use communities::Communities;
pub(crate) use control::{CONTROL_SOCKET, Control, LookingGlass};
pub(crate) use fib::Fib;
pub(crate) use irr::{IRR_CACHE, Irr, IrrCache, Mirror, Whois};
pub(crate) use limits::Limits;
pub(crate) use members::Members;
pub(crate) use nearest::nearest;
pub(crate) use peer::{
    Abilities, Action, MAX_PEERS, MOST_PREFIXES, Origin, Password, Paths, Peer, PrefixLimits, Setting,
    Transport, secret,
};
pub(crate) use peeringdb::{PeeringDb, PeeringDbApi};
pub(crate) use peerlock::Peerlock;
pub(crate) use prefix_sets::{PrefixSets, PrefixSource};
pub(crate) use problem::{ConfigError, Fault, Problem, Problems};
pub(crate) use range::PeerRange;
pub(crate) use router::{BGP_PORT, Mode, Router};
pub(crate) use rpki::{Cache, OnExpire, Rpki, SizeGuard, Tls};
pub(crate) use rules::{Conditions, PrefixEntry, Rule};
pub(crate) use section::{Field, Section};
pub(crate) use source::{Source, quoted};
pub(crate) use value::{Place, reserved_asn, shown, unusable_address};

/// A whole configuration.
#[derive(Debug)]
pub(crate) struct Config {
    /// The text it was read from, to point at.
    pub(crate) source: Arc<Source>,
    /// This router.
    pub(crate) router: Router,
    /// Where VRPs come from.
    pub(crate) rpki: Rpki,
    /// Where route objects and as-sets come from.
    pub(crate) irr: Irr,
    /// Lists of what nobody can announce.
    pub(crate) bogons: BogonFiles,
    /// Where as-sets and limits of peers come from that nobody writes; `None` where PeeringDB is not asked.
    pub(crate) peeringdb: Option<PeeringDb>,
    /// The kernel's table that accepted routes go into; `None` where they go nowhere.
    pub(crate) fib: Option<Fib>,
    /// How the router is asked while it runs.
    pub(crate) control: Control,
    /// Where metrics are served over HTTP; `None` where they are not.
    pub(crate) metrics: Option<SocketAddr>,
    /// What the looking glass shows.
    pub(crate) looking_glass: LookingGlass,
    /// The modes of checks for all peers, where they are not those of the peer's role.
    pub(crate) checks: Vec<ChosenMode>,
    /// The modes of checks for all peers of a role.
    pub(crate) role_checks: Vec<(Role, Vec<ChosenMode>)>,
    /// What becomes of communities that neighbors send.
    pub(crate) communities: Communities,
    /// Networks whose routes come from where they said.
    pub(crate) peerlocks: Vec<Peerlock>,
    /// Sets of prefixes that rules name.
    pub(crate) prefix_sets: PrefixSets,
    /// The operator's own rules, in the order of the text.
    pub(crate) rules: Vec<Rule>,
    /// What members or customers may ask for with communities; `None` where they may ask for nothing.
    pub(crate) actions: Option<Actions>,
    /// Where members of the exchange come from.
    pub(crate) members: Option<Members>,
    /// The peers, in the order of the text; then those members that nothing is written about.
    pub(crate) peers: Vec<Peer>,
    /// Where further peers may come from.
    pub(crate) ranges: Vec<PeerRange>,
}

impl Config {
    /// Reads a file, and the members of the exchange from theirs.
    pub(crate) fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::parse_with(Source::read(path)?, folder(path), Files::Read)
    }

    /// Reads a file and no other.
    pub(crate) fn load_text(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(Source::read(path)?, folder(path))
    }

    /// Reads a text and no file; the relative names of files in it are names in `folder`.
    pub(crate) fn parse(source: Source, folder: &Path) -> Result<Self, ConfigError> {
        Self::parse_with(source, folder, Files::Leave)
    }

    /// The guest of that address and AS, where there is a range for it, and no peer of that address or name.
    pub(crate) fn guest(&self, address: IpAddr, asn: Asn) -> Option<Peer> {
        let ranges = self.ranges.iter().filter(|range| range.has(address));
        let guest = ranges.max_by_key(|range| range.prefix.len())?.guest(address, asn)?;
        let is_free = |peer: &Peer| peer.address != address && peer.name != guest.name;
        self.peers.iter().all(is_free).then_some(guest)
    }

    /// Whether another configuration says the same in a section, word for word but for comments and layout.
    pub(crate) fn says_the_same(&self, other: &Config, section: &str) -> bool {
        // Both have been parsed, so that neither fails.
        let section_of = |config: &Config| {
            let table: Option<toml::Table> = config.source.text().parse().ok();
            table.and_then(|mut table| table.remove(section))
        };
        section_of(self) == section_of(other)
    }

    fn parse_with(source: Source, folder: &Path, files: Files) -> Result<Self, ConfigError> {
        document(source, |root, source| read(root, source, folder, files))
    }
}

/// Reads a text that is TOML with `read`, which tells what is wrong with it where it finds it.
pub(crate) fn document<T>(
    source: Source,
    read: impl FnOnce(Section<'_>, &Arc<Source>) -> Option<T>,
) -> Result<T, ConfigError> {
    let source = Arc::new(source);
    let problems = Problems::new(Arc::clone(&source));
    let document = match depth::too_deep(source.text()) {
        Some(span) => {
            problems.push(span, Fault::new("a name of too many parts", "no table lies that deep"));
            None
        }
        None => match DeTable::parse(source.text()) {
            Ok(table) => read(Section::root(table.get_ref(), &problems), &source),
            Err(error) => {
                let place = error.span().unwrap_or_default();
                let written = source.text().get(place.clone()).unwrap_or_default();
                problems.push(place, syntax(error.message(), written));
                None
            }
        },
    };
    problems.none_or(document)
}

/// Whether files that peers come from are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Files {
    Read,
    Leave,
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

fn read(mut root: Section<'_>, source: &Arc<Source>, folder: &Path, files: Files) -> Option<Config> {
    let rpki = root.section("rpki", "[rpki]").map(|section| rpki::read(section, folder)).unwrap_or_default();
    let irr = root.section("irr", "[irr]").map(|section| irr::read(section, folder)).unwrap_or_default();
    let has_router = root.has("router");
    let router = root.section("router", "[router]").and_then(router::read);
    if !has_router {
        let fault = Fault::new("there is no [router]", "it could stand here");
        root.problems().push(0..0, fault.help("write\n[router]\nasn = 64500\nid = \"192.0.2.1\""));
    }
    let fib = root.section("fib", "[fib]").map(|section| fib::read(section, router.as_ref()));
    let actions = actions::read(root.section("actions", "[actions]"), router.as_ref());
    let checks = root.section("checks", "[checks]");
    let (checks, role_checks) =
        checks.map(|checks| checks::read_all(checks, router.as_ref())).unwrap_or_default();
    let peeringdb = root.section("peeringdb", "[peeringdb]").map(|section| peeringdb::read(section, folder));
    let bogons = root.section("bogons", "[bogons]").map(|section| bogons::read(section, folder));
    let groups = group::find(root.section("group", "[group]"), root.problems());
    let around = peer::Around {
        router: router.as_ref(),
        actions: actions.as_ref(),
        peeringdb: peeringdb.as_ref(),
        groups: &groups,
        folder,
    };
    groups.look_over(around);
    let control = root.section("control", "[control]").map(|section| control::control(section, folder));
    let metrics = root.section("metrics", "[metrics]").and_then(control::metrics);
    let looking_glass = root.section("looking_glass", "[looking_glass]").map(control::looking_glass);
    let communities = root.section("communities", "[communities]").map(communities::read);
    let problems = root.problems();
    let peerlocks = peerlock::read_all(root.sections("peerlock", "[[peerlock]]"), problems);
    let prefix_sets = root.section("prefix_sets", "[prefix_sets]");
    let prefix_sets = prefix_sets.map(|section| prefix_sets::read(section, folder)).unwrap_or_default();
    let rules = rules::read_all(root.sections("rule", "[[rule]]"), &prefix_sets, &groups, problems);
    let has_members = root.has("members");
    let (members, peers) = members_and_peers(&mut root, around, source, folder, files);
    peer::one_password_an_address(&peers, problems);
    let ranges = range::read_all(root.sections("range", "[[range]]"), around, &peers, problems);
    let all_known = !has_members || members.as_ref().is_some_and(|members| members.export.is_some());
    let known = all_known.then_some(peers.as_slice());
    let in_rules = rules.iter().filter_map(|rule| rule.scope.peers.as_ref()).flatten();
    let in_peerlocks = peerlocks.iter().flat_map(|lock| &lock.allowed_from);
    rules::known_peers(in_rules.chain(in_peerlocks), known, problems);
    root.end();
    Some(Config {
        source: Arc::clone(source),
        router: router?,
        rpki,
        irr,
        bogons: bogons.unwrap_or_default(),
        peeringdb,
        fib,
        control: control.unwrap_or_default(),
        metrics,
        looking_glass: looking_glass.unwrap_or_default(),
        checks,
        role_checks,
        communities: communities.unwrap_or_default(),
        peerlocks,
        prefix_sets,
        rules,
        actions,
        members,
        peers,
        ranges,
    })
}

fn members_and_peers<'a>(
    root: &mut Section<'a>,
    around: peer::Around<'_, 'a>,
    source: &Arc<Source>,
    folder: &Path,
    files: Files,
) -> (Option<Members>, Vec<Peer>) {
    let problems = root.problems();
    let has_members = root.has("members");
    let members = root.section("members", "[members]");
    let mut members =
        members.and_then(|section| members::read(section, around.router, around.groups, folder));
    let sections = root.sections("peer", "[[peer]]");
    let overrides = root.sections("member", "[[member]]");
    let peers = match &mut members {
        Some(members) => {
            if files == Files::Read && around.router.is_some() {
                members.read_export(source, problems);
            }
            members.peers(sections, overrides, around, source, problems)
        }
        // Of a section that is wrong, that is told; what else is wrong shows when it is right.
        None if has_members => Vec::new(),
        None => {
            members::none(&overrides, problems);
            peer::read_all(sections, around, problems)
        }
    };
    (members, peers)
}

/// The parser's message about what is `written`; in better words, where an operator is likely to see it.
fn syntax(message: &str, written: &str) -> Fault {
    match message {
        "duplicate key" => Fault::new(format!("{} is there twice", quoted(written)), "again here")
            .help("write each key and each table once; only `[[peer]]`, in two brackets, begins another"),
        _ => Fault::new(format!("not TOML: {message}"), "here"),
    }
}

#[cfg(test)]
mod tests;
