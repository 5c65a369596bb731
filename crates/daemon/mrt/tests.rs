//! Archives of every kind, written and read back; damaged; and the sample changed at random.

use std::io::Cursor;
use std::net::{IpAddr, Ipv4Addr};

use bgpkit_parser::BgpkitParser;
use bgpkit_parser::models::ElemType;
use palisade_bgp::encode::{self, Format};
use palisade_bgp::fault::Fault as AttributeFault;
use palisade_bgp::{Address, Asn, Attributes, Net, Path};

use super::write::{IndexedPeer, Peering, RibRoute};
use super::*;
use crate::sample::Sample;

/// ORIGIN IGP, AS_PATH 64501 64502.
const WIRE: [u8; 17] = [0x40, 1, 1, 0, 0x40, 2, 10, 2, 2, 0, 0, 0xfb, 0xf5, 0, 0, 0xfb, 0xf6];

/// What was read, a line each.
#[derive(Default)]
struct Heard {
    lines: Vec<String>,
    damages: Vec<Damage>,
    unread: u64,
    faulty: u64,
}

impl Heard {
    fn all(octets: &[u8]) -> Self {
        let mut heard = Heard::default();
        Reader::new().read(octets, &mut heard);
        heard
    }

    fn of<A: Address>(from: Source, what: &str, Path { path_id, net }: Path<A>, rest: &str) -> String {
        let PeerKey { address, asn } = from.key;
        let id = if path_id == 0 { String::new() } else { format!(" #{path_id}") };
        format!("{address} {asn} {what} {net}{id}{rest}")
    }
}

impl Visitor for Heard {
    fn announced<A: Address>(
        &mut self,
        from: Source,
        attributes: Attributes<'_>,
        paths: impl Iterator<Item = Path<A>>,
    ) {
        let rest = format!(" {} via {}", attributes.as_path(), attributes.next_hop.address());
        self.lines.extend(paths.map(|path| Heard::of(from, "+", path, &rest)));
    }

    fn withdrawn<A: Address>(&mut self, from: Source, paths: impl Iterator<Item = Path<A>>) {
        self.lines.extend(paths.map(|path| Heard::of(from, "-", path, "")));
    }

    fn unusable<A: Address>(&mut self, from: Source, paths: impl Iterator<Item = Path<A>>) {
        self.lines.extend(paths.map(|path| Heard::of(from, "?", path, "")));
    }

    fn faults(&mut self, _: Source, faults: &[AttributeFault]) {
        assert!(!faults.is_empty());
        self.faulty += 1;
    }

    fn state_changed(&mut self, from: Source, old: u16, new: u16) {
        self.lines.push(format!("{} {old} to {new}", from.key.address));
    }

    fn damaged(&mut self, damage: Damage) {
        self.damages.push(damage);
    }

    fn unread(&mut self, _: Kind) {
        self.unread += 1;
    }
}

fn key(address: &str, asn: u32) -> PeerKey {
    PeerKey { address: address.parse().unwrap(), asn: Asn(asn) }
}

fn net4(text: &str) -> Net<u32> {
    u32::of_prefix(text.parse().unwrap()).unwrap()
}

fn net6(text: &str) -> Net<u128> {
    u128::of_prefix(text.parse().unwrap()).unwrap()
}

/// Attributes with a next hop.
fn attributes(next_hop: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write::rib_attributes(&WIRE, next_hop.parse::<IpAddr>().unwrap().into(), &mut out);
    out
}

/// A list of two peers.
fn peer_index_table() -> Vec<u8> {
    let router_id = Ipv4Addr::new(192, 0, 2, 9);
    let peers = [key("192.0.2.1", 64501), key("2001:db8::1", 4_200_000_001)];
    let mut out = Vec::new();
    write::peer_index_table(1, router_id, &peers.map(|key| IndexedPeer { router_id, key }), &mut out);
    out
}

