//! What a change can touch: which paths new tables, or a peer's new policy, may judge differently.
//!
//! It is always safe to say more than is true, and never less: what is not touched keeps its verdict. The newest tables judge
//! all that is touched, whichever change had it listed, so that overlapping changes lose nothing.

use std::sync::Arc;

use palisade_bgp::Prefix;
use palisade_policy::{OriginSet, Peer};

/// What new tables may judge differently: the paths that any of its parts speaks of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Paths to these prefixes, and to what they cover: where VRPs, route objects or bogons came or went.
    pub under: Vec<Prefix>,
    /// Paths whose AS_PATH holds one of these: where ASPAs came or went.
    pub asns: OriginSet,
    /// All paths: where rules or lists changed that any path may meet.
    pub everything: bool,
}

impl Touched {
    /// All paths.
    pub fn everything() -> Self {
        Touched { everything: true, ..Touched::default() }
    }

    /// The paths to these prefixes and to what they cover.
    pub fn under(prefixes: Vec<Prefix>) -> Self {
        Touched { under: prefixes, ..Touched::default() }
    }

    /// The paths that an AS of these is in.
    pub fn with_asns(asns: OriginSet) -> Self {
        Touched { asns, ..Touched::default() }
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.under.is_empty() && self.asns.is_empty() && !self.everything
    }
}

/// What a peer's new policy may judge differently of what that peer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyTouched {
    /// The paths of these origins, because they came into its as-set or went from it. Nothing else of the policy is different.
    Origins(OriginSet),
    /// All its paths.
    Everything,
}

impl PolicyTouched {
    /// The paths of the origins that a peer may originate for by one of two policies alone, which differ in nothing else. A
    /// peer without an as-set has its own AS.
    pub fn by_origins(old: &Peer, new: &Peer) -> Self {
        let own = |peer: &Peer| Arc::new(std::iter::once(peer.asn).collect());
        let of = |peer: &Peer| peer.origins.clone().unwrap_or_else(|| own(peer));
        PolicyTouched::Origins(of(old).changed(&of(new)))
    }
}

#[cfg(test)]
mod tests {
    use palisade_bgp::Asn;
    use palisade_policy::Role;

    use super::*;

    #[test]
    fn a_peer_without_an_as_set_has_its_own_as() {
        let address = std::net::IpAddr::from([198, 18, 0, 1]);
        let without = Peer::new(Asn(10), Asn(64500), Some(Role::Customer), address);
        let set = |asns: &[u32]| Arc::new(asns.iter().copied().map(Asn).collect::<OriginSet>());
        let with = |asns| Peer { origins: Some(set(asns)), ..without.clone() };
        let touched = |old: &Peer, new: &Peer, asns: &[u32]| {
            let expected = PolicyTouched::Origins(OriginSet::clone(&set(asns)));
            assert_eq!(PolicyTouched::by_origins(old, new), expected);
        };
        touched(&without, &with(&[10, 11]), &[11]);
        touched(&with(&[11, 12]), &without, &[10, 11, 12]);
        touched(&with(&[1, 2, 3]), &with(&[2, 3, 4]), &[1, 4]);
    }
}
