//! The checks that depend on a route's prefix and origin, in the order in which they are asked.
//!
//! A BLACKHOLE route (RFC 7999) asks for traffic to be dropped, so it may be longer than others and longer than a
//! maxLength or a route object says, but never without proof that the prefix is its sender's: the origin AS is one
//! that the peer may originate for, and a covering VRP or route object names it. The allowance is given where that
//! proof is there, or where its absence is going to be enforced as `blackhole-not-owner`, which is the better
//! reason; an operator who switches that check off does not thereby let strangers' host routes in.

use palisade_bgp::{Address, Asn};

use crate::check::Mode;
use crate::evidence::{Evidence, Recorder, RouteObjectEvidence, VrpEvidence};
use crate::judge::{Claim, Hearing};
use crate::peer::Peer;
use crate::reason::Reason;
use crate::role::Role;
use crate::rov::RovState;
use crate::snapshot::Snapshot;

/// Asks every check of the prefix stage. A hearing that is over is left at once: each check would find that out by itself,
/// and one after the other.
#[inline]
pub(crate) fn hear<A: Address, R: Recorder>(
    hearing: &mut Hearing<'_, R>,
    claim: Claim<A>,
    role: Role,
    tables: &Snapshot,
) {
    let ownership = claim.blackhole.then(|| Ownership::find(claim, hearing.peer, role, tables));
    let enforced = hearing.peer.checks.mode(Reason::BlackholeNotOwner) == Mode::Enforce;
    let allowance = ownership.is_some_and(|ownership| ownership.is_proven() || enforced);

    place(hearing, claim, allowance, tables);
    if hearing.is_over() {
        return;
    }
    rpki(hearing, claim, allowance, tables);
    if hearing.is_over() {
        return;
    }
    irr(hearing, claim, allowance, tables);
    let not_owner = || ownership.is_some_and(|ownership| !ownership.is_proven());
    hearing.ask(Reason::BlackholeNotOwner, not_owner, || ownership.unwrap_or_default().evidence());
}

/// What the prefix may be, whoever holds it.
#[inline]
fn place<A: Address, R: Recorder>(
    hearing: &mut Hearing<'_, R>,
    Claim { net, .. }: Claim<A>,
    allowance: bool,
    tables: &Snapshot,
) {
    let limits = hearing.peer.limits;
    let family = A::FAMILY.index();
    let longest = if allowance { A::BITS } else { limits.longest[family] };
    let shortest = limits.shortest[family];
    let is_default = net.len() == 0;
    let length =
        || Evidence::Measure { found: net.len().into(), least: shortest.into(), most: longest.into() };

    hearing.ask(Reason::DefaultRoute, || is_default, length);
    let bogon = || Evidence::CoveredBy(tables.bogons.covering(net));
    hearing.ask(Reason::BogonPrefix, || tables.bogons.covers(net), bogon);
    hearing.ask(Reason::PrefixTooLong, || net.len() > longest, length);
    // Where a default route is welcome it is not too short.
    hearing.ask(Reason::PrefixTooShort, || net.len() < shortest && !is_default, length);
    let own = || Evidence::CoveredBy(tables.own_prefixes.covering(net));
    hearing.ask(Reason::OwnPrefix, || tables.own_prefixes.covers(net), own);
    let lan = || Evidence::CoveredBy(tables.peering_lans.covering(net));
    hearing.ask(Reason::PeeringLan, || tables.peering_lans.covers(net), lan);
}

/// What the RPKI says of it.
#[inline]
fn rpki<A: Address, R: Recorder>(
    hearing: &mut Hearing<'_, R>,
    claim: Claim<A>,
    allowance: bool,
    tables: &Snapshot,
) {
    let vrps = || vrp_evidence(claim, tables);
    hearing.ask(Reason::RpkiInvalidOrigin, || claim.rov == RovState::InvalidOrigin, vrps);
    hearing.ask(Reason::RpkiInvalidLength, || claim.rov == RovState::InvalidLength && !allowance, vrps);
}

