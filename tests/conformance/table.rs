//! A router's table with sessions that are up: what peers of all roles say to it and hear from it, as UPDATEs.
//!
//! What is said is encoded by hand and decoded as a session would; what is heard is read as a peer would, and added up.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use palisade_bgp::attributes::{Attributes, Community};
use palisade_bgp::update::{Context, Decoder};
use palisade_bgp::{Address, Net};
use palisade_policy::{Role, Snapshot};
use palisade_rib::{Account, Forwarding, Intake, PeerIndex, RibPeer, Shard};

use crate::rib::{Heard, Wires, policy, rib_peer, settle};
pub(crate) use crate::rib::{OURS, ROUTER, address, asn};

/// What a peer says of a prefix, or hears of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) as_path: Vec<u32>,
    pub(crate) communities: Vec<Community>,
    /// The peer's own address where there is none.
    pub(crate) next_hop: Option<Ipv4Addr>,
    pub(crate) local_pref: Option<u32>,
    pub(crate) med: Option<u32>,
    pub(crate) originator_id: Option<Ipv4Addr>,
    pub(crate) cluster_list: Vec<Ipv4Addr>,
}

/// A table with peers.
pub(crate) struct Router {
    pub(crate) shard: Shard,
    tables: Arc<Snapshot>,
    intakes: BTreeMap<PeerIndex, Intake>,
    wires: Wires<Route>,
    now: Instant,
}

impl Router {
    /// A table that no peer has come to yet.
    pub(crate) fn new(tables: Snapshot) -> Self {
        let tables = Arc::new(tables);
        let shard = Shard::new(Arc::clone(&tables));
        Router { shard, tables, intakes: BTreeMap::new(), wires: Wires::default(), now: Instant::now() }
    }

    /// A table with a peer of each role, numbered by [`of`]; whatever they announce is accepted.
    pub(crate) fn with_all_roles(tables: Snapshot) -> Self {
        let mut router = Router::new(tables);
        Role::ALL.into_iter().for_each(|role| router.join(of(role), peer(of(role), role)));
        router
    }

    /// A session comes up. Either end names its paths where that takes them (RFC 7911).
    pub(crate) fn join(&mut self, index: PeerIndex, peer: RibPeer) {
        let internal = peer.policy.role == Some(Role::Internal);
        let is_sent_names = peer.export[0].is_some_and(|view| view.format.add_path);
        let context = Context { internal, add_path: [is_sent_names, false], ..Context::default() };
        self.wires.contexts.insert(index, context);
        self.intakes.insert(index, Intake::new(index, Arc::clone(&peer.policy), 1, 1));
        self.shard.peer_up(index, peer);
        self.settle();
    }

    /// A peer announces a route.
    pub(crate) fn say(&mut self, from: PeerIndex, net: Net<u32>, route: &Route) {
        let mut nlri = Vec::new();
        net.write_nlri(&mut nlri);
        let attributes = route.encode(address(from));
        let length = (attributes.len() as u16).to_be_bytes();
        self.hear(from, false, &[&[0, 0][..], &length, &attributes, &nlri].concat());
    }

    /// A peer announces a path by a name of its own, or withdraws what it has called so.
    pub(crate) fn say_named(&mut self, from: PeerIndex, net: Net<u32>, name: u32, route: Option<&Route>) {
        let mut nlri = name.to_be_bytes().to_vec();
        net.write_nlri(&mut nlri);
        let length = |octets: &[u8]| (octets.len() as u16).to_be_bytes();
        let body = match route.map(|route| route.encode(address(from))) {
            Some(attributes) => [&[0, 0][..], &length(&attributes), &attributes, &nlri].concat(),
            None => [&length(&nlri)[..], &nlri, &[0, 0]].concat(),
        };
        self.hear(from, true, &body);
    }

    fn hear(&mut self, from: PeerIndex, named: bool, body: &[u8]) {
        let context = Context { add_path: [named, false], ..self.wires.contexts[&from] };
        let intake = self.intakes.get_mut(&from).unwrap();
        let mut decoder = Decoder::new();
        let update = decoder.update(body, &context).unwrap();
        assert!(update.faults().is_empty(), "{:?}", update.faults());
        intake.push(&update, &self.tables);
        for (_, batch) in intake.take() {
            self.shard.apply(&batch, &mut self.wires);
        }
        self.settle();
    }

