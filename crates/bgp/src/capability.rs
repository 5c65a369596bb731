//! Capabilities: what a speaker can do, said in its OPEN (RFC 5492).
//!
//! Those that Palisade acts on are variants; every other is kept as it came, shown, and otherwise ignored, as RFC 5492 s3
//! asks. A capability that we know but that has the wrong length is an error: guessing what the peer meant by
//! it would leave the two ends with different ideas of the session.

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
    /// One that we do nothing with.
    Other {
        /// Its code.
        code: u8,
        /// Its value.
        value: Vec<u8>,
    },
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
            _ => Ok(Capability::Other { code, value: value.to_vec() }),
        }
    }
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
            Capability::Other { code: 128, value: vec![] },
            Capability::Other { code: 73, value: b"router".to_vec() },
        ];
        let (mut wire, mut back) = (Vec::new(), Vec::new());
        all.iter().for_each(|capability| capability.encode(&mut wire));
        Capability::decode_all(&wire, &mut back).unwrap();
        assert_eq!(back, all);
    }

    #[test]
    fn a_known_capability_of_the_wrong_length_or_one_that_overruns_is_refused() {
        for bad in [&[1, 3, 0, 1, 0][..], &[2, 1, 0], &[65, 2, 0, 1], &[73, 5, 0], &[73]] {
            assert_eq!(Capability::decode_all(bad, &mut Vec::new()), Err(Violation::OpenSyntax), "{bad:?}");
        }
    }
}
