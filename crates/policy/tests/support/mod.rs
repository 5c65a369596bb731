//! What several of these tests need: announcements made by hand, peers, and the real data where it is.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use palisade_bgp::attributes::{Community, ExtendedCommunity, Facts, LargeCommunity, NextHop, Span};
use palisade_bgp::{AsPath, Asn, Attributes, Net, Prefix};
use palisade_policy::{EmptySet, Vrp, VrpFile};

/// A prefix from its text.
pub(crate) fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

/// An IPv4 network from its text.
pub(crate) fn net(text: &str) -> Net<u32> {
    match prefix(text) {
        Prefix::V4(net) => net,
        Prefix::V6(_) => panic!("{text} is not IPv4"),
    }
}

/// An IPv6 network from its text.
pub(crate) fn net6(text: &str) -> Net<u128> {
    match prefix(text) {
        Prefix::V6(net) => net,
        Prefix::V4(_) => panic!("{text} is not IPv6"),
    }
}

/// An address from its text.
pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// An announcement's attributes, in their canonical form.
pub(crate) struct Announcement {
    wire: Vec<u8>,
    pub(crate) facts: Facts,
    pub(crate) next_hop: NextHop,
}

impl Announcement {
    /// A path in the notation that [`AsPath`] is shown in: `64500 64501 {64502,64503}`.
    pub(crate) fn new(path: &str, next_hop: &str) -> Self {
        let mut announcement = Announcement {
            wire: Vec::new(),
            facts: Facts::default(),
            next_hop: NextHop::from(address(next_hop)),
        };
        let octets = path_octets(path);
        let as_path = AsPath::parse(&octets).unwrap();
        announcement.facts.path_length = as_path.length() as u16;
        announcement.facts.neighbor_as = as_path.neighbor();
        announcement.facts.origin_as = as_path.origin();
        announcement.facts.as_path = announcement.push(&octets);
        announcement
    }

    pub(crate) fn communities(mut self, communities: &[Community]) -> Self {
        let octets: Vec<u8> = communities.iter().flat_map(|community| community.0.to_be_bytes()).collect();
        self.facts.communities = self.push(&octets);
        self
    }

    pub(crate) fn large_communities(mut self, count: usize) -> Self {
        self.facts.large_communities = self.push(&vec![1; 12 * count]);
        self
    }

    pub(crate) fn extended_communities(mut self, communities: &[ExtendedCommunity]) -> Self {
        let octets: Vec<u8> = communities.iter().flat_map(|community| community.0).collect();
        self.facts.extended_communities = self.push(&octets);
        self
    }

    pub(crate) fn these_large_communities(mut self, communities: &[LargeCommunity]) -> Self {
        let fields = communities.iter().flat_map(|community| [community.0, community.1, community.2]);
        let octets: Vec<u8> = fields.flat_map(u32::to_be_bytes).collect();
        self.facts.large_communities = self.push(&octets);
        self
    }

    pub(crate) fn only_to_customer(mut self, asn: u32) -> Self {
        self.facts.only_to_customer = Some(Asn(asn));
        self
    }

    pub(crate) fn attributes(&self) -> Attributes<'_> {
        Attributes { wire: &self.wire, facts: &self.facts, next_hop: self.next_hop }
    }

    /// Appends an attribute's value, behind a header that nobody reads.
    fn push(&mut self, value: &[u8]) -> Span {
        self.wire.extend([0; 4]);
        let start = self.wire.len() as u16;
        self.wire.extend_from_slice(value);
        Span { start, len: value.len() as u16 }
    }
}

fn path_octets(path: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut sequence: Vec<u32> = Vec::new();
    for word in path.split_whitespace() {
        if let Some(set) = word.strip_prefix('{') {
            let set: Vec<u32> =
                set.trim_end_matches('}').split(',').map(|asn| asn.parse().unwrap()).collect();
            push_segment(&mut octets, 2, &std::mem::take(&mut sequence));
            push_segment(&mut octets, 1, &set);
        } else {
            sequence.push(word.parse().unwrap());
        }
    }
    push_segment(&mut octets, 2, &sequence);
    octets
}

