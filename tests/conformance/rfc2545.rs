//! Link-local next hops (RFC 2545 s3): which next hop a route goes out with, by where it came from and where it goes.
//!
//! Rows: the next hop that a peer on a link has sent; columns: what an external peer, an internal one, and a member of the
//! exchange beside a member hear, each on the same link and on another. `self` is our own address there, and a dot nothing.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;

use palisade_bgp::attributes::NextHop;
use palisade_bgp::encode::Format;
use palisade_bgp::update::{Context, Decoder};
use palisade_bgp::{Address, Asn, Family, Net};
use palisade_policy::{Checks, Mode, Peer, Role, Snapshot};
use palisade_rib::{
    Change, Chunk, ExportView, Forwarding, Gateway, Intake, Outbox, PeerIndex, RibPeer, Shard, forwarding,
};

use crate::messages::{attribute, body};
use crate::table;

const GLOBAL: &str = "2001:db8::2";
const LINK_LOCAL: &str = "fe80::2";
const SELF: &str = "2001:db8:ffff::1";

/// The roles at both ends, the links of both, and for each next hop that was received the one that is sent.
struct Case {
    from: Role,
    to: Role,
    /// 0 stands for a session between global addresses.
    links: (u32, u32),
    global: &'static str,
    both: &'static str,
    link_local: &'static str,
}

