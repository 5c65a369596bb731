//! The canonical wire form, written from what a message's attributes were found to be.
//!
//! It is what [`crate::attributes`] describes: attributes in ascending order with the flags that mean something, AS numbers of four
//! octets (RFC 6793 s4.2.3), nothing said twice (RFC 8092 s3). Most peers send their attributes just so, and then writing is copying.

use super::{Reading, clamp};
use crate::as_path::{AsPath, Asn};
use crate::attribute_table::{EXTENDED_LENGTH, OPTIONAL, PARTIAL, TRANSITIVE, code, row};
use crate::attributes::Span;
use crate::community;
use crate::fault::{Outcome, Wrong};
use crate::two_octet;

/// An attribute that the canonical wire form keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub(super) code: u8,
    pub(super) flags: u8,
    /// Where its flags are.
    pub(super) start: u16,
    pub(super) value: Span,
}

impl Kept {
    /// The flags that mean something. Partial does only where an attribute is both optional and transitive (RFC 4271 s4.3).
    fn meant_flags(self) -> u8 {
        let kind = self.flags & (OPTIONAL | TRANSITIVE);
        if kind == OPTIONAL | TRANSITIVE { kind | self.flags & PARTIAL } else { kind }
    }

    /// Whether its octets are in canonical form as they stand: the flags that mean something, and a length of two octets
    /// only where it needs them.
    fn is_canonical(self) -> bool {
        let long = if self.value.len > 255 { EXTENDED_LENGTH } else { 0 };
        self.flags == self.meant_flags() | long
    }
}

impl Reading {
    /// Finds what decisions read of AS_PATH, and writes the canonical wire form.
    pub(crate) fn complete(&mut self, octets: &[u8]) {
        let Some(as_path) = self.notes.as_path else { return };
        if self.context.four_octet_as {
            self.judge_path(as_path.of(octets));
        } else {
            let path = self.merged_path(octets, as_path);
            self.judge_path(&path);
            self.path = path;
        }
        if self.is_usable() {
            self.compose(octets);
        }
    }

    /// AS_PATH with four-octet AS numbers, and AS4_PATH in it where it counts (RFC 6793 s4.2.3).
    fn merged_path(&mut self, octets: &[u8], as_path: Span) -> Vec<u8> {
        let (mut path, mut widened) = (std::mem::take(&mut self.path), std::mem::take(&mut self.widened));
        path.clear();
        widened.clear();
        two_octet::widen(as_path.of(octets), &mut widened);
        let four = self.notes.as4_path.filter(|_| self.believes_as4(octets));
        let four = four.and_then(|four| AsPath::parse(four.of(octets)));
        match (AsPath::parse(&widened), four) {
            (Some(short), Some(four)) if two_octet::merge(short, four, &mut path) => self.widened = widened,
            _ => (path, self.widened) = (widened, path),
        }
        path
    }

    /// Whether AS4_PATH and AS4_AGGREGATOR are not made stale by an AGGREGATOR that a two-octet speaker wrote later.
    fn believes_as4(&self, octets: &[u8]) -> bool {
        match (self.notes.aggregator, self.notes.as4_aggregator) {
            (Some(short), Some(_)) => short.part(0, 2).of(octets) == two_octet::narrowed(Asn::TRANS),
            _ => true,
        }
    }

    /// Notes what decisions read of a path, unless AS 0 or confederation segments from outside forbid it.
    fn judge_path(&mut self, octets: &[u8]) {
        let Some(path) = AsPath::parse(octets) else { return };
        let mut zero = false;
        let mut confederation = false;
        for segment in path.segments() {
            zero |= segment.asns().any(|asn| asn == Asn(0));
            confederation |= segment.kind.is_confederation();
        }
        let wrong = match (zero, confederation && !self.context.internal) {
            (true, _) => Wrong::Value, // RFC 7607 s2
            (_, true) => Wrong::Confederation,
            _ => {
                self.facts.path_length = clamp(path.length());
                self.facts.neighbor_as = path.neighbor();
                self.facts.origin_as = path.origin();
                return;
            }
        };
        let quoted = self.notes.as_path.unwrap_or_default();
        self.fault(code::AS_PATH, wrong, Outcome::TreatAsWithdraw, quoted);
    }

