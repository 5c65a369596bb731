//! An announcement that no session brought: what somebody writes down, or what another router held.
//!
//! ```text
//!   words (`64501 64502`, `65535:666`) --Announcement--\
//!                                                       >-- UPDATE --Decoder--> Received --> judge, table
//!   octets of a path that is held ---------------------/
//! ```
//!
//! Either becomes the UPDATE that a peer would send, and is read by the decoder that sessions have. So what is judged is what
//! would be judged, and what no session would take is refused here too.

mod text;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use palisade_bgp::attributes::{Facts, NextHop};
use palisade_bgp::encode::{self, Format};
use palisade_bgp::message::{HEADER_LEN, MAX_EXTENDED_LEN};
use palisade_bgp::prefix::{Address, Net};
use palisade_bgp::{Attributes, Context, Decoder, Family, Path, Prefix, Update};
use palisade_policy::{Peer, Role};
use serde::{Deserialize, Serialize};

pub(crate) use text::{Community, WordError};

/// Where an IPv6 route of an IPv4 session goes, when nobody says where: an address that any peer could have.
const SOME_IPV6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

/// The same the other way round (RFC 7600 s4.8).
const SOME_IPV4: Ipv4Addr = Ipv4Addr::new(192, 0, 0, 8);

/// An announcement in words. What is left out is what the peer would most likely send.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Announcement {
    /// The AS path, neighbour first: `64501 64502 {64503,64504}`. Without it, the peer's AS and the origin's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) as_path: Option<String>,
    /// The origin AS, where there is no path. Without it, the peer's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<u32>,
    /// The next hop. Without it, the peer's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_hop: Option<IpAddr>,
    /// Communities of all kinds: `64500:1`, `64500:1:2`, `rt:64500:1`, `ro:64500:1`, `blackhole`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) communities: Vec<String>,
    /// MULTI_EXIT_DISC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) med: Option<u32>,
    /// LOCAL_PREF, which internal peers alone send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) local_pref: Option<u32>,
    /// ONLY_TO_CUSTOMER (RFC 9234).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) only_to_customer: Option<u32>,
}

/// Why an announcement is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AnnouncementError {
    /// A part of it can't be read.
    #[error(transparent)]
    Word(#[from] WordError),
    /// No message has room for it.
    #[error("its attributes do not fit into an UPDATE")]
    TooLong,
    /// A session would not take it as an announcement.
    #[error("no session would take it as an announcement: {0}")]
    Refused(String),
}

/// An announcement as a session would have received it.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// What is announced.
    pub(crate) prefix: Prefix,
    message: Vec<u8>,
    context: Context,
    wire: Box<[u8]>,
    facts: Facts,
    next_hop: NextHop,
}

impl Announcement {
    /// Whether it says nothing of its own: then none is meant.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Announcement::default()
    }

    /// What a peer sends to announce a prefix so.
    pub(crate) fn received(&self, prefix: Prefix, peer: &Peer) -> Result<Received, AnnouncementError> {
        let next_hop = self.next_hop.unwrap_or_else(|| usual_next_hop(prefix, peer)).into();
        Received::new(prefix, &self.block(peer)?, next_hop, peer.role == Some(Role::Internal))
    }

    /// The attributes, in ascending order of type.
    fn block(&self, peer: &Peer) -> Result<Vec<u8>, AnnouncementError> {
        let mut block = Block(vec![]);
        block.write(0x40, 1, &[0])?;
        let path = match &self.as_path {
            Some(path) => text::as_path(path)?,
            None => text::sequence(&self.usual_path(peer)),
        };
        block.write(0x40, 2, &path)?;
        block.number(0x80, 4, self.med)?;
        block.number(0x40, 5, self.local_pref)?;
        let communities = self.communities.iter().map(|word| Community::parse(word));
        let communities = communities.collect::<Result<Vec<_>, _>>()?;
        for (code, kind) in [
            (8, Community::standard as fn(&Community) -> Option<Vec<u8>>),
            (16, Community::extended),
            (32, Community::large),
        ] {
            let octets = communities.iter().filter_map(kind).flatten().collect::<Vec<u8>>();
            if !octets.is_empty() {
                block.write(0xc0, code, &octets)?;
            }
        }
        block.number(0xc0, 35, self.only_to_customer)?;
        Ok(block.0)
    }

    /// A route server does not put itself into the path (RFC 7947 s2.2.2.1), nor does a router of our own AS.
    fn usual_path(&self, peer: &Peer) -> Vec<u32> {
        let sender = match peer.role {
            Some(Role::Rs | Role::Internal) => None,
            _ => Some(peer.asn.0),
        };
        let origin = self.origin.filter(|origin| Some(*origin) != sender);
        sender.into_iter().chain(origin).collect()
    }
}