const fn case(from: Role, to: Role, links: (u32, u32), heard: [&'static str; 3]) -> Case {
    let [global, both, link_local] = heard;
    Case { from, to, links, global, both, link_local }
}

const BOTH: &str = "2001:db8::2 fe80::2";

const TABLE: [Case; 11] = [
    // Who puts itself in has nothing to pass on.
    case(Role::Customer, Role::Peer, (3, 3), ["self", "self", "self"]),
    case(Role::Customer, Role::Peer, (3, 4), ["self", "self", "self"]),
    // Inside our AS the next hop is kept; a link-local one leads somewhere on its own link alone.
    case(Role::Customer, Role::Internal, (3, 3), [GLOBAL, BOTH, LINK_LOCAL]),
    case(Role::Customer, Role::Internal, (3, 4), [GLOBAL, GLOBAL, "self"]),
    case(Role::Customer, Role::Internal, (3, 0), [GLOBAL, GLOBAL, "self"]),
    case(Role::Customer, Role::Internal, (0, 0), [GLOBAL, GLOBAL, "self"]),
    // Members of an exchange share its link; nobody can stand in for one of them.
    case(Role::RsClient, Role::RsClient, (0, 0), [GLOBAL, BOTH, "."]),
    case(Role::RsClient, Role::RsClient, (3, 3), [GLOBAL, BOTH, LINK_LOCAL]),
    case(Role::RsClient, Role::RsClient, (3, 4), [GLOBAL, GLOBAL, "."]),
    case(Role::RsClient, Role::RsClient, (3, 0), [GLOBAL, GLOBAL, "."]),
    case(Role::RsClient, Role::RsClient, (0, 3), [GLOBAL, GLOBAL, "."]),
];

const FROM: PeerIndex = PeerIndex(1);
const TO: PeerIndex = PeerIndex(2);

fn net() -> Net<u128> {
    Net::new("2001:db8:5::".parse::<Ipv6Addr>().unwrap().to_bits(), 48)
}

#[test]
fn a_link_local_next_hop_goes_no_further_than_its_link() {
    for case in TABLE {
        for (sent, expected) in [(GLOBAL, case.global), (BOTH, case.both), (LINK_LOCAL, case.link_local)] {
            let mut ear = Ear::default();
            let mut router = Router::new(&case);
            router.say(sent, &mut ear);
            let heard = ear.heard.map_or(".".to_owned(), spelled).replace(SELF, "self");
            let (from, to, links) = (case.from, case.to, case.links);
            assert_eq!(heard, expected, "{sent} from {from} to {to} on links {links:?}");
        }
    }
}

#[test]
fn packets_leave_over_the_link_that_a_link_local_next_hop_came_over() {
    let links = [(LINK_LOCAL, (LINK_LOCAL, 3)), (GLOBAL, (GLOBAL, 0)), (BOTH, (GLOBAL, 0))];
    for (sent, (address, link)) in links.into_iter().chain([("fe80::2 fe80::2", (LINK_LOCAL, 3))]) {
        let mut ear = Ear::default();
        Router::new(&case(Role::Customer, Role::Peer, (3, 3), [""; 3])).say(sent, &mut ear);
        assert_eq!(ear.forwarding, Some(Forwarding::To((address.parse().unwrap(), link))), "{sent}");
    }
}

/// The same address is another router on another link: what is said of one says nothing of the other.
#[test]
fn a_next_hop_that_is_lost_on_one_link_is_there_on_another() {
    let mut ear = Ear::default();
    let mut router = Router::new(&case(Role::Customer, Role::Peer, (3, 4), [""; 3]));
    router.say(LINK_LOCAL, &mut ear);
    let on = |link| -> Gateway { (LINK_LOCAL.parse().unwrap(), link) };
    for (lost, expected) in [(4, Some(Forwarding::To(on(3)))), (3, None)] {
        router.shard.set_reachable(on(lost), false);
        router.settle(&mut ear);
        assert_eq!(ear.forwarding, expected, "link {lost} is lost");
    }
}

/// Some send nothing in the place of the global address that they don't have.
#[test]
fn an_unspecified_address_beside_a_link_local_one_is_none() {
    let mut ear = Ear::default();
    Router::new(&case(Role::Customer, Role::Internal, (3, 3), [""; 3])).say(":: fe80::2", &mut ear);
    assert_eq!(ear.forwarding, Some(Forwarding::To((LINK_LOCAL.parse().unwrap(), 3))));
    assert_eq!(ear.heard.map(spelled).as_deref(), Some(LINK_LOCAL));
}

/// A shard with somebody who speaks and somebody who hears.
struct Router {
    shard: Shard,
    intake: Intake,
    internal: bool,
}

impl Router {
    fn new(case: &Case) -> Self {
        let mut shard = Shard::new(Arc::new(Snapshot::default()));
        let speaker = peer(FROM, case.from, case.links.0);
        let intake = Intake::new(FROM, Arc::clone(&speaker.policy), 1, 1);
        shard.peer_up(FROM, speaker);
        shard.peer_up(TO, peer(TO, case.to, case.links.1));
        Router { shard, intake, internal: case.from == Role::Internal }
    }

    /// The speaker announces the prefix with a next hop of one or two addresses.
    fn say(&mut self, next_hop: &str, ear: &mut Ear) {
        let hop: Vec<u8> =
            next_hop.split(' ').flat_map(|one| one.parse::<Ipv6Addr>().unwrap().octets()).collect();
        let mut reach = [&[0, 2, 1, hop.len() as u8][..], &hop, &[0]].concat();
        net().write_nlri(&mut reach);
        let path = [&[2, 1][..], &65_001_u32.to_be_bytes()].concat();
        let attributes = [attribute(0x40, 1, &[0]), attribute(0x40, 2, &path), attribute(0x80, 14, &reach)];
        let body = body(&[], &attributes.concat(), &[]);
        let context = Context { internal: self.internal, ..Context::default() };
        let mut decoder = Decoder::new();
        let update = decoder.update(&body, &context).unwrap();
        assert!(update.faults().is_empty(), "{:?}", update.faults());
        self.intake.push(&update, &Snapshot::default());
        for (_, batch) in self.intake.take() {
            self.shard.apply(&batch, ear);
        }
        self.settle(ear);
    }

    fn settle(&mut self, ear: &mut Ear) {
        let mut now = Instant::now();
        while let Some(due) = self.shard.publish(now, ear) {
            now = now.max(due);
        }
    }
}

/// A peer of a role, from which everything is accepted, on a link.
fn peer(index: PeerIndex, role: Role, link: u32) -> RibPeer {
    let plain = table::peer(index, role);
    let view = ExportView {
        own_next_hop: Some(NextHop::from(SELF.parse::<IpAddr>().unwrap())),
        ipv6_next_hops: true,
        format: Format::PLAIN,
        link,
        ..plain.export[0].unwrap()
    };
    let mut policy = Peer::new(Asn(65_001), Asn(table::OURS), Some(role), LINK_LOCAL.parse().unwrap());
    (policy.checks, policy.link) = (Checks::all(Mode::Off), link);
    RibPeer { policy: Arc::new(policy), export: [None, Some(view)], ..plain }
}

/// What the one who hears has heard last, and what the router's own packets follow.
#[derive(Default)]
struct Ear {
    heard: Option<NextHop>,
    forwarding: Option<Forwarding>,
}

impl Outbox for Ear {
    fn has_room(&self, _: PeerIndex) -> bool {
        true
    }

    fn is_drained(&self, _: PeerIndex) -> bool {
        true
    }

    fn send(&mut self, members: &[PeerIndex], chunk: Arc<Chunk>) {
        if !members.contains(&TO) {
            return;
        }
        let octets: Vec<u8> = chunk.slices_for(TO).flatten().collect();
        let context = Context { internal: true, ..Context::default() };
        if let Some((attributes, _)) =
            Decoder::new().update(&octets[19..], &context).unwrap().announced::<u128>()
        {
            self.heard = Some(attributes.next_hop);
        }
    }

    fn walked(&mut self, _: PeerIndex, _: Family) {}

    fn best_changed<A: Address>(&mut self, changes: &[Change<A>]) {
        self.forwarding = changes.last().and_then(forwarding);
    }

    fn near_limit(&mut self, _: PeerIndex) {}
}

fn spelled(next_hop: NextHop) -> String {
    match next_hop {
        NextHop::V6 { global, link_local: Some(link_local) } => format!("{global} {link_local}"),
        _ => next_hop.address().to_string(),
    }
}
