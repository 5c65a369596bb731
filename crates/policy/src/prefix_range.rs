//! Ranges of prefixes (RFC 2622 s2): a prefix and which lengths of its more-specifics are meant, `10.0.0.0/8^16-24`.
//!
//! They are in registries' route-sets and in the operator's own rules. Registries say more than there is, and an operator
//! applies as far as it goes ([`PrefixRange::apply`]): `10.0.0.0/8^7-24` is from /8 on. Whoever writes that into a
//! configuration has mistyped it, and is told (`parse`).

use std::fmt;
use std::str::FromStr;

use palisade_bgp::Prefix;
use palisade_bgp::prefix::PrefixError;

/// A prefix and its more-specifics of some lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrefixRange {
    /// What covers them all.
    pub prefix: Prefix,
    /// The shortest length, not below the prefix's own.
    pub low: u8,
    /// The longest, not below `low` and not above the family's.
    pub high: u8,
}

/// What follows a prefix or the name of a set and says which more-specifics are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RangeOperator {
    /// None: just what is named.
    #[default]
    Itself,
    /// `^-`: all more-specifics.
    Longer,
    /// `^+`: itself and all more-specifics.
    OrLonger,
    /// `^n` and `^n-m`: those of these lengths.
    Lengths {
        /// The shortest.
        low: u8,
        /// The longest.
        high: u8,
    },
}

/// Why a text is no prefix range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixRangeError {
    /// What stands before `^` is no prefix.
    #[error(transparent)]
    Prefix(#[from] PrefixError),
    /// What stands after `^` is no operator.
    #[error("after `^` stands `+`, `-`, a length or two lengths, not `{0}`")]
    Operator(String),
    /// A length is shorter than the prefix or longer than an address, or the lengths are the wrong way round.
    #[error("no prefix under {prefix} has a length from {low} to {high}")]
    Lengths {
        /// The prefix.
        prefix: Prefix,
        /// The shortest length.
        low: u8,
        /// The longest.
        high: u8,
    },
}

impl RangeOperator {
    /// Reads what stands behind the `^`; `None` too where no prefix at all has such lengths.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::read(text).filter(|operator| match *operator {
            RangeOperator::Lengths { low, high } => low <= high && high <= 128,
            RangeOperator::Itself | RangeOperator::Longer | RangeOperator::OrLonger => true,
        })
    }

    fn read(text: &str) -> Option<Self> {
        let length = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
            text.parse::<u8>().ok().filter(|_| plain)
        };
        match text {
            "-" => Some(RangeOperator::Longer),
            "+" => Some(RangeOperator::OrLonger),
            _ => {
                let (low, high) = text.split_once('-').unwrap_or((text, text));
                Some(RangeOperator::Lengths { low: length(low)?, high: length(high)? })
            }
        }
    }

    /// Whether applying it twice is as good as once.
    pub(crate) fn is_idempotent(self) -> bool {
        self != RangeOperator::Longer
    }
}

impl fmt::Display for RangeOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RangeOperator::Itself => Ok(()),
            RangeOperator::Longer => f.write_str("^-"),
            RangeOperator::OrLonger => f.write_str("^+"),
            RangeOperator::Lengths { low, high } if low == high => write!(f, "^{low}"),
            RangeOperator::Lengths { low, high } => write!(f, "^{low}-{high}"),
        }
    }
}

impl From<Prefix> for PrefixRange {
    fn from(prefix: Prefix) -> Self {
        PrefixRange { prefix, low: prefix.len(), high: prefix.len() }
    }
}

impl FromStr for PrefixRange {
    type Err = PrefixRangeError;

