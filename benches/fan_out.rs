//! A route server's table: what its members send goes to all the others. Counts are deliveries: a route to a member.

#[path = "world/shard.rs"]
mod shard;
mod world;

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use palisade_policy::actions::euro_ix;
use palisade_policy::{ActionScheme, Snapshot};
use shard::{ROUTER_ASN, Rig, peer_asn};
use world::Entry;

/// Members of the exchange.
const MEMBERS: u16 = 200;
/// Routes of each.
const ROUTES: usize = 500;

fn main() {
    divan::main();
}

/// Nobody asks for anything: one encoding serves all.
#[divan::bench(sample_count = 3)]
fn to_all(bencher: Bencher<'_, '_>) {
    exchange(bencher, |_, _| Vec::new());
}

/// Each set of attributes is kept from two members, and prepended towards one.
#[divan::bench(sample_count = 3)]
fn as_asked(bencher: Bencher<'_, '_>) {
    exchange(bencher, |member, set| {
        let named =
            |step: usize| peer_asn(1 + ((usize::from(member) + set * step) % usize::from(MEMBERS)) as u16);
        vec![named(3), named(7), 65_501 << 16 | named(11)]
    });
}

fn exchange(bencher: Bencher<'_, '_>, asks: impl Fn(u16, usize) -> Vec<u32>) {
    let table: Vec<Entry> = world::table(usize::from(MEMBERS) * ROUTES);
    let said = |(member, piece): (u16, &[Entry])| {
        let [a, b] = member.to_be_bytes();
        let bodies = world::updates_asking(piece, peer_asn(member), [198, 18, a, b], |set| asks(member, set));
        (member, bodies)
    };
    let said: Vec<(u16, Vec<Vec<u8>>)> = (1..=MEMBERS).zip(table.chunks(ROUTES)).map(said).collect();
    let actions = Arc::new(ActionScheme::new(&euro_ix(ROUTER_ASN).0, [None; 2]));
    let tables = Arc::new(Snapshot { actions: Some(actions), ..Snapshot::default() });
    bencher
        .counter(ItemsCount::new(table.len() * usize::from(MEMBERS - 1)))
        .with_inputs(|| Rig::exchange(MEMBERS, Arc::clone(&tables)))
        .bench_local_values(|mut rig| {
            said.iter().for_each(|(member, bodies)| rig.play(*member, bodies));
            rig
        });
}
