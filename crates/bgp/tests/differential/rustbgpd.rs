//! What `rustbgpd-wire` makes of an UPDATE, put together as its own documentation says a session does: decode, validate, and the
//! strongest disposition of RFC 7606.

use std::collections::BTreeMap;

use palisade_bgp::Context;
use rustbgpd_wire::{
    Afi, AsPathSegment, DecodeError, ErrorDisposition, Ipv4NlriEntry, NlriEntry, PathAttribute, Prefix, Safi,
    UpdateMessage, validate::validate_update_attributes,
};

use crate::view::{Path, Verdict, View, name};

/// What it makes of the body of an UPDATE.
pub(crate) fn view(body: &[u8], context: &Context) -> View {
    let mut octets = body;
    let message = match UpdateMessage::decode(&mut octets, body.len()) {
        Ok(message) => message,
        Err(error) => return reset(&error, None),
    };
    let both = [(Afi::Ipv4, Safi::Unicast), (Afi::Ipv6, Safi::Unicast)];
    let add_path = context.add_path[0];
    let families = if add_path { &both[..] } else { &[] };
    let (wide, internal) = (context.four_octet_as, context.internal);
    let parsed = match message.parse_revised_observed_with_error_context(wide, internal, add_path, families) {
        Ok((parsed, _)) => parsed,
        Err(fatal) => return reset(&fatal.error, fatal.type_code),
    };
    let update = parsed.update;
    let mut faults: Vec<(ErrorDisposition, u8, u8)> = parsed
        .malformed
        .iter()
        .map(|fault| (fault.disposition, fault.error.to_notification().1, fault.type_code))
        .collect();
    let mut view = View {
        verdict: Verdict::Believed,
        reason: String::new(),
        withdrawn: update.withdrawn.iter().map(classic).collect(),
        announced: update.announced.iter().map(classic).collect(),
        attributes: BTreeMap::new(),
    };
    for attribute in &update.attributes {
        take(attribute, context, &mut view);
    }
    let (announces, classic) = (!view.announced.is_empty(), !update.announced.is_empty());
    if let Err(error) = validate_update_attributes(&update.attributes, announces, classic, !context.internal)
    {
        faults.push((error.disposition, error.subcode, 0));
    }
    if let Some((disposition, subcode, code)) = faults.iter().max() {
        match disposition {
            ErrorDisposition::AttributeDiscard => {}
            ErrorDisposition::TreatAsWithdraw if announces => view.verdict = Verdict::Withdrawn,
            // Nobody can be sure that the prefixes were found (RFC 7606 s5.2).
            _ => return View::reset(3, *subcode, of(*code)),
        }
        let set = |error: &DecodeError| matches!(error, DecodeError::ProhibitedAsSet { .. });
        let of_it = parsed.malformed.iter().filter(|fault| fault.type_code == *code);
        view.reason = match of_it.map(|fault| &fault.error).any(set) {
            true => format!("{} has a set", of(*code)),
            false => format!("{} 3/{subcode}", of(*code)).trim_start().into(),
        };
    }
    view.settled()
}

fn reset(error: &DecodeError, attribute: Option<u8>) -> View {
    let (code, subcode, _) = error.to_notification();
    View::reset(code.as_u8(), subcode, attribute.map(of).unwrap_or_default())
}

/// An attribute's name; nothing where it is not known which it was.
fn of(code: u8) -> String {
    match name(code) {
        _ if code == 0 => String::new(),
        unknown if unknown.starts_with("type ") => "unread attribute".into(),
        name => name,
    }
}

/// What can be compared: not the attributes that it takes apart and we carry unread.
pub(crate) fn says(code: u8) -> bool {
    code == 99 || !name(code).starts_with("type ")
}

fn classic(entry: &Ipv4NlriEntry) -> Path {
    (4, entry.path_id, u128::from(u32::from(entry.prefix.addr)) << 96, entry.prefix.len)
}

fn multiprotocol(entry: &NlriEntry) -> Path {
    match entry.prefix {
        Prefix::V4(prefix) => classic(&Ipv4NlriEntry { path_id: entry.path_id, prefix }),
        Prefix::V6(prefix) => (6, entry.path_id, u128::from(prefix.addr), prefix.len),
    }
}

/// Puts an attribute where it belongs in a view. What it leaves to a session to drop is dropped: attributes for within an AS
/// from outside (RFC 7606 s7.5, s7.9, s7.10).
fn take(attribute: &PathAttribute, context: &Context, view: &mut View) {
    use PathAttribute::*;
    let value: Vec<u8> = match attribute {
        Origin(origin) => vec![*origin as u8],
        AsPath(path) => path.segments.iter().flat_map(segment).collect(),
        NextHop(hop) if view.announced.iter().any(|path| path.0 == 4) => hop.octets().to_vec(),
        NextHop(_) => return,
        Med(value) | OnlyToCustomer(value) | OnlyToCustomerPartial(value) => value.to_be_bytes().to_vec(),
        LocalPref(_) | OriginatorId(_) | ClusterList(_) if !context.internal => return,
        LocalPref(value) => value.to_be_bytes().to_vec(),
        OriginatorId(id) => id.octets().to_vec(),
        ClusterList(ids) => ids.iter().flat_map(|id| id.octets()).collect(),
        AtomicAggregate => Vec::new(),
        Aggregator(one) => [one.asn.to_be_bytes(), one.router_id.octets()].concat(),
        Communities(list) | CommunitiesPartial(list) => {
            list.iter().flat_map(|one| one.to_be_bytes()).collect()
        }
        ExtendedCommunities(list) | ExtendedCommunitiesPartial(list) => {
            list.iter().flat_map(|one| one.as_u64().to_be_bytes()).collect()
        }
        Ipv6ExtendedCommunities(list) | Ipv6ExtendedCommunitiesPartial(list) => {
            list.iter().flat_map(|one| *one.as_bytes()).collect()
        }
        LargeCommunities(list) | LargeCommunitiesPartial(list) => list
            .iter()
            .flat_map(|one| [one.global_admin, one.local_data1, one.local_data2])
            .flat_map(u32::to_be_bytes)
            .collect(),
        Unknown(raw) => raw.data.to_vec(),
        MpReachNlri(reach) => {
            view.announced.extend(reach.announced.iter().map(multiprotocol));
            if reach.announced.is_empty() {
                return;
            }
            let global = match reach.next_hop {
                std::net::IpAddr::V4(hop) => return drop(view.attributes.insert(3, hop.octets().to_vec())),
                std::net::IpAddr::V6(hop) => hop.octets(),
            };
            let link_local = reach.link_local_next_hop.map(|address| address.octets());
            global.into_iter().chain(link_local.into_iter().flatten()).collect()
        }
        MpUnreachNlri(unreach) => return view.withdrawn.extend(unreach.withdrawn.iter().map(multiprotocol)),
        _ => return,
    };
    view.attributes.insert(attribute.type_code(), value);
}

fn segment(segment: &AsPathSegment) -> Vec<u8> {
    let (kind, asns) = match segment {
        AsPathSegment::AsSet(asns) => (1, asns),
        AsPathSegment::AsSequence(asns) => (2, asns),
    };
    // Its own type joins segments that the wire has apart, up to what it is given.
    std::iter::once(kind)
        .chain([asns.len() as u8])
        .chain(asns.iter().flat_map(|asn| asn.to_be_bytes()))
        .collect()
}