    fn from_str(text: &str) -> Result<Self, PrefixRangeError> {
        let Some((prefix, operator)) = text.split_once('^') else {
            return Ok(PrefixRange::from(text.parse::<Prefix>()?));
        };
        let prefix: Prefix = prefix.parse()?;
        let wrong = || PrefixRangeError::Operator(operator.into());
        let (low, high) = PrefixRange::from(prefix).lengths(RangeOperator::read(operator).ok_or_else(wrong)?);
        if prefix.len() <= low && low <= high && high <= longest(prefix) {
            Ok(PrefixRange { prefix, low, high })
        } else {
            Err(PrefixRangeError::Lengths { prefix, low, high })
        }
    }
}

impl PrefixRange {
    /// What an operator makes of every prefix of the range together; `None` where nothing is left.
    pub fn apply(self, operator: RangeOperator) -> Option<PrefixRange> {
        let (low, high) = self.lengths(operator);
        let (low, high) = (low.max(self.low), high.min(longest(self.prefix)));
        (low <= high).then_some(PrefixRange { low, high, ..self })
    }

    /// The lengths that an operator asks for, whether there are such or not.
    fn lengths(self, operator: RangeOperator) -> (u8, u8) {
        match operator {
            RangeOperator::Itself => (self.low, self.high),
            RangeOperator::Longer => (self.low.saturating_add(1), longest(self.prefix)),
            RangeOperator::OrLonger => (self.low, longest(self.prefix)),
            RangeOperator::Lengths { low, high } => (low, high),
        }
    }

    /// Whether a prefix is in it.
    pub fn contains(self, prefix: Prefix) -> bool {
        self.prefix.covers(prefix) && (self.low..=self.high).contains(&prefix.len())
    }
}

impl fmt::Display for PrefixRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PrefixRange { prefix, low, high } = *self;
        let shortest = [RangeOperator::Itself, RangeOperator::Longer, RangeOperator::OrLonger];
        let is_it = |operator: &RangeOperator| PrefixRange::from(prefix).apply(*operator) == Some(*self);
        let operator = shortest.into_iter().find(is_it).unwrap_or(RangeOperator::Lengths { low, high });
        write!(f, "{prefix}{operator}")
    }
}

fn longest(prefix: Prefix) -> u8 {
    match prefix {
        Prefix::V4(_) => 32,
        Prefix::V6(_) => 128,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> PrefixRange {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_is_shown_as_it_is_written() {
        for text in [
            "10.0.0.0/8",
            "10.0.0.0/8^+",
            "10.0.0.0/8^-",
            "10.0.0.0/8^24",
            "10.0.0.0/8^16-24",
            "2001:db8::/32^48",
        ] {
            assert_eq!(range(text).to_string(), text);
        }
        assert_eq!(range("10.0.0.0/8^9-32").to_string(), "10.0.0.0/8^-");
    }

    #[test]
    fn what_is_no_range_is_told_apart() {
        for text in ["10.0.0.0/8^33", "10.0.0.0/8^7", "10.0.0.0/8^24-16", "10.0.0.1/32^-"] {
            let error = text.parse::<PrefixRange>().unwrap_err();
            assert!(matches!(error, PrefixRangeError::Lengths { .. }), "{text}");
        }
        for text in ["10.0.0.0/8^", "10.0.0.0/8^a", "10.0.0.0/8^+24", "10.0.0.0/8^16-", "10.0.0.0/8^256"] {
            let error = text.parse::<PrefixRange>().unwrap_err();
            assert!(matches!(error, PrefixRangeError::Operator(_)), "{text}");
        }
        assert!(matches!("10.0.0.1/8^+".parse::<PrefixRange>(), Err(PrefixRangeError::Prefix(_))));
    }

    #[test]
    fn what_a_registry_asks_for_too_much_is_cut_to_what_there_is() {
        let applied = |low, high| range("10.0.0.0/8").apply(RangeOperator::Lengths { low, high });
        assert_eq!(applied(7, 24), Some(range("10.0.0.0/8^8-24")));
        assert_eq!(applied(24, 64), Some(range("10.0.0.0/8^24-32")));
        assert_eq!((applied(33, 64), applied(24, 16), applied(0, 7)), (None, None, None));
    }
}
