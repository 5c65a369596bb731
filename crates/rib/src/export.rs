//! What goes out to whom, and in which words.
//!
//! An [`ExportView`] is all that a peer's outgoing octets depend on: peers with equal views form an update group and share
//! one encoding. Whether a best path goes out at all follows from the roles at both ends (a customer's direct
//! announcements and our own go to all, the rest to customers only), from the well-known communities (RFC 1997, RFC 3765, RFC
//! 7999) and from ONLY_TO_CUSTOMER (RFC 9234 s5).

use std::net::{Ipv4Addr, Ipv6Addr};

use palisade_bgp::Asn;
use palisade_bgp::attributes::{Community, NextHop};
use palisade_bgp::encode::{Format, Reflected, Rewrite};
use palisade_bgp::prefix::Address;
use palisade_policy::{ActionScheme, Reflector, Role, Source, Treatment, exports};

use crate::attribute_set::Scope;
use crate::offer::{Best, Depth};

/// Why export policy keeps a path from a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// A well-known community says that it goes no further (RFC 1997, RFC 3765).
    Scope(Scope),
    /// It asks for traffic to be dropped, which is for our AS alone to do (RFC 7999 s3.2).
    Blackhole,
    /// What comes from such a source does not go to a peer of that role (RFC 7908).
    Role {
        /// Where it is from.
        from: Source,
        /// What the peer is to us.
        to: Role,
    },
    /// ONLY_TO_CUSTOMER says that it goes to customers alone (RFC 9234 s5).
    OnlyToCustomer,
    /// It is kept though its sender has been away for long, which only peers are told that know what that means (RFC 9494 s4.3).
    LongLivedStale,
    /// We have no address on the peer's link to put in as the next hop.
    NoNextHop,
    /// The next hop is of IPv6, which the peer does not take for IPv4 routes (RFC 8950).
    Ipv6NextHop,
}

/// All that the octets sent to a peer depend on, for one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportView {
    /// What the peer is to us.
    pub role: Role,
    /// Our AS, as the peer knows it.
    pub local_asn: Asn,
    /// Our own address on the peer's link, where there is one of the family.
    pub own_next_hop: Option<NextHop>,
    /// Whether the next hop that was received is passed on: by a route server (RFC 7947 s2.2.1), and inside our AS.
    pub keeps_next_hop: bool,
    /// The link that the peers are on, where they have link-local addresses; 0 elsewhere.
    pub link: u32,
    /// What we are to an internal peer; without it, none is told what another one says (RFC 4271 s9.2).
    pub reflector: Option<Reflector>,
    /// Whether the peer knows of paths that are kept for long (RFC 9494 s3).
    pub long_lived: bool,
    /// Whether next hops may be of IPv6: for IPv6 routes, and where the peer takes them for IPv4 (RFC 8950).
    pub ipv6_next_hops: bool,
    /// Whether the session is about to be shut down, which the peers are told with every path (RFC 8326 s4.1).
    pub shutting_down: bool,
    /// Whether AS numbers take four octets in the session (RFC 6793).
    pub four_octet_as: bool,
    /// How long messages may be, and whether paths have identifiers (RFC 7911).
    pub format: Format,
}

impl ExportView {
    /// Whether a best path goes out to the peers of this view; split horizon comes on top.
    pub fn allows(&self, best: &Best) -> bool {
        self.withholds(best).is_none()
    }

    /// Why a best path does not go out to the peers of this view; `None` where it does.
    #[inline]
    pub fn withholds(&self, best: &Best) -> Option<Withheld> {
        let scope = best.attributes.scope();
        if scope > self.furthest(best) {
            Some(Withheld::Scope(scope))
        } else if best.blackhole && !self.drops_traffic(best) {
            Some(Withheld::Blackhole)
        } else if !exports(best.source, self.role) && self.reflects(best).is_none() {
            Some(Withheld::Role { from: best.source, to: self.role })
        } else if self.leaks_otc(best) {
            Some(Withheld::OnlyToCustomer)
        } else if best.attributes.is_long_lived_stale() && !self.long_lived {
            Some(Withheld::LongLivedStale)
        } else {
            match self.next_hop(best) {
                None => Some(Withheld::NoNextHop),
                Some(NextHop::V6 { .. }) if !self.ipv6_next_hops => Some(Withheld::Ipv6NextHop),
                Some(_) => None,
            }
        }
    }

    /// How far a path may be meant to go if it is to reach the peers of this view. NO_EXPORT on a member's blackhole is meant for those
    /// who are to drop the traffic (RFC 7999 s3.2), not for the route server that passes it on. NOPEER keeps a path from those we
    /// peer with, be it through a route server (RFC 3765); members of a route server read it for themselves (RFC 7947 s2.2.4).
    fn furthest(&self, best: &Best) -> Scope {
        match self.role {
            Role::Internal => Scope::Internal,
            Role::RsClient if best.blackhole => Scope::Internal,
            Role::RsClient | Role::Customer | Role::Provider => Scope::NotPeers,
            Role::Peer | Role::Rs => Scope::Anyone,
        }
    }

    /// Whether the peers of this view are among those whom a blackhole asks: the routers of our AS, and where a member of an
    /// exchange asks, the other members.
    fn drops_traffic(&self, best: &Best) -> bool {
        match self.role {
            Role::Internal => true,
            Role::RsClient => best.source == Source::Peer(Role::RsClient),
            _ => false,
        }
    }

