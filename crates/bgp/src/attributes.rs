//! The attributes of a path, read in place.
//!
//! Whatever form a peer sends them in, attributes are kept in one: the **canonical wire form**, the attributes' own
//! TLVs in ascending order of type, with four-octet AS numbers, AS4_PATH and AS4_AGGREGATOR merged in (RFC 6793
//! s4.2.3), what RFC 7606 discards left out, and without NEXT_HOP, MP_REACH_NLRI and MP_UNREACH_NLRI, which belong to
//! a message rather than to a path. Equal attributes are then equal octets: a set is interned by hashing them, and
//! sent on by copying them. What every decision reads is found once and kept beside them as [`Facts`].

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::as_path::{AsPath, Asn};
use crate::attribute_table::EXTENDED_LENGTH;

pub use crate::community::{Community, ExtendedCommunity, LargeCommunity};

/// ORIGIN (RFC 4271 s5.1.1), in the order the decision process prefers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Origin {
    /// Learned by an interior protocol.
    #[default]
    Igp = 0,
    /// Learned by EGP.
    Egp = 1,
    /// Learned some other way.
    Incomplete = 2,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Origin::Igp => "IGP",
            Origin::Egp => "EGP",
            Origin::Incomplete => "incomplete",
        })
    }
}

/// Where a path's packets go next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NextHop {
    /// An IPv4 address (NEXT_HOP).
    V4(Ipv4Addr),
    /// An IPv6 address, with the link-local one that may come beside it (RFC 2545 s3).
    V6 {
        /// The global address; some peers send a link-local one here alone.
        global: Ipv6Addr,
        /// The link-local address, where one was sent.
        link_local: Option<Ipv6Addr>,
    },
}

impl NextHop {
    /// The address to compare and to show.
    pub fn address(self) -> IpAddr {
        match self {
            NextHop::V4(address) => address.into(),
            NextHop::V6 { global, .. } => global.into(),
        }
    }
}

impl From<IpAddr> for NextHop {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => NextHop::V4(address),
            IpAddr::V6(global) => NextHop::V6 { global, link_local: None },
        }
    }
}

/// A part of the canonical wire form: an attribute's value. Empty where the attribute is absent. The decoder marks its way
/// through a message with the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Octets before it.
    pub start: u16,
    /// Octets in it.
    pub len: u16,
}

impl Span {
    /// The octets it marks; none where it ends past them.
    #[inline]
    pub(crate) fn of(self, wire: &[u8]) -> &[u8] {
        let start = usize::from(self.start);
        wire.get(start..start + usize::from(self.len)).unwrap_or_default()
    }

    /// `len` octets of it, `skipped` octets in.
    pub(crate) fn part(self, skipped: u16, len: u16) -> Span {
        Span { start: self.start.saturating_add(skipped), len }
    }

    /// What follows its first `skipped` octets.
    pub(crate) fn after(self, skipped: u16) -> Span {
        self.part(skipped, self.len.saturating_sub(skipped))
    }
}

/// What decisions read of an attribute set, found once when it is decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// ORIGIN.
    pub origin: Origin,
    /// MULTI_EXIT_DISC (RFC 4271 s5.1.4).
    pub med: Option<u32>,
    /// LOCAL_PREF (RFC 4271 s5.1.5); kept from internal peers alone.
    pub local_pref: Option<u32>,
    /// ONLY_TO_CUSTOMER (RFC 9234 s5).
    pub only_to_customer: Option<Asn>,
    /// ORIGINATOR_ID (RFC 4456 s8).
    pub originator_id: Option<Ipv4Addr>,
    /// The value of AS_PATH.
    pub as_path: Span,
    /// [`AsPath::length`], saturating.
    pub path_length: u16,
    /// [`AsPath::neighbor`].
    pub neighbor_as: Option<Asn>,
    /// [`AsPath::origin`].
    pub origin_as: Option<Asn>,
    /// The value of COMMUNITIES (RFC 1997), a multiple of 4 octets.
    pub communities: Span,
    /// The value of EXTENDED COMMUNITIES (RFC 4360), a multiple of 8 octets.
    pub extended_communities: Span,
    /// The value of LARGE_COMMUNITY (RFC 8092), a multiple of 12 octets.
    pub large_communities: Span,
    /// The value of CLUSTER_LIST (RFC 4456 s8), a multiple of 4 octets.
    pub cluster_list: Span,
}

/// A path's attributes: the canonical wire form, the facts found in it, and the next hop that came with it.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    /// The canonical wire form.
    pub wire: &'a [u8],
    /// What was found in it.
    pub facts: &'a Facts,
    /// The next hop of the family that is announced.
    pub next_hop: NextHop,
}

impl<'a> Attributes<'a> {
    /// AS_PATH; empty where there is none.
    pub fn as_path(&self) -> AsPath<'a> {
        AsPath::parse(self.facts.as_path.of(self.wire)).unwrap_or(AsPath::EMPTY)
    }

    /// COMMUNITIES in the order sent.
    pub fn communities(&self) -> impl ExactSizeIterator<Item = Community> + use<'a> {
        self.facts.communities.of(self.wire).chunks_exact(4).map(|b| Community(u32_at(b, 0)))
    }

    /// EXTENDED COMMUNITIES in the order sent.
    pub fn extended_communities(&self) -> impl ExactSizeIterator<Item = ExtendedCommunity> + use<'a> {
        self.facts
            .extended_communities
            .of(self.wire)
            .chunks_exact(8)
            .map(|b| ExtendedCommunity([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]))
    }

    /// LARGE_COMMUNITY in the order sent.
    pub fn large_communities(&self) -> impl ExactSizeIterator<Item = LargeCommunity> + use<'a> {
        self.facts
            .large_communities
            .of(self.wire)
            .chunks_exact(12)
            .map(|b| LargeCommunity(u32_at(b, 0), u32_at(b, 4), u32_at(b, 8)))
    }

    /// Every attribute there is, in ascending order of type, those that nobody here knows among them.
    pub fn iter(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        iter(self.wire)
    }

    /// CLUSTER_LIST: the clusters that the path was reflected through, the last one first.
    pub fn cluster_list(&self) -> impl ExactSizeIterator<Item = Ipv4Addr> + use<'a> {
        self.facts.cluster_list.of(self.wire).chunks_exact(4).map(|b| Ipv4Addr::from_bits(u32_at(b, 0)))
    }

    /// How many clusters the path was reflected through (RFC 4456 s9).
    pub fn cluster_list_length(&self) -> usize {
        usize::from(self.facts.cluster_list.len) / 4
    }
}

/// One attribute, as it stands in the canonical wire form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its type; [`crate::attribute_table::name`] knows its name.
    pub code: u8,
    /// Its flags.
    pub flags: u8,
    /// Its value.
    pub value: &'a [u8],
    /// All of it, flags and type and length before the value.
    pub whole: &'a [u8],
}

/// The attributes in octets of the canonical wire form, or in a block of outgoing ones.
pub(crate) fn iter(wire: &[u8]) -> impl Iterator<Item = Attribute<'_>> {
    let mut rest = wire;
    std::iter::from_fn(move || {
        let (flags, code, header, len) = match *rest {
            [flags, code, high, low, ..] if flags & EXTENDED_LENGTH != 0 => {
                (flags, code, 4, u16::from_be_bytes([high, low]))
            }
            [flags, code, len, ..] => (flags, code, 3, len.into()),
            _ => return None,
        };
        let (whole, next) = rest.split_at_checked(header + usize::from(len))?;
        rest = next;
        Some(Attribute { code, flags, value: &whole[header..], whole })
    })
}

fn u32_at(octets: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]])
}
