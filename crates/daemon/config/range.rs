//! `[[range]]`: neighbours that are not written one by one. Whoever connects from an address of a prefix, and says that it is of
//! one of these ASes, is a peer for as long as it is there.
//!
//! Beside its own keys it has every key of a `[[peer]]` but those that make a peer one peer: its guests are all alike. Each is
//! called by the range's name and its address. A `[[peer]]` with an address of the range is itself; of two ranges the
//! longer one counts.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use palisade_bgp::{Asn, Prefix};
use toml::Spanned;

use super::peer::{self, Around, Given, MAX_PEERS, Peer, Unique};
use super::problem::{Fault, Problems};
use super::section::Section;
use super::value;
use crate::members::Session;

/// Ranges that a router may have.
const MAX_RANGES: usize = 1_000;

/// ASes that one range may be for.
const MAX_ASNS: usize = 1_000;

/// Guests of a range, where nothing is written: more than a link has neighbours, and nothing that a router notices.
const DEFAULT_MAX_PEERS: u32 = 100;

/// Characters of a range's name: an address still goes behind it into a peer's.
const MAX_NAME: usize = 24;

/// Neighbours that come by themselves.
#[derive(Debug)]
pub(crate) struct PeerRange {
    /// What it is called: unlike any peer.
    pub(crate) name: String,
    /// Where its header is.
    pub(crate) span: Range<usize>,
    /// Where they connect from.
    pub(crate) prefix: Prefix,
    /// How many there may be at a time.
    pub(crate) max_peers: usize,
    /// What a guest of each AS is like, but for its name and address.
    alike: BTreeMap<Asn, Peer>,
}

impl PeerRange {
    /// Whether an address is in it.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        self.prefix.contains(address)
    }

    /// The ASes that guests may be of.
    pub(crate) fn asns(&self) -> impl Iterator<Item = Asn> {
        self.alike.keys().copied()
    }

    /// The guest of that address and AS.
    pub(crate) fn guest(&self, address: IpAddr, asn: Asn) -> Option<Peer> {
        let name = format!("{}-{address}", self.name);
        self.alike.get(&asn).map(|alike| Peer { name, address, ..alike.clone() })
    }

    /// What guests are like, one of each AS, but for their names and addresses.
    pub(crate) fn alike(&self) -> impl Iterator<Item = &Peer> {
        self.alike.values()
    }
}

/// Reads every range. Their names are none of the peers'.
pub(super) fn read_all<'a>(
    sections: Vec<Section<'a>>,
    around: Around<'_, 'a>,
    peers: &[Peer],
    problems: &Problems,
) -> Vec<PeerRange> {
    if let Some(first) = sections.get(MAX_RANGES) {
        let fault = Fault::new(format!("there are {} ranges", sections.len()), "one too many");
        problems.push(first.span(), fault.help(format!("no more than {MAX_RANGES} are taken")));
        return Vec::new();
    }
    let ranges: Vec<PeerRange> = sections.into_iter().filter_map(|section| read(section, around)).collect();
    for (at, range) in ranges.iter().enumerate() {
        let name = |other: &str| other == range.name;
        let taken = peers.iter().find(|peer| name(&peer.name)).map(|peer| peer.span.clone());
        let taken = taken
            .or_else(|| ranges[..at].iter().find(|other| name(&other.name)).map(|other| other.span.clone()));
        if let Some(first) = taken {
            let fault = Fault::new(format!("`{}` is the name of another, too", range.name), "again here");
            problems.push_pair(
                range.span.clone(),
                fault.help("give each a name of its own"),
                first,
                "first here",
            );
        }
        if let Some(first) = ranges[..at].iter().find(|other| other.prefix == range.prefix) {
            let fault = Fault::new(format!("two ranges are {}", range.prefix), "again here");
            let fault = fault.help("make one of them, with the `asns` of both");
            problems.push_pair(range.span.clone(), fault, first.span.clone(), "first here");
        }
        unsigned_within(range, &ranges, peers, problems);
    }
    ranges
}

