//! VRPs, and the harness's own judge of them (RFC 6811 s2): a plain walk from the prefix up, which shares no code with the
//! product, whose word it checks.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use hashbrown::HashMap;
use serde::Deserialize;

use crate::prefix::Prefix;
use crate::problem::Problem;

/// Every VRP of a file.
#[derive(Debug, Default)]
pub(crate) struct Vrps(HashMap<Prefix, Vec<(u32, u8)>, foldhash::fast::FixedState>);

#[derive(Deserialize)]
struct File {
    roas: Vec<Roa>,
}

#[derive(Deserialize)]
struct Roa {
    prefix: String,
    #[serde(rename = "maxLength")]
    max_length: u8,
    asn: serde_json::Value,
}

impl Vrps {
    /// Those of a file in the JSON that rpki-client and Routinator write.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let wrong = |what: String| Problem::Content { path: path.to_path_buf(), what };
        let text = fs::read_to_string(path).map_err(Problem::file(path))?;
        let file: File = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let mut vrps = Vrps::default();
        for roa in file.roas {
            let asn = roa.asn.to_string();
            let asn = asn.trim_matches('"').trim_start_matches("AS").parse();
            let asn = asn.map_err(|_| wrong(format!("{} is no AS number", roa.asn)))?;
            // A VRP longer than /64 covers nothing that is played.
            if let Some(prefix) = Prefix::parse(&roa.prefix) {
                vrps.0.entry(prefix).or_default().push((asn, roa.max_length));
            }
        }
        Ok(vrps)
    }

    /// Whether a route is invalid: a VRP covers it, and none matches.
    pub(crate) fn refuses(&self, prefix: Prefix, origin: u32) -> bool {
        let mut is_covered = false;
        for len in 0..=prefix.len {
            for (asn, max_length) in
                self.0.get(&Prefix::new(prefix.six, prefix.bits, len)).into_iter().flatten()
            {
                if *asn == origin && origin != 0 && prefix.len <= *max_length {
                    return false;
                }
                is_covered = true;
            }
        }
        is_covered
    }
}

/// A file by which every route is invalid but the probe's: AS 0 (RFC 6483 s4) holds all of IPv6, and of IPv4 what is not
/// 198.18.0.0/15.
pub(crate) fn refuse_all() -> String {
    let mut prefixes = vec!["::/0".to_string()];
    let probe = 0xc612_0000_u32;
    prefixes.extend((1..=15_u8).map(|len| Prefix::v4(probe ^ (1 << (32 - u32::from(len))), len).to_string()));
    let mut text = String::from("{\"roas\": [");
    for (n, prefix) in prefixes.iter().enumerate() {
        let comma = if n == 0 { "" } else { ", " };
        let len = prefix.rsplit('/').next().unwrap_or_default();
        let _ = write!(
            text,
            "{comma}{{\"prefix\": \"{prefix}\", \"maxLength\": {len}, \"asn\": \"AS0\", \"ta\": \"compare\"}}"
        );
    }
    text + "]}\n"
}

/// A file by which no route is: one VRP, for a prefix that nobody announces (RFC 5737).
pub(crate) fn refuse_none() -> &'static str {
    "{\"roas\": [{\"prefix\": \"192.0.2.0/24\", \"maxLength\": 24, \"asn\": \"AS64511\", \"ta\": \"compare\"}]}\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vrps {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        Vrps::read(file.path()).unwrap()
    }

    fn refuses(vrps: &Vrps, prefix: &str, origin: u32) -> bool {
        vrps.refuses(Prefix::parse(prefix).unwrap(), origin)
    }

    #[test]
    fn judges_as_rfc_6811_does() {
        let vrps = read(
            r#"{"roas": [{"prefix": "192.0.0.0/16", "maxLength": 20, "asn": "AS7"},
                                     {"prefix": "2001:db8::/32", "maxLength": 32, "asn": 0}]}"#,
        );
        assert!(!refuses(&vrps, "192.0.0.0/16", 7) && !refuses(&vrps, "192.0.16.0/20", 7));
        assert!(refuses(&vrps, "192.0.0.0/21", 7) && refuses(&vrps, "192.0.0.0/16", 8));
        assert!(!refuses(&vrps, "192.0.0.0/15", 8) && refuses(&vrps, "2001:db8::/32", 0));
    }

    #[test]
    fn all_but_the_probes_can_be_refused() {
        let vrps = read(&refuse_all());
        for prefix in ["1.0.0.0/24", "198.16.0.0/15", "198.20.0.0/24", "223.0.0.0/8", "2400::/32"] {
            assert!(refuses(&vrps, prefix, 7), "{prefix}");
        }
        assert!(!refuses(&vrps, "198.18.0.0/32", 7) && !refuses(&vrps, "198.18.255.255/32", 7));
        assert!(!refuses(&read(refuse_none()), "1.0.0.0/24", 7));
    }
}
