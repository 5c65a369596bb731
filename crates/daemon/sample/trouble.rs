//! The routes that must be refused, a few of every reason that the judge can find in what a peer of that role sends, and
//! some that look wrong and must be let through.
//!
//! Each is made so that its reason is the first that applies, and its origin validation state is known: what is not about
//! the RPKI uses prefixes that no VRP covers.

use std::net::{IpAddr, Ipv6Addr};

use palisade_bgp::attributes::{Community, LargeCommunity};
use palisade_bgp::{Asn, Prefix};
use palisade_policy::{Reason, Role, RovState};

use super::PROTECTED_ASN;
use super::internet::{Holding, Internet};
use super::peers::{LOCAL_ASN, Peer};
use super::random::Random;
use super::route::{PathAttributes, Route};

/// Adds a peer's wrong routes to its table. Where the table has the prefix already, the wrong route takes its place.
pub(super) fn add(internet: &Internet, peer: &mut Peer, random: &mut Random) {
    let strangers = Strangers::of(internet, peer, random);
    let mut stage = Stage { peer, strangers };
    match stage.peer.role {
        Role::Provider => full_table(&mut stage),
        Role::Customer if stage.peer.as_set.is_some() => customer(&mut stage),
        Role::Customer => stub(&mut stage),
        Role::Peer => lateral(&mut stage),
        Role::Rs => exchange(&mut stage),
        Role::RsClient | Role::Internal => {}
    }
}

/// Prefixes of networks that the peer does not speak for, each handed out once.
struct Strangers {
    /// Without a ROA.
    plain: Vec<(Asn, Prefix)>,
    /// With a ROA, and its maxLength.
    signed: Vec<(Asn, Prefix, u8)>,
}

impl Strangers {
    fn of(internet: &Internet, peer: &Peer, random: &mut Random) -> Self {
        let top = internet.networks.iter().position(|network| network.asn == peer.asn);
        let cone =
            top.filter(|_| peer.role != Role::Provider).map(|top| internet.cone(top)).unwrap_or_default();
        let (mut plain, mut signed) = (Vec::new(), Vec::new());
        for at in internet.edges().filter(|at| !cone.contains(at)) {
            let network = &internet.networks[at];
            for Holding { prefix, roa, alone, .. } in network.holdings.iter().copied() {
                match (roa, alone, prefix) {
                    (None, true, Prefix::V4(_)) => plain.push((network.asn, prefix)),
                    (Some(longest), true, Prefix::V4(_)) => signed.push((network.asn, prefix, longest)),
                    _ => {}
                }
            }
        }
        // A different part of the Internet for each peer.
        let (turn, other) = (random.below(plain.len()), random.below(signed.len()));
        plain.rotate_left(turn);
        signed.rotate_left(other);
        Strangers { plain, signed }
    }
}

/// A peer's table with room for trouble.
struct Stage<'a> {
    peer: &'a mut Peer,
    strangers: Strangers,
}

