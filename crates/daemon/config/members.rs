//! `[members]` and `[[member]]`: an exchange's own list of its members, and what the operator says on top of it.
//!
//! ```text
//!   [[peer]] of that address  >  [[member]] of that AS  >  their group  >  the export  >  [members] max_prefixes  >  the role's defaults
//! ```
//!
//! Every session of the export becomes a peer that is read as if it were written, from a table that may be empty: a key
//! that is not in it is looked for further down. So every key of a `[[peer]]` can be said of a member, and there is one
//! place that reads peers. A `[[peer]]` of an address that the export lacks is a peer of its own, as without `[members]`;
//! one that leaves its name or AS to the export can't be that, and is left out with a warning, because a member that has
//! left the exchange must not keep the others from starting.
//!
//! Where files are not looked at, only the peers that are written whole are known.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use palisade_bgp::Asn;
use toml::Spanned;
use toml::de::DeTable;

use super::group::Groups;
use super::peer::{self, Around, Given, MAX_PEERS, Peer, Unique};
use super::problem::{Fault, Problem, Problems};
use super::router::{Mode, Router};
use super::section::{Field, Section};
use super::source::{Source, quoted};
use super::value;
use crate::members::{Choice, Export, ExportError, Session};

/// Schema versions whose keys are known.
const VERSIONS: [&str; 5] = ["0.6", "0.7", "0.8", "0.9", "1.0"];

/// Where members come from.
#[derive(Debug)]
pub(crate) struct Members {
    /// The export.
    pub(crate) file: Spanned<PathBuf>,
    /// Where the header is.
    span: Range<usize>,
    choice: Choice,
    /// The limit of a member that the export gives none.
    max_prefixes: Option<u32>,
    /// The group of a session that names none.
    pub(crate) group: Option<String>,
    /// What the file came to; `None` where files are not looked at.
    pub(crate) export: Option<Export>,
    /// Blocks that are of use only together with the export.
    pub(crate) amending: usize,
    /// What of the export, or of what is said on top of it, is of no use.
    pub(crate) warnings: Vec<Problem>,
}

enum Exception {
    Asn(Asn),
    Address(IpAddr),
}

/// Reads `[members]`; `None` where it can't be had, which has been told.
pub(super) fn read(
    mut section: Section<'_>,
    router: Option<&Router>,
    groups: &Groups<'_>,
    folder: &Path,
) -> Option<Members> {
    let file = section.required("file", "\"members.json\"", |field| value::path(field, folder));
    let ixp_id = section.optional("ixp_id", |field| field.integer(0, u32::MAX, ""));
    let vlan_id = section.optional("vlan_id", |field| field.integer(0, u32::MAX, ""));
    let max_prefixes = section.optional("max_prefixes", peer::prefix_limit);
    let group = section.optional("group", |field| groups.name(field)).map(Spanned::into_inner);
    let except = section.list("except", "64501, \"192.0.2.11\"", exception);
    let span = section.span();
    let problems = section.problems();
    section.end();
    if router.is_some_and(|router| router.mode != Mode::RouteServer) {
        let fault = Fault::new("only a route server has [members]", "this is a router");
        problems.push(span.clone(), fault.help("write `mode = \"route-server\"` under [router]"));
    }
    let mut choice = Choice {
        own_asn: router.map_or(Asn(0), |router| router.asn),
        ixp_id: ixp_id.map(Spanned::into_inner),
        vlan_id: vlan_id.map(Spanned::into_inner),
        except_asns: Vec::new(),
        except_addresses: Vec::new(),
    };
    for exception in except.into_iter().flat_map(|list| list.values) {
        match exception.into_inner() {
            Exception::Asn(asn) => choice.except_asns.push(asn),
            Exception::Address(address) => choice.except_addresses.push(address),
        }
    }
    let max_prefixes = max_prefixes.map(Spanned::into_inner);
    let (export, amending, warnings) = (None, 0, Vec::new());
    Some(Members { file: file?, span, choice, max_prefixes, group, export, amending, warnings })
}

fn exception(field: Field<'_>) -> Result<Exception, Fault> {
    match field.text() {
        Ok(_) => value::address(field).map(Exception::Address),
        Err(_) => value::asn(field).map(Exception::Asn),
    }
}

