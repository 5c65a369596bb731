//! What came of all tests, for a person and for a program.

use std::fmt;

use serde::Serialize;

use super::outcome::{Difference, Outcome};
use crate::explain::text::{Detail, text};

/// What came of all tests.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    files: Vec<Tested>,
    passed: usize,
    failed: usize,
    /// Files that could not be run, of which that was told.
    pub(super) unread: usize,
}

/// What came of the tests of a file.
#[derive(Debug, Serialize)]
pub(super) struct Tested {
    pub(super) file: String,
    #[serde(rename = "cases")]
    pub(super) outcomes: Vec<Outcome>,
}

impl Report {
    pub(super) fn add(&mut self, tested: Tested) {
        let passed = tested.outcomes.iter().filter(|outcome| outcome.ok).count();
        self.passed += passed;
        self.failed += tested.outcomes.len() - passed;
        self.files.push(tested);
    }

    /// Whether everything could be run and is as it must be.
    pub(super) fn holds(&self) -> bool {
        self.failed == 0 && self.unread == 0
    }

    pub(super) fn json(&self) -> String {
        // A report has nothing in it that JSON can't say.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for tested in &self.files {
            writeln!(f, "{}", tested.file)?;
            for outcome in &tested.outcomes {
                writeln!(f, "  {:<7} {}", if outcome.ok { "ok" } else { "FAILED" }, outcome.name)?;
            }
        }
        for tested in &self.files {
            for outcome in tested.outcomes.iter().filter(|outcome| !outcome.ok) {
                failure(f, &tested.file, outcome)?;
            }
        }
        let total = self.passed + self.failed;
        writeln!(f, "\n{total} tests: {} ok, {} failed", self.passed, self.failed)?;
        match self.unread {
            0 => Ok(()),
            1 => writeln!(f, "1 file could not be run"),
            more => writeln!(f, "{more} files could not be run"),
        }
    }
}

fn failure(f: &mut fmt::Formatter<'_>, file: &str, outcome: &Outcome) -> fmt::Result {
    writeln!(f, "\nFAILED {file}: {}", outcome.name)?;
    for Difference { key, expected, found } in &outcome.differences {
        writeln!(f, "  {key}\n    - expected  {expected}\n    + found     {found}")?;
    }
    if let Some(explanation) = &outcome.explanation {
        writeln!(f)?;
        for line in text(explanation, Detail::Matters).lines() {
            writeln!(f, "{}", format!("  {line}").trim_end())?;
        }
    }
    Ok(())
}
