//! The decoder against two others, over what real routers sent: bgpdump's own expectations, and `bgpkit-parser`.
//!
//! Without real data the tests say that they were skipped.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where its own input is wrong")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

mod mrt;

use bgpkit_parser::models::{AsnLength, BgpMessage, ElemType};
use bgpkit_parser::{Elementor, parser::bgp::messages::parse_bgp_message};
use mrt::{Archived, archives, messages, read};
use palisade_bgp::message::{HEADER_LEN, MAX_EXTENDED_LEN, MessageKind, frame};
use palisade_bgp::notification::Violation;
use palisade_bgp::update::RibEntryForm;
use palisade_bgp::{Address, Attributes, Context, Decoder, Nlri, Prefix, Update};

impl Archived<'_> {
    /// Decodes it, where it is an UPDATE.
    fn update<'a>(
        &'a self,
        decoder: &'a mut Decoder,
    ) -> Option<Result<Update<'a>, palisade_bgp::Notification>> {
        let (kind, len) = frame(self.message, MAX_EXTENDED_LEN).ok()??;
        let context = Context { four_octet_as: self.four_octet_as, ..Context::default() };
        (kind == MessageKind::Update).then(|| decoder.update(&self.message[HEADER_LEN..len], &context))
    }
}

/// Calls `each` with every prefix of an update, its attributes where it is announced.
fn each_prefix(update: &Update<'_>, mut each: impl FnMut(String, Option<Attributes<'_>>)) {
    fn family<A: Address>(update: &Update<'_>, each: &mut impl FnMut(String, Option<Attributes<'_>>)) {
        let list = |nlri: Nlri<'_, A>| nlri.map(|path| path.net.to_string()).collect::<Vec<_>>();
        list(update.withdrawn()).into_iter().for_each(|net| each(net, None));
        if let Some((attributes, nlri)) = update.announced::<A>() {
            list(nlri).into_iter().for_each(|net| each(net, Some(attributes)));
        }
    }
    family::<u32>(update, &mut each);
    family::<u128>(update, &mut each);
}

/// How often each line was seen, minus how often it should have been.
#[derive(Default)]
struct Balance(BTreeMap<String, i64>);

impl Balance {
    fn seen(&mut self, line: String) {
        *self.0.entry(line).or_default() += 1;
    }

    fn expected(&mut self, line: String) {
        *self.0.entry(line).or_default() -= 1;
    }

    fn differences(&self) -> Vec<String> {
        self.0
            .iter()
            .filter(|(_, count)| **count != 0)
            .map(|(line, count)| format!("{count:+} {line}"))
            .collect()
    }
}

/// `bgpdump -m`'s words for an announcement or a withdrawal, from the peer on. LOCAL_PREF is left out: we don't believe
/// an external peer's.
fn bgpdump_line(from: &Archived<'_>, net: &str, attributes: Option<Attributes<'_>>) -> String {
    let Some(attributes) = attributes else { return format!("W|{}|{}|{net}", from.peer, from.peer_asn) };
    let facts = attributes.facts;
    let mut out = format!("A|{}|{}|{net}|{}|", from.peer, from.peer_asn, attributes.as_path());
    let origin = facts.origin.to_string().to_uppercase();
    write!(out, "{origin}|{}|{}|", attributes.next_hop.address(), facts.med.unwrap_or(0)).unwrap();
    let communities: Vec<String> = attributes
        .communities()
        .map(|community| match community.0 {
            0xffff_ff01 => "no-export".into(),
            0xffff_ff02 => "no-advertise".into(),
            0xffff_ff03 => "local-AS".into(),
            _ => community.to_string(),
        })
        .collect();
    let atomic = if attributes.iter().any(|attribute| attribute.code == 6) { "AG" } else { "NAG" };
    let aggregator = attributes.iter().find(|attribute| attribute.code == 7).map(|attribute| {
        let &[a, b, c, d, e, f, g, h] = attribute.value else { panic!("{:?}", attribute.value) };
        format!("{} {}", u32::from_be_bytes([a, b, c, d]), Ipv4Addr::new(e, f, g, h))
    });
    write!(out, "{}|{atomic}|{}", communities.join(" "), aggregator.unwrap_or_default()).unwrap();
    out
}

