//! Peers whose AS numbers have two octets (RFC 6793 s4.2).
//!
//! What they send is widened when it is read, and what the four-octet speakers behind them left in AS4_PATH and
//! AS4_AGGREGATOR is put back in its place; what they are sent is narrowed. Nothing else in Palisade knows that AS
//! numbers ever were shorter.

use crate::as_path::{AsPath, Asn, Segment, SegmentKind};

/// The most AS numbers a segment counts.
pub(crate) const SEGMENT_MAX: usize = 255;

/// Whether octets are an AS_PATH with AS numbers of two octets: the same rules as [`AsPath::parse`].
pub(crate) fn is_path(octets: &[u8]) -> bool {
    let mut rest = octets;
    while let [kind, count, after @ ..] = rest {
        match after.get(usize::from(*count) * 2..) {
            Some(after) if *count > 0 && SegmentKind::from_octet(*kind).is_some() => rest = after,
            _ => return false,
        }
    }
    rest.is_empty()
}

/// Appends a path for which [`is_path`] holds, with AS numbers of four octets.
pub(crate) fn widen(octets: &[u8], out: &mut Vec<u8>) {
    let mut rest = octets;
    while let [kind, count, after @ ..] = rest {
        let Some((asns, after)) = after.split_at_checked(usize::from(*count) * 2) else { return };
        out.extend([*kind, *count]);
        asns.chunks_exact(2).for_each(|asn| out.extend([0, 0, asn[0], asn[1]]));
        rest = after;
    }
}

/// Appends the path that AS_PATH and AS4_PATH are together (RFC 6793 s4.2.3): as many leading AS numbers of the first as
/// it has more than the second, then the second. `false`, and nothing appended, where AS4_PATH is the longer of the two
/// and therefore to be ignored.
pub(crate) fn merge(path: AsPath<'_>, four: AsPath<'_>, out: &mut Vec<u8>) -> bool {
    let Some(mut missing) = path.length().checked_sub(four.length()) else { return false };
    let start = out.len();
    for segment in path.segments() {
        match segment.kind {
            // A confederation segment counts nothing; it goes along where it leads or follows what was taken.
            SegmentKind::ConfedSequence | SegmentKind::ConfedSet => push(segment.kind, segment.asns(), out),
            _ if missing == 0 => break,
            SegmentKind::Set => {
                missing -= 1;
                push(segment.kind, segment.asns(), out);
            }
            SegmentKind::Sequence => {
                let taken = missing.min(segment.asns().len());
                missing -= taken;
                push(segment.kind, segment.asns().take(taken), out);
                if taken < segment.asns().len() {
                    break;
                }
            }
        }
    }
    append(four, start, out);
    true
}

/// Appends the segments of AS4_PATH, without those of confederations (RFC 6793 s6). A sequence goes on with a sequence
/// before it where both fit one segment: it is what a four-octet peer would have sent.
fn append(four: AsPath<'_>, start: usize, out: &mut Vec<u8>) {
    for segment in four.segments() {
        let last = last_segment(&out[start..]).map(|at| at + start);
        match (segment.kind, last) {
            (SegmentKind::ConfedSequence | SegmentKind::ConfedSet, _) => {}
            (SegmentKind::Sequence, Some(at)) if joins(&out[at..], segment) => {
                out[at + 1] += u8::try_from(segment.asns().len()).unwrap_or(0);
                segment.asns().for_each(|Asn(asn)| out.extend(asn.to_be_bytes()));
            }
            _ => push(segment.kind, segment.asns(), out),
        }
    }
}

fn joins(last: &[u8], segment: Segment<'_>) -> bool {
    last[0] == SegmentKind::Sequence as u8 && usize::from(last[1]) + segment.asns().len() <= SEGMENT_MAX
}

fn last_segment(path: &[u8]) -> Option<usize> {
    let (mut at, mut last) = (0, None);
    while let Some(count) = path.get(at + 1) {
        last = Some(at);
        at += 2 + usize::from(*count) * 4;
    }
    last
}

