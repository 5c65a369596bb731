//! The text of a configuration file: where its lines begin, and how a part of it is shown.
//!
//! A problem is shown with the line it is in, so this is what miette asks for excerpts. Whatever is shown goes to
//! somebody's terminal or into a log: control and bidirectional characters are replaced by others of the same number
//! of octets, which keeps every offset, and of a line that is longer than a screen only the part around the problem
//! is shown.
//!
//! It is not a parser, and knows nothing of TOML.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::Utf8Error;
use std::sync::OnceLock;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// Octets that a configuration may have: room for ten thousand peers a few times over. The parser's tokens of a file
/// that is not TOML take fifty times as much.
pub(crate) const MAX_OCTETS: usize = 16 << 20;

/// Octets shown of one line before it is cut to the part around a problem.
const LINE_SHOWN: usize = 120;

/// Octets underlined.
const UNDERLINED: usize = 60;

/// The key whose values are not shown: what stands behind it in its line is starred out.
const SECRET_KEY: &str = "md5_password";

/// Characters of a value that a message quotes.
const QUOTED: usize = 60;

/// Why a configuration's text can't be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// There is nothing by that name.
    #[error("{}: there is no such file", .0.display())]
    Missing(PathBuf),
    /// The name is a folder's.
    #[error("{} is a directory", .0.display())]
    Directory(PathBuf),
    /// The system refuses to read it.
    #[error("{} can't be read: {source}", path.display())]
    Unreadable {
        /// As the user named it.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It has more than [`MAX_OCTETS`].
    #[error("{} is larger than {} MiB", .0.display(), MAX_OCTETS >> 20)]
    TooLarge(PathBuf),
    /// It is not UTF-8, which TOML is written in.
    #[error("{} is not UTF-8: octet 0x{octet:02x} in line {line}, column {column}", path.display())]
    NotUtf8 {
        /// As the user named it.
        path: PathBuf,
        /// The octet that no character begins with, or ends with.
        octet: u8,
        /// Its line, from 1.
        line: usize,
        /// Its column in characters, from 1.
        column: usize,
    },
}

impl SourceError {
    /// What to do about it.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            SourceError::Missing(_) => "name the configuration with --config FILE",
            SourceError::Directory(_) => "name the file in it, with --config FILE",
            SourceError::Unreadable { .. } => "the user that Palisade runs as needs to be able to read it",
            SourceError::TooLarge(_) => "is it a dump that belongs under [rpki] files or [irr] dumps?",
            SourceError::NotUtf8 { octet: 0xfe | 0xff, line: 1, column: 1, .. } => {
                "it looks like UTF-16: save it as UTF-8"
            }
            SourceError::NotUtf8 { .. } => "save it as UTF-8",
        }
    }
}

/// A place in a [`Source`], both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The line.
    pub(crate) line: usize,
    /// The column, in characters.
    pub(crate) column: usize,
}

/// A configuration's text.
#[derive(Debug)]
pub(crate) struct Source {
    name: String,
    text: String,
    /// Where each line begins; the first is 0.
    lines: Vec<usize>,
    /// The text as it may be shown, once something is.
    shown: OnceLock<String>,
}

impl Source {
    /// A text, and what to call it in messages.
    pub(crate) fn new(name: String, mut text: String) -> Self {
        // A byte order mark says nothing about UTF-8, and editors don't count it as a column.
        if text.starts_with('\u{feff}') {
            text.remove(0);
        }
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Source { name, text, lines, shown: OnceLock::new() }
    }

