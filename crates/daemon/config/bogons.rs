//! `[bogons]`: what nobody can announce, where that is not what is built in.

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::feeds;
use super::problem::Fault;
use super::section::Section;
use super::value;

/// Lists of bogons. Each takes the place of the one that is built in, unless both are to hold.
#[derive(Debug, Default)]
pub(crate) struct BogonFiles {
    /// Prefixes, a line each; all of it counts. Without any, what is built in holds.
    pub(crate) prefixes: Vec<Spanned<PathBuf>>,
    /// AS numbers and ranges of them, a line each; `None` for what is built in.
    pub(crate) asns: Option<Spanned<PathBuf>>,
    /// Whether what is built in holds beside them.
    pub(crate) extend: bool,
}

pub(super) fn read(mut section: Section<'_>, folder: &Path) -> BogonFiles {
    let prefixes = match section.has("prefixes") {
        true => feeds::files(&mut section, "prefixes", "\"fullbogons-ipv4.txt\"", folder, false),
        false => Vec::new(),
    };
    let asns = section.optional("asns", |field| value::path(field, folder));
    if !section.has("prefixes") && !section.has("asns") {
        let fault = Fault::new("[bogons] names no list", "so what is built in holds");
        let help =
            "write `prefixes = [\"fullbogons-ipv4.txt\"]` or `asns = \"asns.txt\"`, or remove [bogons]";
        section.problems().push(section.span(), fault.help(help));
    }
    let extend = section.optional("extend", |field| field.boolean()).is_some_and(Spanned::into_inner);
    section.end();
    BogonFiles { prefixes, asns, extend }
}