/// A route of each of some peers, with these next hops.
fn rib<A: Address>(net: Net<A>, add_path: bool, peers: &[(u16, &str)]) -> Vec<u8> {
    let all: Vec<_> = peers.iter().map(|(_, next_hop)| attributes(next_hop)).collect();
    let route = |(at, (peer_index, _)): (usize, &(u16, &str))| RibRoute {
        peer_index: *peer_index,
        originated_s: 1,
        path_id: at as u32 + 7,
        attributes: &all[at],
    };
    let routes: Vec<_> = peers.iter().enumerate().map(route).collect();
    let mut out = Vec::new();
    write::rib(1, 0, net, &routes, add_path, &mut out);
    out
}

fn message(message: &[u8]) -> Vec<u8> {
    let peering = Peering { peer: key("192.0.2.1", 64501), local: key("192.0.2.9", 64500) };
    let mut out = Vec::new();
    write::message(1, &peering, message, &mut out);
    out
}

/// An UPDATE that announces a prefix.
fn update(prefix: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let next_hop = Ipv4Addr::new(192, 0, 2, 1);
    encode::announcements(
        &WIRE,
        IpAddr::from(next_hop).into(),
        std::iter::once(net4(prefix).into()),
        Format::PLAIN,
        &mut out,
    )
    .unwrap();
    out
}

/// A record of any kind.
fn record(kind: u16, subtype: u16, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 0, 0, 1];
    out.extend(kind.to_be_bytes());
    out.extend(subtype.to_be_bytes());
    out.extend((body.len() as u32).to_be_bytes());
    out.extend(body);
    out
}

#[test]
fn tables_that_were_written_are_read_back() {
    let file = [
        peer_index_table(),
        rib(net4("198.51.100.0/24"), false, &[(0, "192.0.2.1"), (1, "203.0.113.1")]),
        rib(net6("2001:db8:1::/48"), false, &[(1, "2001:db8::1")]),
        rib(net4("0.0.0.0/0"), true, &[(0, "192.0.2.1"), (0, "192.0.2.2")]),
        rib(net6("::/0"), true, &[(1, "2001:db8::1")]),
    ];
    let heard = Heard::all(&file.concat());
    assert_eq!(
        heard.lines,
        [
            "192.0.2.1 AS64501 + 198.51.100.0/24 64501 64502 via 192.0.2.1",
            "2001:db8::1 AS4200000001 + 198.51.100.0/24 64501 64502 via 203.0.113.1",
            "2001:db8::1 AS4200000001 + 2001:db8:1::/48 64501 64502 via 2001:db8::1",
            "192.0.2.1 AS64501 + 0.0.0.0/0 #7 64501 64502 via 192.0.2.1",
            "192.0.2.1 AS64501 + 0.0.0.0/0 #8 64501 64502 via 192.0.2.2",
            "2001:db8::1 AS4200000001 + ::/0 #7 64501 64502 via 2001:db8::1",
        ]
    );
    assert!(heard.damages.is_empty() && heard.faulty == 0);
}

#[test]
fn messages_that_were_written_are_read_back() {
    let mut withdrawal = Vec::new();
    let withdrawn = ["2001:db8::/32", "2001:db8:1::/48"].into_iter().map(|text| Path::from(net6(text)));
    encode::withdrawals(withdrawn, Format::PLAIN, &mut withdrawal);
    let keepalive = palisade_bgp::message::keepalive();
    let file = [message(&update("198.51.100.0/24")), message(&keepalive), message(&withdrawal)];
    let heard = Heard::all(&file.concat());
    assert_eq!(
        heard.lines,
        [
            "192.0.2.1 AS64501 + 198.51.100.0/24 64501 64502 via 192.0.2.1",
            "192.0.2.1 AS64501 - 2001:db8::/32",
            "192.0.2.1 AS64501 - 2001:db8:1::/48",
        ]
    );
    assert!(heard.damages.is_empty());
}

