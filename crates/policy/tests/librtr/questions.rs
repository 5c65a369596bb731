//! Routes to ask about: VRPs as somebody may have issued them, and routes around VRPs, where validators go wrong.

use palisade_bgp::{Asn, Net, Prefix};
use palisade_policy::Vrp;

use crate::random::Random;
use crate::rpki_rov::Question;

/// Few AS numbers, so that routes and VRPs meet: among them AS 0, and those that are negative to a C `int`.
const ASNS: [u32; 10] = [0, 1, 2, 3333, 23456, 64_511, i32::MAX as u32, 1 << 31, 4_200_000_000, u32::MAX];

/// How many VRPs lie in one network, one under the other or beside it.
const IN_A_NETWORK: usize = 8;

/// VRPs of both families that nest, down to single addresses. None is for the default route: librtr can't hold one.
pub(crate) fn made_up_vrps(random: &mut Random, count: usize) -> Vec<Vrp> {
    let mut vrps = Vec::with_capacity(count);
    while vrps.len() < count {
        let network = any_network(random);
        let (lengths, holder) = (u64::from(width(network) - network.len()) + 1, any_of_few(random));
        vrps.extend((0..IN_A_NETWORK).map(|_| {
            let length = network.len() + rather_small(random, lengths) as u8;
            let prefix = moved(random, network, length);
            let longer = rather_small(random, u64::from(width(prefix) - prefix.len()) + 1) as u8;
            let asn = if random.below(2) == 0 { holder } else { any_of_few(random) };
            Vrp::new(prefix, prefix.len() + longer, asn).unwrap()
        }));
    }
    // A cache announces each once (RFC 8210 s5.6).
    vrps.sort();
    vrps.dedup();
    vrps
}

/// One of `0..limit`, rather a small one.
fn rather_small(random: &mut Random, limit: u64) -> u64 {
    let below = random.below(limit);
    random.below(below + 1)
}

fn any_network(random: &mut Random) -> Prefix {
    let (bits, length) = (random.next(), 4 + random.below(21) as u8);
    match random.below(2) {
        0 => Prefix::V4(Net::new(bits as u32, length)),
        _ => Prefix::V6(Net::new(0x2 << 124 | u128::from(bits) << 60, 8 + length)),
    }
}

fn any_of_few(random: &mut Random) -> Asn {
    Asn(ASNS[random.below(ASNS.len() as u64) as usize])
}

/// A route that a VRP says something about, or just not.
pub(crate) fn around(random: &mut Random, vrps: &[Vrp]) -> Question {
    let any = |random: &mut Random| vrps[random.below(vrps.len() as u64) as usize];
    let vrp = any(random);
    let (prefix, most) = (vrp.prefix(), vrp.max_length());
    let length = match random.below(8) {
        0 => prefix.len().saturating_sub(1),
        1 => prefix.len(),
        2 => prefix.len() + 1,
        3 => most,
        4 => most + 1,
        5 => width(prefix),
        _ => random.below(u64::from(width(prefix)) + 1) as u8,
    };
    let origin = match random.below(8) {
        0 => None,
        1 => Some(Asn(0)),
        2 => Some(any(random).asn()),
        3 => Some(any_of_few(random)),
        _ => Some(vrp.asn()),
    };
    (moved(random, prefix, length), origin)
}

/// A route of the same origin, or none, that is longer or shorter than this one, or lies beside it.
pub(crate) fn beside(random: &mut Random, (prefix, origin): Question) -> Question {
    let length = match random.below(3) {
        0 => prefix.len().saturating_sub(random.below(4) as u8),
        1 => prefix.len() + random.below(9) as u8,
        _ => prefix.len(),
    };
    (moved(random, prefix, length), origin.filter(|_| random.below(8) > 0))
}

/// A prefix of that length, as far as there is one, under this one or over it; of four one lies beside it, one bit away.
fn moved(random: &mut Random, prefix: Prefix, length: u8) -> Prefix {
    let beneath = u128::from(random.next()) << 64 | u128::from(random.next());
    let flipped = match (random.below(4), prefix.len()) {
        (0, 1..) => 1 + random.below(prefix.len().into()) as u8,
        _ => 0,
    };
    match prefix {
        Prefix::V4(net) => {
            let host = u32::MAX.checked_shr(net.len().into()).unwrap_or(0) & beneath as u32;
            let bit = if flipped > 0 { 1 << (32 - flipped) } else { 0 };
            Prefix::V4(Net::new((net.address() | host) ^ bit, length))
        }
        Prefix::V6(net) => {
            let host = u128::MAX.checked_shr(net.len().into()).unwrap_or(0) & beneath;
            let bit = if flipped > 0 { 1 << (128 - flipped) } else { 0 };
            Prefix::V6(Net::new((net.address() | host) ^ bit, length))
        }
    }
}

fn width(prefix: Prefix) -> u8 {
    match prefix {
        Prefix::V4(_) => 32,
        Prefix::V6(_) => 128,
    }
}