    /// Everybody is told what there is to tell.
    pub(crate) fn settle(&mut self) {
        settle(&mut self.shard, &mut self.wires, &mut self.now);
        assert_eq!(self.wires.spurious, 0, "somebody is told to forget what it never heard");
    }

    /// What a peer has heard of a prefix, and not been told to forget.
    pub(crate) fn heard(&self, by: PeerIndex, net: Net<u32>) -> Option<&Route> {
        self.wires.held.get(&by)?.iter().find(|((held, _), _)| *held == net).map(|(_, route)| route)
    }

    /// All the paths to a prefix that a peer has heard, by our names for them.
    pub(crate) fn heard_named(&self, by: PeerIndex, net: Net<u32>) -> BTreeMap<u32, &Route> {
        let held = self.wires.held.get(&by).into_iter().flatten();
        held.filter(|((held, _), _)| *held == net).map(|((_, name), route)| (*name, route)).collect()
    }

    /// What becomes of packets to a prefix.
    pub(crate) fn forwards(&self, net: Net<u32>) -> Option<Forwarding> {
        self.wires.fib.get(&u32::prefix(net)).copied()
    }

    /// What there is to say of a prefix.
    pub(crate) fn account(&self, net: Net<u32>) -> Account {
        self.shard.account(u32::prefix(net))
    }
}

/// The peer of a role in [`Router::with_all_roles`].
pub(crate) fn of(role: Role) -> PeerIndex {
    PeerIndex(1 + Role::ALL.iter().position(|other| *other == role).unwrap() as u16)
}

/// A peer of a role, from which everything is accepted.
pub(crate) fn peer(index: PeerIndex, role: Role) -> RibPeer {
    rib_peer(index, policy(index, role))
}

impl Route {
    /// A route with the AS of a peer, in front of that of its origin.
    pub(crate) fn from(peer: PeerIndex, role: Role, communities: &[Community]) -> Self {
        let as_path = if role == Role::Internal { vec![65100] } else { vec![asn(peer, role), 65100] };
        Route { as_path, communities: communities.to_vec(), ..Route::default() }
    }

    fn encode(&self, sender: Ipv4Addr) -> Vec<u8> {
        let mut path = Vec::new();
        if !self.as_path.is_empty() {
            path.extend([2, self.as_path.len() as u8]);
            path.extend(self.as_path.iter().flat_map(|asn| asn.to_be_bytes()));
        }
        let communities: Vec<u8> = self.communities.iter().flat_map(|one| one.0.to_be_bytes()).collect();
        let next_hop = self.next_hop.unwrap_or(sender).octets();
        let mut out = Vec::new();
        let mut push = |flags: u8, code: u8, value: &[u8]| {
            out.extend([flags, code, value.len() as u8]);
            out.extend(value);
        };
        push(0x40, 1, &[0]);
        push(0x40, 2, &path);
        push(0x40, 3, &next_hop);
        self.med.iter().for_each(|value| push(0x80, 4, &value.to_be_bytes()));
        self.local_pref.iter().for_each(|value| push(0x40, 5, &value.to_be_bytes()));
        if !communities.is_empty() {
            push(0xc0, 8, &communities);
        }
        self.originator_id.iter().for_each(|id| push(0x80, 9, &id.octets()));
        if !self.cluster_list.is_empty() {
            push(0x80, 10, &self.cluster_list.iter().flat_map(|id| id.octets()).collect::<Vec<u8>>());
        }
        out
    }
}

impl Heard for Route {
    fn of(attributes: &Attributes<'_>) -> Self {
        let IpAddr::V4(next_hop) = attributes.next_hop.address() else { panic!("{attributes:?}") };
        Route {
            as_path: attributes.as_path().asns().map(|asn| asn.0).collect(),
            communities: attributes.communities().collect(),
            next_hop: Some(next_hop),
            local_pref: attributes.facts.local_pref,
            med: attributes.facts.med,
            originator_id: attributes.facts.originator_id,
            cluster_list: attributes.cluster_list().collect(),
        }
    }
}
