//! A community, or all that are alike but for some of their numbers: `64500:70`, `64500:*`, `64500:1:*`, `rt:64500:*`.
//!
//! Two fields are a community (RFC 1997), three a large one (RFC 8092), and `rt:` or `ro:` before two an extended one, a route
//! target or a route origin of an AS (RFC 4360 s4, s5; RFC 5668). An extended community has one field of two octets and
//! one of four, in either order, and a pattern matches both. A `*` stands for any number.

use std::fmt;
use std::str::FromStr;

use palisade_bgp::Asn;
use palisade_bgp::attributes::{Community, ExtendedCommunity, LargeCommunity};

use crate::actions::Kind;

/// The first field of well-known communities (RFC 1997).
const WELL_KNOWN: u32 = 0xffff;

/// A community of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnyCommunity {
    /// RFC 1997.
    Standard(Community),
    /// RFC 8092.
    Large(LargeCommunity),
    /// RFC 4360.
    Extended(ExtendedCommunity),
}

impl AnyCommunity {
    /// The standard one that it is.
    pub(super) fn standard(self) -> Option<Community> {
        if let AnyCommunity::Standard(community) = self { Some(community) } else { None }
    }

    /// The large one that it is.
    pub(super) fn large(self) -> Option<LargeCommunity> {
        if let AnyCommunity::Large(community) = self { Some(community) } else { None }
    }

    /// The extended one that it is.
    pub(super) fn extended(self) -> Option<ExtendedCommunity> {
        if let AnyCommunity::Extended(community) = self { Some(community) } else { None }
    }
}

impl From<Community> for AnyCommunity {
    fn from(community: Community) -> Self {
        AnyCommunity::Standard(community)
    }
}

impl From<LargeCommunity> for AnyCommunity {
    fn from(community: LargeCommunity) -> Self {
        AnyCommunity::Large(community)
    }
}

impl From<ExtendedCommunity> for AnyCommunity {
    fn from(community: ExtendedCommunity) -> Self {
        AnyCommunity::Extended(community)
    }
}

/// What communities are to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommunityPattern {
    kind: Kind,
    /// `None` for any number, and in the third field of kinds that have two.
    fields: [Option<u32>; 3],
}

/// Why a text is no pattern of communities.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommunityPatternError {
    /// It has neither two fields nor three, or not two after `rt` or `ro`.
    #[error("it has not as many fields as a community has")]
    Shape,
    /// A field is neither a number of four octets nor `*`.
    #[error("a field is a number or `*`, not `{0}`")]
    Field(String),
    /// A number takes more octets than its field has.
    #[error("{0} does not fit into a field of two octets")]
    TooLarge(u32),
}

impl CommunityPattern {
    /// Whether a community is one of these.
    pub fn matches(&self, community: AnyCommunity) -> bool {
        let fields = match (community, self.kind) {
            (AnyCommunity::Standard(Community(value)), Kind::Standard) => [value >> 16, value & 0xffff, 0],
            (AnyCommunity::Large(LargeCommunity(a, b, c)), Kind::Large) => [a, b, c],
            (AnyCommunity::Extended(community), Kind::RouteTarget | Kind::RouteOrigin) => {
                match community.as_specific() {
                    Some((Asn(asn), local)) if Some(community.sub_type()) == self.sub_type() => {
                        [asn, local, 0]
                    }
                    _ => return false,
                }
            }
            _ => return false,
        };
        self.fields.iter().zip(fields).all(|(asked, found)| asked.is_none_or(|asked| asked == found))
    }

    /// Whether a community is one of these, and to be taken off where these are: a `*` in the first field spares those that
    /// are well-known and mean what they mean everywhere.
    pub fn removes(&self, community: AnyCommunity) -> bool {
        let is_well_known =
            matches!(community, AnyCommunity::Standard(Community(value)) if value >> 16 == WELL_KNOWN);
        self.matches(community) && !(is_well_known && self.fields[0].is_none())
    }

    /// The one community that it matches; `None` where it matches several.
    pub fn exact(&self) -> Option<AnyCommunity> {
        let [first, second, third] = self.fields;
        let (first, second) = (first?, second?);
        Some(match (self.kind, self.sub_type()) {
            (Kind::Standard, _) => AnyCommunity::Standard(Community(first << 16 | second)),
            (_, Some(sub_type)) => AnyCommunity::Extended(extended(sub_type, first, second)?),
            _ => AnyCommunity::Large(LargeCommunity(first, second, third?)),
        })
    }

    const fn sub_type(&self) -> Option<u8> {
        match self.kind {
            Kind::RouteTarget => Some(ExtendedCommunity::ROUTE_TARGET),
            Kind::RouteOrigin => Some(ExtendedCommunity::ROUTE_ORIGIN),
            Kind::Standard | Kind::Large => None,
        }
    }

