//! What an AS path is to look like: `^ 64500 .* [64501 64510-64520]+ $`.
//!
//! A pattern is words with spaces between them, not a regular expression over digits: a number can't match a part of
//! another one.
//!
//! | word | stands for |
//! |---|---|
//! | `64500` | that AS |
//! | `64496-64511` | one AS of a range |
//! | `[64500 64510-64520]` | one AS of a set |
//! | `.` | any AS |
//! | after any of these: `?`, `*`, `+` | at most one, any number, at least one of them |
//! | `^` first, `$` last | the path begins here, ends here |
//!
//! Without `^` and `$` a pattern may match anywhere in the path. The neighbor comes first, the origin last. An AS_SET is one
//! place of the path, and is whatever one of its members is.
//!
//! Matching keeps the set of all words that may come next as the bits of one word, so that it costs a step for each AS of the
//! path, and a path can't be written that makes it cost more.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use palisade_bgp::Asn;
use palisade_bgp::as_path::SegmentKind::{ConfedSet, Set};
use palisade_bgp::as_path::{AsPath, AsnError};

/// The most places of a pattern (`+` takes two): the places, and the end, are the bits of a word.
pub const MAX_PLACES: usize = 63;

/// The most numbers and ranges of all sets in a pattern together.
pub const MAX_RANGES: usize = 1_000;

/// A pattern of AS paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsPathPattern {
    text: String,
    places: Vec<Place>,
    from_start: bool,
    to_end: bool,
}

/// A place of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// Sorted and apart; `None` for any AS.
    asns: Option<Vec<RangeInclusive<u32>>>,
    /// Whether it may be left out.
    optional: bool,
    /// Whether it may be there again.
    repeated: bool,
}

/// Why a text is no pattern of AS paths.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AsPathPatternError {
    /// There is nothing in it, which would match any path: `.*` says so.
    #[error("there is no AS in it")]
    Empty,
    /// A word is none of those that are known.
    #[error("`{0}` is no AS number, range, `[set]` or `.`")]
    Word(String),
    /// `^` is not first, or `$` not last.
    #[error("`^` stands only where the pattern begins, and `$` only where it ends")]
    Anchor,
    /// The first number of a range is the greater one.
    #[error("`{0}` is the wrong way round")]
    Range(String),
    /// A `[` has no `]`, or holds nothing.
    #[error("a set is written `[64500 64510-64520]`")]
    Set,
    /// There is more of it than [`MAX_PLACES`] or [`MAX_RANGES`].
    #[error("it is too long: no more than {MAX_PLACES} places and {MAX_RANGES} AS numbers in sets are taken")]
    TooLong,
}

impl AsPathPattern {
    /// Whether a path looks like this.
    pub fn matches(&self, path: AsPath<'_>) -> bool {
        let mut next = self.skip(1);
        for segment in path.segments() {
            if matches!(segment.kind, Set | ConfedSet) {
                next = self.step(next, |place| segment.asns().any(|asn| place.matches(asn)));
            } else {
                next = segment.asns().fold(next, |next, asn| self.step(next, |place| place.matches(asn)));
            }
        }
        next & self.end() != 0
    }

    /// The bit of what has matched to its end.
    fn end(&self) -> u64 {
        1 << self.places.len()
    }

    /// Where the pattern may go on, from `now`, after one more AS.
    fn step(&self, now: u64, matches: impl Fn(&Place) -> bool) -> u64 {
        let mut next = if self.to_end { 0 } else { now & self.end() };
        for (at, place) in self.places.iter().enumerate() {
            let bit = 1 << at;
            if now & bit != 0 && matches(place) {
                next |= if place.repeated { bit } else { bit << 1 };
            }
        }
        self.skip(if self.from_start { next } else { next | 1 })
    }

    /// These, and those behind places that may be left out. One that may be repeated may be, too.
    fn skip(&self, mut next: u64) -> u64 {
        for (at, place) in self.places.iter().enumerate() {
            if place.optional && next & 1 << at != 0 {
                next |= 1 << (at + 1);
            }
        }
        next
    }
}

impl Place {
    fn matches(&self, Asn(asn): Asn) -> bool {
        let Some(ranges) = &self.asns else { return true };
        let after = ranges.partition_point(|range| *range.start() <= asn);
        after.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|range| range.contains(&asn))
    }
}

