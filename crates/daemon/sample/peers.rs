//! Who announces what to the router of the sample: six peers, each with a table of its own and with some routes that must
//! be refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hashbrown::HashSet;
use palisade_bgp::attributes::{Community, LargeCommunity, Origin};
use palisade_bgp::{Asn, Prefix};
use palisade_policy::{Role, RovState};

use super::internet::{Holding, Internet};
use super::random::Random;
use super::registries;
use super::route::{Ends, Event, PathAttributes, Route};
use super::trouble;

/// The AS of the router that the sample is for.
pub(super) const LOCAL_ASN: Asn = Asn(64_500);

/// The exchange's route server.
const ROUTE_SERVER_ASN: Asn = Asn(599_990);

/// The addresses of the exchange's LAN from which its members announce: 30.255.252.0/22.
const LAN: [u8; 3] = [30, 255, 252];

/// A peer, and all that it says.
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) asn: Asn,
    pub(super) role: Role,
    pub(super) as_set: Option<String>,
    pub(super) ends: Ends,
    /// What it has announced when its table is dumped; each prefix once.
    pub(super) table: Vec<Route>,
    /// What happens then.
    pub(super) events: Vec<Event>,
}

/// The networks that are our peers.
struct Cast {
    transits: [usize; 2],
    peer: usize,
    customer: usize,
    stub: usize,
}

impl Cast {
    /// Two that have providers themselves and so know the whole table; one with a cone that is neither too small nor too
    /// large; a customer that sells transit itself, and one that does not.
    fn choose(internet: &Internet) -> Self {
        let cone = |at: &usize| internet.cone(*at).len();
        let mut middle: Vec<usize> = Internet::transits().collect();
        middle.sort_by_key(cone);
        let [customer, .., peer] = middle[..6] else { unreachable!("there are more transits than that") };
        let mut edges = internet.edges();
        let is_apart = |at: &usize| {
            let network = &internet.networks[*at];
            let known = network.holdings.iter().filter(|holding| holding.roa.is_some() || holding.registered);
            !network.providers.contains(&customer) && known.count() > 6
        };
        let stub = edges.find(is_apart).unwrap_or(edges.start);
        Cast { transits: [middle[12], middle[10]], peer, customer, stub }
    }
}

/// All peers of the sample, and the network whose as-set is cyclic.
pub(super) fn all(internet: &Internet, random: &mut Random) -> (Vec<Peer>, Asn) {
    let cast = Cast::choose(internet);
    let asn = |at: usize| internet.networks[at].asn;
    let everyone: Vec<usize> = (0..internet.networks.len()).collect();
    let view = |from, origins: &[usize], random: &mut Random| {
        View { internet, from, whole: origins.len() == everyone.len(), via: None }.table(origins, random)
    };

    let mut peers = Vec::new();
    for (at, name) in cast.transits.into_iter().zip(["transit-a", "transit-b"]) {
        let table = view(at, &everyone, random);
        peers.push(peer(name, peers.len(), asn(at), Role::Provider, None, table));
    }
    for (at, name, role) in [(cast.peer, "peer-c", Role::Peer), (cast.customer, "customer-d", Role::Customer)]
    {
        let table = view(at, &internet.cone(at), random);
        peers.push(peer(name, peers.len(), asn(at), role, Some(registries::as_set(asn(at))), table));
    }
    let table = view(cast.stub, &[cast.stub], random);
    peers.push(peer("customer-e", peers.len(), asn(cast.stub), Role::Customer, None, table));
    peers.push(peer(
        "route-server-f",
        peers.len(),
        ROUTE_SERVER_ASN,
        Role::Rs,
        None,
        members(internet, random),
    ));

    for peer in &mut peers {
        unregistered(internet, peer);
        trouble::add(internet, peer, random);
        changes(peer, random);
    }
    (peers, asn(cast.customer))
}

fn peer(
    name: &'static str,
    at: usize,
    asn: Asn,
    role: Role,
    as_set: Option<String>,
    table: Vec<Route>,
) -> Peer {
    let host = 11 + at as u8;
    let v4 = match role {
        Role::Rs => Ipv4Addr::new(LAN[0], LAN[1], LAN[2], host),
        _ => Ipv4Addr::new(192, 0, 2, host),
    };
    let ends = Ends { v4: IpAddr::V4(v4), v6: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host.into()) };
    Peer { name, asn, role, as_set, ends, table, events: Vec::new() }
}

/// What one network announces to another.
struct View<'a> {
    internet: &'a Internet,
    from: usize,
    /// Whether it announces the whole table, and not its customer cone alone.
    whole: bool,
    /// The next hop, where it is not the announcer's.
    via: Option<IpAddr>,
}

