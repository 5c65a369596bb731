//! Who speaks: the addresses and AS numbers of the daemon under test and of the sessions that are played to it.
//!
//! All stand on one LAN, as at an exchange. Every fourth session has a 4-octet AS number (RFC 6793), which standard
//! communities can't name. AS numbers are for private use (RFC 6996), so that none is in a real table's path.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The daemon's address.
pub(crate) const TARGET: Ipv4Addr = Ipv4Addr::new(10, 98, 0, 1);
/// The daemon's IPv6 address on the LAN.
pub(crate) const TARGET_SIX: &str = "fd98::1";
/// The daemon's AS.
pub(crate) const TARGET_ASN: u32 = 65_000;
/// Where an RTR cache listens.
pub(crate) const CACHE: Ipv4Addr = Ipv4Addr::new(10, 98, 255, 2);
/// The RTR cache's port (RFC 8210 s10 has 323 for it, which a test needn't take).
pub(crate) const CACHE_PORT: u16 = 8282;
/// Where a registry tells its changes, beside the cache.
pub(crate) const MIRROR_PORT: u16 = 4444;
/// BGP's port (RFC 4271 s8.2.1).
pub(crate) const BGP_PORT: u16 = 179;
/// Sessions that there can be.
pub(crate) const MOST: usize = 1_001;

/// A session's own address.
pub(crate) fn address(session: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(10, 98, 1, 0).to_bits() + session as u32)
}

/// The next hop of a session's IPv6 routes.
pub(crate) fn address_six(session: usize) -> Ipv6Addr {
    Ipv6Addr::from_bits(0xfd98 << 112 | 0x1_0000 | session as u128)
}

/// A session's AS.
pub(crate) fn asn(session: usize) -> u32 {
    let number = session as u32;
    match number {
        _ if number % 4 == 3 => 4_200_000_000 + number,
        0..480 => 64_512 + number,
        _ => 65_010 + number - 480,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_distinct_and_private() {
        let all: std::collections::BTreeSet<u32> = (0..MOST).map(asn).collect();
        assert_eq!(all.len(), MOST);
        assert!(!all.contains(&TARGET_ASN));
        assert!(all.iter().all(|asn| (64_512..=65_534).contains(asn) || *asn >= 4_200_000_000));
        assert_eq!(address(257), Ipv4Addr::new(10, 98, 2, 1));
    }
}
