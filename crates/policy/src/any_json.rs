//! JSON values of whatever type: a wrong type inside one entry must spoil that entry alone.
//!
//! What other networks' programs write has numbers in quotes, `null` where a list should be, a text where an object should
//! be. So whatever may stand at a place is read with one visitor that never fails on a type; what the value is not is said
//! later, by whoever knows what that costs. Only text that is not JSON at all, or nests deeper than the parser goes, is an
//! error.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What may turn out to be any JSON value. What is not said here is [`AnyJson::other`].
pub trait AnyJson<'de>: Sized {
    /// What is none of those that are of use, and what it is.
    fn other(what: &'static str) -> Self;

    /// `null`.
    fn null() -> Self {
        Self::other("null")
    }

    /// A text.
    fn text(_: &str) -> Self {
        Self::other("a text")
    }

    /// A whole number that is not negative.
    fn number(_: u64) -> Self {
        Self::other("a number")
    }

    /// `true` or `false`.
    fn truth(_: bool) -> Self {
        Self::other("a truth value")
    }

    /// An object, which is to be read to its end. An error is only what the JSON itself has.
    fn object<M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::other("an object"))
    }

    /// A list, which is to be read to its end. An error is only what the JSON itself has.
    fn list<S: SeqAccess<'de>>(mut seq: S) -> Result<Self, S::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::other("a list"))
    }
}

/// Reads whatever there is: what `Deserialize` comes to for such a type.
pub fn any<'de, T: AnyJson<'de>, D: Deserializer<'de>>(json: D) -> Result<T, D::Error> {
    json.deserialize_any(AnyJsonVisitor(PhantomData))
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
    fn visit_bool<E: Error>(self, truth: bool) -> Result<T, E> {
        Ok(T::truth(truth))
    }
    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(T::null())
    }
    fn visit_seq<S: SeqAccess<'de>>(self, seq: S) -> Result<T, S::Error> {
        T::list(seq)
    }
    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<T, M::Error> {
        T::object(map)
    }
}
