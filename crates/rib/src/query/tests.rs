//! Pages add up to the table, whatever is selected of it and wherever they end.

use std::sync::Arc;
use std::time::Instant;

use palisade_bgp::Asn;
use palisade_policy::{Checks, Mode, PathVerdict, Peer, Reason, Role, Snapshot};

use super::*;
use crate::{AttributeSet, Batch, PeerCounters, PrefixLimits, Ranking, RibPeer, Stamp};

/// What nobody is told.
struct Nowhere;

impl crate::Outbox for Nowhere {
    fn is_drained(&self, _: PeerIndex) -> bool {
        true
    }
    fn has_room(&self, _: PeerIndex) -> bool {
        true
    }
    fn send(&mut self, _: &[PeerIndex], _: Arc<crate::Chunk>) {}
    fn walked(&mut self, _: PeerIndex, _: Family) {}
    fn best_changed<A: Address>(&mut self, _: &[crate::Change<A>]) {}
    fn near_limit(&mut self, _: PeerIndex) {}
}

/// Peers that nothing is checked of; what the path stage says holds all the same.
fn shard_with(peers: &[u16]) -> Shard {
    let mut shard = Shard::new(Arc::new(Snapshot::default()));
    for &number in peers {
        let address = IpAddr::from([192, 0, 2, 1]);
        let mut policy = Peer::new(Asn(number.into()), Asn(64500), Some(Role::Internal), address);
        policy.checks = Checks::all(Mode::Off);
        let ranking = Ranking {
            local_preference: 100,
            shutting_down: false,
            internal: true,
            router_id: u32::from(number),
            address,
        };
        let counters = Arc::new(PeerCounters::default());
        let export = [None, None];
        let peer = RibPeer {
            policy: Arc::new(policy),
            ranking,
            export,
            counters,
            limits: PrefixLimits::NONE,
            tags: None,
        };
        shard.peer_up(PeerIndex(number), peer);
    }
    shard
}

/// Peer 1's paths are accepted, all others' rejected.
fn announce(shard: &mut Shard, peer: u16, nets: impl Iterator<Item = Net<u32>>) {
    let originated = AttributeSet::originated(IpAddr::from([192, 0, 2, 1]).into());
    let reason = (peer != 1).then_some(Reason::EmptyPath);
    let verdict = PathVerdict { reason, ..PathVerdict::default() };
    let set = Arc::new(AttributeSet::new(&originated.attributes(), verdict, Stamp::default(), None));
    let mut batch = Batch::new(PeerIndex(peer));
    nets.for_each(|net| batch.v4.push(Some(&set), net, 0));
    shard.apply(&batch, &mut Nowhere);
}

fn nets(count: u32) -> impl Iterator<Item = Net<u32>> {
    (0..count).map(|at| Net::new(0x0b00_0000 + (at << 8), 24))
}

fn query(scope: Scope, peer: Option<u16>, standing: Standing) -> Query {
    Query { scope, selection: Selection { peer: peer.map(PeerIndex), standing }, after: None }
}

/// All pages of an answer.
fn pages(shard: &Shard, mut query: Query) -> Vec<Page> {
    let mut pages = Vec::new();
    loop {
        let page = shard.page(&query);
        query.after = page.after;
        pages.push(page);
        if query.after.is_none() {
            return pages;
        }
    }
}

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn found(shard: &Shard, query: Query) -> Vec<Prefix> {
    pages(shard, query).into_iter().flat_map(|page| page.paths).map(|held| held.prefix).collect()
}

#[test]
fn pages_add_up_to_the_table_and_each_is_short() {
    let mut shard = shard_with(&[1, 2]);
    announce(&mut shard, 1, nets(2_000));
    announce(&mut shard, 2, nets(1_000));
    let all = query(Scope::Family(Family::Ipv4), None, Standing::Any);
    let pages = pages(&shard, all);
    assert!(pages.len() > 4);
    assert!(pages.iter().all(|page| page.paths.len() <= MOST_FOUND + 1));
    let seen: Vec<_> = pages.iter().flat_map(|page| &page.paths).collect();
    assert_eq!(seen.len(), 3_000);
    assert!(seen.is_sorted_by_key(|held| held.prefix));
    assert_eq!(seen.iter().filter(|held| held.best).count(), 2_000);
    assert_eq!(shard.totals().prefixes, [2_000, 0]);
}

