//! A made-up full table for the benches: as many prefixes, lengths and shared attribute sets as a real one has, the same
//! in every run.

#![allow(dead_code, reason = "each bench uses a part")]

use palisade_bgp::prefix::Net;

/// Prefixes that share an attribute set, on average, in a real full table.
pub(crate) const PREFIXES_A_SET: usize = 6;

/// One path of the table: its prefix and which attribute set it has.
pub(crate) struct Entry {
    pub(crate) net: Net<u32>,
    pub(crate) set: usize,
}

/// xorshift64*: fast, and the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// `count` distinct IPv4 prefixes of /16 to /24, in the order in which a peer sends them: by attribute set.
pub(crate) fn table(count: usize) -> Vec<Entry> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut nets = std::collections::BTreeSet::new();
    while nets.len() < count {
        // More than half of the Internet's prefixes are /24.
        let len = [24, 24, 24, 24, 24, 24, 23, 22, 22, 21, 20, 19, 18, 16][random.below(14)];
        nets.insert(Net::new(0x0100_0000 + (random.next() as u32 % 0xdf00_0000), len));
    }
    let sets = (count / PREFIXES_A_SET).max(1);
    let mut entries: Vec<Entry> =
        nets.into_iter().map(|net| Entry { net, set: random.below(sets) }).collect();
    entries.sort_by_key(|entry| entry.set);
    entries
}

/// The AS_PATH of a set: the peer's AS, two to four more, the origin.
pub(crate) fn path(peer: u32, set: usize) -> Vec<u32> {
    let mut random = Random(set as u64 + 1);
    let mut path = vec![peer];
    path.extend((0..2 + random.below(3)).map(|_| 1000 + random.below(60_000) as u32));
    path
}

/// The attributes of a set on the wire, as a peer with four-octet AS numbers sends them, NEXT_HOP included. `asks` are more
/// communities.
pub(crate) fn wire_attributes(peer: u32, set: usize, next_hop: [u8; 4], asks: &[u32]) -> Vec<u8> {
    let path = path(peer, set);
    let mut wire = vec![0x40, 1, 1, 0, 0x40, 2, (2 + 4 * path.len()) as u8, 2, path.len() as u8];
    path.iter().for_each(|asn| wire.extend(asn.to_be_bytes()));
    wire.extend([0x40, 3, 4]);
    wire.extend(next_hop);
    wire.extend([0xc0, 8, 8 + 4 * asks.len() as u8]);
    wire.extend((peer << 16 | 100).to_be_bytes());
    wire.extend((peer << 16 | (set as u32 & 0xff)).to_be_bytes());
    asks.iter().for_each(|community| wire.extend(community.to_be_bytes()));
    wire
}

/// UPDATE bodies that announce the table, a message a set.
pub(crate) fn updates(entries: &[Entry], peer: u32, next_hop: [u8; 4]) -> Vec<Vec<u8>> {
    updates_asking(entries, peer, next_hop, |_| Vec::new())
}

/// The same, with more communities by set.
pub(crate) fn updates_asking(
    entries: &[Entry],
    peer: u32,
    next_hop: [u8; 4],
    asks: impl Fn(usize) -> Vec<u32>,
) -> Vec<Vec<u8>> {
    let runs = entries.chunk_by(|one, next| one.set == next.set);
    runs.map(|run| {
        let attributes = wire_attributes(peer, run[0].set, next_hop, &asks(run[0].set));
        let mut body = vec![0, 0];
        body.extend((attributes.len() as u16).to_be_bytes());
        body.extend(attributes);
        run.iter().for_each(|entry| entry.net.write_nlri(&mut body));
        body
    })
    .collect()
}

/// UPDATE bodies that withdraw it.
pub(crate) fn withdrawals(entries: &[Entry]) -> Vec<Vec<u8>> {
    let bodies = entries.chunks(700).map(|run| {
        let mut nets = Vec::new();
        run.iter().for_each(|entry| entry.net.write_nlri(&mut nets));
        let mut body = (nets.len() as u16).to_be_bytes().to_vec();
        body.extend(nets);
        body.extend([0, 0]);
        body
    });
    bodies.collect()
}
