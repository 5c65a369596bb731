//! The checks that depend on a path's attributes alone, in the order in which they are asked.

use std::net::IpAddr;

use palisade_bgp::attributes::NextHop;
use palisade_bgp::{AsPath, Asn, Attributes, Family};

use crate::amendment::has_ours;
use crate::aspa::AspaState;
use crate::aspa::verification::{Direction, fault};
use crate::evidence::{AspaEvidence, Evidence, Recorder};
use crate::judge::Hearing;
use crate::peer::{Peer, Reflector};
use crate::reason::Reason;
use crate::role::Role;
use crate::snapshot::Snapshot;

/// What is found of a path, whatever is refused.
pub(crate) struct PathFindings {
    /// What ASPA says of it.
    pub(crate) aspa: AspaState,
    /// Whether it carries communities of ours that are to be taken off.
    pub(crate) scrub: bool,
}

impl PathFindings {
    pub(crate) fn of(attributes: &Attributes<'_>, peer: &Peer, role: Role, tables: &Snapshot) -> Self {
        PathFindings {
            aspa: tables.aspa.verify(attributes.as_path(), peer.asn, role),
            scrub: has_ours(attributes, peer, tables),
        }
    }
}

/// Asks every check of the path stage.
pub(crate) fn hear<R: Recorder>(
    hearing: &mut Hearing<'_, R>,
    attributes: &Attributes<'_>,
    aspa: AspaState,
    role: Role,
    tables: &Snapshot,
) {
    shape(hearing, attributes, tables);
    size(hearing, attributes);
    relations(hearing, attributes, role, tables);
    valley_free(hearing, attributes, aspa, role, tables);
    reflection(hearing, attributes);
    next_hop(hearing, attributes, role, tables);
}

/// What the AS path may look like.
fn shape<R: Recorder>(hearing: &mut Hearing<'_, R>, attributes: &Attributes<'_>, tables: &Snapshot) {
    let peer = hearing.peer;
    let (path, neighbor) = (attributes.as_path(), attributes.facts.neighbor_as);
    let first_as = || Evidence::FirstAs { found: neighbor, expected: peer.asn };
    let is_ours = |asn| asn == peer.local_asn || tables.own_asns.contains(&asn);
    let is_bogon = |asn| tables.bogons.has_asn(asn);

    hearing.ask(Reason::EmptyPath, || path.is_empty(), first_as);
    hearing.ask(Reason::FirstAsMismatch, || neighbor != Some(peer.asn), first_as);
    hearing.ask(Reason::AsLoop, || path.asns().any(is_ours), || in_path(path, is_ours));
    hearing.ask(Reason::AsSetInPath, || path.has_set(), || in_sets(path));
    hearing.ask(Reason::BogonAsn, || path.asns().any(is_bogon), || in_path(path, is_bogon));
}

/// How much of it there may be.
fn size<R: Recorder>(hearing: &mut Hearing<'_, R>, attributes: &Attributes<'_>) {
    let limits = hearing.peer.limits;
    let length = usize::from(attributes.facts.path_length);
    let longest = usize::from(limits.path_length);
    let communities = attributes.communities().len()
        + attributes.extended_communities().len()
        + attributes.large_communities().len();
    let most = usize::from(limits.communities);
    let octets = attributes.wire.len();
    let room = usize::from(limits.attribute_octets);

    let measure = |found, most| Evidence::Measure { found, least: 0, most };
    hearing.ask(Reason::PathTooLong, || length > longest, || measure(length, longest));
    hearing.ask(Reason::TooManyCommunities, || communities > most, || measure(communities, most));
    hearing.ask(Reason::AttributesTooLarge, || octets > room, || measure(octets, room));
}

/// What may lie behind a peer of this role.
fn relations<R: Recorder>(
    hearing: &mut Hearing<'_, R>,
    attributes: &Attributes<'_>,
    role: Role,
    tables: &Snapshot,
) {
    let peer = hearing.peer;
    let path = attributes.as_path();
    // Through a route server it is the member, which the path begins with, that announces.
    let announcer = if role == Role::Rs { attributes.facts.neighbor_as } else { Some(peer.asn) };
    let is_transit = |asn| Some(asn) != announcer && tables.transit_free.contains(&asn);
    hearing.ask(Reason::TransitAsn, || path.asns().any(is_transit), || in_path(path, is_transit));
    let locks = &tables.peerlocks;
    let misplaced = || !locks.is_empty() && locks.misplaced(path, peer).next().is_some();
    hearing.ask(Reason::Peerlock, misplaced, || Evidence::InPath(locks.misplaced(path, peer).collect()));
    let by_rs = matches!(role, Role::Rs | Role::RsClient);
    let is_never = |asn| by_rs && tables.never_via_rs.contains(asn);
    hearing.ask(Reason::NeverViaRs, || path.asns().any(is_never), || in_path(path, is_never));
}

