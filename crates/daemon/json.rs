//! JSON in which no type is believed.
//!
//! What other networks' programs write has numbers in quotes, `null` or `[]` where an object should be, one object where a
//! list should be. Values of these types never fail on that: what is not what it should be says what it is instead, and
//! whoever reads it decides what that costs. Only text that is not JSON at all, or nests deeper than the parser goes, is an
//! error.

use std::fmt;

use palisade_policy::any_json::{AnyJson, any};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess};

use crate::config::quoted;

/// Elements that are taken of a list. The largest networks have a few dozen connections.
pub(crate) const KEPT: usize = 256;

/// A single value.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// Not there, or null.
    #[default]
    Nothing,
    Text(String),
    Number(u64),
    Truth(bool),
    /// None of these, and what it is.
    Other(&'static str),
}

/// What should be an object.
#[derive(Debug, Default)]
pub(crate) enum Object<T> {
    /// Not there, null, or the empty list that PHP makes of an empty object.
    #[default]
    Nothing,
    Is(T),
    /// Something else, and what it is.
    Other(&'static str),
}

/// What should be a list of objects.
#[derive(Debug)]
pub(crate) struct List<T> {
    /// At most [`KEPT`].
    pub(crate) objects: Vec<Object<T>>,
    /// Elements past those.
    pub(crate) more: usize,
    /// What it is, where it is no list.
    pub(crate) instead: Option<&'static str>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List { objects: Vec::new(), more: 0, instead: None }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Nothing => f.write_str("nothing"),
            Scalar::Text(text) => f.write_str(&quoted(text)),
            Scalar::Number(number) => write!(f, "{number}"),
            Scalar::Truth(truth) => write!(f, "{truth}"),
            Scalar::Other(what) => f.write_str(what),
        }
    }
}

impl<'de> AnyJson<'de> for Scalar {
    fn other(what: &'static str) -> Self {
        Scalar::Other(what)
    }
    fn null() -> Self {
        Scalar::Nothing
    }
    fn text(text: &str) -> Self {
        Scalar::Text(text.into())
    }
    fn number(number: u64) -> Self {
        Scalar::Number(number)
    }
    fn truth(truth: bool) -> Self {
        Scalar::Truth(truth)
    }
}

impl<'de, T: Deserialize<'de>> AnyJson<'de> for Object<T> {
    fn other(what: &'static str) -> Self {
        Object::Other(what)
    }
    fn null() -> Self {
        Object::Nothing
    }
    fn object<M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object::Is)
    }
    fn list<S: SeqAccess<'de>>(mut seq: S) -> Result<Self, S::Error> {
        let mut elements = 0;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            elements += 1;
        }
        Ok(if elements == 0 { Object::Nothing } else { Object::Other("a list") })
    }
}

impl<'de, T: Deserialize<'de>> AnyJson<'de> for List<T> {
    fn other(what: &'static str) -> Self {
        List { instead: Some(what), ..List::default() }
    }
    fn null() -> Self {
        List::default()
    }
    /// One object is a list of one.
    fn object<M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        Ok(List { objects: vec![Object::object(map)?], ..List::default() })
    }
    fn list<S: SeqAccess<'de>>(mut seq: S) -> Result<Self, S::Error> {
        let mut list = List::default();
        while list.objects.len() < KEPT {
            let Some(object) = seq.next_element()? else { return Ok(list) };
            list.objects.push(object);
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            list.more += 1;
        }
        Ok(list)
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        any(json)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        any(json)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        any(json)
    }
}
