//! Capabilities: what a speaker can do, said in its OPEN (RFC 5492).
//!
//! Those that Palisade acts on are variants; every other is kept as it came, shown, and otherwise ignored, as RFC 5492 s3
//! asks. A capability that we know but that has the wrong length is an error: guessing what the peer meant by
//! it would leave the two ends with different ideas of the session. ADD-PATH is the exception that its own RFC makes: one with a value
//! that makes no sense is taken for one that we do not know (RFC 7911 s4).

use crate::as_path::Asn;
use crate::notification::Violation;
use crate::prefix::Family;

/// One capability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Routes of an AFI and SAFI (RFC 4760 s8), whether we route that family or not.
    Multiprotocol {
        /// The address family identifier.
        afi: u16,
        /// The subsequent address family identifier.
        safi: u8,
    },
    /// ROUTE-REFRESH (RFC 2918). The code 128 that came before it is left as [`Capability::Other`].
    RouteRefresh,
    /// AS numbers of four octets, and the speaker's own (RFC 6793).
    FourOctetAs(Asn),
    /// ADD-PATH (RFC 7911): the families with several paths to a prefix, at least one.
    AddPath(Vec<AddPathFamily>),
    /// One that we do nothing with, or can make no sense of.
    Other {
        /// Its code.
        code: u8,
        /// Its value.
        value: Vec<u8>,
    },
}

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

impl Capability {
    /// The multiprotocol capability of a family that we route.
    pub const fn family(family: Family) -> Self {
        Capability::Multiprotocol { afi: family.afi(), safi: 1 }
    }

    /// Its code.
    pub fn code(&self) -> u8 {
        match self {
            Capability::Multiprotocol { .. } => 1,
            Capability::RouteRefresh => 2,
            Capability::FourOctetAs(_) => 65,
            Capability::AddPath(_) => 69,
            Capability::Other { code, .. } => *code,
        }
    }

    /// Appends code, length and value. A value over 255 octets, which no decoder yields, is cut.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let header = out.len();
        out.extend([self.code(), 0]);
        match self {
            Capability::Multiprotocol { afi, safi } => {
                out.extend(afi.to_be_bytes());
                out.extend([0, *safi]);
            }
            Capability::RouteRefresh => {}
            Capability::FourOctetAs(Asn(asn)) => out.extend(asn.to_be_bytes()),
            Capability::AddPath(families) => {
                for AddPathFamily { afi, safi, can } in families.iter().take(255 / 4) {
                    let [high, low] = afi.to_be_bytes();
                    out.extend([high, low, *safi, can.octet()]);
                }
            }
            Capability::Other { value, .. } => out.extend(&value[..value.len().min(255)]),
        }
        out[header + 1] = u8::try_from(out.len() - header - 2).unwrap_or(u8::MAX);
    }

    /// Appends the capabilities in the value of one capabilities parameter (RFC 5492 s4).
    pub(crate) fn decode_all(mut value: &[u8], into: &mut Vec<Capability>) -> Result<(), Violation<'static>> {
        while let [code, len, rest @ ..] = value {
            let (one, next) = rest.split_at_checked(usize::from(*len)).ok_or(Violation::OpenSyntax)?;
            into.push(Capability::decode(*code, one)?);
            value = next;
        }
        if value.is_empty() { Ok(()) } else { Err(Violation::OpenSyntax) }
    }

    fn decode(code: u8, value: &[u8]) -> Result<Self, Violation<'static>> {
        match (code, value) {
            (1, &[high, low, _reserved, safi]) => {
                Ok(Capability::Multiprotocol { afi: u16::from_be_bytes([high, low]), safi })
            }
            (2, []) => Ok(Capability::RouteRefresh),
            (65, &[a, b, c, d]) => Ok(Capability::FourOctetAs(Asn(u32::from_be_bytes([a, b, c, d])))),
            (1 | 2 | 65, _) => Err(Violation::OpenSyntax),
            _ => {
                Ok(add_path(code, value).unwrap_or_else(|| Capability::Other { code, value: value.to_vec() }))
            }
        }
    }
}

/// ADD-PATH, where it is that and all of it makes sense: one Send/Receive that does not spoils the whole (RFC 7911 s4).
fn add_path(code: u8, value: &[u8]) -> Option<Capability> {
    let (families, rest) = value.as_chunks::<4>();
    if code != 69 || families.is_empty() || !rest.is_empty() {
        return None;
    }
    let family = |&[high, low, safi, octet]: &[u8; 4]| {
        let can = AddPath::from_octet(octet)?;
        Some(AddPathFamily { afi: u16::from_be_bytes([high, low]), safi, can })
    };
    families.iter().map(family).collect::<Option<_>>().map(Capability::AddPath)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_survive_the_wire() {
        let all = [
            Capability::family(Family::Ipv6),
            Capability::RouteRefresh,
            Capability::FourOctetAs(Asn(4_200_000_000)),
            Capability::AddPath(vec![
                AddPathFamily { afi: 1, safi: 1, can: AddPath { send: true, receive: false } },
                AddPathFamily { afi: 25, safi: 70, can: AddPath { send: false, receive: true } },
                AddPathFamily { afi: 2, safi: 1, can: AddPath { send: true, receive: true } },
            ]),
            Capability::Other { code: 128, value: vec![] },
            Capability::Other { code: 73, value: b"router".to_vec() },
        ];
        let (mut wire, mut back) = (Vec::new(), Vec::new());
        all.iter().for_each(|capability| capability.encode(&mut wire));
        Capability::decode_all(&wire, &mut back).unwrap();
        assert_eq!(back, all);
    }

    #[test]
    fn add_path_says_who_receives_in_the_first_bit_and_who_sends_in_the_second() {
        let mut all = Vec::new();
        Capability::decode_all(&[69, 8, 0, 1, 1, 1, 0, 2, 1, 2], &mut all).unwrap();
        let [receives, sends] = [(1, false), (2, true)].map(|(afi, send)| {
            let can = AddPath { send, receive: !send };
            AddPathFamily { afi, safi: 1, can }
        });
        assert_eq!(all, [Capability::AddPath(vec![receives, sends])]);
    }

    #[test]
    fn add_path_that_makes_no_sense_is_one_that_nobody_knows() {
        let mut longest = vec![69, 252];
        longest.extend([0, 1, 1, 3].repeat(63));
        let mut all = Vec::new();
        Capability::decode_all(&longest, &mut all).unwrap();
        assert!(matches!(&all[..], [Capability::AddPath(families)] if families.len() == 63));
        for value in [
            &[][..],
            &[0, 1, 1],
            &[0, 1, 1, 0],
            &[0, 1, 1, 4],
            &[0, 1, 1, 3, 0],
            &[0, 1, 1, 3, 0, 2, 1, 255],
            &[0, 1, 1, 0x81],
        ] {
            let wire = [&[69, value.len() as u8], value].concat();
            let mut all = Vec::new();
            Capability::decode_all(&wire, &mut all).unwrap();
            assert_eq!(all, [Capability::Other { code: 69, value: value.to_vec() }]);
        }
    }

    #[test]
    fn a_known_capability_of_the_wrong_length_or_one_that_overruns_is_refused() {
        for bad in [&[1, 3, 0, 1, 0][..], &[2, 1, 0], &[65, 2, 0, 1], &[73, 5, 0], &[73]] {
            assert_eq!(Capability::decode_all(bad, &mut Vec::new()), Err(Violation::OpenSyntax), "{bad:?}");
        }
    }
}
