//! Why a path is refused: the one table of reasons.
//!
//! A reason is public API. Its number and its slug are in the operator's configuration, in metrics (the slug is the
//! label's value), in the looking glass and in what other networks' scripts read, so neither ever changes its
//! meaning; a reason that is no longer given keeps its row. Rows stand in the order in which the judge asks, and
//! the first one that is enforced decides.
//!
//! Numbers 1 to 15 are the path stage's, 16 to 30 the prefix stage's. 10 is kept for `aspa-invalid`.

use std::fmt;

/// When a reason can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// From the peer alone: it has no role, so nothing is exchanged with it.
    Peer,
    /// From the path's attributes: judged once for all prefixes that share them.
    Path,
    /// From a prefix and its origin: judged for each prefix.
    Prefix,
}

macro_rules! reasons {
    ($($number:literal $name:ident $slug:literal $stage:ident $reference:literal $sentence:literal)*) => {
        /// Why a path is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Reason {
            $(#[doc = $sentence] $name = $number,)*
        }

        impl Reason {
            /// Every reason, in the order in which the judge asks.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)*];

            const fn row(self) -> Row {
                match self {
                    $(Reason::$name => Row {
                        slug: $slug, stage: Stage::$stage, reference: $reference, sentence: $sentence,
                    },)*
                }
            }
        }
    };
}

struct Row {
    slug: &'static str,
    stage: Stage,
    reference: &'static str,
    sentence: &'static str,
}

reasons! {
    31 NoPolicy "no-policy" Peer "RFC 8212"
        "The peer has no role, so nothing is accepted from it and nothing is sent to it."

    1 EmptyPath "empty-path" Path "RFC 4271 s5.1.2"
        "The AS path is empty, though it came from another AS."
    2 FirstAsMismatch "first-as-mismatch" Path "RFC 4271 s6.3"
        "The AS path does not begin with the peer's own AS."
    3 AsLoop "as-loop" Path "RFC 4271 s9.1.2"
        "The AS path already holds one of our own AS numbers."
    4 AsSetInPath "as-set-in-path" Path "RFC 9774 s3"
        "The AS path holds an AS_SET, which hides who originated the route."
    5 BogonAsn "bogon-asn" Path "RFC 7607 s2, RFC 6996 s4, RFC 5398, RFC 7300"
        "The AS path holds an AS number that is private, reserved or kept for documentation."
    6 PathTooLong "path-too-long" Path "RFC 7454 s9"
        "The AS path is longer than this peer may send."
    7 TooManyCommunities "too-many-communities" Path "RFC 7454 s11"
        "The path carries more communities than this peer may send."
    8 TransitAsn "transit-asn" Path "RFC 7908 s3"
        "The AS path holds a transit-free network where none can be: this peer does not sell it transit."
    9 OtcLeak "otc-leak" Path "RFC 9234 s5"
        "ONLY_TO_CUSTOMER says that the route has left the customer cone: this is a route leak."
    11 NextHopForeign "next-hop-foreign" Path "RFC 7454 s10"
        "The next hop is not the peer's own address."
    12 NextHopMartian "next-hop-martian" Path "RFC 4271 s6.3"
        "The next hop is no address that a packet can be sent to, or is our own."

    16 DefaultRoute "default-route" Prefix "RFC 7454 s6.1.6"
        "It is the default route, which this peer may not announce."
    17 BogonPrefix "bogon-prefix" Prefix "RFC 6890 s2.2, RFC 7454 s6.1.1"
        "The prefix is special-purpose or not allocated: nobody can hold it."
    18 PrefixTooLong "prefix-too-long" Prefix "RFC 7454 s6.1.3"
        "The prefix is longer than this peer may announce."
    19 PrefixTooShort "prefix-too-short" Prefix "RFC 7454 s6.1.3"
        "The prefix is shorter than any that is allocated."
    20 OwnPrefix "own-prefix" Prefix "RFC 7454 s6.1.4"
        "The prefix is our own, or lies within it."
    21 PeeringLan "peering-lan" Prefix "RFC 7454 s6.1.5"
        "The prefix is an exchange's peering LAN, or lies within it."
    22 RpkiInvalidOrigin "rpki-invalid-origin" Prefix "RFC 6811 s2"
        "RPKI: the prefix is covered by VRPs, and none authorizes this origin AS."
    23 RpkiInvalidLength "rpki-invalid-length" Prefix "RFC 6811 s2"
        "RPKI: the origin AS is authorized, but not for a prefix as long as this."
    24 IrrOriginNotInAsSet "irr-origin-not-in-as-set" Prefix "RFC 7454 s6.1.2, MANRS Action 1"
        "IRR: the origin AS is not a member of the peer's as-set."
    25 IrrPrefixNotRegistered "irr-prefix-not-registered" Prefix "RFC 7454 s6.1.2, MANRS Action 1"
        "IRR: no route object registers this prefix for its origin AS."
    26 BlackholeNotOwner "blackhole-not-owner" Prefix "RFC 7999 s6"
        "It asks for traffic to be dropped, and nothing proves that the prefix is its sender's."
}

impl Reason {
    /// One more than the greatest number there can be: what an array indexed by [`Self::number`] must hold.
    pub const COUNT: usize = 32;

    /// Its number: never reused, never changed.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Its name in configuration, output and metrics.
    pub const fn slug(self) -> &'static str {
        self.row().slug
    }

    /// The sections that say so.
    pub const fn reference(self) -> &'static str {
        self.row().reference
    }

    /// What it means, in one sentence for a person.
    pub const fn sentence(self) -> &'static str {
        self.row().sentence
    }

    /// When it can be found.
    pub const fn stage(self) -> Stage {
        self.row().stage
    }

    /// The reason of a slug.
    pub fn from_slug(slug: &str) -> Option<Reason> {
        Reason::ALL.iter().copied().find(|reason| reason.slug() == slug)
    }

    /// The reason of a number.
    pub fn from_number(number: u8) -> Option<Reason> {
        Reason::ALL.iter().copied().find(|reason| reason.number() == number)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.slug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_slugs_are_unique_and_lead_back() {
        for (at, reason) in Reason::ALL.iter().enumerate() {
            assert!(usize::from(reason.number()) < Reason::COUNT);
            assert!(Reason::ALL[..at].iter().all(|other| other.number() != reason.number()));
            assert_eq!(Reason::from_slug(reason.slug()), Some(*reason));
            assert_eq!(Reason::from_number(reason.number()), Some(*reason));
        }
        assert_eq!(Reason::from_slug("aspa-invalid"), None);
        assert_eq!(Reason::from_number(10), None, "kept for aspa-invalid");
    }

    /// Public API: a row may be added here, never changed.
    #[test]
    fn numbers_never_change_their_meaning() {
        let table: Vec<String> = Reason::ALL.iter().map(|r| format!("{} {r}", r.number())).collect();
        assert_eq!(
            table.join("\n"),
            "31 no-policy\n1 empty-path\n2 first-as-mismatch\n3 as-loop\n4 as-set-in-path\n5 bogon-asn\n\
             6 path-too-long\n7 too-many-communities\n8 transit-asn\n9 otc-leak\n11 next-hop-foreign\n\
             12 next-hop-martian\n16 default-route\n17 bogon-prefix\n18 prefix-too-long\n19 prefix-too-short\n\
             20 own-prefix\n21 peering-lan\n22 rpki-invalid-origin\n23 rpki-invalid-length\n\
             24 irr-origin-not-in-as-set\n25 irr-prefix-not-registered\n26 blackhole-not-owner"
        );
    }
}