/// The peer itself. A session over one family that carries the other has an address there that nobody knows.
fn usual_next_hop(prefix: Prefix, peer: &Peer) -> IpAddr {
    match prefix {
        Prefix::V6(_) if peer.address.is_ipv4() => SOME_IPV6.into(),
        Prefix::V4(_) if peer.address.is_ipv6() => SOME_IPV4.into(),
        _ => peer.address,
    }
}

/// Attributes that are being written.
struct Block(Vec<u8>);

impl Block {
    fn write(&mut self, flags: u8, code: u8, value: &[u8]) -> Result<(), AnnouncementError> {
        /// The flag of a length of two octets (RFC 4271 s4.3).
        const EXTENDED_LENGTH: u8 = 0x10;
        let length = u16::try_from(value.len()).map_err(|_| AnnouncementError::TooLong)?;
        let [high, low] = length.to_be_bytes();
        match high {
            0 => self.0.extend([flags, code, low]),
            _ => self.0.extend([flags | EXTENDED_LENGTH, code, high, low]),
        }
        self.0.extend(value);
        Ok(())
    }

    fn number(&mut self, flags: u8, code: u8, value: Option<u32>) -> Result<(), AnnouncementError> {
        value.map_or(Ok(()), |value| self.write(flags, code, &value.to_be_bytes()))
    }
}

impl Received {
    /// What a session receives that announces a prefix with attributes in their canonical wire form.
    pub(crate) fn new(
        prefix: Prefix,
        wire: &[u8],
        next_hop: NextHop,
        internal: bool,
    ) -> Result<Self, AnnouncementError> {
        let message = match prefix {
            Prefix::V4(net) => message(net, wire, next_hop),
            Prefix::V6(net) => message(net, wire, next_hop),
        }?;
        let context = Context { internal, ..Context::default() };
        let mut decoder = Decoder::new();
        let update = decode(&mut decoder, &message, &context)?;
        let attributes = match prefix.family() {
            Family::Ipv4 => update.announced::<u32>().map(|(attributes, _)| attributes),
            Family::Ipv6 => update.announced::<u128>().map(|(attributes, _)| attributes),
        };
        let Some(attributes) = attributes else {
            let faults = update.faults().iter().map(ToString::to_string).collect::<Vec<_>>();
            return Err(AnnouncementError::Refused(faults.join("; ")));
        };
        let (wire, facts, next_hop) = (attributes.wire.into(), *attributes.facts, attributes.next_hop);
        Ok(Received { prefix, message, context, wire, facts, next_hop })
    }

    /// Its attributes, in the form in which everything reads them.
    pub(crate) fn attributes(&self) -> Attributes<'_> {
        Attributes { wire: &self.wire, facts: &self.facts, next_hop: self.next_hop }
    }

    /// Hands the UPDATE to a session's intake, or to whoever takes one.
    pub(crate) fn hand_to(&self, take: impl FnOnce(&Update<'_>)) {
        // It has been decoded before.
        if let Ok(update) = decode(&mut Decoder::new(), &self.message, &self.context) {
            take(&update);
        }
    }
}

fn message<A: Address>(net: Net<A>, wire: &[u8], next_hop: NextHop) -> Result<Vec<u8>, AnnouncementError> {
    let format = Format { max_message: MAX_EXTENDED_LEN, add_path: false };
    let mut message = Vec::new();
    let paths = std::iter::once(Path { net, path_id: 0 });
    encode::announcements(wire, next_hop, paths, format, &mut message)
        .map_err(|_| AnnouncementError::TooLong)?;
    Ok(message)
}

fn decode<'a>(
    decoder: &'a mut Decoder,
    message: &'a [u8],
    context: &Context,
) -> Result<Update<'a>, AnnouncementError> {
    let body = message.get(HEADER_LEN..).unwrap_or_default();
    decoder.update(body, context).map_err(|fault| AnnouncementError::Refused(fault.to_string()))
}

#[cfg(test)]
mod tests;
