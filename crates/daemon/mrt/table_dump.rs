//! TABLE_DUMP, the first form of RIB dumps (RFC 6396 s4.2): a view and a sequence number, then a route.
//!
//! The standard allows one route a record. The dumps of 1999 to 2001 have many, and give a record's length without the
//! four octets before its first route.

use palisade_bgp::{Asn, Family, Prefix};

use super::damage::Fault;
use super::kind::{Body, Kind};
use super::octets::Octets;
use super::peers::PeerKey;

/// View and sequence number.
const PREAMBLE: usize = 4;

/// One route.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) prefix: Prefix,
    pub(super) peer: PeerKey,
    pub(super) originated_s: u32,
    /// With two-octet AS numbers.
    pub(super) attributes: &'a [u8],
}

/// The routes of a record of one family. Ends after the first that is damaged.
pub(super) fn entries(body: &[u8], family: Family) -> impl Iterator<Item = Result<Entry<'_>, Fault>> {
    let mut rest = Octets(body);
    let mut first = true;
    std::iter::from_fn(move || {
        if std::mem::take(&mut first) {
            if rest.take(PREAMBLE).is_none() || rest.is_empty() {
                rest = Octets(&[]);
                return Some(Err(Fault::Short("first entry")));
            }
        } else if rest.is_empty() {
            return None;
        }
        let entry = entry(&mut rest, family);
        if entry.is_err() {
            rest = Octets(&[]);
        }
        Some(entry)
    })
}

fn entry<'a>(rest: &mut Octets<'a>, family: Family) -> Result<Entry<'a>, Fault> {
    let address = rest.address(family).ok_or(Fault::Short("prefix"))?;
    let len = rest.u8().ok_or(Fault::Short("prefix length"))?;
    rest.u8().ok_or(Fault::Short("status"))?;
    let originated_s = rest.u32().ok_or(Fault::Short("originated time"))?;
    let peer_address = rest.address(family).ok_or(Fault::Short("peer address"))?;
    let asn = rest.u16().ok_or(Fault::Short("peer AS"))?;
    let length = rest.u16().ok_or(Fault::Short("attribute length"))?;
    let attributes = rest.take(length.into()).ok_or(Fault::Short("attributes"))?;
    if usize::from(len) > width(family) * 8 {
        return Err(Fault::PrefixLength(len));
    }
    let peer = PeerKey { address: peer_address, asn: Asn(asn.into()) };
    Ok(Entry { prefix: Prefix::new(address, len), peer, originated_s, attributes })
}

const fn width(family: Family) -> usize {
    match family {
        Family::Ipv4 => 4,
        Family::Ipv6 => 16,
    }
}

/// How many octets the record is longer than its length says: 4 where its last route then ends just at its end.
pub(super) fn shortfall(kind: Kind, body: &[u8]) -> usize {
    let Body::TableDump(family) = kind.body() else { return 0 };
    let before_length = width(family) * 2 + 8;
    let mut end = PREAMBLE;
    while end < body.len() {
        let length_at = end + before_length;
        let Some(length) = body.get(length_at..).and_then(|rest| rest.first_chunk()) else { return 0 };
        end = length_at + 2 + usize::from(u16::from_be_bytes(*length));
    }
    if end == body.len() + PREAMBLE { PREAMBLE } else { 0 }
}
