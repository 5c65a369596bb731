//! Why a path is refused: the one table of reasons.
//!
//! A reason is public API. Its number and its slug are in the operator's configuration, in metrics (the slug is the
//! label's value), in the looking glass and in what other networks' scripts read, so neither ever changes its
//! meaning; a reason that is no longer given keeps its row. Rows stand in the order in which the judge asks, and
//! the first one that is enforced decides.
//!
//! Numbers 1 to 15 and 27 are the path stage's, the others up to 30 the prefix stage's. The operator's own rules come after all of them: they
//! share a slug and a number, and each has a [code](Reason::code) of its own, by which it is kept and counted. One reason is
//! no judge's: `max-accepted` is the table's, which counts what a peer has.

use std::fmt;
use std::ops::{Index, IndexMut};

use crate::rules::RuleNumber;

/// When a reason can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// From the peer alone: it has no role, so nothing is exchanged with it.
    Peer,
    /// From the path's attributes: judged once for all prefixes that share them.
    Path,
    /// From a prefix and its origin: judged for each prefix.
    Prefix,
    /// From how much the peer has in the table already: no judge can tell.
    Table,
}

macro_rules! reasons {
    ($($number:literal $name:ident $slug:literal $stage:ident $reference:literal $sentence:literal)*) => {
        /// Why a path is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $(#[doc = $sentence] $name,)*
            /// The peer has as many accepted routes as it may have.
            MaxAccepted,
            /// A rule of the operator's own refuses it.
            Rule(RuleNumber),
        }

        impl Reason {
            /// Every reason that the judge gives but the operator's own rules, in the order in which it asks.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)*];

            const fn row(self) -> Row {
                match self {
                    $(Reason::$name => Row {
                        number: $number,
                        slug: $slug, stage: Stage::$stage, reference: $reference, sentence: $sentence,
                    },)*
                    Reason::MaxAccepted => MAX_ACCEPTED,
                    Reason::Rule(_) => RULE,
                }
            }
        }
    };
}

struct Row {
    number: u8,
    slug: &'static str,
    stage: Stage,
    reference: &'static str,
    sentence: &'static str,
}

const MAX_ACCEPTED: Row = Row {
    number: 29,
    slug: "max-accepted",
    stage: Stage::Table,
    reference: "RFC 4271 s6.7",
    sentence: "The peer has as many accepted routes as it may have.",
};

const RULE: Row = Row {
    number: 30,
    slug: "rule",
    stage: Stage::Prefix,
    reference: "RFC 8212",
    sentence: "A rule of the operator's own refuses it.",
};

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
    15 AttributesTooLarge "attributes-too-large" Path "RFC 8654 s4"
        "The path's attributes are more octets than this peer may send."
    8 TransitAsn "transit-asn" Path "RFC 7908 s3"
        "The AS path holds a transit-free network where none can be: this peer does not sell it transit."
    13 Peerlock "peerlock" Path "RFC 7908 s3, NTT Peer Locking"
        "The AS path holds a network that is protected here, and is not heard from where that network said."
    14 NeverViaRs "never-via-rs" Path "RFC 7454 s9, PeeringDB"
        "The AS path holds a network that announces nothing through route servers."
    9 OtcLeak "otc-leak" Path "RFC 9234 s5"
        "ONLY_TO_CUSTOMER says that the route has left the customer cone: this is a route leak."
    10 AspaInvalid "aspa-invalid" Path "draft-ietf-sidrops-aspa-verification s6"
        "ASPA: the path goes through a network that is not authorized as a provider: this is a route leak, or forged."
    27 ReflectionLoop "reflection-loop" Path "RFC 4456 s8"
        "The route has been here before: its ORIGINATOR_ID is this router, or its CLUSTER_LIST holds our cluster."
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
        self.row().number
    }

    /// One more than the greatest code there can be.
    pub const CODES: usize = 128;

    /// What it is kept and counted by: its number, or what its rule's comes to; less than [`Self::CODES`], and never 0.
    pub const fn code(self) -> u8 {
        match self {
            Reason::Rule(rule) => FIRST_RULE + rule.index(),
            _ => self.number(),
        }
    }

    /// The reason of a code.
    pub fn from_code(code: u8) -> Option<Reason> {
        match code.checked_sub(FIRST_RULE) {
            Some(index) => RuleNumber::new(index).map(Reason::Rule),
            None => BY_NUMBER.get(usize::from(code)).copied().flatten(),
        }
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

    /// What a reason means that is shown so, and the sections that say so: a rule is shown with its name
    /// ([`crate::Rules::slug`]).
    pub fn meaning(shown: &str) -> Option<(&'static str, &'static str)> {
        match Reason::from_slug(shown) {
            Some(reason) => Some((reason.sentence(), reason.reference())),
            None => shown.starts_with("rule:").then_some((RULE.sentence, RULE.reference)),
        }
    }

    /// The reason of a slug; a rule's is not one, because rules are named by the configuration.
    pub fn from_slug(slug: &str) -> Option<Reason> {
        Reason::ALL.iter().copied().chain([Reason::MaxAccepted]).find(|reason| reason.slug() == slug)
    }
}

