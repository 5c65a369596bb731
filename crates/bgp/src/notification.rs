//! NOTIFICATION: what was wrong, told to the peer before the connection closes (RFC 4271 s4.5, s6).
//!
//! Inside the crate a fault is a [`Violation`], one variant for each thing a peer can do wrong, or a [`Cease`], one for
//! each reason of our own. Either becomes a [`Notification`], whose code, subcode and data are exactly what the RFCs
//! ask for. What a peer sends us is kept as it came, and shown in the words of IANA's registry.

use std::fmt;

use crate::message::{HEADER_LEN, MAX_EXTENDED_LEN, MAX_LEN, MessageKind, finish, start};
use crate::prefix::Family;

/// The most data a NOTIFICATION carries: what the longest message has room for.
pub const MAX_DATA: usize = MAX_EXTENDED_LEN - HEADER_LEN - 2;

const CEASE_CODE: u8 = 6;
const HARD_RESET: u8 = 9;

/// The most octets of a shutdown communication (RFC 9003 s2).
pub const MAX_COMMUNICATION: usize = 255;

/// A NOTIFICATION, sent or received.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Notification {
    /// The error code.
    pub code: u8,
    /// The error subcode, 0 where the code has none.
    pub subcode: u8,
    /// What the code and subcode say it holds, at most [`MAX_DATA`] octets.
    pub data: Vec<u8>,
}

impl Notification {
    /// The notification of a code, a subcode and its data, which is cut to [`MAX_DATA`] octets.
    pub fn new(code: u8, subcode: u8, data: &[u8]) -> Self {
        Notification { code, subcode, data: data[..data.len().min(MAX_DATA)].to_vec() }
    }

    /// The notification in the body of a message; one too short to hold a code and a subcode reads as code 0.
    pub fn decode(body: &[u8]) -> Self {
        match body {
            [code, subcode, data @ ..] => Notification::new(*code, *subcode, data),
            _ => Notification::new(0, 0, &[]),
        }
    }

    /// The whole message, its data cut to what any peer takes.
    pub fn encode(&self) -> Vec<u8> {
        self.encode_within(MAX_LEN)
    }

    /// The whole message, its data cut so that it has no more than `max` octets. Only a peer that said so takes more than 4,096 (RFC
    /// 8654 s5).
    pub(crate) fn encode_within(&self, max: usize) -> Vec<u8> {
        let room = max.clamp(MAX_LEN, MAX_EXTENDED_LEN) - HEADER_LEN - 2;
        let mut out = Vec::with_capacity(HEADER_LEN + 2 + self.data.len());
        let message = start(MessageKind::Notification, &mut out);
        out.extend([self.code, self.subcode]);
        out.extend_from_slice(&self.data[..self.data.len().min(room)]);
        finish(message, &mut out);
        out
    }

    /// A Hard Reset with this as what it says besides: the peer is to keep no routes for our return (RFC 8538 s3).
    pub(crate) fn hard_reset(&self) -> Notification {
        let said = [&[self.code, self.subcode], &self.data[..]].concat();
        Notification::new(CEASE_CODE, HARD_RESET, &said)
    }

    /// What a Hard Reset says besides; `None` where this is none, or says nothing.
    pub fn encapsulated(&self) -> Option<Notification> {
        match &self.data[..] {
            [code, subcode, data @ ..] if self.is_hard_reset() => {
                Some(Notification::new(*code, *subcode, data))
            }
            _ => None,
        }
    }

    /// Whether it ends a session that was in order: a Cease (RFC 4486).
    pub fn is_cease(&self) -> bool {
        self.code == CEASE_CODE
    }

    /// Whether it ends the session for good: no routes are kept for a return (RFC 8538 s3).
    pub fn is_hard_reset(&self) -> bool {
        (self.code, self.subcode) == (CEASE_CODE, HARD_RESET)
    }

    /// Whether it says that the peer kept another connection (RFC 4271 s6.8), whatever else it says.
    pub(crate) fn is_collision_resolution(&self) -> bool {
        (self.code, self.subcode) == (CEASE_CODE, 7)
    }

