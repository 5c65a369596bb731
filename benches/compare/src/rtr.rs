//! The PDUs of RTR as a cache sends and reads them: version 1 (RFC 8210 s5), version 0 (RFC 6810 s5), and of version 2 as much
//! as is the same as in version 1, for routers that begin with it.
//!
//! What a router sends is a query or a complaint; anything else is its own affair here.

use std::io::{self, ErrorKind, Read};

use crate::vrps::Vrp;

/// The highest version that is spoken.
pub(crate) const NEWEST: u8 = 2;
/// The session that all serials are of (RFC 8210 s5.1).
const SESSION: u16 = 0x7061;
/// The longest PDU that a router may send: an Error Report with a PDU and a word.
const MOST_OCTETS: usize = 4_096;
/// Seconds that a router may wait before it asks by itself, tries again, and gives the data up: so long that it asks when it
/// is told of news, and not before.
const TIMING_S: [u32; 3] = [3_600, 600, 7_200];

/// What a router wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    /// Reset Query: everything.
    Reset,
    /// Serial Query: what has changed since that serial.
    Serial(u32),
    /// Error Report, with its code: the session is over.
    Error(u16),
}

/// Reads what a router asks, and the version that it speaks.
pub(crate) fn read_query(from: &mut impl Read) -> io::Result<(u8, Query)> {
    let mut header = [0; 8];
    from.read_exact(&mut header)?;
    let [version, kind, a, b, len @ ..] = header;
    let len = u32::from_be_bytes(len) as usize;
    let body = len.checked_sub(header.len()).filter(|_| len <= MOST_OCTETS);
    let mut body = vec![0; body.ok_or(ErrorKind::InvalidData)?];
    from.read_exact(&mut body)?;
    match (version, kind, body.as_slice()) {
        (0..=NEWEST, 1, [a, b, c, d]) => Ok((version, Query::Serial(u32::from_be_bytes([*a, *b, *c, *d])))),
        (0..=NEWEST, 2, []) => Ok((version, Query::Reset)),
        (_, 10, _) => Ok((version, Query::Error(u16::from_be_bytes([a, b])))),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

/// Serial Notify (s5.2).
pub(crate) fn serial_notify(version: u8, serial: u32) -> Vec<u8> {
    pdu(version, 0, SESSION, &serial.to_be_bytes())
}

/// Cache Response (s5.5).
pub(crate) fn cache_response(version: u8) -> Vec<u8> {
    pdu(version, 3, SESSION, &[])
}

/// End of Data (s5.8).
pub(crate) fn end_of_data(version: u8, serial: u32) -> Vec<u8> {
    let timing = if version == 0 { &[][..] } else { &TIMING_S };
    let words = std::iter::once(&serial).chain(timing);
    pdu(version, 7, SESSION, &words.flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>())
}

/// Cache Reset (s5.9).
pub(crate) fn cache_reset(version: u8) -> Vec<u8> {
    pdu(version, 8, 0, &[])
}

/// IPv4 Prefix and IPv6 Prefix (s5.6, s5.7).
pub(crate) fn push_prefix(out: &mut Vec<u8>, version: u8, is_announced: bool, vrp: Vrp) {
    let (kind, len, octets) = if vrp.prefix.six { (6, 32, 16) } else { (4, 20, 4) };
    out.extend([version, kind, 0, 0, 0, 0, 0, len]);
    out.extend([u8::from(is_announced), vrp.prefix.len, vrp.max_length, 0]);
    out.extend_from_slice(&(u128::from(vrp.prefix.bits) << 64).to_be_bytes()[..octets]);
    out.extend_from_slice(&vrp.asn.to_be_bytes());
}

fn pdu(version: u8, kind: u8, session: u16, body: &[u8]) -> Vec<u8> {
    let mut pdu = vec![version, kind];
    pdu.extend(session.to_be_bytes());
    pdu.extend((8 + body.len() as u32).to_be_bytes());
    pdu.extend_from_slice(body);
    pdu
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefix::Prefix;

    #[test]
    fn reads_queries_and_nothing_else() {
        let read = |octets: &[u8]| read_query(&mut &*octets).ok();
        assert_eq!(read(&[1, 2, 0, 0, 0, 0, 0, 8]), Some((1, Query::Reset)));
        assert_eq!(read(&[0, 1, 9, 9, 0, 0, 0, 12, 0, 0, 1, 2]), Some((0, Query::Serial(258))));
        assert_eq!(read(&[1, 10, 0, 4, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0]), Some((1, Query::Error(4))));
        for wrong in [
            &[1, 2, 0, 0, 0, 0, 0, 7][..],
            &[3, 2, 0, 0, 0, 0, 0, 8],
            &[1, 1, 0, 0, 0, 0, 0, 8],
            &[1, 2, 0, 0, 0xff, 0xff, 0xff, 0xff],
            &[1, 4, 0, 0, 0, 0, 0, 8],
            &[1, 2, 0],
        ] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn writes_what_the_rfc_draws() {
        let vrp = |prefix, max_length| Vrp { prefix: Prefix::parse(prefix).unwrap(), max_length, asn: 258 };
        let mut four = Vec::new();
        push_prefix(&mut four, 1, true, vrp("192.0.2.0/24", 25));
        assert_eq!(four, [1, 4, 0, 0, 0, 0, 0, 20, 1, 24, 25, 0, 192, 0, 2, 0, 0, 0, 1, 2]);
        let mut six = Vec::new();
        push_prefix(&mut six, 0, false, vrp("2001:db8::/32", 48));
        assert_eq!(six[..16], [0, 6, 0, 0, 0, 0, 0, 32, 0, 32, 48, 0, 0x20, 0x01, 0x0d, 0xb8]);
        assert_eq!(six.len(), 32);
        assert_eq!((end_of_data(0, 7).len(), end_of_data(1, 7).len()), (12, 24));
        assert_eq!(serial_notify(1, 5), [1, 0, 0x70, 0x61, 0, 0, 0, 12, 0, 0, 0, 5]);
        assert_eq!(cache_reset(1), [1, 8, 0, 0, 0, 0, 0, 8]);
    }
}
