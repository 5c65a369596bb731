//! AS numbers, and an AS_PATH read in place (RFC 4271 s4.3, s5.1.2; RFC 6793; RFC 5065).
//!
//! An [`AsPath`] is a view over the attribute's octets with four-octet AS numbers, which is the only form that is
//! kept: what a two-octet peer sent is widened when it is decoded. Its shape has been checked by then, so nothing
//! here can fail.

use std::fmt;
use std::str::FromStr;

/// An autonomous system number (RFC 6793).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Asn(pub u32);

impl Asn {
    /// Stands in for a number that does not fit a two-octet field (RFC 6793 s9).
    pub const TRANS: Asn = Asn(23456);
}

impl fmt::Display for Asn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AS{}", self.0)
    }
}

/// A text that is no AS number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an AS number: expected 0 to 4294967295, with or without AS before it")]
pub struct AsnError(String);

impl FromStr for Asn {
    type Err = AsnError;

    fn from_str(text: &str) -> Result<Self, AsnError> {
        let digits = match text.get(..2) {
            Some(head) if head.eq_ignore_ascii_case("as") => &text[2..],
            _ => text,
        };
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse().ok().filter(|_| plain).map(Asn).ok_or_else(|| AsnError(text.into()))
    }
}

/// The kinds of path segment, by their number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SegmentKind {
    /// AS_SET: an unordered set, deprecated by RFC 9774.
    Set = 1,
    /// AS_SEQUENCE: an ordered path.
    Sequence = 2,
    /// AS_CONFED_SEQUENCE (RFC 5065 s3).
    ConfedSequence = 3,
    /// AS_CONFED_SET (RFC 5065 s3).
    ConfedSet = 4,
}

impl SegmentKind {
    /// The kind of a segment type octet.
    pub const fn from_octet(octet: u8) -> Option<Self> {
        match octet {
            1 => Some(SegmentKind::Set),
            2 => Some(SegmentKind::Sequence),
            3 => Some(SegmentKind::ConfedSequence),
            4 => Some(SegmentKind::ConfedSet),
            _ => None,
        }
    }

    /// Whether it belongs within a confederation (RFC 5065).
    pub const fn is_confederation(self) -> bool {
        matches!(self, SegmentKind::ConfedSequence | SegmentKind::ConfedSet)
    }

    const fn is_set(self) -> bool {
        matches!(self, SegmentKind::Set | SegmentKind::ConfedSet)
    }
}

/// One segment of a path.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Its kind.
    pub kind: SegmentKind,
    octets: &'a [u8],
}

impl<'a> Segment<'a> {
    /// Its AS numbers, in order.
    pub fn asns(self) -> impl DoubleEndedIterator<Item = Asn> + ExactSizeIterator + use<'a> {
        self.octets.chunks_exact(4).map(|four| Asn(u32::from_be_bytes([four[0], four[1], four[2], four[3]])))
    }
}

/// An AS_PATH, neighbour first and origin last, over octets whose shape has been checked.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AsPath<'a> {
    octets: &'a [u8],
}

impl<'a> AsPath<'a> {
    /// The path of no segments: what an AS sends of its own routes within itself.
    pub const EMPTY: AsPath<'static> = AsPath { octets: &[] };

    /// The path over the value of an AS_PATH with four-octet AS numbers, where its shape is right: known segment types,
    /// no segment of count 0 (RFC 7606 s7.2), and segments that end where the value ends.
    pub fn parse(octets: &'a [u8]) -> Option<Self> {
        let mut rest = octets;
        while let [kind, count, after @ ..] = rest {
            SegmentKind::from_octet(*kind)?;
            rest = after.get(usize::from(*count) * 4..).filter(|_| *count > 0)?;
        }
        rest.is_empty().then_some(AsPath { octets })
    }

