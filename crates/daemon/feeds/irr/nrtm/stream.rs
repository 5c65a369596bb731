//! What an NRTM version 3 server sends, cut into changes.
//!
//! ```text
//!   %START Version: 3 RIPE 1234-1236
//!
//!   ADD 1234
//!
//!   route: 192.0.2.0/24
//!   origin: AS64500
//!
//!   DEL 1236                          serials may be left out: what is not public is not sent
//!
//!   route: 198.51.100.0/24
//!   ..
//!   %END RIPE
//! ```
//!
//! Or instead of that: `%ERROR:401: invalid range: Not within 1000-1233`, which is also how some say that nothing is
//! new (others: `% Warning: there are no newer updates available`).
//!
//! A stream counts when its `%END` has come and not before; one that breaks off, goes back in serials or leaves the
//! range that it announced is no use, and what was heard of it is to be dropped. The stream is bounded by its octets
//! and by those of one object. What an object says is for whoever asks: here it is text.

use std::ops::RangeInclusive;

/// The longest line.
pub(crate) const LONGEST_LINE: usize = 1 << 20;
/// The most octets of one object.
pub(crate) const LARGEST_OBJECT: usize = 16 << 20;
/// The most octets of one answer.
pub(crate) const LARGEST_STREAM: u64 = 256 << 20;

/// An object that was added (or replaced) or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// Its number.
    pub(crate) serial: u64,
    /// Whether the object is there from then on.
    pub(crate) is_addition: bool,
    /// The object.
    pub(crate) object: Vec<u8>,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is whole, and the source is at this serial.
    At(u64),
    /// There is nothing new.
    NothingNew,
}

/// Why a stream is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StreamFault {
    /// Serials that are not kept (any more): a new dump is needed.
    #[error("serial {asked} is not within {}-{} that the server keeps: a new dump is needed", kept.start(), kept.end())]
    OutOfRange {
        /// The serial that was asked for.
        asked: u64,
        /// What the server has.
        kept: RangeInclusive<u64>,
    },
    /// The server begins later than it was asked to: what is between is lost, and a new dump is needed.
    #[error("the server begins at serial {begins} instead of {asked}: a new dump is needed")]
    Gap {
        /// The serial that was asked for.
        asked: u64,
        /// What it begins with.
        begins: u64,
    },
    /// The server refuses.
    #[error("the server refuses: {0}")]
    Refused(String),
    /// Another source than was asked for.
    #[error("the server answers for another source")]
    Source,
    /// Serials that don't go up, or that leave the range.
    #[error("serial {0} is out of order")]
    Serial(u64),
    /// A line that means nothing where it stands.
    #[error("the answer is not NRTM version 3: {0}")]
    Syntax(String),
    /// Too much of something.
    #[error("a line, an object or the answer is too large")]
    TooLarge,
    /// It broke off.
    #[error("the answer breaks off before its end")]
    Truncated,
}

impl StreamFault {
    /// Whether only a new dump helps.
    pub(crate) fn needs_dump(&self) -> bool {
        matches!(self, StreamFault::OutOfRange { .. } | StreamFault::Gap { .. })
    }

    /// Whether the server can lead on from a dump of this serial.
    pub(crate) fn is_mended_by(&self, serial: u64) -> bool {
        match self {
            StreamFault::OutOfRange { kept, .. } => {
                (kept.start().saturating_sub(1)..=*kept.end()).contains(&serial)
            }
            StreamFault::Gap { begins, .. } => serial >= begins.saturating_sub(1),
            _ => false,
        }
    }
}

/// The answer to `-g SOURCE:3:FIRST-LAST`, as it comes.
#[derive(Debug)]
pub(crate) struct ChangeStream {
    source: String,
    asked: u64,
    octets: u64,
    /// What has come of the line that has no end yet.
    line: Vec<u8>,
    /// The range that the server announced.
    range: Option<RangeInclusive<u64>>,
    operation: Option<Operation>,
    last: Option<u64>,
    operations: Vec<Operation>,
    end: Option<End>,
}