/// The code of the first rule.
const FIRST_RULE: u8 = 64;

/// The reasons that have a number of their own.
const BY_NUMBER: [Option<Reason>; Reason::COUNT] = {
    let mut found = [None; Reason::COUNT];
    let mut at = 0;
    while at < Reason::ALL.len() {
        found[Reason::ALL[at].number() as usize] = Some(Reason::ALL[at]);
        at += 1;
    }
    found[Reason::MaxAccepted.number() as usize] = Some(Reason::MaxAccepted);
    found
};

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.slug())
    }
}

/// A value for each reason, the operator's rules included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerReason<T>([T; Reason::CODES]);

impl<T> PerReason<T> {
    /// The values that `of` gives.
    pub fn from_fn(mut of: impl FnMut(usize) -> T) -> Self {
        PerReason(std::array::from_fn(&mut of))
    }

    /// The values, by [`Reason::code`].
    pub fn by_code(&self) -> &[T; Reason::CODES] {
        &self.0
    }

    /// The reasons in the order in which they are found, each with its value.
    pub fn iter(&self) -> impl Iterator<Item = (Reason, &T)> {
        let rules = (0..=u8::MAX).map_while(RuleNumber::new).map(Reason::Rule);
        let own = Reason::ALL.iter().copied().chain([Reason::MaxAccepted]);
        own.chain(rules).map(|reason| (reason, &self[reason]))
    }
}

impl<T: Default> Default for PerReason<T> {
    fn default() -> Self {
        PerReason::from_fn(|_| T::default())
    }
}

impl<T> Index<Reason> for PerReason<T> {
    type Output = T;

    #[inline]
    fn index(&self, reason: Reason) -> &T {
        &self.0[usize::from(reason.code())]
    }
}

impl<T> IndexMut<Reason> for PerReason<T> {
    #[inline]
    fn index_mut(&mut self, reason: Reason) -> &mut T {
        &mut self.0[usize::from(reason.code())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_slugs_are_unique_and_lead_back() {
        let own = || Reason::ALL.iter().chain([&Reason::MaxAccepted]);
        for (at, reason) in own().enumerate() {
            assert!(usize::from(reason.number()) < Reason::COUNT);
            assert!(own().take(at).all(|other| other.number() != reason.number()));
            assert_eq!(Reason::from_slug(reason.slug()), Some(*reason));
            assert_eq!(Reason::from_code(reason.code()), Some(*reason));
        }
        let rules = (0..=u8::MAX).filter_map(RuleNumber::new).map(Reason::Rule);
        for reason in rules {
            assert!(usize::from(reason.code()) < Reason::CODES);
            assert_eq!(Reason::from_code(reason.code()), Some(reason));
        }
        assert_eq!((Reason::from_code(0), Reason::from_code(128)), (None, None));
    }

    /// Public API: a row may be added here, never changed.
    #[test]
    fn numbers_never_change_their_meaning() {
        let table: Vec<String> = Reason::ALL.iter().map(|r| format!("{} {r}", r.number())).collect();
        assert_eq!(
            table.join("\n"),
            "31 no-policy\n1 empty-path\n2 first-as-mismatch\n3 as-loop\n4 as-set-in-path\n5 bogon-asn\n\
             6 path-too-long\n7 too-many-communities\n15 attributes-too-large\n\
             8 transit-asn\n13 peerlock\n14 never-via-rs\n\
             9 otc-leak\n10 aspa-invalid\n27 reflection-loop\n11 next-hop-foreign\n\
             12 next-hop-martian\n16 default-route\n17 bogon-prefix\n18 prefix-too-long\n19 prefix-too-short\n\
             20 own-prefix\n21 peering-lan\n22 rpki-invalid-origin\n23 rpki-invalid-length\n\
             24 irr-origin-not-in-as-set\n25 irr-prefix-not-registered\n26 blackhole-not-owner"
        );
    }
}
