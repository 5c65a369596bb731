//! VRPs, and the harness's own judge of them (RFC 6811 s2): a plain walk from the prefix up, which shares no code with the
//! product, whose word it checks.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use hashbrown::HashMap;
use serde::Deserialize;

use crate::lone;
use crate::prefix::Prefix;
use crate::problem::Problem;
use crate::random::Random;
use crate::table::Table;

const SEED: u64 = 8_210;

/// One VRP (RFC 6811 s2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Vrp {
    /// What it covers.
    pub(crate) prefix: Prefix,
    /// The longest prefix that matches.
    pub(crate) max_length: u8,
    /// The origin that matches.
    pub(crate) asn: u32,
}

/// VRPs, each once.
#[derive(Clone, Debug, Default)]
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
                vrps.set(Vrp { prefix, max_length: roa.max_length, asn }, true);
            }
        }
        Ok(vrps)
    }

    /// As many as are asked for, made up: somewhat more than half of the table's prefixes are valid by them, one in a hundred
    /// is invalid, and for the rest of them no route is announced.
    pub(crate) fn made_up(table: &Table, count: usize) -> Self {
        let mut random = Random::new(SEED);
        let mut vrps = Vrps::default();
        let mut origins = vec![0; table.prefixes.len()];
        for run in &table.feeds[0].sets {
            let origin = table.sets[run.set as usize].path.last().copied().unwrap_or_default();
            run.places.iter().for_each(|place| origins[*place as usize] = origin);
        }
        let lone = lone::without_more_specifics(&table.prefixes[..table.first_probe()]);
        let mut left = count;
        for place in lone {
            if !random.percent(56) {
                continue;
            }
            let (prefix, origin) = (table.prefixes[place as usize], origins[place as usize]);
            let asn = if random.percent(2) { origin + 1 } else { origin };
            if left == 0 {
                break;
            }
            vrps.set(Vrp { prefix, max_length: prefix.len, asn }, true);
            left -= 1;
        }
        // 10.0.0.0/8, which is in no table, has room for as many as are needed.
        for n in 0..left as u32 {
            let prefix = Prefix::v4(0x0a00_0000 + ((n % 0xffff) << 8), 24);
            vrps.set(Vrp { prefix, max_length: 24, asn: 100_000 + n / 0xffff }, true);
        }
        vrps
    }

    /// Puts a VRP in or takes it out.
    pub(crate) fn set(&mut self, vrp: Vrp, is_in: bool) {
        let of_prefix = self.0.entry(vrp.prefix).or_default();
        of_prefix.retain(|it| *it != (vrp.asn, vrp.max_length));
        if is_in {
            of_prefix.push((vrp.asn, vrp.max_length));
        }
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Vrp> + '_ {
        self.0.iter().flat_map(|(prefix, list)| {
            list.iter().map(|(asn, max_length)| Vrp { prefix: *prefix, max_length: *max_length, asn: *asn })
        })
    }

    /// Whether any covers a prefix.
    pub(crate) fn covers(&self, prefix: Prefix) -> bool {
        let covering = |len| Prefix::new(prefix.six, prefix.bits, len);
        (0..=prefix.len).any(|len| self.0.get(&covering(len)).is_some_and(|list| !list.is_empty()))
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
    fn as_many_are_made_up_as_are_asked_for() {
        let table = crate::made_up::table(&"full2x2000".parse().unwrap()).unwrap();
        for count in [10, 1_000, 5_000] {
            assert_eq!(Vrps::made_up(&table, count).iter().count(), count);
        }
        let vrps = Vrps::made_up(&table, 5_000);
        let covered = table.prefixes[..2_000].iter().filter(|prefix| vrps.covers(**prefix)).count();
        assert!((700..1_300).contains(&covered), "{covered}");
    }

    #[test]
    fn a_vrp_is_there_once_and_goes() {
        let vrp = Vrp { prefix: Prefix::v4(0xc000_0200, 24), max_length: 24, asn: 7 };
        let mut vrps = Vrps::default();
        vrps.set(vrp, true);
        vrps.set(vrp, true);
        assert_eq!(vrps.iter().collect::<Vec<_>>(), [vrp]);
        assert!(vrps.covers(Prefix::v4(0xc000_0280, 25)) && refuses(&vrps, "192.0.2.0/24", 8));
        vrps.set(vrp, false);
        assert!(!vrps.covers(Prefix::v4(0xc000_0280, 25)) && !refuses(&vrps, "192.0.2.0/24", 8));
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
