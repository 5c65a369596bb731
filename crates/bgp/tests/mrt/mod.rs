//! BGP messages that real routers sent, out of MRT archives (RFC 6396 s4.4).
//!
//! The data is not part of the repository. It is looked for beside it and in the folder that `PALISADE_REAL_DATA` names; without it
//! the tests say that they were skipped.

use std::io::Read;
use std::net::IpAddr;
use std::path::PathBuf;

/// The folder of MRT files, where there is one.
pub(crate) fn archives() -> Option<PathBuf> {
    let named = std::env::var_os("PALISADE_REAL_DATA").map(PathBuf::from);
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let found = named.into_iter().chain([beside]).map(|data| data.join("mrt")).find(|mrt| mrt.is_dir());
    if found.is_none() {
        eprintln!("skipped: there is no real data; PALISADE_REAL_DATA names a folder of it");
    }
    found
}

pub(crate) fn read(path: &std::path::Path) -> Vec<u8> {
    let file = std::fs::File::open(path).unwrap();
    let mut out = Vec::new();
    // Some files are cut off in the middle; what came before is good.
    let _ = match path.extension().and_then(|end| end.to_str()) {
        Some("gz") => flate2::read::MultiGzDecoder::new(file).read_to_end(&mut out),
        Some("bz2") => bzip2::read::MultiBzDecoder::new(file).read_to_end(&mut out),
        _ => std::io::BufReader::new(file).read_to_end(&mut out),
    };
    out
}

/// A BGP message as an archive holds it (RFC 6396 s4.4).
pub(crate) struct Archived<'a> {
    pub(crate) peer_asn: u32,
    pub(crate) peer: IpAddr,
    pub(crate) four_octet_as: bool,
    pub(crate) message: &'a [u8],
}

/// The BGP messages of an archive, in order.
pub(crate) fn messages(archive: &[u8]) -> Vec<Archived<'_>> {
    let (mut rest, mut out) = (archive, Vec::new());
    while let Some((header, after)) = rest.split_first_chunk::<12>() {
        let field = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let len = u32::from_be_bytes([header[8], header[9], header[10], header[11]]) as usize;
        let Some((mut body, next)) = after.split_at_checked(len) else { break };
        if field(4) == 17 {
            body = &body[4..];
        }
        if matches!(field(4), 16 | 17) && matches!(field(6), 1 | 4) {
            out.extend(archived(body, field(6) == 4));
        }
        rest = next;
    }
    out
}

fn archived(body: &[u8], four_octet_as: bool) -> Option<Archived<'_>> {
    let width = if four_octet_as { 4 } else { 2 };
    let peer_asn = body[..width].iter().fold(0, |asn, octet| asn << 8 | u32::from(*octet));
    let rest = &body[2 * width + 2..];
    let (peer, message) = match rest[..2] {
        [0, 1] => (IpAddr::from(<[u8; 4]>::try_from(&rest[2..6]).unwrap()), &rest[10..]),
        _ => (IpAddr::from(<[u8; 16]>::try_from(&rest[2..18]).unwrap()), &rest[34..]),
    };
    Some(Archived { peer_asn, peer, four_octet_as, message })
}
