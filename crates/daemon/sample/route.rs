//! A route that somebody announces, and what the judge must say of it.

use std::net::{IpAddr, Ipv6Addr};

use palisade_bgp::as_path::SegmentKind;
use palisade_bgp::attributes::{Community, LargeCommunity, NextHop, Origin};
use palisade_bgp::{Asn, Prefix};
use palisade_policy::{Reason, RovState};

/// The attributes of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathAttributes {
    pub(super) origin: Origin,
    /// AS_SEQUENCE, neighbour first.
    pub(super) path: Vec<Asn>,
    /// An AS_SET at the path's end.
    pub(super) set: Vec<Asn>,
    pub(super) med: Option<u32>,
    pub(super) communities: Vec<Community>,
    pub(super) large_communities: Vec<LargeCommunity>,
    pub(super) only_to_customer: Option<Asn>,
    /// Where it is not the peer's own address.
    pub(super) next_hop: Option<IpAddr>,
}

impl PathAttributes {
    /// Those of a path and nothing else.
    pub(super) fn of_path(path: Vec<Asn>) -> Self {
        PathAttributes {
            origin: Origin::Igp,
            path,
            set: Vec::new(),
            med: None,
            communities: Vec::new(),
            large_communities: Vec::new(),
            only_to_customer: None,
            next_hop: None,
        }
    }

    /// The canonical wire form: TLVs in ascending order, without the next hop (RFC 4271 s4.3).
    pub(super) fn wire(&self) -> Vec<u8> {
        const WELL_KNOWN: u8 = 0x40;
        const OPTIONAL: u8 = 0x80;
        const TRANSITIVE: u8 = 0xc0;
        let mut out = Vec::new();
        attribute(WELL_KNOWN, 1, &[self.origin as u8], &mut out);
        attribute(WELL_KNOWN, 2, &self.as_path(), &mut out);
        if let Some(med) = self.med {
            attribute(OPTIONAL, 4, &med.to_be_bytes(), &mut out);
        }
        if !self.communities.is_empty() {
            let value: Vec<u8> = self.communities.iter().flat_map(|c| c.0.to_be_bytes()).collect();
            attribute(TRANSITIVE, 8, &value, &mut out);
        }
        if !self.large_communities.is_empty() {
            let value = self.large_communities.iter().flat_map(|c| [c.0, c.1, c.2]);
            let value: Vec<u8> = value.flat_map(u32::to_be_bytes).collect();
            attribute(TRANSITIVE, 32, &value, &mut out);
        }
        if let Some(Asn(asn)) = self.only_to_customer {
            attribute(TRANSITIVE, 35, &asn.to_be_bytes(), &mut out);
        }
        out
    }

    fn as_path(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let segments = [(SegmentKind::Sequence, &self.path), (SegmentKind::Set, &self.set)];
        for (kind, asns) in segments.into_iter().filter(|(_, asns)| !asns.is_empty()) {
            out.extend([kind as u8, asns.len() as u8]);
            out.extend(asns.iter().flat_map(|asn| asn.0.to_be_bytes()));
        }
        out
    }
}

fn attribute(flags: u8, kind: u8, value: &[u8], out: &mut Vec<u8>) {
    const EXTENDED_LENGTH: u8 = 0x10;
    match u8::try_from(value.len()) {
        Ok(length) => out.extend([flags, kind, length]),
        Err(_) => {
            out.extend([flags | EXTENDED_LENGTH, kind]);
            out.extend((value.len() as u16).to_be_bytes());
        }
    }
    out.extend(value);
}

/// A route, and what must come of it.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) prefix: Prefix,
    pub(super) attributes: PathAttributes,
    /// Why the judge refuses it; `None` where it does not.
    pub(super) reason: Option<Reason>,
    /// What the RPKI says of it.
    pub(super) rov: RovState,
}

impl Route {
    /// The same route, refused.
    pub(super) fn refused(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }
}

/// What happens to a route after a peer's table was dumped.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Announced(Route),
    Withdrawn(Prefix),
}

/// The addresses that a peer is spoken to at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) v4: IpAddr,
    pub(super) v6: Ipv6Addr,
}

impl Ends {
    /// The next hop of a route.
    pub(super) fn next_hop(&self, route: &Route) -> NextHop {
        match (route.attributes.next_hop, route.prefix) {
            (Some(other), _) => other.into(),
            (None, Prefix::V4(_)) => self.v4.into(),
            (None, Prefix::V6(_)) => IpAddr::V6(self.v6).into(),
        }
    }
}