/// The kernel asks everybody in a range for the range's password who has none of their own.
fn unsigned_within(range: &PeerRange, ranges: &[PeerRange], peers: &[Peer], problems: &Problems) {
    let is_signed = |peer: &Peer| peer.transport.md5.is_some();
    if !range.alike().any(is_signed) {
        return;
    }
    let unsigned_peers = peers.iter().filter(|peer| !is_signed(peer) && range.has(peer.address));
    let unsigned_ranges = ranges.iter().filter(|other| {
        let is_within = range.prefix.covers(other.prefix) && other.prefix != range.prefix;
        is_within && !other.alike().any(is_signed)
    });
    let unsigned = unsigned_peers.map(|peer| peer.span.clone());
    if let Some(first) = unsigned.chain(unsigned_ranges.map(|other| other.span.clone())).next() {
        let fault =
            Fault::new(format!("it is within `{}`, which has a password", range.name), "and this has none");
        let fault = fault
            .help("write its `md5_password`: the kernel takes nothing unsigned from within a signed range");
        problems.push_pair(first, fault, range.span.clone(), "the range");
    }
}

/// `None` where what can't be done without is missing or wrong, which has been told.
fn read<'a>(mut section: Section<'a>, around: Around<'_, 'a>) -> Option<PeerRange> {
    let own = Own::read(&mut section);
    refuse(&mut section);
    let Own { name, prefix, asns, max_peers } = own;
    let mut alike = BTreeMap::new();
    for asn in asns.iter().flatten() {
        let mut again = section.again();
        drop(Own::read(&mut again));
        refuse(&mut again);
        let session = session(*asn, prefix.as_ref());
        let given = Given { session: &session, max_prefixes: None, group: None };
        let guest = peer::read(again, around, &mut Unique::default(), Some(&given));
        let range = name.as_ref().map(|name| name.get_ref().clone());
        alike.insert(*asn, Peer { member: None, range, ..guest });
    }
    Some(PeerRange { name: name?.into_inner(), span: section.span(), prefix: prefix?, max_peers, alike })
}

/// Says which keys no range has.
fn refuse(section: &mut Section<'_>) {
    for key in ["address", "asn", "port", "passive"] {
        section.refused(key, || {
            let help = match key {
                "address" => "write `prefix`, or make it a [[peer]]",
                "asn" => "write `asns = [64501]`, one or several",
                _ => "remove it: whoever is in a range connects to us",
            };
            Fault::new(format!("[[range]] has no key `{key}`"), "not for a range").help(help)
        });
    }
}

/// The keys that no `[[peer]]` has.
struct Own {
    name: Option<Spanned<String>>,
    prefix: Option<Prefix>,
    asns: Option<Vec<Asn>>,
    max_peers: usize,
}

impl Own {
    fn read(section: &mut Section<'_>) -> Own {
        let name = section.required("name", "\"customers\"", |field| {
            let name = value::name(field)?;
            match name.len() {
                0..=MAX_NAME => Ok(name),
                _ => Err(field
                    .not(&format!("longer than {MAX_NAME} characters"))
                    .help("its peers are called by it and by their addresses")),
            }
        });
        let prefix = section.required("prefix", "\"192.0.2.0/24\"", |field| match value::prefix(field)? {
            Prefix::V6(net) if Ipv6Addr::from(net.address()).is_unicast_link_local() => {
                Err(field.not("link-local addresses: of which link?").help("name a global prefix"))
            }
            prefix => Ok(prefix),
        });
        section.expect("asns", "[64501]");
        let list = section.list("asns", "64501", value::asn);
        if let Some(list) = list.as_ref().filter(|list| list.written == 0 || list.written > MAX_ASNS) {
            let fault = Fault::new(format!("`asns` has {} values", list.written), "not so many");
            section.problems().push(list.span.clone(), fault.help(format!("write 1 to {MAX_ASNS} of them")));
        }
        let asns = list.map(|list| value::distinct("asns", list.values, section.problems()));
        let most = u32::try_from(MAX_PEERS).unwrap_or(u32::MAX);
        let max_peers = section.optional("max_peers", |field| field.integer(1, most, ""));
        let max_peers = max_peers.map_or(DEFAULT_MAX_PEERS, Spanned::into_inner);
        Own {
            name,
            prefix: prefix.map(Spanned::into_inner),
            asns: asns.map(|asns| asns.into_iter().take(MAX_ASNS).collect()),
            max_peers: usize::try_from(max_peers).unwrap_or(MAX_PEERS),
        }
    }
}

/// Somebody of that AS, whose address is not known.
fn session(asn: Asn, prefix: Option<&Prefix>) -> Session {
    let address = match prefix {
        Some(Prefix::V6(_)) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    };
    Session { name: String::new(), asn, address, ..peer::nobody() }
}
