//! AS paths and communities, as people write them.
//!
//! A path is written as it is shown: `64501 64502`, with AS_SETs in braces. A community is of the kind that its fields
//! say: two are a standard one (RFC 1997), three a large one (RFC 8092), `rt:` or `ro:` before two an extended one (RFC
//! 4360 s4, s5), and sixteen hexadecimal digits any extended one, which is how those are shown. Those that everybody
//! knows have names.

use palisade_bgp::Asn;
use std::fmt;

use palisade_bgp::as_path::SegmentKind;
use palisade_bgp::attributes::{self as bgp, ExtendedCommunity, LargeCommunity};

/// AS numbers that a path may have: more than a message holds would be refused later, in worse words.
const MOST_ASNS: usize = 1_000;
/// AS numbers of a segment (RFC 4271 s4.3).
const SEGMENT_MAX: usize = 255;
/// Letters of a word that are said back.
const SAID_BACK: usize = 60;

/// Communities with a name.
const NAMED: [(&str, bgp::Community); 6] = [
    ("no-export", bgp::Community::NO_EXPORT),
    ("no-advertise", bgp::Community::NO_ADVERTISE),
    ("no-export-subconfed", bgp::Community::NO_EXPORT_SUBCONFED),
    ("nopeer", bgp::Community::NOPEER),
    ("blackhole", bgp::Community::BLACKHOLE),
    ("graceful-shutdown", bgp::Community::GRACEFUL_SHUTDOWN),
];

/// Why a word is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WordError {
    /// A part of a path is no AS number.
    #[error(
        "`{0}` is no part of an AS path: write AS numbers with spaces between them, and sets like {{64501,64502}}"
    )]
    Path(String),
    /// A path is too long to be one.
    #[error("the AS path has more than {MOST_ASNS} AS numbers")]
    PathTooLong,
    /// It is no community.
    #[error(
        "`{0}` is no community: write 64500:1, 64500:1:2, rt:64500:1, ro:64500:1 or a name like no-export"
    )]
    Community(String),
}

/// The value of AS_PATH for a path that is written.
pub(super) fn as_path(text: &str) -> Result<Vec<u8>, WordError> {
    let mut octets = Vec::new();
    let mut sequence = Vec::new();
    let mut count = 0;
    for word in words(text) {
        let set = word.strip_prefix('{').and_then(|word| word.strip_suffix('}'));
        let asns = set.unwrap_or(word).split(',').map(|asn| asn.trim().parse::<Asn>());
        let asns = asns.map(|asn| asn.map(|asn| asn.0)).collect::<Result<Vec<_>, _>>();
        let asns = asns.map_err(|_| WordError::Path(said(word)))?;
        count += asns.len();
        match set {
            None if asns.len() == 1 => sequence.extend(asns),
            None => return Err(WordError::Path(said(word))),
            Some(_) => {
                segments(SegmentKind::Sequence, &sequence, &mut octets);
                sequence.clear();
                segments(SegmentKind::Set, &asns, &mut octets);
            }
        }
        if count > MOST_ASNS {
            return Err(WordError::PathTooLong);
        }
    }
    segments(SegmentKind::Sequence, &sequence, &mut octets);
    Ok(octets)
}

/// Words, and what stands in braces, spaces and all.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text.trim();
    std::iter::from_fn(move || {
        let end = match rest.chars().next()? {
            '{' => rest.find('}').map(|at| at + 1),
            _ => rest.find(char::is_whitespace),
        };
        let (word, next) = rest.split_at(end.unwrap_or(rest.len()));
        rest = next.trim_start();
        Some(word)
    })
}

/// The value of AS_PATH for one AS_SEQUENCE.
pub(super) fn sequence(asns: &[u32]) -> Vec<u8> {
    let mut octets = Vec::new();
    segments(SegmentKind::Sequence, asns, &mut octets);
    octets
}

fn segments(kind: SegmentKind, asns: &[u32], out: &mut Vec<u8>) {
    for segment in asns.chunks(SEGMENT_MAX) {
        // A chunk's length fits.
        out.extend([kind as u8, segment.len() as u8]);
        segment.iter().for_each(|asn| out.extend(asn.to_be_bytes()));
    }
}

/// A community of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Community {
    /// RFC 1997.
    Standard(bgp::Community),
    /// RFC 4360.
    Extended(ExtendedCommunity),
    /// RFC 8092.
    Large(LargeCommunity),
}

impl fmt::Display for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Community::Standard(community) => community.fmt(f),
            Community::Extended(community) => write!(f, "{:016x}", u64::from_be_bytes(community.0)),
            Community::Large(community) => community.fmt(f),
        }
    }
}

impl Community {
    /// Reads one.
    pub(crate) fn parse(word: &str) -> Result<Self, WordError> {
        let named = NAMED.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        let read = named.map(|(_, community)| Community::Standard(*community)).or_else(|| numbers(word));
        read.ok_or_else(|| WordError::Community(said(word)))
    }

    pub(super) fn standard(&self) -> Option<Vec<u8>> {
        match self {
            Community::Standard(community) => Some(community.0.to_be_bytes().into()),
            _ => None,
        }
    }

    pub(super) fn extended(&self) -> Option<Vec<u8>> {
        match self {
            Community::Extended(community) => Some(community.0.into()),
            _ => None,
        }
    }

    pub(super) fn large(&self) -> Option<Vec<u8>> {
        match self {
            Community::Large(LargeCommunity(global, first, second)) => {
                Some([global, first, second].iter().flat_map(|part| part.to_be_bytes()).collect())
            }
            _ => None,
        }
    }
}

fn numbers(word: &str) -> Option<Community> {
    let fields: Vec<&str> = word.splitn(4, ':').collect();
    let extended = |sub_type, asn: &str, local: &str| {
        let (asn, local) = (number(asn)?, number(local)?);
        let community = match (u16::try_from(asn), u16::try_from(local)) {
            (Ok(asn), _) => ExtendedCommunity::two_octet_as(sub_type, asn, local),
            (Err(_), Ok(local)) => ExtendedCommunity::four_octet_as(sub_type, Asn(asn), local),
            (Err(_), Err(_)) => return None,
        };
        Some(Community::Extended(community))
    };
    match fields[..] {
        ["rt", asn, local] => extended(ExtendedCommunity::ROUTE_TARGET, asn, local),
        ["ro", asn, local] => extended(ExtendedCommunity::ROUTE_ORIGIN, asn, local),
        [high, low] => {
            let (high, low) = (u16::try_from(number(high)?).ok()?, u16::try_from(number(low)?).ok()?);
            Some(Community::Standard(bgp::Community(u32::from(high) << 16 | u32::from(low))))
        }
        [global, first, second] => {
            Some(Community::Large(LargeCommunity(number(global)?, number(first)?, number(second)?)))
        }
        [digits] if digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            let octets = u64::from_str_radix(digits, 16).ok()?.to_be_bytes();
            Some(Community::Extended(ExtendedCommunity(octets)))
        }
        _ => None,
    }
}

/// `parse` would take a sign.
fn number(word: &str) -> Option<u32> {
    word.bytes().all(|digit| digit.is_ascii_digit()).then(|| word.parse().ok()).flatten()
}

fn said(word: &str) -> String {
    word.chars().take(SAID_BACK).collect()
}
