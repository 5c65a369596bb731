//! `[irr]`: where route objects and as-sets come from, and what is made of them.
//!
//! Three kinds of sources, mixed freely: dumps, whois servers and mirrors. All that they know together counts; where
//! several have a set of the same name, `sources` says whose comes first.

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use super::feeds::files;
use super::problem::{Fault, Problems};
use super::rpki::{SizeGuard, guard, time};
use super::section::{Either, Field, List, Section};
use super::source::quoted;
use super::value;
use crate::feeds::irr::whois::client::{Server, ServerError, WHOIS_PORT};
use crate::feeds::irr::whois::question::{Sources, is_source};

/// Servers, of either kind.
const MAX_SERVERS: usize = 16;
/// The folder that good data is kept in, where it is there.
pub(crate) const IRR_CACHE: &str = "/var/cache/palisade";
/// The port that mirrors are served at, where none is said.
const NRTM_PORT: u16 = 43;

/// Registries change by fractions of a percent a day. A peer that brings its as-set with it makes what a whois server is
/// asked for grow, so that growing takes more to be held.
const GUARD: SizeGuard = SizeGuard { shrink_percent: 20, grow_percent: 100, floor: 100, hold: DAY };

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// Where route objects and as-sets come from. Without any source nothing is registered.
#[derive(Debug)]
pub(crate) struct Irr {
    /// Databases in RPSL, read again when they change.
    pub(crate) dumps: Vec<Spanned<PathBuf>>,
    /// Servers that are asked for what peers need.
    pub(crate) whois: Vec<Spanned<Whois>>,
    /// Registries that are mirrored.
    pub(crate) mirrors: Vec<Spanned<Mirror>>,
    /// Registries in the order in which a set is looked for. Those that are not here come after.
    pub(crate) sources: Vec<String>,
    /// Where good data is kept for a start without the network.
    pub(crate) cache: IrrCache,
    /// Whether a route object registers what is more specific than it, too.
    pub(crate) allow_longer: bool,
    /// Whether a route that is RPKI-valid needs no route object.
    pub(crate) accept_rpki_valid: bool,
    /// How far a source may change by itself; `None` for as far as it likes.
    pub(crate) guard: Option<SizeGuard>,
    /// The age at which data is alarming.
    pub(crate) max_age: Duration,
}

impl Default for Irr {
    fn default() -> Self {
        Irr {
            dumps: Vec::new(),
            whois: Vec::new(),
            mirrors: Vec::new(),
            sources: Vec::new(),
            cache: IrrCache::Usual,
            allow_longer: false,
            accept_rpki_valid: true,
            guard: Some(GUARD),
            max_age: 3 * DAY,
        }
    }
}

impl Irr {
    /// Whether there is any source.
    pub(crate) fn has_sources(&self) -> bool {
        !(self.dumps.is_empty() && self.whois.is_empty() && self.mirrors.is_empty())
    }
}

/// Where good data is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IrrCache {
    /// In the usual folder ([`IRR_CACHE`]), if it is there and can be written to.
    Usual,
    /// In this one, which somebody wrote down.
    Folder(PathBuf),
    /// Nowhere.
    Off,
}

/// A server that is asked for what peers need.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Whois {
    /// The server.
    pub(crate) server: Server,
    /// How often it is asked.
    pub(crate) refresh: Duration,
    /// The registries it is asked for, in their order; its own choice for none.
    pub(crate) sources: Vec<String>,
}

/// A registry that is mirrored: a dump, and from then on what changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mirror {
    /// The registry.
    pub(crate) source: String,
    /// Who tells the changes (NRTM version 3).
    pub(crate) server: Server,
    /// The database.
    pub(crate) dumps: Vec<PathBuf>,
    /// The file with the serial that the dumps are of.
    pub(crate) serial: PathBuf,
    /// How often changes are asked for.
    pub(crate) poll: Duration,
}

/// Reads `[irr]`.
pub(super) fn read(mut section: Section<'_>, folder: &Path) -> Irr {
    const EXAMPLE: &str = "\"ripe.db.route.gz\", \"ripe.db.as-set.gz\"";
    let fallback = Irr::default();
    let has_other = section.has("whois") || section.has("mirrors");
    let flag = |section: &mut Section<'_>, key, fallback| {
        section.optional(key, |field| field.boolean()).map_or(fallback, Spanned::into_inner)
    };
    let irr = Irr {
        dumps: files(&mut section, "dumps", EXAMPLE, folder, has_other),
        whois: whois_servers(&mut section),
        mirrors: mirrors(&mut section, folder),
        sources: sources(&mut section),
        cache: section
            .optional("cache", |field| cache(field, folder))
            .map_or(fallback.cache, Spanned::into_inner),
        allow_longer: flag(&mut section, "allow_longer", fallback.allow_longer),
        accept_rpki_valid: flag(&mut section, "accept_rpki_valid", fallback.accept_rpki_valid),
        guard: guard(&mut section, "[irr.guard]", GUARD),
        max_age: time(&mut section, "max_age", HOUR, 365 * DAY).unwrap_or(fallback.max_age),
    };
    section.end();
    irr
}

fn cache(field: Field<'_>, folder: &Path) -> Result<IrrCache, Fault> {
    match field.text()? {
        "off" => Ok(IrrCache::Off),
        _ => value::path(field, folder).map(IrrCache::Folder),
    }
}

