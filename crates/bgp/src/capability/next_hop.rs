//! Extended next hop encoding: routes of one family behind next hops of another (RFC 8950 s4).

/// One family whose routes may have next hops of another, whether we route it or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedNextHop {
    /// The address family identifier of the routes.
    pub afi: u16,
    /// Their subsequent address family identifier, which has two octets here.
    pub safi: u16,
    /// The address family identifier of the next hops.
    pub next_hop_afi: u16,
}

impl ExtendedNextHop {
    /// IPv4 unicast behind IPv6.
    pub const IPV4_OVER_IPV6: ExtendedNextHop = ExtendedNextHop { afi: 1, safi: 1, next_hop_afi: 2 };

    pub(super) fn octets(self) -> [u8; 6] {
        let ([a, b], [c, d], [e, f]) =
            (self.afi.to_be_bytes(), self.safi.to_be_bytes(), self.next_hop_afi.to_be_bytes());
        [a, b, c, d, e, f]
    }

    fn from_octets(&[a, b, c, d, e, f]: &[u8; 6]) -> Self {
        let [afi, safi, next_hop_afi] = [[a, b], [c, d], [e, f]].map(u16::from_be_bytes);
        ExtendedNextHop { afi, safi, next_hop_afi }
    }
}

pub(super) fn decode(value: &[u8]) -> Option<Vec<ExtendedNextHop>> {
    let (triples, rest) = value.as_chunks::<6>();
    rest.is_empty().then(|| triples.iter().map(ExtendedNextHop::from_octets).collect())
}