/// Appends a segment.
pub(crate) fn push(kind: SegmentKind, asns: impl ExactSizeIterator<Item = Asn>, out: &mut Vec<u8>) {
    out.extend([kind as u8, u8::try_from(asns.len()).unwrap_or(u8::MAX)]);
    asns.for_each(|Asn(asn)| out.extend(asn.to_be_bytes()));
}

/// Appends a path with AS numbers of two octets, AS_TRANS for each that does not fit (RFC 6793 s4.2.2).
pub(crate) fn narrow(path: AsPath<'_>, out: &mut Vec<u8>) {
    for segment in path.segments() {
        out.extend([segment.kind as u8, u8::try_from(segment.asns().len()).unwrap_or(u8::MAX)]);
        segment.asns().for_each(|asn| out.extend(narrowed(asn)));
    }
}

/// An AS number in two octets.
pub(crate) fn narrowed(Asn(asn): Asn) -> [u8; 2] {
    u16::try_from(asn).unwrap_or(Asn::TRANS.0 as u16).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(segments: &[(u8, &[u32])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (kind, asns) in segments {
            out.extend([*kind, asns.len() as u8]);
            asns.iter().for_each(|asn| out.extend(asn.to_be_bytes()));
        }
        out
    }

    fn merged(short: &[(u8, &[u32])], four: &[(u8, &[u32])]) -> Option<String> {
        let (short, four, mut out) = (path(short), path(four), Vec::new());
        merge(AsPath::parse(&short).unwrap(), AsPath::parse(&four).unwrap(), &mut out)
            .then(|| AsPath::parse(&out).unwrap().to_string())
    }

    #[test]
    fn the_paths_are_merged_as_rfc_6793_says() {
        let (t, big) = (23456, 100_000);
        // Two octet speakers in front of a four-octet one.
        assert_eq!(merged(&[(2, &[1, 2, t])], &[(2, &[big])]).unwrap(), "1 2 100000");
        // All of it was seen by four-octet speakers.
        assert_eq!(merged(&[(2, &[1, t])], &[(2, &[1, big])]).unwrap(), "1 100000");
        // A set counts one.
        assert_eq!(merged(&[(2, &[7]), (1, &[1, t])], &[(1, &[1, big])]).unwrap(), "7 {1,100000}");
        assert_eq!(merged(&[(1, &[8, 9]), (2, &[t])], &[(2, &[big])]).unwrap(), "{8,9} 100000");
        // Longer than AS_PATH: ignored.
        assert_eq!(merged(&[(2, &[t])], &[(2, &[1, big])]), None);
        // Confederations count none: the leading one goes along, those of AS4_PATH are dropped.
        assert_eq!(
            merged(&[(3, &[65001]), (2, &[1, t])], &[(3, &[5]), (2, &[big])]).unwrap(),
            "(65001) 1 100000"
        );
    }

    #[test]
    fn a_sequence_that_would_overflow_stays_two_segments() {
        let (long, tail) = (vec![7; 254], [100_000, 100_001]);
        let whole: Vec<u32> = long.iter().copied().chain([23456]).collect();
        let out = merged(&[(2, &whole), (2, &[23456])], &[(2, &tail)]).unwrap();
        assert_eq!(out.split(' ').count(), 256);
    }

    #[test]
    fn narrowing_puts_as_trans_where_a_number_does_not_fit_and_widening_keeps_it() {
        let wide = path(&[(2, &[64500, 65536]), (1, &[65535])]);
        let (mut narrow_form, mut back) = (Vec::new(), Vec::new());
        narrow(AsPath::parse(&wide).unwrap(), &mut narrow_form);
        assert_eq!(narrow_form, [2, 2, 0xfb, 0xf4, 0x5b, 0xa0, 1, 1, 0xff, 0xff]);
        assert!(is_path(&narrow_form));
        widen(&narrow_form, &mut back);
        assert_eq!(AsPath::parse(&back).unwrap().to_string(), "64500 23456 {65535}");
    }

    #[test]
    fn wrong_shapes_are_no_two_octet_paths() {
        for bad in [&[2][..], &[2, 0], &[2, 1, 0], &[9, 1, 0, 1], &[2, 1, 0, 1, 2]] {
            assert!(!is_path(bad), "{bad:?}");
        }
        assert!(is_path(&[]));
    }
}