/// A list that is written has something in it, and not too much.
fn bounded<T>(key: &str, what: &str, list: &List<T>, most: usize, problems: &Problems) {
    if list.written == 0 {
        let fault = Fault::new(format!("`{key}` is empty"), "nothing is named");
        problems.push(list.span.clone(), fault.help(format!("name {what} here, or remove `{key}`")));
    } else if list.written > most {
        let fault = Fault::new(format!("`{key}` names {} {what}", list.written), "too many");
        problems.push(list.span.clone(), fault.help(format!("no more than {most} are taken")));
    }
}

fn sources(section: &mut Section<'_>) -> Vec<String> {
    let Some(list) = section.list("sources", "\"RIPE\", \"RADB\"", source) else { return Vec::new() };
    bounded("sources", "registries", &list, Sources::MOST, section.problems());
    value::distinct("sources", list.values, section.problems())
}

/// A registry's name, in capitals.
fn source(field: Field<'_>) -> Result<String, Fault> {
    let text = field.text()?;
    match is_source(text) {
        true => Ok(text.to_ascii_uppercase()),
        false => Err(field
            .not("not a registry's name")
            .help("it is made of letters, digits, `-` and `_`, like `RIPE` or `ARIN-NONAUTH`")),
    }
}

fn server(field: Field<'_>, default_port: u16) -> Result<Server, Fault> {
    let text = field.text()?;
    Server::parse(text, default_port).map_err(|error| {
        let label = match error {
            ServerError::Host => "not a server's name or address",
            ServerError::Port => "not a port",
        };
        let fault = Fault::new(format!("`{}` can't be {}", field.key, quoted(text)), label);
        fault.help("write it like `whois.example.net`, `whois.example.net:43` or `[2001:db8::1]:43`")
    })
}

/// `whois = ["whois.example.net", { server = "..", refresh = "1h", sources = [..] }]`.
fn whois_servers(section: &mut Section<'_>) -> Vec<Spanned<Whois>> {
    const KEY: &str = "whois";
    let list = section.either_list(KEY, "a server of `whois`", "\"whois.example.net\"");
    let Some(list) = list else { return Vec::new() };
    let problems = section.problems();
    bounded(KEY, "servers", &list, MAX_SERVERS, problems);
    let one = |either: Spanned<Either<'_>>| {
        let span = either.span();
        let whois = match either.into_inner() {
            Either::Value(field) => match server(field, WHOIS_PORT) {
                Ok(server) => Some(Whois { server, refresh: HOUR, sources: Vec::new() }),
                Err(fault) => {
                    problems.push(span.clone(), fault);
                    None
                }
            },
            Either::Table(table) => whois_in_full(table),
        };
        whois.map(|whois| Spanned::new(span, whois))
    };
    let servers: Vec<_> = list.values.into_iter().filter_map(one).collect();
    let names = servers.iter().map(|whois| Spanned::new(whois.span(), whois.get_ref().server.clone()));
    value::once_each(KEY, &names.collect::<Vec<_>>(), Server::to_string, problems);
    servers
}

fn whois_in_full(mut table: Section<'_>) -> Option<Whois> {
    let server = table.required("server", "\"whois.example.net\"", |field| server(field, WHOIS_PORT));
    let refresh = time(&mut table, "refresh", 5 * MINUTE, 30 * DAY).unwrap_or(HOUR);
    let sources = sources(&mut table);
    table.end();
    Some(Whois { server: server?.into_inner(), refresh, sources })
}

/// `mirrors = [{ source = "RIPE", server = "..", dumps = [..], serial = ".." }]`.
fn mirrors(section: &mut Section<'_>, folder: &Path) -> Vec<Spanned<Mirror>> {
    const KEY: &str = "mirrors";
    const EXAMPLE: &str = "{ source = \"RIPE\", server = \"nrtm.example.net:4444\", dumps = [\"ripe.db.gz\"], \
                           serial = \"RIPE.CURRENTSERIAL\" }";
    let list = section.either_list(KEY, "a registry of `mirrors`", EXAMPLE);
    let Some(list) = list else { return Vec::new() };
    let problems = section.problems();
    bounded(KEY, "registries", &list, MAX_SERVERS, problems);
    let one = |either: Spanned<Either<'_>>| {
        let span = either.span();
        let mirror = match either.into_inner() {
            Either::Table(table) => mirror(table, folder),
            Either::Value(field) => {
                problems.push(
                    span.clone(),
                    field.not("not a table").help(format!("write `{KEY} = [{EXAMPLE}]`")),
                );
                None
            }
        };
        mirror.map(|mirror| Spanned::new(span, mirror))
    };
    let mirrors: Vec<_> = list.values.into_iter().filter_map(one).collect();
    let names = mirrors.iter().map(|mirror| Spanned::new(mirror.span(), mirror.get_ref().source.clone()));
    value::once_each(KEY, &names.collect::<Vec<_>>(), String::clone, problems);
    mirrors
}

fn mirror(mut table: Section<'_>, folder: &Path) -> Option<Mirror> {
    let source = table.required("source", "\"RIPE\"", source);
    let server = table.required("server", "\"nrtm.example.net:4444\"", |field| server(field, NRTM_PORT));
    let dumps = files(&mut table, "dumps", "\"ripe.db.gz\"", folder, false);
    let serial = table.required("serial", "\"RIPE.CURRENTSERIAL\"", |field| value::path(field, folder));
    let poll = time(&mut table, "poll", 10 * SECOND, DAY).unwrap_or(MINUTE);
    table.end();
    Some(Mirror {
        source: source?.into_inner(),
        server: server?.into_inner(),
        dumps: dumps.into_iter().map(Spanned::into_inner).collect(),
        serial: serial?.into_inner(),
        poll,
    })
}
