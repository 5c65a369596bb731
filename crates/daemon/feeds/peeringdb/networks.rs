//! PeeringDB's networks, as its API answers and as dumps have them: the objects of `net`.
//!
//! ```text
//!   {"data": [{"asn": 64500, "irr_as_set": "RIPE::AS-X", "info_prefixes4": 10, ..}, ..], "meta": ..}     an answer
//!   {"net": {"data": [..]}, "ix": {"data": [..]}, ..}                                                    a full dump
//! ```
//!
//! Networks are read one by one, and nothing of them is kept but what [`Network`] has. Their fields are typed in by people:
//! an as-set is a list of names with commas, an `AS-X@RIPE`, a route-set, a joke. What names an as-set is taken, what does
//! not is left out; a value of the wrong type says nothing.

use std::fmt;
use std::io::{self, BufReader, Read};
use std::path::Path;

use palisade_bgp::Asn;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::facts::{Network, NetworkFacts};
use crate::config::MOST_PREFIXES;
use crate::input::{Input, InputError};
use crate::json::{Object, Scalar};
use crate::members::{as_sets, number};

/// Octets that a dump may have, unpacked: a full one has a tenth.
const MAX_OCTETS: u64 = 2 << 30;

/// Networks that are taken: many times all there are.
pub(super) const MAX_NETWORKS: usize = 1_000_000;

/// Why a dump is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DumpError {
    /// It can't be opened.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It can't be read on, which says which file it is.
    #[error(transparent)]
    Read(io::Error),
    /// It is not JSON, or not of the shape.
    #[error("this is not what PeeringDB says of networks: {0}")]
    Json(serde_json::Error),
    /// It has no list of networks.
    #[error("this is not what PeeringDB says of networks: it has neither `data` nor `net`")]
    NoNetworks,
    /// Not a single network is in it.
    #[error("there is not a single network in it")]
    Empty,
}

impl DumpError {
    /// What to do about it.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            DumpError::Input(InputError::Missing { .. }) => {
                "a relative name is one in the configuration's folder; `check --no-files` does without files"
            }
            DumpError::Json(_) | DumpError::NoNetworks => {
                "it should be what `https://www.peeringdb.com/api/net` answers, or a full dump as JSON"
            }
            DumpError::Input(_) | DumpError::Read(_) | DumpError::Empty => "fetch it again",
        }
    }
}

/// Reads a dump, however it is compressed. One without a single network is refused.
pub(crate) fn read_dump(path: &Path) -> Result<NetworkFacts, DumpError> {
    let facts = read(Input::open(path)?.take(MAX_OCTETS))?;
    if facts.is_empty() { Err(DumpError::Empty) } else { Ok(facts) }
}

/// Octets read at a time.
const CHUNK: usize = 64 * 1024;

/// Reads a dump or an answer; an answer may well name nobody.
pub(super) fn read(input: impl Read) -> Result<NetworkFacts, DumpError> {
    let mut reading = Reading::default();
    // The parser takes one octet at a time.
    let input = BufReader::with_capacity(CHUNK, input);
    let mut json = serde_json::Deserializer::from_reader(input);
    let outcome = Document(&mut reading).deserialize(&mut json).and_then(|()| json.end());
    match outcome {
        Err(error) if error.is_io() => Err(DumpError::Read(error.into())),
        Err(error) => Err(DumpError::Json(error)),
        Ok(()) if !reading.has_networks => Err(DumpError::NoNetworks),
        Ok(()) => Ok(reading.networks.into_iter().collect()),
    }
}

#[derive(Default)]
struct Reading {
    has_networks: bool,
    networks: Vec<(Asn, Network)>,
}

/// An object that has the list as `data`, or has such an object as `net`.
struct Document<'r>(&'r mut Reading);

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a list `data`")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key()? {
            match key {
                Key::Data => map.next_value_seed(List(self.0))?,
                Key::Net => map.next_value_seed(Document(self.0))?,
                Key::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Data,
    Net,
    #[serde(other)]
    Other,
}

/// The list of networks.
struct List<'r>(&'r mut Reading);

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of networks")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<(), S::Error> {
        self.0.has_networks = true;
        while let Some(written) = seq.next_element::<Object<Written>>()? {
            if self.0.networks.len() == MAX_NETWORKS {
                return Err(S::Error::custom(format_args!("more than {MAX_NETWORKS} networks")));
            }
            if let Object::Is(written) = written {
                self.0.networks.extend(written.network());
            }
        }
        Ok(())
    }
}

/// A network as it is written.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    asn: Scalar,
    irr_as_set: Scalar,
    info_prefixes4: Scalar,
    info_prefixes6: Scalar,
    info_never_via_route_servers: Scalar,
    status: Scalar,
}

impl Written {
    /// What it comes to; `None` for one that is deleted, or that has no AS.
    fn network(&self) -> Option<(Asn, Network)> {
        let asn = number(&self.asn).ok()?.and_then(|asn| u32::try_from(asn).ok())?;
        let there = matches!(&self.status, Scalar::Nothing) || self.status == Scalar::Text("ok".into());
        let (as_set, _) = as_sets("irr_as_set", &self.irr_as_set);
        let max_prefixes = [max_prefixes(&self.info_prefixes4), max_prefixes(&self.info_prefixes6)];
        let never_via_rs =
            matches!(self.info_never_via_route_servers, Scalar::Truth(true) | Scalar::Number(1));
        (asn != 0 && there).then_some((Asn(asn), Network { as_set, max_prefixes, never_via_rs }))
    }
}

