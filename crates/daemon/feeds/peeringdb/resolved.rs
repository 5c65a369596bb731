//! A peer as it is with what PeeringDB says of its network.

use std::borrow::Cow;

use super::facts::NetworkFacts;
use crate::config::{MOST_PREFIXES, Origin, Peer, PeeringDb, Setting};

/// The least that a limit from PeeringDB is: a network that says it announces three prefixes is not cut off by a fourth.
const LEAST_PREFIXES: u32 = 100;

/// The peer with the as-set and the limit that PeeringDB says, where it is asked for them and says any. It depends on what
/// is written and on `facts` alone, so that it comes to the same wherever it is asked.
pub(crate) fn resolved<'p>(peer: &'p Peer, settings: &PeeringDb, facts: &NetworkFacts) -> Cow<'p, Peer> {
    let Some(network) = facts.of(peer.asn) else { return Cow::Borrowed(peer) };
    let as_set = network.as_set.as_ref().filter(|_| peer.peeringdb.as_set);
    let prefixes = network.prefixes().filter(|_| peer.peeringdb.max_prefixes);
    if as_set.is_none() && prefixes.is_none() {
        return Cow::Borrowed(peer);
    }
    let mut peer = peer.clone();
    if let Some(as_set) = as_set {
        peer.as_set = Some(as_set.clone());
        peer.as_set_origin = Origin::PeeringDb;
    }
    if let Some(prefixes) = prefixes {
        let value = with_margin(prefixes, settings.max_prefixes_margin);
        peer.max_prefixes = Setting { value, origin: Origin::PeeringDb };
    }
    Cow::Owned(peer)
}

/// A limit with room above what a network says it announces.
fn with_margin(prefixes: u32, margin: f64) -> u32 {
    // A float that is out of the integer's range becomes the nearest there is.
    let limit = (f64::from(prefixes) * margin).ceil() as u32;
    limit.clamp(LEAST_PREFIXES, MOST_PREFIXES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_has_room_and_stays_within_what_can_be_written() {
        for (prefixes, margin, limit) in [
            (1000, 1.3, 1300),
            (1001, 1.3, 1302),
            (1000, 1.0, 1000),
            (1, 1.3, LEAST_PREFIXES),
            (u32::MAX, 100.0, MOST_PREFIXES),
        ] {
            assert_eq!(with_margin(prefixes, margin), limit, "{prefixes} x {margin}");
        }
    }
}