/// The body of a message record, for every form that one can have.
#[test]
fn messages_are_read_in_all_their_forms() {
    let bgp = |four_octet_as: bool, add_path: bool| {
        let path: &[u8] = match four_octet_as {
            true => &[0x40, 2, 6, 2, 1, 0, 0, 0xfb, 0xf5],
            false => &[0x40, 2, 4, 2, 1, 0xfb, 0xf5],
        };
        let mut attributes = vec![0x40, 1, 1, 0];
        attributes.extend(path);
        attributes.extend([0x40, 3, 4, 192, 0, 2, 1]);
        let mut body = vec![0, 0, 0, attributes.len() as u8];
        body.extend(attributes);
        body.extend(if add_path { &[0, 0, 0, 5, 8, 20][..] } else { &[8, 20] });
        let mut out = vec![0xff; 16];
        out.extend((body.len() as u16 + 19).to_be_bytes());
        out.push(2);
        out.extend(body);
        out
    };
    let ends = |four_octet_as: bool| {
        let mut out = match four_octet_as {
            true => vec![0, 0, 0xfb, 0xf5, 0, 0, 0xfb, 0xf4],
            false => vec![0xfb, 0xf5, 0xfb, 0xf4],
        };
        out.extend([0, 0, 0, 1, 192, 0, 2, 1, 192, 0, 2, 9]);
        out
    };
    for (subtype, four_octet_as, add_path) in [
        (1, false, false),
        (4, true, false),
        (6, false, false),
        (7, true, false),
        (8, false, true),
        (9, true, true),
        (10, false, true),
        (11, true, true),
    ] {
        let body = [ends(four_octet_as), bgp(four_octet_as, add_path)].concat();
        let with_microseconds = [vec![0, 0, 0, 9], body.clone()].concat();
        let file = [record(16, subtype, &body), record(17, subtype, &with_microseconds)].concat();
        let id = if add_path { " #5" } else { "" };
        let line = format!("192.0.2.1 AS64501 + 20.0.0.0/8{id} 64501 via 192.0.2.1");
        let heard = Heard::all(&file);
        assert_eq!((heard.lines, heard.damages), (vec![line.clone(), line], vec![]), "subtype {subtype}");
    }
    let states = [0, 3, 0, 6];
    let file = [
        record(16, 0, &[ends(false), states.to_vec()].concat()),
        record(16, 5, &[ends(true), states.to_vec()].concat()),
    ];
    assert_eq!(Heard::all(&file.concat()).lines, ["192.0.2.1 3 to 6"; 2]);
}

#[test]
fn the_type_of_before_2001_is_read() {
    let mut body = vec![0xfb, 0xf5, 192, 0, 2, 1, 0xfb, 0xf4, 192, 0, 2, 9];
    body.extend([
        0, 2, 8, 30, 0, 18, 0x40, 1, 1, 0, 0x40, 2, 4, 2, 1, 0xfb, 0xf5, 0x40, 3, 4, 192, 0, 2, 1, 8, 20,
    ]);
    let state = [0xfb, 0xf5, 192, 0, 2, 1, 0, 1, 0, 2];
    let file = [record(5, 1, &body), record(5, 3, &state), record(5, 7, &body[..12]), record(5, 0, &[])];
    let heard = Heard::all(&file.concat());
    assert_eq!(
        heard.lines,
        [
            "192.0.2.1 AS64501 - 30.0.0.0/8",
            "192.0.2.1 AS64501 + 20.0.0.0/8 64501 via 192.0.2.1",
            "192.0.2.1 1 to 2"
        ]
    );
    assert_eq!((heard.damages.len(), heard.unread), (0, 1));
}

#[test]
fn old_tables_are_read_in_both_families() {
    let path = [0x40, 1, 1, 0, 0x40, 2, 4, 2, 1, 0xfb, 0xf5];
    let v4 = [&path[..], &[0x40, 3, 4, 192, 0, 2, 1]].concat();
    let mut v6 = path.to_vec();
    v6.extend([0x80, 14, 21, 0, 2, 1, 16, 0x20, 1, 0x0d, 0xb8]);
    v6.extend([0; 11]);
    v6.extend([1, 0]);
    let entry = |prefix: &[u8], len: u8, peer: &[u8], attributes: &[u8]| {
        let fixed = [prefix, &[len, 1, 0, 0, 0, 1], peer, &[0xfb, 0xf5, 0, attributes.len() as u8]].concat();
        [fixed, attributes.to_vec()].concat()
    };
    let one = entry(&[20, 0, 0, 0], 8, &[192, 0, 2, 1], &v4);
    let mut address = [0; 16];
    address[..2].copy_from_slice(&[0x20, 1]);
    let six = entry(&address, 16, &address, &v6);
    let file = [
        record(12, 1, &[&[0, 0, 0, 1][..], &one].concat()),
        record(12, 1, &[&[0, 0, 0, 1][..], &one, &one].concat()),
        record(12, 2, &[&[0, 0, 0, 1][..], &six].concat()),
    ];
    let heard = Heard::all(&file.concat());
    assert_eq!(heard.damages, []);
    assert_eq!(heard.lines[..3], ["192.0.2.1 AS64501 + 20.0.0.0/8 64501 via 192.0.2.1"; 3]);
    assert_eq!(heard.lines[3..], ["2001:: AS64501 + 2001::/16 64501 via 2001:db8::1"]);
}