/// The same of one of bgpdump's lines.
fn expected_line(line: &str) -> Option<String> {
    let fields: Vec<&str> = line.split('|').collect();
    // Old C libraries shorten single zeros of IPv6 in ways of their own.
    let address = |text: &str| text.parse::<IpAddr>().map_or(text.into(), |address| address.to_string());
    let prefix = |text: &str| text.parse::<Prefix>().map_or(text.into(), |prefix| prefix.to_string());
    match fields[..] {
        [_, _, "W", peer, asn, net, ..] => Some(format!("W|{}|{asn}|{}", address(peer), prefix(net))),
        // AS 0 makes an announcement a withdrawal, and an AGGREGATOR nothing (RFC 7607).
        [_, _, "A", peer, asn, net, path, ..] if path.split(' ').any(|asn| asn == "0") => {
            Some(format!("W|{}|{asn}|{}", address(peer), prefix(net)))
        }
        [_, _, "A", peer, asn, net, path, origin, hop, _, med, communities, atomic, aggregator, ..] => {
            let aggregator = if aggregator.starts_with("0 ") { "" } else { aggregator };
            let (peer, net, hop) = (address(peer), prefix(net), address(hop));
            Some(format!(
                "A|{peer}|{asn}|{net}|{path}|{origin}|{hop}|{med}|{communities}|{atomic}|{aggregator}"
            ))
        }
        _ => None,
    }
}

#[test]
fn bgpdump_expects_what_we_decode() {
    let Some(mrt) = archives() else { return };
    for name in ["20071015.1505", "20100722.2015", "20160811.1600", "et-header.2015"] {
        if name == "et-header.2015" && cfg!(debug_assertions) {
            eprintln!("skipped: {name}, with its half a million prefixes, is for optimized builds");
            continue;
        }
        let archive = read(&mrt.join(format!("ripe-bgpdump.updates.{name}.gz")));
        let expected = read(&mrt.join(format!("ripe-bgpdump.updates.{name}.expect.txt.gz")));
        let (mut balance, mut decoder, mut count) = (Balance::default(), Decoder::new(), 0);
        for from in messages(&archive) {
            let Some(update) = from.update(&mut decoder) else { continue };
            each_prefix(&update.unwrap(), |net, attributes| {
                count += 1;
                balance.seen(bgpdump_line(&from, &net, attributes));
            });
        }
        let expected = String::from_utf8(expected).unwrap();
        expected.lines().filter_map(expected_line).for_each(|line| balance.expected(line));
        let differences = balance.differences();
        assert!(
            differences.is_empty(),
            "{name}: {}\n{}",
            differences.len(),
            differences[..differences.len().min(12)].join("\n")
        );
        eprintln!("{name}: {count} prefixes alike");
    }
}

/// A prefix with host bits and, after it, one that is cut short: bgpdump overlooks the second, RFC 7606 s5.3 does not.
#[test]
fn a_prefix_that_is_cut_short_is_not_overlooked() {
    let Some(mrt) = archives() else { return };
    let archive = read(&mrt.join("ripe-bgpdump.updates.nlri_mask_trailing_bits.gz"));
    let (messages, mut decoder) = (messages(&archive), Decoder::new());
    let refused = messages[0].update(&mut decoder).unwrap().unwrap_err();
    assert_eq!(refused, Violation::NetworkField.into());
}

/// The attributes of the unicast routes in a table's archive (RFC 6396 s4.2, s4.3.2, s4.3.4).
fn table_entries(archive: &[u8]) -> Vec<(RibEntryForm, &[u8])> {
    let (mut rest, mut out) = (archive, Vec::new());
    while let Some((header, after)) = rest.split_first_chunk::<12>() {
        let field = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let len = u32::from_be_bytes([header[8], header[9], header[10], header[11]]) as usize;
        let Some((body, next)) = after.split_at_checked(len) else { break };
        match (field(4), field(6)) {
            // View, sequence, prefix, length, status, time, peer, AS and the attributes' length.
            (12, 1) => out.push((RibEntryForm::TableDump, &body[22..])),
            (12, 2) => out.push((RibEntryForm::TableDump, &body[46..])),
            (13, 2 | 4) => out.extend(entries_of_prefix(body).map(|raw| (RibEntryForm::TableDumpV2, raw))),
            _ => {}
        }
        rest = next;
    }
    out
}

/// Behind a sequence number, a prefix and a count: a peer, a time, a length and attributes for each entry.
fn entries_of_prefix(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut entries = &body[4 + 1 + usize::from(body[4]).div_ceil(8) + 2..];
    std::iter::from_fn(move || {
        let [_, _, _, _, _, _, high, low, attributes @ ..] = entries else { return None };
        let (one, following) = attributes.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        entries = following;
        Some(one)
    })
}

