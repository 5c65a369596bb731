//! The entries of a file that could not be read, counted and the first few named.
//!
//! One wrong entry must not cost the other seven hundred thousand, nor be passed over in silence: whoever loads a
//! file gets both what was read and this.

use std::fmt;

/// How many malformed entries are named; the rest are only counted.
pub const MAX_NAMED: usize = 5;
/// How much of an entry's own text is quoted, in characters.
const MAX_QUOTED: usize = 60;

/// What of a file could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Malformed {
    /// How many entries were left out.
    pub count: u64,
    /// The first [`MAX_NAMED`] of them.
    pub first: Vec<MalformedEntry>,
}

/// An entry that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedEntry {
    /// Which: a line of a text file, an element of a JSON list; both count from 1.
    pub position: u64,
    /// What is wrong with it.
    pub fault: String,
}

impl Malformed {
    pub(crate) fn note(&mut self, position: u64, fault: impl fmt::Display) {
        self.count += 1;
        if self.first.len() < MAX_NAMED {
            self.first.push(MalformedEntry { position, fault: fault.to_string() });
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} malformed", self.count)?;
        for (at, entry) in self.first.iter().enumerate() {
            write!(f, "{} {}: {}", if at == 0 { ":" } else { ";" }, entry.position, entry.fault)?;
        }
        if self.count > self.first.len() as u64 { f.write_str("; ..") } else { Ok(()) }
    }
}

/// A text from outside, short enough and plain enough to stand in a message.
pub(crate) fn quoted(text: &str) -> String {
    let cut = text.chars().nth(MAX_QUOTED).is_some();
    let head: String = text.chars().take(MAX_QUOTED).flat_map(char::escape_debug).collect();
    format!("`{head}{}`", if cut { ".." } else { "" })
}
