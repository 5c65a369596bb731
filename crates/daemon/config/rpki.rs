//! `[rpki]`: where VRPs and ASPAs come from, and what is made of a source that fails or says something unlikely.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls::pki_types::ServerName;
use toml::Spanned;

use super::feeds::files;
use super::problem::{Fault, Problems};
use super::section::{Either, Field, Section};
use super::value;

/// Caches that may be named. Only one of them counts at a time.
const MAX_CACHES: usize = 16;
/// RTR's port (RFC 8210 s9), for examples.
const RTR_PORT: u16 = 323;
/// RTR's port with TLS.
const RTR_TLS_PORT: u16 = 324;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Where VRPs and ASPAs come from. With no source there is no origin validation: everything is NotFound (RFC 6811 s2).
#[derive(Clone, Debug)]
pub(crate) struct Rpki {
    /// What validators export; all of it counts.
    pub(crate) files: Vec<Spanned<PathBuf>>,
    /// The operator's own exceptions (RFC 8416).
    pub(crate) slurm: Vec<Spanned<PathBuf>>,
    /// Caches that speak RTR, in the order of the text.
    pub(crate) rtr: Vec<Cache>,
    /// How long no route is accepted, at most, while sources have not had their first set; 0 for not at all.
    pub(crate) wait: Duration,
    /// How far a set may change by itself; `None` for as far as it likes.
    pub(crate) guard: Option<SizeGuard>,
    /// The age from which on a file is said to be stale; 0 for none.
    pub(crate) max_age: Duration,
    /// What becomes of data that is too old.
    pub(crate) on_expire: OnExpire,
}

impl Default for Rpki {
    fn default() -> Self {
        Rpki {
            files: Vec::new(),
            slurm: Vec::new(),
            rtr: Vec::new(),
            wait: Duration::from_secs(60),
            guard: Some(SizeGuard::default()),
            max_age: 6 * HOUR,
            on_expire: OnExpire::Keep,
        }
    }
}

impl Rpki {
    /// Whether there is any source.
    pub(crate) fn has_source(&self) -> bool {
        !(self.files.is_empty() && self.slurm.is_empty() && self.rtr.is_empty())
    }
}

/// A cache that speaks RTR.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    /// Where it is written.
    pub(crate) span: Range<usize>,
    /// Its address or name.
    pub(crate) host: String,
    /// Its port.
    pub(crate) port: u16,
    /// The lower, the better; equal ones are alternatives.
    pub(crate) preference: u32,
    /// How TLS is spoken with it; `None` for not at all.
    pub(crate) tls: Option<Tls>,
    /// Whether it is asked for ASPAs, which takes version 2 of the protocol.
    pub(crate) aspa: bool,
    /// How often it is asked for news, at least; `None` for as often as it says.
    pub(crate) refresh: Option<Duration>,
}

impl Cache {
    /// Its host and port in one text.
    pub(crate) fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// TLS with a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tls {
    /// The name that its certificate is for.
    pub(crate) name: String,
    /// A file of certificates that may have signed it; `None` for those that the system trusts.
    pub(crate) ca: Option<PathBuf>,
    /// Files of the certificate that we show, and of its key.
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
}

/// By how much a set may change without anybody's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SizeGuard {
    /// Percent of its entries that may go.
    pub(crate) shrink_percent: u32,
    /// Percent of its entries that may come.
    pub(crate) grow_percent: u32,
    /// Entries that may come or go, whatever share that is.
    pub(crate) floor: u32,
    /// How long a set that changes by more is held.
    pub(crate) hold: Duration,
}

impl Default for SizeGuard {
    /// The loss of a trust anchor is held, a day's changes are not; and not for longer than what is held is likely to
    /// be vouched for: manifests are good for a day or so.
    fn default() -> Self {
        SizeGuard { shrink_percent: 20, grow_percent: 100, floor: 1000, hold: 6 * HOUR }
    }
}

/// What becomes of data that is too old: of a cache that has not been heard of for as long as it said that its data is
/// good, or of a file that nobody writes any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnExpire {
    /// It is kept, and an alarm raised: what was invalid stays so.
    Keep,
    /// It is dropped (RFC 8210 s6): what it made invalid is accepted again.
    Drop,
}

impl OnExpire {
    /// Both.
    pub(crate) const ALL: [OnExpire; 2] = [OnExpire::Keep, OnExpire::Drop];

    /// As it is written.
    pub(crate) const fn slug(self) -> &'static str {
        match self {
            OnExpire::Keep => "keep",
            OnExpire::Drop => "drop",
        }
    }
}

pub(super) fn read(mut section: Section<'_>, folder: &Path) -> Rpki {
    let fallback = Rpki::default();
    let has_other = section.has("rtr") || section.has("slurm");
    let rpki = Rpki {
        files: files(&mut section, "files", "\"vrps.json\"", folder, has_other),
        slurm: files(&mut section, "slurm", "\"slurm.json\"", folder, true),
        rtr: caches(&mut section, folder),
        wait: time(&mut section, "wait", Duration::ZERO, DAY).unwrap_or(fallback.wait),
        guard: guard(&mut section, "[rpki.guard]", SizeGuard::default()),
        max_age: time(&mut section, "max_age", Duration::ZERO, YEAR).unwrap_or(fallback.max_age),
        on_expire: on_expire(&mut section).unwrap_or(fallback.on_expire),
    };
    section.end();
    rpki
}

/// A time under a key.
pub(super) fn time(
    section: &mut Section<'_>,
    key: &'static str,
    least: Duration,
    most: Duration,
) -> Option<Duration> {
    section.optional(key, |field| value::duration(field, least, most)).map(Spanned::into_inner)
}