#[test]
fn table_entries_of_every_writer_are_usable() {
    let Some(mrt) = archives() else { return };
    let names = [
        "routeviews2.rib.20140523.0600_firstMB.bz2",
        "namex-bgpd-rib-inet.mrt",
        "mrtparse-samples/openbgpd_rib_table-v2",
        "mrtparse-samples/openbgpd_rib_table",
        "mrtparse-samples/quagga_rib",
        "ryu.rib.20161101.0000_pick.bz2",
    ];
    for name in names {
        let archive = read(&mrt.join(name));
        let (mut decoder, mut usable, mut faults) = (Decoder::new(), 0, BTreeMap::<String, usize>::new());
        for (form, raw) in table_entries(&archive) {
            let entry = decoder.rib_entry(raw, form);
            usable += usize::from(entry.attributes.is_some());
            entry.faults.iter().for_each(|fault| *faults.entry(fault.to_string()).or_default() += 1);
        }
        eprintln!("{name}: {usable} usable; {faults:?}");
        assert!(usable > 0 && faults.values().sum::<usize>() * 100 <= usable, "{name}: {usable} {faults:?}");
    }
}

/// What both decoders can say of a prefix.
fn bgpkit_lines(from: &Archived<'_>) -> Option<Vec<String>> {
    let width = if from.four_octet_as { AsnLength::Bits32 } else { AsnLength::Bits16 };
    let mut octets = bytes::Bytes::copy_from_slice(from.message);
    let BgpMessage::Update(update) = parse_bgp_message(&mut octets, false, &width).ok()? else { return None };
    let elems = Elementor::bgp_update_to_elems(update, 0.0, &from.peer, &from.peer_asn.into());
    let line = |elem: bgpkit_parser::BgpElem| match elem.elem_type {
        ElemType::WITHDRAW => format!("W {}", elem.prefix.prefix.trunc()),
        ElemType::ANNOUNCE => format!(
            "A {} {} {} {} {} {}",
            elem.prefix.prefix.trunc(),
            elem.as_path.map(|path| path.to_string()).unwrap_or_default(),
            elem.next_hop.map(|hop| hop.to_string()).unwrap_or_default(),
            elem.med.unwrap_or(0), // it has 0 where there is none
            elem.origin.map(|origin| origin.to_string()).unwrap_or_default(),
            elem.communities.map_or(0, |communities| communities.len()),
        ),
    };
    Some(elems.into_iter().map(line).collect())
}

fn our_lines(update: &Update<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    each_prefix(update, |net, attributes| {
        lines.push(match attributes {
            None => format!("W {net}"),
            Some(attributes) => format!(
                "A {net} {} {} {} {} {}",
                attributes.as_path(),
                attributes.next_hop.address(),
                attributes.facts.med.unwrap_or(0),
                attributes.facts.origin.to_string().to_uppercase(),
                attributes.communities().len()
                    + attributes.large_communities().len()
                    + attributes.extended_communities().len(),
            ),
        });
    });
    lines
}

#[test]
fn bgpkit_decodes_the_same_of_every_update_without_a_fault() {
    let Some(mrt) = archives() else { return };
    let names = [
        "rrc01.updates.20241001.0055.gz",
        "sydney.updates.20220601.0230.bz2",
        "rrc15.updates.20100227.1600.gz",
    ];
    for name in names {
        let archive = read(&mrt.join(name));
        let (mut decoder, mut alike, mut faulty, mut refused) = (Decoder::new(), 0, 0, 0);
        for (at, from) in messages(&archive).into_iter().enumerate() {
            let Some(update) = from.update(&mut decoder) else { continue };
            let Ok(update) = update else {
                refused += 1;
                continue;
            };
            if !update.faults().is_empty() {
                faulty += 1;
                continue;
            }
            let Some(mut theirs) = bgpkit_lines(&from) else { panic!("{name} {at}: bgpkit refuses it") };
            let mut ours = our_lines(&update);
            theirs.sort();
            ours.sort();
            assert_eq!(ours, theirs, "{name} {at}");
            alike += ours.len();
        }
        eprintln!("{name}: {alike} prefixes alike; {faulty} messages with faults, {refused} refused");
        assert!(alike > 10_000 && faulty < 100, "{name}: {alike} {faulty}");
    }
}