impl View<'_> {
    /// The routes to what some networks hold, each prefix once: of two origins the first.
    fn table(&self, origins: &[usize], random: &mut Random) -> Vec<Route> {
        let mut seen = HashSet::new();
        let mut routes = Vec::new();
        for &origin in origins {
            let attributes = self.attributes(origin, random);
            for holding in &self.internet.networks[origin].holdings {
                if seen.insert(holding.prefix) {
                    routes.push(route(holding, attributes.clone()));
                }
            }
        }
        routes
    }

    /// One origin's routes share their attributes, as most do.
    fn attributes(&self, origin: usize, random: &mut Random) -> PathAttributes {
        let mut path = match self.whole {
            true => self.internet.path(self.from, origin, random),
            false => self.internet.path_down(self.from, origin, random),
        };
        if random.percent(12)
            && let Some(&last) = path.last()
        {
            path.extend(std::iter::repeat_n(last, 1 + random.below(4)));
        }
        let mut attributes = PathAttributes::of_path(path);
        attributes.next_hop = self.via;
        if random.percent(6) {
            attributes.origin = Origin::Incomplete;
        }
        attributes.med = random.percent(35).then(|| random.below(20) as u32 * 10);
        for _ in 0..random.below(4) {
            let community = Community((3356 << 16) | random.pick(&[100, 200, 501, 1000, 3001, 5000, 5100]));
            if !attributes.communities.contains(&community) {
                attributes.communities.push(community);
            }
        }
        if random.percent(40) {
            let asn = self.internet.networks[self.from].asn.0;
            attributes.large_communities.push(LargeCommunity(asn, 1, random.below(900) as u32));
        }
        attributes
    }
}

/// A route as it should be.
fn route(holding: &Holding, attributes: PathAttributes) -> Route {
    let rov = if holding.roa.is_some() { RovState::Valid } else { RovState::NotFound };
    Route { prefix: holding.prefix, attributes, reason: None, rov }
}

/// What the exchange's members announce through its route server: their own and their customers', with their own next
/// hops and without the server's AS (RFC 7947 s2.2).
fn members(internet: &Internet, random: &mut Random) -> Vec<Route> {
    let mut seen = HashSet::new();
    let mut routes = Vec::new();
    let members = Internet::transits().skip(2).step_by(4).chain(internet.edges().step_by(17));
    for (at, member) in members.enumerate() {
        let via = IpAddr::from([LAN[0], LAN[1], LAN[2] + 1, 1 + at as u8]);
        let view = View { internet, from: member, whole: false, via: Some(via) };
        let cone = internet.cone(member);
        let table = view.table(&cone[..cone.len().min(12)], random);
        // An IPv6 route has an IPv6 next hop; its own member's is as good as any.
        routes.extend(table.into_iter().filter(|route| seen.insert(route.prefix)).map(without_v4_next_hop));
    }
    routes
}

fn without_v4_next_hop(mut route: Route) -> Route {
    if matches!(route.prefix, Prefix::V6(_)) {
        route.attributes.next_hop = None;
    }
    route
}

/// Where route objects are asked for, what has neither one nor a ROA is refused.
fn unregistered(internet: &Internet, peer: &mut Peer) {
    if !matches!(peer.role, Role::Customer | Role::Peer) {
        return;
    }
    for route in &mut peer.table {
        let origin = route.attributes.path.last().copied();
        let holds = internet.networks.iter().filter(|network| Some(network.asn) == origin);
        let holding =
            holds.flat_map(|network| &network.holdings).find(|holding| holding.prefix == route.prefix);
        if holding.is_some_and(|holding| holding.roa.is_none() && !holding.registered) {
            route.reason = Some(palisade_policy::Reason::IrrPrefixNotRegistered);
        }
    }
}

/// What happens after the dump: some routes take another path, some go, some of these come back.
fn changes(peer: &mut Peer, random: &mut Random) {
    let mut events = Vec::new();
    for route in &peer.table {
        match random.below(100) {
            0..6 => {
                let mut longer = route.clone();
                if let Some(&first) = longer.attributes.path.first() {
                    longer.attributes.path.insert(0, first);
                }
                events.push(Event::Announced(longer));
            }
            6..9 => events.push(Event::Withdrawn(route.prefix)),
            9..11 => {
                events.push(Event::Withdrawn(route.prefix));
                events.push(Event::Announced(route.clone()));
            }
            _ => {}
        }
    }
    peer.events = events;
}