    /// The operator's words in a Cease for a shutdown or reset, where there are any (RFC 9003). They are the peer's: whatever
    /// is no plain text is escaped, so that they can stand in a log.
    pub fn communication(&self) -> Option<String> {
        let (&len, rest) =
            self.data.split_first().filter(|_| self.code == 6 && matches!(self.subcode, 2 | 4))?;
        let text = rest.get(..usize::from(len)).filter(|text| !text.is_empty())?;
        Some(String::from_utf8_lossy(text).escape_debug().to_string())
    }

    fn names(&self) -> (&'static str, &'static str) {
        let (code, subcodes): (_, &[&str]) = match self.code {
            1 => ("message header error", &HEADER),
            2 => ("OPEN message error", &OPEN),
            3 => ("UPDATE message error", &UPDATE),
            4 => ("hold timer expired", &[]),
            5 => ("finite state machine error", &STATE_MACHINE),
            6 => ("cease", &CEASE),
            7 => ("ROUTE-REFRESH message error", &ROUTE_REFRESH),
            8 => ("send hold timer expired", &[]),
            _ => ("unknown error", &[]),
        };
        (code, subcodes.get(usize::from(self.subcode)).copied().unwrap_or_default())
    }
}

impl fmt::Display for Notification {
    /// `OPEN message error: bad peer AS (2/2)`; `cease: hard reset (6/9), cease: peer de-configured (6/3)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, subcode) = self.names();
        let colon = if subcode.is_empty() { "" } else { ": " };
        write!(f, "{code}{colon}{subcode} ({}/{})", self.code, self.subcode)?;
        if let Some(words) = self.communication() {
            write!(f, " \"{words}\"")?;
        }
        // A Hard Reset in a Hard Reset says nothing more, however deep a peer stacks them.
        match self.encapsulated().filter(|inner| !inner.is_hard_reset()) {
            Some(inner) => write!(f, ", {inner}"),
            None => Ok(()),
        }
    }
}

// The subcodes' names, by their number (IANA, "BGP Error Subcodes").
const HEADER: [&str; 4] = ["", "connection not synchronized", "bad message length", "bad message type"];
const OPEN: [&str; 12] = [
    "",
    "unsupported version number",
    "bad peer AS",
    "bad BGP identifier",
    "unsupported optional parameter",
    "",
    "unacceptable hold time",
    "unsupported capability",
    "",
    "",
    "",
    "role mismatch",
];
const UPDATE: [&str; 12] = [
    "",
    "malformed attribute list",
    "unrecognized well-known attribute",
    "missing well-known attribute",
    "attribute flags error",
    "attribute length error",
    "invalid ORIGIN attribute",
    "",
    "invalid NEXT_HOP attribute",
    "optional attribute error",
    "invalid network field",
    "malformed AS_PATH",
];
const STATE_MACHINE: [&str; 4] = [
    "",
    "unexpected message in OpenSent",
    "unexpected message in OpenConfirm",
    "unexpected message in Established",
];
const CEASE: [&str; 11] = [
    "",
    "maximum number of prefixes reached",
    "administrative shutdown",
    "peer de-configured",
    "administrative reset",
    "connection rejected",
    "other configuration change",
    "connection collision resolution",
    "out of resources",
    "hard reset",
    "BFD down",
];
const ROUTE_REFRESH: [&str; 2] = ["", "invalid message length"];

