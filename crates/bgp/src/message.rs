//! Framing: where one message ends and the next begins (RFC 4271 s4.1, s6.1).
//!
//! A message is a marker of 16 octets of ones, a length that counts the whole of it, a type, and a body. [`frame`] looks
//! at a buffer's head and copies nothing. The small messages without a codec of their own, KEEPALIVE and ROUTE-REFRESH
//! (RFC 2918, RFC 7313), are here too.

use crate::notification::{Notification, Violation};
use crate::prefix::Family;

/// Octets in a header.
pub const HEADER_LEN: usize = 19;

/// The longest message without the Extended Message capability.
pub const MAX_LEN: usize = 4096;

/// The longest message with the Extended Message capability (RFC 8654).
pub const MAX_EXTENDED_LEN: usize = 65535;

const MARKER: [u8; 16] = [0xff; 16];

/// The types of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum MessageKind {
    /// OPEN.
    Open = 1,
    /// UPDATE.
    Update = 2,
    /// NOTIFICATION.
    Notification = 3,
    /// KEEPALIVE.
    Keepalive = 4,
    /// ROUTE-REFRESH (RFC 2918).
    RouteRefresh = 5,
}

impl MessageKind {
    /// All of them, in the order of their types.
    pub const ALL: [MessageKind; 5] = [
        MessageKind::Open,
        MessageKind::Update,
        MessageKind::Notification,
        MessageKind::Keepalive,
        MessageKind::RouteRefresh,
    ];

    /// Its place in [`MessageKind::ALL`].
    pub const fn index(self) -> usize {
        self as usize - 1
    }

    /// The kind of a whole message.
    pub fn of(message: &[u8]) -> Option<Self> {
        message.get(HEADER_LEN - 1).copied().and_then(MessageKind::from_octet)
    }

    /// As a word of programs.
    pub const fn slug(self) -> &'static str {
        match self {
            MessageKind::Open => "open",
            MessageKind::Update => "update",
            MessageKind::Notification => "notification",
            MessageKind::Keepalive => "keepalive",
            MessageKind::RouteRefresh => "route-refresh",
        }
    }

    /// The kind of a type octet.
    pub const fn from_octet(octet: u8) -> Option<Self> {
        match octet {
            1 => Some(MessageKind::Open),
            2 => Some(MessageKind::Update),
            3 => Some(MessageKind::Notification),
            4 => Some(MessageKind::Keepalive),
            5 => Some(MessageKind::RouteRefresh),
            _ => None,
        }
    }

    /// The lengths a message of this kind may have, where a session's longest is `max`. OPEN and KEEPALIVE never grow
    /// (RFC 8654 s4).
    fn lengths(self, max: usize) -> std::ops::RangeInclusive<usize> {
        match self {
            MessageKind::Open => 29..=MAX_LEN,
            MessageKind::Update => 23..=max,
            MessageKind::Notification => 21..=max,
            MessageKind::Keepalive => HEADER_LEN..=HEADER_LEN,
            MessageKind::RouteRefresh => 23..=max,
        }
    }
}

/// The kind and the whole length of the message at the head of `buf`; `None` while octets are missing. `max` is the
/// longest message that the session allows. What is wrong is told as soon as the octets that prove it are there.
pub fn frame(buf: &[u8], max: usize) -> Result<Option<(MessageKind, usize)>, Notification> {
    let Some((marker, rest)) = buf.split_first_chunk::<16>() else {
        return if buf.iter().all(|octet| *octet == 0xff) { Ok(None) } else { Err(Violation::Marker.into()) };
    };
    if *marker != MARKER {
        return Err(Violation::Marker.into());
    }
    let [high, low, kind, ..] = *rest else { return Ok(None) };
    let length = u16::from_be_bytes([high, low]);
    let total = usize::from(length);
    if !(HEADER_LEN..=max).contains(&total) {
        return Err(Violation::Length(length).into());
    }
    let kind = MessageKind::from_octet(kind).ok_or(Violation::Kind(kind))?;
    if !kind.lengths(max).contains(&total) {
        return Err(Violation::Length(length).into());
    }
    Ok((buf.len() >= total).then_some((kind, total)))
}

/// The length that the header of the message at the head of `octets` states, where all of the header is there.
#[inline]
pub fn length(octets: &[u8]) -> Option<usize> {
    let header = octets.first_chunk::<HEADER_LEN>()?;
    Some(usize::from(u16::from_be_bytes([header[16], header[17]])))
}

/// Begins a message at the end of `out`; what it returns is for [`finish`].
#[inline]
pub(crate) fn start(kind: MessageKind, out: &mut Vec<u8>) -> usize {
    let at = out.len();
    let mut header = [0xff; HEADER_LEN];
    header[16..].copy_from_slice(&[0, 0, kind as u8]);
    out.extend_from_slice(&header);
    at
}

/// Writes the length of the message that began at `at` and ends where `out` ends.
#[inline]
pub(crate) fn finish(at: usize, out: &mut [u8]) {
    let length = u16::try_from(out.len() - at).unwrap_or(u16::MAX);
    out[at + 16..at + 18].copy_from_slice(&length.to_be_bytes());
}

/// A KEEPALIVE, whole.
pub const fn keepalive() -> [u8; HEADER_LEN] {
    let mut message = [0xff; HEADER_LEN];
    message[16] = 0;
    message[17] = HEADER_LEN as u8;
    message[18] = MessageKind::Keepalive as u8;
    message
}

