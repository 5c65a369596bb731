//! Which reasons a peer's announcements are refused for.
//!
//! Every reason of the path and the prefix stage is a check, and every check has a mode for every peer. The
//! defaults follow from the peer's role and are safe for every eBGP role: a check is off only where its question
//! has no answer (a route server's path does not begin with its own AS) or another check answers it better (a
//! provider announces the whole table, so no as-set bounds it).

use std::fmt;

use crate::reason::{Reason, Stage};
use crate::role::Role;

/// How a check is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It decides: what it finds is refused.
    Enforce,
    /// It is counted and shown, not obeyed.
    Observe,
    /// It is not asked.
    Off,
}

impl Mode {
    /// All modes, the strictest first.
    pub const ALL: [Mode; 3] = [Mode::Enforce, Mode::Observe, Mode::Off];

    /// Its name in configuration and output.
    pub const fn slug(self) -> &'static str {
        match self {
            Mode::Enforce => "enforce",
            Mode::Observe => "observe",
            Mode::Off => "off",
        }
    }

    /// The mode of a slug.
    pub fn from_slug(slug: &str) -> Option<Mode> {
        Mode::ALL.into_iter().find(|mode| mode.slug() == slug)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.slug())
    }
}

/// A reason whose mode can't be chosen: a peer without a role exchanges nothing (RFC 8212).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is always enforced: give the peer a role instead")]
pub struct AlwaysEnforced(pub Reason);

/// The mode of every check for one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks([Mode; Reason::COUNT]);

impl Checks {
    /// Every check in one mode.
    pub const fn all(mode: Mode) -> Self {
        Checks([mode; Reason::COUNT])
    }

    /// The same with one check in another mode; one that is always enforced stays so.
    #[must_use]
    pub fn with(mut self, reason: Reason, mode: Mode) -> Self {
        // Its error says that nothing was changed, which is what is promised here.
        let _ = self.set(reason, mode);
        self
    }

    /// The defaults of a role. A lateral peer's IRR checks need its as-set to answer, so they are on where it has
    /// one; a customer's and an RS client's are on regardless, and without an as-set it may originate for its own
    /// AS alone.
    pub fn for_role(role: Role, has_as_set: bool) -> Self {
        let mut checks = Checks::all(Mode::Enforce);
        for reason in Reason::ALL {
            checks.0[usize::from(reason.number())] = default_mode(*reason, role, has_as_set);
        }
        checks
    }

    /// How a check is taken.
    #[inline]
    pub fn mode(&self, reason: Reason) -> Mode {
        match reason {
            Reason::NoPolicy | Reason::MaxAccepted => Mode::Enforce,
            _ => self.0[usize::from(reason.number())],
        }
    }

    /// Chooses how a check is taken.
    pub fn set(&mut self, reason: Reason, mode: Mode) -> Result<(), AlwaysEnforced> {
        if matches!(reason.stage(), Stage::Peer | Stage::Table) {
            return Err(AlwaysEnforced(reason));
        }
        self.0[usize::from(reason.number())] = mode;
        Ok(())
    }
}

fn default_mode(reason: Reason, role: Role, has_as_set: bool) -> Mode {
    use Reason::*;
    match (role, reason) {
        (_, NoPolicy | MaxAccepted) => Mode::Enforce,
        // What another of our routers accepted has been judged at the edge; only what would break here is asked
        // again.
        (Role::Internal, AsLoop | ReflectionLoop | NextHopMartian) => Mode::Enforce,
        (Role::Internal, _) => Mode::Off,
        // Nobody outside our AS can say where a route has been within it (RFC 7606 s7.9, s7.10).
        (_, ReflectionLoop) => Mode::Off,
        // A route server does not put itself into the path (RFC 7947 s2.2.2.1).
        (Role::Rs, FirstAsMismatch) => Mode::Off,
        // Transit may well hold transit-free networks, and may give a default route, which is then seen and counted.
        (Role::Provider, TransitAsn) => Mode::Off,
        (Role::Provider, DefaultRoute) => Mode::Observe,
        (Role::Provider | Role::Rs, IrrOriginNotInAsSet | IrrPrefixNotRegistered) => Mode::Off,
        // What is announced directly is nobody's word about route servers.
        (Role::Customer | Role::Peer | Role::Provider, NeverViaRs) => Mode::Off,
        (Role::Peer, IrrOriginNotInAsSet | IrrPrefixNotRegistered) if !has_as_set => Mode::Off,
        _ => Mode::Enforce,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_external_role_enforces_what_makes_it_safe() {
        use Reason::*;
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Internal) {
            let checks = Checks::for_role(role, false);
            for reason in [AsLoop, BogonAsn, OtcLeak, NextHopForeign, BogonPrefix, PrefixTooLong, OwnPrefix] {
                assert_eq!(checks.mode(reason), Mode::Enforce, "{role} {reason}");
            }
            for reason in [AspaInvalid, Peerlock, RpkiInvalidOrigin, RpkiInvalidLength, BlackholeNotOwner] {
                assert_eq!(checks.mode(reason), Mode::Enforce, "{role} {reason}");
            }
        }
    }

    #[test]
    fn irr_binds_customers_and_rs_clients_always_and_peers_by_their_as_set() {
        let mode = |role, has_as_set| Checks::for_role(role, has_as_set).mode(Reason::IrrOriginNotInAsSet);
        for role in [Role::Customer, Role::RsClient] {
            assert_eq!([mode(role, false), mode(role, true)], [Mode::Enforce; 2]);
        }
        assert_eq!([mode(Role::Peer, false), mode(Role::Peer, true)], [Mode::Off, Mode::Enforce]);
        assert_eq!([mode(Role::Provider, true), mode(Role::Rs, true)], [Mode::Off; 2]);
    }

    #[test]
    fn no_policy_can_not_be_switched_off() {
        let mut checks = Checks::all(Mode::Off);
        assert_eq!(checks.set(Reason::NoPolicy, Mode::Off), Err(AlwaysEnforced(Reason::NoPolicy)));
        assert_eq!(checks.mode(Reason::NoPolicy), Mode::Enforce);
        assert_eq!(checks.set(Reason::BogonAsn, Mode::Observe), Ok(()));
        assert_eq!(checks.mode(Reason::BogonAsn), Mode::Observe);
    }
}
