//! A file of prefixes, one a line, with RPSL's range operators or without; what follows a `#` is a remark.
//!
//! A line that is no prefix refuses the file, as does a file of none: whoever made it did not mean what is left of it.

use std::io::{self, BufRead};

use crate::lines::{Line, Lines};
use crate::prefix_range::{PrefixRange, PrefixRangeError};

/// The most prefixes of one file: many times those of any network.
pub const MAX_PREFIXES: usize = 1_000_000;

/// Octets of a line that are kept: those of a prefix, and of a remark that is not read.
const LONGEST_LINE: u64 = 1_000;

/// Why a file of prefixes is refused.
#[derive(Debug, thiserror::Error)]
pub enum PrefixListError {
    /// It can't be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A line is no prefix.
    #[error("line {line}: {fault}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        fault: PrefixRangeError,
    },
    /// There is none in it.
    #[error("there is no prefix in it")]
    Empty,
    /// There are more than [`MAX_PREFIXES`].
    #[error("it has more than {MAX_PREFIXES} prefixes")]
    TooMany,
}

/// Reads a file of prefixes.
pub fn read_prefix_list(input: impl BufRead) -> Result<Vec<PrefixRange>, PrefixListError> {
    let mut lines = Lines::new(input, LONGEST_LINE);
    let mut ranges = Vec::new();
    while let Some(Line { text, number: line, .. }) = lines.next()? {
        let text = String::from_utf8_lossy(text);
        let written = text.split('#').next().unwrap_or_default().trim();
        if written.is_empty() {
            continue;
        }
        if ranges.len() == MAX_PREFIXES {
            return Err(PrefixListError::TooMany);
        }
        ranges.push(written.parse().map_err(|fault| PrefixListError::Line { line, fault })?);
    }
    if ranges.is_empty() { Err(PrefixListError::Empty) } else { Ok(ranges) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_prefixes_and_remarks() {
        let text = "# ours\n\n192.0.2.0/24\r\n2001:db8::/32^48 # and theirs\n10.0.0.0/8^+";
        let shown: Vec<String> =
            read_prefix_list(text.as_bytes()).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["192.0.2.0/24", "2001:db8::/32^48", "10.0.0.0/8^+"]);
    }

    #[test]
    fn a_line_that_is_no_prefix_refuses_the_file_and_so_does_none() {
        let error = |text: &str| read_prefix_list(text.as_bytes()).unwrap_err().to_string();
        assert!(error("192.0.2.0/24\n192.0.2.1/24\n").starts_with("line 2: "));
        assert!(error("192.0.2.0/24\n<html>").starts_with("line 2: "));
        assert_eq!(error("# nothing\n"), "there is no prefix in it");
        let endless = vec![b'1'; 1 << 20];
        assert!(read_prefix_list(endless.as_slice()).unwrap_err().to_string().len() < 2_000);
    }

    #[test]
    fn a_file_has_its_limit_and_is_read_at_it() {
        let text = "192.0.2.0/24\n".repeat(MAX_PREFIXES);
        assert_eq!(read_prefix_list(text.as_bytes()).unwrap().len(), MAX_PREFIXES);
        let error = read_prefix_list((text + "192.0.2.0/24").as_bytes()).unwrap_err();
        assert!(matches!(error, PrefixListError::TooMany), "{error}");
    }
}
