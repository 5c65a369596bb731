//! Messages as they come, and what is read in them.

mod faults;
mod prefixes;
mod rib_entries;
mod two_octets;

use super::*;
use crate::as_path::Asn;
use crate::attributes::{Community, LargeCommunity, Origin};
use crate::fault::Outcome::{AttributeDiscard, SessionReset, TreatAsWithdraw};
use crate::sample::*;

/// What came of a message, in words that a table can hold.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    withdrawn: Vec<String>,
    announced: Vec<String>,
    faults: Vec<(u8, Wrong, Outcome)>,
}

fn decode(body: &[u8], context: &Context) -> Result<Seen, Notification> {
    let mut decoder = Decoder::new();
    let update = decoder.update(body, context)?;
    let mut seen = Seen::default();
    seen.withdrawn.extend(update.withdrawn::<u32>().map(|path| path.net.to_string()));
    seen.withdrawn.extend(update.withdrawn::<u128>().map(|path| path.net.to_string()));
    if let Some((attributes, nlri)) = update.announced::<u32>() {
        let hop = attributes.next_hop.address();
        seen.announced.extend(nlri.map(|path| format!("{} {hop}", path.net)));
    }
    if let Some((attributes, nlri)) = update.announced::<u128>() {
        let hop = attributes.next_hop.address();
        seen.announced.extend(nlri.map(|path| format!("{} {hop}", path.net)));
    }
    seen.faults.extend(update.faults().iter().map(|fault| (fault.attribute, fault.wrong, fault.outcome)));
    Ok(seen)
}

fn external(body: &[u8]) -> Result<Seen, Notification> {
    decode(body, &Context::default())
}

fn internal() -> Context {
    Context { internal: true, ..Context::default() }
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| text.to_string()).collect()
}

/// What an announcement of 10.0.0.0/8 becomes with an attribute added to it.
fn with(extra: &[u8], context: &Context) -> Result<Seen, Notification> {
    decode(&body(&[], &[mandatory(), extra.to_vec()].concat(), TEN), context)
}

fn believed(faults: &[(u8, Wrong, Outcome)]) -> Seen {
    Seen { announced: strings(&["10.0.0.0/8 192.0.2.1"]), faults: faults.to_vec(), ..Seen::default() }
}

fn withdrawn(faults: &[(u8, Wrong, Outcome)]) -> Seen {
    Seen { withdrawn: strings(&["10.0.0.0/8"]), faults: faults.to_vec(), ..Seen::default() }
}

#[test]
fn an_ordinary_announcement_is_read_whole() {
    let attributes = [
        mandatory(),
        attribute(0x80, 4, &[0, 0, 0, 50]),
        attribute(0xc0, 8, &[0xfb, 0xf4, 0, 1, 0xff, 0xff, 2, 0x9a]),
        attribute(0xc0, 16, &[0, 2, 0xfb, 0xf4, 0, 0, 0, 1]),
        attribute(0xc0, 32, &[0, 0, 0xfb, 0xf4, 0, 0, 0, 1, 0, 0, 0, 2]),
        attribute(0xc0, 35, &[0, 0, 0xfb, 0xf4]),
    ]
    .concat();
    let body = body(&[16, 10, 9], &attributes, &[8, 10, 24, 192, 0, 2]);
    let mut decoder = Decoder::new();
    let update = decoder.update(&body, &Context::default()).unwrap();
    assert_eq!(update.withdrawn::<u32>().map(|p| p.net.to_string()).collect::<Vec<_>>(), ["10.9.0.0/16"]);
    let (attributes, nlri) = update.announced::<u32>().unwrap();
    assert_eq!(nlri.map(|p| p.net.to_string()).collect::<Vec<_>>(), ["10.0.0.0/8", "192.0.2.0/24"]);
    assert_eq!(attributes.as_path().to_string(), "64500 64501");
    assert_eq!(attributes.facts.origin, Origin::Igp);
    assert_eq!(attributes.facts.med, Some(50));
    assert_eq!(attributes.facts.path_length, 2);
    assert_eq!(attributes.facts.neighbor_as, Some(Asn(64500)));
    assert_eq!(attributes.facts.origin_as, Some(Asn(64501)));
    assert_eq!(attributes.facts.only_to_customer, Some(Asn(64500)));
    assert_eq!(attributes.communities().collect::<Vec<_>>(), [Community(0xfbf4_0001), Community::BLACKHOLE]);
    assert_eq!(attributes.extended_communities().len(), 1);
    assert_eq!(attributes.large_communities().collect::<Vec<_>>(), [LargeCommunity(64500, 1, 2)]);
    assert!(update.announced::<u128>().is_none() && update.faults().is_empty());
}