impl Stage<'_> {
    /// A prefix without a ROA, and who holds it.
    fn plain(&mut self) -> (Asn, Prefix) {
        self.strangers.plain.pop().unwrap_or((Asn(500_001), prefix("29.255.0.0/24")))
    }

    /// A prefix with a ROA, who holds it, and the longest prefix that the ROA allows.
    fn signed(&mut self) -> (Asn, Prefix, u8) {
        self.strangers.signed.pop().unwrap_or((Asn(500_001), prefix("29.255.0.0/24"), 24))
    }

    /// The path from the peer over one transit-free network to some AS.
    fn path(&self, to: &[Asn]) -> Vec<Asn> {
        let through = if self.peer.role == Role::Provider { Some(Asn(3356)) } else { None };
        // A route server is not in its members' paths.
        let first = if self.peer.role == Role::Rs { Asn(599_777) } else { self.peer.asn };
        std::iter::once(first).chain(through).chain(to.iter().copied()).collect()
    }

    fn announce(&mut self, prefix: Prefix, attributes: PathAttributes, reason: Reason, rov: RovState) {
        self.accept(Route { prefix, attributes, reason: None, rov }.refused(reason));
    }

    fn accept(&mut self, route: Route) {
        self.peer.table.retain(|other| other.prefix != route.prefix);
        self.peer.table.push(route);
    }

    /// Routes to strangers' prefixes whose attributes are wrong, and no VRP knows them.
    fn wrong_path(&mut self, count: usize, reason: Reason, make: impl Fn(&Self, Asn) -> PathAttributes) {
        for _ in 0..count {
            let (origin, prefix) = self.plain();
            let attributes = make(self, origin);
            self.announce(prefix, attributes, reason, RovState::NotFound);
        }
    }

    /// Prefixes that are wrong, whoever announces them.
    fn wrong_prefixes(&mut self, prefixes: &[&str], reason: Reason) {
        for text in prefixes {
            let (origin, _) = self.plain();
            let path = PathAttributes::of_path(self.path(&[origin]));
            self.announce(prefix(text), path, reason, RovState::NotFound);
        }
    }

    /// Prefixes with a ROA, announced with another origin: `by`, or anybody.
    fn hijacks(&mut self, count: usize, by: Option<Asn>) {
        for n in 0..count as u32 {
            let (_, prefix, _) = self.signed();
            let path = PathAttributes::of_path(self.path(&[by.unwrap_or(Asn(599_100 + n))]));
            self.announce(prefix, path, Reason::RpkiInvalidOrigin, RovState::InvalidOrigin);
        }
    }

    /// Parts of a prefix that its ROA does not allow, announced by its holder.
    fn too_specific(&mut self, count: usize) {
        let mut left = count;
        while left > 0 && !self.strangers.signed.is_empty() {
            let (origin, prefix, longest) = self.signed();
            if longest < 24 {
                let part = Prefix::new(prefix.address(), longest + 1);
                let path = PathAttributes::of_path(self.path(&[origin]));
                self.announce(part, path, Reason::RpkiInvalidLength, RovState::InvalidLength);
                left -= 1;
            }
        }
    }
}

/// From who sells us transit: the mistakes of the whole Internet.
fn full_table(stage: &mut Stage<'_>) {
    stage.hijacks(9, None);
    stage.too_specific(8);
    stage.wrong_path(3, Reason::AsSetInPath, |stage, origin| {
        let set = vec![origin, Asn(origin.0 + 1)];
        PathAttributes { set, ..PathAttributes::of_path(stage.path(&[])) }
    });
    for _ in 0..2 {
        // A path that ends in a set has no origin, so that no VRP can match (RFC 6811 s2).
        let (origin, prefix, _) = stage.signed();
        let attributes = PathAttributes { set: vec![origin], ..PathAttributes::of_path(stage.path(&[])) };
        stage.announce(prefix, attributes, Reason::AsSetInPath, RovState::InvalidOrigin);
    }
    for asn in [Asn(64_512), Asn(65_000), Asn(23_456), Asn(4_200_000_001)] {
        stage.wrong_path(1, Reason::BogonAsn, |stage, origin| {
            PathAttributes::of_path(stage.path(&[asn, origin]))
        });
    }
    stage.wrong_path(1, Reason::AsLoop, |stage, origin| {
        PathAttributes::of_path(stage.path(&[LOCAL_ASN, origin]))
    });
    stage.wrong_path(1, Reason::PathTooLong, |stage, origin| {
        PathAttributes::of_path(stage.path(&[origin; 70]))
    });
    stage.wrong_path(1, Reason::TooManyCommunities, |stage, origin| {
        let communities = (0..120).map(|tag| Community((3356 << 16) | tag)).collect();
        PathAttributes { communities, ..PathAttributes::of_path(stage.path(&[origin])) }
    });
    stage.wrong_prefixes(
        &[
            "10.20.0.0/16",
            "192.168.44.0/24",
            "203.0.113.0/24",
            "100.66.0.0/16",
            "2001:db8:77::/48",
            "fd00:1::/32",
        ],
        Reason::BogonPrefix,
    );
    stage.wrong_prefixes(
        &["29.1.2.128/25", "29.1.3.64/26", "29.1.4.5/32", "2e00:fff0:1:8000::/56"],
        Reason::PrefixTooLong,
    );
    stage.wrong_prefixes(&["28.0.0.0/7"], Reason::PrefixTooShort);
    let (origin, _) = stage.plain();
    let communities = vec![Community::BLACKHOLE];
    let attributes = PathAttributes { communities, ..PathAttributes::of_path(stage.path(&[origin])) };
    stage.announce(prefix("29.9.9.9/32"), attributes, Reason::BlackholeNotOwner, RovState::NotFound);
    stage.wrong_prefixes(&[super::OWN_PREFIXES[0], "30.200.8.0/24"], Reason::OwnPrefix);
    // A provider may give a default route: seen, and not refused.
    for default in ["0.0.0.0/0", "::/0"] {
        let attributes = PathAttributes::of_path(vec![stage.peer.asn]);
        stage.accept(Route { prefix: prefix(default), attributes, reason: None, rov: RovState::NotFound });
    }
    // ONLY_TO_CUSTOMER is what a provider should send (RFC 9234 s5).
    let marked = stage.peer.asn;
    stage.peer.table.iter_mut().step_by(4).for_each(|route| route.attributes.only_to_customer = Some(marked));
}