    /// Reads a file. No more than [`MAX_OCTETS`] are taken, whatever the file claims to be.
    pub(crate) fn read(path: &Path) -> Result<Self, SourceError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => SourceError::Missing(path.into()),
            io::ErrorKind::IsADirectory => SourceError::Directory(path.into()),
            _ => SourceError::Unreadable { path: path.into(), source },
        };
        let mut octets = Vec::new();
        let file = File::open(path).map_err(failed)?;
        file.take(MAX_OCTETS as u64 + 1).read_to_end(&mut octets).map_err(failed)?;
        if octets.len() > MAX_OCTETS {
            return Err(SourceError::TooLarge(path.into()));
        }
        let text = String::from_utf8(octets)
            .map_err(|error| not_utf8(path, error.as_bytes(), error.utf8_error()))?;
        Ok(Source::new(path.display().to_string(), text))
    }

    /// What it is called in messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// All of it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The line and column of an offset; past the end, those of the end.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.line_of(offset);
        let column = self.text[self.lines[line]..offset].chars().count();
        Position { line: line + 1, column: column + 1 }
    }

    /// The line, from 0, that an offset is in.
    fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The octets of lines `first` to `last`, without the last one's line end.
    fn lines(&self, first: usize, last: usize) -> Range<usize> {
        let end = self.lines.get(last + 1).map_or(self.text.len(), |next| next - 1);
        self.lines[first]..end
    }

    /// The part of a span to underline: what lies in its first line, and no more than [`UNDERLINED`].
    pub(crate) fn underlined(&self, span: Range<usize>) -> Range<usize> {
        let start = self.text.floor_char_boundary(span.start);
        let line = self.line_of(start);
        let end = span.end.min(start + UNDERLINED).min(self.lines(line, line).end);
        start..self.text.floor_char_boundary(end).max(start)
    }

    /// Whether two places can be shown in one picture: in one short line or in two, with no endless line between.
    pub(crate) fn shown_together(&self, one: &Range<usize>, other: &Range<usize>) -> bool {
        let (one, other) = (self.line_of(one.start), self.line_of(other.start));
        let (first, last) = (one.min(other), one.max(other));
        last - first > 3 || self.short(&self.lines(first, last))
    }

    fn short(&self, part: &Range<usize>) -> bool {
        self.text[part.clone()].lines().all(|line| line.len() <= LINE_SHOWN)
    }

    /// The part of the text to show for `span`: its lines and those around it, as far as they are of a length to show.
    fn excerpt(&self, span: &Range<usize>, before: usize, after: usize) -> Range<usize> {
        let (first, last) = (self.line_of(span.start), self.line_of(span.end));
        let own = self.lines(first, last);
        let around = self.lines(first.saturating_sub(before), (last + after).min(self.lines.len() - 1));
        if self.short(&around) {
            around
        } else if self.short(&own) {
            own
        } else {
            let start = span.start.saturating_sub(LINE_SHOWN / 2).max(own.start);
            let end = span.end.saturating_add(LINE_SHOWN / 2).min(own.end);
            self.text.ceil_char_boundary(start)..self.text.floor_char_boundary(end)
        }
    }
}

impl SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let end = span.offset().checked_add(span.len()).filter(|end| *end <= self.text.len());
        let span = span.offset()..end.ok_or(MietteError::OutOfBounds)?;
        // Asked for no line around it, miette wants to know where the span itself begins.
        let part = if before + after == 0 { span } else { self.excerpt(&span, before, after) };
        let Position { line, column } = self.position(part.start);
        let data = &self.shown.get_or_init(|| without_secrets(&disarm(&self.text))).as_bytes()[part.clone()];
        let count = data.iter().filter(|octet| **octet == b'\n').count() + 1;
        let span = (part.start, part.len()).into();
        let name = self.name.clone();
        Ok(Box::new(MietteSpanContents::new_named(name, data, span, line - 1, column - 1, count)))
    }
}

/// The same text with nothing in it that a terminal acts upon, every character at the offset it had.
fn disarm(text: &str) -> String {
    let replaced = |character: char| match character {
        '\n' | '\t' => character,
        '\r' => ' ',
        _ if !acts_on_a_terminal(character) => character,
        _ => match character.len_utf8() {
            1 => '?',
            2 => '\u{b7}',
            _ => char::REPLACEMENT_CHARACTER,
        },
    };
    text.chars().map(replaced).collect()
}

/// The same text with stars for passwords, every other character at the offset it had.
fn without_secrets(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (clear, secret) = line.split_at(secret_in(line).unwrap_or(line.len()));
        shown.push_str(clear);
        let starred =
            |letter: char| if letter == '\n' { letter.to_string() } else { "*".repeat(letter.len_utf8()) };
        shown.extend(secret.chars().map(starred));
    }
    shown
}

/// Where in a line a password begins: behind its key and the equals sign.
fn secret_in(line: &str) -> Option<usize> {
    line.match_indices(SECRET_KEY).find_map(|(at, key)| {
        let behind = &line[at + key.len()..];
        let equals = behind.trim_start_matches([' ', '\t', '"', '\'']).strip_prefix('=')?;
        Some(line.len() - equals.trim_start().len())
    })
}

/// Controls, and the marks that turn the direction of what follows, or that are not seen.
fn acts_on_a_terminal(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Words that may hold some of what was written, safe for a terminal; their lines stay lines.
pub(super) fn harmless(words: String) -> String {
    let acts = |character: char| character != '\n' && acts_on_a_terminal(character);
    if !words.contains(acts) {
        return words;
    }
    let mut shown = String::new();
    for character in words.chars() {
        if acts(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// A value as a message quotes it: on one line, not too long, and safe for a terminal.
pub(crate) fn quoted(text: &str) -> String {
    if text.is_empty() {
        return "an empty string".into();
    }
    let mut shown = String::new();
    for character in text.chars().take(QUOTED) {
        if acts_on_a_terminal(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    let more = if text.chars().nth(QUOTED).is_some() { "…" } else { "" };
    format!("`{shown}{more}`")
}

fn not_utf8(path: &Path, octets: &[u8], error: Utf8Error) -> SourceError {
    let valid = std::str::from_utf8(&octets[..error.valid_up_to()]).unwrap_or_default();
    let line_start = valid.rfind('\n').map_or(0, |end| end + 1);
    SourceError::NotUtf8 {
        path: path.into(),
        octet: octets.get(error.valid_up_to()).copied().unwrap_or_default(),
        line: valid.matches('\n').count() + 1,
        column: valid[line_start..].chars().count() + 1,
    }
}