#[test]
fn equal_attributes_are_equal_octets_whatever_their_order_and_form() {
    let communities = attribute(0xc0, 8, &[0, 1, 0, 2]);
    let canonical = [origin(), path(), communities.clone()].concat();
    let hop = attribute(0x40, 3, &[192, 0, 2, 1]);
    let long_path = attribute(0x50, 2, &sequence(&[64500, 64501]));
    let odd_flags = attribute(0xcf & !0x10, 8, &[0, 1, 0, 2]);
    let partial_origin = attribute(0x60, 1, &[0]);
    for attributes in [
        [origin(), path(), hop.clone(), communities.clone()].concat(),
        [communities.clone(), hop.clone(), path(), origin()].concat(),
        [origin(), long_path, hop.clone(), odd_flags].concat(),
        [partial_origin, path(), hop.clone(), communities.clone()].concat(),
        [hop, communities, origin(), path()].concat(),
    ] {
        let body = body(&[], &attributes, TEN);
        let mut decoder = Decoder::new();
        let update = decoder.update(&body, &Context::default()).unwrap();
        let (attributes, _) = update.announced::<u32>().unwrap();
        assert_eq!(attributes.wire, canonical);
        assert_eq!(attributes.as_path().to_string(), "64500 64501");
        assert_eq!(attributes.communities().collect::<Vec<_>>(), [Community(0x0001_0002)]);
    }
}

/// RFC 8092 s3. Sixteen are compared each with each, and more are sorted.
#[test]
fn a_large_community_that_is_there_twice_is_kept_once_in_the_order_sent() {
    for count in [2, 16, 17, 5000] {
        let list: Vec<u32> = (0..count).map(|n| 7 * n % count.max(8) / 2).collect();
        let mut distinct = list.clone();
        let mut seen = std::collections::HashSet::new();
        distinct.retain(|n| seen.insert(*n));
        let octets = |list: &[u32]| {
            list.iter().flat_map(|n| LargeCommunity(64500, *n, 1).octets()).collect::<Vec<_>>()
        };
        let attributes = [mandatory(), attribute(0xd0, 32, &octets(&list))].concat();
        let body = body(&[], &attributes, TEN);
        let mut decoder = Decoder::new();
        let update = decoder.update(&body, &Context::default()).unwrap();
        let (attributes, _) = update.announced::<u32>().unwrap();
        let expected: Vec<_> = distinct.iter().map(|n| LargeCommunity(64500, *n, 1)).collect();
        assert_eq!(attributes.large_communities().collect::<Vec<_>>(), expected, "{count}");
        let flags = if distinct.len() * 12 > 255 { 0xd0 } else { 0xc0 };
        assert_eq!(attributes.wire, [origin(), path(), attribute(flags, 32, &octets(&distinct))].concat());
        assert!(update.faults().is_empty());
    }
}

#[test]
fn a_long_value_has_a_length_of_two_octets() {
    let asns: Vec<u32> = (1..=100).collect();
    let path = attribute(0x50, 2, &sequence(&asns));
    let attributes = [origin(), path.clone(), attribute(0x40, 3, &[192, 0, 2, 1])].concat();
    let body = body(&[], &attributes, TEN);
    let mut decoder = Decoder::new();
    let update = decoder.update(&body, &Context::default()).unwrap();
    let (attributes, _) = update.announced::<u32>().unwrap();
    assert_eq!(attributes.wire, [origin(), path].concat());
    assert_eq!(attributes.facts.path_length, 100);
}
