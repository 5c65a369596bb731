//! OPEN: who a speaker is and what it can do (RFC 4271 s4.2, s6.2).
//!
//! [`Open::decode`] refuses what is wrong whoever the peer is; whether it is the peer that was configured is the
//! session's question. Capabilities may come in one parameter, or in one parameter each, and in the extended form of
//! RFC 9072, in which ours go out where they take more octets than the other has room for.

use std::net::Ipv4Addr;

use crate::as_path::Asn;
use crate::capability::Capability;
use crate::message::{HEADER_LEN, MAX_LEN, MessageKind, finish, start};
use crate::notification::{Notification, Violation};

const VERSION: u8 = 4;
const CAPABILITIES: u8 = 2;
const EXTENDED: u8 = 255;

/// An OPEN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The speaker's AS: the one of the four-octet capability where there is one.
    pub asn: Asn,
    /// The hold time it proposes: 0 for none, or at least 3.
    pub hold_time_s: u16,
    /// Its BGP identifier.
    pub router_id: Ipv4Addr,
    /// Its capabilities, in order.
    pub capabilities: Vec<Capability>,
}

impl Open {
    /// The OPEN in the body of a message.
    pub fn decode(body: &[u8]) -> Result<Self, Notification> {
        let &[version, as_high, as_low, hold_high, hold_low, a, b, c, d, ref parameters @ ..] = body else {
            return Err(Violation::OpenSyntax.into());
        };
        if version != VERSION {
            return Err(Violation::Version.into());
        }
        let capabilities = decode_parameters(parameters)?;
        let asn = capabilities.iter().find_map(four_octet_as);
        let open = Open {
            asn: asn.unwrap_or(Asn(u16::from_be_bytes([as_high, as_low]).into())),
            hold_time_s: u16::from_be_bytes([hold_high, hold_low]),
            router_id: Ipv4Addr::new(a, b, c, d),
            capabilities,
        };
        open.check()?;
        Ok(open)
    }

    fn check(&self) -> Result<(), Violation<'static>> {
        if self.asn == Asn(0) {
            return Err(Violation::PeerAs); // RFC 7607 s2
        }
        if matches!(self.hold_time_s, 1 | 2) {
            return Err(Violation::HoldTime);
        }
        if self.router_id.is_unspecified() {
            return Err(Violation::RouterId); // RFC 6286 s2.1
        }
        Ok(())
    }

    /// The whole message, capabilities in one parameter. `None` where they need more than a message holds.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let mut capabilities = Vec::new();
        self.capabilities.iter().for_each(|capability| capability.encode(&mut capabilities));
        let mut out = Vec::with_capacity(HEADER_LEN + 16 + capabilities.len());
        let message = start(MessageKind::Open, &mut out);
        let Asn(asn) = self.asn;
        let two_octets = u16::try_from(asn).unwrap_or(Asn::TRANS.0 as u16);
        out.push(VERSION);
        out.extend(two_octets.to_be_bytes());
        out.extend(self.hold_time_s.to_be_bytes());
        out.extend(self.router_id.octets());
        encode_parameters(&capabilities, &mut out)?;
        finish(message, &mut out);
        (out.len() <= MAX_LEN).then_some(out)
    }

    /// Whether it has AS numbers of four octets.
    pub fn has_four_octet_as(&self) -> bool {
        self.capabilities.iter().any(|capability| four_octet_as(capability).is_some())
    }
}

fn four_octet_as(capability: &Capability) -> Option<Asn> {
    match capability {
        Capability::FourOctetAs(asn) => Some(*asn),
        _ => None,
    }
}

fn encode_parameters(capabilities: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match u8::try_from(capabilities.len()) {
        Ok(0) => out.push(0),
        Ok(len @ ..=253) => out.extend([len + 2, CAPABILITIES, len]),
        _ => {
            let len = u16::try_from(capabilities.len()).ok()?;
            let whole = len.checked_add(3)?;
            out.extend([EXTENDED, EXTENDED]);
            out.extend(whole.to_be_bytes());
            out.push(CAPABILITIES);
            out.extend(len.to_be_bytes());
        }
    }
    out.extend_from_slice(capabilities);
    Some(())
}

/// The capabilities of an OPEN's optional parameters, from the length octet on. In the extended form that octet is 255 (any
/// but 0 is taken), a parameter type of 255 follows, and all lengths have two octets (RFC 9072 s2).
fn decode_parameters(field: &[u8]) -> Result<Vec<Capability>, Violation<'static>> {
    let mut capabilities = Vec::new();
    match *field {
        [1..=255, EXTENDED, high, low, ref parameters @ ..] => {
            let mut rest = exactly(parameters, u16::from_be_bytes([high, low]).into())?;
            while let [kind, high, low, after @ ..] = rest {
                rest = decode_parameter(
                    *kind,
                    u16::from_be_bytes([*high, *low]).into(),
                    after,
                    &mut capabilities,
                )?;
            }
            if rest.is_empty() { Ok(capabilities) } else { Err(Violation::OpenSyntax) }
        }
        [len, ref parameters @ ..] => {
            let mut rest = exactly(parameters, len.into())?;
            while let [kind, len, after @ ..] = rest {
                rest = decode_parameter(*kind, usize::from(*len), after, &mut capabilities)?;
            }
            if rest.is_empty() { Ok(capabilities) } else { Err(Violation::OpenSyntax) }
        }
        [] => Err(Violation::OpenSyntax),
    }
}

