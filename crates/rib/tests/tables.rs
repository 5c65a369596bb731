//! New tables, while peers go on speaking: what they touch is judged again a slice at a time, the newest judge, and in the end
//! everybody holds what the last tables say of the last announcements.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use palisade_bgp::Asn;
use palisade_bgp::prefix::{Net, Prefix};
use palisade_policy::{Mode, Reason, Role, RovIndex, Snapshot, Vrp};
use palisade_rib::{Batch, PeerIndex, RibPeer, Shard, Touched};

use support::{OURS, Random, Said, Wires, asn, settle};

const FROM: PeerIndex = PeerIndex(1);
const TO: PeerIndex = PeerIndex(2);
/// Several slices' worth.
const PREFIXES: u32 = 20_000;

fn net(at: u32) -> Net<u32> {
    Net::new(0x0a00_0000 | at << 8, 24)
}

fn rib_peer(peer: PeerIndex) -> RibPeer {
    let mut policy = support::policy(peer, Role::Customer);
    assert!(policy.checks.set(Reason::RpkiInvalidOrigin, Mode::Enforce).is_ok());
    support::rib_peer(peer, policy)
}

/// Tables by which the prefixes of some /16 may only be originated by somebody else.
fn tables(refused: &BTreeSet<u32>) -> Arc<Snapshot> {
    let vrps = refused.iter().flat_map(|block| Vrp::new(block_prefix(*block), 24, Asn(65_551)));
    Arc::new(Snapshot { rov: Arc::new(RovIndex::build(vrps)), ..Snapshot::default() })
}

fn block_prefix(block: u32) -> Prefix {
    Prefix::V4(Net::new(0x0a00_0000 | block << 16, 16))
}

fn say(shard: &mut Shard, wires: &mut Wires, at: u32, tail: Option<u32>) {
    let mut batch = Batch::new(FROM);
    let said = tail.map(|asn_of| Said::path([asn(FROM, Role::Customer), asn_of]).attributes(FROM));
    batch.v4.push(said.as_ref(), net(at), 0);
    shard.apply(&batch, wires);
}

#[test]
fn what_changes_while_tables_are_applied_is_judged_by_the_last_of_them() {
    for seed in 1..=4 {
        let mut random = Random(seed * 0x9e37_79b9);
        let (mut wires, mut now) = (Wires::default(), Instant::now());
        let mut shard = Shard::new(tables(&BTreeSet::new()));
        let mut said: BTreeMap<u32, u32> = BTreeMap::new();
        let mut refused: BTreeSet<u32> = BTreeSet::new();
        let counters = {
            let from = rib_peer(FROM);
            let counters = Arc::clone(&from.counters);
            shard.peer_up(FROM, from);
            shard.peer_up(TO, rib_peer(TO));
            counters
        };
        for at in 0..PREFIXES {
            say(&mut shard, &mut wires, at, Some(60_000));
            said.insert(at, 60_000);
        }
        settle(&mut shard, &mut wires, &mut now);
        for _ in 0..12 {
            // Tables that come before the last ones are applied, and announcements in between.
            let block = random.below(u64::from(PREFIXES >> 8) + 1) as u32;
            let changed: Vec<Prefix> = if random.below(3) == 0 {
                refused = (0..=PREFIXES >> 8).filter(|_| random.below(2) == 0).collect();
                vec![Prefix::V4(Net::new(0x0a00_0000, 8))]
            } else {
                if !refused.remove(&block) {
                    refused.insert(block);
                }
                vec![block_prefix(block)]
            };
            shard.replace_tables(tables(&refused), &Touched::under(changed));
            for _ in 0..random.below(4) {
                shard.publish(now, &mut wires);
                let at = random.below(u64::from(PREFIXES)) as u32;
                let tail = (random.below(3) > 0).then(|| 60_000 + random.below(3) as u32);
                say(&mut shard, &mut wires, at, tail);
                match tail {
                    Some(tail) => drop(said.insert(at, tail)),
                    None => drop(said.remove(&at)),
                }
            }
        }
        settle(&mut shard, &mut wires, &mut now);
        let accepted = said.iter().filter(|(at, _)| !refused.contains(&(**at >> 8)));
        let expected: BTreeMap<_, _> = accepted
            .map(|(at, tail)| ((net(*at), 0), Said::path([OURS, asn(FROM, Role::Customer), *tail])))
            .collect();
        let tally = counters.read();
        assert_eq!(wires.held.remove(&TO).unwrap_or_default(), expected, "seed {seed}");
        assert_eq!(
            (tally.received_total(), tally.accepted_total()),
            (said.len() as i64, expected.len() as i64)
        );
        assert_eq!(wires.spurious, 0);
    }
}
