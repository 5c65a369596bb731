//! `[rpki]` and `[irr]`: what announcements are checked against, and where it comes from.

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::problem::Fault;
use super::section::Section;
use super::value;

/// Files that one feed may be made of.
const MAX_FILES: usize = 256;

/// Where VRPs come from. With no file there is no origin validation: everything is NotFound (RFC 6811 s2).
#[derive(Debug, Default)]
pub(crate) struct Rpki {
    /// What validators export; all of it counts.
    pub(crate) files: Vec<Spanned<PathBuf>>,
}

/// Where route objects and as-sets come from. With no dump nothing is registered.
#[derive(Debug, Default)]
pub(crate) struct Irr {
    /// Databases in RPSL.
    pub(crate) dumps: Vec<Spanned<PathBuf>>,
    /// Whether a route object registers what is more specific than it, too.
    pub(crate) allow_longer: bool,
}

pub(super) fn rpki(mut section: Section<'_>, folder: &Path) -> Rpki {
    let rtr = section.refused("rtr", || {
        Fault::new("RTR is not spoken yet: `files` is the only key of [rpki]", "can't be had")
            .help("let the validator write its VRPs to a file, and write `files = [\"vrps.json\"]`")
    });
    let files = files(&mut section, "files", "\"vrps.json\"", folder, rtr);
    section.end();
    Rpki { files }
}

pub(super) fn irr(mut section: Section<'_>, folder: &Path) -> Irr {
    let dumps = files(&mut section, "dumps", "\"ripe.db.route.gz\", \"ripe.db.as-set.gz\"", folder, false);
    let allow_longer = section.optional("allow_longer", |field| field.boolean());
    section.end();
    Irr { dumps, allow_longer: allow_longer.is_some_and(Spanned::into_inner) }
}

/// A section that is there for its files has some, unless it was `excused`: an empty list is not what anybody means.
fn files(
    section: &mut Section<'_>,
    key: &'static str,
    example: &str,
    folder: &Path,
    excused: bool,
) -> Vec<Spanned<PathBuf>> {
    if !excused {
        section.expect(key, &format!("[{example}]"));
    }
    let Some(list) = section.list(key, example, |field| value::path(field, folder)) else {
        return Vec::new();
    };
    let name = section.name();
    let problems = section.problems();
    if list.written == 0 {
        let fault = Fault::new(format!("`{key}` of {name} is empty"), "nothing would be checked");
        problems.push(list.span, fault.help(format!("name files here, or remove {name}")));
    } else if list.written > MAX_FILES {
        let fault = Fault::new(format!("`{key}` names {} files", list.written), "too many");
        problems.push(list.span, fault.help(format!("no more than {MAX_FILES} are taken")));
    }
    value::once_each(key, &list.values, |path| path.display().to_string(), problems);
    list.values
}
