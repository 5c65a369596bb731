//! What was wrong with an attribute, and what it led to (RFC 7606).

use std::fmt;

use crate::attribute_table;

/// What a fault leads to, weakest first: of several, the strongest counts (RFC 7606 s3.h).
///
/// RFC 7606 s2 knows one more, "AFI/SAFI disable", as another choice wherever a session reset is asked for because
/// MP_REACH_NLRI or MP_UNREACH_NLRI cannot be read. The reset is what both ends survive knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The attribute is left out, and the rest stands.
    AttributeDiscard,
    /// The routes count as withdrawn.
    TreatAsWithdraw,
    /// The session ends with a NOTIFICATION.
    SessionReset,
}

impl Outcome {
    /// As a word of programs.
    pub const fn slug(self) -> &'static str {
        match self {
            Outcome::AttributeDiscard => "attribute-discard",
            Outcome::TreatAsWithdraw => "treat-as-withdraw",
            Outcome::SessionReset => "session-reset",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::AttributeDiscard => "attribute discarded",
            Outcome::TreatAsWithdraw => "treated as withdrawn",
            Outcome::SessionReset => "session reset",
        })
    }
}

/// What was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wrong {
    /// Its flags contradict its type (RFC 7606 s3.c).
    Flags,
    /// Its length is not one that its type has.
    Length,
    /// Its value is not one that its type has.
    Value,
    /// It ends after the attributes do (RFC 7606 s4).
    Overrun,
    /// It came before in the same message (RFC 7606 s3.g).
    Duplicate,
    /// It is mandatory, and it is not there (RFC 7606 s3.d).
    Missing,
    /// It is for within an AS, and came from outside (RFC 7606 s7.5, s7.9, s7.10).
    External,
    /// It is for peers without four-octet AS numbers, and came from one with them (RFC 6793 s6).
    FourOctetPeer,
    /// Confederation segments in a path from outside the AS (RFC 5065 s5).
    Confederation,
    /// It is marked well-known, and nobody knows it (RFC 4271 s6.3).
    Unrecognized,
    /// Prefixes that are no prefixes (RFC 7606 s5.3).
    Nlri,
    /// One family is announced twice in a message, with two next hops.
    NextHops,
    /// The attributes are longer than a set of attributes may be.
    TooLong,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Wrong::Flags => "wrong flags",
            Wrong::Length => "wrong length",
            Wrong::Value => "malformed value",
            Wrong::Overrun => "longer than the attributes' field",
            Wrong::Duplicate => "repeated",
            Wrong::Missing => "missing",
            Wrong::External => "from an external peer",
            Wrong::FourOctetPeer => "from a peer with four-octet AS numbers",
            Wrong::Confederation => "confederation segments from an external peer",
            Wrong::Unrecognized => "unrecognized well-known attribute",
            Wrong::Nlri => "malformed prefixes",
            Wrong::NextHops => "two next hops for one family",
            Wrong::TooLong => "too many octets of attributes",
        })
    }
}

/// One fault in an UPDATE's attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// The attribute's type code.
    pub attribute: u8,
    /// What was wrong.
    pub wrong: Wrong,
    /// What it led to.
    pub outcome: Outcome,
}

impl fmt::Display for Fault {
    /// `COMMUNITIES (8): wrong length, treated as withdrawn`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = attribute_table::name(self.attribute);
        write!(f, "{name} ({}): {}, {}", self.attribute, self.wrong, self.outcome)
    }
}
