//! Something to say about a place in a configuration: an error or a warning, where it is, and what to write instead.
//!
//! Errors are collected, not returned: whoever reads a file wants to know all that is wrong with it, not the first
//! thing. [`Problems`] is where they are collected while a file is read; it keeps no more than [`MAX_KEPT`] of them,
//! since a file with more is not the file that was meant, and counts the rest.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, Severity, SourceCode};

use super::source::{Position, Source, SourceError, harmless};

/// Errors that are kept of one file; the rest are counted.
pub(crate) const MAX_KEPT: usize = 50;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// Its text can't be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Its text is not a configuration.
    #[error("{} has {}", text.name(), errors(problems.len() + more))]
    Invalid {
        /// The text.
        text: Arc<Source>,
        /// What is wrong with it, in the order of the text. At least one.
        problems: Vec<Problem>,
        /// How many more there are.
        more: usize,
    },
}

fn errors(count: usize) -> String {
    if count == 1 { "an error".into() } else { format!("{count} errors") }
}

impl Diagnostic for ConfigError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        match self {
            ConfigError::Source(error) => Some(Box::new(error.help())),
            ConfigError::Invalid { more: 0, .. } => None,
            ConfigError::Invalid { more, .. } => Some(Box::new(format!("{more} more are not shown"))),
        }
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        match self {
            ConfigError::Source(_) => None,
            ConfigError::Invalid { problems, .. } => {
                Some(Box::new(problems.iter().map(|problem| problem as &dyn Diagnostic)))
            }
        }
    }
}

/// What is wrong with a value, said by something that doesn't know where the value is.
#[derive(Debug)]
pub(crate) struct Fault {
    message: String,
    label: String,
    help: Option<String>,
}

impl Fault {
    /// A fault, and what to write under the place.
    pub(crate) fn new(message: impl Into<String>, label: impl Into<String>) -> Self {
        Fault { message: harmless(message.into()), label: harmless(label.into()), help: None }
    }

    /// What to write instead.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(harmless(help.into()));
        self
    }
}

/// A fault or a warning at a place.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    severity: Severity,
    message: String,
    labels: Vec<(Range<usize>, String)>,
    help: Option<String>,
    source: Arc<Source>,
}

impl Problem {
    /// An error.
    pub(crate) fn error(source: &Arc<Source>, span: Range<usize>, fault: Fault) -> Self {
        Self::new(Severity::Error, source, span, fault)
    }

    /// A warning about the file as a whole: it is shown without a place.
    pub(crate) fn general_warning(source: &Arc<Source>, fault: Fault) -> Self {
        let mut problem = Self::warning(source, 0..0, fault);
        problem.labels.clear();
        problem
    }

    /// A warning.
    pub(crate) fn warning(source: &Arc<Source>, span: Range<usize>, fault: Fault) -> Self {
        Self::new(Severity::Warning, source, span, fault)
    }

    fn new(severity: Severity, source: &Arc<Source>, span: Range<usize>, fault: Fault) -> Self {
        let Fault { message, label, help } = fault;
        let labels = vec![(source.underlined(span), label)];
        Problem { severity, message, labels, help, source: Arc::clone(source) }
    }

    /// Points at a second place. Not within one endless line: that could not be shown.
    pub(crate) fn and(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        let span = self.source.underlined(span);
        if self.labels.iter().all(|(first, _)| self.source.shown_together(first, &span)) {
            self.labels.push((span, label.into()));
        }
        self
    }

    /// Where it is: where its first label begins. `None` for a problem of the file as a whole.
    pub(crate) fn position(&self) -> Option<Position> {
        let (first, _) = self.labels.first()?;
        Some(self.source.position(first.start))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&*self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().enumerate().map(|(at, (span, label))| {
            let label = (!label.is_empty()).then(|| label.clone());
            match at {
                0 => LabeledSpan::new_primary_with_span(label, span.clone()),
                _ => LabeledSpan::new_with_span(label, span.clone()),
            }
        })))
    }
}

/// The errors found so far in a file that is being read.
#[derive(Debug)]
pub(crate) struct Problems {
    source: Arc<Source>,
    list: RefCell<Vec<Problem>>,
    more: Cell<usize>,
}

impl Problems {
    /// None yet.
    pub(crate) fn new(source: Arc<Source>) -> Self {
        Problems { source, list: RefCell::default(), more: Cell::new(0) }
    }

    /// One more.
    pub(crate) fn push(&self, span: Range<usize>, fault: Fault) {
        self.push_problem(|source| Problem::error(source, span, fault));
    }

    /// One more, which is put into words only if it is kept.
    pub(crate) fn push_with(&self, span: Range<usize>, fault: impl FnOnce() -> Fault) {
        self.push_problem(|source| Problem::error(source, span, fault()));
    }

    /// One more, that is about two places.
    pub(crate) fn push_pair(&self, span: Range<usize>, fault: Fault, other: Range<usize>, label: &str) {
        self.push_problem(|source| Problem::error(source, span, fault).and(other, label));
    }

    /// What is there already is not told again: a table that holds for many peers is read for each.
    fn push_problem(&self, problem: impl FnOnce(&Arc<Source>) -> Problem) {
        let mut list = self.list.borrow_mut();
        if list.len() < MAX_KEPT {
            let problem = problem(&self.source);
            if !list.iter().any(|told| told.message == problem.message && told.labels == problem.labels) {
                list.push(problem);
            }
        } else {
            self.more.set(self.more.get() + 1);
        }
    }

    /// `value` where there were none, else all of them in the order of the text.
    pub(crate) fn none_or<T>(self, value: Option<T>) -> Result<T, ConfigError> {
        let mut problems = self.list.into_inner();
        problems.sort_by_key(|problem| problem.labels.first().map(|(first, _)| first.start));
        match value {
            Some(value) if problems.is_empty() => Ok(value),
            _ => Err(ConfigError::Invalid { text: self.source, problems, more: self.more.get() }),
        }
    }
}
