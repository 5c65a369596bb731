//! BGP roles: what each end takes itself to be to the other (RFC 9234 s4).

use std::fmt;

/// What a speaker is to its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum BgpRole {
    /// It gives the peer transit.
    Provider = 0,
    /// It is an exchange's route server, and the peer a member.
    RouteServer = 1,
    /// It is a member of an exchange, and the peer its route server.
    RouteServerClient = 2,
    /// It buys transit from the peer.
    Customer = 3,
    /// Neither pays the other.
    Peer = 4,
}

impl BgpRole {
    pub(super) const fn from_octet(octet: u8) -> Option<Self> {
        match octet {
            0 => Some(BgpRole::Provider),
            1 => Some(BgpRole::RouteServer),
            2 => Some(BgpRole::RouteServerClient),
            3 => Some(BgpRole::Customer),
            4 => Some(BgpRole::Peer),
            _ => None,
        }
    }

    /// What the peer of a speaker in this role is to it: the only role that agrees (RFC 9234 s4.2, table 2).
    pub const fn opposite(self) -> Self {
        match self {
            BgpRole::Provider => BgpRole::Customer,
            BgpRole::RouteServer => BgpRole::RouteServerClient,
            BgpRole::RouteServerClient => BgpRole::RouteServer,
            BgpRole::Customer => BgpRole::Provider,
            BgpRole::Peer => BgpRole::Peer,
        }
    }
}

impl fmt::Display for BgpRole {
    /// As IANA's registry has them: `RS-Client`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BgpRole::Provider => "Provider",
            BgpRole::RouteServer => "RS",
            BgpRole::RouteServerClient => "RS-Client",
            BgpRole::Customer => "Customer",
            BgpRole::Peer => "Peer",
        })
    }
}