#[test]
fn routes_of_peers_that_are_not_known_are_no_routes() {
    let route = rib(net4("198.51.100.0/24"), false, &[(0, "192.0.2.1"), (2, "192.0.2.1"), (1, "192.0.2.1")]);
    let heard = Heard::all(&route);
    assert_eq!(heard.damages, [Damage { offset: 0, fault: Fault::NoPeerIndexTable }]);
    assert!(heard.lines.is_empty());

    let table = peer_index_table();
    let heard = Heard::all(&[&table[..], &route].concat());
    let offset = table.len() as u64;
    assert_eq!(heard.damages, [Damage { offset, fault: Fault::NoSuchPeer { index: 2, peers: 2 } }]);
    assert_eq!(heard.lines.len(), 2, "the other entries stand");

    // A table that can't be read does not leave the one before it in force.
    let mut broken = peer_index_table();
    broken.pop();
    let length = broken.len() as u32 - 12;
    broken[8..12].copy_from_slice(&length.to_be_bytes());
    let heard = Heard::all(&[&table[..], &broken, &route].concat());
    let faults: Vec<_> = heard.damages.into_iter().map(|damage| damage.fault).collect();
    assert_eq!(faults, [Fault::Short("peers"), Fault::NoPeerIndexTable]);
}

#[test]
fn a_file_begins_without_the_peers_of_the_one_before() {
    let mut reader = Reader::new();
    let mut heard = Heard::default();
    let route = rib(net4("198.51.100.0/24"), false, &[(0, "192.0.2.1")]);
    reader.read(&[peer_index_table(), route.clone()].concat()[..], &mut heard);
    reader.read(&route[..], &mut heard);
    assert_eq!(heard.lines.len(), 1);
    assert_eq!(heard.damages, [Damage { offset: 0, fault: Fault::NoPeerIndexTable }]);
}

#[test]
fn what_is_wrong_with_a_record_is_told_with_its_place_and_the_next_is_read() {
    let good = message(&update("198.51.100.0/24"));
    let mut cut_message = message(&update("20.0.0.0/8"));
    cut_message[12 + 20 + 17] += 1; // The BGP message's own length.
    let too_long = record(13, 2, &[0, 0, 0, 1, 33, 0, 0, 0, 0, 0, 0, 0]);
    let family = record(16, 4, &[0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4]);
    let trailing = [&rib(net4("20.0.0.0/8"), false, &[(0, "192.0.2.1")])[12..], &[0; 3]].concat();
    for (bad, what) in [
        (cut_message, "the record ends within its BGP message"),
        (message(&[0; 19]), "its BGP message is none"),
        (too_long, "a prefix of 33 bits is longer than an address"),
        (family, "address family 3 is neither IPv4 (1) nor IPv6 (2)"),
        (record(13, 2, &trailing), "3 octets follow the end of the record's last entry"),
        (record(16, 4, &[1; 5]), "the record ends within its local AS"),
        (record(17, 4, &[1; 3]), "the record ends within its microseconds"),
        (record(12, 1, &[0; 4]), "the record ends within its first entry"),
        (message(&[&[0xff; 16][..], &[0, 23, 2, 0, 9, 0, 0]].concat()), "its UPDATE can't be read"),
    ] {
        let table = peer_index_table();
        let heard = Heard::all(&[&table[..], &bad, &good].concat());
        assert_eq!(heard.damages.len(), 1, "{what}: {:?}", heard.damages);
        assert_eq!(heard.damages[0].offset, table.len() as u64, "{what}");
        let told = heard.damages[0].fault.to_string();
        assert!(told.contains(what), "{told}");
        assert!(heard.lines.last().unwrap().contains("198.51.100.0/24"), "{what}: {:?}", heard.lines);
    }
}

