//! The JSON form: an object whose list `roas` has an object for each VRP, and whose list `aspas` one for each ASPA.
//!
//! Read by visitors that keep nothing but the entry at hand.

use std::fmt;
use std::io::{self, Read};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::aspa_json::AspaElement;
use super::scalar::{Scalar, asn};
use super::{Collector, VrpFileError, vrp};
use crate::any_json::{AnyJson, any};
use crate::malformed::quoted;
use crate::vrp::Vrp;

/// Reads a whole document.
pub(super) fn read(input: impl Read, collector: &mut Collector) -> Result<(), VrpFileError> {
    let mut reading = Reading { collector, has_list: false, refused: None };
    let mut json = serde_json::Deserializer::from_reader(input);
    let outcome = Document(&mut reading).deserialize(&mut json).and_then(|()| json.end());
    match (outcome, reading.refused) {
        (_, Some(refused)) => Err(refused),
        (Err(error), None) if error.is_io() => Err(VrpFileError::Io(io::Error::from(error))),
        (Err(error), None) => Err(VrpFileError::Json(error)),
        (Ok(()), None) if !reading.has_list => Err(VrpFileError::NotVrps),
        (Ok(()), None) => Ok(()),
    }
}

struct Reading<'c> {
    collector: &'c mut Collector,
    /// Whether either list is there.
    has_list: bool,
    /// Why the collector takes no more, which serde's own errors can't carry.
    refused: Option<VrpFileError>,
}

/// The outermost object.
struct Document<'r, 'c>(&'r mut Reading<'c>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a list `roas` or `aspas`")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "roas" => {
                    self.0.has_list = true;
                    self.0.collector.claims_vrps = true;
                    map.next_value_seed(Roas(self.0))?;
                }
                "aspas" => {
                    self.0.has_list = true;
                    map.next_value_seed(Aspas(self.0))?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The list of VRPs.
struct Roas<'r, 'c>(&'r mut Reading<'c>);

impl<'de> DeserializeSeed<'de> for Roas<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Roas<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of VRPs")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut roas: S) -> Result<(), S::Error> {
        let mut position = 0;
        while let Some(Element(members)) = roas.next_element::<Element>()? {
            position += 1;
            let entry = members.map_err(|what| format!("{what}, not an object")).and_then(Members::vrp);
            if let Err(refused) = self.0.collector.take(position, entry) {
                self.0.refused = Some(refused);
                return Err(S::Error::custom("too many VRPs"));
            }
        }
        Ok(())
    }
}

/// The list of ASPAs.
struct Aspas<'r, 'c>(&'r mut Reading<'c>);

impl<'de> DeserializeSeed<'de> for Aspas<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Aspas<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of ASPAs")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut aspas: S) -> Result<(), S::Error> {
        let mut position = 0;
        while let Some(element) = aspas.next_element::<AspaElement>()? {
            position += 1;
            if let Err(refused) = self.0.collector.take_aspa(position, element.aspa()) {
                self.0.refused = Some(refused);
                return Err(S::Error::custom("too many ASPAs"));
            }
        }
        Ok(())
    }
}

/// An element of the list: an object, or something that should have been one.
struct Element(Result<Members, &'static str>);

/// The members of an object that make a VRP.
#[derive(Default)]
struct Members {
    prefix: Option<Scalar>,
    max_length: Option<Scalar>,
    asn: Option<Scalar>,
}

impl Members {
    fn vrp(self) -> Result<Vrp, String> {
        let prefix = match self.prefix {
            Some(Scalar::Text(text)) => text,
            Some(other) => return Err(format!("prefix is {other}")),
            None => return Err("no prefix".into()),
        };
        let max_length = match self.max_length {
            Some(Scalar::Number(number)) => Some(number),
            Some(other) => return Err(format!("maxLength of {} is {other}", quoted(&prefix))),
            None => None,
        };
        vrp(&prefix, max_length, asn(self.asn)?)
    }
}

impl<'de> AnyJson<'de> for Element {
    fn other(what: &'static str) -> Self {
        Element(Err(what))
    }
    fn object<M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        let mut members = Members::default();
        while let Some(key) = map.next_key::<Key>()? {
            let place = match key {
                Key::Prefix => &mut members.prefix,
                Key::MaxLength => &mut members.max_length,
                Key::Asn => &mut members.asn,
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *place = Some(map.next_value()?);
        }
        Ok(Element(Ok(members)))
    }
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        any(json)
    }
}

/// The name of a member.
#[derive(Deserialize)]
#[serde(field_identifier)]
enum Key {
    #[serde(rename = "prefix")]
    Prefix,
    #[serde(rename = "maxLength")]
    MaxLength,
    #[serde(rename = "asn")]
    Asn,
    #[serde(other)]
    Other,
}
