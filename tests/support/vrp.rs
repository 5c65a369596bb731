//! Validated ROA payloads, and the file that they are in.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ipnet::IpNet;

/// A validated ROA payload.
#[derive(Clone, Debug)]
pub(crate) struct Vrp {
    pub(crate) prefix: IpNet,
    pub(crate) max_length: u8,
    pub(crate) asn: u32,
}

/// Writes `vrps.json` as rpki-client does.
pub(crate) fn write(vrps: &[Vrp], folder: &Path) {
    let mut text = String::from("{\"metadata\": {}, \"roas\": [\n");
    for (at, Vrp { prefix, max_length, asn }) in vrps.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let _ = writeln!(
            text,
            "{comma}{{\"prefix\": \"{prefix}\", \"maxLength\": {max_length}, \"asn\": {asn}}}"
        );
    }
    fs::write(folder.join("vrps.json"), text + "]}\n").expect("a file can be written");
}