    /// Whether each number fits where it stands.
    fn checked(self) -> Result<Self, CommunityPatternError> {
        let is_large = |number: &u32| u16::try_from(*number).is_err();
        let [first, second, _] = self.fields;
        let wrong = match self.kind {
            Kind::Large => None,
            Kind::Standard => first.filter(is_large).or(second.filter(is_large)),
            Kind::RouteTarget | Kind::RouteOrigin => first.min(second).filter(is_large),
        };
        wrong.map_or(Ok(self), |number| Err(CommunityPatternError::TooLarge(number)))
    }
}

/// The extended community of an AS, of the type in which its numbers fit.
fn extended(sub_type: u8, asn: u32, local: u32) -> Option<ExtendedCommunity> {
    match (u16::try_from(asn), u16::try_from(local)) {
        (Ok(asn), _) => Some(ExtendedCommunity::two_octet_as(sub_type, asn, local)),
        (Err(_), Ok(local)) => Some(ExtendedCommunity::four_octet_as(sub_type, Asn(asn), local)),
        (Err(_), Err(_)) => None,
    }
}

impl FromStr for CommunityPattern {
    type Err = CommunityPatternError;

    fn from_str(text: &str) -> Result<Self, CommunityPatternError> {
        let words: Vec<&str> = text.splitn(4, ':').collect();
        let (kind, words) = match words[..] {
            ["rt", ref words @ ..] if words.len() == 2 => (Kind::RouteTarget, words),
            ["ro", ref words @ ..] if words.len() == 2 => (Kind::RouteOrigin, words),
            [_, _] => (Kind::Standard, &words[..]),
            [_, _, _] => (Kind::Large, &words[..]),
            _ => return Err(CommunityPatternError::Shape),
        };
        let mut pattern = CommunityPattern { kind, fields: [None; 3] };
        for (place, word) in pattern.fields.iter_mut().zip(words) {
            *place = field(word)?;
        }
        pattern.checked()
    }
}

fn field(word: &str) -> Result<Option<u32>, CommunityPatternError> {
    let wrong = || CommunityPatternError::Field(word.into());
    match word {
        "*" => Ok(None),
        _ if word.bytes().all(|octet| octet.is_ascii_digit()) => word.parse().map(Some).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

impl fmt::Display for CommunityPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (prefix, count) = match self.kind {
            Kind::Standard => ("", 2),
            Kind::Large => ("", 3),
            Kind::RouteTarget => ("rt:", 2),
            Kind::RouteOrigin => ("ro:", 2),
        };
        f.write_str(prefix)?;
        for (at, field) in self.fields.iter().take(count).enumerate() {
            f.write_str(if at > 0 { ":" } else { "" })?;
            match field {
                Some(number) => write!(f, "{number}")?,
                None => f.write_str("*")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> CommunityPattern {
        text.parse().unwrap()
    }

    fn one(text: &str) -> AnyCommunity {
        pattern(text).exact().unwrap()
    }

    #[test]
    fn a_pattern_is_shown_as_it_is_written() {
        for text in ["64500:70", "*:*", "64500:*", "64500:1:*", "*:4200000000:0", "rt:64500:*", "ro:*:1"] {
            assert_eq!(pattern(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_pattern_is_told_apart() {
        use CommunityPatternError::{Shape, TooLarge};
        let field = |word: &str| CommunityPatternError::Field(word.into());
        for (text, error) in [
            ("", Shape),
            ("64500", Shape),
            ("1:2:3:4", Shape),
            ("rt:1:2:3", Shape),
            ("rt:1", field("rt")),
            ("64500:", field("")),
            ("64500:7*", field("7*")),
            ("4294967296:0:0", field("4294967296")),
            ("65536:1", TooLarge(65536)),
            ("*:65536", TooLarge(65536)),
            ("rt:65536:65537", TooLarge(65536)),
        ] {
            assert_eq!(text.parse::<CommunityPattern>(), Err(error), "{text}");
        }
    }

    #[test]
    fn each_kind_is_matched_by_its_own_patterns_alone() {
        for (text, matched, not) in [
            ("64500:*", "64500:7", "64501:7"),
            ("*:7", "64501:7", "64501:8"),
            ("64500:1:*", "64500:1:9", "64500:2:9"),
            ("rt:64500:*", "rt:64500:70000", "ro:64500:70000"),
            ("ro:4200000000:*", "ro:4200000000:5", "ro:64500:5"),
            ("*:*", "1:2", "1:2:3"),
            ("*:*:*", "1:2:3", "1:2"),
        ] {
            assert!(pattern(text).matches(one(matched)), "{text} {matched}");
            assert!(!pattern(text).matches(one(not)), "{text} {not}");
        }
        assert_eq!(pattern("rt:64500:*").exact(), None);
    }

    #[test]
    fn an_open_pattern_spares_well_known_communities_and_a_plain_one_takes_them_off() {
        let no_export = AnyCommunity::Standard(Community::NO_EXPORT);
        assert!(pattern("*:*").matches(no_export) && !pattern("*:*").removes(no_export));
        assert!(pattern("65535:*").removes(no_export) && pattern("65535:65281").removes(no_export));
        assert!(pattern("*:*").removes(one("64500:1")));
    }
}