    /// What we are in telling an internal peer what another one said; `None` where that isn't what it is, or it isn't told (RFC 4456
    /// s6).
    fn reflects(&self, best: &Best) -> Option<Reflector> {
        let reflector = self.reflector.filter(|_| best.source == Source::Peer(Role::Internal));
        reflector.filter(|reflector| best.from_client || reflector.is_client)
    }

    /// RFC 9234 s5, egress rule 2.
    fn leaks_otc(&self, best: &Best) -> bool {
        best.attributes.only_to_customer().is_some() && !self.role.may_be_sent_otc()
    }

    /// How many of a prefix's paths its peers hear of: those with ADD-PATH all, a member of an exchange the first that it
    /// can have (RFC 7947 s2.3), everybody else the best one or none.
    pub fn depth(&self) -> Depth {
        match self.role {
            _ if self.format.add_path => Depth::All,
            Role::RsClient => Depth::OneEach,
            _ => Depth::Best,
        }
    }

    /// How the attributes of a path change on their way out. Nobody outside sees the communities by which members of an
    /// exchange or customers have told us what to do; members learn what to do with a blackhole (RFC 7999 s3.1).
    pub(crate) fn rewrite<A: Address>(
        &self,
        best: &Best,
        treatment: Treatment,
        actions: Option<&ActionScheme>,
    ) -> Rewrite {
        let facts = best.attributes.facts();
        let internal = self.role == Role::Internal;
        let transparent = internal || self.role == Role::RsClient;
        let marked = self.role.marks_otc_on_sending().then_some(self.local_asn);
        // Where we put ourselves into the path, we are who can come more often in it.
        let own = (!transparent).then_some((self.local_asn, 1 + treatment.prepend));
        let asked = facts.neighbor_as.filter(|_| treatment.prepend > 0).map(|asn| (asn, treatment.prepend));
        let mut rewrite = Rewrite {
            prepend: own.or(asked),
            med: facts.med.filter(|_| transparent),
            local_pref: internal.then_some(best.local_preference),
            reflected: self.reflects(best).map(|reflector| Reflected {
                originator_id: Ipv4Addr::from_bits(best.router_id),
                cluster_id: reflector.cluster_id,
            }),
            only_to_customer: best.attributes.only_to_customer().or(marked),
            four_octet_as: self.four_octet_as,
            internal,
            ..Rewrite::external(self.next_hop(best).unwrap_or(best.attributes.next_hop()))
        };
        if let Some(actions) = actions.filter(|_| self.obeys(best)) {
            self.obey::<A>(best, actions, &mut rewrite);
        }
        // A member's blackhole goes no further than to the other members (RFC 7999 s3.2).
        if treatment.no_export || (self.role == Role::RsClient && best.blackhole) {
            rewrite.add_communities.push(Community::NO_EXPORT);
        }
        if self.shutting_down {
            rewrite.add_communities.push(Community::GRACEFUL_SHUTDOWN);
        }
        if let Some(tags) = &best.tags {
            rewrite.add_communities.extend(&tags.communities);
            rewrite.add_large_communities.extend(&tags.large);
        }
        rewrite
    }

    /// Whether the path's communities may ask for something on its way to such a peer, and stay here for that. Other routers
    /// of our own AS are told all.
    fn obeys(&self, best: &Best) -> bool {
        match self.role {
            Role::RsClient => true,
            Role::Internal => false,
            _ => best.source == Source::Peer(Role::Customer),
        }
    }

    fn obey<A: Address>(&self, best: &Best, actions: &ActionScheme, rewrite: &mut Rewrite) {
        let scrubbed = actions.scrubbed(&best.attributes.attributes());
        rewrite.remove_communities = scrubbed.communities;
        rewrite.remove_extended_communities = scrubbed.extended;
        rewrite.remove_large_communities = scrubbed.large;
        if self.role == Role::RsClient && best.blackhole {
            rewrite.add_communities.push(Community::BLACKHOLE);
            rewrite.next_hop = actions.blackhole_next_hop(A::FAMILY).unwrap_or(rewrite.next_hop);
        }
    }

    /// The next hop that a path goes out with; `None` where there is none that leads anywhere for these peers.
    #[inline]
    fn next_hop(&self, best: &Best) -> Option<NextHop> {
        if !self.keeps(best) {
            return self.own_next_hop;
        }
        let received = best.attributes.next_hop();
        match received {
            NextHop::V6 { global, link_local } if global.is_unicast_link_local() || link_local.is_some() => {
                self.on_their_link(best, global, link_local)
            }
            _ => Some(received),
        }
    }

    /// A link-local address leads somewhere on its own link alone (RFC 2545 s3). Elsewhere in our AS we stand in for it, which a route
    /// server can't. Its members with global addresses are all on the link of the exchange.
    fn on_their_link(&self, best: &Best, global: Ipv6Addr, link_local: Option<Ipv6Addr>) -> Option<NextHop> {
        let same = best.attributes.link() == self.link;
        let together = same && (self.link != 0 || self.role == Role::RsClient);
        match (global.is_unicast_link_local(), self.role) {
            (false, _) => Some(NextHop::V6 { global, link_local: link_local.filter(|_| together) }),
            (true, _) if same && self.link != 0 => Some(NextHop::V6 { global, link_local }),
            (true, Role::RsClient) => None,
            (true, _) => self.own_next_hop,
        }
    }

    /// A reflector is not on the way of what it passes on, and leaves its next hop as it is, whatever internal peers are told of what
    /// comes from outside (RFC 4456 s10).
    fn keeps(&self, best: &Best) -> bool {
        match best.source {
            Source::Local => false,
            Source::Peer(Role::Internal) if self.role == Role::Internal => true,
            Source::Peer(_) => self.keeps_next_hop,
        }
    }
}