#[test]
fn attributes_that_are_unusable_make_withdrawals_and_are_told_apart() {
    let mut update = update("198.51.100.0/24");
    update[19 + 4 + 3] = 9; // ORIGIN's value.
    let heard = Heard::all(&message(&update));
    assert_eq!(heard.lines, ["192.0.2.1 AS64501 ? 198.51.100.0/24"]);
    assert_eq!((heard.faulty, heard.damages.len()), (1, 0));
}

/// bgpkit-parser reads what we write as we do.
#[test]
fn another_reader_hears_the_same_of_the_sample() {
    for peer in Sample::generate(7).peers {
        let mut ours: Vec<String> = Heard::all(&peer.mrt).lines;
        let mut theirs: Vec<String> = BgpkitParser::from_reader(Cursor::new(&peer.mrt))
            .into_iter()
            .map(|elem| {
                let (what, rest) = match elem.elem_type {
                    ElemType::ANNOUNCE => {
                        let path = elem.as_path.map(|path| path.to_string()).unwrap_or_default();
                        ("+", format!(" {path} via {}", elem.next_hop.unwrap()))
                    }
                    ElemType::WITHDRAW => ("-", String::new()),
                };
                format!("{} AS{} {what} {}{rest}", elem.peer_ip, elem.peer_asn.to_u32(), elem.prefix)
            })
            .collect();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{}", peer.name);
    }
}

/// splitmix64.
fn random(state: &mut u64) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as usize
}

/// Changes a file the way disks, networks and adversaries do.
fn mutate(file: &mut Vec<u8>, state: &mut u64) {
    for _ in 0..1 + random(state) % 4 {
        let at = random(state) % file.len().max(1);
        let some = random(state) % 64;
        match random(state) % 7 {
            _ if file.is_empty() => file.push(random(state) as u8),
            0 => file[at] ^= 1 << (some % 8),
            1 => file[at] = [0, 1, 0x7f, 0x80, 0xff][some % 5],
            2 => file.truncate(at),
            3 => drop(file.drain(at..(at + some).min(file.len()))),
            4 => drop(file.splice(at..at, (0..some).map(|n| n as u8))),
            5 => {
                let copy = file[at..(at + some * 4).min(file.len())].to_vec();
                let to = random(state) % file.len();
                drop(file.splice(to..to, copy));
            }
            _ => {
                let end = (at + 4).min(file.len());
                file[at..end].fill(0xff);
            }
        }
    }
}

#[test]
fn files_changed_at_random_are_read_without_harm() {
    let sample = Sample::generate(3);
    let updates = sample.peers[0].mrt.len() - 6000;
    let bases = [
        sample.peers[0].mrt[..6000].to_vec(),
        sample.peers[0].mrt[updates..].to_vec(),
        [peer_index_table(), rib(net6("2001:db8::/32"), true, &[(0, "::1"), (1, "::2")])].concat(),
        [record(12, 1, &[0; 40]), record(5, 1, &[0; 40]), record(11, 0, &[0; 8])].concat(),
    ];
    let mut reader = Reader::new();
    let mut state = 2026;
    for round in 0..4000 {
        let mut file = bases[round % bases.len()].clone();
        mutate(&mut file, &mut state);
        let mut heard = Heard::default();
        reader.read(&file[..], &mut heard);
        // Nothing comes from nothing: a route takes an octet at least, a record twelve.
        assert!(heard.lines.len() <= file.len(), "round {round}");
        assert!(heard.damages.len() <= file.len() / 12 + 1, "round {round}");
        assert!(heard.damages.is_sorted_by_key(|damage| damage.offset), "round {round}: {:?}", heard.damages);
    }
}
