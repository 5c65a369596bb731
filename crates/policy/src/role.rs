//! What a peer is to us, and what may pass between whom.
//!
//! A role names the *peer*: a session of role [`Role::Customer`] is with a network that buys transit from us. It
//! decides which checks apply ([`crate::Checks::for_role`]), how paths rank, what ONLY_TO_CUSTOMER means (RFC
//! 9234), and what is exported. The last is the rule that keeps a network from leaking routes (RFC 7908): what is
//! ours, and what a customer announced to us directly, goes to everyone; what anybody else announced goes to
//! customers alone.

use std::fmt;

use palisade_bgp::Asn;
use palisade_bgp::capability::BgpRole;

/// What a peer is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Buys transit from us.
    Customer,
    /// Exchanges its own and its customers' routes with ours, without payment.
    Peer,
    /// Sells transit to us.
    Provider,
    /// A client of the route server that we are (RFC 7947).
    RsClient,
    /// A route server that we are a client of (RFC 7947).
    Rs,
    /// A router of our own AS.
    Internal,
}

impl Role {
    /// All roles, in the order they are listed everywhere.
    pub const ALL: [Role; 6] =
        [Role::Customer, Role::Peer, Role::Provider, Role::RsClient, Role::Rs, Role::Internal];

    /// Its name in configuration and output.
    pub const fn slug(self) -> &'static str {
        match self {
            Role::Customer => "customer",
            Role::Peer => "peer",
            Role::Provider => "provider",
            Role::RsClient => "rs-client",
            Role::Rs => "rs",
            Role::Internal => "internal",
        }
    }

    /// What we are to such a peer, as we say it in our OPEN (RFC 9234 s4.1); nothing within our AS.
    pub const fn ours(self) -> Option<BgpRole> {
        match self {
            Role::Customer => Some(BgpRole::Provider),
            Role::Peer => Some(BgpRole::Peer),
            Role::Provider => Some(BgpRole::Customer),
            Role::RsClient => Some(BgpRole::RouteServer),
            Role::Rs => Some(BgpRole::RouteServerClient),
            Role::Internal => None,
        }
    }

    /// The role of a slug.
    pub fn from_slug(slug: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.slug() == slug)
    }

    /// LOCAL_PREF of what such a peer announces, unless configured: paid traffic before free, free before bought
    /// (RFC 7454 does not say; this is the order that operators use). A route server's peers rank below a direct
    /// session, which fails with its link. RS clients rank alike (RFC 7947 s2.3: the best path is theirs to
    /// choose), and an internal peer's own LOCAL_PREF counts where it sends one.
    pub const fn default_local_preference(self) -> u32 {
        match self {
            Role::Customer => 200,
            Role::Peer => 150,
            Role::Rs => 140,
            Role::Provider | Role::RsClient | Role::Internal => 100,
        }
    }

    /// Whether a route from such a peer that carries ONLY_TO_CUSTOMER is a leak (RFC 9234 s5, ingress rules 1 and 2):
    /// from a customer or an RS client always, from a peer unless the peer itself put it there.
    pub fn otc_leaks(self, only_to_customer: Asn, peer_asn: Asn) -> bool {
        match self {
            Role::Customer | Role::RsClient => true,
            Role::Peer => only_to_customer != peer_asn,
            Role::Provider | Role::Rs | Role::Internal => false,
        }
    }

    /// Whether a route from such a peer that lacks ONLY_TO_CUSTOMER is given one with the peer's AS (RFC 9234 s5,
    /// ingress rule 3).
    pub const fn marks_otc_on_receipt(self) -> bool {
        matches!(self, Role::Provider | Role::Peer | Role::Rs)
    }

    /// Whether a route to such a peer that lacks ONLY_TO_CUSTOMER is given one with our AS (RFC 9234 s5, egress
    /// rule 1).
    pub const fn marks_otc_on_sending(self) -> bool {
        matches!(self, Role::Customer | Role::Peer | Role::RsClient)
    }

    /// Whether a route that carries ONLY_TO_CUSTOMER may be sent to such a peer (RFC 9234 s5, egress rule 2).
    pub const fn may_be_sent_otc(self) -> bool {
        matches!(self, Role::Customer | Role::RsClient | Role::Internal)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.slug())
    }
}

/// Where a route came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// This router originates it.
    Local,
    /// A peer of this role announced it.
    Peer(Role),
}

impl From<Role> for Source {
    fn from(role: Role) -> Self {
        Source::Peer(role)
    }
}

/// Whether a route from `from` is announced to a peer of role `to`.
///
/// An internal peer's route may have come from anywhere, so it goes to customers alone, and never to another
/// internal peer (RFC 4271 s9.2: they are fully meshed). Between RS clients everything passes (RFC 7947 s2.2). A
/// peer without a role is sent nothing (RFC 8212), which the type leaves to the caller.
pub const fn exports(from: Source, to: Role) -> bool {
    match (from, to) {
        (Source::Peer(Role::Internal), Role::Internal) => false,
        (_, Role::Internal | Role::Customer) => true,
        (Source::Local | Source::Peer(Role::Customer), _) => true,
        (Source::Peer(Role::RsClient), Role::RsClient) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_leads_back_to_its_role() {
        for role in Role::ALL {
            assert_eq!(Role::from_slug(role.slug()), Some(role));
        }
        assert_eq!(Role::from_slug("friend"), None);
    }

    #[test]
    fn what_is_learned_from_one_is_passed_to_another_as_the_valley_free_rule_says() {
        // Rows: from; columns: to customer, peer, provider, rs-client, rs, internal.
        let table = [
            (Source::Local, [true, true, true, true, true, true]),
            (Source::Peer(Role::Customer), [true, true, true, true, true, true]),
            (Source::Peer(Role::Peer), [true, false, false, false, false, true]),
            (Source::Peer(Role::Provider), [true, false, false, false, false, true]),
            (Source::Peer(Role::RsClient), [true, false, false, true, false, true]),
            (Source::Peer(Role::Rs), [true, false, false, false, false, true]),
            (Source::Peer(Role::Internal), [true, false, false, false, false, false]),
        ];
        for (from, row) in table {
            assert_eq!(Role::ALL.map(|to| exports(from, to)), row, "from {from:?}");
        }
    }

    /// What RFC 9234 lets pass and what [`exports`] lets pass must agree: a route marked on receipt never goes where
    /// a marked route may not.
    #[test]
    fn a_route_that_is_marked_on_receipt_is_exported_only_where_a_mark_may_go() {
        for from in Role::ALL.into_iter().filter(|role| role.marks_otc_on_receipt()) {
            for to in Role::ALL.into_iter().filter(|to| exports(from.into(), *to)) {
                assert!(to.may_be_sent_otc(), "{from} to {to}");
            }
        }
    }
}