impl FromStr for AsPathPattern {
    type Err = AsPathPatternError;

    fn from_str(text: &str) -> Result<Self, AsPathPatternError> {
        let mut rest = text.trim();
        let from_start = strip(&mut rest, |rest| rest.strip_prefix('^'));
        let to_end = strip(&mut rest, |rest| rest.strip_suffix('$'));
        let (mut places, mut ranges) = (Vec::new(), 0);
        while let Some((word, next)) = split_word(rest)? {
            rest = next;
            place(word, &mut places)?;
            ranges += places.last().and_then(|place: &Place| place.asns.as_ref()).map_or(0, Vec::len);
            if places.len() > MAX_PLACES || ranges > MAX_RANGES {
                return Err(AsPathPatternError::TooLong);
            }
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        match places.is_empty() && !(from_start && to_end) {
            true => Err(AsPathPatternError::Empty),
            false => Ok(AsPathPattern { text: words.join(" "), places, from_start, to_end }),
        }
    }
}

/// Takes something off, where it is there.
fn strip<'a>(rest: &mut &'a str, of: impl Fn(&'a str) -> Option<&'a str>) -> bool {
    let stripped = of(rest);
    *rest = stripped.unwrap_or(rest);
    stripped.is_some()
}

/// The first word, in which a set may have spaces, and what comes after it.
fn split_word(text: &str) -> Result<Option<(&str, &str)>, AsPathPatternError> {
    let text = text.trim_start();
    if text.is_empty() {
        return Ok(None);
    }
    let set = match text.starts_with('[') {
        true => text.find(']').ok_or(AsPathPatternError::Set)?,
        false => 0,
    };
    let end = text[set..].find(char::is_whitespace).map_or(text.len(), |end| set + end);
    Ok(Some(text.split_at(end)))
}

/// Adds the places of a word: two for one that ends in `+`.
fn place(word: &str, places: &mut Vec<Place>) -> Result<(), AsPathPatternError> {
    let (element, optional, repeated) = match word.as_bytes().last() {
        Some(b'?') => (&word[..word.len() - 1], true, false),
        Some(b'*') => (&word[..word.len() - 1], true, true),
        Some(b'+') => (&word[..word.len() - 1], false, true),
        _ => (word, false, false),
    };
    let unknown = || match word {
        "^" | "$" => AsPathPatternError::Anchor,
        _ => AsPathPatternError::Word(word.into()),
    };
    let asns = match element {
        "." => None,
        _ => match element.strip_prefix('[') {
            Some(set) => Some(members(set.strip_suffix(']').ok_or_else(unknown)?)?),
            None => Some(vec![range(element).map_err(|error| error.unwrap_or_else(unknown))?]),
        },
    };
    if !optional && repeated {
        places.push(Place { asns: asns.clone(), optional: false, repeated: false });
        places.push(Place { asns, optional: true, repeated: true });
    } else {
        places.push(Place { asns, optional, repeated });
    }
    Ok(())
}

/// The ranges of a set, in order and apart.
fn members(set: &str) -> Result<Vec<RangeInclusive<u32>>, AsPathPatternError> {
    let word = |word: &str| {
        range(word).map_err(|error| error.unwrap_or_else(|| AsPathPatternError::Word(word.into())))
    };
    let mut ranges = set.split_whitespace().map(word).collect::<Result<Vec<_>, _>>()?;
    ranges.sort_by_key(|range| *range.start());
    let mut apart: Vec<RangeInclusive<u32>> = Vec::new();
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start() <= last.end() => *last = *last.start()..=*last.end().max(range.end()),
            _ => apart.push(range),
        }
    }
    if apart.is_empty() { Err(AsPathPatternError::Set) } else { Ok(apart) }
}

/// One AS number or a range of them; an error of `None` is that it is neither.
fn range(word: &str) -> Result<RangeInclusive<u32>, Option<AsPathPatternError>> {
    let asn = |text: &str| text.parse::<Asn>().map(|asn| asn.0).map_err(|_: AsnError| None);
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    let (first, last) = (asn(first)?, asn(last)?);
    if first <= last { Ok(first..=last) } else { Err(Some(AsPathPatternError::Range(word.into()))) }
}

impl fmt::Display for AsPathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests;
