//! What `bgpkit-parser` makes of an UPDATE. It reads archives: it refuses little, and warns where RFC 7606 would have something done.

use std::collections::BTreeMap;

use bgpkit_parser::error::BgpValidationWarning;
use bgpkit_parser::models::{
    AsPath, AsPathSegment, AsnLength, AttrType, AttributeValue, Attributes, Community, NetworkPrefix,
    NextHopAddress,
};
use bgpkit_parser::parser::bgp::messages::parse_bgp_update_message;
use palisade_bgp::Context;

use crate::view::{Path, Verdict, View, name};

/// What it makes of the body of an UPDATE, and what it warns of.
pub(crate) fn view(body: &[u8], context: &Context) -> Result<(View, Option<String>), String> {
    let width = if context.four_octet_as { AsnLength::Bits32 } else { AsnLength::Bits16 };
    let octets = bytes::Bytes::copy_from_slice(body);
    let update =
        parse_bgp_update_message(octets, context.add_path[0], &width).map_err(|error| error.to_string())?;
    let mut view = View {
        verdict: Verdict::Believed,
        reason: String::new(),
        withdrawn: update.withdrawn_prefixes.iter().map(path).collect(),
        announced: update.announced_prefixes.iter().map(path).collect(),
        attributes: BTreeMap::new(),
    };
    let warning = update.attributes.validation_warnings().first().map(warned);
    take(&update.attributes, context, &mut view);
    Ok((view.settled(), warning))
}

/// The kind of a warning, and the attribute that it is of.
fn warned(warning: &BgpValidationWarning) -> String {
    use BgpValidationWarning::*;
    match warning {
        AttributeFlagsError { attr_type, .. } => format!("flags of {}", known(*attr_type)),
        AttributeLengthError { attr_type, .. } => format!("length of {}", known(*attr_type)),
        OptionalAttributeError { attr_type, .. } | PartialAttributeError { attr_type, .. } => {
            format!("value of {}", known(*attr_type))
        }
        MissingWellKnownAttribute { attr_type } => format!("{} missing", known(*attr_type)),
        DuplicateAttribute { attr_type } => format!("{} repeated", known(*attr_type)),
        MalformedNlri { .. } => "prefixes".into(),
        _ => "another warning".into(),
    }
}

fn known(attribute: AttrType) -> String {
    match name(attribute.into()) {
        unknown if unknown.starts_with("type ") => "unread attribute".into(),
        name => name,
    }
}

fn path(prefix: &NetworkPrefix) -> Path {
    let net = prefix.prefix.trunc();
    let (family, address) = match net.addr() {
        std::net::IpAddr::V4(address) => (4, u128::from(u32::from(address)) << 96),
        std::net::IpAddr::V6(address) => (6, u128::from(address)),
    };
    (family, prefix.path_id.unwrap_or(0), address, net.prefix_len())
}

/// Those attributes that it reads as we do, by what they say.
fn take(attributes: &Attributes, context: &Context, view: &mut View) {
    use AttributeValue::*;
    for attribute in attributes.iter() {
        match attribute {
            MpReachNlri(nlri) => view.announced.extend(nlri.prefixes.iter().map(path)),
            MpUnreachNlri(nlri) => view.withdrawn.extend(nlri.prefixes.iter().map(path)),
            _ => {}
        }
    }
    for attribute in attributes.iter() {
        let (code, value) = match attribute {
            Origin(origin) => (1, vec![*origin as u8]),
            NextHop(std::net::IpAddr::V4(hop)) if view.announced.iter().any(|path| path.0 == 4) => {
                (3, hop.octets().to_vec())
            }
            MpReachNlri(nlri) if !nlri.prefixes.is_empty() => match &nlri.next_hop {
                Some(NextHopAddress::Ipv4(hop)) => (3, hop.octets().to_vec()),
                Some(NextHopAddress::Ipv6(hop)) => (14, hop.octets().to_vec()),
                Some(NextHopAddress::Ipv6LinkLocal(global, link_local)) => {
                    (14, [global.octets(), link_local.octets()].concat())
                }
                _ => continue,
            },
            MultiExitDiscriminator(value) => (4, value.to_be_bytes().to_vec()),
            LocalPreference(value) if context.internal => (5, value.to_be_bytes().to_vec()),
            AtomicAggregate => (6, Vec::new()),
            Communities(list) => (8, list.iter().flat_map(community).collect()),
            OriginatorId(id) if context.internal => (9, id.octets().to_vec()),
            Clusters(ids) if context.internal => (10, ids.iter().flat_map(|id| id.to_be_bytes()).collect()),
            LargeCommunities(list) => {
                let numbers =
                    list.iter().flat_map(|one| [one.global_admin, one.local_data[0], one.local_data[1]]);
                (32, numbers.flat_map(u32::to_be_bytes).collect())
            }
            OnlyToCustomer(asn) => (35, asn.to_u32().to_be_bytes().to_vec()),
            _ => continue,
        };
        view.attributes.insert(code, value);
    }
    if let Some(path) = attributes.effective_as_path() {
        view.attributes.insert(2, octets(&path));
    }
}

fn community(community: &Community) -> [u8; 4] {
    match community {
        Community::NoExport => 0xffff_ff01_u32.to_be_bytes(),
        Community::NoAdvertise => 0xffff_ff02_u32.to_be_bytes(),
        Community::NoExportSubConfed => 0xffff_ff03_u32.to_be_bytes(),
        Community::Custom(asn, value) => (asn.to_u32() << 16 | u32::from(*value)).to_be_bytes(),
    }
}

fn octets(path: &AsPath) -> Vec<u8> {
    let mut out = Vec::new();
    for segment in &path.segments {
        let (kind, asns) = match segment {
            AsPathSegment::AsSet(asns) => (1, asns),
            AsPathSegment::AsSequence(asns) => (2, asns),
            AsPathSegment::ConfedSequence(asns) => (3, asns),
            AsPathSegment::ConfedSet(asns) => (4, asns),
        };
        out.extend([kind, asns.len() as u8]);
        asns.iter().for_each(|asn| out.extend(asn.to_u32().to_be_bytes()));
    }
    out
}

/// What it can say of an attribute: the others are left out of a comparison.
pub(crate) fn says(code: u8) -> bool {
    matches!(code, 1..=6 | 8..=10 | 14 | 32 | 35)
}
