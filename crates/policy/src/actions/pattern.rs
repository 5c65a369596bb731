//! A pattern of communities: what a member writes, with a place in it for whom it names.
//!
//! Written as communities are shown, with words in the place of numbers: `rs` is the route server's AS, `peer` and
//! `region` stand for whatever number names one. Two fields are a community (RFC 1997), three a large one (RFC 8092), and
//! `rt:` or `ro:` before two an extended one: a route target or a route origin (RFC 4360 s4, s5).
//!
//! A field of two octets holds no four-octet AS number (RFC 6793). So `rs` may not fit where it is written, which is an
//! error; that `peer` can then name some members only is not, as there are other kinds for the others. An extended
//! community has one field of two octets and one of four, in either order, and its pattern matches both.

use std::fmt;

use palisade_bgp::Asn;

use super::Whom;

/// The first field of well-known communities.
pub(super) const WELL_KNOWN: u32 = 0xffff;

/// The second field of BLACKHOLE (RFC 7999).
const BLACKHOLE: u32 = 666;

/// The most that a field of two octets holds.
const MOST_IN_TWO_OCTETS: u32 = 0xffff;

/// A kind of community.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// RFC 1997: two fields of two octets.
    Standard,
    /// RFC 8092: three fields of four octets.
    Large,
    /// RFC 4360 s4: an extended community, `rt`.
    RouteTarget,
    /// RFC 4360 s5: an extended community, `ro`.
    RouteOrigin,
}

impl Kind {
    /// All kinds, in the order they are listed everywhere.
    pub const ALL: [Kind; 4] = [Kind::Standard, Kind::Large, Kind::RouteTarget, Kind::RouteOrigin];

    /// Its place in [`Kind::ALL`].
    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// Communities that are alike but for whom they name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    kind: Kind,
    /// 0 where somebody is named, and in the third field of kinds that have two.
    fields: [u32; 3],
    naming: Option<(usize, Whom)>,
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It has neither two fields nor three, or not two after `rt` or `ro`.
    #[error("it has not as many fields as a community has")]
    Shape,
    /// A field is neither a number of four octets nor a word that is known here.
    #[error("a field is a number, `rs`, `peer` or `region`, not `{0}`")]
    Field(String),
    /// A number takes more octets than its field has.
    #[error("{0} does not fit into a field of two octets")]
    TooLarge(u32),
    /// Two fields name somebody.
    #[error("only one field can name somebody")]
    NamesTwice,
    /// It is one of the well-known communities, other than BLACKHOLE.
    #[error(
        "communities that begin with 65535 are well-known (RFC 1997), and mean what they mean everywhere"
    )]
    WellKnown,
}

/// A field as it is written.
#[derive(Clone, Copy)]
enum Field {
    Fixed(u32),
    Naming(Whom),
}

impl Pattern {
    /// Reads a pattern; `rs` is the AS of the route server.
    pub fn parse(text: &str, rs: Asn) -> Result<Self, PatternError> {
        let words: Vec<&str> = text.splitn(4, ':').collect();
        let (kind, words) = match words[..] {
            ["rt", ref words @ ..] if words.len() == 2 => (Kind::RouteTarget, words),
            ["ro", ref words @ ..] if words.len() == 2 => (Kind::RouteOrigin, words),
            [_, _] => (Kind::Standard, &words[..]),
            [_, _, _] => (Kind::Large, &words[..]),
            _ => return Err(PatternError::Shape),
        };
        let mut pattern = Pattern { kind, fields: [0; 3], naming: None };
        for (at, word) in words.iter().enumerate() {
            match field(word, rs)? {
                Field::Fixed(number) => pattern.fields[at] = number,
                Field::Naming(_) if pattern.naming.is_some() => return Err(PatternError::NamesTwice),
                Field::Naming(whom) => pattern.naming = Some((at, whom)),
            }
        }
        pattern.checked()
    }

    fn checked(self) -> Result<Self, PatternError> {
        let [first, second, _] = self.fields;
        let too_large = |number: &u32| *number > MOST_IN_TWO_OCTETS;
        let wrong = match self.kind {
            Kind::Large => None,
            Kind::Standard => [first, second].into_iter().find(too_large),
            Kind::RouteTarget | Kind::RouteOrigin => Some(first.min(second)).filter(too_large),
        };
        match wrong {
            Some(number) => Err(PatternError::TooLarge(number)),
            None if self.kind == Kind::Standard && first == WELL_KNOWN && !self.is_well_known_blackhole() => {
                Err(PatternError::WellKnown)
            }
            None => Ok(self),
        }
    }

    /// What kind of community it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whom its communities name: [`Whom::All`] where they name nobody.
    pub fn whom(&self) -> Whom {
        self.naming.map_or(Whom::All, |(_, whom)| whom)
    }

    /// Whether it is BLACKHOLE itself (RFC 7999), which needs no configuration.
    pub fn is_well_known_blackhole(&self) -> bool {
        self.kind == Kind::Standard && self.naming.is_none() && self.fields == [WELL_KNOWN, BLACKHOLE, 0]
    }

