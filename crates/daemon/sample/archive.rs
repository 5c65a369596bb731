//! What a peer announces, as a collector would have kept it: its table as TABLE_DUMP_V2, then BGP4MP messages.

use std::collections::BTreeMap;
use std::iter::once;
use std::net::{IpAddr, Ipv4Addr};

use palisade_bgp::encode::{self, Format};
use palisade_bgp::{Net, Prefix};

use super::peers::{LOCAL_ASN, Peer};
use super::route::{Ends, Event, Route};
use super::{SamplePeer, Truth};
use crate::mrt::PeerKey;
use crate::mrt::write::{self, IndexedPeer, Peering, RibRoute};

/// When the tables are dumped: 2026-01-01.
const DUMPED_S: u32 = 1_767_225_600;

/// The archive of a peer, and what must come of it.
pub(super) fn write(peer: Peer) -> SamplePeer {
    let key = PeerKey { address: peer.ends.v4, asn: peer.asn };
    let mut mrt = Vec::new();
    dump(&peer, key, &mut mrt);
    updates(&peer, key, &mut mrt);
    let Peer { name, asn, role, .. } = peer;
    SamplePeer { name, asn, role, address: key.address, mrt, truth: truth(&peer), as_set: peer.as_set }
}

fn dump(peer: &Peer, key: PeerKey, out: &mut Vec<u8>) {
    let IpAddr::V4(router_id) = key.address else { return };
    let indexed = IndexedPeer { router_id, key };
    write::peer_index_table(DUMPED_S, Ipv4Addr::new(192, 0, 2, 1), &[indexed], out);
    let mut table: Vec<&Route> = peer.table.iter().collect();
    table.sort_by_key(|route| route.prefix);
    for (sequence, route) in (0..).zip(table) {
        let mut attributes = Vec::new();
        write::rib_attributes(&route.attributes.wire(), peer.ends.next_hop(route), &mut attributes);
        let originated_s = DUMPED_S - 3600 - sequence % 86_400;
        let entries = [RibRoute { peer_index: 0, originated_s, path_id: 0, attributes: &attributes }];
        match route.prefix {
            Prefix::V4(net) => write::rib(DUMPED_S, sequence, net, &entries, false, out),
            Prefix::V6(net) => write::rib(DUMPED_S, sequence, net, &entries, false, out),
        }
    }
}

fn updates(peer: &Peer, key: PeerKey, out: &mut Vec<u8>) {
    let local = PeerKey { address: Ipv4Addr::new(192, 0, 2, 1).into(), asn: LOCAL_ASN };
    let peering = Peering { peer: key, local };
    let mut messages = Vec::new();
    for (at, event) in (0..).zip(&peer.events) {
        messages.clear();
        match event {
            Event::Announced(route) => announcement(route, &peer.ends, &mut messages),
            Event::Withdrawn(Prefix::V4(net)) => withdrawal(*net, &mut messages),
            Event::Withdrawn(Prefix::V6(net)) => withdrawal(*net, &mut messages),
        }
        write::message(DUMPED_S + 1 + at / 20, &peering, &messages, out);
    }
}

fn announcement(route: &Route, ends: &Ends, out: &mut Vec<u8>) {
    let (block, next_hop) = (route.attributes.wire(), ends.next_hop(route));
    let done = match route.prefix {
        Prefix::V4(net) => encode::announcements(&block, next_hop, once(net.into()), Format::PLAIN, out),
        Prefix::V6(net) => encode::announcements(&block, next_hop, once(net.into()), Format::PLAIN, out),
    };
    debug_assert!(done.is_ok(), "no route of the sample fills a message");
}

fn withdrawal<A: palisade_bgp::Address>(net: Net<A>, out: &mut Vec<u8>) {
    encode::withdrawals(once(net.into()), Format::PLAIN, out);
}

fn truth(peer: &Peer) -> Truth {
    let mut truth = Truth::default();
    let mut held = BTreeMap::new();
    let mut announce = |route: &Route, held: &mut BTreeMap<Prefix, bool>| {
        truth.announce(route.reason, route.rov);
        held.insert(route.prefix, route.reason.is_none());
    };
    for route in &peer.table {
        announce(route, &mut held);
    }
    let mut withdrawals = 0;
    for event in &peer.events {
        match event {
            Event::Announced(route) => announce(route, &mut held),
            Event::Withdrawn(prefix) => {
                withdrawals += 1;
                held.remove(prefix);
            }
        }
    }
    truth.withdrawals = withdrawals;
    truth.held = held.len() as u64;
    truth.held_accepted =
        held.into_iter().filter(|(_, accepted)| *accepted).map(|(prefix, _)| prefix).collect();
    truth
}
