//! The real table: every prefix that one RIS peer held in May 2026, with its origin of June, and all VRPs of July 2025. AS
//! paths are not in that data and are made up.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use ipnet::IpNet;
use serde::Deserialize;

use crate::announcement::{Announcement, Table};
use crate::support::random::Random;
use crate::support::vrp::Vrp;

/// The snapshot of the table, and the registry of who originates what.
const PREFIXES: &str = "table/as3333.20260511-initial-state.txt.gz";
const ORIGINS: &str = "table/asprefix.20260619.tsv.gz";
const VRPS: &str = "rpki/rpkiclient_summary_20250720T093135Z.json.bz2";

/// No prefix shorter than this lends its origin to what it covers.
const SHORTEST: u8 = 8;

/// The table, or why there is none.
pub(crate) fn table() -> Result<Table, String> {
    let folder = std::env::var_os("PALISADE_REAL_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let open = |name: &str| {
        File::open(folder.join(name)).map_err(|why| format!("{}: {why}", folder.join(name).display()))
    };
    let origins = origins(BufReader::new(MultiGzDecoder::new(open(ORIGINS)?)));
    let prefixes = BufReader::new(MultiGzDecoder::new(open(PREFIXES)?));
    let vrps = vrps(BufReader::new(MultiBzDecoder::new(open(VRPS)?)));
    let mut random = Random(2026);
    let mut taken = HashSet::new();
    let mut announcements = Vec::new();
    for line in prefixes.lines() {
        let line = line.expect("readable data");
        let Some(prefix) = line.split_whitespace().next().and_then(|text| text.parse::<IpNet>().ok()) else {
            continue;
        };
        if let Some(origin) = origin(&origins, prefix)
            && taken.insert(prefix)
        {
            let mut path: Vec<u32> = (0..random.below(3)).map(|_| random.asn()).collect();
            path.push(origin);
            announcements.push(Announcement::new(prefix, path));
        }
    }
    Ok(Table { announcements, vrps })
}

/// Lines of `prefix, tab, origin`.
fn origins(lines: impl BufRead) -> HashMap<IpNet, u32> {
    let mut origins = HashMap::new();
    for line in lines.lines() {
        let line = line.expect("readable data");
        let Some((prefix, origin)) = line.split_once('\t') else { continue };
        if let (Ok(prefix), Ok(origin)) = (prefix.parse(), origin.parse()) {
            origins.entry(prefix).or_insert(origin);
        }
    }
    origins
}

/// Its own origin, or that of the nearest prefix that covers it.
fn origin(origins: &HashMap<IpNet, u32>, prefix: IpNet) -> Option<u32> {
    let above =
        std::iter::successors(Some(prefix), |net| net.supernet().filter(|net| net.prefix_len() >= SHORTEST));
    above.filter_map(|net| origins.get(&net).copied()).next()
}

#[derive(Deserialize)]
struct Document {
    roas: Vec<Roa>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Roa {
    prefix: String,
    max_length: u8,
    asn: u32,
}

fn vrps(document: impl BufRead) -> Vec<Vrp> {
    let document: Document = serde_json::from_reader(document).expect("rpki-client's JSON");
    let vrp =
        |Roa { prefix, max_length, asn }| Vrp { prefix: prefix.parse().expect("a prefix"), max_length, asn };
    document.roas.into_iter().map(vrp).collect()
}