/// What a ROUTE-REFRESH says of a family, by its subtype (RFC 7313 s3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Refresh {
    /// All of it is asked for again (RFC 2918).
    Request = 0,
    /// What follows is all of it (BoRR).
    Begins = 1,
    /// That was all of it (EoRR).
    Ends = 2,
}

/// Octets in the body of a ROUTE-REFRESH, but for what outbound filters may add to a request (RFC 5291).
const REFRESH_BODY: usize = 4;

impl Refresh {
    /// What the body of a message says, and of which family. `None` where that is one that we do not route, or where nobody has
    /// defined the subtype: either is to be ignored (RFC 7313 s5).
    pub fn decode(body: &[u8]) -> Option<(Refresh, Family)> {
        let &[high, low, subtype, safi, ..] = body else { return None };
        let refresh = match subtype {
            0 => Refresh::Request,
            1 => Refresh::Begins,
            2 => Refresh::Ends,
            _ => return None,
        };
        Some((refresh, Family::from_afi_safi(u16::from_be_bytes([high, low]), safi)?))
    }

    /// Whether the body of a message marks a beginning or an end, but has not the length that those have (RFC 7313 s5).
    pub fn has_wrong_length(body: &[u8]) -> bool {
        matches!(body, [_, _, 1 | 2, ..]) && body.len() != REFRESH_BODY
    }
}

/// A ROUTE-REFRESH, whole.
pub const fn route_refresh(refresh: Refresh, family: Family) -> [u8; 23] {
    let mut message = [0xff; 23];
    let [high, low] = family.afi().to_be_bytes();
    message[16] = 0;
    message[17] = 23;
    message[18] = MessageKind::RouteRefresh as u8;
    message[19] = high;
    message[20] = low;
    message[21] = refresh as u8;
    message[22] = 1;
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: u16, kind: u8, body: usize) -> Vec<u8> {
        let mut out = vec![0xff; 16];
        out.extend(length.to_be_bytes());
        out.push(kind);
        out.resize(HEADER_LEN + body, 0);
        out
    }

    #[test]
    fn a_message_is_whole_or_missing_octets_wherever_it_is_cut() {
        let whole = message(23, 2, 4);
        for cut in 0..whole.len() {
            assert_eq!(frame(&whole[..cut], MAX_LEN), Ok(None), "{cut}");
        }
        assert_eq!(frame(&whole, MAX_LEN), Ok(Some((MessageKind::Update, 23))));
        assert_eq!(frame(&keepalive(), MAX_LEN), Ok(Some((MessageKind::Keepalive, 19))));
        assert_eq!(
            frame(&route_refresh(Refresh::Request, Family::Ipv6), MAX_LEN),
            Ok(Some((MessageKind::RouteRefresh, 23)))
        );
    }

    #[test]
    fn a_marker_of_anything_but_ones_is_refused_at_its_first_octet() {
        let mut zeros = message(19, 4, 0);
        zeros[..16].fill(0);
        for cut in 1..=zeros.len() {
            assert_eq!(frame(&zeros[..cut], MAX_LEN), Err(Violation::Marker.into()), "{cut}");
        }
    }

    #[test]
    fn lengths_are_bounded_for_each_kind() {
        for (length, kind, max) in [
            (18, 4, MAX_LEN),
            (20, 4, MAX_LEN),
            (28, 1, MAX_LEN),
            (22, 2, MAX_LEN),
            (20, 3, MAX_LEN),
            (22, 5, MAX_LEN),
            (4097, 2, MAX_LEN),
            (4097, 1, MAX_EXTENDED_LEN),
            (0, 2, MAX_EXTENDED_LEN),
        ] {
            let got = frame(&message(length, kind, 0), max);
            assert_eq!(got, Err(Violation::Length(length).into()), "{length} {kind}");
        }
        assert_eq!(frame(&message(4097, 2, 4078), MAX_EXTENDED_LEN), Ok(Some((MessageKind::Update, 4097))));
        assert_eq!(frame(&message(23, 6, 4), MAX_LEN), Err(Violation::Kind(6).into()));
        assert_eq!(frame(&message(23, 0, 4), MAX_LEN), Err(Violation::Kind(0).into()));
    }

    #[test]
    fn a_refresh_of_an_unknown_subtype_or_family_says_nothing() {
        for refresh in [Refresh::Request, Refresh::Begins, Refresh::Ends] {
            let message = route_refresh(refresh, Family::Ipv6);
            assert_eq!(Refresh::decode(&message[HEADER_LEN..]), Some((refresh, Family::Ipv6)));
        }
        for body in [[0, 1, 3, 1], [0, 1, 255, 1], [0, 1, 0, 2], [0, 25, 0, 70]] {
            assert_eq!(Refresh::decode(&body), None, "{body:?}");
        }
        // A request may have filters behind it (RFC 5291), a mark has nothing.
        assert_eq!(Refresh::decode(&[0, 1, 0, 1, 9, 9]), Some((Refresh::Request, Family::Ipv4)));
        let lengths =
            [&[0, 1, 0, 1, 9][..], &[0, 1, 1, 1], &[0, 1, 1, 1, 0], &[0, 9, 2, 1, 0], &[0, 1, 3, 1, 0]];
        assert_eq!(lengths.map(Refresh::has_wrong_length), [false, false, true, true, false]);
    }
}
