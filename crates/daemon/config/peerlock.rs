//! `[[peerlock]]`: networks whose routes come from where they said, and are leaks from anywhere else.

use std::collections::BTreeMap;
use std::ops::Range;

use palisade_bgp::Asn;
use toml::Spanned;

use super::problem::{Fault, Problems};
use super::section::Section;
use super::value;

/// Networks that may be protected.
const MAX_PEERLOCKS: usize = 1_000;

/// A protected network.
#[derive(Debug)]
pub(crate) struct Peerlock {
    /// Its AS: unique.
    pub(crate) asn: Asn,
    /// The peers whose paths may hold it anywhere.
    pub(crate) allowed_from: Vec<Spanned<String>>,
    /// Networks that may pass its routes on, where they are heard from these directly.
    pub(crate) upstreams: Vec<Asn>,
}

/// Reads all of them.
pub(super) fn read_all(sections: Vec<Section<'_>>, problems: &Problems) -> Vec<Peerlock> {
    if let Some(first) = sections.get(MAX_PEERLOCKS) {
        let fault = Fault::new(format!("there are {} peerlocks", sections.len()), "one too many");
        problems.push(first.span(), fault.help(format!("no more than {MAX_PEERLOCKS} are taken")));
        return Vec::new();
    }
    let mut seen = BTreeMap::new();
    sections.into_iter().filter_map(|section| read(section, &mut seen)).collect()
}

fn read(mut section: Section<'_>, seen: &mut BTreeMap<Asn, Range<usize>>) -> Option<Peerlock> {
    let problems = section.problems();
    let asn = section.required("asn", "3320", value::asn);
    if let Some(asn) = &asn {
        match seen.get(asn.get_ref()) {
            Some(first) => {
                let fault = Fault::new(format!("{} is protected twice", asn.get_ref()), "again here");
                let fault = fault.help("write all that holds for it in one [[peerlock]]");
                problems.push_pair(asn.span(), fault, first.clone(), "first here");
            }
            None => {
                seen.insert(*asn.get_ref(), asn.span());
            }
        }
    }
    let allowed_from = section.list("allowed_from", "\"transit-a\"", value::name);
    let upstreams = section.list("upstreams", "174", value::asn);
    section.end();
    Some(Peerlock {
        asn: asn?.into_inner(),
        allowed_from: allowed_from.map(|list| list.values).unwrap_or_default(),
        upstreams: upstreams
            .map(|list| value::distinct("upstreams", list.values, problems))
            .unwrap_or_default(),
    })
}
