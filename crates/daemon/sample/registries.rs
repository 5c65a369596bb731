//! What the registries know of the little Internet: its VRPs, as rpki-client exports them, and its route objects and
//! as-sets in RPSL.

use std::fmt::Write;

use palisade_bgp::{Asn, Prefix};

use super::internet::Internet;

/// When the VRPs expire: far away, so that the sample does not.
const EXPIRES: u64 = 4_102_444_800;

/// The VRPs as rpki-client's JSON.
pub(super) fn vrps_json(internet: &Internet) -> String {
    let mut vrps = Vec::new();
    for network in &internet.networks {
        for holding in &network.holdings {
            vrps.extend(holding.roa.map(|max_length| (holding.prefix, max_length, network.asn.0)));
        }
    }
    vrps.sort_unstable();
    vrps.dedup();
    let mut out = format!("{{\n\t\"metadata\": {{ \"vrps\": {} }},\n\t\"roas\": [", vrps.len());
    for (at, (prefix, max_length, asn)) in vrps.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        // Writing to a String can't fail.
        let _ = write!(
            out,
            "{comma}\n\t\t{{ \"asn\": {asn}, \"prefix\": \"{prefix}\", \"maxLength\": {max_length}, \
             \"ta\": \"sample\", \"expires\": {EXPIRES} }}"
        );
    }
    out.push_str("\n\t]\n}\n");
    out
}

/// The name of a network's as-set.
pub(super) fn as_set(Asn(asn): Asn) -> String {
    format!("AS-NET{asn}")
}

/// The IRR's database: an as-set of every network that sells transit, and the route objects.
pub(super) fn rpsl(internet: &Internet, cyclic: Asn) -> String {
    let mut out = String::from("% The sample's routing registry.\n\n");
    for at in 0..internet.networks.len() {
        as_set_of(internet, at, cyclic, &mut out);
    }
    for network in &internet.networks {
        for holding in network.holdings.iter().filter(|holding| holding.registered) {
            let class = match holding.prefix {
                Prefix::V4(_) => "route: ",
                Prefix::V6(_) => "route6:",
            };
            let _ = write!(out, "{class} {}\norigin: {}\nsource: SAMPLE\n\n", holding.prefix, network.asn);
        }
    }
    out
}

/// A network's as-set: itself and its customers, which may be as-sets themselves. That of the network `cyclic` is in its
/// own, a set down, and names one that is not there, as real ones do.
fn as_set_of(internet: &Internet, at: usize, cyclic: Asn, out: &mut String) {
    let asn = internet.networks[at].asn;
    let sells = |at: usize| internet.customers(at).next().is_some();
    if !sells(at) {
        return;
    }
    let mut members = vec![asn.to_string()];
    members.extend(internet.customers(at).map(|customer| {
        let customer_asn = internet.networks[customer].asn;
        if sells(customer) { as_set(customer_asn) } else { customer_asn.to_string() }
    }));
    let name = as_set(asn);
    if asn == cyclic {
        let _ =
            write!(out, "as-set: {name}\nmembers: {asn}, {name}-CUSTOMERS, AS-NOT-THERE\nsource: SAMPLE\n\n");
        let _ = write!(
            out,
            "as-set: {name}-CUSTOMERS\nmembers: {}, {name}\nsource: SAMPLE\n\n",
            members.join(", ")
        );
    } else {
        let _ = write!(out, "as-set: {name}\nmembers: {}\nsource: SAMPLE\n\n", members.join(", "));
    }
}