/// What a peer did wrong. Slices are what the notification quotes: whole attributes (type, length and value).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation<'a> {
    /// A header whose marker is not all ones.
    Marker,
    /// A message length out of the bounds of its type, or of all messages.
    Length(u16),
    /// A message type that nobody assigned.
    Kind(u8),
    /// An OPEN of another version than 4.
    Version,
    /// An OPEN from another AS than the one configured, or from AS 0 (RFC 7607).
    PeerAs,
    /// A BGP identifier of 0, or equal to ours within our own AS (RFC 6286).
    RouterId,
    /// An optional parameter that is no capabilities parameter.
    OptionalParameter,
    /// Optional parameters or capabilities whose lengths do not add up.
    OpenSyntax,
    /// A hold time of 1 or 2 seconds.
    HoldTime,
    /// What it says that it is to us does not go with what we are to it (RFC 9234 s4.2).
    RoleMismatch,
    /// No address family in common; the capabilities that were asked for (RFC 5492 s5).
    Capability(&'a [u8]),
    /// The lengths of an UPDATE's fields do not add up, or MP_REACH_NLRI or MP_UNREACH_NLRI came twice.
    AttributeList,
    /// A well-known attribute that does not exist.
    UnrecognizedWellKnown(&'a [u8]),
    /// A mandatory attribute, by its type, that is missing.
    MissingWellKnown(u8),
    /// An attribute whose flags contradict its type.
    AttributeFlags(&'a [u8]),
    /// An attribute whose length contradicts its type.
    AttributeLength(&'a [u8]),
    /// An ORIGIN of an unknown value.
    Origin(&'a [u8]),
    /// An optional attribute whose value is wrong.
    OptionalAttribute(&'a [u8]),
    /// Withdrawn routes or NLRI of the UPDATE's own fields that are no prefixes.
    NetworkField,
    /// An AS_PATH that is no path.
    AsPath,
    /// Silence for longer than the hold time.
    HoldTimerExpired,
    /// It does not read what it is sent (RFC 9687).
    SendHoldTimerExpired,
    /// A mark of a refresh whose length is not that of one; the whole message (RFC 7313 s5).
    RefreshLength(&'a [u8]),
    /// A message that its state does not allow (RFC 6608): 1 OpenSent, 2 OpenConfirm, 3 Established, and the message.
    Unexpected(u8, MessageKind),
}

impl From<Violation<'_>> for Notification {
    fn from(violation: Violation<'_>) -> Self {
        use Violation::*;
        let plain = |code, subcode| Notification::new(code, subcode, &[]);
        match violation {
            Marker => plain(1, 1),
            Length(length) => Notification::new(1, 2, &length.to_be_bytes()),
            Kind(kind) => Notification::new(1, 3, &[kind]),
            // The data is the version that we speak (RFC 4271 s6.2).
            Version => Notification::new(2, 1, &[0, 4]),
            PeerAs => plain(2, 2),
            RouterId => plain(2, 3),
            OptionalParameter => plain(2, 4),
            OpenSyntax => plain(2, 0),
            HoldTime => plain(2, 6),
            RoleMismatch => plain(2, 11),
            Capability(wanted) => Notification::new(2, 7, wanted),
            AttributeList => plain(3, 1),
            UnrecognizedWellKnown(attribute) => Notification::new(3, 2, attribute),
            MissingWellKnown(code) => Notification::new(3, 3, &[code]),
            AttributeFlags(attribute) => Notification::new(3, 4, attribute),
            AttributeLength(attribute) => Notification::new(3, 5, attribute),
            Origin(attribute) => Notification::new(3, 6, attribute),
            OptionalAttribute(attribute) => Notification::new(3, 9, attribute),
            NetworkField => plain(3, 10),
            AsPath => plain(3, 11),
            HoldTimerExpired => plain(4, 0),
            SendHoldTimerExpired => plain(8, 0),
            RefreshLength(message) => Notification::new(7, 1, message),
            Unexpected(state, kind) => Notification::new(5, state, &[kind as u8]),
        }
    }
}

/// Why we end a session that was in order (RFC 4486).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cease {
    /// The peer sent more prefixes than it may: of a family, where the limit is a family's.
    MaximumPrefixes(Option<(Family, u32)>),
    /// An operator shut the session down, and may have said why (RFC 9003).
    AdministrativeShutdown(String),
    /// The peer is no longer configured.
    PeerDeconfigured,
    /// An operator reset the session, and may have said why (RFC 9003).
    AdministrativeReset(String),
    /// The connection is refused.
    ConnectionRejected,
    /// The configuration changed in a way that needs a new session.
    OtherConfigurationChange,
    /// Another connection with the same peer was kept (RFC 4271 s6.8).
    CollisionResolution,
    /// Something of ours is exhausted.
    OutOfResources,
}

impl Cease {
    /// Whether the session is not to come back as it was, so that nothing is worth keeping for that: what ends for long, and
    /// what we knew of the peer and holds no more. The advice of RFC 8538 s5.1, where an operator's reset is the one that may
    /// well be graceful.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Cease::MaximumPrefixes(_)
            | Cease::AdministrativeShutdown(_)
            | Cease::PeerDeconfigured
            | Cease::OtherConfigurationChange => true,
            Cease::AdministrativeReset(_)
            | Cease::ConnectionRejected
            | Cease::CollisionResolution
            | Cease::OutOfResources => false,
        }
    }
}

impl From<&Cease> for Notification {
    fn from(cease: &Cease) -> Self {
        let plain = |subcode| Notification::new(6, subcode, &[]);
        match cease {
            Cease::MaximumPrefixes(None) => plain(1),
            Cease::MaximumPrefixes(Some((family, limit))) => {
                let mut data = [0; 7];
                data[..2].copy_from_slice(&family.afi().to_be_bytes());
                data[2] = 1;
                data[3..].copy_from_slice(&limit.to_be_bytes());
                Notification::new(6, 1, &data)
            }
            Cease::AdministrativeShutdown(words) => Notification::new(6, 2, &communication(words)),
            Cease::PeerDeconfigured => plain(3),
            Cease::AdministrativeReset(words) => Notification::new(6, 4, &communication(words)),
            Cease::ConnectionRejected => plain(5),
            Cease::OtherConfigurationChange => plain(6),
            Cease::CollisionResolution => plain(7),
            Cease::OutOfResources => plain(8),
        }
    }
}

/// A shutdown communication: a length and as many whole characters as fit (RFC 9003 s2). No words, no octets.
fn communication(words: &str) -> Vec<u8> {
    if words.is_empty() {
        return Vec::new();
    }
    let mut end = words.len().min(MAX_COMMUNICATION);
    while !words.is_char_boundary(end) {
        end -= 1;
    }
    std::iter::once(u8::try_from(end).unwrap_or(u8::MAX)).chain(words[..end].bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_survives_the_wire_and_reads_as_the_registry_does() {
        let sent = Notification::from(Violation::PeerAs);
        assert_eq!(Notification::decode(&sent.encode()[HEADER_LEN..]), sent);
        assert_eq!(sent.to_string(), "OPEN message error: bad peer AS (2/2)");
        assert_eq!(Notification::new(99, 3, &[]).to_string(), "unknown error (99/3)");
        assert_eq!(Notification::from(Violation::HoldTimerExpired).to_string(), "hold timer expired (4/0)");
    }

    #[test]
    fn a_shutdown_carries_the_operators_words_cut_between_characters() {
        let words = "é".repeat(200);
        let sent = Notification::from(&Cease::AdministrativeShutdown(words));
        assert_eq!(sent.data.len(), 255);
        assert_eq!(sent.communication(), Some("é".repeat(127)));
        assert_eq!(Notification::from(&Cease::AdministrativeReset(String::new())).communication(), None);
    }

    #[test]
    fn a_peers_words_cannot_forge_a_line_of_a_log() {
        let hostile = Notification::new(6, 2, b"\x05a\nb\xff!");
        assert_eq!(hostile.communication().unwrap(), "a\\nb\u{fffd}!");
        assert_eq!(Notification::new(6, 2, &[200, b'a']).communication(), None);
    }

    #[test]
    fn data_is_bounded_by_what_the_peer_takes() {
        let notification = Notification::new(3, 5, &[0; 70_000]);
        assert_eq!(notification.encode().len(), MAX_LEN);
        assert_eq!(notification.encode_within(MAX_EXTENDED_LEN).len(), MAX_EXTENDED_LEN);
        assert_eq!(notification.encode_within(usize::MAX).len(), MAX_EXTENDED_LEN);
        assert_eq!(notification.hard_reset().data.len(), MAX_DATA);
    }

    #[test]
    fn a_hard_reset_says_what_it_is_for_and_only_once() {
        let shutdown = Notification::from(&Cease::AdministrativeShutdown("disk".into()));
        let hard = shutdown.hard_reset();
        assert_eq!(hard.data, [&[6, 2, 4][..], b"disk"].concat());
        assert_eq!(hard.encapsulated(), Some(shutdown));
        assert_eq!(
            hard.to_string(),
            "cease: hard reset (6/9), cease: administrative shutdown (6/2) \"disk\""
        );
        let stacked = Notification::new(6, 9, &[6, 9].repeat(2000));
        assert_eq!(stacked.to_string(), "cease: hard reset (6/9)");
        assert_eq!(Notification::new(6, 9, &[6]).encapsulated(), None);
    }
}