/// What the routing registries say of it.
#[inline]
fn irr<A: Address, R: Recorder>(
    hearing: &mut Hearing<'_, R>,
    claim: Claim<A>,
    allowance: bool,
    tables: &Snapshot,
) {
    let peer = hearing.peer;
    let origin = claim.origin;
    let not_in_as_set = || !origin.is_some_and(|origin| peer.may_originate(origin));
    let as_set = || Evidence::Origin { origin, as_set: peer.origins.as_ref().map(|origins| origins.len()) };
    hearing.ask(Reason::IrrOriginNotInAsSet, not_in_as_set, as_set);

    let longest = if allowance { A::BITS } else { peer.limits.longest_registered[A::FAMILY.index()] };
    let valid = claim.rov == RovState::Valid || (allowance && claim.rov == RovState::InvalidLength);
    let by_rpki = valid && peer.rpki_valid_is_registered;
    let not_registered =
        || !by_rpki && !origin.is_some_and(|origin| tables.irr.registered(claim.net, origin, longest));
    let objects = || route_object_evidence(claim, longest, by_rpki, tables);
    hearing.ask(Reason::IrrPrefixNotRegistered, not_registered, objects);
}

/// What proves that a BLACKHOLE route's prefix is its sender's. RFC 7999 s6 asks that the prefix is covered by one
/// that the neighbor is authorized to advertise: so a registered origin alone, which anyone can write into a path,
/// is not enough.
#[derive(Clone, Copy, Debug, Default)]
struct Ownership {
    blackhole: bool,
    speaks_for_origin: bool,
    by_vrp: bool,
    by_route_object: bool,
}

impl Ownership {
    fn find<A: Address>(claim: Claim<A>, peer: &Peer, role: Role, tables: &Snapshot) -> Self {
        let registers = |origin: Asn| tables.irr.registered(claim.net, origin, A::BITS);
        Ownership {
            blackhole: true,
            speaks_for_origin: claim.origin.is_some_and(|origin| speaks_for(peer, role, origin)),
            // Both states say that a covering VRP names the origin.
            by_vrp: matches!(claim.rov, RovState::Valid | RovState::InvalidLength),
            by_route_object: claim.origin.is_some_and(registers),
        }
    }

    fn is_proven(self) -> bool {
        self.speaks_for_origin && (self.by_vrp || self.by_route_object)
    }

    fn evidence(self) -> Evidence {
        let Ownership { blackhole, speaks_for_origin, by_vrp, by_route_object } = self;
        Evidence::Ownership { blackhole, speaks_for_origin, by_vrp, by_route_object }
    }
}

/// A provider and a route server announce for everyone; the latter has checked its members itself.
fn speaks_for(peer: &Peer, role: Role, origin: Asn) -> bool {
    match role {
        Role::Provider | Role::Rs | Role::Internal => true,
        Role::Customer | Role::Peer | Role::RsClient => peer.may_originate(origin),
    }
}

fn vrp_evidence<A: Address>(claim: Claim<A>, tables: &Snapshot) -> Evidence {
    let covering = tables.rov.covering(A::prefix(claim.net));
    let (of_origin, wrong_asn) =
        covering.partition::<Vec<_>, _>(|vrp| claim.origin == Some(vrp.asn()) && vrp.asn().0 != 0);
    let (matched, wrong_length) = of_origin.into_iter().partition(|vrp| claim.net.len() <= vrp.max_length());
    Evidence::Vrps(VrpEvidence { state: claim.rov, matched, wrong_length, wrong_asn })
}

fn route_object_evidence<A: Address>(
    claim: Claim<A>,
    longest: u8,
    rpki_valid: bool,
    tables: &Snapshot,
) -> Evidence {
    let covering = tables.irr.covering(A::prefix(claim.net));
    let (of_origin, wrong_asn) =
        covering.partition::<Vec<_>, _>(|object| claim.origin == Some(object.origin));
    let (matched, wrong_length) = of_origin
        .into_iter()
        .partition(|object| object.prefix.len() == claim.net.len() || claim.net.len() <= longest);
    Evidence::RouteObjects(RouteObjectEvidence { matched, wrong_length, wrong_asn, rpki_valid })
}