impl ChangeStream {
    /// One of changes of `source` from serial `asked` on.
    pub(crate) fn new(source: &str, asked: u64) -> Self {
        ChangeStream {
            source: source.into(),
            asked,
            octets: 0,
            line: Vec::new(),
            range: None,
            operation: None,
            last: None,
            operations: Vec::new(),
            end: None,
        }
    }

    /// Takes what was read.
    pub(crate) fn push(&mut self, octets: &[u8]) -> Result<(), StreamFault> {
        self.octets += octets.len() as u64;
        if self.octets > LARGEST_STREAM {
            return Err(StreamFault::TooLarge);
        }
        let mut parts = octets.split_inclusive(|octet| *octet == b'\n');
        parts.try_for_each(|part| {
            self.line.extend_from_slice(part);
            if self.line.len() > LONGEST_LINE {
                return Err(StreamFault::TooLarge);
            }
            if !part.ends_with(b"\n") {
                return Ok(());
            }
            let line = std::mem::take(&mut self.line);
            let taken = self.take(line.trim_ascii_end());
            self.line = line;
            self.line.clear();
            taken
        })
    }

    /// Whether its end has come, and nothing more needs to be read.
    pub(crate) fn is_over(&self) -> bool {
        self.end.is_some()
    }

    /// What it comes to. To be asked when nothing more comes.
    pub(crate) fn finish(self) -> Result<(Vec<Operation>, End), StreamFault> {
        self.end.map(|end| (self.operations, end)).ok_or(StreamFault::Truncated)
    }

    fn take(&mut self, line: &[u8]) -> Result<(), StreamFault> {
        match line {
            _ if self.end.is_some() => Ok(()),
            [b'%', rest @ ..] => self.remark(&String::from_utf8_lossy(rest)),
            _ if let Some(head) = self.head(line) => self.begin(head?),
            _ => self.extend(line),
        }
    }

    /// `ADD 1234` or `DEL 1234`, where the line is one and no part of an object.
    fn head(&self, line: &[u8]) -> Option<Result<(bool, u64), StreamFault>> {
        let is_addition = match line.get(..4)? {
            b"ADD " => true,
            b"DEL " => false,
            _ => return None,
        };
        let text = String::from_utf8_lossy(line.get(4..)?);
        let serial = text.trim().parse().map_err(|_| StreamFault::Syntax(shown(line)));
        Some(serial.map(|serial| (is_addition, serial)))
    }

    fn begin(&mut self, (is_addition, serial): (bool, u64)) -> Result<(), StreamFault> {
        self.complete()?;
        let within = self.range.as_ref().is_some_and(|range| range.contains(&serial));
        if !within || self.last.is_some_and(|last| serial <= last) {
            return Err(StreamFault::Serial(serial));
        }
        self.last = Some(serial);
        self.operation = Some(Operation { serial, is_addition, object: Vec::new() });
        Ok(())
    }

    fn extend(&mut self, line: &[u8]) -> Result<(), StreamFault> {
        match &mut self.operation {
            _ if line.is_empty() => Ok(()),
            Some(operation) if operation.object.len() + line.len() >= LARGEST_OBJECT => {
                Err(StreamFault::TooLarge)
            }
            Some(operation) => {
                operation.object.extend_from_slice(line);
                operation.object.push(b'\n');
                Ok(())
            }
            None => Err(StreamFault::Syntax(shown(line))),
        }
    }

    /// An operation without an object is none.
    fn complete(&mut self) -> Result<(), StreamFault> {
        match self.operation.take() {
            Some(operation) if operation.object.is_empty() => Err(StreamFault::Truncated),
            operation => {
                self.operations.extend(operation);
                Ok(())
            }
        }
    }

