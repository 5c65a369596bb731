//! TABLE_DUMP_V2, the form of RIB dumps since 2003 (RFC 6396 s4.3, RFC 8050 s4): one list of peers, then a record for
//! each prefix with the routes that those peers announce for it.

use std::net::Ipv4Addr;

use palisade_bgp::prefix::nlri_octets;
use palisade_bgp::{Address, Asn, Family, Net};

use super::damage::Fault;
use super::octets::Octets;
use super::peers::PeerKey;

/// Bits of a peer's type (RFC 6396 s4.3.1).
pub(super) const PEER_IPV6: u8 = 1;
/// See [`PEER_IPV6`].
pub(super) const PEER_AS4: u8 = 2;

/// The peers of a peer index table, in the order that entries number them.
pub(super) fn peer_index_table(body: &[u8]) -> Result<Vec<PeerKey>, Fault> {
    let mut rest = Octets(body);
    rest.u32().map(Ipv4Addr::from).ok_or(Fault::Short("collector's identifier"))?;
    let name = rest.u16().ok_or(Fault::Short("view name"))?;
    rest.take(name.into()).ok_or(Fault::Short("view name"))?;
    let count = rest.u16().ok_or(Fault::Short("peer count"))?;
    let peers: Vec<PeerKey> = (0..count).map_while(|_| peer(&mut rest)).collect();
    match rest.0.len() {
        _ if peers.len() < usize::from(count) => Err(Fault::Short("peers")),
        0 => Ok(peers),
        octets => Err(Fault::Trailing(octets)),
    }
}

fn peer(rest: &mut Octets<'_>) -> Option<PeerKey> {
    let kind = rest.u8()?;
    rest.u32()?;
    let family = if kind & PEER_IPV6 == 0 { Family::Ipv4 } else { Family::Ipv6 };
    let address = rest.address(family)?;
    let asn = if kind & PEER_AS4 == 0 { rest.u16()?.into() } else { rest.u32()? };
    Some(PeerKey { address, asn: Asn(asn) })
}

/// A prefix and the routes to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rib<'a, A: Address> {
    pub(super) net: Net<A>,
    entries: Octets<'a>,
    left: u16,
    add_path: bool,
}

/// One route.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) peer_index: u16,
    pub(super) originated_s: u32,
    /// 0 without ADD-PATH.
    pub(super) path_id: u32,
    /// With four-octet AS numbers.
    pub(super) attributes: &'a [u8],
}

impl<'a, A: Address> Rib<'a, A> {
    pub(super) fn read(body: &'a [u8], add_path: bool) -> Result<Self, Fault> {
        let mut rest = Octets(body);
        rest.u32().ok_or(Fault::Short("sequence number"))?;
        let len = rest.u8().ok_or(Fault::Short("prefix"))?;
        if len > A::BITS {
            return Err(Fault::PrefixLength(len));
        }
        let address = rest.take(nlri_octets(len)).ok_or(Fault::Short("prefix"))?;
        let left = rest.u16().ok_or(Fault::Short("entry count"))?;
        Ok(Rib { net: Net::new(A::from_octets(address), len), entries: rest, left, add_path })
    }

    /// The next route; `None` after the last.
    #[inline]
    pub(super) fn next_entry(&mut self) -> Result<Option<Entry<'a>>, Fault> {
        if self.left == 0 {
            return if self.entries.is_empty() {
                Ok(None)
            } else {
                Err(Fault::Trailing(self.entries.0.len()))
            };
        }
        self.left -= 1;
        self.entry().map(Some).ok_or(Fault::Short("entries"))
    }

    #[inline]
    fn entry(&mut self) -> Option<Entry<'a>> {
        let rest = &mut self.entries;
        let peer_index = rest.u16()?;
        let originated_s = rest.u32()?;
        let path_id = if self.add_path { rest.u32()? } else { 0 };
        let length = rest.u16()?;
        Some(Entry { peer_index, originated_s, path_id, attributes: rest.take(length.into())? })
    }
}
