//! Why a path is refused, as the communities that looking glasses read.
//!
//! Exchanges have long told their members why a route was filtered by a community on a copy of it that goes nowhere but
//! to the looking glass. This is the table of the schemes in use, one column each beside the reason's own number. What is
//! put on here is shown, and never sent: a path that is refused is sent to nobody.
//!
//! | scheme | communities | numbers |
//! |---|---|---|
//! | `palisade` | large `(asn, 2101, n)` | [`Reason::number`]; outside of 0 to 1999, which the Euro-IX list shares out |
//! | `euro-ix` | large `(asn, 1101, n)` | the Euro-IX list of large communities, as IXP Manager sets them |
//! | `arouteserver` | `65520:0`, `65520:n`, and the same as large `(asn, 65520, n)` | ARouteServer's reject reasons |
//!
//! A scheme may have no number for a reason. ARouteServer's has one for "unknown"; the Euro-IX list has not, and such a
//! path bears Palisade's own community instead, so that no refused path is without one.

use palisade_bgp::Asn;
use palisade_bgp::attributes::{Community, LargeCommunity};

use crate::reason::Reason;

/// The function of Palisade's own large communities.
const PALISADE_FUNCTION: u32 = 2101;
/// "Filtered", on the Euro-IX list of large communities.
const EURO_IX_FUNCTION: u32 = 1101;
/// The AS number, and the function, of ARouteServer's `reject_cause` as it is usually configured.
const AROUTESERVER: u16 = 65520;
/// ARouteServer's number for "the route must be treated as rejected", which is always there.
const AROUTESERVER_REJECTED: u16 = 0;
/// ARouteServer's number for reasons that it does not know.
const AROUTESERVER_UNKNOWN: u16 = 65535;

/// How reasons are written as communities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RejectScheme {
    /// The numbers of the reason table.
    #[default]
    Palisade,
    /// The Euro-IX list of large communities, which IXP Manager follows.
    EuroIx,
    /// What ARouteServer puts on where its reject policy is `tag`.
    ARouteServer,
}

/// The communities that say why a path is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RejectCommunities {
    /// Those of RFC 1997.
    pub standard: Vec<Community>,
    /// Those of RFC 8092.
    pub large: Vec<LargeCommunity>,
}

impl RejectScheme {
    /// All of them.
    pub const ALL: [RejectScheme; 3] =
        [RejectScheme::Palisade, RejectScheme::EuroIx, RejectScheme::ARouteServer];

    /// Its name in the configuration.
    pub const fn slug(self) -> &'static str {
        match self {
            RejectScheme::Palisade => "palisade",
            RejectScheme::EuroIx => "euro-ix",
            RejectScheme::ARouteServer => "arouteserver",
        }
    }

    /// What a path bears that a router of AS `asn` refuses for that reason.
    pub fn communities(self, asn: Asn, reason: Reason) -> RejectCommunities {
        let large = |function, number| vec![LargeCommunity(asn.0, function, number)];
        match self {
            RejectScheme::Palisade => RejectCommunities {
                standard: Vec::new(),
                large: large(PALISADE_FUNCTION, reason.number().into()),
            },
            RejectScheme::EuroIx => match euro_ix(reason) {
                Some(number) => {
                    RejectCommunities { standard: Vec::new(), large: large(EURO_IX_FUNCTION, number.into()) }
                }
                None => RejectScheme::Palisade.communities(asn, reason),
            },
            RejectScheme::ARouteServer => {
                let numbers = [AROUTESERVER_REJECTED, arouteserver(reason).unwrap_or(AROUTESERVER_UNKNOWN)];
                let standard = |n| Community(u32::from(AROUTESERVER) << 16 | u32::from(n));
                let large = |n: u16| LargeCommunity(asn.0, AROUTESERVER.into(), n.into());
                RejectCommunities { standard: numbers.map(standard).into(), large: numbers.map(large).into() }
            }
        }
    }
}

/// The number of the Euro-IX list: 12, "RPKI unknown", and 11, which IXP Manager does not set, are nobody's here.
const fn euro_ix(reason: Reason) -> Option<u8> {
    Some(match reason {
        Reason::PrefixTooLong => 1,
        Reason::PrefixTooShort => 2,
        // IXP Manager counts the default route among the bogons.
        Reason::BogonPrefix | Reason::DefaultRoute => 3,
        Reason::BogonAsn => 4,
        Reason::PathTooLong => 5,
        Reason::EmptyPath => 6,
        Reason::FirstAsMismatch => 7,
        Reason::NextHopForeign | Reason::NextHopMartian => 8,
        Reason::IrrPrefixNotRegistered => 9,
        Reason::IrrOriginNotInAsSet => 10,
        Reason::RpkiInvalidOrigin | Reason::RpkiInvalidLength => 13,
        Reason::TransitAsn => 14,
        Reason::TooManyCommunities => 15,
        Reason::NoPolicy
        | Reason::AsLoop
        | Reason::AsSetInPath
        | Reason::AttributesTooLarge
        | Reason::Peerlock
        | Reason::NeverViaRs
        | Reason::OtcLeak
        | Reason::AspaInvalid
        | Reason::ReflectionLoop
        | Reason::OwnPrefix
        | Reason::PeeringLan
        | Reason::BlackholeNotOwner
        | Reason::MaxAccepted
        | Reason::Rule(_) => return None,
    })
}