    /// Whether one community may match both, and neither is the more exact. Whom 0 would name does not count, as it
    /// names nobody.
    pub fn overlaps(&self, other: &Pattern) -> bool {
        let names_at = |pattern: &Pattern, at| pattern.naming.is_some_and(|(field, _)| field == at);
        let field_overlaps = |at: usize| match (names_at(self, at), names_at(other, at)) {
            (true, true) => true,
            (true, false) => other.fields[at] != 0,
            (false, true) => self.fields[at] != 0,
            (false, false) => self.fields[at] == other.fields[at],
        };
        self.kind == other.kind
            && self.naming.is_some() == other.naming.is_some()
            && (0..self.fields.len()).all(field_overlaps)
    }

    pub(super) fn fields(&self) -> [u32; 3] {
        self.fields
    }

    pub(super) fn naming_field(&self) -> Option<usize> {
        self.naming.map(|(field, _)| field)
    }
}

fn field(word: &str, rs: Asn) -> Result<Field, PatternError> {
    match word {
        "rs" => Ok(Field::Fixed(rs.0)),
        "peer" => Ok(Field::Naming(Whom::Peer)),
        "region" => Ok(Field::Naming(Whom::Region)),
        _ if word.bytes().all(|octet| octet.is_ascii_digit()) => {
            word.parse().map(Field::Fixed).map_err(|_| PatternError::Field(word.into()))
        }
        _ => Err(PatternError::Field(word.into())),
    }
}

/// As it is written, with the route server's AS number in the place of `rs`.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (prefix, fields) = match self.kind {
            Kind::Standard => ("", 2),
            Kind::Large => ("", 3),
            Kind::RouteTarget => ("rt:", 2),
            Kind::RouteOrigin => ("ro:", 2),
        };
        f.write_str(prefix)?;
        for (at, number) in self.fields.iter().take(fields).enumerate() {
            f.write_str(if at > 0 { ":" } else { "" })?;
            match self.naming {
                Some((field, Whom::Peer)) if field == at => f.write_str("peer")?,
                Some((field, _)) if field == at => f.write_str("region")?,
                _ => write!(f, "{number}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Pattern, PatternError> {
        Pattern::parse(text, Asn(64500))
    }

    #[test]
    fn a_pattern_is_shown_as_it_is_written_with_the_number_of_rs() {
        for (written, shown) in [
            ("rs:peer", "64500:peer"),
            ("0:rs", "0:64500"),
            ("rs:10:region", "64500:10:region"),
            ("rt:0:peer", "rt:0:peer"),
            ("ro:rs:region", "ro:64500:region"),
            ("peer:1", "peer:1"),
            ("65535:666", "65535:666"),
            ("65535:1:1", "65535:1:1"),
            ("rt:4200000000:peer", "rt:4200000000:peer"),
            ("rt:0:4200000000", "rt:0:4200000000"),
        ] {
            assert_eq!(parse(written).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_pattern_is_told_apart() {
        let field = |word: &str| PatternError::Field(word.into());
        for (written, error) in [
            ("", PatternError::Shape),
            ("rs", PatternError::Shape),
            ("rt:1", field("rt")),
            ("rt:1:2:3", PatternError::Shape),
            ("1:2:3:4", PatternError::Shape),
            ("rs:", field("")),
            ("+1:2", field("+1")),
            ("4294967296:0:0", field("4294967296")),
            ("RS:0:peer", field("RS")),
            ("65536:peer", PatternError::TooLarge(65536)),
            ("rt:65536:65537", PatternError::TooLarge(65536)),
            ("peer:region", PatternError::NamesTwice),
            ("65535:peer", PatternError::WellKnown),
            ("65535:0", PatternError::WellKnown),
        ] {
            assert_eq!(parse(written).map(|pattern| pattern.to_string()), Err(error), "{written}");
        }
    }

    #[test]
    fn rs_of_four_octets_fits_where_four_octets_are() {
        let parse = |text| Pattern::parse(text, Asn(196608)).is_ok();
        assert!(parse("rs:0:peer") && parse("rt:0:rs") && parse("rt:rs:peer"));
        assert!(!parse("rs:peer") && !parse("0:rs") && !parse("rt:rs:rs"));
    }

    /// Against every community of small numbers, which is what overlapping means.
    #[test]
    fn patterns_overlap_where_one_community_matches_both() {
        let words = ["0", "1", "2", "peer"];
        let mut patterns = Vec::new();
        for first in words {
            for second in words {
                patterns.extend(parse(&format!("{first}:{second}")));
                patterns.extend(
                    words.map(|third| parse(&format!("{first}:{second}:{third}"))).into_iter().flatten(),
                );
            }
        }
        let matches = |pattern: &Pattern, fields: [u32; 3]| {
            (0..3).all(|at| match pattern.naming_field() {
                Some(field) if field == at => fields[at] != 0,
                _ => pattern.fields[at] == fields[at],
            })
        };
        let communities: Vec<[u32; 3]> =
            (0..64).map(|number| [number % 4, number / 4 % 4, number / 16]).collect();
        for one in &patterns {
            for other in &patterns {
                let equally_exact =
                    one.kind == other.kind && (one.whom() == Whom::All) == (other.whom() == Whom::All);
                let both = communities.iter().any(|fields| matches(one, *fields) && matches(other, *fields));
                assert_eq!(one.overlaps(other), equally_exact && both, "{one} {other}");
            }
        }
    }
}