/// A number of prefixes: 0 is what stands there when nobody gave one, and more than there are is no limit either.
fn max_prefixes(value: &Scalar) -> Option<u32> {
    let given = number(value).ok()??;
    u32::try_from(given).ok().filter(|given| (1..=MOST_PREFIXES).contains(given))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> Result<NetworkFacts, DumpError> {
        read(text.as_bytes())
    }

    fn one(fields: &str) -> Option<Network> {
        let text = format!(r#"{{"data": [{{"asn": 200001, {fields}}}]}}"#);
        facts(&text).unwrap().of(Asn(200001)).cloned()
    }

    #[test]
    fn answers_and_full_dumps_are_read() {
        let network =
            r#"{"id": 1, "asn": 200001, "irr_as_set": "AS-X", "info_prefixes4": 7, "notes": {"a": [1]}}"#;
        for text in [
            format!(r#"{{"data": [{network}], "meta": {{}}}}"#),
            format!(r#"{{"ix": {{"data": [{{"asn": 1}}]}}, "net": {{"meta": 1, "data": [{network}]}}}}"#),
        ] {
            let facts = facts(&text).unwrap();
            assert_eq!(facts.len(), 1, "{text}");
            let network = facts.of(Asn(200001)).unwrap();
            assert_eq!((network.as_set.as_deref(), network.max_prefixes), (Some("AS-X"), [Some(7), None]));
        }
    }

    #[test]
    fn of_an_as_set_what_names_one_is_taken() {
        let as_set = |text: &str| one(&format!(r#""irr_as_set": {text}"#)).unwrap().as_set;
        for (text, expected) in [
            (r#""RIPE::AS-X""#, Some("RIPE::AS-X")),
            (r#""AS-X, AS200001:AS-Y""#, Some("AS-X AS200001:AS-Y")),
            (r#""AS-X@RADB""#, Some("RADB::AS-X")),
            (r#""AS200001""#, Some("AS200001")),
            (r#""AS5413:AS-CUSTOMER AS5413:RS-CUSTOMER""#, Some("AS5413:AS-CUSTOMER")),
            (r#""RIPE::RS-ROUTES""#, None),
            (r#""n/a; ask the NOC!""#, None),
            (r#""""#, None),
            ("null", None),
            ("17", None),
            (r#"["AS-X"]"#, None),
        ] {
            assert_eq!(as_set(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn no_number_and_0_are_no_limit() {
        let prefixes = |text: &str| one(&format!(r#""info_prefixes4": {text}"#)).unwrap().max_prefixes[0];
        for (text, expected) in [
            ("1", Some(1)),
            ("\"12\"", Some(12)),
            ("10000000", Some(10_000_000)),
            ("0", None),
            ("-1", None),
            ("1.5", None),
            ("10000001", None),
            ("99999999999999999999", None),
            ("null", None),
            ("\"many\"", None),
        ] {
            assert_eq!(prefixes(text), expected, "{text}");
        }
    }

    #[test]
    fn who_never_uses_route_servers_is_known_and_who_is_deleted_is_not() {
        assert!(one(r#""info_never_via_route_servers": true"#).unwrap().never_via_rs);
        assert!(!one(r#""info_never_via_route_servers": false"#).unwrap().never_via_rs);
        assert!(!one(r#""info_never_via_route_servers": "maybe""#).unwrap().never_via_rs);
        assert!(one(r#""status": "ok""#).is_some() && one(r#""status": "deleted""#).is_none());
    }

    #[test]
    fn what_is_not_networks_is_refused_and_a_wrong_network_costs_itself_alone() {
        assert!(matches!(facts("<html>"), Err(DumpError::Json(_))));
        assert!(matches!(facts("{}"), Err(DumpError::NoNetworks)));
        assert!(matches!(facts(r#"{"ix": {"data": []}}"#), Err(DumpError::NoNetworks)));
        assert!(matches!(facts(r#"{"data": {}}"#), Err(DumpError::Json(_))));
        assert!(matches!(facts(r#"{"data": [{"asn": 1}"#), Err(DumpError::Json(_))), "it is cut off");
        assert!(matches!(facts(r#"{"data": []} x"#), Err(DumpError::Json(_))));
        assert!(matches!(facts(&"[".repeat(100_000)), Err(DumpError::Json(_))));
        let deep = format!(r#"{{"data": [{{"asn": {}}}]}}"#, "[".repeat(100_000));
        assert!(matches!(facts(&deep), Err(DumpError::Json(_))));
        assert!(facts(r#"{"data": []}"#).unwrap().is_empty());
        let text = r#"{"data": [1, null, [], {}, {"asn": "x"}, {"asn": 0}, {"asn": 4294967296}, {"asn": "200002"}]}"#;
        let facts = facts(text).unwrap();
        assert_eq!(facts.iter().map(|(asn, _)| asn).collect::<Vec<_>>(), [Asn(200002)]);
    }

    #[test]
    fn no_damage_ends_the_reader() {
        let good = r#"{"data": [{"asn": 200001, "irr_as_set": "AS-X, \u0041S-Y", "info_prefixes4": 7}], "net": {"data": []}}"#;
        for at in 0..good.len() {
            assert!(matches!(facts(&good[..at]), Err(DumpError::Json(_))), "cut at {at}");
            for damage in ["\"", "{", "[", "\\", "-", "9", "\u{0}", "\u{202e}", ":", "null"] {
                // Whatever comes of it, it comes back.
                drop(facts(&format!("{}{damage}{}", &good[..at], &good[at..])));
                drop(facts(&format!("{}{damage}{}", &good[..at], &good[at + 1..])));
            }
        }
    }
}