/// From a customer with an as-set: a leak, and filters that are needed.
fn customer(stage: &mut Stage<'_>) {
    // It has two providers, and passes what it hears from the one on to the other.
    stage.wrong_path(12, Reason::TransitAsn, |stage, origin| {
        PathAttributes::of_path(stage.path(&[Asn(2914), Asn(599_003), origin]))
    });
    stage.wrong_path(3, Reason::OtcLeak, |stage, origin| {
        let only_to_customer = Some(Asn(599_003));
        PathAttributes { only_to_customer, ..PathAttributes::of_path(stage.path(&[Asn(599_003), origin])) }
    });
    stage.wrong_path(4, Reason::IrrOriginNotInAsSet, |stage, origin| {
        PathAttributes::of_path(stage.path(&[origin]))
    });
    let own = stage.peer.asn;
    stage.wrong_path(3, Reason::IrrPrefixNotRegistered, |stage, _| PathAttributes::of_path(stage.path(&[])));
    stage.wrong_path(2, Reason::FirstAsMismatch, |_, origin| {
        PathAttributes::of_path(vec![Asn(599_009), origin])
    });
    stage.wrong_path(1, Reason::EmptyPath, |_, _| PathAttributes::of_path(Vec::new()));
    stage.wrong_prefixes(&["0.0.0.0/0"], Reason::DefaultRoute);
    stage.wrong_prefixes(&["172.20.0.0/16"], Reason::BogonPrefix);
    stage.hijacks(2, Some(own));
    blackholes(stage);
}

/// Traffic to one address is to be dropped: the customer's own, which it may ask for, and somebody else's (RFC 7999).
fn blackholes(stage: &mut Stage<'_>) {
    let communities = vec![Community::BLACKHOLE, Community::NO_EXPORT];
    let own = stage.peer.asn;
    let blackhole = PathAttributes { communities, ..PathAttributes::of_path(stage.path(&[])) };
    let held = stage.peer.table.iter().find(|route| {
        let is_own = route.attributes.path.iter().all(|asn| *asn == own) && !route.attributes.path.is_empty();
        is_own && route.reason.is_none() && matches!(route.prefix, Prefix::V4(_))
    });
    if let Some(held) = held {
        let host = Prefix::new(held.prefix.address(), 32);
        let rov = if held.rov == RovState::Valid { RovState::InvalidLength } else { RovState::NotFound };
        stage.accept(Route { prefix: host, attributes: blackhole.clone(), reason: None, rov });
    }
    let (_, other) = stage.plain();
    let host = Prefix::new(other.address(), 32);
    // Its origin is in the as-set, but nothing says that the prefix is the origin's.
    stage.announce(host, blackhole, Reason::IrrPrefixNotRegistered, RovState::NotFound);
}