    /// Writes the canonical wire form: what is kept, in ascending order. Attributes that stand together in the message and
    /// are canonical already are copied together.
    fn compose(&mut self, octets: &[u8]) {
        let mut kept = std::mem::take(&mut self.kept);
        if self.notes.unordered {
            kept.sort_unstable_by_key(|kept| kept.code);
        }
        // The octets of the message that are yet to be copied.
        let mut run = 0..0;
        for one in &kept {
            let changes = match one.code {
                code::AS_PATH => !self.context.four_octet_as,
                code::AGGREGATOR => one.value.len == 6,
                code::LARGE_COMMUNITY => self.notes.repeats_large_communities,
                _ => false,
            };
            if changes || !one.is_canonical() {
                self.copy(octets, std::mem::take(&mut run));
                self.rewrite(octets, *one, changes);
                continue;
            }
            if run.end != usize::from(one.start) {
                self.copy(octets, std::mem::take(&mut run));
                run.start = usize::from(one.start);
            }
            run.end = usize::from(one.value.start) + usize::from(one.value.len);
            let start = self.wire.len() + usize::from(one.value.start) - run.start;
            self.place(one.code, Span { start: clamp(start), len: one.value.len });
        }
        self.copy(octets, run);
        self.kept = kept;
        if self.wire.len() > usize::from(u16::MAX) {
            let quoted = self.notes.as_path.unwrap_or_default();
            self.fault(code::AS_PATH, Wrong::TooLong, Outcome::TreatAsWithdraw, quoted);
        }
    }

    fn copy(&mut self, octets: &[u8], run: std::ops::Range<usize>) {
        self.wire.extend_from_slice(octets.get(run).unwrap_or_default());
    }

    fn place(&mut self, code: u8, span: Span) {
        if let Some(row) = row(code) {
            (row.place)(&mut self.facts, span);
        }
    }

    /// Appends one attribute whose octets are not canonical as they stand.
    fn rewrite(&mut self, octets: &[u8], one: Kept, changes: bool) {
        let (aggregator, distinct);
        let value = match one.code {
            code::AS_PATH if changes => &self.path,
            code::AGGREGATOR if changes => {
                aggregator = self.widened_aggregator(octets, one.value);
                &aggregator[..]
            }
            code::LARGE_COMMUNITY if changes => {
                distinct = community::distinct(one.value.of(octets));
                distinct.as_flattened()
            }
            _ => one.value.of(octets),
        };
        let len = clamp(value.len());
        write_attribute(one.meant_flags(), one.code, value, &mut self.wire);
        let start = self.wire.len() - value.len();
        self.place(one.code, Span { start: clamp(start), len });
    }

    /// AGGREGATOR with a four-octet AS number: AS4_AGGREGATOR's where AS_TRANS stands for it (RFC 6793 s4.2.3).
    fn widened_aggregator(&self, octets: &[u8], short: Span) -> [u8; 8] {
        let four = self.notes.as4_aggregator.filter(|_| self.believes_as4(octets));
        match (four.map(|four| four.of(octets)), short.of(octets)) {
            (Some(&[a, b, c, d, e, f, g, h]), _) => [a, b, c, d, e, f, g, h],
            (_, &[a, b, c, d, e, f]) => [0, 0, a, b, c, d, e, f],
            _ => [0; 8],
        }
    }
}

/// Appends an attribute, with a length of two octets only where it needs them.
fn write_attribute(flags: u8, code: u8, value: &[u8], out: &mut Vec<u8>) {
    match u8::try_from(value.len()) {
        Ok(len) => out.extend_from_slice(&[flags, code, len]),
        Err(_) => {
            let [high, low] = clamp(value.len()).to_be_bytes();
            out.extend_from_slice(&[flags | EXTENDED_LENGTH, code, high, low]);
        }
    }
    out.extend_from_slice(value);
}
