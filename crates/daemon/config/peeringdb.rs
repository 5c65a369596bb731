//! `[peeringdb]`: what networks say of themselves, for peers of which nobody wrote it.
//!
//! The section alone takes nothing over: a peer says `as_set = "peeringdb"` or `max_prefixes = "peeringdb"`, or the section
//! says it for all peers that announce what is theirs (customers, peers, RS clients). What is written for a peer, its group
//! or its member comes first.

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use ureq::http::Uri;

use super::feeds;
use super::problem::Fault;
use super::section::{Field, Section};
use super::value;

/// Where PeeringDB is asked, unless another place is named.
const API: &str = "https://www.peeringdb.com/api";

/// Where its answers are kept, unless another place is named.
const CACHE: &str = "/var/lib/palisade/peeringdb.json";

/// The time between two times that it is asked. Networks seldom change what they say.
const DEFAULT_REFRESH: Duration = DAY;
/// PeeringDB answers 429 to whoever asks often.
const SHORTEST_REFRESH: Duration = Duration::from_secs(3_600);
const LONGEST_REFRESH: Duration = Duration::from_secs(30 * 86_400);
const DAY: Duration = Duration::from_secs(86_400);

/// A network says how many prefixes it announces when it thinks of it; meanwhile it grows.
const DEFAULT_MARGIN: f64 = 1.3;
const MOST_MARGIN: f64 = 100.0;

/// What PeeringDB is asked, where, and for whom.
#[derive(Debug)]
pub(crate) struct PeeringDb {
    /// Dumps of its networks. An API's answers come before them.
    pub(crate) files: Vec<Spanned<PathBuf>>,
    /// Its API; `None` where that is not asked.
    pub(crate) api: Option<PeeringDbApi>,
    /// Whether every peer without an as-set takes PeeringDB's.
    pub(crate) as_set: bool,
    /// Whether every peer without a limit takes PeeringDB's.
    pub(crate) max_prefixes: bool,
    /// How many times as many prefixes as a network says it announces it may announce.
    pub(crate) max_prefixes_margin: f64,
}

/// An API of PeeringDB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PeeringDbApi {
    /// The URL that `/net` is appended to, without a slash at its end.
    pub(crate) url: String,
    /// The file that holds the key to it. Without one, it answers less often.
    pub(crate) key_file: Option<PathBuf>,
    /// The time between two times that it is asked.
    pub(crate) refresh: Duration,
    /// The file that its answers are kept in; `None` for none.
    pub(crate) cache: Option<PathBuf>,
}

/// Reads the section.
pub(super) fn read(mut section: Section<'_>, folder: &Path) -> PeeringDb {
    let files = match section.has("files") {
        true => feeds::files(&mut section, "files", "\"peeringdb.json.gz\"", folder, false),
        false => Vec::new(),
    };
    let api = api(&mut section, folder);
    let mut flag = |key| section.optional(key, |field| field.boolean()).is_some_and(Spanned::into_inner);
    let (as_set, max_prefixes) = (flag("as_set"), flag("max_prefixes"));
    let margin = section.optional("max_prefixes_margin", |field| field.fraction(1.0, MOST_MARGIN));
    section.end();
    PeeringDb {
        files,
        api,
        as_set,
        max_prefixes,
        max_prefixes_margin: margin.map_or(DEFAULT_MARGIN, Spanned::into_inner),
    }
}

/// Keys that are about the API alone.
const OF_API: [&str; 3] = ["api_key_file", "refresh", "cache"];

/// Where no file is named, the API is asked without a word.
fn api(section: &mut Section<'_>, folder: &Path) -> Option<PeeringDbApi> {
    let url = section.optional("api", url);
    let key_file = section.optional("api_key_file", |field| value::path(field, folder));
    let refresh =
        section.optional("refresh", |field| value::duration(field, SHORTEST_REFRESH, LONGEST_REFRESH));
    let cache = section.optional("cache", |field| match field.text()? {
        "off" => Ok(None),
        _ => value::path(field, folder).map(Some),
    });
    let is_asked = url.is_some() || section.has("api") || !section.has("files");
    if !is_asked {
        for (key, field) in section.entries() {
            if OF_API.contains(key.get_ref()) {
                let fault =
                    Fault::new(format!("`{}` is about the API, which is not asked", field.key), "of no use");
                let help = format!("remove it, or write `api = \"{API}\"` beside `files`");
                section.problems().push(key.span(), fault.help(help));
            }
        }
        return None;
    }
    if let (Some(url), Some(key_file)) = (&url, &key_file)
        && !is_confidential(url.get_ref())
    {
        let fault = Fault::new("a key can't be sent to an `http` API", "whoever is on the way could read it");
        let fault = fault.help("write `https` there");
        section.problems().push_pair(key_file.span(), fault, url.span(), "this one");
    }
    Some(PeeringDbApi {
        url: url.map_or_else(|| API.into(), Spanned::into_inner),
        key_file: key_file.map(Spanned::into_inner),
        refresh: refresh.map_or(DEFAULT_REFRESH, Spanned::into_inner),
        cache: cache.map_or_else(|| Some(CACHE.into()), Spanned::into_inner),
    })
}

/// The base URL of an API.
fn url(field: Field<'_>) -> Result<String, Fault> {
    let wrong = |label: &str| field.not(label).help(format!("write it like `{API}`"));
    let text = field.text()?.trim_end_matches('/');
    let uri: Uri = text.parse().map_err(|_| wrong("not a URL"))?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(authority)) if authority.as_str().contains('@') => {
            Err(wrong("a URL with a user's name").help("name the file with the key under `api_key_file`"))
        }
        (Some("http" | "https"), Some(_)) if uri.query().is_none() => Ok(text.into()),
        (Some("http" | "https"), Some(_)) => Err(wrong("questions are appended to it")),
        _ => Err(wrong("it must begin with `https://` or `http://`")),
    }
}

/// Whether nobody else sees what is sent there.
fn is_confidential(url: &str) -> bool {
    let host = url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
    url.starts_with("https:") || matches!(host.as_str(), "127.0.0.1" | "[::1]" | "localhost")
}