fn push_segment(octets: &mut Vec<u8>, kind: u8, asns: &[u32]) {
    for asns in asns.chunks(255) {
        octets.extend([kind, asns.len() as u8]);
        octets.extend(asns.iter().flat_map(|asn| asn.to_be_bytes()));
    }
}

/// Benches of the root package use this file as well, so that the project is looked for from wherever this was built.
fn beside_the_project() -> PathBuf {
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = built_in.ancestors().find(|folder| folder.join("Cargo.lock").is_file()).unwrap_or(built_in);
    root.join("../shared/data")
}

/// A file of the real data, which lies beside the project; says so where it does not.
pub(crate) fn real_data(file: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("PALISADE_REAL_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => beside_the_project(),
    };
    let path = folder.join(file);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("SKIPPED: no {file} in {}: set PALISADE_REAL_DATA to where it is", folder.display());
    None
}

/// Every VRP of 2025-07-20, where the real data is.
pub(crate) fn real_vrps() -> Option<Vec<Vrp>> {
    let path = real_data("rpki/rpkiclient_summary_20250720T093135Z.json.bz2")?;
    let input = bzip2::read::BzDecoder::new(File::open(path).unwrap());
    let file = VrpFile::read(input, EmptySet::Refuse).unwrap();
    assert_eq!((file.vrps.len(), file.malformed.count), (723_521, 0), "{}", file.malformed);
    Some(file.vrps)
}

/// Every prefix that one RIS peer held on 2026-05-11, with its origin of 2026-06-19 or that of the nearest prefix
/// over it.
pub(crate) fn real_routes() -> Option<Vec<(Prefix, Asn)>> {
    let lines = |file: &str| -> Option<Vec<String>> {
        let input = GzDecoder::new(File::open(real_data(file)?).unwrap());
        Some(BufReader::new(input).lines().map(Result::unwrap).collect())
    };
    let mut origins = HashMap::new();
    for line in lines("table/asprefix.20260619.tsv.gz")? {
        let Some((net, asn)) = line.split_once('\t') else { continue };
        if let (Ok(net), Ok(asn)) = (net.parse::<Prefix>(), asn.parse::<Asn>()) {
            origins.entry(net).or_insert(asn);
        }
    }
    let routes = lines("table/as3333.20260511-initial-state.txt.gz")?.into_iter().filter_map(|line| {
        let route = prefix(line.split_whitespace().next()?);
        let over = (9..=route.len()).rev().find_map(|len| origins.get(&truncate(route, len)));
        Some((route, *over?))
    });
    Some(routes.collect())
}

/// The prefix of length `len` over this one.
pub(crate) fn truncate(prefix: Prefix, len: u8) -> Prefix {
    match prefix {
        Prefix::V4(net) => Prefix::V4(net.truncate(len)),
        Prefix::V6(net) => Prefix::V6(net.truncate(len)),
    }
}

/// The texts of the files of a tar archive in some folders.
pub(crate) fn tar_files(tar: &[u8], folders: &[&str]) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = tar;
    while rest.len() >= 512 && rest[0] != 0 {
        let field = |from: usize, len: usize| {
            let octets = &rest[from..from + len];
            String::from_utf8_lossy(octets.split(|octet| *octet == 0).next().unwrap()).trim().to_owned()
        };
        let (name, size) = (field(0, 100), usize::from_str_radix(&field(124, 12), 8).unwrap());
        if rest[156] == b'0' && folders.iter().any(|folder| name.starts_with(folder)) {
            texts.push(String::from_utf8_lossy(&rest[512..512 + size]).into_owned());
        }
        rest = &rest[512 + size.div_ceil(512) * 512..];
    }
    texts
}