    /// The attribute's value: segments with four-octet AS numbers.
    pub fn octets(self) -> &'a [u8] {
        self.octets
    }

    /// The segments in order.
    pub fn segments(self) -> impl Iterator<Item = Segment<'a>> {
        let mut rest = self.octets;
        std::iter::from_fn(move || {
            let [kind, count, after @ ..] = rest else { return None };
            let (octets, next) = after.split_at_checked(usize::from(*count) * 4)?;
            rest = next;
            Some(Segment { kind: SegmentKind::from_octet(*kind)?, octets })
        })
    }

    /// Every AS number in the path, those in sets too, in order.
    pub fn asns(self) -> impl Iterator<Item = Asn> {
        self.segments().flat_map(Segment::asns)
    }

    /// Whether it has no segments.
    pub fn is_empty(self) -> bool {
        self.octets.is_empty()
    }

    /// Its length as the decision process counts it: a set is one, confederation segments are none
    /// (RFC 4271 s9.1.2.2 a, RFC 5065 s5.3).
    pub fn length(self) -> usize {
        self.segments()
            .map(|segment| match segment.kind {
                SegmentKind::Sequence => segment.octets.len() / 4,
                SegmentKind::Set => 1,
                SegmentKind::ConfedSequence | SegmentKind::ConfedSet => 0,
            })
            .sum()
    }

    /// The AS that sent it: the first AS of a leading AS_SEQUENCE.
    pub fn neighbor(self) -> Option<Asn> {
        let first = self.segments().next()?;
        (first.kind == SegmentKind::Sequence).then(|| first.asns().next()).flatten()
    }

    /// The origin AS of RFC 6811 s2: the last AS of a final AS_SEQUENCE. `None` (its "NONE") where the path ends in a
    /// set, is empty, or ends in a confederation segment, which a router outside must never see.
    pub fn origin(self) -> Option<Asn> {
        let last = self.segments().last()?;
        (last.kind == SegmentKind::Sequence).then(|| last.asns().next_back()).flatten()
    }

    /// Whether an AS appears anywhere in it.
    pub fn contains(self, asn: Asn) -> bool {
        self.asns().any(|found| found == asn)
    }

    /// Whether it has an AS_SET or AS_CONFED_SET (RFC 9774).
    pub fn has_set(self) -> bool {
        self.segments().any(|segment| segment.kind.is_set())
    }

    /// Whether it has segments that belong within a confederation (RFC 5065).
    pub fn has_confederation(self) -> bool {
        self.segments().any(|segment| segment.kind.is_confederation())
    }
}

impl fmt::Display for AsPath<'_> {
    /// As bgpdump and most looking glasses write it: `64500 64501 {64502,64503}`, confederation segments in `( )` and `[ ]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.segments().enumerate() {
            let (open, between, close) = match segment.kind {
                SegmentKind::Sequence => ("", " ", ""),
                SegmentKind::Set => ("{", ",", "}"),
                SegmentKind::ConfedSequence => ("(", " ", ")"),
                SegmentKind::ConfedSet => ("[", ",", "]"),
            };
            write!(f, "{}{open}", if at > 0 { " " } else { "" })?;
            for (at, Asn(asn)) in segment.asns().enumerate() {
                write!(f, "{}{asn}", if at > 0 { between } else { "" })?;
            }
            f.write_str(close)?;
        }
        Ok(())
    }
}

impl fmt::Debug for AsPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AsPath({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(segments: &[(u8, &[u32])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (kind, asns) in segments {
            out.extend([*kind, asns.len() as u8]);
            asns.iter().for_each(|asn| out.extend(asn.to_be_bytes()));
        }
        out
    }

    #[test]
    fn a_path_that_ends_in_a_set_or_is_empty_has_no_origin() {
        let sequence = octets(&[(2, &[64500, 64501])]);
        let set = octets(&[(2, &[64500]), (1, &[64501, 64502])]);
        assert_eq!(AsPath::parse(&sequence).unwrap().origin(), Some(Asn(64501)));
        assert_eq!(AsPath::parse(&set).unwrap().origin(), None);
        assert_eq!(AsPath::EMPTY.origin(), None);
        assert_eq!(AsPath::EMPTY.neighbor(), None);
    }

    #[test]
    fn a_set_counts_one_and_confederations_count_none() {
        let path = octets(&[(3, &[65001, 65002]), (2, &[1, 2, 3]), (1, &[4, 5]), (4, &[6])]);
        let path = AsPath::parse(&path).unwrap();
        assert_eq!(path.length(), 4);
        assert_eq!(path.to_string(), "(65001 65002) 1 2 3 {4,5} [6]");
        assert!(path.has_set() && path.contains(Asn(5)) && !path.contains(Asn(7)));
    }

    #[test]
    fn wrong_shapes_are_no_paths() {
        for bad in [&[2][..], &[2, 0], &[2, 1, 0, 0, 0], &[5, 1, 0, 0, 0, 1], &[2, 1, 0, 0, 0, 1, 2]] {
            assert!(AsPath::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn as_numbers_are_read_with_and_without_their_letters() {
        assert_eq!("AS64500".parse(), Ok(Asn(64500)));
        assert_eq!("as4294967295".parse(), Ok(Asn(u32::MAX)));
        for bad in ["", "AS", "AS+1", "4294967296", "64 500", "AS-SET"] {
            assert!(bad.parse::<Asn>().is_err(), "{bad}");
        }
    }
}