/// Says that `[[member]]` is nothing without `[members]`.
pub(super) fn none(sections: &[Section<'_>], problems: &Problems) {
    if let Some(first) = sections.first() {
        let fault = Fault::new("there is a [[member]] and no [members]", "of which export?");
        problems.push(first.span(), fault.help("write\n[members]\nfile = \"members.json\""));
    }
}

impl Members {
    /// Reads the export. One that is refused is an error at the place that names it.
    pub(super) fn read_export(&mut self, source: &Arc<Source>, problems: &Problems) {
        let path = self.file.get_ref();
        match Export::read(path, &self.choice) {
            Ok(export) => {
                self.warnings = warnings(&export, &self.file, source);
                self.export = Some(export);
            }
            Err(error) => {
                let message = match &error {
                    // These name the file themselves.
                    ExportError::Input(_) | ExportError::Read(_) => error.to_string(),
                    _ => format!("{}: {error}", path.display()),
                };
                problems.push(self.file.span(), Fault::new(message, "named here").help(error.help()));
            }
        }
    }

    /// The peers that are written, and those of the export, in that order.
    pub(super) fn peers<'a>(
        &mut self,
        peers: Vec<Section<'a>>,
        members: Vec<Section<'a>>,
        around: Around<'_, 'a>,
        source: &Arc<Source>,
        problems: &'a Problems,
    ) -> Vec<Peer> {
        let written = peers.len().max(members.len());
        let exported = self.export.as_ref().map_or(0, |export| export.sessions.len());
        if written.max(exported) > MAX_PEERS || peers.len() + exported > 2 * MAX_PEERS {
            self.too_many(written.max(exported), problems);
            return Vec::new();
        }
        let export = self.export.take();
        let sessions = export.as_ref().map(|export| export.sessions.as_slice());
        let mut join = Join {
            around,
            source,
            max_prefixes: self.max_prefixes,
            group: self.group.clone(),
            unique: Unique::default(),
            members: overrides(members, around, problems),
            left: sessions.unwrap_or_default().iter().map(|session| (session.address, session)).collect(),
            peers: Vec::new(),
            warnings: Vec::new(),
        };
        for section in peers {
            match sessions {
                None if is_whole(&section) => join.alone(section),
                None => {
                    self.amending += 1;
                    join.look_over(&section);
                }
                Some(_) => join.written(section),
            }
        }
        join.exported(sessions.unwrap_or_default(), self.span.clone(), problems);
        match sessions {
            Some(sessions) => join.unmatched(sessions),
            None => self.amending += join.members.len(),
        }
        self.warnings.append(&mut join.warnings);
        let peers = join.peers;
        if peers.len() > MAX_PEERS {
            self.too_many(peers.len(), problems);
        }
        self.export = export;
        peers
    }

    fn too_many(&self, count: usize, problems: &Problems) {
        let fault = Fault::new(format!("there are {count} peers, with those of the export"), "too many");
        problems.push(self.span.clone(), fault.help(format!("no more than {MAX_PEERS} are taken")));
    }
}

/// The blocks `[[member]]` by their AS, each looked over once: unlike those of peers they are read for every session.
fn overrides<'a>(
    sections: Vec<Section<'a>>,
    around: Around<'_, 'a>,
    problems: &'a Problems,
) -> BTreeMap<Asn, Section<'a>> {
    let mut overrides: BTreeMap<Asn, Section<'a>> = BTreeMap::new();
    for section in sections {
        let asn = section.again().required("asn", "64501", value::asn);
        let mut looked_over = section.again();
        let mut refused = false;
        for key in ["name", "address", "local_address"] {
            refused |= looked_over.refused(key, || {
                let fault =
                    Fault::new(format!("[[member]] has no key `{key}`"), "not the same for all sessions");
                fault.help("say this of one session, in a [[peer]] with its `address`")
            });
        }
        if refused {
            continue;
        }
        let given = Given { session: &peer::nobody(), max_prefixes: None, group: None };
        drop(peer::read(looked_over, around, &mut Unique::default(), Some(&given)));
        let Some(asn) = asn else { continue };
        match overrides.get(asn.get_ref()) {
            Some(first) => {
                let fault =
                    Fault::new(format!("two blocks [[member]] are of {}", asn.get_ref()), "again here");
                problems.push_pair(
                    section.span(),
                    fault.help("make one of them"),
                    first.span(),
                    "first here",
                );
            }
            None => drop(overrides.insert(asn.into_inner(), section)),
        }
    }
    overrides
}

/// What a key's value is, wherever it can be read; what is wrong with it is told when the whole section is read.
fn peek<'a, T>(
    section: &Section<'a>,
    key: &str,
    read: impl FnOnce(Field<'a>) -> Result<T, Fault>,
) -> Option<T> {
    let (_, field) = section.entries().into_iter().find(|(written, _)| *written.get_ref() == key)?;
    read(field).ok()
}

/// Whether a peer needs no export.
fn is_whole(section: &Section<'_>) -> bool {
    section.has("name") && section.has("asn") || !section.has("address")
}

