//! The JSON form: an object whose list `roas` has an object for each VRP.
//!
//! Read by visitors that keep nothing but the VRP at hand. They take any JSON value at any place in an entry,
//! because a wrong type inside one entry must spoil that entry alone.

use std::fmt;
use std::io::{self, Read};
use std::marker::PhantomData;

use palisade_bgp::Asn;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Collector, VrpFileError, vrp};
use crate::malformed::quoted;
use crate::vrp::Vrp;

/// Reads a whole document.
pub(super) fn read(input: impl Read, collector: &mut Collector) -> Result<(), VrpFileError> {
    let mut reading = Reading { collector, has_roas: false, position: 0, refused: None };
    let mut json = serde_json::Deserializer::from_reader(input);
    let outcome = Document(&mut reading).deserialize(&mut json).and_then(|()| json.end());
    match (outcome, reading.refused) {
        (_, Some(refused)) => Err(refused),
        (Err(error), None) if error.is_io() => Err(VrpFileError::Io(io::Error::from(error))),
        (Err(error), None) => Err(VrpFileError::Json(error)),
        (Ok(()), None) if !reading.has_roas => Err(VrpFileError::NotVrps),
        (Ok(()), None) => Ok(()),
    }
}

struct Reading<'c> {
    collector: &'c mut Collector,
    has_roas: bool,
    /// Elements of `roas` seen.
    position: u64,
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
        f.write_str("an object with a list `roas`")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "roas" {
                self.0.has_roas = true;
                map.next_value_seed(Roas(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// The list.
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
        while let Some(Element(members)) = roas.next_element::<Element>()? {
            self.0.position += 1;
            let entry = members.map_err(|what| format!("{what}, not an object")).and_then(Members::vrp);
            if let Err(refused) = self.0.collector.take(self.0.position, entry) {
                self.0.refused = Some(refused);
                return Err(S::Error::custom("too many VRPs"));
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

/// rpki-client writes a number, Routinator a text with AS before it, others a text without.
fn asn(value: Option<Scalar>) -> Result<Asn, String> {
    match value {
        Some(Scalar::Number(number)) => {
            u32::try_from(number).map(Asn).map_err(|_| format!("{number} is no AS number"))
        }
        Some(Scalar::Text(text)) => text.parse().map_err(|_| format!("{} is no AS number", quoted(&text))),
        Some(other) => Err(format!("asn is {other}")),
        None => Err("no asn".into()),
    }
}

/// A member's value, as far as a VRP needs it.
enum Scalar {
    Text(String),
    Number(u64),
    /// Neither, and what it is.
    Other(&'static str),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Text(text) => f.write_str(&quoted(text)),
            Scalar::Number(number) => write!(f, "{number}"),
            Scalar::Other(what) => f.write_str(what),
        }
    }
}

/// What a JSON value may turn out to be. Both an element and a member are read with one visitor, so that neither ever
/// fails on a type.
trait AnyJson<'de>: Sized {
    fn other(what: &'static str) -> Self;
    fn text(_: &str) -> Self {
        Self::other("a text")
    }
    fn number(_: u64) -> Self {
        Self::other("a number")
    }
    fn object<M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::other("an object"))
    }
}

impl<'de> AnyJson<'de> for Scalar {
    fn other(what: &'static str) -> Self {
        Scalar::Other(what)
    }
    fn text(text: &str) -> Self {
        Scalar::Text(text.into())
    }
    fn number(number: u64) -> Self {
        Scalar::Number(number)
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

struct AnyJsonVisitor<T>(PhantomData<T>);

impl<'de, T: AnyJson<'de>> Visitor<'de> for AnyJsonVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok(T::text(text))
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        Ok(T::number(number))
    }
    fn visit_i64<E: Error>(self, _: i64) -> Result<T, E> {
        Ok(T::other("a negative number"))
    }
    fn visit_f64<E: Error>(self, _: f64) -> Result<T, E> {
        Ok(T::other("a fraction"))
    }
    fn visit_bool<E: Error>(self, _: bool) -> Result<T, E> {
        Ok(T::other("a truth value"))
    }
    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(T::other("null"))
    }
    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<T, S::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(T::other("a list"))
    }
    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<T, M::Error> {
        T::object(map)
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(AnyJsonVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(AnyJsonVisitor(PhantomData))
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