    fn remark(&mut self, text: &str) -> Result<(), StreamFault> {
        let text = text.trim_start_matches('%').trim();
        let lower = text.to_ascii_lowercase();
        if let Some(rest) = text.strip_prefix("START ") {
            self.start(rest)
        } else if text == "END" || text.starts_with("END ") {
            self.complete()?;
            let range = self.range.as_ref().ok_or_else(|| StreamFault::Syntax(shown(text.as_bytes())))?;
            self.end = Some(End::At(*range.end()));
            Ok(())
        } else if lower.contains("no newer updates") && self.range.is_none() {
            self.end = Some(End::NothingNew);
            Ok(())
        } else if lower.starts_with("error") {
            self.refused(text)
        } else {
            Ok(())
        }
    }

    /// `Version: 3 RIPE 1234-1236`.
    fn start(&mut self, rest: &str) -> Result<(), StreamFault> {
        let syntax = || StreamFault::Syntax(shown(rest.as_bytes()));
        let words: Vec<&str> = rest.split_ascii_whitespace().collect();
        let ["Version:", "3", source, range, ..] = words.as_slice() else { return Err(syntax()) };
        let range = parse_range(range).ok_or_else(syntax)?;
        if self.range.is_some() || range.start() > range.end() {
            return Err(syntax());
        }
        if !source.eq_ignore_ascii_case(&self.source) {
            return Err(StreamFault::Source);
        }
        if *range.start() != self.asked {
            return Err(StreamFault::Gap { asked: self.asked, begins: *range.start() });
        }
        self.range = Some(range);
        Ok(())
    }

    /// A server that keeps all up to what we have, and is asked for what follows, has nothing new.
    fn refused(&mut self, text: &str) -> Result<(), StreamFault> {
        let kept = text.rsplit_once("ithin ").and_then(|(_, range)| parse_range(range.trim()));
        match kept {
            Some(kept) if self.range.is_none() && kept.end().checked_add(1) == Some(self.asked) => {
                self.end = Some(End::NothingNew);
                Ok(())
            }
            Some(kept) => Err(StreamFault::OutOfRange { asked: self.asked, kept }),
            None => Err(StreamFault::Refused(shown(text.as_bytes()))),
        }
    }
}

/// `1234-1236`.
fn parse_range(text: &str) -> Option<RangeInclusive<u64>> {
    let (first, last) = text.split_once('-')?;
    Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
}

