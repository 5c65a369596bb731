//! Lists of files, as `[rpki]` and `[irr]` have them.

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::problem::Fault;
use super::section::Section;
use super::value;

/// Files that one feed may be made of.
const MAX_FILES: usize = 256;

/// A section that is there for its files has some, unless it was `excused`: an empty list is not what anybody means.
pub(super) fn files(
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
