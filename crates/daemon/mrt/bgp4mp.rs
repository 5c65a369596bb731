//! BGP4MP: BGP messages as they came, and the states of sessions (RFC 6396 s4.4); and what there was before it, the
//! deprecated type 5 (RFC 6396 B.2).

use palisade_bgp::message::{HEADER_LEN, MAX_EXTENDED_LEN, MessageKind, frame};
use palisade_bgp::{Asn, Family};

use super::damage::Fault;
use super::octets::Octets;
use super::peers::PeerKey;

/// The two ends of a session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) peer: PeerKey,
    pub(super) local_asn: Asn,
}

/// A BGP message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) ends: Ends,
    /// As its header says.
    pub(super) kind: MessageKind,
    /// What follows its header.
    pub(super) body: &'a [u8],
}

impl<'a> Message<'a> {
    pub(super) fn read(body: &'a [u8], four_octet_as: bool) -> Result<Self, Fault> {
        let mut rest = Octets(body);
        let ends = ends(&mut rest, four_octet_as)?;
        match frame(rest.0, MAX_EXTENDED_LEN) {
            Ok(Some((kind, total))) if total == rest.0.len() => {
                Ok(Message { ends, kind, body: rest.0.get(HEADER_LEN..).unwrap_or_default() })
            }
            Ok(Some((_, total))) => Err(Fault::Trailing(rest.0.len() - total)),
            Ok(None) => Err(Fault::Short("BGP message")),
            Err(notification) => Err(Fault::Message(notification.to_string())),
        }
    }
}

fn ends(rest: &mut Octets<'_>, four_octet_as: bool) -> Result<Ends, Fault> {
    let mut asn = || if four_octet_as { rest.u32() } else { rest.u16().map(u32::from) };
    let peer_asn = asn().ok_or(Fault::Short("peer AS"))?;
    let local_asn = asn().ok_or(Fault::Short("local AS"))?;
    rest.u16().ok_or(Fault::Short("interface index"))?;
    let afi = rest.u16().ok_or(Fault::Short("address family"))?;
    let family = Family::from_afi_safi(afi, 1).ok_or(Fault::Family(afi))?;
    let address = rest.address(family).ok_or(Fault::Short("peer address"))?;
    rest.address(family).ok_or(Fault::Short("local address"))?;
    Ok(Ends { peer: PeerKey { address, asn: Asn(peer_asn) }, local_asn: Asn(local_asn) })
}

/// A change of a session's state: whose, from what, to what (RFC 4271 s8.2.2's states, 1 to 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StateChange {
    pub(super) peer: PeerKey,
    pub(super) from: u16,
    pub(super) to: u16,
}

impl StateChange {
    pub(super) fn read(body: &[u8], four_octet_as: bool) -> Result<Self, Fault> {
        let mut rest = Octets(body);
        let peer = ends(&mut rest, four_octet_as)?.peer;
        StateChange::states(peer, rest)
    }

    /// Type 5's: the peer's end alone.
    pub(super) fn read_old(body: &[u8]) -> Result<Self, Fault> {
        let mut rest = Octets(body);
        let peer = old_end(&mut rest)?;
        StateChange::states(peer, rest)
    }

    fn states(peer: PeerKey, mut rest: Octets<'_>) -> Result<Self, Fault> {
        let from = rest.u16().ok_or(Fault::Short("old state"))?;
        let to = rest.u16().ok_or(Fault::Short("new state"))?;
        if rest.is_empty() { Ok(StateChange { peer, from, to }) } else { Err(Fault::Trailing(rest.0.len())) }
    }
}

/// Type 5's UPDATE: both ends, IPv4 and two-octet AS numbers, then a message without its header.
pub(super) fn old_update(body: &[u8]) -> Result<Message<'_>, Fault> {
    let mut rest = Octets(body);
    let peer = old_end(&mut rest)?;
    let local_asn = old_end(&mut rest)?.asn;
    Ok(Message { ends: Ends { peer, local_asn }, kind: MessageKind::Update, body: rest.0 })
}

fn old_end(rest: &mut Octets<'_>) -> Result<PeerKey, Fault> {
    let asn = rest.u16().ok_or(Fault::Short("AS number"))?;
    let address = rest.address(Family::Ipv4).ok_or(Fault::Short("address"))?;
    Ok(PeerKey { address, asn: Asn(asn.into()) })
}
