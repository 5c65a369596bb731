//! What keeps a comparison from being made.

use std::path::PathBuf;

/// Why it can't go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {what}")]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The system refused something.
    #[error("{what}: {source}")]
    System {
        /// What was to be done.
        what: &'static str,
        /// Why not.
        source: std::io::Error,
    },
    /// A program ended with an error.
    #[error("`{command}` failed: {said}")]
    Command {
        /// What was run.
        command: String,
        /// What it said.
        said: String,
    },
    /// A load that can't be made.
    #[error("{0}")]
    Load(String),
    /// The daemon under test isn't there any more, or never answered.
    #[error("{0}")]
    Daemon(String),
    /// Somebody pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl Problem {
    /// A file's, for `map_err`.
    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Problem + use<> {
        let path = path.to_path_buf();
        move |source| Problem::File { path, source }
    }

    /// The system's, for `map_err`.
    pub(crate) fn system<E: Into<std::io::Error>>(what: &'static str) -> impl FnOnce(E) -> Problem {
        move |source| Problem::System { what, source: source.into() }
    }
}
