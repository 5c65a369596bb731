//! Lines of a text that may be hostile: bounded, counted, not necessarily UTF-8.

use std::io::{self, BufRead, Read};

/// Reads a text line by line into one buffer.
pub(crate) struct Lines<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
    longest: u64,
}

/// A line without its line feed or carriage return.
pub(crate) struct Line<'a> {
    pub(crate) text: &'a [u8],
    /// Counts from 1.
    pub(crate) number: u64,
    /// Whether it was longer than allowed and its end is missing.
    pub(crate) cut: bool,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `input`, of which at most `longest` octets are kept.
    pub(crate) fn new(input: R, longest: u64) -> Self {
        Lines { input, line: Vec::new(), number: 0, longest }
    }

    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let read = (&mut self.input).take(self.longest).read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        let cut = self.line.last() != Some(&b'\n') && read as u64 == self.longest;
        if cut {
            self.input.skip_until(b'\n')?;
        }
        let text = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        Ok(Some(Line { text, number: self.number, cut }))
    }
}
