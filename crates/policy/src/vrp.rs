//! A validated ROA payload: what the RPKI comes to, once its signatures are checked (RFC 6811 s2).
//!
//! An AS may originate a prefix, and more-specifics of it up to a length. Equal VRPs are one VRP, whichever trust
//! anchors they come from.

use std::fmt;

use palisade_bgp::{Asn, Prefix};

/// A validated ROA payload (RFC 6811 s2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vrp {
    prefix: Prefix,
    max_length: u8,
    asn: Asn,
}

/// A VRP that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VrpError {
    /// RFC 6482 s3.3: maxLength is at least the prefix's length.
    #[error("maxLength {max_length} is shorter than its prefix {prefix}")]
    MaxLengthTooShort {
        /// The VRP's prefix.
        prefix: Prefix,
        /// What was given.
        max_length: u8,
    },
    /// RFC 6482 s3.3: maxLength is at most the width of the family's addresses.
    #[error("maxLength {max_length} is longer than an address of {prefix} has bits")]
    MaxLengthTooLong {
        /// The VRP's prefix.
        prefix: Prefix,
        /// What was given.
        max_length: u8,
    },
}

impl Vrp {
    /// The VRP of these three, where they make sense together.
    pub fn new(prefix: Prefix, max_length: u8, asn: Asn) -> Result<Self, VrpError> {
        let width = match prefix {
            Prefix::V4(_) => 32,
            Prefix::V6(_) => 128,
        };
        if max_length < prefix.len() {
            Err(VrpError::MaxLengthTooShort { prefix, max_length })
        } else if max_length > width {
            Err(VrpError::MaxLengthTooLong { prefix, max_length })
        } else {
            Ok(Vrp { prefix, max_length, asn })
        }
    }

    /// The prefix that is authorized.
    pub fn prefix(self) -> Prefix {
        self.prefix
    }

    /// The greatest length of a route under the prefix that is authorized too.
    pub fn max_length(self) -> u8 {
        self.max_length
    }

    /// The AS that is authorized; AS 0 for none.
    pub fn asn(self) -> Asn {
        self.asn
    }
}

impl fmt::Display for Vrp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} up to /{} {}", self.prefix, self.max_length, self.asn)
    }
}
