//! UPDATEs, encoded.

use crate::as_path::Asn;
use crate::attributes::{Attributes, Community, LargeCommunity, NextHop};
use crate::prefix::{Address, Family, Net};

/// What changes in a path's attributes on their way out. Equal values give equal octets: it is what peers must share to
/// share an encoding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rewrite {
    /// An AS to put in front of AS_PATH, and how many times.
    pub prepend: Option<(Asn, u8)>,
    /// The next hop: what [`announcements`] is to be called with.
    pub next_hop: NextHop,
    /// MULTI_EXIT_DISC; none where there is none.
    pub med: Option<u32>,
    /// LOCAL_PREF towards internal peers; that of the path where there is none.
    pub local_pref: Option<u32>,
    /// ONLY_TO_CUSTOMER, where the path has none yet (RFC 9234 s5).
    pub only_to_customer: Option<Asn>,
    /// Communities to add.
    pub add_communities: Vec<Community>,
    /// Large communities to add.
    pub add_large_communities: Vec<LargeCommunity>,
    /// Whether AS numbers have four octets.
    pub four_octet_as: bool,
    /// Whether it is for a peer of our own AS.
    pub internal: bool,
}

/// Attributes and one prefix that do not fit a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} octets of attributes leave no room for a prefix")]
pub struct TooLong(pub usize);

/// Appends the outgoing attributes in ascending order, without NEXT_HOP and MP_REACH_NLRI.
pub fn attribute_block(attributes: &Attributes<'_>, rewrite: &Rewrite, out: &mut Vec<u8>) {
    let _ = (attributes, rewrite, out);
    unimplemented!()
}

/// Appends UPDATEs that announce prefixes with one block of attributes. Nothing is appended where a message can't hold the block and a prefix.
pub fn announcements<A: Address>(
    block: &[u8],
    next_hop: NextHop,
    paths: impl Iterator<Item = Net<A>>,
    max_message: usize,
    out: &mut Vec<u8>,
) -> Result<(), TooLong> {
    let _ = (block, next_hop, paths, max_message, out);
    unimplemented!()
}

/// Appends UPDATEs that withdraw prefixes.
pub fn withdrawals<A: Address>(paths: impl Iterator<Item = Net<A>>, max_message: usize, out: &mut Vec<u8>) {
    let _ = (paths, max_message, out);
    unimplemented!()
}

/// Appends the End-of-RIB of a family (RFC 4724 s2).
pub fn end_of_rib(family: Family, out: &mut Vec<u8>) {
    let _ = (family, out);
    unimplemented!()
}