#[test]
fn a_page_of_which_nothing_is_wanted_ends_all_the_same() {
    let mut shard = shard_with(&[1, 2]);
    let count = u32::try_from(MOST_VISITED).unwrap() + 10;
    announce(&mut shard, 1, nets(count));
    announce(&mut shard, 2, nets(count).skip(MOST_VISITED + 3));
    let rejected = query(Scope::Family(Family::Ipv4), Some(2), Standing::Rejected);
    let pages = pages(&shard, rejected);
    assert_eq!(pages.len(), 2);
    assert!(pages[0].paths.is_empty() && pages[0].after.is_some());
    assert_eq!(pages[1].paths.len(), 7);
}

#[test]
fn paths_are_selected_by_peer_and_by_what_became_of_them() {
    let mut shard = shard_with(&[1, 2]);
    announce(&mut shard, 1, nets(3));
    announce(&mut shard, 2, nets(5));
    let count = |peer, standing| found(&shard, query(Scope::Family(Family::Ipv4), peer, standing)).len();
    assert_eq!(count(None, Standing::Any), 8);
    assert_eq!(count(None, Standing::Accepted), 3);
    assert_eq!(count(None, Standing::Rejected), 5);
    assert_eq!(count(None, Standing::Best), 3);
    assert_eq!(count(Some(2), Standing::Any), 5);
    assert_eq!(count(Some(2), Standing::Accepted), 0);
    assert_eq!(count(Some(1), Standing::Rejected), 0);
    assert_eq!(count(Some(3), Standing::Any), 0);
}

#[test]
fn a_prefix_is_found_exactly_with_what_it_covers_or_as_the_longest() {
    let mut shard = shard_with(&[1, 2]);
    let all = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "11.0.0.0/8"].map(prefix);
    announce(&mut shard, 1, all.into_iter().filter_map(u32::of_prefix));
    announce(&mut shard, 2, u32::of_prefix(prefix("10.1.2.3/32")).into_iter());
    let ask = |scope| found(&shard, query(scope, None, Standing::Any));
    assert_eq!(ask(Scope::Exact(prefix("10.1.0.0/16"))), [prefix("10.1.0.0/16")]);
    assert!(ask(Scope::Exact(prefix("10.0.0.0/16"))).is_empty());
    assert!(ask(Scope::Exact(prefix("2001:db8::/32"))).is_empty());
    let longer = ["10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32"].map(prefix);
    assert_eq!(ask(Scope::Longer(prefix("10.1.0.0/16"))), longer);
    let address = IpAddr::from([10, 1, 2, 3]);
    assert_eq!(ask(Scope::Longest(address)), [prefix("10.1.2.3/32")]);
    let accepted = query(Scope::Longest(address), None, Standing::Accepted);
    assert_eq!(found(&shard, accepted), [prefix("10.1.2.0/24")], "a path that is not wanted hides none");
    assert!(ask(Scope::Longest(IpAddr::from([12, 0, 0, 1]))).is_empty());
}

/// Between two pages anything may happen: the next goes on from where the last one ended.
#[test]
fn what_changes_between_pages_is_neither_repeated_nor_in_the_way() {
    let mut shard = shard_with(&[1, 2]);
    announce(&mut shard, 1, nets(MOST_FOUND as u32 * 2));
    let mut all = query(Scope::Longer(prefix("11.0.0.0/8")), None, Standing::Any);
    let first = shard.page(&all);
    all.after = first.after;
    shard.peer_down(PeerIndex(1));
    while shard.publish(Instant::now(), &mut Nowhere).is_some() {}
    let new = ["10.0.0.0/24", "11.255.0.0/24", "12.0.0.0/24"].map(prefix);
    announce(&mut shard, 2, new.into_iter().filter_map(u32::of_prefix));
    assert_eq!(found(&shard, all), [prefix("11.255.0.0/24")]);
}