/// From a customer without an as-set: only its own AS may originate.
fn stub(stage: &mut Stage<'_>) {
    stage.wrong_path(2, Reason::IrrOriginNotInAsSet, |stage, origin| {
        PathAttributes::of_path(stage.path(&[origin]))
    });
    stage.hijacks(1, Some(stage.peer.asn));
}

/// From a peer at no exchange.
fn lateral(stage: &mut Stage<'_>) {
    stage.wrong_path(5, Reason::TransitAsn, |stage, origin| {
        PathAttributes::of_path(stage.path(&[Asn(174), origin]))
    });
    stage.wrong_path(2, Reason::Peerlock, |stage, origin| {
        PathAttributes::of_path(stage.path(&[PROTECTED_ASN, origin]))
    });
    stage.wrong_path(2, Reason::OtcLeak, |stage, origin| {
        let only_to_customer = Some(Asn(599_003));
        PathAttributes { only_to_customer, ..PathAttributes::of_path(stage.path(&[origin])) }
    });
    stage.wrong_path(2, Reason::NextHopForeign, |stage, origin| {
        let next_hop = Some(IpAddr::from([198, 51, 100, 77]));
        PathAttributes { next_hop, ..PathAttributes::of_path(stage.path(&[origin])) }
    });
    let (origin, _) = stage.plain();
    let next_hop = Some(IpAddr::V6(Ipv6Addr::LOCALHOST));
    let martian = PathAttributes { next_hop, ..PathAttributes::of_path(stage.path(&[origin])) };
    stage.announce(prefix("2e00:ffee::/32"), martian, Reason::NextHopMartian, RovState::NotFound);
    stage.wrong_path(3, Reason::IrrOriginNotInAsSet, |stage, origin| {
        PathAttributes::of_path(stage.path(&[origin]))
    });
    stage.hijacks(3, None);
    // What the peer itself marked has not left its cone (RFC 9234 s5).
    let own = stage.peer.asn;
    let unmarked = |route: &&mut Route| route.attributes.only_to_customer.is_none();
    stage.peer.table.iter_mut().filter(unmarked).step_by(5).for_each(|route| {
        route.attributes.only_to_customer = Some(own);
    });
}

/// From an exchange's route server.
fn exchange(stage: &mut Stage<'_>) {
    stage.hijacks(3, None);
    stage.too_specific(2);
    stage.wrong_path(2, Reason::TransitAsn, |stage, origin| {
        PathAttributes::of_path(stage.path(&[Asn(3257), origin]))
    });
    stage.wrong_path(1, Reason::TooManyCommunities, |stage, origin| {
        let large_communities = (0..101).map(|tag| LargeCommunity(599_990, 0, tag)).collect();
        PathAttributes { large_communities, ..PathAttributes::of_path(stage.path(&[origin])) }
    });
    stage.wrong_prefixes(&[super::PEERING_LAN], Reason::PeeringLan);
    stage.wrong_prefixes(&["0.0.0.0/0"], Reason::DefaultRoute);
    stage.wrong_path(1, Reason::NextHopForeign, |stage, origin| {
        let next_hop = Some(IpAddr::from([198, 51, 100, 78]));
        PathAttributes { next_hop, ..PathAttributes::of_path(stage.path(&[origin])) }
    });
}

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap_or(Prefix::V4(palisade_bgp::Net::DEFAULT))
}
