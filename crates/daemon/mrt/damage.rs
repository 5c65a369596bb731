//! What is wrong with a part of an MRT file, and where.

use std::fmt;
use std::net::IpAddr;

use super::kind::Kind;

/// A part of an MRT file that can't be read. The file is read on after it wherever a record can be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Where the record starts, in octets of the unpacked stream.
    pub(crate) offset: u64,
    /// What is wrong.
    pub(crate) fault: Fault,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at offset {}: {}", self.offset, self.fault)
    }
}

/// What can be wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// Its length can't be true.
    #[error("a {kind} record claims {length} octets, more than the {limit} such a record can have")]
    Length {
        /// What it claims to be.
        kind: Kind,
        /// What it claims to have.
        length: u32,
        /// What there can be.
        limit: usize,
    },
    /// No header of a record is there.
    #[error("what should be a record's header is none ({kind}, {length} octets)")]
    Header {
        /// What the octets spell.
        kind: Kind,
        /// What the octets spell.
        length: u32,
    },
    /// The file ends within it.
    #[error("the file ends after {held} of the record's {wanted} octets")]
    Cut {
        /// Octets that the record has, its header among them.
        wanted: usize,
        /// Octets that are there.
        held: usize,
    },
    /// The file ends within its compressed data. Says so in full: the name, the place and what to do.
    #[error("{0}")]
    CutInput(String),
    /// The file can't be read any further. Says so in full: the name, the place and what to do.
    #[error("{0}")]
    Unreadable(String),
    /// A field is not all there.
    #[error("the record ends within its {0}")]
    Short(&'static str),
    /// Something follows where the record should end.
    #[error("{0} octets follow the end of the record's last entry")]
    Trailing(usize),
    /// An address family that is neither IPv4 nor IPv6.
    #[error("address family {0} is neither IPv4 (1) nor IPv6 (2)")]
    Family(u16),
    /// A prefix longer than an address.
    #[error("a prefix of {0} bits is longer than an address")]
    PrefixLength(u8),
    /// Routes come before the list of the peers that announce them.
    #[error("its peers are not known: no peer index table came before it")]
    NoPeerIndexTable,
    /// An entry names a peer that the list does not have.
    #[error("it names peer {index} of a peer index table of {peers}")]
    NoSuchPeer {
        /// As the entry says.
        index: u16,
        /// As many as the table has.
        peers: usize,
    },
    /// More peers than we keep apart.
    #[error("peer {0} is one more than the {limit} that are kept apart", limit = super::peers::MAX_PEERS)]
    TooManyPeers(IpAddr),
    /// The message in it is no BGP message.
    #[error("its BGP message is none: {0}")]
    Message(String),
    /// The UPDATE in it would end a session.
    #[error("its UPDATE can't be read: {0}")]
    Update(String),
}

impl Fault {
    /// How many octets of a body of `length` are surely the record's own, where the rest may hide others because the
    /// record does not end where it says.
    pub(super) fn sound(&self, length: usize) -> Option<usize> {
        match self {
            Fault::Trailing(octets) => Some(length.saturating_sub(*octets)),
            Fault::Short(_) | Fault::Message(_) => Some(0),
            _ => None,
        }
    }
}