/// Whether the route came the way that the networks on it say it can come.
fn valley_free<R: Recorder>(
    hearing: &mut Hearing<'_, R>,
    attributes: &Attributes<'_>,
    aspa: AspaState,
    role: Role,
    tables: &Snapshot,
) {
    let peer = hearing.peer;
    let otc = attributes.facts.only_to_customer;
    let leaks = || otc.is_some_and(|otc| role.otc_leaks(otc, peer.asn));
    hearing.ask(Reason::OtcLeak, leaks, || Evidence::OnlyToCustomer(otc));
    let hops = || Evidence::Aspa(aspa_evidence(attributes.as_path(), aspa, peer, role, tables));
    hearing.ask(Reason::AspaInvalid, || aspa == AspaState::Invalid, hops);
}

fn aspa_evidence(
    path: AsPath<'_>,
    state: AspaState,
    peer: &Peer,
    role: Role,
    tables: &Snapshot,
) -> AspaEvidence {
    AspaEvidence {
        state,
        direction: Direction::of(role),
        fault: fault(path, (role != Role::Rs).then_some(peer.asn)),
        ramps: tables.aspa.ramps(path),
        hops: tables.aspa.hops(path),
    }
}

/// Whether it comes back from where we sent it within our AS (RFC 4456 s8).
fn reflection<R: Recorder>(hearing: &mut Hearing<'_, R>, attributes: &Attributes<'_>) {
    let reflector = hearing.peer.reflector;
    let originator_id = attributes.facts.originator_id;
    let loops = |us: Reflector| {
        originator_id == Some(us.router_id) || attributes.cluster_list().any(|one| one == us.cluster_id)
    };
    let where_it_was = || {
        let cluster_list = attributes.cluster_list().collect();
        Evidence::Reflection { originator_id, cluster_list }
    };
    hearing.ask(Reason::ReflectionLoop, || reflector.is_some_and(loops), where_it_was);
}

/// Where it may send packets.
fn next_hop<R: Recorder>(
    hearing: &mut Hearing<'_, R>,
    attributes: &Attributes<'_>,
    role: Role,
    tables: &Snapshot,
) {
    let peer = hearing.peer;
    let next_hop = attributes.next_hop;
    let found = next_hop.address();
    let expected = (role != Role::Rs && comparable(next_hop, peer)).then_some(peer.address);

    let foreign = || is_foreign(next_hop, peer, role, tables);
    hearing.ask(Reason::NextHopForeign, foreign, || Evidence::NextHop { found, expected });
    let martian = || is_martian(found) || Some(found) == peer.local_address;
    hearing.ask(Reason::NextHopMartian, martian, || Evidence::NextHop { found, expected: None });
}

/// A route server passes its members' next hops on (RFC 7947 s2.2.1), so any address of the peering LAN will do,
/// where we know it. Anybody else names itself.
fn is_foreign(next_hop: NextHop, peer: &Peer, role: Role, tables: &Snapshot) -> bool {
    if role == Role::Rs {
        let found = next_hop.address();
        return tables.peering_lans.has_family(Family::of(found)) && !tables.peering_lans.contains(found);
    }
    let link_local = match next_hop {
        NextHop::V6 { link_local, .. } => link_local.map(IpAddr::from),
        NextHop::V4(_) => None,
    };
    comparable(next_hop, peer) && next_hop.address() != peer.address && link_local != Some(peer.address)
}

/// A session over one family may carry the other's routes (RFC 4760, RFC 8950): the peer's address in that family
/// is then unknown.
fn comparable(next_hop: NextHop, peer: &Peer) -> bool {
    Family::of(next_hop.address()) == Family::of(peer.address)
}

/// No host has such an address. Private ones are not among them: sessions and peering LANs do use those.
fn is_martian(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.octets()[0] == 0 || v4.is_loopback() || v4.octets()[0] >= 224,
        IpAddr::V6(v6) => {
            v6.is_unspecified() || v6.is_loopback() || v6.is_multicast() || v6.to_ipv4_mapped().is_some()
        }
    }
}

fn in_path(path: AsPath<'_>, looked_for: impl Fn(Asn) -> bool) -> Evidence {
    Evidence::InPath(path.asns().filter(|asn| looked_for(*asn)).collect())
}

fn in_sets(path: AsPath<'_>) -> Evidence {
    use palisade_bgp::as_path::SegmentKind::{ConfedSet, Set};
    let sets = path.segments().filter(|segment| matches!(segment.kind, Set | ConfedSet));
    Evidence::InPath(sets.flat_map(|segment| segment.asns()).collect())
}
