//! BGP's messages as octets, for neighbours that tests play: written from the RFCs, and sharing nothing with the router.
//!
//! Only messages of the router's are read here, and a test fails where one makes no sense.

#![allow(dead_code, reason = "each test uses a part of it")]
#![expect(clippy::expect_used, reason = "where a test's own plumbing breaks, it fails")]

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Types of messages.
pub(crate) const OPEN: u8 = 1;
pub(crate) const UPDATE: u8 = 2;
pub(crate) const NOTIFICATION: u8 = 3;
pub(crate) const KEEPALIVE: u8 = 4;
pub(crate) const ROUTE_REFRESH: u8 = 5;

/// Types of attributes.
pub(crate) const ORIGIN: u8 = 1;
pub(crate) const AS_PATH: u8 = 2;
pub(crate) const NEXT_HOP: u8 = 3;
pub(crate) const LOCAL_PREF: u8 = 5;
pub(crate) const COMMUNITIES: u8 = 8;
pub(crate) const ORIGINATOR_ID: u8 = 9;
pub(crate) const CLUSTER_LIST: u8 = 10;
pub(crate) const MP_REACH_NLRI: u8 = 14;
pub(crate) const MP_UNREACH_NLRI: u8 = 15;
pub(crate) const AS4_PATH: u8 = 17;
pub(crate) const LARGE_COMMUNITY: u8 = 32;

/// The values of a route's attributes by type, without MP_REACH_NLRI and MP_UNREACH_NLRI.
pub(crate) type Attributes = BTreeMap<u8, Vec<u8>>;

/// A message of that type.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(19 + body.len()).expect("a message is no longer");
    [&[0xff; 16][..], &length.to_be_bytes(), &[kind], body].concat()
}

/// An OPEN with these capabilities, and four-octet AS numbers (RFC 6793) behind them.
pub(crate) fn open(asn: u32, hold_time_s: u16, id: Ipv4Addr, capabilities: &[u8]) -> Vec<u8> {
    let capabilities = [capabilities, &[65, 4], &asn.to_be_bytes()].concat();
    let length = u8::try_from(capabilities.len()).expect("they are few");
    // Version 4, AS_TRANS, and one parameter of capabilities.
    let fixed = [&[4, 0x5b, 0xa0][..], &hold_time_s.to_be_bytes(), &id.octets()].concat();
    message(OPEN, &[&fixed[..], &[length + 2, 2, length], &capabilities].concat())
}

/// An attribute, its length in two octets.
pub(crate) fn attribute(flags: u8, kind: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).expect("an attribute is no longer");
    [&[flags | 0x10, kind][..], &length.to_be_bytes(), value].concat()
}

/// The value of AS_PATH: a sequence, or nothing where it would have no AS.
pub(crate) fn path(asns: &[u32]) -> Vec<u8> {
    let count = u8::try_from(asns.len()).expect("a segment is no longer");
    if asns.is_empty() { Vec::new() } else { [&[2, count][..], &octets(asns)].concat() }
}

/// An UPDATE that withdraws IPv4 prefixes, and announces such, with these attributes.
pub(crate) fn update(withdrawn: &[&str], attributes: &[u8], announced: &[&str]) -> Vec<u8> {
    let withdrawn: Vec<u8> = withdrawn.iter().flat_map(|prefix| nlri(prefix)).collect();
    let announced: Vec<u8> = announced.iter().flat_map(|prefix| nlri(prefix)).collect();
    let [of_withdrawn, of_attributes] = [withdrawn.len(), attributes.len()]
        .map(|length| u16::try_from(length).expect("a message is no longer").to_be_bytes());
    message(UPDATE, &[&of_withdrawn[..], &withdrawn, &of_attributes, attributes, &announced].concat())
}

/// A prefix of either family.
pub(crate) fn nlri(prefix: &str) -> Vec<u8> {
    let prefix: IpNet = prefix.parse().expect("a prefix");
    let address = match prefix {
        IpNet::V4(prefix) => prefix.addr().octets().to_vec(),
        IpNet::V6(prefix) => prefix.addr().octets().to_vec(),
    };
    let length = prefix.prefix_len();
    [&[length][..], &address[..usize::from(length.div_ceil(8))]].concat()
}

/// Four octets each.
pub(crate) fn octets(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// The numbers that four octets each are.
pub(crate) fn numbers(octets: &[u8]) -> Vec<u32> {
    octets.as_chunks::<4>().0.iter().map(|number| u32::from_be_bytes(*number)).collect()
}

/// Reads the next message: its type and body.
pub(crate) fn next(input: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut header = [0; 19];
    input.read_exact(&mut header)?;
    let mut body = vec![0; usize::from(u16::from_be_bytes([header[16], header[17]])) - header.len()];
    input.read_exact(&mut body)?;
    Ok((header[18], body))
}

/// What an UPDATE says, of both families.
pub(crate) struct Update {
    pub(crate) withdrawn: Vec<String>,
    pub(crate) announced: Vec<String>,
    pub(crate) attributes: Attributes,
}

impl Update {
    /// Reads the body of one.
    pub(crate) fn read(body: &[u8]) -> Self {
        let (withdrawn, rest) = field(body);
        let (all, announced) = field(rest);
        let mut attributes = attributes(all);
        // AFI, SAFI; and for what is reachable the next hop behind its length, and an octet of nothing.
        let unreachable = attributes.remove(&MP_UNREACH_NLRI).unwrap_or_default();
        let reachable = attributes.remove(&MP_REACH_NLRI).unwrap_or_default();
        let reachable = reachable.get(3).and_then(|hop| reachable.get(5 + usize::from(*hop)..));
        let mut withdrawn = prefixes::<4>(withdrawn);
        withdrawn.extend(prefixes::<16>(unreachable.get(3..).unwrap_or_default()));
        let mut announced = prefixes::<4>(announced);
        announced.extend(prefixes::<16>(reachable.unwrap_or_default()));
        Update { withdrawn, announced, attributes }
    }
}

/// What a length of two octets says, and what comes behind it.
fn field(octets: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = octets.split_at(2);
    rest.split_at(usize::from(u16::from_be_bytes([length[0], length[1]])))
}

fn prefixes<const OCTETS: usize>(mut octets: &[u8]) -> Vec<String> {
    let mut prefixes = Vec::new();
    while let Some((length, rest)) = octets.split_first() {
        let (some, rest) = rest.split_at(usize::from(length.div_ceil(8)));
        let mut address = [0; OCTETS];
        address[..some.len()].copy_from_slice(some);
        let address = match <[u8; 4]>::try_from(&address[..]) {
            Ok(four) => Ipv4Addr::from(four).to_string(),
            Err(_) => Ipv6Addr::from(<[u8; 16]>::try_from(&address[..]).expect("sixteen")).to_string(),
        };
        prefixes.push(format!("{address}/{length}"));
        octets = rest;
    }
    prefixes
}

fn attributes(mut octets: &[u8]) -> Attributes {
    let mut attributes = Attributes::new();
    while let [flags, kind, rest @ ..] = octets {
        let (length, rest) = match flags & 0x10 {
            0 => (usize::from(rest[0]), &rest[1..]),
            _ => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
        };
        let (value, rest) = rest.split_at(length);
        attributes.insert(*kind, value.to_vec());
        octets = rest;
    }
    attributes
}