/// The peers as they come together.
struct Join<'a, 'e> {
    around: Around<'e, 'a>,
    source: &'e Arc<Source>,
    max_prefixes: Option<u32>,
    group: Option<String>,
    unique: Unique,
    members: BTreeMap<Asn, Section<'a>>,
    /// The sessions that no `[[peer]]` has spoken of yet.
    left: BTreeMap<IpAddr, &'e Session>,
    peers: Vec<Peer>,
    warnings: Vec<Problem>,
}

impl<'a> Join<'a, '_> {
    /// A `[[peer]]`, whose session the export may have.
    fn written(&mut self, section: Section<'a>) {
        let address = peek(&section, "address", value::address);
        let session = address.and_then(|address| self.left.get(&address).copied());
        let asn = peek(&section, "asn", value::asn);
        match session {
            Some(session) if asn.is_none_or(|asn| asn == session.asn) => {
                self.left.remove(&session.address);
                let section = match self.members.get(&session.asn) {
                    Some(member) => section.over(member),
                    None => section,
                };
                self.session(section, session);
            }
            Some(session) => {
                let whole = is_whole(&section);
                let message = format!("{} is {}'s in the export", session.address, session.asn);
                let fault = Fault::new(message, "another AS here").help(if whole {
                    "this block is taken, and nothing of the export is"
                } else {
                    "this block is left out"
                });
                self.warn(&section, fault);
                if whole {
                    self.left.remove(&session.address);
                    self.alone(section);
                }
            }
            None if is_whole(&section) => self.alone(section),
            None => {
                self.look_over(&section);
                if let Some(address) = address {
                    let fault = Fault::new(format!("the export has no session with {address}"), "left out");
                    self.warn(&section, fault.help("remove it, or write its `name` and `asn`"));
                }
            }
        }
    }

    /// A peer that has nothing to do with the export.
    fn alone(&mut self, section: Section<'a>) {
        self.peers.push(peer::read(section, self.around, &mut self.unique, None));
    }

    /// Has told what is wrong with a block that makes no peer.
    fn look_over(&self, section: &Section<'a>) {
        let given = Given { session: &peer::nobody(), max_prefixes: None, group: None };
        drop(peer::read(section.again(), self.around, &mut Unique::default(), Some(&given)));
    }

    fn session<'s>(&mut self, section: Section<'s>, session: &Session)
    where
        'a: 's,
    {
        let given = Given { session, max_prefixes: self.max_prefixes, group: self.group.as_deref() };
        self.peers.push(peer::read(section, self.around, &mut self.unique, Some(&given)));
    }

    /// The sessions that no `[[peer]]` spoke of, in the export's order.
    fn exported(&mut self, sessions: &[Session], span: Range<usize>, problems: &Problems) {
        let nothing = DeTable::new();
        for session in sessions {
            if self.left.remove(&session.address).is_some() {
                let section = match self.members.get(&session.asn) {
                    Some(member) => member.again(),
                    None => Section::of("[[peer]]", &nothing, span.clone(), problems),
                };
                self.session(section, session);
            }
        }
    }

    /// Says which blocks `[[member]]` are of nobody.
    fn unmatched(&mut self, sessions: &[Session]) {
        let members = std::mem::take(&mut self.members);
        for (asn, section) in &members {
            if !sessions.iter().any(|session| session.asn == *asn) {
                let fault = Fault::new(format!("the export has no session of {asn}"), "of no use");
                self.warn(section, fault.help("remove it"));
            }
        }
    }

    fn warn(&mut self, section: &Section<'_>, fault: Fault) {
        self.warnings.push(Problem::warning(self.source, section.span(), fault));
    }
}

/// What of an export the operator should know.
fn warnings(export: &Export, file: &Spanned<PathBuf>, source: &Arc<Source>) -> Vec<Problem> {
    let name = file.get_ref().display();
    let warn = |message: String, help: &str| {
        Problem::warning(source, file.span(), Fault::new(message, "named here").help(help))
    };
    let mut warnings = Vec::new();
    if !VERSIONS.contains(&export.version.as_str()) {
        let message = format!("{name}: schema version {} is not known", quoted(&export.version));
        warnings.push(warn(message, "it is read as 1.0 would be; look at what it comes to"));
    }
    for (notes, what, help) in [
        (&export.left_out, "wrong and left out", "the rest is used; what is missing can be a [[peer]]"),
        (&export.ignored, "wrong and not used", "the members are taken without; write it in a [[member]]"),
        (
            &export.unmarked,
            "not said to use the route servers or not",
            "they are taken as clients; name others under `except`",
        ),
    ] {
        if notes.count > 0 {
            warnings.push(warn(format!("{name}: {} {what}: {notes}", notes.count), help));
        }
    }
    warnings
}
