//! What an MRT record is, by its type and subtype (RFC 6396 s4, RFC 8050 s4), and how long one can honestly be.
//!
//! The lengths matter: a header is all there is to say where the next record starts, so one that claims more than its
//! kind can hold is damage, not a record. The names are IANA's, by way of bgpkit's model of them.

use std::fmt;

use bgpkit_parser::models::EntryType;
use palisade_bgp::Family;

/// The longest record of any kind, in octets. A peer index table of 65,535 peers takes 1.7 MB and a route that a
/// thousand peers announce some 200 kB; nobody writes records of tens of megabytes.
pub(crate) const MAX_RECORD: usize = 16 << 20;

/// A BGP message of the largest size (RFC 8654) and the addresses and AS numbers before it.
const MAX_MESSAGE: usize = 65_535 + 64;

/// TABLE_DUMP records of before 2001 hold some 8 kB of entries; all later ones hold one.
const MAX_TABLE_DUMP: usize = 1 << 20;

/// A record's type and subtype.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Kind {
    /// RFC 6396 s4, IANA's "MRT Types".
    pub(crate) kind: u16,
    /// Of that type's own registry.
    pub(crate) subtype: u16,
}

/// The width of a message's AS numbers, and whether it speaks ADD-PATH, as its subtype says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MessageForm {
    /// The `_AS4` subtypes.
    pub(crate) four_octet_as: bool,
    /// The `_ADDPATH` subtypes (RFC 8050 s3).
    pub(crate) add_path: bool,
}

/// How a record's body is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// Type 5's UPDATE, without a message header (RFC 6396 B.2.1).
    OldUpdate,
    /// Type 5's STATE_CHANGE.
    OldStateChange,
    /// Type 5's OPEN, NOTIFY and KEEPALIVE.
    OldOther,
    /// TABLE_DUMP: routes of one family (RFC 6396 s4.2).
    TableDump(Family),
    /// TABLE_DUMP_V2's list of peers (RFC 6396 s4.3.1).
    PeerIndexTable,
    /// TABLE_DUMP_V2's routes of one prefix (RFC 6396 s4.3.2, RFC 8050 s4).
    Rib {
        /// Of the prefix.
        family: Family,
        /// Whether each entry has a path identifier.
        add_path: bool,
    },
    /// BGP4MP's messages (RFC 6396 s4.4.2).
    Message(MessageForm),
    /// BGP4MP's session states (RFC 6396 s4.4.1).
    StateChange {
        /// `STATE_CHANGE_AS4`.
        four_octet_as: bool,
    },
    /// Something that holds no unicast routes, or not in a form that is read here.
    Unread,
}

impl Kind {
    pub(crate) const TABLE_DUMP: u16 = 12;
    pub(crate) const TABLE_DUMP_V2: u16 = 13;
    pub(crate) const BGP4MP: u16 = 16;
    pub(crate) const BGP4MP_ET: u16 = 17;
    const BGP: u16 = 5;

    /// How to read the body; for BGP4MP_ET, what follows its microseconds.
    pub(crate) fn body(self) -> Body {
        match (self.kind, self.subtype) {
            (Self::BGP, 1) => Body::OldUpdate,
            (Self::BGP, 3) => Body::OldStateChange,
            (Self::BGP, 5..=7) => Body::OldOther,
            (Self::TABLE_DUMP, 1) => Body::TableDump(Family::Ipv4),
            (Self::TABLE_DUMP, 2) => Body::TableDump(Family::Ipv6),
            (Self::TABLE_DUMP_V2, 1) => Body::PeerIndexTable,
            (Self::TABLE_DUMP_V2, 2) => Body::Rib { family: Family::Ipv4, add_path: false },
            (Self::TABLE_DUMP_V2, 4) => Body::Rib { family: Family::Ipv6, add_path: false },
            (Self::TABLE_DUMP_V2, 8) => Body::Rib { family: Family::Ipv4, add_path: true },
            (Self::TABLE_DUMP_V2, 10) => Body::Rib { family: Family::Ipv6, add_path: true },
            (Self::BGP4MP | Self::BGP4MP_ET, subtype) => bgp4mp(subtype),
            _ => Body::Unread,
        }
    }

    /// The most octets an honest record of this kind has.
    pub(super) fn limit(self) -> usize {
        match self.kind {
            Self::BGP | Self::BGP4MP | Self::BGP4MP_ET => MAX_MESSAGE,
            Self::TABLE_DUMP => MAX_TABLE_DUMP,
            _ => MAX_RECORD,
        }
    }

    /// Whether the type is one of BGP's and the subtype one it has: what can be believed of a header by itself.
    pub(super) fn is_familiar(self) -> bool {
        match self.kind {
            Self::BGP => matches!(self.subtype, 0..=7),
            Self::TABLE_DUMP => matches!(self.subtype, 1 | 2),
            Self::TABLE_DUMP_V2 => matches!(self.subtype, 1..=12),
            Self::BGP4MP | Self::BGP4MP_ET => matches!(self.subtype, 0..=11),
            _ => false,
        }
    }
}

fn bgp4mp(subtype: u16) -> Body {
    let message = |four_octet_as, add_path| Body::Message(MessageForm { four_octet_as, add_path });
    match subtype {
        0 => Body::StateChange { four_octet_as: false },
        5 => Body::StateChange { four_octet_as: true },
        // MESSAGE and MESSAGE_LOCAL: what was received, and what the writer sent itself.
        1 | 6 => message(false, false),
        4 | 7 => message(true, false),
        8 | 10 => message(false, true),
        9 | 11 => message(true, true),
        _ => Body::Unread,
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match EntryType::try_from(self.kind) {
            Ok(known) => write!(f, "{known:?} subtype {}", self.subtype),
            Err(_) => write!(f, "type {} subtype {}", self.kind, self.subtype),
        }
    }
}
