//! ADD-PATH: several paths to a prefix (RFC 7911 s4).

use super::Capability;

/// What ADD-PATH says of a family, whether we route that family or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddPathFamily {
    /// The address family identifier.
    pub afi: u16,
    /// The subsequent address family identifier.
    pub safi: u8,
    /// What the speaker can do: at least one of the two.
    pub can: AddPath,
}

/// Whether a speaker can send, and whether it can receive, several paths to one prefix of a family (RFC 7911 s4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AddPath {
    /// Whether it can send them.
    pub send: bool,
    /// Whether it can receive them.
    pub receive: bool,
}

impl AddPath {
    /// Neither.
    pub const OFF: AddPath = AddPath { send: false, receive: false };

    /// Receiving, sending or both, as Send/Receive has them.
    fn from_octet(octet: u8) -> Option<Self> {
        matches!(octet, 1..=3).then_some(AddPath { send: octet & 2 != 0, receive: octet & 1 != 0 })
    }

    fn octet(self) -> u8 {
        u8::from(self.send) << 1 | u8::from(self.receive)
    }
}

impl AddPathFamily {
    pub(super) fn octets(self) -> [u8; 4] {
        let [high, low] = self.afi.to_be_bytes();
        [high, low, self.safi, self.can.octet()]
    }
}

/// ADD-PATH, where all of it makes sense: one Send/Receive that does not spoils the whole (RFC 7911 s4).
pub(super) fn decode(value: &[u8]) -> Option<Capability> {
    let (families, rest) = value.as_chunks::<4>();
    if families.is_empty() || !rest.is_empty() {
        return None;
    }
    let family = |&[high, low, safi, octet]: &[u8; 4]| {
        let can = AddPath::from_octet(octet)?;
        Some(AddPathFamily { afi: u16::from_be_bytes([high, low]), safi, can })
    };
    families.iter().map(family).collect::<Option<_>>().map(Capability::AddPath)
}
