//! The attributes of a set of routes, as far as they are played, and their digest.
//!
//! A digest says in eight octets what a receiver looks at: the AS path, the communities of both kinds, in any order, and
//! the next hop. The table's sets are digested here as a correct daemon would send them; the receiver makes the same
//! number of what arrives. Two that differ share one in 2^64 cases.

use std::hash::{BuildHasher, Hasher};
use std::net::{Ipv4Addr, Ipv6Addr};

/// What the routes of one set have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Attributes {
    /// The AS path, the sender's own AS first.
    pub(crate) path: Vec<u32>,
    /// Standard communities (RFC 1997).
    pub(crate) communities: Vec<u32>,
    /// Large communities (RFC 8092).
    pub(crate) large: Vec<[u32; 3]>,
    /// Whether its routes are IPv6.
    pub(crate) six: bool,
}

/// A next hop, where it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextHop {
    /// It may be any: the daemon puts itself there, or not (RFC 4271 s5.1.3).
    Any,
    /// NEXT_HOP.
    Four(Ipv4Addr),
    /// Of MP_REACH_NLRI, the global one.
    Six(Ipv6Addr),
}

/// A standard community from its halves.
pub(crate) const fn community(high: u32, low: u32) -> u32 {
    high << 16 | (low & 0xffff)
}

/// The digest of what a route comes with. Puts the communities into order.
pub(crate) fn digest(
    path: &[u32],
    communities: &mut [u32],
    large: &mut [[u32; 3]],
    next_hop: NextHop,
) -> u64 {
    communities.sort_unstable();
    large.sort_unstable();
    let mut hasher = foldhash::quality::FixedState::with_seed(0x7061_6c69).build_hasher();
    for list in [path, communities, large.as_flattened()] {
        hasher.write_usize(list.len());
        list.iter().for_each(|number| hasher.write_u32(*number));
    }
    match next_hop {
        NextHop::Any => {}
        NextHop::Four(address) => hasher.write_u32(address.to_bits()),
        NextHop::Six(address) => hasher.write_u128(address.to_bits()),
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_communities_is_all_that_does_not_matter() {
        let of = |path: &[u32], communities: &[u32], next_hop| {
            digest(path, &mut communities.to_vec(), &mut [[1, 2, 3]], next_hop)
        };
        let one = of(&[1, 2], &[7, 8], NextHop::Any);
        assert_eq!(one, of(&[1, 2], &[8, 7], NextHop::Any));
        assert_ne!(one, of(&[2, 1], &[7, 8], NextHop::Any));
        assert_ne!(one, of(&[1, 2, 7], &[8], NextHop::Any));
        assert_ne!(one, of(&[1, 2], &[7, 8], NextHop::Four(Ipv4Addr::LOCALHOST)));
    }
}
