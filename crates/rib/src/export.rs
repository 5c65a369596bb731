//! What goes out to whom, and in which words.
//!
//! An [`ExportView`] is all that a peer's outgoing octets depend on: peers with equal views form an update group and share
//! one encoding. Whether a best path goes out at all follows from the roles at both ends (a customer's direct
//! announcements and our own go to all, the rest to customers only), from the well-known communities (RFC 1997) and from
//! ONLY_TO_CUSTOMER (RFC 9234 s5).

use std::sync::Arc;

use palisade_bgp::Asn;
use palisade_bgp::attributes::NextHop;
use palisade_bgp::encode::{Format, Rewrite};
use palisade_policy::{Role, Source, exports};

use crate::attribute_set::{AttributeSet, Scope};
use crate::path::PeerIndex;

/// A best path, with what exporting it needs to know even after its peer has gone.
#[derive(Clone, Debug)]
pub struct Best {
    /// Its attributes.
    pub attributes: Arc<AttributeSet>,
    /// Its degree of preference, which internal peers are told.
    pub local_preference: u32,
    /// Who sent it.
    pub peer: PeerIndex,
    /// What that peer is to us.
    pub source: Source,
}

impl Best {
    /// Whether it is the same path, not only an equal one.
    pub fn is_same(&self, other: &Best) -> bool {
        self.peer == other.peer && Arc::ptr_eq(&self.attributes, &other.attributes)
    }
}

/// Whether two bests are the same path or both absent.
pub(crate) fn same(one: &Option<Best>, other: &Option<Best>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.is_same(other),
        (None, None) => true,
        _ => false,
    }
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
    /// Whether AS numbers take four octets in the session (RFC 6793).
    pub four_octet_as: bool,
    /// Octets of the longest message the peer takes.
    pub max_message: usize,
}

impl ExportView {
    /// Whether a best path goes out to the peers of this view; split horizon comes on top.
    pub fn allows(&self, best: &Best) -> bool {
        let furthest = if self.role == Role::Internal { Scope::Internal } else { Scope::Anyone };
        best.attributes.scope() <= furthest
            && exports(best.source, self.role)
            && !self.leaks_otc(best)
            && (self.own_next_hop.is_some() || self.keeps(best))
    }

    /// RFC 9234 s5, egress rule 2.
    fn leaks_otc(&self, best: &Best) -> bool {
        best.attributes.only_to_customer().is_some() && !self.role.may_be_sent_otc()
    }

    /// How the attributes of a best path change on their way out.
    pub(crate) fn rewrite(&self, best: &Best) -> Rewrite {
        let facts = best.attributes.facts();
        let internal = self.role == Role::Internal;
        let transparent = internal || self.role == Role::RsClient;
        let marked = self.role.marks_otc_on_sending().then_some(self.local_asn);
        Rewrite {
            prepend: (!transparent).then_some((self.local_asn, 1)),
            med: facts.med.filter(|_| transparent),
            local_pref: internal.then_some(best.local_preference),
            only_to_customer: best.attributes.only_to_customer().or(marked),
            four_octet_as: self.four_octet_as,
            internal,
            ..Rewrite::external(self.next_hop(best))
        }
    }

    /// The form of the messages to the peers of this view.
    pub(crate) fn format(&self) -> Format {
        Format { max_message: self.max_message, add_path: false }
    }

    /// The next hop that goes out with a best path.
    pub(crate) fn next_hop(&self, best: &Best) -> NextHop {
        self.own_next_hop.filter(|_| !self.keeps(best)).unwrap_or(best.attributes.next_hop())
    }

    fn keeps(&self, best: &Best) -> bool {
        self.keeps_next_hop && best.source != Source::Local
    }
}