/// ARouteServer's number: 4 ("invalid AFI"), 10 ("not in global unicast space"), and 11 ("in client blacklist") are nobody's
/// here.
const fn arouteserver(reason: Reason) -> Option<u16> {
    Some(match reason {
        Reason::EmptyPath | Reason::PathTooLong => 1,
        Reason::BogonPrefix | Reason::DefaultRoute => 2,
        // Its global blacklist is what holds an exchange's own prefixes and its peering LAN.
        Reason::OwnPrefix | Reason::PeeringLan => 3,
        Reason::NextHopForeign | Reason::NextHopMartian => 5,
        Reason::FirstAsMismatch => 6,
        Reason::BogonAsn | Reason::AsLoop => 7,
        Reason::TransitAsn => 8,
        Reason::IrrOriginNotInAsSet => 9,
        Reason::IrrPrefixNotRegistered => 12,
        Reason::PrefixTooLong | Reason::PrefixTooShort => 13,
        Reason::RpkiInvalidOrigin | Reason::RpkiInvalidLength => 14,
        Reason::NeverViaRs => 15,
        Reason::NoPolicy
        | Reason::AsSetInPath
        | Reason::TooManyCommunities
        | Reason::AttributesTooLarge
        | Reason::Peerlock
        | Reason::OtcLeak
        | Reason::AspaInvalid
        | Reason::ReflectionLoop
        | Reason::BlackholeNotOwner
        | Reason::MaxAccepted
        | Reason::Rule(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(scheme: RejectScheme, reason: Reason) -> String {
        let RejectCommunities { standard, large } = scheme.communities(Asn(64500), reason);
        let standard = standard.iter().map(ToString::to_string);
        standard.chain(large.iter().map(ToString::to_string)).collect::<Vec<_>>().join(" ")
    }

    /// Public API, as the reasons are: every reason is here on purpose, and what it is here never changes.
    #[test]
    fn every_reason_has_its_communities_in_every_scheme() {
        let number = |reason, scheme| shown(scheme, reason).replace("64500:", "");
        let row = |reason: &Reason| {
            let own = number(*reason, RejectScheme::Palisade);
            let euro_ix = number(*reason, RejectScheme::EuroIx);
            let arouteserver = arouteserver(*reason).map_or("-".into(), |number| number.to_string());
            format!("{reason} {own} {euro_ix} {arouteserver}")
        };
        let table: Vec<String> = Reason::ALL.iter().chain([&Reason::MaxAccepted]).map(row).collect();
        let expected = [
            "no-policy 2101:31 2101:31 -",
            "empty-path 2101:1 1101:6 1",
            "first-as-mismatch 2101:2 1101:7 6",
            "as-loop 2101:3 2101:3 7",
            "as-set-in-path 2101:4 2101:4 -",
            "bogon-asn 2101:5 1101:4 7",
            "path-too-long 2101:6 1101:5 1",
            "too-many-communities 2101:7 1101:15 -",
            "attributes-too-large 2101:15 2101:15 -",
            "transit-asn 2101:8 1101:14 8",
            "peerlock 2101:13 2101:13 -",
            "never-via-rs 2101:14 2101:14 15",
            "otc-leak 2101:9 2101:9 -",
            "aspa-invalid 2101:10 2101:10 -",
            "reflection-loop 2101:27 2101:27 -",
            "next-hop-foreign 2101:11 1101:8 5",
            "next-hop-martian 2101:12 1101:8 5",
            "default-route 2101:16 1101:3 2",
            "bogon-prefix 2101:17 1101:3 2",
            "prefix-too-long 2101:18 1101:1 13",
            "prefix-too-short 2101:19 1101:2 13",
            "own-prefix 2101:20 2101:20 3",
            "peering-lan 2101:21 2101:21 3",
            "rpki-invalid-origin 2101:22 1101:13 14",
            "rpki-invalid-length 2101:23 1101:13 14",
            "irr-origin-not-in-as-set 2101:24 1101:10 9",
            "irr-prefix-not-registered 2101:25 1101:9 12",
            "blackhole-not-owner 2101:26 2101:26 -",
            "max-accepted 2101:29 2101:29 -",
        ];
        assert_eq!(table, expected);
    }

    #[test]
    fn arouteserver_s_mark_is_always_there_and_what_it_does_not_know_is_unknown() {
        assert_eq!(
            shown(RejectScheme::ARouteServer, Reason::BogonAsn),
            "65520:0 65520:7 64500:65520:0 64500:65520:7"
        );
        assert_eq!(
            shown(RejectScheme::ARouteServer, Reason::OtcLeak),
            "65520:0 65520:65535 64500:65520:0 64500:65520:65535"
        );
    }
}