/// A stranger's words, as many as one wants to read.
fn shown(line: &[u8]) -> String {
    const SHOWN: usize = 80;
    let text = String::from_utf8_lossy(line.get(..SHOWN).unwrap_or(line));
    text.chars().flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

    use super::*;

    fn read(text: &str) -> Result<(Vec<Operation>, End), StreamFault> {
        let mut stream = ChangeStream::new("TEST", 5);
        stream.push(text.as_bytes())?;
        stream.finish()
    }

    const GOOD: &str = "% The TEST database\n\n%START Version: 3 TEST 5-9\n\nADD 5\n\nroute: 192.0.2.0/24\n\
        origin: AS1\n\nDEL 7\n\nas-set: AS-A\nmembers: AS1\n\n%END TEST\n";

    #[test]
    fn additions_and_deletions_are_read_however_they_come() {
        let (operations, end) = read(GOOD).unwrap();
        assert_eq!(end, End::At(9));
        let told: Vec<_> = operations.iter().map(|one| (one.serial, one.is_addition)).collect();
        assert_eq!(told, [(5, true), (7, false)]);
        assert_eq!(operations[0].object, b"route: 192.0.2.0/24\norigin: AS1\n");
        for step in 1..GOOD.len() {
            let mut stream = ChangeStream::new("TEST", 5);
            GOOD.as_bytes().chunks(step).for_each(|part| stream.push(part).unwrap());
            assert_eq!(stream.finish(), Ok((operations.clone(), end)));
        }
    }

    #[test]
    fn what_breaks_off_anywhere_is_no_use() {
        let end = GOOD.find("%END").unwrap();
        for cut in 0..end {
            assert_eq!(read(&GOOD[..cut]), Err(StreamFault::Truncated), "{:?}", &GOOD[..cut]);
        }
    }

    #[test]
    fn both_ways_of_saying_that_nothing_is_new_are_understood() {
        for text in [
            "% Warning: there are no newer updates available\n",
            "%ERROR:401: invalid range: Not within 1-4\n",
            "%ERROR: 401: (invalid range: Not within 1-4\n",
        ] {
            assert_eq!(read(text), Ok((Vec::new(), End::NothingNew)), "{text}");
        }
    }

    #[test]
    fn only_a_dump_helps_where_serials_are_lost() {
        let beyond = read("%ERROR:401: invalid range: Not within 7-9\n").unwrap_err();
        assert_eq!(beyond, StreamFault::OutOfRange { asked: 5, kept: 7..=9 });
        // A server that has begun anew counts from the beginning.
        let behind = read("%ERROR:401: invalid range: Not within 1-2\n").unwrap_err();
        let gap = read("%START Version: 3 TEST 6-9\n%END TEST\n").unwrap_err();
        assert_eq!(gap, StreamFault::Gap { asked: 5, begins: 6 });
        assert!(beyond.needs_dump() && behind.needs_dump() && gap.needs_dump());
        let mends =
            |fault: &StreamFault| (0..12).filter(|serial| fault.is_mended_by(*serial)).collect::<Vec<_>>();
        assert_eq!(mends(&beyond), [6, 7, 8, 9]);
        assert_eq!(mends(&behind), [0, 1, 2]);
        assert_eq!(mends(&gap), [5, 6, 7, 8, 9, 10, 11]);
        assert!(!read("%ERROR:402: you are not allowed\n").unwrap_err().needs_dump());
    }

    #[test]
    fn what_servers_get_wrong_is_named() {
        let start = "%START Version: 3 TEST 5-9\n";
        let object = "\nroute: 192.0.2.0/24\n\n";
        for (text, fault) in [
            ("%START Version: 1 TEST 5-9\n".into(), StreamFault::Syntax("Version: 1 TEST 5-9".into())),
            ("%START Version: 3 TEST 5\n".into(), StreamFault::Syntax("Version: 3 TEST 5".into())),
            ("%START Version: 3 OTHER 5-9\n".into(), StreamFault::Source),
            (format!("{start}{start}"), StreamFault::Syntax("Version: 3 TEST 5-9".into())),
            (format!("{start}ADD x\n"), StreamFault::Syntax("ADD x".into())),
            (format!("{start}ADD 4\n"), StreamFault::Serial(4)),
            (format!("{start}ADD 10\n"), StreamFault::Serial(10)),
            (format!("{start}ADD 6\n{object}ADD 6\n"), StreamFault::Serial(6)),
            (format!("{start}ADD 6\n\nADD 7\n"), StreamFault::Truncated),
            (format!("{start}route: 192.0.2.0/24\n"), StreamFault::Syntax("route: 192.0.2.0/24".into())),
            ("ADD 5\n".into(), StreamFault::Serial(5)),
            ("%END TEST\n".into(), StreamFault::Syntax("END TEST".into())),
            ("<html>\n".into(), StreamFault::Syntax("<html>".into())),
            ("%ERROR:402: no\u{1b}\n".into(), StreamFault::Refused("ERROR:402: no\\u{1b}".into())),
        ] {
            assert_eq!(read(&text), Err(fault), "{text}");
        }
    }

    #[test]
    fn limits_hold_at_their_edge() {
        let mut stream = ChangeStream::new("TEST", 5);
        stream.push(&vec![b'%'; LONGEST_LINE]).unwrap();
        assert_eq!(stream.push(b"%"), Err(StreamFault::TooLarge));

        let mut stream = ChangeStream::new("TEST", 5);
        stream.push(b"%START Version: 3 TEST 5-9\nADD 5\n").unwrap();
        let line = [vec![b'x'; LONGEST_LINE - 1], vec![b'\n']].concat();
        (0..LARGEST_OBJECT / LONGEST_LINE).for_each(|_| stream.push(&line).unwrap());
        assert_eq!(stream.push(b"y\n"), Err(StreamFault::TooLarge));
    }
}
