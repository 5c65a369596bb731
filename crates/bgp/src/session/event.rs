//! What a session has to tell: that it came up, what the peer said, and why it ended.

use std::fmt::{self, Display, Formatter};

use crate::negotiated::Negotiated;
use crate::notification::Notification;
use crate::prefix::Family;
use crate::update::Update;

/// What happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// The session is up.
    Established(Negotiated),
    /// Routes.
    Update(Update<'a>),
    /// The peer asks for all routes of a family again.
    RouteRefresh(Family),
    /// What follows is all routes of a family, told again (BoRR, RFC 7313).
    RefreshBegins(Family),
    /// All of them have been told: what was not among them is no more (EoRR, RFC 7313).
    RefreshEnds(Family),
    /// The peer sent a ROUTE-REFRESH that is passed over.
    RefreshIgnored(IgnoredRefresh),
    /// The session that was up is down.
    Down {
        /// Why.
        reason: DownReason,
        /// The families whose routes are to be kept as stale for the peer's return (RFC 4724 s4.2, RFC 8538 s4), by
        /// [`Family::index`].
        retained: [bool; 2],
    },
    /// An attempt ended before the session was up: there are no routes to take back.
    Failed(DownReason),
}

/// A ROUTE-REFRESH of a family that was not negotiated, of a subtype that nobody has defined, or that marks a refresh to one who
/// did not say that it understands that (RFC 2918 s4, RFC 7313 s5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IgnoredRefresh {
    /// The address family.
    pub afi: u16,
    /// The subsequent address family.
    pub safi: u8,
    /// What it asks for or marks.
    pub subtype: u8,
}

impl Display for IgnoredRefresh {
    /// `AFI 25, SAFI 70, subtype 0`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let IgnoredRefresh { afi, safi, subtype } = self;
        write!(f, "AFI {afi}, SAFI {safi}, subtype {subtype}")
    }
}

/// Why a session, or an attempt at one, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DownReason {
    /// We sent a NOTIFICATION: of the peer's fault, or a Cease of our own.
    Sent {
        /// What it said.
        notification: Notification,
        /// The message that caused it; nothing where none did.
        cause: Cause,
    },
    /// The peer sent one.
    Received(Notification),
    /// The connection closed without a word.
    ConnectionLost,
    /// We closed it without a word, to come back after a restart.
    Left,
}

impl DownReason {
    /// A NOTIFICATION that no message caused.
    pub(crate) fn sent(notification: Notification) -> Self {
        DownReason::Sent { notification, cause: Cause::default() }
    }
}

impl Display for DownReason {
    /// `sent UPDATE message error: malformed AS_PATH (3/11), because of 57 octets: 003902..`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            DownReason::Sent { notification, cause } if cause.total == 0 => write!(f, "sent {notification}"),
            DownReason::Sent { notification, cause } => write!(f, "sent {notification}, because of {cause}"),
            DownReason::Received(notification) => write!(f, "received {notification}"),
            DownReason::ConnectionLost => f.write_str("connection lost"),
            DownReason::Left => f.write_str("left for a restart of ours"),
        }
    }
}

/// The message for which a session ended, or its beginning: enough to see what a peer does wrong, and never so much
/// that it could fill a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    octets: Vec<u8>,
    total: usize,
}

impl Cause {
    /// Octets that are kept.
    pub const MAX_OCTETS: usize = 64;

    /// The cause that these octets are: a message without its marker, which says nothing, or what is no message.
    pub(crate) fn new(message: &[u8]) -> Self {
        Cause { octets: message.iter().take(Cause::MAX_OCTETS).copied().collect(), total: message.len() }
    }

    /// The first of its octets, at most [`Cause::MAX_OCTETS`].
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Octets that it has in all.
    pub fn total(&self) -> usize {
        self.total
    }
}

impl Display for Cause {
    /// `4077 octets: 0ffd02..`, all of them where they are few.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets: ", self.total)?;
        self.octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
        f.write_str(if self.octets.len() < self.total { ".." } else { "" })
    }
}