fn on_expire(section: &mut Section<'_>) -> Option<OnExpire> {
    let words = OnExpire::ALL.map(|word| (word.slug(), word));
    section.optional("on_expire", |field| value::word(field, &words)).map(Spanned::into_inner)
}

/// `guard` of a section, called `name` in messages.
pub(super) fn guard(section: &mut Section<'_>, name: &'static str, fallback: SizeGuard) -> Option<SizeGuard> {
    match section.either("guard", name) {
        None => Some(fallback),
        Some(Either::Table(mut table)) => {
            let mut percent = |key, most| {
                table.optional(key, |field| field.integer(1, most, " percent")).map(Spanned::into_inner)
            };
            let (shrink, grow) = (percent("shrink", 100), percent("grow", 1_000_000));
            let floor = table.optional("floor", |field| field.integer(0, u32::MAX, ""));
            let guard = SizeGuard {
                shrink_percent: shrink.unwrap_or(fallback.shrink_percent),
                grow_percent: grow.unwrap_or(fallback.grow_percent),
                floor: floor.map_or(fallback.floor, Spanned::into_inner),
                hold: time(&mut table, "hold", SECOND, YEAR).unwrap_or(fallback.hold),
            };
            table.end();
            Some(guard)
        }
        Some(Either::Value(field)) => match field.text() {
            Ok("off") => None,
            _ => {
                let fault = field.not("a table, or `off`");
                let help =
                    "write `guard = { shrink = 20, grow = 100, floor = 1000, hold = \"6h\" }`, or `off`";
                section.problems().push(field.span(), fault.help(help));
                Some(fallback)
            }
        },
    }
}

fn caches(section: &mut Section<'_>, folder: &Path) -> Vec<Cache> {
    let Some(list) = section.either_list("rtr", "a cache of `rtr`", "\"192.0.2.1:323\"") else {
        return Vec::new();
    };
    let problems = section.problems();
    if list.written == 0 {
        let fault = Fault::new("`rtr` of [rpki] is empty", "nothing would be asked");
        problems.push(list.span.clone(), fault.help("name caches here, or remove `rtr`"));
    } else if list.written > MAX_CACHES {
        let fault = Fault::new(format!("`rtr` names {} caches", list.written), "too many");
        problems.push(list.span.clone(), fault.help(format!("no more than {MAX_CACHES} are taken")));
    }
    let caches = list.values.into_iter().zip(1..).filter_map(|(either, place)| {
        let span = either.span();
        match either.into_inner() {
            Either::Value(field) => short(field, span, place, problems),
            Either::Table(table) => in_full(table, place, folder),
        }
    });
    let caches: Vec<Cache> = caches.collect();
    let addresses: Vec<_> =
        caches.iter().map(|cache| Spanned::new(cache.span.clone(), cache.address())).collect();
    value::once_each("rtr", &addresses, String::clone, problems);
    caches
}

/// A cache of which only the address is written: its place in the list is its preference.
fn short(field: Field<'_>, span: Range<usize>, place: u32, problems: &Problems) -> Option<Cache> {
    match value::host_and_port(field, RTR_PORT) {
        Ok((host, port)) => {
            Some(Cache { span, host, port, preference: place, tls: None, aspa: false, refresh: None })
        }
        Err(fault) => {
            problems.push(span, fault);
            None
        }
    }
}

fn in_full(mut table: Section<'_>, place: u32, folder: &Path) -> Option<Cache> {
    let span = table.span();
    let tls = table.optional("tls", |field| field.boolean()).is_some_and(Spanned::into_inner);
    let port = if tls { RTR_TLS_PORT } else { RTR_PORT };
    let address = table
        .required("address", &format!("\"192.0.2.1:{port}\""), |field| value::host_and_port(field, port));
    let host = address.as_ref().map(|address| address.get_ref().0.clone());
    let tls = tls_of(&mut table, tls, host, folder);
    let cache = Cache {
        span,
        host: String::new(),
        port,
        preference: table
            .optional("preference", |field| field.integer(1, 1_000_000, ""))
            .map_or(place, Spanned::into_inner),
        tls,
        aspa: table.optional("aspa", |field| field.boolean()).is_some_and(Spanned::into_inner),
        refresh: time(&mut table, "refresh", SECOND, DAY),
    };
    table.end();
    let (host, port) = address?.into_inner();
    Some(Cache { host, port, ..cache })
}

fn tls_of(table: &mut Section<'_>, tls: bool, host: Option<String>, folder: &Path) -> Option<Tls> {
    if !tls {
        for key in ["name", "ca", "cert", "key"] {
            table.refused(key, || {
                Fault::new(format!("`{key}` is of use with TLS alone"), "TLS is not spoken with this cache")
                    .help("write `tls = true` if the cache speaks TLS, or remove this")
            });
        }
        return None;
    }
    let name = table.optional("name", server_name).map(Spanned::into_inner);
    let mut file = |key| table.optional(key, |field| value::path(field, folder)).map(Spanned::into_inner);
    let (ca, cert, key) = (file("ca"), file("cert"), file("key"));
    let alone = match (&cert, &key) {
        (Some(_), None) => Some(("key", "\"router.key\"")),
        (None, Some(_)) => Some(("cert", "\"router.crt\"")),
        _ => None,
    };
    if let Some((missing, example)) = alone {
        table.expect(missing, example);
    }
    Some(Tls { name: name.or(host)?, ca, identity: cert.zip(key) })
}

fn server_name(field: Field<'_>) -> Result<String, Fault> {
    let text = field.text()?;
    match ServerName::try_from(text) {
        Ok(_) => Ok(text.into()),
        Err(_) => Err(field.not("no certificate is for such a name").help(
            "write the name or the address that the cache's certificate has, like `cache.example.net`",
        )),
    }
}