fn exactly(octets: &[u8], len: usize) -> Result<&[u8], Violation<'static>> {
    if octets.len() == len { Ok(octets) } else { Err(Violation::OpenSyntax) }
}

/// Takes one parameter's value off `rest`, and returns what follows it.
fn decode_parameter<'a>(
    kind: u8,
    len: usize,
    rest: &'a [u8],
    into: &mut Vec<Capability>,
) -> Result<&'a [u8], Violation<'static>> {
    let (value, rest) = rest.split_at_checked(len).ok_or(Violation::OpenSyntax)?;
    if kind != CAPABILITIES {
        return Err(Violation::OptionalParameter);
    }
    Capability::decode_all(value, into)?;
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefix::Family;

    fn open(capabilities: Vec<Capability>) -> Open {
        Open { asn: Asn(64500), hold_time_s: 90, router_id: Ipv4Addr::new(192, 0, 2, 1), capabilities }
    }

    fn body(parameters: &[u8]) -> Vec<u8> {
        let mut body = vec![4, 0xfb, 0xf4, 0, 90, 192, 0, 2, 1];
        body.extend(parameters);
        body
    }

    #[test]
    fn an_open_survives_the_wire_in_both_forms() {
        let short = open(vec![Capability::family(Family::Ipv4), Capability::RouteRefresh]);
        let long =
            open((0..40).map(|code| Capability::Other { code: 200 + code, value: vec![7; 20] }).collect());
        for open in [open(vec![]), short, long] {
            let wire = open.encode().unwrap();
            assert_eq!(Open::decode(&wire[HEADER_LEN..]), Ok(open));
        }
        let monster =
            open((0..20).map(|code| Capability::Other { code: 200 + code, value: vec![7; 255] }).collect());
        assert_eq!(monster.encode(), None);
    }

    #[test]
    fn an_as_of_four_octets_stands_behind_as_trans() {
        let asn = Asn(4_200_000_001);
        let open = Open { asn, ..open(vec![Capability::FourOctetAs(asn)]) };
        let wire = open.encode().unwrap();
        assert_eq!(wire[HEADER_LEN + 1..HEADER_LEN + 3], 23456u16.to_be_bytes());
        assert_eq!(Open::decode(&wire[HEADER_LEN..]).unwrap().asn, asn);
    }

    #[test]
    fn the_extended_form_is_told_by_its_type_whatever_the_first_length() {
        for first in [1, 4, 255] {
            let parameters = [first, 255, 0, 5, 2, 0, 2, 2, 0];
            assert_eq!(Open::decode(&body(&parameters)).unwrap().capabilities, [Capability::RouteRefresh]);
        }
    }

    #[test]
    fn what_is_wrong_whoever_the_peer_is() {
        let with = |at: usize, octets: &[u8]| {
            let mut body = body(&[0]);
            body[at..at + octets.len()].copy_from_slice(octets);
            body
        };
        for (body, violation) in [
            (with(0, &[3]), Violation::Version),
            (with(1, &[0, 0]), Violation::PeerAs),
            (with(3, &[0, 1]), Violation::HoldTime),
            (with(3, &[0, 2]), Violation::HoldTime),
            (with(5, &[0, 0, 0, 0]), Violation::RouterId),
            (body(&[1]), Violation::OpenSyntax),
            (body(&[2, 2, 1]), Violation::OpenSyntax),
            (body(&[4, 2, 3, 2, 0]), Violation::OpenSyntax),
            (body(&[3, 1, 1, 0]), Violation::OptionalParameter),
            (body(&[6, 2, 4, 65, 2, 0, 1]), Violation::OpenSyntax),
            (body(&[8, 2, 6, 65, 4, 0, 0, 0, 0]), Violation::PeerAs),
            (body(&[255, 255, 0, 6, 2, 0, 2, 2, 0]), Violation::OpenSyntax),
            (body(&[255, 255, 0, 5, 2, 0, 9, 2, 0]), Violation::OpenSyntax),
            (body(&[255, 255, 0]), Violation::OpenSyntax),
            (body(&[]), Violation::OpenSyntax),
        ] {
            assert_eq!(Open::decode(&body), Err(violation.into()), "{body:?}");
        }
    }
}
