//! What PeeringDB answered last, on disk: so that a start without the network knows what yesterday's did.
//!
//! It is written in PeeringDB's own words, and read like any dump of it. The file's time is when the answers were had; they
//! are written anew, by a file that takes the place of the old one, whenever all questions were answered.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::facts::NetworkFacts;
use super::networks::{DumpError, read_dump};

/// What was kept.
#[derive(Debug)]
pub(crate) struct Kept {
    /// What PeeringDB said.
    pub(crate) facts: NetworkFacts,
    /// How long ago that was. 0 for a time that has yet to come.
    pub(crate) age: Duration,
}

/// Reads what was kept; `None` where nothing was, yet.
pub(crate) fn read(path: &Path) -> Result<Option<Kept>, DumpError> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(None) };
    let written = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let age = SystemTime::now().duration_since(written).unwrap_or_default();
    Ok(Some(Kept { facts: read_dump(path)?, age }))
}

#[derive(Serialize)]
struct Answer<'f> {
    data: Vec<Entry<'f>>,
}

#[derive(Serialize)]
struct Entry<'f> {
    asn: u32,
    irr_as_set: &'f str,
    info_prefixes4: u32,
    info_prefixes6: u32,
    info_never_via_route_servers: bool,
}

/// Keeps facts. A write that fails leaves what was there.
pub(crate) fn write(path: &Path, facts: &NetworkFacts) -> io::Result<()> {
    let entries = facts.iter().map(|(asn, network)| {
        let [info_prefixes4, info_prefixes6] = network.max_prefixes.map(Option::unwrap_or_default);
        let irr_as_set = network.as_set.as_deref().unwrap_or_default();
        let info_never_via_route_servers = network.never_via_rs;
        Entry { asn: asn.0, irr_as_set, info_prefixes4, info_prefixes6, info_never_via_route_servers }
    });
    let answer = Answer { data: entries.collect() };
    let mut next = path.as_os_str().to_owned();
    next.push(".new");
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = io::BufWriter::new(File::create(&next)?);
    serde_json::to_writer(&mut file, &answer)?;
    file.flush()?;
    file.get_ref().sync_all()?;
    fs::rename(&next, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::peeringdb::facts::Network;
    use palisade_bgp::Asn;

    #[test]
    fn what_is_kept_is_what_is_read_and_damage_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/peeringdb.json");
        assert!(read(&path).unwrap().is_none());
        let network = |as_set: Option<&str>, max_prefixes, never_via_rs| Network {
            as_set: as_set.map(str::to_owned),
            max_prefixes,
            never_via_rs,
        };
        let facts: NetworkFacts = [
            (Asn(200001), network(Some("RIPE::AS-X AS-Y"), [Some(5), None], false)),
            (Asn(200002), network(None, [None, Some(7)], true)),
        ]
        .into_iter()
        .collect();
        for _ in 0..2 {
            write(&path, &facts).unwrap();
            let kept = read(&path).unwrap().unwrap();
            assert_eq!(kept.facts, facts);
            assert!(kept.age < Duration::from_secs(3600));
        }
        fs::write(&path, "{").unwrap();
        assert!(matches!(read(&path), Err(DumpError::Json(_))));
    }
}
