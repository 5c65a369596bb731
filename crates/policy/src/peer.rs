//! A peer as the judge sees it: who it is, what it may send.
//!
//! Not the configuration it was read from, and not the session: those name files, timers and passwords. Changing a
//! peer's policy means building a new `Peer` and judging its paths again.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use palisade_bgp::Asn;

use crate::actions::Region;
use crate::check::{Checks, Mode};
use crate::origin_set::OriginSet;
use crate::reason::Reason;
use crate::role::Role;
use crate::rules::RuleSet;

/// What the judge needs to know of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its AS.
    pub asn: Asn,
    /// The AS that we are on this session.
    pub local_asn: Asn,
    /// What it is to us. A peer with no role exchanges nothing (RFC 8212).
    pub role: Option<Role>,
    /// Which checks apply.
    pub checks: Checks,
    /// The address of its end of the session.
    pub address: IpAddr,
    /// The address of our end, where it is known.
    pub local_address: Option<IpAddr>,
    /// The index of the link that link-local addresses it names are on; 0 where the session is not over such addresses.
    pub link: u32,
    /// Who we are within our AS to an internal peer; `None` for all others.
    pub reflector: Option<Reflector>,
    /// The AS numbers it may originate for: its expanded as-set. `None`, which no as-set means, stands for its own
    /// AS alone.
    pub origins: Option<Arc<OriginSet>>,
    /// The regions of the exchange that it is in, where it is a member of one.
    pub regions: Arc<[Region]>,
    /// How much and how long.
    pub limits: Limits,
    /// Whether a route that is RPKI-valid needs no route object. A ROA is signed by the prefix's holder, which most
    /// route objects are not, so by default it is as good as one.
    pub rpki_valid_is_registered: bool,
    /// The operator's rules that are about it.
    pub rules: RuleSet,
    /// The protected networks that its paths may hold anywhere ([`crate::Peerlock`]).
    pub may_carry: Arc<OriginSet>,
    /// Whether communities in our own namespace are taken off what it announces.
    pub scrub: bool,
    /// The origin of a route whose path is empty: our own AS, for what we originate (RFC 8893 s3); `None` for everybody else.
    pub origin_of_empty_path: Option<Asn>,
}

impl Peer {
    /// A peer with its role's defaults.
    pub fn new(asn: Asn, local_asn: Asn, role: Option<Role>, address: IpAddr) -> Self {
        Peer {
            asn,
            local_asn,
            role,
            checks: role.map_or(Checks::all(Mode::Enforce), |role| Checks::for_role(role, false)),
            address,
            local_address: None,
            link: 0,
            reflector: None,
            origins: None,
            regions: Arc::default(),
            limits: Limits::default(),
            rpki_valid_is_registered: true,
            rules: RuleSet::NONE,
            may_carry: Arc::default(),
            scrub: matches!(role, Some(Role::Provider | Role::Peer | Role::Rs)),
            origin_of_empty_path: None,
        }
    }

    /// The router itself, as the source of what it originates, which is checked before it is sent (RFC 8893): it must not be
    /// Invalid, and it is seen where no route object registers it. Everything else is the operator's own business.
    pub fn ours(asn: Asn) -> Self {
        let mut ours = Peer::new(asn, asn, Some(Role::Internal), Ipv4Addr::UNSPECIFIED.into());
        ours.checks = Checks::all(Mode::Off)
            .with(Reason::RpkiInvalidOrigin, Mode::Enforce)
            .with(Reason::RpkiInvalidLength, Mode::Enforce)
            .with(Reason::IrrPrefixNotRegistered, Mode::Observe);
        ours.origin_of_empty_path = Some(asn);
        ours
    }

    /// The same peer with an as-set, and with what its role then checks by default.
    pub fn with_origins(mut self, origins: Arc<OriginSet>) -> Self {
        self.origins = Some(origins);
        if let Some(role) = self.role {
            self.checks = Checks::for_role(role, true);
        }
        self
    }

    /// Whether it may originate for an AS: one of its as-set, or without an as-set its own.
    #[inline]
    pub fn may_originate(&self, origin: Asn) -> bool {
        match &self.origins {
            Some(origins) => origins.contains(origin),
            None => origin == self.asn,
        }
    }
}

/// What we are to an internal peer in route reflection (RFC 4456).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reflector {
    /// Our BGP identifier, which ORIGINATOR_ID must not be.
    pub router_id: Ipv4Addr,
    /// The cluster that we and our clients are, which other reflectors may share (s7): CLUSTER_LIST must not hold it.
    pub cluster_id: Ipv4Addr,
    /// Whether the peer is our client: clients are told what all internal peers say, the others what clients say (s6).
    pub is_client: bool,
}

/// How much a peer may send in one announcement, and of what length. Arrays are indexed by
/// [`palisade_bgp::Family::index`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The shortest prefixes: /8 and /12 are the shortest that registries have ever allocated. The default route is
    /// apart: [`crate::Reason::DefaultRoute`].
    pub shortest: [u8; 2],
    /// The longest prefixes: /24 and /48 by common practice (RFC 7454 s6.1.3).
    pub longest: [u8; 2],
    /// The longest prefixes that a route object for a shorter one registers too. 0 asks for an exact one.
    pub longest_registered: [u8; 2],
    /// The longest AS path, as the decision process counts it. The longest that are seen to be meant have about 40.
    pub path_length: u16,
    /// The most communities of all kinds together.
    pub communities: u16,
    /// The most octets of attributes, in their canonical form and without the next hop. What is larger than 4,000 does not fit
    /// the messages of a neighbour that takes none of more than 4,096 octets, so that it could not be told (RFC 8654 s4).
    pub attribute_octets: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            shortest: [8, 12],
            longest: [24, 48],
            longest_registered: [24, 48],
            path_length: 64,
            communities: 100,
            attribute_octets: 4_000,
        }
    }
}
