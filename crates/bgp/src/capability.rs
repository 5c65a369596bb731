//! Capabilities: what a speaker can do, said in its OPEN (RFC 5492).
//!
//! Those that Palisade acts on are variants; every other is kept as it came, shown, and otherwise ignored, as RFC 5492 s3
//! asks. A capability that we know but that has the wrong length is an error: guessing what the peer meant by
//! it would leave the two ends with different ideas of the session. ADD-PATH is the exception that its own RFC makes: one with a value
//! that makes no sense is taken for one that we do not know (RFC 7911 s4). So is a role that nobody has defined.

use crate::as_path::Asn;
use crate::notification::Violation;
use crate::prefix::Family;

mod add_path;
mod next_hop;
mod restart;
mod role;

pub use add_path::{AddPath, AddPathFamily};
pub use next_hop::ExtendedNextHop;
pub use restart::{LongLivedFamily, MAX_RESTART_TIME_S, MAX_STALE_TIME_S, Restart, RestartFamily};
pub use role::BgpRole;

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
    /// Families whose routes may have next hops of another (RFC 8950).
    ExtendedNextHop(Vec<ExtendedNextHop>),
    /// Messages of up to 65,535 octets can be received (RFC 8654).
    ExtendedMessage,
    /// What the speaker is to its peer (RFC 9234).
    Role(BgpRole),
    /// Routes are kept while the speaker restarts (RFC 4724, RFC 8538).
    GracefulRestart(Restart),
    /// AS numbers of four octets, and the speaker's own (RFC 6793).
    FourOctetAs(Asn),
    /// ADD-PATH (RFC 7911): the families with several paths to a prefix, at least one.
    AddPath(Vec<AddPathFamily>),
    /// Refreshes have a beginning and an end (RFC 7313).
    EnhancedRouteRefresh,
    /// Routes are kept for longer than a restart takes (RFC 9494).
    LongLived(Vec<LongLivedFamily>),
    /// One that we do nothing with, or can make no sense of.
    Other {
        /// Its code.
        code: u8,
        /// Its value.
        value: Vec<u8>,
    },
}

impl Capability {
    /// The code of [`Capability::Role`], and of one with a role that nobody has defined.
    pub(crate) const ROLE: u8 = 9;

    /// The multiprotocol capability of a family that we route.
    pub const fn family(family: Family) -> Self {
        Capability::Multiprotocol { afi: family.afi(), safi: 1 }
    }

    /// Its code.
    pub fn code(&self) -> u8 {
        match self {
            Capability::Multiprotocol { .. } => 1,
            Capability::RouteRefresh => 2,
            Capability::ExtendedNextHop(_) => 5,
            Capability::ExtendedMessage => 6,
            Capability::Role(_) => Capability::ROLE,
            Capability::GracefulRestart(_) => 64,
            Capability::FourOctetAs(_) => 65,
            Capability::AddPath(_) => 69,
            Capability::EnhancedRouteRefresh => 70,
            Capability::LongLived(_) => 71,
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
            Capability::RouteRefresh | Capability::ExtendedMessage | Capability::EnhancedRouteRefresh => {}
            Capability::ExtendedNextHop(families) => {
                families.iter().take(255 / 6).for_each(|family| out.extend(family.octets()));
            }
            Capability::Role(role) => out.push(*role as u8),
            Capability::GracefulRestart(restart) => restart.encode(out),
            Capability::FourOctetAs(Asn(asn)) => out.extend(asn.to_be_bytes()),
            Capability::AddPath(families) => {
                families.iter().take(255 / 4).for_each(|family| out.extend(family.octets()));
            }
            Capability::LongLived(families) => {
                families.iter().take(255 / 7).for_each(|family| out.extend(family.octets()));
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
        let known = match (code, value) {
            (1, &[high, low, _reserved, safi]) => {
                Some(Capability::Multiprotocol { afi: u16::from_be_bytes([high, low]), safi })
            }
            (2, []) => Some(Capability::RouteRefresh),
            (5, _) => next_hop::decode(value).map(Capability::ExtendedNextHop),
            (6, []) => Some(Capability::ExtendedMessage),
            (9, &[role]) => return Ok(BgpRole::from_octet(role).map_or(other(9, value), Capability::Role)),
            (64, _) => Restart::decode(value).map(Capability::GracefulRestart),
            (65, &[a, b, c, d]) => Some(Capability::FourOctetAs(Asn(u32::from_be_bytes([a, b, c, d])))),
            (69, _) => return Ok(add_path::decode(value).unwrap_or_else(|| other(69, value))),
            (70, []) => Some(Capability::EnhancedRouteRefresh),
            (71, _) => restart::decode_long_lived(value).map(Capability::LongLived),
            (1 | 2 | 6 | 9 | 65 | 70, _) => None,
            _ => return Ok(other(code, value)),
        };
        known.ok_or(Violation::OpenSyntax)
    }
}

fn other(code: u8, value: &[u8]) -> Capability {
    Capability::Other { code, value: value.to_vec() }
}

#[cfg(test)]
mod tests;
