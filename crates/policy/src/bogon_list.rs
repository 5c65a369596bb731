//! Bogons as somebody else lists them: a prefix, or a range of AS numbers, a line.
//!
//! That is how Team Cymru publishes full bogons, the space that is allocated to nobody yet:
//!
//! ```text
//!   # last updated 1647435002 (Wed Mar 16 12:50:02 2022 GMT)
//!   0.0.0.0/8
//!   23.135.225.0/24             # what follows a `#` is a comment
//! ```
//!
//! and of AS numbers, which nobody publishes that way, `64496`, `AS64496` or `64496-64511`. A line that is neither is left
//! out and told. A text that has nothing, or more lines that are wrong than lines that are right, is no list: an error
//! page must not take the place of what was there. Nor may a default route, which would refuse everything.

use std::io::{self, BufRead};
use std::ops::RangeInclusive;

use palisade_bgp::prefix::PrefixError;
use palisade_bgp::{Asn, Prefix};

use crate::lines::Lines;
use crate::malformed::{Malformed, quoted};

/// Entries that are taken: of full bogons there are 150,000.
pub const MAX_ENTRIES: usize = 1_000_000;

/// Octets of a line that are looked at.
const LONGEST_LINE: u64 = 256;

/// A list, and what of it could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BogonList<T> {
    /// What it lists, in its order. At least one.
    pub entries: Vec<T>,
    /// Lines that were left out.
    pub malformed: Malformed,
}

/// Why a text is refused.
#[derive(Debug, thiserror::Error)]
pub enum BogonListError {
    /// It can't be read on.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It has more than [`MAX_ENTRIES`].
    #[error("it has more than {MAX_ENTRIES} entries")]
    TooMany,
    /// It lists nothing.
    #[error("it lists nothing")]
    Empty,
    /// It is something else.
    #[error("this is no list of bogons: {0}")]
    NotBogons(Malformed),
}

impl BogonList<Prefix> {
    /// Reads a list of prefixes.
    pub fn read(input: impl BufRead) -> Result<Self, BogonListError> {
        read(input, prefix)
    }
}

impl BogonList<RangeInclusive<Asn>> {
    /// Reads a list of AS numbers and ranges of them.
    pub fn read(input: impl BufRead) -> Result<Self, BogonListError> {
        read(input, range)
    }
}

fn read<T>(
    input: impl BufRead,
    entry: impl Fn(&str) -> Result<T, String>,
) -> Result<BogonList<T>, BogonListError> {
    let mut list = BogonList { entries: Vec::new(), malformed: Malformed::default() };
    let mut lines = Lines::new(input, LONGEST_LINE);
    while let Some(line) = lines.next()? {
        let text = String::from_utf8_lossy(line.text);
        let text = text.split('#').next().unwrap_or_default().trim();
        if text.is_empty() {
            continue;
        }
        if list.entries.len() == MAX_ENTRIES {
            return Err(BogonListError::TooMany);
        }
        // Where the end of a line is missing, so is that of its entry, unless a comment has begun.
        match entry(text) {
            Ok(_) if line.cut && !line.text.contains(&b'#') => {
                list.malformed.note(line.number, "the line is too long");
            }
            Ok(entry) => list.entries.push(entry),
            Err(fault) => list.malformed.note(line.number, fault),
        }
    }
    if list.malformed.count > list.entries.len() as u64 {
        return Err(BogonListError::NotBogons(list.malformed));
    }
    if list.entries.is_empty() { Err(BogonListError::Empty) } else { Ok(list) }
}

fn prefix(text: &str) -> Result<Prefix, String> {
    match text.parse::<Prefix>() {
        Ok(prefix) if prefix.len() == 0 => Err(format!("every route is within {}", quoted(text))),
        Ok(prefix) => Ok(prefix),
        Err(PrefixError::HostBits(..)) => Err(format!("{} has bits past its length", quoted(text))),
        Err(PrefixError::Syntax(_)) => Err(format!("{} is no prefix", quoted(text))),
    }
}

fn range(text: &str) -> Result<RangeInclusive<Asn>, String> {
    let asn =
        |text: &str| text.trim().parse::<Asn>().map_err(|_| format!("{} is no AS number", quoted(text)));
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (asn(first)?, asn(last)?);
    if first <= last { Ok(first..=last) } else { Err(format!("{} ends before it begins", quoted(text))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(text: &str) -> Result<BogonList<Prefix>, BogonListError> {
        BogonList::<Prefix>::read(text.as_bytes())
    }

    fn asns(text: &str) -> Result<BogonList<RangeInclusive<Asn>>, BogonListError> {
        BogonList::<RangeInclusive<Asn>>::read(text.as_bytes())
    }

    #[test]
    fn prefixes_are_read_around_comments_and_wrong_lines() {
        let text =
            "# last updated\n0.0.0.0/8\r\n\n  2001:db8::/32 # documentation\n10.0.0.1/8\n::/0\n400::/6";
        let list = prefixes(text).unwrap();
        let expected = ["0.0.0.0/8", "2001:db8::/32", "400::/6"].map(|text| text.parse::<Prefix>().unwrap());
        assert_eq!(list.entries, expected);
        assert_eq!(list.malformed.count, 2);
        let told = list.malformed.to_string();
        assert!(told.contains("5: `10.0.0.1/8` has bits past its length"), "{told}");
        assert!(told.contains("6: every route is within `::/0`"), "{told}");
    }

    #[test]
    fn ranges_of_as_numbers_are_read() {
        let list = asns("0\nAS23456\n64496-64511\nAS4200000000 - AS4294967295\n9-8\nAS4294967296\n").unwrap();
        let expected = [(0, 0), (23456, 23456), (64496, 64511), (4_200_000_000, u32::MAX)];
        assert_eq!(list.entries, expected.map(|(first, last)| Asn(first)..=Asn(last)));
        assert_eq!(list.malformed.count, 2);
    }

    #[test]
    fn what_lists_nothing_or_something_else_is_refused() {
        for nothing in ["", "\n\n", "# nothing\n"] {
            assert!(matches!(prefixes(nothing), Err(BogonListError::Empty)), "{nothing:?}");
            assert!(matches!(asns(nothing), Err(BogonListError::Empty)), "{nothing:?}");
        }
        for other in ["<html>\n<body>\n10.0.0.0/8\n", "0.0.0.0/0\n", "\u{0}\u{1}\n", "AS1\n"] {
            assert!(matches!(prefixes(other), Err(BogonListError::NotBogons(_))), "{other:?}");
        }
        assert!(matches!(asns("10.0.0.0/8\n"), Err(BogonListError::NotBogons(_))));
    }

    #[test]
    fn a_line_that_is_too_long_is_no_entry_unless_its_comment_is() {
        let pad = " ".repeat(LONGEST_LINE as usize);
        let list = prefixes(&format!("10.0.0.0/8 #{pad}x\n11.0.0.0/8{pad}\n12.0.0.0/8\n")).unwrap();
        assert_eq!((list.entries.len(), list.malformed.count), (2, 1));
    }

    #[test]
    fn entries_are_taken_up_to_their_limit() {
        let text = "10.0.0.0/8\n".repeat(MAX_ENTRIES);
        assert_eq!(prefixes(&text).unwrap().entries.len(), MAX_ENTRIES);
        assert!(matches!(prefixes(&(text + "11.0.0.0/8\n")), Err(BogonListError::TooMany)));
    }
}
